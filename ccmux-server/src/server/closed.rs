//! Closed panes whose output is kept for a while (`history-keep-closed`): what is written down of
//! them, when they go, and reading them.

use std::borrow::Cow;
use std::time::Duration;

use ccmux_core::change::{Change, OptionScope};
use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_term::copy_mode::LineSource as _;
use ccmux_term::{HistoryLine, Terminal};

use super::Server;
use super::lifecycle::history_limits;
use crate::pane::Pane;
use crate::pane::history::StoredLines;
use crate::pane::mode::PaneLines;
use crate::persistence::Seq;
use crate::persistence::scrollback::ClosedPane;

/// History lines printed in one turn.
const PIECE_LINES: u64 = 4096;

/// A closed pane whose files stay as they are as long as the closing may be taken back.
#[derive(Debug)]
pub(super) struct Doomed {
    pub(super) uuid: PaneUuid,
    /// The record that must be durable first.
    closed_by: Seq,
    /// What is written down of it then; `None` if its files go.
    note: Option<ClosedPane>,
}

/// What a pane is known by.
#[derive(Clone, Debug)]
pub(super) struct Label {
    command: String,
    title: String,
}

/// All that is kept of a closed pane, on its way to a reader.
#[derive(Debug)]
pub(crate) struct ClosedLines {
    stored: StoredLines,
    terminal: Terminal,
    at: u64,
}

impl Server {
    /// For how long closed panes are kept, in milliseconds.
    fn keep_closed_ms(&self) -> u64 {
        let seconds = self.server_options().number("history-keep-closed");
        u64::try_from(seconds).unwrap_or(0) * 1000
    }

    /// Whether closed panes are kept at all.
    pub(super) fn keeps_closed(&self) -> bool {
        self.keep_closed_ms() > 0
    }

    /// What the history of all panes may take of the disk.
    pub(super) fn history_total(&self) -> u64 {
        let mebibytes = self.state.options(OptionScope::Server).number("history-disk-total");
        u64::try_from(mebibytes).unwrap_or(0) << 20
    }

    /// Remembers what panes are known by, before changes that may close some.
    pub(super) fn label_panes(&mut self, changes: &[Change]) {
        let closes = |change: &Change| {
            matches!(
                change,
                Change::PaneClosed { .. }
                    | Change::WindowClosed { .. }
                    | Change::SessionClosed { .. }
            )
        };
        if changes.iter().any(closes) {
            let labels = self.state.panes.values().map(|pane| {
                let argv: Vec<String> = pane.program.argv.iter().map(ToString::to_string).collect();
                (pane.id, Label { command: argv.join(" "), title: pane.title.to_string() })
            });
            self.labels = labels.collect();
        }
    }

    /// What is written down of a pane that is closed now.
    pub(super) fn closing_note(&self, pane: &Pane) -> ClosedPane {
        let label = self.labels.get(&pane.id).cloned().unwrap_or_else(|| Label {
            command: String::new(),
            title: pane.terminal.title().to_owned(),
        });
        let Label { command, title } = label;
        ClosedPane { id: pane.id, command, title, at: self.now() }
    }

    /// Keeps the output of a closed pane, if it has any and that is wanted; else its files go.
    pub(super) fn keep_or_remove(&mut self, pane: &mut Pane, note: ClosedPane) {
        // What a stash holds goes with the pane: of a private one nothing is to stay, and the disk
        // refuses the others.
        let is_away = self.scrollback.is_away(pane.uuid);
        let keeps =
            self.keeps_closed() && pane.output.consumed > 0 && !pane.is_cleared() && !is_away;
        if keeps {
            let (limits, now) = (history_limits(&self.state, pane.id), self.now());
            pane.archive(&mut self.scrollback, now, limits);
        }
        let doomed = Doomed { uuid: pane.uuid, closed_by: self.hard, note: keeps.then_some(note) };
        // Not while a disk that fails may make the next server find the pane again.
        if self.persistence.may_take_back() || self.persistence.durable() < self.hard {
            self.doomed.push(doomed);
        } else {
            self.dispose(doomed);
        }
    }

    fn dispose(&mut self, doomed: Doomed) {
        let total = self.history_total();
        match doomed.note {
            Some(note) => self.scrollback.keep_closed(doomed.uuid, note, total),
            None => self.scrollback.remove_pane(doomed.uuid),
        }
    }

    /// Does with closed panes what had to wait until the ends of their programs were final and
    /// durable, and removes those that were kept long enough.
    pub(super) fn remove_doomed(&mut self) {
        let until = self.now().0.checked_sub(self.keep_closed_ms());
        if let Some(until) = until {
            self.scrollback.expire_closed(Timestamp(until));
        }
        if self.doomed.is_empty() || self.persistence.may_take_back() {
            return;
        }
        let durable = self.persistence.durable();
        let doomed = std::mem::take(&mut self.doomed);
        let (gone, kept) = doomed.into_iter().partition(|doomed| doomed.closed_by <= durable);
        self.doomed = kept;
        let gone: Vec<Doomed> = gone;
        if gone.is_empty() {
            return;
        }
        for doomed in gone {
            self.dispose(doomed);
        }
        self.forget_unknown_output();
    }

    /// When the next closed pane has been kept long enough.
    pub(super) fn closed_deadline(&self) -> Option<Duration> {
        let first = self.scrollback.closed().first()?;
        let at = first.note.at.0.saturating_add(self.keep_closed_ms());
        let wait = at.saturating_sub(self.now().0);
        // A little later, so that the moment has come on a clock of whole milliseconds.
        Some(self.elapsed() + Duration::from_millis(wait + 1))
    }

    /// Begins to read what is kept of a closed pane.
    pub(crate) fn read_closed(&self, pane: PaneUuid) -> std::io::Result<Option<ClosedLines>> {
        let read = self.scrollback.read_closed(pane)?;
        Ok(read.map(|(stored, terminal)| {
            let at = PaneLines::new(&stored, &terminal).start();
            ClosedLines { stored, terminal, at }
        }))
    }
}

impl ClosedLines {
    /// Takes the next lines. Returns whether those were the last ones.
    pub(crate) fn piece(&mut self, out: &mut Vec<HistoryLine>) -> bool {
        let lines = PaneLines::new(&self.stored, &self.terminal);
        let end = lines.end().min(self.at.saturating_add(PIECE_LINES));
        let numbers = std::mem::replace(&mut self.at, end)..end;
        out.extend(numbers.filter_map(|number| lines.line(number)).map(Cow::into_owned));
        if end < lines.end() {
            return false;
        }
        let mut screen = lines.screen();
        let used = screen.iter().rposition(|line| !line.text.is_empty()).map_or(0, |at| at + 1);
        screen.truncate(used);
        out.extend(screen);
        true
    }
}
