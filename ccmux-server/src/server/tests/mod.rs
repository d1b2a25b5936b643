//! A server in the test's own process, on a disk whose syncs the test holds back.

mod copying;
mod keepers;
mod orphans;
mod parting;
mod world;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ccmux_core::geometry::Size;
use ccmux_protocol::{ClientFrame, Exit};

use self::world::World;
use super::Server;
use crate::client::Client;
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::Storage as _;

/// Goal: P1 at the reply. Method: hold back the sync of a change, and ask for it as somebody else:
/// nobody is told of what a power cut would take back, whether by output, by an error, or by an
/// exit status. When the disk goes on everybody is.
#[test]
fn nobody_is_told_of_a_change_that_is_not_durable() {
    let mut world = World::new();
    let mut first = world.command(&["set-option", "-g", "@mark", "0"]);
    world.finish(&mut first);

    world.gate.set_closed(true);
    let mut maker =
        world.command(&["set-option", "-g", "@mark", "1", ";", "show-options", "-gv", "@mark"]);
    world.rest();
    world.gate.wait_until_one_waits();
    let mut reader = world.command(&["show-options", "-gv", "@mark"]);
    let mut refused = world.command(&["set-option", "-go", "@mark", "2"]);
    world.rest();
    for peer in [&mut maker, &mut reader, &mut refused] {
        peer.listen();
        assert_eq!(peer.answer(), (String::new(), None));
    }

    world.gate.set_closed(false);
    for peer in [&mut maker, &mut reader, &mut refused] {
        world.finish(peer);
    }
    for peer in [&maker, &reader] {
        assert_eq!(peer.answer(), ("1\n".to_owned(), Some(&Exit::done(0))));
        assert!(peer.answer().1.is_some_and(|exit| exit.durable));
    }
    let (text, exit) = refused.answer();
    assert_eq!(text, "already set: @mark\n");
    assert!(exit.is_some_and(|exit| exit.code == 1 && exit.durable));
}

/// Commands whose answers nobody reads do not go on answering: all their answers were made and held
/// at once, as much as there was memory for.
#[test]
fn a_command_line_waits_for_its_reader() {
    const BUFFER_BYTES: usize = 500_000;
    const TIMES: usize = 40;
    let mut world = World::new();
    let file = world.directory.path().join("long");
    std::fs::write(&file, vec![b'x'; BUFFER_BYTES]).unwrap();
    let mut loader = world.command(&["load-buffer", file.to_str().unwrap()]);
    world.finish(&mut loader);
    let line: Vec<&str> = (0..TIMES).flat_map(|_| ["show-buffer", ";"]).collect();
    let mut reader = world.command(&line);
    world.rest();
    let unread: usize =
        world.server.clients.values().map(crate::client::Client::unread_bytes).sum();
    assert!((1..2 * BUFFER_BYTES).contains(&unread), "{unread}");
    world.finish(&mut reader);
    let (text, exit) = reader.answer();
    assert_eq!((text.len(), exit), (TIMES * BUFFER_BYTES, Some(&Exit::done(0))));
}

/// A program that a command starts is told as much as a reply tells: it is started afterwards.
#[test]
fn a_shell_command_waits_for_the_changes_before_it() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mark = world.directory.path().join("mark");
    let touch = format!("echo told > '{}'", mark.display());
    let mut maker = world.command(&["set-option", "-g", "@mark", "1", ";", "run-shell", &touch]);
    world.rest();
    world.gate.wait_until_one_waits();
    world.rest();
    let jobs = world.server.jobs.ids();
    assert!(!jobs.is_empty() && jobs.iter().all(|job| !world.server.has_shell(*job)));
    assert!(!mark.exists());
    world.gate.set_closed(false);
    world.finish(&mut maker);
    assert!(mark.exists());
}

/// What a reply says of durability is decided when it goes out: the disk failed only after the
/// command had run.
#[test]
fn a_reply_says_what_is_durable_when_it_goes_out() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mut maker = world.command(&["set-option", "-g", "@mark", "1"]);
    world.rest();
    world.gate.wait_until_one_waits();
    for kind in [CallKind::Sync, CallKind::Write, CallKind::Create] {
        world.disk.fail(kind, 1, u64::MAX, Fault::Io);
    }
    world.gate.set_closed(false);
    world.finish(&mut maker);
    let (text, exit) = maker.answer();
    assert_eq!(text, "");
    assert!(exit.is_some_and(|exit| exit.code == 0 && !exit.durable), "{exit:?}");
}

/// What a client reads depends on no record if there is none on its way: a sync of soft changes is
/// no reason to wait.
#[test]
fn a_reader_waits_for_nothing_that_is_soft() {
    let mut world = World::new();
    world.gate.set_closed(true);
    let mut maker = world.command(&["set-buffer", "-b", "name", "text"]);
    world.finish(&mut maker);
    let mut reader = world.command(&["show-buffer", "-b", "name"]);
    world.finish(&mut reader);
    assert_eq!(reader.answer().0, "text");
    world.gate.set_closed(false);
}

/// Inputs of a pane are on the disk soon, also when nothing else happens.
#[test]
fn inputs_of_panes_are_synced_by_themselves() {
    let mut world = World::new();
    let mut maker = world.command(&["new-session", "-d"]);
    world.finish(&mut maker);
    for _ in 0..5 {
        let before = world.spool_gate.passed();
        let mut clearing = world.command(&["clear-history"]);
        world.finish(&mut clearing);
        world.rest();
        world.spool_gate.wait_until_more_passed(before);
    }
}

