//! Keys as tmux knows them: what a person presses, and its name.

use std::fmt;
use std::str::FromStr;

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

/// The text names no key. The message is tmux's.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown key: {0}")]
pub struct ParseKeyError(pub String);

impl Key {
    /// A key with nothing held down.
    pub const fn plain(code: KeyCode) -> Key {
        Key { code, modifiers: Modifiers::empty() }
    }

    /// The one form that stands for all keys a terminal's classic encoding cannot tell apart:
    /// `C-A` is `C-a`, `C-i` is Tab, `C-m` Enter, `C-[` Escape, `C-@` is `C-Space`, and a control
    /// character is the key that types it. Tables are keyed by it; [`str::parse`] gives only it.
    #[must_use]
    pub fn canonical(self) -> Key {
        let KeyCode::Char(c) = self.code else { return self };
        let (c, mut modifiers) = match c {
            '\u{7f}' => return Key { code: KeyCode::Backspace, ..self },
            '\0' => (' ', self.modifiers | Modifiers::CTRL),
            '\u{1}'..='\u{1a}' => (shifted(c, 0x60), self.modifiers | Modifiers::CTRL),
            '\u{1b}'..='\u{1f}' => (shifted(c, 0x40), self.modifiers | Modifiers::CTRL),
            _ => (c, self.modifiers),
        };
        if !modifiers.contains(Modifiers::CTRL) {
            return Key { code: KeyCode::Char(c), modifiers };
        }
        let same_as = match c {
            'i' | 'I' => Some(KeyCode::Tab),
            'm' | 'M' => Some(KeyCode::Enter),
            '[' => Some(KeyCode::Escape),
            _ => None,
        };
        let code = if let Some(code) = same_as {
            modifiers.remove(Modifiers::CTRL);
            code
        } else if c == '@' {
            KeyCode::Char(' ')
        } else {
            KeyCode::Char(c.to_ascii_lowercase())
        };
        Key { code, modifiers }
    }

    /// Reads the value of an option that holds a key: `None` is no key.
    pub fn parse_optional(text: &str) -> Result<Option<Key>, ParseKeyError> {
        if text.eq_ignore_ascii_case("None") { Ok(None) } else { text.parse().map(Some) }
    }
}

fn shifted(c: char, by: u8) -> char {
    char::from(c as u8 + by)
}

/// Names of keys that type no character, the one that is printed first.
const NAMES: &[(&str, KeyCode)] = &[
    ("Any", KeyCode::Any),
    ("Space", KeyCode::Char(' ')),
    ("Tab", KeyCode::Tab),
    ("Enter", KeyCode::Enter),
    ("Escape", KeyCode::Escape),
    ("BSpace", KeyCode::Backspace),
    ("IC", KeyCode::Insert),
    ("Insert", KeyCode::Insert),
    ("DC", KeyCode::Delete),
    ("Delete", KeyCode::Delete),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("NPage", KeyCode::PageDown),
    ("PageDown", KeyCode::PageDown),
    ("PgDn", KeyCode::PageDown),
    ("PPage", KeyCode::PageUp),
    ("PageUp", KeyCode::PageUp),
    ("PgUp", KeyCode::PageUp),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("KPEnter", KeyCode::Keypad('\r')),
];

/// What the keys of a numeric keypad type, `Enter` aside.
const KEYPAD: &str = "0123456789+-*/.,=";

impl FromStr for Key {
    type Err = ParseKeyError;

