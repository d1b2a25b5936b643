//! The reading half of a ring.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::doorbell::{Wake, fall_asleep, publish};
use super::header::{Word, pack_window_size, unpack_window_size};
use super::keeper_half::read_child_state;
use super::mapping::Mapping;
use super::memory::Memory;
use super::{ChildEnd, ChildState, OFFSET_MAX, RingError, WindowSize, check};

/// The server's end: copies output, and says what is safe on disk and may be overwritten.
#[derive(Debug)]
pub struct ServerRing<M = Mapping> {
    pub(super) memory: M,
    /// The last head seen; it may not go back.
    pub(super) head: u64,
    pub(super) spooled: u64,
    pub(super) answered: u64,
    pub(super) end_seen: bool,
}

impl ServerRing {
    /// Maps the ring that a keeper handed over, after checking it.
    pub fn open(file: OwnedFd) -> Result<ServerRing, RingError> {
        ServerRing::attach(Mapping::open(file)?)
    }
}

impl<M: Memory> ServerRing<M> {
    /// The ring in `memory`.
    pub(super) fn attach(memory: M) -> Result<ServerRing<M>, RingError> {
        let spooled = check("spooled", memory.load(Word::Spooled), 0, OFFSET_MAX)?;
        let most = spooled + M::CAPACITY as u64;
        let head = check("head", memory.load(Word::Head), spooled, most)?;
        let answered = check("answered", memory.load(Word::Answered), 0, head)?;
        read_child_state(&memory)?;
        // A server killed in its sleep left this set; this one is awake.
        memory.store(Word::ServerSleeping, 0);
        Ok(ServerRing { memory, head, spooled, answered, end_seen: false })
    }

    /// The offset after the last byte the keeper has published.
    pub fn head(&mut self) -> Result<u64, RingError> {
        let most = self.spooled + M::CAPACITY as u64;
        self.head = check("head", self.memory.load(Word::Head), self.head, most)?;
        Ok(self.head)
    }

    /// The offset before which the keeper may overwrite.
    pub fn spooled(&self) -> u64 {
        self.spooled
    }

    /// Gives everything before `offset` free: it is in the spool, or in a keyframe. `Wake::Ring`
    /// means that the keeper waits for room and must be rung ([`Link::bell`](crate::Link::bell)).
    pub fn set_spooled(&mut self, offset: u64) -> Result<Wake, RingError> {
        let head = self.head()?;
        within(offset, self.spooled, head)?;
        self.spooled = offset;
        Ok(publish(&self.memory, Word::Spooled, offset, Word::KeeperSleeping))
    }

    /// The offset before which queries were answered and one-shot events acted upon.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// Records that everything before `offset` is answered; to be called *before* the answers go
    /// out, so that none is ever given twice.
    pub fn set_answered(&mut self, offset: u64) -> Result<(), RingError> {
        let head = self.head()?;
        within(offset, self.answered, head)?;
        self.answered = offset;
        self.memory.store(Word::Answered, offset);
        Ok(())
    }

    /// Appends at most `max` bytes from stream offset `offset` on to `out`; returns how many.
    ///
    /// `offset` must not lie before [`spooled`](Self::spooled), where bytes may be gone.
    pub fn copy_from(
        &mut self,
        offset: u64,
        max: usize,
        out: &mut Vec<u8>,
    ) -> Result<usize, RingError> {
        let head = self.head()?;
        within(offset, self.spooled, head)?;
        let len = max.min((head - offset) as usize);
        self.memory.copy_out(offset, len, out);
        Ok(len)
    }

    /// Declares that the server will wait for the keeper's bell, having taken every byte before
    /// `seen`. False: there is more already (or an end not yet seen), so do not wait.
    pub fn arm_bell(&mut self, seen: u64) -> Result<bool, RingError> {
        let memory = &self.memory;
        let (least, most) = (self.head, self.spooled + M::CAPACITY as u64);
        let end_seen = self.end_seen;
        fall_asleep(memory, Word::ServerSleeping, || {
            let head = check("head", memory.load(Word::Head), least, most)?;
            Ok(head == seen && (end_seen || memory.load(Word::Drained) == 0))
        })
    }

    /// What is known of the program at this moment; output may still be on its way when it has
    /// ended.
    pub fn child_state(&self) -> Result<ChildState, RingError> {
        read_child_state(&self.memory)
    }

    /// The program's end, once all its output is published: [`head`](Self::head) is final then.
    pub fn end(&mut self) -> Result<Option<ChildEnd>, RingError> {
        if self.memory.load(Word::Drained) == 0 {
            return Ok(None);
        }
        let end = match self.child_state()? {
            ChildState::Ended(end) => end,
            // Drained without an end: the state is written first, so the header is damaged.
            ChildState::NotStarted | ChildState::Running => {
                return Err(RingError::Corrupt { field: "drained", found: 1, least: 0, most: 0 });
            }
        };
        self.end_seen = true;
        Ok(Some(end))
    }

    /// The program's end, if nothing was printed from `seen` on.
    ///
    /// The end is looked for before the head: what is published between the two looks would
    /// otherwise be taken for never printed.
    pub fn end_after(&mut self, seen: u64) -> Result<Option<ChildEnd>, RingError> {
        let end = self.end()?;
        let head = self.head()?;
        Ok(end.filter(|_| head == seen))
    }

    /// The process id of the program, 0 before it has started.
    pub fn child_pid(&self) -> Result<u32, RingError> {
        let pid = check("child pid", self.memory.load(Word::ChildPid), 0, i32::MAX as u64)?;
        Ok(pid as u32)
    }

    /// The last stream offset at which bytes may be missing because a keeper was killed while it
    /// read: show a gap mark there. `None` if none is.
    pub fn doubt(&mut self) -> Result<Option<u64>, RingError> {
        // Loaded after the head, the doubt may be newer and lie beyond it, but not by much.
        let most = self.head()? + M::CAPACITY as u64 + 1;
        let doubt = check("doubt", self.memory.load(Word::Doubt), 0, most)?;
        Ok(doubt.checked_sub(1))
    }

    /// Whether a bracketed paste may have been begun and not ended in what the program was sent.
    pub fn is_pasting(&self) -> bool {
        self.memory.load(Word::Pasting) != 0
    }

    /// Records that a bracketed paste begins, *before* the first byte of its start mark is
    /// written, or is over, after the last byte of its end mark was: so that the server after
    /// this one can close what was cut.
    pub fn set_pasting(&mut self, is_pasting: bool) {
        self.memory.store(Word::Pasting, is_pasting.into());
    }

    /// The window size that was last set on the pty and recorded here; all zero before that.
    pub fn window_size(&self) -> WindowSize {
        unpack_window_size(self.memory.load(Word::WindowSize))
    }

    /// Records the window size set on the pty, for the server after this one.
    pub fn set_window_size(&mut self, size: WindowSize) {
        self.memory.store(Word::WindowSize, pack_window_size(size));
    }
}

impl AsFd for ServerRing {
    /// The memory-backed file, to hand to a new keeper.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.file().as_fd()
    }
}

fn within(offset: u64, least: u64, most: u64) -> Result<(), RingError> {
    if (least..=most).contains(&offset) {
        Ok(())
    } else {
        Err(RingError::Outside { offset, least, most })
    }
}
