//! Clients that are stopped, killed or cannot draw while a pane floods: nobody waits for them.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use ccmux_protocol::{ClientFrame, PROTOCOL_VERSION, Size, encode};
use ccmux_testkit::{Attached, Flood, TestEnv};
use rustix::process::Signal;

/// Bursts while a client is held: many times what any buffer between server and terminal holds.
const BURSTS: u32 = 6;

/// Most that a server may hold for a client: one picture of a screen full of colours.
const UNREAD_BYTES_MAX: u64 = 16 * 1024;

/// Fills its screen with colours, which makes large pictures.
const COLOURS: &str = "i=0; while [ $i -lt 430 ]; do printf '\\033[38;5;%dmfour' $((i % 256)); \
    i=$((i + 1)); done; exec cat";

/// A flooding pane and two clients that show it.
struct Scene {
    env: TestEnv,
    held: Attached,
    other: Attached,
    flood: Flood,
    bursts: u32,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        let command = Flood::command(&env);
        env.ok(&["new-session", "-d", "-s", "flood", "-x", "80", "-y", "23", &command]);
        let held = env.attach(80, 24);
        held.wait_text("[flood]");
        let other = env.attach(80, 24);
        other.wait_text("[flood]");
        Self { env, held, other, flood: Flood::of("%0"), bursts: 0 }
    }

    /// Floods, asked for by keys of the client that is not held, and waits until it has seen the
    /// end of it.
    fn flood(&mut self) {
        for _ in 0..BURSTS {
            self.other.type_keys("go\r");
            self.bursts += 1;
            self.other.wait_text(&Flood::done(self.bursts));
        }
    }

    /// Shows whole pictures, each of which the other client has seen: many times what a socket holds.
    fn show_pictures(&self) {
        let env = &self.env;
        env.ok(&["rename-window", "first", ";", "new-window", "-n", "second", COLOURS]);
        self.other.wait_text("fourfour");
        for window in ["1:second*", "0:first*"].into_iter().cycle().take(60) {
            self.other.wait_text(window);
            env.ok(&["next-window"]);
        }
        self.other.wait_text("1:second*");
        env.ok(&["kill-window"]);
        self.other.wait_text("0:first*");
    }

    /// The held client shows an old screen, and the server holds next to nothing for it.
    fn assert_held(&self) {
        self.show_pictures();
        let shown = self.held.screen_text();
        assert!(!shown.contains(&Flood::done(self.bursts)), "it is not held: {shown}");
        let unread = self.env.status()["unread_bytes"].as_u64().expect("a number");
        assert!(unread <= UNREAD_BYTES_MAX, "{unread} bytes are held for a client");
    }

    fn assert_present(&self) {
        self.held.wait_text(&Flood::done(self.bursts));
        self.held.wait_shows_panes(&self.env);
        self.flood.assert_whole(&self.env, self.bursts);
    }
}

#[test]
fn a_stopped_client_delays_nobody_and_shows_the_present_when_it_goes_on() {
    let mut scene = Scene::new();
    scene.held.signal(Signal::STOP);
    scene.held.wait_stopped();
    scene.flood();
    scene.assert_held();
    scene.held.signal(Signal::CONT);
    scene.assert_present();
}

/// `C-z` after the prefix is for the client: its terminal is the shell's again until it goes on.
#[test]
fn a_suspended_client_gives_its_terminal_back_and_shows_the_present_when_it_goes_on() {
    let mut scene = Scene::new();
    scene.held.type_keys("\x02\x1a");
    scene.held.wait_stopped();
    assert!(!scene.held.is_raw());
    scene.flood();
    scene.assert_held();
    scene.held.signal(Signal::CONT);
    scene.assert_present();
    assert!(scene.held.is_raw());
}

/// The same when the server is killed meanwhile: it comes back to a server it has never seen.
#[test]
fn a_stopped_client_finds_the_next_server() {
    let mut scene = Scene::new();
    scene.held.signal(Signal::STOP);
    scene.held.wait_stopped();
    scene.flood();
    scene.env.kill_server();
    scene.flood();
    scene.assert_held();
    scene.held.signal(Signal::CONT);
    scene.assert_present();
}

#[test]
fn a_terminal_that_takes_no_output_delays_nobody() {
    let mut scene = Scene::new();
    scene.held.pause(true);
    scene.flood();
    scene.assert_held();
    // What is typed there arrives all the same.
    scene.held.type_keys("go\r");
    scene.bursts += 1;
    scene.other.wait_text(&Flood::done(scene.bursts));
    scene.held.pause(false);
    scene.assert_present();
}

#[test]
fn a_killed_client_is_forgotten() {
    let mut scene = Scene::new();
    scene.flood.go(&scene.env);
    scene.bursts += 1;
    scene.held.signal(Signal::KILL);
    scene.held.wait_exit();
    scene.other.wait_text(&Flood::done(scene.bursts));
    scene.flood();
    scene.env.wait_status(|status| status["clients"] == 1);
    scene.other.wait_shows_panes(&scene.env);
    scene.flood.assert_whole(&scene.env, scene.bursts);
}

/// A connection that attaches to the last session and takes nothing of what is said to it.
fn attach_deaf(env: &TestEnv) -> UnixStream {
    let version = PROTOCOL_VERSION;
    let hello = format!(
        r#"{{"versions":{{"min":{version},"max":{version}}},"pid":1,"is_tty":true,"size":{{"cols":80,"rows":24}}}}"#
    );
    let len = u32::try_from(hello.len()).expect("it is short");
    let mut bytes = [&len.to_le_bytes()[..], &[1], hello.as_bytes()].concat();
    let attach = ClientFrame::Command(vec!["attach-session".into()]);
    encode(&attach, &mut bytes).expect("it fits into a frame");
    let mut stream = UnixStream::connect(env.socket()).expect("the server listens");
    stream.write_all(&bytes).expect("the server listens");
    stream
}

