//! Records that are void or lost, and what may follow them.

use super::{fail, run};
use crate::persistence::sim::{CallKind, Decay, Fault};
use crate::persistence::tests::torture::script::{Failure, Step, Trouble};

/// The end of a program was repeated under another number, and a start in another boot took it back. The
/// segment that it began followed the number in between, which is void: without the segment that made it
/// void, an older one still had a record of that number.
#[test]
fn no_segment_follows_a_number_that_is_void() {
    let steps = [
        vec![Step::Act, Step::Checkpoint],
        vec![Step::Act; 4],
        vec![Step::Checkpoint, Step::Act],
        vec![Step::Kill(vec![Trouble::Cut { call: 24, seed: 3_813_422_576_380_915_365 }])],
        vec![Step::Act],
        vec![Step::Decay(
            vec![
                Decay::Swapped {
                    file: 12_931_909_060_065_308_114,
                    with: 7_028_983_668_752_137_771,
                },
                Decay::LostRename { back: 18_107_982_463_344_103_634 },
            ],
            Vec::new(),
        )],
    ];
    run(13_490_448_655_268_721_452, steps.concat());
}

/// A start took ends of programs back, and the checkpoint before had no log that led to it. The segment
/// that was begun then said no more than that a checkpoint leads to it: without that checkpoint the
/// records that were taken back led to it as well.
#[test]
fn records_that_were_taken_back_stay_so_without_the_checkpoint_that_says_so() {
    let cut = |seed| Step::Cut { seed, troubles: Vec::new() };
    let refused = fail(CallKind::Write, u64::MAX);
    let steps = [
        vec![Step::Act; 3],
        vec![Step::Finish],
        vec![Step::Act; 7],
        vec![Step::Checkpoint, cut(13_372_663_674_342_101_247), Step::Commit],
        vec![Step::Act, Step::Act, Step::Commit, Step::Act, Step::Act],
        vec![refused, Step::Act, Step::Commit, Step::Commit, Step::Commit],
        vec![cut(851_394_397_085_043_087), Step::Act, Step::Act],
        vec![Step::Decay(vec![Decay::Gone { file: 16_805_248_988_807_642_666 }], Vec::new())],
    ];
    run(8_689_170_244_905_290_830, steps.concat());
}

/// The same where a power cut left the name of the next segment and nothing in it: what has no header was taken for
/// one that follows the record before its number.
#[test]
fn a_segment_without_a_header_leads_nowhere() {
    let mut steps = vec![Step::Act; 8];
    steps.insert(0, Step::Finish);
    steps.push(Step::Commit);
    let cut = Trouble::Cut { call: 41, seed: 1_608_412_592_890_254_852 };
    steps.push(Step::Cut { seed: 0, troubles: vec![cut] });
    steps.push(Step::Act);
    let lost = Decay::LostRename { back: 5_500_892_210_112_962_363 };
    steps.push(Step::Decay(vec![lost], Vec::new()));
    run(5_973_654_299_571_015_471, steps);
}

/// A start took back the end of a program, and the power went right behind its checkpoint. The next one began a segment that
/// had been prepared before, and went on saying that this followed the record which had been taken back: without the
/// checkpoint that one counted again (P2).
#[test]
fn a_prepared_segment_does_not_follow_what_was_taken_back() {
    let mut steps = vec![Step::Act; 3];
    let cut = |call, seed| vec![Trouble::Cut { call, seed }];
    steps.push(Step::Kill(cut(9, 2_154_996_505_719_505_175)));
    steps.extend(vec![Step::Act; 4]);
    steps.push(Step::Checkpoint);
    steps.extend(vec![Step::Act; 10]);
    steps.push(Step::Commit);
    steps.push(Step::Cut { seed: 0, troubles: cut(31, 6_108_135_454_731_212_274) });
    steps.extend([Step::Act, Step::Act]);
    let unreadable = Decay::Unreadable { file: 5_140_224_940_225_516_695 };
    steps.push(Step::Decay(vec![unreadable], Vec::new()));
    run(1_835_281_976_056_485_293, steps);
}

/// The header of a segment said that the end of a program was void, and the checkpoint without it was damaged as well:
/// then that record counted again, and what had followed the checkpoint after it (P2). A header has a second copy now.
#[test]
fn a_flipped_bit_of_a_header_forgets_no_void() {
    let flipped = |file| Decay::Bit { file, bit: 0 };
    let mut steps = vec![Step::Act, Step::Act, Step::Finish, Step::Act, Step::Commit];
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
    let both = vec![flipped(3_000_694_309_728_916_891), flipped(10_018_944_770_360_841_239)];
    steps.extend([Step::Act, Step::Decay(both, Vec::new())]);
    run(6_039_369_994_591_183_700, steps);
}

