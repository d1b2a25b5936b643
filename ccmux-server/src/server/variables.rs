//! Variables of formats that only the running server knows.

use bstr::BString;
use ccmux_core::change::OptionScope;
use ccmux_core::format::{self, PaneSearch, Subject, Variables};
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::model::Buffer;
use ccmux_core::options::{Style, View};
use ccmux_core::target::Target;
use ccmux_term::compose::first_cell;
use ccmux_term::copy_mode::LineSource as _;
use jiff::Timestamp as JiffTimestamp;
use jiff::tz::TimeZone;

use super::Server;
use super::programs::{process_directory, process_name};
use crate::client::Client;
use crate::event_loop::ClientId;
use crate::pane::mode::PaneLines;

/// The version of tmux whose language this is.
const TMUX_VERSION: &str = "3.3a";

/// The server as formats see it, for one client or none.
struct Known<'a> {
    server: &'a Server,
    client: Option<&'a Client>,
    /// The paste buffer that is listed; else the newest is meant.
    buffer: Option<&'a Buffer>,
}

impl Server {
    /// Expands a format.
    pub(crate) fn expand(
        &self,
        text: &str,
        target: Option<Target>,
        client: Option<ClientId>,
    ) -> String {
        let subject = target.map_or_else(Subject::default, Subject::from);
        self.expand_for(text, &subject, client)
    }

    /// Expands a format about a subject.
    pub(crate) fn expand_for(
        &self,
        text: &str,
        subject: &Subject,
        client: Option<ClientId>,
    ) -> String {
        let known = Known {
            server: self,
            client: client.and_then(|id| self.clients.get(&id)),
            buffer: None,
        };
        format::expand(&self.state, &known, subject, text)
    }

    /// Expands a format about a paste buffer.
    pub(crate) fn expand_for_buffer(
        &self,
        text: &str,
        buffer: &Buffer,
        client: Option<ClientId>,
    ) -> String {
        let client = client.and_then(|id| self.clients.get(&id));
        let known = Known { server: self, client, buffer: Some(buffer) };
        format::expand(&self.state, &known, &Subject::default(), text)
    }

    /// Expands a format with strftime(3) conversions in it.
    pub(crate) fn expand_time(
        &self,
        text: &str,
        target: Option<Target>,
        client: Option<ClientId>,
    ) -> String {
        let subject = target.map_or_else(Subject::default, Subject::from);
        self.expand_time_for(text, &subject, client)
    }

    /// The same about a subject.
    pub(crate) fn expand_time_for(
        &self,
        text: &str,
        subject: &Subject,
        client: Option<ClientId>,
    ) -> String {
        let known = Known {
            server: self,
            client: client.and_then(|id| self.clients.get(&id)),
            buffer: None,
        };
        format::expand_time(&self.state, &known, subject, text)
    }

    /// The same, and the lines that tell how it came about.
    pub(crate) fn expand_verbosely(
        &self,
        text: &str,
        subject: &Subject,
        client: Option<ClientId>,
    ) -> (String, Vec<String>) {
        let client = client.and_then(|id| self.clients.get(&id));
        let known = Known { server: self, client, buffer: None };
        format::expand_verbosely(&self.state, &known, subject, text)
    }

    /// All variables that have a value for a subject.
    pub(crate) fn variables(
        &self,
        subject: &Subject,
        client: Option<ClientId>,
    ) -> Vec<(&'static str, String)> {
        let client = client.and_then(|id| self.clients.get(&id));
        let known = Known { server: self, client, buffer: None };
        format::list(&self.state, &known, subject)
    }

    /// A style that may be a format, for what is shown of a target.
    pub(crate) fn style_of(
        &self,
        options: View<'_>,
        name: &str,
        target: Option<Target>,
        client: Option<ClientId>,
    ) -> Style {
        let text = options.string(name);
        if text.contains('#') {
            return self.expand_time(text, target, client).parse().unwrap_or_default();
        }
        options.style(name)
    }
}

