//! Colours as numbers: `#{c:red}`.

use crate::options::Colour;

/// The first sixteen of xterm's palette.
const ANSI: [u32; 16] = [
    0x00_0000, 0x80_0000, 0x00_8000, 0x80_8000, 0x00_0080, 0x80_0080, 0x00_8080, 0xc0_c0c0,
    0x80_8080, 0xff_0000, 0x00_ff00, 0xff_ff00, 0x00_00ff, 0xff_00ff, 0x00_ffff, 0xff_ffff,
];
const CUBE: [u32; 6] = [0x00, 0x5f, 0x87, 0xaf, 0xd7, 0xff];

/// A colour as six hexadecimal digits; nothing for what is none, or one only the terminal knows.
pub(super) fn hexadecimal(name: &str) -> String {
    let rgb = match name.parse() {
        Ok(Colour::Indexed(index)) => indexed(index),
        Ok(Colour::Rgb(r, g, b)) => u32::from_be_bytes([0, r, g, b]),
        Ok(Colour::None | Colour::Default | Colour::Terminal) | Err(_) => return String::new(),
    };
    format!("{rgb:06x}")
}

fn indexed(index: u8) -> u32 {
    match usize::from(index) {
        ansi @ 0..=15 => ANSI[ansi],
        cube @ 16..=231 => {
            let at = cube - 16;
            CUBE[at / 36] << 16 | CUBE[at / 6 % 6] << 8 | CUBE[at % 6]
        }
        _ => (u32::from(index) - 232) * 0x0a_0a0a + 0x08_0808,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_have_the_values_of_xterm() {
        for (name, expected) in [
            ("red", "800000"),
            ("brightwhite", "ffffff"),
            ("colour16", "000000"),
            ("colour100", "878700"),
            ("colour231", "ffffff"),
            ("colour232", "080808"),
            ("colour255", "eeeeee"),
            ("#12aBcd", "12abcd"),
            ("default", ""),
            ("nonsense", ""),
        ] {
            assert_eq!(hexadecimal(name), expected, "{name}");
        }
    }
}
