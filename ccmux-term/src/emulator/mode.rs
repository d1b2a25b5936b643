//! Modes: setting, resetting and reporting them, and the alternate screen.

use super::settings::mode as numbers;
use super::{Emulator, Position};
use crate::parser::Params;
use crate::{CursorShape, MouseEncoding, MouseTracking};

/// An answer to DECRQM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ModeState {
    Unknown = 0,
    Set = 1,
    Reset = 2,
    AlwaysSet = 3,
    AlwaysReset = 4,
}

/// The private modes that XTSAVE saves, in the order of their bits in a keyframe.
const SAVED: [u16; 38] = [
    1, 3, 4, 5, 6, 7, 9, 12, 18, 19, 25, 40, 41, 42, 45, 47, 66, 67, 69, 1000, 1002, 1003, 1004,
    1005, 1006, 1007, 1015, 1016, 1045, 1047, 1049, 2004, 2026, 2031, 2048, 2027, 80, 8452,
];

/// Bits that `Settings::saved` can have.
pub(crate) const SAVED_MAX: u64 = (1 << SAVED.len()) - 1;

fn saved_bit(mode: u16) -> Option<u64> {
    SAVED.iter().position(|&known| known == mode).map(|index| 1 << index)
}

impl From<bool> for ModeState {
    fn from(is_set: bool) -> Self {
        if is_set { Self::Set } else { Self::Reset }
    }
}

impl Emulator {
    /// SM and RM.
    pub(super) fn set_ansi_modes(&mut self, params: &Params, is_set: bool) {
        for &mode in params.values() {
            match mode {
                4 => self.modes.insert = is_set,
                20 => self.modes.newline = is_set,
                _ => self.settings.set_ansi(mode, is_set),
            }
        }
    }

    /// DECSET and DECRST.
    pub(super) fn set_private_modes(&mut self, params: &Params, is_set: bool) {
        for &mode in params.values() {
            self.set_private_mode(mode, is_set);
        }
    }

    fn set_private_mode(&mut self, mode: u16, is_set: bool) {
        let modes = &mut self.modes;
        match mode {
            1 => modes.application_cursor_keys = is_set,
            2 => self.settings.set_vt52(!is_set),
            numbers::COLUMNS_132 => self.set_columns(is_set),
            5 => modes.reverse_screen = is_set,
            6 => {
                modes.origin = is_set;
                self.go_home();
            }
            7 => {
                modes.autowrap = is_set;
                self.cursor.is_wrap_pending &= is_set;
            }
            9 => set_mouse(&mut modes.mouse, MouseTracking::X10, is_set),
            12 => self.is_cursor_blinking = is_set,
            25 => modes.cursor_visible = is_set,
            45 => modes.reverse_wrap = is_set,
            66 => modes.application_keypad = is_set,
            numbers::LEFT_RIGHT_MARGINS => self.allow_side_margins(is_set),
            1000 => set_mouse(&mut modes.mouse, MouseTracking::Normal, is_set),
            1002 => set_mouse(&mut modes.mouse, MouseTracking::ButtonMotion, is_set),
            1003 => set_mouse(&mut modes.mouse, MouseTracking::AnyMotion, is_set),
            1004 => modes.focus_events = is_set,
            1005 => set_encoding(&mut modes.mouse_encoding, MouseEncoding::Utf8, is_set),
            1006 => set_encoding(&mut modes.mouse_encoding, MouseEncoding::Sgr, is_set),
            1007 => modes.alternate_scroll = is_set,
            1015 => set_encoding(&mut modes.mouse_encoding, MouseEncoding::Urxvt, is_set),
            1016 => set_encoding(&mut modes.mouse_encoding, MouseEncoding::SgrPixels, is_set),
            2004 => modes.bracketed_paste = is_set,
            2026 => modes.synchronized_output = is_set,
            2027 => modes.grapheme_clusters = is_set,
            2031 => modes.color_scheme_updates = is_set,
            2048 => {
                modes.in_band_resize = is_set;
                self.report_size_in_band();
            }
            47 => self.show_alternate_screen(is_set),
            1047 => {
                if !is_set {
                    self.clear_alternate_screen();
                }
                self.show_alternate_screen(is_set);
            }
            1048 if is_set => self.save_cursor(),
            1048 => self.restore_cursor(),
            1049 if is_set => {
                self.save_cursor();
                self.show_alternate_screen(true);
                self.clear_alternate_screen();
            }
            1049 => {
                self.show_alternate_screen(false);
                self.restore_cursor();
            }
            _ => self.settings.set_private(mode, is_set),
        }
    }

    /// DECCOLM, if it is allowed: clears the screen and asks for the width.
    fn set_columns(&mut self, is_132: bool) {
        if self.settings.has(numbers::ALLOWS_COLUMNS) {
            self.settings.set_private(numbers::COLUMNS_132, is_132);
            self.clear_screen();
            self.reset_margins();
            self.go_home();
            self.ask_for_size(if is_132 { 132 } else { 80 }, 0);
        }
    }

    /// XTSAVE.
    pub(super) fn save_modes(&mut self, params: &Params) {
        for &mode in params.values() {
            if let Some(bit) = saved_bit(mode) {
                let is_set = self.private_mode(mode) == ModeState::Set;
                let saved = &mut self.settings.saved;
                *saved = if is_set { *saved | bit } else { *saved & !bit };
            }
        }
    }

