//! The ccmux client: one-shot commands, attaching a terminal, reconnecting.
//!
//! Owns the user's terminal: raw mode, the bytes in and out, and giving it back whatever happens.
//! Knows nothing of sessions: what is typed goes to the server as it is, what the server draws goes
//! to the terminal as it is, and the token that leads back to the same session is opaque.
//!
//! Invariants
//! * C1 The terminal is given back on every way out: end, error, panic, each signal that can be
//!   caught; exactly once.
//! * C2 The terminal gets whole frames only, so a server killed in the middle of one leaves the
//!   frame before.
//! * C3 Input is sent at most once: what was handed to a server that vanished is not sent again,
//!   what was not is held and sent to the next.
//! * C4 No wait on the terminal keeps the client from the server or from signals, and no wait on
//!   the server keeps it from signals. What is buffered in between is bounded.

mod answers;
mod attach;
mod client;
mod deaths;
mod error;
mod farewell;
mod greeting;
mod hello;
mod link;
mod one_shot;
mod outbox;
mod paste;
mod signals;
mod terminal;

pub use client::{Answer, ClientOptions, ask, run};
pub use error::ClientError;
