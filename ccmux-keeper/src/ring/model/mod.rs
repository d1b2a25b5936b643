//! The ring, tried in full: the real halves on memory of a few bytes.
//!
//! * `search` runs them as a keeper and a server do, with a program, a pty, a socket, a spool and
//!   kills, through every interleaving of their steps (`world` is what there is, `keeper` and
//!   `server` are the two courses).
//! * `orderings` runs them under loom, which tries every value that a load may return where
//!   nothing orders it: that the orderings in `memory` suffice, and that none can be weaker.
//!
//! Both are shown to see: what they must find is built in, one mistake at a time.

mod keeper;
mod memory;
mod orderings;
mod search;
mod server;
mod world;
