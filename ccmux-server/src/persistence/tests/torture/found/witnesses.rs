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
