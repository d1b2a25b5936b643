//! The variables that the model knows.

use bstr::ByteSlice;

use crate::change::OptionScope;
use crate::command::quote;
use crate::geometry::Rect;
use crate::ids::WindowId;
use crate::model::{ExitStatus, Pane, Session, State, Timestamp, Window};
use crate::options::OptionKind;
use crate::{layout::Layout, options};

use super::{Subject, SubjectKind, Variables, is_true};

/// The names behind `#S` and the like.
pub(super) fn letter(c: char) -> Option<&'static str> {
    Some(match c {
        'D' => "pane_id",
        'F' => "window_flags",
        'H' => "host",
        'I' => "window_index",
        'P' => "pane_index",
        'S' => "session_name",
        'T' => "pane_title",
        'W' => "window_name",
        'h' => "host_short",
        _ => return None,
    })
}

/// Looks names up for one subject.
pub(super) struct Lookup<'a> {
    pub(super) state: &'a State,
    pub(super) variables: &'a dyn Variables,
    pub(super) subject: &'a Subject,
}

impl<'a> Lookup<'a> {
    /// What a name stands for; `None` if nothing.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.variables
            .variable(name, self.subject)
            .or_else(|| self.of_server(name))
            .or_else(|| self.of_session(self.session()?, name))
            .or_else(|| self.of_window(self.session()?, self.window()?, name))
            .or_else(|| self.of_pane(self.window()?, self.pane()?, name))
            .or_else(|| self.option(name))
            .or_else(|| self.environment(name))
    }

    fn session(&self) -> Option<&'a Session> {
        self.state.sessions.get(&self.subject.session?)
    }

    fn window(&self) -> Option<&'a Window> {
        self.state.windows.get(&self.subject.window?)
    }

    fn pane(&self) -> Option<&'a Pane> {
        self.state.panes.get(&self.subject.pane?)
    }

    /// Whether the server says so.
    fn flag(&self, name: &str) -> bool {
        self.variables.variable(name, self.subject).is_some_and(|value| is_true(&value))
    }

    fn of_server(&self, name: &str) -> Option<String> {
        Some(match name {
            "next_session_id" => format!("${}", self.state.next.session),
            "session_format" => bit(self.subject.kind == SubjectKind::Session),
            "window_format" => bit(self.subject.kind == SubjectKind::Window),
            "pane_format" => bit(self.subject.kind == SubjectKind::Pane),
            "pane_marked_set" => bit(self.state.marked.is_some()),
            // Windows are in several sessions by groups only, which do not count as links.
            "window_linked" | "pane_pipe" => bit(false),
            "session_alerts" => String::new(),
            _ => return None,
        })
    }

    fn of_session(&self, session: &Session, name: &str) -> Option<String> {
        if name == "session_marked" {
            let marked = self.state.marked_window();
            return Some(bit(marked.is_some_and(|window| session.index_of(window).is_some())));
        }
        of_session(session, name).or_else(|| self.of_group(session, name))
    }

    fn of_group(&self, session: &Session, name: &str) -> Option<String> {
        let group = session.group.as_deref();
        let members = || group.into_iter().flat_map(|group| self.state.sessions_in(group));
        Some(match name {
            "session_grouped" => bit(group.is_some()),
            "session_group" => group.unwrap_or_default().to_owned(),
            "session_group_size" => group.map(|_| members().count().to_string())?,
            "session_group_list" => names(members()),
            _ => return None,
        })
    }

    /// The sessions in which a window is the current one.
    fn showing(&self, window: WindowId) -> impl Iterator<Item = &'a Session> {
        let state = self.state;
        let sessions = state.sessions_of(window).into_iter();
        let sessions = sessions.filter_map(|id| state.sessions.get(&id));
        sessions.filter(move |session| session.current == window)
    }

    fn of_window(&self, session: &Session, window: &Window, name: &str) -> Option<String> {
        let is_current = session.current == window.id;
        let is_last = session.last.first() == Some(&window.id);
        Some(match name {
            "window_id" => window.id.to_string(),
            "window_name" => window.name.clone(),
            "window_index" => session.index_of(window.id)?.to_string(),
            "window_active" => bit(is_current),
            "window_active_sessions" => self.showing(window.id).count().to_string(),
            "window_active_sessions_list" => names(self.showing(window.id)),
            "window_last_flag" => bit(is_last),
            "window_start_flag" => bit(session.windows.values().next() == Some(&window.id)),
            "window_end_flag" => bit(session.windows.values().next_back() == Some(&window.id)),
            "window_stack_index" => match session.last.iter().position(|id| *id == window.id) {
                Some(position) => (position + 1).to_string(),
                None => "0".to_owned(),
            },
            "window_raw_flags" => self.window_flags(window, is_current, is_last, "#"),
            "window_flags" => self.window_flags(window, is_current, is_last, "##"),
            "window_marked_flag" => bit(self.state.marked_window() == Some(window.id)),
            "window_zoomed_flag" => bit(window.zoomed),
            "window_panes" => window.layout.pane_count().to_string(),
            "window_width" => window.layout.size().cols.to_string(),
            "window_height" => window.layout.size().rows.to_string(),
            "window_layout" => window.layout.to_string(),
            "window_visible_layout" => window.visible_layout().to_string(),
            "window_linked_sessions" => self.state.group_of(session.id).len().to_string(),
            "window_linked_sessions_list" => {
                let members = self.state.group_of(session.id).into_iter();
                names(members.filter_map(|id| self.state.sessions.get(&id)))
            }
            _ => return None,
        })
    }

    /// `*` current, `-` last, `M` with the marked pane, `Z` zoomed; `#`, `!` and `~` for activity, bell and silence.
    fn window_flags(
        &self,
        window: &Window,
        is_current: bool,
        is_last: bool,
        activity: &str,
    ) -> String {
        let flags = [
            (self.flag("window_activity_flag"), activity),
            (self.flag("window_bell_flag"), "!"),
            (self.flag("window_silence_flag"), "~"),
            (is_current, "*"),
            (is_last, "-"),
            (self.state.marked_window() == Some(window.id), "M"),
            (window.zoomed, "Z"),
        ];
        flags.into_iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).collect()
    }

    fn of_pane(&self, window: &Window, pane: &Pane, name: &str) -> Option<String> {
        if let Some(rect) = window.pane_rect(pane.id)
            && let Some(value) = of_rect(rect, &window.layout, name)
        {
            return Some(value);
        }
        let options = self.state.options(OptionScope::Pane(pane.id));
        Some(match name {
            "pane_id" => pane.id.to_string(),
            "pane_index" => {
                let position = window.layout.panes().iter().position(|id| *id == pane.id)?;
                let base = options.number("pane-base-index");
                (i64::try_from(position).ok()? + base).to_string()
            }
            "pane_title" => pane.title.to_string(),
            "pane_active" => bit(window.active == pane.id),
            "pane_last" => bit(window.last.first() == Some(&pane.id)),
            "pane_marked" => bit(self.state.marked == Some(pane.id)),
            "pane_input_off" => bit(pane.input_off),
            "pane_dead" => bit(pane.ended.is_some()),
            "pane_dead_time" => seconds(pane.ended?.time),
            "pane_dead_status" => match pane.ended?.status {
                ExitStatus::Code(code) => code.to_string(),
                ExitStatus::Signal(_) | ExitStatus::Unknown => String::new(),
            },
            "pane_dead_signal" => match pane.ended?.status {
                ExitStatus::Signal(signal) => signal.to_string(),
                ExitStatus::Code(_) | ExitStatus::Unknown => String::new(),
            },
            "pane_current_path" => pane.cwd.as_ref().unwrap_or(&pane.program.cwd).to_string(),
            "pane_path" => pane.cwd.as_ref().map(ToString::to_string).unwrap_or_default(),
            "pane_start_path" => pane.program.cwd.to_string(),
            "pane_start_command" => {
                let words: Vec<String> = pane.program.argv.iter().map(|arg| quote(arg)).collect();
                words.join(" ")
            }
            "pane_synchronized" => bit(options.flag("synchronize-panes")),
            _ => return None,
        })
    }

    /// An option by its full name, or `name[index]`; flags are `1` and `0`.
    fn option(&self, name: &str) -> Option<String> {
        let scope = match *self.subject {
            Subject { pane: Some(id), .. } => OptionScope::Pane(id),
            Subject { window: Some(id), .. } => OptionScope::Window(id),
            Subject { session: Some(id), .. } => OptionScope::Session(id),
            _ => OptionScope::GlobalSession,
        };
        let view = self.state.options(scope);
        if let Some((array, index)) = name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            let index: u32 = index.parse().ok()?;
            let members = view.array(array);
            return members.iter().find(|(at, _)| *at == index).map(|(_, text)| (*text).to_owned());
        }
        let text = view.text(name)?;
        let is_flag = options::spec(name).is_some_and(|spec| spec.kind == OptionKind::Flag);
        Some(if is_flag { bit(text == "on") } else { text.to_owned() })
    }

    fn environment(&self, name: &str) -> Option<String> {
        let of_session =
            self.session().and_then(|session| session.environment.get(name.as_bytes().as_bstr()));
        let value = match of_session {
            Some(value) => value,
            None => self.state.environment.get(name.as_bytes().as_bstr())?,
        };
        value.as_ref().map(ToString::to_string)
    }
}

