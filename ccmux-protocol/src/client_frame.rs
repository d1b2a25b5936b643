//! What a client says.

use bstr::{BStr, BString, ByteSlice as _};
use ccmux_core::geometry::Size;
use serde::{Deserialize, Serialize};

use crate::frame::{Frame, FrameError, get_json, put_bulk, put_frame, put_json};
use crate::wire_bytes;

const HELLO: u8 = 0x01;
const COMMAND: u8 = 0x02;
const RESUME: u8 = 0x03;
const INPUT: u8 = 0x04;
const RESIZE: u8 = 0x05;
const WAKEUP: u8 = 0x06;
const GOODBYE: u8 = 0x07;
const STDIN: u8 = 0x08;
const STDIN_END: u8 = 0x09;

/// More standard input than this does not travel in one [`ClientFrame::Stdin`].
pub const STDIN_BYTES_MAX: usize = 64 * 1024;

/// A frame from client to server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClientFrame {
    /// Who is there. The first frame of every conversation.
    Hello(Box<Hello>),
    /// A command line as the shell split it; `;` as a word of its own or at the end of one
    /// separates commands. Empty: attach to the last session, or make one.
    Command(Vec<BString>),
    /// Takes up an attachment that a vanished server held. Instead of `Command`.
    Resume(Resume),
    /// The next bytes of standard input, at least one and at most [`STDIN_BYTES_MAX`]. Each answers
    /// one [`ServerFrame::ReadStdin`](crate::ServerFrame::ReadStdin); unasked they are refused.
    Stdin(Vec<u8>),
    /// The other answer to `ReadStdin`: there is no more.
    StdinEnd(StdinEnd),
    /// Bytes typed on the terminal, raw.
    Input(Vec<u8>),
    /// The terminal, or its font, has a new size.
    Resize(TerminalSize),
    /// The client was suspended and has its terminal again, of this size, as the user left it.
    /// Answered by [`ServerFrame::Attached`](crate::ServerFrame::Attached).
    Wakeup(TerminalSize),
    /// The client leaves of its own accord; the attachment ends.
    Goodbye,
}

/// How large a terminal is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TerminalSize {
    /// In cells.
    pub cells: Size,
    /// Width and height of a cell in pixels, if the terminal knows.
    pub cell_px: Option<(u16, u16)>,
}

impl From<Size> for TerminalSize {
    fn from(cells: Size) -> Self {
        TerminalSize { cells, cell_px: None }
    }
}

/// How standard input ended.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct StdinEnd {
    /// Why it could not be read on, in the system's words; `None` at an end in good order.
    #[serde(default)]
    pub error: Option<String>,
}

/// An attachment to take up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resume {
    /// Whether the terminal shows what the vanished server drew: its modes are set, and it must
    /// not be entered a second time. Otherwise it is as the user left it.
    pub is_drawn: bool,
    /// The last [`ServerFrame::Token`](crate::ServerFrame::Token), unread.
    pub token: Vec<u8>,
}

/// The protocol versions that a peer speaks, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VersionRange {
    /// The oldest.
    pub min: u32,
    /// The newest.
    pub max: u32,
}

impl VersionRange {
    /// What this build speaks.
    pub const OURS: VersionRange =
        VersionRange { min: crate::PROTOCOL_VERSION, max: crate::PROTOCOL_VERSION };

    /// The newest version that both speak.
    pub fn common(self, other: VersionRange) -> Option<u32> {
        let newest = self.max.min(other.max);
        (newest >= self.min && newest >= other.min).then_some(newest)
    }
}

/// Who a client is and where it runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The protocol versions it speaks.
    pub versions: VersionRange,
    /// The release of the client.
    #[serde(default)]
    pub client_version: String,
    /// Its process.
    pub pid: u32,
    /// Whether stdin and stdout are a terminal, so that it can attach.
    #[serde(default)]
    pub is_tty: bool,
    /// The path of that terminal.
    #[serde(default, with = "wire_bytes::optional")]
    pub tty: Option<BString>,
    /// Its size; `None` without a terminal, or if it does not know.
    #[serde(default, with = "wire_size::optional")]
    pub size: Option<Size>,
    /// Width and height of the terminal's cells in pixels, if it knows.
    #[serde(default)]
    pub cell_px: Option<(u16, u16)>,
    /// `$TERM`.
    #[serde(default, with = "wire_bytes::optional")]
    pub term: Option<BString>,
    /// `$COLORTERM`.
    #[serde(default, with = "wire_bytes::optional")]
    pub colorterm: Option<BString>,
    /// `$TERM_PROGRAM`.
    #[serde(default, with = "wire_bytes::optional")]
    pub term_program: Option<BString>,
    /// The working directory.
    #[serde(default, with = "wire_bytes::one")]
    pub cwd: BString,
    /// The whole environment.
    #[serde(default, with = "wire_bytes::pairs")]
    pub env: Vec<(BString, BString)>,
    /// What it types must not reach a pane.
    #[serde(default)]
    pub read_only: bool,
}

impl Hello {
    /// A variable of the client's environment.
    pub fn env(&self, name: &str) -> Option<&BStr> {
        self.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_bstr())
    }

    /// Whether the client runs inside a pane: `$CCMUX` is set. Attaching such a client nests.
    pub fn is_inside_pane(&self) -> bool {
        self.env("CCMUX").is_some_and(|value| !value.is_empty())
    }
}

