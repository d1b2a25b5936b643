//! A client's socket: frames in, frames out, and never a wait.
//!
//! Output queues here only as far as one answer or one picture is long: the view asks
//! [`Connection::is_flushed`] before it makes the next picture, so a client that does not read
//! costs one picture of memory and delays nobody.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ccmux_protocol::{ClientFrame, FrameDecoder, FrameError, ServerFrame};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How much is read from one client before others get their turn.
const READ_BYTES_MAX: usize = 256 * 1024;
/// A client that leaves more than this unread is not read any more, until it has taken some: more
/// than the picture of any terminal, behind which keys must still get through.
const UNREAD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a client leaves unread beyond this ends its connection. Commands wait long before that.
const QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Small, so that a client that was stopped has few old pictures before the present one.
const SEND_BUFFER_BYTES: usize = 32 * 1024;
/// How long a server that ends waits for a client to take any more of its last words.
const LAST_FLUSH: Duration = Duration::from_millis(200);

/// One connected peer.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    decoder: FrameDecoder<ClientFrame>,
    queue: Vec<u8>,
    sent: usize,
    sent_total: u64,
    is_closed: bool,
}

impl Connection {
    /// Takes over an accepted stream.
    pub(crate) fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        rustix::net::sockopt::set_socket_send_buffer_size(&stream, SEND_BUFFER_BYTES)?;
        Ok(Self {
            stream,
            decoder: FrameDecoder::new(),
            queue: Vec::new(),
            sent: 0,
            sent_total: 0,
            is_closed: false,
        })
    }

    /// Reads what there is and appends complete frames to `out`.
    ///
    /// Returns whether more may be waiting; an end of the stream closes the connection. Nothing is
    /// read from a peer that does not read itself; it is as if it had said nothing until then.
    pub(crate) fn receive(&mut self, out: &mut Vec<ClientFrame>) -> Result<bool, FrameError> {
        if self.unread_bytes() > UNREAD_BYTES_MAX {
            return Ok(false);
        }
        let mut scratch = [0; 16 * 1024];
        let mut total = 0;
        while !self.is_closed && total < READ_BYTES_MAX {
            match self.stream.read(&mut scratch) {
                Ok(0) => self.is_closed = true,
                Ok(len) => {
                    total += len;
                    self.decoder.push(&scratch[..len]);
                    while let Some(frame) = self.decoder.next_frame()? {
                        out.push(frame);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.is_closed = true,
            }
        }
        Ok(!self.is_closed)
    }

    /// Queues a frame and sends what the socket takes.
    pub(crate) fn send(&mut self, frame: &ServerFrame) {
        if self.is_closed {
            return;
        }
        if let Err(error) = ccmux_protocol::encode(frame, &mut self.queue) {
            tracing::error!(%error, "a frame could not be encoded");
        }
        if self.queue.len() - self.sent > QUEUE_BYTES_MAX {
            tracing::warn!("a client left too much unread; closing its connection");
            self.is_closed = true;
        }
        self.flush();
    }

    /// Sends what the socket takes of the queue.
    pub(crate) fn flush(&mut self) {
        while !self.is_closed && self.sent < self.queue.len() {
            match self.stream.write(&self.queue[self.sent..]) {
                Ok(len) => {
                    self.sent += len;
                    self.sent_total += len as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.is_closed = true,
            }
        }
        self.queue.clear();
        self.sent = 0;
    }

    /// Sends what is queued although the process is about to end: waits for the client a moment, as
    /// long as there is time `left`.
    pub(crate) fn flush_last(&mut self, left: impl Fn() -> Duration) {
        self.flush();
        while !self.is_closed && !self.is_flushed() {
            let wait = left().min(LAST_FLUSH);
            if wait.is_zero() {
                return;
            }
            let timeout = Timespec::try_from(wait).expect("less than a second fits");
            let mut fds = [PollFd::new(&self.stream, PollFlags::OUT)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return,
                Ok(_) => self.flush(),
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    /// How much the peer's socket has taken so far.
    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_total
    }

    /// Whether everything queued has been taken by the socket.
    pub(crate) fn is_flushed(&self) -> bool {
        self.queue.is_empty()
    }

    /// How much waits for the peer to take it.
    pub(crate) fn unread_bytes(&self) -> usize {
        self.queue.len() - self.sent
    }

    /// Whether the peer is gone or was given up.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use ccmux_protocol::encode;

    use super::*;

    /// Last words took as long as a peer liked that took a little of them now and then.
    #[test]
    fn a_peer_is_not_waited_for_longer_than_there_is_time() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours).unwrap();
        connection.send(&ServerFrame::Stdout(vec![b'x'; 1 << 20]));
        let left = Cell::new(3);
        connection.flush_last(|| {
            left.set(left.get() - 1);
            // All that the socket holds, so that it takes more.
            let len = (&theirs).read(&mut vec![0; SEND_BUFFER_BYTES * 2]).unwrap();
            assert!(len > 0);
            Duration::from_secs(left.get())
        });
        assert_eq!(left.get(), 0, "it is asked before each wait");
        assert!(!connection.is_flushed() && !connection.is_closed());
    }

    /// Whoever says much and reads nothing had answers piled up, 256 MiB of them.
    #[test]
    fn a_peer_that_does_not_read_is_not_read() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut connection = Connection::new(ours).unwrap();
        let mut wire = Vec::new();
        encode(&ClientFrame::Goodbye, &mut wire).unwrap();
        theirs.write_all(&wire).unwrap();
        let piece = ServerFrame::Stdout(vec![b'x'; 1 << 20]);
        let mut said = 0;
        while connection.unread_bytes() <= UNREAD_BYTES_MAX {
            connection.send(&piece);
            said += 1;
        }
        let mut frames = Vec::new();
        assert!(!connection.receive(&mut frames).unwrap());
        assert!(frames.is_empty() && !connection.is_closed());

        theirs.set_nonblocking(true).unwrap();
        let mut heard = 0;
        let mut bytes = vec![0; 1 << 20];
        while !connection.is_flushed() {
            connection.flush();
            while let Ok(len @ 1..) = theirs.read(&mut bytes) {
                heard += len;
            }
        }
        assert!(heard > said << 20, "all of it, with its frames");
        connection.receive(&mut frames).unwrap();
        assert_eq!(frames, [ClientFrame::Goodbye]);
    }
}
