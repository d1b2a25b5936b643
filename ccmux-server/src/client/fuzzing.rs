//! Any bytes at all as what a client hands to the next server, and as what one server leaves for another;
//! see `persistence::fuzzing`.

use std::fmt::Debug;

use ccmux_core::key::Key;
use ccmux_protocol::rendezvous::{Launch, Proof, Registration};
use ccmux_term::compose::Frame;
use ccmux_term::copy_mode::{
    CopyMode, CopyOptions, CopyPlace, CopyStyles, LineSource, ModeKeys, copy_command,
};
use ccmux_term::{Size, Terminal};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::flags::ClientFlags;
use super::identity::Identity;
use super::prompt::{Prompt, PromptHistory, PromptKind, PromptType};
use super::resume::{Copying, OpenedPrompt, ResumeToken};
use super::{OpenPrompt, Purpose, Template};
use crate::pane::mode::ModeSource;

/// What is typed into a prompt that was carried over.
const KEYS: [&str; 16] = [
    "Left", "Right", "BSpace", "C-u", "C-w", "Home", "End", "Up", "Down", "a", "C-k", "C-t", "C-y",
    "M-b", "Tab", "1",
];
/// What is looked at where a token says.
const COMMANDS: [&str; 6] =
    ["cursor-up", "page-down", "previous-word", "end-of-line", "select-line", "history-bottom"];
/// The pane that a token says it looks at.
const SIZE: Size = Size { cols: 10, rows: 4 };
/// Keys pressed, so that what is tried stays short.
const KEYS_MAX: usize = 64;
/// Places gone to.
const PLACES_MAX: usize = 16;

/// A token, or a registration of a server, or what an executable says as a proof; behind a token and a
/// line feed, keys.
pub(crate) fn resume(input: &[u8]) -> bool {
    let is_left = reencodes::<Registration>(input) | reencodes::<Proof>(input);
    let mut parts = input.splitn(2, |byte| *byte == b'\n');
    let text = parts.next().unwrap_or_default();
    let keys = parts.next().unwrap_or_default();
    let Some(token) = ResumeToken::read(text) else { return is_left };
    let encoded = serde_json::to_vec(&token).expect("it has nothing that JSON cannot hold");
    assert_eq!(ResumeToken::read(&encoded).as_ref(), Some(&token), "handed on it differs");
    if let Some(open) = token.prompt.and_then(OpenedPrompt::reopen) {
        prompted(open, keys);
    }
    for copying in token.copying.iter().take(PLACES_MAX) {
        looked_at(copying);
    }
    true
}

/// What can be read, and is written again, is the same.
fn reencodes<T: DeserializeOwned + Serialize + PartialEq + Debug>(input: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<T>(input) else { return false };
    let encoded = serde_json::to_vec(&read).expect("it has nothing that JSON cannot hold");
    assert_eq!(serde_json::from_slice::<T>(&encoded).ok(), Some(read), "written again it differs");
    true
}

/// A prompt is carried on as it is, and is one like any other.
fn prompted(mut open: OpenPrompt, keys: &[u8]) {
    let history = PromptHistory::default();
    for key in keys.iter().take(KEYS_MAX) {
        assert_carried(&open);
        let key = KEYS[usize::from(*key) % KEYS.len()].parse::<Key>().expect("the name of a key");
        open.prompt.press(key, &history);
        let (line, cursor) = open.prompt.line();
        assert!(cursor <= line.chars().count(), "the cursor is behind the line");
    }
    assert_carried(&open);
}

fn assert_carried(open: &OpenPrompt) {
    // One that is too long is not carried.
    let Some(carried) = OpenedPrompt::of(open) else { return };
    let again = carried.clone().reopen().expect("its commands can be read");
    assert_eq!(OpenedPrompt::of(&again), Some(carried), "carried on it differs");
}

