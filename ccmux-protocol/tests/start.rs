//! Starting a server exactly once, with real processes.
//!
//! The server is this test binary, started anew with [`fake_server`] as its only test: a listener
//! that tells everybody its pid, at a place given by the real command line.
#![cfg(test)]

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use bstr::BString;
use ccmux_protocol::rendezvous::{
    ConnectError, Connected, Launch, LockOutcome, LockedFile, Place, Registration, Revival,
    ServerTask, StartError, Surroundings, bind, connect, connect_or_continue, connect_or_start,
    lock_or_holder, revive, start_server,
};
use rustix::process::{Pid, Signal, getpid, getuid, kill_process};
use tempfile::TempDir;

/// For everything that is waited for; matters on failure only.
const DEADLINE: Duration = Duration::from_mins(1);
const VERSION: &str = "fake";

/// Not a test of its own: the server of the others. Without their arguments it does nothing.
#[test]
fn fake_server() {
    let args: Vec<OsString> =
        std::env::args_os().skip_while(|arg| arg != "server").skip(1).collect();
    if args.is_empty() {
        return;
    }
    let env = std::env::vars_os().collect();
    let surroundings = Surroundings { uid: getuid().as_raw(), env, ..surroundings() };
    let Ok(ServerTask::Serve(mut args)) = ServerTask::parse(args, &surroundings) else { return };
    let state_dir = args.place.state_dir.clone();
    let starts = append(&state_dir.join("starts"), "x");
    match surroundings.env("FAKE_FAULT") {
        Some(fault) if fault == "dies-twice" && starts <= 2 => std::process::exit(3),
        Some(fault) if fault == "dies" => std::process::exit(3),
        Some(fault) if fault == "says-why" => {
            return args.ready.take().unwrap().fail("the disk is full\n");
        }
        _ => {}
    }
    let listener = bind(&args.place).unwrap();
    let pid = getpid().as_raw_nonzero().get().cast_unsigned();
    let registration = registration(&args.place, pid, args.launch.clone());
    args.lock.register(&registration).unwrap();
    args.ready.take().unwrap().ok();
    let lock = Mutex::new(args.lock);
    thread::scope(|scope| {
        for stream in listener.incoming() {
            scope.spawn(|| {
                let mut stream = stream.unwrap();
                stream.write_all(&pid.to_le_bytes()).ok();
                let mut request = [0; 3];
                if stream.read_exact(&mut request).is_ok() && &request == b"end" {
                    let ended = Registration { ended: true, ..registration.clone() };
                    lock.lock().unwrap().register(&ended).unwrap();
                    std::process::exit(0);
                }
            });
        }
    });
}

struct World {
    place: Place,
    // Dropped last.
    dir: TempDir,
}

impl World {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let place = Place {
            name: "n".into(),
            state_dir: dir.path().join("state"),
            socket: dir.path().join("run/n"),
        };
        place.prepare(getuid().as_raw()).unwrap();
        World { place, dir }
    }

    /// How to start the fake server.
    fn launch(&self, env: &[(&str, &str)]) -> Launch {
        let mut surroundings = surroundings();
        surroundings.env = env.iter().map(|(k, v)| (k.into(), v.into())).collect();
        surroundings.launch(&self.place, &[self.dir.path().join("a config")])
    }

    fn starts(&self) -> u64 {
        fs::metadata(self.place.state_dir.join("starts")).map_or(0, |metadata| metadata.len())
    }

    fn registration(&self) -> Registration {
        match lock_or_holder(&self.place).unwrap() {
            LockOutcome::Locked(mut lock) => lock.registration().unwrap(),
            LockOutcome::Held(registration) => registration.unwrap(),
        }
    }

    /// Takes the lock once nobody has it. A process that was killed lets go of it a little later,
    /// and any thread of this process that forks holds it for the moment until the exec.
    fn lock_when_free(&self) -> LockedFile {
        let (sender, receiver) = channel();
        let place = self.place.clone();
        thread::spawn(move || {
            let path = place.lock_path();
            loop {
                fs::File::open(&path).unwrap().lock().unwrap();
                if let LockOutcome::Locked(lock) = lock_or_holder(&place).unwrap() {
                    return sender.send(lock);
                }
            }
        });
        receiver.recv_timeout(DEADLINE).expect("the lock comes free")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Ok(mut stream) = connect(&self.place) {
            stream.write_all(b"end").ok();
        }
    }
}

