//! From what a person typed to an option, its index, and the scope it is set at.

use std::fmt;

use crate::change::OptionScope;
use crate::ids::{PaneId, SessionId, WindowId};

use super::spec::{OptionSpec, Scopes};
use super::{OptionError, specs};

/// An option as it was named: by its full name or a prefix no other option has, in British or
/// American spelling, with or without an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OptionName {
    /// The full name, without index.
    pub name: String,
    /// The member of an array.
    pub index: Option<u32>,
}

impl OptionName {
    /// Reads a name. User options, which begin with `@`, are taken as they are.
    pub fn parse(text: &str) -> Result<OptionName, OptionError> {
        let (name, index) = split_index(text).ok_or_else(|| OptionError::Invalid(text.into()))?;
        if name.is_empty() {
            return Err(OptionError::Invalid(text.to_owned()));
        }
        if name.starts_with('@') {
            return match index {
                None => Ok(OptionName { name: name.to_owned(), index: None }),
                Some(_) => Err(OptionError::NotAnArray(text.to_owned())),
            };
        }
        let spec = find(name, text)?;
        if index.is_some() && !spec.is_array() {
            return Err(OptionError::NotAnArray(text.to_owned()));
        }
        Ok(OptionName { name: spec.name.to_owned(), index })
    }

    /// The row of the table, or `None` for a user option.
    pub fn spec(&self) -> Option<&'static OptionSpec> {
        super::spec(&self.name)
    }
}

impl fmt::Display for OptionName {
    /// The full name with the index: the key under which the value is kept.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.index {
            Some(index) => write!(f, "[{index}]"),
            None => Ok(()),
        }
    }
}

/// `name[12]` into name and index; `None` if there is a bracket and no index in it.
fn split_index(text: &str) -> Option<(&str, Option<u32>)> {
    match text.split_once('[') {
        None => Some((text, None)),
        Some((name, index)) => Some((name, Some(index.strip_suffix(']')?.parse().ok()?))),
    }
}

fn find(name: &str, text: &str) -> Result<&'static OptionSpec, OptionError> {
    // tmux's own names are spelled the British way; it takes the American one for whole names.
    let british = name.replace("-color", "-colour");
    let exact = specs().iter().find(|spec| spec.name == name || spec.name == british);
    if let Some(spec) = exact {
        return Ok(spec);
    }
    let mut matching = specs().iter().filter(|spec| spec.name.starts_with(name));
    match (matching.next(), matching.next()) {
        (Some(spec), None) => Ok(spec),
        (Some(_), Some(_)) => Err(OptionError::Ambiguous(text.to_owned())),
        (None, _) => Err(OptionError::Invalid(text.to_owned())),
    }
}

/// Where a command that sets or shows options looks: its flags, and what its target resolved to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// `-s`; counts for user options alone, as for others the table knows.
    pub server: bool,
    /// `-g`
    pub global: bool,
    /// `-w`; counts for user options alone.
    pub window_flag: bool,
    /// `-p`
    pub pane_flag: bool,
    /// The session of the target.
    pub session: Option<SessionId>,
    /// The window of the target.
    pub window: Option<WindowId>,
    /// The pane of the target.
    pub pane: Option<PaneId>,
}

impl Place {
    /// The scope an option is set at.
    pub fn scope_of(&self, name: &OptionName) -> Result<OptionScope, OptionError> {
        match name.spec() {
            None => self.scope_by_flags(),
            Some(spec) if spec.scopes.contains(Scopes::SERVER) => Ok(OptionScope::Server),
            Some(spec) if spec.scopes.contains(Scopes::SESSION) => self.session_scope(),
            Some(spec) if spec.scopes.contains(Scopes::PANE) && self.pane_flag => self.pane_scope(),
            Some(_) => self.window_scope(),
        }
    }

    /// The scope that the flags alone name: of user options, and of `show-options` without a name.
    pub fn scope_by_flags(&self) -> Result<OptionScope, OptionError> {
        if self.server {
            Ok(OptionScope::Server)
        } else if self.pane_flag {
            self.pane_scope()
        } else if self.window_flag {
            self.window_scope()
        } else {
            self.session_scope()
        }
    }

    fn session_scope(&self) -> Result<OptionScope, OptionError> {
        if self.global {
            return Ok(OptionScope::GlobalSession);
        }
        self.session.map(OptionScope::Session).ok_or(OptionError::NoSession)
    }

    fn window_scope(&self) -> Result<OptionScope, OptionError> {
        if self.global {
            return Ok(OptionScope::GlobalWindow);
        }
        self.window.map(OptionScope::Window).ok_or(OptionError::NoWindow)
    }

    fn pane_scope(&self) -> Result<OptionScope, OptionError> {
        self.pane.map(OptionScope::Pane).ok_or(OptionError::NoPane)
    }
}
