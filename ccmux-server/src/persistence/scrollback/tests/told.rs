//! The check that nothing of the history is lost silently: each line that could be read before something decayed
//! can still be read, or a start tells that it is lost, or whoever reads it is told.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::world::{PANES, load_all, pane, read_lines};
use crate::persistence::scrollback::{Damage, PaneHistory};
use crate::persistence::sim::SimStorage;

/// The lines of each pane that can be read.
#[derive(Debug)]
pub(super) struct Stored(Vec<BTreeSet<u64>>);

impl Stored {
    pub(super) fn look(storage: &SimStorage) -> Self {
        let images = load_all(storage).into_iter().enumerate();
        Self(images.map(|(n, image)| readable(n, storage, image.history)).collect())
    }

    /// Checks what is left of it, as far as there is a keyframe that counts on it.
    pub(super) fn check(&self, storage: &SimStorage, decayed: &[String]) {
        let images = load_all(storage);
        assert_eq!(images.len(), PANES);
        for (n, image) in images.into_iter().enumerate() {
            let Some(keyframe) = image.keyframe else { continue };
            // Whoever reads it begins with the first chunk that there is.
            let history =
                PaneHistory::open(Arc::new(storage.clone()), pane(n), image.history.clone());
            let read = history.unwrap().first_line()..image.history.end;
            let mut told: Vec<Range<u64>> = read_lines(n, storage, read).missing;
            told.extend(image.damage.iter().filter_map(|damage| match damage {
                Damage::History { lines, .. } => Some(lines.clone()),
                _ => None,
            }));
            let left = readable(n, storage, image.history);
            let counted = self.0[n].range(keyframe.history.clone());
            let is_untold = |line: &&u64| {
                !left.contains(line) && !told.iter().any(|lines| lines.contains(line))
            };
            let untold: Vec<&u64> = counted.filter(is_untold).collect();
            assert!(untold.is_empty(), "lost silently of pane {n}: {untold:?}, by {decayed:?}");
        }
    }
}

fn readable(n: usize, storage: &SimStorage, lines: Range<u64>) -> BTreeSet<u64> {
    let missing = read_lines(n, storage, lines.clone()).missing;
    lines.filter(|line| !missing.iter().any(|lines| lines.contains(line))).collect()
}
