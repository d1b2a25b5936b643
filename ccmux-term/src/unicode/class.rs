//! What is known of one character, in a byte.

/// | bits | meaning |
/// |---|---|
/// | 0 and 1 | columns, 0 to 2; 3 for a control, which is not printed |
/// | 2 | the width is ambiguous (East_Asian_Width=A): one column, unless the user says otherwise |
/// | 3 | with variation selector 16 it is an emoji |
/// | 4 to 7 | its [`Kind`] |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Class(pub(super) u8);

/// How a character behaves in a grapheme cluster: its `Grapheme_Cluster_Break` and, where that
/// says nothing of it, `Indic_Conjunct_Break` and `Extended_Pictographic`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Other,
    Control,
    /// Extend without a part in conjuncts: the zero width non-joiner.
    Extend,
    /// Extend that links consonants.
    Linker,
    /// Extend that may stand between a consonant and what links it.
    ConjunctExtend,
    ZeroWidthJoiner,
    RegionalIndicator,
    Prepend,
    SpacingMark,
    HangulL,
    HangulV,
    HangulT,
    HangulLv,
    HangulLvt,
    Pictograph,
    Consonant,
}

const KINDS: [Kind; 16] = [
    Kind::Other,
    Kind::Control,
    Kind::Extend,
    Kind::Linker,
    Kind::ConjunctExtend,
    Kind::ZeroWidthJoiner,
    Kind::RegionalIndicator,
    Kind::Prepend,
    Kind::SpacingMark,
    Kind::HangulL,
    Kind::HangulV,
    Kind::HangulT,
    Kind::HangulLv,
    Kind::HangulLvt,
    Kind::Pictograph,
    Kind::Consonant,
];

impl Kind {
    /// Whether characters of this kind, with a width, that follow each other are clusters of their own.
    #[inline]
    pub(crate) const fn begins_cluster(self) -> bool {
        matches!(self, Self::Other | Self::Pictograph | Self::HangulLv | Self::HangulLvt)
    }
}

/// A bit for each kind that begins a cluster.
const BEGINNERS: u16 = {
    let (mut bits, mut at) = (0, 0);
    while at < KINDS.len() {
        bits |= (KINDS[at].begins_cluster() as u16) << at;
        at += 1;
    }
    bits
};

const WIDTH: u8 = 3;
const AMBIGUOUS: u8 = 4;
const EMOJI_BASE: u8 = 8;

impl Class {
    /// Columns; `None` for a control.
    #[inline]
    pub(crate) fn width(self) -> Option<usize> {
        match self.0 & WIDTH {
            WIDTH => None,
            width => Some(usize::from(width)),
        }
    }

    #[inline]
    pub(crate) fn kind(self) -> Kind {
        KINDS[usize::from(self.0 >> 4)]
    }

    /// The columns of a character that joins nothing before it, whatever that is but a `Prepend`.
    #[inline]
    pub(crate) fn plain_width(self) -> Option<usize> {
        let width = self.0 & WIDTH;
        (self.0 >> 4 == Kind::Other as u8 && matches!(width, 1 | 2)).then_some(usize::from(width))
    }

    /// Whether it has a width and is of a kind that begins a cluster.
    #[inline]
    pub(crate) fn begins_cluster(self) -> bool {
        BEGINNERS >> (self.0 >> 4) & 1 != 0 && matches!(self.0 & WIDTH, 1 | 2)
    }

    pub(crate) fn is_ambiguous(self) -> bool {
        self.0 & AMBIGUOUS != 0
    }

    /// Whether variation selector 16 makes an emoji of it.
    pub(crate) fn is_emoji_base(self) -> bool {
        self.0 & EMOJI_BASE != 0
    }

    /// The same of another width; a control stays one.
    pub(super) fn with_width(self, width: u8) -> Self {
        if self.0 & WIDTH == WIDTH { self } else { Self(self.0 & !WIDTH | width) }
    }
}
