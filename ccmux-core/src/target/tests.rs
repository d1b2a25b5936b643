//! Expectations were taken from tmux 3.3a with the same sessions, windows and panes, called from
//! outside after `beta` was used last.

use proptest::prelude::*;

use super::*;
use crate::decide::Command;
use crate::test_state::{run, three_sessions};

fn context() -> TargetContext<'static> {
    TargetContext {
        last_used: &|id| Timestamp(u64::from(id.0)),
        is_attached: &|id| id == SessionId(2),
        client_session: &|name| (name == "/dev/pts/9").then_some(SessionId(1)),
        ..TargetContext::outside()
    }
}

fn show(state: &State, target: Target) -> String {
    let session = &state.sessions[&target.session];
    let index = state.window_index(target.window).unwrap();
    let position = state.pane_position(target.pane).unwrap();
    format!("{}:{index}.{position}", session.name)
}

fn shown(state: &State, found: Result<Target, TargetError>) -> String {
    found.map_or_else(|error| error.to_string(), |target| show(state, target))
}

/// Goal: a target of which a part is there stands for that part. Expectations from tmux 3.3a
/// (`display-message -p -t`); before, a format could not be asked of a pane that may be gone.
#[test]
fn what_is_there_of_a_target() {
    let state = three_sessions();
    let nearest = |target| {
        let found = Targets::new(&state, context()).nearest_pane(Some(target));
        found.map_or_else(String::new, |found| show(&state, found))
    };
    for (target, expected) in [
        ("alpha:two", "alpha:1.0"),
        ("alpha:9", "alpha:0.0"),
        ("alpha:!", "alpha:0.0"),
        ("alpha:7.9", "alpha:7.0"),
        ("alpha:nope.9", "alpha:0.0"),
        (":3", "beta:0.0"),
        (".1", "beta:0.0"),
        ("nope:0", ""),
        ("nope", ""),
        ("@99", ""),
        ("%99", ""),
        ("$9", ""),
        ("=", ""),
        ("~", ""),
    ] {
        assert_eq!(nearest(target), expected, "{target}");
    }
}

