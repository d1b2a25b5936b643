//! Scripts that broke a promise once, and what was wrong.

use super::script::{self, Failure, Step, Trouble};
use crate::persistence::scrollback::tests::script as output;
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
        let header = Decay::Bit { file: 4, bit: 160 };
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
    let bit = Decay::Bit { file: 4, bit: 18_880 };
    let mut steps = vec![Step::Checkpoint];
    steps.extend(vec![Step::Act; 7]);
    steps.push(Step::Decay(vec![bit], Vec::new()));
    run(7_137_685_573_972_298_833, steps);
}

/// No fault of the product: the record that ends of programs were final decayed, and they were older
/// than ten seconds. The model still took them for what a shutdown had ended.
#[test]
fn ends_from_long_ago_are_final_without_the_record_that_says_so() {
    let bit = Decay::Bit { file: 4, bit: 7_008_982_356_757_330_304 };
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

fn run_output(seed: u64, steps: Vec<output::Step>) {
    output::run(&(seed, steps)).unwrap();
}

fn print(bytes: u64) -> output::Step {
    output::Step::Print { pane: 0, bytes }
}

/// A server was killed, its successor went on behind what was not synced, and then the power was cut:
/// what that took was called damage as soon as something else had been synced.
#[test]
fn what_a_power_cut_takes_from_behind_a_kill_is_no_damage() {
    use output::Step::{Cut, Kill, Sync};
    for way in 0..WAYS {
        let mut steps = vec![print(17), Sync, print(297), Kill(Vec::new())];
        steps.extend([Cut(way, Vec::new()), print(1), Sync, print(1), Kill(Vec::new())]);
        run_output(0, steps);
    }
}

/// A sync failed, the server was killed, and the next one synced the same file: with success, because
/// the system had forgotten that there was anything to write. It was called durable.
#[test]
fn a_later_server_does_not_trust_a_sync_of_an_earlier_one_s_file() {
    use output::Step::{Cut, Fail, Kill, Sync};
    let (kind, nth, times, fault) = (CallKind::Sync, 1, 3, Fault::Io);
    for way in 0..WAYS {
        let mut steps = vec![Fail { kind, nth, times, fault }, print(100), Sync, print(1)];
        steps.extend([Kill(Vec::new()), print(1), Sync, Cut(way, Vec::new())]);
        run_output(way, steps);
    }
}

/// Nor on one that was given up before there was anything in it.
#[test]
fn an_empty_segment_that_was_given_up_is_no_predecessor() {
    use output::Step::{Cut, Fail, Sync};
    let (kind, nth, times, fault) = (CallKind::Write, 1, 1, Fault::Io);
    for way in 0..WAYS {
        let fail = Fail { kind, nth, times, fault };
        run_output(way, vec![fail, print(1), Sync, Cut(way, Vec::new())]);
    }
}

/// Nobody builds on a segment that a start left empty, and whose header is not on the disk.
#[test]
fn an_empty_segment_is_no_predecessor() {
    use output::Step::{Cut, Sync};
    for way in 0..WAYS {
        let crashed = Cut(0, vec![(2, None)]);
        run_output(0, vec![print(1), Sync, crashed, print(1), Sync, Cut(way, Vec::new())]);
    }
}

/// No fault of the product: a write failed, and yet all of it was there. A keyframe had covered that
/// output, so the frame brought nothing, which the model took for another frame.
#[test]
fn a_frame_that_was_refused_and_is_there_brings_nothing_twice() {
    use output::Step::{Archive, Fail, Kill};
    let with_keyframe = true;
    let fail = Fail { kind: CallKind::Write, nth: 1, times: 2, fault: Fault::Io };
    let steps = vec![
        Archive { pane: 0, with_keyframe },
        Kill(vec![(2, None), (2, None)]),
        fail,
        output::Step::Print { pane: 1, bytes: 121 },
        Archive { pane: 1, with_keyframe },
        Kill(Vec::new()),
    ];
    run_output(10_413_491_848_999_362_413, steps);
}

/// The repetition of a killed server's output decayed after it had been synced. What that server had
/// written was still there and was shown, and then a power cut took it: it was in memory alone.
#[test]
fn what_decay_leaves_only_in_memory_goes_to_the_disk() {
    use output::Step::{Cut, Kill, Sync};
    let repetition = Decay::Truncated { file: 1, bytes: 4000 };
    for way in 0..WAYS {
        let mut steps = vec![print(1), Kill(Vec::new())];
        for _ in 0..5 {
            steps.extend([output::Step::Print { pane: 1, bytes: 299 }, Sync]);
        }
        steps.extend([output::Step::Decay(vec![repetition], 1 + way % 12), Cut(way, Vec::new())]);
        run_output(0, steps);
    }
}

/// No fault of the product: a durable keyframe decayed beside a newer one whose directory could not be
/// synced. The model took the newer one for the durable one, which a power cut must not take.
#[test]
fn a_keyframe_that_was_not_durable_replaces_none_that_decayed() {
    use output::Step::{Archive, Cut, Fail, Print};
    let (pane, with_keyframe) = (1, true);
    let (kind, nth, times, fault) = (CallKind::SyncDir, 1, u64::MAX, Fault::Io);
    let durable = Decay::Gone { file: 1 };
    for way in 0..WAYS {
        let mut steps = vec![Print { pane, bytes: 64 }, Archive { pane, with_keyframe }];
        steps.extend([Print { pane, bytes: 1 }, Fail { kind, nth, times, fault }]);
        steps.extend([Archive { pane, with_keyframe }, output::Step::Decay(vec![durable], 1)]);
        steps.push(Cut(way, Vec::new()));
        run_output(0, steps);
    }
}

/// A power cut took what was written behind repetitions, and some of their originals. The log was ended
/// before those, although the repetitions were all there and synced.
#[test]
fn the_log_does_not_end_before_what_is_repeated_behind() {
    use output::Step::{Cut, Kill, Sync};
    let mut steps: Vec<output::Step> = (0..15).map(|_| print(1)).collect();
    steps.push(Cut(0, Vec::new()));
    steps.extend([1, 25, 233, 1, 105].map(print));
    steps.push(Sync);
    steps.extend([289, 25, 1, 97, 217].map(print));
    steps.extend([Kill(vec![(2, None)]), Sync]);
    steps.extend([185, 161, 1, 1].map(print));
    steps.push(Cut(2_429_982_882_137_242_925, Vec::new()));
    run_output(6_002_478_095_146_187_746, steps);
}

/// No fault of the product: output was refused, and a keyframe had it. When that and the next one decayed
/// the gap could be seen again, which the model had forgotten behind the second.
#[test]
fn a_gap_before_a_keyframe_that_decays_is_seen_again() {
    use output::Step::{Archive, Fail, Kill, Print};
    let (pane, with_keyframe) = (1, true);
    let (kind, nth, times, fault) = (CallKind::Write, 1, 2, Fault::Io);
    let bits = [1, 2].map(|file| Decay::Bit { file, bit: 300 });
    let mut steps = vec![Fail { kind, nth, times, fault }, Print { pane, bytes: 64 }];
    steps.extend([Archive { pane, with_keyframe }, Kill(Vec::new()), Print { pane, bytes: 1 }]);
    steps.extend([Archive { pane, with_keyframe }, Kill(Vec::new())]);
    steps.push(output::Step::Decay(bits.to_vec(), 1));
    run_output(0, steps);
}
