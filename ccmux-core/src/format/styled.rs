//! Expanded formats as they are shown: text with `#[...]` in it.
//!
//! In text that is to be shown `##` is one `#`. A run of `#` before `[` opens a style if it is odd:
//! `##[` is a `#` and a bracket.

use unicode_width::UnicodeWidthChar;

use crate::options::Style;

use super::text::skip;

/// A part of an expanded format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StyledPart {
    /// Text to show.
    Text(String),
    /// What changes from here on.
    Style(Style),
}

/// Divides an expanded format into text and styles. Styles that are none are left out; a style
/// that does not end takes the rest of the text with it.
pub fn styled_parts(text: &str) -> Vec<StyledPart> {
    let mut parts = Vec::new();
    for piece in Pieces::new(text, &one_character) {
        match piece {
            Piece::Style(raw) => {
                let inner = &raw[2..raw.len() - 1];
                parts.extend(inner.parse().ok().map(StyledPart::Style));
            }
            Piece::Hash(_) => push_text(&mut parts, "#"),
            Piece::Text(text, _) => push_text(&mut parts, text),
        }
    }
    parts
}

fn push_text(parts: &mut Vec<StyledPart>, more: &str) {
    if let Some(StyledPart::Text(text)) = parts.last_mut() {
        text.push_str(more);
    } else {
        parts.push(StyledPart::Text(more.to_owned()));
    }
}

/// How text falls into cells: the bytes of what the first one shows of a text that is not empty, and
/// its columns. What has no column of its own and nothing to attach to is one of no columns.
pub(super) type CellOf<'a> = dyn Fn(&str) -> (usize, usize) + 'a;

/// Text that falls into cells character by character: what attaches to one has a cell of no columns.
pub(super) fn one_character(text: &str) -> (usize, usize) {
    let first = text.chars().next().unwrap_or_default();
    (first.len_utf8(), first.width().unwrap_or(0))
}

/// The columns that an expanded format takes when shown.
pub(super) fn display_width(text: &str, cell: &CellOf<'_>) -> usize {
    Pieces::new(text, cell).map(Piece::width).sum()
}

/// The first so many columns. Styles before the cut stay.
pub(super) fn first_columns(text: &str, columns: usize, cell: &CellOf<'_>) -> String {
    let mut result = String::new();
    let mut width = 0;
    for piece in Pieces::new(text, cell) {
        if width >= columns && !piece.is_mark() {
            break;
        }
        width += piece.width();
        if width <= columns {
            piece.push_raw(&mut result);
        }
    }
    result
}

/// The last so many columns. All styles stay.
pub(super) fn last_columns(text: &str, columns: usize, cell: &CellOf<'_>) -> String {
    let skipped = display_width(text, cell).saturating_sub(columns);
    let mut result = String::new();
    let mut width = 0;
    let mut is_shown = skipped == 0;
    for piece in Pieces::new(text, cell) {
        // A combining mark goes with the character it is on.
        is_shown = width >= skipped && !piece.is_mark() || is_shown;
        if is_shown || matches!(piece, Piece::Style(_)) {
            piece.push_raw(&mut result);
        }
        width += piece.width();
    }
    result
}

/// Spaces after the text, or with a negative width before it.
pub(super) fn pad(text: String, width: i64, cell: &CellOf<'_>) -> String {
    let mut taken = 0;
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (len, columns) = cell(rest);
        rest = &rest[len..];
        taken += columns;
    }
    let missing = usize::try_from(width.unsigned_abs())
        .unwrap_or(usize::MAX)
        .min(PAD_MAX)
        .saturating_sub(taken);
    let spaces = " ".repeat(missing);
    if width < 0 { spaces + &text } else { text + &spaces }
}

/// Wider than any terminal.
const PAD_MAX: usize = 10_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece<'t> {
    /// `#[...]`
    Style(&'t str),
    /// A `#` to show, as it was written: `##`, or `#` alone.
    Hash(&'t str),
    /// What a cell shows of other text, and its columns.
    Text(&'t str, usize),
}

impl Piece<'_> {
    fn width(self) -> usize {
        match self {
            Piece::Style(_) => 0,
            Piece::Hash(_) => 1,
            Piece::Text(_, columns) => columns,
        }
    }

    /// Whether it is text without a column of its own.
    fn is_mark(self) -> bool {
        matches!(self, Piece::Text(_, 0))
    }

    fn push_raw(self, text: &mut String) {
        match self {
            Piece::Style(raw) | Piece::Hash(raw) | Piece::Text(raw, _) => text.push_str(raw),
        }
    }
}

/// The pieces of a text.
struct Pieces<'t> {
    rest: &'t str,
    cell: &'t CellOf<'t>,
}

