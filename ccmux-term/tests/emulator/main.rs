//! The emulator seen from outside, in one test program.

mod history;
mod hostile;
mod keyframe;
mod replies;
mod resize;
mod screen;
mod support;
