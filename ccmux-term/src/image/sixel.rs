//! Sixels: a string of them read into a picture, and a part of a picture as a string.
//!
//! ```text
//! DCS P1;P2;P3 q  "pan;pad;width;height  #register;2;r;g;b  #register  sixels  $  -  ST
//! ```
//!
//! P2 of 1 leaves pixels transparent that are not set. What the aspect ratio (P1, pan and pad) says
//! is not heeded, as in most emulators: pixels are square. Each picture has registers of its own, as
//! with mode 1070; one that it does not define has whatever colour the terminal gives it.

pub(crate) mod fuzzing;
mod pixels;
mod tokens;

pub(crate) use self::pixels::{Decoded, Part, write_part};
use self::tokens::{Token, Tokens};
use super::{Image, ImageData, PIXELS_MAX, SIDE_MAX};
use crate::compose::write_decimal;

/// Colour registers of a picture; colours of others are those of the last one before.
pub(crate) const REGISTERS: u16 = 1024;
/// So often the most pixels may be set, over one another: a picture of many colours does that here and
/// there, and what decoding takes is bounded by it.
const OVERPAINTING_MAX: u64 = 4;
/// Pixels of a band from top to bottom.
const BAND: u32 = 6;

/// Reads the string of a DCS. What lies beyond [`SIDE_MAX`] is cut off; `None` if there is nothing to
/// see, or too much of it.
pub(crate) fn read(number: u64, is_opaque: bool, text: &[u8]) -> Option<Image> {
    let mut body = Vec::new();
    let (mut x, mut y) = (0, 0);
    let (mut width, mut height) = (0, 0);
    let mut pixels = 0_u64;
    for token in Tokens::new(text) {
        match token {
            Token::Raster { width: declared_width, height: declared_height } => {
                let is_first = body.is_empty();
                if is_first && Image::is_size_allowed(declared_width, declared_height) {
                    (width, height) = (declared_width, declared_height);
                }
                continue;
            }
            Token::Sixels { count, bits } => {
                let count = count.min(SIDE_MAX - x);
                if count > 0 {
                    Token::Sixels { count, bits }.write(&mut body);
                }
                x += count;
                pixels += u64::from(count) * u64::from(bits.count_ones());
                if bits != 0 && count > 0 {
                    width = width.max(x);
                    height = height.max(y + 8 - bits.leading_zeros());
                }
                continue;
            }
            Token::Return => x = 0,
            Token::NextBand => (x, y) = (0, y + BAND),
            Token::Select(_) | Token::Define { .. } => {}
        }
        if y >= SIDE_MAX {
            break;
        }
        token.write(&mut body);
    }
    let data = ImageData::Sixel { is_opaque, body };
    let is_allowed =
        Image::is_size_allowed(width, height) && pixels <= OVERPAINTING_MAX * u64::from(PIXELS_MAX);
    is_allowed.then_some(Image { number, width, height, data })
}

/// Whether bytes are of the kind that [`read`] makes.
pub(crate) fn is_body(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .all(|byte| matches!(byte, b'!' | b'#' | b'$' | b'-' | b';' | b'0'..=b'9' | b'?'..=b'~'))
}

/// The beginning of a string, up to the raster attributes.
fn write_head(is_opaque: bool, (width, height): (u32, u32), out: &mut Vec<u8>) {
    out.extend_from_slice(if is_opaque { b"\x1bP0;0;0q\"1;1;" } else { b"\x1bP0;1;0q\"1;1;" });
    write_decimal(width, out);
    out.push(b';');
    write_decimal(height, out);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(text: &str) -> Option<(u32, u32)> {
        read(0, true, text.as_bytes()).map(|image| (image.width, image.height))
    }

    fn body(text: &str) -> String {
        match read(0, true, text.as_bytes()).expect("a picture").data {
            ImageData::Sixel { body, .. } => String::from_utf8(body).unwrap(),
            ImageData::Kitty { .. } => unreachable!(),
        }
    }

    #[test]
    fn a_picture_is_as_large_as_what_is_drawn_and_declared() {
        for (text, expected) in [
            ("", None),
            ("????", None),
            ("#0", None),
            ("~", Some((1, 6))),
            ("@", Some((1, 1))),
            ("A-~", Some((1, 12))),
            ("~~~$!9~", Some((9, 6))),
            ("\"1;1;10;20", Some((10, 20))),
            ("\"1;1;10;20~-~-~-~", Some((10, 24))),
            ("~\"1;1;10;20", Some((1, 6))),
            ("\"1;1;999999;999999", None),
            ("\"1;1;999999;999999~", Some((1, 6))),
            ("!999999999~", Some((SIDE_MAX, 6))),
            ("!99999999999999999999~", Some((SIDE_MAX, 6))),
            ("!~", Some((1, 6))),
            ("!3", None),
            ("!3#1~", Some((1, 6))),
        ] {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn what_lies_beyond_the_bounds_is_cut_or_refused() {
        let tall = "~-".repeat(2000);
        assert_eq!(size(&tall), Some((1, SIDE_MAX)));
        assert_eq!(body(&tall).len(), 2 * SIDE_MAX as usize / 6 - 1);
        const { assert!(SIDE_MAX * 170 * 6 <= PIXELS_MAX && SIDE_MAX * 171 * 6 > PIXELS_MAX) };
        assert_eq!(size(&format!("!4092~{}", "-~".repeat(169))), Some((SIDE_MAX, 170 * 6)));
        assert_eq!(size(&format!("!4092~{}", "-~".repeat(170))), None);
        // Painted over and over: each time all of the pixels count.
        let times = OVERPAINTING_MAX * u64::from(PIXELS_MAX) / u64::from(SIDE_MAX * 6);
        let painted = |times: u64| size(&"!4092~$".repeat(times as usize));
        assert_eq!((painted(times), painted(times + 1)), (Some((SIDE_MAX, 6)), None));
    }

    #[test]
    fn only_what_means_something_is_kept() {
        assert_eq!(body("\"1;1;2;2#007;2;000100;0;0 \r\n\x07~%&'\u{e4}~"), "#7;2;100;0;0~~");
        assert_eq!(body("#1;2;999;0;0#5~!0~!1~"), "#1;2;100;0;0#5~~~");
        assert_eq!(body("#4000;2;1;1;1~#4000~"), "~~");
        assert!(is_body(body("#1;1;360;50;50!7~$-@").as_bytes()));
        for bad in [&b"~\x1b"[..], b"\x9c", b"\"", b"~\x07"] {
            assert!(!is_body(bad), "{bad:?}");
        }
    }
}
