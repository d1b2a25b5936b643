//! Numeric parameters of a control sequence.

/// Parameters kept; further ones are dropped.
pub(crate) const PARAMS_MAX: usize = 32;

/// Up to [`PARAMS_MAX`] numbers; each knows whether a colon bound it to its predecessor.
///
/// There is always at least one parameter: an absent one is 0, as in ECMA-48.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Params {
    values: [u16; PARAMS_MAX],
    /// Bit *i*: value *i* follows a colon.
    colons: u32,
    /// Values begun; the last one may still grow.
    len: u8,
    /// More values came than fit.
    is_overfull: bool,
}

impl Params {
    pub(crate) const fn new() -> Self {
        Self { values: [0; PARAMS_MAX], colons: 0, len: 1, is_overfull: false }
    }

    /// Parameters that were taken apart; `values` has one to [`PARAMS_MAX`].
    pub(crate) fn from_parts(values: &[u16], colons: u32, is_overfull: bool) -> Self {
        let mut params = Self { len: values.len() as u8, colons, is_overfull, ..Self::new() };
        params.values[..values.len()].copy_from_slice(values);
        params
    }

    pub(crate) fn colons(&self) -> u32 {
        self.colons
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.is_overfull
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Value `index`, 0 if absent.
    pub(crate) fn get(&self, index: usize) -> u16 {
        if index < self.len() { self.values[index] } else { 0 }
    }

    /// Value `index` as a count: absent and 0 mean 1.
    pub(crate) fn count(&self, index: usize) -> usize {
        usize::from(self.get(index).max(1))
    }

    /// Whether value `index` is bound to its predecessor by a colon.
    pub(crate) fn is_sub(&self, index: usize) -> bool {
        index < self.len() && self.colons & (1 << index) != 0
    }

    /// All values, colons disregarded.
    pub(crate) fn values(&self) -> &[u16] {
        &self.values[..self.len()]
    }

    #[inline]
    pub(super) fn digit(&mut self, byte: u8) {
        if self.is_overfull {
            return;
        }
        let value = &mut self.values[usize::from(self.len) - 1];
        *value = value.saturating_mul(10).saturating_add(u16::from(byte - b'0'));
    }

    #[inline]
    pub(super) fn separate(&mut self, is_colon: bool) {
        if self.len() == PARAMS_MAX {
            self.is_overfull = true;
            return;
        }
        self.colons |= u32::from(is_colon) << self.len;
        self.values[self.len()] = 0;
        self.len += 1;
    }

    /// Takes digits and separators at the front of `bytes`; returns how many there were.
    #[inline]
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> usize {
        if self.is_overfull {
            return 0;
        }
        let mut value = u32::from(self.values[self.len() - 1]);
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let digit = byte.wrapping_sub(b'0');
            if digit < 10 {
                if value == 0
                    && let Some(&four) = bytes[at..].first_chunk()
                    && let Some((number, len)) = short_number(four)
                {
                    value = number;
                    at += len;
                    continue;
                }
                value = (value * 10 + u32::from(digit)).min(u32::from(u16::MAX));
            } else if byte == b';' || byte == b':' {
                self.values[self.len() - 1] = value as u16;
                self.separate(byte == b':');
                value = 0;
                if self.is_overfull {
                    return at + 1;
                }
            } else {
                break;
            }
            at += 1;
        }
        self.values[self.len() - 1] = value as u16;
        at
    }

    #[inline]
    pub(crate) fn clear(&mut self) {
        self.values[0] = 0;
        self.colons = 0;
        self.len = 1;
        self.is_overfull = false;
    }
}

/// The number that up to three digits at the front make, and how many they are; `None` if there are
/// four. It has no branches: how many digits a number has is hard to predict.
#[inline]
fn short_number(bytes: [u8; 4]) -> Option<(u32, usize)> {
    let values = u32::from_le_bytes(bytes) ^ 0x3030_3030;
    // The highest bit of each byte whose value is above 9.
    let others = (values | ((values & 0x7f7f_7f7f) + 0x7676_7676)) & 0x8080_8080;
    if others == 0 {
        return None;
    }
    let len = others.trailing_zeros() / 8;
    // The digits come to lie at the end, behind zeros.
    let digits = ((u64::from(values) << 32) >> (8 * len)) as u32;
    let pairs = (digits.wrapping_mul(10) + (digits >> 8)) & 0x00ff_00ff;
    Some(((pairs & 0xff) * 100 + (pairs >> 16), len as usize))
}

impl PartialEq for Params {
    fn eq(&self, other: &Self) -> bool {
        let Self { values: _, colons, len: _, is_overfull } = self;
        self.values() == other.values()
            && (*colons, *is_overfull) == (other.colons, other.is_overfull)
    }
}

impl Eq for Params {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits are taken several at a time; the outcome is that of one at a time.
    #[test]
    fn numbers_of_any_length_are_read_at_any_cut() {
        let numbers = [
            "", "0", "7", "10", "042", "255", "0001", "1000", "00123", "65535", "65536", "99999999",
        ];
        for (first, second) in numbers.iter().flat_map(|a| numbers.map(|b| (a, b))) {
            for end in ["m", "", ":m", "\u{7f}", "\u{b2}34m", "/m"] {
                let text = format!("{first};{second}{end}");
                let mut expected = Params::new();
                let taken = text.bytes().take_while(|byte| matches!(byte, b'0'..=b';'));
                for byte in taken.clone() {
                    if byte.is_ascii_digit() {
                        expected.digit(byte);
                    } else {
                        expected.separate(byte == b':');
                    }
                }
                for cut in 0..=taken.clone().count() {
                    let mut params = Params::new();
                    let (before, after) = text.as_bytes().split_at(cut);
                    assert_eq!(params.scan(before), cut);
                    assert_eq!(params.scan(after), taken.clone().count() - cut);
                    assert_eq!(params, expected, "{text:?} cut at {cut}");
                }
            }
        }
    }
}
