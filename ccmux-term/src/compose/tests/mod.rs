//! Tests of frames and painting.

mod bytes;
mod clusters;
mod frame;
mod painter;
mod terminal;
