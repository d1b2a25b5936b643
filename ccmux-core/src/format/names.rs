//! The names of all variables, for whoever wants to see them all.

use crate::model::State;

use super::variable::Lookup;
use super::{Subject, Variables};

/// Every name that the model or the server may have a value for; options and environment variables
/// are not among them.
pub const VARIABLES: &[&str] = &[
    "active_window_index",
    "alternate_on",
    "bracket_paste_flag",
    "buffer_created",
    "buffer_name",
    "buffer_sample",
    "buffer_size",
    "client_activity",
    "client_control_mode",
    "client_created",
    "client_flags",
    "client_height",
    "client_key_table",
    "client_last_session",
    "client_name",
    "client_pid",
    "client_prefix",
    "client_readonly",
    "client_session",
    "client_termname",
    "client_termtype",
    "client_tty",
    "client_uid",
    "client_width",
    "cursor_flag",
    "cursor_x",
    "cursor_y",
    "history_bytes",
    "history_limit",
    "history_size",
    "host",
    "host_short",
    "insert_flag",
    "keypad_cursor_flag",
    "keypad_flag",
    "last_window_index",
    "mouse_all_flag",
    "mouse_any_flag",
    "mouse_button_flag",
    "mouse_sgr_flag",
    "mouse_standard_flag",
    "next_session_id",
    "origin_flag",
    "pane_active",
    "pane_at_bottom",
    "pane_at_left",
    "pane_at_right",
    "pane_at_top",
    "pane_bottom",
    "pane_current_command",
    "pane_current_path",
    "pane_dead",
    "pane_dead_signal",
    "pane_dead_status",
    "pane_dead_time",
    "pane_format",
    "pane_height",
    "pane_id",
    "pane_in_mode",
    "pane_index",
    "pane_input_off",
    "pane_last",
    "pane_left",
    "pane_marked",
    "pane_marked_set",
    "pane_mode",
    "pane_path",
    "pane_pid",
    "pane_pipe",
    "pane_right",
    "pane_search_string",
    "pane_start_command",
    "pane_start_path",
    "pane_synchronized",
    "pane_title",
    "pane_top",
    "pane_tty",
    "pane_width",
    "pid",
    "scroll_position",
    "search_present",
    "server_sessions",
    "session_activity",
    "session_alerts",
    "session_attached",
    "session_attached_list",
    "session_created",
    "session_format",
    "session_group",
    "session_group_attached",
    "session_group_attached_list",
    "session_group_list",
    "session_group_many_attached",
    "session_group_size",
    "session_grouped",
    "session_id",
    "session_last_attached",
    "session_many_attached",
    "session_marked",
    "session_name",
    "session_path",
    "session_stack",
    "session_windows",
    "socket_path",
    "start_time",
    "uid",
    "user",
    "version",
    "window_active",
    "window_active_clients",
    "window_active_sessions",
    "window_active_sessions_list",
    "window_activity_flag",
    "window_bell_flag",
    "window_bigger",
    "window_end_flag",
    "window_flags",
    "window_format",
    "window_height",
    "window_id",
    "window_index",
    "window_last_flag",
    "window_layout",
    "window_linked",
    "window_linked_sessions",
    "window_linked_sessions_list",
    "window_marked_flag",
    "window_name",
    "window_offset_x",
    "window_offset_y",
    "window_panes",
    "window_raw_flags",
    "window_silence_flag",
    "window_stack_index",
    "window_start_flag",
    "window_visible_layout",
    "window_width",
    "window_zoomed_flag",
    "wrap_flag",
];

/// The variables that have a value for a subject, in the order of their names.
pub fn list(
    state: &State,
    variables: &dyn Variables,
    subject: &Subject,
) -> Vec<(&'static str, String)> {
    let lookup = Lookup { state, variables, subject };
    VARIABLES.iter().filter_map(|name| Some((*name, lookup.get(name)?))).collect()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    /// A new variable was easily forgotten here.
    #[test]
    fn no_variable_of_the_model_is_missing() {
        assert!(VARIABLES.is_sorted());
        let arm = Regex::new(r#""([a-z]+(?:_[a-z]+)+)"\s*(?:=>|\|)"#).unwrap();
        for found in arm.captures_iter(include_str!("variable.rs")) {
            assert!(VARIABLES.contains(&&found[1]), "{} is not listed", &found[1]);
        }
    }
}
