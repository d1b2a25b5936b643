//! What a client says of itself.

use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use bstr::BString;
use ccmux_protocol::rendezvous::Surroundings;
use ccmux_protocol::{Hello, VersionRange};
use rustix::process::getpid;

use crate::client::ClientOptions;
use crate::terminal::TerminalName;

/// The greeting of the client that `options` describe, on the terminal `name`.
pub(crate) fn hello(options: &ClientOptions, name: Option<&TerminalName>) -> Hello {
    let surroundings = &options.surroundings;
    let bytes = |text: &std::ffi::OsStr| BString::from(text.as_bytes());
    let size = name.and_then(TerminalName::size);
    let var = |name: &str| surroundings.env(name).map(|value| BString::from(value.into_vec()));
    Hello {
        versions: VersionRange::OURS,
        client_version: options.version.clone(),
        pid: getpid().as_raw_nonzero().get().cast_unsigned(),
        is_tty: name.is_some(),
        tty: name.map(|name| bytes(name.path.as_os_str())),
        size: size.map(|size| size.cells),
        cell_px: size.and_then(|size| size.cell_px),
        term: var("TERM"),
        colorterm: var("COLORTERM"),
        term_program: var("TERM_PROGRAM"),
        cwd: bytes(working_directory(surroundings).as_os_str()),
        env: surroundings.env.iter().map(|(name, value)| (bytes(name), bytes(value))).collect(),
        read_only: false,
    }
}

/// The directory as the user named it (`$PWD`), symbolic links and all, if it is the one that we
/// are in.
fn working_directory(surroundings: &Surroundings) -> PathBuf {
    let identity = |path: &Path| fs::metadata(path).ok().map(|it| (it.dev(), it.ino()));
    let named = surroundings.env("PWD").map(PathBuf::from).filter(|path| path.is_absolute());
    named
        .filter(|path| identity(path).is_some() && identity(path) == identity(&surroundings.cwd))
        .unwrap_or_else(|| surroundings.cwd.clone())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn the_working_directory_keeps_the_name_that_the_user_gave_it() {
        let dir = TempDir::new().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        let with_pwd = |pwd: &Path| {
            let env = vec![("PWD".into(), pwd.into())];
            let surroundings = Surroundings { exe: PathBuf::new(), env, cwd: real.clone(), uid: 0 };
            working_directory(&surroundings)
        };
        assert_eq!(with_pwd(&link), link);
        assert_eq!(with_pwd(dir.path()), real, "another directory");
        assert_eq!(with_pwd(Path::new("link")), real, "a relative name");
        assert_eq!(with_pwd(&dir.path().join("none")), real, "no directory");
    }
}
