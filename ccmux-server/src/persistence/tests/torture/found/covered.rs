//! Records that are damaged or missing, and that a checkpoint has.

use super::{WAYS, run};
use crate::persistence::sim::{CallKind, Decay, Fault};
use crate::persistence::tests::torture::script::{Failure, Step, Trouble};

/// A record decayed that a checkpoint had, and those behind it in its segment were lost. Nothing told of
/// that: they had outlived a power cut, and the start that found them had been refused by the disk.
#[test]
fn records_behind_one_that_a_checkpoint_has_are_not_lost() {
    let sync_dir = Failure { kind: CallKind::SyncDir, nth: 1, times: 1, fault: Fault::Io };
    for checkpoint in [vec![Step::Checkpoint], Vec::new()] {
        let cut =
            Step::Cut { seed: 145_947_286_189_274_043, troubles: vec![Trouble::Fail(sync_dir)] };
        let bit = 33_408;
        for file in 0..8 {
            let steps = [
                vec![Step::Act],
                checkpoint.clone(),
                vec![Step::Act, Step::Act, Step::Commit, cut.clone()],
                vec![Step::Decay(vec![Decay::Bit { file, bit }], Vec::new())],
            ];
            run(2_708_018_460_979_594_676, steps.concat());
        }
    }
}

/// Two segments were swapped. Behind what looked damaged in one of them the records of the other went on
/// where a checkpoint ended; the start that found them there was killed, and the next one missed them.
#[test]
fn records_in_a_segment_that_is_another_do_not_go_on() {
    let swapped =
        Decay::Swapped { file: 4_327_443_410_495_204_142, with: 18_421_810_183_257_903_911 };
    for call in 1..40 {
        let steps = [
            vec![Step::Act, Step::Act, Step::Act, Step::Checkpoint, Step::Act, Step::Finish],
            vec![Step::Act, Step::Finish, Step::Act, Step::Act],
            vec![Step::Decay(vec![swapped], vec![Trouble::Killed { call }])],
        ];
        run(4_209_191_855_549_996_829, steps.concat());
    }
}

/// A power cut tore records that a checkpoint had. A start on a failing disk said of those behind them
/// that they were durable, and the next one called the torn ones damaged.
#[test]
fn what_a_power_cut_tore_is_no_damage_after_a_start_on_a_failing_disk() {
    let sync_dir = Failure { kind: CallKind::SyncDir, nth: 1, times: 1, fault: Fault::Io };
    let cut = |seed, troubles| Step::Cut { seed, troubles };
    let steps = [
        vec![Step::Commit, cut(0, vec![Trouble::Killed { call: 23 }])],
        vec![Step::Act, Step::Act, Step::Commit, Step::Kill(vec![Trouble::Killed { call: 29 }])],
        vec![Step::Finish, Step::Finish, cut(6_255_891_372_133_917_592, Vec::new()), Step::Act],
        vec![Step::CutAt {
            call: 18,
            seed: 8_517_077_847_733_612_660,
            troubles: vec![Trouble::Fail(sync_dir)],
        }],
        vec![Step::Act, Step::Checkpoint, Step::Act, Step::Finish],
    ];
    run(3_101_781_015_817_185_443, steps.concat());
}

/// Records that a sync had failed for were taken by a power cut, during a start that did not trust them. It
/// had begun a segment that named the checkpoint's number as durable, and not yet replaced the records: that
/// was called damage.
#[test]
fn a_checkpoint_that_is_durable_says_nothing_of_the_log() {
    let sync = Failure { kind: CallKind::Sync, nth: 1, times: u64::MAX, fault: Fault::Io };
    for call in 1..60 {
        let troubles =
            vec![Trouble::Fail(sync), Trouble::Killed { call: 18 }, Trouble::Cut { call, seed: 0 }];
        let steps = [
            vec![Step::Act; 11],
            vec![Step::Cut {
                seed: 1_256_538_906_076_773_069,
                troubles: vec![Trouble::Cut { call: 3, seed: 0 }],
            }],
            vec![Step::Act, Step::Act, Step::Settle, Step::Act, Step::Act, Step::Act],
            vec![Step::Checkpoint, Step::Act, Step::Act, Step::Kill(troubles)],
        ];
        run(6_565_556_806_089_816_243, steps.concat());
    }
}

