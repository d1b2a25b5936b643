//! Cells and pens in a keyframe.
//!
//! ```text
//! row      byte of flags: 1 wrapped, 2 marks follow (a byte), 4 fill follows (a pen's number);
//!          8 time follows (how much later than the last input, as in `history::times`); cells;
//!          16 pictures follow the cells (see `images`)
//! cells    number: count * 2 + (1 if all are ASCII or empty)
//!          ASCII: a byte each, 0 for empty
//!          other: a number each: 0 empty, 1 spacer, else (value << 2 | cluster << 1 | wide), the
//!          value being the character, or the length of the cluster's text, which follows;
//!          the right half of a wide character is not written
//!          pen runs to the end of the cells: count of cells, pen's number; a run of count 0 means
//!          all the rest
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::images::{ImageReader, ImageWriter};
use super::{CONTROLS_VERSION, IMAGES_VERSION, TIMES_VERSION};
use crate::LineTime;
use crate::grid::cell::{Cell, Content, ContentKind, PenId};
use crate::grid::clusters::{CLUSTER_BYTES_MAX, ClusterTable};
use crate::grid::pens::{Hyperlink, Pen, PenTable};
use crate::grid::row::{LineMarks, Row};
use crate::wire::{self, CodecError, Reader};

/// Writes cells, and numbers the pens they use.
pub(super) struct CellWriter<'a> {
    pub(super) out: Vec<u8>,
    pens: &'a PenTable,
    clusters: &'a ClusterTable,
    now: LineTime,
    numbers: HashMap<PenId, u64>,
    used: Vec<Pen>,
    pub(super) images: ImageWriter,
}

impl<'a> CellWriter<'a> {
    pub(super) fn new(pens: &'a PenTable, clusters: &'a ClusterTable, now: LineTime) -> Self {
        let numbers = HashMap::from([(PenId::DEFAULT, 0)]);
        let images = ImageWriter::default();
        Self { out: Vec::new(), pens, clusters, now, numbers, used: Vec::new(), images }
    }

    pub(super) fn row(&mut self, row: &Row) {
        let (has_marks, has_fill) = (!row.marks.is_empty(), row.fill != PenId::DEFAULT);
        let has_time = row.time != LineTime::UNKNOWN;
        self.out.push(
            u8::from(row.wrapped)
                | u8::from(has_marks) << 1
                | u8::from(has_fill) << 2
                | u8::from(has_time) << 3
                | u8::from(!row.slices.is_empty()) << 4,
        );
        if has_marks {
            self.out.push(row.marks.bits());
        }
        if has_fill {
            self.pen_id(row.fill);
        }
        if has_time {
            row.time.put_after(self.now, &mut self.out);
        }
        self.cells(&row.cells);
        if !row.slices.is_empty() {
            self.images.slices(&row.slices, &mut self.out);
        }
    }

    pub(super) fn cells(&mut self, cells: &[Cell]) {
        let is_ascii = cells.iter().fold(0, |bits, cell| bits | cell.content.0) < 0x80;
        wire::put_number(&mut self.out, (cells.len() as u64) << 1 | u64::from(is_ascii));
        if is_ascii {
            self.out.extend(cells.iter().map(|cell| cell.content.0 as u8));
        } else {
            for cell in cells {
                self.content(cell.content);
            }
        }
        let mut runs = cells.chunk_by(|a, b| a.pen == b.pen).peekable();
        while let Some(run) = runs.next() {
            let count = if runs.peek().is_some() { run.len() as u64 } else { 0 };
            wire::put_number(&mut self.out, count);
            self.pen_id(run[0].pen);
        }
    }

