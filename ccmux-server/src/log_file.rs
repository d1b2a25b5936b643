//! The server's own log: a file of bounded size in the state directory.
//!
//! When the file is full it becomes `server.log.old` and a new one begins, so that at most twice
//! [`LOG_BYTES_MAX`] is ever used. Failing to log never fails anything else: while the file cannot be
//! opened lines are lost, and each one tries again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ccmux_protocol::rendezvous::server_log;
use tracing_subscriber::fmt::MakeWriter;

/// Size at which the log is rotated.
pub(crate) const LOG_BYTES_MAX: u64 = 1024 * 1024;

/// A log file that rotates itself.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    bytes_max: u64,
    current: Mutex<Option<Current>>,
}

#[derive(Debug)]
struct Current {
    file: File,
    len: u64,
}

impl LogFile {
    /// Logs to `server.log` in `dir`, which is made with mode 0600 as soon as it can be.
    pub(crate) fn new(dir: &Path, bytes_max: u64) -> Self {
        Self { path: server_log(dir), bytes_max, current: Mutex::new(None) }
    }

    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = match &mut *current {
            Some(opened) => opened,
            none => none.insert(open_append(&self.path)?),
        };
        if opened.len + bytes.len() as u64 > self.bytes_max && opened.len > 0 {
            std::fs::rename(&self.path, self.path.with_extension("log.old"))?;
            *opened = open_append(&self.path)?;
        }
        opened.file.write_all(bytes)?;
        opened.len += bytes.len() as u64;
        Ok(())
    }
}

fn open_append(path: &Path) -> io::Result<Current> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let len = file.metadata()?.len();
    Ok(Current { file, len })
}

/// One writer per log line, as `tracing-subscriber` asks for.
#[derive(Debug)]
pub(crate) struct LineWriter<'a>(&'a LogFile);

impl Write for LineWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogFile {
    type Writer = LineWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_never_grows_past_twice_its_bound() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let log = LogFile::new(dir.path(), 100);
        for n in 0..50 {
            writeln!(log.make_writer(), "line {n:10}").expect("line is written");
        }
        let sizes: Vec<u64> = ["server.log", "server.log.old"]
            .map(|name| std::fs::metadata(dir.path().join(name)).expect("file").len())
            .into();
        assert!(sizes.iter().all(|&len| len > 0 && len <= 100), "{sizes:?}");
        let last = std::fs::read_to_string(dir.path().join("server.log")).expect("text");
        assert!(last.ends_with("49\n"), "the newest line is in the current file: {last}");
        drop(log);
    }

    #[test]
    fn a_log_that_cannot_be_opened_is_tried_again_with_each_line() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        let later = dir.path().join("later");
        let log = LogFile::new(&later, 100);
        writeln!(log.make_writer(), "lost").expect_err("there is no directory");
        std::fs::create_dir(&later).expect("a directory");
        writeln!(log.make_writer(), "kept").expect("line is written");
        let text = std::fs::read_to_string(later.join("server.log")).expect("text");
        assert_eq!(text, "kept\n");
        drop(log);
    }
}
