//! The modes a program has set, as far as others need them: input encoding and composition.

/// Which mouse events a program wants (DECSET 9, 1000, 1002, 1003).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MouseTracking {
    /// None.
    #[default]
    Off,
    /// Presses only (9, as the X10 terminal did).
    X10,
    /// Presses and releases (1000).
    Normal,
    /// Also motion while a button is held (1002).
    ButtonMotion,
    /// Also motion without a button (1003).
    AnyMotion,
}

/// How mouse events are written (DECSET 1005, 1006, 1015, 1016).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MouseEncoding {
    /// `CSI M` and three bytes.
    #[default]
    Default,
    /// `CSI M` and UTF-8 (1005).
    Utf8,
    /// `CSI <` and decimal numbers (1006).
    Sgr,
    /// `CSI` and decimal numbers (1015).
    Urxvt,
    /// As 1006, in pixels (1016).
    SgrPixels,
}

bitflags::bitflags! {
    /// Progressive enhancement flags of the kitty keyboard protocol.
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct KeyboardFlags: u8 {
        /// Escape and modified keys get unambiguous codes.
        const DISAMBIGUATE = 1;
        /// Repeat and release are reported.
        const EVENT_TYPES = 2;
        /// Shifted and base-layout keys are reported.
        const ALTERNATE_KEYS = 4;
        /// Every key is an escape code.
        const ALL_KEYS = 8;
        /// The text a key makes is reported.
        const ASSOCIATED_TEXT = 16;
    }
}

/// All modes; `Modes::default()` is what a reset sets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Modes {
    /// DECCKM (1): cursor keys send `ESC O`.
    pub application_cursor_keys: bool,
    /// DECKPAM: the keypad sends application codes.
    pub application_keypad: bool,
    /// DECSCNM (5): foreground and background of the whole screen are swapped.
    pub reverse_screen: bool,
    /// DECOM (6): cursor positions count from the top margin.
    pub origin: bool,
    /// DECAWM (7): text wraps at the right border.
    pub autowrap: bool,
    /// DECTCEM (25): the cursor is visible.
    pub cursor_visible: bool,
    /// IRM (4): printing inserts.
    pub insert: bool,
    /// LNM (20): a line feed also returns the carriage, and Enter sends CR LF.
    pub newline: bool,
    /// Reverse wraparound (45): backspace at the left border goes to the line above.
    pub reverse_wrap: bool,
    /// Which mouse events are wanted.
    pub mouse: MouseTracking,
    /// How they are written.
    pub mouse_encoding: MouseEncoding,
    /// 1004: focus changes are reported.
    pub focus_events: bool,
    /// 1007: the wheel sends cursor keys on the alternate screen.
    pub alternate_scroll: bool,
    /// 2004: pastes are bracketed.
    pub bracketed_paste: bool,
    /// 2026: the program is in the middle of a frame; do not draw yet.
    pub synchronized_output: bool,
    /// 2031: changes between dark and light are reported.
    pub color_scheme_updates: bool,
    /// 2027: a cell holds a grapheme cluster.
    pub grapheme_clusters: bool,
    /// 2048: size changes are reported in band.
    pub in_band_resize: bool,
    /// The alternate screen is shown.
    pub alternate_screen: bool,
    /// Flags of the kitty keyboard protocol on top of the stack.
    pub keyboard: KeyboardFlags,
    /// XTMODKEYS resource 4: 0 off, 1 or 2.
    pub modify_other_keys: u8,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            application_cursor_keys: false,
            application_keypad: false,
            reverse_screen: false,
            origin: false,
            autowrap: true,
            cursor_visible: true,
            insert: false,
            newline: false,
            reverse_wrap: false,
            mouse: MouseTracking::Off,
            mouse_encoding: MouseEncoding::Default,
            focus_events: false,
            alternate_scroll: true,
            bracketed_paste: false,
            synchronized_output: false,
            color_scheme_updates: false,
            grapheme_clusters: true,
            in_band_resize: false,
            alternate_screen: false,
            keyboard: KeyboardFlags::empty(),
            modify_other_keys: 0,
        }
    }
}

/// The cursor's shape (DECSCUSR).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum CursorShape {
    /// Whatever the client's terminal does by default (DECSCUSR 0, or never set).
    #[default]
    Default,
    /// A block.
    Block,
    /// An underline.
    Underline,
    /// A vertical bar.
    Bar,
}

/// Where the cursor is and how it looks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Cursor {
    /// Column, from 0, always on the screen.
    pub x: u16,
    /// Row, from 0.
    pub y: u16,
    /// DECTCEM.
    pub visible: bool,
    /// Shape.
    pub shape: CursorShape,
    /// Whether it blinks.
    pub blinking: bool,
}
