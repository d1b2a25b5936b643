//! From one server to another executable, without a moment in which nobody is responsible.
//!
//! ```text
//! old server                                   new executable
//! run it with --prove  --------------------->  recover in memory, change nothing
//!          <---- version, keeper protocols ---
//! everything to the disk, stop
//! start it, lock inherited ----------------->  recover, bind, register, listen
//! wait on the ready pipe  <------- "ok" ------
//! end
//! ```
//!
//! The old process ends only when the new server listens. If that never happens it ends the new
//! one and is a server again. The lock is held by one of the two all the time, so nobody else
//! starts a third.

use std::ffi::OsStr;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use command_fds::CommandFdExt as _;
use serde::{Deserialize, Serialize};

use super::lock::{Launch, LockedFile};
use super::server_args::{LOCK_FD, NOTE, PROVE, STOP};
use super::start::{StartError, spawn, spawn_proof};

/// How long a new executable may take to prove that it can go on. Nobody waits meanwhile.
const PROOF_MAX: Duration = Duration::from_secs(10);
/// How long it may then take to listen: less than what clients wait for.
const HANDOVER_MAX: Duration = Duration::from_secs(5);

/// What an executable says that has recovered a state directory in memory.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Proof {
    /// Its release.
    pub version: String,
    /// The least and the greatest version of the keepers' protocol that it speaks.
    pub keeper_protocol: (u16, u16),
}

/// Has the executable of `launch` recover the state directory in memory.
///
/// # Errors
/// It cannot be started, says why it cannot go on, or says nothing in time; it is ended then.
pub fn prove(launch: &Launch) -> Result<Proof, StartError> {
    let mut launch = launch.clone();
    launch.args.push(PROVE.into());
    spawn_proof(&launch)?.report_within(PROOF_MAX, |report| serde_json::from_str(report).ok())
}

/// Starts the server of `launch` with the lock that we hold, and waits until it listens. Returns its
/// process id.
///
/// # Errors
/// There is none, and its process is gone. The lock is ours still.
pub fn hand_over(lock: &LockedFile, launch: &Launch) -> Result<u32, StartError> {
    let starting = spawn(lock, launch)?;
    let pid = starting.pid();
    starting.report_within(HANDOVER_MAX, |report| (report == "ok").then_some(pid))
}

/// Becomes a server again with the lock that we hold: executes `exe`, which is this executable, as
/// `launch` says. `note` is told to whoever attaches. If it `was_told_to_stop` meanwhile it does so at once.
///
/// Returns only if that fails, and why.
pub fn take_back(
    lock: &LockedFile,
    exe: &Path,
    launch: &Launch,
    note: &str,
    was_told_to_stop: bool,
) -> StartError {
    let os = OsStr::from_bytes;
    let lock = match lock.duplicate() {
        Ok(lock) => lock,
        Err(error) => return StartError::Lock(error),
    };
    let source = Command::new(exe)
        .args(launch.args.iter().map(|arg| os(arg)))
        .args([NOTE, note])
        .args(was_told_to_stop.then_some(STOP))
        .arg(LOCK_FD)
        .arg(lock.as_raw_fd().to_string())
        .env_clear()
        .envs(launch.env.iter().map(|(name, value)| (os(name), os(value))))
        .preserved_fds(vec![lock])
        .exec();
    StartError::Spawn { exe: exe.to_owned(), source }
}
