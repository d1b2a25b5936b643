//! What a program gets from its keeper, and what comes of its output.

use ccmux_keeper::{
    CAPACITY, ChildEnd, ChildState, FailedStep, KeeperCommand, Link, LinkError, WindowSize,
    WireError,
};

use super::harness::{
    PaneDir, Server, UNDER_TEST, assert_same, await_free, flood, flood_output, program, take_lock,
};

#[test]
fn a_flood_arrives_whole() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(flood(100_000));
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(0));
    assert_same(&stream, &flood_output(100_000));
    server.release();
}

/// A server that takes nothing stops the program; when it goes on, nothing is missing.
#[test]
fn a_full_ring_blocks_the_program_until_there_is_room() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(flood(30_000));
    let full = CAPACITY as u64;
    while server.pane().ring.head().unwrap() < full {
        let pane = server.pane();
        let head = pane.ring.head().unwrap();
        if head < full && pane.ring.arm_bell(head).unwrap() {
            server.hear().unwrap();
        }
    }
    assert_eq!(server.pane().ring.child_state().unwrap(), ChildState::Running);
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(0));
    assert_same(&stream, &flood_output(30_000));
    server.release();
}

/// Not even when whoever started the server leaked a descriptor and had signals ignored.
#[test]
fn the_program_gets_its_arguments_environment_terminal_and_nothing_else() {
    let dir = PaneDir::new();
    let careless = "exec 7</dev/null; trap '' HUP INT TERM USR1 CHLD XFSZ; \
                    exec \"$0\" keeper none \"$1\"";
    let command = KeeperCommand {
        exe: "/bin/sh".into(),
        name: None,
        open_files: None,
        args: vec!["-c".into(), careless.into(), UNDER_TEST.into()],
    };
    let mut spec = program(&["./keeper-under-test", "report"]);
    let here = std::path::Path::new(UNDER_TEST).parent().unwrap().to_str().unwrap();
    spec.cwd = Some(here.into());
    spec.argv0 = Some("-report".into());
    spec.env = vec![("NAME".into(), "a=b c".into()), ("EMPTY".into(), "".into())];
    spec.size = WindowSize { rows: 31, cols: 97, width_px: 970, height_px: 620 };
    spec.oom_score_adj = Some(321);
    let alive = take_lock(&dir.path());
    let mut server = Server::new(Link::spawn(&command, alive, spec).unwrap());
    server.await_ready();
    let mut stream = Vec::new();
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(0));
    server.release();
    let report = String::from_utf8(stream).unwrap().replace("\r\n", "\n");
    let lines: Vec<&str> = report.lines().collect();
    let wanted = [
        "argv0=-report",
        &format!("cwd={here}"),
        "size=31x97 970x620",
        "leads session and terminal=true",
        "utf8=true",
        "SigBlk:\t0000000000000000",
        "oom=321",
    ];
    for line in wanted {
        assert!(lines.contains(&line), "{line:?} is not in {report}");
    }
    // The C library's own signals, 32 and 33, are not ours to set; SIGPIPE (13) is ignored by the
    // Rust runtime of the reporting program itself.
    let ignored = lines.iter().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    assert_eq!(u64::from_str_radix(ignored, 16).unwrap() & 0x7fff_ffff, 1 << 12, "{report}");
    let all = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(all("env "), 2, "{report}");
    assert!(lines.contains(&"env NAME=a=b c") && lines.contains(&"env EMPTY="), "{report}");
    assert_eq!(all("fd="), 4, "three, and the one that lists them: {report}");
}

#[test]
fn a_missing_directory_falls_back_to_home_and_then_to_the_root() {
    let dir = PaneDir::new();
    let home = std::fs::canonicalize(dir.path()).unwrap();
    for (home, expected) in [(Some(home.to_str().unwrap()), home.to_str().unwrap()), (None, "/")] {
        let mut spec = program(&["/bin/pwd"]);
        spec.cwd = Some("/no/such/directory".into());
        spec.env.extend(home.map(|home| ("HOME".into(), home.into())));
        let mut server = dir.spawn(spec);
        let mut stream = Vec::new();
        server.take_all(&mut stream);
        assert_eq!(String::from_utf8(stream).unwrap(), format!("{expected}\r\n"));
        server.release();
    }
}

#[test]
fn a_program_that_cannot_be_started_is_reported_and_leaves_no_keeper() {
    let dir = PaneDir::new();
    let mut server = dir.spawn_unready(program(&["/no/such/program"]));
    server.await_closed();
    let failure = server.failure.clone().unwrap();
    assert_eq!((failure.step, failure.errno), (FailedStep::Exec, 2));
    assert!(failure.to_string().starts_with("cannot start the program: "), "{failure}");
    super::harness::await_exit(server.link.keeper_pid().unwrap());
    assert!(server.link.try_reap().unwrap().is_some());
    await_free(&dir.path());
}

#[test]
fn a_large_environment_arrives_and_one_too_large_is_refused() {
    let dir = PaneDir::new();
    let mut spec = program(&["/bin/sh", "-c", "echo ${#V0} ${#V9}"]);
    let value = |bytes| "v".repeat(bytes);
    spec.env.extend((0..10).map(|at| (format!("V{at}").into(), value(100_000).into())));
    let mut server = dir.spawn(spec.clone());
    let mut stream = Vec::new();
    server.take_all(&mut stream);
    assert_eq!(stream, b"100000 100000\r\n");
    server.release();

    spec.env.push(("V".into(), value(4 * 1024 * 1024).into()));
    let alive = take_lock(&dir.path());
    let error = Link::spawn(&dir.keeper_command(), alive, spec).unwrap_err();
    assert!(matches!(error, LinkError::Wire(WireError::TooLong { .. })), "{error}");
    await_free(&dir.path());
}

#[test]
fn input_and_window_size_reach_the_program() {
    let dir = PaneDir::new();
    let script =
        "trap 'stty size; exit 4' WINCH; echo ready; while :; do read line; echo got $line; done";
    let mut server: Server = dir.spawn(program(&["/bin/sh", "-c", script]));
    let mut stream = Vec::new();
    server.take_until("ready\r\n", &mut stream);
    server.type_keys("hello\n");
    server.take_until("got hello\r\n", &mut stream);
    let size = WindowSize { rows: 10, cols: 20, width_px: 0, height_px: 0 };
    ccmux_keeper::set_window_size(&server.pane().master, size).unwrap();
    server.type_keys("\n");
    assert_eq!(server.take_all(&mut stream), ChildEnd::Exited(4));
    // The echo of the last newline may come before or after it.
    let text = String::from_utf8(stream).unwrap();
    assert!(text.contains("10 20\r\n"), "{text}");
    server.release();
}

/// A keeper is one of many, so its own memory matters: heap, stack, and pages of its executable
/// that it has changed. (Not "private dirty", which counts the pages of a freshly linked
/// executable that the system has yet to write to disk.)
#[test]
fn a_keeper_takes_well_under_a_mebibyte() {
    let dir = PaneDir::new();
    let mut server = dir.spawn(flood(20_000));
    let mut stream = Vec::new();
    server.take_all(&mut stream);
    let pid = server.pane().keeper_pid;
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let anonymous = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:")).unwrap();
    let kib: u32 = anonymous.trim().trim_end_matches(" kB").parse().unwrap();
    println!("private memory of a keeper: {kib} KiB");
    assert!(kib < 512, "{rollup}");
    server.release();
}
