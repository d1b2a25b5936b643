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
