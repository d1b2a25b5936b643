//! What a server says.

use bstr::BString;
use serde::{Deserialize, Serialize};

use crate::frame::{Frame, FrameError, get_json, put_bulk, put_frame, put_json};
use crate::wire_bytes;

const WELCOME: u8 = 0x81;
const REFUSED: u8 = 0x82;
const ATTACHED: u8 = 0x83;
const TOKEN: u8 = 0x84;
const OUTPUT: u8 = 0x85;
const OUTPUT_PART: u8 = 0x86;
const STDOUT: u8 = 0x87;
const STDERR: u8 = 0x88;
const SUSPEND: u8 = 0x89;
const EXIT: u8 = 0x8a;
const LEAVE: u8 = 0x8b;
const READ_STDIN: u8 = 0x8c;
const ASKS: u8 = 0x8d;
const ANSWERED: u8 = 0x8e;

/// A frame from server to client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServerFrame {
    /// The answer to `Hello`.
    Welcome(Welcome),
    /// The other answer to `Hello`, or to anything that is not a frame. The conversation is over.
    Refused(Refusal),
    /// The client has a session: its terminal becomes raw now. Answers a `Command` that attaches,
    /// each `Resume` that succeeds, and each `Wakeup`. The first `Output` thereafter enters the
    /// terminal (alternate screen, modes) and draws everything; only after a `Resume` whose
    /// terminal is drawn already it does not enter. Output between a `Wakeup` and its answer is
    /// for a terminal that is no more, and is not shown.
    Attached,
    /// The bytes that give the terminal back as it was. Sent before `Attached`, or between it and
    /// the first `Output`, and never as an `Output`: the client writes them itself, once, however
    /// it ends.
    Leave(Vec<u8>),
    /// What to send as `Resume` should the server vanish; replaces the one before.
    Token(Vec<u8>),
    /// Escape bytes for the terminal that belong together: the terminal gets all or none of them.
    Output(Vec<u8>),
    /// The beginning of an `Output` that is too long for one frame; more follows. [`encode`]
    /// splits as needed, nobody else makes these.
    ///
    /// [`encode`]: crate::encode
    OutputPart(Vec<u8>),
    /// The next `Output` asks the terminal something, or may do so. A client that leaves before the answer
    /// has come takes care that nobody else reads it.
    Asks,
    /// The terminal has answered what it was asked.
    Answered,
    /// Bytes for the client's stdout.
    Stdout(Vec<u8>),
    /// Bytes for the client's stderr.
    Stderr(Vec<u8>),
    /// Asks for the next piece of the client's standard input, while its command line runs: a
    /// [`ClientFrame::Stdin`](crate::ClientFrame::Stdin) or
    /// [`StdinEnd`](crate::ClientFrame::StdinEnd) answers, as soon as there is something to
    /// answer. The next piece is asked for when this one has been used, so that no more than one
    /// is ever on its way. Without an answer until then, an `Exit` settles it.
    ReadStdin,
    /// The client gives the terminal back and stops as `C-z` would; `Wakeup` follows when it is
    /// continued.
    Suspend,
    /// The last frame: the client ends.
    Exit(Exit),
}

/// A server that will listen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Welcome {
    /// The protocol version of the rest of the conversation.
    pub version: u32,
    /// The server's process.
    pub server_pid: u32,
    /// Its release.
    #[serde(default)]
    pub server_version: String,
}

/// A server that will not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Refusal {
    /// The kind of refusal, for programs.
    pub code: RefusalCode,
    /// What is wrong, for people: a lower-case fragment.
    pub message: String,
    /// What they can do about it.
    #[serde(default)]
    pub hint: Option<String>,
}

/// Kinds of refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalCode {
    /// No protocol version in common.
    Version,
    /// Not a frame, or one that does not belong there.
    Protocol,
    /// The peer is another user.
    Peer,
    /// The server cannot take another client now.
    Busy,
    /// Another server takes over at this moment. Nothing has been done for the client: it connects
    /// and asks again.
    Restarting,
    /// A code of a newer release.
    #[serde(other)]
    Other,
}

