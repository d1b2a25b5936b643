//! Keepers that cannot be spoken with for a while, and those that have nothing to keep any more.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use ccmux_testkit::{Process, TestEnv};
use rustix::process::Signal;

/// A pane whose keeper lives and does not answer: the socket is away, and the server was killed.
struct Scene {
    env: TestEnv,
    keeper: Process,
    shell: Process,
    socket: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        env.ok(&["new-session", "-d", "-s", "work"]);
        env.ok(&["new-session", "-d", "-s", "other"]);
        env.ok(&["send-keys", "-t", "%0", "echo said $((40+2))", "Enter"]);
        env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("said 42"));
        let status = env.status();
        let process = |field: &str| {
            let pid = status["panes"][0][field].as_u64().expect("a process id");
            let pid = u32::try_from(pid).expect("a process id");
            Process::open(pid).expect("it can be opened").expect("it runs")
        };
        let (keeper, shell) = (process("keeper_pid"), process("pid"));
        let uuid = status["panes"][0]["uuid"].as_str().expect("panes have ids").to_owned();
        let socket = env.state_dir().join("panes").join(uuid).join("keeper.sock");
        // While there is a server: the next one may be quick.
        fs::rename(&socket, socket.with_extension("away")).expect("it is there");
        env.kill_server();
        env.wait_status(|status| {
            let pane = &status["panes"][0];
            let why = pane["why"].as_str().unwrap_or_default();
            pane["state"] == "unreachable" && why.contains("No such file")
        });
        Self { env, keeper, shell, socket }
    }

    fn put_back(&self) {
        fs::rename(self.socket.with_extension("away"), &self.socket).expect("it is there");
    }

    fn wait_live(&self) {
        self.env.wait_status(|status| status["panes"][0]["state"] == "live");
    }

    fn wait_shows(&self, text: &str) {
        self.env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |shown| shown.contains(text));
    }
}

#[test]
fn a_keeper_that_answers_again_is_found() {
    let scene = Scene::new();
    scene.wait_shows("said 42");
    scene.put_back();
    scene.wait_live();
    assert!(scene.shell.is_alive() && scene.keeper.is_alive());
    scene.env.ok(&["send-keys", "-t", "%0", "clear; echo alive $((6*7))", "Enter"]);
    scene.wait_shows("alive 42");
}

/// Nothing happened in such a pane, and nothing said why. What the program had drawn is there again
/// afterwards.
#[test]
fn a_pane_says_that_its_keeper_does_not_answer() {
    const TROUBLE: &str = "[the program cannot be reached: No such file or directory";
    let scene = Scene::new();
    scene.env.ok(&["split-window", "-h", "-t", "%0", "exec tail -f /dev/null"]);
    let client = scene.env.attach_with(&["attach-session", "-t", "work"], 160, 24);
    client.wait_screen("why", |screen| screen.row(22).starts_with(TROUBLE));
    let shown = scene.env.ok(&["capture-pane", "-p", "-t", "%0"]);
    assert!(shown.contains("said 42") && !shown.contains("cannot be reached"), "{shown}");
    scene.put_back();
    client.wait_screen("the program's", |screen| !screen.text().contains(TROUBLE));
    scene.wait_live();
    client.wait_shows_panes(&scene.env);
}

/// The end of such a program was seen by nobody, so nothing is closed.
#[test]
fn a_pane_whose_unreachable_keeper_dies_is_restored() {
    let scene = Scene::new();
    scene.keeper.signal(Signal::KILL);
    scene.shell.wait_gone();
    scene.wait_shows("this is a new shell]");
    scene.wait_shows("said 42");
    scene.wait_live();
}

