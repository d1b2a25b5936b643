use std::collections::BTreeMap;

use super::*;
use crate::bindings::bind::BindError;
use crate::command::CommandList;
use crate::model::Binding;

fn key(name: &str) -> Key {
    name.parse().unwrap()
}

/// Runs the `bind-key` and `unbind-key` commands of a text.
fn bind(state: &mut State, text: &str) {
    let context = ParseContext::bare();
    for command in command::parse(text, &context).unwrap().commands {
        let (slot, binding) = if command.spec.name == "bind-key" {
            let KeyBinding { table, key, binding } = from_args(&command.args, &context).unwrap();
            ((table, key), Some(binding))
        } else {
            let table = command.args.text('T').unwrap_or(PREFIX.into()).into_owned();
            ((table, key(&command.args.text_at(0).unwrap())), None)
        };
        state.bindings.insert(slot, binding);
    }
}

/// What a key of the prefix table does, in canonical text.
fn does(state: &State, name: &str) -> Option<String> {
    lookup(state, PREFIX, key(name)).map(|binding| binding.command.clone())
}

#[test]
fn the_default_keys_are_tmuxs() {
    let state = State::default();
    for (name, command) in [
        ("c", "new-window"),
        ("n", "next-window"),
        ("p", "previous-window"),
        ("l", "last-window"),
        ("0", "select-window -t :=0"),
        ("9", "select-window -t :=9"),
        ("%", "split-window -h"),
        ("\"", "split-window"),
        ("Right", "select-pane -R"),
        ("o", "select-pane -t :.+"),
        (";", "last-pane"),
        ("z", "resize-pane -Z"),
        ("&", "confirm-before -p \"kill-window #W? (y/n)\" kill-window"),
        ("m", "select-pane -m"),
        ("M", "select-pane -M"),
        ("[", "copy-mode"),
        ("d", "detach-client"),
        ("C-z", "suspend-client"),
        ("?", "list-keys -N"),
        (":", "command-prompt"),
        ("S-Up", "refresh-client -U 10"),
        ("DC", "refresh-client -c"),
        ("x", "confirm-before -p \"kill-pane #P? (y/n)\" kill-pane"),
        (",", "command-prompt -I \"#W\" { rename-window \"%%\" }"),
        ("$", "command-prompt -I \"#S\" { rename-session \"%%\" }"),
        ("{", "swap-pane -U"),
        ("}", "swap-pane -D"),
        ("Space", "next-layout"),
        ("PageUp", "copy-mode -u"),
        ("C-Left", "resize-pane -L"),
        ("M-Up", "resize-pane -U 5"),
        ("C-B", "send-prefix"),
        ("]", "paste-buffer -p"),
        ("#", "list-buffers"),
        ("-", "delete-buffer"),
    ] {
        assert_eq!(does(&state, name).as_deref(), Some(command), "{name}");
    }
    let repeats = |name| lookup(&state, PREFIX, key(name)).unwrap().repeat;
    assert!(repeats("Up") && repeats("C-Down") && !repeats("c"));
    assert!(table(&state, ROOT).unwrap().is_empty());
    let copy = lookup(&state, COPY_MODE_VI, key("C-u")).unwrap();
    assert_eq!(copy.command, "send-keys -X halfpage-up");
    for (key, binding) in table(&state, PREFIX).unwrap() {
        assert!(binding.note.is_some(), "{key} has no note");
    }
}

/// Goal: every binding can be printed, read and bound again. Method: do that with the defaults.
#[test]
fn listed_bindings_bind_the_same_again() {
    let state = State::default();
    let listed = list(&state, None, None).unwrap().join("\n");
    let mut again = State::default();
    bind(&mut again, &listed);
    let without_note = |binding: &Binding| Binding { note: None, ..binding.clone() };
    let mut count = 0;
    for ((name, key), binding) in &again.bindings {
        let default = lookup(&state, name, *key).unwrap();
        assert_eq!(binding.as_ref(), Some(&without_note(default)), "{name} {key}");
        assert_eq!(commands(default).unwrap().to_string(), default.command);
        count += 1;
    }
    let tables = table_names(&state);
    let all: usize = tables.iter().map(|name| table(&state, name).unwrap().len()).sum();
    assert_eq!(count, all);
}

