//! How others read the screen: rows and cells without knowing how they are stored.

use crate::Style;
use crate::grid::cell::{Cell, ContentKind};
use crate::grid::clusters::ClusterTable;
use crate::grid::pens::{Hyperlink, PenTable};
use crate::grid::row::{LineMarks, Row};

/// One row of the screen.
#[derive(Clone, Copy, Debug)]
pub struct RowRef<'a> {
    pub(crate) row: &'a Row,
    pub(crate) cols: usize,
    pub(crate) pens: &'a PenTable,
    pub(crate) clusters: &'a ClusterTable,
}

impl<'a> RowRef<'a> {
    /// The row's cells from left to right. Their widths add up to the width of the screen: a wide
    /// character is one cell of width 2, its right half is not a cell of its own.
    pub fn cells(self) -> Cells<'a> {
        Cells { row: self, x: 0 }
    }

    /// Whether the text goes on in the next row.
    pub fn is_wrapped(self) -> bool {
        self.row.wrapped
    }

    /// Shell integration marks set on this row.
    pub fn marks(self) -> LineMarks {
        self.row.marks
    }

    /// Columns up to and with the last one that shows anything; blank ones right of it all have
    /// the style [`RowRef::fill`].
    pub fn occupied(self) -> u16 {
        self.row.occupied() as u16
    }

    /// Style of the blank cells right of [`RowRef::occupied`].
    pub fn fill(self) -> Style {
        self.pens.get(self.row.fill).style
    }

    /// The row's text; blank cells are spaces, those at the end are left out.
    pub fn text(self) -> String {
        let mut text = String::new();
        let mut end = 0;
        for cell in self.cells() {
            text.push_str(cell.text());
            if !cell.is_blank() {
                end = text.len();
            }
        }
        text.truncate(end);
        text
    }
}

impl<'a> IntoIterator for RowRef<'a> {
    type Item = CellRef<'a>;
    type IntoIter = Cells<'a>;

    fn into_iter(self) -> Cells<'a> {
        self.cells()
    }
}

/// Iterator over the cells of a row.
#[derive(Clone, Debug)]
pub struct Cells<'a> {
    row: RowRef<'a>,
    x: usize,
}

impl<'a> Iterator for Cells<'a> {
    type Item = CellRef<'a>;

    fn next(&mut self) -> Option<CellRef<'a>> {
        if self.x >= self.row.cols {
            return None;
        }
        let cell = self.row.row.get(self.x);
        let cell = CellRef::new(cell, self.row.pens, self.row.clusters);
        self.x += usize::from(cell.width);
        Some(cell)
    }
}

/// One cell: a character or a cluster of them, one or two columns wide.
#[derive(Clone, Copy, Debug)]
pub struct CellRef<'a> {
    text: CellText<'a>,
    /// Columns, 1 or 2.
    pub width: u8,
    /// How it looks.
    pub style: Style,
    /// Where it leads.
    pub link: Option<&'a Hyperlink>,
}

#[derive(Clone, Copy, Debug)]
enum CellText<'a> {
    Blank,
    Char { utf8: [u8; 4], len: u8 },
    Cluster(&'a str),
}

impl<'a> CellRef<'a> {
    fn new(cell: Cell, pens: &'a PenTable, clusters: &'a ClusterTable) -> Self {
        let pen = pens.get(cell.pen);
        let text = match cell.content.kind() {
            ContentKind::Empty | ContentKind::Continuation | ContentKind::Spacer => CellText::Blank,
            ContentKind::Char(c) => {
                let mut utf8 = [0; 4];
                let len = c.encode_utf8(&mut utf8).len() as u8;
                CellText::Char { utf8, len }
            }
            ContentKind::Cluster(index) => CellText::Cluster(clusters.get(index)),
        };
        let width = 1 + u8::from(cell.content.is_wide());
        Self { text, width, style: pen.style, link: pen.link.as_deref() }
    }

    /// The text; a blank cell is a space. (A method, because a cell stores a number, not text.)
    pub fn text(&self) -> &str {
        match &self.text {
            CellText::Blank => " ",
            CellText::Char { utf8, len } => std::str::from_utf8(&utf8[..usize::from(*len)])
                .expect("encode_utf8 wrote these bytes"),
            CellText::Cluster(text) => text,
        }
    }

    /// Whether nothing was printed here; a printed space is not blank.
    pub fn is_blank(&self) -> bool {
        matches!(self.text, CellText::Blank)
    }
}
