//! Options: their names, types and defaults, how they are set, and how they are inherited.
//!
//! What can be set is a table ([`specs`]): everything a configuration for tmux 3.5 may name, so that
//! it loads; options nobody reads yet are marked in it. Values are kept as canonical text
//! ([`crate::model::OptionSet`]) and read through [`View`], which knows inheritance and types.
//!
//! An array is kept as its members, `name[index]`, plus a marker: the bare name with empty text.
//! A scope has an array of its own exactly if it has the marker, and then inherits no member; an
//! empty array is a marker alone.

mod colour;
mod edit;
mod name;
mod spec;
mod style;
mod table;
mod value;
mod view;

pub use self::colour::{BadColour, Colour};
pub use self::edit::{Edit, Edited, edit};
pub use self::name::{OptionName, Place};
pub use self::spec::{Effect, OptionDefault, OptionKind, OptionSpec, Scopes};
pub use self::style::{Align, Attributes, DefaultStyle, InvalidStyle, List, Range, Style};
pub use self::view::View;
use crate::model::State;

/// Why an option could not be set or found. The texts are tmux's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OptionError {
    /// No option has the name or begins with it, or a user option is not set.
    #[error("invalid option: {0}")]
    Invalid(String),
    /// Several options begin with the name.
    #[error("ambiguous option: {0}")]
    Ambiguous(String),
    /// An index was given for an option that is no array.
    #[error("not an array: {0}")]
    NotAnArray(String),
    /// `-o`, and it is set.
    #[error("already set: {0}")]
    AlreadySet(String),
    /// The option needs a value.
    #[error("empty value")]
    EmptyValue,
    /// Not a number, or no size.
    #[error("value is invalid: {0}")]
    ValueInvalid(String),
    /// Below the least number.
    #[error("value is too small: {0}")]
    TooSmall(String),
    /// Above the greatest number.
    #[error("value is too large: {0}")]
    TooLarge(String),
    /// Neither `on` nor `off`.
    #[error("bad value: {0}")]
    BadFlag(String),
    /// None of the words the option knows.
    #[error("unknown value: {0}")]
    UnknownChoice(String),
    /// Not the name of a key.
    #[error("bad key: {0}")]
    BadKey(String),
    /// Not a colour.
    #[error(transparent)]
    BadColour(#[from] BadColour),
    /// Not a style.
    #[error(transparent)]
    BadStyle(#[from] InvalidStyle),
    /// The scope of the option needs a session, and there is none.
    #[error("no current session")]
    NoSession,
    /// The scope of the option needs a window, and there is none.
    #[error("no current window")]
    NoWindow,
    /// The scope of the option needs a pane, and there is none.
    #[error("no current pane")]
    NoPane,
}

/// Every option there is, apart from user options, in the order of `show-options`.
pub fn specs() -> &'static [OptionSpec] {
    table::TABLE
}

/// The options that somebody has set somewhere and that have no effect yet, by name.
pub fn set_without_effect(state: &State) -> Vec<&'static str> {
    let sessions = state.sessions.values().map(|session| &session.options);
    let windows = state.windows.values().map(|window| &window.options);
    let panes = state.panes.values().map(|pane| &pane.options);
    let mut names: Vec<&'static str> =
        [&state.server_options, &state.session_options, &state.window_options]
            .into_iter()
            .chain(sessions)
            .chain(windows)
            .chain(panes)
            .flat_map(|set| set.keys())
            .filter_map(|key| spec(key.split('[').next()?))
            .filter(|spec| spec.effect == Effect::NotYet)
            .map(|spec| spec.name)
            .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The option of that exact name.
pub fn spec(name: &str) -> Option<&'static OptionSpec> {
    table::TABLE.iter().find(|spec| spec.name == name)
}

#[cfg(test)]
mod tests;
