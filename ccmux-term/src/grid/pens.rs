//! The table of pens (style and link) that cells name by id.
//!
//! Pens are interned, so a cell needs four bytes for any style. Nothing counts references: when
//! the table has doubled since the last sweep, the owner marks the pens still in use and the
//! table renumbers them. It is therefore bounded by twice the number of cells that can be alive.

use std::sync::Arc;

use super::cell::PenId;
use crate::memo::{Memo, Sequence};
use crate::wire::StyleBytes;
use crate::{Color, Style, wire};

/// A hyperlink (OSC 8).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hyperlink {
    /// The `id` parameter: cells with equal id and URI are one link. Empty if none was given.
    pub id: String,
    /// Where it leads.
    pub uri: String,
}

/// Everything about a cell but its text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Pen {
    pub(crate) style: Style,
    pub(crate) link: Option<Arc<Hyperlink>>,
    /// Selective erasing leaves it alone (DECSCA, SPA).
    pub(crate) is_protected: bool,
}

/// Pens by id; id 0 is the default pen.
#[derive(Clone, Debug)]
pub(crate) struct PenTable {
    pens: Vec<Pen>,
    /// Of each pen, for looking it up.
    keys: Vec<Key>,
    /// Of each pen, for the history; none for those with a link, whose code is of one line.
    codes: Vec<Option<StyleCode>>,
    /// Open addressing, a power of two long: id + 1, or 0 for a free slot.
    slots: Vec<u32>,
    /// Sweep when this many pens are in the table.
    sweep_at: usize,
    /// What sequences that set the style make of pens.
    changed: Memo<(PenId, Sequence), (Style, PenId), 32, 512>,
}

const SWEEP_AT_MIN: usize = 1024;

impl PenTable {
    pub(crate) fn new() -> Self {
        // The default pen is not looked up, so it needs no slot.
        Self {
            pens: vec![Pen::default()],
            keys: vec![Key::DEFAULT],
            codes: vec![Some(StyleCode::DEFAULT)],
            slots: vec![0; 64],
            sweep_at: SWEEP_AT_MIN,
            changed: Memo::default(),
        }
    }

    pub(crate) fn get(&self, id: PenId) -> &Pen {
        &self.pens[id.0 as usize]
    }

    /// The encoded style of a pen; `None` if it has a link.
    pub(crate) fn code(&self, id: PenId) -> Option<StyleCode> {
        self.codes[id.0 as usize]
    }

    /// Whether the owner should call [`PenTable::sweep`] before it interns more.
    pub(crate) fn is_due_for_sweep(&self) -> bool {
        self.pens.len() >= self.sweep_at
    }

    #[inline]
    pub(crate) fn intern(&mut self, pen: &Pen) -> PenId {
        let key = Key::of(pen);
        if key == Key::DEFAULT { PenId::DEFAULT } else { self.intern_as(key, pen) }
    }

    fn intern_as(&mut self, key: Key, pen: &Pen) -> PenId {
        let mask = self.slots.len() - 1;
        let mut slot = key.hash(pen) as usize & mask;
        loop {
            match self.slots[slot] {
                0 => break,
                id if self.keys[id as usize - 1] == key
                    // The key tells whether there is one.
                    && (pen.link.is_none() || self.pens[id as usize - 1].link == pen.link) =>
                {
                    return PenId(id - 1);
                }
                _ => slot = (slot + 1) & mask,
            }
        }
        let id = self.pens.len() as u32;
        self.pens.push(pen.clone());
        self.keys.push(key);
        self.codes.push(StyleCode::of_pen(pen));
        self.slots[slot] = id + 1;
        if self.pens.len() * 2 > self.slots.len() {
            self.rehash(self.slots.len() * 2);
        }
        PenId(id)
    }

    /// Keeps the pens for which `used` is true and returns the new id of each old one.
    pub(crate) fn sweep(&mut self, used: &[bool]) -> Vec<PenId> {
        let mut new_ids = vec![PenId::DEFAULT; self.pens.len()];
        let mut kept = Vec::new();
        for (id, pen) in std::mem::take(&mut self.pens).into_iter().enumerate() {
            if id == 0 || used[id] {
                new_ids[id] = PenId(kept.len() as u32);
                kept.push(pen);
            }
        }
        self.keys = kept.iter().map(Key::of).collect();
        self.codes = kept.iter().map(StyleCode::of_pen).collect();
        self.pens = kept;
        self.sweep_at = (self.pens.len() * 2).max(SWEEP_AT_MIN);
        self.changed.clear();
        self.rehash((self.pens.len() * 2).next_power_of_two().max(64));
        new_ids
    }

    pub(crate) fn len(&self) -> usize {
        self.pens.len()
    }

