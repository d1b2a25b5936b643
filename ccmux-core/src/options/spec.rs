//! What is known of an option before anybody sets it.

bitflags::bitflags! {
    /// Where an option can be set. Options of windows that panes can override have both.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
    pub struct Scopes: u8 {
        /// `set -s`
        const SERVER = 1;
        /// `set`, `set -g`
        const SESSION = 2;
        /// `set -w`, `set -gw`
        const WINDOW = 4;
        /// `set -p`
        const PANE = 8;
    }
}

/// What values an option takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionKind {
    /// A whole number within bounds.
    Number {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// A number of lines, or `unlimited`.
    Limit,
    /// `on` or `off`.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Any text, which may be a format.
    String,
    /// A style or a format that makes one.
    Style,
    /// A colour.
    Colour,
    /// The name of a key, or `None`.
    Key,
    /// Commands in tmux's language. Checked by whoever runs them.
    Command,
    /// Cells, or a percentage of the window.
    Extent,
    /// `COLUMNSxROWS`.
    Size,
}

/// What an option is when nobody set it, in canonical text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OptionDefault {
    /// One value.
    Value(&'static str),
    /// The members of an array from index 0 on, and the characters at which a value that is given
    /// for the whole array is divided into members.
    Array {
        /// The members.
        members: &'static [&'static str],
        /// Divides values; empty takes a value as one member.
        separators: &'static str,
    },
}

/// Whether setting an option does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It works as in tmux, or as its summary says.
    Full,
    /// It is kept and shown, so that a configuration written for tmux loads; nothing reads it yet.
    NotYet,
}

/// An option: one row of the table.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// Its full name.
    pub name: &'static str,
    /// Where it can be set.
    pub scopes: Scopes,
    /// What values it takes; for an array, each member.
    pub kind: OptionKind,
    /// What it is when nobody set it.
    pub default: OptionDefault,
    /// Whether setting it does something.
    pub effect: Effect,
    /// One line for people.
    pub summary: &'static str,
}

impl OptionSpec {
    /// Whether it is an array, set by `name[index]`.
    pub const fn is_array(&self) -> bool {
        matches!(self.default, OptionDefault::Array { .. })
    }

    /// Whether it is a hook: an array of commands that run on an event.
    pub const fn is_hook(&self) -> bool {
        self.is_array() && matches!(self.kind, OptionKind::Command)
    }

    /// The members it has as an array when nobody set it; none if it is no array.
    pub fn default_members(&self) -> &'static [&'static str] {
        match self.default {
            OptionDefault::Value(_) => &[],
            OptionDefault::Array { members, .. } => members,
        }
    }

    /// Its value when nobody set it; empty for an array.
    pub fn default_value(&self) -> &'static str {
        match self.default {
            OptionDefault::Value(value) => value,
            OptionDefault::Array { .. } => "",
        }
    }

    pub(super) const fn new(
        name: &'static str,
        scopes: Scopes,
        kind: OptionKind,
        default: &'static str,
        summary: &'static str,
    ) -> OptionSpec {
        let default = OptionDefault::Value(default);
        OptionSpec { name, scopes, kind, default, effect: Effect::Full, summary }
    }

    /// The same as an array.
    pub(super) const fn array(
        mut self,
        members: &'static [&'static str],
        separators: &'static str,
    ) -> OptionSpec {
        self.default = OptionDefault::Array { members, separators };
        self
    }

    /// The same, marked as kept without effect.
    pub(super) const fn not_yet(mut self) -> OptionSpec {
        self.effect = Effect::NotYet;
        self
    }
}
