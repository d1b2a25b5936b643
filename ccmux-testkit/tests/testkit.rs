//! The environment itself, with a shell in the place of ccmux.
#![cfg(test)]

use ccmux_testkit::{Process, TestEnv};

#[test]
fn commands_see_this_world_alone() {
    let env = TestEnv::new("/bin/sh");
    let finished = env.ccmux(&["-c", "echo out; echo err >&2; exit 3"]);
    assert_eq!(
        (finished.code, finished.stdout.as_str(), finished.stderr.as_str()),
        (Some(3), "out\n", "err\n")
    );
    assert_eq!(env.ok(&["-c", "pwd; echo $HOME"]).lines().collect::<Vec<_>>(), {
        let home = env.home().display().to_string();
        [home.clone(), home]
    });
    assert_eq!(env.ok(&["-c", "echo ${CARGO-unset}"]), "unset\n");
}

#[test]
fn a_terminal_is_typed_on_and_looked_at() {
    let env = TestEnv::new("/bin/sh");
    let script = "stty size; read line; stty size; printf 'got %s\\033[31m!\\033[m' $line; read x";
    let client = env.attach_with(&["-c", script], 40, 10);
    client.wait_text("10 40");
    client.resize(50, 12);
    client.type_keys("typed\n");
    client.wait_screen("new size and line", |screen| {
        screen.row(2) == "12 50" && screen.row(3) == "got typed!"
    });
    client.type_keys("\n");
    assert!(client.wait_exit().success());
}

#[test]
fn a_program_that_asks_its_terminal_gets_an_answer() {
    let env = TestEnv::new("/bin/sh");
    let script = "stty raw -echo; printf 'ab\\033[6n'; head -c 6 | od -An -c; stty sane";
    let client = env.attach_with(&["-c", script], 40, 10);
    client.wait_text("1   ;   3   R");
}

/// What was left behind in the world ends with it, though no handle leads there.
#[test]
fn everything_ends_with_its_world() {
    let env = TestEnv::new("/bin/sh");
    let pid = env.ok(&["-c", "sleep 1000 >/dev/null 2>&1 & echo $!"]);
    let process = Process::open(pid.trim().parse().unwrap()).unwrap().unwrap();
    assert!(process.is_alive());
    drop(env);
    assert!(!process.is_alive());
}

/// Worlds that are there at the same time share no file, and leave none.
#[test]
fn no_two_environments_share_a_directory() {
    let first = TestEnv::new("/bin/sh");
    let second = TestEnv::new("/bin/sh");
    for env in [&first, &second] {
        assert_eq!(env.ok(&["-c", "ls; pwd >left_behind"]), "", "it begins empty");
    }
    let path = first.path().to_owned();
    drop(first);
    assert!(!path.exists(), "and leaves nothing");
    let left = second.ok(&["-c", "cat left_behind"]);
    assert_eq!(left.trim_end(), second.home().display().to_string());
}
