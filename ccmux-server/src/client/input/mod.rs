//! Decoding what a client's terminal sends: keys, mouse, pastes, focus.
//!
//! A terminal's input is a byte stream without frames: one read may end in the middle of an escape
//! sequence, and a lone Escape looks like the start of one. The decoder keeps what is incomplete
//! and says so ([`InputDecoder::is_waiting`]); the event loop calls [`InputDecoder::flush`] once
//! `escape-time` has passed. Everything is bounded: an over-long sequence is dropped whole.
//!
//! Sources: xterm's "Control Sequences", the kitty keyboard protocol, ECMA-48.

mod sequence;

use ccmux_core::key::{Key, Modifiers};
use ccmux_term::CellSize;

use self::sequence::{CLIPBOARD, Step, step};

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
    /// The terminal answers what is in its clipboard (OSC 52).
    Clipboard(Vec<u8>),
    /// The terminal answers what it can do.
    Answer(TerminalAnswer),
}

/// What a terminal says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TerminalAnswer {
    /// DA1.
    Attributes {
        /// Whether it shows sixels.
        has_sixel: bool,
    },
    /// How many pixels a cell has (XTWINOPS 16).
    Cell(CellSize),
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

impl InputDecoder {
    /// Decodes `bytes` after what was left over before; appends events to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<InputEvent>) {
        self.pending.extend_from_slice(bytes);
        self.decode(false, out);
    }

    /// Whether bytes are held back that could be a whole key, such as a lone Escape. The contents of a
    /// clipboard take their time: what is left of them is no key, however late it comes.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.is_empty() && !self.pasting && !self.pending.starts_with(CLIPBOARD)
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

#[cfg(test)]
mod tests {
    use ccmux_core::key::KeyCode;

    use super::sequence::{SEQUENCE_MAX, key};
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

    #[test]
    fn a_terminal_says_what_it_can_do() {
        let attributes = |has_sixel| TerminalAnswer::Attributes { has_sixel };
        let cell = TerminalAnswer::Cell(CellSize { width: 10, height: 20 });
        for (bytes, answer) in [
            (&b"\x1b[?62;4;22c"[..], attributes(true)),
            (b"\x1b[?1;2;4c", attributes(true)),
            (b"\x1b[?64;1;14;44c", attributes(false)),
            (b"\x1b[?4;1c", attributes(false)),
            (b"\x1b[6;20;10t", cell),
        ] {
            assert_eq!(decode(&[bytes]), [InputEvent::Answer(answer)], "{bytes:?}");
        }
        for nothing in
            [&b"\x1b[6;0;10t"[..], b"\x1b[6;9999;10t", b"\x1b[6t", b"\x1b[8;24;80t", b"\x1b[>4;4c"]
        {
            assert_eq!(decode(&[nothing]), [], "{nothing:?}");
        }
    }

    /// The rest of a clipboard that came late was typed into the pane.
    #[test]
    fn the_contents_of_a_clipboard_are_waited_for() {
        for whole in [&b"\x1b]52;c;aGVsbG8=\x07q"[..], b"\x1b]52;;aGVsbG8=\x1b\\q"] {
            for cut in CLIPBOARD.len()..whole.len() - 2 {
                let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
                decoder.feed(&whole[..cut], &mut out);
                assert!(out.is_empty() && !decoder.is_waiting(), "cut at {cut}: {out:?}");
                decoder.feed(&whole[cut..], &mut out);
                let typed = key(KeyCode::Char('q'), Modifiers::empty());
                assert_eq!(out, [InputEvent::Clipboard(b"hello".to_vec()), typed], "at {cut}");
            }
        }
        assert_eq!(decode(&[b"\x1b]52;c;?!\x07"]), []);
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
