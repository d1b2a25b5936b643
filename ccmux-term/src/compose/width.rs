//! How text falls into cells, how many columns they take, and how sure that is.

use super::cell::CellText;
use crate::Widths;
use crate::grid::clusters::CLUSTER_BYTES_MAX;
use crate::unicode::{Segment, widens};

/// What one cell shows of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Cluster<'a> {
    /// Where it begins, in bytes.
    pub(crate) start: usize,
    pub(crate) text: &'a str,
    /// Columns, 1 or 2.
    pub(crate) width: u8,
}

impl Cluster<'_> {
    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Cuts `text` into cells by the rules by which the emulator prints: what is drawn with these cells
/// lies on a terminal as it lies here. Control characters, and marks with nothing to attach to, are
/// left out.
pub(crate) fn clusters<'a>(text: &'a str, widths: &'a Widths) -> Clusters<'a> {
    Clusters { text, at: 0, widths, is_clustered: true }
}

/// As [`clusters`], but as the emulator prints without mode 2027.
pub(crate) fn characters<'a>(text: &'a str, widths: &'a Widths) -> Clusters<'a> {
    Clusters { is_clustered: false, ..clusters(text, widths) }
}

/// The columns that `text` takes.
pub fn columns(text: &str, widths: &Widths) -> usize {
    clusters(text, widths).map(|cluster| usize::from(cluster.width)).sum()
}

/// The bytes at the front of `text` that are in its first cell, and its columns: none for a control
/// character, and for a mark with nothing to attach to.
pub fn first_cell(text: &str, widths: &Widths) -> (usize, usize) {
    let Some(c) = text.chars().next() else { return (0, 0) };
    if widths.width(c).is_none_or(|width| width == 0) {
        return (c.len_utf8(), 0);
    }
    let mut all = clusters(text, widths);
    let width = all.next().map_or(0, |first| usize::from(first.width));
    (all.at, width)
}

/// Iterator of [`clusters`] and [`characters`].
#[derive(Clone, Debug)]
pub(crate) struct Clusters<'a> {
    text: &'a str,
    at: usize,
    widths: &'a Widths,
    is_clustered: bool,
}

impl<'a> Iterator for Clusters<'a> {
    type Item = Cluster<'a>;

    fn next(&mut self) -> Option<Cluster<'a>> {
        loop {
            let start = self.at;
            let rest = &self.text[start..];
            let first = rest.chars().next()?;
            self.at += first.len_utf8();
            let width = match self.widths.width(first) {
                None | Some(0) => continue,
                Some(width) => width as u8,
            };
            if first.is_ascii() && rest.as_bytes().get(1).is_none_or(u8::is_ascii) {
                return Some(Cluster { start, text: &rest[..1], width });
            }
            let (len, width) = self.extend(start, first, width);
            return Some(Cluster { start, text: &rest[..len], width });
        }
    }
}

impl Clusters<'_> {
    /// Takes what attaches to the character `first` at `start`; returns the bytes that are kept of
    /// the whole, and its width.
    fn extend(&mut self, start: usize, first: char, mut width: u8) -> (usize, u8) {
        let mut len = first.len_utf8();
        let mut last = first;
        let mut segment = Segment::new(self.widths.class(first).kind());
        while let Some(c) = self.text[self.at..].chars().next() {
            let class = self.widths.class(c);
            let joins = match class.width() {
                None => false,
                Some(0) => true,
                Some(_) => self.is_clustered && segment.continues_with(class.kind()),
            };
            if !joins {
                break;
            }
            self.at += c.len_utf8();
            if self.at - start > CLUSTER_BYTES_MAX {
                continue;
            }
            if self.is_clustered && widens(self.widths, last, c) {
                width = 2;
            }
            len = self.at - start;
            last = c;
            segment.push(class.kind());
        }
        (len, width)
    }
}

