//! Sessions that share their windows.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use ccmux_core::decide::{
    BreakPane, GroupChoice, JoinPane, MoveWindow, NewSession, NewWindow, SplitWindow, WindowPlace,
};
use ccmux_core::format::{NoVariables, Subject, expand};
use ccmux_core::geometry::{Size, SplitDirection};
use ccmux_core::ids::{PaneId, PaneUuid, SessionId, WindowId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Program, Timestamp};
use ccmux_core::target::{Target, TargetContext, Targets};
use ccmux_core::{
    ApplyError, Change, Command, CommandError, Facts, State, apply, apply_all, decide,
};

const A: SessionId = SessionId(0);
const B: SessionId = SessionId(1);

fn try_run(state: &mut State, command: Command) -> Result<Vec<Change>, CommandError> {
    let number = u64::from(state.next.pane) + 1;
    let uuid = PaneUuid(uuid::Uuid::from_u128(number.into()));
    let changes = decide(state, command, &Facts { now: Timestamp(number), uuid })?;
    apply_all(state, &changes).unwrap();
    state.check().unwrap();
    Ok(changes)
}

#[track_caller]
fn run(state: &mut State, command: Command) -> Vec<Change> {
    try_run(state, command).unwrap()
}

fn new_session(name: Option<&str>, group: Option<GroupChoice>) -> Command {
    let name = name.map(str::to_owned);
    Command::NewSession(NewSession { name, group, ..NewSession::default() })
}

fn new_window(session: SessionId, name: &str) -> Command {
    Command::NewWindow(NewWindow {
        session,
        place: WindowPlace::Next,
        kill_existing: false,
        name: Some(name.to_owned()),
        reuse_named: false,
        select: true,
        program: Program::default(),
    })
}

fn select(session: SessionId, window: u32) -> Command {
    Command::SelectWindow { session, window: WindowId(window), toggle: false }
}

/// Sessions `a` and `b` of one group with the windows @0 to @2, and `c` alone with @3. Session `a`
/// shows @2, and `b` @0.
fn state() -> State {
    let mut state = State::default();
    run(&mut state, new_session(Some("a"), None));
    run(&mut state, new_session(Some("b"), Some(GroupChoice::With(A))));
    run(&mut state, new_window(A, "one"));
    run(&mut state, new_window(A, "two"));
    run(&mut state, new_session(Some("c"), None));
    state
}

