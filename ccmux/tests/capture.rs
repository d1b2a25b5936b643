//! `capture-pane` over a history of any length, for a reader of any speed.

use std::io::Read as _;
use std::process::Stdio;

use ccmux_testkit::TestEnv;

/// More lines than one turn of the server takes.
const LINES: usize = 10_000;
const COLS: usize = 20;
const ROWS: usize = 6;

fn env() -> TestEnv {
    TestEnv::new(env!("CARGO_BIN_EXE_ccmux"))
}

/// Line `n`, which takes one to four rows.
fn line(n: usize) -> String {
    format!("{n}{}", "-".repeat(n % 4 * COLS - n % 4))
}

/// A pane that has printed all lines so many times, on the main screen.
fn filled(times: usize) -> TestEnv {
    let env = env();
    let text: String = (0..LINES).map(|n| line(n) + "\n").collect();
    std::fs::write(env.home().join("lines"), text).expect("home is ours");
    let size = ["-x", &COLS.to_string(), "-y", &ROWS.to_string()].map(str::to_owned);
    let files = "lines ".repeat(times);
    let program = format!("cat {files}; printf end; exec tail -f /dev/null");
    env.ok(&["new-session", "-d", &size[0], &size[1], &size[2], &size[3], &program]);
    env.wait_ok(&["capture-pane", "-p"], |screen| screen.contains("end"));
    env
}

#[test]
fn every_range_is_a_part_of_the_whole() {
    let env = filled(1);
    let capture = |flags: &[&str]| -> Vec<String> {
        let text = env.ok(&[&["capture-pane", "-p"], flags].concat());
        text.lines().map(str::to_owned).collect()
    };
    let joined = capture(&["-J", "-S", "-"]);
    for (n, joined) in joined[..LINES].iter().enumerate() {
        assert_eq!(*joined, line(n));
    }
    let all = capture(&["-S", "-"]);
    let in_history = all.len() - ROWS;
    let rows: usize = (0..LINES).map(|n| line(n).len().div_ceil(COLS)).sum();
    assert_eq!(all.len(), rows + 1, "and the row of the end");
    // Row 0 is the first one of the screen.
    let number = |row: usize| match row.checked_sub(in_history) {
        Some(on_screen) => on_screen.to_string(),
        None => format!("-{}", in_history - row),
    };
    let back = [in_history, in_history - 1, 9_999, 4_097, 5, 2, 1, 0];
    let rows: Vec<usize> = back.iter().map(|back| in_history - back).collect();
    for (at, start) in rows.iter().enumerate() {
        for end in rows[at..].iter().copied().chain([in_history + 3]) {
            let part = capture(&["-S", &number(*start), "-E", &number(end)]);
            assert_eq!(part, all[*start..=end], "from {start} to {end}");
        }
    }
    for end in [0, in_history - 5, in_history - 1, in_history + 2] {
        assert_eq!(capture(&["-S", "-", "-E", &number(end)]), all[..=end], "to {end}");
    }
    assert_eq!(capture(&["-S", "-999999"]), all, "before the beginning");
}

/// A capture was put together as a whole, for however slow a reader, while nothing else went on;
/// and one of more than 256 MiB ended in the middle.
#[test]
fn a_slow_reader_costs_little_and_gets_everything() {
    let env = filled(6);
    let mut slow = env.command(&["capture-pane", "-p", "-e", "-J", "-S", "-"]);
    let mut slow = slow.stdout(Stdio::piped()).spawn().expect("it can be started");
    let mut pipe = slow.stdout.take().expect("it is piped");
    let mut text = vec![0; 1];
    pipe.read_exact(&mut text).expect("it prints");
    // It has begun, and its reader takes nothing more.
    let unread = env.status()["unread_bytes"].as_u64().expect("a number");
    assert!(unread < 512 * 1024, "{unread} bytes wait for a reader");
    assert_eq!(env.ok(&["display-message", "-p", "others go on"]), "others go on\n");
    pipe.read_to_end(&mut text).expect("it prints");
    assert!(slow.wait().expect("it is our child").success());
    let text = String::from_utf8(text).expect("it is text");
    let lines: Vec<&str> = text.lines().collect();
    assert!((0..6 * LINES).all(|n| lines[n] == line(n % LINES)), "every line, in order");
}

/// What does not fit into a buffer is refused, and not cut.
#[test]
fn a_capture_that_is_too_long_for_a_buffer_is_refused() {
    let env = filled(4);
    let refused = env.ccmux(&["capture-pane", "-S", "-"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(refused.stderr.contains("buffer too large"), "{}", refused.stderr);
    assert_eq!(env.ok(&["list-buffers"]), "");
    env.ok(&["capture-pane", "-S", "-100"]);
    assert_eq!(env.ok(&["show-buffer"]).lines().count(), 100 + ROWS);
}

/// In tmux's spelling.
#[test]
fn control_characters_can_be_spelt_out() {
    let env = env();
    let program = r"printf 'a\\b \033[31mred\033[m.'; exec tail -f /dev/null";
    env.ok(&["new-session", "-d", "-x", "40", "-y", "2", program]);
    env.wait_ok(&["capture-pane", "-p"], |screen| screen.contains("red."));
    let capture = |flags: &[&str]| env.ok(&[&["capture-pane", "-p"], flags].concat());
    assert_eq!(capture(&[]), "a\\b red.\n\n");
    assert_eq!(capture(&["-C"]), "a\\\\b red.\n\n");
    assert_eq!(capture(&["-e", "-C"]), "a\\\\b \\033[31mred\\033[m.\n\n");
}
