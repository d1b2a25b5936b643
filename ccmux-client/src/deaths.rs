//! Servers that died on a client before they had shown it anything.

/// So many in a row are no accident: whatever kills them meets the next one, too. Somebody who kills
/// servers for fun would have to hit each of them in the few milliseconds between its greeting and
/// its first frame.
const DEATHS_MAX: u32 = 16;

/// Counts servers that died one after the other without a frame in between.
#[derive(Debug, Default)]
pub(crate) struct Deaths {
    count: u32,
    /// The last one that was counted, or that has shown something and so is not.
    last: Option<u32>,
}

impl Deaths {
    /// The server with this process id has drawn a frame.
    pub(crate) fn has_shown(&mut self, server: u32) {
        *self = Deaths { count: 0, last: Some(server) };
    }

    /// The connection to the server with this process id is lost. One that is met again has not died.
    pub(crate) fn is_lost(&mut self, server: u32) {
        if self.last != Some(server) {
            self.count += 1;
            self.last = Some(server);
        }
    }

    /// How many there were, once that are too many.
    pub(crate) fn too_many(&self) -> Option<u32> {
        (self.count >= DEATHS_MAX).then_some(self.count)
    }
}