/// Each target as a session, as a window and as a pane. `..` stands for the same as before it.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("alpha", "alpha:0.0", "..", ".."),
    ("al", "can't find session: al", "can't find window: al", "can't find pane: al"),
    ("be", "beta:0.0", "..", ".."),
    ("b*", "beta:0.0", "..", ".."),
    ("*e*", "can't find session: *e*", "can't find window: *e*", "can't find pane: *e*"),
    ("=alp", "can't find session: alp", "can't find window: alp", "can't find pane: =alp"),
    ("=alpha", "alpha:0.0", "..", "can't find pane: =alpha"),
    ("$0", "alpha:0.0", "..", ".."),
    ("$9", "can't find session: $9", "..", ".."),
    ("/dev/pts/9", "alphabet:0.0", "..", ".."),
    ("alpha:o", "alpha:0.0", "..", ".."),
    ("alpha:tw", "can't find window: tw", "..", ".."),
    ("alpha:two", "alpha:1.0", "..", ".."),
    ("alpha:=tw", "can't find window: tw", "..", ".."),
    ("alpha:=two", "alpha:1.0", "..", ".."),
    ("alpha:*n", "alpha:7.0", "..", ".."),
    ("alpha:7", "alpha:7.0", "..", ".."),
    ("alpha:01", "alpha:1.0", "..", ".."),
    ("alpha: 7", "alpha:7.0", "..", ".."),
    ("alpha:9", "can't find window: 9", "..", ".."),
    ("alpha:", "alpha:0.0", "..", ".."),
    ("alpha:+", "alpha:1.0", "..", ".."),
    ("alpha:{next}", "alpha:1.0", "..", ".."),
    ("alpha:-", "alpha:7.0", "..", ".."),
    ("alpha:+2", "alpha:2.0", "..", ".."),
    ("alpha:+9", "alpha:1.0", "..", ".."),
    ("alpha:-1", "alpha:7.0", "..", ".."),
    ("alpha:{end}", "alpha:7.0", "..", ".."),
    ("alpha:$", "alpha:7.0", "..", ".."),
    ("alpha:^", "alpha:0.0", "..", ".."),
    ("alpha:!", "can't find window: !", "..", ".."),
    ("alpha:{last}", "can't find window: !", "..", ".."),
    ("alpha:{foo}", "can't find window: {foo}", "..", ".."),
    ("alpha:@3", "alpha:1.0", "..", ".."),
    ("beta:@3", "can't find window: @3", "..", ".."),
    ("@3", "alpha:1.0", "..", ".."),
    ("@99", "can't find window: @99", "..", ".."),
    ("@", "can't find window: @", "..", ".."),
    ("%4", "alpha:2.0", "..", ".."),
    ("%99", "can't find pane: %99", "..", ".."),
    ("alpha:one.%4", "can't find pane: %4", "..", ".."),
    ("alpha:.%4", "alpha:2.0", "..", ".."),
    ("beta:.%4", "can't find pane: %4", "..", ".."),
    ("alpha:7.2", "alpha:7.2", "..", ".."),
    ("alpha:7.9", "can't find pane: 9", "..", ".."),
    ("alpha:7.-", "alpha:7.2", "..", ".."),
    ("alpha:7.{top}", "alpha:7.0", "..", ".."),
    ("alpha:7.{bottom}", "alpha:7.1", "..", ".."),
    ("alpha:7.{left}", "alpha:7.0", "..", ".."),
    ("alpha:7.{right}", "alpha:7.2", "..", ".."),
    ("alpha:7.{bottom-left}", "alpha:7.1", "..", ".."),
    ("alpha:7.{top-right}", "alpha:7.2", "..", ".."),
    ("alpha:7.bottom", "alpha:7.1", "..", ".."),
    ("alpha:7.!", "can't find pane: !", "..", ".."),
    ("=", "no mouse target", "..", ".."),
    ("~", "no marked target", "..", ".."),
    ("{marked}", "no marked target", "..", ".."),
    ("", "beta:0.0", "..", ".."),
    (":", "beta:0.0", "..", ".."),
    (":.", "beta:0.0", "..", ".."),
    (":1", "can't find window: 1", "..", ".."),
    (".1", "can't find pane: 1", "..", ".."),
    ("0", "can't find session: 0", "beta:0.0", ".."),
    ("1", "can't find session: 1", "can't find window: 1", "can't find pane: 1"),
    ("x", "can't find session: x", "beta:0.0", ".."),
    ("x.0", "beta:0.0", "..", ".."),
    ("one", "can't find session: one", "can't find window: one", "can't find pane: one"),
    ("foo:bar", "can't find session: foo", "..", ".."),
    ("foo.1", "can't find window: foo", "..", ".."),
    ("a:b:c", "can't find session: a", "..", ".."),
    ("alpha:7.1.2", "can't find pane: 1.2", "..", ".."),
    ("$0:7", "alpha:7.0", "..", ".."),
    ("@3.9", "can't find pane: 9", "..", ".."),
    ("@1:2", "can't find session: @1", "..", ".."),
    ("%4.1", "can't find window: %4", "..", ".."),
    ("{last}", "can't find session: {last}", "can't find window: !", "can't find pane: !"),
    ("+", "can't find session: +", "beta:0.0", ".."),
    ("^", "can't find session: ^", "beta:0.0", ".."),
    ("{end}", "can't find session: {end}", "beta:0.0", "can't find pane: {end}"),
    ("ALPHA", "can't find session: ALPHA", "can't find window: ALPHA", "can't find pane: ALPHA"),
    // Where tmux and its manual differ, the manual holds.
    ("alpha:7.+", "alpha:7.1", "..", ".."),
    ("alpha:7.+2", "alpha:7.2", "..", ".."),
    ("alpha:7.{down-of}", "alpha:7.1", "..", ".."),
    ("alpha:7.{right-of}", "alpha:7.2", "..", ".."),
    ("alpha:+x", "can't find window: +x", "..", ".."),
];

#[test]
fn targets_mean_what_they_mean_in_tmux() {
    let state = three_sessions();
    let targets = Targets::new(&state, context());
    for (text, session, window, pane) in CASES {
        let window = if *window == ".." { session } else { window };
        let pane = if *pane == ".." { window } else { pane };
        assert_eq!(shown(&state, targets.session(Some(text))), *session, "{text} as a session");
        assert_eq!(shown(&state, targets.window(Some(text))), *window, "{text} as a window");
        assert_eq!(shown(&state, targets.pane(Some(text))), *pane, "{text} as a pane");
    }
    assert_eq!(targets.pane(None), targets.pane(Some("")));
}