    /// Reads a key name: modifiers (`C-` or `^`, `M-`, `S-`) and then a name, a single character
    /// or, without modifiers, a code point such as `0x41`. Letter case counts for the single
    /// character alone.
    fn from_str(text: &str) -> Result<Key, ParseKeyError> {
        parse(text).map(Key::canonical).ok_or_else(|| ParseKeyError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Key> {
    if let Some(digits) = text.strip_prefix("0x") {
        let code = u32::from_str_radix(digits, 16).ok()?;
        let c = char::from_u32(code).filter(|c| c.is_ascii() || !c.is_control())?;
        return Some(Key::plain(KeyCode::Char(c)));
    }
    let mut modifiers = Modifiers::empty();
    let mut rest = text;
    if let Some(after) = rest.strip_prefix('^').filter(|after| !after.is_empty()) {
        modifiers |= Modifiers::CTRL;
        rest = after;
    }
    while let [first, b'-', _, ..] = rest.as_bytes() {
        modifiers |= match first.to_ascii_lowercase() {
            b'c' => Modifiers::CTRL,
            b'm' => Modifiers::META,
            b's' => Modifiers::SHIFT,
            _ => break,
        };
        rest = &rest[2..];
    }
    if rest.eq_ignore_ascii_case("BTab") {
        return Some(Key { code: KeyCode::Tab, modifiers: modifiers | Modifiers::SHIFT });
    }
    Some(Key { code: parse_code(rest)?, modifiers })
}

fn parse_code(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        return Some(*code);
    }
    if let Some(c) = single_char(name) {
        return (!c.is_control()).then_some(KeyCode::Char(c));
    }
    let (family, rest) = name.split_at_checked(1)?;
    if family.eq_ignore_ascii_case("F") {
        let number: u8 = rest.parse().ok().filter(|number| (1..=24).contains(number))?;
        return (!rest.starts_with(['0', '+'])).then_some(KeyCode::Function(number));
    }
    let (family, rest) = name.split_at_checked(2)?;
    let c = single_char(rest).filter(|c| KEYPAD.contains(*c))?;
    family.eq_ignore_ascii_case("KP").then_some(KeyCode::Keypad(c))
}

fn single_char(text: &str) -> Option<char> {
    let mut chars = text.chars();
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

impl fmt::Display for Key {
    /// Writes the canonical name, as `list-keys` does, without quoting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Key { code, mut modifiers } = self.canonical();
        // A control character is a key of its own to tmux, so its `C-` stays next to the letter.
        let is_control = modifiers.contains(Modifiers::CTRL)
            && matches!(code, KeyCode::Char('a'..='z' | '\\' | ']' | '^' | '_' | ' ' | '?'));
        if is_control {
            modifiers.remove(Modifiers::CTRL);
        }
        if code == KeyCode::Tab && modifiers.contains(Modifiers::SHIFT) {
            modifiers.remove(Modifiers::SHIFT);
            write_modifiers(f, modifiers)?;
            return f.write_str("BTab");
        }
        write_modifiers(f, modifiers)?;
        if is_control {
            f.write_str("C-")?;
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, known)| *known == code) {
            return f.write_str(name);
        }
        match code {
            KeyCode::Function(number) => write!(f, "F{number}"),
            KeyCode::Keypad(c) => write!(f, "KP{c}"),
            KeyCode::Char(c) => write!(f, "{c}"),
            other => unreachable!("BUG: {other:?} has no name"),
        }
    }
}

fn write_modifiers(f: &mut fmt::Formatter<'_>, modifiers: Modifiers) -> fmt::Result {
    for (flag, text) in [(Modifiers::CTRL, "C-"), (Modifiers::META, "M-"), (Modifiers::SHIFT, "S-")]
    {
        if modifiers.contains(flag) {
            f.write_str(text)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Names and what tmux 3.3a's `bind-key` followed by `list-keys` makes of them, where it
    /// accepts them; `S-Tab` (kept apart there), `M-C-Space` (printed `M-C-@` there) and F13 to
    /// F24 (unknown there) differ on purpose.
    #[test]
    fn names_are_read_and_printed_as_tmux_does() {
        for (given, printed) in [
            ("C-b", "C-b"),
            ("C-B", "C-b"),
            ("c-b", "C-b"),
            ("^X", "C-x"),
            ("^", "^"),
            ("^^", "C-^"),
            ("^M-a", "M-C-a"),
            ("C-M-x", "M-C-x"),
            ("S-C-M-a", "M-S-C-a"),
            ("C-S-a", "S-C-a"),
            ("S-C-M-Left", "C-M-S-Left"),
            ("S-F5", "S-F5"),
            ("f12", "F12"),
            ("F24", "F24"),
            ("SPACE", "Space"),
            (" ", "Space"),
            ("C-@", "C-Space"),
            ("M-C-Space", "M-C-Space"),
            ("BSpace", "BSpace"),
            ("BTab", "BTab"),
            ("S-Tab", "BTab"),
            ("C-Tab", "C-Tab"),
            ("C-i", "Tab"),
            ("M-C-i", "M-Tab"),
            ("C-m", "Enter"),
            ("C-[", "Escape"),
            ("C-?", "C-?"),
            ("C-M-?", "M-C-?"),
            ("C-/", "C-/"),
            ("C-M-1", "C-M-1"),
            ("C-\\", "C-\\"),
            ("S-a", "S-a"),
            ("S-A", "S-A"),
            ("M-A", "M-A"),
            ("Insert", "IC"),
            ("Delete", "DC"),
            ("PageUp", "PPage"),
            ("pgdn", "NPage"),
            ("KP5", "KP5"),
            ("KP*", "KP*"),
            ("KPenter", "KPEnter"),
            ("C-KP5", "C-KP5"),
            ("Any", "Any"),
            ("0x41", "A"),
            ("0x1", "C-a"),
            ("0x0", "C-Space"),
            ("0x1f", "C-_"),
            ("0x20ac", "€"),
            ("M-é", "M-é"),
            ("C-M-é", "C-M-é"),
            ("🙂", "🙂"),
            ("\"", "\""),
            (";", ";"),
            ("M-;", "M-;"),
            ("-", "-"),
            ("C--", "C--"),
        ] {
            let key: Key = given.parse().unwrap_or_else(|error| panic!("{given}: {error}"));
            assert_eq!(key.to_string(), printed, "{given}");
        }
    }

    #[test]
    fn what_names_no_key_is_refused_by_name() {
        for text in [
            "", "ab", "M-", "C-", "M-ab", "F0", "F25", "F+1", "F01", "\t", "None", "0x",
            "0x110000", "0x80", "M-^a", "KP", "KPx", "e\u{301}",
        ] {
            let error = text.parse::<Key>().expect_err(text);
            assert_eq!(error.to_string(), format!("unknown key: {text}"));
        }
    }

    #[test]
    fn an_option_can_hold_no_key() {
        assert_eq!(Key::parse_optional("none"), Ok(None));
        assert_eq!(Key::parse_optional("x"), Ok(Some(Key::plain(KeyCode::Char('x')))));
        assert_eq!(Key::parse_optional("nope"), Err(ParseKeyError("nope".to_owned())));
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let code = prop_oneof![
            any::<char>()
                .prop_filter("control", |c| c.is_ascii() || !c.is_control())
                .prop_map(KeyCode::Char),
            (1..=24u8).prop_map(KeyCode::Function),
            prop::sample::select(KEYPAD.chars().collect::<Vec<_>>()).prop_map(KeyCode::Keypad),
            prop::sample::select(NAMES).prop_map(|(_, code)| code),
        ];
        (code, 0..8u8)
            .prop_map(|(code, bits)| Key { code, modifiers: Modifiers::from_bits_truncate(bits) })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn a_printed_key_is_read_as_the_same_key(key in any_key()) {
            prop_assert_eq!(key.to_string().parse(), Ok(key.canonical()));
            prop_assert_eq!(key.canonical().canonical(), key.canonical());
        }

        #[test]
        fn no_text_upsets_the_parser(text in "(C-|M-|S-|\\^|KP|F|0x)*\\PC*") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }
}
