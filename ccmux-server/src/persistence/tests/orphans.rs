//! What tells a pane whose record was lost from one that was closed, through every crash.

use std::path::Path;

use ccmux_core::change::{Change, OptionScope};
use ccmux_core::ids::PaneId;
use ccmux_core::model::NextIds;

use super::world::{BOOT, World, open};
use crate::persistence::Recovered;
use crate::persistence::sim::{Fault, Random, SimStorage};

/// A disk with damage in its log, behind which panes were made, and the number of the first of those.
fn damaged(seed: u64) -> (SimStorage, World, PaneId) {
    let storage = SimStorage::new(seed);
    let mut world = World::new(seed);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let changes = world.new_session();
    world.run(&mut persistence, "new-session", changes);
    let first_lost = PaneId(world.state.next.pane);
    let mark = Change::OptionSet {
        scope: OptionScope::Server,
        name: "@mark".into(),
        value: Some("decays".into()),
    };
    world.run(&mut persistence, "set-option", vec![mark]);
    for _ in 0..2 {
        let changes = world.new_session();
        world.run(&mut persistence, "new-session", changes);
    }
    persistence.commit_now();
    drop(persistence);
    let (path, _) = storage.files().into_iter().find(|(path, _)| path.starts_with("wal")).unwrap();
    storage.damage(&path, |bytes| {
        let at = bytes.windows(6).position(|part| part == b"decays").unwrap();
        bytes[at] ^= 1;
    });
    (storage, world, first_lost)
}

/// A start that adopts what was lost, as the server does it. Returns what it began with.
fn adopt(storage: &SimStorage, world: &mut World) -> Option<Recovered> {
    let (mut persistence, recovered) = open(storage, BOOT, world.now).ok()?;
    world.resume(&persistence, recovered.state.clone());
    persistence.note_orphans(Some(recovered.closed_below), world.now);
    let pane = world.state.next.pane + 5;
    let next = NextIds { pane, ..world.state.next };
    world.run(&mut persistence, "reserve", vec![Change::IdsReserved { next }]);
    let changes = world.new_session();
    world.run(&mut persistence, "adopted", changes);
    persistence.commit_now();
    let _refused = persistence.checkpoint(&world.state, world.now);
    persistence.note_orphans(None, world.now);
    persistence.commit_now();
    Some(recovered)
}

/// Goal: a pane whose record was lost is never taken for a closed one, whose program would be ended,
/// before it was adopted. Method: let a start that adopts be killed or lose power at each of its
/// calls, and look at what the next one finds. The first checkpoint of such a start knows all numbers
/// of the lost records, and the next start took it that it knew their panes.
#[test]
fn a_crash_at_any_call_leaves_lost_panes_lost_until_they_are_adopted() {
    let (pristine, world, first_lost) = damaged(3);
    let calls = {
        let storage = pristine.fork();
        let before = storage.calls();
        let found = adopt(&storage, &mut world.clone()).unwrap();
        assert_eq!(found.closed_below, first_lost);
        assert!(found.state.next.pane > first_lost.0 + 1, "no number is given out twice");
        let calls = storage.calls() - before;
        let (_, after) = open(&storage.kill(), BOOT, world.now).unwrap();
        assert_eq!(after.closed_below.0, after.state.next.pane, "all are adopted");
        calls
    };
    let mut random = Random::new(1);
    let mut seen = [false; 2];
    for call in 1..=calls {
        let storage = pristine.fork();
        storage.strike(storage.calls() + call, Fault::PowerCut);
        adopt(&storage, &mut world.clone());
        for after in [storage.fork().kill(), storage.power_cut(random.next_u64())] {
            // Once more, because the second start writes checkpoints as well.
            for _ in 0..2 {
                let (_, found) = open(&after, BOOT, world.now).unwrap();
                let is_adopted = found.state.sessions.len() > 1;
                seen[usize::from(is_adopted)] = true;
                let is_kept = found.closed_below == first_lost;
                assert!(is_kept || is_adopted, "call {call}: {:?}", found.closed_below);
            }
        }
    }
    assert_eq!(seen, [true, true]);
}

/// A checkpoint of an earlier version does not say: then all that it does not know were closed.
#[test]
fn without_damage_every_pane_that_is_not_known_was_closed() {
    let storage = SimStorage::new(4);
    let mut world = World::new(4);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let changes = world.new_session();
    world.run(&mut persistence, "new-session", changes);
    world.settle(&mut persistence);
    persistence.finalize(&world.state, world.now);
    let is_said = |(path, bytes): &(std::path::PathBuf, Vec<u8>)| {
        path.starts_with(Path::new("checkpoints"))
            && bytes.windows(12).any(|w| w == b"closed_below")
    };
    assert!(!storage.files().iter().any(is_said));
    let (_, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert_eq!(recovered.closed_below, PaneId(world.state.next.pane));
}
