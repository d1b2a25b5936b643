//! From parsed sequences to the functions that carry them out.

use super::Emulator;
use crate::Event;
use crate::parser::{Params, Perform, Terminator};
use crate::work;

impl Perform for Emulator {
    #[inline]
    fn print_ascii(&mut self, text: &[u8]) {
        work::note(text.len());
        self.settle();
        self.print_ascii_run(text);
    }

    #[inline]
    fn print(&mut self, text: &[char]) {
        work::note(text.len());
        self.settle();
        self.print_chars(text);
    }

    #[inline]
    fn execute(&mut self, byte: u8) {
        work::note(1);
        self.settle();
        self.last_printed = None;
        match byte {
            0x07 => self.events.push(Event::Bell),
            0x08 => self.left(1),
            b'\t' => self.tab_forward(1),
            b'\n' | 0x0b | 0x0c => {
                self.index();
                if self.modes.newline {
                    self.carriage_return();
                }
            }
            b'\r' => self.carriage_return(),
            0x0e => self.shift_to(1),
            0x0f => self.shift_to(0),
            _ => {}
        }
    }

    fn delete(&mut self) {
        if !self.settings.is_vt52() && self.charsets.has_96() {
            self.print_ascii_run(&[0x7f]);
        }
    }

    fn esc(&mut self, intermediates: &[u8], last: u8) {
        work::note(1);
        self.sweep_if_due();
        self.settle();
        if self.settings.is_vt52() {
            self.dispatch_vt52(intermediates, last);
        } else {
            self.dispatch_escape(intermediates, last);
        }
        self.last_printed = None;
    }

    #[inline]
    fn csi(&mut self, params: &Params, intermediates: &[u8], last: u8) {
        work::note(1);
        self.sweep_if_due();
        if last == b'm' && intermediates.is_empty() {
            self.select_graphic_rendition(params);
        } else {
            self.settle();
            self.dispatch_csi(params, intermediates, last);
        }
        // REP may be repeated itself: xterm and tmux differ, repeating is the useful reading.
        if last != b'b' {
            self.last_printed = None;
        }
    }

    #[inline]
    fn style(&mut self, bytes: &[u8]) -> Option<usize> {
        self.sweep_if_due();
        let len = self.select_remembered(bytes)?;
        work::note(1);
        self.last_printed = None;
        Some(len)
    }

    fn osc(&mut self, text: &[u8], terminator: Terminator) {
        work::note(text.len());
        self.sweep_if_due();
        self.dispatch_osc(text, terminator);
        self.last_printed = None;
    }

    fn has_8bit_controls(&self) -> bool {
        self.settings.sends_8bit
    }

    #[inline]
    fn is_vt52(&self) -> bool {
        self.settings.is_vt52()
    }

    fn vt52_position(&mut self, row: u8, column: u8) {
        work::note(1);
        self.settle();
        self.go_to_vt52_position(row.into(), column.into());
        self.last_printed = None;
    }

    fn dcs(&mut self, params: &Params, intermediates: &[u8], last: u8, text: &[u8]) {
        work::note(text.len());
        self.dispatch_dcs(params, intermediates, last, text);
        self.last_printed = None;
    }

    fn apc_dropped(&mut self) {
        self.drop_transfer();
    }

    fn apc(&mut self, text: &[u8]) {
        work::note(text.len());
        self.sweep_if_due();
        self.kitty(text);
        self.last_printed = None;
    }
}
