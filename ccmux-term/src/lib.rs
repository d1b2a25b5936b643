//! ccmux's terminal emulator, history, keyframes and screen composition.
//!
//! [`Terminal`] is the emulator: a program's bytes go in; the screen, its versions, events and
//! history lines come out. It knows no sockets, disks, sessions or clocks.
//!
//! ```text
//! bytes -> parser -> emulator -> grid (rows of cells) -> view (RowRef, CellRef)
//!                       |           \ rows that leave -> history (encoded logical lines)
//!                       \ events                     keyframe <-> all of it
//! ```

pub mod compose;
pub mod copy_mode;
mod emulator;
mod equality;
mod event;
mod grid;
mod history;
mod image;
mod keyframe;
mod memo;
mod modes;
mod parser;
mod size;
mod style;
mod terminal;
mod unicode;
mod view;
mod wire;
mod work;

pub use emulator::Rgb;
pub use event::Event;
pub use grid::pens::Hyperlink;
pub use grid::row::LineMarks;
pub use history::{
    EncodedLines, HISTORY_BYTES_MAX, HistoryBatch, HistoryFormat, HistoryLine, LINE_COLS_MAX,
    LineTime, Run, decode_history,
};
pub use image::CellSize;
pub use image::area::ImageArea;
#[doc(hidden)]
pub use image::fuzzing::{fuzz_picture_seeds, fuzz_pictures};
pub use keyframe::KeyframeError;
pub use modes::{Cursor, CursorShape, KeyboardFlags, Modes, MouseEncoding, MouseTracking};
pub use size::Size;
pub use style::{Attributes, Color, Style, Underline};
pub use terminal::Terminal;
pub use unicode::{WIDTH_OVERRIDES_MAX, WidthOverride, Widths};
pub use view::{CellRef, Cells, RowRef};
pub use wire::CodecError;
