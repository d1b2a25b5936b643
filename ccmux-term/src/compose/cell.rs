//! Cells of a frame: as the outside sees them, and packed.

use std::fmt;
use std::sync::Arc;

use crate::{Attributes, Hyperlink, Style, Underline};

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

    /// Bytes.
    pub(super) fn len(self, clusters: &str) -> usize {
        match self.text(clusters) {
            CellText::Char(c) => c.len_utf8(),
            CellText::Cluster(text) => text.len(),
        }
    }
}

/// A link of the frame's table, counted from 1; 0 is no link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct LinkId(pub(super) u16);

impl LinkId {
    pub(super) const NONE: Self = Self(0);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) glyph: Glyph,
    pub(super) style: Style,
    pub(super) link: LinkId,
    pub(super) width: u8,
}

impl Cell {
    pub(super) const BLANK: Self = Self::blank(DEFAULT);

    pub(super) fn new(glyph: Glyph, width: u8, style: Style, link: LinkId) -> Self {
        let style = if glyph == Glyph::SPACE && width == 1 { blank_style(style) } else { style };
        Self { glyph, style, link, width }
    }

    const fn blank(style: Style) -> Self {
        Self { glyph: Glyph::SPACE, style, link: LinkId::NONE, width: 1 }
    }

    pub(super) fn right_half(style: Style, link: LinkId) -> Self {
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
            && self.style == (Style { bg: self.style.bg, ..DEFAULT })
    }
}

const DEFAULT: Style = Style {
    fg: crate::Color::Default,
    bg: crate::Color::Default,
    underline_color: crate::Color::Default,
    underline: Underline::None,
    attributes: Attributes::empty(),
};

/// The part of a style that shows on a space. Equal looks must be equal cells, or blanks that
/// differ in an invisible foreground would be written again and could not be erased.
fn blank_style(style: Style) -> Style {
    let shows_foreground = Attributes::REVERSE | Attributes::STRIKETHROUGH | Attributes::OVERLINE;
    if style.attributes.intersects(shows_foreground) || style.underline != Underline::None {
        style
    } else {
        Style { bg: style.bg, ..DEFAULT }
    }
}