/// No fault of the product: records were lost, and the disk took little of the next start. The model still looked among
/// them for what the one after that found.
#[test]
fn what_was_lost_comes_back_in_no_other_start() {
    let cut = |call, seed| Trouble::Cut { call, seed };
    let mut steps =
        vec![Step::CutAt { call: 7, seed: 8_716_485_899_265_224_230, troubles: Vec::new() }];
    steps.extend(vec![Step::Act; 4]);
    steps.push(Step::Checkpoint);
    steps.extend(vec![Step::Act; 10]);
    let refused = Failure { kind: CallKind::Write, nth: 5, times: 4, fault: Fault::Io };
    let format = Decay::Sector { file: 7_499_990_989_073_116_446, sector: 0 };
    let record = Decay::Bit { file: 6_423_925_156_516_932_759, bit: 33_408 };
    steps.push(Step::Decay(vec![format, record], vec![Trouble::Fail(refused)]));
    steps.extend(vec![Step::Act; 5]);
    steps.extend([Step::Finish, Step::Kill(vec![cut(1, 0)]), Step::Act]);
    run(5_258_357_820_106_989_963, steps);
}

/// An end of a program was in doubt behind a checkpoint that had the number of one which had been taken back. The segment
/// that repeated the former said that it followed the latter, and that counted again without the checkpoint and
/// the segment that had made it void (P2).
#[test]
fn what_is_repeated_does_not_follow_what_was_taken_back() {
    let cut = |call| Step::CutAt { call, seed: 0, troubles: Vec::new() };
    let mut steps = vec![Step::Act; 9];
    steps.extend([Step::Checkpoint, Step::Act, Step::Commit, cut(1)]);
    steps.extend([Step::Act, Step::Act, Step::Act, cut(10), Step::Commit]);
    steps.extend([Step::Act, Step::Act, Step::Commit, Step::Act, Step::Act, Step::Finish]);
    let (file, with) = (15_592_415_082_314_789_743, 7_369_362_521_354_625_176);
    let swapped = Decay::Swapped { file, with };
    steps.extend([Step::Act, Step::Decay(vec![swapped], Vec::new())]);
    run(1_095_005_692_016_552_207, steps);
}

/// A start was killed at the last record, and the disk took half of what the next one noted when it had replayed that: the
/// one after left the record out.
#[test]
fn a_disk_that_takes_half_of_a_note_makes_no_record_guilty() {
    let fail = Failure { kind: CallKind::Write, nth: 1, times: u64::MAX, fault: Fault::Io };
    let mut steps = vec![Step::Act];
    let cut = Trouble::Cut { call: 13, seed: 8_053_114_957_552_153_185 };
    steps.extend([Step::Kill(vec![cut]), Step::Act]);
    let unreadable = Decay::Unreadable { file: 7_471_847_765_723_976_472 };
    steps.push(Step::Decay(vec![unreadable], Vec::new()));
    steps.extend([Step::Act, Step::Act, Step::Act]);
    let troubles = vec![Trouble::Killed { call: 8 }, Trouble::Fail(fail)];
    steps.push(Step::CutAt { call: 15, seed: 304_017_305_371_777_099, troubles });
    steps.extend([Step::Act, Step::Act, Step::Commit, Step::Act, Step::Act, Step::Commit]);
    steps.extend([Step::Act, Step::Finish]);
    run(14_437_022_227_151_332_480, steps);
}

/// No fault of the product: a power cut brought back a segment whose removal had not been synced, and with it all that both
/// checkpoints had held, which had decayed.
#[test]
fn a_segment_that_comes_back_may_have_what_was_lost() {
    let unsynced = Failure { kind: CallKind::SyncDir, nth: 1, times: 4, fault: Fault::Io };
    let decays = vec![
        Decay::Unreadable { file: 5_081_668_278_387_441_609 },
        Decay::Bit { file: 239_340_885_742_058_485, bit: 0 },
    ];
    let cut = |call, seed| Step::Kill(vec![Trouble::Cut { call, seed }]);
    let mut steps = vec![Step::Act, Step::Finish, Step::Act, cut(17, 0)];
    steps.push(Step::Decay(decays, vec![Trouble::Fail(unsynced)]));
    steps.push(cut(12, 3_490_989_251_197_361_402));
    run(72_246_372_865_468_620, steps);
}
