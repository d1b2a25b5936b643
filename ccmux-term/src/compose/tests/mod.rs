//! Tests of frames and painting.

mod bytes;
mod frame;
mod painter;
mod terminal;
