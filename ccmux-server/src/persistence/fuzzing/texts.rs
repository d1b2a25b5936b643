//! What people write and terminals send: commands, formats, layout strings, keys and answers.

use ccmux_core::command::{
    CommandList, ParseContext, ParsedCommand, parse, parse_argv, parse_lenient,
};
use ccmux_core::decide::NewSession;
use ccmux_core::format::{Subject, Variables, expand_time, strftime, styled_parts};
use ccmux_core::geometry::Size;
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::key::Key;
use ccmux_core::layout::Layout;
use ccmux_core::model::Timestamp;
use ccmux_core::options::{Colour, OptionName, Style};
use ccmux_core::{Command, Facts, State, apply_all, decide};
use jiff::tz::TimeZone;
use uuid::Uuid;

use crate::client::input::{InputDecoder, InputEvent};

/// A configuration, or one command whose arguments are lines.
pub(super) fn commands(input: &[u8]) -> bool {
    let argv: Vec<_> = input.split(|byte| *byte == b'\n').map(Into::into).collect();
    let of_argv = parse_argv(&argv, &ParseContext::bare());
    let (lenient, _) = parse_lenient(input, &ParseContext::bare());
    for list in [of_argv.ok(), Some(lenient)].into_iter().flatten() {
        assert_reads_as_printed(&list);
    }
    parse(input, &ParseContext::bare()).is_ok_and(|list| !list.is_empty())
}

/// C2, but for the lines on which the commands stood.
fn assert_reads_as_printed(list: &CommandList) {
    let text = list.to_string();
    let again = parse(&text, &ParseContext::bare()).expect("what is printed can be read");
    assert_eq!(again.to_string(), text, "printed again it differs");
    let same = |(a, b): (&ParsedCommand, &ParsedCommand)| a.spec == b.spec && a.args == b.args;
    let is_same = again.commands.len() == list.commands.len()
        && again.commands.iter().zip(&list.commands).all(same);
    assert!(is_same, "it reads differently: {text}");
}

/// A format, and what its parts are alone: a style, a colour, a key, the name of an option.
pub(super) fn format(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let expanded = expand_time(&a_state(), &AtOneTime, &Subject::default(), text);
    styled_parts(&expanded);
    if let Ok(style) = text.parse::<Style>() {
        drop(style);
    }
    if let Ok(colour) = text.parse::<Colour>() {
        assert_eq!(colour.to_string().parse::<Colour>().as_ref(), Ok(&colour), "as printed");
    }
    if let Ok(key) = text.parse::<Key>() {
        assert_eq!(key.to_string().parse::<Key>(), Ok(key), "as printed");
    }
    if let Ok(name) = OptionName::parse(text) {
        assert_eq!(OptionName::parse(&name.to_string()), Ok(name), "as printed");
    }
    !expanded.is_empty()
}

/// A server with one session.
fn a_state() -> State {
    let mut state = State::default();
    let size = Some(Size { cols: 80, rows: 24 });
    let session = NewSession { name: Some("work".to_owned()), size, ..NewSession::default() };
    let facts = Facts { now: Timestamp(1_700_000_000_000), uuid: PaneUuid(Uuid::nil()) };
    let changes = decide(&state, Command::NewSession(session), &facts).expect("it can be made");
    apply_all(&mut state, &changes).expect("what was decided can be applied");
    state
}

/// Variables of a server whose clock stands still.
struct AtOneTime;

impl Variables for AtOneTime {
    fn variable(&self, _: &str, _: &Subject) -> Option<String> {
        None
    }

    fn shell(&self, command: &str, _: &Subject) -> String {
        command.to_owned()
    }

    fn time(&self, seconds: Option<i64>, format: &str) -> String {
        let time = jiff::Timestamp::from_second(seconds.unwrap_or(1_700_000_100));
        time.map_or_else(
            |_| String::new(),
            |t| strftime(&t.to_zoned_datetime(TimeZone::UTC), format),
        )
    }
}

/// A layout string without its checksum.
pub(super) fn layout(input: &[u8]) -> bool {
    let Ok(body) = std::str::from_utf8(input) else { return false };
    let sum = input.iter().fold(0, |sum: u16, b| sum.rotate_right(1).wrapping_add(u16::from(*b)));
    let text = format!("{sum:04x},{body}");
    let panes = [7, 3, 9].map(PaneId);
    for count in 1..=panes.len() {
        let _too_few_places = Layout::parse(&text, &panes[..count]).map(|read| tried(&read));
    }
    Layout::parse_with_ids(&text).is_ok_and(|read| {
        tried(&read);
        true
    })
}

