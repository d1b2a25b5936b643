//! The emulator seen from outside, in one test program.

mod controls;
mod history;
mod hostile;
mod images;
mod keyframe;
mod kitty;
mod margins;
mod passing;
mod rectangles;
mod replies;
mod reports;
mod resize;
mod screen;
mod styles;
mod support;
mod times;
mod unicode;
mod unicode_data;
mod vt52;
