//! Reading options: inheritance, then types.

use crate::change::OptionScope;
use crate::geometry::{Extent, Size};
use crate::key::Key;
use crate::model::{OptionSet, State};

use super::colour::Colour;
use super::spec::{OptionKind, OptionSpec, Scopes};
use super::style::Style;
use super::value::{UNLIMITED, size};

/// The options as one pane, window or session, or the server, sees them.
///
/// A pane inherits from its window, that from the global window options; session options come from
/// the session it is in, then from the global ones; all end at the defaults. The typed getters take
/// names from the table. Text that does not fit its type, which only damage or an older version can
/// leave behind, counts as the default.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    state: &'a State,
    pane: Option<&'a OptionSet>,
    window: Option<&'a OptionSet>,
    session: Option<&'a OptionSet>,
}

impl State {
    /// The options as seen from a scope. What is not there any more inherits everything.
    pub fn options(&self, scope: OptionScope) -> View<'_> {
        View::new(self, scope)
    }

    /// What is set at one scope, or `None` if it is not there.
    pub fn options_at(&self, scope: OptionScope) -> Option<&OptionSet> {
        match scope {
            OptionScope::Server => Some(&self.server_options),
            OptionScope::GlobalSession => Some(&self.session_options),
            OptionScope::GlobalWindow => Some(&self.window_options),
            OptionScope::Session(id) => self.sessions.get(&id).map(|session| &session.options),
            OptionScope::Window(id) => self.windows.get(&id).map(|window| &window.options),
            OptionScope::Pane(id) => self.panes.get(&id).map(|pane| &pane.options),
        }
    }
}

impl<'a> View<'a> {
    pub(super) fn new(state: &'a State, scope: OptionScope) -> View<'a> {
        let pane = match scope {
            OptionScope::Pane(id) => state.panes.get(&id),
            _ => None,
        };
        let window = match scope {
            OptionScope::Window(id) => Some(id),
            _ => pane.map(|pane| pane.window),
        };
        let window = window.and_then(|id| state.windows.get(&id));
        let session = match scope {
            OptionScope::Session(id) => Some(id),
            _ => window.map(|window| window.session),
        };
        let session = session.and_then(|id| state.sessions.get(&id));
        View {
            state,
            pane: pane.map(|pane| &pane.options),
            window: window.map(|window| &window.options),
            session: session.map(|session| &session.options),
        }
    }

    /// The sets in which an option is looked for, nearest first.
    fn chain(&self, scopes: Scopes) -> impl Iterator<Item = &'a OptionSet> {
        let server = scopes.contains(Scopes::SERVER).then_some(&self.state.server_options);
        let pane = self.pane.filter(|_| scopes.contains(Scopes::PANE));
        let in_window = scopes.contains(Scopes::WINDOW);
        let window = self.window.filter(|_| in_window);
        let global_window = in_window.then_some(&self.state.window_options);
        let in_session = scopes.contains(Scopes::SESSION);
        let session = self.session.filter(|_| in_session);
        let global_session = in_session.then_some(&self.state.session_options);
        [server, pane, window, global_window, session, global_session].into_iter().flatten()
    }

    /// The value of an option, or of a user option, as text: `None` for an unknown name, an unset
    /// user option and an array.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let Some(spec) = super::spec(name) else {
            let is_user_option = name.starts_with('@');
            return is_user_option.then(|| self.find(Scopes::all(), name)).flatten();
        };
        if spec.is_array() {
            return None;
        }
        Some(self.find(spec.scopes, name).unwrap_or(spec.default_value()))
    }

    /// The value of an option if it is set anywhere that counts here; never its default.
    pub fn set_text(&self, name: &str) -> Option<&'a str> {
        self.find(super::spec(name)?.scopes, name)
    }

    fn find(&self, scopes: Scopes, name: &str) -> Option<&'a str> {
        self.chain(scopes).find_map(|set| set.get(name)).map(String::as_str)
    }

    /// The members of an array, by index; empty for anything else.
    pub fn array(&self, name: &str) -> Vec<(u32, &'a str)> {
        let Some(spec) = super::spec(name).filter(|spec| spec.is_array()) else {
            return Vec::new();
        };
        match self.chain(spec.scopes).find(|set| set.contains_key(name)) {
            Some(set) => members(set, name).collect(),
            None => (0..).zip(spec.default_members().iter().copied()).collect(),
        }
    }

    /// A number ([`OptionKind::Number`]).
    pub fn number(&self, name: &str) -> i64 {
        self.typed(name, |text| text.parse().ok()).unwrap_or_default()
    }

    /// A number of lines ([`OptionKind::Limit`]); `None` is no limit.
    pub fn limit(&self, name: &str) -> Option<u32> {
        let read = |text: &str| match text {
            UNLIMITED => Some(None),
            number => number.parse().ok().map(Some),
        };
        self.typed(name, read).flatten()
    }

    /// Whether a flag, or a choice that begins with `off`, is on.
    pub fn flag(&self, name: &str) -> bool {
        self.text_of_kind(name) != "off"
    }

    /// The word of a choice.
    pub fn choice(&self, name: &str) -> &'a str {
        let fits = |spec: &OptionSpec, text: &str| match spec.kind {
            OptionKind::Choice(choices) => choices.contains(&text),
            _ => true,
        };
        let text = self.text_of_kind(name);
        match super::spec(name) {
            Some(spec) if !fits(spec, text) => spec.default_value(),
            _ => text,
        }
    }

    /// A string, or any other value as text.
    pub fn string(&self, name: &str) -> &'a str {
        self.text_of_kind(name)
    }

    /// A style whose formats, if any, are expanded already, which is up to the caller: use
    /// [`View::string`] for one that may have them.
    pub fn style(&self, name: &str) -> Style {
        self.typed(name, |text| text.parse().ok()).unwrap_or_default()
    }

    /// A colour.
    pub fn colour(&self, name: &str) -> Colour {
        self.typed(name, |text| text.parse().ok()).unwrap_or(Colour::Default)
    }

    /// A key; `None` is no key.
    pub fn key(&self, name: &str) -> Option<Key> {
        let read = |text: &str| match text {
            "None" => Some(None),
            name => name.parse().ok().map(Some),
        };
        self.typed(name, read).flatten()
    }

    /// Cells or a percentage.
    pub fn extent(&self, name: &str) -> Extent {
        self.typed(name, |text| text.parse().ok()).unwrap_or(Extent::Cells(0))
    }

    /// A size.
    pub fn size(&self, name: &str) -> Size {
        self.typed(name, size).unwrap_or(Size::DEFAULT)
    }

    fn text_of_kind(&self, name: &str) -> &'a str {
        let text = self.text(name);
        debug_assert!(text.is_some(), "BUG: no option is named {name}");
        text.unwrap_or_default()
    }

    fn typed<T>(&self, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        read(self.text_of_kind(name))
            .or_else(|| super::spec(name).and_then(|spec| read(spec.default_value())))
    }
}

/// The members of an array in one set.
pub(super) fn members<'a>(
    set: &'a OptionSet,
    name: &str,
) -> impl Iterator<Item = (u32, &'a str)> + use<'a> {
    let prefix = format!("{name}[");
    let mut members: Vec<(u32, &str)> = set
        .iter()
        .filter_map(|(key, value)| {
            let index = key.strip_prefix(&prefix)?.strip_suffix(']')?;
            Some((index.parse().ok()?, value.as_str()))
        })
        .collect();
    members.sort_unstable_by_key(|(index, _)| *index);
    members.into_iter()
}
