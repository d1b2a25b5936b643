//! Looking at a pane's history while it is put on the disk.

use ccmux_core::ids::PaneId;

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
