//! The language of sixels.

use super::REGISTERS;
use crate::compose::write_decimal;

/// One thing that a string of sixels says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Token {
    /// `"`: raster attributes.
    Raster { width: u32, height: u32 },
    /// `#`: the register of what follows.
    Select(u16),
    /// `#` with a colour: in HLS (1) or RGB (2), which selects it, too.
    Define { register: u16, system: u8, values: [u16; 3] },
    /// Columns of six pixels, the lowest bit on top; at least one.
    Sixels { count: u32, bits: u8 },
    /// `$`: back to the left edge.
    Return,
    /// `-`: to the left edge of the next band.
    NextBand,
}

impl Token {
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Raster { .. } => {}
            Self::Select(register) => {
                out.push(b'#');
                write_decimal(register.into(), out);
            }
            Self::Define { register, system, values } => {
                out.push(b'#');
                write_decimal(register.into(), out);
                for value in [system.into(), values[0], values[1], values[2]] {
                    out.push(b';');
                    write_decimal(value.into(), out);
                }
            }
            Self::Sixels { count, bits } if count > 3 => {
                out.push(b'!');
                write_decimal(count, out);
                out.push(bits + b'?');
            }
            Self::Sixels { count, bits } => {
                out.extend(std::iter::repeat_n(bits + b'?', count as usize));
            }
            Self::Return => out.push(b'$'),
            Self::NextBand => out.push(b'-'),
        }
    }
}

/// Reads tokens; what is none is left out.
#[derive(Clone, Debug)]
pub(super) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    /// Numbers divided by `;`, up to the first byte that belongs to none; controls and blanks do not
    /// count. What is not there is 0. Returns how many there were.
    fn numbers(&mut self) -> ([u32; 5], usize) {
        let mut numbers = [0_u32; 5];
        let (mut index, mut has_digits) = (0, false);
        while let Some(&byte) = self.rest.first() {
            match byte {
                b'0'..=b'9' => {
                    if let Some(number) = numbers.get_mut(index) {
                        *number = number.saturating_mul(10).saturating_add(u32::from(byte - b'0'));
                    }
                    has_digits = true;
                }
                b';' => index += 1,
                0x00..=0x20 => {}
                _ => break,
            }
            self.rest = &self.rest[1..];
        }
        let count = if has_digits || index > 0 { index + 1 } else { 0 };
        (numbers, count.min(numbers.len()))
    }

    fn color(&mut self) -> Option<Token> {
        let (numbers, count) = self.numbers();
        let register = u16::try_from(numbers[0]).ok().filter(|register| *register < REGISTERS)?;
        if count < 5 {
            return Some(Token::Select(register));
        }
        let (system, first_max) = match numbers[1] {
            1 => (1, 360),
            2 => (2, 100),
            _ => return Some(Token::Select(register)),
        };
        let value = |index: usize, max: u32| numbers[index].min(max) as u16;
        let values = [value(2, first_max), value(3, 100), value(4, 100)];
        Some(Token::Define { register, system, values })
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let token = match self.next_byte()? {
                byte @ b'?'..=b'~' => Token::Sixels { count: 1, bits: byte - b'?' },
                b'!' => {
                    let (numbers, _) = self.numbers();
                    let Some(&byte @ b'?'..=b'~') = self.rest.first() else { continue };
                    self.rest = &self.rest[1..];
                    Token::Sixels { count: numbers[0].max(1), bits: byte - b'?' }
                }
                b'#' => match self.color() {
                    Some(token) => token,
                    None => continue,
                },
                b'"' => {
                    let (numbers, _) = self.numbers();
                    Token::Raster { width: numbers[2], height: numbers[3] }
                }
                b'$' => Token::Return,
                b'-' => Token::NextBand,
                _ => continue,
            };
            return Some(token);
        }
    }
}
