//! How many columns text takes, and how sure that is.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::cell::CellText;

/// Columns of one grapheme cluster: 0, 1 or 2. Control characters take none.
pub(super) fn cluster_width(cluster: &str) -> u8 {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some(' '..='~'), None) => 1,
        (Some(c), _) if c.is_control() => 0,
        (Some(c), None) => c.width().unwrap_or(0).min(2) as u8,
        _ => cluster.width().min(2) as u8,
    }
}

/// Whether all terminals advance by the same number of columns over this text. They disagree about
/// sequences of characters, about characters with an emoji form, about what newer Unicode versions
/// added and about private use; for those the cursor's place afterwards counts as unknown.
pub(super) fn is_width_certain(text: CellText<'_>) -> bool {
    let CellText::Char(c) = text else { return false };
    c.is_ascii() || CERTAIN.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// Blocks whose width has been the same since long before any terminal in use.
const CERTAIN: &[(char, char)] = &[
    ('\u{a1}', '\u{a8}'), // Latin-1 without (c), soft hyphen and (r)
    ('\u{aa}', '\u{ac}'),
    ('\u{af}', '\u{2ff}'),  // Latin
    ('\u{370}', '\u{482}'), // Greek, Cyrillic
    ('\u{48a}', '\u{52f}'),
    ('\u{2010}', '\u{2027}'), // dashes, quotes, ellipsis
    ('\u{20a0}', '\u{20b9}'), // currencies
    ('\u{2190}', '\u{2193}'), // arrows without an emoji form
    ('\u{2200}', '\u{22ff}'), // mathematics
    ('\u{2500}', '\u{25a9}'), // boxes, blocks
    ('\u{2800}', '\u{28ff}'), // Braille
    ('\u{3000}', '\u{3029}'), // CJK punctuation, kana
    ('\u{3041}', '\u{3096}'),
    ('\u{309b}', '\u{30ff}'),
    ('\u{4e00}', '\u{9fa5}'), // Han
    ('\u{ac00}', '\u{d7a3}'), // Hangul syllables
    ('\u{ff01}', '\u{ff60}'), // full width forms
];
