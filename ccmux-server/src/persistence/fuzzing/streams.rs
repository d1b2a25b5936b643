//! What is no file: terminals and what they are given, history lines, and frames of the client's protocol.

use ccmux_protocol::{ClientFrame, Frame, FrameDecoder, ServerFrame, encode};
use ccmux_term::{HistoryFormat, LineTime, Size, Terminal, decode_history};

/// What any terminal can be given, however it came to be.
const OUTPUT: &[u8] =
    b"\x1b[2;3Hword\x1b[1;31m\xe6\x97\xa5e\xcc\x81\x1b[?1049h\x1b[2J\x1b[99T\x1b[?1049l\
    \x1b[r\x1b[9L\x1b[9M\x1b[3g\t\x1bM\x1b[5X\x1b[2@\x1b[2P\x1b[b\x1b[3J\x1bc\r\n\n\n";

/// A terminal as a keyframe holds it.
pub(super) fn terminal(input: &[u8]) -> bool {
    let Ok(mut terminal) = Terminal::restore(input) else { return false };
    assert_comes_back(&mut terminal);
    // It is a terminal like any other.
    terminal.screen_lines();
    let size = terminal.size();
    for size in [Size { cols: 7, rows: 3 }, size] {
        terminal.advance(OUTPUT);
        terminal.resize(size);
    }
    terminal.take_events();
    assert_comes_back(&mut terminal);
    true
}

/// No screen of an input has as many columns and rows.
const COLS_BOUND: u8 = 128;
const ROWS_BOUND: u8 = 48;

/// What a terminal is given: output, and between it, behind bytes that UTF-8 does not have, sizes (columns
/// and rows, a byte each), times (a byte), and what a person can ask for.
pub(super) fn emulator(input: &[u8]) -> bool {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 5 });
    let mut restored: Option<Terminal> = None;
    let mut rest = input;
    while !rest.is_empty() {
        let len = rest.iter().position(|byte| *byte >= 0xfc).unwrap_or(rest.len());
        let (bytes, next) = rest.split_at(len);
        let mut used = 0;
        for terminal in std::iter::once(&mut terminal).chain(&mut restored) {
            terminal.advance(bytes);
            used = give(terminal, next);
            terminal.take_events();
        }
        rest = &next[used..];
        // The keyframe law: one that went through a keyframe goes on like one that did not.
        if restored.is_none() {
            terminal.release_history(terminal.history_end());
            restored = Some(Terminal::restore(&terminal.keyframe()).expect("its own keyframe"));
        }
    }
    let is_any = restored.is_some();
    assert!(
        restored.is_none_or(|restored| restored == terminal),
        "a restored one goes on otherwise"
    );
    terminal.screen_lines();
    is_any
}

/// Gives a terminal the input that is no output at the front of `bytes`; returns how long it is.
fn give(terminal: &mut Terminal, bytes: &[u8]) -> usize {
    match *bytes {
        [0xff, cols, rows, ..] => {
            // A screen of any byte's size takes long, and is like others.
            let (cols, rows) = (cols % COLS_BOUND, rows % ROWS_BOUND);
            terminal.resize(Size { cols: cols.into(), rows: rows.into() });
            3
        }
        [0xfe, time, ..] => {
            terminal.set_time(LineTime::from_millis(u64::from(time) * 1000));
            2
        }
        [0xfd, ..] => {
            terminal.trim();
            1
        }
        [0xfc, ..] => {
            terminal.clear_history();
            1
        }
        _ => bytes.len(),
    }
}

fn assert_comes_back(terminal: &mut Terminal) {
    // Lines of the history are stored elsewhere.
    terminal.release_history(terminal.history_end());
    let again = Terminal::restore(&terminal.keyframe()).expect("what is written can be read");
    assert!(again == *terminal, "a terminal that was frozen and thawed differs");
}

/// How long the head of an input of [`history`] is.
const HISTORY_HEAD_BYTES: usize = 5;

/// The head of an input of [`history`]: how many lines follow, and whether their times do.
pub(super) fn history_head(count: u32, has_times: bool) -> [u8; HISTORY_HEAD_BYTES] {
    let [a, b, c, d] = count.to_le_bytes();
    [u8::from(has_times), a, b, c, d]
}

/// Lines as a block of a chunk holds them, behind what its head says of them.
pub(super) fn history(input: &[u8]) -> bool {
    let Some((head, lines)) = input.split_first_chunk::<HISTORY_HEAD_BYTES>() else { return false };
    let [has_times, count @ ..] = *head;
    let count = u32::from_le_bytes(count);
    // What is left over after the last line shows that there are fewer.
    [count, 1, u32::MAX].into_iter().fold(false, |is_any, count| {
        let is_read = history_lines(lines, count, has_times & 1 == 1);
        is_any | is_read
    })
}

/// The lines of a block.
pub(super) fn history_lines(bytes: &[u8], count: u32, has_times: bool) -> bool {
    let format = match has_times {
        true => HistoryFormat::TimesAndLines,
        false => HistoryFormat::Lines,
    };
    let mut lines = 0;
    for line in decode_history(format, bytes, u64::from(count)) {
        let Ok(line) = line else { break };
        lines += 1;
        assert!(lines <= bytes.len() as u64, "lines out of nothing: {line:?}");
    }
    lines > 0
}

/// What clients and servers say to each other.
pub(super) fn frames(input: &[u8]) -> bool {
    let from_clients = frames_of::<ClientFrame>(input);
    let from_servers = frames_of::<ServerFrame>(input);
    from_clients || from_servers
}

fn frames_of<F: Frame + PartialEq + std::fmt::Debug>(input: &[u8]) -> bool {
    let whole = decode_in_pieces::<F>(input, input.len().max(1));
    let bytewise = decode_in_pieces::<F>(input, 3);
    assert_eq!(whole, bytewise, "it matters how the bytes arrive");
    for read in &whole {
        let mut bytes = Vec::new();
        encode(read, &mut bytes).expect("what was read can be sent");
        let again = decode_in_pieces::<F>(&bytes, bytes.len());
        assert_eq!(again.as_slice(), std::slice::from_ref(read), "sent again it differs");
    }
    !whole.is_empty()
}

fn decode_in_pieces<F: Frame>(input: &[u8], len: usize) -> Vec<F> {
    let mut decoder = FrameDecoder::new();
    let mut frames = Vec::new();
    for piece in input.chunks(len) {
        decoder.push(piece);
        while let Ok(Some(frame)) = decoder.next_frame() {
            frames.push(frame);
        }
    }
    frames
}
