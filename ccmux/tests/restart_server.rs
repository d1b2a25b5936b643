//! `restart-server`: another executable goes on, and nobody notices; one that cannot does no harm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use ccmux_testkit::{Finished, Flood, Process, TestEnv};
use rustix::process::Signal;
use tempfile::TempDir;

const EXE: &str = env!("CARGO_BIN_EXE_ccmux");
/// This release, and one that is as long and never was.
const VERSION: &str = env!("CARGO_PKG_VERSION");
const OTHER_VERSION: &str = "9.9.9-dev";

/// A build of another version: the same code, which calls itself so.
fn other_version(at: &Path) {
    let mut bytes = fs::read(EXE).expect("it was built");
    let mut found = 0;
    for start in memchr::memmem::find_iter(&bytes.clone(), VERSION) {
        bytes[start..start + VERSION.len()].copy_from_slice(OTHER_VERSION.as_bytes());
        found += 1;
    }
    assert!(found > 0 && VERSION.len() == OTHER_VERSION.len(), "the version is in it");
    executable(at, &bytes);
}

/// Makes an executable. Another process writes it: a file that this one has open for writing may be
/// so in a child that another test is just starting, and cannot be executed that long.
fn executable(at: &Path, bytes: &[u8]) {
    let source = at.with_extension("source");
    fs::write(&source, bytes).expect("the directory is ours");
    let status = Command::new("install").arg("-m755").args([&source, at]).status();
    assert!(status.expect("install is there").success());
}

/// An executable that proves that it can take over, and then does `instead`.
fn impostor(dir: &Path, instead: &str) -> PathBuf {
    let path = dir.join("impostor");
    let script =
        format!("#!/bin/sh\ncase \"$*\" in *--prove*) exec '{EXE}' \"$@\";; esac\n{instead}\n");
    executable(&path, script.as_bytes());
    path
}

/// The file of the executable is replaced, as an installation does, and the server with it. Output
/// goes on all the while.
#[test]
fn the_executable_on_the_disk_takes_over() {
    let installed = TempDir::new().expect("there is room");
    let exe = installed.path().join("ccmux");
    executable(&exe, &fs::read(EXE).expect("it was built"));
    let env = TestEnv::new(&exe);
    let flood = Flood::command(&env);
    env.ok(&["new-session", "-d", "-s", "work", "-x", "80", "-y", "23", &flood]);
    env.ok(&["split-window", "-d", "-t", "work", "exec tail -f /dev/null"]);
    let client = env.attach(80, 24);
    client.wait_text("[work] 0:");
    let format = ["list-panes", "-a", "-F", "#{pane_id} #{pane_pid} #{window_layout}"];
    let panes = env.ok(&format);
    let old = env.server();

    let next = installed.path().join("next");
    other_version(&next);
    fs::rename(&next, &exe).expect("it is ours");
    let flood = Flood::of("%0");
    flood.go(&env);
    let said = env.ok(&["restart-server"]);
    assert_eq!(said, format!("ccmux {OTHER_VERSION} has taken over from {VERSION}\n"));
    old.wait_gone();
    assert_eq!(env.status()["version"], OTHER_VERSION);
    assert_eq!(env.ok(&format), panes, "the same programs");
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains(&Flood::done(1)));
    flood.assert_whole(&env, 1);
    client.wait_shows_panes(&env);
    // Whoever starts a server from now on starts this one.
    env.kill_server();
    assert_eq!(env.ok(&format), panes, "the same programs");
    assert_eq!(env.status()["version"], OTHER_VERSION);
}

/// Whatever is wrong with an executable, it is said, and the server goes on.
#[test]
fn an_executable_that_cannot_go_on_does_no_harm() {
    let dir = TempDir::new().expect("there is room");
    let env = TestEnv::new(EXE);
    env.ok(&["new-session", "-d", "-s", "work", "while read line; do echo got $line; done"]);
    let pid = env.ok(&["display-message", "-p", "#{pane_pid}"]);
    let client = env.attach(80, 24);
    client.wait_text("[work] 0:");
    let server = env.server().pid();
    let missing = dir.path().join("missing");
    let stranger = dir.path().join("stranger");
    executable(&stranger, b"#!/bin/sh\nexit 7\n");
    let ending = impostor(dir.path(), "exit 3");
    let path = |path: &Path| path.to_str().expect("the path is text").to_owned();
    for (exe, words) in [
        (path(&missing), "cannot take over: cannot start the server"),
        (path(&stranger), "(exit status: 7)"),
        (path(&ending), "did not take over: the server ended before it was ready (exit status: 3)"),
    ] {
        let finished = env.ccmux(&["restart-server", &exe]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains(words), "{words}: {finished:?}");
        client.type_keys("hello\r");
        client.wait_text("got hello");
        env.ok(&["send-keys", "-R", "-t", "%0"]);
        client.wait_screen("an empty pane", |screen| !screen.text().contains("got hello"));
    }
    assert_eq!(env.server().pid(), server);
    assert_eq!(env.ok(&["display-message", "-p", "#{pane_pid}"]), pid);
    assert_eq!(env.status()["version"], VERSION);
}

