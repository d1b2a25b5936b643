//! Whether the data of a picture can be shown: for queries, whose data is unpacked to find that out, and not
//! kept.
//!
//! Sources: PNG (third edition), the kitty graphics protocol. No picture is made of it: what is looked at
//! is whether everything is there and unpacks to what was said of it.

use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};

use super::kitty::Format;

/// Most that is unpacked of a query. One that would have more is taken at its word.
const UNPACKED_BYTES_MAX: usize = 1024 * 1024;
/// So much is unpacked of the shortest one, and for each of its bytes so much more: a byte can stand for a
/// thousand, and output must not cost more than its length is worth.
const UNPACKED_BYTES_MIN: usize = 4096;
const UNPACKED_SHARE: usize = 16;

fn unpacked_bytes_max(packed: &[u8]) -> usize {
    (UNPACKED_BYTES_MIN + UNPACKED_SHARE * packed.len()).min(UNPACKED_BYTES_MAX)
}

/// What is wrong with data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flaw {
    /// There is less than there should be.
    TooLittle,
    /// There is more.
    TooMuch,
    /// It was not compressed by zlib.
    NotDeflated,
    /// It is no PNG, or a broken one.
    NotPng,
}

/// Checks data of so many pixels.
pub(crate) fn check(
    format: Format,
    is_deflated: bool,
    (width, height): (u32, u32),
    data: &[u8],
) -> Result<(), Flaw> {
    let expected = format.pixel_bytes().map(|pixel| width as usize * height as usize * pixel);
    let most = unpacked_bytes_max(data);
    let limit = expected.unwrap_or(most);
    let unpacked;
    let data = match is_deflated {
        false => data,
        true if limit > most => return Ok(()),
        true => match inflate(data, limit) {
            Err(Flaw::TooMuch) if expected.is_none() => return Ok(()),
            inflated => {
                unpacked = inflated?;
                &unpacked
            }
        },
    };
    match expected {
        Some(expected) if data.len() < expected => Err(Flaw::TooLittle),
        Some(expected) if data.len() > expected => Err(Flaw::TooMuch),
        Some(_) => Ok(()),
        None => check_png(data),
    }
}

fn inflate(data: &[u8], limit: usize) -> Result<Vec<u8>, Flaw> {
    decompress_to_vec_zlib_with_limit(data, limit).map_err(|error| match error.status {
        TINFLStatus::HasMoreOutput => Flaw::TooMuch,
        TINFLStatus::FailedCannotMakeProgress | TINFLStatus::NeedsMoreInput => Flaw::TooLittle,
        _ => Flaw::NotDeflated,
    })
}

/// Goes through the chunks of a PNG, and unpacks what they hold of the picture.
fn check_png(data: &[u8]) -> Result<(), Flaw> {
    let mut rest = data.strip_prefix(b"\x89PNG\r\n\x1a\n").ok_or(Flaw::NotPng)?;
    let (mut header, mut has_palette, mut image) = (None, false, Vec::new());
    loop {
        let (kind, body);
        (kind, body, rest) = chunk(rest)?;
        match (kind, &header) {
            (b"IHDR", None) => header = Some(Header::read(body).ok_or(Flaw::NotPng)?),
            (b"PLTE", Some(_)) if body.len() % 3 == 0 && image.is_empty() => has_palette = true,
            (b"IDAT", Some(_)) => image.extend_from_slice(body),
            (b"IEND", Some(header)) if has_palette || header.colour != INDEXED => {
                return header.check_rows(&image);
            }
            // A small letter: whoever does not know it can go on.
            ([b'a'..=b'z', ..], Some(_)) => {}
            _ => return Err(Flaw::NotPng),
        }
    }
}

type Chunk<'a> = (&'a [u8; 4], &'a [u8], &'a [u8]);

