//! The table of options: tmux's, and a few of ccmux's own.
//!
//! ccmux's own: `restore-command`, `scope-command`, `history-disk-limit`, `history-disk-total`, `history-keep-closed`; `history-limit` knows `unlimited`, which is its default.
//! Defaults that differ from tmux's: none that a script could notice, apart from those.

use super::spec::OptionKind::{
    self, Choice, Colour, Command, Extent, Flag, Key, Limit, Size, String, Style,
};
use super::spec::{OptionSpec, Scopes};

const SERVER: Scopes = Scopes::SERVER;
const SESSION: Scopes = Scopes::SESSION;
const WINDOW: Scopes = Scopes::WINDOW;
/// Of a window, and of each of its panes if set there.
const PANES: Scopes = Scopes::WINDOW.union(Scopes::PANE);

/// The greatest number tmux accepts where it names no bound.
const INT_MAX: i64 = i32::MAX as i64;

const BELL: &[&str] = &["none", "any", "current", "other"];
const VISUAL: &[&str] = &["off", "on", "both"];
const CURSOR: &[&str] = &[
    "default",
    "blinking-block",
    "block",
    "blinking-underline",
    "underline",
    "blinking-bar",
    "bar",
];
const BOX: &[&str] = &["single", "double", "heavy", "simple", "rounded", "padded", "none"];

/// The first line holds left part, window list and right part; the second lists panes.
const STATUS_FORMATS: &[&str] = &[STATUS_LINE, STATUS_PANES];

/// What stands before a window in the list: what a click on it means, and its style. A style that
/// is `default` is left out, because it would undo the ones before it.
macro_rules! window_entry {
    ($range:literal, $style:literal) => {
        concat!(
            "#[range=window|#{window_index} ",
            $range,
            $style,
            "#{?#{&&:#{window_last_flag},#{!=:#{E:window-status-last-style},default}}, ",
            "#{E:window-status-last-style},}",
            "#{?#{&&:#{window_bell_flag},#{!=:#{E:window-status-bell-style},default}}, ",
            "#{E:window-status-bell-style},",
            "#{?#{&&:#{||:#{window_activity_flag},#{window_silence_flag}},",
            "#{!=:#{E:window-status-activity-style},default}}, ",
            "#{E:window-status-activity-style},}}]"
        )
    };
}

const STATUS_LINE: &str = concat!(
    "#[align=left range=left #{E:status-left-style}]#[push-default]",
    "#{T;=/#{status-left-length}:status-left}#[pop-default]#[norange default]",
    "#[list=on align=#{status-justify}]",
    "#[list=left-marker]<#[list=right-marker]>#[list=on]#{W:",
    window_entry!("", "#{E:window-status-style}"),
    "#[push-default]#{T:window-status-format}#[pop-default]#[norange default]",
    "#{?window_end_flag,,#{window-status-separator}},",
    window_entry!(
        "list=focus ",
        "#{?#{!=:#{E:window-status-current-style},default},#{E:window-status-current-style},\
         #{E:window-status-style}}"
    ),
    "#[push-default]#{T:window-status-current-format}#[pop-default]#[norange list=on default]",
    "#{?window_end_flag,,#{window-status-separator}}}",
    "#[nolist align=right range=right #{E:status-right-style}]#[push-default]",
    "#{T;=/#{status-right-length}:status-right}#[pop-default]#[norange default]",
);

const STATUS_PANES: &str = "#[align=centre]#{P:#{?pane_active,#[reverse],}\
                            #{pane_index}[#{pane_width}x#{pane_height}]#[default] }";

const fn new(
    name: &'static str,
    scopes: Scopes,
    kind: OptionKind,
    default: &'static str,
    summary: &'static str,
) -> OptionSpec {
    OptionSpec::new(name, scopes, kind, default, summary)
}

const fn number(min: i64, max: i64) -> OptionKind {
    OptionKind::Number { min, max }
}

const fn hook(name: &'static str, scopes: Scopes) -> OptionSpec {
    new(name, scopes, Command, "", "Commands that run on this event.").array(&[], "").not_yet()
}

