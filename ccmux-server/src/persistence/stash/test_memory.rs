//! Memory for tests, whose user can be killed at any byte.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::{BLOCK_BYTES, Memory, StashStorage};

/// Memory that survives its users, and may end them: after so many bytes written nothing is.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestMemory(Arc<Mutex<Pages>>);

#[derive(Clone, Debug, Default)]
struct Pages {
    contents: HashMap<u64, Vec<u8>>,
    /// Bytes that may still be written; `None` for any number.
    budget: Option<usize>,
    written: usize,
}

impl TestMemory {
    pub(crate) fn storage(&self) -> StashStorage {
        StashStorage::open(Box::new(self.clone())).unwrap()
    }

    /// What is there now, apart from the original; its user is killed after `budget` bytes.
    pub(crate) fn fork(&self, budget: Option<usize>) -> Self {
        let contents = self.0.lock().unwrap().contents.clone();
        Self(Arc::new(Mutex::new(Pages { contents, budget, written: 0 })))
    }

    pub(crate) fn written(&self) -> usize {
        self.0.lock().unwrap().written
    }

    pub(crate) fn damage(&self, at: u64, damage: impl FnOnce(&mut u8)) {
        let mut inner = self.0.lock().unwrap();
        let page =
            inner.contents.entry(at / BLOCK_BYTES as u64).or_insert_with(|| vec![0; BLOCK_BYTES]);
        damage(&mut page[at as usize % BLOCK_BYTES]);
    }
}

impl Memory for TestMemory {
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let inner = self.0.lock().unwrap();
        let within = offset as usize % BLOCK_BYTES;
        let count = buf.len().min(BLOCK_BYTES - within);
        match inner.contents.get(&(offset / BLOCK_BYTES as u64)) {
            Some(page) => buf[..count].copy_from_slice(&page[within..within + count]),
            None => buf[..count].fill(0),
        }
        Ok(count)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap();
        let allowed = inner.budget.unwrap_or(usize::MAX).min(bytes.len());
        for (at, byte) in (offset..).zip(&bytes[..allowed]) {
            let page = inner.contents.entry(at / BLOCK_BYTES as u64);
            page.or_insert_with(|| vec![0; BLOCK_BYTES])[at as usize % BLOCK_BYTES] = *byte;
        }
        inner.written += allowed;
        inner.budget = inner.budget.map(|budget| budget - allowed);
        if allowed < bytes.len() { Err(io::Error::other("killed")) } else { Ok(()) }
    }

    fn release(&self, offset: u64, _len: u64) {
        let mut inner = self.0.lock().unwrap();
        if inner.budget != Some(0) {
            inner.contents.remove(&(offset / BLOCK_BYTES as u64));
        }
    }
}
