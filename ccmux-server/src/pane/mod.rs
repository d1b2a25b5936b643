//! A pane while the server runs: its keeper, its terminal, and what is on its way between them.
//!
//! The model knows a pane as long as it exists; a [`Pane`] here is the part that a process knows:
//! descriptors, the emulator's screen, input not yet taken. It can be made again at any time from
//! the model, the disk and the keeper (`persistence::restoration`).
//!
//! ```text
//! Waiting --record durable--> Starting --READY--> Live --program ended--> Ended
//!                 adopted after a start: Adopting --READY--^  |  ^
//!                               keeper killed: Replacing <----+--+
//! ```

pub(crate) mod encode;
pub(crate) mod environment;
pub(crate) mod fault;
pub(crate) mod feed;
pub(crate) mod history;
mod input;
pub(crate) mod mode;
mod size;
pub(crate) mod store;
pub(crate) mod text;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use bstr::BString;
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::Program;
use ccmux_keeper::{Link, ServerRing};
use ccmux_term::copy_mode::LastSearch;
use ccmux_term::{Size, Terminal};

use crate::persistence::Seq;
use encode::{KeyModes, MouseTracking};
use input::Input;
use mode::PaneMode;

/// So often a keeper is tried before a pane says that it cannot be reached: a third of a second.
const TRIES_UNSAID: u32 = 5;

/// One pane of the running server.
#[derive(Debug)]
pub(crate) struct Pane {
    pub(crate) id: PaneId,
    pub(crate) uuid: PaneUuid,
    pub(crate) stage: Stage,
    pub(crate) terminal: Terminal,
    pub(crate) output: Output,
    pub(crate) input: Input,
    /// Copy mode or a view of a command's output, instead of the screen.
    pub(crate) mode: Option<PaneMode>,
    /// What was last searched for in copy mode.
    pub(crate) last_search: Option<LastSearch>,
    /// Title and directory on their way to the log.
    pub(crate) soft: Soft,
    /// The record that gives it a new program, while the old one is still there.
    pub(crate) respawn: Option<Seq>,
    /// Why no keeper could be started, as far as that has been said.
    pub(crate) start_error: Option<String>,
    /// When its program was last looked at in the process table.
    pub(crate) looked_at: Option<Duration>,
    /// Whether that was not the first time.
    pub(crate) is_looked_at_again: bool,
    /// The directory that its program was in at the last look.
    pub(crate) seen_directory: Option<BString>,
    /// Where its history was cleared last on request.
    pub(crate) cleared_at: Option<u64>,
    /// A picture the program did not finish in time is shown as it is.
    pub(crate) is_shown_unfinished: bool,
    /// One-shot events found in a replay, with the stream offset after them: acted upon once the
    /// ring tells which were acted upon before.
    pub(crate) replayed: Vec<(u64, Vec<ccmux_term::Event>)>,
    /// How often its keeper could not be spoken with since it was last heard.
    pub(crate) tries: u32,
    /// Its program has ended and the pane stays: the record, until the keeper is let go.
    pub(crate) end_record: Option<Seq>,
    /// Whether it says that its program has ended.
    pub(crate) has_said_end: bool,
    /// Its program was found ended after a shutdown: the pane is restored once all it printed has
    /// been taken.
    pub(crate) is_shut_down: bool,
}

/// Soft facts of a pane that are logged in a moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Soft {
    /// A new directory.
    pub(crate) cwd: Option<BString>,
    /// When it is to be logged.
    pub(crate) due: Option<Duration>,
    /// When something was last logged.
    pub(crate) logged_at: Option<Duration>,
}

/// How far the conversation with a keeper had come when it was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Contact {
    /// The keeper is one of an earlier server, and was never heard from.
    Found,
    /// It was to start the program, and had not said that it runs.
    Asked,
    /// It had said that the program runs.
    Ready,
}

/// How far a pane's program is.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Its record is not durable yet; nothing has been started.
    Waiting {
        /// The record.
        seq: Seq,
        /// What to run instead of the recorded program, after a restoration.
        program: Option<Program>,
    },
    /// Its old keeper was told to leave; a new program follows (`respawn-pane`, a restoration).
    Respawning {
        /// The conversation with the old keeper.
        link: Link,
        /// What to run instead of the recorded program.
        program: Option<Program>,
    },
    /// Its old keeper has hung up and is about to be gone, or a keeper could not be started.
    Parting {
        /// What to run instead of the recorded program.
        program: Option<Program>,
        /// Why no keeper could be started.
        why: Option<String>,
        /// When to look again.
        at: Duration,
    },
    /// Its program ended and all of it is on record: the keeper was told to leave.
    Releasing {
        /// The conversation with the keeper.
        link: Link,
    },
    /// A keeper was started for it.
    Starting {
        /// The conversation with the keeper.
        link: Link,
    },
    /// A keeper that lives was found and greeted.
    Adopting {
        /// The conversation with the keeper.
        link: Link,
        /// What this server held before the conversation was lost: without it, the program would
        /// end with this keeper.
        held: Option<Held>,
    },
    /// The program runs.
    Live(Live),
    /// Its keeper was killed; a new one takes over the pty and the ring.
    Replacing {
        /// The conversation with the new keeper.
        link: Link,
        /// What the dead keeper had held.
        held: Held,
    },
    /// The connection to its keeper was lost while the keeper seems to live.
    Lost {
        /// What the server held of it.
        held: Option<Held>,
        /// How far the conversation had come.
        contact: Contact,
        /// When to look again.
        at: Duration,
    },
    /// Its keeper lives but cannot be spoken with.
    Unreachable {
        /// Why, for `ccmux status`.
        why: String,
        /// What the server held of it.
        held: Option<Held>,
        /// When to look again.
        at: Duration,
    },
    /// No program: it ended, or it could not be started.
    Ended,
}

