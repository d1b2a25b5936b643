//! A server to measure, and what it has on its disk.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use anyhow::{Result, bail};
use ccmux_testkit::TestEnv;

use crate::bench::screen::{Terminal, now};

/// How long anything is waited for; of importance only if it never comes.
const DEADLINE: Duration = Duration::from_mins(10);
/// How often it is looked whether something has happened that nobody tells of.
const LOOK: Duration = Duration::from_millis(20);

/// Bytes of a state directory that the disk holds, as far as they are of files that `is_meant`.
///
/// Files may come and go meanwhile.
pub(super) fn disk_bytes(directory: &Path, is_meant: &dyn Fn(&Path) -> bool) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let (path, metadata) = (entry.path(), entry.metadata().ok()?);
        Some(match metadata.is_dir() {
            true => disk_bytes(&path, is_meant),
            false if is_meant(&path) => metadata.blocks() * 512,
            false => 0,
        })
    });
    sizes.sum()
}

/// Bytes of the compressed history of all panes.
pub(super) fn history_bytes(env: &TestEnv) -> u64 {
    let is_chunk = |path: &Path| path.extension().is_some_and(|extension| extension == "chunk");
    disk_bytes(&env.state_dir().join("panes"), &is_chunk)
}

/// Waits until `is_so`, which is asked now and then.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) -> Result<()> {
    let start = now();
    while !is_so() {
        if start.elapsed() > DEADLINE {
            bail!("{what}: not within {DEADLINE:?}");
        }
        pause(LOOK);
    }
    Ok(())
}

/// Waits until all of the output is in history and keyframes, and nothing is written any more.
pub(super) fn wait_quiet(env: &TestEnv) -> Result<()> {
    let (mut before, mut quiet_for) = (0, 0);
    wait_until("the disk comes to rest", || {
        let bytes = disk_bytes(&env.state_dir(), &|_| true);
        quiet_for = if bytes == before { quiet_for + 1 } else { 0 };
        before = bytes;
        // Longer than the pause after which a keyframe is taken.
        quiet_for > 60
    })
}

/// A client in a terminal of 80 by 24.
pub(super) fn attach(env: &TestEnv) -> Result<Terminal> {
    Terminal::open(env.command(&["attach-session"]), (80, 24))
}

/// Makes the next reader of a state directory read from the disk.
pub(super) fn forget_cached(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let (path, kind) = entry.map(|entry| (entry.path(), entry.file_type()))?;
        let kind = kind?;
        if kind.is_dir() {
            forget_cached(&path)?;
        } else if kind.is_file() {
            let file = fs::File::open(path)?;
            file.sync_all()?;
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?;
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark lets time pass")]
pub(super) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// What kind of file system a directory is on.
pub(super) fn file_system(directory: &Path) -> Result<String> {
    let directory = directory.canonicalize()?;
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((PathBuf::from(words.next()?), words.next()?.to_owned()))
    });
    // The last of those that are mounted at one place hides the others.
    let deepest = mounts
        .filter(|(place, _)| directory.starts_with(place))
        .max_by_key(|(place, _)| place.components().count());
    Ok(deepest.map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind))
}
