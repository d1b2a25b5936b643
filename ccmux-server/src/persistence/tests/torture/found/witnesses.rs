//! The same for what proves that something was there.

use super::{Decay, Failure, Fault, Step, Trouble, run};
use crate::persistence::sim::CallKind;

/// A checkpoint and the newest segment had changed places, so that only `mark` knew of the last records. A start told
/// of the loss and came to grief, and half of what it took back of `mark` was on a disk that took no writes: the next
/// one gave their numbers out again.
#[test]
fn what_mark_proves_outlives_a_disk_that_takes_half_of_it() {
    let mut steps = vec![Step::Act, Step::Commit, Step::Finish, Step::Act, Step::Checkpoint];
    steps.extend(vec![Step::Act; 6]);
    steps.push(Step::Kill(Vec::new()));
    steps.extend(vec![Step::Act; 4]);
    steps.push(Step::Commit);
    steps.extend(vec![Step::Act; 6]);
    steps.push(Step::Commit);
    let swapped =
        Decay::Swapped { file: 9_827_241_771_226_848_042, with: 3_856_835_640_122_667_999 };
    let failure = Failure { kind: CallKind::Write, nth: 1, times: u64::MAX, fault: Fault::Io };
    let troubles = vec![Trouble::Fail(failure), Trouble::Killed { call: 21 }];
    steps.push(Step::Decay(vec![swapped], troubles));
    run(700_775_230_004_325_880, steps);
}

/// The log had begun a segment whose name no sync had taken, and went on without one. A checkpoint let the segment before
/// it go all the same, and a power cut took the other: there was no log, which is damage.
#[test]
fn a_segment_goes_only_once_a_later_one_is_certain_to_be_there() {
    let fail = |kind, nth| Failure { kind, nth, times: 1, fault: Fault::Io };
    let sync = |nth| Trouble::Fail(fail(CallKind::Sync, nth));
    let mut steps = vec![Step::Act, Step::Kill(vec![sync(4), sync(2)]), Step::Act, Step::Act];
    steps.extend([Step::Checkpoint, Step::Fail(fail(CallKind::CreateDir, 1)), Step::Act]);
    let seed = 11_827_577_300_028_027_554;
    steps.push(Step::CutAt { call: 10, seed, troubles: Vec::new() });
    steps.extend([Step::Commit, Step::Checkpoint]);
    run(9_328_715_953_624_634_401, steps);
}

/// Ends of programs were taken back by a start whose disk failed, behind another such start: the segment that one had begun
/// was begun again under its name, and its records were taken for what follows those ends.
#[test]
fn what_is_logged_behind_ends_taken_back_does_not_follow_them() {
    let failing = || {
        let kind = CallKind::SyncDir;
        Trouble::Fail(Failure { kind, nth: 1, times: 1, fault: Fault::Io })
    };
    let mut steps = vec![Step::Act, Step::Act, Step::Kill(vec![failing()])];
    steps.push(Step::Kill(vec![Trouble::Cut { call: 15, seed: 0 }, failing()]));
    steps.extend([Step::Act, Step::Act, Step::Kill(Vec::new())]);
    run(9_950_565_626_171_595_884, steps);
}

/// No fault of the product: a number that only a checkpoint has is given to no record, so another may have it once
/// that checkpoint is gone.
#[test]
fn a_number_that_no_record_has_may_be_given_out() {
    let failure = Failure { kind: CallKind::Rename, nth: 3, times: 2, fault: Fault::Io };
    let mut steps = vec![Step::Act, Step::Act, Step::Act];
    steps.push(Step::Kill(vec![Trouble::Killed { call: 15 }, Trouble::Fail(failure)]));
    steps
        .push(Step::Decay(vec![Decay::LostRename { back: 3_385_843_743_602_515_455 }], Vec::new()));
    run(16_564_414_762_005_457, steps);
}

/// No fault of the product: the same, where records came behind that number which nothing had taken.
#[test]
fn nor_does_a_record_have_it_that_no_disk_took() {
    let mut steps = vec![Step::Checkpoint];
    steps.push(Step::CutAt { call: 6, seed: 8_350_951_463_141_213_035, troubles: Vec::new() });
    steps.extend(vec![Step::Act; 5]);
    let failure = Failure { kind: CallKind::Create, nth: 3, times: 2, fault: Fault::Io };
    let cut = Trouble::Cut { call: 1, seed: 4_124_107_429_532_900_055 };
    let bit = Decay::Bit { file: 5_173_578_702_214_958_182, bit: 0 };
    steps.push(Step::Decay(vec![bit], vec![cut, Trouble::Fail(failure)]));
    steps.push(Step::Act);
    steps
        .push(Step::Decay(vec![Decay::LostRename { back: 5_883_724_375_801_639_382 }], Vec::new()));
    run(4_417_069_041_438_932, steps);
}

/// A record was damaged, and the disk took no report of that but the checkpoint that hid it: the start was cut short, and
/// the next one found nothing to tell of.
#[test]
fn no_checkpoint_hides_damage_that_nobody_was_told_of() {
    let mut steps = vec![Step::Act; 5];
    steps.extend([Step::Commit, Step::Act, Step::Settle, Step::Act, Step::Act]);
    let sector =
        Decay::Sector { file: 2_920_325_281_364_968_631, sector: 10_721_284_391_427_321_881 };
    let failure = Failure { kind: CallKind::Write, nth: 1, times: 3, fault: Fault::Io };
    let troubles = vec![Trouble::Fail(failure), Trouble::Killed { call: 22 }];
    steps.push(Step::Decay(vec![sector], troubles));
    run(3_509_296_987_072_643_580, steps);
}

/// No fault of the product: all that witnessed the last records had decayed, and a start whose calls failed had made
/// nothing else that does. When the checkpoint went that alone had them, nobody could miss them.
#[test]
fn a_start_that_fails_makes_no_new_witness() {
    let mut steps = vec![Step::Act, Step::Act, Step::Act, Step::Commit, Step::Finish, Step::Act];
    steps.extend([Step::Checkpoint, Step::Act, Step::Act, Step::Finish, Step::Act, Step::Act]);
    steps.push(Step::Checkpoint);
    let gone = Decay::Gone { file: 923_183_262_320_246_316 };
    let bit = Decay::Bit { file: 12_339_064_346_859_474_453, bit: 0 };
    let cut = Trouble::Cut { call: 20, seed: 1_148_392_032_100_326_161 };
    let failure = Failure { kind: CallKind::Write, nth: 1, times: 3, fault: Fault::Io };
    steps.push(Step::Decay(vec![gone, bit], vec![cut, Trouble::Fail(failure)]));
    steps.push(Step::Decay(vec![Decay::Gone { file: 15_182_570_615_115_008_405 }], Vec::new()));
    run(1_971_336_026_383_321_586, steps);
}
