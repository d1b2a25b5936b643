//! A logical line and its encoding.
//!
//! ```text
//! number   length of the text in bytes * 2 + (1 if extras follow)
//! text     UTF-8
//! number   length of the extras in bytes            | only
//! byte     flags: 1 continues, 2 marks, 4 fill, 8 links
//! byte     marks                                    | if flagged
//! style    fill                                     | if flagged
//! number   count of links, each: id, URI (length and bytes)   | if flagged
//! runs     to the end of the extras: number of text bytes, style (with the link's index)
//! ```
//!
//! Text after the last run has the default style, so a line of plain ASCII costs its text and two
//! bytes.

use std::sync::Arc;

use crate::grid::pens::{Hyperlink, Pen};
use crate::wire::{self, CodecError, Reader};
use crate::{LineMarks, LineTime, Style};

/// One logical line: what the program wrote between two line breaks, however it was wrapped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HistoryLine {
    /// The text. Blank cells inside are spaces, blank cells at the end are left out.
    pub text: String,
    /// Styles of the text from its beginning; what they do not cover has the default style.
    pub runs: Vec<Run>,
    /// Style of the blank cells after the text, up to the right border.
    pub fill: Style,
    /// Marks of shell integration set anywhere on the line.
    pub marks: LineMarks,
    /// The line was cut at [`LINE_COLS_MAX`](crate::LINE_COLS_MAX): it goes on in the next one.
    pub continues: bool,
    /// When it was ended: the time of the line feed that did it, or else of when it left the screen.
    /// It is not part of the line's encoding, but kept beside it.
    pub time: LineTime,
}

/// A piece of a line's text in one style.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Bytes of text; a run ends at a character boundary.
    pub len_bytes: u32,
    /// How it looks.
    pub style: Style,
    /// Where it leads.
    pub link: Option<Arc<Hyperlink>>,
}

impl HistoryLine {
    /// The text cut by style: pieces with their style and link, covering all of it.
    pub fn pieces(&self) -> impl Iterator<Item = (&str, Style, Option<&Hyperlink>)> {
        let mut start = 0;
        let mut pieces = Vec::with_capacity(self.runs.len() + 1);
        for run in &self.runs {
            let end = start + run.len_bytes as usize;
            pieces.push((&self.text[start..end], run.style, run.link.as_deref()));
            start = end;
        }
        if start < self.text.len() {
            pieces.push((&self.text[start..], Style::default(), None));
        }
        pieces.into_iter()
    }

    /// Appends the encoding of the line to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let last_styled = self.runs.iter().rposition(|run| !run.is_plain());
        let runs = &self.runs[..last_styled.map_or(0, |last| last + 1)];
        let has_extras = !runs.is_empty()
            || self.fill != Style::default()
            || !self.marks.is_empty()
            || self.continues;
        wire::put_number(out, (self.text.len() as u64) << 1 | u64::from(has_extras));
        out.extend_from_slice(self.text.as_bytes());
        if has_extras {
            let mut extras = Vec::with_capacity(16 + runs.len() * 8);
            self.encode_extras(runs, &mut extras);
            wire::put_bytes(out, &extras);
        }
    }

    fn encode_extras(&self, runs: &[Run], out: &mut Vec<u8>) {
        let mut links: Vec<&Hyperlink> = Vec::new();
        for link in runs.iter().filter_map(|run| run.link.as_deref()) {
            if !links.contains(&link) {
                links.push(link);
            }
        }
        let has_fill = self.fill != Style::default();
        out.push(
            u8::from(self.continues)
                | u8::from(!self.marks.is_empty()) << 1
                | u8::from(has_fill) << 2
                | u8::from(!links.is_empty()) << 3,
        );
        if !self.marks.is_empty() {
            out.push(self.marks.bits());
        }
        if has_fill {
            wire::put_style(out, &self.fill, None);
        }
        if !links.is_empty() {
            wire::put_number(out, links.len() as u64);
            for link in &links {
                wire::put_bytes(out, link.id.as_bytes());
                wire::put_bytes(out, link.uri.as_bytes());
            }
        }
        for run in runs {
            let link = run.link.as_deref();
            let index = link.and_then(|link| links.iter().position(|&known| known == link));
            wire::put_number(out, u64::from(run.len_bytes));
            wire::put_style(out, &run.style, index.map(|index| index as u64));
        }
    }

    /// Reads one line from the front of `reader`.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let head = reader.number()?;
        let len = usize::try_from(head >> 1).map_err(|_| CodecError::Number)?;
        let text = wire::printable(reader.take(len)?)?;
        let mut line = Self { text: text.to_owned(), ..Self::default() };
        if head & 1 != 0 {
            line.decode_extras(Reader::new(reader.bytes()?))?;
        }
        Ok(line)
    }

    fn decode_extras(&mut self, mut reader: Reader<'_>) -> Result<(), CodecError> {
        let flags = reader.byte()?;
        if flags > 0xf {
            return Err(CodecError::Invalid("line flags"));
        }
        self.continues = flags & 1 != 0;
        if flags & 2 != 0 {
            self.marks =
                LineMarks::from_bits(reader.byte()?).ok_or(CodecError::Invalid("line marks"))?;
        }
        if flags & 4 != 0 {
            self.fill = reader.style()?.0;
        }
        let mut links = Vec::new();
        if flags & 8 != 0 {
            for _ in 0..reader.number()? {
                let id = reader.printable()?.to_owned();
                let uri = reader.printable()?.to_owned();
                links.push(Arc::new(Hyperlink { id, uri }));
            }
        }
        let mut end = 0;
        while !reader.is_empty() {
            let len_bytes: u32 = reader.small()?;
            end += len_bytes as usize;
            if !self.text.is_char_boundary(end) {
                return Err(CodecError::Invalid("run"));
            }
            let (style, index) = reader.style()?;
            let link = match index {
                None => None,
                Some(index) => Some(
                    usize::try_from(index)
                        .ok()
                        .and_then(|index| links.get(index))
                        .ok_or(CodecError::Invalid("link"))?
                        .clone(),
                ),
            };
            self.runs.push(Run { len_bytes, style, link });
        }
        Ok(())
    }

    /// Adds a run at the end, or lengthens the last one if it looks the same.
    pub(crate) fn join_run(&mut self, len_bytes: usize, pen: &Pen) {
        match self.runs.last_mut() {
            Some(last) if last.style == pen.style && last.link == pen.link => {
                last.len_bytes += len_bytes as u32;
            }
            _ => {
                let link = pen.link.clone();
                self.runs.push(Run { len_bytes: len_bytes as u32, style: pen.style, link });
            }
        }
    }
}

impl Run {
    fn is_plain(&self) -> bool {
        self.style == Style::default() && self.link.is_none()
    }
}

/// Appends the encoding of a line of plain text whose bytes `text` yields.
pub(crate) fn encode_plain(out: &mut Vec<u8>, text: impl ExactSizeIterator<Item = u8>) {
    wire::put_number(out, (text.len() as u64) << 1);
    out.extend(text);
}

/// Length in bytes of the first encoded line of `bytes`, which this process encoded.
pub(crate) fn encoded_len(bytes: &[u8]) -> usize {
    let skip = |mut reader: Reader<'_>| -> Result<usize, CodecError> {
        let head = reader.number()?;
        reader.take((head >> 1) as usize)?;
        if head & 1 != 0 {
            reader.bytes()?;
        }
        Ok(bytes.len() - reader.remaining())
    };
    skip(Reader::new(bytes)).expect("BUG: history in memory is not what was encoded")
}
