//! The parser of control sequences: bytes in, calls of [`Perform`] out.
//!
//! It is a state machine after the DEC VT500 family (as drawn by Paul Williams), with UTF-8 in the
//! ground state, colon-separated subparameters, and strings (OSC, DCS) collected whole. Its state
//! is small, bounded and plain data, so that a keyframe can be taken in the middle of anything.
//!
//! Invariants
//! * Q1 What is performed does not depend on how the input was cut into pieces, except that
//!   printable text may arrive in more or fewer runs.
//! * Q2 Memory is bounded: [`STRING_BYTES_MAX`], [`IMAGE_BYTES_MAX`] for a string that holds a
//!   picture, [`PARAMS_MAX`], two intermediates. A string that is too long is dropped as a whole,
//!   never cut.
//! * Q3 CAN and SUB cancel any sequence. ESC cancels any sequence and begins a new one, but for a
//!   doubled one in a passthrough.
//! * C1 controls are recognized as `ESC` and a letter, and as the characters U+0080 to U+009F, as in
//!   xterm: in UTF-8 their one-byte form is a continuation byte. Where that continues nothing it is
//!   one, too, for a program that has asked for such controls (S8C1T), in text and as the end of a
//!   string.

#[cfg(test)]
mod differential;
mod params;
mod state;
mod strings;
mod utf8;

pub(crate) use self::params::{PARAMS_MAX, Params};
pub(crate) use self::state::State;
pub(crate) use self::utf8::{Decoded, decode};
#[cfg(doc)]
use crate::image::IMAGE_BYTES_MAX;

/// Longest OSC or DCS string that is kept, if it is none of a picture.
pub(crate) const STRING_BYTES_MAX: usize = 256 * 1024;

/// What a DCS string begins with, after its final `t`, that holds a sequence for the terminal outside:
/// tmux's passthrough. Each ESC in it is doubled.
pub(crate) const PASSTHROUGH: &[u8] = b"mux;";

/// Intermediates (and private markers) kept of a sequence; one with more is ignored.
pub(crate) const INTERMEDIATES_MAX: usize = 2;

const ESC: u8 = 0x1b;
const CAN: u8 = 0x18;
const SUB: u8 = 0x1a;
const BEL: u8 = 0x07;
const DEL: u8 = 0x7f;
/// The first byte of a C1 control in UTF-8, and the second one of ST.
const C1_LEAD: u8 = 0xc2;
const C1_ST: u8 = 0x9c;

/// What a byte stream asks a terminal to do.
pub(crate) trait Perform {
    /// Prints a run of printable ASCII.
    fn print_ascii(&mut self, text: &[u8]);
    /// Prints characters, the first of them outside ASCII.
    fn print(&mut self, text: &[char]);
    /// A C0 control.
    fn execute(&mut self, byte: u8);
    /// DEL outside of sequences: nothing, or a character of a set of 96.
    fn delete(&mut self) {}
    /// `ESC intermediates final`.
    fn esc(&mut self, intermediates: &[u8], last: u8);
    /// `CSI [private marker] params intermediates final`; the marker comes first in `intermediates`.
    fn csi(&mut self, params: &Params, intermediates: &[u8], last: u8);
    /// Carries out a sequence that sets the style, if `bytes`, which follow `ESC [`, begin with the parameters
    /// and the end of one. Returns how many bytes they are. `None` is right always: then it goes the usual way.
    fn style(&mut self, _bytes: &[u8]) -> Option<usize> {
        None
    }
    /// A whole OSC string.
    fn osc(&mut self, text: &[u8], terminator: Terminator);
    /// Whether a byte of 0x80 to 0x9f that belongs to no character is a C1 control.
    fn has_8bit_controls(&self) -> bool;
    /// Whether sequences are those of a VT52: `ESC` and a letter, and `ESC Y` with a position.
    fn is_vt52(&self) -> bool {
        false
    }
    /// `ESC Y` of a VT52: the cursor goes to a row and a column, from 0.
    fn vt52_position(&mut self, _row: u8, _column: u8) {}
    /// A whole DCS string.
    fn dcs(&mut self, params: &Params, intermediates: &[u8], last: u8, text: &[u8]);
    /// A whole APC string that begins with `G`: of the kitty graphics protocol.
    fn apc(&mut self, _text: &[u8]) {}
    /// One that was too long.
    fn apc_dropped(&mut self) {}
}

/// How a string ended; a reply ends in the same way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Terminator {
    Bel,
    St,
}

