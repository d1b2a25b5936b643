//! Input on its way to a program, and the pastes in it.
//!
//! Invariants
//! * I1 Where a bracketed paste begins in the queue, the ring is told before its first byte is
//!   written; where it ends, after its last byte. So a server that is killed at any instruction
//!   leaves a ring that says whether a paste may be open, and the next one closes it.
//! * I2 Pastes of several clients at once are one paste to the program, which knows no nesting: it
//!   begins with the first and ends with the last of them.
//! * I3 An end mark always has room, however full the queue is.

use std::collections::VecDeque;

use super::Held;

/// Input a program leaves unread beyond this is dropped, and the person told.
pub(crate) const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

const PASTE_START: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";

/// Bytes for a program that its pty has not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Input {
    queue: Vec<u8>,
    /// Where pastes begin and end in the queue, in order.
    marks: VecDeque<Mark>,
    /// Bracketed pastes that have begun and not ended, as far as the queue goes.
    open_pastes: u32,
    /// What the ring was told last by this server.
    is_pasting: bool,
    pub(super) is_watching: bool,
}

/// A place in the queue: what lies before it is written before the ring is told, what lies behind
/// it after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Mark {
    at: usize,
    is_pasting: bool,
}

impl Input {
    /// Whether the pty has taken everything.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether so many bytes more can be added.
    pub(super) fn has_room_for(&self, len: usize) -> bool {
        self.queue.len() + len <= INPUT_BYTES_MAX
    }

