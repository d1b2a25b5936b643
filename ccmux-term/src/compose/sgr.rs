//! SGR sequences: the shortest one that leads from one style to another.

use super::caps::{ColorDepth, OutputCaps, OutputFeatures};
use super::color::{is_dark, reduce, reduce_to_8};
use crate::{Attributes, Color, Style, Underline};

/// `style` as far as the terminal can show it.
pub(super) fn reduce_style(mut style: Style, caps: OutputCaps) -> Style {
    if caps.colors == ColorDepth::Palette8 {
        let is_bright;
        (style.fg, style.bg, is_bright) = reduce_to_8(style.fg, style.bg);
        style
            .attributes
            .set(Attributes::BOLD, is_bright || style.attributes.contains(Attributes::BOLD));
    }
    let has_styled = caps.features.contains(OutputFeatures::STYLED_UNDERLINE);
    Style {
        fg: reduce(style.fg, caps.colors),
        bg: reduce(style.bg, caps.colors),
        underline_color: if has_styled {
            reduce(style.underline_color, caps.colors)
        } else {
            Color::Default
        },
        underline: match style.underline {
            Underline::None => Underline::None,
            other if has_styled => other,
            _ => Underline::Single,
        },
        // A background of any colour marks something: a status line, a selection, a match.
        attributes: if caps.colors == ColorDepth::None && !is_dark(style.bg) {
            style.attributes | Attributes::REVERSE
        } else {
            style.attributes
        },
    }
}

/// Writes what makes a pen of style `from` one of style `to`; nothing if they are equal. Both are
/// reduced.
pub(super) fn write_change(from: Style, to: Style, out: &mut Vec<u8>) {
    if from == to {
        return;
    }
    let start = out.len();
    out.extend_from_slice(b"\x1b[");
    write_changes(from, to, out);
    close(out);
    if from == Style::default() {
        return;
    }
    // Starting over is shorter when much is switched off.
    let reset = out.len();
    out.extend_from_slice(b"\x1b[");
    if to != Style::default() {
        out.extend_from_slice(b";");
        write_changes(Style::default(), to, out);
    }
    close(out);
    if out.len() - reset < reset - start {
        out.drain(start..reset);
    } else {
        out.truncate(reset);
    }
}

/// Replaces the last separator by the final byte.
fn close(out: &mut Vec<u8>) {
    if out.last() == Some(&b';') && !out.ends_with(b"[;") {
        out.pop();
    }
    out.push(b'm');
}

fn write_changes(from: Style, to: Style, out: &mut Vec<u8>) {
    write_attributes(from.attributes, to.attributes, out);
    if from.underline != to.underline {
        out.extend_from_slice(match to.underline {
            Underline::None => b"24;",
            Underline::Single => b"4;",
            Underline::Double => b"4:2;",
            Underline::Curly => b"4:3;",
            Underline::Dotted => b"4:4;",
            Underline::Dashed => b"4:5;",
        });
    }
    if from.fg != to.fg {
        write_color(to.fg, 30, out);
    }
    if from.bg != to.bg {
        write_color(to.bg, 40, out);
    }
    if from.underline_color != to.underline_color {
        match to.underline_color {
            Color::Default => out.extend_from_slice(b"59;"),
            Color::Indexed(index) => write_numbers(b"58:5:", &[index], b':', out),
            Color::Rgb(r, g, b) => write_numbers(b"58:2::", &[r, g, b], b':', out),
        }
    }
}

/// Attributes with the parameters that switch them on and off.
const SWITCHES: &[(Attributes, &[u8], &[u8])] = &[
    (Attributes::ITALIC, b"3;", b"23;"),
    (Attributes::BLINK, b"5;", b"25;"),
    (Attributes::REVERSE, b"7;", b"27;"),
    (Attributes::HIDDEN, b"8;", b"28;"),
    (Attributes::STRIKETHROUGH, b"9;", b"29;"),
    (Attributes::OVERLINE, b"53;", b"55;"),
];

fn write_attributes(from: Attributes, to: Attributes, out: &mut Vec<u8>) {
    // Bold and dim share the parameter that switches them off.
    let weight = Attributes::BOLD | Attributes::DIM;
    let mut from = from;
    if !(from & weight).difference(to).is_empty() {
        out.extend_from_slice(b"22;");
        from.remove(weight);
    }
    for (attribute, parameter) in [(Attributes::BOLD, b"1;"), (Attributes::DIM, b"2;")] {
        if to.contains(attribute) && !from.contains(attribute) {
            out.extend_from_slice(parameter);
        }
    }
    for &(attribute, on, off) in SWITCHES {
        if from.contains(attribute) != to.contains(attribute) {
            out.extend_from_slice(if to.contains(attribute) { on } else { off });
        }
    }
}

