//! How often a client gets a picture: at most every 16 ms, but the echo of a key at once.

use std::time::Duration;

/// Pictures are made no more often than this: faster than screens show them.
const FRAME_INTERVAL: Duration = Duration::from_millis(16);
/// Right after a key the next pictures may be the echo, and do not wait at all. They are several,
/// because programs answer in pieces, and a key that changes nothing uses one up.
const ECHO_FRAMES: u8 = 4;
/// After these, and for this long after the key, pictures wait only this much shorter interval.
const ECHO_WINDOW: Duration = Duration::from_millis(100);
const ECHO_INTERVAL: Duration = Duration::from_micros(500);

/// When a client's pictures are made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pacing {
    painted_at: Option<Duration>,
    typed_at: Option<Duration>,
    /// How many pictures may still be made at once, of [`ECHO_FRAMES`].
    echoes: u8,
}

impl Pacing {
    /// A picture was made.
    pub(crate) fn painted(&mut self, now: Duration) {
        self.painted_at = Some(now);
        self.echoes = self.echoes.saturating_sub(1);
    }

    /// Somebody typed: what is printed next may be the echo.
    pub(crate) fn typed(&mut self, now: Duration) {
        self.typed_at = Some(now);
        self.echoes = ECHO_FRAMES;
    }

    /// When the next picture may be made; the past if at once.
    pub(crate) fn next_at(&self, now: Duration) -> Duration {
        let Some(painted_at) = self.painted_at.filter(|_| self.echoes == 0) else {
            return Duration::ZERO;
        };
        let is_echo = self.typed_at.is_some_and(|typed| now.saturating_sub(typed) < ECHO_WINDOW);
        painted_at + if is_echo { ECHO_INTERVAL } else { FRAME_INTERVAL }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::from_secs(7);

    #[test]
    fn without_keys_there_is_a_picture_an_interval() {
        let mut pacing = Pacing::default();
        assert!(pacing.next_at(START) <= START, "the first one is made at once");
        pacing.painted(START);
        assert_eq!(pacing.next_at(START), START + FRAME_INTERVAL);
        assert_eq!(pacing.next_at(START + ECHO_INTERVAL), START + FRAME_INTERVAL);
    }

    #[test]
    fn what_follows_a_key_waits_for_nothing_and_then_for_little() {
        let mut pacing = Pacing::default();
        pacing.painted(START);
        pacing.typed(START);
        for _ in 0..ECHO_FRAMES {
            assert!(pacing.next_at(START) <= START);
            pacing.painted(START);
        }
        assert_eq!(pacing.next_at(START), START + ECHO_INTERVAL);
        let late = START + ECHO_WINDOW;
        assert_eq!(pacing.next_at(late), START + FRAME_INTERVAL, "a flood is no echo");
        pacing.typed(late);
        assert!(pacing.next_at(late) <= late, "each key counts anew");
    }
}
