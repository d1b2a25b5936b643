//! Selecting and copying.

use super::*;
use crate::copy_mode::{CopiedText, CopyTarget};

fn copied(outcome: CopyOutcome) -> Option<String> {
    match outcome {
        CopyOutcome::Copy(copied) => Some(String::from_utf8(copied.text).unwrap()),
        _ => None,
    }
}

#[test]
fn selections_become_text() {
    use ModeKeys::{Emacs, Vi};
    let start = "top-line";
    for (keys, commands, expect) in [
        (Emacs, &["begin-selection", "next-word-end"] as &[&str], Some("alpha")),
        (Vi, &["begin-selection", "next-word-end"], Some("alpha")),
        (Emacs, &["next-word", "begin-selection", "start-of-line"], Some("alpha ")),
        (Vi, &["next-word", "begin-selection", "start-of-line"], Some("alpha b")),
        (Emacs, &["begin-selection", "cursor-down"], Some("alpha beta\n")),
        (Vi, &["begin-selection", "cursor-down"], Some("alpha beta\ng")),
        (Emacs, &["begin-selection", "end-of-line"], Some("alpha beta")),
        (Vi, &["begin-selection", "end-of-line"], Some("alpha beta\n")),
        (Emacs, &["select-line"], Some("alpha beta")),
        (Vi, &["select-line"], Some("alpha beta\n")),
        (Emacs, &["next-word", "select-line", "cursor-down"], Some("alpha beta\ngamma 世界")),
        (
            Emacs,
            &["bottom-line", "select-line", "cursor-up", "cursor-up"],
            Some("gamma 世界\n\nend"),
        ),
        (Emacs, &["next-word", "cursor-right", "select-word"], Some("beta")),
        (Vi, &["next-word", "cursor-right", "select-word"], Some("beta")),
        (Emacs, &["begin-selection", "next-word", "other-end", "cursor-right"], Some("lpha ")),
        (Emacs, &["begin-selection", "next-word", "stop-selection", "next-word"], Some("alpha ")),
        (Vi, &["cursor-down", "next-word", "begin-selection", "cursor-right"], Some("世界")),
        (Emacs, &["begin-selection", "history-bottom"], Some("alpha beta\ngamma 世界\n\nend")),
        (Emacs, &["begin-selection", "next-word", "clear-selection"], None),
        (Emacs, &["begin-selection"], None),
        (Emacs, &["next-word"], None),
    ] {
        let source = FakeSource::new(["alpha beta", "gamma 世界", "", "end"], 4);
        let mut mode = enter(&source, size(20, 4), keys);
        run(&mut mode, &source, &[start]);
        run(&mut mode, &source, commands);
        let outcome = run(&mut mode, &source, &["copy-selection"]);
        assert_eq!(copied(outcome).as_deref(), expect, "{keys:?} {commands:?}");
    }
}

#[test]
fn lines_that_were_cut_are_copied_in_one_piece() {
    let mut source = FakeSource::new(["first ", "second", "third"], 1);
    source.lines[0].continues = true;
    let mut mode = enter(&source, size(20, 1), ModeKeys::Emacs);
    run(&mut mode, &source, &["history-top", "begin-selection", "history-bottom"]);
    let outcome = run(&mut mode, &source, &["copy-selection"]);
    assert_eq!(copied(outcome).as_deref(), Some("first second\nthird"));
}

#[test]
fn copying_says_where_to_and_whether_the_mode_ends() {
    let copy = |text: &str, target, exits| {
        CopyOutcome::Copy(CopiedText { text: text.into(), target, exits })
    };
    let selected = &["begin-selection", "end-of-line"][..];
    let command = || Some("cat > file".to_owned());
    for (before, name, expect) in [
        (selected, "copy-selection", copy("text here", CopyTarget::Buffer, false)),
        (selected, "copy-selection-and-cancel", copy("text here", CopyTarget::Buffer, true)),
        (selected, "append-selection", copy("text here", CopyTarget::Append, false)),
        (selected, "copy-pipe", copy("text here", CopyTarget::BufferAndPipe(None), false)),
        (
            selected,
            "copy-pipe-and-cancel cat > file",
            copy("text here", CopyTarget::BufferAndPipe(command()), true),
        ),
        (
            selected,
            "pipe-and-cancel cat > file",
            copy("text here", CopyTarget::Pipe(command()), true),
        ),
        (&[], "copy-line", copy("text here", CopyTarget::Buffer, false)),
        (&["next-word"], "copy-end-of-line", copy("here", CopyTarget::Buffer, false)),
        (
            &["next-word"],
            "copy-pipe-end-of-line-and-cancel",
            copy("here", CopyTarget::BufferAndPipe(None), true),
        ),
        (&[], "copy-selection", CopyOutcome::Continue),
        (&[], "copy-selection-and-cancel", CopyOutcome::Exit),
    ] {
        let source = FakeSource::new(["text here"], 1);
        let mut mode = enter(&source, size(20, 1), ModeKeys::Emacs);
        run(&mut mode, &source, before);
        assert_eq!(run(&mut mode, &source, &[name]), expect, "{name}");
    }
}

#[test]
fn a_selection_lasts_as_its_command_says() {
    let source = FakeSource::new(["text here"], 1);
    let mut mode = enter(&source, size(20, 1), ModeKeys::Emacs);
    run(&mut mode, &source, &["begin-selection", "next-word", "copy-selection-no-clear"]);
    assert!(mode.selection.is_some());
    run(&mut mode, &source, &["copy-selection"]);
    assert!(mode.selection.is_none());
}