    fn content(&mut self, content: Content) {
        let wide = u64::from(content.is_wide());
        match content.kind() {
            ContentKind::Empty => wire::put_number(&mut self.out, 0),
            ContentKind::Spacer => wire::put_number(&mut self.out, 1),
            ContentKind::Continuation => {}
            ContentKind::Char(c) => {
                wire::put_number(&mut self.out, u64::from(u32::from(c)) << 2 | wide);
            }
            ContentKind::Cluster(index) => {
                let text = self.clusters.get(index);
                wire::put_number(&mut self.out, (text.len() as u64) << 2 | 2 | wide);
                self.out.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn pen_id(&mut self, id: PenId) {
        let Self { out, pens, numbers, used, .. } = self;
        let number = *numbers.entry(id).or_insert_with(|| {
            used.push(pens.get(id).clone());
            used.len() as u64
        });
        wire::put_number(out, number);
    }

    /// Writes a pen that is not in a cell.
    pub(super) fn pen(&mut self, pen: &Pen) {
        let number = if *pen == Pen::default() {
            0
        } else if let Some(index) = self.used.iter().position(|used| used == pen) {
            index + 1
        } else {
            self.used.push(pen.clone());
            self.used.len()
        };
        wire::put_number(&mut self.out, number as u64);
    }

    /// What was written, and the tables of links, pens and pictures that belong before it.
    pub(super) fn finish(self) -> (Vec<u8>, Vec<u8>) {
        let mut links: Vec<&Hyperlink> = Vec::new();
        let mut link_numbers: HashMap<&Hyperlink, u64> = HashMap::new();
        for link in self.used.iter().filter_map(|pen| pen.link.as_deref()) {
            link_numbers.entry(link).or_insert_with(|| {
                links.push(link);
                links.len() as u64 - 1
            });
        }
        let mut tables = Vec::new();
        wire::put_number(&mut tables, links.len() as u64);
        for link in &links {
            wire::put_bytes(&mut tables, link.id.as_bytes());
            wire::put_bytes(&mut tables, link.uri.as_bytes());
        }
        wire::put_number(&mut tables, self.used.len() as u64);
        for pen in &self.used {
            let link = pen.link.as_deref().map(|link| link_numbers[link]);
            wire::put_style(&mut tables, &pen.style, link);
            tables.push(u8::from(pen.is_protected));
        }
        self.images.tables(&mut tables);
        (tables, self.out)
    }
}

/// Reads what a [`CellWriter`] wrote.
pub(super) struct CellReader {
    pub(super) pens: PenTable,
    pub(super) clusters: ClusterTable,
    /// Ids of the written pens.
    ids: Vec<PenId>,
    pub(super) images: ImageReader,
    version: u8,
    now: LineTime,
}

impl CellReader {
    /// Reads the tables.
    pub(super) fn new(
        reader: &mut Reader<'_>,
        version: u8,
        now: LineTime,
    ) -> Result<Self, CodecError> {
        let mut links = Vec::new();
        for _ in 0..reader.number()? {
            let (id, uri) = (reader.printable()?.to_owned(), reader.printable()?.to_owned());
            links.push(Arc::new(Hyperlink { id, uri }));
        }
        let mut pens = PenTable::new();
        let mut ids = vec![PenId::DEFAULT];
        for _ in 0..reader.number()? {
            let (style, link) = reader.style()?;
            let link = match link {
                Some(index) => Some(
                    usize::try_from(index)
                        .ok()
                        .and_then(|index| links.get(index))
                        .ok_or(CodecError::Invalid("link"))?
                        .clone(),
                ),
                None => None,
            };
            let is_protected = version >= CONTROLS_VERSION && reader.flag()?;
            ids.push(pens.intern(&Pen { style, link, is_protected }));
        }
        let images = match version {
            IMAGES_VERSION.. => ImageReader::tables(reader)?,
            _ => ImageReader::default(),
        };
        Ok(Self { pens, clusters: ClusterTable::default(), ids, images, version, now })
    }

    pub(super) fn row(&mut self, reader: &mut Reader<'_>, cols: usize) -> Result<Row, CodecError> {
        let flags = reader.byte()?;
        let flags_max = match self.version {
            IMAGES_VERSION.. => 31,
            TIMES_VERSION.. => 15,
            _ => 7,
        };
        if flags > flags_max {
            return Err(CodecError::Invalid("row flags"));
        }
        let mut row = Row::new();
        row.wrapped = flags & 1 != 0;
        if flags & 2 != 0 {
            row.marks = marks(reader)?;
        }
        if flags & 4 != 0 {
            row.fill = self.pen_id(reader)?;
        }
        if flags & 8 != 0 {
            row.time = LineTime::read_after(self.now, reader)?;
        }
        row.cells = self.cells(reader, cols)?;
        if flags & 16 != 0 {
            row.slices = self.images.slices(reader, cols)?;
        }
        Ok(row)
    }

    pub(super) fn cells(
        &mut self,
        reader: &mut Reader<'_>,
        max: usize,
    ) -> Result<Vec<Cell>, CodecError> {
        let head: usize = reader.small()?;
        let len = head >> 1;
        if len > max {
            return Err(CodecError::Invalid("length of a row"));
        }
        let mut cells = Vec::with_capacity(len.min(reader.remaining()));
        if head & 1 != 0 {
            for &byte in reader.take(len)? {
                if byte != 0 && !(0x20..0x7f).contains(&byte) {
                    return Err(CodecError::Invalid("character"));
                }
                cells.push(Cell { content: Content(u32::from(byte)), pen: PenId::DEFAULT });
            }
        } else {
            while cells.len() < len {
                let content = self.content(reader)?;
                cells.push(Cell { content, pen: PenId::DEFAULT });
                if content.is_wide() {
                    cells.push(Cell { content: Content::CONTINUATION, pen: PenId::DEFAULT });
                }
            }
            if cells.len() > len {
                return Err(CodecError::Invalid("wide character"));
            }
        }
        let mut start = 0;
        while start < len {
            let count: usize = reader.small()?;
            let end = if count == 0 { len } else { start.saturating_add(count) };
            let pen = self.pen_id(reader)?;
            let run = cells.get_mut(start..end).ok_or(CodecError::Invalid("run of pens"))?;
            for cell in run {
                cell.pen = pen;
            }
            start = end;
        }
        Ok(cells)
    }

    fn content(&mut self, reader: &mut Reader<'_>) -> Result<Content, CodecError> {
        let code: u32 = reader.small()?;
        let is_wide = code & 1 != 0;
        match code {
            0 => Ok(Content::EMPTY),
            1 => Ok(Content::SPACER),
            _ if code & 2 != 0 => {
                let len = (code >> 2) as usize;
                if len == 0 || len > CLUSTER_BYTES_MAX {
                    return Err(CodecError::Invalid("cluster"));
                }
                let text = wire::printable(reader.take(len)?)?;
                Ok(Content::cluster(self.clusters.push(text.chars()), is_wide))
            }
            _ => {
                let c = char::from_u32(code >> 2).filter(|c| !c.is_control());
                let c = c.ok_or(CodecError::Invalid("character"))?;
                Ok(if is_wide { Content::wide(c) } else { Content::narrow(c) })
            }
        }
    }

    fn pen_id(&self, reader: &mut Reader<'_>) -> Result<PenId, CodecError> {
        let number: usize = reader.small()?;
        self.ids.get(number).copied().ok_or(CodecError::Invalid("pen"))
    }

    pub(super) fn pen(&self, reader: &mut Reader<'_>) -> Result<Pen, CodecError> {
        Ok(self.pens.get(self.pen_id(reader)?).clone())
    }
}

pub(super) fn marks(reader: &mut Reader<'_>) -> Result<LineMarks, CodecError> {
    LineMarks::from_bits(reader.byte()?).ok_or(CodecError::Invalid("marks"))
}
