//! The messages, and their fields' tags. What a frame means, not when it may come.

use std::os::fd::OwnedFd;

use bstr::BString;
use uuid::Uuid;

use super::WireError;
use super::frame::{Frame, FrameBuilder, fields};
use crate::child::ChildSpec;
use crate::ring::{RingError, WindowSize};

/// The most bytes a START may carry: arguments and environment.
pub(crate) const START_BYTES_MAX: usize = 4 * 1024 * 1024;

const SMALL_BYTES_MAX: usize = 4096;
const MESSAGE_BYTES_MAX: usize = 1024;

mod kind {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const START: u8 = 0x02;
    pub(super) const REPLACE: u8 = 0x03;
    pub(super) const RELEASE: u8 = 0x04;
    pub(super) const END: u8 = 0x05;
    pub(super) const SIGNAL: u8 = 0x06;
    pub(super) const GOODBYE: u8 = 0x07;
    pub(super) const STASH: u8 = 0x08;
    pub(super) const FORGET: u8 = 0x09;
    pub(super) const WELCOME: u8 = 0x81;
    pub(super) const READY: u8 = 0x82;
    pub(super) const FAILED: u8 = 0x83;
    pub(super) const STASHED: u8 = 0x84;
}

mod tag {
    pub(super) const VERSION_LEAST: u16 = 1;
    pub(super) const VERSION_MOST: u16 = 2;
    pub(super) const VERSION: u16 = 3;
    pub(super) const UUID: u16 = 4;
    pub(super) const SERVER_PID: u16 = 5;
    pub(super) const KEEPER_PID: u16 = 6;
    pub(super) const CHILD_PID: u16 = 7;
    pub(super) const ARGUMENT: u16 = 16;
    pub(super) const ARGUMENT_ZERO: u16 = 17;
    pub(super) const VARIABLE: u16 = 18;
    pub(super) const DIRECTORY: u16 = 19;
    pub(super) const WINDOW_SIZE: u16 = 20;
    pub(super) const OOM_SCORE_ADJ: u16 = 21;
    pub(super) const STREAM_OFFSET: u16 = 22;
    pub(super) const SIGNAL: u16 = 32;
    pub(super) const STEP: u16 = 48;
    pub(super) const ERRNO: u16 = 49;
    pub(super) const TEXT: u16 = 50;
}

/// What a server says.
#[derive(Debug)]
pub(crate) enum ToKeeper {
    Hello { versions: (u16, u16), uuid: Uuid, server_pid: u32 },
    Start(ChildSpec),
    Replace { child_pid: u32, oom_score_adj: Option<i32>, master: OwnedFd, ring: OwnedFd },
    Release,
    End { signal: i32 },
    Signal { signal: i32 },
    Goodbye,
    Stash(OwnedFd),
    Forget,
}

/// What a keeper says.
#[derive(Debug)]
pub(crate) enum ToServer {
    Welcome { version: u16, uuid: Uuid, keeper_pid: u32 },
    Ready { child_pid: u32, master: OwnedFd, ring: OwnedFd },
    Failed(Failure),
    Stashed(OwnedFd),
}

/// Why a keeper could not do what it was started for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{step}: {message}")]
pub struct Failure {
    /// What it was doing.
    pub step: FailedStep,
    /// The system's error number, 0 if there is none.
    pub errno: i32,
    /// What went wrong, in words.
    pub message: String,
}

/// The step at which a keeper failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[repr(u8)]
pub enum FailedStep {
    /// Server and keeper share no protocol version, or the pane is another one.
    #[error("cannot agree with the keeper")]
    Hello = 1,
    /// The socket in the pane's directory.
    #[error("cannot listen in the pane's directory")]
    Listen = 2,
    /// The ring: its memory, or a damaged header. A running keeper that sends this has stopped
    /// reading the pty, so the program will block; it can still be ended and released.
    #[error("cannot use the ring")]
    Ring = 3,
    /// The pseudo-terminal.
    #[error("cannot open a pseudo-terminal")]
    Pty = 4,
    /// Starting the program.
    #[error("cannot start the program")]
    Exec = 5,
    /// Something this release has no name for.
    #[error("keeper failed")]
    Other = 255,
}

impl ToKeeper {
    /// The most payload bytes a frame from a server may carry.
    pub(crate) fn limit(kind: u8) -> usize {
        if kind == kind::START { START_BYTES_MAX } else { SMALL_BYTES_MAX }
    }

