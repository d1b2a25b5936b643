//! Keys as tmux knows them: what a person presses, and its name.

bitflags::bitflags! {
    /// Modifier keys held down.
    #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
    pub struct Modifiers: u8 {
        /// `S-`
        const SHIFT = 1;
        /// `M-`
        const META = 2;
        /// `C-`
        const CTRL = 4;
    }
}

/// Which key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum KeyCode {
    /// A key that types this character; control keys are the letter with [`Modifiers::CTRL`].
    Char(char),
    /// `F1` to `F24`.
    Function(u8),
    /// The return key.
    Enter,
    /// `Tab`; with shift it is named `BTab`.
    Tab,
    /// The backspace key.
    Backspace,
    /// The escape key.
    Escape,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// `Home`
    Home,
    /// `End`
    End,
    /// `PageUp` (`PPage`)
    PageUp,
    /// `PageDown` (`NPage`)
    PageDown,
    /// `Insert` (`IC`)
    Insert,
    /// `Delete` (`DC`)
    Delete,
    /// A key of the numeric keypad, by what it types: `KP0`, `KP+`, `KPEnter` (`\r`).
    Keypad(char),
    /// `Any`: bound for keys that no other binding of the table takes.
    Any,
}

/// A key with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    /// Which key.
    pub code: KeyCode,
    /// What is held down with it.
    pub modifiers: Modifiers,
}