impl Stage {
    /// The conversation with a keeper, if there is one; everything else is let go.
    pub(crate) fn into_link(self) -> Option<Link> {
        self.into_parts().0
    }

    /// The conversation with a keeper and what is held of the pane, as far as there is any.
    pub(crate) fn into_parts(self) -> (Option<Link>, Option<Held>) {
        match self {
            Stage::Starting { link }
            | Stage::Respawning { link, .. }
            | Stage::Releasing { link } => (Some(link), None),
            Stage::Adopting { link, held } => (Some(link), held),
            Stage::Replacing { link, held } => (Some(link), Some(held)),
            Stage::Live(live) => (Some(live.link), Some(live.held)),
            Stage::Lost { held, .. } | Stage::Unreachable { held, .. } => (None, held),
            Stage::Waiting { .. } | Stage::Parting { .. } | Stage::Ended => (None, None),
        }
    }
}

/// A running program and everything that connects the server with it.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) link: Link,
    pub(crate) held: Held,
    pub(crate) keeper_pid: u32,
}

/// What the server holds of a pane beside its keeper, and would hand to a new one.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) master: OwnedFd,
    pub(crate) ring: ServerRing,
    pub(crate) child_pid: u32,
}

/// How far the pane's output has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Output {
    /// Stream offset of the next byte to be spooled and emulated.
    pub(crate) consumed: u64,
    /// Stream offset of the newest keyframe handed to the archiver.
    pub(crate) keyframed: u64,
    /// Length of that keyframe, before it is compressed.
    pub(crate) keyframe_bytes: u64,
    /// Stream offset up to which places where output may be missing are marked.
    pub(crate) doubted: u64,
    /// Stream offset where output may be missing, which is still to be marked.
    pub(crate) doubt: Option<u64>,
    /// First history line that has not been handed to the archiver.
    pub(crate) archived: u64,
    /// When the program last printed, for keyframes during pauses.
    pub(crate) last_at: Duration,
    /// Whether it printed so much in this turn that more is to be expected at once.
    pub(crate) is_flooding: bool,
    /// Whether a keyframe is on its way to the disk.
    pub(crate) is_archiving: bool,
    /// Whether something other than output (a resize, a clear) wants a new keyframe.
    pub(crate) is_touched: bool,
}

/// Whether a paste was begun with a mark, and so must be ended with one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bracketed(bool);

impl Pane {
    /// A pane without a program, `terminal` being what it shows.
    pub(crate) fn new(id: PaneId, uuid: PaneUuid, terminal: Terminal, stage: Stage) -> Self {
        let (output, input) = (Output::default(), Input::default());
        Self {
            id,
            uuid,
            stage,
            terminal,
            output,
            input,
            mode: None,
            last_search: None,
            soft: Soft::default(),
            respawn: None,
            start_error: None,
            looked_at: None,
            is_looked_at_again: false,
            seen_directory: None,
            cleared_at: None,
            is_shown_unfinished: false,
            replayed: Vec::new(),
            tries: 0,
            end_record: None,
            has_said_end: false,
            is_shut_down: false,
        }
    }

    /// The connection to its keeper, whatever it is being used for.
    pub(crate) fn link(&mut self) -> Option<&mut Link> {
        match &mut self.stage {
            Stage::Starting { link }
            | Stage::Adopting { link, .. }
            | Stage::Respawning { link, .. }
            | Stage::Releasing { link }
            | Stage::Replacing { link, .. } => Some(link),
            Stage::Live(live) => Some(&mut live.link),
            Stage::Waiting { .. }
            | Stage::Parting { .. }
            | Stage::Lost { .. }
            | Stage::Unreachable { .. }
            | Stage::Ended => None,
        }
    }

    /// Pty and ring, while there are any.
    pub(crate) fn held(&mut self) -> Option<&mut Held> {
        match &mut self.stage {
            Stage::Live(live) => Some(&mut live.held),
            Stage::Replacing { held, .. } => Some(held),
            Stage::Lost { held, .. } => held.as_mut(),
            _ => None,
        }
    }

