//! What sequences make of the default style, remembered.
//!
//! Coloured output sets few styles again and again, most of them from the default one. Taking such a sequence
//! apart costs several times what finding it here does. What is found is what taking it apart gives, so it
//! makes no difference to any field of the terminal what is remembered.

use crate::grid::pens::StyleCode;

/// The parameters and the final `m` of a sequence of at most so many bytes.
const SEQUENCE_BYTES_MAX: usize = 16;

/// Sets of two: the newer one is looked at first, and the older one goes when a third one comes.
const SETS: usize = 512;

/// Each byte 1.
const EACH: u128 = u128::from_le_bytes([1; SEQUENCE_BYTES_MAX]);

/// A sequence that sets a style.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sequence {
    /// Its bytes behind `ESC [`, then zeros. It is not 0: it ends in `m`.
    key: u128,
    pub(super) len: usize,
}

impl Sequence {
    /// The one whose parameters `bytes` begin with; `None` if it is another sequence, a long one, or cut.
    #[inline]
    pub(super) fn at(bytes: &[u8]) -> Option<Self> {
        let lane = u128::from_le_bytes(*bytes.first_chunk()?);
        let values = lane ^ (EACH * 0x30);
        // The highest bit of each byte that is no digit, colon or semicolon.
        let others = (values | ((values & (EACH * 0x7f)) + EACH * 0x74)) & (EACH * 0x80);
        if others == 0 {
            return None;
        }
        let last = others.trailing_zeros() as usize / 8;
        let key = lane & (u128::MAX >> (8 * (SEQUENCE_BYTES_MAX - 1 - last)));
        (bytes[last] == b'm').then_some(Self { key, len: last + 1 })
    }

    /// Which set it belongs to.
    #[inline]
    fn set(self) -> usize {
        let folded = self.key as u64 ^ ((self.key >> 64) as u64).rotate_left(29);
        // Only the highest bits depend on all of them.
        (folded.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SETS.ilog2())) as usize
    }
}

/// Styles by the sequence that sets them. It is kept for the time it saves only.
#[derive(Clone, Debug, Default)]
pub(super) struct StyleMemo {
    /// Key and style; key 0 for none. Empty until something is to be remembered.
    sets: Vec<[(u128, StyleCode); 2]>,
}

impl StyleMemo {
    #[inline]
    pub(super) fn get(&self, sequence: Sequence) -> Option<StyleCode> {
        let set = self.sets.get(sequence.set())?;
        let is_it = |(key, style): &(u128, StyleCode)| (*key == sequence.key).then_some(*style);
        is_it(&set[0]).or_else(|| is_it(&set[1]))
    }

    pub(super) fn remember(&mut self, sequence: Sequence, style: StyleCode) {
        if self.sets.is_empty() {
            self.sets.resize(SETS, [(0, StyleCode::DEFAULT); 2]);
        }
        let set = &mut self.sets[sequence.set()];
        *set = [(sequence.key, style), set[0]];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Color, Style};

    /// What comes first is taken for a sequence exactly if it consists of parameters and ends in `m`.
    #[test]
    fn only_whole_short_sequences_of_styles_are_taken() {
        for params in ["", "0", "1;31", "38;5;255", "4:3", "38:2::1:2:3", "00000000000;:;0"] {
            for last in (0..=u8::MAX).filter(|byte| !matches!(byte, b'0'..=b';')) {
                let bytes = [params.as_bytes(), &[last], "xm0123456789abcdef".as_bytes()].concat();
                let expected = (last == b'm').then_some(params.len() + 1);
                let found = Sequence::at(&bytes).map(|found| found.len);
                assert_eq!(found, expected, "{params:?} and {last}");
            }
        }
        assert_eq!(Sequence::at(b"0000000000000000m"), None, "too long to remember");
        assert_eq!(Sequence::at(b"1m0123456789abc"), None, "its end may be elsewhere");
    }

    #[test]
    fn what_is_behind_a_sequence_is_no_part_of_it() {
        let (a, b) = (Sequence::at(b"1;31mabcdefghijkl"), Sequence::at(b"1;31m\x1b[0m 0123456789"));
        assert_eq!(a, b);
        assert_ne!(a, Sequence::at(b"1;32mabcdefghijkl"));
    }

    /// However many are remembered, each is found as it was or not at all.
    #[test]
    fn a_sequence_is_found_with_its_own_style() {
        let entry = |n: u8, kind: u8| {
            let bytes = format!("{kind};5;{n}m................");
            let sequence = Sequence::at(bytes.as_bytes()).expect("it is one");
            let color = Color::Indexed(n);
            let style = match kind {
                38 => Style { fg: color, ..Style::default() },
                48 => Style { bg: color, ..Style::default() },
                _ => Style { underline_color: color, ..Style::default() },
            };
            (sequence, StyleCode::of(&style))
        };
        let mut memo = StyleMemo::default();
        let entries: Vec<_> = [38, 48, 58]
            .into_iter()
            .flat_map(|kind| (0..=255).map(move |n| entry(n, kind)))
            .collect();
        assert_eq!(memo.get(entries[0].0), None);
        for &(sequence, style) in &entries {
            memo.remember(sequence, style);
            assert_eq!(memo.get(sequence), Some(style));
        }
        let found = entries.iter().filter(|(sequence, style)| {
            memo.get(*sequence).inspect(|found| assert_eq!(found, style)).is_some()
        });
        assert!(found.count() > entries.len() / 2);
    }
}
