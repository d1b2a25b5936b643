//! The encoded frames that are not yet durable: what has to be written again if a sync fails.

use std::collections::VecDeque;

/// Frames lie in pieces of memory of about this length, and one longer frame. An empty tail keeps as
/// much for the next frames.
const PIECE_BYTES: usize = 256 * 1024;

/// Pieces whose memory is kept while frames keep coming. What is given back to the system comes back one
/// fault a page.
const SPARE_PIECES_MAX: usize = 16;

/// A queue of bytes, whole frames one after another, each byte numbered for the life of the log.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Each of whole frames.
    pieces: VecDeque<Vec<u8>>,
    /// Bytes at the front of the first piece that are durable already.
    skip: usize,
    /// Log position of the first byte that is not.
    start: u64,
    /// Log position after the last byte.
    end: u64,
    /// Empty, for the next pieces.
    spare: Vec<Vec<u8>>,
}

impl Tail {
    /// Log position of everything that is durable.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Log position after the last frame.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Appends what `encode` appends; returns it.
    pub(super) fn push(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.pieces.back().is_none_or(|last| last.len() >= PIECE_BYTES) {
            // Whoever has filled a piece fills more; who prints little should not take so much.
            let capacity = if self.pieces.is_empty() { 0 } else { 2 * PIECE_BYTES };
            let piece = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(capacity));
            self.pieces.push_back(piece);
        }
        let piece = self.pieces.back_mut().expect("begun above");
        let start = piece.len();
        encode(piece);
        self.end += (piece.len() - start) as u64;
        &piece[start..]
    }

    /// Takes the last `len` bytes back: those that were pushed last.
    pub(super) fn pop(&mut self, len: usize) {
        if let Some(piece) = self.pieces.back_mut() {
            piece.truncate(piece.len() - len);
            self.end -= len as u64;
        }
    }

    /// Forgets what lies before log position `position`.
    pub(super) fn release(&mut self, position: u64) {
        let mut done = position.saturating_sub(self.start).min(self.len() as u64) as usize;
        self.start += done as u64;
        done += self.skip;
        while let Some(mut piece) = self.pieces.pop_front_if(|first| first.len() <= done) {
            done -= piece.len();
            piece.clear();
            if self.spare.len() < SPARE_PIECES_MAX {
                self.spare.push(piece);
            }
        }
        self.skip = done;
        if self.pieces.is_empty() {
            self.spare.truncate(1);
            self.spare.iter_mut().for_each(|piece| piece.shrink_to(PIECE_BYTES));
        }
    }

    /// All frames that are not durable.
    pub(super) fn frames_mut(&mut self) -> &mut [u8] {
        let mut whole = self.pieces.pop_front().unwrap_or_default();
        whole.drain(..self.skip);
        self.skip = 0;
        for piece in self.pieces.drain(..) {
            whole.extend_from_slice(&piece);
        }
        self.pieces.push_front(whole);
        &mut self.pieces[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: frames go in at one end and out at the other, however they lie in pieces. Method: frames of
    /// very different lengths, released here and there, beside a plain vector.
    #[test]
    fn frames_are_kept_until_they_are_released() {
        let mut tail = Tail::default();
        let (mut model, mut start) = (Vec::new(), 0_u64);
        for turn in 0..400_usize {
            let len = [1, 60_000, 9, 4096, PIECE_BYTES + 7, 0, 131_072][turn % 7];
            let frame = vec![turn as u8; len];
            assert_eq!(tail.push(|out| out.extend_from_slice(&frame)), frame);
            model.extend_from_slice(&frame);
            if turn % 5 == 0 {
                tail.pop(len);
                model.truncate(model.len() - len);
            }
            let held = [0, 200_000, 0, 4 * PIECE_BYTES, 1][turn % 5].min(model.len());
            if turn % 3 == 0 {
                model.drain(..model.len() - held);
                start = tail.end() - held as u64;
                tail.release(start);
            }
            assert_eq!((tail.start(), tail.len()), (start, model.len()), "after {turn} turns");
            assert_eq!(tail.end(), start + model.len() as u64);
            if turn % 11 == 0 {
                assert!(tail.frames_mut() == model, "after {turn} turns");
            }
        }
        assert!(tail.frames_mut() == model);
    }

    /// What a flood took is given back when all of it is durable.
    #[test]
    fn an_empty_tail_takes_little() {
        let mut tail = Tail::default();
        for _ in 0..60 {
            tail.push(|out| out.resize(out.len() + 100_000, 0));
        }
        tail.release(3_000_000);
        assert!(tail.spare.len() > 2, "memory for what follows");
        for _ in 0..600 {
            tail.push(|out| out.resize(out.len() + 100_000, 0));
        }
        tail.release(tail.end() - 1);
        assert_eq!(tail.spare.len(), SPARE_PIECES_MAX);
        tail.release(tail.end());
        let taken = tail.spare.iter().chain(&tail.pieces).map(Vec::capacity).sum::<usize>();
        assert!(taken <= PIECE_BYTES, "{taken}");
    }
}
