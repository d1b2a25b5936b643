//! Deciding: from what somebody wants to the changes that make it so.
//!
//! [`decide`] is a pure function: a [`Command`] has its targets resolved to ids, and everything
//! else that comes from outside (time, fresh identities) is in [`Facts`]. It returns what one record
//! of the log will hold, or why the answer is no, in tmux's words. It changes nothing: that is left
//! to [`mod@crate::apply`], which accepts every list of changes decided on the state it is applied to.
//!
//! Nothing is implied: a pane that was a window's last closes the window, a window that was a
//! session's last closes the session, and each of these is a change of its own.

mod arrange;
mod buffer;
mod command;
mod draft;
mod error;
mod name;
mod order;
mod pane;
mod session;
mod settings;
mod window;

use crate::change::{Change, OptionScope};
use crate::ids::{PaneUuid, SessionId};
use crate::model::{State, Timestamp};

use self::draft::Draft;

pub use self::buffer::{BUFFER_BYTES_MAX, BUFFERS_BYTES_MAX};
pub use self::command::{BufferText, Command};
pub use self::error::CommandError;
pub use self::name::session_name;
pub use self::order::{
    BreakPane, GroupChoice, JoinPane, LayoutChoice, MoveWindow, NewSession, NewWindow, PaneResize,
    RespawnPane, SetOption, SplitWindow, SwapPane, VariableEdit, WindowPlace,
};

/// What a decision needs from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The time it is.
    pub now: Timestamp,
    /// A fresh identity, for the pane that the command may create.
    pub uuid: PaneUuid,
}

/// The changes a command makes, none if things are so already.
pub fn decide(state: &State, command: Command, facts: &Facts) -> Result<Vec<Change>, CommandError> {
    let mut draft = Draft::new(state);
    let d = &mut draft;
    match command {
        Command::NewSession(new) => session::create(d, new, facts),
        Command::RenameSession { session, name } => session::rename(d, session, &name),
        Command::MoveSession { session, cwd } => session::move_to(d, session, cwd),
        Command::KillSession { session } => session::kill(d, session),
        Command::KillOtherSessions { session } => session::kill_others(d, session),
        Command::KillServer => session::kill_all(d),
        Command::ResizeSession { session, size } => session::resize(d, session, size),
        Command::NewWindow(new) => window::create(d, new, facts),
        Command::RenameWindow { window, name } => window::rename(d, window, name),
        Command::RenameWindowAutomatically { window, name } => {
            window::rename_automatically(d, window, name)
        }
        Command::KillWindow { window } => window::kill(d, window),
        Command::KillOtherWindows { window } => window::kill_others(d, window),
        Command::SelectWindow { session, window, toggle } => {
            window::select(d, session, window, toggle)
        }
        Command::AdoptWindow { session } => window::adopt_current(d, session),
        Command::NextWindow { session } => window::select_next(d, session),
        Command::PreviousWindow { session } => window::select_previous(d, session),
        Command::LastWindow { session } => window::select_last(d, session),
        Command::MoveWindow(order) => window::relocate(d, order),
        Command::RenumberWindows { session } => window::renumber(d, session),
        Command::SwapWindow { sessions, source, target, follow } => {
            window::swap(d, sessions, (source, target), follow)
        }
        Command::SplitWindow(split) => pane::split(d, split, facts),
        Command::KillPane { pane } => pane::kill(d, pane),
        Command::KillOtherPanes { pane } => pane::kill_others(d, pane),
        Command::SelectPane { pane, keep_zoom } => pane::select(d, pane, keep_zoom),
        Command::SelectPaneToward { pane, direction, keep_zoom } => {
            pane::select_toward(d, pane, direction, keep_zoom)
        }
        Command::LastPane { window, keep_zoom } => pane::select_last(d, window, keep_zoom),
        Command::ResizePane { pane, resize } => arrange::resize_pane(d, pane, resize),
        Command::ResizeWindow { window, size } => arrange::resize_window(d, window, size),
        Command::SwapPane(swap) => arrange::swap_panes(d, swap),
        Command::RotateWindow { window, down, keep_zoom } => {
            arrange::rotate(d, window, down, keep_zoom)
        }
        Command::BreakPane(order) => arrange::break_pane(d, order),
        Command::JoinPane(order) => arrange::join_pane(d, order),
        Command::SelectLayout { window, layout } => arrange::select_layout(d, window, &layout),
        Command::ProgramEnded { pane, status } => pane::program_ended(d, pane, status, facts),
        Command::RespawnPane(respawn) => pane::respawn(d, respawn),
        Command::RespawnWindow { window, respawn } => pane::respawn_window(d, window, respawn),
        Command::SetTitle { pane, title } => pane::set_title(d, pane, title),
        Command::SwitchInput { pane, off } => pane::switch_input(d, pane, off),
        Command::MarkPane { pane } => pane::mark(d, pane),
        Command::Unmark => {
            pane::unmark(d);
            Ok(())
        }
        Command::SetCwd { pane, cwd } => pane::set_cwd(d, pane, cwd),
        Command::SetOption(order) => settings::set_option(d, &order),
        Command::SetEnvironment { session, name, edit } => {
            settings::set_environment(d, session, name, edit)
        }
        Command::SetBuffer { name, text } => buffer::set(d, name, text, facts),
        Command::RenameBuffer { name, new_name } => buffer::rename(d, name, new_name),
        Command::DeleteBuffer { name } => buffer::delete(d, name),
        Command::BindKey { table, key, binding } => {
            settings::bind(d, table, key, Some(binding));
            Ok(())
        }
        Command::UnbindKeys { table, keys } => {
            for key in keys {
                settings::bind(d, table.clone(), key, None);
            }
            Ok(())
        }
    }?;
    Ok(draft.finish())
}

/// An option of a session, read in passing.
fn session_flag(draft: &mut Draft<'_>, session: SessionId, name: &str) -> bool {
    draft.state().options(OptionScope::Session(session)).flag(name)
}
