//! What is still to be sent to the server.

use std::collections::VecDeque;
use std::io;

use ccmux_protocol::{ClientFrame, FrameError, encode};

use crate::link::Link;
use crate::paste::{CutPaste, PasteState};

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
    /// Where the input stands after everything that was pushed.
    state: PasteState,
    /// A paste whose beginning went to a server that is gone; its rest goes nowhere.
    cut: Option<CutPaste>,
}

#[derive(Debug)]
struct Queued {
    wire: Vec<u8>,
    input: Option<Input>,
}

/// What is typed, and where it stands.
#[derive(Debug)]
struct Input {
    bytes: Vec<u8>,
    before: PasteState,
}

impl Outbox {
    /// Adds a frame.
    pub(crate) fn push(&mut self, frame: &ClientFrame) -> Result<(), FrameError> {
        match frame {
            ClientFrame::Input(bytes) => self.push_input(bytes.clone()),
            frame => {
                self.add(Queued::new(frame)?);
                Ok(())
            }
        }
    }

    fn push_input(&mut self, mut bytes: Vec<u8>) -> Result<(), FrameError> {
        if let Some(cut) = &mut self.cut {
            let Some(rest) = cut.drop_from(&bytes) else { return Ok(()) };
            (self.cut, self.state, bytes) = (None, PasteState::default(), rest);
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let before = self.state;
        self.state.pass(&bytes);
        let mut queued = Queued::new(&ClientFrame::Input(bytes.clone()))?;
        queued.input = Some(Input { bytes, before });
        self.add(queued);
        Ok(())
    }

    fn add(&mut self, queued: Queued) {
        self.bytes += queued.wire.len();
        self.frames.push_back(queued);
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
    /// the last one cannot have acted on is kept, but for the rest of a paste whose beginning it
    /// was sent; sizes and the like are said anew.
    pub(crate) fn start_over(&mut self, first: &ClientFrame) -> Result<(), FrameError> {
        let first = Queued::new(first)?;
        let inputs: Vec<Input> = self.frames.drain(..).filter_map(|queued| queued.input).collect();
        (self.sent, self.bytes) = (0, 0);
        self.add(first);
        if self.cut.is_none() {
            let at = inputs.first().map_or(self.state, |input| input.before);
            (self.cut, self.state) = (CutPaste::at(at), at);
        }
        for input in inputs {
            self.push_input(input.bytes)?;
        }
        Ok(())
    }
}

impl Queued {
    fn new(frame: &ClientFrame) -> Result<Self, FrameError> {
        let mut wire = Vec::new();
        encode(frame, &mut wire)?;
        Ok(Queued { wire, input: None })
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

    /// The beginning of a paste was sent to a server that died: neither what waited of it nor what
    /// comes of it later reaches the next one, also when that one dies too.
    #[test]
    fn the_rest_of_a_paste_reaches_no_other_server() {
        let input = |text: &str| ClientFrame::Input(text.as_bytes().to_vec());
        let mut outbox = Outbox::default();
        outbox.push(&input("\x1b[200~one\r")).unwrap();
        let (mut link, _dead) = pair();
        outbox.send(&mut link).unwrap();
        outbox.push(&input("two\r")).unwrap();
        outbox.start_over(&ClientFrame::Goodbye).unwrap();
        outbox.push(&input("three\r")).unwrap();
        outbox.start_over(&ClientFrame::Goodbye).unwrap();
        outbox.push(&input("four\r\x1b[201~typed")).unwrap();
        outbox.push(&input("\x1b[200~whole")).unwrap();
        outbox.start_over(&ClientFrame::Goodbye).unwrap();
        outbox.push(&input("\x1b[201~")).unwrap();
        let (mut link, server) = pair();
        outbox.send(&mut link).unwrap();
        drop(link);
        let kept = ["typed", "\x1b[200~whole", "\x1b[201~"].map(input);
        assert_eq!(frames(server)[1..], kept);
    }

    #[test]
    fn sizes_are_not_kept_for_another_server() {
        let mut outbox = Outbox::default();
        outbox.push(&ClientFrame::Resize(Size { cols: 80, rows: 24 }.into())).unwrap();
        outbox.push(&ClientFrame::Input(b"x".to_vec())).unwrap();
        outbox.start_over(&ClientFrame::Goodbye).unwrap();
        let (mut link, server) = pair();
        outbox.send(&mut link).unwrap();
        drop(link);
        assert_eq!(frames(server), [ClientFrame::Goodbye, ClientFrame::Input(b"x".to_vec())]);
    }
}
