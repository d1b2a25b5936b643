//! The ring, tried in full: the real halves on memory of a few bytes.
//!
//! * `search` runs them as a keeper and a server do, with a program, a pty, a socket, a disk, a stash
//!   and kills, through every interleaving of their steps (`world` is what there is, `keeper` and
//!   `server` are the two courses, `away` is what a server does while the disk refuses output, and
//!   `rules` says which orders make no difference).
//! * `orderings` runs them under loom, which tries every value that a load may return where
//!   nothing orders it: that the orderings in `memory` suffice, and that none can be weaker.
//!
//! Both are shown to see: what they must find is built in, one mistake at a time.

mod away;
mod keeper;
mod memory;
mod orderings;
mod rules;
mod search;
mod server;
mod shared;
mod world;
