//! Character sets G0 to G3 (ISO 2022), as far as programs still use them.

/// A character set. The sets of 94 characters leave space (and DEL) alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub(crate) enum Charset {
    #[default]
    Ascii,
    /// DEC special graphics: lines and corners.
    Graphics,
    /// ASCII with a pound sign for `#`.
    British,
    Dutch,
    Finnish,
    French,
    FrenchCanadian,
    German,
    Italian,
    Norwegian,
    Portuguese,
    Spanish,
    Swedish,
    Swiss,
    /// DEC technical: mathematics and Greek.
    Technical,
    /// DEC supplemental graphic: what Latin-1 grew from.
    Supplemental,
    /// The right half of Latin-1, a set of 96 characters.
    Latin1,
}

use Charset::{
    Ascii, British, Dutch, Finnish, French, FrenchCanadian, German, Graphics, Italian, Latin1,
    Norwegian, Portuguese, Spanish, Supplemental, Swedish, Swiss, Technical,
};

/// Sets of 94 characters by what designates them, the name that reports use first.
const DESIGNATORS: [(&[u8], Charset); 26] = [
    (b"B", Ascii),
    (b"0", Graphics),
    (b"2", Graphics),
    (b"A", British),
    (b"4", Dutch),
    (b"C", Finnish),
    (b"5", Finnish),
    (b"R", French),
    (b"f", French),
    (b"Q", FrenchCanadian),
    (b"9", FrenchCanadian),
    (b"K", German),
    (b"Y", Italian),
    (b"E", Norwegian),
    (b"`", Norwegian),
    (b"6", Norwegian),
    (b"%6", Portuguese),
    (b"Z", Spanish),
    (b"H", Swedish),
    (b"7", Swedish),
    (b"=", Swiss),
    (b">", Technical),
    (b"%5", Supplemental),
    (b"<", Supplemental),
    (b"1", Ascii),
    (b"@", Ascii),
];

impl Charset {
    const ALL: [Self; 17] = [
        Ascii,
        Graphics,
        British,
        Dutch,
        Finnish,
        French,
        FrenchCanadian,
        German,
        Italian,
        Norwegian,
        Portuguese,
        Spanish,
        Swedish,
        Swiss,
        Technical,
        Supplemental,
        Latin1,
    ];

    /// The set of 94 characters that a designator names; unknown sets are ASCII.
    pub(crate) fn designated_by(designator: &[u8]) -> Self {
        DESIGNATORS.iter().find(|(name, _)| *name == designator).map_or(Ascii, |(_, set)| *set)
    }

    /// What designates the set.
    pub(crate) fn designator(self) -> &'static [u8] {
        // Latin-1's own, among the sets of 96.
        DESIGNATORS.iter().find(|(_, set)| *set == self).map_or(b"A", |(name, _)| *name)
    }

    pub(crate) fn has_96(self) -> bool {
        self == Latin1
    }

    /// Whether it needs DECNRCM. (The British set does not, as in xterm.)
    pub(crate) fn is_national(self) -> bool {
        (Dutch as u8..=Swiss as u8).contains(&(self as u8))
    }

    /// The number that stands for the set in a keyframe.
    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    pub(crate) fn map(self, byte: u8) -> char {
        let c = char::from(byte);
        match (self, byte) {
            (Graphics, 0x5f..=0x7e) => GRAPHICS[usize::from(byte - 0x5f)],
            (Technical, 0x21..=0x7e) => TECHNICAL[usize::from(byte - 0x21)],
            (Supplemental, 0x21..=0x7e) => supplemental(byte | 0x80),
            (Ascii | Graphics | Technical | Supplemental, _) => c,
            (Latin1, _) => char::from(byte | 0x80),
            _ => {
                let replaced = REPLACED.iter().position(|&ascii| ascii == byte);
                replaced.map_or(c, |index| self.replacements()[index])
            }
        }
    }

    /// What a national set has in the places of [`REPLACED`].
    fn replacements(self) -> &'static [char; 12] {
        match self {
            Dutch => &['£', '¾', 'ĳ', '½', '|', '^', '_', '`', '¨', 'ƒ', '¼', '´'],
            Finnish => &['#', '@', 'Ä', 'Ö', 'Å', 'Ü', '_', 'é', 'ä', 'ö', 'å', 'ü'],
            French => &['£', 'à', '°', 'ç', '§', '^', '_', '`', 'é', 'ù', 'è', '¨'],
            FrenchCanadian => &['#', 'à', 'â', 'ç', 'ê', 'î', '_', 'ô', 'é', 'ù', 'è', 'û'],
            German => &['#', '§', 'Ä', 'Ö', 'Ü', '^', '_', '`', 'ä', 'ö', 'ü', 'ß'],
            Italian => &['£', '§', '°', 'ç', 'é', '^', '_', 'ù', 'à', 'ò', 'è', 'ì'],
            Norwegian => &['#', 'Ä', 'Æ', 'Ø', 'Å', 'Ü', '_', 'ä', 'æ', 'ø', 'å', 'ü'],
            Portuguese => &['#', '@', 'Ã', 'Ç', 'Õ', '^', '_', '`', 'ã', 'ç', 'õ', '~'],
            Spanish => &['£', '§', '¡', 'Ñ', '¿', '^', '_', '`', '°', 'ñ', 'ç', '~'],
            Swedish => &['#', 'É', 'Ä', 'Ö', 'Å', 'Ü', '_', 'é', 'ä', 'ö', 'å', 'ü'],
            Swiss => &['ù', 'à', 'é', 'ç', 'ê', 'î', 'è', 'ô', 'ä', 'ö', 'ü', 'û'],
            _ => &['£', '@', '[', '\\', ']', '^', '_', '`', '{', '|', '}', '~'],
        }
    }
}

