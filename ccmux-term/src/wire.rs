//! The primitives of the binary formats (history lines, keyframes): numbers, strings, styles.
//!
//! Numbers are LEB128: seven bits per byte, lowest first. A style is one byte that says which
//! parts differ from the default, followed by those parts:
//!
//! ```text
//! bits 0-1 foreground   0 default, 1 indexed (1 byte follows), 2 RGB (3 bytes)
//! bits 2-3 background   likewise
//! bit  4   attributes   1 byte
//! bit  5   underline    1 byte
//! bit  6   underline colour: a kind byte as above, then the colour
//! bit  7   link: a number, its meaning is the reader's
//! ```
//!
//! Readers check every length before they trust it and never allocate more than the input is long.

use thiserror::Error;

use crate::{Attributes, Color, Style, Underline};

/// Why bytes are not what they claim to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CodecError {
    /// The bytes end in the middle.
    #[error("input ends too early")]
    Truncated,
    /// A number is longer than its type.
    #[error("number out of range")]
    Number,
    /// Text is not UTF-8.
    #[error("text is not valid UTF-8")]
    Utf8,
    /// A value lies outside what its field can hold.
    #[error("invalid {0}")]
    Invalid(&'static str),
}

pub(crate) fn put_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Longest encoded style without a link.
pub(crate) const STYLE_BYTES_MAX: usize = 13;

/// Appends a style, with the index of its link.
pub(crate) fn put_style(out: &mut Vec<u8>, style: &Style, link: Option<u64>) {
    let StyleBytes { mut bytes, len } = StyleBytes::of(style);
    bytes[0] |= u8::from(link.is_some()) << 7;
    put_short(out, &bytes, len);
    if let Some(link) = link {
        put_number(out, link);
    }
}

/// Appends the first `len` bytes of `bytes`, at most 16, if there are so many to copy: a copy of a
/// fixed length needs no branch on how long it is.
#[inline]
pub(crate) fn put_short(out: &mut Vec<u8>, bytes: &[u8], len: usize) {
    match bytes.first_chunk::<16>() {
        Some(chunk) if len <= chunk.len() => {
            let end = out.len() + len;
            out.extend_from_slice(chunk);
            out.truncate(end);
        }
        _ => out.extend_from_slice(&bytes[..len]),
    }
}

/// An encoded style without its link.
pub(crate) struct StyleBytes {
    /// Zeros follow it.
    pub(crate) bytes: [u8; 16],
    /// At most [`STYLE_BYTES_MAX`].
    pub(crate) len: usize,
}

impl StyleBytes {
    pub(crate) fn of(style: &Style) -> Self {
        let mut code = Self { bytes: [0; 16], len: 1 };
        let mut present = code.put_color(style.fg) | code.put_color(style.bg) << 2;
        if !style.attributes.is_empty() {
            present |= 1 << 4;
            code.put([style.attributes.bits()]);
        }
        if style.underline != Underline::None {
            present |= 1 << 5;
            code.put([underline_code(style.underline)]);
        }
        if style.underline_color != Color::Default {
            present |= 1 << 6;
            let kind_at = code.len;
            code.put([0]);
            code.bytes[kind_at] = code.put_color(style.underline_color);
        }
        code.bytes[0] = present;
        code
    }

    #[inline]
    fn put<const N: usize>(&mut self, more: [u8; N]) {
        self.bytes[self.len..self.len + N].copy_from_slice(&more);
        self.len += N;
    }

    /// Adds a colour; returns its kind.
    #[inline]
    fn put_color(&mut self, color: Color) -> u8 {
        match color {
            Color::Default => 0,
            Color::Indexed(index) => {
                self.put([index]);
                1
            }
            Color::Rgb(r, g, b) => {
                self.put([r, g, b]);
                2
            }
        }
    }
}

fn underline_code(underline: Underline) -> u8 {
    match underline {
        Underline::None => 0,
        Underline::Single => 1,
        Underline::Double => 2,
        Underline::Curly => 3,
        Underline::Dotted => 4,
        Underline::Dashed => 5,
    }
}

/// `bytes` as text, if they are and it has no control characters.
pub(crate) fn printable(bytes: &[u8]) -> Result<&str, CodecError> {
    let text = std::str::from_utf8(bytes).map_err(|_| CodecError::Utf8)?;
    if text.chars().any(char::is_control) {
        return Err(CodecError::Invalid("text: it has control characters"));
    }
    Ok(text)
}

/// Reads what the `put` functions wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What was not read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, CodecError> {
        let (&byte, rest) = self.rest.split_first().ok_or(CodecError::Truncated)?;
        self.rest = rest;
        Ok(byte)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, CodecError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(CodecError::Invalid("flag")),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, CodecError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(CodecError::Number)
    }

    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, CodecError> {
        T::try_from(self.number()?).map_err(|_| CodecError::Number)
    }

    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(CodecError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], CodecError> {
        let len = self.small()?;
        self.take(len)
    }

    /// Text without controls: nothing that is read may act on a terminal that shows it.
    pub(crate) fn printable(&mut self) -> Result<&'a str, CodecError> {
        printable(self.bytes()?)
    }

    pub(crate) fn style(&mut self) -> Result<(Style, Option<u64>), CodecError> {
        let present = self.byte()?;
        let mut style = Style {
            fg: self.color(present & 3)?,
            bg: self.color(present >> 2 & 3)?,
            ..Style::default()
        };
        if present & 1 << 4 != 0 {
            style.attributes = Attributes::from_bits_retain(self.byte()?);
        }
        if present & 1 << 5 != 0 {
            style.underline = match self.byte()? {
                1 => Underline::Single,
                2 => Underline::Double,
                3 => Underline::Curly,
                4 => Underline::Dotted,
                5 => Underline::Dashed,
                _ => return Err(CodecError::Invalid("underline")),
            };
        }
        if present & 1 << 6 != 0 {
            let kind = self.byte()?;
            style.underline_color = self.color(kind)?;
        }
        let link = if present & 1 << 7 != 0 { Some(self.number()?) } else { None };
        Ok((style, link))
    }

    fn color(&mut self, kind: u8) -> Result<Color, CodecError> {
        match kind {
            0 => Ok(Color::Default),
            1 => Ok(Color::Indexed(self.byte()?)),
            2 => {
                let rgb = self.take(3)?;
                Ok(Color::Rgb(rgb[0], rgb[1], rgb[2]))
            }
            _ => Err(CodecError::Invalid("colour")),
        }
    }
}
