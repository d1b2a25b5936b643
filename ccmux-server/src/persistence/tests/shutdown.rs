//! Ends of programs: the beginning of a shutdown, or somebody's `exit`.

use ccmux_core::State;
use ccmux_core::change::{Change, CloseReason};
use ccmux_core::ids::PaneId;
use ccmux_core::model::{Ended, ExitStatus, Timestamp};
use uuid::Uuid;

use super::store::spoil_header;
use super::world::{BOOT, NEXT_BOOT, World, open, same};
use crate::persistence::sim::{CallKind, Fault, SimStorage};
use crate::persistence::{CheckpointRefusal, LogHealth, Persistence};

/// Three panes in two windows of one session.
fn start() -> (SimStorage, World, Persistence) {
    let storage = SimStorage::new(1);
    let mut world = World::new(1);
    let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
    let session = world.new_session();
    world.run(&mut persistence, "new-session", session);
    let split = world.split(PaneId(0)).unwrap();
    world.run(&mut persistence, "split-window", vec![split]);
    let window = *world.state.windows.keys().next().unwrap();
    let window = world.new_window(window);
    world.run(&mut persistence, "new-window", window);
    (storage, world, persistence)
}

fn end_program(world: &mut World, persistence: &mut Persistence, pane: u32) {
    let ended = Ended { status: ExitStatus::Signal(1), time: world.now };
    let close = world.close(PaneId(pane), CloseReason::ProgramEnded(ended));
    world.run(persistence, "program ended", close);
}

/// Lets go and opens again; returns the state found and how many ends were taken back.
fn reopen(storage: &SimStorage, boot: Uuid, now: Timestamp) -> (State, u64) {
    let (persistence, recovered) = open(storage, boot, now).unwrap();
    assert!(recovered.report.is_clean(), "{}", recovered.report);
    drop(persistence);
    let (_, again) = open(storage, boot, now).unwrap();
    assert_eq!(again.state, recovered.state, "P3");
    (recovered.state, recovered.report.undone)
}

/// The machine goes down: shells first, the titles they set on their way included, then the server,
/// whether it is asked to or not.
#[test]
fn a_shutdown_that_ends_the_shells_first_forgets_nothing() {
    for is_asked in [true, false] {
        let (storage, mut world, mut persistence) = start();
        let before = world.state.clone();
        for pane in 0..3 {
            end_program(&mut world, &mut persistence, pane);
            if pane == 0 {
                let title = vec![Change::PaneTitled { id: PaneId(1), title: "bye".into() }];
                world.run(&mut persistence, "title", title);
            }
        }
        assert!(world.state.sessions.is_empty(), "the last one took the session along");
        if is_asked {
            persistence.mark_shutdown(world.now);
            assert_eq!(persistence.finalize(&world.state, world.now), LogHealth::Durable);
        } else {
            persistence.commit_now();
            drop(persistence);
        }
        for (boot, is_undone) in [(NEXT_BOOT, true), (BOOT, is_asked)] {
            let (state, undone) = reopen(&storage.fork(), boot, Timestamp(world.now.0 + 60_000));
            assert_eq!(same(&state, &before), is_undone, "asked {is_asked}, boot {boot}");
            assert_eq!(undone, if is_undone { 3 } else { 0 });
        }
    }
}

/// What runs in a window changes while the machine goes down: a dying editor leaves its shell in
/// front. That is no command, and does not make the ends before it final.
#[test]
fn a_window_that_follows_its_program_interrupts_no_shutdown() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    end_program(&mut world, &mut persistence, 0);
    let window = world.state.panes[&PaneId(1)].window;
    let named = vec![Change::WindowNamed { id: window, name: "sh".into() }];
    world.run(&mut persistence, "name", named);
    end_program(&mut world, &mut persistence, 1);
    assert_eq!(persistence.finalize(&world.state, world.now), LogHealth::Durable);
    let (state, undone) = reopen(&storage, NEXT_BOOT, world.now);
    assert!(same(&state, &before));
    assert_eq!(undone, 2);
}

