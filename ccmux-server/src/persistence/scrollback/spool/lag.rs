//! How long it takes until what was appended survives a power cut.

use std::collections::VecDeque;
use std::time::Duration;

/// So many of the newest frames are looked at.
const SAMPLES: usize = 4096;

/// From append to sync, of the newest frames.
#[derive(Debug, Default)]
pub(super) struct Lag {
    /// Frames that are not durable yet: the log position after each, and when it was appended.
    pending: VecDeque<(u64, Duration)>,
    samples: VecDeque<Duration>,
}

/// How long the newest frames took from append to sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SyncLag {
    /// How many frames this is of.
    pub frames: usize,
    /// What half of them did not exceed.
    pub p50: Duration,
    /// What 99 of 100 did not exceed.
    pub p99: Duration,
    /// What none exceeded.
    pub max: Duration,
    /// Frames that are not durable yet.
    pub pending: usize,
}

impl Lag {
    /// A frame was appended that ends at log position `end`.
    pub(super) fn appended(&mut self, end: u64, now: Duration) {
        self.pending.push_back((end, now));
    }

    /// Everything before log position `durable` is on the disk.
    pub(super) fn synced(&mut self, durable: u64, now: Duration) {
        while let Some(&(end, at)) = self.pending.front()
            && end <= durable
        {
            self.pending.pop_front();
            if self.samples.len() == SAMPLES {
                self.samples.pop_front();
            }
            self.samples.push_back(now.saturating_sub(at));
        }
    }

    /// When the oldest frame that is not durable was appended.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.pending.front().map(|&(_, at)| at)
    }

    pub(super) fn summary(&self) -> SyncLag {
        let mut sorted: Vec<Duration> = self.samples.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let rank = (sorted.len() * percent).div_ceil(100).max(1) - 1;
            sorted.get(rank).copied().unwrap_or_default()
        };
        let (frames, pending) = (sorted.len(), self.pending.len());
        SyncLag { frames, p50: at(50), p99: at(99), max: at(100), pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_frame_counts_once_it_is_synced() {
        let mut lag = Lag::default();
        assert_eq!(lag.summary(), SyncLag::default());
        lag.appended(10, ms(1));
        lag.appended(20, ms(4));
        assert_eq!(lag.oldest(), Some(ms(1)));
        assert_eq!(lag.summary(), SyncLag { pending: 2, ..SyncLag::default() });
        lag.synced(19, ms(9));
        let one = SyncLag { frames: 1, p50: ms(8), p99: ms(8), max: ms(8), pending: 1 };
        assert_eq!(lag.summary(), one);
        assert_eq!(lag.oldest(), Some(ms(4)));
        lag.synced(20, ms(9));
        let both = SyncLag { frames: 2, p50: ms(5), p99: ms(8), max: ms(8), pending: 0 };
        assert_eq!(lag.summary(), both);
    }

    #[test]
    fn old_frames_are_forgotten() {
        let mut lag = Lag::default();
        lag.appended(1, ms(0));
        lag.synced(1, ms(500));
        for n in 0..SAMPLES as u64 {
            lag.appended(n + 2, ms(0));
        }
        lag.synced(u64::MAX, ms(3));
        let expected = SyncLag { frames: SAMPLES, p50: ms(3), p99: ms(3), max: ms(3), pending: 0 };
        assert_eq!(lag.summary(), expected);
    }
}