/// Every option, in the order in which `show-options` prints them.
pub(super) static TABLE: &[OptionSpec] = &[
    // Of the server.
    new("backspace", SERVER, Key, "C-?", "What the backspace key sends to programs.").not_yet(),
    new("buffer-limit", SERVER, number(1, INT_MAX), "50", "How many automatic paste buffers are kept."),
    new("command-alias", SERVER, String, "", "Names of one's own for commands: name=command.").array(&["split-pane=split-window", "splitp=split-window", "server-info=show-messages -JT", "info=show-messages -JT", "choose-window=choose-tree -w", "choose-session=choose-tree -s"], ","),
    new("copy-command", SERVER, String, "", "Shell command that gets text when it is copied.").not_yet(),
    new("codepoint-widths", SERVER, String, "", "Columns of characters, over the built-in ones: U+2500=2, U+E0B0-U+E0D6=1, or ambiguous=2 for those of ambiguous East Asian width.").array(&[], ","),
    new("default-client-command", SERVER, Command, "new-session", "What runs when no command is given.").not_yet(),
    new("default-terminal", SERVER, String, "tmux-256color", "TERM of programs in panes."),
    new("editor", SERVER, String, "vi", "The editor for files.").not_yet(),
    new("escape-time", SERVER, number(0, INT_MAX), "10", "Milliseconds to wait for the rest of an escape sequence."),
    new("exit-empty", SERVER, Flag, "on", "Whether the server ends when the last session has closed."),
    new("exit-unattached", SERVER, Flag, "off", "Whether the server ends when no client is attached.").not_yet(),
    new("extended-keys", SERVER, Choice(&["off", "on", "always"]), "off", "Whether modified keys are sent in an extended form.").not_yet(),
    new("extended-keys-format", SERVER, Choice(&["csi-u", "xterm"]), "xterm", "The form of extended keys.").not_yet(),
    new("focus-events", SERVER, Flag, "off", "Whether programs are told when their terminal gains or loses focus.").not_yet(),
    new("get-clipboard", SERVER, Choice(&["off", "buffer", "request", "both"]), "buffer", "What answers a program that asks for the clipboard.").not_yet(),
    new("history-disk-total", SERVER, number(1, INT_MAX), "8192", "MiB of disk that the history of all panes takes; beyond it closed panes go, then the longest one loses its oldest lines."),
    new("history-file", SERVER, String, "", "File that keeps the history of the command prompt.").not_yet(),
    new("history-keep-closed", SERVER, number(0, INT_MAX), "3600", "Seconds for which the output of a closed pane is kept; 0 removes it at once."),
    new("input-buffer-size", SERVER, number(1, INT_MAX), "1048576", "Longest single escape sequence, in bytes.").not_yet(),
    new("message-limit", SERVER, number(0, INT_MAX), "1000", "How many messages the message log keeps.").not_yet(),
    new("prefix-timeout", SERVER, number(0, INT_MAX), "0", "Milliseconds after which a prefix key is forgotten; 0 never.").not_yet(),
    new("prompt-history-limit", SERVER, number(0, INT_MAX), "100", "How many lines the history of the command prompt keeps.").not_yet(),
    new("scope-command", SERVER, String, "auto", "Shell command that puts a new keeper in a scope of its own ($1 its name, $2 and $3 the processes); auto asks systemd, empty does nothing."),
    new("set-clipboard", SERVER, Choice(&["off", "external", "on"]), "external", "Whether copying, and programs, may set the clipboard."),
    new("terminal-features", SERVER, String, "", "What terminals can do beyond what their names say: pattern:feature:feature.").array(&["xterm*:clipboard:ccolour:cstyle:focus:title", "screen*:title", "rxvt*:ignorefkeys"], ","),
    new("terminal-overrides", SERVER, String, "", "Capabilities that terminals have or lack: pattern:Tc:Smulx@.").array(&["linux*:AX@"], ","),
    new("user-keys", SERVER, String, "", "Escape sequences that become the keys User0, User1, ...").array(&[], ",").not_yet(),
    new("variation-selector-always-wide", SERVER, Flag, "on", "Whether a character followed by VS16 is always wide."),
    // Of the sessions.
    new("activity-action", SESSION, Choice(BELL), "other", "Which windows' activity is told.").not_yet(),
    new("assume-paste-time", SESSION, number(0, INT_MAX), "1", "Milliseconds between keys below which they count as pasted.").not_yet(),
    new("base-index", SESSION, number(0, INT_MAX), "0", "Index of the first window of a session."),
    new("bell-action", SESSION, Choice(BELL), "any", "Which windows' bells are told.").not_yet(),
    new("default-command", SESSION, String, "", "Command of new panes; empty starts a login shell."),
    new("default-shell", SESSION, String, "/bin/sh", "The shell of new panes."),
    new("default-size", SESSION, Size, "80x24", "Size of windows that no client shows."),
    new("destroy-unattached", SESSION, Choice(&["off", "on", "keep-last", "keep-group"]), "off", "Whether a session closes when its last client detaches.").not_yet(),
    new("detach-on-destroy", SESSION, Choice(&["off", "on", "no-detached", "previous", "next"]), "on", "Whether a client detaches when its session closes, or goes to another one."),
    new("display-panes-active-colour", SESSION, Colour, "red", "Colour of the active pane's number.").not_yet(),
    new("display-panes-colour", SESSION, Colour, "blue", "Colour of the other panes' numbers.").not_yet(),
    new("display-panes-time", SESSION, number(1, INT_MAX), "1000", "Milliseconds for which the numbers of panes are shown.").not_yet(),
    new("display-time", SESSION, number(0, INT_MAX), "750", "Milliseconds for which a message is shown; 0 until a key."),
    new("focus-follows-mouse", SESSION, Flag, "off", "Whether the mouse selects the pane below it.").not_yet(),
    new("history-limit", SESSION, Limit, "unlimited", "Lines of history that a pane keeps; unlimited leaves it to the limits on disk space."),
    new("initial-repeat-time", SESSION, number(0, 2_000_000), "0", "Milliseconds to wait for the first repetition of a key; 0 takes repeat-time.").not_yet(),
    new("key-table", SESSION, String, "root", "The key table in which keys are looked up first.").not_yet(),
    new("lock-after-time", SESSION, number(0, INT_MAX), "0", "Seconds without input after which a client locks.").not_yet(),
    new("lock-command", SESSION, String, "lock -np", "Shell command that locks a client.").not_yet(),
    new("message-command-style", SESSION, Style, "bg=black,fg=yellow", "Style of the prompt in the command mode of vi keys.").not_yet(),
    new("message-line", SESSION, Choice(&["0", "1", "2", "3", "4"]), "0", "Status line that messages are shown on.").not_yet(),
    new("message-style", SESSION, Style, "bg=yellow,fg=black", "Style of messages and the prompt."),
    new("mouse", SESSION, Flag, "off", "Whether the mouse selects, resizes and scrolls panes."),
    new("prefix", SESSION, Key, "C-b", "The prefix key."),
    new("prefix2", SESSION, Key, "None", "Another prefix key."),
    new("prompt-command-cursor-style", SESSION, Choice(CURSOR), "default", "Cursor of the prompt in the command mode of vi keys.").not_yet(),
    new("prompt-cursor-colour", SESSION, Colour, "none", "Colour of the prompt's cursor.").not_yet(),
    new("prompt-cursor-style", SESSION, Choice(CURSOR), "default", "Cursor of the prompt.").not_yet(),
    new("renumber-windows", SESSION, Flag, "off", "Whether windows close the gaps between their indexes."),
    new("repeat-time", SESSION, number(0, 2_000_000), "500", "Milliseconds in which a repeatable key needs no prefix."),
    new("restore-command", SESSION, Choice(&["shell", "command", "none"]), "shell", "What a pane whose program did not survive starts: a shell in its last directory, the program again, or nothing until a key."),
    new("set-titles", SESSION, Flag, "off", "Whether the title of the client's terminal is set."),
    new("set-titles-string", SESSION, String, r##"#S:#I:#W - "#T" #{session_alerts}"##, "That title."),
    new("silence-action", SESSION, Choice(BELL), "other", "Which windows' silence is told.").not_yet(),
    new("status", SESSION, Choice(&["off", "on", "2", "3", "4", "5"]), "on", "Number of status lines."),
    new("status-bg", SESSION, Colour, "default", "Background of the status line, over status-style."),
    new("status-fg", SESSION, Colour, "default", "Foreground of the status line, over status-style."),
    new("status-format", SESSION, String, "", "The status lines, one format each.").array(STATUS_FORMATS, ""),
    new("status-interval", SESSION, number(0, INT_MAX), "15", "Seconds between redraws of the status line; 0 never."),
    new("status-justify", SESSION, Choice(&["left", "centre", "right", "absolute-centre"]), "left", "Where the window list lies."),
    new("status-keys", SESSION, Choice(&["emacs", "vi"]), "emacs", "Keys of the prompt.").not_yet(),
    new("status-left", SESSION, String, "[#{session_name}] ", "Left part of the status line."),
    new("status-left-length", SESSION, number(0, 32767), "10", "Its greatest width."),
    new("status-left-style", SESSION, Style, "default", "Its style."),
    new("status-position", SESSION, Choice(&["top", "bottom"]), "bottom", "Where the status line lies."),
    new("status-right", SESSION, String, r##"#{?window_bigger,[#{window_offset_x}#,#{window_offset_y}] ,}"#{=21:pane_title}" %H:%M %d-%b-%y"##, "Right part of the status line."),
    new("status-right-length", SESSION, number(0, 32767), "40", "Its greatest width."),
    new("status-right-style", SESSION, Style, "default", "Its style."),
    new("status-style", SESSION, Style, "bg=green,fg=black", "Style of the status line."),
    new("update-environment", SESSION, String, "", "Variables that a session takes over from a client that attaches.").array(&["DISPLAY", "KRB5CCNAME", "MSYSTEM", "SSH_ASKPASS", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_CONNECTION", "WINDOWID", "XAUTHORITY"], " ,"),
    new("visual-activity", SESSION, Choice(VISUAL), "off", "How activity is shown.").not_yet(),
    new("visual-bell", SESSION, Choice(VISUAL), "off", "How a bell is shown.").not_yet(),
    new("visual-silence", SESSION, Choice(VISUAL), "off", "How silence is shown.").not_yet(),
    new("word-separators", SESSION, String, r##"!"#$%&'()*+,-./:;<=>?@[\]^`{|}~"##, "What divides words in copy mode."),
    // Of the windows and panes.
    new("aggressive-resize", WINDOW, Flag, "off", "Whether only sessions that show a window give it its size.").not_yet(),
    new("allow-passthrough", PANES, Choice(&["off", "on", "all"]), "off", "Whether programs may send sequences straight to terminals: on to those that show the pane, all to those whose session has it."),
    new("allow-rename", PANES, Flag, "off", "Whether programs may rename their window.").not_yet(),
    new("allow-set-title", PANES, Flag, "on", "Whether programs may set their pane's title.").not_yet(),
    new("alternate-screen", PANES, Flag, "on", "Whether programs may use the alternate screen.").not_yet(),
    new("automatic-rename", WINDOW, Flag, "on", "Whether a window takes the name of what runs in it."),
    new("automatic-rename-format", WINDOW, String, "#{?pane_in_mode,[tmux],#{pane_current_command}}#{?pane_dead,[dead],}", "That name.").not_yet(),
    new("clock-mode-colour", WINDOW, Colour, "blue", "Colour of the clock.").not_yet(),
    new("clock-mode-style", WINDOW, Choice(&["12", "24", "12-with-seconds", "24-with-seconds"]), "24", "Form of the clock.").not_yet(),
    new("copy-mode-current-match-style", WINDOW, Style, "bg=magenta,fg=black", "Style of the match that the search is at."),
    new("copy-mode-mark-style", WINDOW, Style, "bg=red,fg=black", "Style of the marked line.").not_yet(),
    new("copy-mode-match-style", WINDOW, Style, "bg=cyan,fg=black", "Style of the other matches."),
    new("copy-mode-position-format", PANES, String, "#[align=right]#{t/p:top_line_time}#{?#{e|>:#{top_line_time},0}, ,}[#{scroll_position}/#{history_size}]#{?search_timed_out, (timed out),#{?search_count, (#{search_count}#{?search_count_partial,+,} results),}}", "Position shown in copy mode."),
    new("copy-mode-position-style", WINDOW, Style, "#{E:mode-style}", "Its style."),
    new("copy-mode-selection-style", WINDOW, Style, "#{E:mode-style}", "Style of the selection.").not_yet(),
    new("cursor-colour", PANES, Colour, "none", "Colour of the cursor.").not_yet(),
    new("cursor-style", PANES, Choice(CURSOR), "default", "Shape of the cursor.").not_yet(),
    new("fill-character", WINDOW, String, "", "What fills the part of a client's terminal that the window does not.").not_yet(),
    new("history-disk-limit", PANES, number(1, INT_MAX), "1024", "MiB of disk that the history of a pane takes; beyond it its oldest lines go."),
    new("history-persist", PANES, Flag, "on", "Whether what is printed may be kept on the disk."),
    new("main-pane-height", WINDOW, Extent, "24", "Height of the main pane of main-horizontal."),
    new("main-pane-width", WINDOW, Extent, "80", "Width of the main pane of main-vertical."),
    new("menu-border-lines", WINDOW, Choice(BOX), "single", "Lines around menus.").not_yet(),
    new("menu-border-style", WINDOW, Style, "default", "Style of those lines.").not_yet(),
    new("menu-selected-style", WINDOW, Style, "bg=yellow,fg=black", "Style of the chosen item of a menu.").not_yet(),
    new("menu-style", WINDOW, Style, "default", "Style of menus.").not_yet(),
    new("mode-keys", WINDOW, Choice(&["emacs", "vi"]), "emacs", "Keys of copy mode."),
    new("mode-style", WINDOW, Style, "bg=yellow,fg=black", "Style of selections and indicators in modes."),
    new("monitor-activity", WINDOW, Flag, "off", "Whether activity in a window is told.").not_yet(),
    new("monitor-bell", WINDOW, Flag, "on", "Whether a bell in a window is told.").not_yet(),
    new("monitor-silence", WINDOW, number(0, INT_MAX), "0", "Seconds of silence after which it is told; 0 never.").not_yet(),
    new("other-pane-height", WINDOW, Extent, "0", "Height of the other panes of main-horizontal; 0 leaves it to main-pane-height."),
    new("other-pane-width", WINDOW, Extent, "0", "Width of the other panes of main-vertical; 0 leaves it to main-pane-width."),
    new("pane-active-border-style", WINDOW, Style, "#{?pane_in_mode,fg=yellow,#{?synchronize-panes,fg=red,fg=green}}", "Style of the active pane's border."),
    new("pane-base-index", WINDOW, number(0, 65535), "0", "Index of the first pane of a window."),
    new("pane-border-format", PANES, String, r##"#{?pane_active,#[reverse],}#{pane_index}#[default] "#{pane_title}""##, "Text on a pane's border.").not_yet(),
    new("pane-border-indicators", WINDOW, Choice(&["off", "colour", "arrows", "both"]), "colour", "How borders show which pane is active.").not_yet(),
    new("pane-border-lines", WINDOW, Choice(&["single", "double", "heavy", "simple", "number", "spaces"]), "single", "Lines between panes.").not_yet(),
    new("pane-border-status", WINDOW, Choice(&["off", "top", "bottom"]), "off", "Whether borders carry text.").not_yet(),
    new("pane-border-style", WINDOW, Style, "default", "Style of the other borders."),
    new("pane-colours", PANES, Colour, "", "The palette of a pane.").array(&[], ",").not_yet(),
    new("pane-scrollbars", WINDOW, Choice(&["off", "modal", "on"]), "off", "Whether panes have scroll bars.").not_yet(),
    new("pane-scrollbars-position", WINDOW, Choice(&["right", "left"]), "right", "Where scroll bars lie.").not_yet(),
    new("pane-scrollbars-style", PANES, Style, "bg=black,fg=white,width=1,pad=0", "Style of scroll bars.").not_yet(),
    new("pane-status-current-style", WINDOW, Style, "default", "Style of the active pane in a status line of panes.").not_yet(),
    new("pane-status-style", WINDOW, Style, "default", "Style of the other panes there.").not_yet(),
    new("popup-border-lines", WINDOW, Choice(BOX), "single", "Lines around popups.").not_yet(),
    new("popup-border-style", WINDOW, Style, "default", "Style of those lines.").not_yet(),
    new("popup-style", WINDOW, Style, "default", "Style of popups.").not_yet(),
    new("remain-on-exit", PANES, Choice(&["off", "on", "failed"]), "off", "Whether a pane stays when its program has ended."),
    new("remain-on-exit-format", PANES, String, "Pane is dead (#{?#{!=:#{pane_dead_status},},status #{pane_dead_status},}#{?#{!=:#{pane_dead_signal},},signal #{pane_dead_signal},}, #{t:pane_dead_time})", "What such a pane says."),
    new("scroll-on-clear", PANES, Flag, "on", "Whether clearing the screen moves it into history."),
    new("session-status-current-style", WINDOW, Style, "default", "Style of the present session in a status line of sessions.").not_yet(),
    new("session-status-style", WINDOW, Style, "default", "Style of the other sessions there.").not_yet(),
    new("synchronize-panes", PANES, Flag, "off", "Whether what is typed goes to all panes of the window."),
    new("tiled-layout-max-columns", WINDOW, number(0, 65535), "0", "Most columns of the tiled layout; 0 is no limit."),
    new("window-active-style", PANES, Style, "default", "Style of text in the active pane.").not_yet(),
    new("window-size", WINDOW, Choice(&["largest", "smallest", "manual", "latest"]), "latest", "Which of its clients gives a session its size; manual for a size set by resize-window, or default-size."),
    new("window-status-activity-style", WINDOW, Style, "reverse", "Style of windows with activity.").not_yet(),
    new("window-status-bell-style", WINDOW, Style, "reverse", "Style of windows with a bell.").not_yet(),
    new("window-status-current-format", WINDOW, String, "#I:#W#{?window_flags,#{window_flags}, }", "The current window in the status line."),
    new("window-status-current-style", WINDOW, Style, "default", "Its style."),
    new("window-status-format", WINDOW, String, "#I:#W#{?window_flags,#{window_flags}, }", "The other windows in the status line."),
    new("window-status-last-style", WINDOW, Style, "default", "Style of the last window."),
    new("window-status-separator", WINDOW, String, " ", "What stands between windows."),
    new("window-status-style", WINDOW, Style, "default", "Style of the other windows."),
    new("window-style", PANES, Style, "default", "Style of text in the other panes.").not_yet(),
    new("wrap-search", WINDOW, Flag, "on", "Whether a search goes on at the other end."),
    new("xterm-keys", WINDOW, Flag, "on", "Does nothing; tmux accepts it too.").not_yet(),
    // Hooks.
    hook("after-bind-key", SESSION),
    hook("after-capture-pane", SESSION),
    hook("after-copy-mode", SESSION),
    hook("after-display-message", SESSION),
    hook("after-display-panes", SESSION),
    hook("after-kill-pane", SESSION),
    hook("after-list-buffers", SESSION),
    hook("after-list-clients", SESSION),
    hook("after-list-keys", SESSION),
    hook("after-list-panes", SESSION),
    hook("after-list-sessions", SESSION),
    hook("after-list-windows", SESSION),
    hook("after-load-buffer", SESSION),
    hook("after-lock-server", SESSION),
    hook("after-new-session", SESSION),
    hook("after-new-window", SESSION),
    hook("after-paste-buffer", SESSION),
    hook("after-pipe-pane", SESSION),
    hook("after-queue", SESSION),
    hook("after-refresh-client", SESSION),
    hook("after-rename-session", SESSION),
    hook("after-rename-window", SESSION),
    hook("after-resize-pane", SESSION),
    hook("after-resize-window", SESSION),
    hook("after-save-buffer", SESSION),
    hook("after-select-layout", SESSION),
    hook("after-select-pane", SESSION),
    hook("after-select-window", SESSION),
    hook("after-send-keys", SESSION),
    hook("after-set-buffer", SESSION),
    hook("after-set-environment", SESSION),
    hook("after-set-hook", SESSION),
    hook("after-set-option", SESSION),
    hook("after-show-environment", SESSION),
    hook("after-show-messages", SESSION),
    hook("after-show-options", SESSION),
    hook("after-split-window", SESSION),
    hook("after-unbind-key", SESSION),
    hook("alert-activity", SESSION),
    hook("alert-bell", SESSION),
    hook("alert-silence", SESSION),
    hook("client-active", SESSION),
    hook("client-attached", SESSION),
    hook("client-detached", SESSION),
    hook("client-focus-in", SESSION),
    hook("client-focus-out", SESSION),
    hook("client-resized", SESSION),
    hook("client-session-changed", SESSION),
    hook("client-light-theme", SESSION),
    hook("client-dark-theme", SESSION),
    hook("command-error", SESSION),
    hook("pane-died", PANES),
    hook("pane-exited", PANES),
    hook("pane-focus-in", PANES),
    hook("pane-focus-out", PANES),
    hook("pane-mode-changed", PANES),
    hook("pane-set-clipboard", PANES),
    hook("pane-title-changed", PANES),
    hook("session-closed", SESSION),
    hook("session-created", SESSION),
    hook("session-renamed", SESSION),
    hook("session-window-changed", SESSION),
    hook("window-layout-changed", WINDOW),
    hook("window-linked", SESSION),
    hook("window-pane-changed", WINDOW),
    hook("window-renamed", WINDOW),
    hook("window-resized", WINDOW),
    hook("window-unlinked", SESSION),
];
