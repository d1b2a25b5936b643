//! When to help a vanished server back: at once, then at growing intervals, eight times in all.
//!
//! After that the keeper just holds. Someone will start a server by hand, and its adoption begins
//! everything anew.

use std::time::{Duration, Instant};

const TRIES_MAX: u32 = 8;
const FIRST_DELAY: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(5);
/// A server that is on its way needs this long to come to every pane.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
    next: Option<Instant>,
}

impl Backoff {
    /// The server has vanished.
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Backoff { tries: 0, next: Some(now) };
    }

    /// A server has adopted the keeper, or has stopped on purpose.
    pub(super) fn stop(&mut self) {
        *self = Backoff::default();
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.next.is_some_and(|next| next <= now)
    }

    /// An attempt was made. One that succeeded is not the end: that server may die before it
    /// comes to this pane.
    pub(super) fn tried(&mut self, now: Instant, started: bool) {
        let patience = if started { PATIENCE } else { Duration::ZERO };
        let delay = (FIRST_DELAY * 2_u32.pow(self.tries)).min(DELAY_MAX).max(patience);
        self.tries += 1;
        self.next = (self.tries < TRIES_MAX).then(|| now + delay);
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_grow_apart_and_end() {
        let start = super::super::now();
        let mut backoff = Backoff::default();
        assert_eq!(backoff.deadline(), None);
        backoff.begin(start);
        let mut now = start;
        let mut at = Vec::new();
        while let Some(next) = backoff.deadline() {
            assert!(next == start || !backoff.is_due(now));
            now = now.max(next);
            at.push((now - start).as_millis());
            assert!(backoff.is_due(now));
            backoff.tried(now, false);
        }
        assert_eq!(at, [0, 100, 300, 700, 1500, 3100, 6300, 11_300]);
        backoff.begin(now);
        assert!(backoff.is_due(now));
        backoff.tried(now, true);
        assert_eq!(backoff.deadline(), Some(now + PATIENCE));
        backoff.stop();
        assert_eq!(backoff.deadline(), None);
    }
}
