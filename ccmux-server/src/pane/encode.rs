//! Keys and mouse as a pane's program expects them: the reverse of `client::input`.
//!
//! Sources: xterm's "Control Sequences" (PC-style function keys), the kitty keyboard protocol.

use ccmux_core::key::{Key, KeyCode, Modifiers};

use crate::client::input::{MouseAction, MouseButton, MouseEvent};

/// The modes of a pane's terminal that decide how keys are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyModes {
    /// DECCKM: arrows, Home and End as SS3.
    pub(crate) application_cursor: bool,
    /// DECKPAM: the keypad as SS3.
    pub(crate) application_keypad: bool,
    /// Kitty keyboard flag 1 (or modifyOtherKeys 2): keys that would be ambiguous as `CSI u`.
    pub(crate) disambiguate: bool,
    /// DECBKM: Backspace is BS, not DEL.
    pub(crate) backspace_is_bs: bool,
    /// DECANM is reset: cursor keys, PF1 to PF4 and the keypad as a VT52 sends them.
    pub(crate) is_vt52: bool,
}

/// Which mouse events a program asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum MouseTracking {
    /// None.
    #[default]
    Off,
    /// Mode 1000: presses and releases.
    Buttons,
    /// Mode 1002: also motion with a button held.
    Drag,
    /// Mode 1003: all motion.
    Any,
}

/// Appends the bytes of `key` to `out`; nothing for keys no terminal has bytes for.
pub(crate) fn encode_key(key: Key, modes: KeyModes, out: &mut Vec<u8>) {
    let held = key.modifiers;
    match key.code {
        KeyCode::Enter => encode_c0(b'\r', 13, held, modes, out),
        KeyCode::Escape => encode_c0(0x1b, 27, held, modes, out),
        KeyCode::Backspace => encode_backspace(held, modes, out),
        KeyCode::Tab if held == Modifiers::SHIFT => out.extend(b"\x1b[Z"),
        KeyCode::Tab => encode_c0(b'\t', 9, held, modes, out),
        KeyCode::Up => encode_cursor(b'A', held, modes, out),
        KeyCode::Down => encode_cursor(b'B', held, modes, out),
        KeyCode::Right => encode_cursor(b'C', held, modes, out),
        KeyCode::Left => encode_cursor(b'D', held, modes, out),
        KeyCode::End => encode_cursor(b'F', held, modes, out),
        KeyCode::Home => encode_cursor(b'H', held, modes, out),
        KeyCode::Insert => encode_tilde(2, held, out),
        KeyCode::Delete => encode_tilde(3, held, out),
        KeyCode::PageUp => encode_tilde(5, held, out),
        KeyCode::PageDown => encode_tilde(6, held, out),
        KeyCode::Function(n @ 1..=4) if modes.is_vt52 => out.extend([0x1b, b'P' + n - 1]),
        KeyCode::Function(n @ 1..=4) => match held.is_empty() {
            true => out.extend([0x1b, b'O', b'P' + n - 1]),
            false => {
                push(out, format_args!("\x1b[1;{}{}", parameter(held), char::from(b'P' + n - 1)));
            }
        },
        KeyCode::Function(n) => {
            let number = match n {
                5 => 15,
                6..=10 => n + 11,
                11..=14 => n + 12,
                15 | 16 => n + 13,
                17..=20 => n + 14,
                _ => return,
            };
            encode_tilde(number, held, out);
        }
        KeyCode::Keypad(c) if modes.application_keypad => {
            let last = if c == '\r' { b'M' } else { (c as u8).wrapping_add(0x40) };
            out.extend([0x1b, if modes.is_vt52 { b'?' } else { b'O' }, last]);
        }
        KeyCode::Char(c) | KeyCode::Keypad(c) => encode_char(c, held, modes, out),
        KeyCode::Any => {}
    }
}

/// xterm's modifier parameter.
fn parameter(held: Modifiers) -> u8 {
    1 + u8::from(held.contains(Modifiers::SHIFT))
        + 2 * u8::from(held.contains(Modifiers::META))
        + 4 * u8::from(held.contains(Modifiers::CTRL))
}

fn push(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    use std::io::Write;
    out.write_fmt(text).expect("writing to a Vec cannot fail");
}

fn encode_cursor(last: u8, held: Modifiers, modes: KeyModes, out: &mut Vec<u8>) {
    if modes.is_vt52 {
        // It has no parameters to tell what is held.
        out.extend([0x1b, last]);
    } else if !held.is_empty() {
        push(out, format_args!("\x1b[1;{}{}", parameter(held), char::from(last)));
    } else if modes.application_cursor {
        out.extend([0x1b, b'O', last]);
    } else {
        out.extend([0x1b, b'[', last]);
    }
}

