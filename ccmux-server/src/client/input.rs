//! Decoding what a client's terminal sends: keys, mouse, pastes, focus.
//!
//! A terminal's input is a byte stream without frames: one read may end in the middle of an escape
//! sequence, and a lone Escape looks like the start of one. The decoder keeps what is incomplete
//! and says so ([`InputDecoder::is_waiting`]); the event loop calls [`InputDecoder::flush`] once
//! `escape-time` has passed. Everything is bounded: an over-long sequence is dropped whole.
//!
//! Sources: xterm's "Control Sequences", the kitty keyboard protocol, ECMA-48.

use ccmux_core::key::{Key, KeyCode, Modifiers};

/// The longest escape sequence that is waited for; longer ones are dropped.
const SEQUENCE_MAX: usize = 256;
/// A paste is handed on in pieces of at most this size.
const PASTE_PIECE_MAX: usize = 16 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";

/// One thing a person did at a terminal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum InputEvent {
    /// A key.
    Key(Key),
    /// The mouse.
    Mouse(MouseEvent),
    /// A bracketed paste begins.
    PasteStart,
    /// Some of a paste's bytes.
    PasteData(Vec<u8>),
    /// The paste ends.
    PasteEnd,
    /// The terminal got or lost the focus.
    Focus(bool),
}

/// What the mouse did, on the client's screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct MouseEvent {
    /// Column, from 0.
    pub(crate) x: u16,
    /// Row, from 0.
    pub(crate) y: u16,
    /// The button.
    pub(crate) button: MouseButton,
    /// What happened to it.
    pub(crate) action: MouseAction,
    /// Modifiers held down.
    pub(crate) modifiers: Modifiers,
}

/// A mouse button or the wheel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MouseButton {
    /// Buttons 1 to 3.
    Left,
    /// The wheel button.
    Middle,
    /// The right button.
    Right,
    /// Wheel up.
    WheelUp,
    /// Wheel down.
    WheelDown,
    /// No button (motion only), or one without a name here.
    None,
}

/// What a mouse button did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum MouseAction {
    /// Pressed.
    Press,
    /// Released.
    Release,
    /// Moved, with a button held or not.
    Motion,
}

/// Turns bytes into [`InputEvent`]s.
#[derive(Debug, Default)]
pub(crate) struct InputDecoder {
    pending: Vec<u8>,
    pasting: bool,
}

/// What the front of the pending bytes is.
enum Step {
    /// An event (or nothing worth one) of this many bytes.
    Taken(usize, Option<InputEvent>),
    /// The bytes may be the start of something longer.
    Incomplete,
}

impl InputDecoder {
    /// Decodes `bytes` after what was left over before; appends events to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<InputEvent>) {
        self.pending.extend_from_slice(bytes);
        self.decode(false, out);
    }

    /// Whether bytes are held back that could be a whole key, such as a lone Escape.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && !self.pasting
    }

    /// Takes what is held back as it stands: nothing more came in time.
    pub(crate) fn flush(&mut self, out: &mut Vec<InputEvent>) {
        self.decode(true, out);
    }

    fn decode(&mut self, is_final: bool, out: &mut Vec<InputEvent>) {
        let mut taken = 0;
        loop {
            if self.pasting {
                taken += self.take_paste(taken, out);
                if self.pasting {
                    break;
                }
                continue;
            }
            let rest = &self.pending[taken..];
            if rest.is_empty() {
                break;
            }
            match step(rest, is_final) {
                Step::Taken(len, event) => {
                    taken += len;
                    if event == Some(InputEvent::PasteStart) {
                        self.pasting = true;
                    }
                    out.extend(event);
                }
                Step::Incomplete => break,
            }
        }
        self.pending.drain(..taken);
    }

    /// Hands on paste bytes from `from`; returns how many were used.
    fn take_paste(&mut self, from: usize, out: &mut Vec<InputEvent>) -> usize {
        let rest = &self.pending[from..];
        let (data, used) = match memchr::memmem::find(rest, PASTE_END) {
            Some(at) => {
                self.pasting = false;
                (&rest[..at], at + PASTE_END.len())
            }
            None => {
                // Hold back what could be the beginning of the end mark.
                let keep = (1..PASTE_END.len().min(rest.len() + 1))
                    .rev()
                    .find(|&len| rest.ends_with(&PASTE_END[..len]))
                    .unwrap_or(0);
                (&rest[..rest.len() - keep], rest.len() - keep)
            }
        };
        out.extend(data.chunks(PASTE_PIECE_MAX).map(|part| InputEvent::PasteData(part.to_vec())));
        if !self.pasting {
            out.push(InputEvent::PasteEnd);
        }
        used
    }
}

