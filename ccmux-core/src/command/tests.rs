//! Tests of the language as a whole. Expectations named "tmux" were taken from tmux 3.3a with
//! `source-file -v`, restricted to commands that ccmux has.

use bstr::BString;
use proptest::prelude::*;

use super::*;

fn environment(name: &str) -> Option<BString> {
    match name {
        "HOME" => Some("/home/me".into()),
        "EMPTY" => Some("".into()),
        "SPACED" => Some("a b;c".into()),
        _ => None,
    }
}

fn context() -> ParseContext<'static> {
    ParseContext {
        environment: &environment,
        home: &|user| (user? == "root").then(|| "/root".into()),
        alias: &|name| match name {
            "splitp" => Some("split-window".to_owned()),
            "both" => Some("display-message one ; display-message -p".to_owned()),
            "loop" => Some("loop".to_owned()),
            "nothing" => Some(String::new()),
            "broken" => Some("display-message }".to_owned()),
            _ => None,
        },
        ..ParseContext::bare()
    }
}

/// The commands in canonical text, one group a line, or the error.
fn outcome(text: &str) -> String {
    let context = ParseContext { source_name: Some("f"), ..context() };
    match parse(text, &context) {
        Ok(list) => list.to_string().replace(" ;; ", "\n"),
        Err(error) => error.to_string(),
    }
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(outcome(text), *expected, "{text}");
    }
}

