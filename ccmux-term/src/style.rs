//! Colours and attributes of text: small values, shared by the emulator, history and composition.

bitflags::bitflags! {
    /// Attributes that are on or off (SGR 1, 2, 3, 5, 7, 8, 9, 53).
    #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
    pub struct Attributes: u8 {
        /// SGR 1.
        const BOLD = 1;
        /// SGR 2.
        const DIM = 2;
        /// SGR 3.
        const ITALIC = 4;
        /// SGR 5 and 6.
        const BLINK = 8;
        /// SGR 7.
        const REVERSE = 16;
        /// SGR 8.
        const HIDDEN = 32;
        /// SGR 9.
        const STRIKETHROUGH = 64;
        /// SGR 53.
        const OVERLINE = 128;
    }
}

/// A colour as the program named it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Color {
    /// The terminal's own foreground or background.
    #[default]
    Default,
    /// An entry of the 256-colour palette; 0-15 are the ANSI colours.
    Indexed(u8),
    /// 24-bit colour.
    Rgb(u8, u8, u8),
}

/// How text is underlined (SGR 4 and 4:0 to 4:5, 21).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Underline {
    /// Not at all.
    #[default]
    None,
    /// SGR 4.
    Single,
    /// SGR 21 or 4:2.
    Double,
    /// SGR 4:3.
    Curly,
    /// SGR 4:4.
    Dotted,
    /// SGR 4:5.
    Dashed,
}

/// How one cell looks. `Style::default()` is what SGR 0 sets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Style {
    /// Foreground.
    pub fg: Color,
    /// Background.
    pub bg: Color,
    /// Colour of the underline (SGR 58); `Default` follows the foreground.
    pub underline_color: Color,
    /// Underline.
    pub underline: Underline,
    /// Everything that is on or off.
    pub attributes: Attributes,
}
