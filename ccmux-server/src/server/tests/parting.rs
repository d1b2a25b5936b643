//! How a server parts from its clients: when it ends, and when another takes over.

use std::time::Duration;

use ccmux_protocol::rendezvous::{Launch, Proof};
use ccmux_protocol::{Exit, RefusalCode};

use super::world::{Peer, World};
use crate::command::{JobId, Wait};
use crate::server::Stopping;
use crate::server::handover::Handover;

const LONG: Duration = Duration::from_secs(6);
const HALF: Duration = Duration::from_secs(3);

/// A client that read nothing of a long answer, or had said nothing, kept a killed server for ever.
#[test]
fn clients_that_read_nothing_do_not_keep_a_server_that_was_killed() {
    let mut world = World::new();
    world.advance(Duration::ZERO);
    let file = world.directory.path().join("long");
    std::fs::write(&file, vec![b'x'; 500_000]).unwrap();
    let mut loader = world.command(&["load-buffer", file.to_str().unwrap()]);
    world.finish(&mut loader);
    let line: Vec<&str> = (0..20).flat_map(|_| ["show-buffer", ";"]).collect();
    let mut reader = world.command(&line);
    let _silent = world.connect();
    world.rest();
    let mut killer = world.command(&["kill-server"]);
    world.finish(&mut killer);
    world.rest();
    assert_eq!(world.server.stopping, Stopping::No, "they may be slow");
    assert!(world.server.turn().is_some_and(|sleep| sleep < LONG), "it looks again by itself");

    // Who reads is waited for.
    world.advance(HALF);
    reader.listen();
    world.rest();
    world.advance(HALF);
    world.server.turn();
    assert_eq!(world.server.stopping, Stopping::No);
    world.advance(HALF);
    world.server.turn();
    assert_eq!(world.server.stopping, Stopping::Emptied);
}

fn agreed(world: &World, job: JobId) -> Handover {
    let launch = Launch { exe: "other".into(), args: vec![], env: vec![], cwd: "/".into() };
    let proof = Proof { version: String::new(), keeper_protocol: (1, 1) };
    Handover::Agreed { job, launch, proof, since: world.server.elapsed() }
}

/// The world, and a command that waits as one does that wants a restart, with its client.
fn restarting() -> (World, JobId, Peer) {
    let mut world = World::new();
    world.advance(Duration::ZERO);
    let mut setter = world.command(&["set-option", "-s", "exit-empty", "off"]);
    world.finish(&mut setter);
    let peer = world.command(&["run-shell", "-d", "1000"]);
    world.rest();
    let job = world.server.jobs.ids()[0];
    world.server.jobs.get_mut(job).unwrap().wait = Some(Wait::Proof);
    (world, job, peer)
}

#[test]
fn command_lines_that_run_may_delay_a_restart_a_little() {
    let (mut world, job, _peer) = restarting();
    let _running = world.command(&["run-shell", "-d", "1000"]);
    world.rest();
    world.server.handover = agreed(&world, job);
    world.rest();
    assert_eq!(world.server.stopping, Stopping::No);
    assert!(world.server.turn().is_some_and(|sleep| sleep < LONG), "it looks again by itself");
    world.advance(LONG);
    world.server.turn();
    assert_eq!(world.server.stopping, Stopping::HandingOver);

    let (mut world, job, _peer) = restarting();
    world.server.handover = agreed(&world, job);
    world.server.turn();
    assert_eq!(world.server.stopping, Stopping::HandingOver, "nothing else is on its way");

    let (mut world, job, _peer) = restarting();
    world.server.handover = agreed(&world, job);
    world.server.leave();
    world.server.turn();
    assert_eq!(world.server.stopping, Stopping::Leaving, "being told to stop comes first");
}

/// Clients in flight heard nothing at a restart. What has not begun is refused in a way that makes
/// clients ask the next server; what has begun is not, because it would be done twice.
#[test]
fn everybody_hears_what_a_restart_does_to_a_command_line() {
    let (mut world, job, _peer) = restarting();
    let mut silent = world.connect();
    let mut early = world.command(&["display-message", "-p", "early"]);
    world.rest();
    world.finish(&mut early);
    let mut begun = world.command(&["display-message", "-p", "begun", ";", "run-shell", "-d", "9"]);
    world.rest();
    let mut waiting = world.command(&["run-shell", "-d", "9"]);
    world.rest();
    let last = *world.server.jobs.ids().last().unwrap();
    let beginning = Wait::Beginning { configuration: true, keepers: false };
    world.server.jobs.get_mut(last).unwrap().wait = Some(beginning);
    let requester = world.server.jobs.get_mut(job).unwrap().origin.client();

    world.server.part_with_commands(requester);
    world.server.flush_clients(|_| true);
    for peer in [&mut silent, &mut early, &mut begun, &mut waiting] {
        peer.listen();
    }
    assert_eq!(silent.refusal(), Some(RefusalCode::Restarting));
    assert_eq!(waiting.refusal(), Some(RefusalCode::Restarting));
    assert_eq!(early.answer(), ("early\n".to_owned(), Some(&Exit::done(0))));
    let text = "begun\nthe server was restarted before this command was done\n".to_owned();
    assert_eq!((begun.answer(), begun.refusal()), ((text, Some(&Exit::done(1))), None));
    assert!(world.server.jobs.contains(job), "who asked for it is told how it went");
}
