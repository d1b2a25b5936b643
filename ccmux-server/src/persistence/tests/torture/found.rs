//! Scripts that broke a promise once, and what was wrong.

mod covered;
mod ends;
mod output;
mod voids;
mod witnesses;

use super::script::{self, Failure, Step, Trouble};
use crate::persistence::sim::{CallKind, Decay, Fault};

fn run(seed: u64, steps: Vec<Step>) {
    script::run(&(seed, steps)).unwrap();
}

/// How many ways of losing things are tried where it is a matter of luck.
const WAYS: u64 = 60;

fn fail(kind: CallKind, times: u64) -> Step {
    Step::Fail(Failure { kind, nth: 1, times, fault: Fault::Io })
}

/// After damage there are two checkpoints of one state. A start that was killed right behind them left
/// a number that no record has, and every later start said that this record was damaged.
#[test]
fn a_number_between_checkpoints_that_no_record_has() {
    let unreadable = Decay::Unreadable { file: 1_137_714_888_973_735_693 };
    let steps = vec![
        Step::Act,
        Step::Act,
        Step::Finish,
        Step::Decay(vec![unreadable], vec![Trouble::Killed { call: 31 }]),
    ];
    run(1_477_890_953_935_886_137, steps);
}

/// Records that a full disk had not taken were said to be damaged, because those behind them proved
/// that they were durable. They were promised to nobody.
#[test]
fn records_behind_some_that_were_never_logged_prove_nothing() {
    for seed in 0..WAYS {
        let mut steps = vec![Step::Act, Step::Act, fail(CallKind::Write, 2)];
        steps.extend([Step::Act, Step::Act, Step::Act, Step::Act, Step::Act, Step::Commit]);
        steps.extend([Step::Act, Step::Act, Step::Finish]);
        run(seed, steps);
    }
}

/// The segment that replaced the first one after damage did not bridge the number that only a
/// checkpoint has.
#[test]
fn a_repaired_segment_bridges_what_the_first_one_did() {
    let zeroed = Decay::Sector { file: 7_664_718_666_866_520_120, sector: 0 };
    let steps = vec![
        Step::Decay(vec![zeroed], Vec::new()),
        fail(CallKind::Sync, 1),
        Step::Act,
        Step::Commit,
        Step::Kill(Vec::new()),
    ];
    run(0, steps);
}

/// A start whose disk failed repeated nothing of the log, and a checkpoint held it all. When a power cut
/// had taken the log, the checkpoint was enough for one start, and the next one missed the log.
#[test]
fn a_log_that_only_a_checkpoint_replaces_is_missed_by_nobody() {
    for way in 0..WAYS {
        let degraded = Failure { kind: CallKind::CreateDir, nth: 1, times: 1, fault: Fault::Io };
        let mut steps = vec![Step::Act, Step::Act, Step::Finish, Step::Act, Step::Act];
        steps.extend([Step::Kill(vec![Trouble::Fail(degraded)]), Step::Act, Step::Checkpoint]);
        steps.push(Step::Cut { seed: way, troubles: Vec::new() });
        run(way, steps);
    }
}

/// A power cut took records that a checkpoint alike to the one before it covered. The segment that was
/// begun then follows the older checkpoint, and the next start called what lies between damaged.
#[test]
fn a_segment_that_follows_an_older_checkpoint_is_no_sign_of_damage() {
    let troubles = vec![Trouble::Killed { call: 22 }, Trouble::Killed { call: 14 }];
    let truncated =
        Decay::Truncated { file: 11_627_968_985_844_966_472, bytes: 885_786_899_072_425_328 };
    let cut = Trouble::Cut { call: 7, seed: 2_875_541_938_802_480_190 };
    let mut steps = vec![Step::Cut { seed: 0, troubles }];
    steps.extend([Step::Act, Step::Act, Step::Checkpoint, Step::Act, Step::Checkpoint, Step::Act]);
    steps.push(Step::Decay(vec![truncated], vec![cut]));
    run(12_101_625_933_184_795_510, steps);
}