/// Goal: whoever takes nothing costs one picture and no time. Method: beside such a one a pane
/// floods, and what is typed is echoed on other terminals, whole keys of it.
#[test]
fn a_peer_that_reads_nothing_delays_nobody() {
    let mut scene = Scene::new();
    let mut deaf = attach_deaf(&scene.env);
    scene.env.wait_status(|status| status["clients"] == 3);
    scene.flood();
    scene.env.ok(&["split-window", "-t", "%0", "exec cat"]);
    for (client, text) in [(&scene.other, "typed by one"), (&scene.held, "typed by another")] {
        client.type_keys(&format!("{text}\r"));
        scene.other.wait_text(text);
        scene.held.wait_text(text);
    }
    scene.show_pictures();
    // It says a lot itself, most of which is answered.
    let mut bytes = Vec::new();
    for _ in 0..1000 {
        let size = Size { cols: 80, rows: 24 };
        encode(&ClientFrame::Wakeup(size.into()), &mut bytes).expect("it fits into a frame");
    }
    deaf.write_all(&bytes).expect("the server reads");
    scene.other.type_keys("typed at last\r");
    scene.held.wait_text("typed at last");
    let status = scene.env.status();
    let unread = status["unread_bytes"].as_u64().expect("a number");
    assert!(unread > 0, "it is not deaf");
    assert!(unread <= UNREAD_BYTES_MAX, "{unread} bytes are held for a client");
    scene.flood.assert_whole(&scene.env, scene.bursts);
    drop(deaf);
    scene.env.wait_status(|status| status["clients"] == 2 && status["unread_bytes"] == 0);
}

/// A server without a descriptor left takes clients as soon as it has one: a client that had come
/// meanwhile waited in vain, because nothing told of it again.
#[cfg(target_os = "linux")]
#[test]
fn clients_that_come_while_descriptors_are_short_are_served_afterwards() {
    use rustix::process::{Resource, Rlimit, prlimit};

    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    let pid = i32::try_from(env.server().pid()).ok().and_then(rustix::process::Pid::from_raw);
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let usual = prlimit(pid, Resource::Nofile, Rlimit { current: Some(3), maximum });
    let usual = usual.expect("the server is ours");
    let mut command = env.command(&["list-sessions", "-F", "#{session_name}"]);
    let child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
    env.wait_log("clients cannot be accepted");
    prlimit(pid, Resource::Nofile, usual).expect("the server is ours");
    let output = child.wait_with_output().expect("it is our child");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "work\n");
    assert!(output.status.success());
    let said = env.server_log().matches("clients cannot be accepted").count();
    assert_eq!(said, 1, "{}", env.server_log());
}

/// With few descriptors panes took all of them, and nobody could ask the server anything.
#[cfg(target_os = "linux")]
#[test]
fn panes_are_refused_before_clients_are() {
    use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

    const REFUSAL: &str = "too many files are open for another pane; `ulimit -n` allows the server";

    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "work", "exec cat"]);
    let pid = env.server().pid();
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count() as u64;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = |current| {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        prlimit(pid, Resource::Nofile, Rlimit { current, maximum }).expect("the server is ours")
    };
    limit(Some(open + 12));
    for command in [&["new-window", "-d", "exec cat"][..], &["new-session", "-d", "-s", "other"]] {
        let refused = env.ccmux(command);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains(REFUSAL), "{refused:?}");
    }
    let clients: Vec<Attached> = (0..3).map(|_| env.attach(80, 24)).collect();
    for client in &clients {
        client.wait_text("[work]");
    }
    clients[0].type_keys("\x02c");
    clients[0].wait_text("oo many files are open");
    // An empty pane has no keeper.
    env.ok(&["split-window", "-d", ""]);
    // What is there already and has to be started anew waits.
    let mut respawn = env.command(&["respawn-pane", "-k", "-t", "%0", "echo it runs; exec cat"]);
    let mut respawn = respawn.stdout(Stdio::null()).spawn().expect("it can be started");
    env.wait_ok(&["capture-pane", "-p", "-J", "-t", "%0"], |text| {
        text.contains("no program can be started yet") && text.contains(REFUSAL)
    });
    limit(maximum);
    assert!(respawn.wait().expect("it is our child").success());
    env.wait_ok(&["capture-pane", "-p", "-t", "%0"], |text| text.contains("it runs"));
    env.ok(&["new-window", "-d", "exec cat"]);
}

/// A command whose output nobody reads: much of it is there, and all of it in the end.
#[test]
fn a_command_that_is_not_read_delays_nobody() {
    let mut scene = Scene::new();
    scene.flood();
    let mut command = scene.env.command(&["capture-pane", "-p", "-J", "-S", "-", "-t", "%0"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut stdout = child.stdout.take().expect("it is piped");
    // Its first bytes show that the capture is made; after that it is not read.
    let mut first = [0; 1];
    stdout.read_exact(&mut first).expect("the beginning");
    let captured = scene.bursts;
    scene.flood();
    scene.held.wait_text(&Flood::done(scene.bursts));
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the rest");
    assert!(child.wait().expect("it is our child").success());
    assert!(rest.contains(&Flood::done(captured)), "all that was there is captured");
}
