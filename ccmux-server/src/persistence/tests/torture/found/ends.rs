//! The same for ends of programs that may have to be taken back. None of these was a fault of the product: the model
//! took ends for final that were in doubt, or the other way round.

use super::{Decay, Failure, Fault, Step, Trouble, run};
use crate::persistence::sim::CallKind;

/// The record that made an end final was damaged, and a start that was killed had told of that.
#[test]
fn an_end_is_in_doubt_again_without_what_followed_it() {
    let mut steps = vec![Step::Act, Step::Act, Step::Finish, Step::Act, Step::Act, Step::Finish];
    let bit = Decay::Bit { file: 3_515_804_172_584_129_732, bit: 35_200 };
    let gone = Decay::Gone { file: 6_200_979_643_482_110_880 };
    let troubles = vec![Trouble::Killed { call: 1 }, Trouble::Killed { call: 25 }];
    steps.push(Step::Decay(vec![bit, gone], troubles));
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
    run(5_749_051_273_567_055_271, steps);
}

/// Nothing told of that record, because what witnessed it had decayed as well.
#[test]
fn an_end_is_in_doubt_again_without_a_word_of_what_followed_it() {
    let mut steps = vec![Step::Act; 14];
    steps.push(Step::Finish);
    let sector =
        Decay::Sector { file: 8_043_076_729_411_186_529, sector: 15_666_729_957_675_495_278 };
    let rename = Decay::LostRename { back: 4_298_747_080_117_670_936 };
    steps.push(Step::Decay(vec![sector, rename], Vec::new()));
    steps.extend([Step::Act, Step::Act, Step::Act]);
    let seed = 59_660_121_007_617_466;
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed }]));
    run(9_799_861_794_736_180_574, steps);
}

/// An end from long ago was in the first of two checkpoints of a start, and the second one failed.
#[test]
fn a_start_that_fails_may_have_made_an_old_end_final() {
    let fail = |kind, nth, times| Failure { kind, nth, times, fault: Fault::Io };
    let mut steps = vec![Step::Act; 13];
    steps.extend([Step::Finish, Step::Fail(fail(CallKind::Write, 2, 2))]);
    steps.extend([Step::Act, Step::Act, Step::Settle]);
    let bit = Decay::Bit { file: 742_500_658_505_307_547, bit: 0 };
    steps.push(Step::Decay(vec![bit], vec![Trouble::Fail(fail(CallKind::Rename, 2, 1))]));
    steps.push(Step::Cut { seed: 0, troubles: Vec::new() });
    run(6_365_876_878_065_244_907, steps);
}

/// All was lost, and what was left looked like what the last end had led to. A start whose disk failed had passed over a
/// number, and the model looked for what the next one found below it.
#[test]
fn a_number_that_is_passed_over_brings_no_end_back_into_doubt() {
    let fail = |kind, times, fault| Failure { kind, nth: 1, times, fault };
    let mut steps = vec![Step::Fail(fail(CallKind::Write, 1, Fault::IoUnseen)), Step::Act];
    steps.push(Step::Checkpoint);
    steps.extend(vec![Step::Act; 4]);
    let swapped =
        Decay::Swapped { file: 5_922_853_018_219_586_795, with: 2_054_019_019_522_767_574 };
    let failing = Trouble::Fail(fail(CallKind::CreateDir, 4, Fault::Io));
    steps.push(Step::Decay(vec![swapped], vec![Trouble::Killed { call: 29 }, failing]));
    steps.push(Step::Finish);
    steps.push(Step::Kill(vec![Trouble::Cut { call: 1, seed: 0 }]));
    run(4_541_594_505_753_772_557, steps);
}
