//! What a client's terminal should show, and the fewest bytes that make it show that.
//!
//! A [`Frame`] is composed from scratch for every screenful: pane contents, borders, status line,
//! overlays, the cursor, and the modes wanted of the terminal. A [`Painter`] keeps the frame that
//! the terminal is believed to show and writes the difference to the next one, within what
//! [`OutputCaps`] says the terminal understands. [`enter`] and [`leave`] bracket it all.
//!
//! ```text
//! Terminal --draw_terminal--> Frame --Painter::paint--> escape bytes --> client's terminal
//! ```
//!
//! Invariants
//! * C1 The bytes painted for any sequence of frames, after [`enter`], make a terminal show exactly
//!   the last frame, and nothing is written when nothing changed.
//! * C2 A wide character in a frame always has its right half beside it: whatever cuts one in two
//!   leaves blanks.
//! * C3 No byte of a frame's text, title or links reaches the terminal as a control character.
//! * C4 The terminal never wraps or scrolls by itself: automatic wrapping is off, and after the
//!   last column the cursor's column counts as unknown.
//! * C5 A terminal that gives a character of uncertain width another one than ours shows all other
//!   cells as composed.
//! * C6 Pictures that the terminal shows are those of the last frame, and nothing that a program
//!   sent as one reaches the terminal but within its own string.
//!
//! Knows nothing of clients, sockets and time: who calls decides when to paint. The bytes expect a
//! raw tty (no output processing).

mod caps;
mod cell;
mod color;
mod draw;
mod frame;
mod image_painter;
mod images;
mod line;
mod painter;
mod pencil;
mod row;
mod scroll;
mod session;
mod sgr;
mod shift;
pub(crate) mod width;

#[cfg(test)]
mod tests;

pub use caps::{ColorDepth, OutputCaps, OutputFeatures};
pub use cell::{CellText, FrameCell};
pub use frame::{ClientModes, Frame, Rect};
pub use line::write_line;
pub use painter::Painter;
pub use session::{QUESTIONS, enter, enter_more, leave};
pub(crate) use sgr::write_decimal;
pub use width::{columns, first_cell};
