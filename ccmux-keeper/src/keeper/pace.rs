//! How fast a program prints.

use std::time::{Duration, Instant};

/// What comes is counted for so long, to see a flood begin.
const WINDOW: Duration = Duration::from_millis(20);
/// In a window so much a millisecond is a flood, 5 MB/s: more than anybody reads, and than a program draws that
/// animates a screen.
const FLOOD_BYTES_PER_MS: u128 = 5_000;

/// To see it end, it is counted for so long: a disk that is slow for a moment has output wait, too.
const LONG_WINDOW: Duration = Duration::from_millis(200);
/// With so much a millisecond it goes on: the machine may have become busy.
const STILL_FLOOD_BYTES_PER_MS: u128 = 1_000;

/// Counts bytes in windows of time.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    bytes: u64,
    is_flood: bool,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Pace {
        Pace { since: now, bytes: 0, is_flood: false }
    }

    /// Takes note of bytes that came.
    pub(super) fn add(&mut self, count: usize) {
        self.bytes += count as u64;
    }

    /// Looks at what came in a window that is over.
    pub(super) fn look(&mut self, now: Instant) {
        let (window, least) = self.measure();
        let time = now.saturating_duration_since(self.since);
        if time >= window {
            let is_flood = u128::from(self.bytes) >= time.as_millis() * least;
            *self = Pace { is_flood, ..Pace::new(now) };
        }
    }

    /// How long it is counted, and for how much a millisecond.
    fn measure(&self) -> (Duration, u128) {
        if self.is_flood {
            (LONG_WINDOW, STILL_FLOOD_BYTES_PER_MS)
        } else {
            (WINDOW, FLOOD_BYTES_PER_MS)
        }
    }

    /// Whether what came in the last window was a flood.
    pub(super) fn is_flood(&self) -> bool {
        self.is_flood
    }

    /// When to look at the latest, to see that a flood is over.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.is_flood.then_some(self.since + self.measure().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_begins_and_ends_with_a_window() {
        let start = super::super::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut pace = Pace::new(start);
        pace.add(100_000);
        pace.look(at(19));
        assert!(!pace.is_flood(), "the window is not over");
        assert_eq!(pace.deadline(), None);
        pace.look(at(20));
        assert!(pace.is_flood());
        assert_eq!(pace.deadline(), Some(at(220)));
        pace.look(at(219));
        assert!(pace.is_flood(), "a pause is not its end");
        pace.add(200_000);
        pace.look(at(220));
        assert!(pace.is_flood(), "it goes on");
        pace.add(199_999);
        pace.look(at(420));
        assert!(!pace.is_flood());
        assert_eq!(pace.deadline(), None);
        pace.add(99_999);
        pace.look(at(440));
        assert!(!pace.is_flood(), "it takes more to begin");
    }

    /// A screenful after a pause is no flood.
    #[test]
    fn what_came_is_measured_against_the_time_it_took() {
        let start = super::super::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::new(start);
        pace.add(1_000_000);
        pace.look(at(1));
        assert!(!pace.is_flood());
        pace.add(5_000_000);
        pace.look(at(2));
        assert!(pace.is_flood());
    }
}