/// No fault of the product: the model took the state that was recovered for one that was lost, and
/// looked the same because what a record had made had ended again. So it expected that a power cut
/// takes that end back.
#[test]
fn a_state_that_came_back_is_no_later_one_that_looked_the_same() {
    let swapped = Decay::Swapped { file: 0, with: 4 };
    let mut steps = vec![Step::Act; 6];
    steps.push(Step::Finish);
    steps.extend([Step::Act, Step::Act, Step::Act]);
    steps.push(Step::Decay(vec![swapped], Vec::new()));
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
    run(7_522_724_215_806_197_820, steps);
}

/// A damaged segment was removed, once two checkpoints replaced it. A power cut brought it back, and
/// the next start told of the damage again.
#[test]
fn a_damaged_segment_that_was_removed_does_not_come_back() {
    for way in 0..WAYS {
        let header = Decay::Copies { file: 4, bit: 160 };
        let steps = vec![
            Step::Act,
            Step::Checkpoint,
            Step::Decay(vec![header], Vec::new()),
            Step::Cut { seed: way, troubles: Vec::new() },
        ];
        run(0, steps);
    }
}

/// Records behind damage had given out numbers, and no checkpoint could be taken because programs had just
/// ended: the start after the next one gave those numbers out again.
#[test]
fn numbers_of_lost_records_stay_reserved_while_ends_are_in_doubt() {
    let bit = Decay::Bit { file: 4, bit: 51_648 };
    let mut steps = vec![Step::Checkpoint];
    steps.extend(vec![Step::Act; 7]);
    steps.push(Step::Decay(vec![bit], Vec::new()));
    run(7_137_685_573_972_298_833, steps);
}

/// No fault of the product: the record that ends of programs were final decayed, and they were older
/// than ten seconds. The model still took them for what a shutdown had ended.
#[test]
fn ends_from_long_ago_are_final_without_the_record_that_says_so() {
    let bit = Decay::Bit { file: 4, bit: 47_488 };
    let mut steps = vec![Step::Checkpoint];
    steps.extend(vec![Step::Act; 7]);
    steps.extend([Step::Settle, Step::Decay(vec![bit], vec![Trouble::Killed { call: 25 }])]);
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
    run(7_137_685_573_972_298_833, steps);
}

/// The directory of checkpoints could not be synced at first, and a checkpoint was taken that covered the
/// end of a program. A power cut right after that could not take the end back any more.
#[test]
fn ends_in_doubt_are_covered_by_no_checkpoint_if_the_older_one_is_in_doubt_too() {
    let sync = Failure { kind: CallKind::SyncDir, nth: 4, times: 1, fault: Fault::Io };
    let cut = Trouble::Cut { call: 24, seed: 9_640_881_318_609_755_350 };
    let mut steps = vec![Step::Act; 10];
    steps.push(Step::Finish);
    steps.extend(vec![Step::Act; 3]);
    steps.push(Step::Kill(vec![Trouble::Fail(sync), cut]));
    run(12_701_350_142_795_727_454, steps);
}

/// A start took back ends of programs and was cut short right behind its checkpoint. The next one took
/// the records of these ends for what leads to it; when the checkpoint decayed, they counted again.
#[test]
fn ends_that_were_taken_back_stay_so_without_the_checkpoint_that_says_so() {
    let act = |times| vec![Step::Act; times];
    let cut = Trouble::Cut { call: 44, seed: 5_508_908_282_912_572_085 };
    let again = Trouble::Cut { call: 31, seed: 3_980_309_044_598_205_615 };
    let bit = Decay::Bit { file: 14_307_654_864_525_986_324, bit: 0 };
    let steps = [
        act(3),
        vec![Step::Finish],
        act(4),
        vec![Step::Finish],
        act(11),
        vec![Step::Checkpoint, Step::Act, Step::Commit],
        act(2),
        vec![Step::Cut { seed: 289_092_593_571_493_055, troubles: vec![cut] }],
        act(2),
        vec![Step::CutAt { call: 12, seed: 0, troubles: vec![again] }],
        vec![Step::Act, Step::Commit],
        act(3),
        vec![Step::Commit, Step::Act, Step::Decay(vec![bit], Vec::new())],
    ];
    run(3_160_203_745_248_198_808, steps.concat());
}

