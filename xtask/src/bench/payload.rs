//! What the floods print: four kinds of output, the same bytes in every run.

use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A kind of output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Payload {
    /// Full lines of plain text.
    Ascii,
    /// Every word in a colour of its own: indexed, true colour, bold, underlined.
    Coloured,
    /// Wide characters, combining marks, emoji, accents.
    Unicode,
    /// A full-screen program that repaints all of its screen again and again.
    FullScreen,
}

impl Payload {
    pub(super) const ALL: [Payload; 4] =
        [Payload::Ascii, Payload::Coloured, Payload::Unicode, Payload::FullScreen];

    pub(super) fn name(self) -> &'static str {
        match self {
            Payload::Ascii => "dense ASCII",
            Payload::Coloured => "coloured text",
            Payload::Unicode => "unicode",
            Payload::FullScreen => "full-screen redraw",
        }
    }

    /// Writes at least `bytes` of this kind to a new file, and returns how many it became.
    pub(super) fn write(self, path: &Path, bytes: u64) -> io::Result<u64> {
        let mut random = Random(0x0b5e_55ed);
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        let (mut unit, mut written) = (Vec::new(), 0);
        while written < bytes {
            unit.clear();
            match self {
                Payload::Ascii => ascii_line(&mut random, &mut unit),
                Payload::Coloured => coloured_line(&mut random, &mut unit)?,
                Payload::Unicode => unicode_line(&mut random, &mut unit),
                Payload::FullScreen => screen(&mut random, &mut unit)?,
            }
            file.write_all(&unit)?;
            written += unit.len() as u64;
        }
        // Nothing of it may colour what comes after.
        file.write_all(b"\x1b[m")?;
        file.flush()?;
        Ok(written + 3)
    }
}

/// A small generator for reproducible bytes (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    /// A word of lower-case letters.
    fn word(&mut self, out: &mut Vec<u8>) {
        for _ in 0..2 + self.below(8) {
            out.push(b'a' + self.below(26) as u8);
        }
    }
}

fn ascii_line(random: &mut Random, out: &mut Vec<u8>) {
    while out.len() < 79 {
        random.word(out);
        out.push(b' ');
    }
    out.truncate(79);
    out.push(b'\n');
}

fn coloured_line(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    for _ in 0..12 {
        let colour = random.below(256);
        match random.below(4) {
            0 => write!(out, "\x1b[38;5;{colour}m")?,
            1 => write!(out, "\x1b[38;2;{colour};{};{}m", 255 - colour, colour / 2)?,
            2 => write!(out, "\x1b[1;3{}m", colour % 8)?,
            _ => write!(out, "\x1b[4;48;5;{colour}m")?,
        }
        random.word(out);
        out.extend_from_slice(b"\x1b[0m ");
    }
    out.push(b'\n');
    Ok(())
}

fn unicode_line(random: &mut Random, out: &mut Vec<u8>) {
    const PIECES: [&str; 10] = [
        "日本語の文字",
        "한국어 문장",
        "中文字符",
        "naïve café",
        "e\u{301}a\u{300}o\u{308}",
        "😀🚀🎉",
        "Ελληνικά",
        "→ ✓ … ─",
        "ñandú",
        "ไทย",
    ];
    for _ in 0..6 {
        out.extend_from_slice(PIECES[random.below(PIECES.len())].as_bytes());
        out.push(b' ');
    }
    out.push(b'\n');
}

fn screen(random: &mut Random, out: &mut Vec<u8>) -> io::Result<()> {
    out.extend_from_slice(b"\x1b[H");
    for row in 1..=23 {
        write!(out, "\x1b[{row};1H\x1b[3{}m", random.below(8))?;
        let end = out.len() + 60;
        while out.len() < end {
            random.word(out);
            out.push(b' ');
        }
        write!(out, "\x1b[7m{:5}\x1b[m\x1b[K", random.below(99_999))?;
    }
    Ok(())
}