/// The kind and the body of the first chunk, and what follows it.
fn chunk(data: &[u8]) -> Result<Chunk<'_>, Flaw> {
    let (length, rest) = data.split_first_chunk::<4>().ok_or(Flaw::TooLittle)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (checked, after) =
        rest.split_at_checked(length.saturating_add(4)).ok_or(Flaw::TooLittle)?;
    let (crc, after) = after.split_first_chunk::<4>().ok_or(Flaw::TooLittle)?;
    let (kind, body) = checked.split_first_chunk::<4>().ok_or(Flaw::TooLittle)?;
    if crc32(checked) != u32::from_be_bytes(*crc) {
        return Err(Flaw::NotPng);
    }
    Ok((kind, body, after))
}

/// Colours are indices into a palette.
const INDEXED: u8 = 3;

/// What IHDR says.
#[derive(Clone, Copy, Debug)]
struct Header {
    width: u32,
    height: u32,
    depth: u8,
    colour: u8,
    is_interlaced: bool,
}

impl Header {
    fn read(body: &[u8]) -> Option<Self> {
        let (width, rest) = body.split_first_chunk::<4>()?;
        let (height, rest) = rest.split_first_chunk::<4>()?;
        let [depth, colour, 0, 0, interlace @ 0..=1] = *rest else { return None };
        let [width, height] = [width, height].map(|side| u32::from_be_bytes(*side));
        let is_depth = match colour {
            0 => matches!(depth, 1 | 2 | 4 | 8 | 16),
            INDEXED => matches!(depth, 1 | 2 | 4 | 8),
            2 | 4 | 6 => matches!(depth, 8 | 16),
            _ => false,
        };
        let is_interlaced = interlace == 1;
        (is_depth && width > 0 && height > 0).then_some(Self {
            width,
            height,
            depth,
            colour,
            is_interlaced,
        })
    }

    /// The sides of the pictures that make up the whole one (Adam7), empty ones left out.
    fn passes(self) -> impl Iterator<Item = (usize, usize)> {
        const WHOLE: &[[u32; 4]] = &[[0, 0, 1, 1]];
        /// First column and row, and steps between columns and rows.
        const ADAM7: &[[u32; 4]] = &[
            [0, 0, 8, 8],
            [4, 0, 8, 8],
            [0, 4, 4, 8],
            [2, 0, 4, 4],
            [0, 2, 2, 4],
            [1, 0, 2, 2],
            [0, 1, 1, 2],
        ];
        let passes = if self.is_interlaced { ADAM7 } else { WHOLE };
        passes.iter().filter_map(move |[x, y, step_x, step_y]| {
            let cols = self.width.saturating_sub(*x).div_ceil(*step_x) as usize;
            let rows = self.height.saturating_sub(*y).div_ceil(*step_y) as usize;
            (cols > 0 && rows > 0).then_some((cols, rows))
        })
    }

    /// Bytes of a row of so many pixels, the one for the filter counted.
    fn row_bytes(self, cols: usize) -> usize {
        let samples = match self.colour {
            2 => 3,
            4 => 2,
            6 => 4,
            _ => 1,
        };
        1 + (cols * samples * usize::from(self.depth)).div_ceil(8)
    }

    /// Whether the rows are there, each with a filter that exists.
    fn check_rows(self, image: &[u8]) -> Result<(), Flaw> {
        // What was compressed twice may be of any size.
        let bytes = self.passes().map(|(cols, rows)| self.row_bytes(cols).saturating_mul(rows));
        let expected = bytes.fold(0, usize::saturating_add);
        if expected > unpacked_bytes_max(image) {
            return Ok(());
        }
        let image = inflate(image, expected)?;
        if image.len() < expected {
            return Err(Flaw::TooLittle);
        }
        let mut at = 0;
        for (cols, rows) in self.passes() {
            for _ in 0..rows {
                if image[at] > 4 {
                    return Err(Flaw::NotPng);
                }
                at += self.row_bytes(cols);
            }
        }
        Ok(())
    }
}

