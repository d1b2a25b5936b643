//! The parser against the `vte` crate, an independent implementation of the same state machine.
//!
//! Where the two differ by intent the streams here do not go: `vte` dispatches strings that CAN,
//! SUB or a foreign escape sequence cut off, prints DEL, executes C1 controls encoded in UTF-8,
//! ends strings at 0x9c, has no colons in DCS heads and gives up parameters when there are too many.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Params, Parser, Perform, Terminator};

/// What either parser did, in one vocabulary.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Action {
    Print(char),
    Execute(u8),
    Esc(Vec<u8>, u8),
    Csi(Vec<Vec<u16>>, Vec<u8>, u8),
    Osc(Vec<u8>),
    Dcs(Vec<Vec<u16>>, Vec<u8>, u8, Vec<u8>),
}

#[derive(Default)]
struct Ours(Vec<Action>);

fn groups(params: &Params) -> Vec<Vec<u16>> {
    let mut groups: Vec<Vec<u16>> = Vec::new();
    for (index, &value) in params.values().iter().enumerate() {
        match groups.last_mut() {
            Some(group) if params.is_sub(index) => group.push(value),
            _ => groups.push(vec![value]),
        }
    }
    groups
}

impl Perform for Ours {
    fn print_ascii(&mut self, text: &[u8]) {
        self.0.extend(text.iter().map(|&byte| Action::Print(char::from(byte))));
    }

    fn print(&mut self, text: &[char]) {
        self.0.extend(text.iter().copied().map(Action::Print));
    }

    fn execute(&mut self, byte: u8) {
        self.0.push(Action::Execute(byte));
    }

    fn esc(&mut self, intermediates: &[u8], last: u8) {
        self.0.push(Action::Esc(intermediates.to_vec(), last));
    }

    fn csi(&mut self, params: &Params, intermediates: &[u8], last: u8) {
        self.0.push(Action::Csi(groups(params), intermediates.to_vec(), last));
    }

    fn osc(&mut self, text: &[u8], terminator: Terminator) {
        self.0.push(Action::Osc(text.to_vec()));
        // `vte` sees the backslash of the string terminator as a sequence of its own.
        if terminator == Terminator::St {
            self.0.push(Action::Esc(Vec::new(), b'\\'));
        }
    }

    fn apc(&mut self, _text: &[u8]) {
        // All that `vte` sees of it.
        self.0.push(Action::Esc(Vec::new(), b'\\'));
    }

    fn has_8bit_controls(&self) -> bool {
        false
    }

    fn dcs(&mut self, params: &Params, intermediates: &[u8], last: u8, text: &[u8]) {
        self.0.push(Action::Dcs(groups(params), intermediates.to_vec(), last, text.to_vec()));
        self.0.push(Action::Esc(Vec::new(), b'\\'));
    }
}

#[derive(Default)]
struct Theirs(Vec<Action>);

impl vte::Perform for Theirs {
    fn print(&mut self, c: char) {
        self.0.push(Action::Print(c));
    }

    fn execute(&mut self, byte: u8) {
        self.0.push(Action::Execute(byte));
    }

    fn hook(&mut self, params: &vte::Params, intermediates: &[u8], _ignore: bool, action: char) {
        let params = params.iter().map(<[u16]>::to_vec).collect();
        self.0.push(Action::Dcs(params, intermediates.to_vec(), action as u8, Vec::new()));
    }

    fn put(&mut self, byte: u8) {
        match self.0.last_mut() {
            Some(Action::Dcs(.., text)) => text.push(byte),
            last => panic!("put after {last:?}"),
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], _bell_terminated: bool) {
        self.0.push(Action::Osc(params.join(&b';')));
    }

    fn csi_dispatch(&mut self, params: &vte::Params, intermediates: &[u8], ignore: bool, c: char) {
        if !ignore {
            let params = params.iter().map(<[u16]>::to_vec).collect();
            self.0.push(Action::Csi(params, intermediates.to_vec(), c as u8));
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], ignore: bool, byte: u8) {
        if !ignore {
            self.0.push(Action::Esc(intermediates.to_vec(), byte));
        }
    }
}

/// In UTF-8 a C1 control begins with this byte: what follows it here is Latin.
fn no_c1(byte: u8) -> u8 {
    if byte == 0xc2 { 0xc3 } else { byte }
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let osc = ("[ -~é]{0,20}", select(vec!["\x07", "\x1b\\"]))
        .prop_map(|(text, end)| format!("\x1b]{text}{end}").into_bytes());
    let dcs = "[0-9;]{0,6}[ -/]{0,2}[@-~][ -~]{0,20}"
        .prop_map(|text| format!("\x1bP{text}\x1b\\").into_bytes());
    prop_oneof![
        4 => "[ -~]{0,40}".prop_map(String::into_bytes),
        2 => "[é日😀\u{301}]{0,6}".prop_map(String::into_bytes),
        3 => "\x1b\\[[<-?]?[0-9;:]{0,12}[ -/]{0,3}[@-~]".prop_map(String::into_bytes),
        2 => "\x1b[ -/]{0,3}[0-Z`-~]".prop_filter("opens a string", |text| {
            !matches!(text.as_bytes(), [0x1b, b'P' | b'X' | b']' | b'^' | b'_'])
        }).prop_map(String::into_bytes),
        // Sequences with controls, broken or cut off in the middle.
        3 => "\x1b\\[[0-?\x01-\x1a]{0,8}[ -~]?".prop_map(String::into_bytes),
        1 => osc,
        1 => dcs,
        1 => "\x1b[X^_][ -~]{0,12}\x1b\\\\".prop_map(String::into_bytes),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn does_what_vte_does(parts in proptest::collection::vec(fragment(), 0..12), cut in 1_usize..40) {
        let bytes = parts.concat();
        let mut theirs = Theirs::default();
        vte::Parser::new().advance(&mut theirs, &bytes);
        let mut ours = Ours::default();
        let mut parser = Parser::new();
        for chunk in bytes.chunks(cut) {
            parser.advance(&mut ours, chunk);
        }
        prop_assert_eq!(ours.0, theirs.0, "{:?}", bytes.escape_ascii().to_string());
    }

    #[test]
    fn replaces_malformed_text_as_the_standard_library_does(
        bytes in proptest::collection::vec(prop_oneof![3 => (0x80..=0xff_u8).prop_map(no_c1), 1 => 0x20..0x7f_u8], 0..40),
        cut in 1_usize..8,
    ) {
        let mut ours = Ours::default();
        let mut parser = Parser::new();
        for chunk in bytes.chunks(cut) {
            parser.advance(&mut ours, chunk);
        }
        // An end that may still become a character is not printed yet.
        parser.advance(&mut ours, b".");
        let expected = [&bytes[..], b"."].concat();
        let expected: Vec<_> =
            String::from_utf8_lossy(&expected).chars().map(Action::Print).collect();
        prop_assert_eq!(ours.0, expected);
    }
}
