//! Paste buffers.
//!
//! They are kept in the log and in every checkpoint, so they are bounded: each, and all together.
//! Automatic ones go, the oldest first, when there are too many or no room for a new one.

use bstr::BString;

use super::draft::Draft;
use super::{BufferText, CommandError, Facts};
use crate::apply::AUTOMATIC_PREFIX;
use crate::change::{Change, OptionScope};
use crate::model::Buffer;

/// The largest buffer.
pub const BUFFER_BYTES_MAX: usize = 1024 * 1024;
/// All buffers together.
pub const BUFFERS_BYTES_MAX: usize = 8 * 1024 * 1024;
/// The longest name.
const NAME_BYTES_MAX: usize = 1024;
/// How many buffers there may be, whatever their names.
const BUFFERS_MAX: usize = 1000;

pub(super) fn set(
    draft: &mut Draft<'_>,
    name: Option<String>,
    text: BufferText,
    facts: &Facts,
) -> Result<(), CommandError> {
    let data = match text {
        BufferText::Whole(data) => data,
        BufferText::Appended(data) => appended(draft, name.as_deref(), &data),
    };
    if data.is_empty() {
        return Ok(());
    }
    if data.len() > BUFFER_BYTES_MAX {
        return Err(CommandError::BufferTooLarge(data.len()));
    }
    let is_automatic = name.is_none();
    let name = match name {
        Some(name) => checked(name)?,
        None => free_name(draft),
    };
    make_room(draft, &name, data.len(), is_automatic)?;
    draft.push(Change::BufferSet {
        buffer: Buffer { name, data, created: facts.now, is_automatic },
    });
    Ok(())
}

fn appended(draft: &mut Draft<'_>, name: Option<&str>, data: &[u8]) -> BString {
    let old = name.and_then(|name| draft.state().buffer_named(name));
    let mut whole = old.map(|old| old.data.clone()).unwrap_or_default();
    whole.extend_from_slice(data);
    whole
}

fn checked(name: String) -> Result<String, CommandError> {
    match name.len() {
        0 => Err(CommandError::EmptyBufferName),
        1..=NAME_BYTES_MAX => Ok(name),
        _ => Err(CommandError::BufferNameTooLong),
    }
}

fn free_name(draft: &mut Draft<'_>) -> String {
    let state = draft.state();
    (state.next_buffer..=u32::MAX)
        .map(|number| format!("{AUTOMATIC_PREFIX}{number}"))
        .find(|name| state.buffer_named(name).is_none())
        .unwrap_or_else(|| AUTOMATIC_PREFIX.to_owned())
}

/// Deletes the automatic buffers that a new one of this size leaves no room for.
fn make_room(
    draft: &mut Draft<'_>,
    name: &str,
    bytes: usize,
    is_automatic: bool,
) -> Result<(), CommandError> {
    let limit = draft.state().options(OptionScope::Server).number("buffer-limit");
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let others: Vec<(String, usize, bool)> = draft
        .state()
        .buffers
        .iter()
        .filter(|buffer| buffer.name != name)
        .map(|buffer| (buffer.name.clone(), buffer.data.len(), buffer.is_automatic))
        .collect();
    let mut total = bytes + others.iter().map(|(_, len, _)| len).sum::<usize>();
    let mut count = others.len() + 1;
    let mut automatic = usize::from(is_automatic)
        + others.iter().filter(|(.., is_automatic)| *is_automatic).count();
    let mut gone = Vec::new();
    for (name, len, _) in others.iter().rev().filter(|(.., is_automatic)| *is_automatic) {
        let is_over = is_automatic && automatic > limit;
        if !is_over && total <= BUFFERS_BYTES_MAX && count <= BUFFERS_MAX {
            break;
        }
        total -= len;
        (count, automatic) = (count - 1, automatic - 1);
        gone.push(name.clone());
    }
    if total > BUFFERS_BYTES_MAX || count > BUFFERS_MAX {
        return Err(CommandError::BuffersFull);
    }
    for name in gone {
        draft.push(Change::BufferDeleted { name });
    }
    Ok(())
}

pub(super) fn rename(
    draft: &mut Draft<'_>,
    name: Option<String>,
    new_name: String,
) -> Result<(), CommandError> {
    let name = existing(draft, name)?;
    let new_name = checked(new_name)?;
    if draft.state().buffer_named(&new_name).is_some() {
        return Err(CommandError::BufferExists(new_name));
    }
    draft.push(Change::BufferRenamed { name, new_name });
    Ok(())
}

pub(super) fn delete(draft: &mut Draft<'_>, name: Option<String>) -> Result<(), CommandError> {
    let name = existing(draft, name)?;
    draft.push(Change::BufferDeleted { name });
    Ok(())
}

/// The buffer of that name, or the newest.
fn existing(draft: &mut Draft<'_>, name: Option<String>) -> Result<String, CommandError> {
    let state = draft.state();
    match name {
        Some(name) if state.buffer_named(&name).is_some() => Ok(name),
        Some(name) => Err(CommandError::UnknownBuffer(name)),
        None => {
            state.buffers.first().map(|newest| newest.name.clone()).ok_or(CommandError::NoBuffer)
        }
    }
}
