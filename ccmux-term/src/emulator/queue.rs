//! Events waiting to be taken, bounded in number and size.

use crate::Event;

/// Events kept until they are taken; later ones are dropped.
pub(crate) const EVENTS_MAX: usize = 1024;
/// Bytes of consecutive replies kept until they are taken; later ones are dropped.
pub(crate) const REPLY_BYTES_MAX: usize = 64 * 1024;
/// The same of sequences for the terminal outside.
pub(crate) const PASSTHROUGH_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct EventQueue {
    events: Vec<Event>,
}

impl EventQueue {
    pub(crate) fn take(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Adds an event; what repeats the last one or makes it moot is merged with it.
    pub(crate) fn push(&mut self, event: Event) {
        match (self.events.last_mut(), event) {
            (Some(Event::Bell), Event::Bell) => {}
            (Some(Event::Title(old)), Event::Title(new))
            | (Some(Event::IconName(old)), Event::IconName(new)) => *old = new,
            (Some(Event::Cwd(old)), Event::Cwd(new)) => *old = new,
            (Some(Event::SizeRequest(old)), Event::SizeRequest(new)) => *old = new,
            (Some(Event::Reply(old)), Event::Reply(new)) => {
                if old.len() + new.len() <= REPLY_BYTES_MAX {
                    old.extend_from_slice(&new);
                }
            }
            (Some(Event::Passthrough(old)), Event::Passthrough(new)) => {
                if old.len() + new.len() <= PASSTHROUGH_BYTES_MAX {
                    old.extend_from_slice(&new);
                }
            }
            (_, event) => {
                if self.events.len() < EVENTS_MAX {
                    self.events.push(event);
                }
            }
        }
    }
}
