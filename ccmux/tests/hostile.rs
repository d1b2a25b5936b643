//! Whoever reaches the socket, whatever it says: panes, other clients and the server go on.

use std::fs::{self, Permissions};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use bstr::BString;
use ccmux_protocol::{
    ClientFrame, FRAME_BYTES_MAX, FrameDecoder, PROTOCOL_VERSION, RefusalCode, STDIN_BYTES_MAX,
    ServerFrame, encode,
};
use ccmux_testkit::{DEADLINE, Random, TestEnv};
use rustix::process::{Gid, Uid, geteuid};

/// A user that is nobody else in particular.
const NOBODY: u32 = 65_534;

/// A server with a pane, and what it was.
struct Scene {
    env: TestEnv,
    server: u32,
    panes: String,
}

impl Scene {
    fn new() -> Self {
        let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
        env.ok(&["new-session", "-d", "-s", "work"]);
        let panes = env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]);
        Self { server: env.server().pid(), env, panes }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.env.socket()).expect("the socket is there");
        stream.set_read_timeout(Some(DEADLINE)).expect("it is a socket");
        stream
    }

    /// Says something on a new connection and leaves.
    fn say(&self, bytes: &[u8]) -> Vec<ServerFrame> {
        let mut stream = self.connect();
        // A server that has heard enough hangs up.
        let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        answer(stream)
    }

    /// Says something on a new connection and waits until the server hangs up.
    fn ask(&self, bytes: &[u8]) -> Vec<ServerFrame> {
        let mut stream = self.connect();
        // It may hang up before it has heard everything.
        let _ = stream.write_all(bytes);
        answer(stream)
    }

    fn assert_unharmed(&self) {
        let panes = self.env.ok(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]);
        assert_eq!(panes, self.panes);
        let status = self.env.status();
        assert_eq!(
            (status["pid"].as_u64(), &status["clients"]),
            (Some(self.server.into()), &0.into())
        );
        assert!(!self.env.server_log().contains("panic"), "{}", self.env.server_log());
    }
}

/// What a server says until it hangs up.
fn answer(mut stream: UnixStream) -> Vec<ServerFrame> {
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes) {
        let is_over = error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(is_over, "the server neither answers nor hangs up: {error}");
    }
    let mut decoder = FrameDecoder::new();
    decoder.push(&bytes);
    let next = || decoder.next_frame().expect("a server says frames");
    std::iter::from_fn(next).collect()
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len()).expect("a short payload");
    [&len.to_le_bytes()[..], &[kind], payload].concat()
}

fn hello() -> Vec<u8> {
    let version = PROTOCOL_VERSION;
    let text = format!(r#"{{"versions":{{"min":{version},"max":{version}}},"pid":1}}"#);
    frame(1, text.as_bytes())
}

fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let words = words.iter().map(|word| BString::from(*word)).collect();
    encode(&ClientFrame::Command(words), &mut bytes).expect("it fits into a frame");
    bytes
}

/// The message of the only refusal in an answer.
fn refusal(answer: &[ServerFrame]) -> Option<(RefusalCode, &str)> {
    let mut refusals = answer.iter().filter_map(|frame| match frame {
        ServerFrame::Refused(refusal) => Some((refusal.code, refusal.message.as_str())),
        _ => None,
    });
    let first = refusals.next();
    assert_eq!(refusals.next(), None, "{answer:?}");
    first
}

#[test]
fn noise_on_the_socket_harms_nobody() {
    let scene = Scene::new();
    let mut random = Random::seeded(0x006e_6f69_7365);
    for case in 0..150 {
        let mut bytes = match case % 3 {
            0 => Vec::new(),
            1 => hello(),
            _ => [hello(), command(&["display-message", "-p", "hi"])].concat(),
        };
        let len = 1 + random.below(300) as usize;
        let noise = random.bytes(len);
        match case % 2 {
            0 => bytes.extend(noise),
            // A kind that there is, of a length that is true.
            _ => bytes.extend(frame(random.below(9) as u8, &noise)),
        }
        scene.say(&bytes);
    }
    scene.assert_unharmed();
}

