//! Little-endian fields of fixed-size headers. The caller has checked the length.

use uuid::Uuid;

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

pub(super) fn uuid_at(bytes: &[u8], at: usize) -> Uuid {
    Uuid::from_bytes(bytes[at..at + 16].try_into().expect("sixteen bytes"))
}

/// A header of `N` bytes, filled field by field.
pub(super) struct Fields<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Fields<N> {
    pub(super) fn new() -> Self {
        Self([0; N])
    }

    pub(super) fn put(mut self, at: usize, field: &[u8]) -> Self {
        self.0[at..at + field.len()].copy_from_slice(field);
        self
    }

    pub(super) fn u32(self, at: usize, field: u32) -> Self {
        self.put(at, &field.to_le_bytes())
    }

    pub(super) fn u64(self, at: usize, field: u64) -> Self {
        self.put(at, &field.to_le_bytes())
    }
}
