//! ccmux's model and command language: no IO, no clocks, no processes, no terminals.

pub mod apply;
pub mod change;
mod check;
pub mod decide;
pub mod geometry;
pub mod ids;
pub mod key;
pub mod layout;
pub mod model;
pub mod options;

pub use self::apply::{ApplyError, apply, apply_all};
pub use self::change::Change;
pub use self::check::InvariantViolation;
pub use self::decide::{Command, CommandError, Facts, decide};
pub use self::model::State;
