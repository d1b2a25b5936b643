//! How many files may be open: the server holds several for each pane, and as many as it may.
//!
//! Programs get what the person's shell would have given them: some (`select(2)`) fail with more,
//! others close every number below the limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises this process's soft limit to the hard one; returns what programs get. `None` if there
/// was nothing to raise.
pub(crate) fn raise_limit() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let soft = current.filter(|_| current != maximum)?;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).ok()?;
    Some(soft)
}