    /// The process id of its program, while it runs: also while its keeper is looked for.
    pub(crate) fn child_pid(&self) -> Option<u32> {
        match &self.stage {
            Stage::Live(live) => Some(live.held.child_pid),
            Stage::Replacing { held, .. } => Some(held.child_pid),
            Stage::Lost { held, .. } | Stage::Adopting { held, .. } => {
                held.as_ref().map(|held| held.child_pid)
            }
            _ => None,
        }
    }

    /// Why its program cannot be reached, once that is no matter of a moment.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match &self.stage {
            Stage::Unreachable { why, .. } if self.tries >= TRIES_UNSAID => Some(why),
            _ => None,
        }
    }

    /// Whether it has a program, or is about to.
    pub(crate) fn is_running(&self) -> bool {
        !matches!(self.stage, Stage::Ended | Stage::Releasing { .. })
    }

    /// The size of its screen.
    pub(crate) fn size(&self) -> Size {
        self.terminal.size()
    }

    /// How its program wants keys to be written.
    pub(crate) fn key_modes(&self) -> KeyModes {
        let modes = self.terminal.modes();
        KeyModes {
            application_cursor: modes.application_cursor_keys,
            application_keypad: modes.application_keypad,
            disambiguate: modes.keyboard.contains(ccmux_term::KeyboardFlags::DISAMBIGUATE)
                || modes.modify_other_keys == 2,
            backspace_is_bs: self.terminal.backspace_sends_bs(),
            is_vt52: self.terminal.is_vt52(),
        }
    }

    /// Which mouse events its program wants, and whether in SGR form.
    pub(crate) fn mouse(&self) -> (MouseTracking, bool) {
        let modes = self.terminal.modes();
        let tracking = match modes.mouse {
            ccmux_term::MouseTracking::Off => MouseTracking::Off,
            ccmux_term::MouseTracking::X10 | ccmux_term::MouseTracking::Normal => {
                MouseTracking::Buttons
            }
            ccmux_term::MouseTracking::ButtonMotion => MouseTracking::Drag,
            ccmux_term::MouseTracking::AnyMotion => MouseTracking::Any,
        };
        (tracking, modes.mouse_encoding == ccmux_term::MouseEncoding::Sgr)
    }

    /// Whether the program would be given so many bytes more.
    pub(crate) fn has_room_for(&self, len: usize) -> bool {
        self.is_running() && self.input.has_room_for(len)
    }

    /// Queues bytes for the program and writes what it takes. Returns whether all fit.
    ///
    /// While a program is being started they wait for it; a pane without one drops them.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> bool {
        if !self.is_running() {
            return true;
        }
        let has_room = self.input.push(bytes);
        self.flush_input();
        has_room
    }

    /// A paste begins: in marks, if the program wants them. `None` if it has no room for it, so
    /// that nothing of it must follow.
    pub(crate) fn begin_paste(&mut self) -> Option<Bracketed> {
        if !self.is_running() || !self.terminal.modes().bracketed_paste {
            return Some(Bracketed(false));
        }
        let has_begun = self.input.begin_paste();
        self.flush_input();
        has_begun.then_some(Bracketed(true))
    }

    /// A paste ends. What was opened is closed, whatever the program wants by now.
    pub(crate) fn end_paste(&mut self, Bracketed(is_bracketed): Bracketed) {
        if is_bracketed {
            self.input.end_paste();
            self.flush_input();
        }
    }

    /// Ends a paste that a killed server had begun; for a pane that was just adopted.
    pub(crate) fn close_cut_paste(&mut self) {
        let mut input = std::mem::take(&mut self.input);
        if let Some(held) = self.held() {
            input.close_cut_paste(held);
        }
        self.input = input;
    }

    /// Writes what the pty takes of the queued input.
    pub(crate) fn flush_input(&mut self) {
        let mut input = std::mem::take(&mut self.input);
        if let Some(held) = self.held() {
            input.flush(held);
        }
        self.input = input;
    }

    /// The pty, if it must begin to be watched for room.
    pub(crate) fn begin_watching(&mut self) -> Option<BorrowedFd<'_>> {
        if self.input.is_empty() || self.input.is_watching {
            return None;
        }
        let is_held = self.held().is_some();
        self.input.is_watching = is_held;
        self.held().map(|held| held.master.as_fd())
    }

    /// The path of the program's terminal.
    pub(crate) fn tty(&self) -> Option<String> {
        let held = match &self.stage {
            Stage::Live(live) => &live.held,
            Stage::Replacing { held, .. } => held,
            Stage::Lost { held, .. } => held.as_ref()?,
            _ => return None,
        };
        let name = rustix::pty::ptsname(&held.master, Vec::new()).ok()?;
        name.into_string().ok()
    }

    /// The pty is no longer watched, or about to be closed.
    pub(crate) fn unwatch_input(&mut self) {
        self.input.is_watching = false;
    }

    /// Whether there is nothing left to write while the pty is watched.
    pub(crate) fn is_watched_in_vain(&self) -> bool {
        self.input.is_empty() && self.input.is_watching
    }
}
