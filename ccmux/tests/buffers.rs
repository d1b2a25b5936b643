//! Paste buffers: tmux's commands and words, and that they outlive kills.

use ccmux_testkit::TestEnv;
use rustix::process::Signal;

const READER: &str = "stty raw -echo; printf '\\033[?2004hready'; exec cat -v";

fn env_running(command: &str) -> TestEnv {
    let env = TestEnv::new(env!("CARGO_BIN_EXE_ccmux"));
    env.ok(&["new-session", "-d", "-s", "b", "-x", "60", "-y", "10", command]);
    env
}

/// As recorded from tmux 3.3a.
#[test]
fn messages_and_lists_are_tmuxs() {
    let env = env_running("sleep 1000");
    for (args, message) in [
        (&["show-buffer"][..], "no buffers\n"),
        (&["show-buffer", "-b", "x"], "no buffer x\n"),
        (&["delete-buffer"], "no buffer\n"),
        (&["delete-buffer", "-b", "x"], "unknown buffer: x\n"),
        (&["set-buffer"], "no data specified\n"),
        (&["set-buffer", "-n", "y"], "no buffer\n"),
        (&["set-buffer", "-b", "x", "-n", "y"], "unknown buffer: x\n"),
        (&["set-buffer", "-b", "", "data"], "empty buffer name\n"),
        (&["paste-buffer", "-b", "x"], "no buffer x\n"),
        (&["save-buffer", "-b", "x", "q"], "no buffer x\n"),
    ] {
        let finished = env.ccmux(args);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(1), message), "{args:?}");
    }
    let finished = env.ccmux(&["load-buffer", "gone"]);
    let path = env.home().join("gone");
    assert_eq!(finished.stderr, format!("{}: No such file or directory\n", path.display()));
    assert_eq!(env.ok(&["list-buffers"]), "");
    env.ok(&["set-buffer", ""]);
    env.ok(&["paste-buffer"]);
    env.ok(&["set-buffer", "one"]);
    env.ok(&["set-buffer", "-a", "two"]);
    env.ok(&["set-buffer", "-b", "nm", "three"]);
    env.ok(&["set-buffer", "-ab", "nm", "four"]);
    env.ok(&["set-buffer", "-b", "nm", "-n", "other"]);
    let listed =
        "other: 9 bytes: \"threefour\"\nbuffer1: 3 bytes: \"two\"\nbuffer0: 3 bytes: \"one\"\n";
    assert_eq!(env.ok(&["list-buffers"]), listed);
    assert_eq!(env.ok(&["show-buffer"]), "threefour");
    assert_eq!(env.ok(&["display-message", "-p", "#{buffer_name}"]), "other\n");
    let exists = env.ccmux(&["set-buffer", "-n", "buffer0"]);
    assert_eq!(exists.stderr, "buffer buffer0 already exists\n");
    let format = "#{buffer_name}|#{buffer_size}|#{buffer_sample}";
    let filter = "#{==:#{buffer_name},other}";
    assert_eq!(env.ok(&["list-buffers", "-F", format, "-f", filter]), "other|9|threefour\n");
    env.ok(&["set-option", "-g", "buffer-limit", "2"]);
    env.ok(&["set-buffer", "v"]);
    assert_eq!(env.ok(&["list-buffers", "-F", "#{buffer_name}"]), "buffer2\nother\nbuffer1\n");

    // What is not plain text, and longer than a sample.
    let text = format!("a\tb\x1b[1m\nüñ\\ \x01{}", "x".repeat(300));
    std::fs::write(env.home().join("in"), &text).expect("the home is writable");
    env.ok(&["load-buffer", "-b", "s", "in"]);
    let shown = env.ok(&["list-buffers", "-f", "#{==:#{buffer_name},s}"]);
    let start = format!("s: {} bytes: \"a\\tb\\033[1m\\nüñ\\\\ \\001xxx", text.len());
    assert!(shown.starts_with(&start) && shown.ends_with("xxx...\"\n"), "{shown}");
    env.ok(&["save-buffer", "-b", "s", "out"]);
    env.ok(&["save-buffer", "-a", "-b", "other", "out"]);
    let saved = std::fs::read_to_string(env.home().join("out")).expect("the file is there");
    assert_eq!(saved, format!("{text}threefour"));
}

#[test]
fn buffers_outlive_server_and_keepers_and_are_bounded() {
    let env = env_running("printf 'first\\nsecond'; sleep 1000");
    let client = env.attach(60, 11);
    client.wait_text("second");
    env.ok(&["capture-pane", "-b", "captured", "-E", "1"]);
    env.ok(&["set-buffer", "automatic"]);
    env.kill_server();
    assert_eq!(env.ok(&["show-buffer", "-b", "captured"]), "first\nsecond\n");
    // Written to the disk as part of a checkpoint, too.
    let server = env.server();
    server.signal(Signal::TERM);
    server.wait_gone();
    assert_eq!(env.ok(&["list-buffers", "-F", "#{buffer_name}"]), "buffer0\ncaptured\n");
    env.ok(&["set-buffer", "next"]);
    assert_eq!(env.ok(&["list-buffers", "-F", "#{buffer_name}"]), "buffer1\nbuffer0\ncaptured\n");

    std::fs::write(env.home().join("big"), vec![b'x'; 1024 * 1024 + 1]).expect("a file");
    let refused = env.ccmux(&["load-buffer", "big"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.starts_with("buffer too large: "), "{}", refused.stderr);
}

#[test]
fn a_buffer_is_pasted_as_the_program_wants_it() {
    let env = env_running(READER);
    let client = env.attach(60, 11);
    client.wait_text("ready");
    env.ok(&["set-buffer", "one\ntwo"]);
    client.type_keys("\x02]");
    client.wait_text("ready^[[200~one^Mtwo^[[201~");
    env.ok(&["paste-buffer", "-r", "-t", "%0"]);
    client.wait_text("[201~one");
    env.ok(&["paste-buffer", "-d", "-s", "+"]);
    client.wait_text("one+two");
    assert_eq!(env.ok(&["list-buffers"]), "");
}

#[test]
fn what_is_copied_in_copy_mode_is_a_buffer() {
    let env = env_running("printf 'word to copy'; sleep 1000");
    let client = env.attach(60, 11);
    client.wait_text("word to copy");
    env.ok(&["copy-mode"]);
    for command in ["start-of-line", "begin-selection", "end-of-line", "copy-selection-and-cancel"]
    {
        env.ok(&["send-keys", "-X", command]);
    }
    assert_eq!(env.ok(&["show-buffer"]), "word to copy");
}
