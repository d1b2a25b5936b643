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

use self::sequence::{ANSWERS, CLIPBOARD, Step, step};

/// A paste is handed on in pieces of at most this size.
const PASTE_PIECE_MAX: usize = 16 * 1024;
const PASTE_END: &[u8] = b"\x1b[201~";
const ESC: u8 = 0x1b;

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
    /// The terminal answers what it is called (XTVERSION).
    Version(Vec<u8>),
    /// The terminal answers which extensions it has (DA1): the parameters.
    Extensions(Vec<u16>),
    /// The terminal answers how many pixels a cell has (XTWINOPS 16).
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
    /// The terminal was asked what it is, and has not given the last of the answers.
    awaits_answers: bool,
    /// What was taken as it stood although an answer may begin so.
    cut: Vec<u8>,
}

impl InputDecoder {
    /// Decodes `bytes` after what was left over before; appends events to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<InputEvent>) {
        let cut = std::mem::take(&mut self.cut);
        if !cut.is_empty() {
            // The key that it was taken for is gone, but what follows is none.
            let whole = [&cut, bytes].concat();
            if ANSWERS.iter().any(|answer| whole.starts_with(answer)) {
                self.pending = cut;
            }
        }
        self.pending.extend_from_slice(bytes);
        self.decode(false, out);
    }

    /// The terminal was asked what it is. Until it has answered DA1, which comes last, the beginning of
    /// an answer is waited for however long it takes.
    pub(crate) fn await_answers(&mut self) {
        self.awaits_answers = true;
    }

    /// Whether the terminal was asked what it is, and has not answered all of it.
    pub(crate) fn awaits_answers(&self) -> bool {
        self.awaits_answers
    }

    /// Whether bytes are held back that could be a whole key, such as a lone Escape. The contents of a
    /// clipboard and answers that are awaited take their time: what is left of them is no key, however
    /// late it comes.
    pub(crate) fn is_waiting(&self) -> bool {
        let begins = |start: &&[u8]| self.pending.starts_with(start);
        let is_patient = begins(&CLIPBOARD) || self.awaits_answers && ANSWERS.iter().any(begins);
        !self.pending.is_empty() && !self.pasting && !is_patient
    }

    /// Takes what is held back as it stands: nothing more came in time.
    pub(crate) fn flush(&mut self, out: &mut Vec<InputEvent>) {
        let may_be_cut = |answer: &&[u8]| answer.starts_with(&self.pending);
        if self.awaits_answers && ANSWERS.iter().any(may_be_cut) {
            self.cut.clone_from(&self.pending);
        }
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
                    match event {
                        Some(InputEvent::PasteStart) => self.pasting = true,
                        Some(InputEvent::Extensions(_)) => self.awaits_answers = false,
                        _ => {}
                    }
                    out.extend(event);
                }
                Step::Incomplete => break,
            }
        }
        self.pending.drain(..taken);
    }

    /// Hands on paste bytes from `from`; returns how many were used. Answers that are awaited are none
    /// of it.
    fn take_paste(&mut self, from: usize, out: &mut Vec<InputEvent>) -> usize {
        let rest = &self.pending[from..];
        let (mut data, mut at) = (Vec::new(), 0);
        while let Some(next) = memchr::memchr(ESC, &rest[at..]) {
            data.extend_from_slice(&rest[at..at + next]);
            at += next;
            let tail = &rest[at..];
            let is_cut = |mark: &&[u8]| tail.len() < mark.len() && mark.starts_with(tail);
            let begins = |start: &&[u8]| tail.starts_with(start);
            if tail.starts_with(PASTE_END) {
                self.pasting = false;
                at += PASTE_END.len();
                break;
            }
            if is_cut(&PASTE_END) || self.awaits_answers && ANSWERS.iter().any(is_cut) {
                hand_on(&data, out);
                return at;
            }
            if self.awaits_answers && ANSWERS.iter().any(begins) {
                match step(tail, false) {
                    Step::Taken(len, Some(event)) if event.is_answer() => {
                        hand_on(&std::mem::take(&mut data), out);
                        self.awaits_answers &= !matches!(event, InputEvent::Extensions(_));
                        out.push(event);
                        at += len;
                        continue;
                    }
                    Step::Incomplete => {
                        hand_on(&data, out);
                        return at;
                    }
                    Step::Taken(..) => {}
                }
            }
            data.push(ESC);
            at += 1;
        }
        if self.pasting {
            data.extend_from_slice(&rest[at..]);
            at = rest.len();
        }
        hand_on(&data, out);
        if !self.pasting {
            out.push(InputEvent::PasteEnd);
        }
        at
    }
}

fn hand_on(paste: &[u8], out: &mut Vec<InputEvent>) {
    out.extend(paste.chunks(PASTE_PIECE_MAX).map(|part| InputEvent::PasteData(part.to_vec())));
}

impl InputEvent {
    /// Whether it is an answer of the terminal to the questions what it is.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self, InputEvent::Version(_) | InputEvent::Extensions(_) | InputEvent::Cell(_))
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

