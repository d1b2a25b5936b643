//! Options as a user sees them: set by commands, read with inheritance.

use super::*;
use crate::apply;
use crate::change::{Change, OptionScope};
use crate::model::State;

/// Sets as `set-option` does, at a global scope.
fn set(state: &mut State, name: &str, change: &Edit) -> Result<(), OptionError> {
    let place = Place { global: true, ..Place::default() };
    let name = OptionName::parse(name)?;
    let scope = place.scope_of(&name)?;
    for (name, value) in edit(state, scope, &name, change)? {
        apply(state, &Change::OptionSet { scope, name, value }).unwrap();
    }
    Ok(())
}

fn to(value: &str) -> Edit {
    Edit::Set(Some(value.to_owned()))
}

fn append(value: &str) -> Edit {
    Edit::Append(Some(value.to_owned()))
}

fn members(state: &State, name: &str) -> String {
    let members = state.options(OptionScope::GlobalSession).array(name);
    let members: Vec<String> =
        members.iter().map(|(index, value)| format!("{index}={value}")).collect();
    members.join(" ")
}

/// Goal: the table itself is sound. Every default is canonical for its type.
#[test]
fn defaults_are_canonical_and_names_unique() {
    let mut names = std::collections::BTreeSet::new();
    for spec in specs() {
        assert!(names.insert(spec.name), "{} twice", spec.name);
        let members = match spec.default {
            OptionDefault::Value(value) => vec![value],
            OptionDefault::Array { members, .. } => members.to_vec(),
        };
        for value in members {
            assert_eq!(value::canonical(spec.kind, value).as_deref(), Ok(value), "{}", spec.name);
        }
    }
}

/// Goal: what the installed tmux says to bad names and values, word for word.
#[test]
fn errors_are_those_of_tmux() {
    let mut state = State::default();
    for (name, value, message) in [
        ("nosuch", "1", "invalid option: nosuch"),
        ("stat", "on", "ambiguous option: stat"),
        ("status", "foo", "unknown value: foo"),
        ("mouse", "foo", "bad value: foo"),
        ("base-index", "-1", "value is too small: -1"),
        ("base-index", "abc", "value is invalid: abc"),
        ("base-index", "99999999999", "value is too large: 99999999999"),
        ("escape-time", "99999999999999999999", "value is too large: 99999999999999999999"),
        ("prefix", "C-qq", "bad key: C-qq"),
        ("status-style", "fg=foo", "invalid style: fg=foo"),
        ("status-bg", "colour300", "bad colour: colour300"),
        ("default-size", "10", "value is invalid: 10"),
        ("status[0]", "x", "not an array: status[0]"),
        ("@x[0]", "x", "not an array: @x[0]"),
        ("update-environment[x]", "x", "invalid option: update-environment[x]"),
        ("", "x", "invalid option: "),
    ] {
        let error = set(&mut state, name, &to(value)).unwrap_err();
        assert_eq!(error.to_string(), message, "{name} {value}");
    }
    for name in ["status-left", "@x", "update-environment", "status-format[1]"] {
        let error = set(&mut state, name, &Edit::Set(None)).unwrap_err();
        assert_eq!(error.to_string(), "empty value", "{name}");
    }
    assert_eq!(state, State::default());
}

#[test]
fn values_are_kept_in_canonical_form() {
    let mut state = State::default();
    for (name, value, expected) in [
        ("mouse", "1", "on"),
        ("prefix", "^A", "C-a"),
        ("prefix2", "none", "None"),
        ("status-bg", "color10", "brightgreen"),
        ("display-panes-color", "RED", "red"),
        ("base-index", "007", "7"),
        ("status-styl", "FG=Red", "FG=Red"),
        ("pane-active-border-style", "fg=#{@accent}", "fg=#{@accent}"),
        ("main-pane-width", "60%", "60%"),
        ("history-limit", "unlimited", "unlimited"),
        ("@plugin", "anything at all", "anything at all"),
    ] {
        set(&mut state, name, &to(value)).unwrap();
        let name = OptionName::parse(name).unwrap().name;
        let view = state.options(OptionScope::GlobalSession);
        assert_eq!(view.text(&name), Some(expected), "{name}");
    }
}

