//! The keyframe law, and what damaged keyframes do.

use crate::support::{replies, size, stream};
use ccmux_term::{Size, Terminal};
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

    #[test]
    fn a_restored_keyframe_resizes_alike(
        size in size(),
        bytes in stream(40),
        new_size in size(),
        after in stream(10),
    ) {
        let mut whole = Terminal::new(size);
        whole.advance(&bytes);
        whole.take_events();
        whole.release_history(whole.history_end());
        let mut restored = Terminal::restore(&whole.keyframe()).expect("restores its own keyframe");
        for terminal in [&mut whole, &mut restored] {
            terminal.resize(new_size);
            terminal.advance(&after);
        }
        prop_assert!(restored == whole, "differs after the resize");
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
        let keyframe = [b"ccKF\x03".as_slice(), &bytes].concat();
        if let Ok(mut terminal) = Terminal::restore(&keyframe) {
            terminal.advance(b"hello");
        }
    }
}

/// A chunk border may fall into anything; one stream with everything is cut at every byte.
#[test]
fn the_law_holds_at_every_byte_of_a_rich_stream() {
    let bytes = "\x1b]8;id=x;http://e\x07li\x1b]8;id=x;http://e\x07nk\x1b]8;;\x07日\x1b[1;38:2::1:2:3mb\u{301}👩‍💻\r\n\x1b]2;title\x1b\\\
                 \x1b[?1049h\x1b[2;3Halt\x1b[?1049l\x1bP$qm\x1b\\\x1b_x\x1b\\\x1b[2;4r\x1b[?6h\n\n\n\n\x1b(0qx\x1b(B\
                 \x1b[>5u\x1b[4 q\x1b[r\x1b[9;1H\r\n\n\n\n0123456789012345678901234567890123456789";
    for at in 0..=bytes.len() {
        check_law(Size { cols: 12, rows: 4 }, bytes.as_bytes(), at).expect("the law holds");
    }
}

/// A keyframe of format version 2: two pens, margins, a title stack, one recent line.
const VERSION_2: &str = "63634b46020c030001110101000774776f0001000b746872656500010009666f757200010001000100010101\
         0101020000010000010000000000000000000000000000000000000001066f6e650102000001000001000102\
         00b0180000000000000000000011010109010203000000e5cb9707000178026963010274690269630100";

#[test]
fn keyframes_of_the_version_before_are_read() {
    let bytes: Vec<u8> = (0..VERSION_2.len() / 2)
        .map(|at| u8::from_str_radix(&VERSION_2[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect();
    assert!(bytes.starts_with(b"ccKF\x02"));
    let restored = Terminal::restore(&bytes).expect("the version before is read");
    let mut expected = Terminal::new(Size { cols: 12, rows: 3 });
    expected.advance(
        "one\r\n\x1b[1;31mtwo\r\nthree\r\nfour\x1b[2;3r\x1b[?2004h\x1b]2;ti\x07\x1b]1;ic\x07\x1b[22t\
         \x1b]2;x\x07\x1b)0\x0e\x1b[5G\x1bH\x1b[3;2H\x1b7\x1b]4;9;#010203\x07"
            .as_bytes(),
    );
    expected.take_events();
    expected.release_history(expected.history_end());
    assert!(restored == expected, "differs from what was written");
}