/// Each session with its windows, the current one marked.
fn shown(state: &State) -> String {
    let sessions = state.sessions.values().map(|session| {
        let windows = session.windows.iter().map(|(index, id)| {
            let mark = if session.current == *id { "*" } else { "" };
            format!("{index}:{id}{mark}")
        });
        format!("{}[{}]", session.name, windows.collect::<Vec<_>>().join(" "))
    });
    sessions.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_group_shares_its_windows_and_nothing_else() {
    let mut state = state();
    assert_eq!(shown(&state), "a[0:@0 1:@1 2:@2*] b[0:@0* 1:@1 2:@2] c[0:@3*]");
    run(&mut state, select(B, 1));
    assert_eq!(shown(&state), "a[0:@0 1:@1 2:@2*] b[0:@0 1:@1* 2:@2] c[0:@3*]");
    assert_eq!(state.sessions[&B].last, [WindowId(0)]);
    assert_eq!(state.sessions[&A].last, [WindowId(1), WindowId(0)]);
    assert_eq!(try_run(&mut state, select(B, 3)), Err(CommandError::NoWindow(WindowId(3))));

    // What goes is current no longer, and each goes back to its own last window.
    run(&mut state, Command::KillWindow { window: WindowId(1) });
    assert_eq!(shown(&state), "a[0:@0 2:@2*] b[0:@0* 2:@2] c[0:@3*]");
    run(&mut state, Command::RenumberWindows { session: B });
    assert_eq!(shown(&state), "a[0:@0 1:@2*] b[0:@0* 1:@2] c[0:@3*]");
}

#[test]
fn windows_move_in_all_sessions_of_a_group() {
    let mut state = state();
    let relocate = |window, from, session, index| {
        Command::MoveWindow(MoveWindow {
            window: WindowId(window),
            from,
            session,
            place: WindowPlace::At(index),
            kill_existing: false,
            select: false,
            renumber: false,
        })
    };
    run(&mut state, relocate(0, B, B, 7));
    assert_eq!(shown(&state), "a[1:@1 2:@2* 7:@0] b[1:@1 2:@2 7:@0*] c[0:@3*]");
    run(&mut state, relocate(2, A, SessionId(2), 5));
    assert_eq!(shown(&state), "a[1:@1* 7:@0] b[1:@1 7:@0*] c[0:@3* 5:@2]");
    run(&mut state, relocate(3, SessionId(2), B, 0));
    assert_eq!(shown(&state), "a[0:@3 1:@1* 7:@0] b[0:@3 1:@1 7:@0*] c[5:@2*]");
    let swap = |sessions, source, target, follow| Command::SwapWindow {
        sessions,
        source: WindowId(source),
        target: WindowId(target),
        follow,
    };
    run(&mut state, swap((A, A), 3, 0, false));
    assert_eq!(shown(&state), "a[0:@0 1:@1* 7:@3] b[0:@0 1:@1 7:@3*] c[5:@2*]");
    run(&mut state, swap((B, SessionId(2)), 0, 2, true));
    assert_eq!(shown(&state), "a[0:@2 1:@1* 7:@3] b[0:@2* 1:@1 7:@3] c[5:@0*]");
    let refused = try_run(&mut state, relocate(2, A, B, 9)).unwrap_err();
    assert_eq!(refused.to_string(), "sessions are grouped");
    let refused = try_run(&mut state, swap((A, B), 2, 1, false)).unwrap_err();
    assert_eq!(refused.to_string(), "can't move window, sessions are grouped");
    // The last window of a session that moves into a group takes the session along.
    run(&mut state, relocate(0, SessionId(2), A, 4));
    assert_eq!(shown(&state), "a[0:@2 1:@1* 4:@0 7:@3] b[0:@2* 1:@1 4:@0 7:@3]");
}

#[test]
fn panes_become_windows_of_the_whole_group() {
    let mut state = state();
    let split = Split {
        direction: SplitDirection::Vertical,
        size: NewPaneSize::Half,
        before: false,
        full: false,
    };
    let target = PaneId(0);
    let program = Program::default();
    run(
        &mut state,
        Command::SplitWindow(SplitWindow { target, split, select: true, zoom: false, program }),
    );
    run(
        &mut state,
        Command::BreakPane(BreakPane {
            pane: PaneId(4),
            from: A,
            session: B,
            place: WindowPlace::Next,
            name: None,
            select: true,
        }),
    );
    assert_eq!(shown(&state), "a[0:@0 1:@1 2:@2* 3:@4] b[0:@0 1:@1 2:@2 3:@4*] c[0:@3*]");
    let (source, target) = (PaneId(4), PaneId(1));
    run(
        &mut state,
        Command::JoinPane(JoinPane { source, target, session: B, split, select: true }),
    );
    assert_eq!(shown(&state), "a[0:@0 1:@1 2:@2*] b[0:@0 1:@1* 2:@2] c[0:@3*]");
}

#[test]
fn windows_live_while_a_session_of_the_group_does() {
    let mut state = state();
    let closed = run(&mut state, Command::KillSession { session: A });
    assert_eq!(closed, [Change::SessionClosed { id: A }]);
    assert_eq!(shown(&state), "b[0:@0* 1:@1 2:@2] c[0:@3*]");
    assert_eq!(state.sessions_of(WindowId(1)), [B]);
    assert_eq!(state.sessions[&B].group.as_deref(), Some("a"));
    run(&mut state, Command::KillSession { session: B });
    assert_eq!(shown(&state), "c[0:@3*]");

    // The last window takes all sessions of the group along.
    run(&mut state, new_session(None, Some(GroupChoice::With(SessionId(2)))));
    assert_eq!(shown(&state), "c[0:@3*] c-3[0:@3*]");
    run(&mut state, Command::KillWindow { window: WindowId(3) });
    assert_eq!(shown(&state), "");

    let mut state = self::state();
    run(&mut state, Command::KillOtherSessions { session: B });
    assert_eq!(shown(&state), "b[0:@0* 1:@1 2:@2]");
    run(&mut state, Command::KillServer);
    assert_eq!(shown(&state), "");
}

#[test]
fn groups_are_named_after_their_first_session_or_by_hand() {
    let mut state = state();
    let group = |state: &State, id| state.sessions[&SessionId(id)].group.clone();
    assert_eq!((group(&state, 0), group(&state, 2)), (Some("a".to_owned()), None));
    let named = |name: &str| Some(GroupChoice::Named(name.to_owned()));
    run(&mut state, new_session(None, named("g:x")));
    run(&mut state, new_session(None, named("g:x")));
    run(&mut state, new_session(None, Some(GroupChoice::With(SessionId(3)))));
    run(&mut state, new_session(None, named("a")));
    let tail = "c[0:@3*] g_x-3[0:@4*] g_x-4[0:@4*] g_x-5[0:@4*] a-6[0:@0* 1:@1 2:@2]";
    assert!(shown(&state).ends_with(tail), "{}", shown(&state));
    let refused = try_run(&mut state, new_session(None, named("")));
    assert_eq!(refused.unwrap_err().to_string(), "invalid session: ");
    let refused = try_run(&mut state, new_session(Some("c"), named("x")));
    assert_eq!(refused.unwrap_err().to_string(), "duplicate session: c");

    // A session cannot found the group of others.
    run(&mut state, Command::RenameSession { session: A, name: "z".to_owned() });
    run(&mut state, Command::RenameSession { session: SessionId(2), name: "a".to_owned() });
    let refused = try_run(&mut state, new_session(None, Some(GroupChoice::With(SessionId(2)))));
    assert_eq!(refused.unwrap_err().to_string(), "duplicate session group: a");
}

#[test]
fn a_session_with_windows_joins_no_others() {
    let mut state = state();
    for (id, group) in [(0, "b"), (2, "a")] {
        let change = Change::SessionGrouped { id: SessionId(id), group: group.to_owned() };
        let before = state.clone();
        let refused = Err(ApplyError::SessionGrouped(SessionId(id)));
        assert_eq!(apply(&mut state, &change), refused);
        assert_eq!(state, before);
    }
    let foreign = Change::WindowAdopted { id: WindowId(3), session: A };
    assert_eq!(apply(&mut state, &foreign), Err(ApplyError::NoWindow(WindowId(3))));
}

/// Goal: two terminals of different sizes on two windows do not disturb each other, and a window
/// that both show follows the one that was used last.
#[test]
fn a_window_has_the_size_of_the_session_it_was_last_shown_in() {
    let mut state = state();
    let cols = |state: &State, window| state.windows[&WindowId(window)].layout.size().cols;
    run(&mut state, select(B, 0));
    run(&mut state, Command::AdoptWindow { session: B });
    run(&mut state, Command::ResizeSession { session: B, size: Size { cols: 100, rows: 30 } });
    run(&mut state, Command::ResizeSession { session: A, size: Size { cols: 60, rows: 20 } });
    assert_eq!((cols(&state, 0), cols(&state, 2)), (100, 60));
    run(&mut state, select(B, 2));
    assert_eq!(cols(&state, 2), 100);
    run(&mut state, Command::AdoptWindow { session: A });
    assert_eq!(cols(&state, 2), 60);
    assert_eq!(run(&mut state, Command::AdoptWindow { session: A }), []);
    run(&mut state, Command::KillSession { session: A });
    assert_eq!(cols(&state, 2), 100);
}

#[test]
fn formats_and_targets_keep_to_the_session_that_is_meant() {
    let state = state();
    let format = "#S:#I#F #{session_group}|#{session_grouped}|#{session_group_size}|\
        #{session_group_list}|#{window_active_sessions_list}|#{window_linked_sessions}";
    let of = |target: Target| expand(&state, &NoVariables, &Subject::from(target), format);
    let context =
        TargetContext { last_used: &|id| Timestamp(id.0.into()), ..TargetContext::outside() };
    let targets = Targets::new(&state, context);
    for (target, expected) in [
        ("a:0", "a:0 a|1|2|a,b|b|2"),
        ("b:0", "b:0* a|1|2|a,b|b|2"),
        ("a:@0.%0", "a:0 a|1|2|a,b|b|2"),
        ("a:^.0", "a:0 a|1|2|a,b|b|2"),
        // Without a session the one that was used last is meant.
        ("@2", "b:2 a|1|2|a,b|a|2"),
        ("%2", "b:2 a|1|2|a,b|a|2"),
        ("c:", "c:0* |0|||c|1"),
    ] {
        assert_eq!(of(targets.pane(Some(target)).unwrap()), expected, "{target}");
    }
    let current = Target::of_session(&state, A);
    let targets = Targets::new(&state, TargetContext { current, ..context });
    assert_eq!(targets.window(None).unwrap().session, A);
    assert_eq!(targets.window(Some(":0")).unwrap().session, A);
    assert_eq!(targets.pane(Some("0")).unwrap().session, A);
}
