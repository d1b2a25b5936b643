//! Any bytes at all as pictures; see `ccmux-server`'s `persistence::fuzzing`.

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::check::{check, repair_png};
use super::kitty::{Control, Format, png_size};
use super::sixel::Part;
use super::sixel::fuzzing::sixels;
use super::{CellSize, IMAGES_BYTES_MAX, IMAGES_MAX, SIDE_MAX};
use crate::compose::{ColorDepth, Frame, OutputCaps, OutputFeatures, Painter, enter};
use crate::{Size, Terminal};

/// Bytes in front that say what follows.
const HEAD_BYTES: usize = 8;
/// The screens that pictures are shown on.
const SIZE: Size = Size { cols: 20, rows: 6 };
/// Frames after which all pictures of a screen are drawn, as long as they are no longer than an input.
const FRAMES_MAX: usize = 4;

/// A string of sixels, the data of a picture of the kitty protocol, or what a program prints, by the first
/// byte. Returns whether there was a picture.
///
/// # Panics
/// If a picture takes more memory or work than it may, or is not drawn as it came.
pub fn fuzz_pictures(input: &[u8]) -> bool {
    let Some((head, bytes)) = input.split_first_chunk::<HEAD_BYTES>() else { return false };
    let [kind, flags, measured, shown, rest @ ..] = *head;
    // Of sides that are odd, even, and prime to each other.
    let cell =
        |byte: u8| CellSize { width: u16::from(byte >> 4) + 1, height: u16::from(byte & 15) + 1 };
    let [col, row, cols, rows] = rest.map(u16::from);
    match kind % 3 {
        0 => {
            let (measured, shown) = (cell(measured), cell(shown));
            sixels(bytes, flags & 1 == 1, Part { col, row, cols, rows, measured, shown })
        }
        1 => data(bytes, flags, (u32::from(col) << 8 | u32::from(row), cols.into())),
        _ => printed(bytes, cell(measured), cell(shown)),
    }
}

/// The data of a picture: as it is or compressed first, and of a PNG with its checksums made right.
fn data(bytes: &[u8], flags: u8, size: (u32, u32)) -> bool {
    let format = [Format::Rgb, Format::Rgba, Format::Png][usize::from(flags >> 4) % 3];
    let mut data = bytes.to_vec();
    if flags & 1 == 1 && format == Format::Png {
        repair_png(&mut data);
    }
    let is_deflated = flags & 6 != 0;
    let packed = if flags & 2 == 2 { compress_to_vec_zlib(&data, 1) } else { data.clone() };
    let checked = check(format, is_deflated, size, &packed);
    if !is_deflated && format == Format::Png && checked.is_ok() {
        assert!(png_size(&data).is_some(), "what is a PNG has a size");
    }
    // What is said of a picture comes from there as well.
    let control = Control::parse(bytes);
    checked.is_ok() || control.is_some()
}

/// What a program prints, and what comes of its pictures on the terminal around.
fn printed(bytes: &[u8], measured: CellSize, shown: CellSize) -> bool {
    let features = OutputFeatures::SIXEL | OutputFeatures::KITTY_GRAPHICS;
    let caps = OutputCaps { colors: ColorDepth::TrueColor, features };
    let mut terminal = Terminal::new(SIZE);
    terminal.set_cell_size(measured);
    let mut outer = Terminal::new(SIZE);
    outer.set_cell_size(shown);
    outer.advance(&enter(caps));
    let mut painter = Painter::new(caps, SIZE);
    painter.set_cell_size(shown);
    let mut is_any = false;
    for part in bytes.split(|byte| *byte == 0xff) {
        terminal.advance(part);
        terminal.take_events();
        assert_bounded(&mut terminal);
        let mut frame = Frame::new(SIZE);
        frame.set_graphics(features);
        frame.draw_terminal(frame.area(), &terminal);
        let mut out = Vec::new();
        for _ in 0..FRAMES_MAX {
            painter.paint(&frame, &mut out);
        }
        assert!(!painter.has_more(), "pictures of {} bytes wait", bytes.len());
        outer.advance(&out);
        assert_bounded(&mut outer);
        out.clear();
        painter.paint(&frame, &mut out);
        assert!(out.is_empty(), "nothing has changed: {:?}", String::from_utf8_lossy(&out));
        is_any |= !frame.images().is_empty();
    }
    is_any
}

