//! ccmux's terminal emulator, history, keyframes and screen composition.

mod style;

pub use style::{Attributes, Color, Style, Underline};