fn encode_tilde(number: u8, held: Modifiers, out: &mut Vec<u8>) {
    if held.is_empty() {
        push(out, format_args!("\x1b[{number}~"));
    } else {
        push(out, format_args!("\x1b[{number};{}~", parameter(held)));
    }
}

/// Backspace is DEL or, with DECBKM, BS; Ctrl makes it the other one.
fn encode_backspace(held: Modifiers, modes: KeyModes, out: &mut Vec<u8>) {
    let is_bs = held.contains(Modifiers::CTRL) != modes.backspace_is_bs;
    encode_c0(if is_bs { 0x08 } else { 0x7f }, 127, held, modes, out);
}

/// Keys that are one C0 byte of their own. Enter, Tab and Backspace stay that byte while unmodified
/// even where keys are disambiguated, so that a shell left in that mode by a crash can be used.
fn encode_c0(byte: u8, code: u32, held: Modifiers, modes: KeyModes, out: &mut Vec<u8>) {
    let is_escape = byte == 0x1b;
    if modes.disambiguate && (is_escape || !held.is_empty()) {
        return encode_u(code, held, out);
    }
    if held.contains(Modifiers::META) {
        out.push(0x1b);
    }
    out.push(byte);
}

fn encode_u(code: u32, held: Modifiers, out: &mut Vec<u8>) {
    if held.is_empty() {
        push(out, format_args!("\x1b[{code}u"));
    } else {
        push(out, format_args!("\x1b[{code};{}u", parameter(held)));
    }
}