/// A degraded log came back behind a checkpoint and records that were never logged. Its new segment was
/// taken for a proof that they had been, and their loss for damage.
#[test]
fn a_segment_behind_records_that_were_never_logged_proves_none_before_the_checkpoint() {
    let create = Failure { kind: CallKind::CreateDir, nth: 1, times: 2, fault: Fault::Io };
    let cut = |call, troubles| Step::CutAt { call, seed: 0, troubles };
    let mut steps =
        vec![Step::Act, Step::Cut { seed: 3_001_050_459_973_831_931, troubles: vec![] }];
    steps.extend([cut(5, Vec::new()), Step::Act, Step::Commit]);
    steps.extend([cut(1, vec![Trouble::Fail(create)]), Step::Act, Step::Act, Step::Checkpoint]);
    steps.extend([Step::Act, Step::Commit, Step::Act, Step::Kill(Vec::new())]);
    run(237_713_931_308_800, steps);
}

/// A new segment got no name, and the only one there was went in favour of checkpoints. The next start
/// said that there was no log and what it had held was lost.
#[test]
fn the_last_segment_stays_while_no_other_can_be_begun() {
    let rename = Failure { kind: CallKind::Rename, nth: 1, times: 2, fault: Fault::Io };
    let troubles = vec![Trouble::Cut { call: 24, seed: 0 }, Trouble::Fail(rename)];
    let mut steps = vec![Step::Act; 10];
    steps.push(Step::Cut { seed: 5_426_294_067_315_095_860, troubles });
    steps.extend([fail(CallKind::Allocate, 1), Step::Act, Step::Checkpoint, Step::Checkpoint]);
    steps.push(Step::Finish);
    run(3_586_224_191_187_802, steps);
}

/// A start took ends of programs back, and no checkpoint could be written. What was logged after that
/// counted as built on the ends, so that the next start did not take them back.
#[test]
fn ends_that_were_taken_back_stay_so_although_no_checkpoint_says_it() {
    let sync = Failure { kind: CallKind::SyncDir, nth: 1, times: 1, fault: Fault::Io };
    let mut steps = vec![Step::Act; 4];
    steps.push(Step::CutAt { call: 6, seed: 0, troubles: vec![Trouble::Fail(sync)] });
    for _ in 0..2 {
        steps.extend([Step::Act, Step::Act, Step::Commit]);
    }
    steps.push(Step::Kill(Vec::new()));
    run(4_026_654_745_162_650_916, steps);
}

/// No fault of the product: the disk took no mark any more, so nothing witnessed the end of the newest
/// segment. The model took one that was being prepared for the newest.
#[test]
fn a_segment_that_is_being_prepared_is_not_the_newest() {
    let (kind, times, fault) = (CallKind::Write, u64::MAX, Fault::Io);
    let truncated = Decay::Truncated { file: 2, bytes: 0 };
    let mut steps = vec![Step::Act, Step::Settle, Step::Act, Step::Act, Step::Commit];
    steps.push(Step::Fail(Failure { kind, nth: 2, times, fault }));
    steps.extend([Step::Act, Step::Act, Step::Commit, Step::Decay(vec![truncated], Vec::new())]);
    run(0, steps);
}

/// Neither `format` nor the only segment said which store it is, so `mark` counted as one of another store:
/// nobody was told of the lost record, and its number was given out again.
#[test]
fn a_mark_alone_tells_which_store_it_is() {
    let swapped = Decay::Swapped { file: 0, with: 3 };
    for call in 1..30 {
        run(0, vec![Step::Act, Step::Decay(vec![swapped], vec![Trouble::Killed { call }])]);
    }
}

/// Syncs failed, and the next start found what it should have written in memory, took a checkpoint of it and
/// began a segment that said that the records were synced. A power cut took them, which was called damage.
#[test]
fn records_that_a_failed_sync_has_not_taken_are_called_synced_by_nobody() {
    let act = |times| vec![Step::Act; times];
    let kill = |troubles| vec![Step::Kill(troubles)];
    let steps = [
        act(7),
        kill(Vec::new()),
        vec![Step::Act, Step::Commit],
        act(3),
        vec![Step::Finish],
        act(5),
        kill(Vec::new()),
        act(5),
        kill(vec![Trouble::Cut { call: 25, seed: 0 }]),
        act(2),
        vec![Step::Finish],
        act(2),
        vec![fail(CallKind::Sync, u64::MAX)],
        act(4),
        vec![Step::Finish, Step::Cut { seed: 0, troubles: Vec::new() }],
    ];
    run(5_117_769_031_937_926_264, steps.concat());
}

