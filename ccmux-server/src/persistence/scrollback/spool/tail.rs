//! The encoded frames that are not yet durable: what has to be written again if a sync fails.

/// Memory that an empty tail keeps for the next frames.
const IDLE_CAPACITY: usize = 256 * 1024;

/// A queue of bytes, whole frames one after another, each byte numbered for the life of the log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    /// Bytes at the front that are durable already.
    skip: usize,
    /// Log position of the first byte that is not.
    start: u64,
}

impl Tail {
    /// Log position of everything that is durable.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Log position after the last frame.
    pub(super) fn end(&self) -> u64 {
        self.start + self.len() as u64
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.skip
    }

    /// Appends what `encode` appends; returns it.
    pub(super) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let start = self.bytes.len();
        encode(&mut self.bytes);
        &self.bytes[start..]
    }

    /// Takes the last `len` bytes back.
    pub(super) fn pop(&mut self, len: usize) {
        self.bytes.truncate(self.bytes.len() - len);
    }

    /// Forgets what lies before log position `position`.
    pub(super) fn release(&mut self, position: u64) {
        let done = position.saturating_sub(self.start).min(self.len() as u64);
        self.start += done;
        self.skip += done as usize;
        if self.skip == self.bytes.len() {
            self.bytes.clear();
            self.skip = 0;
            self.bytes.shrink_to(IDLE_CAPACITY);
        } else if self.skip >= self.bytes.len() / 2 {
            self.bytes.drain(..self.skip);
            self.skip = 0;
        }
    }

    /// All frames that are not durable.
    pub(super) fn frames_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.skip..]
    }
}
