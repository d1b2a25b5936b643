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

/// The first character that takes three bytes; a longer form of another one is invalid.
const THREE_BYTES_MIN: char = '\u{800}';

/// Decodes the first character of `bytes`, which is not empty and begins with a byte over 0x7f.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Decoded {
    match *bytes {
        [first @ 0xe0..=0xef, second, third, ..] if is_tail(second) && is_tail(third) => {
            let scalar = u32::from(first & 0xf) << 12 | bits(second) << 6 | bits(third);
            match char::from_u32(scalar) {
                Some(c) if c >= THREE_BYTES_MIN => Decoded::Char(c, 3),
                _ => decode_any(bytes),
            }
        }
        [first @ 0xc3..=0xdf, second, ..] if is_tail(second) => {
            let scalar = u32::from(first & 0x1f) << 6 | bits(second);
            Decoded::Char(char::from_u32(scalar).expect("no surrogate is below 0x800"), 2)
        }
        // The plane of most emoji.
        [0xf0, second @ 0x90..=0xbf, third, fourth, ..] if is_tail(third) && is_tail(fourth) => {
            let scalar = bits(second) << 12 | bits(third) << 6 | bits(fourth);
            Decoded::Char(char::from_u32(scalar).expect("0x10000 to 0x3ffff are characters"), 4)
        }
        _ => decode_any(bytes),
    }
}

/// Whether a byte can go on with a character.
#[inline]
fn is_tail(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The bits of the scalar value in a byte that goes on with a character.
#[inline]
fn bits(tail: u8) -> u32 {
    u32::from(tail & 0x3f)
}

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
