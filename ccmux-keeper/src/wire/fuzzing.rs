//! Any bytes at all as what a peer says; see `ccmux-server`'s `persistence::fuzzing`.

use std::fs::File;
use std::os::fd::OwnedFd;

use uuid::Uuid;

use super::WireError;
use super::frame::{DOORBELL, Frame, FrameReader, Piece};
use super::message::{Descriptors, FailedStep, Failure, ToKeeper, ToServer};
use crate::child::ChildSpec;
use crate::ring::WindowSize;

/// Reads the input as what a server says and as what a keeper says. Returns whether there was a
/// message in it.
///
/// # Panics
/// If a message that was read and is written again is another one, or it matters in which pieces
/// the bytes arrive.
pub fn fuzz_connection(input: &[u8]) -> bool {
    let to_keeper = messages(input, ToKeeper::limit, |frame, descriptors| {
        ToKeeper::decode(frame, descriptors)?.map(ToKeeper::encode).transpose()
    });
    let to_server = messages(input, ToServer::limit, |frame, descriptors| {
        ToServer::decode(frame, descriptors)?.map(ToServer::encode).transpose()
    });
    to_keeper || to_server
}

type Encoded = (Vec<u8>, Vec<OwnedFd>);
type Reencode = fn(&Frame, &mut Descriptors) -> Result<Option<Encoded>, WireError>;

fn messages(input: &[u8], limit: fn(u8) -> usize, reencode: Reencode) -> bool {
    let whole = frames(input, input.len().max(1), limit);
    assert_eq!(whole, frames(input, 3, limit), "it matters how the bytes arrive");
    let mut is_any = false;
    for frame in &whole {
        assert!(frame.payload.len() <= limit(frame.kind));
        let Ok(Some((once, _))) = reencode(frame, &mut two_descriptors()) else { continue };
        let [frame] = frames(&once, once.len(), limit).try_into().expect("one frame was written");
        let twice = reencode(&frame, &mut two_descriptors());
        let (twice, _) = twice.expect("what is written can be read").expect("its kind is known");
        assert_eq!(twice, once, "a message read and written differs");
        is_any = true;
    }
    is_any
}

fn frames(input: &[u8], piece: usize, limit: fn(u8) -> usize) -> Vec<Frame> {
    let mut reader = FrameReader::default();
    let mut frames = Vec::new();
    for piece in input.chunks(piece) {
        reader.push(piece);
        loop {
            match reader.next(limit) {
                Ok(Some(Piece::Frame(frame))) => frames.push(frame),
                Ok(Some(Piece::Doorbell)) => {}
                Ok(None) => break,
                Err(_) => return frames,
            }
        }
    }
    frames
}

/// What any frame may ask for.
fn two_descriptors() -> Descriptors {
    let mut descriptors = Descriptors::default();
    for _ in 0..2 {
        descriptors.push(null());
    }
    descriptors
}

fn null() -> OwnedFd {
    File::open("/dev/null").expect("every system has it").into()
}

/// One of each message, with doorbells between them: what each side says.
pub fn fuzz_seeds() -> Vec<Vec<u8>> {
    let spec = ChildSpec {
        argv: vec!["/bin/sh".into(), "-c".into(), "echo hello".into()],
        argv0: Some("-sh".into()),
        env: vec![("HOME".into(), "/home/someone".into()), ("EMPTY".into(), "".into())],
        cwd: Some("/".into()),
        size: WindowSize { rows: 24, cols: 80, width_px: 800, height_px: 600 },
        stream_offset: 77,
        oom_score_adj: Some(-5),
    };
    let (uuid, versions) = (Uuid::from_u128(7), (*super::VERSIONS.start(), *super::VERSIONS.end()));
    let (master, ring) = (null(), null());
    let from_server = [
        ToKeeper::Hello { versions, uuid, server_pid: 1 },
        ToKeeper::Start(spec),
        ToKeeper::Replace { child_pid: 2, oom_score_adj: Some(0), master, ring },
        ToKeeper::Release,
        ToKeeper::End { signal: 1 },
        ToKeeper::Signal { signal: 15 },
        ToKeeper::Goodbye,
    ];
    let (master, ring) = (null(), null());
    let failure = Failure { step: FailedStep::Exec, errno: 2, message: "not found".to_owned() };
    let from_keeper = [
        ToServer::Welcome { version: versions.1, uuid, keeper_pid: 3 },
        ToServer::Ready { child_pid: 2, master, ring },
        ToServer::Failed(failure),
    ];
    let joined = |encoded: Vec<Result<Encoded, WireError>>| {
        let bytes = encoded.into_iter().map(|encoded| encoded.expect("it is small").0);
        bytes.collect::<Vec<_>>().join(&DOORBELL)
    };
    vec![
        joined(from_server.into_iter().map(ToKeeper::encode).collect()),
        joined(from_keeper.into_iter().map(ToServer::encode).collect()),
    ]
}
