//! History takes as much of the disk as it may, and what is oldest goes first.

use std::fs;

use ccmux_testkit::TestEnv;

const MIB: u64 = 1 << 20;
/// History goes in chunks of about 4 MiB, whole ones, and one is being written.
const SLACK: u64 = 10 * MIB;

/// Compressed history on the disk.
fn history_bytes(env: &TestEnv) -> u64 {
    let panes = fs::read_dir(env.state_dir().join("panes")).expect("it can be listed");
    let files = panes.flatten().flat_map(|pane| fs::read_dir(pane.path()).into_iter().flatten());
    // One may be removed at this moment.
    let chunks =
        files.flatten().filter(|file| file.path().extension().is_some_and(|e| e == "chunk"));
    chunks.filter_map(|file| file.metadata().ok()).map(|metadata| metadata.len()).sum()
}

/// How often it is looked whether the history has become short enough.
const QUESTIONS_MAX: u32 = 500;
/// Lines of 1000 characters that cannot be compressed well, 20 MiB of them.
const LINES: u32 = 20_000;

fn print(env: &TestEnv, window: &str) {
    let program = "head -c 15000000 /dev/urandom | base64 -w 1000 | awk '{ print NR, $0 }'; \
                   echo the end; exec tail -f /dev/null";
    env.ok(&["new-window", "-d", "-n", window, program]);
    env.wait_ok(&["capture-pane", "-p", "-t", window], |text| text.contains("the end"));
}

/// The numbers of the lines of a window that are left.
fn numbers(env: &TestEnv, window: &str) -> Vec<u32> {
    let text = env.ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", window]);
    text.lines().filter_map(|line| line.split(' ').next()?.parse().ok()).collect()
}

#[test]
fn the_oldest_output_goes_first_and_structure_never() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-x", "80", "-y", "24", "exec tail -f /dev/null"]);
    env.ok(&["set-option", "-wg", "history-disk-limit", "1"]);
    print(&env, "first");
    // What is not archived yet is in memory, and longer.
    let is_short = |left: &[u32]| left[0] > LINES / 4 && history_bytes(&env) <= MIB + SLACK;
    let mut left = numbers(&env, "first");
    for _ in 0..QUESTIONS_MAX {
        // What goes while it is being read leaves a gap.
        let before = history_bytes(&env);
        left = numbers(&env, "first");
        if is_short(&left) && history_bytes(&env) == before {
            break;
        }
    }
    let (first, last) = (left[0], left[left.len() - 1]);
    assert_eq!((first..=last).collect::<Vec<_>>(), left, "in order, up to the last line");
    assert_eq!(last, LINES, "the newest are there");
    assert!(first > LINES / 4, "the oldest are not: {first}");

    // What a pane may have alone, all of them may not have together.
    env.ok(&["set-option", "-wgu", "history-disk-limit"]);
    env.ok(&["set-option", "-s", "history-disk-total", "4"]);
    print(&env, "second");
    for _ in 0..QUESTIONS_MAX {
        let is_archived = numbers(&env, "second")[0] > 1;
        if is_archived && history_bytes(&env) <= 4 * MIB + SLACK {
            break;
        }
    }
    assert!(history_bytes(&env) <= 4 * MIB + SLACK, "{}", history_bytes(&env));
    for window in ["first", "second"] {
        assert_eq!(numbers(&env, window).last(), Some(&LINES), "{window}");
    }
    assert_eq!(env.ok(&["list-windows", "-F", "#{window_name}"]), "tail\nfirst\nsecond\n");
    let refused = env.ccmux(&["set-option", "-s", "history-disk-total", "0"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");

    // Nobody misses what went.
    env.shut_down();
    let doctor = env.ccmux(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{doctor:?}");
    assert_eq!(env.status()["recovery"]["clean"], true, "{}", env.status());
}
