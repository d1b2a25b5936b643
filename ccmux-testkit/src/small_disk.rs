//! A disk that is soon full: a tmpfs that only the processes of one test see.
//!
//! It is mounted in a mount namespace of its own, which a process holds open. So nothing is left
//! mounted, however a test ends.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::geteuid;

/// Mounts `$1` bytes at `$0`, says so, and stays.
const HOLD: &str = "mount -t tmpfs -o mode=700,size=\"$1\" none \"$0\" && echo mounted \
    && exec tail -f /dev/null >/dev/null";

/// The process that holds the disk. It ends with every other one of the test's world, whose `HOME`
/// it has, and is waited for here.
#[derive(Debug)]
pub(crate) struct SmallDisk {
    holder: Child,
}

impl SmallDisk {
    /// Mounts a disk of so many bytes at `place`; see [`TestEnv::on_small_disk`].
    ///
    /// [`TestEnv::on_small_disk`]: crate::TestEnv::on_small_disk
    #[expect(clippy::print_stderr, reason = "a test that is left out is no secret")]
    pub(crate) fn mount(place: &Path, home: &Path, bytes: u64) -> Option<Self> {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", HOLD]).arg(place).arg(bytes.to_string());
        command.env_clear().env("HOME", home).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let holder = command.spawn().ok().and_then(|mut holder| {
            let mut line = String::new();
            let stdout = holder.stdout.take().expect("it is piped");
            // It prints the line, or ends.
            let is_mounted = BufReader::new(stdout).read_line(&mut line).is_ok_and(|len| len > 0);
            if !is_mounted {
                let _ = holder.wait();
            }
            is_mounted.then_some(holder)
        });
        assert!(holder.is_some() || !geteuid().is_root(), "root cannot mount a disk");
        if holder.is_none() {
            eprintln!("skipped: this user cannot mount a disk");
        }
        holder.map(|holder| Self { holder })
    }

    /// Where a path is for processes that do not see the disk.
    pub(crate) fn outside(&self, path: &Path) -> PathBuf {
        let root = format!("/proc/{}/root", self.holder.id());
        Path::new(&root).join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Lets nothing be made, renamed or removed in a directory of the disk any more, or again. What
    /// is open stays so.
    pub(crate) fn set_read_only(&self, directory: &Path, is_read_only: bool) {
        let script = match is_read_only {
            true => "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"",
            // At once, although a server may have something open there at this moment: for that one, too.
            false => "mount -o remount,bind,rw \"$0\" && umount --lazy \"$0\"",
        };
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string(), "--", "sh", "-c"]);
        command.arg(script).arg(directory);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let status = command.status().expect("nsenter can be started");
        assert!(status.success(), "{script}: {status}");
    }

    /// A command line of `exe` that sees the disk.
    pub(crate) fn enter(&self, exe: &Path, directory: &Path) -> Command {
        let mut option = OsStr::new("--wd=").to_owned();
        option.push(directory);
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.holder.id().to_string()]);
        command.arg(option).arg("--").arg(exe);
        command
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // It was ended before; or else it is now.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::env::TestEnv;

    /// A server that was just looking whether it can write again kept the directory as it was, and
    /// the test failed.
    #[test]
    fn what_is_open_is_in_nobodys_way() {
        let Some(env) = TestEnv::on_small_disk("/bin/true", 1 << 20) else { return };
        let directory = env.state_dir().join("directory");
        fs::create_dir(&directory).expect("the disk is ours");
        fs::write(directory.join("file"), "text").expect("the disk is ours");
        env.set_read_only("directory", true);
        let open = fs::File::open(directory.join("file")).expect("it is there");
        assert!(fs::write(directory.join("other"), "text").is_err());
        env.set_read_only("directory", false);
        fs::write(directory.join("other"), "text").expect("the disk is ours");
        drop(open);
    }
}
