//! Control sequences: which one does what.

use super::{Emulator, Tabs};
use crate::parser::Params;

impl Emulator {
    pub(super) fn dispatch_csi(&mut self, params: &Params, intermediates: &[u8], last: u8) {
        let count = params.count(0);
        let number = params.get(0);
        match (intermediates, last) {
            ([], b'@') => self.insert_chars(count),
            ([], b'A' | b'k') => self.up(count),
            ([], b'B' | b'e') => self.down(count),
            ([], b'C' | b'a') => self.right(count),
            ([], b'D' | b'j') => self.left(count),
            ([], b'E') => {
                self.down(count);
                self.carriage_return();
            }
            ([], b'F') => {
                self.up(count);
                self.carriage_return();
            }
            ([], b'G' | b'`') => self.go_to_column(count - 1),
            ([], b'H' | b'f') => {
                self.go_to_row(count - 1);
                self.go_to_column(params.count(1) - 1);
            }
            ([], b'I') => self.tab_forward(count),
            ([] | [b'?'], b'J') => self.erase_in_display(number),
            ([] | [b'?'], b'K') => self.erase_in_line(number),
            ([], b'L') => self.insert_lines(count),
            ([], b'M') => self.delete_lines(count),
            ([], b'P') => self.delete_chars(count),
            ([], b'S') => self.scroll_up(count),
            // With five parameters it is highlight mouse tracking.
            ([], b'T') if params.len() == 1 => self.scroll_down(count),
            ([], b'^') => self.scroll_down(count),
            ([b'?'], b'W') if number == 5 => self.tabs = Tabs::new(self.cols()),
            ([], b'X') => self.erase_chars(count),
            ([], b'Z') => self.tab_back(count),
            ([], b'b') => self.repeat(count),
            ([], b'c') if number == 0 => self.report_device_attributes(),
            ([b'>'], b'c') if number == 0 => self.report_secondary_attributes(),
            ([b'='], b'c') if number == 0 => self.report_tertiary_attributes(),
            ([], b'd') => self.go_to_row(count - 1),
            ([], b'g') => match number {
                0 => self.tabs.set(self.cursor.x, false),
                3 => self.tabs.clear(),
                _ => {}
            },
            ([], b'h') => self.set_ansi_modes(params, true),
            ([], b'l') => self.set_ansi_modes(params, false),
            ([b'?'], b'h') => self.set_private_modes(params, true),
            ([b'?'], b'l') => self.set_private_modes(params, false),
            ([b'>'], b'm') => self.modify_keys(params),
            ([b'>'], b'n') if number == 4 => self.modes.modify_other_keys = 0,
            ([], b'n') => self.report_status(number),
            ([b'?'], b'n') => self.report_private_status(number),
            ([b'!'], b'p') => self.soft_reset(),
            ([b'$'], b'p') => self.report_ansi_mode(number),
            ([b'?', b'$'], b'p') => self.report_private_mode(number),
            ([b' '], b'q') => self.set_cursor_style(number),
            ([b'>'], b'q') if number == 0 => self.report_version(),
            ([], b'r') => self.set_margins(number, params.get(1)),
            ([], b's') => self.save_cursor(),
            ([], b't') => self.window_operation(params),
            ([], b'u') => self.restore_cursor(),
            ([marker @ b'<'..=b'?'], b'u') => self.keyboard_protocol(*marker, params),
            _ => {}
        }
    }
}
