//! Character sets G0 to G3 (ISO 2022), as far as programs still use them.

/// A 94-character set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Charset {
    #[default]
    Ascii,
    /// DEC special graphics: lines and corners.
    Graphics,
    /// ASCII with a pound sign for `#`.
    British,
}

impl Charset {
    /// The set that the final byte of `ESC ( x` names; unknown sets are ASCII.
    pub(crate) fn designated_by(byte: u8) -> Self {
        match byte {
            b'0' | b'2' => Self::Graphics,
            b'A' => Self::British,
            _ => Self::Ascii,
        }
    }

    /// The number that stands for the set in a keyframe.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Ascii => 0,
            Self::Graphics => 1,
            Self::British => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::Ascii, Self::Graphics, Self::British].into_iter().find(|set| set.code() == code)
    }

    pub(crate) fn map(self, byte: u8) -> char {
        match (self, byte) {
            (Self::British, b'#') => '£',
            (Self::Graphics, 0x5f..=0x7e) => GRAPHICS[usize::from(byte - 0x5f)],
            _ => char::from(byte),
        }
    }
}

/// DEC special graphics for 0x5f to 0x7e (VT220 Programmer Reference, table 2-4).
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
    '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
];

/// The four sets and which of them is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Charsets {
    pub(crate) sets: [Charset; 4],
    /// Locking shift: the set that bytes 0x20 to 0x7e mean.
    pub(crate) locked: u8,
    /// Single shift (SS2, SS3): the set for the next character only.
    pub(crate) single: Option<u8>,
}

impl Charsets {
    /// Whether ASCII prints as itself.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        self.single.is_none() && self.sets[usize::from(self.locked)] == Charset::Ascii
    }

    /// Maps one byte, using up a single shift.
    pub(crate) fn map(&mut self, byte: u8) -> char {
        let set = self.single.take().unwrap_or(self.locked);
        self.sets[usize::from(set)].map(byte)
    }
}
