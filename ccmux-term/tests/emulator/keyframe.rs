//! The keyframe law, and what damaged keyframes do.

use crate::support::{replies, size, stream};
use ccmux_term::{CellSize, LineTime, Size, Terminal};
use proptest::prelude::*;

/// Goal: the keyframe law. Method: run a stream whole; run it again with a keyframe taken and
/// restored at any byte; compare every field and every reply.
fn check_law(size: Size, bytes: &[u8], at: usize) -> Result<(), TestCaseError> {
    let (before, after) = bytes.split_at(at);
    let mut whole = Terminal::new(size);
    whole.advance(before);
    let end = whole.history_sealed_end();
    whole.take_events();
    let mut restored = Terminal::restore(&whole.keyframe()).expect("restores its own keyframe");
    whole.release_history(end);
    prop_assert!(restored == whole, "differs from the terminal that went on");

    whole.advance(after);
    restored.advance(after);
    prop_assert_eq!(replies(&mut restored), replies(&mut whole));
    whole.take_events();
    restored.take_events();
    prop_assert!(restored == whole, "differs from the terminal that went on");
    prop_assert_eq!(restored.text(), whole.text());

    let mut uncut = Terminal::new(size);
    uncut.advance(bytes);
    uncut.take_events();
    uncut.release_history(end);
    prop_assert!(restored == uncut, "differs from the terminal fed at once");
    Ok(())
}

/// An input of a terminal.
#[derive(Clone, Debug)]
enum Input {
    Bytes(Vec<u8>),
    Resize(Size),
    Time(LineTime),
    Trim,
    Clear,
    Reset,
    ScrollOnClear(bool),
    Title(String),
    TitleReports(bool),
    HistoryLimit(Option<u64>),
    SkipHistory(u64),
    Colors(u8),
    EndSynchronizedOutput,
    Cell(u16),
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        10 => stream(12).prop_map(Input::Bytes),
        4 => size().prop_map(Input::Resize),
        3 => (0_u64..5000).prop_map(|millis| Input::Time(LineTime::from_millis(millis))),
        1 => Just(Input::Trim),
        1 => Just(Input::Clear),
        1 => Just(Input::Reset),
        1 => any::<bool>().prop_map(Input::ScrollOnClear),
        1 => "[a-z]{0,5}".prop_map(Input::Title),
        1 => any::<bool>().prop_map(Input::TitleReports),
        1 => proptest::option::of(0_u64..9).prop_map(Input::HistoryLimit),
        1 => (0_u64..40).prop_map(Input::SkipHistory),
        1 => any::<u8>().prop_map(Input::Colors),
        1 => Just(Input::EndSynchronizedOutput),
        1 => (1_u16..40).prop_map(Input::Cell),
    ]
}