/// Nothing could be added to `recovery.jsonl`, which could not be read, and a start that found damage was killed.
#[test]
fn damage_is_told_although_what_was_told_before_cannot_be_read() {
    let unreadable = Decay::Unreadable { file: 8_534_705_874_898_887_891 };
    let swapped =
        Decay::Swapped { file: 3_031_138_645_201_713_430, with: 2_517_617_214_449_609_279 };
    for call in 1..40 {
        let mut steps = vec![Step::Act, Step::Act, Step::Commit, Step::Finish];
        steps.extend([Step::Act, Step::Act, Step::Finish]);
        steps.extend([Step::Decay(vec![unreadable], Vec::new()), Step::Act, Step::Finish]);
        steps.extend([Step::Act, Step::Commit]);
        steps.push(Step::Decay(vec![swapped], vec![Trouble::Killed { call }]));
        run(5_149_068_426_226_608_871, steps);
    }
}

/// It was a start whose sync of the log failed, and that was killed. The next one had no reason to doubt what
/// it found in memory.
#[test]
fn a_start_whose_sync_failed_leaves_a_doubt() {
    let sync = Failure { kind: CallKind::Sync, nth: 1, times: 4, fault: Fault::Io };
    for call in 1..40 {
        let mut steps = vec![Step::Act, Step::Act, Step::Commit, Step::Checkpoint];
        steps.extend([Step::Act, Step::Act]);
        steps.push(Step::Kill(vec![Trouble::Fail(sync), Trouble::Killed { call }]));
        steps.extend([Step::Act, Step::Act, Step::Act]);
        steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
        run(533_594_287_515_537_701, steps);
    }
}

/// No fault of the product: the only session was lost to decay, which a start told of that was killed. The model
/// took the state without it for the one after the end of its program, and expected that back.
#[test]
fn a_loss_that_looks_like_the_end_of_a_program_is_none() {
    let truncated = Decay::Truncated { file: 2_364_241_297_223_762_211, bytes: 0 };
    for call in 1..40 {
        let decay = Step::Decay(vec![truncated], vec![Trouble::Killed { call }]);
        let steps = vec![Step::Act, Step::Act, decay, Step::Cut { seed: 0, troubles: Vec::new() }];
        run(6_574_174_126_722_121_366, steps);
    }
}

/// No fault of the product: two starts were killed while they applied the only record, and the next one left
/// it out, as it should (P4). The model called that a loss.
#[test]
fn two_kills_at_a_record_are_two_crashes_at_it() {
    let troubles = vec![Trouble::Killed { call: 2 }, Trouble::Killed { call: 1 }];
    run(0, vec![Step::Act, Step::Commit, Step::Cut { seed: 0, troubles }]);
    // The start that says so is killed as well.
    for call in 1..40 {
        let troubles = [3, 2, call].map(|call| Trouble::Killed { call }).to_vec();
        let mut steps = vec![Step::Act, Step::Act, Step::Act, Step::Commit];
        steps.extend([Step::CutAt { call: 1, seed: 0, troubles }, Step::Act]);
        run(26_577_699_018_322, steps);
    }
}

/// No fault of the product: a start found ends of programs from long ago, made them final by a checkpoint,
/// and was cut short. The model knew of no such start, and expected that the next one takes them back.
#[test]
fn a_start_that_was_cut_short_makes_old_ends_final() {
    let sync = Failure { kind: CallKind::Sync, nth: 1, times: u64::MAX, fault: Fault::Io };
    let act = |times| vec![Step::Act; times];
    let begin = [act(4), vec![Step::Finish], act(11), vec![Step::Finish], act(2)].concat();
    for call in 1..60 {
        let steps = [
            begin.clone(),
            vec![Step::Finish, Step::Act, Step::Kill(vec![Trouble::Fail(sync)])],
            vec![Step::Act, Step::Settle],
            vec![Step::Decay(
                vec![Decay::LostRename { back: 1_350_221_094_048_570_851 }],
                vec![Trouble::Cut { call, seed: 0 }],
            )],
        ];
        run(3_427_318_791_442_133_384, steps.concat());
    }
}