#[test]
fn conversations_may_end_anywhere() {
    let scene = Scene::new();
    let whole = [hello(), command(&["display-message", "-p", "hi"])].concat();
    for len in 0..whole.len() {
        let answer = scene.say(&whole[..len]);
        let said = answer.iter().any(|frame| matches!(frame, ServerFrame::Stdout(_)));
        assert!(!said, "half a command is none: {answer:?}");
    }
    // Many at once that say nothing, or stop in the middle.
    let open: Vec<UnixStream> = (0..200)
        .map(|n| {
            let mut stream = scene.connect();
            stream.write_all(&whole[..n % whole.len()]).expect("the server reads");
            stream
        })
        .collect();
    assert_eq!(scene.env.ok(&["display-message", "-p", "others go on"]), "others go on\n");
    drop(open);
    scene.assert_unharmed();
}

/// Whether a process has a file open.
#[cfg(target_os = "linux")]
fn has_open(pid: u32, path: &Path) -> bool {
    let fds = fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs and is ours");
    fds.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|target| target == path))
}

/// Descriptors that nobody asked for are not kept: a peer could use up all there may be.
#[test]
#[cfg(target_os = "linux")]
fn descriptors_on_the_socket_are_not_taken() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::io::IoSlice;
    use std::os::fd::AsFd as _;

    let scene = Scene::new();
    let path = scene.env.path().canonicalize().expect("it is there").join("passed");
    let file = fs::File::create(&path).expect("it is ours");
    assert!(has_open(rustix::process::getpid().as_raw_nonzero().get().cast_unsigned(), &path));
    let mut stream = scene.connect();
    let whole = [hello(), command(&["run-shell", "read line < go"])].concat();
    rustix::fs::mkfifoat(rustix::fs::CWD, scene.env.home().join("go"), 0o600.into())
        .expect("home is ours");
    // With each byte, and the conversation goes on as if they were not there.
    for byte in &whole {
        let fds = [file.as_fd(); 16];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
        let data = [IoSlice::new(std::slice::from_ref(byte))];
        sendmsg(&stream, &data, &mut control, SendFlags::empty()).expect("the server reads");
    }
    // Once the command runs, everything was read.
    let mut go = fs::File::create(scene.env.home().join("go")).expect("the command reads it");
    assert!(!has_open(scene.server, &path));
    go.write_all(b"\n").expect("the command reads it");
    drop(go);
    let mut last = Vec::new();
    stream.read_to_end(&mut last).expect("the server answers and hangs up");
    let mut decoder = FrameDecoder::new();
    decoder.push(&last);
    let frames: Vec<ServerFrame> =
        std::iter::from_fn(|| decoder.next_frame().expect("frames")).collect();
    assert!(matches!(frames.last(), Some(ServerFrame::Exit(exit)) if exit.code == 0), "{frames:?}");
    drop(file);
    scene.assert_unharmed();
}

