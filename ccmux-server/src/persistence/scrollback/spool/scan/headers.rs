//! Opening the segments: which of them belong to the log, by what their headers say.

use std::io;
use std::path::Path;

use uuid::Uuid;

use super::{
    Damage, Era, HEADER_BYTES, HeaderError, Missing, SEGMENT_SUFFIX, SegmentHeader, SegmentInfo,
    SpoolIndex, number_of,
};
use crate::persistence::scrollback::layout::{QUARANTINE_DIR, segment_path};
use crate::persistence::scrollback::spool::format::{
    VERSION_WITHOUT_EARLIER, VERSION_WITHOUT_REPETITIONS,
};
use crate::persistence::storage::{Storage, StorageFile, insist, read_full, unless_passing};

impl SpoolIndex {
    /// Opens the segments and reads their headers.
    pub(super) fn open_segments(
        &mut self,
        storage: &dyn Storage,
        (store, boot): (Uuid, Uuid),
        numbers: &[u64],
    ) -> io::Result<Vec<SegmentHeader>> {
        let mut headers: Vec<SegmentHeader> = Vec::new();
        for &number in numbers {
            let (header, bytes, file) =
                match unless_passing(insist(|| open_segment(storage, number)))? {
                    Ok((Ok(header), bytes, file)) => (header, bytes, file),
                    Ok((Err(HeaderError::Bad), bytes, _)) => {
                        self.torn.push((number, bytes));
                        continue;
                    }
                    Ok((Err(error), ..)) => {
                        self.damage.push(Damage::Segment { number, reason: error.to_string() });
                        continue;
                    }
                    Err(error) => {
                        self.damage.push(Damage::Segment { number, reason: error.to_string() });
                        continue;
                    }
                };
            if header.number != number || header.store != store {
                let reason = "it is not the segment that belongs here".to_owned();
                self.damage.push(Damage::Segment { number, reason });
                continue;
            }
            self.end_at_predecessor(&header, &mut headers);
            self.check_predecessor(&header, headers.last(), numbers, boot);
            let is_next = headers.last().is_some_and(|last| last.number == header.predecessor);
            let is_continuing = is_next && header.repeats_to.is_none();
            headers.push(header);
            let file = file.into();
            self.segments.push(SegmentInfo {
                number,
                file,
                bytes,
                end: bytes,
                salt: header.salt,
                frames_at: header.frames_at,
                is_of_this_boot: header.boot == boot && !boot.is_nil(),
                earlier: header.earlier,
                era: Era::of(&header),
                synced_to: 0,
                repeats_to: header.repeats_to,
                intact_to: header.frames_at as u64,
                is_continuing,
            });
        }
        Ok(headers)
    }

    /// Where whoever wrote `header` found the end of the log, segments behind that are void. Should the
    /// predecessor be gone, so are those behind the place where that one found it, and those of an earlier
    /// boot behind the place where the log ended when this one began.
    fn end_at_predecessor(&mut self, header: &SegmentHeader, headers: &mut Vec<SegmentHeader>) {
        // A server that cannot tell the boot leaves segments between those of one that can.
        let is_first_of_boot =
            !headers.is_empty() && headers.iter().all(|earlier| earlier.boot != header.boot);
        let end = match header.earlier.0 {
            earlier if is_first_of_boot && header.version > VERSION_WITHOUT_EARLIER => {
                header.predecessor.min(earlier)
            }
            _ => header.predecessor,
        };
        self.end_behind(end, headers);
        let mut named = header.predecessor;
        for &(before, _) in header.named_before() {
            if headers.last().is_none_or(|last| last.number == named) {
                break;
            }
            self.end_behind(end.min(before), headers);
            named = before;
        }
        // What is missing behind that place is missed by nobody.
        while let Some(void) = self.missing.pop_if(|last| last.number > end) {
            self.void.push((void.number, 0));
        }
    }

    fn end_behind(&mut self, end: u64, headers: &mut Vec<SegmentHeader>) {
        while headers.pop_if(|last| last.number > end).is_some() {
            let void = self.segments.pop().expect("there is one for each header");
            self.void.push((void.number, void.bytes));
        }
    }

    /// Whoever wrote `header` had a valid predecessor: notes it if that is one no longer.
    fn check_predecessor(
        &mut self,
        header: &SegmentHeader,
        last: Option<&SegmentHeader>,
        numbers: &[u64],
        boot: Uuid,
    ) {
        let number = header.predecessor;
        let is_older_there = last.is_some_and(|last| last.number < number);
        if let Some(at) = self.torn.iter().position(|&(torn, _)| torn == number) {
            self.torn.remove(at);
            let damage = Some(headless(number));
            self.missing.push(Missing { damage, number, from: 0 });
        } else if self.set_aside.contains(&number) {
            // It was found damaged and reported. That it is not here now says nothing new.
        } else if is_older_there && !numbers.contains(&number) {
            let reason = "it is missing".to_owned();
            let damage = Some(Damage::Segment { number, reason });
            self.missing.push(Missing { damage, number, from: 0 });
        } else if last.is_none()
            && number > self.gone_to
            && !numbers.contains(&number)
            && header.version > VERSION_WITHOUT_REPETITIONS
            && (header.boot != boot || boot.is_nil())
        {
            self.missing.push(Missing { damage: None, number, from: 0 });
        }
    }
}

/// The damage of a segment whose header is gone.
pub(super) fn headless(number: u64) -> Damage {
    Damage::Segment { number, reason: HeaderError::Bad.to_string() }
}

/// The numbers of the segments in the quarantine.
pub(super) fn set_aside_in(storage: &dyn Storage) -> io::Result<Vec<u64>> {
    let listed = unless_passing(insist(|| storage.list(Path::new(QUARANTINE_DIR))))?;
    // A second file of the name has a number behind it.
    let number = |name: &String| {
        let end = name.find(SEGMENT_SUFFIX)? + SEGMENT_SUFFIX.len();
        number_of(&name[..end], SEGMENT_SUFFIX)
    };
    Ok(listed.unwrap_or_default().iter().filter_map(number).collect())
}

type Header = Result<SegmentHeader, HeaderError>;

/// The header, if it is valid, the length and the handle of a segment.
fn open_segment(
    storage: &dyn Storage,
    number: u64,
) -> io::Result<(Header, u64, Box<dyn StorageFile>)> {
    let file = storage.open(&segment_path(number))?;
    let mut head = [0; HEADER_BYTES];
    let len = read_full(&*file, 0, &mut head)?;
    Ok((SegmentHeader::decode(&head[..len]), file.len()?, file))
}
