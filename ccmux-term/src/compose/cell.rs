//! Cells of a frame: as the outside sees them, and packed.

use std::fmt;
use std::sync::Arc;

use crate::{Attributes, Color, Hyperlink, Style, Underline};

/// The text of one cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellText<'a> {
    /// One character.
    Char(char),
    /// A character with combining marks, or an emoji sequence.
    Cluster(&'a str),
}

impl fmt::Display for CellText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(c) => write!(f, "{c}"),
            Self::Cluster(text) => f.write_str(text),
        }
    }
}

/// A cell of a [`Frame`](super::Frame).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameCell<'a> {
    /// Text; a space in blank cells and in right halves.
    pub text: CellText<'a>,
    /// Columns: 1, 2 for a wide character, 0 for the right half of one.
    pub width: u8,
    /// Style.
    pub style: Style,
    /// Hyperlink.
    pub link: Option<&'a Arc<Hyperlink>>,
}

/// A character, or the place of a cluster in the frame's text.
///
/// Clusters: bit 31 set, length in bits 24 to 30, offset below.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Glyph(u32);

/// Longest text of a cell in bytes; a longer cluster is shown as its first character.
pub(super) const CLUSTER_BYTES_MAX: usize = 127;
/// Clusters written to a frame since it was cleared; further ones are shown as their first
/// character.
pub(super) const CLUSTERS_BYTES_MAX: usize = 1 << 24;

const CLUSTER: u32 = 1 << 31;

impl Glyph {
    pub(super) const SPACE: Self = Self(' ' as u32);

    pub(super) fn ascii(byte: u8) -> Self {
        Self(byte.into())
    }

    pub(super) fn char(c: char) -> Self {
        Self(c as u32)
    }

    /// `offset` is below [`CLUSTERS_BYTES_MAX`] and `len` at most [`CLUSTER_BYTES_MAX`].
    pub(super) fn cluster(offset: usize, len: usize) -> Self {
        debug_assert!(offset < CLUSTERS_BYTES_MAX && len <= CLUSTER_BYTES_MAX);
        Self(CLUSTER | (len as u32) << 24 | offset as u32)
    }

    pub(super) fn is_cluster(self) -> bool {
        self.0 & CLUSTER != 0
    }

    pub(super) fn is_ascii(self) -> bool {
        self.0 < 0x80
    }

    pub(super) fn text(self, clusters: &str) -> CellText<'_> {
        if self.is_cluster() {
            let start = (self.0 & 0x00ff_ffff) as usize;
            let len = (self.0 >> 24 & 0x7f) as usize;
            CellText::Cluster(&clusters[start..start + len])
        } else {
            CellText::Char(char::from_u32(self.0).unwrap_or(char::REPLACEMENT_CHARACTER))
        }
    }
}

/// A link of the frame's table, counted from 1; 0 is no link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct LinkId(pub(super) u16);

impl LinkId {
    pub(super) const NONE: Self = Self(0);
}

/// A style in four numbers: cells are compared by the ten thousand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct PackedStyle {
    fg: u32,
    bg: u32,
    underline_color: u32,
    /// Attributes, and the underline above them.
    rest: u32,
}

impl PackedStyle {
    pub(super) fn new(style: Style) -> Self {
        Self {
            fg: pack_color(style.fg),
            bg: pack_color(style.bg),
            underline_color: pack_color(style.underline_color),
            rest: u32::from(style.attributes.bits()) | (style.underline as u32) << 8,
        }
    }

    pub(super) fn style(self) -> Style {
        Style {
            fg: unpack_color(self.fg),
            bg: unpack_color(self.bg),
            underline_color: unpack_color(self.underline_color),
            underline: match self.rest >> 8 {
                1 => Underline::Single,
                2 => Underline::Double,
                3 => Underline::Curly,
                4 => Underline::Dotted,
                5 => Underline::Dashed,
                _ => Underline::None,
            },
            attributes: Attributes::from_bits_truncate(self.rest as u8),
        }
    }

    /// The part that shows on a space. Equal looks must be equal cells, or blanks that differ in
    /// an invisible foreground would be written again and could not be erased.
    pub(super) fn of_blank(self) -> Self {
        const SHOWS_FOREGROUND: Attributes =
            Attributes::REVERSE.union(Attributes::STRIKETHROUGH).union(Attributes::OVERLINE);
        let has_underline = self.rest >> 8 != 0;
        if has_underline || self.rest & u32::from(SHOWS_FOREGROUND.bits()) != 0 {
            self
        } else {
            Self { bg: self.bg, ..Self::default() }
        }
    }

    /// Whether there is nothing but a background.
    pub(super) fn is_background(self) -> bool {
        self == Self { bg: self.bg, ..Self::default() }
    }

    pub(super) fn has_background(self) -> bool {
        self.bg != 0
    }
}

const INDEXED: u32 = 1 << 24;
const RGB: u32 = 2 << 24;

fn pack_color(color: Color) -> u32 {
    match color {
        Color::Default => 0,
        Color::Indexed(index) => INDEXED | u32::from(index),
        Color::Rgb(r, g, b) => RGB | u32::from_be_bytes([0, r, g, b]),
    }
}

fn unpack_color(packed: u32) -> Color {
    let [kind, r, g, b] = packed.to_be_bytes();
    match kind {
        0 => Color::Default,
        1 => Color::Indexed(b),
        _ => Color::Rgb(r, g, b),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) glyph: Glyph,
    pub(super) style: PackedStyle,
    pub(super) link: LinkId,
    pub(super) width: u8,
}

impl Cell {
    pub(super) const BLANK: Self = Self {
        glyph: Glyph::SPACE,
        style: PackedStyle { fg: 0, bg: 0, underline_color: 0, rest: 0 },
        link: LinkId::NONE,
        width: 1,
    };

    /// Equal to no cell that is drawn.
    pub(super) const UNKNOWN: Self = Self { glyph: Glyph(0), ..Self::BLANK };

    pub(super) fn new(glyph: Glyph, width: u8, style: PackedStyle, link: LinkId) -> Self {
        let is_space = glyph == Glyph::SPACE && width == 1;
        Self { glyph, style: if is_space { style.of_blank() } else { style }, link, width }
    }

    pub(super) fn space(style: PackedStyle) -> Self {
        Self::new(Glyph::SPACE, 1, style, LinkId::NONE)
    }

    pub(super) fn right_half(style: PackedStyle, link: LinkId) -> Self {
        Self { glyph: Glyph::SPACE, style, link, width: 0 }
    }

    /// The same place with nothing in it, as when a wide character there lost its other half.
    pub(super) fn emptied(self) -> Self {
        Self::new(Glyph::SPACE, 1, self.style, self.link)
    }

    /// Whether erasing with the cell's background gives this cell.
    pub(super) fn is_erased(&self) -> bool {
        self.glyph == Glyph::SPACE
            && self.width == 1
            && self.link == LinkId::NONE
            && self.style.is_background()
    }
}
