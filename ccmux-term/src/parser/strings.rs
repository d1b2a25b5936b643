//! Strings (OSC, DCS, APC, and those that are ignored): collecting them up to what ends them.

use super::utf8::{self, Decoded};
use super::{
    BEL, C1_LEAD, C1_ST, CAN, ESC, PASSTHROUGH, Parser, Perform, STRING_BYTES_MAX, SUB, State,
    Terminator,
};
use crate::image::IMAGE_BYTES_MAX;
use crate::work;

/// Bytes of the longest beginning of a character.
const CHAR_BEGIN_MAX: usize = 3;

/// What an APC string of the kitty graphics protocol begins with; others are ignored.
const APC_GRAPHICS: u8 = b'G';

impl Parser {
    pub(super) fn begin_string(&mut self) {
        self.string.clear();
        self.is_string_overlong = false;
    }

    pub(super) fn drop_string(&mut self) {
        // A rare long string should not pin its memory for the life of the pane.
        self.string = Vec::new();
        self.is_string_overlong = false;
        self.dcs_last = 0;
    }

    /// Collects a string up to a byte that may end it.
    pub(super) fn string<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) -> usize {
        let is_osc = self.state == State::OscString;
        let is_begun = !self.string.is_empty() || self.is_string_overlong;
        if self.state == State::ApcString && !is_begun && bytes[0] != APC_GRAPHICS {
            self.state = State::IgnoredString;
            return 0;
        }
        let is_special = |&byte: &u8| matches!(byte, BEL | CAN | SUB | ESC | C1_ST);
        let len = bytes.iter().position(is_special).unwrap_or(bytes.len());
        self.keep(&bytes[..len], is_osc);
        let Some(&special) = bytes.get(len) else { return len };
        match special {
            BEL if is_osc => self.end_string(performer, Terminator::Bel),
            BEL => self.keep(&[BEL], false),
            ESC => {
                self.state = match self.state {
                    State::OscString => State::OscEscape,
                    State::ApcString => State::ApcEscape,
                    _ => State::DcsEscape,
                };
            }
            C1_ST if self.string.last() == Some(&C1_LEAD) => {
                self.string.pop();
                self.end_string(performer, Terminator::St);
            }
            C1_ST if performer.has_8bit_controls() && !is_in_char(&self.string) => {
                self.end_string(performer, Terminator::St);
            }
            C1_ST => self.keep(&[C1_ST], is_osc),
            _ => {
                self.drop_string();
                self.state = State::Ground;
                performer.execute(special);
            }
        }
        len + 1
    }

    pub(super) fn keep(&mut self, bytes: &[u8], is_osc: bool) {
        work::note(bytes.len());
        if !is_osc || bytes.iter().all(|&byte| byte >= 0x20) {
            return self.keep_all(bytes);
        }
        // Controls do not belong to an OSC string and do not count, however the input was cut.
        let kept: Vec<u8> = bytes.iter().copied().filter(|&byte| byte >= 0x20).collect();
        self.keep_all(&kept);
    }

    fn keep_all(&mut self, bytes: &[u8]) {
        if self.is_string_overlong || self.string.len() + bytes.len() > self.string_bytes_max() {
            self.keep_tail(bytes);
            self.is_string_overlong = true;
            return;
        }
        self.string.extend_from_slice(bytes);
    }

    /// How long the string may get.
    pub(crate) fn string_bytes_max(&self) -> usize {
        let is_image = match self.state {
            State::DcsString | State::DcsEscape => {
                self.dcs_last == b'q' && self.intermediates_len == 0
            }
            State::ApcString | State::ApcEscape => true,
            _ => false,
        };
        if is_image { IMAGE_BYTES_MAX } else { STRING_BYTES_MAX }
    }

    /// Whether the string is a passthrough, as far as one that grew too long still tells.
    pub(super) fn is_passthrough(&self) -> bool {
        self.dcs_last == b't'
            && self.intermediates_len == 0
            && (self.is_string_overlong || self.string.starts_with(PASSTHROUGH))
    }

    pub(super) fn string_escape<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        if byte == b'\\' {
            self.end_string(performer, Terminator::St);
            return;
        }
        self.drop_string();
        self.enter_escape();
        self.escape(performer, byte);
    }

    fn end_string<P: Perform>(&mut self, performer: &mut P, terminator: Terminator) {
        let state = std::mem::replace(&mut self.state, State::Ground);
        if self.is_string_overlong {
            self.drop_string();
            if matches!(state, State::ApcString | State::ApcEscape) {
                performer.apc_dropped();
            }
            return;
        }
        let mut string = std::mem::take(&mut self.string);
        match state {
            State::OscString | State::OscEscape => performer.osc(&string, terminator),
            State::ApcString | State::ApcEscape => performer.apc(&string),
            _ => performer.dcs(&self.params, self.intermediates(), self.dcs_last, &string),
        }
        self.dcs_last = 0;
        if string.capacity() <= 4096 {
            string.clear();
            self.string = string;
        }
    }

    /// Forgets the string, to which `bytes` were to be added, but for what may begin a character at its
    /// end.
    fn keep_tail(&mut self, bytes: &[u8]) {
        let begin_max = |text: &[u8]| text.len().saturating_sub(CHAR_BEGIN_MAX);
        let (old, new) = (&self.string[begin_max(&self.string)..], &bytes[begin_max(bytes)..]);
        let mut tail = [0; 2 * CHAR_BEGIN_MAX];
        let len = old.len() + new.len();
        tail[..old.len()].copy_from_slice(old);
        tail[old.len()..len].copy_from_slice(new);
        let tail = &tail[begin_max(&tail[..len])..len];
        let begin = tail.iter().rposition(|&byte| byte < 0x80).map_or(0, |at| at + 1);
        if self.string.capacity() > tail.len() + CHAR_BEGIN_MAX {
            self.string = Vec::new();
        }
        self.string.clear();
        self.string.extend_from_slice(&tail[begin..]);
    }

    pub(super) fn ignored_string<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) -> usize {
        let is_special = |&byte: &u8| matches!(byte, CAN | SUB | ESC | C1_ST);
        let mut from = 0;
        while let Some(len) = bytes[from..].iter().position(is_special) {
            let at = from + len;
            self.keep_tail(&bytes[from..at]);
            let is_end = bytes[at] != C1_ST
                || self.string.last() == Some(&C1_LEAD)
                || performer.has_8bit_controls() && !is_in_char(&self.string);
            if is_end {
                self.string.clear();
                self.step_out_of_ignored(performer, bytes[at]);
                return at + 1;
            }
            self.keep_tail(&[C1_ST]);
            from = at + 1;
        }
        self.keep_tail(&bytes[from..]);
        bytes.len()
    }

    /// ESC ends it in any case: `ESC \` that follows does nothing by itself.
    fn step_out_of_ignored<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        match byte {
            ESC => self.enter_escape(),
            C1_ST => self.state = State::Ground,
            _ => {
                self.state = State::Ground;
                performer.execute(byte);
            }
        }
    }
}

/// Whether a byte that would be ST belongs to a character instead, behind a string that ends so.
fn is_in_char(string: &[u8]) -> bool {
    let mut bytes = [C1_ST; CHAR_BEGIN_MAX + 1];
    let len = string.len().min(CHAR_BEGIN_MAX);
    bytes[..len].copy_from_slice(&string[string.len() - len..]);
    (0..len).filter(|&from| bytes[from] >= 0x80).any(|from| {
        let (begun, len) = (&bytes[from..=len], len + 1 - from);
        match utf8::decode(begun) {
            Decoded::Char(_, used) => used == len,
            Decoded::Incomplete => true,
            Decoded::Control(_) | Decoded::Invalid(_) => false,
        }
    })
}
