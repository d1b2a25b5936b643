//! What a record of the structural log says, and how it is written as JSON.
//!
//! This is the disk family of types: the domain's own types know nothing of serde, and a change of
//! the wire protocol cannot reach a file. JSON, because rates are low, fields added later pass
//! through older readers, and a person can read it in an emergency. Bytes that are not UTF-8 are
//! kept exactly (`{"b64": ...}`).
//!
//! A record is never rewritten in another form than it was read in, so what an older version does
//! not understand stays in the log.

mod domain;
mod stored;
#[cfg(test)]
pub(super) mod strategies;

use ccmux_core::change::Change;
use ccmux_core::ids::PaneId;
use ccmux_core::model::{State, Timestamp};
use serde::{Deserialize, Serialize};

use self::domain::{DiskChange, DiskState};
use self::stored::Stored;

/// One user command, or one thing that happened, with all its changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogEntry {
    /// When.
    pub time: Timestamp,
    /// Who: `client /dev/pts/3`, `config`, `pane %4`, `server`.
    pub actor: String,
    /// The command as it was given, or what happened: `split-window -h`, `program ended`.
    pub cause: String,
    /// What changed, in order.
    pub changes: Vec<Change>,
}

impl LogEntry {
    /// Whether a reply may go out before the entry is on the disk.
    pub fn is_soft(&self) -> bool {
        self.changes.iter().all(Change::is_soft)
    }

    /// Whether it records the end of a program, which no command asked for and which recovery
    /// takes back if it turns out to have been the beginning of a shutdown.
    pub fn is_program_end(&self) -> bool {
        self.changes
            .iter()
            .any(|change| change.is_program_end() || matches!(change, Change::PaneEnded { .. }))
    }
}

/// What a record of the log holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogRecord {
    /// Changes of the state.
    Entry(LogEntry),
    /// The ends of programs before this record are final: nothing shut down after them.
    Settled {
        /// When that became clear.
        time: Timestamp,
    },
    /// The server was asked to end (SIGTERM): ends of programs just before may be part of it.
    Terminating {
        /// When.
        time: Timestamp,
    },
    /// Which panes that the state does not know were closed: those below a number.
    Orphans {
        /// When.
        time: Timestamp,
        /// The number; none if all are, because every one that was not has been looked after.
        closed_below: Option<PaneId>,
    },
    /// A kind that a later version added and that may be passed over.
    Unknown,
}

/// A record ready to be framed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Encoded {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) payload: Vec<u8>,
}

/// A reader that does not understand the record must refuse the store instead of passing it over.
pub(super) const FLAG_CRITICAL: u8 = 1;
/// The record need not be durable before anyone is told about it.
pub(super) const FLAG_SOFT: u8 = 2;

const KIND_ENTRY: u8 = 1;
const KIND_SETTLED: u8 = 2;
const KIND_TERMINATING: u8 = 3;
const KIND_ORPHANS: u8 = 4;