/// I2, and the keyframe law.
fn assert_bounded(terminal: &mut Terminal) {
    let areas = terminal.images();
    let mut images: Vec<_> = areas.iter().map(|area| &area.placement.image).collect();
    images.sort_by_key(|image| image.number);
    images.dedup_by_key(|image| image.number);
    assert!(images.len() <= IMAGES_MAX, "{} pictures", images.len());
    assert!(images.iter().map(|image| image.bytes()).sum::<usize>() <= IMAGES_BYTES_MAX);
    assert!(images.iter().all(|image| image.width.max(image.height) <= SIDE_MAX));
    terminal.release_history(terminal.history_end());
    let again = Terminal::restore(&terminal.keyframe()).expect("what is written can be read");
    assert!(again == *terminal, "a terminal that was frozen and thawed differs");
}

/// Inputs to begin with.
pub fn fuzz_picture_seeds() -> Vec<Vec<u8>> {
    let sixels: &[u8] = b"\"1;1;12;14#1;2;100;0;0#2;1;120;50;50#1!9~$#2?!3@-!9~-B#1~";
    let png = |header: &[u8], rows: &[u8]| {
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        let chunks: [(&[u8], &[u8]); 4] =
            [(b"IHDR", header), (b"PLTE", &[1, 2, 3]), (b"IDAT", rows), (b"IEND", b"")];
        for (kind, body) in chunks {
            png.extend_from_slice(&(body.len() as u32).to_be_bytes());
            png.extend_from_slice(&[kind, body, &[0; 4]].concat());
        }
        repair_png(&mut png);
        png
    };
    let rows = |rows: &[u8]| compress_to_vec_zlib(rows, 1);
    let indexed = png(b"\0\0\0\x02\0\0\0\x03\x08\x03\0\0\0", &rows(&[0, 1, 2, 1, 4, 5, 4, 7, 8]));
    let interlaced = png(b"\0\0\0\x03\0\0\0\x03\x01\x03\0\0\x01", &rows(&[0; 12]));
    let raw = [7; 24];
    let program: &[u8] = b"$ \x1bP0;1;0q\"1;1;40;24#1;2;100;0;0#1!40~$#2?!3@-!9~\x1b\\\xff\x1b[2;3HX\x1b[L\xff\
        \x1b_Ga=T,i=3,p=1,s=1,v=1,c=4,r=2,z=-1;AAAAAA==\x1b\\\x1b_Ga=t,f=24,I=2,s=1,v=2,m=1;AAAA\x1b\\\xff\
        \x1b_Gm=0;AAAA\x1b\\\x1b_Ga=p,I=2,x=0,h=1,C=1\x1b\\\x1b[2S\xff\x1b_Ga=d,d=I,i=3\x1b\\\x1b[2J";
    let keys: &[u8] = b"a=T,q=1,f=32,t=d,o=z,s=2,v=3,i=7,I=0,p=2,x=1,w=1,X=3,c=4,C=1,z=-5,U=0,d=A";
    let seed = |head: [u8; HEAD_BYTES], bytes: &[u8]| [&head, bytes].concat();
    vec![
        seed([0, 1, 0x13, 0x25, 0, 0, 9, 9], sixels),
        seed([0, 0, 0x13, 0x13, 1, 1, 2, 2], sixels),
        seed([1, 0x20, 0, 0, 0, 0, 0, 0], &indexed),
        seed([1, 0x23, 0, 0, 0, 2, 3, 0], &interlaced),
        seed([1, 0x02, 0, 0, 0, 2, 4, 0], &raw),
        seed([1, 0x14, 0, 0, 0, 2, 3, 0], &compress_to_vec_zlib(&raw, 1)),
        seed([1, 0, 0, 0, 0, 0, 0, 0], keys),
        seed([2, 0, 0x7f, 0x7f, 0, 0, 0, 0], program),
        seed([2, 0, 0x7f, 0x5a, 0, 0, 0, 0], program),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_has_a_picture() {
        for (at, seed) in fuzz_picture_seeds().iter().enumerate() {
            assert!(fuzz_pictures(seed), "seed {at}");
        }
    }
}
