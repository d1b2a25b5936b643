//! One cell: eight bytes, a character (or an index to a longer text) and the id of its pen.

/// Names a [`Pen`](super::pens::Pen) of the terminal's table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct PenId(pub(crate) u32);

impl PenId {
    /// The pen with the default style and no link; always id 0.
    pub(crate) const DEFAULT: Self = Self(0);
}

/// What a cell shows.
///
/// | value | meaning |
/// |---|---|
/// | 0 | erased or never written |
/// | 0x80 | right half of the wide character to the left |
/// | 0x81 | left blank at the right border because a wide character went to the next row |
/// | 0x20 and up | a Unicode scalar value; bit 31 set when it is wide |
/// | bit 30 set | index to the table of clusters; bit 31 set when it is wide |
///
/// Controls are never printed, so the two C1 values are free for marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Content(pub(crate) u32);

const WIDE: u32 = 1 << 31;
const CLUSTER: u32 = 1 << 30;

impl Content {
    pub(crate) const EMPTY: Self = Self(0);
    pub(crate) const CONTINUATION: Self = Self(0x80);
    pub(crate) const SPACER: Self = Self(0x81);
    /// Clusters a table may index.
    pub(crate) const CLUSTERS_MAX: u32 = CLUSTER;

    pub(crate) fn narrow(c: char) -> Self {
        Self(c as u32)
    }

    pub(crate) fn wide(c: char) -> Self {
        Self(c as u32 | WIDE)
    }

    pub(crate) fn cluster(index: u32, is_wide: bool) -> Self {
        debug_assert!(index < Self::CLUSTERS_MAX);
        Self(index | CLUSTER | if is_wide { WIDE } else { 0 })
    }

    pub(crate) fn is_wide(self) -> bool {
        self.0 & WIDE != 0
    }

    /// This content, as wide as another one.
    pub(crate) fn with_width_of(self, other: Self) -> Self {
        Self(self.0 & !WIDE | other.0 & WIDE)
    }

    pub(crate) fn cluster_index(self) -> Option<u32> {
        (self.0 & CLUSTER != 0).then_some(self.0 & !(WIDE | CLUSTER))
    }

    /// The character, if it is one and outside ASCII: what text outside ASCII has most of.
    #[inline]
    pub(crate) fn char(self) -> Option<char> {
        let bits = self.0 & !WIDE;
        if (0xa0..CLUSTER).contains(&bits) { char::from_u32(bits) } else { None }
    }

    pub(crate) fn kind(self) -> ContentKind {
        match self {
            Self::EMPTY => ContentKind::Empty,
            Self::CONTINUATION => ContentKind::Continuation,
            Self::SPACER => ContentKind::Spacer,
            Self(bits) if bits & CLUSTER != 0 => ContentKind::Cluster(bits & !(WIDE | CLUSTER)),
            Self(bits) => ContentKind::Char(
                char::from_u32(bits & !WIDE).unwrap_or(char::REPLACEMENT_CHARACTER),
            ),
        }
    }
}

/// [`Content`] taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ContentKind {
    Empty,
    Continuation,
    Spacer,
    Char(char),
    Cluster(u32),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) content: Content,
    pub(crate) pen: PenId,
}

impl Cell {
    pub(crate) fn blank(pen: PenId) -> Self {
        Self { content: Content::EMPTY, pen }
    }
}