/// Stored bytes do not say what they should.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the JSON that is expected.
    #[error("not valid: {0}")]
    Json(#[from] serde_json::Error),
    /// JSON, but with an impossible value.
    #[error("impossible {what}: {detail}")]
    Value {
        /// What the value stands for.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

impl DecodeError {
    fn value(what: &'static str, detail: &impl ToString) -> Self {
        Self::Value { what, detail: detail.to_string() }
    }
}

impl LogRecord {
    /// The record as bytes.
    pub(super) fn encode(&self) -> Encoded {
        let (kind, flags, payload) = match self {
            LogRecord::Entry(entry) => {
                let disk = DiskEntry {
                    time: entry.time.0,
                    actor: entry.actor.clone(),
                    cause: entry.cause.clone(),
                    changes: entry.changes.to_disk(),
                };
                let flags = if entry.is_soft() { FLAG_SOFT } else { FLAG_CRITICAL };
                (KIND_ENTRY, flags, to_json(&disk))
            }
            LogRecord::Settled { time } => {
                (KIND_SETTLED, FLAG_SOFT, to_json(&DiskMark { time: time.0 }))
            }
            LogRecord::Terminating { time } => {
                (KIND_TERMINATING, 0, to_json(&DiskMark { time: time.0 }))
            }
            LogRecord::Orphans { time, closed_below } => {
                let closed_below = closed_below.map(|id| id.0);
                let disk = DiskOrphans { time: time.0, closed_below };
                (KIND_ORPHANS, FLAG_SOFT, to_json(&disk))
            }
            LogRecord::Unknown => unreachable!("BUG: only reading makes unknown records"),
        };
        Encoded { kind, flags, payload }
    }

    /// Reads a record; a kind that is not known is [`LogRecord::Unknown`], critical or not.
    pub(super) fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let mark_time = || serde_json::from_slice(payload).map(|DiskMark { time }| Timestamp(time));
        Ok(match kind {
            KIND_ENTRY => {
                let disk: DiskEntry = serde_json::from_slice(payload)?;
                LogRecord::Entry(LogEntry {
                    time: Timestamp(disk.time),
                    actor: disk.actor,
                    cause: disk.cause,
                    changes: Stored::from_disk(disk.changes)?,
                })
            }
            KIND_SETTLED => LogRecord::Settled { time: mark_time()? },
            KIND_TERMINATING => LogRecord::Terminating { time: mark_time()? },
            KIND_ORPHANS => {
                let DiskOrphans { time, closed_below } = serde_json::from_slice(payload)?;
                let closed_below = closed_below.map(PaneId);
                LogRecord::Orphans { time: Timestamp(time), closed_below }
            }
            _ => LogRecord::Unknown,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct DiskEntry {
    time: u64,
    actor: String,
    cause: String,
    changes: Vec<DiskChange>,
}

#[derive(Serialize, Deserialize)]
struct DiskMark {
    time: u64,
}

#[derive(Serialize, Deserialize)]
struct DiskOrphans {
    time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed_below: Option<u32>,
}

/// A whole state as a field of another JSON document.
#[derive(Serialize, Deserialize, Debug)]
#[serde(transparent)]
pub(super) struct StoredState(DiskState);

impl StoredState {
    pub(super) fn new(state: &State) -> Self {
        Self(state.to_disk())
    }

    pub(super) fn into_state(self) -> Result<State, DecodeError> {
        State::from_disk(self.0)
    }
}

/// JSON of a type whose serialization cannot fail: no maps with odd keys, no failing `Serialize`.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("BUG: the disk types always serialize")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bstr::BString;
    use ccmux_core::change::OptionScope;
    use ccmux_core::ids::SessionId;
    use proptest::prelude::*;

    use super::*;

    fn entry(changes: Vec<Change>) -> LogEntry {
        LogEntry { time: Timestamp(5), actor: "client".into(), cause: "cmd".into(), changes }
    }

    fn json_of(change: Change) -> String {
        let encoded = LogRecord::Entry(entry(vec![change])).encode();
        String::from_utf8(encoded.payload).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn every_entry_is_read_as_it_was_written(
            changes in proptest::collection::vec(strategies::change(), 0..4),
            time: u64, actor: String, cause: String,
        ) {
            let record =
                LogRecord::Entry(LogEntry { time: Timestamp(time), actor, cause, changes });
            let encoded = record.encode();
            prop_assert_eq!(LogRecord::decode(encoded.kind, &encoded.payload).unwrap(), record);
        }

        #[test]
        fn every_state_is_read_as_it_was_written(state in strategies::state()) {
            let json = to_json(&StoredState::new(&state));
            let read: StoredState = serde_json::from_slice(&json).unwrap();
            prop_assert_eq!(read.into_state().unwrap(), state);
        }

        #[test]
        fn damaged_payloads_are_errors_and_never_panics(
            change in strategies::change(), at: prop::sample::Index, byte: u8,
        ) {
            let mut payload = LogRecord::Entry(entry(vec![change])).encode().payload;
            let at = at.index(payload.len());
            payload[at] = byte;
            let _either = LogRecord::decode(KIND_ENTRY, &payload);
            let _error = LogRecord::decode(KIND_ENTRY, &payload[..at]);
        }
    }

    /// A change added to the domain does not compile until it is numbered in `strategies`, and
    /// fails here until it is generated, and so round-tripped, too.
    #[test]
    fn every_kind_of_change_is_generated() {
        use proptest::strategy::ValueTree;
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let seen: BTreeSet<usize> = (0..2000)
            .map(|_| {
                let tree = strategies::change().new_tree(&mut runner).unwrap();
                strategies::ordinal(&tree.current())
            })
            .collect();
        assert_eq!(seen, (0..strategies::CHANGE_KINDS).collect());
    }

    #[test]
    fn bytes_are_readable_text_where_they_are_text() {
        let json = json_of(Change::PaneTitled { id: PaneId(3), title: "é\u{1b}".into() });
        assert!(json.contains(r#"[{"type":"pane-titled","id":3,"title":"é\u001b"}]"#), "{json}");
        let title = BString::from(&b"\xff\x00"[..]);
        let json = json_of(Change::PaneTitled { id: PaneId(3), title });
        assert!(json.contains(r#""title":{"b64":"/wA="}"#), "{json}");
    }

    #[test]
    fn hiding_and_removing_a_variable_differ() {
        let set = |value| Change::EnvironmentSet { session: None, name: "X".into(), value };
        assert!(json_of(set(None)).contains(r#""name":"X"}"#));
        assert!(json_of(set(Some(None))).contains(r#""value":null"#));
    }

    #[test]
    fn fields_added_later_are_passed_over_and_unknown_changes_are_not() {
        let payload = br#"{"time":1,"actor":"a","cause":"c","why":"later","changes":
            [{"type":"session-renamed","id":1,"name":"n","later":[1]}]}"#;
        let Ok(LogRecord::Entry(read)) = LogRecord::decode(KIND_ENTRY, payload) else { panic!() };
        let renamed = Change::SessionRenamed { id: SessionId(1), name: "n".into() };
        assert_eq!(read.changes, [renamed]);
        let payload = br#"{"time":1,"actor":"a","cause":"c","changes":[{"type":"later"}]}"#;
        assert!(LogRecord::decode(KIND_ENTRY, payload).is_err());
        assert_eq!(LogRecord::decode(99, b"").unwrap(), LogRecord::Unknown);
    }

    #[test]
    fn hard_entries_are_critical_and_soft_ones_are_not() {
        let option = Change::OptionSet {
            scope: OptionScope::Server,
            name: "x".into(),
            value: Some("1".into()),
        };
        let select = Change::PaneSelected { id: PaneId(1) };
        let flags = |changes| LogRecord::Entry(entry(changes)).encode().flags;
        assert_eq!(flags(vec![select.clone()]), FLAG_SOFT);
        assert_eq!(flags(vec![select, option]), FLAG_CRITICAL);
    }
}