/// A server went on from a keyframe that an earlier one had written, and whose name was not on the disk: what was
/// printed before it was lost with the power.
#[test]
fn a_start_takes_keyframes_of_its_own() {
    let mut world = World::new();
    // A pane without a program: a start has nothing to add to what it shows.
    let mut maker = world.command(&["new-session", "-d", ";", "split-window", "-d", ""]);
    world.finish(&mut maker);
    world.rest();
    let now = world.server.now();
    let empty = |server: &Server| {
        let mut panes = server.state.panes.values();
        panes.find(|pane| pane.ended.is_some()).expect("it was made").id
    };
    let id = empty(&world.server);
    let pane = world.server.panes.get_mut(&id).unwrap();
    let directory = Path::new("panes").join(pane.uuid.to_string());
    pane.print(&mut world.server.scrollback, now, b"printed\r\n");
    let keyframes = |disk: &SimStorage| {
        let names = disk.list(&directory).unwrap().into_iter();
        names.filter(|name| name.ends_with(".keyframe")).collect::<Vec<_>>()
    };
    let disk = world.disk.clone();
    world.wait_until(|server| {
        let pane = &server.panes[&id];
        !pane.output.is_archiving && pane.output.keyframed == pane.output.consumed
    });
    let directories = Arc::clone(&world.directory);
    drop(world);

    let mut world = World::on(disk.clone(), directories).unwrap();
    let newest = keyframes(&disk).pop().expect("the last server took some");
    disk.remove(&directory.join(&newest)).unwrap();
    world.wait_until(|_| keyframes(&disk).last() == Some(&newest));
}

/// A window that is dragged has another size with every step, and each was a hard record of its
/// own. Whoever asks meets the last one, and it is taken over although nobody asks.
#[test]
fn sizes_in_quick_succession_are_few_records() {
    let mut world = World::new();
    let size = |cols| Size { cols, rows: 24 };
    let mut client = world.command_from(Some(size(80)), &["new-session"]);
    world.wait_until(|server| server.clients.values().any(|client| client.attachment().is_some()));
    let (before, began) = (world.server.persistence.issued(), world.server.elapsed());
    for cols in 100..300 {
        client.say(&ClientFrame::Resize(size(cols).into()));
        world.rest();
        client.listen();
    }
    let mut reader = world.command(&["display-message", "-p", "#{window_width}"]);
    world.finish(&mut reader);
    assert_eq!(reader.answer().0, "299\n");
    let took = world.server.elapsed().saturating_sub(began);
    let logged = u128::from(world.server.persistence.issued().0 - before.0);
    // The first, the one asked for, and those in between.
    let most = 2 + took.as_millis() / 100;
    assert!(logged <= most, "{logged} records in {took:?}");

    for cols in [90, 91, 92] {
        client.say(&ClientFrame::Resize(size(cols).into()));
        world.rest();
    }
    world.wait_until(|server| {
        let mut sessions = server.state.sessions.values();
        sessions.all(|session| session.size.cols == 92)
    });
}

/// Whatever asks for a picture, and however often: one that looks like the last one costs no byte.
#[test]
fn a_picture_like_the_last_one_is_not_sent() {
    let mut world = World::new();
    let size = Size { cols: 80, rows: 24 };
    let line = ["set-option", "-g", "status", "off", ";", "new-session"];
    let mut client = world.command_from(Some(size), &line);
    let has_painted = |server: &Server| {
        let mut attachments = server.clients.values().map(|client| client.attachment());
        attachments.all(|attachment| attachment.is_some_and(|attachment| !attachment.is_dirty))
    };
    world.wait_until(has_painted);
    client.listen();
    let first = client.pictures();
    assert!(first > 0, "the first picture");
    for _ in 0..5 {
        // Nothing else happens to the server meanwhile.
        world.server.clients.values_mut().for_each(Client::redraw);
        world.advance(Duration::from_secs(1));
        world.server.paint_clients();
        assert!(has_painted(&world.server));
    }
    client.listen();
    assert_eq!(client.pictures(), first);
}

/// The disk recovers at any moment. `status` said then that not everything was durable, and no reason: one
/// was what clients still show, the other what holds by now.
#[test]
fn what_is_not_durable_is_said_with_a_reason() {
    let mut world = World::new();
    let told = |world: &World| {
        let report = world.server.report();
        (report["durable"].as_bool(), report["degraded"].as_str().map(str::to_owned))
    };
    assert_eq!(told(&world), (Some(true), None));
    world.server.shown_degraded = Some("the disk is full".to_owned());
    assert_eq!(told(&world), (Some(false), Some("the disk is full".to_owned())));
    world.server.take_persistence_news();
    assert_eq!(told(&world), (Some(true), None));
}

/// The client knows whether its terminal still owes answers, and one that was somebody else's meanwhile,
/// who may have read them, is asked again.
#[test]
fn a_terminal_is_asked_until_it_answers() {
    let mut world = World::new();
    let size = Size { cols: 80, rows: 24 };
    let mut client = world.command_from(Some(size), &["new-session"]);
    world.wait_until(|server| server.clients.values().any(|client| client.attachment().is_some()));
    let awake = ClientFrame::Wakeup(size.into());
    world.hear(&mut client, |client| client.questions() == (1, false));
    client.say(&awake);
    world.hear(&mut client, |client| client.questions() == (2, false));
    client.say(&ClientFrame::Input(b"\x1b[?64;1c".to_vec()));
    world.hear(&mut client, |client| client.questions() == (2, true));
    let pictures = client.pictures();
    client.say(&awake);
    world.hear(&mut client, |client| client.pictures() > pictures);
    assert_eq!(client.questions(), (2, true), "it need not be asked");
}
