//! What programs set and ask for beside the modes: conformance level, size of controls, extents,
//! and the modes that are only remembered.

use super::Emulator;

/// The level that DA1 and DECSCL name: a VT420.
pub(crate) const LEVEL_MAX: u8 = 4;

/// Private modes that are kept for whoever asks; those that also have an effect are looked up here.
const KEPT_PRIVATE: [u16; 10] = [
    mode::COLUMNS_132,
    4,
    18,
    19,
    mode::ALLOWS_COLUMNS,
    mode::TAB_WRAPS,
    mode::NATIONAL_SETS,
    mode::BACKARROW_KEY,
    mode::REVERSE_WRAP_EXTENDED,
    mode::LEFT_RIGHT_MARGINS,
];
/// ANSI modes that are kept for whoever asks.
const KEPT_ANSI: [u16; 2] = [2, 12];
/// More private modes: bits in a keyframe stay where they are.
const KEPT_PRIVATE_LATER: [u16; 2] = [mode::SIXEL_DISPLAY, mode::SIXEL_CURSOR_RIGHT];

/// How many modes are kept.
const KEPT_MODES: usize = KEPT_PRIVATE.len() + KEPT_ANSI.len() + KEPT_PRIVATE_LATER.len();
/// Bits of `kept` after those of the modes: DECANM is reset; a VT52 prints graphics.
const VT52: u32 = 1 << KEPT_MODES;
const VT52_GRAPHICS: u32 = VT52 << 1;

/// Numbers of private modes that the emulator looks up.
pub(crate) mod mode {
    /// DECCOLM.
    pub(crate) const COLUMNS_132: u16 = 3;
    /// DECCOLM may change the width.
    pub(crate) const ALLOWS_COLUMNS: u16 = 40;
    /// A tab after the last column wraps first (xterm's fix for `more`).
    pub(crate) const TAB_WRAPS: u16 = 41;
    /// DECNRCM: national replacement sets can be designated.
    pub(crate) const NATIONAL_SETS: u16 = 42;
    /// DECBKM: the Backspace key sends BS.
    pub(crate) const BACKARROW_KEY: u16 = 67;
    /// DECLRMM.
    pub(crate) const LEFT_RIGHT_MARGINS: u16 = 69;
    /// DECSDM: sixels are drawn in the top left corner, and scroll nothing.
    pub(crate) const SIXEL_DISPLAY: u16 = 80;
    /// The cursor goes right of sixels, not below.
    pub(crate) const SIXEL_CURSOR_RIGHT: u16 = 8452;
    /// Reverse wraparound also over lines that did not wrap.
    pub(crate) const REVERSE_WRAP_EXTENDED: u16 = 1045;
}

/// Which kind of protection the program used last (DECSCA, or SPA of ISO 6429). Erasing by ED, EL
/// and ECH heeds the second kind only.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Protection {
    #[default]
    Off,
    Iso,
    Dec,
}

bitflags::bitflags! {
    /// How titles are sent and reported (XTSMTITLE); bit *n* is parameter *n*.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct TitleModes: u8 {
        const SET_HEX = 1;
        const QUERY_HEX = 2;
        const SET_UTF8 = 4;
        const QUERY_UTF8 = 8;
    }
}

/// All of it; `Settings::default()` is what a reset sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// DECSCL, 1 to [`LEVEL_MAX`].
    pub(crate) level: u8,
    /// S8C1T: replies begin with one-byte controls.
    pub(crate) sends_8bit: bool,
    pub(crate) protection: Protection,
    /// XTCHECKSUM.
    pub(crate) checksum: u8,
    /// DECSACE as sent: 2 is a rectangle, 0 and 1 are a stream.
    pub(crate) extent: u8,
    pub(crate) title_modes: TitleModes,
    /// Bit *i*: entry *i* of the private modes above, then of the ANSI ones, then of the later ones; then
    /// what a VT52 has.
    pub(crate) kept: u32,
    /// What XTSAVE has saved, by the order of `mode::SAVED`.
    pub(crate) saved: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            level: LEVEL_MAX,
            sends_8bit: false,
            protection: Protection::Off,
            checksum: 0,
            extent: 0,
            title_modes: TitleModes::SET_UTF8 | TitleModes::QUERY_UTF8,
            kept: 0,
            saved: 0,
        }
    }
}