/// Makes the checksums of a PNG right: what a fuzzer changes shall not be stopped there.
pub(super) fn repair_png(data: &mut [u8]) {
    let mut rest = data.get_mut(8..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first_chunk_mut::<4>() {
        let length = (u32::from_be_bytes(*length) as usize).saturating_add(4);
        let Some((checked, after)) = after.split_at_mut_checked(length) else { return };
        let Some((crc, after)) = after.split_first_chunk_mut::<4>() else { return };
        *crc = crc32(checked).to_be_bytes();
        rest = after;
    }
}

/// The checksum of ISO 3309, which is not the one of our own files.
fn crc32(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < table.len() {
            let (mut crc, mut bit) = (at as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
                bit += 1;
            }
            table[at] = crc;
            at += 1;
        }
        table
    };
    let next = |crc: u32, byte: &u8| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8;
    !bytes.iter().fold(!0, next)
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;
    use proptest::prelude::*;

    use super::*;

    fn png_chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
        let checked = [&kind[..], body].concat();
        let length = u32::try_from(body.len()).unwrap().to_be_bytes();
        [&length[..], &checked, &crc32(&checked).to_be_bytes()].concat()
    }

    /// Depth, colour and interlace of 3 by 3 pixels, and the rows of it.
    fn png([depth, colour, interlace]: [u8; 3], rows: &[u8], more: &[u8]) -> Vec<u8> {
        let header = [0, 0, 0, 3, 0, 0, 0, 3, depth, colour, 0, 0, interlace];
        let image = compress_to_vec_zlib(rows, 1);
        let (first, second) = image.split_at(image.len() / 2);
        let chunks = [(b"IDAT", first), (b"IDAT", second), (b"IEND", b"")];
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        bytes.extend(png_chunk(*b"IHDR", &header));
        bytes.extend_from_slice(more);
        bytes.extend(chunks.iter().flat_map(|(kind, body)| png_chunk(**kind, body)));
        bytes
    }

    fn check_as(format: Format, data: &[u8]) -> Result<(), Flaw> {
        check(format, false, (3, 3), data)
    }

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }

    /// A PNG that was compressed once more may say any size of itself: what its passes would take
    /// together was more than a number holds, which ended the screen of the pane.
    #[test]
    fn sides_of_any_length_are_added_up() {
        let header = [[0xff; 8].as_slice(), &[16, 6, 0, 0, 1]].concat();
        let parts = [(b"IHDR", header.as_slice()), (b"IDAT", b"x"), (b"IEND", b"")];
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        png.extend(parts.iter().flat_map(|(kind, body)| png_chunk(**kind, body)));
        let packed = compress_to_vec_zlib(&png, 1);
        assert_eq!(check(Format::Png, true, (1, 1), &packed), Ok(()));
    }

    #[test]
    fn pixels_are_as_many_as_was_said() {
        for (format, bytes) in [(Format::Rgb, 27), (Format::Rgba, 36)] {
            for (len, expected) in [
                (bytes, Ok(())),
                (bytes - 1, Err(Flaw::TooLittle)),
                (bytes + 1, Err(Flaw::TooMuch)),
                (0, Err(Flaw::TooLittle)),
            ] {
                let data = vec![7; len];
                assert_eq!(check_as(format, &data), expected);
                let packed = compress_to_vec_zlib(&data, 1);
                assert_eq!(check(format, true, (3, 3), &packed), expected, "packed");
            }
        }
        let packed = compress_to_vec_zlib(&[7; 27], 1);
        let check_packed = |data: &[u8]| check(Format::Rgb, true, (3, 3), data);
        assert_eq!(check_packed(&packed[..packed.len() - 1]), Err(Flaw::TooLittle));
        assert_eq!(check_packed(&packed[1..]), Err(Flaw::NotDeflated));
        let mut wrong_sum = packed.clone();
        *wrong_sum.last_mut().unwrap() ^= 1;
        assert_eq!(check_packed(&wrong_sum), Err(Flaw::NotDeflated));
    }

    #[test]
    fn a_png_is_whole() {
        let grey = png([8, 0, 0], &[0; 12], b"");
        let check_png = |data: &[u8]| check_as(Format::Png, data);
        assert_eq!(check_png(&grey), Ok(()));
        assert_eq!(check(Format::Png, true, (0, 0), &compress_to_vec_zlib(&grey, 1)), Ok(()));
        for (kind, row_bytes) in
            [([1, 0, 0], 2), ([16, 0, 0], 7), ([8, 2, 0], 10), ([8, 4, 0], 7), ([16, 6, 0], 25)]
        {
            assert_eq!(check_png(&png(kind, &vec![0; 3 * row_bytes], b"")), Ok(()), "{kind:?}");
        }
        // Of 3 by 3 pixels: 1 by 1, none, none, 1 by 1, 2 by 1, 1 by 2, 3 by 1.
        assert_eq!(check_png(&png([8, 0, 1], &[0; 2 + 2 + 3 + 4 + 4], b"")), Ok(()));
        let palette = png_chunk(*b"PLTE", &[0; 6]);
        assert_eq!(check_png(&png([8, 3, 0], &[0; 12], &palette)), Ok(()));
        assert_eq!(check_png(&png([8, 0, 0], &[0; 12], &png_chunk(*b"tEXt", b"x"))), Ok(()));

        assert_eq!(check_png(&png([8, 3, 0], &[0; 12], b"")), Err(Flaw::NotPng), "no palette");
        assert_eq!(
            check_png(&png([8, 3, 0], &[0; 12], &png_chunk(*b"PLTE", b"x"))),
            Err(Flaw::NotPng)
        );
        assert_eq!(
            check_png(&png([8, 0, 0], &[0; 12], &png_chunk(*b"NEW ", b"x"))),
            Err(Flaw::NotPng)
        );
        assert_eq!(check_png(&png([3, 0, 0], &[0; 12], b"")), Err(Flaw::NotPng), "depth");
        assert_eq!(check_png(&png([8, 5, 0], &[0; 12], b"")), Err(Flaw::NotPng), "colour");
        assert_eq!(check_png(&png([8, 0, 2], &[0; 12], b"")), Err(Flaw::NotPng), "interlace");
        assert_eq!(check_png(&png([8, 0, 0], &[5; 12], b"")), Err(Flaw::NotPng), "filter");
        assert_eq!(check_png(&png([8, 0, 0], &[0; 11], b"")), Err(Flaw::TooLittle));
        assert_eq!(check_png(&png([8, 0, 0], &[0; 13], b"")), Err(Flaw::TooMuch));
        assert_eq!(check_png(b"GIF89a"), Err(Flaw::NotPng));
        for len in 8..grey.len() {
            assert_eq!(check_png(&grey[..len]), Err(Flaw::TooLittle), "{len}");
        }
        for at in 0..grey.len() {
            let mut broken = grey.clone();
            broken[at] ^= 0x10;
            assert!(check_png(&broken).is_err(), "byte {at}");
        }
    }

    /// A few bytes can unpack to any number.
    #[test]
    fn what_is_unpacked_is_bounded() {
        let packed = compress_to_vec_zlib(&vec![0; UNPACKED_BYTES_MAX + 1], 9);
        assert!(packed.len() < 4096);
        let check_side = |side| check(Format::Rgba, true, (side, side), &packed);
        let most = unpacked_bytes_max(&packed);
        let side = u32::try_from((most / 4).isqrt()).unwrap();
        assert_eq!(check_side(side), Err(Flaw::TooMuch));
        assert_eq!(check_side(side + 1), Ok(()), "not unpacked");
        assert_eq!(unpacked_bytes_max(&vec![0; UNPACKED_BYTES_MAX]), UNPACKED_BYTES_MAX);
        assert_eq!(check(Format::Png, true, (0, 0), &packed), Ok(()), "not unpacked");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        /// No data makes it panic, whatever was said of it.
        #[test]
        fn any_data_can_be_checked(
            mut data in proptest::collection::vec(any::<u8>(), 0..200),
            flips in proptest::collection::vec((0..60_usize, any::<u8>()), 0..3),
            is_png in any::<bool>(),
            is_deflated in any::<bool>(),
            size in (1..300_u32, 1..300_u32),
        ) {
            if is_png {
                data = png([8, 2, 1], &data, b"");
                for (at, flip) in flips {
                    data[at] ^= flip;
                }
            }
            for format in [Format::Rgb, Format::Rgba, Format::Png] {
                let _ = check(format, is_deflated, size, &data);
            }
        }
    }
}
