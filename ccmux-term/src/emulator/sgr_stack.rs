//! Styles on a stack (XTPUSHSGR, XTPOPSGR), and what is common to the styles of a rectangle
//! (XTREPORTSGR).

use super::{Emulator, sgr};
use crate::parser::Params;
use crate::{Attributes, Color, Style, Underline};

/// Styles kept; pushing more drops the oldest.
pub(crate) const SGR_STACK_MAX: usize = 10;

bitflags::bitflags! {
    /// Parts of a style: the attributes with their own bits, and what is beside them.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct StyleParts: u16 {
        const ATTRIBUTES = 0xff;
        /// The underline and its colour.
        const UNDERLINE = 1 << 8;
        const FOREGROUND = 1 << 9;
        const BACKGROUND = 1 << 10;
    }
}

/// A style, and what of it comes back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PushedStyle {
    pub(crate) style: Style,
    pub(crate) parts: StyleParts,
}

impl StyleParts {
    /// The part that a parameter of XTPUSHSGR names.
    fn named(number: u16) -> Self {
        let attribute = match number {
            1 => Attributes::BOLD,
            2 => Attributes::DIM,
            3 => Attributes::ITALIC,
            5 => Attributes::BLINK,
            7 => Attributes::REVERSE,
            8 => Attributes::HIDDEN,
            9 => Attributes::STRIKETHROUGH,
            4 | 21 => return Self::UNDERLINE,
            30 => return Self::FOREGROUND,
            31 => return Self::BACKGROUND,
            _ => return Self::empty(),
        };
        Self::from_bits_retain(u16::from(attribute.bits()))
    }
}

impl Emulator {
    /// XTPUSHSGR: keeps the style, or those parts of it that are named.
    pub(super) fn push_style(&mut self, params: &Params) {
        let parts = match params.values() {
            [0] => StyleParts::all(),
            named => named.iter().map(|&number| StyleParts::named(number)).collect(),
        };
        if self.sgr_stack.len() == SGR_STACK_MAX {
            self.sgr_stack.remove(0);
        }
        self.sgr_stack.push(PushedStyle { style: self.pen.style, parts });
    }

    /// XTPOPSGR: parts of the style are as they were kept.
    pub(super) fn pop_style(&mut self) {
        let Some(PushedStyle { style: kept, parts }) = self.sgr_stack.pop() else { return };
        let style = &mut self.pen.style;
        let attributes =
            Attributes::from_bits_truncate((parts & StyleParts::ATTRIBUTES).bits() as u8);
        style.attributes = (style.attributes - attributes) | (kept.attributes & attributes);
        if parts.contains(StyleParts::UNDERLINE) {
            (style.underline, style.underline_color) = (kept.underline, kept.underline_color);
        }
        if parts.contains(StyleParts::FOREGROUND) {
            style.fg = kept.fg;
        }
        if parts.contains(StyleParts::BACKGROUND) {
            style.bg = kept.bg;
        }
        self.pen_changed();
    }

    /// XTREPORTSGR: what all cells of a rectangle have in common.
    pub(super) fn report_styles(&mut self, params: &Params) {
        let mut styles = self.rect_styles(params);
        let Some(first) = styles.next() else { return };
        let common = styles.fold(first, common);
        let reply = format!("\x1b[{}m", sgr::describe(&common));
        self.reply(reply.as_bytes());
    }
}

fn common(a: Style, b: Style) -> Style {
    let color = |a, b| if a == b { a } else { Color::Default };
    Style {
        fg: color(a.fg, b.fg),
        bg: color(a.bg, b.bg),
        underline_color: color(a.underline_color, b.underline_color),
        underline: if a.underline == b.underline { a.underline } else { Underline::None },
        attributes: a.attributes & b.attributes,
    }
}
