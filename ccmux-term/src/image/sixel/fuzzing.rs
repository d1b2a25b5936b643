//! Any bytes at all as a string of sixels; see `crate::image::fuzzing`.

use std::sync::Arc;

use super::pixels::Pixels;
use super::tokens::{Token, Tokens};
use super::{Decoded, OVERPAINTING_MAX, Part, REGISTERS, is_body, read, write_head, write_part};
use crate::image::{CellSize, Image, ImageData, PIXELS_MAX, SIDE_MAX};

/// So many bytes are kept of one, at most: of `#` there is `#0`.
const GROWTH_MAX: usize = 2;
/// Bytes of a string that are not for pixels: what it begins and ends with, and colours.
const HEAD_BYTES_MAX: usize = 64 + 25 * REGISTERS as usize;
/// Bytes for each pixel that is written: `#1023!4092?!4092~$`.
const PIXEL_BYTES_MAX: usize = 18;

/// A string of sixels, and a part of the picture in cells of another size: read again, what is kept is the
/// same; it takes no more to keep, decode and draw it than it may; a part has the pixels of the whole.
pub(crate) fn sixels(text: &[u8], is_opaque: bool, part: Part) -> bool {
    let Some(image) = read(1, is_opaque, text) else { return false };
    assert!(Image::is_size_allowed(image.width, image.height));
    let body = body_of(&image);
    assert!(body.len() <= GROWTH_MAX * text.len(), "{} of {}", body.len(), text.len());
    assert!(is_body(body), "it has bytes that no sixels have");
    assert!(painted(body) <= OVERPAINTING_MAX * u64::from(PIXELS_MAX), "it takes too long");
    let mut whole = Vec::new();
    write_head(is_opaque, (image.width, image.height), &mut whole);
    let declared = whole.iter().position(|byte| *byte == b'"').expect("its size");
    let again = [&whole[declared..], body].concat();
    assert_eq!(read(1, is_opaque, &again).as_ref(), Some(&image), "read again it differs");
    let image = Arc::new(image);
    let mut decoded = Decoded::default();
    parted(&image, part, &mut decoded);
    let measured = Part { shown: part.measured, ..part };
    if let Some(drawn) = parted(&image, measured, &mut decoded) {
        assert_is_part(&image, &drawn, measured);
    }
    true
}

fn body_of(image: &Image) -> &[u8] {
    match &image.data {
        ImageData::Sixel { body, .. } => body,
        ImageData::Kitty { .. } => unreachable!("BUG: sixels are read as sixels"),
    }
}

/// How many pixels are set when it is decoded, over one another as well.
fn painted(body: &[u8]) -> u64 {
    let pixels = |token| match token {
        Token::Sixels { count, bits } => u64::from(count) * u64::from(bits.count_ones()),
        _ => 0,
    };
    Tokens::new(body).map(pixels).sum()
}

/// What is drawn of a part, if it is anything and a picture of that size may be.
fn parted(image: &Arc<Image>, part: Part, decoded: &mut Decoded) -> Option<Image> {
    let mut out = Vec::new();
    write_part(image, part, decoded, &mut out);
    let string = out.strip_prefix(b"\x1bP0;").filter(|_| !out.is_empty())?;
    let is_opaque = string.starts_with(b"0");
    let string = string.get(4..).and_then(|string| string.strip_suffix(b"\x1b\\"));
    let string = string.expect("it is a string of its own");
    assert!(string.iter().all(|byte| matches!(byte, b' '..=b'~')), "it is not one string");
    let raster = match Tokens::new(string).next() {
        Some(Token::Raster { width, height }) => (width, height),
        other => panic!("{other:?} comes first"),
    };
    let pixels = u64::from(raster.0) * u64::from(raster.1);
    assert!(pixels <= u64::from(PIXELS_MAX), "it has too many pixels");
    let longest = HEAD_BYTES_MAX + PIXEL_BYTES_MAX * pixels as usize;
    assert!(out.len() <= longest.max(HEAD_BYTES_MAX + body_of(image).len()), "{}", out.len());
    let drawn = read(image.number, is_opaque, string);
    if raster.0.max(raster.1) > SIDE_MAX {
        return None;
    }
    let drawn = drawn.expect("a picture within all bounds");
    assert_eq!((drawn.width, drawn.height), raster, "more is drawn than it says");
    Some(drawn)
}

fn assert_is_part(image: &Image, drawn: &Image, part: Part) {
    let [all, some] = [image, drawn].map(|image| Pixels::decode(image, body_of(image)));
    let CellSize { width, height } = part.measured;
    let (left, top) =
        (u32::from(part.col) * u32::from(width), u32::from(part.row) * u32::from(height));
    for (y, row) in some.registers.chunks(some.width as usize).enumerate() {
        let start = ((top as usize + y) * all.width as usize) + left as usize;
        assert_eq!(row, &all.registers[start..start + row.len()], "row {y} has other pixels");
    }
}
