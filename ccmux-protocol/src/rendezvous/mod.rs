//! How a server is found, and how exactly one is started.
//!
//! A [`Place`] is where the server of a given name lives: a state directory and a socket. The
//! file `lock` in the state directory decides who is the server: its lock is taken *before* a
//! server is started, by whoever wants one, and the started program inherits the locked
//! descriptor. So two servers cannot come up, however many start one at once, and the lock is
//! never free while a server starts. The contents of the file are the [`Registration`]: how the
//! last server was started, so that the next one is the same program with the same environment,
//! whoever starts it.
//!
//! ```text
//! starter A                    starter B                  server
//! connect: refused             connect: refused
//! lock: taken                  lock: held
//! spawn, lock inherited ----------------------------->    recover, bind, register, listen
//! wait on the ready pipe       connect, with back-off
//!          <------------------ "ok" ------------------
//! connect                      connect
//! ```
//!
//! Used by clients, by the server, and by keepers (through a closure that the executable injects).

mod connect;
mod handover;
mod lock;
mod patience;
mod place;
mod server_args;
mod start;

pub use connect::{ConnectError, bind, connect, connect_within, peer_uid};
pub use handover::{Proof, hand_over, prove, take_back};
pub use lock::{
    Launch, LockError, LockOutcome, LockedFile, Registration, lock_or_holder, registration,
};
pub use patience::Patience;
pub use place::{Place, PlaceError, PlaceOptions, ensure_private_directory, server_log};
pub use server_args::{ReadyPipe, ServerArgs, ServerArgsError, ServerTask, Surroundings};
pub use start::{
    Connected, Revival, StartError, Starting, connect_or_continue, connect_or_start, revive,
    spawn_server, start_server,
};
