//! Logical lines cut into rows.

use std::ops::Range;

use crate::Widths;
use crate::compose::width::clusters;

/// The rows of `text` at `width` columns (at least 2), as byte ranges that together are all of it.
/// An empty line is one empty row.
pub(crate) fn wrap(text: &str, width: usize, widths: &Widths) -> Vec<Range<usize>> {
    let mut rows = Vec::new();
    let mut start = 0;
    each_break(text, width, widths, |at| {
        rows.push(start..at);
        start = at;
    });
    rows.push(start..text.len());
    rows
}

/// How many rows `text` takes at `width` columns.
pub(super) fn row_count(text: &str, width: usize, widths: &Widths) -> usize {
    let mut rows = 1;
    each_break(text, width, widths, |_| rows += 1);
    rows
}

/// Calls `on_break` with the start of each row but the first.
fn each_break(text: &str, width: usize, widths: &Widths, mut on_break: impl FnMut(usize)) {
    if text.len() <= width && text.is_ascii() {
        return;
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        (width..text.len()).step_by(width).for_each(on_break);
        return;
    }
    let mut x = 0;
    for cluster in clusters(text, widths) {
        let cluster_width = usize::from(cluster.width);
        if x + cluster_width > width {
            on_break(cluster.start);
            x = 0;
        }
        x += cluster_width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_at_the_width() {
        let widths = Widths::builtin();
        for (text, width, expect) in [
            ("", 4, &[""] as &[&str]),
            ("abc", 4, &["abc"]),
            ("abcd", 4, &["abcd"]),
            ("abcde", 4, &["abcd", "e"]),
            ("abcdefgh", 4, &["abcd", "efgh"]),
            ("a世界b", 4, &["a世", "界b"]),
            ("abc世", 4, &["abc", "世"]),
            ("世界", 3, &["世", "界"]),
            ("abcde\u{301}f", 5, &["abcde\u{301}", "f"]),
            ("äöüß", 2, &["äö", "üß"]),
        ] {
            let rows: Vec<&str> =
                wrap(text, width, widths).into_iter().map(|row| &text[row]).collect();
            assert_eq!(rows, expect, "{text:?} at {width}");
            assert_eq!(row_count(text, width, widths), expect.len(), "{text:?} at {width}");
        }
    }
}