fn encode_char(c: char, held: Modifiers, modes: KeyModes, out: &mut Vec<u8>) {
    let beyond_shift = held.intersects(Modifiers::CTRL | Modifiers::META);
    if modes.disambiguate && beyond_shift {
        return encode_u(u32::from(c), held, out);
    }
    if held.contains(Modifiers::META) {
        out.push(0x1b);
    }
    let byte = held.contains(Modifiers::CTRL).then(|| control_byte(c)).flatten();
    match byte {
        Some(byte) => out.push(byte),
        None => out.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

/// The C0 byte that Ctrl makes of a character, as a VT keyboard does; digits as xterm.
fn control_byte(c: char) -> Option<u8> {
    Some(match c {
        'a'..='z' => c as u8 - 0x60,
        '@'..='_' => c as u8 - 0x40,
        ' ' | '2' => 0x00,
        '3'..='7' => c as u8 - b'3' + 0x1b,
        '8' | '?' => 0x7f,
        '/' => 0x1f,
        _ => return None,
    })
}

/// Appends the report of a mouse event at (`x`, `y`) of the pane, in SGR form or, without
/// `sgr`, in X10 bytes (positions past 223 cannot be said and are left out).
pub(crate) fn encode_mouse(
    event: MouseEvent,
    (x, y): (u16, u16),
    (tracking, sgr): (MouseTracking, bool),
    out: &mut Vec<u8>,
) {
    let is_motion = event.action == MouseAction::Motion;
    let is_bare = event.button == MouseButton::None;
    let wanted = match tracking {
        MouseTracking::Off => false,
        MouseTracking::Buttons => !is_motion,
        MouseTracking::Drag => !is_motion || !is_bare,
        MouseTracking::Any => true,
    };
    if !wanted {
        return;
    }
    let mut flags = match event.button {
        MouseButton::Left => 0u16,
        MouseButton::Middle => 1,
        MouseButton::Right => 2,
        MouseButton::None => 3,
        MouseButton::WheelUp => 64,
        MouseButton::WheelDown => 65,
    };
    flags += 4 * u16::from(event.modifiers.contains(Modifiers::SHIFT))
        + 8 * u16::from(event.modifiers.contains(Modifiers::META))
        + 16 * u16::from(event.modifiers.contains(Modifiers::CTRL))
        + 32 * u16::from(event.action == MouseAction::Motion);
    if sgr {
        let last = if event.action == MouseAction::Release { 'm' } else { 'M' };
        push(out, format_args!("\x1b[<{flags};{};{}{last}", x + 1, y + 1));
    } else if x < 223 && y < 223 {
        let flags = if event.action == MouseAction::Release { flags | 3 } else { flags };
        out.extend([0x1b, b'[', b'M', flags as u8 + 32, x as u8 + 33, y as u8 + 33]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::input::{InputDecoder, InputEvent};

    fn encoded(code: KeyCode, held: Modifiers, modes: KeyModes) -> Vec<u8> {
        let mut out = Vec::new();
        encode_key(Key { code, modifiers: held }, modes, &mut out);
        out
    }

    #[test]
    fn modes_of_the_pane_choose_the_bytes() {
        let plain = KeyModes::default();
        let cursor = KeyModes { application_cursor: true, ..plain };
        let kitty = KeyModes { disambiguate: true, ..plain };
        let backspace = KeyModes { backspace_is_bs: true, ..plain };
        let vt52 = KeyModes { is_vt52: true, ..cursor };
        let vt52_keypad = KeyModes { application_keypad: true, ..vt52 };
        let none = Modifiers::empty();
        for (code, held, modes, bytes) in [
            (KeyCode::Up, none, plain, &b"\x1b[A"[..]),
            (KeyCode::Up, none, cursor, b"\x1bOA"),
            (KeyCode::Up, Modifiers::CTRL, cursor, b"\x1b[1;5A"),
            (KeyCode::Char('c'), Modifiers::CTRL, plain, b"\x03"),
            (KeyCode::Char('c'), Modifiers::CTRL, kitty, b"\x1b[99;5u"),
            (KeyCode::Char('c'), none, kitty, b"c"),
            (KeyCode::Enter, Modifiers::SHIFT, kitty, b"\x1b[13;2u"),
            (KeyCode::Enter, Modifiers::SHIFT, plain, b"\r"),
            (KeyCode::Enter, none, kitty, b"\r"),
            (KeyCode::Escape, none, plain, b"\x1b"),
            (KeyCode::Char('x'), Modifiers::META, plain, b"\x1bx"),
            (KeyCode::Function(5), none, plain, b"\x1b[15~"),
            (KeyCode::Char(' '), Modifiers::CTRL, plain, b"\x00"),
            (KeyCode::Backspace, none, plain, b"\x7f"),
            (KeyCode::Backspace, Modifiers::CTRL, plain, b"\x08"),
            (KeyCode::Backspace, none, backspace, b"\x08"),
            (KeyCode::Backspace, Modifiers::META, backspace, b"\x1b\x08"),
            (KeyCode::Backspace, Modifiers::CTRL, backspace, b"\x7f"),
            (KeyCode::Up, none, vt52, b"\x1bA"),
            (KeyCode::Left, Modifiers::CTRL, vt52, b"\x1bD"),
            (KeyCode::Home, none, vt52, b"\x1bH"),
            (KeyCode::Function(1), none, vt52, b"\x1bP"),
            (KeyCode::Function(4), Modifiers::SHIFT, vt52, b"\x1bS"),
            (KeyCode::Function(5), none, vt52, b"\x1b[15~"),
            (KeyCode::Keypad('5'), none, vt52, b"5"),
            (KeyCode::Keypad('5'), none, vt52_keypad, b"\x1b?u"),
            (KeyCode::Keypad('\r'), none, vt52_keypad, b"\x1b?M"),
        ] {
            assert_eq!(encoded(code, held, modes), bytes, "{code:?} {held:?}");
        }
    }

    /// What is encoded for a pane decodes to the same key again, as it must for ccmux in ccmux.
    #[test]
    fn encoded_keys_decode_to_themselves() {
        let codes = [
            KeyCode::Char('q'),
            KeyCode::Enter,
            KeyCode::Tab,
            KeyCode::Backspace,
            KeyCode::Up,
            KeyCode::Home,
            KeyCode::PageDown,
            KeyCode::Delete,
            KeyCode::Function(1),
            KeyCode::Function(12),
        ];
        for code in codes {
            for held in [Modifiers::empty(), Modifiers::META] {
                let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
                decoder.feed(&encoded(code, held, KeyModes::default()), &mut out);
                decoder.flush(&mut out);
                assert_eq!(out, [InputEvent::Key(Key { code, modifiers: held })]);
            }
        }
    }

    #[test]
    fn mouse_reports_only_what_was_asked_for() {
        let event = MouseEvent {
            x: 0,
            y: 0,
            button: MouseButton::Left,
            action: MouseAction::Motion,
            modifiers: Modifiers::empty(),
        };
        for (tracking, expected) in [
            (MouseTracking::Off, &b""[..]),
            (MouseTracking::Buttons, b""),
            (MouseTracking::Drag, b"\x1b[<32;5;3M"),
        ] {
            let mut out = Vec::new();
            encode_mouse(event, (4, 2), (tracking, true), &mut out);
            assert_eq!(out, expected, "{tracking:?}");
        }
    }
}