#[derive(Clone, Debug)]
pub(crate) struct Parser {
    pub(crate) state: State,
    pub(crate) params: Params,
    pub(crate) intermediates: [u8; INTERMEDIATES_MAX],
    pub(crate) intermediates_len: u8,
    /// More intermediates came than fit: the sequence is ignored.
    pub(crate) is_ignored: bool,
    /// The final byte of a DCS whose string is being collected.
    pub(crate) dcs_last: u8,
    /// The string so far; of one that is ignored or too long only what may begin a character at its end.
    pub(crate) string: Vec<u8>,
    /// The string grew too long; it is dropped when it ends.
    pub(crate) is_string_overlong: bool,
    /// First bytes of a character cut by the end of a chunk.
    pub(crate) utf8: [u8; 3],
    pub(crate) utf8_len: u8,
}

impl Parser {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Ground,
            params: Params::new(),
            intermediates: [0; INTERMEDIATES_MAX],
            intermediates_len: 0,
            is_ignored: false,
            dcs_last: 0,
            string: Vec::new(),
            is_string_overlong: false,
            utf8: [0; 3],
            utf8_len: 0,
        }
    }

    pub(crate) fn advance<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = match self.state {
                State::Ground => self.ground(performer, rest),
                State::CsiEntry | State::CsiParam => self.csi(performer, rest),
                State::OscString | State::DcsString | State::ApcString => {
                    self.string(performer, rest)
                }
                State::IgnoredString => self.ignored_string(performer, rest),
                State::Utf8 => self.finish_char(performer, rest[0]),
                _ => {
                    self.step(performer, rest[0]);
                    1
                }
            };
            rest = &rest[used..];
        }
    }

    /// Text, controls and control sequences, up to and with the next ESC that begins another sequence, or the end
    /// of what there is of a control sequence that is cut.
    #[inline]
    fn ground<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) -> usize {
        let mut at = 0;
        while at < bytes.len() && self.state == State::Ground {
            let byte = bytes[at];
            match byte {
                0x20..=0x7e => {
                    let end = at + ascii_len(&bytes[at..]);
                    performer.print_ascii(&bytes[at..end]);
                    at = end;
                }
                ESC => {
                    at += 1;
                    self.enter_escape();
                    if bytes.get(at) != Some(&b'[') || performer.is_vt52() {
                        return at;
                    }
                    at += 1;
                    // Every second sequence of coloured output resets the style.
                    at += match bytes[at..] {
                        [b'm', ..] => 1,
                        [b'0', b'm', ..] => 2,
                        _ => {
                            if let Some(len) = performer.style(&bytes[at..]) {
                                self.state = State::Ground;
                                at += len;
                            } else {
                                self.state = State::CsiEntry;
                                at += self.csi(performer, &bytes[at..]);
                            }
                            continue;
                        }
                    };
                    self.state = State::Ground;
                    performer.csi(&self.params, &[], b'm');
                }
                0x00..=0x1f => {
                    performer.execute(byte);
                    at += 1;
                }
                DEL => {
                    performer.delete();
                    at += 1;
                }
                0x80.. => at += self.text(performer, &bytes[at..]),
            }
        }
        at
    }

    /// Characters outside ASCII, with few of ASCII between them; `bytes` begins with one. Returns how
    /// many bytes were used.
    fn text<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) -> usize {
        let mut text = ['\0'; 64];
        let mut len = 0;
        let mut at = 0;
        while len < text.len()
            && let Some(&byte) = bytes.get(at)
        {
            if byte < 0x80 {
                // Longer runs have a faster way.
                if !(0x20..0x7f).contains(&byte) || is_ascii_run(&bytes[at..]) {
                    break;
                }
                text[len] = char::from(byte);
                (at, len) = (at + 1, len + 1);
                continue;
            }
            match utf8::decode(&bytes[at..]) {
                Decoded::Char(c, used) => {
                    text[len] = c;
                    at += used;
                }
                Decoded::Control(control) => {
                    if len > 0 {
                        performer.print(&text[..len]);
                    }
                    self.c1(performer, control);
                    return at + 2;
                }
                Decoded::Invalid(1)
                    if matches!(bytes[at], 0x80..=0x9f) && performer.has_8bit_controls() =>
                {
                    if len > 0 {
                        performer.print(&text[..len]);
                    }
                    self.c1(performer, bytes[at]);
                    return at + 1;
                }
                Decoded::Invalid(used) => {
                    text[len] = char::REPLACEMENT_CHARACTER;
                    at += used;
                }
                Decoded::Incomplete => {
                    self.begin_char(&bytes[at..]);
                    at = bytes.len();
                    break;
                }
            }
            len += 1;
        }
        performer.print(&text[..len]);
        at
    }

    /// Goes on with a character cut by a chunk border; returns how many bytes were used.
    fn finish_char<P: Perform>(&mut self, performer: &mut P, byte: u8) -> usize {
        let len = usize::from(self.utf8_len);
        let mut bytes = [0; 4];
        bytes[..len].copy_from_slice(&self.utf8[..len]);
        bytes[len] = byte;
        match utf8::decode(&bytes[..=len]) {
            Decoded::Incomplete => {
                self.utf8[len] = byte;
                self.utf8_len += 1;
                1
            }
            Decoded::Control(control) => {
                self.leave_char();
                self.c1(performer, control);
                1
            }
            Decoded::Char(c, _) => {
                self.leave_char();
                performer.print(&[c]);
                1
            }
            Decoded::Invalid(_) => {
                // All bytes so far were a valid beginning, so the new one is the culprit; it is
                // looked at again.
                self.leave_char();
                performer.print(&[char::REPLACEMENT_CHARACTER]);
                0
            }
        }
    }

    /// A C1 control, as its two-byte form. A VT52 has none.
    fn c1<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        if performer.is_vt52() {
            return;
        }
        self.enter_escape();
        self.escape(performer, byte - 0x40);
    }

    fn leave_char(&mut self) {
        self.state = State::Ground;
        self.utf8 = [0; 3];
        self.utf8_len = 0;
    }

    #[inline]
    fn enter_escape(&mut self) {
        self.state = State::Escape;
        self.params.clear();
        self.intermediates_len = 0;
        self.is_ignored = false;
    }

    /// Parameters up to the byte that ends them.
    #[inline]
    fn csi<P: Perform>(&mut self, performer: &mut P, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let begin = at;
            at += self.params.scan(&bytes[at..]);
            if at > begin {
                self.state = State::CsiParam;
            }
            let Some(&byte) = bytes.get(at) else { return at };
            at += 1;
            match byte {
                // Of parameters that are too many: they are dropped.
                b'0'..=b'9' | b';' | b':' => self.state = State::CsiParam,
                0x40..=0x7e => {
                    self.state = State::Ground;
                    performer.csi(&self.params, self.intermediates(), byte);
                    return at;
                }
                _ => {
                    self.step(performer, byte);
                    return at;
                }
            }
        }
    }

    /// Puts the parser in the middle of a character; `None` if `begun` is not the beginning of one.
    pub(crate) fn begin_char(&mut self, begun: &[u8]) -> Option<()> {
        if begun.is_empty() || begun[0] < 0x80 || utf8::decode(begun) != Decoded::Incomplete {
            return None;
        }
        self.utf8[..begun.len()].copy_from_slice(begun);
        self.utf8_len = begun.len() as u8;
        self.state = State::Utf8;
        Some(())
    }

    /// Sets at most [`INTERMEDIATES_MAX`] intermediates.
    pub(crate) fn set_intermediates(&mut self, intermediates: &[u8]) {
        self.intermediates[..intermediates.len()].copy_from_slice(intermediates);
        self.intermediates_len = intermediates.len() as u8;
    }

    pub(crate) fn intermediates(&self) -> &[u8] {
        &self.intermediates[..usize::from(self.intermediates_len)]
    }

    fn collect(&mut self, byte: u8) {
        match self.intermediates.get_mut(usize::from(self.intermediates_len)) {
            Some(slot) => {
                *slot = byte;
                self.intermediates_len += 1;
            }
            None => self.is_ignored = true,
        }
    }

    /// One byte of a sequence, outside the tight loops.
    fn step<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        match byte {
            CAN | SUB => {
                self.drop_string();
                self.state = State::Ground;
                performer.execute(byte);
                return;
            }
            ESC if self.state == State::DcsEscape && self.is_passthrough() => {
                self.state = State::DcsString;
                return self.keep(&[ESC], false);
            }
            ESC => {
                self.drop_string();
                self.enter_escape();
                return;
            }
            _ => {}
        }
        match self.state {
            State::Escape | State::EscapeIntermediate => self.escape(performer, byte),
            State::CsiEntry | State::CsiParam | State::CsiIntermediate | State::CsiIgnore => {
                self.csi_step(performer, byte);
            }
            State::DcsEntry | State::DcsParam | State::DcsIntermediate => self.dcs_head(byte),
            State::DcsEscape | State::OscEscape | State::ApcEscape => {
                self.string_escape(performer, byte);
            }
            State::Vt52Position => self.vt52_position(performer, byte),
            State::Ground
            | State::Utf8
            | State::DcsString
            | State::IgnoredString
            | State::ApcString
            | State::OscString => unreachable!("BUG: {:?} has a loop of its own", self.state),
        }
    }

    fn escape<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        let is_first = self.state == State::Escape;
        let is_ansi = is_first && !performer.is_vt52();
        match byte {
            0x00..=0x1f => performer.execute(byte),
            0x20..=0x2f => {
                self.collect(byte);
                self.state = State::EscapeIntermediate;
            }
            b'[' if is_ansi => self.state = State::CsiEntry,
            b']' if is_ansi => {
                self.begin_string();
                self.state = State::OscString;
            }
            b'P' if is_ansi => self.state = State::DcsEntry,
            b'X' | b'^' if is_ansi => {
                self.begin_string();
                self.state = State::IgnoredString;
            }
            b'_' if is_ansi => {
                self.begin_string();
                self.state = State::ApcString;
            }
            b'Y' if is_first && !is_ansi => {
                self.begin_string();
                self.state = State::Vt52Position;
            }
            0x30..=0x7e => {
                self.state = State::Ground;
                if !self.is_ignored {
                    performer.esc(self.intermediates(), byte);
                }
            }
            _ => {}
        }
    }

    /// Row and column of `ESC Y`, each a character as far behind the space as they are from 0.
    fn vt52_position<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        let Some(&row) = self.string.first() else { return self.string.push(byte) };
        self.drop_string();
        self.state = State::Ground;
        let [row, column] = [row, byte].map(|byte| (byte & 0x7f).saturating_sub(0x20));
        performer.vt52_position(row, column);
    }

    fn csi_step<P: Perform>(&mut self, performer: &mut P, byte: u8) {
        match (self.state, byte) {
            (_, 0x00..=0x1f) => performer.execute(byte),
            (State::CsiIgnore, 0x40..=0x7e) => self.state = State::Ground,
            (State::CsiIgnore, _) | (_, DEL..) => {}
            (State::CsiEntry, b'<'..=b'?') => {
                self.collect(byte);
                self.state = State::CsiParam;
            }
            (_, 0x20..=0x2f) => {
                self.collect(byte);
                self.state = State::CsiIntermediate;
            }
            (_, 0x30..=0x3f) => self.state = State::CsiIgnore,
            (_, 0x40..=0x7e) => {
                self.state = State::Ground;
                if !self.is_ignored {
                    performer.csi(&self.params, self.intermediates(), byte);
                }
            }
        }
    }

    fn dcs_head(&mut self, byte: u8) {
        match (self.state, byte) {
            (State::DcsEntry, b'<'..=b'?') => {
                self.collect(byte);
                self.state = State::DcsParam;
            }
            (State::DcsEntry | State::DcsParam, b'0'..=b'9') => {
                self.params.digit(byte);
                self.state = State::DcsParam;
            }
            (State::DcsEntry | State::DcsParam, b';' | b':') => {
                self.params.separate(byte == b':');
                self.state = State::DcsParam;
            }
            (_, 0x20..=0x2f) => {
                self.collect(byte);
                self.state = State::DcsIntermediate;
            }
            (_, 0x30..=0x3f) => {
                self.begin_string();
                self.state = State::IgnoredString;
            }
            (_, 0x40..=0x7e) => {
                self.begin_string();
                self.dcs_last = byte;
                self.state = if self.is_ignored { State::IgnoredString } else { State::DcsString };
            }
            _ => {}
        }
    }
}

