//! A part of a picture, of another size perhaps: for that its pixels are needed, for a moment.

use std::sync::Arc;

use super::tokens::{Token, Tokens};
use super::{BAND, write_head};
use crate::image::{CellSize, Image, ImageData, PIXELS_MAX};

/// A part of a picture in cells of the size that the picture was measured by, and the size of the
/// cells that it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub(crate) col: u16,
    pub(crate) row: u16,
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    pub(crate) measured: CellSize,
    pub(crate) shown: CellSize,
}

/// The picture that was decoded last: parts of it follow each other.
#[derive(Default)]
pub(crate) struct Decoded(Option<(Arc<Image>, Pixels)>);

impl Decoded {
    fn pixels(&mut self, image: &Arc<Image>, body: &[u8]) -> &Pixels {
        if !self.0.as_ref().is_some_and(|(known, _)| Arc::ptr_eq(known, image)) {
            self.0 = None;
        }
        &self.0.get_or_insert_with(|| (Arc::clone(image), Pixels::decode(image, body))).1
    }
}

/// Writes the device control string that draws a part of a picture; nothing if it has no pixels, or
/// the picture is none of sixels. A whole one for cells of the same size is as it came. One that would
/// have more than [`PIXELS_MAX`] keeps its size.
pub(crate) fn write_part(image: &Arc<Image>, part: Part, decoded: &mut Decoded, out: &mut Vec<u8>) {
    let ImageData::Sixel { is_opaque, body } = &image.data else { return };
    let measured = part.measured;
    let spans = |shown: CellSize| {
        let columns = span((part.col, part.cols), (measured.width, shown.width), image.width);
        let rows = span((part.row, part.rows), (measured.height, shown.height), image.height);
        (columns, rows)
    };
    let mut shown = part.shown;
    let (mut columns, mut rows) = spans(shown);
    if columns.len() * rows.len() > PIXELS_MAX as usize {
        shown = measured;
        (columns, rows) = spans(shown);
    }
    if columns.is_empty() || rows.is_empty() {
        return;
    }
    write_head(*is_opaque, (columns.len() as u32, rows.len() as u32), out);
    let is_whole = |pixels: &[u32], side: u32| {
        pixels.len() == side as usize
            && pixels.first() == Some(&0)
            && pixels.last() == Some(&(side - 1))
    };
    if measured == shown && is_whole(&columns, image.width) && is_whole(&rows, image.height) {
        out.extend_from_slice(body);
    } else {
        let pixels = decoded.pixels(image, body);
        crate::work::note(columns.len() * rows.len());
        for token in &pixels.colors {
            token.write(out);
        }
        for band in rows.chunks(BAND as usize) {
            pixels.write_band(&columns, band, out);
        }
    }
    out.extend_from_slice(b"\x1b\\");
}

/// Which pixels of a side of `side` pixels are shown, in order, for some of its cells.
fn span((cell, cells): (u16, u16), (measured, shown): (u16, u16), side: u32) -> Vec<u32> {
    let [measured, shown] = [measured, shown].map(u32::from);
    let start = (u32::from(cell) * measured).min(side);
    let end = (start + u32::from(cells) * measured).min(side);
    // The last cell may be covered in part, and then is so at the other size.
    let len = ((end - start) * shown).div_ceil(measured);
    (0..len).map(|at| start + (at * measured / shown).min(end - start - 1)).collect()
}

/// A decoded picture.
pub(super) struct Pixels {
    pub(super) width: u32,
    /// Registers of pixels, plus one; 0 where nothing is set.
    pub(super) registers: Vec<u16>,
    /// The last definition of each register.
    colors: Vec<Token>,
}

impl Pixels {
    pub(super) fn decode(image: &Image, body: &[u8]) -> Self {
        let (width, height) = (image.width, image.height);
        let mut registers = vec![0_u16; (width * height) as usize];
        crate::work::note(registers.len() + body.len());
        let mut colors: Vec<Option<Token>> = Vec::new();
        let (mut x, mut y, mut current) = (0_u32, 0_u32, 0_u16);
        for token in Tokens::new(body) {
            match token {
                Token::Raster { .. } => {}
                Token::Select(register) => current = register,
                Token::Define { register, .. } => {
                    current = register;
                    let index = usize::from(register);
                    if colors.len() <= index {
                        colors.resize(index + 1, None);
                    }
                    colors[index] = Some(token);
                }
                Token::Sixels { count, bits } => {
                    let end = x.saturating_add(count).min(width);
                    for bit in (0..BAND).filter(|bit| bits >> bit & 1 != 0 && y + bit < height) {
                        let start = ((y + bit) * width) as usize;
                        registers[start + x.min(end) as usize..start + end as usize]
                            .fill(current + 1);
                    }
                    x = end;
                }
                Token::Return => x = 0,
                Token::NextBand => (x, y) = (0, y.saturating_add(BAND)),
            }
        }
        Self { width, registers, colors: colors.into_iter().flatten().collect() }
    }

