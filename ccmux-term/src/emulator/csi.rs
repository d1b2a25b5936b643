//! Control sequences: which one does what.

use super::{Emulator, Protection, Tabs};
use crate::parser::Params;

impl Emulator {
    pub(super) fn dispatch_csi(&mut self, params: &Params, intermediates: &[u8], last: u8) {
        let count = params.count(0);
        let number = params.get(0);
        match (intermediates, last) {
            ([], b'@') => self.insert_chars(count),
            ([b' '], b'@') if self.is_in_margins() => self.delete_columns(self.left, count),
            ([], b'A' | b'k') => self.up(count),
            ([b' '], b'A') if self.is_in_margins() => self.insert_columns(self.left, count),
            ([], b'B') => self.down(count),
            ([], b'C') => self.right(count),
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
            ([], b'J') => self.erase_in_display(number, Protection::Iso),
            ([b'?'], b'J') => self.erase_in_display(number, Protection::Dec),
            ([], b'K') => self.erase_in_line(number, Protection::Iso),
            ([b'?'], b'K') => self.erase_in_line(number, Protection::Dec),
            ([], b'L') => self.insert_lines(count),
            ([], b'M') => self.delete_lines(count),
            ([], b'P') => self.delete_chars(count),
            ([], b'S') => self.scroll_up(count),
            ([b'?'], b'S') => self.report_graphics(params),
            // With five parameters it is highlight mouse tracking.
            ([], b'T') if params.len() == 1 => self.scroll_down(count),
            ([b'>'], b'T') => self.set_title_modes(params.values(), false),
            ([], b'^') => self.scroll_down(count),
            ([b'?'], b'W') if number == 5 => self.tabs = Tabs::new(self.cols()),
            ([], b'X') => self.erase_chars(count),
            ([], b'Z') => self.tab_back(count),
            ([], b'a') => self.go_right(count),
            ([], b'b') => self.repeat(count),
            ([], b'c') if number == 0 => self.report_device_attributes(),
            ([b'>'], b'c') if number == 0 => self.report_secondary_attributes(),
            ([b'='], b'c') if number == 0 => self.report_tertiary_attributes(),
            ([], b'd') => self.go_to_row(count - 1),
            ([], b'e') => self.go_down(count),
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
            ([b'?'], b'm') if number == 4 => self.report_modified_keys(),
            ([b'>'], b'n') if number == 4 => self.modes.modify_other_keys = 0,
            ([], b'n') => self.report_status(number),
            ([b'?'], b'n') => self.report_private_status(number, params.get(1)),
            ([b'!'], b'p') => self.soft_reset(),
            ([b'"'], b'p') => self.set_conformance_level(number, params.get(1)),
            ([b'$'], b'p') => self.report_ansi_mode(number),
            ([b'?', b'$'], b'p') => self.report_private_mode(number),
            ([b' '], b'q') => self.set_cursor_style(number),
            ([b'"'], b'q') => self.set_protection(number),
            ([b'>'], b'q') if number == 0 => self.report_version(),
            ([], b'r') => self.set_margins(number, params.get(1)),
            ([b'?'], b'r') => self.restore_modes(params),
            ([b'$'], b'r') => self.change_attributes(params, false),
            ([], b's') if self.has_side_margins() => self.set_side_margins(number, params.get(1)),
            ([], b's') => self.save_cursor(),
            ([b'?'], b's') => self.save_modes(params),
            ([], b't') => self.window_operation(params),
            ([b'>'], b't') => self.set_title_modes(params.values(), true),
            ([b'$'], b't') => self.change_attributes(params, true),
            ([], b'u') => self.restore_cursor(),
            ([marker @ b'<'..=b'?'], b'u') => self.keyboard_protocol(*marker, params),
            ([b'$'], b'v') => self.copy_rect(params),
            ([b'"'], b'v') => self.report_displayed_extent(),
            ([b'$'], b'w') => self.report_presentation(number),
            ([], b'x') if number < 2 => self.report_parameters(number),
            ([b'$'], b'x') => self.fill_rect(params),
            ([b'*'], b'x') if number <= 2 => self.settings.extent = number as u8,
            ([b'#'], b'p' | b'{') => self.push_style(params),
            ([b'#'], b'q' | b'}') => self.pop_style(),
            ([b'#'], b'|') => self.report_styles(params),
            ([b'#'], b'y') => self.settings.checksum = number as u8 & 0x3f,
            ([b'*'], b'y') => self.report_checksum(params),
            ([b'$'], b'z') => self.erase_rect(params),
            ([b'$'], b'{') => self.erase_rect_selectively(params),
            ([b'$'], b'|') if number == 80 || number == 132 => self.ask_for_size(number, 0),
            ([b'*'], b'|') => self.ask_for_size(0, number),
            ([b'\''], b'|') => self.report_locator(),
            ([b'\''], b'}') if self.is_in_margins() => self.insert_columns(self.cursor.x, count),
            ([b'\''], b'~') if self.is_in_margins() => self.delete_columns(self.cursor.x, count),
            _ => {}
        }
    }
}
