//! The doctor: what is in a state directory, and what is wrong with it, in words.
//!
//! Looks at a directory that no server uses, and changes nothing in it. What it says of the log is
//! what the next start would decide, because it is decided by the same code; of panes it reads
//! everything, where a start reads what it needs.

mod dump;
mod files;
mod report;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ccmux_core::change::OptionScope;
use ccmux_core::ids::{PaneId, PaneUuid};
use ccmux_core::model::State;
use serde::Serialize;

pub use self::dump::{Dump, DumpError, dump};
pub use self::files::is_state_directory;
pub use self::report::{Finding, Severity};
use crate::clock::{Clock as _, SystemClock};
use crate::pane::store::thaw;
use crate::persistence::scrollback::{
    Damage, Keyframe, SpoolIndex, closed_pane, examine_pane, half_removed_panes, pane_dir,
    stored_panes,
};
use crate::persistence::storage::{FsStorage, Storage};
use crate::persistence::{LogExamination, OpenError, ReadOnly, boot_id, examine_log, restoration};

/// What was found in a state directory.
#[derive(Debug, Serialize)]
pub struct Examination {
    /// The directory.
    pub directory: PathBuf,
    /// The identity of the store, if there is one.
    pub store: Option<String>,
    /// What the next start would begin with, in a line.
    pub recovery: Option<String>,
    /// What is in it.
    pub holds: Holdings,
    /// Bytes on the disk, by what they are for.
    pub disk: BTreeMap<String, u64>,
    /// What is wrong or worth knowing, the worst first.
    pub findings: Vec<Finding>,
}

/// What a store holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Holdings {
    /// Sessions.
    pub sessions: usize,
    /// Windows.
    pub windows: usize,
    /// Panes.
    pub panes: usize,
    /// Closed panes whose output is kept.
    pub closed: usize,
    /// Panes whose keepers live: their programs run on, and the last of their output is in memory.
    pub keepers: usize,
    /// History lines that can be read.
    pub lines: u64,
    /// Bytes of output that only the spool holds.
    pub spooled_bytes: u64,
    /// Log segments.
    pub segments: usize,
    /// Checkpoints that can be used.
    pub checkpoints: usize,
    /// Keyframes that can be used.
    pub keyframes: usize,
}

impl Examination {
    /// The worst that was found; `None` if there is nothing to say.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// Examines the state directory at `directory`, which no server may be using.
///
/// # Errors
/// The directory cannot be opened, or is another user's.
pub fn examine(directory: &Path) -> io::Result<Examination> {
    let storage: Arc<dyn Storage> =
        Arc::new(ReadOnly::new(Arc::new(FsStorage::open_existing(directory)?)));
    let mut examination = Examination {
        directory: directory.to_owned(),
        store: None,
        recovery: None,
        holds: Holdings::default(),
        disk: BTreeMap::new(),
        findings: Vec::new(),
    };
    files::look_over(directory, &mut examination);
    let now = SystemClock::new().now();
    match examine_log(&storage, now, boot_id()) {
        Ok(log) => {
            examination.take_log(&log);
            examination.take_panes(directory, &storage, &log)?;
        }
        Err(error) => examination.findings.push(refusal(&error)),
    }
    examination.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(examination)
}

/// Whether the keeper of a pane lives.
fn has_keeper(directory: &Path, pane: PaneUuid) -> bool {
    ccmux_keeper::is_alive(&directory.join(pane_dir(pane))).unwrap_or(false)
}

fn refusal(error: &OpenError) -> Finding {
    let meaning = match error {
        OpenError::Read { .. } => "no server can start from it until the system can read it",
        OpenError::Newer { .. } | OpenError::OtherVersion { .. } => {
            "this version refuses it and touches nothing; use the ccmux that wrote it"
        }
        OpenError::NotUnderstood { .. } => {
            "passing over it could do harm, so this version refuses the store and touches nothing; \
             use the ccmux that wrote it"
        }
    };
    Finding::new(Severity::Refusal, "store", error, meaning)
}

impl Examination {
    fn take_log(&mut self, log: &LogExamination) {
        let State { sessions, windows, panes, .. } = &log.state;
        self.store = log.store.map(|store| store.to_string());
        self.holds.sessions = sessions.len();
        self.holds.windows = windows.len();
        self.holds.panes = panes.len();
        self.holds.segments = log.segments;
        self.holds.checkpoints = log.checkpoints;
        let report = &log.report;
        let base =
            report.checkpoint.map_or("no checkpoint".to_owned(), |seq| format!("checkpoint {seq}"));
        self.recovery =
            Some(format!("{base}, then {} records up to {}", report.replayed, report.reached));
        for damage in &report.damage {
            let place = format!("{} at {}", damage.file, damage.offset);
            let meaning = "the next start goes on without it; a damaged file goes into quarantine/";
            self.findings.push(Finding::new(Severity::Warning, &place, &damage.what, meaning));
        }
        if let Some((first, last)) = report.lost {
            let what = format!("records {first} to {last} were acknowledged and are gone");
            let meaning = "the next start goes back to the state before them";
            self.findings.push(Finding::new(Severity::Loss, "log", &what, meaning));
        }
        if report.undone > 0 {
            let what = format!("{} ends of programs right before a shutdown", report.undone);
            let meaning = "the next start takes them back: their panes return";
            self.findings.push(Finding::new(Severity::Note, "log", &what, meaning));
        }
        for note in &report.notes {
            self.findings.push(Finding::new(Severity::Note, "log", note, "nothing is lost by it"));
        }
    }