    pub(crate) fn encode(self) -> Result<(Vec<u8>, Vec<OwnedFd>), WireError> {
        let mut descriptors = Vec::new();
        let (kind, frame) = match self {
            ToKeeper::Hello { versions: (least, most), uuid, server_pid } => (
                kind::HELLO,
                FrameBuilder::new(kind::HELLO)
                    .field(tag::VERSION_LEAST, &[&least.to_le_bytes()])
                    .field(tag::VERSION_MOST, &[&most.to_le_bytes()])
                    .field(tag::UUID, &[uuid.as_bytes()])
                    .field(tag::SERVER_PID, &[&server_pid.to_le_bytes()]),
            ),
            ToKeeper::Start(spec) => (kind::START, encode_start(&spec)),
            ToKeeper::Replace { child_pid, oom_score_adj, master, ring } => {
                descriptors.extend([master, ring]);
                let frame = FrameBuilder::new(kind::REPLACE)
                    .field(tag::CHILD_PID, &[&child_pid.to_le_bytes()]);
                (kind::REPLACE, oom_field(frame, oom_score_adj))
            }
            ToKeeper::Release => (kind::RELEASE, FrameBuilder::new(kind::RELEASE)),
            ToKeeper::End { signal } => (
                kind::END,
                FrameBuilder::new(kind::END).field(tag::SIGNAL, &[&signal.to_le_bytes()]),
            ),
            ToKeeper::Signal { signal } => (
                kind::SIGNAL,
                FrameBuilder::new(kind::SIGNAL).field(tag::SIGNAL, &[&signal.to_le_bytes()]),
            ),
            ToKeeper::Goodbye => (kind::GOODBYE, FrameBuilder::new(kind::GOODBYE)),
            ToKeeper::Stash(stash) => {
                descriptors.push(stash);
                (kind::STASH, FrameBuilder::new(kind::STASH))
            }
            ToKeeper::Forget => (kind::FORGET, FrameBuilder::new(kind::FORGET)),
        };
        Ok((frame.finish(ToKeeper::limit(kind))?, descriptors))
    }

    /// The message in a frame; `None` for a kind this release does not know, to be passed over.
    /// Takes the descriptors that belong to it from the front of `descriptors`.
    pub(crate) fn decode(
        frame: &Frame,
        descriptors: &mut Descriptors,
    ) -> Result<Option<ToKeeper>, WireError> {
        let payload = &frame.payload;
        Ok(Some(match frame.kind {
            kind::HELLO => {
                let hello = Fields::parse("HELLO", payload)?;
                ToKeeper::Hello {
                    versions: (
                        u16::from_le_bytes(hello.array(tag::VERSION_LEAST)?),
                        u16::from_le_bytes(hello.array(tag::VERSION_MOST)?),
                    ),
                    uuid: Uuid::from_bytes(hello.array(tag::UUID)?),
                    server_pid: u32::from_le_bytes(hello.array(tag::SERVER_PID)?),
                }
            }
            kind::START => ToKeeper::Start(decode_start(&Fields::parse("START", payload)?)?),
            kind::REPLACE => {
                let replace = Fields::parse("REPLACE", payload)?;
                let (master, ring) = descriptors.take_two("REPLACE")?;
                ToKeeper::Replace {
                    child_pid: replace.pid(tag::CHILD_PID)?,
                    oom_score_adj: replace.optional_i32(tag::OOM_SCORE_ADJ)?,
                    master,
                    ring,
                }
            }
            kind::RELEASE => ToKeeper::Release,
            kind::END => ToKeeper::End { signal: Fields::parse("END", payload)?.signal()? },
            kind::SIGNAL => {
                ToKeeper::Signal { signal: Fields::parse("SIGNAL", payload)?.signal()? }
            }
            kind::GOODBYE => ToKeeper::Goodbye,
            kind::STASH => ToKeeper::Stash(descriptors.take_one("STASH")?),
            kind::FORGET => ToKeeper::Forget,
            _ => return Ok(None),
        }))
    }
}

impl ToServer {
    /// The most payload bytes a frame from a keeper may carry.
    pub(crate) fn limit(_kind: u8) -> usize {
        SMALL_BYTES_MAX
    }