#[test]
fn the_state_overrides_and_unbinds() {
    let mut state = State::default();
    bind(
        &mut state,
        "bind c kill-pane\nunbind n\nbind -T mine Any display x\nbind -n F5 list-keys",
    );
    assert_eq!(does(&state, "c").as_deref(), Some("kill-pane"));
    assert_eq!(does(&state, "n"), None);
    assert_eq!(does(&state, "p").as_deref(), Some("previous-window"));
    let mine = |name| lookup(&state, "mine", key(name)).map(|binding| binding.command.as_str());
    assert_eq!(mine("q"), Some("display-message x"));
    assert_eq!(lookup(&state, ROOT, key("F5")).unwrap().command, "list-keys");
    assert_eq!(
        table_names(&state).into_iter().collect::<Vec<_>>(),
        [COPY_MODE, COPY_MODE_VI, "mine", PREFIX, ROOT]
    );
    let keys = |state: &State, name: &str| table(state, name).map(|keys| keys.len());
    assert_eq!(keys(&state, "mine"), Some(1));
    assert_eq!(keys(&state, "nope"), None);
    bind(&mut state, "unbind -T mine Any");
    assert_eq!(keys(&state, "mine"), None);
    assert!(!table_names(&state).contains("mine"));
}

/// As `bind-key` and then `list-keys -T q` of tmux 3.3a have it.
#[test]
fn lists_look_like_tmuxs() {
    let mut state = State::default();
    bind(
        &mut state,
        "bind -T q -r x display a \\; display b\n\
         bind -T q -N 'a note' 'M-{' kill-pane\n\
         bind -T q M-x 'display \"a b\" ; display c'\n\
         bind -T q C-Up {\nlist-keys\nlist-keys\n}\n\
         bind -T q \\; list-keys\n\
         bind -T q C-b ''\n\
         bind -T q F1 { if -F 1 { display x ; display y } }",
    );
    assert_eq!(
        list(&state, Some("q"), None).unwrap(),
        [
            "bind-key    -T q C-b",
            "bind-key    -T q \\;    list-keys",
            "bind-key -r -T q x     display-message a \\; display-message b",
            "bind-key    -T q F1    if-shell -F 1 { display-message x ; display-message y }",
            "bind-key    -T q M-x   display-message \"a b\" \\; display-message c",
            "bind-key    -T q \"M-{\" kill-pane",
            "bind-key    -T q C-Up  list-keys \\;\\; list-keys",
        ]
    );
    assert_eq!(
        list(&state, Some("q"), Some(key("M-x"))).unwrap(),
        ["bind-key -T q M-x display-message \"a b\" \\; display-message c"]
    );
    assert_eq!(list(&state, Some("nope"), None), None);
    let notes = |all| list_notes(&state, "q", None, all).unwrap();
    assert_eq!(notes(false), [("M-{".to_owned(), "a note".to_owned())]);
    assert_eq!(notes(true).len(), 7);
    let first = list_notes(&state, PREFIX, Some(key("c")), false).unwrap();
    assert_eq!(first, [("c".to_owned(), "Create a window".to_owned())]);
}

#[test]
fn what_cannot_be_bound_is_refused() {
    let context = ParseContext::bare();
    let refused = |text: &str| {
        let list: CommandList = command::parse(text, &context).unwrap();
        from_args(&list.commands[0].args, &context).map_err(|error: BindError| error.to_string())
    };
    assert_eq!(refused("bind nokey list-keys"), Err("unknown key: nokey".to_owned()));
    assert_eq!(refused("bind q foo"), Err("unknown command: foo".to_owned()));
    assert_eq!(refused("bind q 'list-keys ; foo bar'"), Err("unknown command: foo".to_owned()));
    assert_eq!(refused("bind q").map(|bound| bound.binding.command), Ok(String::new()));
}

/// Keys are listed in tmux's order.
#[test]
fn keys_have_tmuxs_order() {
    let sorted = "C-Space C-a Tab C-j Enter C-y Escape Space # A a { é Any BSpace F1 F12 IC DC Home \
                  End NPage PPage BTab Up Down Left Right M-C-b M-1 M-a M-Up C-1 C-Up C-M-Up S-Up";
    let keys: Vec<Key> = sorted.split_whitespace().map(key).collect();
    let mut positions: BTreeMap<_, Key> = BTreeMap::new();
    for key in &keys {
        assert_eq!(positions.insert(list::position(*key), *key), None, "{key}");
    }
    assert_eq!(positions.into_values().collect::<Vec<_>>(), keys);
}