#[test]
fn places_for_windows() {
    let state = three_sessions();
    let targets = Targets::new(&state, context());
    for (text, expected) in [
        ("alpha:", "alpha:next"),
        ("alpha", "alpha:next"),
        ("=alpha:", "alpha:next"),
        ("$0", "alpha:next"),
        ("alpha:+", "alpha:1"),
        ("alpha:+5", "alpha:5"),
        ("alpha:3", "alpha:3"),
        ("alpha:0", "alpha:0"),
        ("alpha:two", "alpha:1"),
        ("alpha:@3", "alpha:1"),
        ("@3", "alpha:1"),
        ("alpha:{end}", "alpha:7"),
        ("alpha:new", "can't find window: new"),
        ("alpha:-1", "can't find window: -1"),
        ("alpha:99999999999", "can't find window: 99999999999"),
        (":5", "beta:5"),
        ("5", "beta:5"),
        ("+2", "beta:2"),
        ("-1", "can't find window: -1"),
        ("beta", "beta:next"),
        ("", "beta:next"),
        (":", "beta:next"),
        ("foo", "can't find window: foo"),
        ("foo:3", "can't find session: foo"),
        ("%4", "can't specify pane here"),
        ("alpha:0.0", "can't specify pane here"),
        ("=", "no mouse target"),
    ] {
        let outcome = match targets.window_index(Some(text)) {
            Ok(WindowIndex { session, index }) => {
                let index = index.map_or_else(|| "next".to_owned(), |index| index.to_string());
                format!("{}:{index}", state.sessions[&session].name)
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(outcome, expected, "{text}");
    }
}

#[test]
fn targets_are_relative_to_the_caller() {
    let mut state = three_sessions();
    run(
        &mut state,
        Command::SelectWindow { session: SessionId(0), window: WindowId(5), toggle: false },
    );
    run(&mut state, Command::SelectPane { pane: PaneId(7), keep_zoom: false });
    let current = Target::of_session(&state, SessionId(0));
    let targets = Targets::new(&state, TargetContext { current, ..context() });
    for (text, expected) in [
        ("", "alpha:7.1"),
        (".+", "alpha:7.2"),
        ("{up-of}", "alpha:7.0"),
        ("{right-of}", "alpha:7.2"),
        ("!", "alpha:7.0"),
        ("2", "alpha:7.2"),
        (":!", "alpha:0.0"),
        ("{previous}", "alpha:7.0"),
        ("two", "alpha:1.0"),
    ] {
        assert_eq!(shown(&state, targets.pane(Some(text))), expected, "{text}");
    }
    // A program in a pane that is not the active one acts on the active one.
    let current = Target::around_pane(&state, PaneId(3));
    let targets = Targets::new(&state, TargetContext { current, ..context() });
    assert_eq!(shown(&state, targets.pane(None)), "alpha:7.1");
    // A caller whose pane is gone counts as outside.
    let current = Some(Target { pane: PaneId(99), ..current.unwrap() });
    let targets = Targets::new(&state, TargetContext { current, ..context() });
    assert_eq!(shown(&state, targets.pane(None)), "beta:0.0");
}

#[test]
fn the_mouse_is_a_target() {
    let state = three_sessions();
    let mouse = Target::of_pane(&state, PaneId(6));
    let targets = Targets::new(&state, TargetContext { mouse, ..context() });
    assert_eq!(shown(&state, targets.pane(Some("="))), "alpha:7.2");
    assert_eq!(shown(&state, targets.window(Some("{mouse}"))), "alpha:7.2");
    let place = targets.window_index(Some("="));
    assert_eq!(place, Ok(WindowIndex { session: SessionId(0), index: Some(7) }));
}

#[test]
fn attaching_prefers_sessions_nobody_is_attached_to() {
    let state = three_sessions();
    let targets = Targets::new(&state, context());
    assert_eq!(shown(&state, targets.session_to_attach(None)), "alphabet:0.0");
    assert_eq!(shown(&state, targets.session_to_attach(Some("beta"))), "beta:0.0");
}

#[test]
fn indexes_count_from_the_base() {
    let mut state = three_sessions();
    state.window_options.insert("pane-base-index".to_owned(), "1".to_owned());
    let targets = Targets::new(&state, context());
    assert_eq!(shown(&state, targets.pane(Some("alpha:7.1"))), "alpha:7.0");
    assert_eq!(shown(&state, targets.pane(Some("alpha:7.0"))), "can't find pane: 0");
}

#[test]
fn without_sessions_there_are_no_targets() {
    let state = State::default();
    let targets = Targets::new(&state, context());
    for text in ["", "x", "%0", "=", "a:b.c"] {
        assert_eq!(targets.pane(Some(text)), Err(TargetError::NoCurrent));
        assert_eq!(targets.window_index(Some(text)), Err(TargetError::NoCurrent));
        assert_eq!(targets.session_to_attach(Some(text)), Err(TargetError::NoCurrent));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Whatever is found is really there, and fits together.
    #[test]
    fn no_target_panics(
        text in "([a-z]{0,3}|[=$@%:.+!^{}*-]|[0-9]{1,12}|alpha|\\{(last|next|up-of|end|left)\\}){0,6}"
    ) {
        let state = three_sessions();
        let current = Target::of_pane(&state, PaneId(7));
        let targets = Targets::new(&state, TargetContext { current, ..context() });
        for found in [
            targets.session(Some(&text)),
            targets.window(Some(&text)),
            targets.pane(Some(&text)),
        ].into_iter().flatten() {
            prop_assert_eq!(Target::of_pane(&state, found.pane), Some(found));
        }
        let _ = targets.window_index(Some(&text));
    }
}