/// `base` is 30 for the foreground and 40 for the background.
fn write_color(color: Color, base: u8, out: &mut Vec<u8>) {
    match color {
        Color::Default => write_numbers(b"", &[base + 9], b';', out),
        Color::Indexed(index @ 0..8) => write_numbers(b"", &[base + index], b';', out),
        Color::Indexed(index @ 8..16) => write_numbers(b"", &[base + 60 + index - 8], b';', out),
        Color::Indexed(index) => write_numbers(b"", &[base + 8, 5, index], b';', out),
        Color::Rgb(r, g, b) => write_numbers(b"", &[base + 8, 2, r, g, b], b';', out),
    }
}

fn write_numbers(prefix: &[u8], numbers: &[u8], separator: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(prefix);
    for (index, &number) in numbers.iter().enumerate() {
        if index > 0 {
            out.push(separator);
        }
        write_decimal(number.into(), out);
    }
    out.push(b';');
}

/// `number` in decimal digits.
pub(crate) fn write_decimal(number: u32, out: &mut Vec<u8>) {
    let mut digits = [0; 10];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(from: Style, to: Style, expect: &str) {
        let mut out = Vec::new();
        write_change(from, to, &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expect, "{from:?} to {to:?}");
    }

    #[test]
    fn changes_of_style_are_written_as_the_shorter_sequence() {
        let plain = Style::default();
        let bold = Style { attributes: Attributes::BOLD, ..plain };
        let dim = Style { attributes: Attributes::DIM, ..plain };
        let red = Style { fg: Color::Indexed(1), ..plain };
        let busy = Style {
            fg: Color::Rgb(1, 20, 255),
            bg: Color::Indexed(12),
            underline_color: Color::Rgb(9, 8, 7),
            underline: Underline::Curly,
            attributes: Attributes::BOLD | Attributes::ITALIC | Attributes::REVERSE,
        };
        check(plain, plain, "");
        check(plain, bold, "\x1b[1m");
        check(bold, plain, "\x1b[m");
        check(bold, dim, "\x1b[;2m");
        check(bold, Style { attributes: Attributes::BOLD | Attributes::DIM, ..plain }, "\x1b[2m");
        check(red, Style { fg: Color::Indexed(9), ..plain }, "\x1b[91m");
        check(red, Style { attributes: Attributes::BOLD, ..red }, "\x1b[1m");
        check(Style { attributes: Attributes::BOLD, ..red }, red, "\x1b[22m");
        check(Style { bg: Color::Indexed(200), ..red }, red, "\x1b[49m");
        check(plain, busy, "\x1b[1;3;7;4:3;38;2;1;20;255;104;58:2::9:8:7m");
        check(busy, plain, "\x1b[m");
        check(busy, red, "\x1b[;31m");
        check(busy, Style { underline: Underline::None, ..busy }, "\x1b[24m");
        check(plain, Style { bg: Color::Indexed(255), ..plain }, "\x1b[48;5;255m");
        check(plain, Style { attributes: Attributes::all(), ..plain }, "\x1b[1;2;3;5;7;8;9;53m");
    }

    #[test]
    fn bright_text_is_bold_where_there_are_eight_colours() {
        let caps = |colors| OutputCaps { colors, features: OutputFeatures::empty() };
        let bright = Style { fg: Color::Indexed(9), bg: Color::Indexed(12), ..Style::default() };
        let mut out = Vec::new();
        write_change(Style::default(), reduce_style(bright, caps(ColorDepth::Palette8)), &mut out);
        write_change(Style::default(), reduce_style(bright, caps(ColorDepth::Palette16)), &mut out);
        assert_eq!(out, b"\x1b[1;31;44m\x1b[91;104m");
    }

    #[test]
    fn backgrounds_are_reversed_where_there_are_no_colours() {
        let caps = |colors| OutputCaps { colors, features: OutputFeatures::empty() };
        for (bg, is_reversed) in [
            (Color::Default, false),
            (Color::Indexed(0), false),
            (Color::Indexed(2), true),
            (Color::Indexed(234), false),
            (Color::Indexed(255), true),
            (Color::Rgb(40, 44, 52), false),
            (Color::Rgb(0, 0, 200), true),
        ] {
            let style = Style { bg, fg: Color::Indexed(3), ..Style::default() };
            let attributes = if is_reversed { Attributes::REVERSE } else { Attributes::empty() };
            let expect = Style { attributes, ..Style::default() };
            assert_eq!(reduce_style(style, caps(ColorDepth::None)), expect, "{bg:?}");
            let shown = reduce_style(style, caps(ColorDepth::TrueColor));
            assert_eq!(shown, style, "{bg:?}");
        }
    }

    #[test]
    fn decimal_numbers() {
        for number in [0, 7, 10, 255, 65_535, u32::MAX] {
            let mut out = Vec::new();
            write_decimal(number, &mut out);
            assert_eq!(out, number.to_string().into_bytes());
        }
    }
}
