//! The way of a row from the screen to the history.
//!
//! A row that leaves the screen is one line, or part of one that wrapped. In the second case it
//! joins the *head*: the beginning of the line whose end is still on the screen. The head stays
//! cells, so that a resize can pull it back onto the screen exactly as it was.
//!
//! Invariants
//! * B1 `has_head` exactly when the first row of the main screen continues what left the screen
//!   last.
//! * B2 The head is shorter than [`LINE_COLS_MAX`] plus one row; a longer line is cut.

use super::direct::{LineEncoder, LineEnds};
use super::{History, HistoryLine, LineTime, encode_plain};
use crate::compose::width::{characters, clusters as cut_into_clusters};
use crate::grid::cell::{Cell, Content, ContentKind, PenId};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{Pen, PenTable};
use crate::grid::row::Row;
use crate::{LineMarks, Widths, work};

/// Most columns of one history line. What the program wrote as a longer line becomes several, all
/// but the last marked `continues`; a line is cut at the end of a row, at or after this length.
pub const LINE_COLS_MAX: usize = 32 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Scrollback {
    pub(crate) history: History,
    pub(crate) head: Vec<Cell>,
    pub(crate) head_marks: LineMarks,
    pub(crate) has_head: bool,
    /// When what is being done is done.
    pub(crate) now: LineTime,
    /// Kept for its memory only.
    encoder: LineEncoder,
}

impl Scrollback {
    pub(crate) fn new(history: History) -> Self {
        Self {
            history,
            head: Vec::new(),
            head_marks: LineMarks::empty(),
            has_head: false,
            now: LineTime::UNKNOWN,
            encoder: LineEncoder::default(),
        }
    }

    /// Takes over a row that leaves the main screen at its top.
    #[inline]
    pub(crate) fn retire(
        &mut self,
        row: &Row,
        cols: usize,
        pens: &PenTable,
        clusters: &ClusterTable,
    ) {
        if !row.slices.is_empty() {
            // History is text.
            return self.retire(&row.labelled(cols), cols, pens, clusters);
        }
        if !self.has_head && !row.wrapped && is_plain(row) {
            let cells = &row.cells[..row.occupied()];
            self.history.push(row.time.or(self.now), |out| {
                encode_plain(out, cells.iter().map(|cell| ascii(cell.content)));
            });
            return;
        }
        self.head_marks |= row.marks;
        if row.wrapped {
            push_wrapped_cells(&mut self.head, row, cols);
            self.has_head = true;
            if self.head.len() >= LINE_COLS_MAX {
                self.push_head(&Tail::cut(), self.now, pens, clusters);
            }
        } else {
            self.has_head = false;
            let cells = &row.cells[..row.occupied()];
            let tail = Tail { cells, fill: row.fill, continues: false };
            self.push_head(&tail, row.time.or(self.now), pens, clusters);
        }
    }

    /// Adds a line that was put together without cells. The line before it must be whole.
    #[inline]
    pub(crate) fn push_encoded(&mut self, line: &[u8]) {
        debug_assert!(!self.has_head && self.head_marks.is_empty(), "BUG: a line within another");
        self.history.push(self.now, |out| out.extend_from_slice(line));
    }

    /// Completes a line whose end will never leave the screen: it was erased or moved.
    pub(crate) fn finish_head(&mut self, pens: &PenTable, clusters: &ClusterTable) {
        if self.has_head {
            self.has_head = false;
            let tail = Tail { continues: false, ..Tail::cut() };
            self.push_head(&tail, self.now, pens, clusters);
        }
    }

    /// Forgets the head.
    pub(crate) fn drop_head(&mut self) {
        self.head.clear();
        self.head_marks = LineMarks::empty();
        self.has_head = false;
    }

    fn push_head(
        &mut self,
        tail: &Tail<'_>,
        time: LineTime,
        pens: &PenTable,
        clusters: &ClusterTable,
    ) {
        work::note(self.head.len() + tail.cells.len());
        let cells = if self.head.is_empty() {
            tail.cells
        } else {
            self.head.extend_from_slice(tail.cells);
            &self.head
        };
        let ends = LineEnds { marks: self.head_marks, fill: tail.fill, continues: tail.continues };
        if self.encoder.encode(cells, ends, pens, clusters) {
            self.history.push(time, |out| self.encoder.write(out));
        } else {
            let line = whole_line(cells, ends, pens, clusters);
            self.history.push(time, |out| line.encode(out));
        }
        self.head.clear();
        self.head_marks = LineMarks::empty();
    }
}

/// A line with everything that belongs to it.
pub(super) fn whole_line(
    cells: &[Cell],
    ends: LineEnds,
    pens: &PenTable,
    clusters: &ClusterTable,
) -> HistoryLine {
    let mut line = HistoryLine {
        marks: ends.marks,
        fill: pens.get(ends.fill).style,
        continues: ends.continues,
        ..HistoryLine::default()
    };
    append_cells(&mut line, cells, pens, clusters);
    line
}

/// How a line ends behind its head.
struct Tail<'a> {
    cells: &'a [Cell],
    fill: PenId,
    continues: bool,
}

impl Tail<'_> {
    /// It is cut and goes on in the next line.
    fn cut() -> Self {
        Self { cells: &[], fill: PenId::DEFAULT, continues: true }
    }
}

/// The cells of a row that wraps: all columns, without the blank that a wide character left.
pub(crate) fn push_wrapped_cells(cells: &mut Vec<Cell>, row: &Row, cols: usize) {
    match row.cells.split_last() {
        Some((last, before)) if last.content == Content::SPACER && row.cells.len() == cols => {
            cells.extend_from_slice(before);
        }
        _ => {
            cells.extend_from_slice(&row.cells);
            cells.extend(std::iter::repeat_n(Cell::blank(row.fill), cols - row.cells.len()));
        }
    }
}