/// It reads as printed, and stays a layout whatever size it gets.
fn tried(layout: &Layout) {
    assert_eq!(Layout::parse_with_ids(&layout.to_string()).as_ref(), Ok(layout), "as printed");
    for size in [Size { cols: 1, rows: 1 }, Size { cols: 500, rows: 3 }, layout.size()] {
        let resized = layout.resize(size);
        let read = Layout::parse_with_ids(&resized.to_string());
        assert_eq!(read.as_ref(), Ok(&resized), "in another size");
    }
    let mut left = layout.clone();
    for pane in layout.panes().into_iter().skip(1) {
        left = left.close(pane).expect("it is there");
    }
    assert_eq!(left.pane_count(), 1);
}

/// No sequence of a terminal that is waited for is longer.
const PIECEWISE_BYTES_MAX: usize = 256;

/// What a client's terminal sends, behind a byte that says whether it was asked what it is.
pub(super) fn input(input: &[u8]) -> bool {
    let Some((is_asked, bytes)) = input.split_first() else { return false };
    let whole = decoded(is_asked & 1 == 1, bytes, bytes.len().max(1));
    // A sequence that is longer than any is given up wherever that is noticed.
    let lens = if bytes.len() <= PIECEWISE_BYTES_MAX { &[1, 3][..] } else { &[] };
    for &len in lens {
        let pieces = decoded(is_asked & 1 == 1, bytes, len);
        assert_eq!(whole, pieces, "it matters how the bytes arrive");
    }
    !whole.is_empty()
}

/// What is decoded of bytes that arrive in pieces, with each paste in one.
fn decoded(is_asked: bool, bytes: &[u8], piece_len: usize) -> Vec<InputEvent> {
    let (mut decoder, mut events) = (InputDecoder::default(), Vec::new());
    if is_asked {
        decoder.await_answers();
    }
    for piece in bytes.chunks(piece_len) {
        decoder.feed(piece, &mut events);
    }
    decoder.flush(&mut events);
    let mut joined: Vec<InputEvent> = Vec::new();
    for event in events {
        match (joined.last_mut(), event) {
            (Some(InputEvent::PasteData(sum)), InputEvent::PasteData(more)) => sum.extend(more),
            (_, event) => joined.push(event),
        }
    }
    joined
}

/// Inputs to begin with.
pub(super) const SEEDS: &[(&str, &[u8])] = &[
    ("commands", b"set -g status-style 'fg=black,bg=green' # a comment\nbind-key -T root C-M-x { split-window -h ; \
      display-message \"a \\\"b\\\" $HOME ~/x\" }\n%if \"#{==:#{version},1}\"\nsetw -g mode-keys vi\n%else\nset -ga \
      update-environment ' A B'\n%endif\nNAME=value\nbind x if-shell -F '#{x}' 'kill-pane' \\\n  'kill-window'\n"),
    ("commands", b"new-session\n-s\nwork\n;\nsplit-window\n-h\n\\;\nlast\\\\;\n"),
    ("format", b"#[fg=red,bold align=right]#{?session_attached,#{session_name},no} #{=/5/..:window_name} %H:%M ##"),
    ("format", b"#{s/a(.)/\\1b/i:#{l:abc}}#{e|*|f|2:3,4.5}#{p-9:#W}#{m/ri:^a,Ab}#{S:#{W:#I#{P:#P,x}, }}#{q:#{E:x}}"),
    ("format", b"#(date)#{t/f/%%Y:start_time}#{||:1,0}#{!=:a,b}#{n:abc}#{w:#{a:65}}#{c/f:red}#{b:/a/b}#{d:/a/b}"),
    ("format", b"fg=colour130,bg=#aabbcc,us=brightred,noreverse,list=focus,range=user|x,fill=default"),
    ("format", b"C-M-S-F12"),
    ("format", b"update-environment[17]"),
    ("layout", b"80x24,0,0{40x24,0,0,1,39x24,41,0[39x12,41,0,2,39x11,41,13,3]}"),
    ("layout", b"80x24,0,0,0"),
    ("input", b"\0a\x02\x1b[1;5C\x1bOP\x1b[15;2~\x1b[27;5;105~\x1b[105;5:1u\x1b[<65;3;4M\x1b[M !!\xc3\xa4\x1b[I\x1b[200~a\x1b[20b\
      \x1b[201~\x1b]52;c;YWJj\x07\x1b\x1b[A"),
    ("input", b"\x01\x1bP>|xterm(390)\x1b\\\x1b[6;16;8tq\x1b[200~x\x1b[?62;4c\x1b[201~\x1b]52;c;!\x1b\\\x1b[?1;2c\x1b"),
];