    /// Each was once looked at with all those behind it, one call deeper for each: 10,000 of them ended
    /// the server.
    #[test]
    fn any_number_of_escapes_are_so_many_keys() {
        const ESCAPES: usize = 1 << 20;
        let mut bytes = vec![ESC; ESCAPES];
        bytes.extend_from_slice(b"[A");
        let events = decode(&[&bytes]);
        assert_eq!(events.len(), ESCAPES - 1);
        let (last, before) = events.split_last().unwrap();
        let escape = key(KeyCode::Escape, Modifiers::empty());
        assert!(before.iter().all(|event| *event == escape));
        assert_eq!(*last, key(KeyCode::Up, Modifiers::META));
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
    fn a_terminal_says_how_large_its_cells_are() {
        let cell = InputEvent::Cell(CellSize { width: 10, height: 20 });
        assert_eq!(decode(&[b"\x1b[6;20;10t"]), [cell]);
        for nothing in [&b"\x1b[6;0;10t"[..], b"\x1b[6;9999;10t", b"\x1b[6t", b"\x1b[8;24;80t"] {
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

    /// Goal: no byte of an answer becomes a key. Method: cut it anywhere, and let time pass there.
    #[test]
    fn answers_are_no_keys_however_late_they_come() {
        for whole in [
            &b"\x1bP>|XTerm(390)\x1b\\\x1b[6;20;10t\x1b[?64;1;21cq"[..],
            b"\x1bP>|XTerm(390)\x07\x1b[6;20;10t\x1b[?64;1;21cq",
        ] {
            for cut in 0..whole.len() - 1 {
                let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
                decoder.await_answers();
                decoder.feed(&whole[..cut], &mut out);
                if decoder.is_waiting() {
                    decoder.flush(&mut out);
                }
                // What looks like a key until more comes: Escape, Meta-P, Meta-[.
                let is_key = |event: &InputEvent| matches!(event, InputEvent::Key(_));
                let keys = out.iter().filter(|event| is_key(event)).count();
                let may_be_key = [&b"\x1b"[..], b"\x1bP", b"\x1b["]
                    .iter()
                    .any(|start| whole[..cut].ends_with(start));
                assert!(keys <= usize::from(may_be_key), "cut at {cut}: {out:?}");
                out.retain(|event| !is_key(event));
                decoder.feed(&whole[cut..], &mut out);
                let expected = [
                    InputEvent::Version(b"XTerm(390)".to_vec()),
                    InputEvent::Cell(CellSize { width: 10, height: 20 }),
                    InputEvent::Extensions(vec![64, 1, 21]),
                    key(KeyCode::Char('q'), Modifiers::empty()),
                ];
                assert_eq!(out, expected, "cut at {cut}");
                decoder.feed(b"\x1b[?", &mut out);
                assert!(decoder.is_waiting(), "nothing is awaited any more");
            }
        }
    }

    /// Goal: an answer that comes while somebody pastes is none of the paste. Method: cut anywhere.
    #[test]
    fn answers_are_taken_out_of_a_paste() {
        let whole =
            b"\x1b[200~a\x1b\x1b[1mb\x1bP>|XTerm(390)\x1b\\c\x1b[?64;21cd\x1b[?1ce\x1b[201~q";
        for cut in 0..whole.len() {
            let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
            decoder.await_answers();
            decoder.feed(&whole[..cut], &mut out);
            decoder.feed(&whole[cut..], &mut out);
            let (answers, rest): (Vec<_>, Vec<_>) =
                out.into_iter().partition(InputEvent::is_answer);
            let version = InputEvent::Version(b"XTerm(390)".to_vec());
            assert_eq!(answers, [version, InputEvent::Extensions(vec![64, 21])], "cut at {cut}");
            let expected = [
                InputEvent::PasteStart,
                // Behind the last answer nothing is awaited.
                InputEvent::PasteData(b"a\x1b\x1b[1mbcd\x1b[?1ce".to_vec()),
                InputEvent::PasteEnd,
                key(KeyCode::Char('q'), Modifiers::empty()),
            ];
            assert_eq!(join_pastes(rest), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_key_while_answers_are_awaited_is_one() {
        for (typed, later, expected) in [
            (
                &b"\x1b"[..],
                &b"x"[..],
                [
                    key(KeyCode::Escape, Modifiers::empty()),
                    key(KeyCode::Char('x'), Modifiers::empty()),
                ],
            ),
            (
                b"\x1bP",
                b"x",
                [
                    key(KeyCode::Char('P'), Modifiers::META),
                    key(KeyCode::Char('x'), Modifiers::empty()),
                ],
            ),
            (
                b"\x1b",
                b"\x1b[A",
                [key(KeyCode::Escape, Modifiers::empty()), key(KeyCode::Up, Modifiers::empty())],
            ),
        ] {
            let (mut decoder, mut out) = (InputDecoder::default(), Vec::new());
            decoder.await_answers();
            decoder.feed(typed, &mut out);
            assert!(decoder.is_waiting());
            decoder.flush(&mut out);
            decoder.feed(later, &mut out);
            assert_eq!(out, expected);
        }
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