impl Settings {
    /// Bits that `kept` can have.
    pub(crate) const KEPT_MAX: u32 = VT52_GRAPHICS | (VT52_GRAPHICS - 1);

    fn private_bit(mode: u16) -> Option<u32> {
        let later = KEPT_PRIVATE.len() + KEPT_ANSI.len();
        let index = |modes: &[u16]| modes.iter().position(|&known| known == mode);
        let index = index(&KEPT_PRIVATE).or(index(&KEPT_PRIVATE_LATER).map(|index| later + index));
        index.map(|index| 1 << index)
    }

    fn ansi_bit(mode: u16) -> Option<u32> {
        let index = KEPT_ANSI.iter().position(|&known| known == mode)?;
        Some(1 << (KEPT_PRIVATE.len() + index))
    }

    /// A kept private mode; `None` if it is none of them.
    pub(crate) fn private(&self, mode: u16) -> Option<bool> {
        Self::private_bit(mode).map(|bit| self.kept & bit != 0)
    }

    /// Whether a private mode is kept and set.
    pub(crate) fn has(&self, mode: u16) -> bool {
        self.private(mode) == Some(true)
    }

    pub(crate) fn ansi(&self, mode: u16) -> Option<bool> {
        Self::ansi_bit(mode).map(|bit| self.kept & bit != 0)
    }

    /// Sets a private mode if it is a kept one.
    pub(crate) fn set_private(&mut self, mode: u16, is_set: bool) {
        self.set_bit(Self::private_bit(mode), is_set);
    }

    pub(crate) fn set_ansi(&mut self, mode: u16, is_set: bool) {
        self.set_bit(Self::ansi_bit(mode), is_set);
    }

    /// Whether it is a VT52 (DECANM is reset).
    #[inline]
    pub(crate) fn is_vt52(&self) -> bool {
        self.kept & VT52 != 0
    }

    /// Whether it is a VT52 that prints graphics.
    #[inline]
    pub(crate) fn has_vt52_graphics(&self) -> bool {
        self.kept & VT52_GRAPHICS != 0
    }

    /// DECANM; a VT52 begins with text.
    pub(crate) fn set_vt52(&mut self, is_vt52: bool) {
        self.set_vt52_graphics(false);
        self.set_bit(Some(VT52), is_vt52);
    }

    pub(crate) fn set_vt52_graphics(&mut self, prints_graphics: bool) {
        self.set_bit(Some(VT52_GRAPHICS), prints_graphics);
    }

    fn set_bit(&mut self, bit: Option<u32>, is_set: bool) {
        let bit = bit.unwrap_or(0);
        self.kept = if is_set { self.kept | bit } else { self.kept & !bit };
    }
}

impl Emulator {
    /// DECSCL: a soft reset, then the level and the size of controls in replies.
    pub(super) fn set_conformance_level(&mut self, level: u16, controls: u16) {
        if !(61..=65).contains(&level) {
            return;
        }
        self.soft_reset();
        self.settings.level = (level as u8 - 60).min(LEVEL_MAX);
        self.settings.sends_8bit = level > 61 && controls != 1;
    }

    /// DECSCA: 1 protects what is printed, 0 and 2 end it.
    pub(super) fn set_protection(&mut self, what: u16) {
        match what {
            1 => self.protect(Protection::Dec, true),
            0 | 2 => self.protect(self.settings.protection, false),
            _ => {}
        }
    }

    /// SPA and EPA; `kind` is the protection then in use.
    pub(super) fn protect(&mut self, kind: Protection, is_protected: bool) {
        self.settings.protection = kind;
        self.pen.is_protected = is_protected;
        self.pen_changed();
    }

    /// XTSMTITLE: sets or resets title modes.
    pub(super) fn set_title_modes(&mut self, numbers: &[u16], is_set: bool) {
        for &number in numbers.iter().filter(|&&number| number < 4) {
            self.settings.title_modes.set(TitleModes::from_bits_retain(1 << number), is_set);
        }
    }
}