impl Variables for Known<'_> {
    fn cell(&self, text: &str) -> (usize, usize) {
        first_cell(text, &self.server.widths)
    }

    fn variable(&self, name: &str, subject: &Subject) -> Option<String> {
        self.of_server(name)
            .or_else(|| self.of_buffer(name))
            .or_else(|| self.of_client(name))
            .or_else(|| self.of_session(name, subject))
            .or_else(|| self.of_pane(name, subject))
            .or_else(|| self.of_surroundings(name, subject))
    }

    fn shell(&self, command: &str, subject: &Subject) -> String {
        self.server.ask_format_shell(command, subject)
    }

    fn time(&self, seconds: Option<i64>, text: &str) -> String {
        let seconds = seconds
            .unwrap_or_else(|| i64::try_from(self.server.now().0 / 1000).unwrap_or(i64::MAX));
        let Ok(moment) = JiffTimestamp::from_second(seconds) else { return String::new() };
        format::strftime(&moment.to_zoned_datetime(TimeZone::system()), text)
    }

    fn search(&self, pane: PaneId, search: &PaneSearch<'_>) -> Option<u32> {
        let terminal = &self.server.panes.get(&pane)?.terminal;
        let pattern = match search.is_regex {
            true => search.pattern.to_owned(),
            false => regex::escape(search.pattern).replace("\\*", ".*").replace("\\?", "."),
        };
        let pattern = regex::RegexBuilder::new(&pattern)
            .case_insensitive(search.ignore_case)
            .size_limit(1 << 20)
            .build()
            .ok()?;
        let text = terminal.text();
        let found = text.lines().position(|line| pattern.is_match(line))?;
        u32::try_from(found + 1).ok()
    }
}

/// The beginning of a text in one line, control characters written out, as tmux shows it.
fn sample(data: &[u8]) -> String {
    const BYTES: usize = 200;
    let shown = &data[..data.len().min(BYTES)];
    let mut out = String::new();
    for chunk in shown.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                '\r' => out.push_str("\\r"),
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => push_octal(&mut out, c.to_string().as_bytes()),
                c => out.push(c),
            }
        }
        push_octal(&mut out, chunk.invalid());
    }
    let is_cut = data.len() > BYTES || out.len() > BYTES;
    if is_cut {
        let end = (0..=BYTES.min(out.len())).rev().find(|at| out.is_char_boundary(*at));
        out.truncate(end.unwrap_or(0));
        out.push_str("...");
    }
    out
}

fn push_octal(out: &mut String, bytes: &[u8]) {
    use std::fmt::Write as _;
    for byte in bytes {
        write!(out, "\\{byte:03o}").expect("writing to a String cannot fail");
    }
}

fn flag(is_set: bool) -> String {
    String::from(if is_set { "1" } else { "0" })
}

