//! Colours that programs set and ask for (OSC 4, 5, 10 to 19, 104, 105, 110 to 119).

use std::collections::BTreeMap;

use super::xcms;

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Index of the first special colour: that of bold text, underlined, blinking, reversed, italic.
pub(crate) const SPECIAL_COLORS: u16 = 256;
const SPECIAL_COUNT: u16 = 5;

/// The palette with what the program changed, and the colours that are the client's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Palette {
    pub(crate) indexed: BTreeMap<u8, Rgb>,
    pub(crate) foreground: Option<Rgb>,
    pub(crate) background: Option<Rgb>,
    pub(crate) cursor: Option<Rgb>,
    /// Special colours by their index from 0: only kept for who asks.
    pub(crate) special: BTreeMap<u8, Rgb>,
    /// Colours of the pointer (13, 14), of Tektronix screens (15, 16, 18) and of the selection (17,
    /// 19): only kept for who asks.
    pub(crate) others: BTreeMap<u8, Rgb>,
    /// What a query is answered while the program has set nothing.
    pub(crate) default_foreground: Rgb,
    pub(crate) default_background: Rgb,
}

impl Default for Palette {
    fn default() -> Self {
        Self {
            indexed: BTreeMap::new(),
            foreground: None,
            background: None,
            cursor: None,
            special: BTreeMap::new(),
            others: BTreeMap::new(),
            default_foreground: (0xe5, 0xe5, 0xe5),
            default_background: (0, 0, 0),
        }
    }
}

impl Palette {
    /// The palette without what the program changed.
    pub(crate) fn reset(&self) -> Self {
        Self {
            default_foreground: self.default_foreground,
            default_background: self.default_background,
            ..Self::default()
        }
    }

    pub(crate) fn indexed(&self, index: u8) -> Rgb {
        self.indexed.get(&index).copied().unwrap_or_else(|| xterm_color(index))
    }

    /// A colour of OSC 4: one of the palette, or a special one.
    pub(crate) fn color(&self, index: u16) -> Option<Rgb> {
        if let Ok(index) = u8::try_from(index) {
            return Some(self.indexed(index));
        }
        let special = index - SPECIAL_COLORS;
        (special < SPECIAL_COUNT).then(|| {
            let color = self.special.get(&(special as u8)).copied().or(self.foreground);
            color.unwrap_or(self.default_foreground)
        })
    }

    /// Sets a colour of OSC 4, or puts it back.
    pub(crate) fn set_color(&mut self, index: u16, color: Option<Rgb>) {
        match u8::try_from(index) {
            Ok(index) => set(&mut self.indexed, index, color),
            Err(_) if index < SPECIAL_COLORS + SPECIAL_COUNT => {
                set(&mut self.special, (index - SPECIAL_COLORS) as u8, color);
            }
            Err(_) => {}
        }
    }

    /// Whether a special or another colour can be kept under its number.
    pub(crate) fn is_special(index: u8) -> bool {
        u16::from(index) < SPECIAL_COUNT
    }

    pub(crate) fn is_other(number: u8) -> bool {
        (13..=19).contains(&number)
    }

    /// Foreground (10), background (11), cursor (12) or another one.
    pub(crate) fn dynamic(&self, number: u16) -> Option<Rgb> {
        let (foreground, background) = (
            self.foreground.unwrap_or(self.default_foreground),
            self.background.unwrap_or(self.default_background),
        );
        match number {
            10 => Some(foreground),
            11 => Some(background),
            12 => Some(self.cursor.unwrap_or(foreground)),
            13..=19 => {
                let other = self.others.get(&(number as u8)).copied();
                let is_background = matches!(number, 14 | 16 | 19);
                Some(other.unwrap_or(if is_background { background } else { foreground }))
            }
            _ => None,
        }
    }

    pub(crate) fn set_dynamic(&mut self, number: u16, color: Option<Rgb>) {
        match number {
            10 => self.foreground = color,
            11 => self.background = color,
            12 => self.cursor = color,
            13..=19 => set(&mut self.others, number as u8, color),
            _ => {}
        }
    }

    /// Whether text stands on a dark background.
    pub(crate) fn is_dark(&self) -> bool {
        let (r, g, b) = self.background.unwrap_or(self.default_background);
        // Luminance weights of ITU-R BT.601.
        u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 < 128_000
    }
}

fn set(colors: &mut BTreeMap<u8, Rgb>, index: u8, color: Option<Rgb>) {
    match color {
        Some(color) => colors.insert(index, color),
        None => colors.remove(&index),
    };
}

/// xterm's default palette.
fn xterm_color(index: u8) -> Rgb {
    const ANSI: [Rgb; 16] = [
        (0x00, 0x00, 0x00),
        (0xcd, 0x00, 0x00),
        (0x00, 0xcd, 0x00),
        (0xcd, 0xcd, 0x00),
        (0x00, 0x00, 0xee),
        (0xcd, 0x00, 0xcd),
        (0x00, 0xcd, 0xcd),
        (0xe5, 0xe5, 0xe5),
        (0x7f, 0x7f, 0x7f),
        (0xff, 0x00, 0x00),
        (0x00, 0xff, 0x00),
        (0xff, 0xff, 0x00),
        (0x5c, 0x5c, 0xff),
        (0xff, 0x00, 0xff),
        (0x00, 0xff, 0xff),
        (0xff, 0xff, 0xff),
    ];
    let level = |value: u8| if value == 0 { 0 } else { 55 + value * 40 };
    match index {
        0..=15 => ANSI[usize::from(index)],
        16..=231 => {
            let cube = index - 16;
            (level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        232..=255 => {
            let gray = 8 + (index - 232) * 10;
            (gray, gray, gray)
        }
    }
}

/// Parses a colour as X11 writes it: `rgb:h/h/h` to `rgb:hhhh/hhhh/hhhh`, `#rgb` to `#rrrrggggbbbb`, or
/// by its intensity.
pub(crate) fn parse_color(text: &[u8]) -> Option<Rgb> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(channels) = text.strip_prefix("rgb:") {
        let mut channels = channels.split('/').map(|digits| {
            let max = (1_u32 << (4 * digits.len().min(4))) - 1;
            hex(digits).map(|value| (value * 255 / max) as u8)
        });
        let color = (channels.next()??, channels.next()??, channels.next()??);
        return channels.next().is_none().then_some(color);
    }
    let Some(digits) = text.strip_prefix('#').filter(|digits| digits.is_ascii()) else {
        return xcms::parse(text);
    };
    let len = digits.len() / 3;
    if !matches!(digits.len(), 3 | 6 | 9 | 12) {
        return None;
    }
    // Missing digits are zeros here, unlike in `rgb:` (XParseColor).
    let channel = |index: usize| {
        let value = hex(&digits[index * len..(index + 1) * len])?;
        Some((value << (16 - 4 * len) >> 8) as u8)
    };
    Some((channel(0)?, channel(1)?, channel(2)?))
}

fn hex(digits: &str) -> Option<u32> {
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_hex && (1..=4).contains(&digits.len())).then(|| u32::from_str_radix(digits, 16).ok())?
}

/// A colour as queries are answered: `rgb:rrrr/gggg/bbbb`.
pub(crate) fn format_color((r, g, b): Rgb) -> String {
    format!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}")
}
