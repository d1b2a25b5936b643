//! The standard input of a client's command line, for the commands that read it.
//!
//! It comes in pieces, each of them asked for once the one before has been used: so no more than one
//! piece of a client is ever held beside what its command collects, which is bounded by the command.
//! A client whose input never ends waits, and nobody with it.

use bstr::ByteSlice as _;
use ccmux_core::ids::PaneId;
use ccmux_core::model::Pane;
use ccmux_protocol::{ServerFrame, StdinEnd};

use super::{CommandError, Cx, Flow, Job, Origin, Wait};
use crate::client::ClientStage;
use crate::event_loop::ClientId;
use crate::server::Server;

/// The standard input that one command wants as a whole.
#[derive(Debug)]
pub(crate) enum Stdin {
    /// Some of it is there; no more is read than `bytes_max` and the piece that exceeds it.
    Part {
        /// What is there.
        data: Vec<u8>,
        /// What the command can use.
        bytes_max: usize,
    },
    /// All of it, or why there is none.
    Read(Result<Vec<u8>, String>),
}

impl Cx<'_> {
    /// All of standard input. `None` before it has been read: the command returns [`Wait::Stdin`]
    /// then, having done nothing, and is run again. More than `bytes_max` is too much; what is
    /// returned then is longer, and not all.
    pub(super) fn stdin(&mut self, bytes_max: usize) -> Result<Option<Vec<u8>>, CommandError> {
        if let Some(Stdin::Read(result)) = self.job.stdin.take() {
            return result.map(Some).map_err(|why| CommandError::new(format!("-: {why}")));
        }
        if !self.server.has_stdin(&self.job.origin) {
            return Err(CommandError::new("-: Bad file descriptor"));
        }
        self.job.stdin = Some(Stdin::Part { data: Vec::new(), bytes_max });
        Ok(None)
    }

    /// Lets an empty pane show standard input as it comes. Without any, as in a key binding, the
    /// pane stays as it is.
    pub(super) fn feed_stdin_to(&mut self, pane: PaneId) -> Flow {
        self.server.print_started(self.job);
        match self.server.has_stdin(&self.job.origin) {
            true => Flow::Wait(Wait::Feeding(pane)),
            false => Flow::Next,
        }
    }
}

impl Server {
    /// Whether there is a client that can be asked for standard input: an attached one uses it for
    /// keys.
    fn has_stdin(&self, origin: &Origin) -> bool {
        let Origin::OneShot(id) = origin else { return false };
        let client = self.clients.get(id);
        client.is_some_and(|client| matches!(client.stage, ClientStage::Commanding))
    }

    /// Asks for the next piece of standard input, if a job waits for one and it can be used.
    pub(super) fn ask_for_stdin(&mut self, job: &mut Job) {
        let is_reading = matches!(job.wait, Some(Wait::Stdin | Wait::Feeding(_)));
        // As for programs: where the disk cannot follow, whoever prints waits.
        if !is_reading || job.is_stdin_asked || !self.scrollback.has_room() {
            return;
        }
        if let Origin::OneShot(id) = job.origin {
            job.is_stdin_asked = true;
            self.tell_client(id, ServerFrame::ReadStdin);
        }
    }

    /// A client answered with a piece of standard input. Returns false if nobody asked.
    pub(crate) fn take_stdin(&mut self, id: ClientId, bytes: Vec<u8>) -> bool {
        let Some(job) = self.jobs.asking(id) else { return false };
        job.is_stdin_asked = false;
        if let Some(Wait::Feeding(pane)) = job.wait {
            self.feed_empty(pane, &bytes);
        } else if let Some(Stdin::Part { data, bytes_max }) = &mut job.stdin {
            data.extend(bytes);
            if data.len() > *bytes_max {
                let data = std::mem::take(data);
                job.stdin = Some(Stdin::Read(Ok(data)));
                job.wait = None;
            }
        }
        self.has_more = true;
        true
    }

    /// A client answered that there is no more. Returns false if nobody asked.
    pub(crate) fn end_stdin(&mut self, id: ClientId, end: StdinEnd) -> bool {
        let Some(job) = self.jobs.asking(id) else { return false };
        job.is_stdin_asked = false;
        if let Some(Stdin::Part { data, .. }) = &mut job.stdin {
            let data = std::mem::take(data);
            job.stdin = Some(Stdin::Read(end.error.map_or(Ok(data), Err)));
        }
        if matches!(job.wait, Some(Wait::Stdin | Wait::Feeding(_))) {
            job.wait = None;
        }
        self.has_more = true;
        true
    }

    /// Shows bytes in an empty pane. They are on their way to the disk before they are shown, as
    /// what programs print.
    fn feed_empty(&mut self, id: PaneId, bytes: &[u8]) {
        let (now, elapsed) = (self.now(), self.elapsed());
        let is_empty = self.state.panes.get(&id).is_some_and(Pane::is_empty);
        let Some(pane) = self.panes.get_mut(&id).filter(|_| is_empty) else { return };
        // No terminal driver stands between: what ends a line also returns to its beginning.
        let events = pane.print(&mut self.scrollback, now, &bytes.replace("\n", "\r\n"));
        pane.output.last_at = elapsed;
        self.redraw_pane(id);
        self.heed_events(id, events);
    }

    /// Ends the commands that still read standard input when the server is about to end: their
    /// input may never end.
    pub(crate) fn give_up_stdin(&mut self) {
        for id in self.jobs.reading_stdin() {
            let Some(mut job) = self.jobs.take(id) else { continue };
            self.complain(&job, "server exited");
            (job.wait, job.has_failed) = (None, true);
            job.steps.clear();
            self.jobs.put_back(job);
            self.has_more = true;
        }
    }
}