/// What ended programs have left must be kept until the record that makes the ends final is on the
/// disk: a power cut before takes the ends back.
#[test]
fn ends_can_be_taken_back_until_what_settles_them_is_durable() {
    let settle: [fn(&mut World, &mut Persistence); 2] = [
        |_, persistence| {
            let deadline = persistence.next_deadline().unwrap();
            persistence.tick(deadline);
        },
        |world, persistence| {
            let window = world.new_window(*world.state.windows.keys().next().unwrap());
            world.run(persistence, "new-window", window);
        },
    ];
    for settle in settle {
        let (storage, mut world, mut persistence) = start();
        end_program(&mut world, &mut persistence, 0);
        persistence.commit_now();
        assert!(persistence.may_take_back());
        settle(&mut world, &mut persistence);
        assert!(!persistence.is_unsettled() && persistence.may_take_back());
        let undone = (0..20).filter(|seed| {
            let (_, recovered) =
                open(&storage.fork().power_cut(*seed), NEXT_BOOT, world.now).unwrap();
            recovered.report.undone == 1
        });
        assert!(undone.count() > 0, "a power cut takes the end back");
        persistence.commit_now();
        assert!(!persistence.may_take_back());
    }
}

/// A start whose disk failed took no checkpoint, and nothing in the log said that ends from long ago
/// were final. They counted as final, what the programs had left was removed, and a power cut brought
/// the panes back.
#[test]
fn ends_from_long_ago_are_final_although_the_disk_failed_at_the_start() {
    let (storage, mut world, mut persistence) = start();
    end_program(&mut world, &mut persistence, 0);
    persistence.commit_now();
    drop(persistence);
    world.now.0 += 60_000;
    storage.fail(CallKind::CreateDir, 1, 1, Fault::Io);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &world.state));
    assert!(persistence.may_take_back());
    for _ in 0..2 {
        persistence.tick(world.now);
        persistence.commit_now();
        if persistence.checkpoint_due(world.now) {
            persistence.checkpoint(&world.state, world.now).unwrap();
        }
    }
    assert!(!persistence.may_take_back() && persistence.durable() == persistence.issued());
    for seed in 0..8 {
        let (_, recovered) = open(&storage.fork().power_cut(seed), NEXT_BOOT, world.now).unwrap();
        assert!(same(&recovered.state, &world.state), "{}", recovered.report);
    }
}

/// Goal: P3 for ends that are not final. Method: recover after a kill between two ends, and cut the
/// power or kill again at every call of that recovery. In the same boot the ends stand and are not
/// final; after a boot they are taken back.
#[test]
fn a_crash_inside_a_recovery_settles_nothing() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    end_program(&mut world, &mut persistence, 0);
    persistence.commit_now();
    drop(persistence);
    let probe = storage.fork();
    let calls_before = probe.calls();
    drop(open(&probe, BOOT, world.now).unwrap());
    for call in calls_before + 1..=probe.calls() {
        let struck = storage.fork();
        struck.strike(call, Fault::PowerCut);
        drop(open(&struck, BOOT, world.now));
        for (after, boot) in
            [(struck.power_cut(call), NEXT_BOOT), (struck.kill(), NEXT_BOOT), (struck.kill(), BOOT)]
        {
            let (persistence, recovered) = open(&after, boot, world.now).unwrap();
            let context = format!("call {call}, boot {boot}: {}", recovered.report);
            assert!(recovered.report.is_clean(), "{context}");
            assert_eq!(recovered.report.undone, u64::from(boot == NEXT_BOOT), "{context}");
            let wanted = if boot == BOOT { &world.state } else { &before };
            assert!(same(&recovered.state, wanted), "{context}");
            assert_eq!(persistence.is_unsettled(), boot == BOOT, "{context}");
        }
    }
}

/// The header of a segment says in which boot its records were written. Damaged, it made the ends in
/// it final, and the panes that a shutdown had ended were forgotten.
#[test]
fn ends_in_a_boot_that_is_not_known_are_taken_back() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    for pane in 0..3 {
        end_program(&mut world, &mut persistence, pane);
    }
    persistence.commit_now();
    drop(persistence);
    let (path, _) = storage.files().into_iter().find(|(path, _)| path.starts_with("wal")).unwrap();
    spoil_header(&storage, &path);
    for boot in [NEXT_BOOT, BOOT] {
        let storage = storage.fork();
        let (_, recovered) = open(&storage, boot, world.now).unwrap();
        assert!(same(&recovered.state, &before), "{}", recovered.report);
        assert_eq!((recovered.report.undone, recovered.report.lost), (3, None));
        assert!(!recovered.report.is_clean());
        let (state, undone) = reopen(&storage, boot, world.now);
        assert!(same(&state, &before) && undone == 0, "P3");
    }
    // What was final before is final still.
    let (storage, mut world, mut persistence) = start();
    end_program(&mut world, &mut persistence, 0);
    world.settle(&mut persistence);
    persistence.commit_now();
    drop(persistence);
    spoil_header(&storage, &path);
    let (_, recovered) = open(&storage, NEXT_BOOT, world.now).unwrap();
    assert!(same(&recovered.state, &world.state), "{}", recovered.report);
}

