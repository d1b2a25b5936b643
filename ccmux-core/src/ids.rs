//! Identities: numbers that people type, and uuids that files carry.
//!
//! Numbers (`$1`, `@2`, `%3`) are monotone for the life of a state directory and never reused, so a
//! script that holds `%3` can never reach another pane by it. A pane also has a [`PaneUuid`]; the
//! disk and the keepers know panes by it alone.

use std::fmt;
use std::str::FromStr;

macro_rules! numbered_id {
    ($(#[$doc:meta])* $name:ident, $sigil:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $sigil, self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix($sigil)
                    .and_then(|digits| digits.parse().ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError(text.to_owned()))
            }
        }
    };
}

numbered_id!(
    /// A session, written `$1`.
    SessionId,
    '$'
);
numbered_id!(
    /// A window, written `@1`.
    WindowId,
    '@'
);
numbered_id!(
    /// A pane, written `%1`.
    PaneId,
    '%'
);

/// The text is no id of the kind asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id: {0}")]
pub struct ParseIdError(String);

/// The identity of a pane on disk and towards its keeper; made once, from random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PaneUuid(pub uuid::Uuid);

impl fmt::Display for PaneUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl FromStr for PaneUuid {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        uuid::Uuid::parse_str(text).map(Self).map_err(|_| ParseIdError(text.to_owned()))
    }
}
