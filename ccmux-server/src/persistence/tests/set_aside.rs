//! Damaged files on their way to the quarantine.

use std::path::Path;

use super::store::{established, files};
use super::world::{BOOT, open};
use crate::persistence::LogHealth;
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::storage::Storage as _;

fn has(storage: &SimStorage, bytes: &[u8]) -> bool {
    storage.files().iter().any(|(_, found)| found == bytes)
}

/// A start was killed between the move of a damaged file and the sync of the quarantine. The next one found
/// no damage, and synced only the directory where the file had been: a power cut took both of its names.
#[test]
fn a_damaged_file_is_kept_whenever_the_start_that_moves_it_is_killed() {
    let (pristine, world) = established(5);
    let path = files(&pristine, "checkpoints").pop().unwrap();
    pristine.flip_bit(&path, 8 * 100);
    let damaged = pristine.files().into_iter().find(|(known, _)| *known == path).unwrap().1;
    for call in 1.. {
        let struck = pristine.fork();
        struck.strike(struck.calls() + call, Fault::PowerCut);
        if open(&struck, BOOT, world.now).is_ok() && !struck.is_off() {
            assert!(call > 20, "a start takes some calls");
            break;
        }
        let storage = struck.kill();
        drop(open(&storage, BOOT, world.now).unwrap());
        for seed in 0..24 {
            assert!(has(&storage.fork().power_cut(seed), &damaged), "{call}, {seed}");
        }
    }
}

/// All segments were damaged and moved away, and no other could be begun. The next start said that there
/// was no log and what it had held was lost, which had been said of every one of its files.
#[test]
fn the_last_segment_stays_until_there_is_another_one() {
    let (storage, world) = established(6);
    let segments = files(&storage, "wal");
    for path in &segments {
        storage.make_unreadable(path);
    }
    storage.fail(CallKind::Allocate, 1, u64::MAX, Fault::NoSpace);
    let (persistence, first) = open(&storage, BOOT, world.now).unwrap();
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
    drop(persistence);
    assert!(first.report.lost.is_some(), "{}", first.report);
    let storage = storage.kill();
    let (persistence, second) = open(&storage, BOOT, world.now).unwrap();
    assert_eq!(persistence.health(), LogHealth::Durable);
    drop(persistence);
    assert_eq!(second.state, first.state);
    let damage = &second.report.damage;
    let last = segments.last().unwrap().display().to_string();
    assert!(damage.len() == 1 && damage[0].file == last, "{}", second.report);
    assert_eq!(files(&storage, "quarantine").len(), segments.len());
    let (_, third) = open(&storage, BOOT, world.now).unwrap();
    assert!(third.report.is_clean(), "{}", third.report);
}

/// The file that tells what starts have found could not be read, so that nothing could be added to it. What a
/// start found that was killed later on was told by nobody.
#[test]
fn what_is_found_is_told_although_what_was_told_before_cannot_be_read() {
    let (storage, world) = established(7);
    let history = std::path::Path::new("recovery.jsonl");
    storage.make_unreadable(history);
    let damaged = files(&storage, "checkpoints").pop().unwrap();
    storage.flip_bit(&damaged, 8 * 100);
    drop(open(&storage, BOOT, world.now).unwrap());
    let told = storage.files().into_iter().find(|(path, _)| path == history).unwrap().1;
    let told: serde_json::Value = serde_json::from_slice(&told).unwrap();
    assert_eq!(told["damage"][0]["file"], damaged.display().to_string());
    let aside = files(&storage, "quarantine");
    assert!(aside.iter().any(|path| path.to_string_lossy().ends_with("recovery.jsonl")));
}

/// A segment that could not be read was told of twice, as such and as the place where records are missing, and was to
/// be copied to the quarantine as well as moved there.
#[test]
fn what_is_set_aside_is_told_of_once() {
    let (storage, world) = established(6);
    // The last one has no record yet.
    let damaged = files(&storage, "wal").into_iter().rev().nth(1).unwrap();
    storage.make_unreadable(&damaged);
    let (_, recovered) = open(&storage, BOOT, world.now).unwrap();
    let [damage] = &recovered.report.damage[..] else { panic!("{}", recovered.report) };
    assert_eq!(damage.file, damaged.display().to_string());
    for what in ["it cannot be read", "are missing"] {
        assert!(damage.what.contains(what), "{}", recovered.report);
    }
    let aside = files(&storage, "quarantine");
    assert_eq!(aside.len(), 1, "{aside:?}");
}

/// What the disk takes no report of is told of before the next checkpoint hides it (P4), and nothing is durable until then.
#[test]
fn a_report_that_could_not_be_kept_comes_before_the_next_checkpoint() {
    let (storage, mut world) = established(6);
    let damaged = files(&storage, "wal").into_iter().rev().nth(1).unwrap();
    storage.make_unreadable(&damaged);
    let now = world.now;
    let is_told = |storage: &SimStorage| {
        let damage = br#""damage":[{"#;
        storage.files().iter().any(|(path, bytes)| {
            path.ends_with("recovery.jsonl") && bytes.windows(damage.len()).any(|it| it == damage)
        })
    };
    storage.remove(Path::new("recovery.jsonl")).unwrap();
    storage.fail(CallKind::Create, 1, u64::MAX, Fault::Io);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert!(matches!(persistence.health(), LogHealth::Degraded { .. }));
    storage.heal();
    let is_damaged = |storage: &SimStorage| {
        let (_, found) = open(&storage.fork().kill(), BOOT, now).unwrap();
        !found.report.is_clean()
    };
    assert!(is_damaged(&storage) && !is_told(&storage), "nothing has hidden it");
    world.resume(&persistence, recovered.state);
    let mut checkpoint = |failing: bool| {
        world.act(&mut persistence);
        persistence.commit_now();
        if failing {
            // The disk would take the checkpoint, and does not take the report.
            storage.fail(CallKind::Create, 1, 1, Fault::NoSpace);
        }
        let taken = persistence.checkpoint(&world.state, world.now);
        taken.expect("there is no reason against it");
    };
    for _ in 0..4 {
        checkpoint(true);
        assert!(is_damaged(&storage) && !is_told(&storage), "a checkpoint has hidden it");
    }
    checkpoint(false);
    assert!(is_told(&storage), "the checkpoint came first");
    persistence.commit_now();
    assert_eq!(persistence.health(), LogHealth::Durable);
}
