//! The frames between ccmux clients and server, and how they find each other.
//!
//! Owns the wire types ([`ClientFrame`], [`ServerFrame`]), their framing ([`FrameDecoder`],
//! [`encode`]) and the [`rendezvous`]: where a server of a given name lives, who may start it, and
//! how exactly one is started. Knows neither how a client draws nor what a server does.
//!
//! A conversation:
//!
//! ```text
//! client                              server
//! Hello                          ->
//!                                <-   Welcome, or Refused and the end
//! Command (argv), or Resume      ->
//!                                <-   Stdout, Stderr, ReadStdin
//! Stdin, or StdinEnd             ->   (one for each ReadStdin)
//!                                <-   Attached, Leave, Token (from here on the terminal is raw)
//!                                <-   Output, Token, Asks, Answered ...
//! Input, Resize, Wakeup ...      ->
//!                                <-   Exit
//! ```
//!
//! The end of the stream without an `Exit` means that the server vanished: an attached client
//! finds a server again and sends `Resume` with the last token it was given.

mod client_frame;
mod frame;
mod needs_server;
pub mod rendezvous;
mod server_frame;
mod wire_bytes;

pub use ccmux_core::geometry::Size;
pub use client_frame::{
    ClientFrame, Hello, Resume, STDIN_BYTES_MAX, StdinEnd, TerminalSize, VersionRange,
};
pub use frame::{FRAME_BYTES_MAX, Frame, FrameDecoder, FrameError, encode};
pub use needs_server::starts_server;
pub use server_frame::{Exit, ExitReason, Refusal, RefusalCode, ServerFrame, Welcome};

/// The protocol version that this build speaks. A draft until release 0.1.0.
pub const PROTOCOL_VERSION: u32 = 1;
