//! A non-blocking connection that carries frames, their descriptors, and doorbells.
//!
//! Nothing here waits: what the socket does not take is queued and sent when it can be. A peer
//! that is gone shows as the end of what it sent, never as an error of sending, so that its last
//! words are always read.

use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use super::WireError;
use super::frame::{DOORBELL, Frame, FrameReader, Piece};
use super::message::Descriptors;

/// Bytes read at a time.
const CHUNK_BYTES: usize = 4 * 1024;

/// Chunks read before the caller gets to do something else.
const CHUNKS_MAX: usize = 32;

/// One end of a connection between server and keeper.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    reader: FrameReader,
    descriptors: Descriptors,
    outbound: VecDeque<Outbound>,
    /// Sending failed: the peer is gone, only what it sent before can still arrive.
    deaf_peer: bool,
}

#[derive(Debug)]
struct Outbound {
    bytes: Vec<u8>,
    sent: usize,
    descriptors: Vec<OwnedFd>,
}

/// What one call of [`Connection::receive`] brought.
#[derive(Debug, Default)]
pub(crate) struct Received {
    pub(crate) frames: Vec<Frame>,
    pub(crate) doorbell: bool,
    pub(crate) closed: bool,
    /// Reading stopped before everything was read, because there was so much.
    pub(crate) is_partial: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl Connection {
    pub(crate) fn new(stream: UnixStream) -> io::Result<Connection> {
        stream.set_nonblocking(true)?;
        Ok(Connection {
            stream,
            reader: FrameReader::default(),
            descriptors: Descriptors::default(),
            outbound: VecDeque::new(),
            deaf_peer: false,
        })
    }

    /// Sends an encoded frame with its descriptors, now or when the socket takes it.
    pub(crate) fn send(&mut self, (bytes, descriptors): (Vec<u8>, Vec<OwnedFd>)) -> io::Result<()> {
        if !self.deaf_peer {
            self.outbound.push_back(Outbound { bytes, sent: 0, descriptors });
        }
        self.flush()
    }

    /// Rings the peer. Dropped when the socket is full: the peer then has bytes to read, which
    /// wake it just as well, and it looks at the ring after reading them.
    pub(crate) fn ring_bell(&mut self) -> io::Result<()> {
        // A bell may not fall into the middle of a frame, so what is queued goes first; while
        // something stays queued the socket is full.
        self.flush()?;
        if self.outbound.is_empty() && !self.deaf_peer {
            match send_some(&self.stream, &[DOORBELL], &[]) {
                Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS) => {}
                Err(errno) => self.send_failed(errno)?,
            }
        }
        Ok(())
    }

    /// Sends what is queued, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while let Some(next) = self.outbound.front_mut() {
            match send_some(&self.stream, &next.bytes[next.sent..], &next.descriptors) {
                Ok(count) => {
                    // They travelled with the first byte, whether or not the rest did.
                    next.descriptors.clear();
                    next.sent += count;
                    if next.sent == next.bytes.len() {
                        self.outbound.pop_front();
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) => break,
                Err(errno) => return self.send_failed(errno),
            }
        }
        Ok(())
    }

    /// Whether something waits for the socket to become writable.
    pub(crate) fn wants_write(&self) -> bool {
        !self.outbound.is_empty()
    }

    /// Reads what there is, up to 128 KiB. `limit` is the most payload bytes a frame of a kind may carry.
    pub(crate) fn receive(
        &mut self,
        limit: impl Fn(u8) -> usize,
    ) -> Result<Received, ReceiveError> {
        let mut received = Received::default();
        let mut chunk = [0; CHUNK_BYTES];
        for _ in 0..CHUNKS_MAX {
            match receive_some(&self.stream, &mut chunk, &mut self.descriptors) {
                Ok(0) | Err(Errno::CONNRESET | Errno::PIPE) => {
                    received.closed = true;
                    return Ok(received);
                }
                Ok(count) => self.reader.push(&chunk[..count]),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return Ok(received),
                Err(errno) => return Err(io::Error::from(errno).into()),
            }
            while let Some(piece) = self.reader.next(&limit)? {
                match piece {
                    Piece::Doorbell => received.doorbell = true,
                    Piece::Frame(frame) => received.frames.push(frame),
                }
            }
        }
        received.is_partial = true;
        Ok(received)
    }

    /// The descriptors that have arrived and were not claimed by a frame yet.
    pub(crate) fn descriptors(&mut self) -> &mut Descriptors {
        &mut self.descriptors
    }

    fn send_failed(&mut self, errno: Errno) -> io::Result<()> {
        if !matches!(errno, Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) {
            return Err(errno.into());
        }
        self.deaf_peer = true;
        self.outbound.clear();
        Ok(())
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::NOSIGNAL;
/// Without this flag a vanished peer raises SIGPIPE, which the Rust runtime and the keeper ignore.
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::empty();

fn send_some(
    stream: &UnixStream,
    bytes: &[u8],
    descriptors: &[OwnedFd],
) -> rustix::io::Result<usize> {
    let borrowed: Vec<BorrowedFd<'_>> = descriptors.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !borrowed.is_empty() {
        let fits = control.push(SendAncillaryMessage::ScmRights(&borrowed));
        assert!(fits, "BUG: a frame with more descriptors than the protocol has");
    }
    sendmsg(stream, &[IoSlice::new(bytes)], &mut control, SEND_FLAGS)
}