/// Adds the text and styles of cells to a line.
pub(crate) fn append_cells(
    line: &mut HistoryLine,
    cells: &[Cell],
    pens: &PenTable,
    clusters: &ClusterTable,
) {
    let mut text = Vec::new();
    // Pens may differ in what is no part of a line, so runs are joined.
    for run in cells.chunk_by(|a, b| a.pen == b.pen) {
        let start = text.len();
        append_text(&mut text, run, clusters);
        line.join_run(text.len() - start, pens.get(run[0].pen));
    }
    line.text.push_str(std::str::from_utf8(&text).expect("it was made of characters"));
}

/// Adds the text of cells.
pub(super) fn append_text(text: &mut Vec<u8>, cells: &[Cell], clusters: &ClusterTable) {
    if is_ascii(cells) {
        append_ascii(text, cells);
    } else {
        append_chars(text, cells, clusters);
    }
}

pub(super) fn is_ascii(cells: &[Cell]) -> bool {
    cells.iter().fold(0, |bits, cell| bits | cell.content.0) < 0x80
}

/// Adds cells that are ASCII or empty.
pub(super) fn append_ascii(text: &mut Vec<u8>, cells: &[Cell]) {
    text.extend(cells.iter().map(|cell| ascii(cell.content)));
}

fn append_chars(text: &mut Vec<u8>, cells: &[Cell], clusters: &ClusterTable) {
    let mut end = text.len();
    let mut at = 0;
    text.resize(end + CHAR_BYTES_MAX * cells.len(), 0);
    while let Some(cell) = cells.get(at) {
        // The right half of a wide character is passed over with it.
        at += 1 + usize::from(cell.content.is_wide());
        let c = match cell.content.char() {
            Some(c) => c,
            None => match cell.content.kind() {
                ContentKind::Char(c) => c,
                ContentKind::Cluster(index) => {
                    let cluster = clusters.get(index).as_bytes();
                    let after = end + cluster.len();
                    let room = CHAR_BYTES_MAX * cells.len().saturating_sub(at);
                    text.resize(text.len().max(after + room), 0);
                    text[end..after].copy_from_slice(cluster);
                    end = after;
                    continue;
                }
                ContentKind::Continuation => continue,
                ContentKind::Empty | ContentKind::Spacer => ' ',
            },
        };
        let (bytes, len) = utf8(c);
        text[end..end + CHAR_BYTES_MAX].copy_from_slice(&bytes);
        end += len;
    }
    text.truncate(end);
}

/// Longest encoded character.
const CHAR_BYTES_MAX: usize = 4;

/// A character in UTF-8, and how many of the bytes belong to it. Without branches: scripts are mixed in
/// ways that are hard to predict.
#[inline]
fn utf8(c: char) -> ([u8; CHAR_BYTES_MAX], usize) {
    let code = u32::from(c);
    let len = 1 + usize::from(code > 0x7f) + usize::from(code > 0x7ff) + usize::from(code > 0xffff);
    // Six bits to a byte, the last ones last.
    let spread =
        code >> 18 | (code >> 12 & 0x3f) << 8 | (code >> 6 & 0x3f) << 16 | (code & 0x3f) << 24;
    let marks = [0, 0x80c0_0000, 0x8080_e000, 0x8080_80f0][len - 1];
    let packed = (spread | marks) >> (8 * (CHAR_BYTES_MAX - len));
    (if len == 1 { code } else { packed }.to_le_bytes(), len)
}

/// How text falls into cells now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutting<'a> {
    pub(crate) widths: &'a Widths,
    /// Mode 2027.
    pub(crate) is_clustered: bool,
}

/// The cells of a line, the reverse of [`append_cells`]: blanks are spaces now.
pub(crate) fn line_cells(
    line: &HistoryLine,
    (pens, clusters): (&mut PenTable, &mut ClusterTable),
    Cutting { widths, is_clustered }: Cutting<'_>,
) -> Vec<Cell> {
    let cut = if is_clustered { cut_into_clusters } else { characters };
    let mut cells = Vec::with_capacity(line.text.len());
    let mut rest = line.text.as_str();
    let mut styles: Vec<(usize, Pen)> = Vec::with_capacity(line.runs.len() + 1);
    for run in &line.runs {
        styles.push((
            run.len_bytes as usize,
            Pen { style: run.style, link: run.link.clone(), ..Pen::default() },
        ));
    }
    styles.push((usize::MAX, Pen::default()));
    for (len, pen) in styles {
        let (text, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        let pen = pens.intern(&pen);
        for cluster in cut(text, widths) {
            let is_wide = cluster.width == 2;
            let mut chars = cluster.text.chars();
            let content = match (chars.next(), chars.next()) {
                (Some(c), None) if is_wide => Content::wide(c),
                (Some(c), None) => Content::narrow(c),
                _ => Content::cluster(clusters.push(cluster.text.chars()), is_wide),
            };
            cells.push(Cell { content, pen });
            if is_wide {
                cells.push(Cell { content: Content::CONTINUATION, pen });
            }
        }
    }
    cells
}

/// The byte of a cell that is ASCII or empty.
fn ascii(content: Content) -> u8 {
    if content == Content::EMPTY { b' ' } else { content.0 as u8 }
}

/// Whether a row is ASCII in the default style throughout, with no marks.
fn is_plain(row: &Row) -> bool {
    // One pass without branches: it becomes vector instructions.
    let bits = row
        .cells
        .iter()
        .fold(row.fill.0 << 8, |bits, cell| bits | cell.content.0 | cell.pen.0 << 8);
    bits < 0x80 && row.marks.is_empty()
}
