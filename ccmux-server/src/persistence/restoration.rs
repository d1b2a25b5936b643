//! From a recovered state to what must be done about each pane: the policy, and its words.
//!
//! Pure but for two small files per pane: one holds its number, so that a keeper whose pane the
//! state does not know can be told from one whose record was lost; the other says that the pane
//! waits without a program, and shows it.

use std::io;
use std::path::Path;

use ccmux_core::ids::PaneId;
use ccmux_core::model::{Pane, Program, Timestamp};
use ccmux_term::Terminal;
use jiff::tz::TimeZone;

/// Name of the file with a pane's number.
const NUMBER_FILE: &str = "number";
/// Name of the file that is there while a pane waits for a key to start a shell.
const VACANT_FILE: &str = "vacant";

/// What becomes of a pane whose keeper is gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Its program had ended before; it goes on showing that.
    Remain,
    /// A program is started, and this said of it.
    Start(Program, &'static str),
    /// Nothing is started (`restore-command none`).
    Wait(&'static str),
}

/// What the policy (`restore-command`) says about a pane.
///
/// A program is run again only where the policy says `command`: running it twice may do harm that
/// a fresh shell cannot.
pub(crate) fn fate(pane: &Pane, policy: &str) -> Fate {
    if pane.ended.is_some() {
        return Fate::Remain;
    }
    let cwd = pane.cwd.clone().unwrap_or_else(|| pane.program.cwd.clone());
    match policy {
        "none" => Fate::Wait("its program is gone"),
        "command" if !pane.program.argv.is_empty() => {
            let program = Program { cwd, ..pane.program.clone() };
            Fate::Start(program, "its command was run again")
        }
        _ => {
            let program = Program { argv: Vec::new(), cwd, ..pane.program.clone() };
            Fate::Start(program, "this is a new shell")
        }
    }
}

/// What a pane of this age printed first is on the disk, if anything is.
const SETTLED_MS: u64 = 60_000;

/// Whether a pane has shown something that must be on the disk: its directory is in the log, which
/// is looked up when something was printed. What one that has only just begun printed may have been
/// on its way, but for a server that was told to stop, which leaves nothing there.
pub(crate) fn has_shown(pane: &Pane, now: Timestamp, is_after_shutdown: bool) -> bool {
    let is_settled = now.0.saturating_sub(pane.created.0) >= SETTLED_MS;
    pane.cwd.is_some() && (is_settled || is_after_shutdown)
}

/// Modes that a dead program may have left set, put back: mouse, paste, focus, keyboard, margins,
/// character sets, colours. Leaving the alternate screen is not among them: on the main screen that
/// would move the cursor to where it was last saved.
pub(crate) const CALM: &str = "\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\
    \x1b[?1006l\x1b[?1015l\x1b[?2004l\x1b[?2026l\x1b[<99u\x1b[>4m\x1b[!p";

/// Bytes that end what the lost program was drawing and say, dimly, what happened and when.
///
/// What a full-screen program showed is kept: it is printed once more on the main screen before
/// the mark.
pub(crate) fn restored_mark(terminal: &Terminal, now: Timestamp, what: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let was_full_screen = terminal.modes().alternate_screen;
    let picture = if was_full_screen { terminal.screen_lines() } else { Vec::new() };
    if was_full_screen {
        out.extend_from_slice(b"\x1b[?1049l\r\n");
    }
    out.extend_from_slice(CALM.as_bytes());
    let last = picture.iter().rposition(|line| !line.text.is_empty()).map_or(0, |at| at + 1);
    for line in &picture[..last] {
        out.extend_from_slice(&ccmux_term::compose::write_line(line));
        out.extend_from_slice(b"\x1b[m\r\n");
    }
    if !was_full_screen && terminal.cursor().x > 0 {
        out.extend_from_slice(b"\r\n");
    }
    let text = format!("\x1b[2m[restored {}: {what}]\x1b[m\r\n", local_time(now));
    out.extend_from_slice(text.as_bytes());
    out
}

/// Bytes that mark lost output.
pub(crate) fn gap_mark(bytes: u64) -> Vec<u8> {
    format!("\x1b[m\r\n\x1b[2m[{bytes} bytes of output are lost here]\x1b[m\r\n").into_bytes()
}

/// Bytes that say that output above them is not what the program printed.
pub(crate) fn doubt_mark(bytes: u64) -> Vec<u8> {
    format!("\x1b[m\r\n\x1b[2m[the last {bytes} bytes above this are of another program]\x1b[m\r\n")
        .into_bytes()
}

/// What a terminal shows that had to begin anew because the emulator failed.
pub(crate) fn fault_mark() -> &'static str {
    "\x1b[2m[an error in ccmux was met in this output; its screen begins anew here]\x1b[m\r\n"
}

