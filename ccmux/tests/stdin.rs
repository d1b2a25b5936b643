//! Commands that read the standard input of their client.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Stdio};

use ccmux_testkit::{Process, TestEnv};
use rustix::process::{Pid, Signal, kill_process};

fn env() -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "s", "-x", "60", "-y", "20", "sleep 1000"]);
    env
}

/// A command whose standard input goes on, and its end that is written to.
fn spawn(env: &TestEnv, args: &[&str]) -> (Child, ChildStdin) {
    let mut command = env.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the executable can be started");
    let stdin = child.stdin.take().expect("it is a pipe");
    (child, stdin)
}

fn end(child: Child) -> (Option<i32>, String) {
    if let Some(process) = Process::open(child.id()).expect("it is our child") {
        process.wait_gone();
    }
    let output = child.wait_with_output().expect("it is our child");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const DEAD: &str = "#{pane_id} #{pane_dead} #{pane_dead_status}";

/// As recorded from tmux 3.3a.
#[test]
fn an_empty_pane_shows_what_it_is_fed() {
    let env = env();
    let client = env.attach(60, 21);
    let made = env.ccmux_reading(&["split-window", "-IPF", "#{pane_id}"], b"one\ntwo\n");
    assert_eq!((made.code, made.stdout.as_str(), made.stderr.as_str()), (Some(0), "%1\n", ""));
    client.wait_text("one");
    assert_eq!(env.ok(&["list-panes", "-F", DEAD]), "%0 0 \n%1 1 \n");
    let more = env.ccmux_reading(&["display-message", "-I", "-t", "%1"], b"\x1b]2;fed\x07three");
    assert_eq!((more.code, more.stderr.as_str()), (Some(0), ""));
    assert_eq!(env.ok(&["capture-pane", "-pt", "%1"]).trim_end(), "one\ntwo\nthree");
    assert_eq!(env.ok(&["display-message", "-pt", "%1", "#{pane_title}"]), "fed\n");
    let refused = env.ccmux_reading(&["display-message", "-I", "-t", "%0"], b"x");
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), "pane is not empty\n"));
    // With a command there is a program, and stdin is nobody's.
    env.ok(&["split-window", "-I", "sleep 1000"]);
    env.ok(&["split-window", ""]);
    assert_eq!(env.ok(&["list-panes", "-F", DEAD]), "%0 0 \n%1 1 \n%2 0 \n%3 1 \n");
    // A program can be put into it; then it is empty no longer.
    env.ok(&["respawn-pane", "-t", "%1", "sleep 1000"]);
    env.ok(&["respawn-pane", "-t", "%3"]);
    assert_eq!(env.ok(&["list-panes", "-F", DEAD]), "%0 0 \n%1 0 \n%2 0 \n%3 0 \n");
    let refused = env.ccmux_reading(&["display-message", "-I", "-t", "%1"], b"x");
    assert_eq!((refused.code, refused.stderr.as_str()), (Some(1), "pane is not empty\n"));
}

/// Of a client that was told that all is done, nothing is lost; of one that was cut, what was
/// shown is not.
#[test]
fn what_an_empty_pane_shows_outlives_the_server() {
    let env = env();
    let numbers: Vec<String> = (0..40_000).map(|number| number.to_string()).collect();
    let numbers = numbers.join("\n");
    let made = env.ccmux_reading(&["split-window", "-I"], numbers.as_bytes());
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    env.kill_server();
    let capture = ["capture-pane", "-p", "-S", "-", "-t", "%1"];
    assert_eq!(env.ok(&capture).trim_end(), numbers);

    let (child, mut stdin) = spawn(&env, &["display-message", "-It", "%1"]);
    stdin.write_all(b"\ncut").expect("the client reads");
    env.wait_ok(&capture, |shown| shown.trim_end().ends_with("cut"));
    env.kill_server();
    assert_eq!(end(child), (Some(1), "server exited unexpectedly\n".to_owned()));
    assert!(env.ok(&capture).trim_end().ends_with("39999\ncut"));
    assert_eq!(env.ok(&["list-panes", "-F", DEAD]), "%0 0 \n%1 1 \n");
    // Keepers gone as well: it has none, and no shell takes its place.
    env.kill_everything();
    assert!(env.ok(&capture).trim_end().ends_with("39999\ncut"));
    assert_eq!(env.ok(&["display-message", "-pt", "%1", "#{pane_dead}"]), "1\n");
}

/// A pane that is made without a program is none whose program ended, which a shutdown within ten
/// seconds would take back.
#[test]
fn a_shutdown_does_not_take_an_empty_pane_back() {
    let env = env();
    env.ok(&["split-window", ""]);
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    env.kill_everything();
    assert_eq!(env.ok(&["list-panes", "-F", "#{pane_id} #{pane_dead}"]), "%0 0\n%1 1\n");
}