fn key(code: KeyCode, modifiers: Modifiers) -> InputEvent {
    InputEvent::Key(Key { code, modifiers })
}

fn step(bytes: &[u8], is_final: bool) -> Step {
    match bytes[0] {
        0x1b => escape(bytes, is_final),
        byte if byte < 0x20 || byte == 0x7f => Step::Taken(1, Some(control(byte))),
        byte if byte < 0x80 => {
            Step::Taken(1, Some(key(KeyCode::Char(char::from(byte)), Modifiers::empty())))
        }
        _ => utf8(bytes, is_final),
    }
}

/// The key behind a C0 control byte.
fn control(byte: u8) -> InputEvent {
    match byte {
        0x00 => key(KeyCode::Char(' '), Modifiers::CTRL),
        0x09 => key(KeyCode::Tab, Modifiers::empty()),
        0x0d => key(KeyCode::Enter, Modifiers::empty()),
        0x1b => key(KeyCode::Escape, Modifiers::empty()),
        0x7f => key(KeyCode::Backspace, Modifiers::empty()),
        0x01..=0x1a => key(KeyCode::Char(char::from(byte + 0x60)), Modifiers::CTRL),
        _ => key(KeyCode::Char(char::from(byte + 0x40)), Modifiers::CTRL),
    }
}

fn utf8(bytes: &[u8], is_final: bool) -> Step {
    let len = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Step::Taken(1, None),
    };
    if bytes.len() < len {
        return if is_final { Step::Taken(bytes.len(), None) } else { Step::Incomplete };
    }
    match std::str::from_utf8(&bytes[..len]).ok().and_then(|text| text.chars().next()) {
        Some(c) => Step::Taken(len, Some(key(KeyCode::Char(c), Modifiers::empty()))),
        None => Step::Taken(1, None),
    }
}

fn escape(bytes: &[u8], is_final: bool) -> Step {
    let lone = || Step::Taken(1, Some(control(0x1b)));
    match bytes.get(1) {
        None if is_final => lone(),
        None => Step::Incomplete,
        Some(b'[') => csi(bytes, is_final),
        Some(b'O') => match bytes.get(2) {
            None if is_final => Step::Taken(2, Some(key(KeyCode::Char('O'), Modifiers::META))),
            None => Step::Incomplete,
            Some(&last) => Step::Taken(3, ss3(last)),
        },
        // Strings the terminal answers with (OSC, DCS, APC): swallowed up to their terminator.
        Some(b']' | b'P' | b'_') if bytes.len() > 2 || !is_final => string(bytes, is_final),
        Some(0x1b) => match step(&bytes[1..], is_final) {
            Step::Taken(len, Some(InputEvent::Key(inner))) if len > 1 => {
                Step::Taken(len + 1, Some(key(inner.code, inner.modifiers | Modifiers::META)))
            }
            Step::Taken(..) if is_final => {
                Step::Taken(2, Some(key(KeyCode::Escape, Modifiers::META)))
            }
            Step::Taken(..) => lone(),
            Step::Incomplete => Step::Incomplete,
        },
        Some(_) => match step(&bytes[1..], is_final) {
            Step::Taken(len, Some(InputEvent::Key(inner))) => {
                Step::Taken(len + 1, Some(key(inner.code, inner.modifiers | Modifiers::META)))
            }
            Step::Taken(len, other) => Step::Taken(len + 1, other),
            Step::Incomplete => Step::Incomplete,
        },
    }
}

fn string(bytes: &[u8], is_final: bool) -> Step {
    let end = memchr::memchr2(0x07, 0x1b, &bytes[2..]).map(|at| at + 2);
    match end {
        Some(at) if bytes[at] == 0x07 => Step::Taken(at + 1, None),
        Some(at) if bytes.get(at + 1) == Some(&b'\\') => Step::Taken(at + 2, None),
        Some(at) if at + 1 < bytes.len() => Step::Taken(at, None),
        _ if is_final || bytes.len() > SEQUENCE_MAX * 16 => Step::Taken(bytes.len(), None),
        _ => Step::Incomplete,
    }
}

fn ss3(last: u8) -> Option<InputEvent> {
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P'..=b'S' => KeyCode::Function(last - b'P' + 1),
        b'M' => KeyCode::Keypad('\r'),
        b'j'..=b'y' => KeyCode::Keypad(char::from(last - 0x40)),
        _ => return None,
    };
    Some(key(code, Modifiers::empty()))
}

