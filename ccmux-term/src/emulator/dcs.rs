//! Device control strings: sixels, requests for settings (DECRQSS) and capabilities (XTGETTCAP), the cursor
//! and the tabs as they were reported (DECRSPS), and sequences for the terminal outside.

use super::{Emulator, sgr};
use crate::Event;
use crate::parser::{PASSTHROUGH, Params};

/// Capabilities answered in one request; further ones are ignored.
const CAPABILITIES_MAX: usize = 64;

impl Emulator {
    pub(super) fn dispatch_dcs(
        &mut self,
        params: &Params,
        intermediates: &[u8],
        last: u8,
        text: &[u8],
    ) {
        match (intermediates, last) {
            ([b'$'], b'q') => self.report_setting(text),
            ([b'$'], b't') if params.get(0) == 1 => self.restore_cursor_report(text),
            ([b'$'], b't') if params.get(0) == 2 => self.restore_tab_report(text),
            ([], b'q') => self.sixel(params, text),
            ([b'+'], b'q') => {
                for name in text.split(|&byte| byte == b';').take(CAPABILITIES_MAX) {
                    self.report_capability(name);
                }
            }
            ([], b't') => {
                if let Some(sequence) = text.strip_prefix(PASSTHROUGH) {
                    self.events.push(Event::Passthrough(sequence.to_vec()));
                }
            }
            _ => {}
        }
    }

    fn report_setting(&mut self, what: &[u8]) {
        let settings = &self.settings;
        let setting = match what {
            b"m" => format!("{}m", sgr::describe(&self.pen.style)),
            b"r" => format!("{};{}r", self.top + 1, self.bottom + 1),
            b"s" => format!("{};{}s", self.left + 1, self.right + 1),
            b"t" => format!("{}t", self.rows()),
            b" q" => format!("{} q", self.cursor_style()),
            b"\"p" if settings.level == 1 => "61\"p".to_owned(),
            b"\"p" => format!("6{};{}\"p", settings.level, u8::from(!settings.sends_8bit)),
            b"\"q" => format!("{}\"q", u8::from(self.pen.is_protected)),
            b"*x" => format!("{}*x", settings.extent),
            b"*|" => format!("{}*|", self.rows()),
            b"$|" => format!("{}$|", self.cols()),
            // There is no status line: the main display is the active one.
            b"$}" => "0$}".to_owned(),
            b"$~" => "0$~".to_owned(),
            _ => return self.reply(b"\x1bP0$r\x1b\\"),
        };
        self.reply(format!("\x1bP1$r{setting}\x1b\\").as_bytes());
    }

    /// Names and values are hexadecimal.
    fn report_capability(&mut self, name: &[u8]) {
        // One without a value is a boolean that is true.
        let value = match decode_hex(name).as_deref() {
            Some(b"Co" | b"colors") => Some("256"),
            Some(b"RGB") => Some("8/8/8"),
            Some(b"Smulx") => Some("\x1b[4:%p1%dm"),
            Some(b"Tc" | b"Su") => None,
            _ => return self.reply(b"\x1bP0+r\x1b\\"),
        };
        let mut reply = b"\x1bP1+r".to_vec();
        reply.extend_from_slice(name);
        if let Some(value) = value {
            reply.push(b'=');
            reply.extend_from_slice(encode_hex(value.as_bytes()).as_bytes());
        }
        reply.extend_from_slice(b"\x1b\\");
        self.reply(&reply);
    }
}

pub(super) fn encode_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |value: u8| DIGITS[usize::from(value)];
    bytes.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 0xf)]).collect()
}

pub(super) fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
