//! A bracketed paste that is cut: what came is closed, what did not come is typed by nobody.

use ccmux_testkit::{Attached, TestEnv};
use rustix::process::Signal;

/// Shows what it reads, control characters as `^X`.
const READER: &str = "stty raw -echo; printf '\\033[?2004hready'; exec cat -v";

fn reader() -> (TestEnv, Attached) {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "paste", "-x", "80", "-y", "23", READER]);
    let client = env.attach(80, 24);
    client.wait_text("ready");
    (env, client)
}

fn first_line(client: &Attached) -> String {
    client.screen_text().lines().next().unwrap_or_default().trim_end().to_owned()
}

/// The dangerous case: the rest of a paste reaches a server that has not seen its beginning. As
/// keys it would run commands line by line, and `C-b x` in it would close the pane.
#[test]
fn a_paste_cut_by_a_kill_is_closed_and_its_rest_dropped() {
    let (env, client) = reader();
    client.type_keys("\x1b[200~one\r");
    client.wait_text("ready^[[200~one^M");
    env.kill_server();
    client.type_keys("rm -rf two\r\x02x");
    client.wait_text("ready^[[200~one^M^[[201~");
    client.type_keys("rm -rf three\r\x1b[20");
    client.type_keys("1~typed");
    client.wait_text("typed");
    assert_eq!(first_line(&client), "ready^[[200~one^M^[[201~typed");
    // A paste after that is whole.
    client.type_keys("\x1b[200~four\x1b[201~");
    client.wait_text("typed^[[200~four^[[201~");
    env.kill_server();
    client.type_keys("!");
    client.wait_text("four^[[201~!");
}

/// The end mark and the program's wish for marks may be far apart: what was opened is closed.
#[test]
fn a_paste_is_closed_when_its_client_is_gone() {
    let (env, client) = reader();
    let other = env.attach(80, 24);
    other.wait_text("ready");
    client.type_keys("\x1b[200~one");
    other.wait_text("ready^[[200~one");
    client.signal(Signal::KILL);
    other.wait_text("ready^[[200~one^[[201~");
}

/// Two pastes at once are one to the program, which knows no nesting: it ends with the last.
#[test]
fn pastes_of_two_clients_end_together() {
    let (env, first) = reader();
    let second = env.attach(80, 24);
    second.wait_text("ready");
    first.type_keys("\x1b[200~one");
    second.wait_text("ready^[[200~one");
    second.type_keys("\x1b[200~two\x1b[201~");
    second.wait_text("ready^[[200~onetwo");
    first.type_keys("three\x1b[201~.");
    first.wait_text("ready^[[200~onetwothree^[[201~.");
}