/// What was not proven to be missing of the log was left as it was, and called damaged once later records had
/// been synced.
#[test]
fn what_is_missing_before_a_checkpoint_is_replaced_before_it_can_look_damaged() {
    let zeroed = Decay::Sector { file: 1_416_266_668_454_817_572, sector: 0 };
    let unreadable = Decay::Unreadable { file: 13_791_752_216_743_270_465 };
    for call in 1..60 {
        let steps = [
            vec![Step::Checkpoint, Step::Act, Step::Finish, Step::Decay(vec![zeroed], Vec::new())],
            vec![Step::Act; 4],
            vec![Step::Decay(vec![unreadable], vec![Trouble::Killed { call }])],
        ];
        run(2_784_904_522_896_452_303, steps.concat());
    }
    let flipped = Decay::Bit { file: 503_896_679_110_230_782, bit: 33_408 };
    let cut = Trouble::Cut { call: 1, seed: 635_592_802_427_407_263 };
    let steps = [
        vec![Step::Act, Step::Kill(vec![cut])],
        vec![Step::Act; 4],
        vec![Step::Finish, Step::Act, Step::Act, Step::Act, Step::Finish],
        vec![Step::Act; 4],
        vec![Step::Decay(vec![flipped], Vec::new()), Step::Act, Step::Commit, Step::Finish],
    ];
    run(11_815_509_045_018_236_440, steps.concat());
}

/// A checkpoint decayed, and the start that found that was refused by the disk. It said that the record before was
/// durable, because a file names its number: but that was on the checkpoint's word.
#[test]
fn what_a_decayed_checkpoint_had_is_durable_no_longer() {
    let refused = Failure { kind: CallKind::CreateDir, nth: 1, times: 1, fault: Fault::Io };
    for way in 0..WAYS {
        let decays = |file| [Decay::Bit { file, bit: 0 }, Decay::Copies { file, bit: 0 }];
        for decay in (0..6).flat_map(decays) {
            let steps = vec![
                Step::Act,
                Step::Finish,
                Step::Act,
                Step::Checkpoint,
                Step::Decay(vec![decay], vec![Trouble::Fail(refused)]),
                Step::Cut { seed: way, troubles: Vec::new() },
            ];
            run(way, steps);
        }
    }
}

/// A start could neither sync an end of a program that was in doubt nor log it again. Records that came later said
/// that it was synced, and once a checkpoint had it, it was called damaged.
#[test]
fn records_that_a_start_could_not_log_again_are_proven_by_none_that_follow() {
    for nth in 1..9 {
        let failure = Failure { kind: CallKind::Sync, nth, times: 2, fault: Fault::Io };
        let steps = [
            vec![
                Step::Act,
                Step::Kill(Vec::new()),
                Step::Act,
                Step::Commit,
                Step::Act,
                Step::Commit,
            ],
            vec![Step::Act, Step::Act, Step::Finish, Step::Finish, Step::Act, Step::Commit],
            vec![Step::Act, Step::Finish, Step::Act, Step::Kill(vec![Trouble::Fail(failure)])],
            vec![Step::Commit, Step::Act, Step::Act, Step::Checkpoint],
            // Only what was logged behind the checkpoint says how much was synced.
            vec![Step::Act, Step::Commit, Step::Act, Step::Commit, Step::Kill(Vec::new())],
        ];
        run(13_404_629_104_271_964_264, steps.concat());
    }
}

/// A start could begin no log on its disk, though what was there had outlived a power cut. The segment that it began
/// later said so, and was not heard when those records decayed: nobody was told.
#[test]
fn a_segment_that_only_a_checkpoint_leads_to_proves_what_was_synced_before() {
    let failure = Failure { kind: CallKind::CreateDir, nth: 1, times: 2, fault: Fault::Io };
    for seed in 0..WAYS {
        let steps = [
            vec![Step::Act, Step::Commit, Step::Act, Step::Commit],
            vec![Step::Cut { seed, troubles: vec![Trouble::Fail(failure)] }, Step::Heal],
            vec![Step::Act, Step::Commit, Step::Act],
            vec![Step::Decay(vec![Decay::Gone { file: seed }], Vec::new())],
        ];
        run(seed, steps.concat());
    }
}