    /// The style, and the pen with it, that `sequence` makes of a pen, if that is remembered.
    #[inline]
    pub(crate) fn changed(&self, pen: PenId, sequence: Sequence) -> Option<&(Style, PenId)> {
        self.changed.get((pen, sequence))
    }

    /// Remembers that, until the next [`sweep`](Self::sweep): it renumbers pens.
    pub(crate) fn remember_changed(
        &mut self,
        (pen, sequence): (PenId, Sequence),
        (style, changed): (Style, PenId),
    ) {
        self.changed.remember((pen, sequence), (style, changed));
    }

    fn rehash(&mut self, slots: usize) {
        self.slots.clear();
        self.slots.resize(slots, 0);
        let mask = slots - 1;
        for (id, (key, pen)) in self.keys.iter().zip(&self.pens).enumerate().skip(1) {
            let mut slot = key.hash(pen) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = id as u32 + 1;
        }
    }
}

/// A style as it is encoded in history and keyframes: its bytes, the first one lowest, and in the highest
/// byte how many they are. In one number it is compared and copied at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StyleCode(u128);

/// Where the length stands.
const LEN_SHIFT: u32 = 120;

const _: () = assert!(wire::STYLE_BYTES_MAX < LEN_SHIFT as usize / 8, "a run has a byte before it");

impl Default for StyleCode {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl StyleCode {
    /// That of the default style.
    pub(crate) const DEFAULT: Self = Self(1 << LEN_SHIFT);

    pub(crate) fn of(style: &Style) -> Self {
        let StyleBytes { bytes, len } = StyleBytes::of(style);
        Self(u128::from_le_bytes(bytes) | (len as u128) << LEN_SHIFT)
    }

    /// That of a pen; `None` if it has a link.
    fn of_pen(pen: &Pen) -> Option<Self> {
        pen.link.is_none().then(|| Self::of(&pen.style))
    }

    /// How many bytes it has.
    #[inline]
    pub(crate) fn len(self) -> usize {
        (self.0 >> LEN_SHIFT) as usize
    }

    /// The style itself.
    pub(crate) fn style(self) -> Style {
        if self == Self::DEFAULT {
            return Style::default();
        }
        let bytes = self.0.to_le_bytes();
        let (style, _no_link) =
            wire::Reader::new(&bytes[..self.len()]).style().expect("it was made of a style");
        style
    }

    #[inline]
    pub(crate) fn has_background(self) -> bool {
        self.0 & 0b1100 != 0
    }

    /// The style of what is erased, or comes in blank, while this one is in use.
    #[inline]
    pub(crate) fn background(self) -> Self {
        if self.has_background() {
            Self::of(&Style { bg: self.style().bg, ..Style::default() })
        } else {
            Self::DEFAULT
        }
    }

    /// Appends the code to `out`.
    #[inline]
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        wire::put_short(out, &self.0.to_le_bytes(), self.len());
    }

    /// Appends a run of so many bytes of text that look like this.
    #[inline]
    pub(crate) fn put_run(self, text_len: usize, out: &mut Vec<u8>) {
        if text_len < 0x80 {
            let run = self.0 << 8 | text_len as u128;
            wire::put_short(out, &run.to_le_bytes(), 1 + self.len());
        } else {
            wire::put_number(out, text_len as u64);
            self.put(out);
        }
    }
}

/// All of a pen but its link, in two words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Key {
    colors: u64,
    /// Colour of underlines, attributes, and whether there is a link.
    look: u64,
}

impl Key {
    const DEFAULT: Self = Self { colors: 0, look: 0 };

    #[inline]
    fn of(pen: &Pen) -> Self {
        let Pen { style, link, is_protected } = pen;
        let look = u64::from(link.is_some()) << 12
            | u64::from(*is_protected) << 11
            | u64::from(style.attributes.bits()) << 3
            | style.underline as u64;
        Self {
            colors: color_code(style.fg) | color_code(style.bg) << 32,
            look: color_code(style.underline_color) | look << 32,
        }
    }

    /// A multiplicative hash: pens are tiny and looked up at every change of style, and an
    /// adversary gains nothing but longer probes in a table bounded by the screen.
    #[inline]
    fn hash(self, pen: &Pen) -> u64 {
        let mut hash = mix(mix(0, self.colors), self.look);
        if let Some(link) = &pen.link {
            // By content: equal pens must share an id, whatever their links' addresses.
            hash = link.id.bytes().chain(link.uri.bytes()).map(u64::from).fold(hash, mix);
        }
        hash ^ hash >> 29
    }
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[inline]
fn color_code(color: Color) -> u64 {
    match color {
        Color::Default => 0,
        Color::Indexed(index) => 1 << 24 | u64::from(index),
        Color::Rgb(r, g, b) => u64::from(u32::from_be_bytes([2, r, g, b])),
    }
}
