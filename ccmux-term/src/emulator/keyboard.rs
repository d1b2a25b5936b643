//! The stack of the kitty keyboard protocol; each screen has its own.

use super::Emulator;
use crate::KeyboardFlags;
use crate::parser::Params;

/// Entries kept; pushing more drops the oldest.
pub(crate) const KEYBOARD_STACK_MAX: usize = 16;

/// Flags pushed, the last one in force.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct KeyboardStack {
    pub(crate) current: KeyboardFlags,
    pub(crate) pushed: Vec<KeyboardFlags>,
}

impl KeyboardStack {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, flags: KeyboardFlags) {
        if self.pushed.len() == KEYBOARD_STACK_MAX {
            self.pushed.remove(0);
        }
        self.pushed.push(self.current);
        self.current = flags;
    }

    fn pop(&mut self, count: usize) {
        for _ in 0..count {
            let Some(flags) = self.pushed.pop() else {
                self.current = KeyboardFlags::empty();
                return;
            };
            self.current = flags;
        }
    }
}

impl Emulator {
    /// `CSI ? u`, `CSI = flags ; how u`, `CSI > flags u` and `CSI < count u`.
    pub(super) fn keyboard_protocol(&mut self, marker: u8, params: &Params) {
        let flags = KeyboardFlags::from_bits_truncate(params.get(0) as u8);
        let stack = &mut self.keyboard;
        match marker {
            b'?' => {
                let reply = format!("\x1b[?{}u", stack.current.bits());
                self.reply(reply.as_bytes());
            }
            b'=' => match params.count(1) {
                1 => stack.current = flags,
                2 => stack.current |= flags,
                3 => stack.current -= flags,
                _ => {}
            },
            b'>' => stack.push(flags),
            b'<' => stack.pop(params.count(0)),
            _ => {}
        }
        self.modes.keyboard = self.keyboard.current;
    }
}