#[test]
fn what_is_no_frame_is_refused_in_words() {
    let scene = Scene::new();
    let too_long = |len: usize| {
        let len = u32::try_from(len).expect("it fits into the field");
        [hello(), [&len.to_le_bytes()[..], &[4]].concat()].concat()
    };
    let newer = PROTOCOL_VERSION + 1;
    let newer = format!(r#"{{"versions":{{"min":{newer},"max":{newer}}},"pid":1}}"#);
    let cases: &[(Vec<u8>, RefusalCode, &str)] = &[
        (too_long(FRAME_BYTES_MAX + 1), RefusalCode::Protocol, "frame of 1048577 bytes, at most"),
        (too_long(u32::MAX as usize), RefusalCode::Protocol, "frame of 4294967295 bytes, at most"),
        (frame(0x7f, b""), RefusalCode::Protocol, "unknown frame kind 0x7f"),
        (frame(0x8a, b"{}"), RefusalCode::Protocol, "unknown frame kind 0x8a"),
        (frame(1, b"{"), RefusalCode::Protocol, "malformed payload in a frame of kind 0x01"),
        (frame(1, b"\xff\xfe"), RefusalCode::Protocol, "malformed payload"),
        (frame(1, newer.as_bytes()), RefusalCode::Version, "this server speaks protocol"),
        (command(&["kill-server"]), RefusalCode::Protocol, "Command does not belong here"),
        ([hello(), hello()].concat(), RefusalCode::Protocol, "Hello does not belong here"),
        (
            [hello(), frame(4, b"ls\r")].concat(),
            RefusalCode::Protocol,
            "Input does not belong here",
        ),
        // Stdin comes when it is asked for, and in pieces.
        ([hello(), frame(8, b"x")].concat(), RefusalCode::Protocol, "Stdin does not belong here"),
        (
            [hello(), command(&["run-shell", "-d", "1000"]), frame(8, b"x")].concat(),
            RefusalCode::Protocol,
            "Stdin does not belong here",
        ),
        (
            [hello(), command(&["load-buffer", "-"]), frame(8, &vec![b'x'; STDIN_BYTES_MAX + 1])]
                .concat(),
            RefusalCode::Protocol,
            "65537 bytes of stdin",
        ),
        ([hello(), frame(9, b"{}")].concat(), RefusalCode::Protocol, "StdinEnd does not belong"),
        ([hello(), frame(3, b"")].concat(), RefusalCode::Protocol, "the payload is empty"),
    ];
    for (bytes, code, words) in cases {
        let answer = scene.ask(bytes);
        let Some((found, message)) = refusal(&answer) else { panic!("{words}: {answer:?}") };
        assert_eq!(found, *code, "{message}");
        assert!(message.contains(words), "{message}");
    }
    // The longest frame is one.
    let longest = [hello(), frame(3, &vec![b'x'; FRAME_BYTES_MAX])].concat();
    let answer = scene.say(&longest);
    assert_eq!(refusal(&answer), None, "{answer:?}");
    scene.assert_unharmed();
}

/// Gives this thread alone another user, and does something as that one.
fn as_nobody<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let (gid, uid) = (Gid::from_raw(NOBODY), Uid::from_raw(NOBODY));
            rustix::thread::set_thread_groups(&[]).expect("root may leave its groups");
            rustix::thread::set_thread_res_gid(gid, gid, gid).expect("root may change its group");
            rustix::thread::set_thread_res_uid(uid, uid, uid).expect("root may change its user");
            work()
        });
        other.join().expect("it does not panic")
    })
}

/// Whether this test can be another user; says so if not.
fn can_change_user() -> bool {
    let can = geteuid().is_root();
    if !can {
        eprintln!("skipped: only root can be another user");
    }
    can
}

#[test]
fn another_user_is_refused() {
    if !can_change_user() {
        return;
    }
    let scene = Scene::new();
    // Somebody opened all doors on the way to the socket.
    let socket = scene.env.socket();
    for dir in socket.ancestors().skip(1).take_while(|dir| dir.starts_with(scene.env.path())) {
        fs::set_permissions(dir, Permissions::from_mode(0o711)).expect("it is ours");
    }
    fs::set_permissions(&socket, Permissions::from_mode(0o777)).expect("it is ours");
    let bytes = [hello(), command(&["kill-server"])].concat();
    let answer = as_nobody(|| scene.ask(&bytes));
    let expected = (RefusalCode::Peer, "this server belongs to another user");
    assert_eq!(refusal(&answer), Some(expected), "{answer:?}");
    assert_eq!(answer.len(), 1, "nothing else is said: {answer:?}");
    fs::set_permissions(socket.parent().expect("a directory"), Permissions::from_mode(0o700))
        .expect("it is ours");
    scene.assert_unharmed();
}

/// What a command says about a directory that is not as it must be.
fn complaint(env: &TestEnv, args: &[&str]) -> String {
    let finished = env.ccmux(args);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    finished.stderr
}

#[test]
fn directories_of_others_are_refused() {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    let run = env.path().join("run/ccmux");
    let state = env.state_dir();
    let start = ["new-session", "-d"];
    let assert_refused = |dir: &Path, words: &str| {
        let servers = [&["server"][..], &["-D"]];
        for args in [&start[..], &["attach-session"], &["list-sessions"]].iter().chain(&servers) {
            let said = complaint(&env, args);
            assert!(said.contains(words) && said.contains(&*dir.to_string_lossy()), "{said}");
        }
        assert_eq!(env.servers().len(), 0);
    };
    for dir in [&run, &state] {
        fs::create_dir_all(dir).expect("it is ours");
        for mode in [0o770, 0o707, 0o777] {
            fs::set_permissions(dir, Permissions::from_mode(mode)).expect("it is ours");
            assert_refused(dir, "unsafe permissions");
            let hint = format!("chmod 700 {} makes it usable", dir.display());
            assert!(complaint(&env, &start).contains(&hint));
        }
        fs::set_permissions(dir, Permissions::from_mode(0o700)).expect("it is ours");
        if can_change_user() {
            std::os::unix::fs::chown(dir, Some(NOBODY), None).expect("root may give it away");
            assert_refused(dir, "belongs to another user");
        }
        fs::remove_dir(dir).expect("nothing is in it");
    }
    let elsewhere = env.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("it is ours");
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o700)).expect("it is ours");
    std::os::unix::fs::symlink(&elsewhere, &run).expect("it is ours");
    assert_refused(&run, "symbolic link");
    assert_eq!(fs::read_dir(&elsewhere).expect("it is ours").count(), 0, "nothing went there");
    fs::remove_file(&run).expect("it is ours");
    env.ok(&start);
}