impl<'t> Pieces<'t> {
    fn new(text: &'t str, cell: &'t CellOf<'t>) -> Self {
        Self { rest: text, cell }
    }

    fn take(&mut self, len: usize) -> &'t str {
        let (piece, rest) = self.rest.split_at(len);
        self.rest = rest;
        piece
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Piece<'t>> {
        if self.rest.is_empty() {
            return None;
        }
        if !self.rest.starts_with('#') {
            let (len, columns) = (self.cell)(self.rest);
            // What joins the character before it begins a style all the same.
            let len = self.rest[..len].find('#').unwrap_or(len);
            return Some(Piece::Text(self.take(len), columns));
        }
        // Looking no further than two keeps runs of any length linear: pairs go first, and only
        // the last `#` of an odd run is next to the bracket.
        if self.rest.starts_with("##") {
            return Some(Piece::Hash(self.take(2)));
        }
        if !self.rest.starts_with("#[") {
            return Some(Piece::Hash(self.take(1)));
        }
        let Some(end) = skip(&self.rest[2..], b"]") else {
            self.rest = "";
            return None;
        };
        Some(Piece::Style(self.take(end + 3)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::options::{Align, Colour};

    #[test]
    fn text_and_styles_are_told_apart() {
        let red = Style { fg: Some(Colour::Indexed(1)), ..Style::default() };
        let right = Style { align: Some(Align::Right), ..Style::default() };
        let text = |text: &str| StyledPart::Text(text.to_owned());
        for (given, expected) in [
            ("", vec![]),
            ("plain", vec![text("plain")]),
            ("a#[fg=red]b", vec![text("a"), StyledPart::Style(red.clone()), text("b")]),
            ("#[align=right]", vec![StyledPart::Style(right)]),
            ("##[fg=red]", vec![text("#[fg=red]")]),
            ("###[fg=red]x", vec![text("#"), StyledPart::Style(red), text("x")]),
            ("a#b##c", vec![text("a#b#c")]),
            ("a#[nonsense]b", vec![text("ab")]),
            ("a#[fg=red", vec![text("a")]),
            ("#", vec![text("#")]),
        ] {
            assert_eq!(styled_parts(given), expected, "{given}");
        }
    }

    #[test]
    fn cutting_counts_what_is_shown() {
        for (text, columns, first, last) in [
            ("alpha", 3, "alp", "pha"),
            ("alpha", 9, "alpha", "alpha"),
            ("日本語abc", 3, "日", "abc"),
            ("日本語abc", 4, "日本", "abc"),
            ("#[fg=red]abc#[default]def", 2, "#[fg=red]ab", "#[fg=red]#[default]ef"),
            ("a##b", 2, "a##", "##b"),
            ("e\u{301}x", 1, "e\u{301}", "x"),
            ("xe\u{301}", 1, "x", "e\u{301}"),
        ] {
            let cell = &one_character;
            assert_eq!(first_columns(text, columns, cell), first, "{text} {columns}");
            assert_eq!(last_columns(text, columns, cell), last, "{text} {columns}");
        }
    }

    #[test]
    fn padding_fills_columns() {
        let pad = |text: &str, width| pad(text.to_owned(), width, &one_character);
        assert_eq!(pad("日本", 6), "日本  ");
        assert_eq!(pad("ab", -4), "  ab");
        assert_eq!(pad("ab", 1), "ab");
        assert_eq!(pad("", i64::MIN).len(), PAD_MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn cuts_are_never_wider_than_asked(
            text in "(#|\\[|\\]|fg=red|#\\[bold\\]|[a-z]|日|é|\u{301}){0,20}",
            columns in 0..12usize,
        ) {
            let cell = &one_character;
            for cut in [first_columns(&text, columns, cell), last_columns(&text, columns, cell)] {
                prop_assert!(display_width(&cut, cell) <= columns);
            }
            let _ = styled_parts(&text);
        }
    }
}
