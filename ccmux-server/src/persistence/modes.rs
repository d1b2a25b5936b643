//! Who else can read what is kept: nobody, whatever copied or unpacked it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// No directory of a store is deeper than this.
const DEPTH_MAX: usize = 4;
/// What others may do.
const OTHERS: u32 = 0o077;

/// Takes away what other users may do with a store's files and directories. Returns how many there
/// were of which they could do anything.
///
/// Links are not followed. A file of another user is left alone: whether it can be read shows when
/// it is.
pub(crate) fn close_to_others(root: &Path) -> io::Result<usize> {
    close(root, 0)
}

fn close(path: &Path, depth: usize) -> io::Result<usize> {
    let metadata = fs::symlink_metadata(path)?;
    let kind = metadata.file_type();
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    let is_known = kind.is_dir() || kind.is_file() || kind.is_socket();
    if !is_known || !is_ours {
        return Ok(0);
    }
    let mode = metadata.mode() & 0o7777;
    let mut closed = 0;
    if mode & OTHERS != 0 {
        fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS))?;
        closed += 1;
    }
    if kind.is_dir() && depth < DEPTH_MAX {
        for entry in fs::read_dir(path)? {
            match close(&entry?.path(), depth + 1) {
                // A keeper has just removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                done => closed += done?,
            }
        }
    }
    Ok(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_could_do_is_taken_away_and_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let root = temp.path().join("store");
        fs::create_dir_all(root.join("panes/one")).unwrap();
        let outside = temp.path().join("outside");
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o7777;
        for (path, before) in [("format", 0o644), ("panes/one/chunk", 0o466), ("panes/lock", 0o600)]
        {
            fs::write(root.join(path), b"x").unwrap();
            fs::set_permissions(root.join(path), Permissions::from_mode(before)).unwrap();
        }
        fs::write(&outside, b"x").unwrap();
        fs::set_permissions(&outside, Permissions::from_mode(0o644)).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("panes/socket")).unwrap();
        fs::set_permissions(root.join("panes/socket"), Permissions::from_mode(0o777)).unwrap();
        for dir in ["", "panes", "panes/one"] {
            fs::set_permissions(root.join(dir), Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(close_to_others(&root).unwrap(), 6);
        for (path, after) in [
            ("", 0o700),
            ("panes", 0o700),
            ("panes/one", 0o700),
            ("format", 0o600),
            ("panes/one/chunk", 0o400),
            ("panes/lock", 0o600),
            ("panes/socket", 0o700),
        ] {
            assert_eq!(mode(&root.join(path)), after, "{path}");
        }
        assert_eq!(mode(&outside), 0o644, "a link is not followed");
        assert_eq!(close_to_others(&root).unwrap(), 0);
    }
}
