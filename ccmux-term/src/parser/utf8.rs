//! UTF-8 decoding with one U+FFFD per maximal ill-formed subsequence (Unicode, section 3.9).

/// What the front of a byte string is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Decoded {
    /// A character of so many bytes.
    Char(char, usize),
    /// A C1 control, of two bytes; this is the second one.
    Control(u8),
    /// So many bytes that begin no character.
    Invalid(usize),
    /// The beginning of a character; all bytes belong to it.
    Incomplete,
}

/// Decodes the first character of `bytes`, which is not empty and begins with a byte over 0x7f.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    let Some(&four) = bytes.first_chunk::<4>() else { return decode_any(bytes) };
    let word = u32::from_le_bytes(four);
    let bits = |byte: u32, mask: u32| word >> (8 * byte) & mask;
    let (scalar, len) = if word & 0x00c0_c0f0 == 0x0080_80e0 {
        (bits(0, 0xf) << 12 | bits(1, 0x3f) << 6 | bits(2, 0x3f), 3)
    } else if word & 0x0000_c0e0 == 0x0000_80c0 {
        (bits(0, 0x1f) << 6 | bits(1, 0x3f), 2)
    } else if word & 0xc0c0_c0ff == 0x8080_80f0 {
        // The planes of emoji, and the next ones.
        (bits(1, 0x3f) << 12 | bits(2, 0x3f) << 6 | bits(3, 0x3f), 4)
    } else {
        return decode_any(bytes);
    };
    // A longer form of another character is invalid, and what is no C1 control begins at U+00A0.
    match char::from_u32(scalar) {
        Some(c) if scalar >= LEAST[len - 2] => Decoded::Char(c, len),
        _ => decode_any(bytes),
    }
}

/// The first characters that take two, three and four bytes and are no controls.
const LEAST: [u32; 3] = [0xa0, 0x800, 0x1_0000];

#[inline(never)]
fn decode_any(bytes: &[u8]) -> Decoded {
    if let [0xc2, control @ 0x80..=0x9f, ..] = *bytes {
        return Decoded::Control(control);
    }
    let lead = bytes[0];
    let (len, second_min, second_max) = match lead {
        0xc2..=0xdf => (2, 0x80, 0xbf),
        0xe0 => (3, 0xa0, 0xbf),
        0xe1..=0xec | 0xee | 0xef => (3, 0x80, 0xbf),
        0xed => (3, 0x80, 0x9f),
        0xf0 => (4, 0x90, 0xbf),
        0xf1..=0xf3 => (4, 0x80, 0xbf),
        0xf4 => (4, 0x80, 0x8f),
        _ => return Decoded::Invalid(1),
    };
    let Some(&second) = bytes.get(1) else { return Decoded::Incomplete };
    if !(second_min..=second_max).contains(&second) {
        return Decoded::Invalid(1);
    }
    let mut scalar = u32::from(lead) & (0x7f >> len);
    scalar = scalar << 6 | u32::from(second & 0x3f);
    for index in 2..len {
        let Some(&byte) = bytes.get(index) else { return Decoded::Incomplete };
        if byte & 0xc0 != 0x80 {
            return Decoded::Invalid(index);
        }
        scalar = scalar << 6 | u32::from(byte & 0x3f);
    }
    let c =
        char::from_u32(scalar).expect("the ranges above exclude surrogates and over-long forms");
    Decoded::Char(c, len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick way and the thorough one give the same, whatever follows.
    #[test]
    fn characters_are_decoded_alike_however_many_bytes_there_are() {
        const EDGES: [u8; 11] = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
        for lead in 0x80..=u8::MAX {
            for second in 0..=u8::MAX {
                for (third, fourth) in EDGES.iter().flat_map(|a| EDGES.map(|b| (*a, b))) {
                    let bytes = [lead, second, third, fourth, b'.'];
                    assert_eq!(decode(&bytes), decode_any(&bytes), "{bytes:x?}");
                }
            }
        }
    }
}