    fn take_panes(
        &mut self,
        directory: &Path,
        storage: &Arc<dyn Storage>,
        log: &LogExamination,
    ) -> io::Result<()> {
        let Some(store) = log.store else { return Ok(()) };
        let index = SpoolIndex::scan(&**storage, store, boot_id())?;
        for damage in index.damage() {
            self.take_damage("spool", damage);
        }
        let now = SystemClock::new().now();
        let mut known: BTreeMap<PaneUuid, PaneId> = BTreeMap::new();
        for (id, pane) in &log.state.panes {
            known.insert(pane.uuid, *id);
            let options = log.state.options(OptionScope::Pane(*id));
            if !options.flag("history-persist") {
                // What is there still, the next start removes.
                continue;
            }
            // What the disk refused, a keeper that lives may hold.
            let has_shown = restoration::has_shown(pane, now, log.is_after_shutdown)
                && !has_keeper(directory, pane.uuid);
            self.take_pane(&format!("pane {id}"), storage, &index, (pane.uuid, has_shown))?;
        }
        let listed = half_removed_panes(&**storage)
            .and_then(|removed| stored_panes(&**storage).map(|stored| (removed, stored)));
        let (half_removed, stored) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                let what = format!("the directory panes cannot be read: {error}");
                let meaning = "panes begin with what the spool holds; panes that are not in the \
                               state cannot be found";
                self.findings.push(Finding::new(Severity::Loss, "panes", &what, meaning));
                return Ok(());
            }
        };
        for pane in half_removed {
            let what = format!("panes/{pane}.removed is what is left of a closed pane");
            let meaning = "the next start removes it";
            self.findings.push(Finding::new(Severity::Note, "panes", &what, meaning));
        }
        for pane in stored {
            let pane_dir = directory.join(pane_dir(pane));
            let has_keeper = has_keeper(directory, pane);
            self.holds.keepers += usize::from(has_keeper);
            if known.contains_key(&pane) {
                continue;
            }
            match closed_pane(&**storage, pane)? {
                Some(note) => {
                    self.holds.closed += 1;
                    let place = format!("closed pane {}", note.id);
                    self.take_pane(&place, storage, &index, (pane, false))?;
                }
                None => self.take_unknown(pane, &pane_dir, has_keeper, log.closed_below),
            }
        }
        Ok(())
    }

    /// All that is stored of a pane, which has shown something or may have shown nothing.
    fn take_pane(
        &mut self,
        place: &str,
        storage: &Arc<dyn Storage>,
        index: &SpoolIndex,
        (pane, has_shown): (PaneUuid, bool),
    ) -> io::Result<()> {
        let mut thaw = |keyframe: &Keyframe| thaw(keyframe).map(drop);
        let examined = examine_pane(storage, index, pane, has_shown, &mut thaw)?;
        self.holds.lines += examined.lines;
        self.holds.spooled_bytes += examined.spooled_bytes;
        self.holds.keyframes += examined.keyframes;
        for damage in &examined.damage {
            self.take_damage(place, damage);
        }
        for damage in &examined.spare {
            let meaning = "it is not needed: the newest one is good";
            self.findings.push(Finding::new(Severity::Warning, place, damage, meaning));
        }
        Ok(())
    }

    /// A pane's directory that no pane of the state belongs to.
    fn take_unknown(&mut self, pane: PaneUuid, dir: &Path, has_keeper: bool, closed_below: PaneId) {
        let is_closed = restoration::read_number(dir).is_none_or(|number| number < closed_below);
        let (severity, meaning) = match (is_closed, has_keeper) {
            (true, false) => (
                Severity::Note,
                "it was closed; the next start removes what is left, or keeps its output for a while",
            ),
            (true, true) => (
                Severity::Note,
                "it was closed; the next start ends its program and removes what is left",
            ),
            (false, true) => (
                Severity::Warning,
                "its record is lost, its program is not; it comes back in a session `recovered`",
            ),
            (false, false) => (
                Severity::Loss,
                "its record is lost; the next start puts what it printed into quarantine/",
            ),
        };
        let what = format!("the state does not know pane {pane}");
        self.findings.push(Finding::new(severity, "panes", &what, meaning));
    }

    fn take_damage(&mut self, place: &str, damage: &Damage) {
        let (severity, meaning) = match damage {
            Damage::Spool { .. } => (
                Severity::Loss,
                "output since the last keyframes cannot be read; panes begin at those",
            ),
            Damage::Segment { .. } => (
                Severity::Warning,
                "panes with output in it show a gap mark, unless a keyframe covers it; the file \
                 goes into quarantine/",
            ),
            Damage::SpoolBytes { .. } => (
                Severity::Warning,
                "panes with output there show a gap mark, unless a keyframe covers it",
            ),
            Damage::Stream { .. } => (Severity::Loss, "the pane shows a mark where it was"),
            Damage::Pane { .. } => {
                (Severity::Loss, "the pane begins anew, with an empty screen; its place is kept")
            }
            Damage::Directory { .. } => (
                Severity::Loss,
                "the pane begins with what the spool holds; the directory is left as it is",
            ),
            Damage::Keyframe { .. } => (
                Severity::Warning,
                "an older one is used, or none, and the spool from there; the file goes into \
                 quarantine/",
            ),
            Damage::History { .. } => (Severity::Loss, "the lines are missing where they are read"),
        };
        self.findings.push(Finding::new(severity, place, damage, meaning));
    }
}