/// The fake server's surroundings. Its command line selects it among the tests, and hides the
/// server's arguments from the test harness.
fn surroundings() -> Surroundings {
    Surroundings {
        exe: std::env::current_exe().unwrap(),
        env: Vec::new(),
        cwd: PathBuf::from("/"),
        uid: getuid().as_raw(),
    }
}

fn for_harness(launch: Launch) -> Launch {
    let mut args: Vec<BString> = ["--exact", "fake_server", "--"].map(BString::from).into();
    args.extend(launch.args);
    Launch { args, ..launch }
}

fn registration(place: &Place, pid: u32, launch: Launch) -> Registration {
    Registration {
        pid,
        started_unix_ms: 1,
        socket: BString::from(place.socket.as_os_str().as_bytes()),
        version: VERSION.to_owned(),
        ended: false,
        launch: for_harness(launch),
    }
}

/// Appends and returns the length thereafter.
fn append(path: &PathBuf, text: &str) -> u64 {
    let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.metadata().unwrap().len()
}

fn kill(pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::KILL).unwrap();
}

/// A connection that the server has answered, with its pid, and whether this call started it.
type Answer = (UnixStream, u32, bool);

/// Connects until a server answers. The kernel closes the descriptors of a killed process one
/// after the other: its listener may still take connections when its lock is free already.
fn answer(connect: impl Fn() -> Result<Connected, StartError>) -> Result<Answer, StartError> {
    let mut started_any = false;
    loop {
        let Connected { mut stream, started } = connect()?;
        started_any |= started;
        let mut pid = [0; 4];
        if stream.read_exact(&mut pid).is_ok() {
            return Ok((stream, u32::from_le_bytes(pid), started_any));
        }
    }
}

fn end(world: &World, launch: &Launch) {
    let (mut stream, ..) = answer(|| connect_or_start(&world.place, launch)).unwrap();
    stream.write_all(b"end").unwrap();
    drop(world.lock_when_free());
}

/// Goal: never a race of two. Method: many threads want a server at once, over and over, each time
/// after the last one was killed; all reach the same one, and one only was started.
#[test]
fn many_starters_make_one_server() {
    const STARTERS: usize = 16;
    const ROUNDS: u64 = 5;
    let world = World::new();
    let launch = for_harness(world.launch(&[]));
    for round in 1..=ROUNDS {
        let barrier = Barrier::new(STARTERS);
        let seen: Vec<(u32, bool)> = thread::scope(|scope| {
            let starters: Vec<_> = (0..STARTERS)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        let (_, pid, started) =
                            answer(|| connect_or_start(&world.place, &launch)).unwrap();
                        (pid, started)
                    })
                })
                .collect();
            starters.into_iter().map(|starter| starter.join().unwrap()).collect()
        });
        let pid = seen[0].0;
        assert!(seen.iter().all(|(other, _)| *other == pid), "{seen:?}");
        assert_eq!(seen.iter().filter(|(_, started)| *started).count(), 1, "{seen:?}");
        assert_eq!(world.starts(), round);
        kill(pid);
        drop(world.lock_when_free());
    }
}

/// A server that dies as it starts leaves the lock to the next starter, who may have been waiting.
#[test]
fn a_server_that_dies_as_it_starts_is_started_again() {
    let world = World::new();
    let launch = for_harness(world.launch(&[("FAKE_FAULT", "dies-twice")]));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| answer(|| connect_or_start(&world.place, &launch)).unwrap());
        }
    });
    assert_eq!(world.starts(), 3);
}