    /// XTRESTORE: modes as they were saved, or reset if they were not.
    pub(super) fn restore_modes(&mut self, params: &Params) {
        for &mode in params.values() {
            if let Some(bit) = saved_bit(mode) {
                let was_set = self.settings.saved & bit != 0;
                // One mouse mode resets another, so what is as it was is left alone.
                if (self.private_mode(mode) == ModeState::Set) != was_set {
                    self.set_private_mode(mode, was_set);
                }
            }
        }
    }

    pub(super) fn leave_alternate_screen(&mut self) {
        self.show_alternate_screen(false);
    }

    fn show_alternate_screen(&mut self, is_alternate: bool) {
        if self.modes.alternate_screen == is_alternate {
            return;
        }
        self.modes.alternate_screen = is_alternate;
        self.hidden_grid.continue_versions(&self.grid);
        std::mem::swap(&mut self.grid, &mut self.hidden_grid);
        std::mem::swap(&mut self.saved, &mut self.hidden_saved);
        std::mem::swap(&mut self.keyboard, &mut self.hidden_keyboard);
        self.modes.keyboard = self.keyboard.current;
    }

    fn clear_alternate_screen(&mut self) {
        if self.modes.alternate_screen {
            let (rows, fill) = (self.rows(), self.fill_id());
            self.grid.clear_rows(0, rows, fill);
        }
    }

    /// DECSCUSR.
    pub(super) fn set_cursor_style(&mut self, style: u16) {
        self.cursor_shape = match style {
            0 => CursorShape::Default,
            1 | 2 => CursorShape::Block,
            3 | 4 => CursorShape::Underline,
            5 | 6 => CursorShape::Bar,
            _ => return,
        };
        self.is_cursor_blinking = style % 2 == 1;
    }

    /// The parameter of DECSCUSR that sets the present style.
    pub(super) fn cursor_style(&self) -> u16 {
        let steady = match self.cursor_shape {
            CursorShape::Default => return 0,
            CursorShape::Block => 2,
            CursorShape::Underline => 4,
            CursorShape::Bar => 6,
        };
        steady - u16::from(self.is_cursor_blinking)
    }

    /// XTMODKEYS.
    pub(super) fn modify_keys(&mut self, params: &Params) {
        match params.get(0) {
            0 => self.modes.modify_other_keys = 0,
            4 => self.modes.modify_other_keys = params.get(1).min(2) as u8,
            _ => {}
        }
    }

    /// XTQMODKEYS, for the resource that there is.
    pub(super) fn report_modified_keys(&mut self) {
        self.reply(format!("\x1b[>4;{}m", self.modes.modify_other_keys).as_bytes());
    }

    /// DECRQM for ANSI modes.
    pub(super) fn report_ansi_mode(&mut self, mode: u16) {
        let state = match mode {
            4 => self.modes.insert.into(),
            20 => self.modes.newline.into(),
            1 | 5 | 7 | 10 | 11 | 13..=19 => ModeState::AlwaysReset,
            _ => self.settings.ansi(mode).map_or(ModeState::Unknown, ModeState::from),
        };
        self.report_mode(format!("\x1b[{mode};{}$y", state as u8).as_bytes());
    }

    /// Answers DECRQM, which came with the VT320.
    fn report_mode(&mut self, reply: &[u8]) {
        if self.settings.level >= 3 {
            self.reply(reply);
        }
    }

    /// DECRQM for private modes.
    pub(super) fn report_private_mode(&mut self, mode: u16) {
        let state = self.private_mode(mode);
        self.report_mode(format!("\x1b[?{mode};{}$y", state as u8).as_bytes());
    }

    fn private_mode(&self, mode: u16) -> ModeState {
        let modes = &self.modes;
        let is_set = match mode {
            1 => modes.application_cursor_keys,
            2 => !self.settings.is_vt52(),
            5 => modes.reverse_screen,
            6 => modes.origin,
            7 => modes.autowrap,
            9 => modes.mouse == MouseTracking::X10,
            12 => self.is_cursor_blinking,
            25 => modes.cursor_visible,
            45 => modes.reverse_wrap,
            66 => modes.application_keypad,
            47 | 1047 | 1049 => modes.alternate_screen,
            1000 => modes.mouse == MouseTracking::Normal,
            1002 => modes.mouse == MouseTracking::ButtonMotion,
            1003 => modes.mouse == MouseTracking::AnyMotion,
            1004 => modes.focus_events,
            1005 => modes.mouse_encoding == MouseEncoding::Utf8,
            1006 => modes.mouse_encoding == MouseEncoding::Sgr,
            1007 => modes.alternate_scroll,
            1015 => modes.mouse_encoding == MouseEncoding::Urxvt,
            1016 => modes.mouse_encoding == MouseEncoding::SgrPixels,
            1048 => self.saved.position != Position::default(),
            2004 => modes.bracketed_paste,
            2026 => modes.synchronized_output,
            2027 => modes.grapheme_clusters,
            // Keys repeat; each picture has colour registers of its own.
            8 | 1070 => return ModeState::AlwaysSet,
            // DECHCCM: no page is wider than the screen, so none follows the cursor.
            60 => return ModeState::AlwaysReset,
            2031 => modes.color_scheme_updates,
            2048 => modes.in_band_resize,
            _ => match self.settings.private(mode) {
                Some(is_set) => is_set,
                None => return ModeState::Unknown,
            },
        };
        is_set.into()
    }
}

fn set_mouse(mouse: &mut MouseTracking, kind: MouseTracking, is_set: bool) {
    *mouse = if is_set { kind } else { MouseTracking::Off };
}

fn set_encoding(encoding: &mut MouseEncoding, kind: MouseEncoding, is_set: bool) {
    if is_set {
        *encoding = kind;
    } else if *encoding == kind {
        *encoding = MouseEncoding::Default;
    }
}