/// How a client ends.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exit {
    /// The exit status of the client.
    pub code: u8,
    /// Why. An attached client says so after it restored the terminal.
    #[serde(default)]
    pub reason: ExitReason,
    /// Whether what the command changed is on disk; `false` while the server runs degraded. Never
    /// part of code, stdout or stderr: scripts take those for failure.
    #[serde(default = "yes")]
    pub durable: bool,
}

/// Why a client ends, in tmux's words.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum ExitReason {
    /// The command is done; nothing to say.
    #[default]
    Done,
    /// `[detached (from session NAME)]`
    Detached {
        /// The name of the session.
        #[serde(with = "wire_bytes::one")]
        session: BString,
    },
    /// `[detached and SIGHUP (from session NAME)]`: the client hangs up on its parent, most often a
    /// shell, whose terminal closes then.
    HungUp {
        /// The name of the session.
        #[serde(with = "wire_bytes::one")]
        session: BString,
    },
    /// Nothing is said: the client becomes a shell that runs a command.
    Replaced {
        /// The path of the shell.
        #[serde(with = "wire_bytes::one")]
        shell: BString,
        /// The command.
        #[serde(with = "wire_bytes::one")]
        command: BString,
    },
    /// `[exited]`: the session is gone.
    Exited,
    /// `[server exited]`: an orderly end of the server.
    ServerExited,
    /// `[terminated]`
    Terminated,
    /// `[lost tty]`
    LostTty,
    /// Anything else, to be shown in brackets as it is.
    Message {
        /// The text.
        #[serde(with = "wire_bytes::one")]
        text: BString,
    },
    /// A reason of a newer release; shown as `[exited]`.
    #[serde(other)]
    Other,
}

impl Exit {
    /// The end of a command that succeeded or failed (`code`) and attached nobody.
    pub fn done(code: u8) -> Self {
        Exit { code, reason: ExitReason::Done, durable: true }
    }
}

impl Frame for ServerFrame {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            ServerFrame::Welcome(welcome) => put_json(WELCOME, welcome, out)?,
            ServerFrame::Refused(refusal) => put_json(REFUSED, refusal, out)?,
            ServerFrame::Attached => put_frame(ATTACHED, &[], out)?,
            ServerFrame::Leave(bytes) => put_frame(LEAVE, bytes, out)?,
            ServerFrame::Token(token) => put_frame(TOKEN, token, out)?,
            ServerFrame::Output(bytes) => put_bulk(OUTPUT_PART, OUTPUT, bytes, out),
            ServerFrame::OutputPart(bytes) => put_bulk(OUTPUT_PART, OUTPUT_PART, bytes, out),
            ServerFrame::Asks => put_frame(ASKS, &[], out)?,
            ServerFrame::Answered => put_frame(ANSWERED, &[], out)?,
            ServerFrame::Stdout(bytes) => put_bulk(STDOUT, STDOUT, bytes, out),
            ServerFrame::Stderr(bytes) => put_bulk(STDERR, STDERR, bytes, out),
            ServerFrame::ReadStdin => put_frame(READ_STDIN, &[], out)?,
            ServerFrame::Suspend => put_frame(SUSPEND, &[], out)?,
            ServerFrame::Exit(exit) => put_json(EXIT, exit, out)?,
        }
        Ok(())
    }

    fn decode(kind: u8, payload: &[u8]) -> Result<Self, FrameError> {
        Ok(match kind {
            WELCOME => ServerFrame::Welcome(get_json(kind, payload)?),
            REFUSED => ServerFrame::Refused(get_json(kind, payload)?),
            ATTACHED => ServerFrame::Attached,
            LEAVE => ServerFrame::Leave(payload.to_vec()),
            TOKEN => ServerFrame::Token(payload.to_vec()),
            OUTPUT => ServerFrame::Output(payload.to_vec()),
            OUTPUT_PART => ServerFrame::OutputPart(payload.to_vec()),
            ASKS => ServerFrame::Asks,
            ANSWERED => ServerFrame::Answered,
            STDOUT => ServerFrame::Stdout(payload.to_vec()),
            STDERR => ServerFrame::Stderr(payload.to_vec()),
            READ_STDIN => ServerFrame::ReadStdin,
            SUSPEND => ServerFrame::Suspend,
            EXIT => ServerFrame::Exit(get_json(kind, payload)?),
            _ => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

fn yes() -> bool {
    true
}