#[test]
fn a_server_that_cannot_start_is_reported() {
    let world = World::new();
    let error = |fault| {
        let launch = for_harness(world.launch(&[("FAKE_FAULT", fault)]));
        connect_or_start(&world.place, &launch).unwrap_err().to_string()
    };
    assert_eq!(error("says-why"), "the server did not start: the disk is full");
    assert_eq!(error("dies"), "the server ended before it was ready (exit status: 3)");

    let missing = Launch { exe: BString::from("/nonexistent/ccmux"), ..world.launch(&[]) };
    let result = connect_or_start(&world.place, &missing);
    assert!(matches!(result, Err(StartError::Spawn { .. })), "{result:?}");
    // None of them kept the lock.
    world.lock_when_free();
}

/// Who starts the next server does not decide which: a vanished one is continued by the same
/// program, arguments and environment, one that ended in order is not.
#[test]
fn a_server_is_continued_as_it_was_registered() {
    let world = World::new();
    let first = for_harness(world.launch(&[("ORIGIN", "first")]));
    let second = for_harness(world.launch(&[("ORIGIN", "second")]));
    let origin = || world.registration().launch.env;
    let pair = |value: &str| vec![(BString::from("ORIGIN"), BString::from(value))];

    let start = |launch| answer(|| connect_or_start(&world.place, launch)).unwrap();

    let (_, pid, _) = start(&first);
    assert_eq!(world.registration().launch, first);
    kill(pid);
    drop(world.lock_when_free());

    start(&second);
    assert_eq!(origin(), pair("first"), "continued");
    end(&world, &second);
    start(&second);
    assert_eq!(origin(), pair("second"), "started afresh");

    // A registered executable that is gone is no obstacle.
    let pid = world.registration().pid;
    kill(pid);
    let mut lock = world.lock_when_free();
    let gone = Launch { exe: BString::from("/nonexistent/ccmux"), ..first.clone() };
    lock.register(&Registration { launch: gone, ..registration(&world.place, pid, first.clone()) })
        .unwrap();
    start_server(&world.place, lock, &first).unwrap();
    assert_eq!(origin(), pair("first"));
}

/// A state directory that was moved or copied could not be used any more: its server was started
/// where it had been, without the lock.
#[test]
fn a_state_directory_may_be_moved() {
    let mut world = World::new();
    let launch = for_harness(world.launch(&[]));
    let (_, pid, _) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    kill(pid);
    drop(world.lock_when_free());
    let moved = world.dir.path().join("moved");
    fs::rename(&world.place.state_dir, &moved).unwrap();
    // Somebody else is where it was.
    world.place.prepare(getuid().as_raw()).unwrap();
    let revive = || revive(&moved, Path::new("/nonexistent/ccmux")).unwrap();
    // A thread of this process that forks holds the lock for a moment.
    let revival = std::iter::repeat_with(revive).find(|it| *it != Revival::Present);
    assert_eq!(revival, Some(Revival::Unregistered));
    world.place.state_dir = moved;
    let launch = for_harness(world.launch(&[]));
    answer(|| connect_or_continue(&world.place, &launch)).unwrap();
    assert_eq!((world.registration().launch, world.starts()), (launch, 2));
}

/// What a login has as its runtime directory a cron job, or a shell by way of `su`, may not have: it
/// was told that the server does not answer.
#[test]
fn another_socket_leads_to_the_same_server() {
    let mut world = World::new();
    let launch = for_harness(world.launch(&[]));
    let (_, pid, _) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    let first = world.place.clone();
    world.place.socket = world.dir.path().join("n");
    let other = for_harness(world.launch(&[]));
    let (_, same, started) = answer(|| connect_or_start(&world.place, &other)).unwrap();
    assert_eq!((same, started), (pid, false));
    connect(&world.place).unwrap();
    // The next one is where whoever starts it looks for it, and others find it there.
    kill(pid);
    drop(world.lock_when_free());
    // What listens there by now serves another state directory.
    let stranger = bind(&first).unwrap();
    // Again and again, because a thread of this process that forks holds the lock for a moment.
    let finds_nobody = |_| {
        drop(world.lock_when_free());
        matches!(connect(&world.place), Err(ConnectError::NotRunning { .. }))
    };
    assert!((0..100).any(finds_nobody));
    drop(stranger);
    let (_, next, started) = answer(|| connect_or_continue(&world.place, &other)).unwrap();
    assert!(started);
    assert_eq!(world.registration().launch, other);
    let (_, same, started) = answer(|| connect_or_continue(&first, &launch)).unwrap();
    assert_eq!((same, started), (next, false));
}

