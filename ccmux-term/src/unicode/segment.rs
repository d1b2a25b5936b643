//! Where grapheme clusters end: rules GB3 to GB999 of UAX #29, fed one character at a time.

use super::Kind;

/// What has to be known of the characters of a cluster to say whether the next one belongs to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    last: Kind,
    emoji: Emoji,
    conjunct: Conjunct,
    /// The cluster ends in an odd number of regional indicators.
    has_half_flag: bool,
}

/// How far the front of rule GB11 matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Emoji {
    None,
    /// A pictograph and what extends it.
    Pictograph,
    /// The same and a zero width joiner.
    Joined,
}

/// How far the front of rule `GB9c` matches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Conjunct {
    None,
    Consonant,
    /// A consonant, and a linker somewhere in what extends it.
    Linked,
}

impl Segment {
    /// A text of one character that joins nothing.
    pub(crate) const OTHER: Self = Self {
        last: Kind::Other,
        emoji: Emoji::None,
        conjunct: Conjunct::None,
        has_half_flag: false,
    };

    /// A text that begins with a character of this kind.
    #[inline]
    pub(crate) fn new(first: Kind) -> Self {
        let mut segment = Self::OTHER;
        segment.push(first);
        segment
    }

    /// The kind of the last character.
    #[inline]
    pub(crate) fn last(self) -> Kind {
        self.last
    }

    /// Whether a character of this kind belongs to the cluster with which the text ends.
    #[inline]
    pub(crate) fn continues_with(self, next: Kind) -> bool {
        use Kind::{
            ConjunctExtend, Consonant, Control, Extend, HangulL, HangulLv, HangulLvt, HangulT,
            HangulV, Linker, Pictograph, Prepend, RegionalIndicator, SpacingMark, ZeroWidthJoiner,
        };
        match (self.last, next) {
            (Control, _) | (_, Control) => false,
            (_, Extend | Linker | ConjunctExtend | ZeroWidthJoiner | SpacingMark)
            | (Prepend, _)
            | (HangulL, HangulL | HangulV | HangulLv | HangulLvt)
            | (HangulV | HangulLv, HangulV | HangulT)
            | (HangulT | HangulLvt, HangulT) => true,
            (_, Consonant) => self.conjunct == Conjunct::Linked,
            (_, Pictograph) => self.emoji == Emoji::Joined,
            (_, RegionalIndicator) => self.has_half_flag,
            _ => false,
        }
    }

    /// Adds a character, whether it belongs to the cluster or not.
    #[inline]
    pub(crate) fn push(&mut self, next: Kind) {
        use Kind::{ConjunctExtend, Consonant, Extend, Linker, Pictograph, ZeroWidthJoiner};
        self.emoji = match (self.emoji, next) {
            (_, Pictograph) | (Emoji::Pictograph, Extend | Linker | ConjunctExtend) => {
                Emoji::Pictograph
            }
            (Emoji::Pictograph, ZeroWidthJoiner) => Emoji::Joined,
            _ => Emoji::None,
        };
        self.conjunct = match (self.conjunct, next) {
            (_, Consonant) => Conjunct::Consonant,
            (Conjunct::Consonant | Conjunct::Linked, Linker) => Conjunct::Linked,
            (conjunct, ConjunctExtend | ZeroWidthJoiner) => conjunct,
            _ => Conjunct::None,
        };
        self.has_half_flag = next == Kind::RegionalIndicator && !self.has_half_flag;
        self.last = next;
    }
}
