//! Compression with zstd, and how much of it history is worth.
//!
//! Text as programs print it comes to a third of its length or less, and what makes it short are pieces that
//! were there before. In what hardly compresses (words at random, dumps, base64) there are none, and looking
//! for them takes most of the time. Coding letters by their frequency is what helps there.

use std::fmt::{self, Debug, Formatter};
use std::io;

use zstd::zstd_safe::{CParameter, ParamSwitch};

/// zstd's fastest level that looks for repetitions everywhere.
const LEVEL: i32 = 1;

/// One that looks at a byte in thirty, as long as it finds nothing.
const LEVEL_QUICK: i32 = -30;

/// So many blocks in a row are compressed quickly before repetitions are looked for again.
const QUICK_BLOCKS: u8 = 15;

/// A shorter block takes little time, and what it comes to says little.
const LONG_BYTES: usize = 16 * 1024;

/// Compresses one piece after another.
pub(super) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
    is_quick: bool,
}

/// How much is tried for one block, after what the ones before it came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Effort {
    /// Repetitions are looked for.
    #[default]
    Thorough,
    /// They were not worth it, and are not looked for in so many blocks.
    Quick { blocks: u8 },
}

impl Effort {
    /// What to try next, when a block of `raw_len` bytes came to `len`.
    pub(super) fn next(self, raw_len: usize, len: usize) -> Self {
        match self {
            _ if raw_len < LONG_BYTES => self,
            // Those that a quick look finds are not all.
            _ if 2 * len <= raw_len => Self::Thorough,
            Self::Thorough => Self::Quick { blocks: QUICK_BLOCKS },
            Self::Quick { blocks: 0 | 1 } => Self::Thorough,
            Self::Quick { blocks } => Self::Quick { blocks: blocks - 1 },
        }
    }
}

impl Compressor {
    /// # Errors
    /// There is no memory.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(LEVEL)?, is_quick: false })
    }

    /// One frame of zstd, whatever the effort.
    ///
    /// # Errors
    /// There is no memory.
    pub(super) fn compress(&mut self, bytes: &[u8], effort: Effort) -> io::Result<Vec<u8>> {
        let is_quick = effort != Effort::Thorough && bytes.len() >= LONG_BYTES;
        if self.is_quick != is_quick {
            // Such a level stores letters as they are, unless it is told otherwise.
            let (level, letters) = match is_quick {
                true => (LEVEL_QUICK, ParamSwitch::Enable),
                false => (LEVEL, ParamSwitch::Auto),
            };
            self.zstd.set_parameter(CParameter::CompressionLevel(level))?;
            self.zstd.set_parameter(CParameter::LiteralCompressionMode(letters))?;
            self.is_quick = is_quick;
        }
        self.zstd.compress(bytes)
    }
}

impl Debug for Compressor {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor").field("is_quick", &self.is_quick).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of lines of words, each of `letters`.
    fn words(seed: u64, letters: &[u8]) -> Vec<u8> {
        let mut state = seed;
        let mut random = |limit: usize| {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            (state >> 33) as usize % limit
        };
        let mut bytes = Vec::new();
        while bytes.len() < 64 * 1024 {
            let len = 2 + random(8);
            bytes.extend((0..len).map(|_| letters[random(letters.len())]));
            bytes.push(if random(12) == 0 { b'\n' } else { b' ' });
        }
        bytes
    }

    fn noise(seed: u64) -> Vec<u8> {
        words(seed, b"abcdefghijklmnopqrstuvwxyz0123456789")
    }

    /// Text that repeats itself, in pieces too short to be met by chance.
    fn text(seed: u64) -> Vec<u8> {
        let noise = noise(seed);
        let names = ["src/main.rs", "warning: unused", "target/debug", "compiling"];
        let line =
            |(n, word): (usize, &[u8])| [names[n % 4].as_bytes(), b" ", &word[..4], b"\n"].concat();
        noise.chunks_exact(32).enumerate().flat_map(line).collect()
    }

    /// What blocks come to, one after another, and with which effort.
    fn lens(blocks: &[Vec<u8>]) -> Vec<(Effort, usize)> {
        let (mut compressor, mut effort) = (Compressor::new().unwrap(), Effort::default());
        let compress = |block: &Vec<u8>| {
            let compressed = compressor.compress(block, effort).unwrap();
            let read = zstd::bulk::decompress(&compressed, block.len()).unwrap();
            assert!(read == *block, "what is compressed with {effort:?} reads differently");
            let tried = effort;
            effort = effort.next(block.len(), compressed.len());
            (tried, compressed.len())
        };
        blocks.iter().map(compress).collect()
    }

    #[test]
    fn what_hardly_compresses_is_looked_through_now_and_then() {
        let blocks: Vec<_> = (0..40).map(noise).collect();
        let thorough: Vec<_> = lens(&blocks)
            .iter()
            .enumerate()
            .filter_map(|(n, (effort, _))| (*effort == Effort::Thorough).then_some(n))
            .collect();
        assert_eq!(thorough, [0, 16, 32]);
    }

    /// What it saves in time must not cost room.
    #[test]
    fn a_quick_look_costs_little_room() {
        let block = noise(1);
        let mut compressor = Compressor::new().unwrap();
        let quick = compressor.compress(&block, Effort::Quick { blocks: 1 }).unwrap().len();
        let thorough = compressor.compress(&block, Effort::Thorough).unwrap().len();
        assert_eq!(thorough, zstd::bulk::compress(&block, LEVEL).unwrap().len(), "it is level 1");
        assert!(quick < block.len() * 3 / 4, "letters are coded: {quick} of {}", block.len());
        assert!(quick < thorough * 11 / 10, "{quick} bytes, and {thorough} with more effort");
    }

    #[test]
    fn text_is_looked_through_for_repetitions() {
        let blocks: Vec<_> = (0..8).map(text).collect();
        for (effort, len) in lens(&blocks) {
            assert_eq!(effort, Effort::Thorough, "{len} bytes");
        }
    }

    /// A few lines of a shell are compressed as well as can be, and do not say how to go on.
    #[test]
    fn short_blocks_are_looked_through() {
        let short = text(1)[..4096].to_vec();
        let blocks = [noise(1), short.clone(), noise(2)];
        let found = lens(&blocks);
        assert_eq!(found[1].1, zstd::bulk::compress(&short, LEVEL).unwrap().len());
        assert_eq!(found[2].0, found[1].0, "it is as if there had been none");
    }

    /// Whatever came before it, within a few blocks text is compressed as text.
    #[test]
    fn text_after_noise_is_seen() {
        let blocks: Vec<_> = (0..4).map(noise).chain((0..32).map(text)).collect();
        let found = lens(&blocks);
        assert!(found[4].0 != Effort::Thorough, "there was a reason to be quick");
        let last = found[4..].iter().rposition(|(effort, _)| *effort != Effort::Thorough);
        assert!(last.is_some_and(|last| last < usize::from(QUICK_BLOCKS)), "{found:?}");
    }
}