    /// Adds bytes; false if there is no room for them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let has_room = self.has_room_for(bytes.len());
        if has_room {
            self.queue.extend_from_slice(bytes);
        }
        has_room
    }

    /// A bracketed paste begins; false if there is no room, and nothing of it must follow.
    pub(super) fn begin_paste(&mut self) -> bool {
        let at = self.queue.len();
        if self.open_pastes == 0 {
            if !self.push(PASTE_START) {
                return false;
            }
            self.marks.push_back(Mark { at, is_pasting: true });
        }
        self.open_pastes += 1;
        true
    }

    /// A bracketed paste that began ends.
    pub(super) fn end_paste(&mut self) {
        self.open_pastes = self.open_pastes.saturating_sub(1);
        if self.open_pastes == 0 {
            self.queue.extend_from_slice(PASTE_END);
            self.marks.push_back(Mark { at: self.queue.len(), is_pasting: false });
        }
    }

    /// Closes the paste that a killed server left open in an adopted ring, before anything else.
    pub(super) fn close_cut_paste(&mut self, held: &Held) {
        if !held.ring.is_pasting() || self.is_pasting {
            return;
        }
        self.is_pasting = true;
        self.queue.splice(..0, PASTE_END.iter().copied());
        for mark in &mut self.marks {
            mark.at += PASTE_END.len();
        }
        self.marks.push_front(Mark { at: PASTE_END.len(), is_pasting: false });
    }

    /// Writes what the pty takes.
    pub(super) fn flush(&mut self, held: &mut Held) {
        let mut written = 0;
        loop {
            while let Some(mark) = self.marks.pop_front_if(|mark| mark.at <= written) {
                self.is_pasting = mark.is_pasting;
                held.ring.set_pasting(mark.is_pasting);
            }
            let end = self.marks.front().map_or(self.queue.len(), |mark| mark.at);
            if written == end {
                break;
            }
            match rustix::io::write(&held.master, &self.queue[written..end]) {
                Ok(len) => written += len,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                // The program is gone; what it did not read is read by nobody.
                Err(_) => written = self.queue.len(),
            }
        }
        self.queue.drain(..written);
        for mark in &mut self.marks {
            mark.at -= written;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd as _, OwnedFd};
    use std::os::unix::net::UnixStream;

    use ccmux_keeper::{KeeperRing, ServerRing};

    use super::*;

    /// A pane's input, and the end of its "pty" where the program reads.
    struct World {
        keeper: KeeperRing,
        held: Held,
        program: UnixStream,
        input: Input,
    }

    impl World {
        fn new() -> Self {
            let keeper = KeeperRing::create(0).unwrap();
            let (master, program) = UnixStream::pair().unwrap();
            master.set_nonblocking(true).unwrap();
            program.set_nonblocking(true).unwrap();
            let held = held(&keeper, master.into());
            Self { keeper, held, program, input: Input::default() }
        }

        fn read(&mut self) -> Vec<u8> {
            let mut bytes = vec![0; 64 * 1024];
            let len = rustix::io::read(&self.program, &mut bytes).unwrap_or(0);
            bytes.truncate(len);
            bytes
        }

        /// Reads and flushes until nothing is left.
        fn drain(&mut self) -> Vec<u8> {
            let mut all = Vec::new();
            loop {
                let bytes = self.read();
                self.input.flush(&mut self.held);
                if bytes.is_empty() && self.input.is_empty() {
                    return all;
                }
                all.extend(bytes);
            }
        }

        /// The server is killed; another takes the pane over.
        fn kill_server(&mut self) {
            let master = self.held.master.try_clone().unwrap();
            self.held = held(&self.keeper, master);
            self.input = Input::default();
            self.input.close_cut_paste(&self.held);
            self.input.flush(&mut self.held);
        }
    }

    fn held(keeper: &KeeperRing, master: OwnedFd) -> Held {
        let ring = keeper.as_fd().try_clone_to_owned().unwrap();
        Held { master, ring: ServerRing::open(ring).unwrap(), child_pid: 1 }
    }

    #[test]
    fn the_ring_knows_of_a_paste_as_long_as_it_is_open() {
        let mut world = World::new();
        // The program does not read: the marks wait behind what it was sent before.
        let before = vec![b'x'; 4 * 1024 * 1024];
        assert!(world.input.push(&before));
        world.input.flush(&mut world.held);
        assert!(world.input.begin_paste() && world.input.push(b"pasted"));
        world.input.flush(&mut world.held);
        assert!(!world.held.ring.is_pasting(), "nothing of the paste is written yet");
        assert_eq!(world.drain().len(), before.len() + PASTE_START.len() + 6);
        assert!(world.held.ring.is_pasting());
        world.input.end_paste();
        world.input.flush(&mut world.held);
        assert!(!world.held.ring.is_pasting());
        assert_eq!(world.drain(), PASTE_END);
        world.kill_server();
        assert_eq!(world.drain(), b"", "a paste that ended is not ended again");
    }

    #[test]
    fn the_next_server_closes_what_was_cut_before_anything_else() {
        let mut world = World::new();
        assert!(world.input.begin_paste() && world.input.push(b"cut"));
        world.input.flush(&mut world.held);
        world.kill_server();
        assert_eq!(world.drain(), b"\x1b[200~cut\x1b[201~");
        assert!(!world.held.ring.is_pasting());
        // What was typed before the ring was there waits behind the end mark.
        assert!(world.input.begin_paste());
        world.input.flush(&mut world.held);
        world.input = Input::default();
        assert!(world.input.begin_paste() && world.input.push(b"new"));
        world.input.end_paste();
        world.input.close_cut_paste(&world.held);
        assert_eq!(world.drain(), b"\x1b[200~\x1b[201~\x1b[200~new\x1b[201~");
        assert!(!world.held.ring.is_pasting());
    }

    #[test]
    fn an_end_mark_has_room_in_a_full_queue() {
        let mut world = World::new();
        assert!(world.input.begin_paste());
        assert!(world.input.push(&vec![b'x'; INPUT_BYTES_MAX - PASTE_START.len()]));
        assert!(!world.input.push(b"x"));
        world.input.end_paste();
        assert!(!world.input.begin_paste(), "and a paste that has none does not begin");
        assert!(world.drain().ends_with(b"x\x1b[201~"));
    }
}
