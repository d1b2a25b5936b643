//! What sequences make of the default style, remembered.
//!
//! Coloured output sets few styles again and again, most of them from the default one. Taking such a sequence
//! apart costs several times what finding it here does. What is found is what taking it apart gives, so it
//! makes no difference to any field of the terminal what is remembered.

use std::ops::RangeInclusive;

use crate::grid::pens::StyleCode;

/// The parameters and the final `m` of a sequence of at most so many bytes.
const SEQUENCE_BYTES_MAX: usize = 16;

/// Sets of two, at first and at most: the older one goes when a third one comes. There are twice as many when so many
/// have gone as there are sets.
const SETS: RangeInclusive<usize> = 256..=2048;

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

    /// Its highest bits depend on all of the sequence.
    #[inline]
    fn hash(self) -> u64 {
        let folded = self.key as u64 ^ ((self.key >> 64) as u64).rotate_left(29);
        folded.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Styles by the sequence that sets them. It is kept for the time it saves only.
#[derive(Clone, Debug, Default)]
pub(super) struct StyleMemo {
    /// Empty until something is to be remembered, then a power of two long.
    sets: Vec<Set>,
    /// How far down the bits of a hash are that say which set it is.
    shift: u32,
    /// How many have gone since there are so many sets.
    gone: usize,
}

/// The newer one and the older one; key 0 for none.
type Set = [(u128, StyleCode); 2];

const VACANT: Set = [(0, StyleCode::DEFAULT); 2];

impl StyleMemo {
    #[inline]
    pub(super) fn get(&self, sequence: Sequence) -> Option<StyleCode> {
        let &[newer, older] = self.sets.get((sequence.hash() >> self.shift) as usize)?;
        // Which of the two it is nobody can predict, so there is no branch on that.
        let found = if older.0 == sequence.key { older } else { newer };
        (found.0 == sequence.key).then_some(found.1)
    }

    pub(super) fn remember(&mut self, sequence: Sequence, style: StyleCode) {
        if self.sets.is_empty() {
            self.begin(*SETS.start());
        }
        let set = &mut self.sets[(sequence.hash() >> self.shift) as usize];
        let [newer, older] = *set;
        *set = [(sequence.key, style), newer];
        self.gone += usize::from(older.0 != 0);
        if self.gone > self.sets.len() && self.sets.len() < *SETS.end() {
            // What is in use is remembered again soon.
            self.begin(2 * self.sets.len());
        }
    }

    fn begin(&mut self, sets: usize) {
        self.sets.clear();
        self.sets.resize(sets, VACANT);
        self.shift = u64::BITS - sets.ilog2();
        self.gone = 0;
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
        let mut memo = StyleMemo::default();
        let entries = entries();
        assert_eq!(memo.get(entries[0].0), None);
        for &(sequence, style) in &entries {
            memo.remember(sequence, style);
            let is_found = memo.get(sequence).inspect(|found| assert_eq!(*found, style)).is_some();
            assert!(is_found || memo.gone == 0, "it goes only where there are more sets now");
        }
        assert!(count_found(&memo, &entries) > 0);
    }

    /// As many styles as the 256 colours give are all remembered, in the end, but for a few.
    #[test]
    fn there_are_as_many_sets_as_styles_in_use_need() {
        let mut memo = StyleMemo::default();
        let entries = entries();
        for _ in 0..20 {
            for &(sequence, style) in &entries {
                if memo.get(sequence).is_none() {
                    memo.remember(sequence, style);
                }
            }
        }
        let found = count_found(&memo, &entries);
        assert!(found * 20 > entries.len() * 19, "{found} of {}", entries.len());
        let few = &entries[..100];
        let mut memo = StyleMemo::default();
        for (sequence, style) in few.iter().cycle().take(10_000) {
            if memo.get(*sequence).is_none() {
                memo.remember(*sequence, *style);
            }
        }
        assert_eq!(memo.sets.len(), *SETS.start(), "few styles need no room");
    }

    /// However many there are, there is a bound to what they take.
    #[test]
    fn it_is_bounded() {
        let mut memo = StyleMemo::default();
        for n in 0..100_000 {
            let bytes = format!("38;2;{};{}m................", n / 1000, n % 1000);
            let sequence = Sequence::at(bytes.as_bytes()).expect("it is one");
            memo.remember(sequence, StyleCode::DEFAULT);
        }
        assert_eq!(memo.sets.len(), *SETS.end());
    }

    /// Sequences of three kinds, and what they make of the default style.
    fn entries() -> Vec<(Sequence, StyleCode)> {
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
        let of_kind = |kind| (0..=255).map(move |n| entry(n, kind));
        [38, 48, 58].into_iter().flat_map(of_kind).collect()
    }

    fn count_found(memo: &StyleMemo, entries: &[(Sequence, StyleCode)]) -> usize {
        let found = entries.iter().filter(|(sequence, style)| {
            memo.get(*sequence).inspect(|found| assert_eq!(found, style)).is_some()
        });
        found.count()
    }
}
