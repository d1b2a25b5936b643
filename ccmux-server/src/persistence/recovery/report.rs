//! What a recovery found and did, for people.

use std::fmt::{self, Write as _};

use serde::Serialize;

use crate::persistence::wal::Seq;

/// What a recovery found and did.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RecoveryReport {
    /// The checkpoint it started from.
    pub checkpoint: Option<Seq>,
    /// How many records it replayed.
    pub replayed: u64,
    /// The last record whose changes the state has.
    pub reached: Seq,
    /// How many ends of programs were taken back, because a shutdown followed them.
    pub undone: u64,
    /// Acknowledged records that are gone, first and last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<(Seq, Seq)>,
    /// Damaged files, each with what it cost.
    pub damage: Vec<Damage>,
    /// What is no damage but worth knowing: a torn tail, a record passed over.
    pub notes: Vec<String>,
}

/// A damaged file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Damage {
    /// Its path in the state directory.
    pub file: String,
    /// Where the damage begins.
    pub offset: u64,
    /// What is wrong and what was lost.
    pub what: String,
}

impl RecoveryReport {
    /// Whether anything was damaged or lost.
    pub fn is_clean(&self) -> bool {
        self.damage.is_empty() && self.lost.is_none()
    }

    /// All but the damaged files, in a line.
    pub fn summary(&self) -> String {
        let mut line = match self.checkpoint {
            Some(seq) => format!("checkpoint {seq}"),
            None => "no checkpoint".to_owned(),
        };
        let _ = write!(line, ", {} records replayed up to {}", self.replayed, self.reached);
        if self.undone > 0 {
            let _ = write!(line, ", {} ends of programs taken back", self.undone);
        }
        if let Some((first, last)) = self.lost {
            let _ = write!(line, ", records {first} to {last} lost");
        }
        for note in &self.notes {
            let _ = write!(line, "; {note}");
        }
        line
    }
}

impl fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.summary())?;
        for Damage { file, offset, what } in &self.damage {
            write!(f, "; {file} at {offset}: {what}")?;
        }
        Ok(())
    }
}
