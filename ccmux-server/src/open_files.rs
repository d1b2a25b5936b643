//! How many files may be open: the server holds several for each pane, and as many as it may.
//!
//! Not all of them are for panes: without one for its next client nobody could ask a server anything, so panes
//! are refused before that.
//!
//! Programs get what the person's shell would have given them: some (`select(2)`) fail with more,
//! others close every number below the limit.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's soft limit to the hard one; returns what programs get. `None` if there
/// was nothing to raise.
pub(crate) fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let soft = current.filter(|_| current != maximum)?;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok()?;
    Some(soft)
}

/// What a pane takes: three as long as its keeper lives, a file of its history, and for a moment what starting a
/// keeper takes.
const PANE_FILES: u64 = 8;
/// What panes leave to clients, and to the files of the log, of checkpoints and of the spool.
const KEPT_BACK: u64 = 16;

/// Why no keeper should be started now, if there are too few descriptors left. As long as it is for the same
/// limit it is in the same words.
pub(crate) fn shortage() -> Option<String> {
    let limit = getrlimit(Resource::Nofile).current?;
    let used = match std::fs::read_dir("/dev/fd") {
        Ok(open) => open.count() as u64,
        Err(error) if is_out_of_descriptors(&error) => limit,
        // It cannot be told.
        Err(_) => return None,
    };
    (used + PANE_FILES + KEPT_BACK > limit).then(|| {
        format!("too many files are open for another pane; `ulimit -n` allows the server {limit}")
    })
}

fn is_out_of_descriptors(error: &io::Error) -> bool {
    let errno = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE].iter().any(|wanted| errno == Some(wanted.raw_os_error()))
}