#[cfg(target_os = "linux")]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::CMSG_CLOEXEC;
#[cfg(not(target_os = "linux"))]
const RECEIVE_FLAGS: RecvFlags = RecvFlags::empty();

fn receive_some(
    stream: &UnixStream,
    chunk: &mut [u8],
    descriptors: &mut Descriptors,
) -> rustix::io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut buffers = [IoSliceMut::new(chunk)];
    let count = recvmsg(stream, &mut buffers, &mut control, RECEIVE_FLAGS)?.bytes;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(arrived) = message {
            for descriptor in arrived {
                #[cfg(not(target_os = "linux"))]
                rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::CLOEXEC)?;
                descriptors.push(descriptor);
            }
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn pair() -> (Connection, Connection) {
        let (one, two) = UnixStream::pair().unwrap();
        (Connection::new(one).unwrap(), Connection::new(two).unwrap())
    }

    /// A frame larger than any socket buffer arrives whole, with bells that never fall into it.
    #[test]
    fn a_large_frame_goes_out_in_pieces_and_bells_wait_their_turn() {
        let (mut one, mut two) = pair();
        let mut frame = vec![9, 0, 0, 0];
        frame.extend_from_slice(&(3_000_000_u32).to_le_bytes());
        frame.extend(std::iter::repeat_n(1, 3_000_000));
        one.send((frame, Vec::new())).unwrap();
        assert!(one.wants_write(), "three megabytes fitted into a socket");
        let mut frames = Vec::new();
        let mut rang = false;
        while frames.is_empty() || !rang {
            one.ring_bell().unwrap();
            let received = two.receive(|_| 4_000_000).unwrap();
            frames.extend(received.frames);
            rang |= received.doorbell;
        }
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].payload, vec![1; 3_000_000]);
    }

    /// A peer that never stops talking gets its turn, not all turns.
    #[test]
    fn one_call_reads_a_bounded_amount() {
        use std::io::Write as _;
        let (mut one, mut two) = pair();
        let mut written = 0;
        while let Ok(count) = two.stream.write(&[DOORBELL; CHUNK_BYTES]) {
            written += count;
        }
        assert!(written > CHUNKS_MAX * CHUNK_BYTES, "a socket holds only {written} bytes");
        assert!(one.receive(|_| 64).unwrap().is_partial);
        assert!(!one.receive(|_| 64).unwrap().is_partial);
    }

    /// Bells on a full socket are dropped, not queued and not an error.
    #[test]
    fn bells_on_a_full_socket_are_dropped() {
        let (mut one, two) = pair();
        for _ in 0..100_000 {
            one.ring_bell().unwrap();
        }
        assert!(!one.wants_write());
        let mut stream = two.stream;
        let mut byte = [7];
        stream.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [DOORBELL]);
    }

    #[test]
    fn the_last_words_of_a_dead_peer_are_read() {
        let (mut one, mut two) = pair();
        two.send((vec![9, 0, 0, 0, 0, 0, 0, 0], Vec::new())).unwrap();
        drop(two);
        one.send((vec![8, 0, 0, 0, 0, 0, 0, 0], Vec::new())).unwrap();
        let received = one.receive(|_| 64).unwrap();
        assert!(received.closed);
        assert_eq!(received.frames.len(), 1);
    }
}
