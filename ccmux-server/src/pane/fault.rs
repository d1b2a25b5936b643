//! Faults of the emulator, kept to the pane whose output met them.
//!
//! A panic while output is applied would end the server, and the next one, which replays the same
//! output, too. So it is caught here: the pane goes on with an empty screen and says so, its
//! program and its history stay, and every other pane does not notice.

use std::panic::{AssertUnwindSafe, catch_unwind};

use ccmux_term::Terminal;

use crate::persistence::restoration::fault_mark;

/// Does `work`; a panic in it becomes an error that says why. What `work` changed is then to be
/// thrown away.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic".to_owned())
    })
}

/// Applies an input to a terminal. If that fails, the terminal is replaced by an empty one whose
/// history goes on where it was, and which says what happened.
pub(crate) fn apply(
    terminal: &mut Terminal,
    input: impl FnOnce(&mut Terminal),
) -> Result<(), String> {
    catch(|| input(terminal)).inspect_err(|_| {
        let mut fresh = terminal.after_failure();
        fresh.advance(fault_mark().as_bytes());
        *terminal = fresh;
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ccmux_term::Size;

    #[test]
    fn a_fault_costs_the_screen_and_nothing_else() {
        let mut terminal = Terminal::new(Size { cols: 60, rows: 3 });
        terminal.advance(b"1\r\n2\r\n3\r\n4\r\n5");
        assert_eq!(terminal.history_end(), 2);
        let result = apply(&mut terminal, |terminal| {
            terminal.advance(b"\r\nhalf of it");
            panic!("of {}", "the emulator");
        });
        assert_eq!(result, Err("of the emulator".to_owned()));
        assert_eq!(terminal.size(), Size { cols: 60, rows: 3 });
        assert!(terminal.text().contains("error in ccmux"), "{}", terminal.text());
        assert!(!terminal.text().contains("half"), "{}", terminal.text());
        assert_eq!(terminal.history_end(), 3, "numbers of lines are never used twice");
        assert_eq!(apply(&mut terminal, |terminal| terminal.advance(b"on\r\n")), Ok(()));
        assert!(terminal.text().contains("\non"), "{}", terminal.text());
    }
}