/// A time as people write it, in the time zone of the system.
pub(crate) fn local_time(now: Timestamp) -> String {
    let millis = i64::try_from(now.0).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(millis) {
        Ok(time) => {
            time.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => format!("{} ms after 1970", now.0),
    }
}

/// Writes a pane's number beside its keeper's socket.
pub(crate) fn write_number(pane_dir: &Path, id: PaneId) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    writeln!(options.open(pane_dir.join(NUMBER_FILE))?, "{id}")
}

/// Reads a pane's number; `None` if it is not there or no number.
pub(crate) fn read_number(pane_dir: &Path) -> Option<PaneId> {
    std::fs::read_to_string(pane_dir.join(NUMBER_FILE)).ok()?.trim().parse().ok()
}

/// Whether a pane was said to wait, and nothing has been started in it since.
pub(crate) fn is_vacant(pane_dir: &Path) -> bool {
    pane_dir.join(VACANT_FILE).exists()
}

/// Notes that a pane says that it waits.
pub(crate) fn note_vacant(pane_dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(true).write(true).mode(0o600);
    options.open(pane_dir.join(VACANT_FILE)).map(drop)
}

/// A program is about to be started in a pane.
pub(crate) fn forget_vacant(pane_dir: &Path) -> io::Result<()> {
    match std::fs::remove_file(pane_dir.join(VACANT_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccmux_core::ids::{PaneUuid, WindowId};
    use ccmux_core::model::{Ended, Environment, ExitStatus, OptionSet};
    use ccmux_term::Size;

    fn pane(argv: &[&str]) -> Pane {
        Pane {
            id: PaneId(1),
            uuid: PaneUuid(uuid::Uuid::nil()),
            window: WindowId(1),
            program: Program {
                argv: argv.iter().map(|word| (*word).into()).collect(),
                cwd: "/start".into(),
                environment: Environment::new(),
            },
            cwd: Some("/last".into()),
            title: "".into(),
            created: Timestamp(0),
            ended: None,
            input_off: false,
            options: OptionSet::new(),
        }
    }

    #[test]
    fn a_command_is_run_again_only_where_the_policy_says_so() {
        let vim = pane(&["vim notes"]);
        let Fate::Start(program, _) = fate(&vim, "shell") else { panic!("a shell is started") };
        assert!(program.argv.is_empty());
        assert_eq!(program.cwd, "/last");
        let Fate::Start(program, _) = fate(&vim, "command") else { panic!("vim is started") };
        assert_eq!(program.argv, ["vim notes"]);
        assert!(matches!(fate(&vim, "none"), Fate::Wait(_)));
    }

    #[test]
    fn a_pane_whose_program_had_ended_stays_as_it_is() {
        let mut dead = pane(&[]);
        dead.ended = Some(Ended { status: ExitStatus::Code(1), time: Timestamp(5) });
        assert_eq!(fate(&dead, "command"), Fate::Remain);
    }

    #[test]
    fn a_full_screen_program_leaves_its_last_picture_and_no_modes() {
        let mut terminal = Terminal::new(Size { cols: 80, rows: 8 });
        terminal.advance(b"$ vim\r\n\x1b[?1049h\x1b[?1000h\x1b[?2004h\x1b[2J\x1b[Hthe text");
        let mark = restored_mark(&terminal, Timestamp(0), "this is a new shell");
        terminal.advance(&mark);
        let text = terminal.text();
        assert!(text.contains("$ vim") && text.contains("the text"), "{text}");
        assert!(text.contains("this is a new shell]"), "{text}");
        let modes = terminal.modes();
        assert!(!modes.alternate_screen && !modes.bracketed_paste);
        assert_eq!(modes.mouse, ccmux_term::MouseTracking::Off);
    }

    /// Leaving an alternate screen that is not shown would move the cursor: the mark was written
    /// over the last lines of the program.
    #[test]
    fn the_mark_comes_after_what_was_shown() {
        let mut terminal = Terminal::new(Size { cols: 80, rows: 8 });
        terminal.advance(b"$ one\r\ntwo\r\n$ ");
        let mark = restored_mark(&terminal, Timestamp(0), "this is a new shell");
        terminal.advance(&mark);
        let text = terminal.text();
        let lines: Vec<&str> = text.lines().take(3).map(str::trim_end).collect();
        assert_eq!(lines, ["$ one", "two", "$"], "{text}");
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        let dir = tempfile::TempDir::new().expect("a temporary directory");
        assert_eq!(read_number(dir.path()), None);
        write_number(dir.path(), PaneId(12)).expect("the number is written");
        assert_eq!(read_number(dir.path()), Some(PaneId(12)));
    }
}