/// Such a pane was forgotten at once, its files removed, and its program ran on for ever.
#[test]
fn a_closed_pane_s_program_ends_as_soon_as_its_keeper_answers() {
    let scene = Scene::new();
    scene.env.ok(&["set-option", "-s", "history-keep-closed", "0"]);
    scene.env.ok(&["kill-session", "-t", "work"]);
    assert_eq!(scene.env.ok(&["list-panes", "-a", "-F", "#{pane_id}"]), "%1\n");
    assert!(scene.shell.is_alive());
    scene.put_back();
    scene.shell.wait_gone();
    scene.keeper.wait_gone();
    let directory = scene.socket.parent().expect("the pane's directory");
    scene.env.wait_status(|_| !directory.exists());
}

/// A request for another program waited for ever. It waits, and whoever made it, until the keeper of
/// the old one can be told, and no longer.
#[test]
fn a_respawn_waits_for_the_keeper() {
    let scene = Scene::new();
    let respawn = scene.begin_respawn();
    assert!(scene.shell.is_alive() && !respawn.is_finished());
    assert!(!scene.env.home().join("runs").exists(), "the other program runs already");
    scene.put_back();
    assert!(respawn.join().expect("it is waited for").success());
    scene.shell.wait_gone();
    scene.keeper.wait_gone();
    scene.wait_shows("the other 1");
}

/// A pane that stays although its program has ended keeps no process. It had its keeper for ever.
#[test]
fn a_dead_pane_has_no_keeper() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "remain-on-exit", "on"]);
    env.ok(&["new-window", "-d", "echo last words; exit 3"]);
    let dead = ["display-message", "-p", "-t", "%1", "#{pane_dead} #{pane_dead_status}"];
    env.wait_ok(&dead, |text| text == "1 3\n");
    env.wait_status(|_| env.keepers().len() == 1);
    for _ in 0..2 {
        let capture = ["capture-pane", "-p", "-S", "-", "-t", "%1"];
        env.wait_ok(&capture, |text| text.contains("last words"));
        assert_eq!(env.ok(&dead), "1 3\n");
        env.kill_server();
    }
    // One that starts the next server looks like two for a moment.
    env.wait_status(|_| env.keepers().len() == 1);
    env.ok(&["respawn-pane", "-t", "%1", "echo again; exec tail -f /dev/null"]);
    env.wait_ok(&["capture-pane", "-p", "-t", "%1"], |text| text.contains("again"));
    env.wait_status(|_| env.keepers().len() == 2);
    // At once, too, while the keeper is still on its way out.
    for _ in 0..5 {
        env.ok(&["respawn-pane", "-k", "-t", "%1", "echo word"]);
        env.wait_ok(&dead, |text| text == "1 0\n");
    }
    env.wait_status(|_| env.keepers().len() == 1);
}

/// A respawn whose record was written, and whose server was killed before it could end the old
/// program, was forgotten: the state spoke of a program that was never started.
#[test]
fn a_respawn_that_was_cut_short_is_finished() {
    let scene = Scene::new();
    // Its server will be killed, of which the command may complain.
    let _command = scene.begin_respawn();
    scene.env.kill_server();
    scene.put_back();
    scene.shell.wait_gone();
    scene.wait_shows("the other 1");
    let file = scene.env.home().join("runs");
    // It is done then: the next server starts nothing.
    scene.env.kill_server();
    scene.wait_live();
    assert_eq!(fs::read_to_string(file).expect("the program wrote it"), "ran\n");
}

/// The same, and the old program's keeper is gone, too: nothing else is started instead.
#[test]
fn a_respawn_is_finished_although_the_old_keeper_is_gone() {
    let scene = Scene::new();
    // Its server will be killed, of which the command may complain.
    let _command = scene.begin_respawn();
    let server = scene.env.server();
    server.signal(Signal::STOP);
    scene.keeper.signal(Signal::KILL);
    scene.keeper.wait_gone();
    server.signal(Signal::KILL);
    server.wait_gone();
    scene.wait_shows("the other 1");
    let shown = scene.env.ok(&["capture-pane", "-p", "-S", "-", "-t", "%0"]);
    assert!(!shown.contains("restored"), "{shown}");
}

