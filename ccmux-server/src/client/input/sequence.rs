//! What one sequence of bytes of a terminal means: a character, a control byte, an escape sequence.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccmux_core::key::{Key, KeyCode, Modifiers};
use ccmux_term::CellSize;

use super::{ESC, InputEvent, MouseAction, MouseButton, MouseEvent};

/// The longest escape sequence that is waited for; longer ones are dropped.
pub(super) const SEQUENCE_MAX: usize = 256;

/// What the contents of a clipboard begin with.
pub(super) const CLIPBOARD: &[u8] = b"\x1b]52;";
/// What an answer to XTVERSION begins with.
const VERSION: &[u8] = b"\x1bP>|";
/// What an answer to DA1 begins with.
const EXTENSIONS: &[u8] = b"\x1b[?";
/// What an answer about the size of a cell begins with.
const CELL: &[u8] = b"\x1b[6;";
/// What answers of a terminal that was asked what it is begin with.
pub(super) const ANSWERS: [&[u8]; 3] = [VERSION, EXTENSIONS, CELL];
/// The longest contents of a clipboard that are waited for, encoded.
const CLIPBOARD_MAX: usize = 2 * 1024 * 1024;

/// What the front of the pending bytes is.
pub(super) enum Step {
    /// An event (or nothing worth one) of this many bytes.
    Taken(usize, Option<InputEvent>),
    /// The bytes may be the start of something longer.
    Incomplete,
}

pub(super) fn key(code: KeyCode, modifiers: Modifiers) -> InputEvent {
    InputEvent::Key(Key { code, modifiers })
}

/// Takes the first thing that `bytes` begin with; `is_final` says that nothing more comes in time.
pub(super) fn step(bytes: &[u8], is_final: bool) -> Step {
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
    let lone = || Step::Taken(1, Some(control(ESC)));
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
        // Only the last two can belong to a key: whoever holds Escape down sends any number of them.
        Some(&ESC) if bytes.get(2) == Some(&ESC) => lone(),
        Some(&ESC) => match step(&bytes[1..], is_final) {
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
    let length_max = if bytes.starts_with(CLIPBOARD) { CLIPBOARD_MAX } else { SEQUENCE_MAX * 16 };
    match end {
        Some(at) if bytes[at] == 0x07 => Step::Taken(at + 1, answer(&bytes[..at])),
        Some(at) if bytes.get(at + 1) == Some(&b'\\') => Step::Taken(at + 2, answer(&bytes[..at])),
        Some(at) if at + 1 < bytes.len() => Step::Taken(at, None),
        _ if is_final || bytes.len() > length_max => Step::Taken(bytes.len(), None),
        _ => Step::Incomplete,
    }
}

/// What a string that a terminal sends says.
fn answer(string: &[u8]) -> Option<InputEvent> {
    match string.strip_prefix(VERSION) {
        Some(version) => Some(InputEvent::Version(version.to_vec())),
        None => clipboard(string),
    }
}

/// What an answer says of the clipboard: after the letters of the selection, in base64.
fn clipboard(string: &[u8]) -> Option<InputEvent> {
    let answer = string.strip_prefix(CLIPBOARD)?;
    let at = memchr::memchr(b';', answer)?;
    STANDARD.decode(&answer[at + 1..]).ok().map(InputEvent::Clipboard)
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
        Some(b'?') if last == b'c' => {
            let parameters = numbers(&params[1..]).into_iter();
            Some(InputEvent::Extensions(parameters.filter_map(|n| n.try_into().ok()).collect()))
        }
        // Other private replies (mode reports) are for nobody here.
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

/// A report of sizes, of which only that of a cell counts.
fn window_report(fields: &[u32]) -> Option<InputEvent> {
    let [6, height, width] = *fields else { return None };
    CellSize::checked(width, height).map(InputEvent::Cell)
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
        b't' => return window_report(&fields),
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
