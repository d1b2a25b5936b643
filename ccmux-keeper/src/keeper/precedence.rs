//! Who gets a processor first: the keeper, or the program that floods it.
//!
//! A pty passes on a few KiB at a time, and its reader is woken for each. A reader that runs as soon as it is
//! woken takes them one by one and has the program wait meanwhile; one that comes after the program finds a
//! whole buffer: it takes a third less time itself, and it, the program and the kernel's worker together a tenth.
//!
//! The kernel weighs threads by their nice value, within a session or a control group; sessions it weighs by
//! theirs, where it makes groups of them (`autogroup` in sched(7)). So both are raised, and only for as
//! long as a flood takes: an echo should not come after what others compute. A nice value may not be lowered again
//! without privileges: it is that of a thread that ends with the flood. It must not start anything,
//! either, because that would inherit it.

use std::io;
use std::time::{Duration, Instant};

/// Added to the nice value; weighed as a third of what others are.
const STEP: i32 = 5;

/// The kernel takes one change of such a group in 100 ms, from all processes of users together.
const RETRY_DELAY: Duration = Duration::from_millis(150);

/// Lets the calling thread come after others.
pub(super) fn yield_thread() {
    #[cfg(target_os = "linux")]
    if let Ok(nice) = rustix::process::getpriority_process(None) {
        let _where_allowed = rustix::process::setpriority_process(None, (nice + STEP).min(19));
    }
}

/// What the session counts among sessions. A keeper is alone in its own.
#[derive(Debug, Default)]
pub(super) struct SessionRank {
    yields: bool,
    /// It was not changed yet.
    again: Option<Instant>,
}

impl SessionRank {
    /// Lets the session come after others, or not any more; again later where that has to wait.
    pub(super) fn set_yielding(&mut self, yields: bool, now: Instant) {
        self.change(yields, now, set_nice);
    }

    fn change(&mut self, yields: bool, now: Instant, set: impl FnOnce(i32) -> io::Result<()>) {
        if self.yields == yields {
            self.again = None;
        } else if self.again.is_none_or(|again| again <= now) {
            let changed = set(if yields { STEP } else { 0 });
            let must_wait = changed.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock);
            self.again = must_wait.then_some(now + RETRY_DELAY);
            // Any other error says that there are no such groups here.
            if !must_wait {
                self.yields = yields;
            }
        }
    }

    /// When to try again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.again
    }
}

#[cfg(target_os = "linux")]
fn set_nice(nice: i32) -> io::Result<()> {
    std::fs::write("/proc/self/autogroup", nice.to_string())
}

/// No such thing elsewhere.
#[cfg(not(target_os = "linux"))]
fn set_nice(_nice: i32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_must_wait_is_tried_again() {
        let start = super::super::now();
        let mut rank = SessionRank::default();
        let refuse = |_| Err(io::ErrorKind::WouldBlock.into());
        let take = |expected| {
            move |nice| {
                assert_eq!(nice, expected);
                Ok(())
            }
        };
        rank.change(true, start, refuse);
        assert_eq!(rank.deadline(), Some(start + RETRY_DELAY));
        rank.change(true, start, |_| panic!("too early"));
        let later = start + RETRY_DELAY;
        rank.change(true, later, take(STEP));
        assert_eq!(rank.deadline(), None);
        rank.change(true, later, |_| panic!("it was changed already"));

        rank.change(false, later, refuse);
        assert_eq!(rank.deadline(), Some(later + RETRY_DELAY));
        rank.change(true, later, |_| panic!("it was not changed back"));
        assert_eq!(rank.deadline(), None);
        rank.change(false, later, take(0));
    }

    #[test]
    fn where_there_are_no_such_groups_nothing_is_tried_again() {
        let start = super::super::now();
        let mut rank = SessionRank::default();
        rank.change(true, start, |_| Err(io::ErrorKind::NotFound.into()));
        assert_eq!(rank.deadline(), None);
        rank.change(true, start, |_| panic!("it is of no use"));
    }
}
