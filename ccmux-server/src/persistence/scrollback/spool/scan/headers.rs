//! Opening the segments: which of them belong to the log, by what their headers say.

use std::io;
use std::path::{Path, PathBuf};

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

/// What is wrong with a segment whose header is that of another one.
const MISPLACED: &str = "it is not the segment that belongs here";

impl SpoolIndex {
    /// Opens the segments and reads their headers.
    pub(super) fn open_segments(
        &mut self,
        storage: &dyn Storage,
        (store, boot): (Uuid, Uuid),
        numbers: &[u64],
    ) -> io::Result<Vec<SegmentHeader>> {
        let mut opened = Vec::new();
        for &number in numbers {
            let mut damaged = |reason| self.damage.push(Damage::Segment { number, reason });
            match unless_passing(insist(|| open_segment(storage, &segment_path(number))))? {
                Ok((Ok(header), bytes, file)) if header.store == store => {
                    let is_here = header.number == number;
                    if !is_here {
                        damaged(MISPLACED.to_owned());
                    }
                    opened.push((header, is_here.then_some((bytes, file))));
                }
                Ok((Ok(_), ..)) => damaged(MISPLACED.to_owned()),
                Ok((Err(HeaderError::Bad), bytes, _)) => self.torn.push((number, bytes)),
                Ok((Err(error), ..)) => damaged(error.to_string()),
                Err(error) => damaged(error.to_string()),
            }
        }
        // What is void is also said by those that are in a wrong place, or in the quarantine.
        for path in paths_aside(storage)? {
            if let Ok((Ok(header), ..)) = unless_passing(insist(|| open_segment(storage, &path)))?
                && header.store == store
            {
                opened.push((header, None));
            }
        }
        self.highest_said = opened.iter().map(|(header, _)| header.number).max().unwrap_or(0);
        let in_place: Vec<u64> =
            opened.iter().filter(|it| it.1.is_some()).map(|it| it.0.number).collect();
        opened.retain(|(header, segment)| {
            let is_of_another = in_place.contains(&header.number);
            segment.is_some() || (self.may_be_elsewhere(header.number) && !is_of_another)
        });
        opened.sort_by_key(|(header, _)| header.number);
        let mut headers: Vec<SegmentHeader> = Vec::new();
        for (header, segment) in opened {
            let number = header.number;
            let Some((bytes, file)) = segment else {
                self.end_at_predecessor(&header, &mut headers);
                self.elsewhere.push(header);
                continue;
            };
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

    /// Whether this may be the number of a segment that is not in its place: not one behind all that have a name (in
    /// earlier versions it may be given again, and what is written then must not be void), nor one of those that nobody
    /// needs.
    fn may_be_elsewhere(&self, number: u64) -> bool {
        (self.gone_to.saturating_add(1)..self.next_number).contains(&number)
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
    let names = names_aside(storage)?;
    Ok(names.iter().filter_map(|name| number_aside(name)).collect())
}

/// The paths of the segments in the quarantine.
fn paths_aside(storage: &dyn Storage) -> io::Result<Vec<PathBuf>> {
    let mut names = names_aside(storage)?;
    names.retain(|name| number_aside(name).is_some());
    Ok(names.iter().map(|name| Path::new(QUARANTINE_DIR).join(name)).collect())
}

fn names_aside(storage: &dyn Storage) -> io::Result<Vec<String>> {
    let listed = unless_passing(insist(|| storage.list(Path::new(QUARANTINE_DIR))))?;
    Ok(listed.unwrap_or_default())
}

/// The number of a segment in the quarantine. A second file of a name has a number behind it.
fn number_aside(name: &str) -> Option<u64> {
    let end = name.find(SEGMENT_SUFFIX)? + SEGMENT_SUFFIX.len();
    number_of(&name[..end], SEGMENT_SUFFIX)
}

type Header = Result<SegmentHeader, HeaderError>;

/// The header, if it is valid, the length and the handle of a segment.
fn open_segment(
    storage: &dyn Storage,
    path: &Path,
) -> io::Result<(Header, u64, Box<dyn StorageFile>)> {
    let file = storage.open(path)?;
    let mut head = [0; HEADER_BYTES];
    let len = read_full(&*file, 0, &mut head)?;
    Ok((SegmentHeader::decode(&head[..len]), file.len()?, file))
}