/// Whether all terminals advance by the same number of columns over this text. They disagree about
/// sequences of characters, about characters with an emoji form, about what newer Unicode versions
/// added and about private use; for those the cursor's place afterwards counts as unknown.
///
/// A width that the user chose is that of their terminal, and not that of any other.
pub(super) fn is_width_certain(text: CellText<'_>, widths: &Widths) -> bool {
    let CellText::Char(c) = text else { return false };
    c.is_ascii()
        || !widths.is_overridden(c)
            && CERTAIN.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// Whether a cluster is a letter of one column with marks that take none on any terminal.
pub(super) fn is_marked_letter(cluster: &str) -> bool {
    // Joiners, variation selectors and keycaps make wide signs of what is before them.
    let is_mark = |c| {
        Widths::builtin().width(c) == Some(0)
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{20e3}' | '\u{fe00}'..='\u{fe0f}')
    };
    let mut chars = cluster.chars();
    let is_narrow = |c| Widths::builtin().width(c) == Some(1);
    chars.next().is_some_and(|c| c.is_alphanumeric() && is_narrow(c)) && chars.all(is_mark)
}

/// Blocks whose width has been the same since long before any terminal in use.
const CERTAIN: &[(char, char)] = &[
    ('\u{a1}', '\u{a8}'), // Latin-1 without the signs that are emoji, and without soft hyphen
    ('\u{aa}', '\u{ac}'),
    ('\u{af}', '\u{2ff}'),  // Latin
    ('\u{370}', '\u{482}'), // Greek, Cyrillic
    ('\u{48a}', '\u{52f}'),
    ('\u{2010}', '\u{2027}'), // dashes, quotes, ellipsis
    ('\u{20a0}', '\u{20b9}'), // currencies
    ('\u{2190}', '\u{2193}'), // arrows that are no emoji
    ('\u{2200}', '\u{22ff}'), // mathematics
    ('\u{2500}', '\u{25a9}'), // boxes, blocks
    ('\u{2800}', '\u{28ff}'), // Braille
    ('\u{3001}', '\u{3029}'), // CJK punctuation, kana
    ('\u{3041}', '\u{3096}'),
    ('\u{309b}', '\u{30ff}'),
    ('\u{4e00}', '\u{9fa5}'), // Han
    ('\u{ac00}', '\u{d7a3}'), // Hangul syllables
    ('\u{ff01}', '\u{ff60}'), // full width forms
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WidthOverride;

    #[test]
    fn the_first_cell_of_a_text() {
        let arrows = Widths::new(WidthOverride::parse("→=2"));
        let long = "a".to_owned() + &"\u{301}".repeat(CLUSTER_BYTES_MAX);
        for (text, expected) in [
            ("", (0, 0)),
            ("ab", (1, 1)),
            ("\n", (1, 0)),
            ("\u{301}\u{301}a", (2, 0)),
            ("e\u{301}x", (3, 1)),
            ("→x", (3, 2)),
            ("👨‍👩‍👧x", (18, 2)),
            ("❤\u{fe0f}x", (6, 2)),
            (&long, (long.len(), 1)),
        ] {
            assert_eq!(first_cell(text, &arrows), expected, "{text}");
        }
    }

    #[test]
    fn text_falls_into_cells() {
        for (text, expect) in [
            ("", &[] as &[(usize, &str, u8)]),
            ("ab", &[(0, "a", 1), (1, "b", 1)]),
            ("a\u{301}b", &[(0, "a\u{301}", 1), (3, "b", 1)]),
            ("\u{301}a\n\u{301}b", &[(2, "a", 1), (6, "b", 1)]),
            ("世界", &[(0, "世", 2), (3, "界", 2)]),
            ("👨‍👩‍👧x", &[(0, "👨‍👩‍👧", 2), (18, "x", 1)]),
            ("👍🏽", &[(0, "👍🏽", 2)]),
            ("🇩🇪🇫🇷", &[(0, "🇩🇪", 2), (8, "🇫🇷", 2)]),
            ("❤\u{fe0f}❤", &[(0, "❤\u{fe0f}", 2), (6, "❤", 1)]),
            ("क्ष", &[(0, "क्ष", 1)]),
            ("கொ", &[(0, "கொ", 1)]),
            ("\u{600}12", &[(0, "\u{600}1", 1), (3, "2", 1)]),
            ("☝🏽", &[(0, "☝🏽", 2)]),
            ("⌚\u{fe0e}", &[(0, "⌚\u{fe0e}", 2)]),
        ] {
            let got: Vec<_> =
                clusters(text, Widths::builtin()).map(|c| (c.start, c.text, c.width)).collect();
            assert_eq!(got, expect, "{text:?}");
        }
        let zalgo = format!("a{}b", "\u{301}".repeat(100));
        let got: Vec<_> =
            clusters(&zalgo, Widths::builtin()).map(|c| (c.start, c.text.len(), c.width)).collect();
        assert_eq!(got, [(0, 63, 1), (201, 1, 1)]);
    }
}
