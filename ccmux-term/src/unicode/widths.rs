//! The classes of all characters, with the widths that a user chose over the built-in ones.

use std::sync::{Arc, LazyLock};

use super::Class;
use super::table::RANGES;
use crate::wire::{CodecError, Reader, put_number};

/// Overrides that are kept; further ones are dropped.
pub const WIDTH_OVERRIDES_MAX: usize = 1024;

const BLOCK: usize = 256;
const BLOCKS: usize = 0x11_0000 / BLOCK;
const LAST_SCALAR: u32 = 0x10_ffff;

static DEFAULT: LazyLock<Widths> = LazyLock::new(|| Widths::build(Arc::default()));

/// A width over the built-in one; later ones win.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WidthOverride {
    /// Of the characters whose East Asian width is ambiguous.
    Ambiguous(u8),
    /// Of the characters from one scalar value to another.
    Range {
        /// The first one.
        first: u32,
        /// The last one.
        last: u32,
        /// 0 to 2; of no width is what attaches to the character before.
        width: u8,
    },
    /// Variation selector 16 makes no character wide.
    SelectorKeepsNarrow,
}

/// How many columns characters take. A copy costs nothing: the table behind it is shared.
#[derive(Clone)]
pub struct Widths {
    table: Arc<Table>,
    overrides: Arc<[WidthOverride]>,
    selector_widens: bool,
}

/// Classes by scalar value, in blocks of which those that are alike are one.
struct Table {
    index: [u16; BLOCKS],
    blocks: Vec<[u8; BLOCK]>,
}

impl WidthOverride {
    /// Reads an entry as tmux writes it in `codepoint-widths`: `U+2500=2`, `U+E0B0-U+E0D6=1` or
    /// `→=2`; and `ambiguous=2`.
    pub fn parse(entry: &str) -> Option<Self> {
        let (what, width) = entry.rsplit_once('=')?;
        let width = match width {
            "0" => 0,
            "1" => 1,
            "2" => 2,
            _ => return None,
        };
        if what == "ambiguous" {
            return Some(Self::Ambiguous(width));
        }
        let mut chars = what.chars();
        let (first, last) = match (chars.next(), chars.next()) {
            (Some(c), None) => (u32::from(c), u32::from(c)),
            _ => match what.split_once('-') {
                Some((first, last)) => (scalar(first)?, scalar(last)?),
                None => (scalar(what)?, scalar(what)?),
            },
        };
        Self::range(first, last, width)
    }

    fn range(first: u32, last: u32, width: u8) -> Option<Self> {
        let is_valid = first <= last && last <= LAST_SCALAR && width <= 2;
        is_valid.then_some(Self::Range { first, last, width })
    }
}

/// `U+` and up to six hexadecimal digits.
fn scalar(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("U+").or_else(|| text.strip_prefix("u+"))?;
    let is_valid = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_valid { u32::from_str_radix(digits, 16).ok() } else { None }
}

impl Widths {
    /// The built-in widths under those of `overrides`, of which the first [`WIDTH_OVERRIDES_MAX`]
    /// are heeded.
    pub fn new(overrides: impl IntoIterator<Item = WidthOverride>) -> Self {
        let overrides: Arc<[_]> = overrides.into_iter().take(WIDTH_OVERRIDES_MAX).collect();
        if overrides.is_empty() { Self::default() } else { Self::build(overrides) }
    }

    fn build(overrides: Arc<[WidthOverride]>) -> Self {
        let selector_widens = !overrides.contains(&WidthOverride::SelectorKeepsNarrow);
        Self { table: Arc::new(Table::new(&overrides)), overrides, selector_widens }
    }

