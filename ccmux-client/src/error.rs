//! What can keep a client from its work.

use std::io;
use std::path::PathBuf;

use bstr::BString;
use ccmux_protocol::rendezvous::{ConnectError, StartError};
use ccmux_protocol::{FrameError, Refusal, RefusalCode, VersionRange};
use thiserror::Error;

/// Why a client failed. The message is what the user gets to read.
#[derive(Debug, Error)]
pub enum ClientError {
    /// There is no server.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The server will not talk to us.
    #[error("the server refused: {}", .0.message)]
    Refused(Refusal),
    /// A server is there and says nothing.
    #[error("the server does not answer")]
    NoAnswer,
    /// What answers says something else first.
    #[error("cannot talk to the server: it does not greet")]
    NoGreeting,
    /// The server chose a protocol that we do not speak.
    #[error("cannot talk to the server: it speaks protocol {version}, this client {} to {}", ours.min, ours.max)]
    Version {
        /// What it chose.
        version: u32,
        /// What we offered.
        ours: VersionRange,
    },
    /// The server went away in the middle.
    #[error("server exited unexpectedly")]
    LostServer,
    /// One server after the other went away before it had drawn anything.
    #[error("{deaths} servers in a row died before they showed anything; their log is {}", log.display())]
    ServersDie {
        /// How many.
        deaths: u32,
        /// Where the reason may be found.
        log: PathBuf,
    },
    /// The server sent what is no frame, or cannot be sent one.
    #[error("cannot talk to the server: {0}")]
    Frame(#[from] FrameError),
    /// The server wants to attach a client that has no terminal.
    #[error("open terminal failed: not a terminal")]
    NoTerminal,
    /// The terminal cannot be used.
    #[error("open terminal failed: {0}")]
    Terminal(#[source] io::Error),
    /// Signals cannot be caught, without which the terminal might not be given back.
    #[error("cannot catch signals: {0}")]
    Signals(#[source] io::Error),
    /// The shell that was to follow us cannot be run.
    #[error("{0}: {1}")]
    Shell(BString, #[source] io::Error),
    /// The operating system failed in something that does not fail.
    #[error("cannot wait for input: {0}")]
    Wait(#[source] io::Error),
}

impl ClientError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ClientError::Start(error) => error.hint(),
            ClientError::Refused(refusal) => refusal.hint.clone(),
            ClientError::ServersDie { .. } => {
                Some("the programs live on; `ccmux attach-session` tries again".to_owned())
            }
            _ => None,
        }
    }

    /// Whether another server was just taking over: nothing has been done for us, and that one is to
    /// be asked.
    pub(crate) fn is_restart(&self) -> bool {
        matches!(self, ClientError::Refused(Refusal { code: RefusalCode::Restarting, .. }))
    }

    /// Whether a server ended in order, leaving nothing to come back to.
    pub(crate) fn is_orderly_end(&self) -> bool {
        matches!(self, ClientError::Start(StartError::Connect(ConnectError::NotRunning { .. })))
    }
}
