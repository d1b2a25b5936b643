//! What the doctor says, as text.

use std::fmt;

use serde::Serialize;

use super::Examination;

/// How bad something is. What is worse is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is wrong.
    Note,
    /// Something is damaged or not as it should be; nothing is lost.
    Warning,
    /// Something that was acknowledged or printed is gone.
    Loss,
    /// This version cannot read the store.
    Refusal,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Loss => "loss",
            Severity::Refusal => "refused",
        })
    }
}

/// Something worth knowing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where: a file with an offset, a pane, a part of the store.
    pub place: String,
    /// What it is.
    pub what: String,
    /// What it means: what the next start makes of it, or what to do.
    pub meaning: String,
}

impl Finding {
    pub(super) fn new(
        severity: Severity,
        place: &str,
        what: &(impl fmt::Display + ?Sized),
        meaning: &str,
    ) -> Self {
        Self {
            severity,
            place: place.to_owned(),
            what: what.to_string(),
            meaning: meaning.to_owned(),
        }
    }
}

impl fmt::Display for Examination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "directory {}", self.directory.display())?;
        if let Some(store) = &self.store {
            writeln!(f, "store     {store}")?;
        }
        if let Some(recovery) = &self.recovery {
            writeln!(f, "recovers  {recovery}")?;
        }
        // Of a store that is refused nothing was read.
        if self.worst() != Some(Severity::Refusal) {
            let holds = &self.holds;
            writeln!(
                f,
                "holds     {} sessions, {} windows, {} panes; {} living keepers; {} closed panes kept",
                holds.sessions, holds.windows, holds.panes, holds.keepers, holds.closed
            )?;
            writeln!(
                f,
                "output    {} history lines, {} keyframes, {} bytes in the spool alone",
                holds.lines, holds.keyframes, holds.spooled_bytes
            )?;
        }
        write!(f, "disk     ")?;
        for (kind, bytes) in &self.disk {
            write!(f, " {kind} {}", mebibytes(*bytes))?;
        }
        writeln!(f)?;
        for Finding { severity, place, what, meaning } in &self.findings {
            writeln!(f, "{severity:<9} {place}: {what}\n          {meaning}")?;
        }
        let result = match self.worst() {
            None | Some(Severity::Note) => "sound",
            Some(Severity::Warning) => "not as it should be, but nothing is lost",
            Some(Severity::Loss) => "something is lost; what is there can be used",
            Some(Severity::Refusal) => "cannot be used by this version",
        };
        writeln!(f, "result    {result}")
    }
}

/// A size for people.
fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil((1 << 20) / 10);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
