//! The small process that holds one pane's pty and program, and the server's handle on it.
//!
//! A keeper starts the pane's program, reaps it, and reads its output straight into a **ring** of
//! shared memory. It parses nothing and outlives the server: when a server dies, the next one
//! adopts the keeper and finds every byte. When a keeper dies, the server starts another with the
//! same pty and ring, and the program notices nothing.
//!
//! * [`run`] is the keeper process.
//! * [`Link`] is the server's end: spawn, replace, adopt, command.
//! * [`ServerRing`] and [`KeeperRing`] are the two halves of the ring.
//! * [`Stash`] is memory that the server leaves with a keeper for the next server.
//! * [`lock_alive`] tells whether a pane's keeper lives.
//!
//! This crate deliberately knows no server, no emulator and no disk format. The protocol and the
//! ring are drawn byte by byte in `docs/keeper-protocol.md`.

mod alive;
mod child;
mod keeper;
mod link;
mod ring;
mod socket;
mod stash;
mod wire;

pub use alive::{AliveLock, is_alive, lock_alive};
pub use child::{ChildSpec, set_window_size};
pub use keeper::run;
pub use link::{KeeperCommand, Link, LinkError, LinkEvent, Orphan};
pub use ring::{
    CAPACITY, ChildEnd, ChildState, KeeperRing, READ_BYTES_MAX, RingError, ServerRing, Wake,
    WindowSize,
};
pub use stash::{STASH_BYTES, Stash};
#[doc(hidden)]
pub use wire::fuzzing::{fuzz_connection, fuzz_seeds};
pub use wire::message::{FailedStep, Failure};
pub use wire::{VERSIONS, WireError};