/// Whoever never ends its input keeps waiting, and nobody else does.
#[test]
fn an_input_without_an_end_is_in_nobodys_way() {
    let env = env();
    let (feeding, mut stdin) = spawn(&env, &["split-window", "-I"]);
    stdin.write_all(b"fed").expect("the client reads");
    env.wait_ok(&["capture-pane", "-p"], |shown| shown.starts_with("fed"));
    env.ok(&["kill-pane", "-t", "%1"]);
    assert_eq!(end(feeding), (Some(0), String::new()), "there is nothing left to feed");

    // One that is killed leaves what it brought.
    let (mut feeding, mut stdin) = spawn(&env, &["split-window", "-I"]);
    stdin.write_all(b"rest").expect("the client reads");
    env.wait_ok(&["capture-pane", "-p"], |shown| shown.starts_with("rest"));
    kill_process(Pid::from_child(&feeding), Signal::KILL).expect("it is our child");
    feeding.wait().expect("it is our child");
    let more = env.ccmux_reading(&["display-message", "-It", "%2"], b" and more");
    assert_eq!(more.code, Some(0));
    assert!(env.ok(&["capture-pane", "-pt", "%2"]).starts_with("rest and more"));

    let (mut loading, _stdin) =
        spawn(&env, &["display-message", "-p", "now", ";", "load-buffer", "-"]);
    let (mut sourcing, _other) =
        spawn(&env, &["display-message", "-p", "now", ";", "source-file", "-"]);
    for child in [&mut loading, &mut sourcing] {
        let mut said = [0; 4];
        let stdout = child.stdout.as_mut().expect("it is a pipe");
        stdout.read_exact(&mut said).expect("it says so before it reads");
    }
    let server = env.server();
    env.ok(&["kill-server"]);
    server.wait_gone();
    for child in [loading, sourcing] {
        assert_eq!(end(child), (Some(1), "server exited\n".to_owned()));
    }
}

/// As tmux 3.3a, but for what it does not report.
#[test]
fn buffers_and_commands_are_read_from_stdin() {
    let env = env();
    let load = |args: &[&str], input: &[u8]| {
        let finished = env.ccmux_reading(args, input);
        assert_eq!(finished.stdout, "");
        (finished.code, finished.stderr)
    };
    let fine = (Some(0), String::new());
    // More than one piece, and not all of them text.
    let data: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    assert_eq!(load(&["load-buffer", "-b", "x", "-"], &data), fine);
    env.ok(&["save-buffer", "-b", "x", "out"]);
    assert!(std::fs::read(env.home().join("out")).expect("the file is there") == data);
    assert_eq!(load(&["load-buffer", "-b", "none", "-"], b""), fine);
    assert_eq!(load(&["load-buffer", "-", ";", "load-buffer", "-b", "second", "-"], b"a"), fine);
    assert_eq!(env.ok(&["list-buffers", "-F", "#{buffer_name}"]), "buffer0\nx\n");

    let most = 1024 * 1024;
    assert_eq!(load(&["load-buffer", "-b", "most", "-"], &vec![b'x'; most]), fine);
    let (code, message) = load(&["load-buffer", "-b", "most", "-"], &vec![b'x'; most + 1]);
    assert_eq!(code, Some(1));
    assert!(message.starts_with("buffer too large: "), "{message}");

    // Nor is the end of an endless one waited for.
    let (child, mut stdin) = spawn(&env, &["load-buffer", "-b", "endless", "-"]);
    let _it_ends_before = stdin.write_all(&vec![b'x'; 2 * most]);
    let (code, message) = end(child);
    assert_eq!((code, message.starts_with("buffer too large: ")), (Some(1), true), "{message}");

    assert_eq!(load(&["source-file", "-"], b"set -g @a 5\nset -g @b 6"), fine);
    assert_eq!(env.ok(&["show-options", "-gv", "@b"]), "6\n");
    let (code, message) = load(&["source-file", "-"], b"set -g @c 7\nbogus\n");
    assert_eq!((code, message.as_str()), (Some(1), "-:2: unknown command: bogus\n"));
    let (code, message) = load(&["source-file", "-"], &vec![b'#'; 8 * 1024 * 1024 + 1]);
    assert_eq!((code, message.as_str()), (Some(1), "-: file larger than 8388608 bytes\n"));

    let directory = std::fs::File::open(env.home()).expect("the home is there");
    let failed = env.run_reading(env.command(&["load-buffer", "-"]), directory.into());
    assert_eq!((failed.code, failed.stderr.as_str()), (Some(1), "-: Is a directory\n"));
    // A key has no standard input, nor has a configuration file.
    env.ok(&["bind-key", "-n", "F5", "load-buffer", "-"]);
    let client = env.attach(60, 21);
    client.type_keys("\x1b[15~");
    client.wait_text("-: Bad file descriptor");
}
