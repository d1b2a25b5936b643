//! Reports of the state of the presentation (DECRQPSR) and how they are taken back (DECRSPS): the
//! cursor with all that belongs to it (DECCIR), and the tabs (DECTABSR).

use super::osc::parse_number;
use super::{Charset, Emulator};
use crate::{Attributes, Underline};

/// Bits that a field of DECCIR has beside its flags, to make it printable.
const PRINTABLE: u8 = b'@';

/// The attributes of DECCIR from bit 0 on; the second bit is the underline.
const RENDITION: [(Attributes, u8); 4] = [
    (Attributes::BOLD, 1),
    (Attributes::BLINK, 4),
    (Attributes::REVERSE, 8),
    (Attributes::HIDDEN, 16),
];
const UNDERLINED: u8 = 2;

impl Emulator {
    /// DECRQPSR.
    pub(super) fn report_presentation(&mut self, what: u16) {
        match what {
            1 => self.report_cursor(),
            2 => {
                let stops = self.tabs.stops().iter().enumerate().filter(|(_, is_stop)| **is_stop);
                let stops: Vec<_> = stops.map(|(x, _)| (x + 1).to_string()).collect();
                self.reply(format!("\x1bP2$u{}\x1b\\", stops.join("/")).as_bytes());
            }
            _ => {}
        }
    }

    fn report_cursor(&mut self) {
        let style = self.pen.style;
        let mut rendition: u8 = RENDITION
            .iter()
            .filter(|(attribute, _)| style.attributes.contains(*attribute))
            .map(|(_, bit)| bit)
            .sum();
        if style.underline != Underline::None {
            rendition |= UNDERLINED;
        }
        let shift = match self.charsets.single {
            None => 0,
            Some(2) => 2,
            Some(_) => 4,
        };
        let flags =
            u8::from(self.modes.origin) | shift | u8::from(self.cursor.is_wrap_pending) << 3;
        let sets = self.charsets.sets;
        let sizes: u8 = (0..4).map(|slot| u8::from(sets[slot].has_96()) << slot).sum();
        let printable = |bits: u8| char::from(PRINTABLE + bits);
        let designators: Vec<u8> =
            sets.iter().flat_map(|set| set.designator().iter().copied()).collect();
        let (x, y) = self.position();
        let reply = format!(
            "\x1bP1$u{};{};1;{};{};{};{};{};{};{}\x1b\\",
            y + 1,
            x + 1,
            printable(rendition),
            printable(u8::from(self.pen.is_protected)),
            printable(flags),
            self.charsets.locked,
            self.charsets.right,
            printable(sizes),
            String::from_utf8_lossy(&designators),
        );
        self.reply(reply.as_bytes());
    }

    /// Takes a DECCIR back; one that is not well-formed does nothing.
    pub(super) fn restore_cursor_report(&mut self, text: &[u8]) {
        let fields: Vec<&[u8]> = text.split(|&byte| byte == b';').collect();
        let &[row, column, _page, rendition, protection, flags, left, right, sizes, designators] =
            &fields[..]
        else {
            return;
        };
        let numbers = [row, column, left, right].map(parse_number);
        let bits = [rendition, protection, flags, sizes].map(|field| match field {
            &[byte] => byte.checked_sub(PRINTABLE),
            _ => None,
        });
        let (
            [Some(row), Some(column), Some(left), Some(right)],
            [Some(rendition), Some(protection), Some(flags), Some(sizes)],
        ) = (numbers, bits)
        else {
            return;
        };
        let Some(sets) = designated(designators, sizes) else { return };
        if left > 3 || right > 3 {
            return;
        }
        for (attribute, bit) in RENDITION {
            self.pen.style.attributes.set(attribute, rendition & bit != 0);
        }
        let is_underlined = rendition & UNDERLINED != 0;
        self.pen.style.underline = if is_underlined { Underline::Single } else { Underline::None };
        self.pen.is_protected = protection & 1 != 0;
        self.pen_changed();
        self.modes.origin = flags & 1 != 0;
        self.go_to_row(usize::from(row.max(1)) - 1);
        self.go_to_column(usize::from(column.max(1)) - 1);
        self.cursor.is_wrap_pending = flags & 8 != 0 && self.cursor.x + 1 == self.print_end();
        self.charsets.sets = sets;
        self.charsets.locked = left as u8;
        self.charsets.right = right as u8;
        self.charsets.single = match flags & 6 {
            2 => Some(2),
            4 => Some(3),
            _ => None,
        };
    }

    /// Takes a DECTABSR back.
    pub(super) fn restore_tab_report(&mut self, text: &[u8]) {
        self.tabs.clear();
        let cols = self.cols();
        for column in text.split(|&byte| byte == b'/').filter_map(parse_number) {
            let column = usize::from(column);
            if (1..=cols).contains(&column) {
                self.tabs.set(column - 1, true);
            }
        }
    }
}

/// The sets that four designators in a row name; a set of 96 characters has its bit in `sizes`.
fn designated(mut designators: &[u8], sizes: u8) -> Option<[Charset; 4]> {
    let mut sets = [Charset::Ascii; 4];
    for (slot, set) in sets.iter_mut().enumerate() {
        let last = designators.iter().position(|byte| !(0x20..0x30).contains(byte))?;
        let (name, rest) = designators.split_at(last + 1);
        let has_96 = sizes & 1 << slot != 0;
        *set = if has_96 { Charset::Latin1 } else { Charset::designated_by(name) };
        designators = rest;
    }
    Some(sets)
}
