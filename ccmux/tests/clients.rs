//! Clients that are stopped, killed or cannot draw while a pane floods: nobody waits for them.

use std::io::Read as _;
use std::process::Stdio;

use ccmux_testkit::{Attached, Flood, TestEnv};
use rustix::process::Signal;

/// Bursts while a client is held: many times what any buffer between server and terminal holds.
const BURSTS: u32 = 6;

/// Most that a server may hold for a client: one picture, with a wide margin.
const UNREAD_BYTES_MAX: u64 = 256 * 1024;

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

    /// Floods, and waits until the client that is not held has seen the end of it.
    fn flood(&mut self) {
        for _ in 0..BURSTS {
            self.flood.go(&self.env);
            self.bursts += 1;
            self.other.wait_text(&Flood::done(self.bursts));
        }
    }

    /// The held client shows an old screen, and the server holds next to nothing for it.
    fn assert_held(&self) {
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