fn csi(bytes: &[u8], is_final: bool) -> Step {
    let body = &bytes[2..];
    let Some(end) = body.iter().position(|byte| (0x40..=0x7e).contains(byte)) else {
        return if is_final && body.is_empty() {
            Step::Taken(2, Some(key(KeyCode::Char('['), Modifiers::META)))
        } else if is_final || body.len() > SEQUENCE_MAX {
            Step::Taken(bytes.len(), None)
        } else {
            Step::Incomplete
        };
    };
    let (params, last) = (&body[..end], body[end]);
    let event = match params.first() {
        Some(b'<') => sgr_mouse(&params[1..], last),
        // Private replies (device attributes, mode reports) are for nobody here.
        Some(b'?' | b'>' | b'=') => None,
        _ => csi_key(params, last),
    };
    Step::Taken(2 + end + 1, event)
}

/// Parameters as numbers; sub-parameters after `:` are dropped.
fn numbers(params: &[u8]) -> Vec<u32> {
    params
        .split(|&byte| byte == b';')
        .map(|field| {
            let digits = field.split(|&byte| byte == b':').next().unwrap_or_default();
            std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
        })
        .collect()
}

/// Modifiers from xterm's parameter: 1 + shift 1, alt 2, ctrl 4, (super 8), meta 32.
fn modifiers(param: u32) -> Modifiers {
    let bits = param.saturating_sub(1);
    let mut out = Modifiers::empty();
    out.set(Modifiers::SHIFT, bits & 1 != 0);
    out.set(Modifiers::META, bits & (2 | 32) != 0);
    out.set(Modifiers::CTRL, bits & 4 != 0);
    out
}

fn csi_key(params: &[u8], last: u8) -> Option<InputEvent> {
    let fields = numbers(params);
    let first = fields.first().copied().unwrap_or(0);
    let held = modifiers(fields.get(1).copied().unwrap_or(1));
    let code = match last {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'F' => KeyCode::End,
        b'H' => KeyCode::Home,
        b'P' | b'Q' | b'S' => KeyCode::Function(last - b'P' + 1),
        b'Z' => return Some(key(KeyCode::Tab, held | Modifiers::SHIFT)),
        b'I' => return Some(InputEvent::Focus(true)),
        b'O' => return Some(InputEvent::Focus(false)),
        b'u' => return unicode_key(first, held),
        b'~' => match first {
            1 | 7 => KeyCode::Home,
            2 => KeyCode::Insert,
            3 => KeyCode::Delete,
            4 | 8 => KeyCode::End,
            5 => KeyCode::PageUp,
            6 => KeyCode::PageDown,
            11..=15 => KeyCode::Function(first as u8 - 10),
            17..=21 => KeyCode::Function(first as u8 - 11),
            23..=26 => KeyCode::Function(first as u8 - 12),
            28 | 29 => KeyCode::Function(first as u8 - 13),
            31..=34 => KeyCode::Function(first as u8 - 14),
            // modifyOtherKeys: CSI 27 ; modifiers ; code ~
            27 => return unicode_key(fields.get(2).copied().unwrap_or(0), held),
            200 => return Some(InputEvent::PasteStart),
            _ => return None,
        },
        _ => return None,
    };
    Some(key(code, held))
}

/// A key reported by its code point (kitty keyboard protocol, modifyOtherKeys).
fn unicode_key(code: u32, held: Modifiers) -> Option<InputEvent> {
    let code = match code {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Escape,
        8 | 127 => KeyCode::Backspace,
        // Kitty's private-use codes for modifier, lock and media keys type nothing.
        57344..=63743 => return None,
        other => KeyCode::Char(char::from_u32(other).filter(|c| !c.is_control())?),
    };
    Some(key(code, held))
}

