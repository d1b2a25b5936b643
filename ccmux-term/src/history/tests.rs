//! What lines take in memory, and how they are encoded.

use std::sync::Arc;

use proptest::prelude::*;

use super::direct::{LineEncoder, LineEnds};
use super::scrollback::{append_text, whole_line};
use super::*;
use crate::grid::cell::{Cell, Content, PenId};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{Hyperlink, Pen, PenTable};
use crate::{Attributes, Color, LineMarks, Style, Underline};

/// Bytes of memory for each of many lines of 80 columns, with a new time every so many lines.
fn bytes_per_line(every: u64) -> usize {
    const LINES: u64 = 200_000;
    let mut history = History::new();
    for number in 0..LINES {
        let time = LineTime::from_millis(1_700_000_000_000 + number / every * 1000);
        history.push(time, |out| encode_plain(out, [b'x'; 80].into_iter()));
    }
    let block = |block: &Block| block.bytes.capacity() + size_of::<Block>();
    let blocks: usize = history.blocks.iter().map(block).sum();
    (blocks + history.times.memory_bytes()) / LINES as usize
}

#[test]
fn a_plain_line_takes_little_memory() {
    assert!(bytes_per_line(1) <= 130, "a line every second: {}", bytes_per_line(1));
    assert!(bytes_per_line(50) <= 93, "50 lines a second: {}", bytes_per_line(50));
}

/// Lines that are gone take their times with them.
#[test]
fn times_go_with_their_lines() {
    let mut history = History::new();
    for number in 0..10_000 {
        history.push(LineTime::from_millis(number * 1000), |out| {
            encode_plain(out, b"x".iter().copied());
        });
    }
    history.release(u64::MAX);
    assert!(history.times.runs(0..u64::MAX).count() <= RECENT_LINES_MAX);
    assert_eq!(history.times.get(9_999).seconds(), Some(9_999));
    history.clear();
    assert!(history.times.runs(0..u64::MAX).count() <= 1);
}

/// Cells of all kinds in pens of all kinds.
fn some_cells(random: &[u8], pens: &mut PenTable, clusters: &mut ClusterTable) -> Vec<Cell> {
    let mut cells = Vec::new();
    for pair in random.chunks_exact(2) {
        let mut pen = Pen::default();
        match pair[1] % 8 {
            0..3 => {}
            3 => pen.is_protected = true,
            4 => pen.style.fg = Color::Indexed(pair[1] / 64),
            5 => pen.style.bg = Color::Rgb(1, 2, pair[1]),
            6 => pen.style.attributes = Attributes::BOLD,
            _ => {
                pen.style = Style {
                    fg: Color::Rgb(1, 2, 3),
                    bg: Color::Rgb(4, 5, 6),
                    attributes: Attributes::all(),
                    underline: Underline::Dashed,
                    underline_color: Color::Rgb(7, 8, 9),
                }
            }
        }
        let pen = pens.intern(&pen);
        let content = match pair[0] {
            0..200 => Content::narrow(char::from(b' ' + pair[0] % 95)),
            200..220 => Content::EMPTY,
            220..230 => Content::narrow('é'),
            230..240 => Content::wide('界'),
            240..250 => Content::cluster(clusters.push("e\u{301}".chars()), false),
            _ => Content::cluster(clusters.push("🏳\u{fe0f}".chars()), true),
        };
        // In longer runs, too.
        for _ in 0..=pair[1] % 3 {
            cells.push(Cell { content, pen });
            if content.is_wide() {
                cells.push(Cell { content: Content::CONTINUATION, pen });
            }
        }
    }
    cells
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_direct_encoding_of_a_line_is_that_of_a_history_line(
        random in proptest::collection::vec(any::<u8>(), 0..60),
        is_ascii in any::<bool>(),
        (marks, fill, continues) in (0..4_u8, 0..8_u8, any::<bool>()),
    ) {
        let (mut pens, mut clusters) = (PenTable::new(), ClusterTable::default());
        let narrowed = random.iter().map(|byte| if is_ascii { byte % 220 } else { *byte });
        let cells = some_cells(&narrowed.collect::<Vec<_>>(), &mut pens, &mut clusters);
        let fill = some_cells(&[0, fill], &mut pens, &mut clusters)[0].pen;
        let marks = LineMarks::from_bits(marks).unwrap();
        let ends = LineEnds { marks, fill, continues };
        let mut encoder = LineEncoder::default();
        // What an earlier line left behind is of no matter.
        encoder.encode(&some_cells(&[230, 7, 3, 5], &mut pens, &mut clusters), ends, &pens, &clusters);
        prop_assert!(encoder.encode(&cells, ends, &pens, &clusters));
        let (mut direct, mut whole) = (Vec::new(), Vec::new());
        encoder.write(&mut direct);
        whole_line(&cells, ends, &pens, &clusters).encode(&mut whole);
        prop_assert_eq!(direct, whole);
    }
}

#[test]
fn a_line_with_a_link_is_not_encoded_directly() {
    let mut pens = PenTable::new();
    let link = Some(Arc::new(Hyperlink { id: String::new(), uri: "https://example.org".into() }));
    let pen = pens.intern(&Pen { link, ..Pen::default() });
    let cells = [Cell { content: Content::narrow('x'), pen }];
    let ends = LineEnds { marks: LineMarks::empty(), fill: PenId::DEFAULT, continues: false };
    let clusters = ClusterTable::default();
    assert!(!LineEncoder::default().encode(&cells, ends, &pens, &clusters));
}

#[test]
fn characters_are_encoded_as_by_the_standard_library() {
    let borders =
        ['\0', ' ', '\u{7f}', '\u{80}', '\u{7ff}', '\u{800}', '\u{ffff}', '\u{10000}', char::MAX];
    let (clusters, pen) = (ClusterTable::default(), PenId::DEFAULT);
    let sample = ('\u{1}'..=char::MAX).step_by(61).filter(|c| !c.is_control());
    for c in borders.into_iter().filter(|c| !c.is_control()).chain(sample) {
        let mut text = Vec::new();
        append_text(&mut text, &[Cell { content: Content::narrow(c), pen }; 2], &clusters);
        assert_eq!(String::from_utf8(text).unwrap(), format!("{c}{c}"));
    }
}

/// Memory of blocks is used again while lines keep coming, and given back when they stop.
#[test]
fn memory_of_released_blocks_serves_the_next_ones() {
    let mut history = History::new();
    let line = |history: &mut History| {
        history.push(LineTime::UNKNOWN, |out| encode_plain(out, std::iter::repeat_n(b'x', 1000)));
    };
    for _ in 0..SPARE_BLOCKS_MAX * BLOCK_BYTES / 500 {
        line(&mut history);
    }
    history.release(history.end() - BLOCK_BYTES as u64 / 200);
    assert_eq!(history.spare.len(), SPARE_BLOCKS_MAX, "not more than that");
    assert!(history.spare.iter().all(|bytes| bytes.is_empty() && bytes.capacity() >= BLOCK_BYTES));
    for _ in 0..BLOCK_BYTES / 1000 * 5 {
        line(&mut history);
    }
    assert!(history.spare.len() < SPARE_BLOCKS_MAX - 2, "they are taken");
    assert_eq!(history.lines(0..u64::MAX, usize::MAX).count, history.end() - history.start());
    history.release(history.end());
    assert!(history.spare.is_empty(), "nothing is kept for nothing");
}
