//! Waiting for another process that gives no event to wait on, like a socket that somebody else
//! will bind. The only clock and the only sleep on the client's side.

use std::thread;
use std::time::{Duration, Instant};

/// How long anybody waits for a server in all.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// A wait of at most ten seconds, with pauses that grow.
#[derive(Clone, Debug)]
pub struct Patience {
    deadline: Instant,
    pause: Duration,
}

impl Patience {
    /// Starts waiting.
    pub fn new() -> Self {
        Patience { deadline: now() + PATIENCE, pause: PAUSE_MIN }
    }

    /// Starts waiting, for at most so long.
    pub fn of(limit: Duration) -> Self {
        Patience { deadline: now() + limit.min(PATIENCE), pause: PAUSE_MIN }
    }

    /// What is left of it.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(now())
    }

    /// Pauses, for longer each time; `false` when there is no patience left.
    #[expect(clippy::disallowed_methods, reason = "see the module's documentation")]
    pub fn pause(&mut self) -> bool {
        let left = self.left();
        if left.is_zero() {
            return false;
        }
        thread::sleep(self.pause.min(left));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(clippy::disallowed_methods, reason = "see the module's documentation")]
fn now() -> Instant {
    Instant::now()
}
