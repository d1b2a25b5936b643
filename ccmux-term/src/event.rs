//! What a program told the outside world: one-shot facts, taken by the owner of the terminal.

/// A fact for the outside of the terminal. None of them is part of a keyframe: the owner takes
/// them after each `advance`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// BEL. Consecutive bells count as one.
    Bell,
    /// The window title changed (OSC 0 and 2, or a title popped from the stack). The title itself
    /// is kept: see `Terminal::title`.
    Title(String),
    /// The icon name changed (OSC 0 and 1).
    IconName(String),
    /// The program named its working directory: the payload of OSC 7, usually a `file://` URL, or
    /// such a URL made of what OSC 9;9 or OSC 1337 told.
    Cwd(Vec<u8>),
    /// The program wants to set a clipboard (OSC 52); `data` is decoded.
    Clipboard {
        /// Selection letters as sent, for example `c` or `p`; empty means the default.
        selection: Vec<u8>,
        /// The new contents.
        data: Vec<u8>,
    },
    /// The program asks for the contents of a clipboard (OSC 52 with `?`). Nothing answers by
    /// itself.
    ClipboardQuery {
        /// Selection letters as sent.
        selection: Vec<u8>,
        /// What ends the answer: the same as ended the question.
        end: &'static str,
    },
    /// Bytes to write to the program's input, in order.
    Reply(Vec<u8>),
    /// A desktop notification (OSC 9, 99 and 777).
    Notification {
        /// Title; empty for OSC 9.
        title: String,
        /// Text.
        body: String,
    },
    /// Progress of a long task (OSC 9;4).
    Progress {
        /// 0 removes it, 1 normal, 2 error, 3 indeterminate, 4 paused.
        state: u8,
        /// Percent.
        percent: u8,
    },
    /// A command of the shell ended (OSC 133;D), with its exit status if the shell told.
    CommandEnd {
        /// Exit status.
        status: Option<i32>,
    },
    /// A sequence for the terminal outside (`DCS tmux; ... ST`), unwrapped. Nobody has looked at it.
    Passthrough(Vec<u8>),
    /// A shell integration mark other than a command's end was set on the cursor's line (OSC 133).
    Mark(crate::LineMarks),
    /// The program wants a screen of another size (DECCOLM, XTWINOPS 4, 8 and 24 and up, DECSNLS,
    /// DECSCPP). Whoever owns the size decides; the emulator goes on with the one that it has.
    SizeRequest(crate::Size),
    /// Lines of history before this number were cleared (ED 3 or a reset).
    HistoryCleared {
        /// First line that is left.
        before: u64,
    },
}