    pub(crate) fn encode(self) -> Result<(Vec<u8>, Vec<OwnedFd>), WireError> {
        let mut descriptors = Vec::new();
        let frame = match self {
            ToServer::Welcome { version, uuid, keeper_pid } => FrameBuilder::new(kind::WELCOME)
                .field(tag::VERSION, &[&version.to_le_bytes()])
                .field(tag::UUID, &[uuid.as_bytes()])
                .field(tag::KEEPER_PID, &[&keeper_pid.to_le_bytes()]),
            ToServer::Ready { child_pid, master, ring } => {
                descriptors.extend([master, ring]);
                FrameBuilder::new(kind::READY).field(tag::CHILD_PID, &[&child_pid.to_le_bytes()])
            }
            ToServer::Failed(failure) => {
                let text = failure.message.as_bytes();
                FrameBuilder::new(kind::FAILED)
                    .field(tag::STEP, &[&[failure.step as u8]])
                    .field(tag::ERRNO, &[&failure.errno.to_le_bytes()])
                    .field(tag::TEXT, &[&text[..text.len().min(MESSAGE_BYTES_MAX)]])
            }
            ToServer::Stashed(stash) => {
                descriptors.push(stash);
                FrameBuilder::new(kind::STASHED)
            }
        };
        Ok((frame.finish(SMALL_BYTES_MAX)?, descriptors))
    }

    /// As [`ToKeeper::decode`], for the other direction.
    pub(crate) fn decode(
        frame: &Frame,
        descriptors: &mut Descriptors,
    ) -> Result<Option<ToServer>, WireError> {
        let payload = &frame.payload;
        Ok(Some(match frame.kind {
            kind::WELCOME => {
                let welcome = Fields::parse("WELCOME", payload)?;
                ToServer::Welcome {
                    version: u16::from_le_bytes(welcome.array(tag::VERSION)?),
                    uuid: Uuid::from_bytes(welcome.array(tag::UUID)?),
                    keeper_pid: welcome.pid(tag::KEEPER_PID)?,
                }
            }
            kind::READY => {
                let ready = Fields::parse("READY", payload)?;
                let (master, ring) = descriptors.take_two("READY")?;
                ToServer::Ready { child_pid: ready.pid(tag::CHILD_PID)?, master, ring }
            }
            kind::FAILED => {
                let failed = Fields::parse("FAILED", payload)?;
                let [step] = failed.array(tag::STEP)?;
                ToServer::Failed(Failure {
                    step: FailedStep::from_byte(step),
                    errno: i32::from_le_bytes(failed.array(tag::ERRNO)?),
                    message: String::from_utf8_lossy(failed.required(tag::TEXT)?).into_owned(),
                })
            }
            kind::STASHED => ToServer::Stashed(descriptors.take_one("STASHED")?),
            _ => return Ok(None),
        }))
    }
}

impl Failure {
    pub(crate) fn from_io(step: FailedStep, error: &std::io::Error) -> Failure {
        Failure { step, errno: error.raw_os_error().unwrap_or(0), message: error.to_string() }
    }

    pub(crate) fn from_ring(error: &RingError) -> Failure {
        let step = FailedStep::Ring;
        match error {
            RingError::Reserve { source, .. } | RingError::Map { source, .. } => {
                let errno = source.raw_os_error().unwrap_or(0);
                Failure { step, errno, message: format!("{error}: {source}") }
            }
            _ => Failure { step, errno: 0, message: error.to_string() },
        }
    }
}

impl FailedStep {
    fn from_byte(byte: u8) -> FailedStep {
        [FailedStep::Hello, FailedStep::Listen, FailedStep::Ring, FailedStep::Pty, FailedStep::Exec]
            .into_iter()
            .find(|step| *step as u8 == byte)
            .unwrap_or(FailedStep::Other)
    }
}

/// Descriptors that have arrived and wait for the frame they belong to.
#[derive(Debug, Default)]
pub(crate) struct Descriptors(Vec<OwnedFd>);

impl Descriptors {
    /// No frame carries more than two; what comes beyond a few is closed at once.
    const MAX: usize = 4;

    pub(crate) fn push(&mut self, descriptor: OwnedFd) {
        if self.0.len() < Descriptors::MAX {
            self.0.push(descriptor);
        }
    }

    fn take_one(&mut self, frame: &'static str) -> Result<OwnedFd, WireError> {
        if self.0.is_empty() {
            return Err(WireError::Malformed { frame, problem: "its descriptor is missing" });
        }
        Ok(self.0.remove(0))
    }

    fn take_two(&mut self, frame: &'static str) -> Result<(OwnedFd, OwnedFd), WireError> {
        let mut waiting = std::mem::take(&mut self.0).into_iter();
        match (waiting.next(), waiting.next()) {
            (Some(first), Some(second)) => {
                self.0.extend(waiting);
                Ok((first, second))
            }
            _ => Err(WireError::Malformed { frame, problem: "its descriptors are missing" }),
        }
    }
}

