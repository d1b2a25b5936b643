//! Looking at a pane's history: while it is put on the disk, and how much of it is searched at once.

use ccmux_core::ids::PaneId;
use ccmux_core::model::Timestamp;
use ccmux_term::LineMarks;

use super::world::World;
use crate::pane::mode::{ModeSource, PaneMode};
use crate::server::lifecycle::history_limits;

const LINES: u64 = 1000;

/// What left memory for the disk after copy mode was entered looked missing until it was left.
#[test]
fn lines_that_are_archived_meanwhile_are_seen_in_copy_mode() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    let id = PaneId(0);
    let output: Vec<String> = (0..LINES).map(|number| format!("line {number}\r\n")).collect();
    let output = output.concat();
    let server = &mut world.server;
    let pane = server.panes.get_mut(&id).unwrap();
    // Something may be shown already of a program that cannot be started.
    let before = pane.terminal.history_end() + u64::from(pane.terminal.cursor().y);
    pane.print(&mut server.scrollback, server.clock.now(), output.as_bytes());
    server.enter_copy_mode(id, false);
    let limits = history_limits(&server.state, id);
    let pane = server.panes.get_mut(&id).unwrap();
    pane.archive(&mut server.scrollback, server.clock.now(), limits);
    world.wait_until(|server| server.panes[&id].terminal.history_start() > LINES / 2);

    let pane = &world.server.panes[&id];
    let Some(PaneMode { source: source @ ModeSource::Pane(_), .. }) = &pane.mode else {
        panic!("it looks at its history");
    };
    for number in [0, 1, LINES / 2] {
        let text = source.with(&pane.terminal, |lines| {
            lines.line(before + number).map(|line| line.text.clone())
        });
        assert_eq!(text, Some(format!("line {number}")));
    }
}

/// A pane with so many lines that nearly all of them are on the disk, in copy mode.
fn with_stored_lines(world: &mut World, lines: impl Iterator<Item = String>) -> PaneId {
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    let id = PaneId(0);
    let lines: Vec<String> = lines.collect();
    for (number, piece) in lines.chunks(20_000).enumerate() {
        let server = &mut world.server;
        let limits = history_limits(&server.state, id);
        let pane = server.panes.get_mut(&id).unwrap();
        let at = Timestamp((number as u64 + 1) * 1_000_000);
        pane.print(&mut server.scrollback, at, piece.concat().as_bytes());
        pane.archive(&mut server.scrollback, at, limits);
        let sealed = pane.terminal.history_sealed_end();
        world.wait_until(|server| server.panes[&id].terminal.history_start() == sealed);
    }
    world.server.enter_copy_mode(id, false);
    id
}

fn cursor_line(world: &World, id: PaneId) -> String {
    let pane = &world.server.panes[&id];
    let mode = pane.mode.as_ref().expect("it is in copy mode");
    mode.source.with(&pane.terminal, |lines| mode.copy.cursor_line(lines))
}

fn is_searching(world: &World, id: PaneId) -> bool {
    world.server.panes[&id].mode.as_ref().expect("it is in copy mode").is_searching
}

/// Goal: however long a history is, the turns of a search through it are short, and a key ends it.
/// Method: count the turns; a turn has a bound in bytes.
#[test]
fn a_search_through_stored_history_takes_turns() {
    const LINES: u64 = 120_000;
    let mut world = World::new();
    let lines = (0..LINES).map(|number| match number {
        17 => "the Needle\r\n".to_owned(),
        _ => format!("line {number} {:-<60}\r\n", ""),
    });
    let id = with_stored_lines(&mut world, lines);
    let search =
        |world: &mut World, what| world.server.copy_command(id, "search-backward", Some(what), 1);
    assert_eq!(search(&mut world, "need[l]e"), Ok(()));
    let mut turns = 0;
    while is_searching(&world, id) {
        assert_ne!(cursor_line(&world, id), "the Needle");
        world.server.resume_searches();
        turns += 1;
    }
    assert_eq!(cursor_line(&world, id), "the Needle");
    // 12 MiB in portions that begin with 256 KiB, double while they take no time, and have bounds.
    assert!((6..=800).contains(&turns), "{turns}");

    assert_eq!(search(&mut world, "nothing like it"), Ok(()));
    assert!(is_searching(&world, id));
    assert_eq!(world.server.copy_command(id, "cancel", None, 1), Ok(()));
    assert!(!is_searching(&world, id), "a key ends the search, and that only");
    world.server.resume_searches();
    assert_eq!(cursor_line(&world, id), "the Needle");

    let refused = search(&mut world, "a(b").expect_err("no regular expression");
    assert_eq!(refused.to_string(), "bad regular expression: unclosed group");
    assert!(world.server.panes[&id].mode.is_some(), "copy mode goes on");
    world.server.leave_mode(id);
    world.server.enter_copy_mode(id, false);
    world.server.copy_command(id, "search-again", None, 1).expect("the pane remembers it");
    assert!(is_searching(&world, id));
}

/// Prompts and times of lines that are on the disk.
#[test]
fn stored_lines_keep_their_marks_and_times() {
    let mut world = World::new();
    let lines = (0..50_000).map(|number| match number {
        9 | 30_000 => format!("\x1b]133;A\x07$ {number}\r\n"),
        10 => "\x1b]133;C\x07output\r\n".to_owned(),
        _ => format!("{number}\r\n"),
    });
    let id = with_stored_lines(&mut world, lines);
    let seconds = |world: &World| {
        let pane = &world.server.panes[&id];
        let mode = pane.mode.as_ref().expect("it is in copy mode");
        let times = mode.source.with(&pane.terminal, |lines| {
            [mode.copy.cursor_time(lines), mode.copy.top_line_time(lines)]
        });
        times.map(|time| time.seconds().unwrap_or(0))
    };
    for (command, argument, expected, time) in [
        ("previous-prompt", None, "$ 30000", 2000),
        ("previous-prompt", None, "$ 9", 1000),
        ("next-prompt", Some("-o"), "output", 1000),
        ("next-prompt", None, "$ 30000", 2000),
    ] {
        world.server.copy_command(id, command, argument, 1).expect("a command");
        while is_searching(&world, id) {
            world.server.resume_searches();
        }
        assert_eq!(cursor_line(&world, id), expected, "{command}");
        assert_eq!(seconds(&world), [time, time], "{command}");
    }
    let pane = &world.server.panes[&id];
    let stored = world.server.history_of(pane);
    let first = stored.first_line().expect("lines are stored");
    let prompts = (first..first + 20).filter_map(|number| stored.line(number));
    let prompts = prompts.filter(|line| line.marks.contains(LineMarks::PROMPT)).count();
    assert_eq!(prompts, 1);
}