    /// Those of nobody's choice.
    pub fn builtin() -> &'static Self {
        &DEFAULT
    }

    /// What was given to [`Widths::new`].
    pub fn overrides(&self) -> &[WidthOverride] {
        &self.overrides
    }

    #[inline]
    pub(crate) fn class(&self, c: char) -> Class {
        let scalar = c as usize;
        let block = usize::from(self.table.index[scalar / BLOCK]);
        Class(self.table.blocks[block][scalar % BLOCK])
    }

    /// Columns of a character; `None` for controls.
    #[inline]
    pub(crate) fn width(&self, c: char) -> Option<usize> {
        match c {
            ' '..='~' => Some(1),
            _ => self.class(c).width(),
        }
    }

    /// Whether variation selector 16 makes wide what has an emoji form.
    pub(crate) fn selector_widens(&self) -> bool {
        self.selector_widens
    }

    /// Whether the user gave the character a width.
    pub(crate) fn is_overridden(&self, c: char) -> bool {
        !self.overrides.is_empty() && self.class(c) != DEFAULT.class(c)
    }

    /// Appends the overrides to `out`, for [`Widths::decode`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_number(out, self.overrides.len() as u64);
        for entry in self.overrides.iter() {
            match *entry {
                WidthOverride::Ambiguous(width) => out.push(width),
                WidthOverride::Range { first, last, width } => {
                    out.push(width | RANGE);
                    put_number(out, u64::from(first));
                    put_number(out, u64::from(last));
                }
                WidthOverride::SelectorKeepsNarrow => out.push(KEEPS_NARROW),
            }
        }
    }

    /// Reads what [`Widths::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let widths = Self::read(&mut reader)?;
        if reader.is_empty() { Ok(widths) } else { Err(CodecError::Invalid("widths")) }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let len: usize = reader.small()?;
        if len > WIDTH_OVERRIDES_MAX {
            return Err(CodecError::Invalid("widths"));
        }
        let mut overrides = Vec::new();
        for _ in 0..len {
            let head = reader.byte()?;
            let entry = match head {
                0..=2 => Some(WidthOverride::Ambiguous(head)),
                KEEPS_NARROW => Some(WidthOverride::SelectorKeepsNarrow),
                _ if head & RANGE != 0 => {
                    WidthOverride::range(reader.small()?, reader.small()?, head & !RANGE)
                }
                _ => None,
            };
            overrides.push(entry.ok_or(CodecError::Invalid("widths"))?);
        }
        Ok(Self::new(overrides))
    }
}

/// Marks an encoded entry that has a range.
const RANGE: u8 = 4;
/// The encoded entry of a selector that makes nothing wide.
const KEEPS_NARROW: u8 = 3;

impl Default for Widths {
    fn default() -> Self {
        Self::builtin().clone()
    }
}

impl PartialEq for Widths {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.overrides, &other.overrides) || self.overrides == other.overrides
    }
}

impl Eq for Widths {}

impl std::fmt::Debug for Widths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Widths").field(&self.overrides).finish()
    }
}

impl Table {
    fn new(overrides: &[WidthOverride]) -> Self {
        let mut classes = vec![0; BLOCKS * BLOCK];
        let ends = RANGES.iter().skip(1).map(|range| range >> 8).chain([LAST_SCALAR + 1]);
        for (range, end) in RANGES.iter().zip(ends) {
            classes[(range >> 8) as usize..end as usize].fill((range & 0xff) as u8);
        }
        apply(overrides, &mut classes);
        let mut table = Self { index: [0; BLOCKS], blocks: Vec::new() };
        // Blocks of one class throughout are shared: most of them are.
        let mut uniform = [None; BLOCK];
        let (blocks, _) = classes.as_chunks::<BLOCK>();
        for (entry, block) in table.index.iter_mut().zip(blocks) {
            let is_uniform = *block == [block[0]; BLOCK];
            let shared = &mut uniform[usize::from(block[0])];
            *entry = match shared.filter(|_| is_uniform) {
                Some(known) => known,
                None => {
                    table.blocks.push(*block);
                    let new = (table.blocks.len() - 1) as u16;
                    if is_uniform {
                        *shared = Some(new);
                    }
                    new
                }
            };
        }
        table
    }
}

/// Sets the widths of characters; ASCII is printed without a look at the table and stays as it is.
fn apply(overrides: &[WidthOverride], classes: &mut [u8]) {
    for entry in overrides {
        match *entry {
            WidthOverride::Ambiguous(width) => {
                for slot in classes.iter_mut().filter(|slot| Class(**slot).is_ambiguous()) {
                    *slot = Class(*slot).with_width(width).0;
                }
            }
            WidthOverride::Range { first, last, width } => {
                for scalar in first.max(0x80)..=last {
                    let slot = &mut classes[scalar as usize];
                    *slot = Class(*slot).with_width(width).0;
                }
            }
            // It is no property of one character.
            WidthOverride::SelectorKeepsNarrow => {}
        }
    }
}
