//! Tests of frames and painting.

mod frame;
mod painter;
mod terminal;