/// Goal: P4 costs no more than what was damaged. Method: a program ends, a file decays, the server
/// is killed and the next one recovers, and only then the machine goes down. Cut the power or kill
/// at every call of that recovery, too. After damage there were checkpoints that held the end.
#[test]
fn damage_makes_no_end_final() {
    for (number_of_checkpoints, damaged) in
        [(2, "checkpoints"), (1, "checkpoints"), (2, "format"), (0, "format")]
    {
        let (storage, mut world, mut persistence) = start();
        let window = *world.state.windows.keys().next().unwrap();
        for _ in 0..number_of_checkpoints {
            let window = world.new_window(window);
            world.run(&mut persistence, "new-window", window);
            persistence.checkpoint(&world.state, world.now).unwrap();
        }
        let before = world.state.clone();
        end_program(&mut world, &mut persistence, 0);
        persistence.commit_now();
        drop(persistence);
        let last = |storage: &SimStorage, dir: &str| {
            let mut paths = storage.files().into_iter().map(|(path, _)| path);
            paths.rfind(|path| path.starts_with(dir)).unwrap()
        };
        let path = last(&storage, damaged);
        storage.flip_bit(&path, 100);
        let context = format!("{number_of_checkpoints} checkpoints, {} damaged", path.display());

        let probe = storage.fork();
        let calls_before = probe.calls();
        let (mut persistence, recovered) = open(&probe, BOOT, world.now).unwrap();
        assert!(!recovered.report.is_clean(), "{context}");
        assert!(same(&recovered.state, &world.state), "{context}: {}", recovered.report);
        assert_eq!(persistence.health(), LogHealth::Durable, "{context}");
        let calls = probe.calls();
        let again = probe.fork();
        persistence.mark_shutdown(world.now);
        assert_eq!(persistence.finalize(&world.state, world.now), LogHealth::Durable);
        for (storage, boot) in [(&probe, BOOT), (&probe, NEXT_BOOT), (&again, NEXT_BOOT)] {
            let (state, undone) = reopen(&storage.fork(), boot, world.now);
            assert!(same(&state, &before), "{context}");
            assert_eq!(undone, 1, "{context}");
        }
        // Reported once, and no less robust than before.
        let (state, undone) = reopen(&again, BOOT, world.now);
        assert!(same(&state, &world.state) && undone == 0, "{context}");
        again.flip_bit(&last(&again, "checkpoints"), 8 * 100);
        let (_, recovered) = open(&again, BOOT, world.now).unwrap();
        assert!(same(&recovered.state, &world.state), "{context}: {}", recovered.report);

        for call in calls_before + 1..=calls {
            let struck = storage.fork();
            struck.strike(call, Fault::PowerCut);
            drop(open(&struck, BOOT, world.now));
            for (after, boot) in [
                (struck.power_cut(call), NEXT_BOOT),
                (struck.kill(), NEXT_BOOT),
                (struck.kill(), BOOT),
            ] {
                // Nothing but the header says in which boot a segment was written.
                if damaged == "wal" && boot == NEXT_BOOT {
                    continue;
                }
                let (persistence, recovered) = open(&after, boot, world.now).unwrap();
                let context = format!("{context}, call {call}, boot {boot}: {}", recovered.report);
                assert_eq!(recovered.report.undone, u64::from(boot == NEXT_BOOT), "{context}");
                let wanted = if boot == BOOT { &world.state } else { &before };
                assert!(same(&recovered.state, wanted), "{context}");
                assert_eq!(persistence.is_unsettled(), boot == BOOT, "{context}");
            }
        }
    }
}

/// A crash of the server alone, between two `exit`s, brings no pane back; and it does not make them
/// final either.
#[test]
fn a_kill_of_the_server_undoes_nothing_and_settles_nothing() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    end_program(&mut world, &mut persistence, 0);
    drop(persistence);
    let (mut persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
    assert_eq!(recovered.state, world.state);
    end_program(&mut world, &mut persistence, 1);
    persistence.commit_now();
    drop(persistence);
    let (state, undone) = reopen(&storage, NEXT_BOOT, world.now);
    assert!(same(&state, &before));
    assert_eq!(undone, 2);
}

