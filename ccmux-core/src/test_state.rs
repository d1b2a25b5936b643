//! A state to try targets and formats on, made by the commands a person would give.

use crate::decide::{NewSession, NewWindow, SplitWindow, WindowPlace};
use crate::geometry::{Size, SplitDirection};
use crate::ids::{PaneId, PaneUuid, SessionId};
use crate::layout::{NewPaneSize, Split};
use crate::model::{Program, State, Timestamp};
use crate::{Command, Facts, apply_all, decide};

/// Runs one command.
pub(crate) fn run(state: &mut State, command: Command) {
    let facts = Facts {
        now: Timestamp(1_700_000_000_000),
        uuid: PaneUuid(uuid::Uuid::from_u128(u128::from(state.next.pane) + 1)),
    };
    let changes = decide(state, command, &facts).unwrap();
    apply_all(state, &changes).unwrap();
}

fn program() -> Program {
    Program { argv: vec!["sh".into()], cwd: "/start".into(), ..Program::default() }
}

fn session(name: &str, window: &str) -> Command {
    Command::NewSession(NewSession {
        name: Some(name.to_owned()),
        window_name: Some(window.to_owned()),
        cwd: "/home".into(),
        program: program(),
        size: Some(Size { cols: 80, rows: 24 }),
        ..NewSession::default()
    })
}

fn window(place: WindowPlace, name: &str) -> Command {
    Command::NewWindow(NewWindow {
        session: SessionId(0),
        place,
        kill_existing: false,
        name: Some(name.to_owned()),
        reuse_named: false,
        select: false,
        program: program(),
    })
}

fn split(pane: u32, direction: SplitDirection) -> Command {
    Command::SplitWindow(SplitWindow {
        target: PaneId(pane),
        split: Split { direction, size: NewPaneSize::Half, before: false, full: false },
        select: false,
        zoom: false,
        program: program(),
    })
}

/// Three sessions, with the ids that tmux gave when it was asked the same questions:
///
/// ```text
/// alpha     0 one      %0
///           1 two      %3
///           2 twofold  %4
///           7 seven    %5 | %6
///                      ---|
///                      %7 |
/// alphabet  0 uno      %1
/// beta      0 x        %2
/// ```
pub(crate) fn three_sessions() -> State {
    let mut state = State::default();
    for command in [
        session("alpha", "one"),
        session("alphabet", "uno"),
        session("beta", "x"),
        window(WindowPlace::Next, "two"),
        window(WindowPlace::Next, "twofold"),
        window(WindowPlace::At(7), "seven"),
        split(5, SplitDirection::Horizontal),
        split(5, SplitDirection::Vertical),
    ] {
        run(&mut state, command);
    }
    state.check().unwrap();
    state
}
