//! ccmux's terminal emulator, history, keyframes and screen composition.

pub mod compose;
mod modes;
mod size;
mod style;

pub use modes::{Cursor, CursorShape, KeyboardFlags, Modes, MouseEncoding, MouseTracking};
pub use size::Size;
pub use style::{Attributes, Color, Style, Underline};

/// A hyperlink (OSC 8).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hyperlink {
    /// The `id` parameter: cells with equal id and URI are one link. Empty if none was given.
    pub id: String,
    /// Where it leads.
    pub uri: String,
}
