//! What the commands have in common that work on a state directory themselves, without a server.

use std::ffi::OsString;

use anyhow::bail;
use ccmux_protocol::rendezvous::{LockOutcome, LockedFile, Place, lock_or_holder};
use clap::Parser;

/// Reads the arguments behind the name of a command. Help and errors are printed here; then the
/// exit status is the error.
pub(crate) fn parse<T: Parser>(name: &str, args: Vec<OsString>) -> Result<T, u8> {
    T::try_parse_from(std::iter::once(OsString::from(name)).chain(args)).map_err(|error| {
        // Nobody may be left to tell.
        let _ = error.print();
        u8::from(error.use_stderr())
    })
}

/// Keeps servers away. Where none has ever been there is no lock, and none is made.
pub(crate) fn lock(place: &Place) -> anyhow::Result<Option<LockedFile>> {
    if !place.lock_path().exists() {
        return Ok(None);
    }
    match lock_or_holder(place)? {
        LockOutcome::Locked(lock) => Ok(Some(lock)),
        LockOutcome::Held(holder) => {
            let directory = place.state_dir.display();
            let Some(pid) = holder.map(|holder| holder.pid) else {
                bail!("a server is using {directory}; stop it first");
            };
            bail!(
                "a server (pid {pid}) is using {directory}; stop it first: programs live on after \
                 `kill {pid}`, and the next ccmux command starts a server again"
            )
        }
    }
}