impl Known<'_> {
    fn of_server(&self, name: &str) -> Option<String> {
        let surroundings = &self.server.surroundings;
        Some(match name {
            // Whoever asks wants to know what the language is like: configurations choose by it.
            "version" => TMUX_VERSION.to_owned(),
            "pid" => crate::own_pid().to_string(),
            "socket_path" => surroundings.socket.display().to_string(),
            "start_time" => (surroundings.started.0 / 1000).to_string(),
            "host" => surroundings.host.clone(),
            "host_short" => surroundings.host.split('.').next()?.to_owned(),
            "uid" => surroundings.uid.to_string(),
            "user" => surroundings.environment.get(&BString::from("USER"))?.to_string(),
            "server_sessions" => self.server.state.sessions.len().to_string(),
            _ => return None,
        })
    }

    fn of_surroundings(&self, name: &str, subject: &Subject) -> Option<String> {
        let scope = subject.pane.map_or(OptionScope::GlobalSession, OptionScope::Pane);
        self.server.surrounding_default(self.server.state.options(scope), name)
    }

    fn of_buffer(&self, name: &str) -> Option<String> {
        let what = name.strip_prefix("buffer_")?;
        let buffer = self.buffer.or_else(|| self.server.state.buffers.first())?;
        Some(match what {
            "name" => buffer.name.clone(),
            "size" => buffer.data.len().to_string(),
            "created" => (buffer.created.0 / 1000).to_string(),
            "sample" => sample(&buffer.data),
            _ => return None,
        })
    }

    fn of_client(&self, name: &str) -> Option<String> {
        let client = self.client?;
        let attachment = client.attachment();
        let hello = client.hello.as_deref()?;
        Some(match name {
            "client_name" => client.name(),
            "client_tty" => hello.tty.as_ref().map(ToString::to_string).unwrap_or_default(),
            "client_pid" => hello.pid.to_string(),
            "client_uid" => self.server.surroundings.uid.to_string(),
            "client_termname" => hello.term.as_ref().map(ToString::to_string).unwrap_or_default(),
            "client_termtype" => {
                let answer = attachment.and_then(|shown| shown.identity.version.clone());
                let named = || hello.term_program.as_ref().map(ToString::to_string);
                answer.or_else(named).unwrap_or_default()
            }
            "client_termfeatures" => attachment?.caps.feature_names().collect::<Vec<_>>().join(","),
            "client_width" => attachment?.size.cols.to_string(),
            "client_height" => attachment?.size.rows.to_string(),
            "client_cell_width" => attachment?.cell()?.width.to_string(),
            "client_cell_height" => attachment?.cell()?.height.to_string(),
            "client_session" => self.server.state.sessions.get(&attachment?.session)?.name.clone(),
            "client_last_session" => attachment?
                .last_session
                .and_then(|id| self.server.state.sessions.get(&id))
                .map(|session| session.name.clone())
                .unwrap_or_default(),
            "client_prefix" => flag(attachment?.keys.table() == Some("prefix")),
            "client_key_table" => attachment?.keys.table().unwrap_or("root").to_owned(),
            "client_readonly" => flag(attachment?.flags.read_only),
            "client_flags" => {
                let attachment = attachment?;
                let focused = attachment.is_focused.then_some("focused");
                let states = std::iter::once("attached").chain(focused);
                states
                    .chain(attachment.flags.names())
                    .chain(["UTF-8"])
                    .collect::<Vec<_>>()
                    .join(",")
            }
            // Those of the window that it looks at.
            "window_bigger" => flag(attachment?.corner.is_some()),
            "window_offset_x" => attachment?.corner.map(|at| at.x.to_string()).unwrap_or_default(),
            "window_offset_y" => attachment?.corner.map(|at| at.y.to_string()).unwrap_or_default(),
            "client_utf8" => flag(true),
            "client_control_mode" => flag(false),
            "client_created" => (client.connected.0 / 1000).to_string(),
            "client_activity" => (client.active.0 / 1000).to_string(),
            _ => return None,
        })
    }

    fn of_session(&self, name: &str, subject: &Subject) -> Option<String> {
        let id = subject.session?;
        let clients = || self.server.clients_of(id);
        Some(match name {
            "session_attached" => clients().len().to_string(),
            "session_many_attached" => flag(clients().len() > 1),
            "session_attached_list" => self.names_of(&clients()),
            "session_group_attached"
            | "session_group_many_attached"
            | "session_group_attached_list" => return self.of_group(id, name),
            "session_activity" | "session_last_attached" => {
                let used = self.server.activity.get(&id).copied();
                let created = self.server.state.sessions.get(&id)?.created;
                (used.unwrap_or(created).0 / 1000).to_string()
            }
            "window_active_clients" => {
                let current = self.server.state.sessions.get(&id)?.current;
                let count = if subject.window == Some(current) { clients().len() } else { 0 };
                count.to_string()
            }
            // A window's alerts are not kept.
            "window_bigger"
            | "window_activity_flag"
            | "window_bell_flag"
            | "window_silence_flag" => flag(false),
            _ => return None,
        })
    }

    /// The clients of all sessions of a session's group.
    fn of_group(&self, id: SessionId, name: &str) -> Option<String> {
        let state = &self.server.state;
        state.sessions.get(&id)?.group.as_ref()?;
        let members = state.group_of(id).into_iter();
        let clients: Vec<ClientId> =
            members.flat_map(|member| self.server.clients_of(member)).collect();
        Some(match name {
            "session_group_attached" => clients.len().to_string(),
            "session_group_many_attached" => flag(clients.len() > 1),
            _ => self.names_of(&clients),
        })
    }

    /// The names of clients, with commas between them.
    fn names_of(&self, clients: &[ClientId]) -> String {
        let clients = clients.iter().filter_map(|client| self.server.clients.get(client));
        clients.map(Client::name).collect::<Vec<_>>().join(",")
    }

    fn of_pane(&self, name: &str, subject: &Subject) -> Option<String> {
        let id = subject.pane?;
        let pane = self.server.panes.get(&id)?;
        let terminal = &pane.terminal;
        let (cursor, modes) = (terminal.cursor(), terminal.modes());
        Some(match name {
            "pane_pid" => pane.child_pid().unwrap_or(0).to_string(),
            "pane_dead" => flag(self.server.is_dead(id)),
            "pane_current_command" => pane
                .foreground_pid()
                .and_then(process_name)
                .unwrap_or_else(|| self.start_command(id)),
            "pane_current_path" => pane.child_pid().and_then(process_directory)?.to_string(),
            // Until a program sets a title, it is the host's name.
            "pane_title" => {
                let known = &self.server.state.panes.get(&id)?.title;
                // What a private pane is called is in no log.
                let is_private = self.server.scrollback.is_private(pane.uuid);
                let title = match is_private {
                    true => terminal.title().to_owned(),
                    false => known.to_string(),
                };
                if title.is_empty() { self.of_server("host")? } else { title }
            }
            "pane_tty" => pane.tty()?,
            "pane_in_mode" => flag(pane.mode.is_some()),
            "pane_mode" => match pane.mode.as_ref().map(|mode| &mode.source) {
                Some(crate::pane::mode::ModeSource::Pane(_)) => "copy-mode".to_owned(),
                Some(crate::pane::mode::ModeSource::Text(_)) => "view-mode".to_owned(),
                None => String::new(),
            },
            "cursor_x" => cursor.x.to_string(),
            "cursor_y" => cursor.y.to_string(),
            "cursor_flag" => flag(cursor.visible),
            "alternate_on" => flag(modes.alternate_screen),
            "insert_flag" => flag(modes.insert),
            "keypad_flag" => flag(modes.application_keypad),
            "keypad_cursor_flag" => flag(modes.application_cursor_keys),
            "wrap_flag" => flag(modes.autowrap),
            "origin_flag" => flag(modes.origin),
            "bracket_paste_flag" => flag(modes.bracketed_paste),
            "mouse_any_flag" => flag(modes.mouse != ccmux_term::MouseTracking::Off),
            "mouse_button_flag" => flag(modes.mouse == ccmux_term::MouseTracking::ButtonMotion),
            "mouse_all_flag" => flag(modes.mouse == ccmux_term::MouseTracking::AnyMotion),
            "mouse_standard_flag" => flag(modes.mouse == ccmux_term::MouseTracking::Normal),
            "mouse_sgr_flag" => flag(modes.mouse_encoding == ccmux_term::MouseEncoding::Sgr),
            "history_size" | "scroll_position" => match &pane.mode {
                Some(mode) => {
                    let position = mode.source.with(terminal, |lines| mode.copy.position(lines));
                    // In rows both, while one looks through it.
                    if name == "history_size" { position.total } else { position.offset }
                        .to_string()
                }
                None if name == "history_size" => {
                    let stored = self.server.history_of(pane);
                    let lines = PaneLines::new(&stored, terminal);
                    (lines.end() - lines.start()).to_string()
                }
                None => return None,
            },
            "copy_cursor_x" | "copy_cursor_y" => {
                let mode = pane.mode.as_ref()?;
                let (y, x) = mode.source.with(terminal, |lines| mode.copy.cursor(lines));
                if name == "copy_cursor_x" { x.to_string() } else { y.to_string() }
            }
            "copy_cursor_word" => {
                let mode = pane.mode.as_ref()?;
                mode.source.with(terminal, |lines| mode.copy.cursor_word(lines))
            }
            "copy_cursor_line" => {
                let mode = pane.mode.as_ref()?;
                mode.source.with(terminal, |lines| mode.copy.cursor_line(lines))
            }
            "selection_present" => flag(pane.mode.as_ref()?.copy.has_selection()),
            "pane_search_string" => {
                let mode = pane.mode.as_ref().and_then(|mode| mode.copy.search_string());
                let last = pane.last_search.as_ref().map(|last| last.needle.as_str());
                mode.or(last).unwrap_or_default().to_owned()
            }
            "copy_cursor_time" | "top_line_time" => {
                let mode = pane.mode.as_ref()?;
                let time = mode.source.with(terminal, |lines| match name {
                    "top_line_time" => mode.copy.top_line_time(lines),
                    _ => mode.copy.cursor_time(lines),
                });
                time.seconds().unwrap_or(0).to_string()
            }
            "search_count" => pane.mode.as_ref()?.copy.search_count()?.0.to_string(),
            "search_count_partial" => flag(pane.mode.as_ref()?.copy.search_count()?.1),
            "search_match" => {
                let mode = pane.mode.as_ref()?;
                mode.source.with(terminal, |lines| mode.copy.match_at_cursor(lines))?
            }
            "search_present" => flag(pane.mode.as_ref()?.copy.shows_matches()),
            "history_limit" => self
                .server
                .pane_options(id)
                .limit("history-limit")
                .map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string()),
            "history_bytes" => {
                terminal.history_batch(0..u64::MAX, usize::MAX).bytes.len().to_string()
            }
            _ => return None,
        })
    }

    fn start_command(&self, id: PaneId) -> String {
        let argv = self.server.state.panes.get(&id).map(|pane| pane.program.argv.clone());
        let first = argv.and_then(|argv| argv.into_iter().next()).unwrap_or_default();
        let text = first.to_string();
        let word = text.split_whitespace().next().unwrap_or_default();
        word.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::format::VARIABLES;

    /// A new variable was easily forgotten there.
    #[test]
    fn no_variable_of_the_server_is_missing_in_the_list() {
        let arm = regex::Regex::new(r#""([a-z]+(?:_[a-z]+)+)"\s*(?:=>|\|)"#).unwrap();
        for found in arm.captures_iter(include_str!("variables.rs")) {
            assert!(VARIABLES.contains(&&found[1]), "{} is not listed", &found[1]);
        }
    }
}
