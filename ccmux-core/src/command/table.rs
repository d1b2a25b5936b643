//! The table of commands: every command there is, in alphabetical order.
//!
//! Names, aliases, flags and usage are those of tmux 3.3a, except that `refresh-client -l` takes no
//! value; `status` is ccmux's own. The command line, key bindings, completion and the manual all read this table.

use super::spec::{Blocks, CommandSpec};

/// No arguments besides flags.
const NONE: (usize, Option<usize>) = (0, Some(0));
/// One argument or none.
const OPTIONAL: (usize, Option<usize>) = (0, Some(1));
/// Exactly one argument.
const ONE: (usize, Option<usize>) = (1, Some(1));

/// Every command.
pub const COMMANDS: &[CommandSpec] = &[
    CommandSpec::new(
        ("attach-session", "attach"),
        "c:df:rt:xE",
        NONE,
        "[-dErx] [-c working-directory] [-f flags] [-t target-session]",
        "Attach a client to a session",
    )
    .starting_server(),
    CommandSpec::new(
        ("bind-key", "bind"),
        "nrN:T:",
        (1, None),
        "[-nr] [-T key-table] [-N note] key [command [arguments]]",
        "Bind a key to commands",
    )
    .blocks(Blocks::From(1)),
    CommandSpec::new(
        ("break-pane", "breakp"),
        "abdn:s:t:F:P",
        NONE,
        "[-abdP] [-F format] [-n window-name] [-s src-pane] [-t dst-window]",
        "Move a pane to a window of its own",
    ),
    CommandSpec::new(
        ("capture-pane", "capturep"),
        "ab:epqt:CE:JNPS:",
        NONE,
        "[-aCeJNpPq] [-b buffer-name] [-E end-line] [-S start-line] [-t target-pane]",
        "Print what a pane shows or has shown",
    ),
    CommandSpec::new(
        ("clear-history", "clearhist"),
        "t:",
        NONE,
        "[-t target-pane]",
        "Forget what scrolled out of a pane",
    ),
    CommandSpec::new(
        ("command-prompt", ""),
        "bikp:t:FI:NT:1",
        OPTIONAL,
        "[-1bFkiN] [-I inputs] [-p prompts] [-t target-client] [-T type] [template]",
        "Ask for text and run commands made from it",
    )
    .blocks(Blocks::From(0)),
    CommandSpec::new(
        ("confirm-before", "confirm"),
        "bp:t:",
        ONE,
        "[-b] [-p prompt] [-t target-client] command",
        "Ask before running a command",
    )
    .blocks(Blocks::From(0)),
    CommandSpec::new(
        ("copy-mode", ""),
        "eqs:t:uHM",
        NONE,
        "[-eHMuq] [-s src-pane] [-t target-pane]",
        "Look at, search and copy the history of a pane",
    ),
    CommandSpec::new(
        ("detach-client", "detach"),
        "as:t:E:P",
        NONE,
        "[-aP] [-E shell-command] [-s target-session] [-t target-client]",
        "Detach clients from their session",
    ),
    CommandSpec::new(
        ("display-message", "display"),
        "ac:d:pt:vF:IN",
        OPTIONAL,
        "[-aINpv] [-c target-client] [-d delay] [-F format] [-t target-pane] [message]",
        "Show or print a message made from a format",
    ),
    CommandSpec::new(
        ("has-session", "has"),
        "t:",
        NONE,
        "[-t target-session]",
        "Fail unless a session exists",
    ),
    CommandSpec::new(
        ("if-shell", "if"),
        "bt:F",
        (2, Some(3)),
        "[-bF] [-t target-pane] shell-command command [command]",
        "Run commands if a shell command or a format is true",
    )
    .blocks(Blocks::From(1)),
    CommandSpec::new(
        ("join-pane", "joinp"),
        "bdfhl:p:s:t:v",
        NONE,
        "[-bdfhv] [-l size] [-s src-pane] [-t dst-pane]",
        "Move a pane into another window",
    ),
    CommandSpec::new(
        ("kill-pane", "killp"),
        "at:",
        NONE,
        "[-a] [-t target-pane]",
        "Close a pane and end its program",
    ),
    CommandSpec::new(
        ("kill-server", ""),
        "",
        NONE,
        "",
        "Close every session and stop the server",
    ),
    CommandSpec::new(
        ("kill-session", ""),
        "at:C",
        NONE,
        "[-aC] [-t target-session]",
        "Close a session",
    ),
    CommandSpec::new(
        ("kill-window", "killw"),
        "at:",
        NONE,
        "[-a] [-t target-window]",
        "Close a window",
    ),
    CommandSpec::new(
        ("last-pane", "lastp"),
        "det:Z",
        NONE,
        "[-deZ] [-t target-window]",
        "Select the pane that was active before",
    ),
    CommandSpec::new(
        ("last-window", "last"),
        "t:",
        NONE,
        "[-t target-session]",
        "Select the window that was current before",
    ),
    CommandSpec::new(
        ("list-clients", "lsc"),
        "t:F:",
        NONE,
        "[-F format] [-t target-session]",
        "List attached clients",
    ),
    CommandSpec::new(
        ("list-commands", "lscm"),
        "F:",
        OPTIONAL,
        "[-F format] [command]",
        "List commands and how to call them",
    ),
    CommandSpec::new(
        ("list-keys", "lsk"),
        "aNP:T:1",
        OPTIONAL,
        "[-1aN] [-P prefix-string] [-T key-table] [key]",
        "List key bindings",
    ),
    CommandSpec::new(
        ("list-panes", "lsp"),
        "af:st:F:",
        NONE,
        "[-as] [-F format] [-f filter] [-t target-window]",
        "List panes",
    ),
    CommandSpec::new(
        ("list-sessions", "ls"),
        "f:F:",
        NONE,
        "[-F format] [-f filter]",
        "List sessions",
    ),
    CommandSpec::new(
        ("list-windows", "lsw"),
        "af:t:F:",
        NONE,
        "[-a] [-F format] [-f filter] [-t target-session]",
        "List windows",
    ),
    CommandSpec::new(
        ("move-window", "movew"),
        "abdkrs:t:",
        NONE,
        "[-abdkr] [-s src-window] [-t dst-window]",
        "Move a window to another index or session",
    ),
    CommandSpec::new(
        ("new-session", "new"),
        "c:de:f:n:s:t:x:y:ADEF:PX",
        (0, None),
        "[-AdDEPX] [-c start-directory] [-e environment] [-F format] [-f flags] [-n window-name] [-s session-name] [-t target-session] [-x width] [-y height] [shell-command]",
        "Create a session",
    )
    .starting_server(),
    CommandSpec::new(
        ("new-window", "neww"),
        "abc:de:kn:t:F:PS",
        (0, None),
        "[-abdkPS] [-c start-directory] [-e environment] [-F format] [-n window-name] [-t target-window] [shell-command]",
        "Create a window",
    ),
    CommandSpec::new(
        ("next-layout", "nextl"),
        "t:",
        NONE,
        "[-t target-window]",
        "Arrange panes by the next preset layout",
    ),
    CommandSpec::new(
        ("next-window", "next"),
        "at:",
        NONE,
        "[-a] [-t target-session]",
        "Select the next window",
    ),
    CommandSpec::new(
        ("previous-layout", "prevl"),
        "t:",
        NONE,
        "[-t target-window]",
        "Arrange panes by the previous preset layout",
    ),
    CommandSpec::new(
        ("previous-window", "prev"),
        "at:",
        NONE,
        "[-a] [-t target-session]",
        "Select the previous window",
    ),
    CommandSpec::new(
        ("refresh-client", "refresh"),
        "cf:lt:A:B:C:DF:LRSU",
        OPTIONAL,
        "[-cDlLRSU] [-A pane:state] [-B name:what:format] [-C XxY] [-f flags] [-t target-client] [adjustment]",
        "Draw a client anew",
    ),
    CommandSpec::new(
        ("rename-session", "rename"),
        "t:",
        ONE,
        "[-t target-session] new-name",
        "Rename a session",
    ),
    CommandSpec::new(
        ("rename-window", "renamew"),
        "t:",
        ONE,
        "[-t target-window] new-name",
        "Rename a window",
    ),
    CommandSpec::new(
        ("resize-pane", "resizep"),
        "t:x:y:DLMRTUZ",
        OPTIONAL,
        "[-DLMRTUZ] [-x width] [-y height] [-t target-pane] [adjustment]",
        "Resize or zoom a pane",
    ),
    CommandSpec::new(
        ("respawn-pane", "respawnp"),
        "c:e:kt:",
        (0, None),
        "[-k] [-c start-directory] [-e environment] [-t target-pane] [shell-command]",
        "Start the program of a pane again",
    ),
    CommandSpec::new(
        ("rotate-window", "rotatew"),
        "t:DUZ",
        NONE,
        "[-DUZ] [-t target-window]",
        "Rotate the panes of a window",
    ),
    CommandSpec::new(
        ("run-shell", "run"),
        "bd:t:C",
        OPTIONAL,
        "[-bC] [-d delay] [-t target-pane] [shell-command]",
        "Run a shell command, or ccmux commands after a delay",
    )
    .blocks(Blocks::WithFlag('C')),
    CommandSpec::new(
        ("select-layout", "selectl"),
        "nopt:E",
        OPTIONAL,
        "[-Enop] [-t target-pane] [layout-name]",
        "Arrange the panes of a window",
    ),
    CommandSpec::new(
        ("select-pane", "selectp"),
        "deglmt:DLMP:RT:UZ",
        NONE,
        "[-DdeLlMmRUZ] [-T title] [-t target-pane]",
        "Make a pane the active one",
    ),
    CommandSpec::new(
        ("select-window", "selectw"),
        "lnpt:T",
        NONE,
        "[-lnpT] [-t target-window]",
        "Make a window the current one",
    ),
    CommandSpec::new(
        ("send-keys", "send"),
        "lt:FHMN:RX",
        (0, None),
        "[-FHlMRX] [-N repeat-count] [-t target-pane] key ...",
        "Send keys to a pane or to its mode",
    ),
    CommandSpec::new(
        ("send-prefix", ""),
        "t:2",
        NONE,
        "[-2] [-t target-pane]",
        "Send the prefix key to a pane",
    ),
    CommandSpec::new(
        ("set-environment", "setenv"),
        "ghrt:uF",
        (1, Some(2)),
        "[-Fhgru] [-t target-session] name [value]",
        "Set or unset an environment variable for new programs",
    ),
    CommandSpec::new(
        ("set-option", "set"),
        "agopqst:uwFU",
        (1, Some(2)),
        "[-aFgopqsuUw] [-t target-pane] option [value]",
        "Set or unset an option",
    )
    .blocks(Blocks::From(1)),
    CommandSpec::new(
        ("set-window-option", "setw"),
        "agoqt:uF",
        (1, Some(2)),
        "[-aFgoqu] [-t target-window] option [value]",
        "Set or unset a window option",
    )
    .blocks(Blocks::From(1)),
    CommandSpec::new(
        ("show-environment", "showenv"),
        "ghst:",
        OPTIONAL,
        "[-hgs] [-t target-session] [name]",
        "Show environment variables",
    ),
    CommandSpec::new(
        ("show-options", "show"),
        "gpqst:vwAH",
        OPTIONAL,
        "[-AgHpqsvw] [-t target-pane] [option]",
        "Show options",
    ),
    CommandSpec::new(
        ("show-window-options", "showw"),
        "gt:v",
        OPTIONAL,
        "[-gv] [-t target-window] [option]",
        "Show window options",
    ),
    CommandSpec::new(
        ("source-file", "source"),
        "nqvF",
        (1, None),
        "[-Fnqv] path ...",
        "Run the commands of files",
    ),
    CommandSpec::new(
        ("split-window", "splitw"),
        "bc:de:fhl:p:t:vF:IPZ",
        (0, None),
        "[-bdfhIPvZ] [-c start-directory] [-e environment] [-F format] [-l size] [-t target-pane] [shell-command]",
        "Split a pane in two",
    ),
    CommandSpec::new(
        ("start-server", "start"),
        "",
        NONE,
        "",
        "Start the server",
    )
    .starting_server(),
    CommandSpec::new(
        ("status", ""),
        "j",
        NONE,
        "[-j]",
        "Tell how the server is: pid, panes, whether all is on the disk",
    )
    .long_flags(&[("json", 'j')]),
    CommandSpec::new(
        ("swap-pane", "swapp"),
        "ds:t:DUZ",
        NONE,
        "[-dDUZ] [-s src-pane] [-t dst-pane]",
        "Swap two panes",
    ),
    CommandSpec::new(
        ("swap-window", "swapw"),
        "ds:t:",
        NONE,
        "[-d] [-s src-window] [-t dst-window]",
        "Swap two windows",
    ),
    CommandSpec::new(
        ("switch-client", "switchc"),
        "c:lnprt:EFT:Z",
        NONE,
        "[-ElnprZ] [-c target-client] [-t target-session] [-T key-table]",
        "Switch a client to another session",
    ),
    CommandSpec::new(
        ("unbind-key", "unbind"),
        "anqT:",
        OPTIONAL,
        "[-anq] [-T key-table] key",
        "Unbind a key",
    ),
];