/// What national sets replace in ASCII.
const REPLACED: [u8; 12] = *b"#@[\\]^_`{|}~";

/// DEC special graphics for 0x5f to 0x7e (VT220 Programmer Reference, table 2-4).
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// DEC technical for 0x21 to 0x7e; places that it leaves free show as replacement characters.
const TECHNICAL: [char; 94] = [
    '⎷', '┌', '─', '⌠', '⌡', '│', '⎡', '⎣', '⎤', '⎦', '⎛', '⎝', '⎞', '⎠', '⎨', '⎬', '⎲', '⎳', '╲',
    '╱', '⌝', '⌟', '⟩', '\u{fffd}', '\u{fffd}', '\u{fffd}', '\u{fffd}', '≤', '≠', '≥', '∫', '∴',
    '∝', '∞', '÷', 'Δ', '∇', 'Φ', 'Γ', '∼', '≃', 'Θ', '×', 'Λ', '⇔', '⇒', '≡', 'Π', 'Ψ',
    '\u{fffd}', 'Σ', '\u{fffd}', '\u{fffd}', '√', 'Ω', 'Ξ', 'Υ', '⊂', '⊃', '∩', '∪', '∧', '∨', '¬',
    'α', 'β', 'χ', 'δ', 'ε', 'φ', 'γ', 'η', 'ι', 'θ', 'κ', 'λ', '\u{fffd}', 'ν', '∂', 'π', 'ψ',
    'ρ', 'σ', 'τ', '\u{fffd}', 'ƒ', 'ω', 'ξ', 'υ', 'ζ', '←', '↑', '→', '↓',
];

/// DEC supplemental graphic where it differs from Latin-1.
fn supplemental(byte: u8) -> char {
    match byte {
        0xa8 => '¤',
        0xd7 => 'Œ',
        0xdd => 'Ÿ',
        0xf7 => 'œ',
        0xfd => 'ÿ',
        0xa4 | 0xa6 | 0xac..=0xaf | 0xb4 | 0xb8 | 0xbe | 0xd0 | 0xde | 0xf0 | 0xfe => {
            char::REPLACEMENT_CHARACTER
        }
        _ => char::from(byte),
    }
}

/// The four sets and which of them is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Charsets {
    pub(crate) sets: [Charset; 4],
    /// Locking shift: the set that bytes 0x20 to 0x7e mean.
    pub(crate) locked: u8,
    /// The set that bytes from 0xa0 on would mean; text is UTF-8, so it is only reported.
    pub(crate) right: u8,
    /// Single shift (SS2, SS3): the set for the next character only.
    pub(crate) single: Option<u8>,
}

impl Default for Charsets {
    fn default() -> Self {
        Self { sets: [Ascii; 4], locked: 0, right: Self::RIGHT, single: None }
    }
}

impl Charsets {
    /// What `right` is after a reset.
    pub(crate) const RIGHT: u8 = 2;

    /// Whether ASCII prints as itself.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        self.single.is_none() && self.sets[usize::from(self.locked)] == Charset::Ascii
    }

    /// Whether the next character is one of a set of 96, in which DEL is one.
    pub(crate) fn has_96(self) -> bool {
        self.sets[usize::from(self.single.unwrap_or(self.locked))].has_96()
    }

    /// Maps one byte, using up a single shift.
    pub(crate) fn map(&mut self, byte: u8) -> char {
        let set = self.single.take().unwrap_or(self.locked);
        self.sets[usize::from(set)].map(byte)
    }
}
