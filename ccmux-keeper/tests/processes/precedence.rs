//! Who gets a processor first.

use std::io::{BufRead as _, BufReader};

use super::harness::{PaneDir, flood, kill};

/// Lines, more than are printed in a lifetime.
const ENDLESS: u64 = u64::MAX;
/// How often a test looks before it gives up: half a minute at least.
const LOOKS_MAX: usize = 1_000_000;

/// The nice value of each thread of a process.
fn threads(pid: u32) -> Vec<i32> {
    let stats = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().filter_map(|task| {
        // A thread may end meanwhile.
        std::fs::read_to_string(task.ok()?.path().join("stat")).ok()
    });
    // proc_pid_stat(5): the 19th field; the second one, in parentheses, may have blanks.
    stats
        .map(|stat| stat.rsplit_once(')').unwrap().1.split_whitespace().nth(16).unwrap().to_owned())
        .map(|nice| nice.parse().unwrap())
        .collect()
}

/// The nice value of a process's session; `None` where the kernel makes no groups of sessions.
fn session(pid: u32) -> Option<i32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/autogroup")).ok()?;
    Some(text.trim_end().rsplit_once("nice ")?.1.parse().unwrap())
}

#[test]
fn a_keeper_comes_after_a_program_only_while_that_floods() {
    let ours = rustix::process::getpriority_process(None).unwrap();
    let later = (ours + 5).min(19);
    let dir = PaneDir::new();
    let mut server = dir.spawn(flood(ENDLESS));
    let (keeper, program) = (server.pane().keeper_pid, server.pane().child_pid);
    let comes_after =
        || threads(keeper).contains(&later) && session(keeper).is_none_or(|nice| nice == 5);
    let mut stream = Vec::new();
    let mut looks = 0;
    while !comes_after() {
        assert!(looks < LOOKS_MAX, "{:?}, session {:?}", threads(keeper), session(keeper));
        looks += 1;
        stream.clear();
        assert!(server.take(usize::MAX, &mut stream));
        server.spool();
    }
    assert_eq!(threads(program), [ours], "it started before");

    drop(server);
    let (starting, _) = dir.starter.accept().unwrap();
    let mut nice = String::new();
    BufReader::new(starting).read_line(&mut nice).unwrap();
    assert_eq!(nice.trim_end(), ours.to_string(), "the next server and all that it will start");

    let mut server = dir.adopt();
    kill(program);
    server.take_all(&mut stream);
    let is_as_before = || threads(keeper) == [ours] && session(keeper).is_none_or(|nice| nice == 0);
    let looked = (0..LOOKS_MAX).any(|_| is_as_before());
    assert!(looked, "{:?}, session {:?}", threads(keeper), session(keeper));
    server.release();
}