impl Scene {
    /// Has the program replaced by another one, which cannot happen yet; returns when that is on
    /// record, with what becomes of the command.
    fn begin_respawn(&self) -> JoinHandle<ExitStatus> {
        let program =
            "echo ran >> ~/runs; echo the other $(wc -l < ~/runs); exec tail -f /dev/null";
        let mut respawn = self.env.command(&["respawn-pane", "-k", "-t", "%0", program]);
        respawn.stdout(Stdio::null()).stderr(Stdio::null());
        let mut respawn = respawn.spawn().expect("it can be started");
        let command = ["display-message", "-p", "-t", "%0", "#{pane_start_command}"];
        self.env.wait_ok(&command, |text| text.contains("runs"));
        std::thread::spawn(move || respawn.wait().expect("it is our child"))
    }
}

/// A server that has no descriptor left cannot start another keeper. It let go of the pty then,
/// which ended the program.
#[test]
#[cfg(target_os = "linux")]
fn a_killed_keeper_is_replaced_once_there_are_descriptors() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d"]);
    let client = env.attach(80, 24);
    client.wait_text("[0]");
    env.ok(&["bind-key", "-n", "F5", "display-message", "still there"]);
    let status = env.status();
    let process = |field: &str| {
        let pid = status["panes"][0][field].as_u64().and_then(|pid| u32::try_from(pid).ok());
        Process::open(pid.expect("a process id")).expect("it can be opened").expect("it runs")
    };
    let (keeper, shell, server) = (process("keeper_pid"), process("pid"), env.server());
    let server = Pid::from_raw(server.pid().cast_signed()).expect("a process id");
    let limit = |limit| prlimit(Some(server), Resource::Nofile, limit).expect("it is ours");
    // The server inherited the hard limit, and has raised its soft one to it.
    let maximum = getrlimit(Resource::Nofile).maximum;
    limit(Rlimit { current: Some(3), maximum });
    keeper.signal(Signal::KILL);
    keeper.wait_gone();
    // The key comes after the end of the keeper's connection, and so does its message.
    client.type_keys("\x1b[15~");
    client.wait_text("still there");
    assert!(shell.is_alive());
    limit(Rlimit { current: maximum, maximum });
    env.wait_status(|status| status["panes"][0]["state"] == "live");
    assert!(shell.is_alive());
    client.type_keys("echo alive $((6*7))\r");
    client.wait_text("alive 42");
}

/// A ring that cannot be read says so where its output ends, and the pane can still be closed or
/// get another program. Its keeper was greeted again fifty times a second.
#[test]
#[cfg(target_os = "linux")]
fn a_pane_with_a_damaged_ring_says_so_and_can_be_ended() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec cat"]);
    env.ok(&["split-window", "-d", "exec cat"]);
    let keepers = env.keepers();
    for keeper in &keepers {
        damage_ring(keeper);
    }
    for pane in ["%0", "%1"] {
        env.ok(&["send-keys", "-t", pane, "word", "Enter"]);
        env.wait_ok(&["capture-pane", "-p", "-J", "-t", pane], |text| {
            text.contains("[the output cannot be read here; some may be lost]")
                && text.contains("respawn-pane -k starts the program anew, kill-pane closes")
        });
    }
    env.wait_status(|status| {
        let is_unreachable = |n: usize| status["panes"][n]["state"] == "unreachable";
        is_unreachable(0) && is_unreachable(1)
    });
    // A person was told only that they are unreachable.
    env.wait_ok(&["status"], |text| {
        text.contains("ring is unusable")
            && text.contains("`respawn-pane -k -t %0`")
            && text.contains("`kill-pane -t %1`")
    });
    env.ok(&["kill-pane", "-t", "%1"]);
    env.ok(&["respawn-pane", "-k", "-t", "%0", "echo the other; exec tail -f /dev/null"]);
    for keeper in &keepers {
        keeper.wait_gone();
    }
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("the other"));
    assert_eq!(env.ok(&["list-panes", "-F", "#{pane_id}"]), "%0\n");
}