impl Frame for ClientFrame {
    fn encode(&self, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            ClientFrame::Hello(hello) => put_json(HELLO, hello, out)?,
            ClientFrame::Command(argv) => {
                put_json(COMMAND, &WireCommand { argv: argv.clone() }, out)?;
            }
            ClientFrame::Resume(Resume { is_drawn, token }) => {
                let payload = [&[u8::from(*is_drawn)], token.as_slice()].concat();
                put_frame(RESUME, &payload, out)?;
            }
            ClientFrame::Stdin(bytes) => {
                check_stdin(bytes)?;
                put_frame(STDIN, bytes, out)?;
            }
            ClientFrame::StdinEnd(end) => put_json(STDIN_END, end, out)?,
            ClientFrame::Input(bytes) => put_bulk(INPUT, INPUT, bytes, out),
            ClientFrame::Resize(size) => {
                put_json(RESIZE, &wire_size::WireTerminalSize::from(*size), out)?;
            }
            ClientFrame::Wakeup(size) => {
                put_json(WAKEUP, &wire_size::WireTerminalSize::from(*size), out)?;
            }
            ClientFrame::Goodbye => put_frame(GOODBYE, &[], out)?,
        }
        Ok(())
    }

    fn decode(kind: u8, payload: &[u8]) -> Result<Self, FrameError> {
        Ok(match kind {
            HELLO => ClientFrame::Hello(get_json(kind, payload)?),
            COMMAND => ClientFrame::Command(get_json::<WireCommand>(kind, payload)?.argv),
            RESUME => {
                let (flags, token) = payload.split_first().ok_or_else(|| {
                    FrameError::Malformed { kind, message: "the payload is empty".to_owned() }
                })?;
                ClientFrame::Resume(Resume { is_drawn: flags & 1 != 0, token: token.to_vec() })
            }
            STDIN => {
                check_stdin(payload)?;
                ClientFrame::Stdin(payload.to_vec())
            }
            STDIN_END => ClientFrame::StdinEnd(get_json(kind, payload)?),
            INPUT => ClientFrame::Input(payload.to_vec()),
            RESIZE => ClientFrame::Resize(terminal_size(kind, payload)?),
            WAKEUP => ClientFrame::Wakeup(terminal_size(kind, payload)?),
            GOODBYE => ClientFrame::Goodbye,
            _ => return Err(FrameError::UnknownKind { kind }),
        })
    }
}

fn terminal_size(kind: u8, payload: &[u8]) -> Result<TerminalSize, FrameError> {
    Ok(get_json::<wire_size::WireTerminalSize>(kind, payload)?.into())
}

fn check_stdin(bytes: &[u8]) -> Result<(), FrameError> {
    if (1..=STDIN_BYTES_MAX).contains(&bytes.len()) {
        return Ok(());
    }
    let message = format!("{} bytes of stdin, 1 to {STDIN_BYTES_MAX} are allowed", bytes.len());
    Err(FrameError::Malformed { kind: STDIN, message })
}

#[derive(Serialize, Deserialize)]
struct WireCommand {
    #[serde(with = "wire_bytes::list")]
    argv: Vec<BString>,
}

/// Sizes on the wire. Whatever a peer claims, what comes out is within the bounds of [`Size`].
mod wire_size {
    use super::{Deserialize, Serialize, Size, TerminalSize};

    #[derive(Serialize, Deserialize)]
    pub(super) struct WireSize {
        cols: u16,
        rows: u16,
    }

    impl From<Size> for WireSize {
        fn from(size: Size) -> Self {
            WireSize { cols: size.cols, rows: size.rows }
        }
    }

    impl From<WireSize> for Size {
        fn from(wire: WireSize) -> Self {
            Size { cols: wire.cols.clamp(1, Size::MAX), rows: wire.rows.clamp(1, Size::MAX) }
        }
    }

    #[derive(Serialize, Deserialize)]
    pub(super) struct WireTerminalSize {
        #[serde(flatten)]
        cells: WireSize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cell_px: Option<(u16, u16)>,
    }

    impl From<TerminalSize> for WireTerminalSize {
        fn from(TerminalSize { cells, cell_px }: TerminalSize) -> Self {
            WireTerminalSize { cells: cells.into(), cell_px }
        }
    }

    impl From<WireTerminalSize> for TerminalSize {
        fn from(WireTerminalSize { cells, cell_px }: WireTerminalSize) -> Self {
            TerminalSize { cells: cells.into(), cell_px }
        }
    }

    pub(super) mod optional {
        use serde::{Deserializer, Serializer};

        use super::{Deserialize, Serialize, Size, WireSize};

        #[expect(
            clippy::ref_option,
            clippy::trivially_copy_pass_by_ref,
            reason = "the signature is serde's"
        )]
        pub(in super::super) fn serialize<S: Serializer>(
            size: &Option<Size>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            size.map(WireSize::from).serialize(to)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Size>, D::Error> {
            Ok(Option::<WireSize>::deserialize(from)?.map(Size::from))
        }
    }
}