/// Whether a usage is a name and then groups like `[-ab]` and `[-c value]` alone.
fn takes_flags_alone(usage: &str) -> bool {
    let mut groups = usage.split(" [");
    let has_plain_name = groups.next().is_some_and(|name| !name.contains(' '));
    has_plain_name && groups.all(|group| group.starts_with('-') && group.ends_with(']'))
}

/// Every command says what is wrong with its arguments, shows how it is used, and ends with 1.
#[test]
fn bad_arguments_are_told_and_the_usage_is_shown() {
    let scene = Scene::new();
    let usages = scene.env.ok(&["list-commands"]);
    assert!(usages.lines().count() > 60, "{usages}");
    for usage in usages.lines() {
        let name = usage.split(' ').next().expect("it begins with the name");
        // The alias is not part of the usage.
        let without_alias = match usage.split_once(") ") {
            Some((head, rest)) if head.starts_with(&format!("{name} (")) => {
                format!("{name} {rest}")
            }
            _ => usage.split(" (").next().expect("there is a first part").to_owned(),
        };
        let shown = format!("usage: {}\n", without_alias.trim_end());
        let said = complaint(&scene.env, &[name, "-9"]);
        assert_eq!(said, format!("command {name}: unknown flag -9\n{shown}"));
        assert_eq!(complaint(&scene.env, &[name, "-?"]), shown);
        let takes_value = without_alias.match_indices("[-").find_map(|(at, _)| {
            let mut rest = without_alias[at + 2..].chars();
            let flag = rest.next()?;
            (rest.next() == Some(' ')).then_some(flag)
        });
        if let Some(flag) = takes_value {
            let said = complaint(&scene.env, &[name, &format!("-{flag}")]);
            assert_eq!(said, format!("command {name}: -{flag} expects an argument\n{shown}"));
        }
        if takes_flags_alone(&without_alias) {
            let said = complaint(&scene.env, &[name, "surplus"]);
            let words = format!("command {name}: too many arguments (need at most 0)\n{shown}");
            assert_eq!(said, words);
        }
    }
    let wrong: &[(&[&str], &str)] = &[
        (&["no-such-command"], "unknown command: no-such-command\n"),
        (
            &["list"],
            "ambiguous command: list, could be: list-buffers, list-clients, list-commands, ",
        ),
        (&["kill-session", "-t", "nobody"], "can't find session: nobody\n"),
        (&["select-window", "-t", "work:99"], "can't find window: 99\n"),
        (&["kill-pane", "-t", "%99"], "can't find pane: %99\n"),
        (&["rename-window"], "command rename-window: too few arguments (need at least 1)\n"),
        (
            &["rename-window", "a", "b"],
            "command rename-window: too many arguments (need at most 1)",
        ),
        (&["set-option", "no-such-option", "1"], "invalid option: no-such-option\n"),
        (&["select-layout", "no-such-layout"], "invalid layout: no-such-layout\n"),
        (&["resize-pane", "-x", "many"], "width invalid\n"),
        (&["detach-client", "-t", "nobody"], "can't find client: nobody\n"),
    ];
    for (args, words) in wrong {
        let said = complaint(&scene.env, args);
        assert!(said.starts_with(words), "{args:?}: {said}");
    }
    // Nothing of it was done, in a list neither.
    let finished = scene.env.ccmux(&["rename-window", "changed", ";", "no-such-command"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let names = scene.env.ok(&["list-windows", "-a", "-F", "#{window_name}"]);
    assert!(!names.contains("changed"), "{names}");
    scene.assert_unharmed();
}