/// Puts nonsense where a pane's keeper says how much was printed.
#[cfg(target_os = "linux")]
fn damage_ring(keeper: &Process) {
    const HEAD_AT: u64 = 128;
    write_ring(keeper, HEAD_AT, u64::MAX);
}

/// Writes a word of a keeper's ring.
#[cfg(target_os = "linux")]
fn write_ring(keeper: &Process, at: u64, word: u64) {
    let descriptors = fs::read_dir(format!("/proc/{}/fd", keeper.pid())).expect("it is ours");
    let paths = descriptors.map(|entry| entry.expect("it can be listed").path());
    let is_ring = |path: &PathBuf| {
        fs::read_link(path).is_ok_and(|target| target.to_string_lossy().starts_with("/memfd:"))
    };
    let ring = paths.into_iter().find(is_ring).expect("a keeper has a ring");
    let ring = fs::OpenOptions::new().write(true).open(ring).expect("it can be opened");
    ring.write_all_at(&word.to_le_bytes(), at).expect("it can be written");
}

/// `ps` and `top` showed every keeper as `exe`.
#[test]
#[cfg(target_os = "linux")]
fn keepers_are_called_by_their_panes() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d"]);
    env.ok(&["new-window", "-d"]);
    let name = |keeper: &Process| {
        let proc = PathBuf::from(format!("/proc/{}", keeper.pid()));
        let comm = fs::read_to_string(proc.join("comm")).expect("it runs");
        let line = fs::read_to_string(proc.join("cmdline")).expect("it runs");
        let first = line.split('\0').next().expect("a name").to_owned();
        (comm.trim_end().to_owned(), first)
    };
    let mut names: Vec<_> = env.keepers().iter().map(name).collect();
    names.sort();
    let both = |name: &str| (name.to_owned(), name.to_owned());
    assert_eq!(names, [both("ccmux:%0"), both("ccmux:%1")]);
}

/// The server may open as many files as possible; programs get the limit of whoever started it,
/// also from a server that a keeper started.
#[test]
#[cfg(target_os = "linux")]
fn programs_have_the_person_s_limit_of_open_files() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let ccmux = env.command(&["new-session", "-d"]);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "ulimit -S -n 234; exec \"$@\"", "sh"]).arg(ccmux.get_program());
    limited.args(ccmux.get_args()).env_clear().current_dir(env.home());
    limited.envs(ccmux.get_envs().filter_map(|(name, value)| Some((name, value?))));
    assert_eq!(env.run(limited).code, Some(0));
    for pane in ["%0", "%1"] {
        env.ok(&["send-keys", "-t", pane, "echo limit $(ulimit -n)", "Enter"]);
        env.wait_ok(&["capture-pane", "-p", "-t", pane], |text| text.contains("limit 234"));
        assert_eq!(env.ok(&["run-shell", "ulimit -n"]), "234\n");
        let limits = format!("/proc/{}/limits", env.server().pid());
        let limits = fs::read_to_string(limits).expect("it runs");
        let files = limits.lines().find(|line| line.starts_with("Max open files"));
        let files: Vec<&str> = files.expect("it is listed").split_whitespace().collect();
        assert_eq!(files[3], files[4], "{files:?}");
        let registered = env.registration().map(|server| server.pid);
        env.kill_server();
        env.wait_registration(|server| (Some(server.pid) != registered).then_some(()));
        env.ok(&["new-window", "-d"]);
    }
}

