//! When the lines of the history were written: one entry for neighbours with the same time.
//!
//! In a keyframe and in a batch of lines they are encoded as
//!
//! ```text
//! number   count of runs
//! runs     each: number of lines (at least 1), and how many seconds later than the run before
//!          (zigzag: 0, -1, 1, -2, ...); the first one counts from 1970
//! ```

use std::collections::VecDeque;
use std::ops::Range;

use crate::wire::{CodecError, Reader, put_number};

/// When a line was written, in seconds since 1970; or that it is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct LineTime(u32);

impl LineTime {
    /// No known time.
    pub const UNKNOWN: Self = Self(0);

    /// So many milliseconds after the beginning of 1970; the last time that fits is in 2106.
    pub fn from_millis(millis: u64) -> Self {
        Self(u32::try_from(millis / 1000).unwrap_or(u32::MAX))
    }

    /// Seconds since 1970, if it is known.
    pub fn seconds(self) -> Option<u64> {
        (self != Self::UNKNOWN).then_some(u64::from(self.0))
    }

    /// This time if it is known, or else the other one.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::UNKNOWN { other } else { self }
    }

    /// How many seconds later it is than `before`, as a number that is small if they are near.
    pub(crate) fn put_after(self, before: Self, out: &mut Vec<u8>) {
        let later = i64::from(self.0) - i64::from(before.0);
        put_number(out, (later << 1 ^ later >> 63).cast_unsigned());
    }

    /// Reads what [`LineTime::put_after`] wrote.
    pub(crate) fn read_after(before: Self, reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let code = reader.number()?;
        let later = (code >> 1).cast_signed() ^ -(code & 1).cast_signed();
        let time = i64::from(before.0).checked_add(later).and_then(|time| u32::try_from(time).ok());
        time.map(Self).ok_or(CodecError::Invalid("time of a line"))
    }
}

/// Lines that follow each other and have the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeRun {
    pub(crate) count: u64,
    pub(crate) time: LineTime,
}

/// The times of lines, each with the first line that has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct LineTimes(VecDeque<(u64, LineTime)>);

impl LineTimes {
    /// Adds the line after the last one.
    #[inline]
    pub(crate) fn push(&mut self, line: u64, time: LineTime) {
        if self.0.back().is_none_or(|(_, last)| *last != time) {
            self.0.push_back((line, time));
        }
    }

    /// Forgets the lines from `end` on.
    pub(crate) fn truncate(&mut self, end: u64) {
        while self.0.back().is_some_and(|(first, _)| *first >= end) {
            self.0.pop_back();
        }
    }

    /// Forgets the lines before `start`.
    pub(crate) fn drop_before(&mut self, start: u64) {
        while self.0.get(1).is_some_and(|(first, _)| *first <= start) {
            self.0.pop_front();
        }
    }

    pub(crate) fn get(&self, line: u64) -> LineTime {
        let after = self.0.partition_point(|(first, _)| *first <= line);
        after.checked_sub(1).map_or(LineTime::UNKNOWN, |at| self.0[at].1)
    }

    /// The times of some lines that are there.
    pub(crate) fn runs(&self, lines: Range<u64>) -> impl Iterator<Item = TimeRun> {
        let from = self.0.partition_point(|(first, _)| *first <= lines.start).saturating_sub(1);
        (from..self.0.len()).map_while(move |at| {
            let (first, time) = self.0[at];
            let next = self.0.get(at + 1).map_or(lines.end, |(next, _)| *next);
            let (start, end) = (first.max(lines.start), next.min(lines.end));
            (start < end).then(|| TimeRun { count: end - start, time })
        })
    }

    /// What the times take in memory.
    #[cfg(test)]
    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(u64, LineTime)>()
    }

    pub(crate) fn encode(&self, lines: Range<u64>, out: &mut Vec<u8>) {
        put_number(out, self.runs(lines.clone()).count() as u64);
        let mut before = LineTime::UNKNOWN;
        for TimeRun { count, time } in self.runs(lines) {
            put_number(out, count);
            time.put_after(before, out);
            before = time;
        }
    }
}

/// Reads the times of `count` lines.
pub(crate) fn read_times(reader: &mut Reader<'_>, count: u64) -> Result<Vec<TimeRun>, CodecError> {
    let mut runs = Vec::new();
    let (mut left, mut before) = (count, LineTime::UNKNOWN);
    for _ in 0..reader.number()? {
        let count = reader.number()?;
        left = left.checked_sub(count).filter(|_| count > 0).ok_or(BAD_RUN)?;
        let time = LineTime::read_after(before, reader)?;
        runs.push(TimeRun { count, time });
        before = time;
    }
    if left == 0 { Ok(runs) } else { Err(BAD_RUN) }
}

const BAD_RUN: CodecError = CodecError::Invalid("times of lines");

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u32) -> LineTime {
        LineTime(seconds)
    }

    fn some_times() -> LineTimes {
        let mut times = LineTimes::default();
        for (line, time) in [(7, 50), (8, 50), (9, 60), (10, 40), (11, 40)] {
            times.push(line, at(time));
        }
        times
    }

    fn runs(times: &LineTimes, lines: Range<u64>) -> Vec<(u64, u32)> {
        times.runs(lines).map(|run| (run.count, run.time.0)).collect()
    }

    #[test]
    fn neighbours_share_an_entry() {
        let mut times = some_times();
        assert_eq!(times.0.len(), 3);
        assert_eq!(runs(&times, 7..12), [(2, 50), (1, 60), (2, 40)]);
        assert_eq!(runs(&times, 8..11), [(1, 50), (1, 60), (1, 40)]);
        assert_eq!(runs(&times, 9..9), []);
        assert_eq!([7, 8, 9, 11].map(|line| times.get(line).0), [50, 50, 60, 40]);
        times.drop_before(8);
        times.truncate(10);
        assert_eq!(runs(&times, 8..10), [(1, 50), (1, 60)]);
        times.push(10, at(60));
        assert_eq!(runs(&times, 9..11), [(2, 60)]);
    }

    #[test]
    fn what_is_encoded_is_read() {
        let mut out = Vec::new();
        some_times().encode(8..12, &mut out);
        let mut reader = Reader::new(&out);
        let read = read_times(&mut reader, 4).unwrap();
        assert!(reader.is_empty());
        let read: Vec<_> = read.iter().map(|run| (run.count, run.time.0)).collect();
        assert_eq!(read, [(1, 50), (1, 60), (2, 40)]);
        for count in [3, 5] {
            assert_eq!(read_times(&mut Reader::new(&out), count), Err(BAD_RUN));
        }
        for (before, after) in [(0, u32::MAX), (u32::MAX, 0), (5, 5), (5, 4)] {
            let mut out = Vec::new();
            at(after).put_after(at(before), &mut out);
            let read = LineTime::read_after(at(before), &mut Reader::new(&out));
            assert_eq!(read, Ok(at(after)));
        }
        let mut out = Vec::new();
        at(0).put_after(at(9), &mut out);
        assert!(LineTime::read_after(at(8), &mut Reader::new(&out)).is_err(), "before 1970");
    }
}