fn oom_field(frame: FrameBuilder, oom_score_adj: Option<i32>) -> FrameBuilder {
    match oom_score_adj {
        Some(value) => frame.field(tag::OOM_SCORE_ADJ, &[&value.to_le_bytes()]),
        None => frame,
    }
}

fn encode_start(spec: &ChildSpec) -> FrameBuilder {
    let mut frame = FrameBuilder::new(kind::START);
    for argument in &spec.argv {
        frame = frame.field(tag::ARGUMENT, &[argument]);
    }
    if let Some(argument) = &spec.argv0 {
        frame = frame.field(tag::ARGUMENT_ZERO, &[argument]);
    }
    for (name, value) in &spec.env {
        frame = frame.field(tag::VARIABLE, &[name, b"=", value]);
    }
    if let Some(directory) = &spec.cwd {
        frame = frame.field(tag::DIRECTORY, &[directory]);
    }
    let WindowSize { rows, cols, width_px, height_px } = spec.size;
    let size: Vec<u8> =
        [rows, cols, width_px, height_px].into_iter().flat_map(u16::to_le_bytes).collect();
    let frame = frame
        .field(tag::WINDOW_SIZE, &[&size])
        .field(tag::STREAM_OFFSET, &[&spec.stream_offset.to_le_bytes()]);
    oom_field(frame, spec.oom_score_adj)
}

fn decode_start(start: &Fields<'_>) -> Result<ChildSpec, WireError> {
    let argv: Vec<BString> = start.all(tag::ARGUMENT).map(BString::from).collect();
    if argv.is_empty() {
        return Err(start.malformed("no program is named"));
    }
    let env = start
        .all(tag::VARIABLE)
        .map(|variable| {
            let equals = variable.iter().position(|byte| *byte == b'=').filter(|at| *at > 0);
            let at = equals.ok_or(start.malformed("a variable has no name"))?;
            Ok((BString::from(&variable[..at]), BString::from(&variable[at + 1..])))
        })
        .collect::<Result<_, _>>()?;
    let size: [u8; 8] = start.array(tag::WINDOW_SIZE)?;
    let half = |at: usize| u16::from_le_bytes([size[at], size[at + 1]]);
    Ok(ChildSpec {
        argv,
        argv0: start.optional(tag::ARGUMENT_ZERO).map(BString::from),
        env,
        cwd: start.optional(tag::DIRECTORY).map(BString::from),
        size: WindowSize { rows: half(0), cols: half(2), width_px: half(4), height_px: half(6) },
        stream_offset: u64::from_le_bytes(start.array(tag::STREAM_OFFSET)?),
        oom_score_adj: start.optional_i32(tag::OOM_SCORE_ADJ)?,
    })
}

/// The fields of one frame, looked up by tag.
struct Fields<'a> {
    frame: &'static str,
    fields: Vec<(u16, &'a [u8])>,
}

impl<'a> Fields<'a> {
    fn parse(frame: &'static str, payload: &'a [u8]) -> Result<Fields<'a>, WireError> {
        Ok(Fields { frame, fields: fields(frame, payload).collect::<Result<_, _>>()? })
    }

    fn all(&self, tag: u16) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().filter(move |(found, _)| *found == tag).map(|(_, value)| *value)
    }

    fn optional(&self, tag: u16) -> Option<&'a [u8]> {
        self.all(tag).next()
    }

    fn required(&self, tag: u16) -> Result<&'a [u8], WireError> {
        self.optional(tag).ok_or(self.malformed("a field is missing"))
    }

    fn array<const N: usize>(&self, tag: u16) -> Result<[u8; N], WireError> {
        self.required(tag)?.try_into().map_err(|_| self.malformed("a field has the wrong length"))
    }

    fn optional_i32(&self, tag: u16) -> Result<Option<i32>, WireError> {
        match self.optional(tag) {
            Some(_) => Ok(Some(i32::from_le_bytes(self.array(tag)?))),
            None => Ok(None),
        }
    }

    fn pid(&self, tag: u16) -> Result<u32, WireError> {
        let pid = u32::from_le_bytes(self.array(tag)?);
        if (1..=i32::MAX.cast_unsigned()).contains(&pid) {
            Ok(pid)
        } else {
            Err(self.malformed("not a process id"))
        }
    }

    fn signal(&self) -> Result<i32, WireError> {
        Ok(i32::from_le_bytes(self.array(tag::SIGNAL)?))
    }

    fn malformed(&self, problem: &'static str) -> WireError {
        WireError::Malformed { frame: self.frame, problem }
    }
}
