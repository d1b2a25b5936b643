//! The pictures of a terminal: their numbers, how many there are, and those that a program sent to be
//! shown later.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kitty::Control;
use super::{IMAGES_BYTES_MAX, IMAGES_MAX, Image, Slice};

/// A picture that can be placed by its id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptImage {
    /// The program's id, never 0.
    pub(crate) id: u32,
    /// The program's number, if it gave one.
    pub(crate) number: u32,
    pub(crate) image: Arc<Image>,
}

/// A picture of which parts are still to come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Transfer {
    /// What the first part said.
    pub(crate) control: Control,
    /// The data so far.
    pub(crate) data: Vec<u8>,
    /// There was too much, or it was no base64: the rest is not kept, and the end is answered by an
    /// error.
    pub(crate) is_broken: bool,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct ImageStore {
    /// The number of the next picture or placement.
    pub(crate) next: u64,
    /// From the oldest on.
    pub(crate) kept: Vec<KeptImage>,
    pub(crate) transfer: Option<Transfer>,
    /// At least as many pictures as there are, and their bytes: those that are shown no more are
    /// counted up to the next [`ImageStore::recount`]. What it then finds does not depend on them.
    count: usize,
    bytes: usize,
}

impl ImageStore {
    pub(crate) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether there may be no room for one more picture of so many bytes.
    pub(crate) fn may_be_full(&self, bytes: usize) -> bool {
        !fits(self.count, self.bytes, bytes)
    }

    /// Notes a new picture.
    pub(crate) fn note(&mut self, image: &Image) {
        self.count += 1;
        self.bytes += image.bytes();
    }

    /// Counts the pictures that rows hold and those that are kept. Returns the numbers of those that
    /// have to go for one more of so many bytes: none if there is room, otherwise the oldest ones
    /// until half of the room is free, so that this is not to be done for every picture.
    pub(crate) fn recount<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a Slice>,
        bytes: usize,
    ) -> Vec<u64> {
        let mut sizes = BTreeMap::new();
        let kept = self.kept.iter().map(|kept| &kept.image);
        for image in slices.map(|slice| &slice.placement.image).chain(kept) {
            sizes.insert(image.number, image.bytes());
        }
        (self.count, self.bytes) = (sizes.len(), sizes.values().sum());
        let mut evicted = Vec::new();
        if fits(self.count, self.bytes, bytes) {
            return evicted;
        }
        for (number, size) in sizes {
            let is_half =
                (self.count + 1) * 2 <= IMAGES_MAX && (self.bytes + bytes) * 2 <= IMAGES_BYTES_MAX;
            if is_half {
                break;
            }
            evicted.push(number);
            self.count -= 1;
            self.bytes -= size;
        }
        self.kept.retain(|kept| !evicted.contains(&kept.image.number));
        evicted
    }

    /// The newest picture with an id, or with a number where the id is 0.
    pub(crate) fn find(&self, id: u32, number: u32) -> Option<&KeptImage> {
        self.kept.iter().rev().find(|kept| match id {
            0 => number != 0 && kept.number == number,
            id => kept.id == id,
        })
    }

    /// An id that is not in use.
    pub(crate) fn free_id(&self) -> u32 {
        let highest = self.kept.iter().map(|kept| kept.id).max().unwrap_or(0);
        let is_free = |id: &u32| self.kept.iter().all(|kept| kept.id != *id);
        highest.checked_add(1).or_else(|| (1..=u32::MAX).find(is_free)).unwrap_or(1)
    }
}

/// What counts in a terminal that goes on as this one does.
impl PartialEq for ImageStore {
    fn eq(&self, other: &Self) -> bool {
        let Self { next, kept, transfer, count: _, bytes: _ } = self;
        *next == other.next && *kept == other.kept && *transfer == other.transfer
    }
}

impl Eq for ImageStore {}

/// Whether one more picture of `more` bytes is within the bounds.
pub(crate) fn fits(count: usize, bytes: usize, more: usize) -> bool {
    count < IMAGES_MAX && bytes + more <= IMAGES_BYTES_MAX
}