#[test]
fn ends_become_final_after_ten_seconds_or_by_a_command() {
    let settle: [fn(&mut World, &mut Persistence); 2] = [
        |world, persistence| {
            let deadline = persistence.next_deadline().unwrap();
            assert_eq!(deadline.0, world.now.0 + 10_000);
            persistence.tick(Timestamp(deadline.0 - 1));
            assert!(persistence.is_unsettled());
            persistence.tick(deadline);
            assert!(!persistence.is_unsettled());
        },
        |world, persistence| {
            let window = *world.state.windows.keys().next().unwrap();
            let rename = Change::WindowRenamed { id: window, name: "n".into() };
            world.run(persistence, "rename-window", vec![rename]);
        },
    ];
    for settle in settle {
        let (storage, mut world, mut persistence) = start();
        end_program(&mut world, &mut persistence, 0);
        settle(&mut world, &mut persistence);
        persistence.commit_now();
        drop(persistence);
        let (state, undone) = reopen(&storage, NEXT_BOOT, world.now);
        assert!(same(&state, &world.state));
        assert_eq!(undone, 0);
    }
}

/// Somebody's `exit`, and half a minute later the machine is told to go down: only what ended then
/// comes back.
#[test]
fn only_the_last_ten_seconds_before_the_request_are_taken_back() {
    let (storage, mut world, mut persistence) = start();
    end_program(&mut world, &mut persistence, 0);
    let before = world.state.clone();
    // The server was too busy to notice that ten seconds had passed.
    world.now.0 += 30_000;
    end_program(&mut world, &mut persistence, 1);
    persistence.mark_shutdown(Timestamp(world.now.0 + 2_000));
    persistence.commit_now();
    drop(persistence);
    let (state, undone) = reopen(&storage, BOOT, world.now);
    assert!(same(&state, &before));
    assert_eq!(undone, 1);
}

#[test]
fn no_checkpoint_covers_what_may_be_taken_back() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    end_program(&mut world, &mut persistence, 0);
    let much_later = Timestamp(world.now.0 + 9_999);
    assert!(!persistence.checkpoint_due(much_later));
    let refused = persistence.checkpoint(&world.state, much_later);
    assert_eq!(refused, Err(CheckpointRefusal::Unsettled));
    persistence.finalize(&world.state, much_later);
    let (state, undone) = reopen(&storage, NEXT_BOOT, much_later);
    assert!(same(&state, &before));
    assert_eq!(undone, 1);
}

/// A clock that is put back by a year does not keep ends of programs open for a year.
#[test]
fn a_clock_that_is_put_back_delays_nothing() {
    let (_storage, mut world, mut persistence) = start();
    end_program(&mut world, &mut persistence, 0);
    let back = Timestamp(1_000);
    persistence.tick(back);
    assert!(persistence.is_unsettled(), "it may still be the beginning of a shutdown");
    assert_eq!(persistence.next_deadline(), Some(Timestamp(back.0 + 10_000)));
    persistence.tick(Timestamp(back.0 + 10_000));
    assert!(!persistence.is_unsettled());
    assert!(!persistence.checkpoint_due(Timestamp(back.0 + 10_000)));
    assert!(persistence.checkpoint_due(Timestamp(back.0 + 300_000)), "five minutes with changes");
}

/// A pane that stays to show how its program ended is alive again, too.
#[test]
fn the_end_of_a_program_whose_pane_remains_is_taken_back() {
    let (storage, mut world, mut persistence) = start();
    let before = world.state.clone();
    let ended = Ended { status: ExitStatus::Code(0), time: world.now };
    let change = Change::PaneEnded { id: PaneId(0), ended };
    world.run(&mut persistence, "program ended", vec![change]);
    persistence.mark_shutdown(world.now);
    drop(persistence);
    let (state, undone) = reopen(&storage, BOOT, world.now);
    assert!(same(&state, &before));
    assert_eq!(undone, 1);
}

/// The request to end is remembered, across the final checkpoint and starts that were cut short,
/// until everything that a shutdown may have ended has been looked at.
#[test]
fn a_request_to_end_is_remembered_until_it_is_settled() {
    for settle in [
        |persistence: &mut Persistence, _: &mut World| persistence.settle(Timestamp(2)),
        |persistence: &mut Persistence, world: &mut World| {
            let session = world.new_session();
            world.run(persistence, "new-session", session);
        },
    ] {
        let (storage, mut world, mut persistence) = start();
        persistence.mark_shutdown(world.now);
        persistence.finalize(&world.state, world.now);
        for _ in 0..3 {
            let (persistence, recovered) = open(&storage, BOOT, world.now).unwrap();
            assert!(recovered.is_after_shutdown);
            assert_eq!(recovered.report.undone, 0);
            drop(persistence);
        }
        let (mut persistence, _) = open(&storage, BOOT, world.now).unwrap();
        settle(&mut persistence, &mut world);
        persistence.finalize(&world.state, world.now);
        let (_, recovered) = open(&storage, BOOT, world.now).unwrap();
        assert!(!recovered.is_after_shutdown);
        assert!(same(&recovered.state, &world.state));
    }
}
