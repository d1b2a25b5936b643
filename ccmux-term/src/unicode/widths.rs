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
/// The planes with nearly all text and emoji end here.
const PLANES: usize = 0x2_0000;

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
    /// A bit for each character of the first two planes that begins a cluster; none for controls and ASCII.
    beginners: [u64; PLANES / 64],
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

    /// Length of the characters at the front of `bytes`, none of them ASCII, that begin clusters
    /// ([`Class::begins_cluster`]), and of the last one. Any may be left out with those behind it.
    #[inline]
    pub(crate) fn beginners_len(&self, bytes: &[u8]) -> (usize, usize) {
        let (mut rest, mut last) = (bytes, 0);
        while let Some(&four) = rest.first_chunk::<4>() {
            let Some((word, bit, len)) = place(u32::from_le_bytes(four)) else { break };
            if self.table.beginners[word] >> (bit % 64) & 1 == 0 {
                break;
            }
            last = len;
            rest = &rest[len..];
        }
        (bytes.len() - rest.len(), last)
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
        let beginners = std::array::from_fn(|word| {
            (0..64)
                .filter(|bit| begins_cluster(&classes, 64 * word + bit))
                .fold(0, |word, bit| word | 1 << bit)
        });
        let mut table = Self { index: [0; BLOCKS], blocks: Vec::new(), beginners };
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

fn begins_cluster(classes: &[u8], scalar: usize) -> bool {
    scalar >= 0x80 && Class(classes[scalar]).begins_cluster()
}

/// Where the bit of the character stands whose UTF-8 is in the lowest bytes of `bytes`, and the length of that;
/// `None` if it is none of the first two planes. Longer forms are none, or have no bit: that of a control, or
/// of a character of ASCII.
#[inline]
fn place(bytes: u32) -> Option<(usize, u32, usize)> {
    if bytes & 0x00c0_c0f0 == 0x0080_80e0 {
        let word = (bytes & 0xf) << 6 | bytes >> 8 & 0x3f;
        (word >= 0x800 / 64).then_some((word as usize, bytes >> 16, 3))
    } else if bytes & 0x0000_c0e0 == 0x0000_80c0 {
        Some(((bytes & 0x1f) as usize, bytes >> 8, 2))
    } else if bytes & 0xc0c0_e0ff == 0x8080_80f0 {
        let word = (bytes >> 8 & 0x1f) << 6 | bytes >> 16 & 0x3f;
        (word >= 0x1_0000 / 64).then_some((word as usize, bytes >> 24, 4))
    } else {
        None
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bits are what the classes say, whichever widths were chosen.
    #[test]
    fn what_begins_clusters_is_found_in_utf8() {
        let chosen = [
            WidthOverride::Ambiguous(2),
            WidthOverride::Range { first: 0x4e00, last: 0x4eff, width: 0 },
            WidthOverride::Range { first: 0x300, last: 0x303, width: 1 },
        ];
        for widths in [Widths::default(), Widths::new(chosen)] {
            for c in ('\u{80}'..char::MAX).filter(|c| (*c as usize) < PLANES) {
                let text = format!("{c}...");
                let len = if widths.class(c).begins_cluster() { c.len_utf8() } else { 0 };
                assert_eq!(widths.beginners_len(text.as_bytes()), (len, len), "{c:?}");
            }
        }
    }

    /// Only what is well-formed is taken for a character.
    #[test]
    fn nothing_else_begins_clusters() {
        const EDGES: [u8; 12] =
            [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xe4, 0xff];
        let pairs = EDGES.iter().flat_map(|a| EDGES.map(|b| (*a, b)));
        for (first, (second, third)) in
            (0..=u8::MAX).flat_map(|lead| pairs.clone().map(move |p| (lead, p)))
        {
            for fourth in EDGES {
                let bytes = [first, second, third, fourth, b'.', b'.', b'.'];
                let (len, last) = Widths::builtin().beginners_len(&bytes);
                let text = std::str::from_utf8(&bytes[..len]);
                let lens: Vec<_> =
                    text.iter().flat_map(|text| text.chars()).map(char::len_utf8).collect();
                assert!(text.is_ok() && !lens.contains(&1), "{bytes:x?}");
                assert_eq!(lens.last().copied().unwrap_or_default(), last, "{bytes:x?}");
            }
        }
    }

    #[test]
    fn a_run_ends_before_what_attaches() {
        let widths = Widths::builtin();
        let len = |text: &str| widths.beginners_len(text.as_bytes());
        assert_eq!(len("\u{4e00}\u{e9}\u{1f600} abc"), (9, 4));
        assert_eq!(len("\u{ac00}\u{e9}\u{301}abc"), (5, 2));
        assert_eq!(len("\u{301}\u{e9}abc"), (0, 0));
        assert_eq!(len("abcd"), (0, 0));
        assert_eq!(len("\u{e9}"), (0, 0), "there may be more of it than is there");
    }
}
