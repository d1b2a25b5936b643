//! Changes of paste buffers.

use super::ApplyError;
use crate::model::{Buffer, State};

/// What automatic buffers are called, before their number.
pub(crate) const AUTOMATIC_PREFIX: &str = "buffer";

pub(super) fn set(state: &mut State, buffer: &Buffer) {
    let number = buffer.name.strip_prefix(AUTOMATIC_PREFIX).and_then(|number| number.parse().ok());
    if let Some(number) = number.filter(|_| buffer.is_automatic) {
        let number: u32 = number;
        state.next_buffer = state.next_buffer.max(number.wrapping_add(1));
    }
    state.buffers.retain(|other| other.name != buffer.name);
    state.buffers.insert(0, buffer.clone());
}

pub(super) fn rename(state: &mut State, name: &str, new_name: &str) -> Result<(), ApplyError> {
    if state.buffer_named(new_name).is_some() {
        return Err(ApplyError::BufferName(new_name.to_owned()));
    }
    let buffer = state.buffers.iter_mut().find(|buffer| buffer.name == name);
    let buffer = buffer.ok_or_else(|| ApplyError::NoBuffer(name.to_owned()))?;
    new_name.clone_into(&mut buffer.name);
    buffer.is_automatic = false;
    Ok(())
}

pub(super) fn delete(state: &mut State, name: &str) -> Result<(), ApplyError> {
    let at = state.buffers.iter().position(|buffer| buffer.name == name);
    state.buffers.remove(at.ok_or_else(|| ApplyError::NoBuffer(name.to_owned()))?);
    Ok(())
}