/// No fault of the product: what was recovered looked like a state that was lost as well, and the model
/// took it for that.
#[test]
fn what_was_recovered_may_be_either_of_two_moments_alike() {
    let steps = [
        vec![Step::Act, Step::Commit, Step::Act, Step::Act, Step::Act],
        vec![Step::Cut { seed: 0, troubles: Vec::new() }, Step::Act, Step::Act],
        vec![fail(CallKind::Allocate, 1), Step::Act, Step::Act, Step::Act],
        vec![fail(CallKind::Write, 3)],
        vec![Step::Act; 5],
        vec![Step::Kill(vec![Trouble::Killed { call: 27 }])],
        vec![Step::Cut { seed: 0, troubles: Vec::new() }],
    ];
    run(10_397_822_633_444_014_390, steps.concat());
}

/// No fault of the product: the same, and after one more start the model knew of one of the two alone.
#[test]
fn two_moments_alike_stay_so_after_another_start() {
    let refused = Failure { kind: CallKind::CreateDir, nth: 5, times: 1, fault: Fault::Io };
    let steps = [
        vec![Step::Act; 9],
        vec![Step::Kill(vec![Trouble::Fail(refused)]), Step::Act, Step::Commit],
        vec![Step::Act, Step::Act, Step::Kill(vec![Trouble::Killed { call: 21 }]), Step::Finish],
        vec![Step::Cut { seed: 0, troubles: Vec::new() }],
    ];
    run(12_298_507_840_175_137_823, steps.concat());
}

/// A server was killed at a record, and another one later. Between them one had replayed it, but could not
/// forget the first kill, since its disk refused the checkpoint.
#[test]
fn a_record_that_was_replayed_between_two_kills_is_innocent() {
    let killed = |call| Trouble::Killed { call };
    let (kind, nth, times, fault) = (CallKind::Create, 1, 1, Fault::Io);
    for call in 1..4 {
        let refused = Trouble::Fail(Failure { kind, nth, times, fault });
        let mut steps = vec![Step::Act; 10];
        steps.extend([Step::Kill(vec![killed(2), refused]), Step::Kill(vec![killed(call)])]);
        run(4_201_446_056_523_112_318, steps);
    }
}

/// No fault of the product: a start logged records again because ends of programs were in doubt, and decay left
/// some of those. The model knew only what all of them led to, which looked the same and meant other ends.
#[test]
fn what_decay_leaves_of_records_that_were_logged_again_may_be_meant() {
    for bit in 0..8 {
        let decay = |file, bit| Step::Decay(vec![Decay::Bit { file, bit }], Vec::new());
        let mut steps = vec![decay(2_960_426_932_431_864_732, 0), Step::Commit, Step::Commit];
        steps.extend([Step::Act, Step::Checkpoint]);
        steps.extend(vec![Step::Act; 8]);
        steps.extend([
            Step::Finish,
            decay(1_464_800_839_598_964_014, 5_107_006_025_588_509_056 + bit),
        ]);
        let cut = Trouble::Cut { call: 1, seed: 0 };
        steps.push(Step::Kill(vec![cut]));
        run(1_979_899_173_532_775_573, steps);
    }
}

/// Records in doubt behind a checkpoint that no record leads to were not logged again: only those were looked at
/// to which the checkpoint before it leads. The segment behind them called them synced, and a power cut took them.
#[test]
fn records_behind_a_checkpoint_that_none_leads_to_may_be_in_doubt() {
    let fail = |nth, fault| Failure { kind: CallKind::Sync, nth, times: 1, fault };
    let cut = Trouble::Cut { call: 18, seed: 0 };
    let troubles = vec![cut, Trouble::Fail(fail(5, Fault::Io))];
    let mut steps = vec![Step::Act, Step::Checkpoint, Step::Act, Step::Act, Step::Act, Step::Act];
    steps.push(Step::CutAt { call: 3, seed: 1_503_971_250_462_512_532, troubles });
    steps.extend([Step::Act, Step::Act, Step::Act, Step::Act, Step::Finish, Step::Act, Step::Act]);
    steps.push(Step::Fail(fail(1, Fault::IoUnseen)));
    steps.extend([Step::Commit, Step::Act, Step::Act, Step::Commit, Step::Act]);
    steps.push(Step::Cut { seed: 4_281_823_599_111_839_033, troubles: Vec::new() });
    run(14_645_899_309_284_452_851, steps);
}
