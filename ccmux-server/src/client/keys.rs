//! Which key table a client's next key is looked up in.

use std::time::Duration;

/// The table that the prefix key opens.
pub(crate) const PREFIX: &str = "prefix";
/// The table of keys without a prefix.
pub(crate) const ROOT: &str = "root";

/// Where a client is between two keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyState {
    /// The table, when it is not the root one (or that of the pane's mode).
    table: Option<String>,
    /// Until when keys bound with `-r` need no prefix.
    repeat_until: Option<Duration>,
}

impl KeyState {
    /// The table the next key belongs to; `None` for the root table.
    pub(crate) fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// Whether a repeat is under way.
    pub(crate) fn is_repeating(&self) -> bool {
        self.repeat_until.is_some()
    }

    /// The next key is looked up in `table` (the prefix key, `switch-client -T`).
    pub(crate) fn enter(&mut self, table: &str) {
        self.table = (table != ROOT).then(|| table.to_owned());
        self.repeat_until = None;
    }

    /// A key bound with `-r` was pressed: it may come again until then.
    pub(crate) fn repeat(&mut self, table: &str, until: Duration) {
        self.table = Some(table.to_owned());
        self.repeat_until = Some(until);
    }

    /// Back to the root table.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Ends a repeat whose time is over; returns whether it did.
    pub(crate) fn expire(&mut self, now: Duration) -> bool {
        let is_over = self.repeat_until.is_some_and(|until| until <= now);
        if is_over {
            self.reset();
        }
        is_over
    }

    /// When a repeat ends.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.repeat_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_ends_by_itself_and_a_prefix_does_not() {
        let at = Duration::from_millis;
        let mut keys = KeyState::default();
        keys.enter(PREFIX);
        assert_eq!((keys.table(), keys.deadline()), (Some(PREFIX), None));
        keys.repeat(PREFIX, at(500));
        assert!(!keys.expire(at(499)) && keys.is_repeating());
        assert!(keys.expire(at(500)) && keys.table().is_none());
    }
}