fn sgr_mouse(params: &[u8], last: u8) -> Option<InputEvent> {
    let fields = numbers(params);
    let [flags, x, y] = fields[..] else { return None };
    let button = match (flags & 64 != 0, flags & 3) {
        (true, 0) => MouseButton::WheelUp,
        (true, 1) => MouseButton::WheelDown,
        (false, 0) => MouseButton::Left,
        (false, 1) => MouseButton::Middle,
        (false, 2) => MouseButton::Right,
        _ => MouseButton::None,
    };
    let action = match (last, flags & 32 != 0) {
        (_, true) => MouseAction::Motion,
        (b'm', _) => MouseAction::Release,
        (b'M', _) => MouseAction::Press,
        _ => return None,
    };
    let mut held = Modifiers::empty();
    held.set(Modifiers::SHIFT, flags & 4 != 0);
    held.set(Modifiers::META, flags & 8 != 0);
    held.set(Modifiers::CTRL, flags & 16 != 0);
    let cell = |at: u32| u16::try_from(at.saturating_sub(1)).unwrap_or(u16::MAX);
    Some(InputEvent::Mouse(MouseEvent { x: cell(x), y: cell(y), button, action, modifiers: held }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(parts: &[&[u8]]) -> Vec<InputEvent> {
        let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
        for part in parts {
            decoder.feed(part, &mut out);
        }
        decoder.flush(&mut out);
        out
    }

    fn named(code: KeyCode, held: Modifiers) -> Vec<InputEvent> {
        vec![key(code, held)]
    }

    #[test]
    fn keys_decode_to_what_was_pressed() {
        use KeyCode::*;
        let none = Modifiers::empty();
        for (bytes, code, held) in [
            (&b"a"[..], Char('a'), none),
            (b"\x02", Char('b'), Modifiers::CTRL),
            (b"\x00", Char(' '), Modifiers::CTRL),
            (b"\x1c", Char('\\'), Modifiers::CTRL),
            (b"\r", Enter, none),
            (b"\x7f", Backspace, none),
            (b"\x1b", Escape, none),
            (b"\x1bx", Char('x'), Modifiers::META),
            (b"\x1b\x02", Char('b'), Modifiers::META.union(Modifiers::CTRL)),
            (b"\x1b[A", Up, none),
            (b"\x1bOA", Up, none),
            (b"\x1b\x1b[A", Up, Modifiers::META),
            (b"\x1b[1;5C", Right, Modifiers::CTRL),
            (b"\x1b[Z", Tab, Modifiers::SHIFT),
            (b"\x1b[5~", PageUp, none),
            (b"\x1b[15~", Function(5), none),
            (b"\x1b[24;2~", Function(12), Modifiers::SHIFT),
            (b"\x1b[13;2u", Enter, Modifiers::SHIFT),
            (b"\x1b[27;5;105~", Char('i'), Modifiers::CTRL),
            ("ä".as_bytes(), Char('ä'), none),
            (b"\x1b\x1b", Escape, Modifiers::META),
        ] {
            assert_eq!(decode(&[bytes]), named(code, held), "{bytes:?}");
        }
    }

    #[test]
    fn a_sequence_cut_anywhere_decodes_the_same() {
        let whole = "\u{1b}[1;5Cä\u{1b}[<0;10;5M\u{1b}[200~a\u{1b}[20b\u{1b}[201~z".as_bytes();
        let expected = join_pastes(decode(&[whole]));
        for cut in 1..whole.len() {
            let (a, b) = whole.split_at(cut);
            assert_eq!(join_pastes(decode(&[a, b])), expected, "cut at {cut}");
        }
    }

    /// Pastes arrive in pieces whose borders depend on the reads; only their sum is promised.
    fn join_pastes(events: Vec<InputEvent>) -> Vec<InputEvent> {
        let mut out: Vec<InputEvent> = Vec::new();
        for event in events {
            match (out.last_mut(), event) {
                (Some(InputEvent::PasteData(sum)), InputEvent::PasteData(more)) => sum.extend(more),
                (_, event) => out.push(event),
            }
        }
        out
    }

    #[test]
    fn a_lone_escape_waits_until_it_is_flushed() {
        let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
        decoder.feed(b"\x1b", &mut out);
        assert!(out.is_empty() && decoder.is_waiting());
        decoder.flush(&mut out);
        assert_eq!(out, named(KeyCode::Escape, Modifiers::empty()));
        assert!(!decoder.is_waiting());
    }

    #[test]
    fn an_endless_sequence_is_dropped_and_keys_after_it_arrive() {
        let mut bytes = b"\x1b[".to_vec();
        bytes.resize(SEQUENCE_MAX + 10, b'1');
        let mut events = decode(&[&bytes, b"q"]);
        assert_eq!(events.pop(), Some(key(KeyCode::Char('q'), Modifiers::empty())));
    }

    #[test]
    fn mouse_reports_carry_position_button_and_modifiers() {
        assert_eq!(
            decode(&[b"\x1b[<65;3;4M"]),
            vec![InputEvent::Mouse(MouseEvent {
                x: 2,
                y: 3,
                button: MouseButton::WheelDown,
                action: MouseAction::Press,
                modifiers: Modifiers::empty(),
            })]
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
        #[test]
        fn any_bytes_are_decoded_without_panic_and_leave_nothing_behind(
            parts in proptest::collection::vec(proptest::collection::vec(0u8.., 0..40), 0..6),
        ) {
            let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
            for part in &parts {
                decoder.feed(part, &mut out);
            }
            decoder.flush(&mut out);
            proptest::prop_assert!(!decoder.is_waiting());
        }
    }
}