/// Whatever a token says: a place that is there, which is gone to from anywhere.
fn looked_at(copying: &Copying) {
    let terminal = Terminal::new(SIZE);
    let text =
        ["", "one", "\u{65e5}\u{672c}\u{8a9e} e\u{301} longer than a row is", "\u{301}", "last"];
    ModeSource::text(text.map(str::to_owned)).with(&terminal, |lines| {
        let mut copy = CopyMode::new(lines, SIZE, (0, 0), options());
        let Copying { top, cursor, .. } = copying;
        copy.return_to(
            CopyPlace {
                top_line: top.0,
                top_row: top.1,
                cursor_line: cursor.0,
                cursor_offset: cursor.1,
            },
            lines,
        );
        assert_shown(&copy, lines);
        for name in COMMANDS {
            copy.run(copy_command(name).expect("its name"), None, lines);
            assert_shown(&copy, lines);
        }
    });
}

fn assert_shown(copy: &CopyMode, lines: &dyn LineSource) {
    let mut frame = Frame::new(SIZE);
    let area = frame.area();
    copy.render(lines, &mut frame, area, &CopyStyles::default());
    let mut again = CopyMode::new(lines, SIZE, (0, 0), options());
    again.return_to(copy.place(), lines);
    assert_eq!(again.cursor(lines), copy.cursor(lines), "gone back to, it is elsewhere");
}

fn options() -> CopyOptions {
    CopyOptions {
        keys: ModeKeys::Vi,
        word_separators: " -".to_owned(),
        wrap_search: true,
        exit_at_bottom: false,
        last_search: None,
    }
}

/// Inputs to begin with.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let terminal = Identity {
        version: Some("xterm(390)".to_owned()),
        extensions: vec![62, 4],
        cell: Some((8, 16)),
    };
    let confirm = Purpose::Confirm { command: "kill-pane".to_owned() };
    let template = Purpose::Template {
        template: Template::Text("rename-window '%%'".to_owned()),
        answers: vec!["one".to_owned()],
        questions: vec![("(name)".to_owned(), "old".to_owned())],
        kind: PromptKind::Incremental,
    };
    let prompt = |purpose, kind, prompt_type| {
        let prompt = Prompt::new(kind, "(ask) ".to_owned(), "answ\u{e9}r");
        OpenedPrompt::of(&OpenPrompt { prompt, prompt_type, purpose, job: None })
    };
    let prompts = [
        None,
        prompt(confirm, PromptKind::Confirm, PromptType::Command),
        prompt(template.clone(), PromptKind::Line, PromptType::Target),
        prompt(template, PromptKind::Incremental, PromptType::Search),
    ];
    let token = |prompt| ResumeToken {
        session: 1,
        flags: ClientFlags::LOOKING,
        copying: vec![Copying { pane: 2, top: (1, 0), cursor: (2, 7) }],
        prompt,
        terminal: terminal.clone(),
    };
    let json = |token: &ResumeToken| serde_json::to_vec(token).expect("it is JSON");
    let mut seeds: Vec<Vec<u8>> =
        prompts.map(|prompt| [&json(&token(prompt)), &b"\nq\x00\x05\x02"[..]].concat()).to_vec();
    let launch = Launch {
        exe: "/bin/ccmux".into(),
        args: vec!["server".into(), vec![0xff, b'/'].into()],
        env: vec![("HOME".into(), "/".into())],
        cwd: "/".into(),
    };
    let registration = Registration {
        pid: 77,
        started_unix_ms: 1_700_000_000_000,
        socket: "/run/s".into(),
        version: "0.1.0".to_owned(),
        ended: false,
        launch,
    };
    let proof = Proof { version: "0.1.0".to_owned(), keeper_protocol: (1, 9) };
    seeds.push(serde_json::to_vec_pretty(&registration).expect("it is JSON"));
    seeds.push(serde_json::to_vec(&proof).expect("it is JSON"));
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token went through the hands of a client: what it says of a terminal was believed at any length,
    /// and with controls, which go into formats.
    #[test]
    fn a_token_says_no_more_of_a_terminal_than_an_answer() {
        let text = format!(
            r#"{{"session":1,"terminal":{{"version":"a\u001b{}","extensions":[{}]}}}}"#,
            "\u{e4}".repeat(100),
            ["4"; 100].join(",")
        );
        let Identity { version, extensions, .. } =
            ResumeToken::read(text.as_bytes()).unwrap().terminal;
        assert_eq!(version, Some(format!("a{}", "\u{e4}".repeat(63))));
        assert_eq!(extensions, [4; 64]);
    }
}
