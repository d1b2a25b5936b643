//! From styles as people write them to styles as the emulator draws them.

use ccmux_core::options::{Attributes as Named, Colour, Style as StyleChange};
use ccmux_term::{Attributes, Color, Style, Underline};

/// A colour; `None` leaves what is there.
fn color(colour: Colour) -> Option<Color> {
    match colour {
        Colour::None => None,
        Colour::Default | Colour::Terminal => Some(Color::Default),
        Colour::Indexed(index) => Some(Color::Indexed(index)),
        Colour::Rgb(r, g, b) => Some(Color::Rgb(r, g, b)),
    }
}

const PLAIN: &[(Named, Attributes)] = &[
    (Named::BRIGHT, Attributes::BOLD),
    (Named::DIM, Attributes::DIM),
    (Named::ITALICS, Attributes::ITALIC),
    (Named::BLINK, Attributes::BLINK),
    (Named::REVERSE, Attributes::REVERSE),
    (Named::HIDDEN, Attributes::HIDDEN),
    (Named::STRIKETHROUGH, Attributes::STRIKETHROUGH),
    (Named::OVERLINE, Attributes::OVERLINE),
];

const UNDERLINES: &[(Named, Underline)] = &[
    (Named::UNDERSCORE, Underline::Single),
    (Named::DOUBLE_UNDERSCORE, Underline::Double),
    (Named::CURLY_UNDERSCORE, Underline::Curly),
    (Named::DOTTED_UNDERSCORE, Underline::Dotted),
    (Named::DASHED_UNDERSCORE, Underline::Dashed),
];

/// `style` with a change applied; `base` is what `default` goes back to.
pub(crate) fn changed(style: Style, change: &StyleChange, base: Style) -> Style {
    let mut out = if change.reset { base } else { style };
    if change.no_attributes {
        out.attributes = Attributes::empty();
        out.underline = Underline::None;
    }
    // `fg=default` means the base's colour, as it does in tmux inside a status line.
    let pick = |colour: Option<Colour>, old: Color, base: Color| match colour {
        Some(Colour::Default) => base,
        Some(colour) => color(colour).unwrap_or(old),
        None => old,
    };
    out.fg = pick(change.fg, out.fg, base.fg);
    out.bg = pick(change.bg, out.bg, base.bg);
    out.underline_color = pick(change.underscore, out.underline_color, base.underline_color);
    for (named, attribute) in PLAIN {
        if change.on.contains(*named) {
            out.attributes |= *attribute;
        }
        if change.off.contains(*named) {
            out.attributes -= *attribute;
        }
    }
    for (named, underline) in UNDERLINES {
        if change.on.contains(*named) {
            out.underline = *underline;
        }
        if change.off.contains(*named) {
            out.underline = Underline::None;
        }
    }
    out
}

/// The look of an option's style, over the terminal's own.
pub(crate) fn look(change: &StyleChange) -> Style {
    changed(Style::default(), change, Style::default())
}
