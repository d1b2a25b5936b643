//! ccmux's model and command language: no IO, no clocks, no processes, no terminals.

pub mod apply;
pub mod bindings;
pub mod change;
mod check;
pub mod command;
pub mod decide;
pub mod format;
pub mod geometry;
pub mod ids;
pub mod key;
pub mod layout;
pub mod model;
pub mod options;
pub mod pattern;
pub mod target;
#[cfg(test)]
mod test_state;

pub use self::apply::{ApplyError, apply, apply_all, no_session_is_empty};
pub use self::change::Change;
pub use self::check::InvariantViolation;
pub use self::decide::{Command, CommandError, Facts, decide};
pub use self::model::State;
