//! The structural log and its checkpoints, readable.

use std::io::{self, Write};

use serde_json::Value;

use super::survey::{CheckpointFile, SegmentFile, survey};
use crate::persistence::checkpoint::{BadCheckpoint, payload_of};
use crate::persistence::record::{FLAG_CRITICAL, FLAG_SOFT, LogRecord};
use crate::persistence::restoration::local_time;
use crate::persistence::storage::Storage;
use crate::persistence::wal::{Found, HeaderError};

/// Writes every record of every segment, and where there is damage.
pub(crate) fn dump_log(storage: &dyn Storage, out: &mut dyn Write) -> io::Result<()> {
    for segment in &survey(storage).map_err(io::Error::other)?.segments {
        dump_segment(segment, out)?;
    }
    Ok(())
}

fn dump_segment(segment: &SegmentFile, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {} bytes", segment.path().display(), segment.bytes.len())?;
    match &segment.header {
        Ok(header) => {
            let follows = header.follows.map_or("a checkpoint".to_owned(), |seq| seq.to_string());
            writeln!(
                out,
                "  header: first record {}, follows {follows}, synced through {}, store {}, boot {}",
                header.first, header.synced_through, header.store, header.boot
            )?;
            if let Some(at) = header.damaged_copy(&segment.bytes) {
                writeln!(out, "  {at:>8}: this copy of the header is damaged")?;
            }
        }
        Err(HeaderError::Version(version)) => {
            writeln!(out, "  header: of version {version}, which this ccmux does not read")?;
        }
        Err(HeaderError::Bad) => writeln!(out, "  header: torn or damaged")?,
    }
    if let Some(error) = &segment.unreadable {
        return writeln!(out, "  it cannot be read: {error}");
    }
    for found in &segment.scan.records {
        dump_record(segment, found, out)?;
    }
    if segment.scan.has_debris {
        writeln!(out, "  {:>8}: no valid record from here on", segment.scan.end)?;
    }
    if !segment.scan.beyond.is_empty() {
        writeln!(out, "  intact records behind that, which are not replayed:")?;
    }
    for found in &segment.scan.beyond {
        dump_record(segment, found, out)?;
    }
    Ok(())
}

fn dump_record(segment: &SegmentFile, found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let payload = &segment.bytes[found.payload.clone()];
    let flags = match found.frame.flags {
        flags if flags & FLAG_CRITICAL != 0 => "critical",
        flags if flags & FLAG_SOFT != 0 => "soft",
        _ => "plain",
    };
    write!(out, "  {:>8}: record {} ({flags})", found.offset, found.frame.seq)?;
    match LogRecord::decode(found.frame.kind, payload) {
        Ok(LogRecord::Entry(entry)) => {
            writeln!(out, " {} {}: {}", local_time(entry.time), entry.actor, entry.cause)?;
            let changes = serde_json::from_slice::<Value>(payload)?;
            for change in changes["changes"].as_array().into_iter().flatten() {
                writeln!(out, "            {change}")?;
            }
            Ok(())
        }
        Ok(LogRecord::Settled { time }) => {
            writeln!(out, " {} ends of programs before this are final", local_time(time))
        }
        Ok(LogRecord::Terminating { time }) => {
            writeln!(out, " {} the server was asked to end", local_time(time))
        }
        Ok(LogRecord::Orphans { time, closed_below: Some(id) }) => writeln!(
            out,
            " {} panes without a record from {id} on were not closed",
            local_time(time)
        ),
        Ok(LogRecord::Orphans { time, closed_below: None }) => {
            writeln!(out, " {} panes without a record were all looked after", local_time(time))
        }
        Ok(LogRecord::Unknown) => writeln!(
            out,
            " of a kind ({}) that this ccmux does not know, {} bytes",
            found.frame.kind,
            payload.len()
        ),
        Err(error) => {
            let text = String::from_utf8_lossy(payload).escape_debug().to_string();
            writeln!(out, " not understood: {error}\n            {text}")
        }
    }
}

/// Writes the newest checkpoint that can be read as JSON, after a line on each.
pub(crate) fn dump_checkpoints(storage: &dyn Storage, out: &mut dyn Write) -> io::Result<()> {
    let survey = survey(storage).map_err(io::Error::other)?;
    for file in &survey.checkpoints {
        dump_verdict(file, out)?;
    }
    let newest = survey.checkpoints.iter().find(|file| file.contents.is_ok());
    let Some(newest) = newest else { return Ok(()) };
    let payload = payload_of(storage, newest.seq)?;
    let json: Value = serde_json::from_slice(&payload)?;
    writeln!(out, "{json:#}")
}

fn dump_verdict(file: &CheckpointFile, out: &mut dyn Write) -> io::Result<()> {
    let path = file.path();
    match &file.contents {
        Ok((snapshot, store)) => writeln!(
            out,
            "{}: state after record {}, taken {}, store {store}",
            path.display(),
            snapshot.seq,
            local_time(snapshot.time)
        ),
        Err(BadCheckpoint::Io(error)) => writeln!(out, "{}: {error}", path.display()),
        Err(error) => writeln!(out, "{}: bad: {error}", path.display()),
    }
}