#[test]
fn words_quotes_and_escapes() {
    check(&[
        ("display -p a b", "f:1: command display-message: too many arguments (need at most 1)"),
        (r#"display -p "a""b"'c'd"#, "display-message -p abcd"),
        (r#"display -p 'a"b\n$HOME~'"#, r#"display-message -p "a\"b\\n\$HOME~""#),
        (r"display -p \u00e9\U0001f642\101\e[0m", r"display-message -p é🙂A\033[0m"),
        (r"display -p \ua", "f:1: invalid \\u argument"),
        (r"display -p \U00110000", "f:1: invalid \\U argument"),
        (r"display -p \400", "f:1: invalid octal escape"),
        (r"display -p \08", "f:1: invalid octal escape"),
        (r"display -p a\;b", "display-message -p \"a;b\""),
        ("display -p a\\\nb", "display-message -p ab"),
        ("display -p 'a\\\nb'", "display-message -p ab"),
        ("display -p a\\\\\nlist-keys", "display-message -p a\\\\\nlist-keys"),
        (
            "display -p \"a\n   b\n # comment\n #{pane_id}\"",
            r#"display-message -p "a\nb\n\n#{pane_id}""#,
        ),
        ("display -p a#b # comment ; kill-server", "display-message -p \"a#b\""),
        ("display -p #foo", "display-message -p"),
        ("display -p \"\"", "display-message -p ''"),
        ("display -p x%foo", "display-message -p \"x%foo\""),
        ("display -p %", r"display-message -p \%"),
        ("display -p %12", "display-message -p \"%12\""),
        ("display -p %foo", "f:1: syntax error"),
        ("display -p 'to the end\n", r#"display-message -p "to the end\n""#),
        ("display -p a\r\nlist-keys\r\n", "display-message -p a\nlist-keys"),
        ("display -p \\", "f:1: syntax error"),
    ]);
}

#[test]
fn variables_and_home_directories() {
    check(&[
        ("display $HOME/x", "display-message /home/me/x"),
        ("display \"${HOME}x$EMPTY$NOPE\"", "display-message /home/mex"),
        ("display '$HOME'", r#"display-message "\$HOME""#),
        ("display $SPACED", "display-message \"a b;c\""),
        ("display $9x", "display-message \"$9x\""),
        ("display ${HOME", "f:1: invalid environment variable"),
        ("display ${HOME-x}", "f:1: invalid environment variable"),
        ("display ~", "display-message /home/me"),
        ("display ~root/x", "display-message /root/x"),
        ("display \"~root/x\"", "display-message /root/x"),
        ("display '~root/x'", "display-message \\~root/x"),
        ("display \"a b\"~root/x", "display-message \"a b/root/x\""),
        ("display a~root/x", "display-message a~root/x"),
        ("display ~nobody/x", "f:1: syntax error"),
    ]);
}

#[test]
fn assignments_hold_for_what_follows_and_come_first() {
    check(&[
        (
            "list-keys\nFOO=bar\ndisplay $FOO",
            "set-environment -g FOO bar\nlist-keys\ndisplay-message bar",
        ),
        ("FOO=bar display $FOO", "set-environment -g FOO bar\ndisplay-message bar"),
        ("%hidden FOO='a b'", "set-environment -gh FOO \"a b\""),
        ("FOO=-x", "set-environment -g FOO -x"),
        ("display FOO=bar", "display-message FOO=bar"),
        ("FOO=1 BAR=2", "f:1: syntax error"),
        ("%hidden display", "f:1: syntax error"),
        ("%if 0\nFOO=bar\n%endif\ndisplay x$FOO", "display-message x"),
    ]);
}

#[test]
fn separators_and_groups() {
    check(&[
        ("display a ; display b", "display-message a ; display-message b"),
        ("display a\ndisplay b", "display-message a\ndisplay-message b"),
        ("display a;", "display-message a"),
        ("display a;;display b", "display-message a\ndisplay-message b"),
        ("\n\n  display a\n\n", "display-message a"),
        ("", ""),
        (";", "f:1: syntax error"),
        ("; display a", "f:1: syntax error"),
        ("display a\n; display b", "f:2: syntax error"),
        ("\ndisplay }", "f:2: syntax error"),
        ("display {\n", "f:2: syntax error"),
        ("{ display }", "f:1: syntax error"),
    ]);
}

#[test]
fn blocks_become_commands_where_the_command_takes_them() {
    check(&[
        (
            "bind x { display hi; display 'a;b'\n kill-pane }",
            "bind-key x { display-message hi ; display-message \"a;b\"\nkill-pane }",
        ),
        ("bind x {}", "bind-key x { }"),
        ("if -F 1 { if -F 0 { list-keys } }", "if-shell -F 1 { if-shell -F 0 { list-keys } }"),
        ("set -g @x { list-keys }", "set-option -g @x { list-keys }"),
        ("run -C { list-keys }", "run-shell -C { list-keys }"),
        ("run { list-keys }", "f:1: command run-shell: argument 1 must be \"string\""),
        ("display -p { list-keys }", "f:1: command display-message: argument 1 must be \"string\""),
        ("if -F { list-keys } 1", "f:1: command if-shell: argument 1 must be \"string\""),
        ("new -s { list-keys }", "f:1: command new-session: -s argument must be a string"),
        ("bind x {\n display\n foo bar }", "f:3: unknown command: foo"),
        ("bind x a{b}c", "f:1: syntax error"),
    ]);
}

#[test]
fn conditions_choose_while_reading() {
    check(&[
        ("%if 1\ndisplay yes\n%else\ndisplay no\n%endif", "display-message yes"),
        ("%if 0\ndisplay yes\n%else\ndisplay no\n%endif", "display-message no"),
        ("%if '' display a %elif 1 display b %else display c %endif", "display-message b"),
        ("%if #{x} display a %endif", "display-message a"),
        ("%if #{==:#{a},b} display a %endif\nlist-keys", "display-message a\nlist-keys"),
        ("%if 1 %if 0 display a %else display b %endif %endif", "display-message b"),
        ("%if 0 foo %endif", ""),
        ("bind x { %if 0 display a %else display b %endif }", "bind-key x { display-message b }"),
        ("display a ; %if 1 display b %endif", "display-message a ; display-message b"),
        ("%if 1\ndisplay\n", "f:3: syntax error"),
        ("%endif", "f:1: syntax error"),
        ("%if\ndisplay\n%endif", "f:1: syntax error"),
        ("%if 1\n%else\n%else\n%endif", "f:3: syntax error"),
        ("%foo", "f:1: syntax error"),
    ]);
}

#[test]
fn names_are_found_by_prefix_and_alias() {
    check(&[
        ("neww", "new-window"),
        ("new-w", "new-window"),
        ("new", "new-session"),
        ("foo", "f:1: unknown command: foo"),
        (
            "list-keys\n\nkill-s",
            "f:3: ambiguous command: kill-s, could be: kill-server, kill-session",
        ),
        ("splitp -h", "split-window -h"),
        ("both two", "display-message one ; display-message -p two"),
        ("loop", "f:1: unknown command: loop"),
        ("nothing", ""),
        ("\nbroken", "f:2: syntax error"),
    ]);
}

#[test]
fn flags_are_checked_and_sorted() {
    check(&[
        ("display -px", "f:1: command display-message: unknown flag -x"),
        ("display -%", "f:1: command display-message: invalid flag -%"),
        ("display --json", "f:1: command display-message: invalid flag --"),
        ("display -t", "f:1: command display-message: -t expects an argument"),
        ("rename-window", "f:1: command rename-window: too few arguments (need at least 1)"),
        ("send -N5 -X scroll-up", "send-keys -X -N 5 scroll-up"),
        ("send -- -x", "send-keys -- -x"),
        ("send -", "send-keys -"),
        ("send -t:. a -X", "send-keys -t :. a -X"),
        ("new -eA=1 -e B=2", "new-session -e A=1 -e B=2"),
        ("show -vv", "show-options -vv"),
        ("status --json", "status -j"),
        ("status --jso", "f:1: command status: unknown flag --jso"),
        ("kill-pane -?", "f:1: usage: kill-pane [-a] [-t target-pane]"),
    ]);
}

/// The command list of a configuration lives on without the lines that are wrong; what follows a
/// wrong command on its line does not run.
#[test]
fn lenient_reading_leaves_out_what_is_wrong() {
    let context = ParseContext { source_name: Some("f"), ..context() };
    let text = "list-keys\nfoo ; kill-server\nbind x { foo\n list-keys }\ndisplay -q\nlist-keys";
    let (list, errors) = parse_lenient(text, &context);
    assert_eq!(list.to_string(), "list-keys ;; list-keys");
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "f:2: unknown command: foo",
            "f:3: unknown command: foo",
            "f:5: command display-message: unknown flag -q"
        ]
    );
    let (list, errors) = parse_lenient("list-keys\ndisplay }", &context);
    assert!(list.is_empty());
    assert_eq!(errors.len(), 1);
}

#[test]
fn an_argv_is_divided_at_semicolons_only() {
    for (argv, expected) in [
        (&["display", "-p", "a}b # $HOME ~"][..], r#"display-message -p "a}b # \$HOME ~""#),
        (&["display", "a", ";", "list-keys"], "display-message a ; list-keys"),
        (&["display", "a;", "list-keys"], "display-message a ; list-keys"),
        (&["display", "a\\;"], "display-message \"a;\""),
        (&[";", "list-keys", ";", ";"], "list-keys"),
        (&["splitp", "-v"], "split-window -v"),
        (&["FOO=bar"], "unknown command: FOO=bar"),
        (&["display -p x"], "unknown command: display -p x"),
        (&[], ""),
    ] {
        let argv: Vec<BString> = argv.iter().map(|text| BString::from(*text)).collect();
        let outcome = match parse_argv(&argv, &context()) {
            Ok(list) => list.to_string(),
            Err(error) => error.to_string(),
        };
        assert_eq!(outcome, expected, "{argv:?}");
    }
}

#[test]
fn arguments_are_read_by_flag_and_place() {
    let list = parse("split-window -hl 20 -e A=1 -e B=2 -c '' sh '-c' x", &context()).unwrap();
    let args = &list.commands[0].args;
    assert!(args.has('h') && args.has('l') && !args.has('v'));
    assert_eq!(args.number('l', 1..=100), Ok(Some(20)));
    assert_eq!(args.number('l', 30..=100), Err(NumberError::TooSmall));
    assert_eq!(args.number('l', 1..=10), Err(NumberError::TooLarge));
    assert_eq!(args.number('e', 1..=10), Err(NumberError::Invalid));
    assert_eq!(args.number('p', 1..=10), Ok(None));
    assert_eq!(args.values('e').collect::<Vec<_>>(), ["A=1", "B=2"]);
    assert_eq!((args.count('e'), args.count('h'), args.count('v')), (2, 1, 0));
    assert_eq!(args.text('c').as_deref(), Some(""));
    assert_eq!(args.to_argv(), ["sh", "-c", "x"]);
    assert_eq!(args.text_at(2).as_deref(), Some("x"));
    assert_eq!(args.text_at(3), None);
}

#[test]
fn numbers_beyond_all_ranges_saturate() {
    assert_eq!(parse_number(b"99999999999999999999", 0..=5), Err(NumberError::TooLarge));
    assert_eq!(parse_number(b"-99999999999999999999", 0..=5), Err(NumberError::TooSmall));
    assert_eq!(parse_number(b" +3", 0..=5), Ok(3));
    for text in ["", "-", "3x", "0x3", "٣", "+-3"] {
        assert_eq!(parse_number(text.as_bytes(), 0..=5), Err(NumberError::Invalid), "{text}");
    }
}

/// A list with `;` between commands, for `bind-key x ...` on one line.
#[test]
fn an_escaped_list_can_be_given_to_a_command() {
    let list = parse("select-pane ; send -X cancel", &context()).unwrap();
    assert_eq!(list.to_escaped_string(), r"select-pane \; send-keys -X cancel");
}

#[test]
fn nesting_is_bounded() {
    let text = format!("{}{}", "if -F 1 { ".repeat(100_000), "}".repeat(100_000));
    assert_eq!(outcome(&text), "f:1: blocks nest too deep");
    let text = "%if 1\n".repeat(100_000);
    assert!(outcome(&text).ends_with("blocks nest too deep"));
}

/// Goal: the table agrees with itself. Method: names are sorted and unique, alias included, and
/// every flag that the usage shows exists, with a value exactly if one is shown.
#[test]
fn the_table_agrees_with_its_usage() {
    assert!(COMMANDS.is_sorted_by(|a, b| a.name < b.name));
    for spec in COMMANDS {
        assert_eq!(find(spec.name), Ok(spec));
        if let Some(alias) = spec.alias {
            assert_eq!(find(alias), Ok(spec));
        }
        assert!(!spec.summary.is_empty() && !spec.summary.ends_with('.'), "{}", spec.name);
        let bracketed = spec.usage.split('[').skip(1).filter_map(|part| part.strip_prefix('-'));
        for part in bracketed {
            let (flags, value) = match part.split_once([']', ' ']) {
                Some((flags, rest)) if part.as_bytes()[flags.len()] == b' ' => (flags, Some(rest)),
                Some((flags, _)) => (flags, None),
                None => panic!("{}: unbalanced usage", spec.name),
            };
            for flag in flags.chars() {
                let at = spec.flags.find(flag).unwrap_or_else(|| panic!("{} -{flag}", spec.name));
                let takes_value = spec.flags[at + 1..].starts_with(':');
                assert_eq!(takes_value, value.is_some(), "{} -{flag}", spec.name);
            }
        }
    }
}

/// Lists made of random words for real flags and places.
fn any_list() -> impl Strategy<Value = CommandList> {
    let word = prop_oneof![
        3 => "[a-z0-9:.@%$#{}~;'\"\\\\ =!\t\n-]{0,8}".prop_map(BString::from),
        1 => prop::collection::vec(any::<u8>(), 0..6).prop_map(BString::from),
        1 => "\\PC{0,6}".prop_map(BString::from),
    ];
    let simple = (
        (0..COMMANDS.len()).prop_map(|index| &COMMANDS[index]),
        prop::collection::vec(word, 8),
        0..64u8,
    );
    let command = simple.prop_map(|(spec, words, picks)| {
        let mut values: Vec<Value> = Vec::new();
        let mut words = words.into_iter();
        for (index, flag) in spec.flags.chars().filter(|c| *c != ':').enumerate().take(4) {
            if picks & (1 << index) != 0 {
                values.push(Value::Text(format!("-{flag}").into()));
                if spec.flag_kind(flag) == Some(spec::FlagKind::Value) {
                    values.push(Value::Text(words.next().unwrap_or_default()));
                }
            }
        }
        values.push(Value::Text("--".into()));
        let count = spec.args_max.unwrap_or(4).min(4).max(spec.args_min);
        values.extend(words.take(count).map(Value::Text));
        let args = Args::parse(spec, values).unwrap_or_else(|_| panic!("BUG: {}", spec.name));
        ParsedCommand { spec, args, line: 1, group: 0 }
    });
    let list = prop::collection::vec((command, any::<bool>()), 0..4).prop_map(|commands| {
        let mut group = 0;
        let mut list = CommandList::default();
        for (mut command, is_new) in commands {
            group += u32::from(is_new && !list.is_empty());
            command.group = group;
            list.commands.push(command);
        }
        list
    });
    list.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), inner).prop_map(|(first, second)| {
            let spec = find("if-shell").unwrap();
            let condition = Value::Text("cond ition".into());
            let values = vec![condition, Value::Commands(first), Value::Commands(second)];
            let args = Args::parse(spec, values).unwrap_or_else(|_| panic!("BUG: if-shell"));
            let commands = vec![ParsedCommand { spec, args, line: 1, group: 0 }];
            CommandList { commands }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// C2.
    #[test]
    fn a_printed_list_is_read_as_an_equal_list(list in any_list()) {
        let text = list.to_string();
        let read = parse(&text, &context());
        prop_assert_eq!(read.as_ref(), Ok(&list), "{}", text);
        prop_assert!(!text.contains('\n'));
    }

    #[test]
    fn a_quoted_word_is_read_as_itself(word in prop::collection::vec(any::<u8>(), 0..12)) {
        let list = parse(format!("display-message -- {}", quote(&word)), &context()).unwrap();
        prop_assert_eq!(&*list.commands[0].args.to_argv(), &[BString::from(word)][..]);
    }

    #[test]
    fn an_escaped_list_is_divided_into_the_same_commands(list in any_list()) {
        let mut outer = parse(format!("bind-key x {}", list.to_escaped_string()), &context()).unwrap();
        let values = outer.commands.remove(0).args.positional()[1..].to_vec();
        prop_assert_eq!(outer.commands.len(), 0);
        prop_assert_eq!(parse_values(values, &context()), Ok(list));
    }

    /// C3.
    #[test]
    fn no_text_upsets_the_parser(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(&[
                "%if", "%elif", "%else", "%endif", "%hidden", "{", "}", ";", "\n", "\\", "\\\n",
                "'", "\"", "$", "${", "~", "#", "#{", "A=b", "bind x", "if -F 1", "display", " ",
                "\\u12", "\\1", "list-keys", "-t", "both",
            ][..]).prop_map(|text| text.as_bytes().to_vec()),
            prop::collection::vec(any::<u8>(), 0..4),
        ], 0..24)
    ) {
        let text = parts.concat();
        if let Ok(list) = parse(&text, &context()) {
            let printed = list.to_string();
            prop_assert_eq!(parse(&printed, &ParseContext::bare()), Ok(list), "{}", printed);
        }
        let _ = parse_lenient(&text, &context());
    }

    #[test]
    fn no_argv_upsets_the_parser(argv in prop::collection::vec("[a-z;\\\\ -]{0,6}", 0..6)) {
        let argv: Vec<BString> = argv.into_iter().map(BString::from).collect();
        let _ = parse_argv(&argv, &context());
    }
}
