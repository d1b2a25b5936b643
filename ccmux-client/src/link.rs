//! The connection to a server.

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ccmux_protocol::{ClientFrame, FrameDecoder, FrameError, ServerFrame, encode};

use crate::error::ClientError;

const READ_BYTES: usize = 64 * 1024;

/// A stream of frames. Blocking until [`set_nonblocking`](Self::set_nonblocking).
#[derive(Debug)]
pub(crate) struct Link {
    stream: UnixStream,
    decoder: FrameDecoder<ServerFrame>,
    buffer: Box<[u8]>,
    server_pid: u32,
}

/// What came of reading.
#[derive(Debug)]
pub(crate) enum Received {
    /// Frames, maybe none; more may come.
    Frames(Vec<ServerFrame>),
    /// The last frames: the server is gone.
    Lost(Vec<ServerFrame>),
}

impl Link {
    pub(crate) fn new(stream: UnixStream) -> Self {
        let buffer = vec![0; READ_BYTES].into_boxed_slice();
        Link { stream, decoder: FrameDecoder::new(), buffer, server_pid: 0 }
    }

    /// The process at the other end, as it introduced itself; 0 before that.
    pub(crate) fn server_pid(&self) -> u32 {
        self.server_pid
    }

    /// The server has introduced itself.
    pub(crate) fn set_server_pid(&mut self, pid: u32) {
        self.server_pid = pid;
    }

    /// Limits how long each [`send`](Self::send) and each read of a [`receive`](Self::receive)
    /// waits.
    pub(crate) fn set_patience(&mut self, patience: Option<Duration>) -> Result<(), ClientError> {
        self.stream.set_read_timeout(patience).map_err(ClientError::Wait)?;
        self.stream.set_write_timeout(patience).map_err(ClientError::Wait)
    }

    /// Sends one frame.
    pub(crate) fn send(&mut self, frame: &ClientFrame) -> Result<(), ClientError> {
        let mut wire = Vec::new();
        encode(frame, &mut wire)?;
        // What the server said before it went away may still be there to read, so that a failure
        // shows there.
        let _ = self.stream.write_all(&wire);
        Ok(())
    }

    /// Waits for the next frame.
    pub(crate) fn receive(&mut self) -> Result<ServerFrame, ClientError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            self.read()?;
        }
    }

    /// Waits for the next frame as long as there is time `left`, also for one that comes byte by
    /// byte. Sets the patience.
    pub(crate) fn receive_within(
        &mut self,
        left: impl Fn() -> Duration,
    ) -> Result<ServerFrame, ClientError> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(frame);
            }
            match left() {
                Duration::ZERO => return Err(ClientError::NoAnswer),
                left => self.set_patience(Some(left))?,
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), ClientError> {
        match self.stream.read(&mut self.buffer) {
            Ok(0) => return Err(ClientError::LostServer),
            Ok(n) => self.decoder.push(&self.buffer[..n]),
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                    return Err(ClientError::NoAnswer);
                }
                _ => return Err(ClientError::LostServer),
            },
        }
        Ok(())
    }

    pub(crate) fn set_nonblocking(&mut self) -> Result<(), ClientError> {
        self.stream.set_nonblocking(true).map_err(ClientError::Wait)
    }

    /// Reads once and takes the frames that are complete.
    pub(crate) fn receive_available(&mut self) -> Result<Received, FrameError> {
        let is_lost = match self.stream.read(&mut self.buffer) {
            Ok(0) => true,
            Ok(n) => {
                self.decoder.push(&self.buffer[..n]);
                false
            }
            Err(error) => !is_transient(&error),
        };
        let frames = self.decoded()?;
        Ok(if is_lost { Received::Lost(frames) } else { Received::Frames(frames) })
    }

    /// A frame that was read together with an earlier one.
    pub(crate) fn decoded_frame(&mut self) -> Result<Option<ServerFrame>, FrameError> {
        self.decoder.next_frame()
    }

    /// The frames that were read together with an earlier one. To be taken before waiting for the
    /// socket, which does not know of them.
    pub(crate) fn decoded(&mut self) -> Result<Vec<ServerFrame>, FrameError> {
        let mut frames = Vec::new();
        while let Some(frame) = self.decoder.next_frame()? {
            frames.push(frame);
        }
        Ok(frames)
    }

    /// Writes as much as the socket takes now.
    pub(crate) fn write_available(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Err(error) if is_transient(&error) => Ok(0),
            result => result,
        }
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

pub(crate) fn is_transient(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Each byte began the wait anew, so that a server of one byte now and then was waited for
    /// for ever.
    #[test]
    fn a_frame_that_comes_byte_by_byte_does_not_stretch_the_wait() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut link = Link::new(ours);
        // The header of a frame that will not be complete.
        theirs.write_all(&[0, 0, 1, 0, 0x81]).unwrap();
        let left = Cell::new(20);
        let waited = link.receive_within(|| {
            (&theirs).write_all(b"{").unwrap();
            left.set(left.get() - 1);
            Duration::from_secs(left.get())
        });
        assert!(matches!(waited, Err(ClientError::NoAnswer)), "{waited:?}");
        assert_eq!(left.get(), 0, "it is asked before each read");
    }
}
