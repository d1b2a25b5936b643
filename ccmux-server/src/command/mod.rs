//! What each command does: one file per command, its spec in `ccmux_core::command`.
//!
//! A command file resolves targets, builds an intent, and lets [`Cx::change`] decide, log and
//! apply it; or it reads the state and prints. Nothing here changes the state in any other way.

mod context;
mod error;
mod job;
mod run;
mod shell;
mod stdin;

mod attach_session;
mod bind_key;
mod break_pane;
mod capture_pane;
mod clear_history;
mod command_prompt;
mod confirm_before;
mod copy_mode;
mod delete_buffer;
mod detach_client;
mod display_message;
mod has_session;
mod if_shell;
mod join_pane;
mod kill_pane;
mod kill_server;
mod kill_session;
mod kill_window;
mod last_pane;
mod list_buffers;
mod list_clients;
mod list_closed;
mod list_commands;
mod list_keys;
mod list_panes;
mod list_sessions;
mod list_windows;
mod load_buffer;
mod move_window;
mod new_session;
mod new_window;
mod next_window;
mod paste_buffer;
mod refresh_client;
mod rename_session;
mod rename_window;
mod resize_pane;
mod resize_window;
mod respawn_pane;
mod restart_server;
mod rotate_window;
mod run_shell;
mod save_buffer;
mod select_layout;
mod select_pane;
mod select_window;
mod send_keys;
mod set_buffer;
mod set_environment;
mod set_option;
mod show_closed;
mod show_environment;
mod show_options;
mod source_file;
mod split_window;
mod start_server;
mod status;
mod suspend_client;
mod swap_pane;
mod swap_window;
mod switch_client;

pub(crate) use capture_pane::Bound;
pub(crate) use ccmux_core::target::Target;
pub(crate) use command_prompt::{prompt_answered, prompt_changed};
pub(crate) use context::Cx;
pub(crate) use error::CommandError;
pub(crate) use job::{Job, JobId, Jobs, Origin, Wait};
pub(crate) use shell::Shells;

/// What comes after a command that worked.
#[derive(Debug)]
pub(crate) enum Flow {
    /// The next one.
    Next,
    /// The next one, but not before this.
    Wait(Wait),
}

/// What a command comes to.
pub(crate) type Outcome = Result<Flow, CommandError>;

/// Runs one command.
type Exec = fn(&mut Cx<'_>) -> Outcome;

/// Every command there is, by its full name.
const TABLE: &[(&str, Exec)] = &[
    ("attach-session", attach_session::exec),
    ("bind-key", bind_key::exec),
    ("break-pane", break_pane::exec),
    ("capture-pane", capture_pane::exec),
    ("clear-history", clear_history::exec),
    ("command-prompt", command_prompt::exec),
    ("confirm-before", confirm_before::exec),
    ("copy-mode", copy_mode::exec),
    ("delete-buffer", delete_buffer::exec),
    ("detach-client", detach_client::exec),
    ("display-message", display_message::exec),
    ("has-session", has_session::exec),
    ("if-shell", if_shell::exec),
    ("join-pane", join_pane::exec),
    ("kill-pane", kill_pane::exec),
    ("kill-server", kill_server::exec),
    ("kill-session", kill_session::exec),
    ("kill-window", kill_window::exec),
    ("last-pane", last_pane::exec),
    ("last-window", next_window::exec_last),
    ("list-buffers", list_buffers::exec),
    ("list-clients", list_clients::exec),
    ("list-closed", list_closed::exec),
    ("list-commands", list_commands::exec),
    ("list-keys", list_keys::exec),
    ("list-panes", list_panes::exec),
    ("list-sessions", list_sessions::exec),
    ("list-windows", list_windows::exec),
    ("load-buffer", load_buffer::exec),
    ("move-window", move_window::exec),
    ("new-session", new_session::exec),
    ("new-window", new_window::exec),
    ("next-layout", select_layout::exec_next),
    ("next-window", next_window::exec_next),
    ("paste-buffer", paste_buffer::exec),
    ("previous-layout", select_layout::exec_previous),
    ("previous-window", next_window::exec_previous),
    ("refresh-client", refresh_client::exec),
    ("rename-session", rename_session::exec),
    ("rename-window", rename_window::exec),
    ("resize-pane", resize_pane::exec),
    ("resize-window", resize_window::exec),
    ("respawn-pane", respawn_pane::exec),
    ("restart-server", restart_server::exec),
    ("rotate-window", rotate_window::exec),
    ("run-shell", run_shell::exec),
    ("save-buffer", save_buffer::exec),
    ("select-layout", select_layout::exec),
    ("select-pane", select_pane::exec),
    ("select-window", select_window::exec),
    ("send-keys", send_keys::exec),
    ("send-prefix", send_keys::exec_prefix),
    ("set-buffer", set_buffer::exec),
    ("set-environment", set_environment::exec),
    ("set-option", set_option::exec),
    ("set-window-option", set_option::exec_window),
    ("show-buffer", save_buffer::exec_show),
    ("show-closed", show_closed::exec),
    ("show-environment", show_environment::exec),
    ("show-options", show_options::exec),
    ("show-window-options", show_options::exec_window),
    ("source-file", source_file::exec),
    ("split-window", split_window::exec),
    ("start-server", start_server::exec),
    ("status", status::exec),
    ("suspend-client", suspend_client::exec),
    ("swap-pane", swap_pane::exec),
    ("swap-window", swap_window::exec),
    ("switch-client", switch_client::exec),
    ("unbind-key", bind_key::exec_unbind),
];

fn exec_of(name: &str) -> Option<Exec> {
    TABLE.iter().find(|(known, _)| *known == name).map(|(_, exec)| *exec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_the_language_can_be_run() {
        for spec in ccmux_core::command::COMMANDS {
            assert!(exec_of(spec.name).is_some(), "{} has a spec and does nothing", spec.name);
        }
        assert_eq!(TABLE.len(), ccmux_core::command::COMMANDS.len());
    }
}
