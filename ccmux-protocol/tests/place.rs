//! Where servers live, and which directories are refused.
#![cfg(test)]

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ccmux_protocol::rendezvous::{
    ConnectError, Patience, Place, PlaceError, PlaceOptions, bind, connect, connect_within,
    ensure_private_directory, peer_uid,
};
use rustix::process::getuid;
use tempfile::TempDir;

fn resolve(
    label: Option<&str>,
    socket_path: Option<&Path>,
    env: &[(&str, &str)],
) -> Result<Place, PlaceError> {
    let lookup = |name: &str| -> Option<OsString> {
        env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(*value))
    };
    let label = label.map(OsStr::new);
    Place::resolve(&PlaceOptions { label, socket_path, env: &lookup, uid: 7 })
}

const ENV: [(&str, &str); 2] = [("HOME", "/h"), ("XDG_RUNTIME_DIR", "/run/user/7")];

#[test]
fn places_follow_flags_then_the_pane_then_the_default() {
    let check = |label, env: &[(&str, &str)], name: &str, state_dir: &str, socket: &str| {
        let place = resolve(label, None, env).unwrap();
        let expected = Place {
            name: name.to_owned(),
            state_dir: PathBuf::from(state_dir),
            socket: PathBuf::from(socket),
        };
        assert_eq!(place, expected, "{label:?} {env:?}");
    };
    let home = [("HOME", "/h")];
    check(None, &home, "default", "/h/.local/state/ccmux/default", "/tmp/ccmux-7/default");
    check(Some("w"), &ENV, "w", "/h/.local/state/ccmux/w", "/run/user/7/ccmux/w");

    let state = [("HOME", "/h"), ("XDG_STATE_HOME", "/s"), ("XDG_RUNTIME_DIR", "relative")];
    check(None, &state, "default", "/s/ccmux/default", "/tmp/ccmux-7/default");

    let pane = [("HOME", "/h"), ("CCMUX", "/run/user/7/ccmux/w,123,0")];
    let state_dir = "/h/.local/state/ccmux/w";
    check(None, &pane, "w", state_dir, "/run/user/7/ccmux/w");
    check(Some("x"), &pane, "x", "/h/.local/state/ccmux/x", "/tmp/ccmux-7/x");
    check(
        None,
        &[("HOME", "/h"), ("CCMUX", "/tmp/ccmux-7/w,1,0")],
        "w",
        state_dir,
        "/tmp/ccmux-7/w",
    );
    let empty = [("HOME", "/h"), ("CCMUX", "")];
    check(None, &empty, "default", "/h/.local/state/ccmux/default", "/tmp/ccmux-7/default");
}

#[test]
fn a_socket_path_is_named_after_its_canonical_path() {
    let dir = TempDir::new().unwrap();
    let real = dir.path().canonicalize().unwrap().join("real");
    fs::create_dir(&real).unwrap();
    symlink(&real, dir.path().join("link")).unwrap();

    let direct = resolve(Some("ignored"), Some(&real.join("s")), &ENV).unwrap();
    let linked = resolve(None, Some(&dir.path().join("link/s")), &ENV).unwrap();
    let other = resolve(None, Some(&real.join("t")), &ENV).unwrap();
    assert_eq!(direct.socket, real.join("s"));
    assert_eq!(direct, linked);
    assert_ne!(direct.name, other.name);
    assert_eq!(direct.state_dir, Path::new("/h/.local/state/ccmux").join(&direct.name));

    // A pane of that server leads back to it.
    let value = format!("{},99,0", real.join("s").display());
    let pane = resolve(None, None, &[("HOME", "/h"), ("CCMUX", &value)]).unwrap();
    assert_eq!(pane, direct);
}

#[test]
fn what_cannot_be_a_place_is_refused() {
    for label in ["", ".", "..", ".hidden", "a/b", "a,b", &"x".repeat(200)] {
        let result = resolve(Some(label), None, &ENV);
        assert!(matches!(result, Err(PlaceError::Name(_))), "{label:?}: {result:?}");
    }
    assert!(matches!(resolve(None, None, &[]), Err(PlaceError::NoHome)));
    let root = resolve(None, Some(Path::new("/")), &ENV);
    assert!(matches!(root, Err(PlaceError::SocketPath(_))), "{root:?}");
}