fn of_session(session: &Session, name: &str) -> Option<String> {
    let index_of = |id| session.index_of(id).unwrap_or_default();
    Some(match name {
        "session_id" => session.id.to_string(),
        "session_name" => session.name.clone(),
        "session_created" => seconds(session.created),
        "session_path" => session.cwd.to_string(),
        "session_windows" => session.windows.len().to_string(),
        "session_stack" => {
            let recent = std::iter::once(session.current).chain(session.last.iter().copied());
            recent.map(|id| index_of(id).to_string()).collect::<Vec<_>>().join(",")
        }
        "active_window_index" => index_of(session.current).to_string(),
        "last_window_index" => session.windows.last_key_value()?.0.to_string(),
        _ => return None,
    })
}

fn of_rect(rect: Rect, layout: &Layout, name: &str) -> Option<String> {
    let size = layout.size();
    let (right, bottom) = (rect.x + rect.cols, rect.y + rect.rows);
    Some(match name {
        "pane_width" => rect.cols.to_string(),
        "pane_height" => rect.rows.to_string(),
        "pane_left" => rect.x.to_string(),
        "pane_top" => rect.y.to_string(),
        "pane_right" => (right - 1).to_string(),
        "pane_bottom" => (bottom - 1).to_string(),
        "pane_at_left" => bit(rect.x == 0),
        "pane_at_top" => bit(rect.y == 0),
        "pane_at_right" => bit(right == size.cols),
        "pane_at_bottom" => bit(bottom == size.rows),
        _ => return None,
    })
}

/// The names of sessions, with commas between them.
fn names<'s>(sessions: impl Iterator<Item = &'s Session>) -> String {
    sessions.map(|session| session.name.as_str()).collect::<Vec<_>>().join(",")
}

fn bit(is_set: bool) -> String {
    if is_set { "1".to_owned() } else { "0".to_owned() }
}

fn seconds(time: Timestamp) -> String {
    (time.0 / 1000).to_string()
}