/// Whether so many bytes at the front are ASCII that they are worth a call of their own.
#[inline]
fn is_ascii_run(bytes: &[u8]) -> bool {
    bytes.first_chunk::<8>().is_some_and(|front| front.is_ascii())
}

/// The highest bit of each byte of `word` that is no printable ASCII.
#[inline]
fn unprintable(word: u64) -> u64 {
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    // No byte borrows from the next one, and none carries into it.
    let is_control = !((word | HIGH) - u64::from_ne_bytes([0x20; 8]));
    let is_delete = (word & !HIGH) + u64::from_ne_bytes([1; 8]);
    (is_control | is_delete | word) & HIGH
}

/// Length of the printable ASCII at the front of a lane; no branch depends on it.
#[inline]
fn ascii_len_of_lane(lane: &[u8; 16]) -> usize {
    let words = u128::from_le_bytes(*lane);
    let (first, second) = (unprintable(words as u64), unprintable((words >> 64) as u64));
    (u128::from(first) | u128::from(second) << 64).trailing_zeros() as usize / 8
}

/// Length of the printable ASCII at the front of `bytes`.
#[inline]
pub(crate) fn ascii_len(bytes: &[u8]) -> usize {
    let mut at = 0;
    // Runs are short in coloured output, and how short is hard to predict: no branch on it.
    while let Some(lane) = bytes[at..].first_chunk() {
        let len = ascii_len_of_lane(lane);
        at += len;
        if len < lane.len() {
            return at;
        }
    }
    let is_printable = |byte: u8| byte.wrapping_sub(0x20) < 0x5f;
    at + bytes[at..].iter().position(|&byte| !is_printable(byte)).unwrap_or(bytes.len() - at)
}
