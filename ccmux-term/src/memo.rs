//! What sequences make of a style, remembered.
//!
//! Coloured output sets few styles again and again, from few other ones. Taking such a sequence apart costs
//! several times what finding it here does. What is found is what taking it apart gives, so it makes no
//! difference to any field of the terminal what is remembered.

use crate::grid::cell::PenId;

/// The parameters and the final `m` of a sequence of at most so many bytes.
const SEQUENCE_BYTES_MAX: usize = 16;

/// Each byte 1.
const EACH: u128 = u128::from_le_bytes([1; SEQUENCE_BYTES_MAX]);

/// A sequence that sets a style: its bytes behind `ESC [`, then zeros. It is not 0: it ends in `m`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sequence(u128);

impl Sequence {
    /// The one whose parameters `bytes` begin with, and how many bytes it has; `None` if it is another
    /// sequence, a long one, or cut.
    #[inline]
    pub(crate) fn at(bytes: &[u8]) -> Option<(Self, usize)> {
        let lane = u128::from_le_bytes(*bytes.first_chunk()?);
        let values = lane ^ (EACH * 0x30);
        // The highest bit of each byte that is no digit, colon or semicolon.
        let others = (values | ((values & (EACH * 0x7f)) + EACH * 0x74)) & (EACH * 0x80);
        if others == 0 {
            return None;
        }
        let last = others.trailing_zeros() as usize / 8;
        let key = lane & (u128::MAX >> (8 * (SEQUENCE_BYTES_MAX - 1 - last)));
        (bytes[last] == b'm').then_some((Self(key), last + 1))
    }
}

/// What is looked for in a [`Memo`]. The default is none that is remembered.
pub(crate) trait Key: Copy + PartialEq + Default {
    /// Its highest bits depend on all of the key.
    fn hash(self) -> u64;
}

/// A sequence that changes one certain style.
impl Key for Sequence {
    #[inline]
    fn hash(self) -> u64 {
        let folded = self.0 as u64 ^ ((self.0 >> 64) as u64).rotate_left(29);
        folded.wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// A sequence that changes this pen.
impl Key for (PenId, Sequence) {
    #[inline]
    fn hash(self) -> u64 {
        let (PenId(pen), sequence) = self;
        (sequence.hash() ^ u64::from(pen)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Values by key, in sets of two, at first and at most so many: the older one goes when a third one comes. There
/// are twice as many sets when so many values have gone as there are sets. It is kept for the time it saves only.
#[derive(Clone, Debug)]
pub(crate) struct Memo<K, V, const SETS_FIRST: usize, const SETS_MOST: usize> {
    /// The newer one and the older one. Empty until something is to be remembered, then a power of two long.
    sets: Vec<[(K, V); 2]>,
    /// How far down the bits of a hash are that say which set it is.
    shift: u32,
    /// How many have gone since there are so many sets.
    gone: usize,
}

impl<K, V, const SETS_FIRST: usize, const SETS_MOST: usize> Default
    for Memo<K, V, SETS_FIRST, SETS_MOST>
{
    fn default() -> Self {
        Self { sets: Vec::new(), shift: 0, gone: 0 }
    }
}

impl<K: Key, V: Copy + Default, const SETS_FIRST: usize, const SETS_MOST: usize>
    Memo<K, V, SETS_FIRST, SETS_MOST>
{
    #[inline]
    pub(crate) fn get(&self, key: K) -> Option<&V> {
        let set = self.sets.get((key.hash() >> self.shift) as usize)?;
        // Which of the two it is nobody can predict, so there is no branch on that.
        let found = &set[usize::from(set[1].0 == key)];
        (found.0 == key).then_some(&found.1)
    }

    pub(crate) fn remember(&mut self, key: K, value: V) {
        if self.sets.is_empty() {
            self.begin(SETS_FIRST);
        }
        let set = &mut self.sets[(key.hash() >> self.shift) as usize];
        let [newer, older] = *set;
        *set = [(key, value), newer];
        self.gone += usize::from(older.0 != K::default());
        if self.gone > self.sets.len() && self.sets.len() < SETS_MOST {
            // What is in use is remembered again soon.
            self.begin(2 * self.sets.len());
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.sets.clear();
    }

    fn begin(&mut self, sets: usize) {
        self.sets.clear();
        self.sets.resize(sets, Default::default());
        self.shift = u64::BITS - sets.ilog2();
        self.gone = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grid::pens::StyleCode;
    use crate::{Color, Style};

    const SETS_FIRST: usize = 256;
    const SETS_MOST: usize = 2048;

    type StyleMemo = Memo<Sequence, StyleCode, SETS_FIRST, SETS_MOST>;

    /// What comes first is taken for a sequence exactly if it consists of parameters and ends in `m`.
    #[test]
    fn only_whole_short_sequences_of_styles_are_taken() {
        for params in ["", "0", "1;31", "38;5;255", "4:3", "38:2::1:2:3", "00000000000;:;0"] {
            for last in (0..=u8::MAX).filter(|byte| !matches!(byte, b'0'..=b';')) {
                let bytes = [params.as_bytes(), &[last], "xm0123456789abcdef".as_bytes()].concat();
                let expected = (last == b'm').then_some(params.len() + 1);
                let found = Sequence::at(&bytes).map(|(_, len)| len);
                assert_eq!(found, expected, "{params:?} and {last}");
            }
        }
        assert_eq!(Sequence::at(b"0000000000000000m"), None, "too long to remember");
        assert_eq!(Sequence::at(b"1m0123456789abc"), None, "its end may be elsewhere");
    }

    #[test]
    fn what_is_behind_a_sequence_is_no_part_of_it() {
        let (a, b) = (Sequence::at(b"1;31mabcdefghijkl"), Sequence::at(b"1;31m\x1b[0m 0123456789"));
        assert_eq!(a.unwrap().0, b.unwrap().0);
        assert_ne!(a.unwrap().0, Sequence::at(b"1;32mabcdefghijkl").unwrap().0);
    }

    /// However many are remembered, each is found as it was or not at all.
    #[test]
    fn a_sequence_is_found_with_its_own_style() {
        let mut memo = StyleMemo::default();
        let entries = entries();
        assert_eq!(memo.get(entries[0].0), None);
        for &(sequence, style) in &entries {
            memo.remember(sequence, style);
            let is_found = memo.get(sequence).inspect(|found| assert_eq!(**found, style)).is_some();
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
        assert_eq!(memo.sets.len(), SETS_FIRST, "few styles need no room");
    }

    /// However many there are, there is a bound to what they take.
    #[test]
    fn it_is_bounded() {
        let mut memo = StyleMemo::default();
        for n in 0..100_000 {
            let bytes = format!("38;2;{};{}m................", n / 1000, n % 1000);
            let (sequence, _) = Sequence::at(bytes.as_bytes()).expect("it is one");
            memo.remember(sequence, StyleCode::DEFAULT);
        }
        assert_eq!(memo.sets.len(), SETS_MOST);
    }

    /// Sequences of three kinds, and what they make of the default style.
    fn entries() -> Vec<(Sequence, StyleCode)> {
        let entry = |n: u8, kind: u8| {
            let bytes = format!("{kind};5;{n}m................");
            let (sequence, _) = Sequence::at(bytes.as_bytes()).expect("it is one");
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
            memo.get(*sequence).inspect(|found| assert_eq!(*found, style)).is_some()
        });
        found.count()
    }
}
