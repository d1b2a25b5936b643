//! A state and commands for it.

use ccmux_core::change::Change;
use ccmux_core::decide::{NewSession, NewWindow, RespawnPane, SetOption, SplitWindow, WindowPlace};
use ccmux_core::geometry::SplitDirection;
use ccmux_core::ids::{PaneId, PaneUuid, SessionId};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::{Environment, Program, Timestamp};
use ccmux_core::options::{Edit, Place};
use ccmux_core::{Command, CommandError, Facts, State, apply_all, decide};

pub(crate) const HALF: Split = Split {
    direction: SplitDirection::Vertical,
    size: NewPaneSize::Half,
    before: false,
    full: false,
};

/// A state and the commands run on it.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) commands: u64,
}

impl World {
    /// One session `a` with window `@0` and pane `%0`.
    pub(crate) fn new() -> World {
        let mut world = World::default();
        world.run(new_session(Some("a")));
        world
    }

    pub(crate) fn try_run(&mut self, command: Command) -> Result<Vec<Change>, CommandError> {
        self.commands += 1;
        let facts = Facts {
            now: Timestamp(self.commands),
            uuid: PaneUuid(uuid::Uuid::from_u128(self.commands.into())),
        };
        let changes = decide(&self.state, command, &facts)?;
        apply_all(&mut self.state, &changes).expect("what was decided applies");
        self.state.check().expect("the state is sound");
        Ok(changes)
    }

    #[track_caller]
    pub(crate) fn run(&mut self, command: Command) -> Vec<Change> {
        self.try_run(command).expect("the command is accepted")
    }

    #[track_caller]
    pub(crate) fn refuse(&mut self, command: Command) -> String {
        self.try_run(command).expect_err("the command is refused").to_string()
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.run(Command::SetOption(SetOption {
            name: name.to_owned(),
            place: Place { global: true, ..Place::default() },
            edit: Edit::Set(Some(value.to_owned())),
            only_if_unset: false,
            and_panes: false,
        }));
    }

    /// The names of sessions, and the indexes and names of their windows.
    pub(crate) fn names(&self) -> String {
        let mut lines = Vec::new();
        for session in self.state.sessions.values() {
            let windows: Vec<String> = session
                .windows
                .iter()
                .map(|(index, id)| format!("{index}:{}", self.state.windows[id].name))
                .collect();
            lines.push(format!("{}[{}]", session.name, windows.join(" ")));
        }
        lines.join(" ")
    }
}

pub(crate) fn shell(command: &str) -> Program {
    Program { argv: vec![command.into()], ..Program::default() }
}

pub(crate) fn new_session(name: Option<&str>) -> Command {
    Command::NewSession(NewSession { name: name.map(str::to_owned), ..NewSession::default() })
}

pub(crate) fn new_window(session: u32, command: &str) -> NewWindow {
    NewWindow {
        session: SessionId(session),
        place: WindowPlace::Next,
        kill_existing: false,
        name: None,
        reuse_named: false,
        select: true,
        program: shell(command),
    }
}

pub(crate) fn split(target: u32) -> Command {
    Command::SplitWindow(SplitWindow {
        target: PaneId(target),
        split: HALF,
        select: true,
        zoom: false,
        program: Program::default(),
    })
}

pub(crate) fn respawn(pane: u32, kill: bool) -> RespawnPane {
    RespawnPane {
        pane: PaneId(pane),
        argv: Vec::new(),
        cwd: None,
        environment: Environment::new(),
        kill,
    }
}