#[test]
fn only_private_directories_of_ours_are_accepted() {
    let dir = TempDir::new().unwrap();
    let uid = getuid().as_raw();
    let refusal = |path: &Path, uid: u32| match ensure_private_directory(path, uid) {
        Ok(()) => String::new(),
        Err(error) => error.to_string().replace(&path.display().to_string(), "DIR"),
    };

    let created = dir.path().join("a/b");
    assert_eq!(refusal(&created, uid), "");
    assert_eq!(fs::metadata(&created).unwrap().permissions().mode() & 0o7777, 0o700);
    assert_eq!(refusal(&created, uid), "", "a second time");

    let theirs = format!("directory DIR belongs to another user (uid {uid})");
    assert_eq!(refusal(&created, uid + 1), theirs);
    for mode in [0o750, 0o705, 0o777, 0o1777] {
        fs::set_permissions(&created, Permissions::from_mode(mode)).unwrap();
        let expected = format!("directory DIR has unsafe permissions ({mode:04o}, expected 0700)");
        assert_eq!(refusal(&created, uid), expected);
    }

    let link = dir.path().join("link");
    symlink(dir.path().join("a"), &link).unwrap();
    assert_eq!(refusal(&link, uid), "directory DIR is a symbolic link");
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert_eq!(refusal(&file, uid), "directory DIR is not a directory");
}

/// A place whose socket path is longer than any socket address.
fn deep_place(dir: &TempDir) -> Place {
    let deep = dir.path().join("d".repeat(100)).join("e".repeat(100));
    let place =
        Place { name: "n".into(), state_dir: deep.join("state"), socket: deep.join("run/n") };
    place.prepare(getuid().as_raw()).unwrap();
    place
}

#[test]
#[cfg(target_os = "linux")]
fn sockets_work_at_paths_of_any_length() {
    let dir = TempDir::new().unwrap();
    let place = deep_place(&dir);
    assert!(matches!(connect(&place), Err(ConnectError::NotRunning { .. })), "nothing there");

    // Twice: what a vanished server left is replaced.
    drop(bind(&place).unwrap());
    assert!(matches!(connect(&place), Err(ConnectError::NotRunning { .. })), "nobody listens");
    let listener = bind(&place).unwrap();
    assert_eq!(fs::metadata(&place.socket).unwrap().permissions().mode() & 0o777, 0o600);

    let mut client = connect(&place).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    assert_eq!(peer_uid(&server).unwrap(), Some(getuid().as_raw()));
    client.write_all(b"x").unwrap();
    drop(client);
    let mut received = String::new();
    server.read_to_string(&mut received).unwrap();
    assert_eq!(received, "x");
}

/// A stopped server takes no connections, and only so many wait for it. Whoever came then waited
/// without end, and nothing was said.
#[test]
#[cfg(target_os = "linux")]
fn a_server_that_takes_no_connections_is_given_up() {
    let dir = TempDir::new().unwrap();
    let place = deep_place(&dir);
    let listener = bind(&place).unwrap();
    // One may wait.
    rustix::net::listen(&listener, 0).unwrap();
    let _waiting = connect(&place).unwrap();
    let error = connect_within(&place, Patience::of(Duration::from_millis(50))).unwrap_err();
    assert!(matches!(error, ConnectError::Busy { .. }), "{error}");
    assert!(error.to_string().ends_with("does not take connections"), "{error}");

    // Once there is room, whoever still waits is let in, and can be spoken with as usual.
    std::thread::scope(|scope| {
        let late = scope.spawn(|| connect(&place));
        drop(listener.accept().unwrap());
        let (mut server, _) = listener.accept().unwrap();
        let mut late = late.join().unwrap().unwrap();
        server.write_all(b"x").unwrap();
        let mut received = [0];
        late.read_exact(&mut received).unwrap();
        assert_eq!(&received, b"x");
    });
}