/// One that neither serves nor ends is ended. Who asked in a terminal is told there.
#[test]
fn an_executable_that_hangs_is_ended() {
    let dir = TempDir::new().expect("there is room");
    let env = TestEnv::new(EXE);
    env.ok(&["new-session", "-d", "-s", "work", "exec tail -f /dev/null"]);
    let client = env.attach(100, 24);
    client.wait_text("[work] 0:");
    let pid = dir.path().join("pid");
    let hanging =
        impostor(dir.path(), &format!("echo $$ > '{}'; exec tail -f /dev/null", pid.display()));
    client.type_keys("\u{2}:");
    client.type_keys(&format!("restart-server {}\r", hanging.display()));
    client.wait_text("did not take over: it said nothing for 5 seconds");
    let pid = fs::read_to_string(&pid).expect("it has begun");
    let hanging = Process::open(pid.trim_end().parse().expect("a number"));
    let is_gone = hanging.expect("it can be looked at").is_none_or(|process| !process.is_alive());
    assert!(is_gone && env.servers().len() == 1);
    assert_eq!(env.status()["clients"], 1);
}

/// Clients in flight heard nothing but that the server was gone.
#[test]
fn a_command_that_a_restart_cuts_off_is_told_so() {
    let env = TestEnv::new(EXE);
    env.ok(&["new-session", "-d", "-s", "work", "exec tail -f /dev/null"]);
    let mark = env.path().join("mark");
    let script = format!("echo > '{}'; exec tail -f /dev/null", mark.display());
    let cut = thread::scope(|scope| {
        let running = scope.spawn(|| env.ccmux(&["run-shell", &script]));
        env.wait_ok(&["list-sessions"], |_| mark.exists());
        let _said = env.ok(&["restart-server", EXE]);
        running.join().expect("it does not panic")
    });
    let words = "the server was restarted before this command was done\n";
    assert_eq!((cut.code, cut.stderr.as_str()), (Some(1), words));
}

/// Has the server that is being restarted told to stop, while the other executable waits to go on
/// with `then`. Returns what became of `restart-server`.
fn stop_meanwhile(env: &TestEnv, then: &str) -> Finished {
    env.ok(&["new-session", "-d", "-s", "work", "exec tail -f /dev/null"]);
    let (mark, go) = (env.path().join("mark"), env.path().join("go"));
    for pipe in [&mark, &go] {
        let made = Command::new("mkfifo").arg(pipe).status();
        assert!(made.expect("mkfifo is there").success());
    }
    let script = format!("echo > '{}'; read line < '{}'; {then}", mark.display(), go.display());
    let other = impostor(env.path(), &script);
    let server = env.server();
    thread::scope(|scope| {
        let other = other.to_str().expect("the path is text");
        let asking = scope.spawn(move || env.ccmux(&["restart-server", other]));
        // Both wait until the other executable is there.
        let mark = fs::read(&mark).expect("it is read");
        assert_eq!(mark, b"\n");
        server.signal(Signal::TERM);
        fs::write(&go, "\n").expect("it is read");
        server.wait_gone();
        asking.join().expect("it does not panic")
    })
}

/// A SIGTERM was lost that came while the server waited for another.
#[test]
fn a_server_that_is_told_to_stop_while_another_takes_over_does() {
    for (then, code) in [(format!("exec '{EXE}' \"$@\""), 0), ("exit 3".to_owned(), 1)] {
        let env = TestEnv::new(EXE);
        let asked = stop_meanwhile(&env, &then);
        assert_eq!(asked.code, Some(code), "{asked:?}");
        for server in env.servers() {
            server.wait_gone();
        }
        assert!(env.server_log().contains("told to stop"), "{}", env.server_log());
        let none = env.ccmux(&["-N", "list-sessions"]);
        assert_eq!(none.code, Some(1), "no server runs: {none:?}");
        assert_eq!(env.keepers().len(), 1, "the program lives on");
        assert_eq!(env.ok(&["list-sessions", "-F", "#{session_name}"]), "work\n");
    }
}
