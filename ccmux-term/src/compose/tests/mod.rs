//! Tests of frames and painting.

mod bytes;
mod clusters;
mod frame;
mod images;
mod moving;
mod painter;
mod terminal;