    /// Writes the pixels of up to six rows: register by register, what is set of it in each column.
    fn write_band(&self, columns: &[u32], rows: &[u32], out: &mut Vec<u8>) {
        let mut set: Vec<(u16, u32, u8)> = Vec::new();
        for (x, &column) in (0..).zip(columns) {
            let first = set.len();
            for (bit, &row) in rows.iter().enumerate() {
                let register = self.registers[(row * self.width + column) as usize];
                if register == 0 {
                    continue;
                }
                match set[first..].iter_mut().find(|(known, ..)| *known == register) {
                    Some((.., bits)) => *bits |= 1 << bit,
                    None => set.push((register, x, 1 << bit)),
                }
            }
        }
        set.sort_unstable();
        for of_register in set.chunk_by(|a, b| a.0 == b.0) {
            Token::Select(of_register[0].0 - 1).write(out);
            let mut at = 0;
            for run in of_register.chunk_by(|a, b| a.1 + 1 == b.1 && a.2 == b.2) {
                let (_, x, bits) = run[0];
                if x > at {
                    Token::Sixels { count: x - at, bits: 0 }.write(out);
                }
                Token::Sixels { count: run.len() as u32, bits }.write(out);
                at = x + run.len() as u32;
            }
            Token::Return.write(out);
        }
        Token::NextBand.write(out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    const CELL: CellSize = CellSize { width: 2, height: 4 };

    fn part(text: &str, (col, row, cols, rows): (u16, u16, u16, u16), shown: CellSize) -> String {
        let image = read(0, false, text.as_bytes()).unwrap();
        let mut out = Vec::new();
        write_part(
            &Arc::new(image),
            Part { col, row, cols, rows, measured: CELL, shown },
            &mut Decoded::default(),
            &mut out,
        );
        String::from_utf8(out).unwrap()
    }

    /// The pixels of a string, a row each, registers as digits.
    fn rows(string: &str) -> Vec<String> {
        let body = string.strip_prefix("\x1bP0;1;0q").unwrap().strip_suffix("\x1b\\").unwrap();
        let image = read(0, false, body.as_bytes()).unwrap();
        let ImageData::Sixel { body, .. } = &image.data else { unreachable!() };
        let pixels = Pixels::decode(&image, body);
        let digit = |register: &u16| match register {
            0 => '.',
            register => char::from_digit(u32::from(register - 1), 36).unwrap(),
        };
        pixels
            .registers
            .chunks(image.width as usize)
            .map(|row| row.iter().map(digit).collect())
            .collect()
    }

    /// Four columns and eight rows: two by two cells.
    const PICTURE: &str = "#1;2;100;0;0#2;2;0;100;0#1~~$#2??~~-#3BB$#4??BB";

    #[test]
    fn a_whole_picture_is_as_it_came() {
        let body = PICTURE;
        let expected = format!("\x1bP0;1;0q\"1;1;4;8{body}\x1b\\");
        assert_eq!(part(body, (0, 0, 2, 2), CELL), expected);
        assert_eq!(part(body, (0, 0, 9, 9), CELL), expected);
    }

    #[test]
    fn parts_have_the_pixels_of_their_cells() {
        let whole = rows(&part(PICTURE, (0, 0, 2, 2), CELL));
        assert_eq!(whole[..6], ["1122"; 6]);
        assert_eq!(whole[6..], ["3344"; 2]);
        assert_eq!(
            rows(&part(PICTURE, (1, 0, 1, 2), CELL)).concat(),
            "22".repeat(6) + &"44".repeat(2)
        );
        assert_eq!(rows(&part(PICTURE, (0, 1, 2, 1), CELL)), ["1122", "1122", "3344", "3344"]);
        assert_eq!(rows(&part(PICTURE, (1, 1, 5, 5), CELL)), ["22", "22", "44", "44"]);
        assert_eq!(part(PICTURE, (2, 0, 1, 1), CELL), "");
        // Colours come with each part.
        assert!(part(PICTURE, (1, 1, 1, 1), CELL).contains("#1;2;100;0;0#2;2;0;100;0"));
    }

    #[test]
    fn pictures_fit_cells_of_another_size() {
        let large = rows(&part(PICTURE, (0, 0, 2, 2), CellSize { width: 4, height: 8 }));
        assert_eq!(large[..12], ["11112222"; 12]);
        assert_eq!(large[12..], ["33334444"; 4]);
        let small = rows(&part(PICTURE, (0, 0, 2, 2), CellSize { width: 1, height: 2 }));
        assert_eq!(small, ["12", "12", "12", "34"]);
        let odd = rows(&part(PICTURE, (0, 1, 2, 1), CellSize { width: 3, height: 5 }));
        assert_eq!(odd, ["111222", "111222", "111222", "333444", "333444"]);
    }

    #[test]
    fn a_picture_that_would_be_too_large_keeps_its_size() {
        let huge = CellSize { width: 256, height: 256 };
        let text = "\"1;1;1000;1000#1!500~";
        let image = read(0, false, text.as_bytes()).unwrap();
        let mut out = Vec::new();
        let all = Part { col: 0, row: 0, cols: 500, rows: 250, measured: CELL, shown: huge };
        write_part(&Arc::new(image), all, &mut Decoded::default(), &mut out);
        assert!(out.starts_with(b"\x1bP0;1;0q\"1;1;1000;1000#1!500~"));
        assert!(part(text, (0, 0, 2, 2), huge).starts_with("\x1bP0;1;0q\"1;1;512;512#1"));
    }

    #[test]
    fn what_is_not_set_stays_transparent() {
        let text = "#1~??~$#2?@";
        assert_eq!(rows(&part(text, (0, 0, 2, 1), CELL))[..2], ["12.1", "1..1"]);
    }
}
