//! SGR: how the next characters look.
//!
//! Colours come as `38;5;n`, `38;2;r;g;b`, `38:5:n`, `38:2:r:g:b` and `38:2:space:r:g:b`. A colon
//! binds a parameter to its predecessor, so what is malformed between colons is skipped as one.

use super::Emulator;
use crate::grid::cell::PenId;
use crate::memo::Sequence;
use crate::parser::Params;
use crate::{Attributes, Color, Style, Underline};

impl Emulator {
    #[inline]
    pub(super) fn select_graphic_rendition(&mut self, params: &Params) {
        apply(&mut self.pen.style, params);
        self.pen_changed();
    }

    /// Does the same for a sequence whose parameters `bytes` begin with; returns how many bytes it has, or
    /// `None` if it is another one, a long one, or cut.
    #[inline]
    pub(super) fn select_remembered(&mut self, bytes: &[u8]) -> Option<usize> {
        let (sequence, len) = Sequence::at(bytes)?;
        let before = self.pen_id();
        if let Some(&(style, id)) = self.pens.changed(before, sequence) {
            self.pen.style = style;
            self.pen_id = Some(id);
            self.fill_id = None;
        } else {
            self.select_and_remember((before, sequence), bytes);
        }
        Some(len)
    }

    #[inline(never)]
    fn select_and_remember(&mut self, change: (PenId, Sequence), bytes: &[u8]) {
        let mut params = Params::new();
        params.scan(bytes);
        self.select_graphic_rendition(&params);
        let after = (self.pen.style, self.pen_id());
        self.pens.remember_changed(change, after);
    }
}

/// Changes a style as a sequence with these parameters does.
pub(super) fn apply(style: &mut Style, params: &Params) {
    let mut index = 0;
    while index < params.len() {
        let code = params.get(index);
        let mut next = index + 1;
        while params.is_sub(next) {
            next += 1;
        }
        match code {
            0 => *style = Style::default(),
            1 => style.attributes |= Attributes::BOLD,
            2 => style.attributes |= Attributes::DIM,
            3 => style.attributes |= Attributes::ITALIC,
            4 if next == index + 1 => style.underline = Underline::Single,
            4 => set_underline(style, params.get(index + 1)),
            5 | 6 => style.attributes |= Attributes::BLINK,
            7 => style.attributes |= Attributes::REVERSE,
            8 => style.attributes |= Attributes::HIDDEN,
            9 => style.attributes |= Attributes::STRIKETHROUGH,
            21 => style.underline = Underline::Double,
            22 => style.attributes -= Attributes::BOLD | Attributes::DIM,
            23 => style.attributes -= Attributes::ITALIC,
            24 => style.underline = Underline::None,
            25 => style.attributes -= Attributes::BLINK,
            27 => style.attributes -= Attributes::REVERSE,
            28 => style.attributes -= Attributes::HIDDEN,
            29 => style.attributes -= Attributes::STRIKETHROUGH,
            30..=37 => style.fg = Color::Indexed(code as u8 - 30),
            39 => style.fg = Color::Default,
            40..=47 => style.bg = Color::Indexed(code as u8 - 40),
            49 => style.bg = Color::Default,
            53 => style.attributes |= Attributes::OVERLINE,
            55 => style.attributes -= Attributes::OVERLINE,
            59 => style.underline_color = Color::Default,
            90..=97 => style.fg = Color::Indexed(code as u8 - 90 + 8),
            100..=107 => style.bg = Color::Indexed(code as u8 - 100 + 8),
            38 | 48 | 58 => {
                let color = if next == index + 1 {
                    let (color, used) = separated_color(params, index);
                    next += used;
                    color
                } else {
                    bound_color(&params.values()[index + 1..next])
                };
                if let Some(color) = color {
                    match code {
                        38 => style.fg = color,
                        48 => style.bg = color,
                        _ => style.underline_color = color,
                    }
                }
            }
            _ => {}
        }
        index = next;
    }
}

fn set_underline(style: &mut Style, kind: u16) {
    style.underline = match kind {
        0 => Underline::None,
        1 => Underline::Single,
        2 => Underline::Double,
        3 => Underline::Curly,
        4 => Underline::Dotted,
        5 => Underline::Dashed,
        _ => return,
    };
}

/// The colour of `38;...` at `index`, and how many parameters after the 38 belong to it.
fn separated_color(params: &Params, index: usize) -> (Option<Color>, usize) {
    match params.get(index + 1) {
        5 => (indexed(params.get(index + 2)), 2),
        2 => {
            let channel = |offset| params.get(index + 1 + offset);
            (rgb(channel(1), channel(2), channel(3)), 4)
        }
        _ => (None, 0),
    }
}

/// The colour of `38:...`, from what follows the 38.
fn bound_color(values: &[u16]) -> Option<Color> {
    match *values {
        [5, index, ..] => indexed(index),
        [2, r, g, b] => rgb(r, g, b),
        [2, _space, r, g, b, ..] => rgb(r, g, b),
        _ => None,
    }
}

fn indexed(index: u16) -> Option<Color> {
    u8::try_from(index).ok().map(Color::Indexed)
}

fn rgb(r: u16, g: u16, b: u16) -> Option<Color> {
    match (u8::try_from(r), u8::try_from(g), u8::try_from(b)) {
        (Ok(r), Ok(g), Ok(b)) => Some(Color::Rgb(r, g, b)),
        _ => None,
    }
}

/// The parameters of an SGR sequence that sets `style` from any other (for DECRQSS).
pub(super) fn describe(style: &Style) -> String {
    const ATTRIBUTES: [(Attributes, &str); 8] = [
        (Attributes::BOLD, "1"),
        (Attributes::DIM, "2"),
        (Attributes::ITALIC, "3"),
        (Attributes::BLINK, "5"),
        (Attributes::REVERSE, "7"),
        (Attributes::HIDDEN, "8"),
        (Attributes::STRIKETHROUGH, "9"),
        (Attributes::OVERLINE, "53"),
    ];
    let attributes =
        ATTRIBUTES.iter().filter(|(attribute, _)| style.attributes.contains(*attribute));
    let mut codes = vec!["0".to_owned()];
    codes.extend(attributes.map(|(_, code)| (*code).to_owned()));
    codes.extend(
        match style.underline {
            Underline::None => None,
            Underline::Single => Some("4"),
            Underline::Double => Some("4:2"),
            Underline::Curly => Some("4:3"),
            Underline::Dotted => Some("4:4"),
            Underline::Dashed => Some("4:5"),
        }
        .map(str::to_owned),
    );
    for (code, color) in [(38, style.fg), (48, style.bg), (58, style.underline_color)] {
        codes.extend(match color {
            Color::Default => None,
            Color::Indexed(index) if index < 8 && code != 58 => {
                Some((code - 8 + u16::from(index)).to_string())
            }
            Color::Indexed(index) => Some(format!("{code}:5:{index}")),
            Color::Rgb(r, g, b) => Some(format!("{code}:2::{r}:{g}:{b}")),
        });
    }
    codes.join(";")
}
