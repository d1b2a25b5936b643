//! What is still to be sent to the server.

use std::collections::VecDeque;
use std::io;

use ccmux_protocol::{ClientFrame, FrameError, encode};

use crate::link::Link;

/// Encoded frames, in order, the first maybe sent in part.
///
/// Frames stay apart so that a lost connection can be told frame by frame: one that was sent whole
/// may have been acted on and is forgotten, one that was cut was not and starts over.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: VecDeque<Queued>,
    /// How much of the first frame is sent.
    sent: usize,
    bytes: usize,
}

#[derive(Debug)]
struct Queued {
    wire: Vec<u8>,
    is_input: bool,
}

impl Outbox {
    /// Adds a frame.
    pub(crate) fn push(&mut self, frame: &ClientFrame) -> Result<(), FrameError> {
        let queued = Queued::new(frame)?;
        self.bytes += queued.wire.len();
        self.frames.push_back(queued);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How much waits.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Sends as much as the socket takes now.
    pub(crate) fn send(&mut self, link: &mut Link) -> io::Result<()> {
        while let Some(front) = self.frames.front() {
            let n = link.write_available(&front.wire[self.sent..])?;
            self.sent += n;
            self.bytes -= n;
            if self.sent < front.wire.len() {
                break;
            }
            self.frames.pop_front();
            self.sent = 0;
        }
        Ok(())
    }

    /// Gets ready for another server, to whom `first` is said before everything else. Input that
    /// the last one cannot have acted on is kept; sizes and the like are said anew.
    pub(crate) fn start_over(&mut self, first: &ClientFrame) -> Result<(), FrameError> {
        let first = Queued::new(first)?;
        self.frames.retain(|queued| queued.is_input);
        self.sent = 0;
        self.frames.push_front(first);
        self.bytes = self.frames.iter().map(|queued| queued.wire.len()).sum();
        Ok(())
    }
}

impl Queued {
    fn new(frame: &ClientFrame) -> Result<Self, FrameError> {
        let mut wire = Vec::new();
        encode(frame, &mut wire)?;
        Ok(Queued { wire, is_input: matches!(frame, ClientFrame::Input(_)) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::net::UnixStream;

    use ccmux_protocol::{FrameDecoder, Resume, Size};

    use super::*;

    fn pair() -> (Link, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut link = Link::new(ours);
        link.set_nonblocking().unwrap();
        (link, theirs)
    }

    fn frames(mut stream: UnixStream) -> Vec<ClientFrame> {
        let mut wire = Vec::new();
        stream.read_to_end(&mut wire).unwrap();
        let mut decoder = FrameDecoder::new();
        decoder.push(&wire);
        std::iter::from_fn(|| decoder.next_frame().unwrap()).collect()
    }

    /// C3: fill the socket until it takes no more, lose the server there, and go on with another.
    #[test]
    fn input_reaches_one_server_or_the_next_but_never_both() {
        let input = |n: u32| ClientFrame::Input(n.to_string().repeat(40_000).into_bytes());
        let mut outbox = Outbox::default();
        let all: Vec<ClientFrame> = (10..30).map(input).collect();
        for frame in &all {
            outbox.push(frame).unwrap();
        }
        let (mut link, first) = pair();
        outbox.send(&mut link).unwrap();
        assert!(outbox.sent > 0, "the socket is full in the middle of a frame");
        drop(link);

        let resume = ClientFrame::Resume(Resume { is_drawn: true, token: b"t".to_vec() });
        outbox.start_over(&resume).unwrap();
        let (mut link, second) = pair();
        let mut arrived = frames(first);
        let reader = std::thread::spawn(|| frames(second));
        while !outbox.is_empty() {
            outbox.send(&mut link).unwrap();
            std::thread::yield_now();
        }
        drop(link);
        let mut after = reader.join().unwrap();
        assert_eq!(outbox.bytes(), 0);
        assert_eq!(after.remove(0), resume);
        arrived.append(&mut after);
        assert_eq!(arrived, all);
    }

    #[test]
    fn sizes_are_not_kept_for_another_server() {
        let mut outbox = Outbox::default();
        outbox.push(&ClientFrame::Resize(Size { cols: 80, rows: 24 })).unwrap();
        outbox.push(&ClientFrame::Input(b"x".to_vec())).unwrap();
        outbox.start_over(&ClientFrame::Goodbye).unwrap();
        let (mut link, server) = pair();
        outbox.send(&mut link).unwrap();
        drop(link);
        assert_eq!(frames(server), [ClientFrame::Goodbye, ClientFrame::Input(b"x".to_vec())]);
    }
}
