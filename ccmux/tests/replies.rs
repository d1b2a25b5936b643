//! What programs ask of their terminal is answered once, whatever is killed.

use ccmux_testkit::TestEnv;

/// Asks for the device's status, and shows what it reads, control characters as `^X`.
const ASKER: &str = "stty raw -echo; printf 'asked\\033[5n:'; exec cat -v";

/// The stream of a pane is replayed by the next server, with the queries in it. The answer to one
/// that had been answered would be typed into whatever reads by then.
#[test]
fn a_query_is_answered_once_although_it_is_replayed() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "ask", "-x", "80", "-y", "23", ASKER]);
    let client = env.attach(80, 24);
    client.wait_text("asked:^[[0n");
    for key in ["1", "2", "3"] {
        env.kill_server();
        client.type_keys(key);
        client.wait_screen("the key", |screen| screen.row(0).contains(key));
    }
    assert!(client.screen_text().starts_with("asked:^[[0n123"), "{}", client.screen_text());
}

/// A pane without a spool is replayed from its ring. What it had asked was answered once more; and where
/// the next server took the same bytes in other pieces, it gave the ring up as damaged.
#[test]
fn a_query_of_a_private_pane_is_answered_once() {
    let asker = "stty raw -echo; head -c 1 >/dev/null; printf '\\033]2;title\\007'; seq -s ' ' 8000; \
                 printf '\\033[2J\\033[Hasked\\033[5n:'; exec cat -v";
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["start-server", ";", "set-option", "-g", "history-persist", "off"]);
    env.ok(&["new-session", "-d", "-s", "ask", "-x", "80", "-y", "23", asker]);
    let client = env.attach(80, 24);
    client.wait_text("[ask]");
    // From here on the ring alone has it.
    env.wait_status(|status| status["panes"][0]["kept"] == "keeper");
    client.type_keys("g");
    client.wait_text("asked:^[[0n");
    for key in ["1", "2", "3"] {
        env.kill_server();
        client.type_keys(key);
        client.wait_screen("the key", |screen| screen.row(0).contains(key));
    }
    assert!(client.screen_text().starts_with("asked:^[[0n123"), "{}", client.screen_text());
}

/// Conformance suites run as a program in a pane: they read the screen back, cell by cell, and ask for
/// sizes.
#[test]
fn a_program_reads_its_screen_back() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let reader = "stty raw -echo; printf 'X\\033[1;1;1;1;1;1*y\\033[18t'; exec cat -v";
    env.ok(&["new-session", "-d", "-s", "read", "-x", "80", "-y", "23", reader]);
    let client = env.attach(80, 24);
    client.wait_text("X^[P1!~FFA8^[\\^[[8;23;80t");
}