/// A keeper that takes over marks where output may be missing. Nobody was told.
#[test]
#[cfg(target_os = "linux")]
fn a_place_where_output_may_be_missing_is_marked_once() {
    const DOUBT_AT: u64 = 144;
    const MARK: &str = "[some output may be missing here]";
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec cat"]);
    env.ok(&["send-keys", "-t", "%0", "word", "Enter"]);
    let capture = ["capture-pane", "-p", "-t", "%0"];
    // The terminal's echo, and what cat says.
    env.wait_ok(&capture, |text| text.matches("word").count() == 2);
    // After the echo: "word\r\n".
    write_ring(&env.keepers()[0], DOUBT_AT, 1 + 6);
    for _ in 0..2 {
        env.kill_server();
        let text = env.wait_ok(&capture, |text| text.contains(MARK));
        assert_eq!(text.matches(MARK).count(), 1, "{text}");
        // An orderly end makes a keyframe of what is shown.
        let server = env.server();
        server.signal(Signal::TERM);
        server.wait_gone();
    }
    assert_eq!(env.ok(&capture).matches(MARK).count(), 1);
}

/// With `restore-command none` a pane whose program was lost waits for a key. It waited for ever.
#[test]
fn a_key_starts_a_shell_where_nothing_was_restored() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "restore-command", "none"]);
    env.kill_everything();
    let client = env.attach(120, 24);
    client.wait_text("its program is gone; a key starts a shell]");
    // No end of it was seen, and yet nothing runs there.
    let dead = ["display-message", "-p", "#{pane_dead}#{pane_dead_status}"];
    assert_eq!(env.ok(&dead), "1\n");
    // A script's keys are for a program that is not there.
    env.ok(&["send-keys", "-t", "%0", "echo no", "Enter"]);
    assert_eq!(env.status()["panes"][0]["state"], "ended");
    client.type_keys("x");
    env.wait_status(|status| status["panes"][0]["state"] == "live");
    client.type_keys("echo alive $((6*7))\r");
    client.wait_text("alive 42");
    assert_eq!(env.ok(&dead), "0\n");
    assert!(!env.ok(&["capture-pane", "-p", "-t", "%0"]).contains("xecho"));
}

/// Each start of the server marked such a pane once more, although nothing had happened in it.
#[test]
fn a_pane_that_waits_for_a_key_is_marked_once() {
    const MARK: &str = "its program is gone; a key starts a shell]";
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-g", "restore-command", "none"]);
    let capture = ["capture-pane", "-p", "-J", "-t", "%0"];
    for _ in 0..3 {
        env.kill_everything();
        let text = env.ok(&capture);
        assert_eq!(text.matches(MARK).count(), 1, "{text}");
    }
    // A shell that is lost is another matter.
    let client = env.attach(100, 24);
    client.wait_text(MARK);
    client.type_keys("x");
    env.wait_status(|status| status["panes"][0]["state"] == "live");
    drop(client);
    env.kill_everything();
    let text = env.ok(&capture);
    assert_eq!(text.matches(MARK).count(), 2, "{text}");
}

/// Titles that follow each other closely are not all logged. The last one before a kill was on the
/// restored screen, and formats showed the one before it for ever.
#[test]
fn the_last_title_before_a_kill_is_known() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let program = "while read word; do \
        printf '\\033]2;title-%s\\007said-%s\\n' $word $word; done";
    env.ok(&["new-session", "-d", program]);
    let client = env.attach(80, 24);
    for life in 0..3 {
        let server = env.server();
        for word in ["a", "b", "c"] {
            client.type_keys(&format!("{life}{word}\r"));
            client.wait_text(&format!("said-{life}{word}"));
        }
        server.signal(Signal::KILL);
        server.wait_gone();
        let title = env.ok(&["display-message", "-p", "-t", "%0", "#{pane_title}"]);
        assert_eq!(title, format!("title-{life}c\n"));
    }
    // A person's title is no less the last one.
    env.ok(&["select-pane", "-t", "%0", "-T", "mine"]);
    for _ in 0..2 {
        env.kill_server();
        assert_eq!(env.ok(&["display-message", "-p", "-t", "%0", "#{pane_title}"]), "mine\n");
    }
}
