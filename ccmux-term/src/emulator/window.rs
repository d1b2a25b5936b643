//! XTWINOPS: sizes, and titles with their stack.

use super::settings::TitleModes;
use super::{Emulator, TITLE_STACK_MAX, dcs};
use crate::parser::{Params, Terminator};
use crate::{CellSize, Event, Size};

/// Titles pushed at once (XTWINOPS 22): the window's, the icon's or both.
pub(crate) type PushedTitles = (Option<String>, Option<String>);

impl Emulator {
    /// A pane has no window of its own to move or to iconify: those operations do nothing, and
    /// reports tell of a window that is as large as the screen.
    pub(super) fn window_operation(&mut self, params: &Params) {
        let (cols, rows) = (self.cols(), self.rows());
        let (width, height) = self.pixels();
        let cell = self.cell;
        let reply = match params.get(0) {
            4 => {
                let (height, width) = (params.get(1), params.get(2));
                return self.ask_for_size(width / cell.width, height / cell.height);
            }
            8 => return self.ask_for_size(params.get(2), params.get(1)),
            11 => "\x1b[1t".to_owned(),
            13 => "\x1b[3;0;0t".to_owned(),
            14 => format!("\x1b[4;{height};{width}t"),
            15 => format!("\x1b[5;{height};{width}t"),
            16 => format!("\x1b[6;{};{}t", cell.height, cell.width),
            18 => format!("\x1b[8;{rows};{cols}t"),
            19 => format!("\x1b[9;{rows};{cols}t"),
            20 => return self.report_title('L'),
            21 => return self.report_title('l'),
            22 => return self.push_titles(params.get(1)),
            23 => return self.pop_titles(params.get(1)),
            // DECSLPP.
            lines @ 24.. => return self.ask_for_size(0, lines),
            _ => return,
        };
        self.reply(reply.as_bytes());
    }

    /// Width and height of the screen in pixels.
    pub(super) fn pixels(&self) -> (usize, usize) {
        let CellSize { width, height } = self.cell;
        (self.cols() * usize::from(width), self.rows() * usize::from(height))
    }

    /// Tells the owner that the program wants another size; 0 leaves a side as it is.
    pub(super) fn ask_for_size(&mut self, cols: u16, rows: u16) {
        let side = |wanted: u16, present: u16| if wanted == 0 { present } else { wanted };
        let Size { cols: present_cols, rows: present_rows } = self.size;
        let size = Size { cols: side(cols, present_cols), rows: side(rows, present_rows) };
        self.events.push(Event::SizeRequest(size.clamped()));
    }

    /// Reports the icon's name (`L`) or the title (`l`), if the owner allows it.
    fn report_title(&mut self, which: char) {
        if self.reports_titles {
            let text = if which == 'L' { &self.icon_name } else { &self.title };
            let is_hex = self.settings.title_modes.contains(TitleModes::QUERY_HEX);
            let text = if is_hex { dcs::encode_hex(text.as_bytes()) } else { text.clone() };
            self.reply_osc(&format!("{which}{text}"), Terminator::St);
        }
    }

    /// What an OSC sends as a title; `None` if it should be hexadecimal and is not.
    pub(super) fn sent_title(&self, text: &[u8]) -> Option<Vec<u8>> {
        if self.settings.title_modes.contains(TitleModes::SET_HEX) {
            dcs::decode_hex(text)
        } else {
            Some(text.to_vec())
        }
    }

    /// Pushes both titles (0), the icon's name (1) or the title (2). What is not pushed is in the
    /// new entry as in the one below it.
    fn push_titles(&mut self, which: u16) {
        if which > 2 {
            return;
        }
        if self.title_stack.len() == TITLE_STACK_MAX {
            self.title_stack.remove(0);
        }
        let (title, icon_name) = self.title_stack.last().cloned().unwrap_or_default();
        let title = if which == 1 { title } else { Some(self.title.clone()) };
        let icon_name = if which == 2 { icon_name } else { Some(self.icon_name.clone()) };
        self.title_stack.push((title, icon_name));
    }

    fn pop_titles(&mut self, which: u16) {
        if which > 2 {
            return;
        }
        let Some((title, icon_name)) = self.title_stack.pop() else { return };
        if let Some(icon_name) = icon_name.filter(|_| which != 2) {
            self.set_icon_name(icon_name);
        }
        if let Some(title) = title.filter(|_| which != 1) {
            self.set_title(title);
        }
    }

    pub(super) fn set_title(&mut self, title: String) {
        if self.title != title {
            self.events.push(Event::Title(title.clone()));
            self.title = title;
        }
    }

    pub(super) fn set_icon_name(&mut self, name: String) {
        if self.icon_name != name {
            self.events.push(Event::IconName(name.clone()));
            self.icon_name = name;
        }
    }
}
