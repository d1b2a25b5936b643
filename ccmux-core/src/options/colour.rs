//! Colours as tmux's options and styles name them.

use std::fmt;
use std::str::FromStr;

/// The names X11 gives to colours, one `name rrggbb` a line, in lower case, without spaces and with
/// grey spelled gray.
const X11: &str = include_str!("x11_colours.txt");

const ANSI: [&str; 8] = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// A colour by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Colour {
    /// `none`: no colour is set at all (a cursor of the terminal's own colour).
    None,
    /// `default`: that of whatever lies below.
    Default,
    /// `terminal`: that of the terminal, whatever lies below.
    Terminal,
    /// One of the 256 of the palette; 0 to 15 have names.
    Indexed(u8),
    /// 24 bits; `#rrggbb` or a name of X11.
    Rgb(u8, u8, u8),
}

/// The text names no colour.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("bad colour: {0}")]
pub struct BadColour(String);

impl FromStr for Colour {
    type Err = BadColour;

    fn from_str(text: &str) -> Result<Colour, BadColour> {
        let lower = text.to_ascii_lowercase();
        named(&lower)
            .or_else(|| indexed(&lower))
            .or_else(|| lower.strip_prefix('#').and_then(hex))
            .or_else(|| x11(&lower))
            .ok_or_else(|| BadColour(text.to_owned()))
    }
}

fn named(name: &str) -> Option<Colour> {
    let ansi = |name| (0u8..).zip(ANSI).find(|(_, ansi)| *ansi == name).map(|(index, _)| index);
    match name {
        "none" => Some(Colour::None),
        "default" => Some(Colour::Default),
        "terminal" => Some(Colour::Terminal),
        _ => match name.strip_prefix("bright") {
            Some(plain) => ansi(plain).map(|index| Colour::Indexed(index + 8)),
            None => ansi(name).map(Colour::Indexed),
        },
    }
}

/// `colour12`, `color12`, or the SGR numbers of the first sixteen: `0` to `7` and `90` to `97`.
fn indexed(name: &str) -> Option<Colour> {
    if let Some(number) = name.strip_prefix("colour").or_else(|| name.strip_prefix("color")) {
        return number.parse().ok().map(Colour::Indexed);
    }
    match name.parse().ok()? {
        number @ 0..=7 => Some(Colour::Indexed(number)),
        number @ 90..=97 => Some(Colour::Indexed(number - 90 + 8)),
        _ => None,
    }
}

fn hex(digits: &str) -> Option<Colour> {
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let [_, r, g, b] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some(Colour::Rgb(r, g, b))
}

fn x11(name: &str) -> Option<Colour> {
    let name = name.replace(' ', "").replace("grey", "gray");
    let entry = X11.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(' '));
    entry.and_then(hex)
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Colour::None => f.write_str("none"),
            Colour::Default => f.write_str("default"),
            Colour::Terminal => f.write_str("terminal"),
            Colour::Indexed(index @ 0..=7) => f.write_str(ANSI[usize::from(*index)]),
            Colour::Indexed(index @ 8..=15) => {
                write!(f, "bright{}", ANSI[usize::from(*index - 8)])
            }
            Colour::Indexed(index) => write!(f, "colour{index}"),
            Colour::Rgb(r, g, b) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: names mean what they mean in tmux, and come back in its canonical form.
    #[test]
    fn names_and_canonical_forms() {
        for (text, canonical) in [
            ("default", "default"),
            ("terminal", "terminal"),
            ("RED", "red"),
            ("5", "magenta"),
            ("97", "brightwhite"),
            ("brightblack", "brightblack"),
            ("colour8", "brightblack"),
            ("color240", "colour240"),
            ("#FF0000", "#ff0000"),
            ("orange", "#ffa500"),
            ("light blue", "#add8e6"),
            ("LightBlue", "#add8e6"),
            ("grey", "#bebebe"),
            ("gray50", "#7f7f7f"),
            ("rebeccapurple", "#663399"),
        ] {
            let colour: Colour = text.parse().unwrap();
            assert_eq!(colour.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse(), Ok(colour), "{text}");
        }
        for text in ["", "foo", "colour256", "colour", "#fff", "#gggggg", "98", "8", "bright"] {
            assert_eq!(text.parse::<Colour>(), Err(BadColour(text.to_owned())));
        }
    }
}