#[test]
fn only_a_server_to_continue_is_started_by_any_command() {
    let world = World::new();
    let launch = for_harness(world.launch(&[]));
    let not_running = |result: Result<Answer, StartError>| match result {
        Err(StartError::Connect(error @ ConnectError::NotRunning { .. })) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let proceed = || answer(|| connect_or_continue(&world.place, &launch));
    let expected = format!("no server running on {}", world.place.socket.display());
    assert_eq!(not_running(proceed()), expected);

    let (_, pid, _) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    kill(pid);
    let (_, continued, started) = proceed().unwrap();
    assert!(started && continued != pid);

    end(&world, &launch);
    assert_eq!(not_running(proceed()), expected);
    assert_eq!(world.starts(), 2);
}

/// A shell's redirection must not end up in the server: `(flock 9; ccmux new -d) 9>file`.
#[test]
fn a_server_does_not_inherit_descriptors_of_the_starter() {
    let world = World::new();
    let (mut reader, writer) = std::io::pipe().unwrap();
    rustix::io::fcntl_setfd(&writer, rustix::io::FdFlags::empty()).unwrap();
    let launch = for_harness(world.launch(&[]));
    answer(|| connect_or_start(&world.place, &launch)).unwrap();
    drop(writer);
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(reader.read(&mut [0])));
    assert_eq!(receiver.recv_timeout(DEADLINE).expect("an end").unwrap(), 0);
}

/// What keepers do when their server vanishes.
#[test]
fn a_vanished_server_is_revived_once_by_whoever_asks() {
    let world = World::new();
    let revive = || revive(&world.place.state_dir, Path::new("/nonexistent/ccmux")).unwrap();
    assert_eq!(revive(), Revival::Unregistered);

    let launch = for_harness(world.launch(&[]));
    let (_, pid, _) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    assert_eq!(revive(), Revival::Present);
    kill(pid);
    // As a keeper does: who holds the lock may be dying.
    let revival = std::iter::repeat_with(revive).find(|it| *it != Revival::Present);
    assert_eq!(revival, Some(Revival::Started));
    assert_eq!([revive(), revive()], [Revival::Present, Revival::Present]);
    let (_, _, started) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    assert!(!started);
    assert_eq!(world.starts(), 2);
}

/// A descriptor that is not the lock makes no server.
#[test]
fn a_second_server_is_refused() {
    let world = World::new();
    let launch = for_harness(world.launch(&[]));
    let (_, pid, _) = answer(|| connect_or_start(&world.place, &launch)).unwrap();
    let args =
        ["--state-dir", "--socket"].iter().zip([&world.place.state_dir, &world.place.socket]);
    let args: Vec<OsString> =
        args.flat_map(|(flag, path)| [OsString::from(flag), path.into()]).collect();
    let refused = ServerTask::parse(args, &surroundings()).unwrap_err();
    let socket = world.place.socket.display();
    assert_eq!(refused.to_string(), format!("a server is already running on {socket} (pid {pid})"));
}

#[test]
fn arguments_of_a_server_are_checked() {
    let check = |args: &[&str], expected: &str| {
        let args = args.iter().map(OsString::from);
        let error = ServerTask::parse(args, &surroundings()).unwrap_err().to_string();
        assert_eq!(error.lines().next(), Some(expected));
    };
    check(&["--state-dir"], "--state-dir: a value is missing");
    check(&["--state-dir", "/x"], "--state-dir and --socket go together");
    check(&["--frob"], "--frob: unknown argument");
    check(&["--lock-fd", "1"], "not a descriptor: 1");
    check(&["--ready-fd", "999999"], "descriptor 999999 is not open");
}
