//! How much room keyframes take.

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_term::{LineTime, Size, Terminal};

use crate::persistence::scrollback::compress::Compressor;
use crate::persistence::scrollback::keyframe::Keyframe;
use crate::persistence::scrollback::layout::StreamPosition;

const SHELL: &[u8] = include_bytes!("../../../../../ccmux-term/tests/recordings/shell.bin");
const VIM: &[u8] = include_bytes!("../../../../../ccmux-term/tests/recordings/vim.bin");

/// A keyframe is written whenever output pauses, for every pane: it has to be small.
#[test]
fn keyframes_of_everyday_screens_are_below_4_kib() {
    let mut compressor = Compressor::new().unwrap();
    for (name, recordings) in [
        ("a shell", [SHELL, &[]]),
        ("an editor", [VIM, &[]]),
        ("an editor in a shell", [SHELL, VIM]),
    ] {
        let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
        for (second, piece) in recordings.concat().chunks(50).enumerate() {
            terminal.set_time(LineTime::from_millis(1_700_000_000_000 + second as u64 * 1000));
            terminal.advance(piece);
        }
        let keyframe = Keyframe {
            position: StreamPosition::default(),
            history: 0..terminal.history_sealed_end(),
            has_note: true,
            time: Timestamp(1),
            bytes: terminal.keyframe(),
        };
        let pane = PaneUuid(uuid::Uuid::from_u128(7));
        let len = keyframe.encode(pane, &mut compressor).unwrap().len();
        assert!(len > 500, "{name}: {len} bytes cannot hold it");
        assert!(len < 4096, "{name}: {len} bytes");
    }
}