fn apply(terminal: &mut Terminal, input: &Input) {
    match input {
        Input::Bytes(bytes) => terminal.advance(bytes),
        Input::Resize(size) => terminal.resize(*size),
        Input::Time(time) => terminal.set_time(*time),
        Input::Trim => terminal.trim(),
        Input::Clear => terminal.clear_history(),
        Input::Reset => terminal.reset(),
        Input::ScrollOnClear(is_on) => terminal.set_scroll_on_clear(*is_on),
        Input::Title(title) => terminal.set_title(title.as_bytes()),
        Input::TitleReports(are_on) => terminal.set_title_reports(*are_on),
        Input::HistoryLimit(limit) => terminal.set_history_limit(*limit),
        Input::SkipHistory(end) => terminal.skip_history(*end),
        Input::Colors(c) => terminal.set_default_colors((*c, *c, *c), (255 - *c, 0, 0)),
        Input::EndSynchronizedOutput => terminal.end_synchronized_output(),
        Input::Cell(side) => {
            terminal.set_cell_size(CellSize { width: *side, height: 2 * side });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restored_keyframe_goes_on_as_if_nothing_had_happened(
        size in size(),
        bytes in stream(60),
        at in any::<prop::sample::Index>(),
    ) {
        check_law(size, &bytes, at.index(bytes.len() + 1))?;
    }

    /// The law for all inputs that there are: with a keyframe taken between any two of them.
    #[test]
    fn a_restored_keyframe_takes_every_input_alike(
        size in size(),
        inputs in proptest::collection::vec(input(), 1..16),
        at in any::<prop::sample::Index>(),
    ) {
        let (before, after) = inputs.split_at(at.index(inputs.len()));
        let mut whole = Terminal::new(size);
        for input in before {
            apply(&mut whole, input);
        }
        whole.take_events();
        whole.release_history(u64::MAX);
        let mut restored = Terminal::restore(&whole.keyframe()).expect("restores its own keyframe");
        prop_assert!(restored == whole, "differs before anything else came");
        for input in after {
            apply(&mut whole, input);
            apply(&mut restored, input);
            prop_assert!(restored == whole, "differs after {:?}", input);
        }
    }

    /// Damage is found or harmless: whatever restores can be used.
    #[test]
    fn a_damaged_keyframe_never_panics(
        size in size(),
        bytes in stream(30),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
        after in stream(20),
        new_size in size(),
    ) {
        let mut terminal = Terminal::new(size);
        terminal.advance(&bytes);
        let mut keyframe = terminal.keyframe();
        for (at, byte) in damage {
            let at = at.index(keyframe.len());
            keyframe[at] = byte;
        }
        if let Some(cut) = cut {
            keyframe.truncate(cut.index(keyframe.len()));
        }
        if let Ok(mut restored) = Terminal::restore(&keyframe) {
            restored.advance(&after);
            restored.resize(new_size);
            restored.advance(&after);
            restored.screen_lines();
            restored.text();
            Terminal::restore(&restored.keyframe()).expect("restores its own keyframe");
        }
    }

    #[test]
    fn noise_is_no_keyframe(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let keyframe = [b"ccKF\x06".as_slice(), &bytes].concat();
        if let Ok(mut terminal) = Terminal::restore(&keyframe) {
            terminal.advance(b"hello");
        }
    }
}

/// What a shell and an editor printed on a screen of 80x24, cut every so many bytes.
#[test]
fn the_law_holds_anywhere_in_recordings() {
    let recordings: [&[u8]; 2] =
        [include_bytes!("../recordings/shell.bin"), include_bytes!("../recordings/vim.bin")];
    for recording in recordings {
        for at in (0..recording.len()).step_by(61) {
            check_law(Size { cols: 80, rows: 24 }, recording, at).expect("the law holds");
        }
    }
}

/// A chunk border may fall into anything; one stream with everything is cut at every byte.
#[test]
fn the_law_holds_at_every_byte_of_a_rich_stream() {
    let bytes = "\x1b]8;id=x;http://e\x07li\x1b]8;id=x;http://e\x07nk\x1b]8;;\x07日\x1b[1;38:2::1:2:3mb\u{301}👩‍💻\r\n\x1b]2;title\x1b\\\
                 \x1b[?1049h\x1b[2;3Halt\x1b[?1049l\x1bP$qm\x1b\\\x1b_x\x1b\\\x1b[2;4r\x1b[?6h\n\n\n\n\x1b(0qx\x1b(B\
                 \x1b[>5u\x1b[?2027lक्\x1b[?2027sष\x1b[?2027h\u{600}1\x1b[4 q\x1b[r\x1b[9;1H\r\n\n\n\n0123456789012345678901234567890123456789";
    for at in 0..=bytes.len() {
        check_law(Size { cols: 12, rows: 4 }, bytes.as_bytes(), at).expect("the law holds");
    }
}

/// A keyframe of format version 2: two pens, margins, a title stack, one recent line.
const VERSION_2: &str = "63634b46020c030001110101000774776f0001000b746872656500010009666f757200010001000100010101\
         0101020000010000010000000000000000000000000000000000000001066f6e650102000001000001000102\
         00b0180000000000000000000011010109010203000000e5cb9707000178026963010274690269630100";

/// The same of format version 3.
const VERSION_3: &str = "63634b46030c03000111010100000774776f0001000b746872656500010009666f7572000100010001000101\
     0101010200000100000102000000000000000000000002000000000000000001066f6e650102000001000001\
     02000102000b00b0180000000004000000000c0000000000000000110101090102030000000000e5cb970700\
     0178026963010302746902696300010000";

/// The same of format version 5.
const VERSION_5: &str = "63634b46050c0300000111010100000774776f0001000b746872656500010009666f75720001000100010001\
     0000010101010200000100000102000000000000000000000002000000000000000001066f6e650101000102\
     00000100000102000102000b00b098040000000004000000000c000000000000000011010109010203000000\
     0000e5cb970700017802696301030274690269630001000000";

/// Text of what the versions hold.
const WRITTEN: &str = "one\r\n\x1b[1;31mtwo\r\nthree\r\nfour\x1b[2;3r\x1b[?2004h\x1b]2;ti\x07\x1b]1;ic\x07\x1b[22t\
    \x1b]2;x\x07\x1b)0\x0e\x1b[5G\x1bH\x1b[3;2H\x1b7\x1b]4;9;#010203\x07";

#[test]
fn keyframes_of_earlier_versions_are_read() {
    let mut expected = Terminal::new(Size { cols: 12, rows: 3 });
    expected.advance(WRITTEN.as_bytes());
    expected.take_events();
    expected.release_history(expected.history_end());
    for (version, hexadecimal) in [(2, VERSION_2), (3, VERSION_3), (5, VERSION_5)] {
        let bytes: Vec<u8> = (0..hexadecimal.len() / 2)
            .map(|at| {
                u8::from_str_radix(&hexadecimal[2 * at..2 * at + 2], 16).expect("hexadecimal")
            })
            .collect();
        assert_eq!(bytes[..5], [b'c', b'c', b'K', b'F', version]);
        let restored = Terminal::restore(&bytes);
        assert!(restored.as_ref() == Ok(&expected), "{version}: {:x?}", expected.keyframe());
    }
}
