//! Encoded lines looked through without taking each apart.

use std::ops::Range;

use super::HistoryFormat;
use super::times::read_times;
use crate::LineMarks;
use crate::wire::{CodecError, Reader};

/// Lines of the history as they are kept, one after another.
#[derive(Clone, Debug)]
pub struct EncodedLines<'a> {
    first_line: u64,
    /// The lines that count; others were cleared, or are kept elsewhere.
    valid: Range<u64>,
    bytes: &'a [u8],
}

/// What is looked for in lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LineText<'a> {
    pub(crate) number: u64,
    pub(crate) text: &'a str,
    pub(crate) marks: LineMarks,
}

impl<'a> EncodedLines<'a> {
    /// The lines of a [`HistoryBatch`](super::HistoryBatch), or of what was made of one.
    pub fn new(
        format: HistoryFormat,
        first_line: u64,
        count: u64,
        bytes: &'a [u8],
    ) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        if format == HistoryFormat::TimesAndLines {
            read_times(&mut reader, count)?;
        }
        let valid = first_line..first_line.saturating_add(count);
        Ok(Self { first_line, valid, bytes: reader.rest() })
    }

    pub(super) fn of_block(lines: Range<u64>, first_line: u64, bytes: &'a [u8]) -> Self {
        Self { first_line, valid: lines, bytes }
    }

    /// Lines that cannot be read.
    pub fn missing(lines: Range<u64>) -> Self {
        Self { first_line: lines.start, valid: lines, bytes: &[] }
    }

    /// The same with only those lines that are among `lines`, too.
    #[must_use]
    pub fn within(self, lines: Range<u64>) -> Self {
        let Range { start, end } = self.valid;
        Self { valid: start.max(lines.start)..end.min(lines.end), ..self }
    }

    /// The numbers of the lines.
    pub(crate) fn numbers(&self) -> Range<u64> {
        self.valid.clone()
    }

    /// The lines from the first one on, as far as they can be read.
    pub(crate) fn iter(&self) -> impl Iterator<Item = LineText<'a>> {
        let (mut number, valid) = (self.first_line, self.valid.clone());
        let mut reader = Reader::new(self.bytes);
        std::iter::from_fn(move || {
            loop {
                if number >= valid.end || reader.is_empty() {
                    return None;
                }
                let line = read_text(&mut reader, number, number >= valid.start).ok()?;
                number += 1;
                if line.number >= valid.start {
                    return Some(line);
                }
            }
        })
    }
}

fn read_text<'a>(
    reader: &mut Reader<'a>,
    number: u64,
    is_wanted: bool,
) -> Result<LineText<'a>, CodecError> {
    let head = reader.number()?;
    let bytes = reader.take(usize::try_from(head >> 1).map_err(|_| CodecError::Number)?)?;
    let mut marks = LineMarks::empty();
    if head & 1 != 0 {
        let mut extras = Reader::new(reader.bytes()?);
        if extras.byte()? & 2 != 0 {
            marks = LineMarks::from_bits_truncate(extras.byte()?);
        }
    }
    let text = if is_wanted { bytes } else { &[] };
    Ok(LineText { number, text: std::str::from_utf8(text).map_err(|_| CodecError::Utf8)?, marks })
}