#[test]
fn flags_and_two_way_choices_toggle() {
    let mut state = State::default();
    let mut toggled = |name: &str, expected: &str| {
        set(&mut state, name, &Edit::Set(None)).unwrap();
        assert_eq!(state.options(OptionScope::GlobalSession).text(name), Some(expected));
    };
    toggled("mouse", "on");
    toggled("mouse", "off");
    toggled("mode-keys", "vi");
    toggled("status", "off");
    set(&mut state, "status", &to("2")).unwrap();
    set(&mut state, "status", &Edit::Set(None)).unwrap();
    assert_eq!(state.options(OptionScope::GlobalSession).text("status"), Some("2"));
}

#[test]
fn appending_joins_strings_and_styles() {
    let mut state = State::default();
    set(&mut state, "status-style", &append("bold")).unwrap();
    set(&mut state, "status-left", &append("x")).unwrap();
    set(&mut state, "@list", &append("a")).unwrap();
    set(&mut state, "@list", &append("b")).unwrap();
    set(&mut state, "repeat-time", &append("5")).unwrap();
    let view = state.options(OptionScope::GlobalSession);
    assert_eq!(view.text("status-style"), Some("bg=green,fg=black,bold"));
    assert_eq!(view.text("status-left"), Some("[#{session_name}] x"));
    assert_eq!(view.text("@list"), Some("ab"));
    assert_eq!(view.number("repeat-time"), 5);
}

/// Goal: arrays behave as the installed tmux shows them, step by step.
#[test]
fn arrays_step_by_step() {
    let mut state = State::default();
    let name = "update-environment";
    set(&mut state, name, &to("A B,C D")).unwrap();
    assert_eq!(members(&state, name), "0=A 1=B 2=C 3=D");
    set(&mut state, name, &append(" E")).unwrap();
    set(&mut state, "update-environment[7]", &to("X")).unwrap();
    set(&mut state, "update-environment[2]", &to("Y")).unwrap();
    set(&mut state, "update-environment[2]", &append("Z")).unwrap();
    assert_eq!(members(&state, name), "0=A 1=B 2=YZ 3=D 4=E 7=X");
    set(&mut state, "update-environment[7]", &Edit::Unset).unwrap();
    set(&mut state, "update-environment[0]", &Edit::Unset).unwrap();
    assert_eq!(members(&state, name), "1=B 2=YZ 3=D 4=E");
    set(&mut state, name, &append("F")).unwrap();
    assert_eq!(members(&state, name), "0=F 1=B 2=YZ 3=D 4=E");
    for value in ["P Q R", "P Q R", "P S", "P S"] {
        set(&mut state, name, &to(value)).unwrap();
        let expected: Vec<_> =
            value.split(' ').enumerate().map(|(index, value)| format!("{index}={value}")).collect();
        assert_eq!(members(&state, name), expected.join(" "), "set anew, or to what it is");
    }
    set(&mut state, name, &to("")).unwrap();
    assert_eq!(members(&state, name), "");
    set(&mut state, name, &Edit::Unset).unwrap();
    assert!(members(&state, name).starts_with("0=DISPLAY 1=KRB5CCNAME "));
    assert_eq!(state, State::default());
}

/// Goal: changing one member of an array that nobody touched keeps the other defaults.
#[test]
fn one_member_does_not_hide_the_defaults() {
    let mut state = State::default();
    set(&mut state, "command-alias[100]", &to("zoom=resize-pane -Z")).unwrap();
    let aliases = state.options(OptionScope::Server).array("command-alias");
    assert_eq!(aliases.len(), 7);
    assert_eq!(aliases[0], (0, "split-pane=split-window"));
    assert_eq!(aliases[6], (100, "zoom=resize-pane -Z"));
}

#[test]
fn unknown_text_left_by_damage_reads_as_the_default() {
    let mut state = State::default();
    for (name, value) in [("base-index", "many"), ("prefix", "?!"), ("mode-keys", "ed")] {
        for set in [&mut state.session_options, &mut state.window_options] {
            set.insert(name.to_owned(), value.to_owned());
        }
    }
    let view = state.options(OptionScope::GlobalSession);
    assert_eq!(view.number("base-index"), 0);
    assert_eq!(view.key("prefix").map(|key| key.to_string()).as_deref(), Some("C-b"));
    assert_eq!(view.choice("mode-keys"), "emacs");
    assert_eq!(view.limit("history-limit"), None);
}
