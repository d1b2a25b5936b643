//! Keepers as processes: programs on real ptys, real kills, real sockets.

mod adoption;
mod ends;
mod harness;
mod hostile;
mod program;
mod wire;
