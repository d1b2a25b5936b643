//! Many starters at once get one server, and a second server says so and touches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use ccmux_testkit::TestEnv;
use rustix::process::Signal;

const STARTERS: usize = 16;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// Runs a command line from each of so many threads at once; all must succeed.
fn at_once(env: &TestEnv, args: impl Fn(usize) -> Vec<String> + Sync) {
    thread::scope(|scope| {
        for number in 0..STARTERS {
            let args = &args;
            scope.spawn(move || {
                let args = args(number);
                env.ok(&args.iter().map(String::as_str).collect::<Vec<_>>());
            });
        }
    });
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn raced_commands_get_one_server_and_all_succeed() {
    let env = env();
    at_once(&env, |number| words(&format!("new-session -d -s s{number}")));
    let servers = env.servers();
    assert_eq!(servers.len(), 1, "{servers:?}");
    let sessions = env.ok(&["list-sessions", "-F", "#{session_name}"]);
    let mut sessions: Vec<&str> = sessions.lines().collect();
    sessions.sort_unstable();
    let mut expected: Vec<String> = (0..STARTERS).map(|number| format!("s{number}")).collect();
    expected.sort_unstable();
    assert_eq!(sessions, expected);
    assert_eq!(env.server().pid(), servers[0].pid());
    assert_eq!(env.keepers().len(), STARTERS);
}

/// Commands, and the keepers of panes, all miss the same server.
#[test]
fn raced_starters_after_a_kill_get_one_server() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "old"]);
    for _ in 0..3 {
        env.ok(&["split-window", "-d", "-t", "old"]);
    }
    let programs = env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]);
    let server = env.server();
    server.signal(Signal::KILL);
    at_once(&env, |number| match number % 2 {
        0 => words("start-server"),
        _ => words(&format!("set-option -g @raced{number} {number}")),
    });
    server.wait_gone();
    assert_eq!(env.servers().len(), 1);
    assert_eq!(env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]), programs);
    for number in (1..STARTERS).step_by(2) {
        let value = env.ok(&["show-options", "-gv", &format!("@raced{number}")]);
        assert_eq!(value, format!("{number}\n"));
    }
}

/// One was left behind, without a session, where there was nothing to attach to.
#[test]
fn no_server_is_started_for_what_is_no_terminal() {
    let env = env();
    let finished = env.ccmux(&[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert_eq!(finished.stderr, "open terminal failed: not a terminal\n");
    assert!(env.servers().is_empty());
}

/// Every file below a directory, with its contents and the time of its last change.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, String> {
    use std::os::unix::fs::MetadataExt as _;
    let mut found = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = path.symlink_metadata().expect("nothing is removed");
        let mut text =
            format!("{:o} {}.{}", metadata.mode(), metadata.ctime(), metadata.ctime_nsec());
        if metadata.is_dir() {
            let entries = fs::read_dir(&path).expect("the directory is ours");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if metadata.is_file() {
            let contents = fs::read(&path).expect("the file is ours");
            text = format!("{text} {}", contents.escape_ascii());
        }
        found.insert(path, text);
    }
    found
}

#[test]
fn a_second_server_says_so_and_touches_nothing() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "first", "sleep 600"]);
    let pid = env.server().pid();
    // Stopped, the first server cannot write itself.
    let server = env.server();
    server.stop();
    let before =
        (snapshot(&env.state_dir()), snapshot(env.socket().parent().expect("a directory")));
    for args in [&["server"][..], &["-D"]] {
        let finished = env.ccmux(args);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let said = format!("a server is already running on {} (pid {pid})", env.socket().display());
        assert!(finished.stderr.contains(&said), "{finished:?}");
        assert_eq!(finished.stdout, "");
    }
    let after = (snapshot(&env.state_dir()), snapshot(env.socket().parent().expect("a directory")));
    server.signal(Signal::CONT);
    assert_eq!(after, before);
    assert_eq!(env.server().pid(), pid);
}

/// Commands waited ten seconds for a server whose socket was cleaned away, and then failed.
#[test]
fn a_server_whose_socket_is_gone_listens_again() {
    let env = env();
    env.ok(&["new-session", "-d", "-s", "work"]);
    let pid = env.server().pid();
    fs::remove_file(env.socket()).expect("the socket is ours");
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
    let directory = env.socket().parent().expect("it is in a directory").to_owned();
    // Stopped, it does not put the socket back in the midst of that.
    let server = env.server();
    server.signal(Signal::STOP);
    fs::remove_dir_all(&directory).expect("the directory is ours");
    server.signal(Signal::CONT);
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
    fs::rename(&directory, env.path().join("elsewhere")).expect("the directory is ours");
    assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
    assert_eq!(env.server().pid(), pid);
}
