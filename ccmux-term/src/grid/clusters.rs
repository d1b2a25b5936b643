//! The table of cell texts longer than one character: combining marks, emoji sequences.
//!
//! Texts lie one after another in one string; a text that is still the last one grows in place,
//! which is the case while a sequence is being printed. As with pens, the owner sweeps the table
//! when it has doubled.

use crate::work;

/// Longest text of one cell in bytes; further marks are dropped.
pub(crate) const CLUSTER_BYTES_MAX: usize = 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct ClusterTable {
    text: String,
    /// End of each cluster in `text`; it begins where its predecessor ends.
    ends: Vec<u32>,
    sweep_at: usize,
}

const SWEEP_AT_MIN: usize = 1024;

impl ClusterTable {
    pub(crate) fn get(&self, index: u32) -> &str {
        let index = index as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    pub(crate) fn push(&mut self, text: impl IntoIterator<Item = char>) -> u32 {
        let before = self.text.len();
        self.text.extend(text);
        work::note(self.text.len() - before);
        self.ends.push(self.text.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// A text of two characters.
    pub(crate) fn push_pair(&mut self, first: char, second: char) -> u32 {
        self.text.push(first);
        self.text.push(second);
        self.ends.push(self.text.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// The index of `index`'s text with `c` added.
    pub(crate) fn extend(&mut self, index: u32, c: char) -> u32 {
        if index as usize + 1 == self.ends.len() {
            self.text.push(c);
            self.ends[index as usize] = self.text.len() as u32;
            return index;
        }
        let text = self.get(index).to_owned();
        self.push(text.chars().chain([c]))
    }

    pub(crate) fn is_due_for_sweep(&self) -> bool {
        self.ends.len() >= self.sweep_at.max(SWEEP_AT_MIN)
    }

    /// Keeps the texts for which `used` is true and returns the new index of each old one.
    pub(crate) fn sweep(&mut self, used: &[bool]) -> Vec<u32> {
        let old = std::mem::take(self);
        let new_ids = used
            .iter()
            .enumerate()
            .map(
                |(index, &is_used)| {
                    if is_used { self.push(old.get(index as u32).chars()) } else { 0 }
                },
            )
            .collect();
        self.sweep_at = self.ends.len() * 2;
        new_ids
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}
