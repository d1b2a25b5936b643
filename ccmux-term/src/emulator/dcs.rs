//! Device control strings: requests for settings (DECRQSS) and capabilities (XTGETTCAP).

use super::{Emulator, sgr};

/// Capabilities answered in one request; further ones are ignored.
const CAPABILITIES_MAX: usize = 64;

impl Emulator {
    pub(super) fn dispatch_dcs(&mut self, intermediates: &[u8], last: u8, text: &[u8]) {
        match (intermediates, last) {
            ([b'$'], b'q') => self.report_setting(text),
            ([b'+'], b'q') => {
                for name in text.split(|&byte| byte == b';').take(CAPABILITIES_MAX) {
                    self.report_capability(name);
                }
            }
            _ => {}
        }
    }

    fn report_setting(&mut self, what: &[u8]) {
        let setting = match what {
            b"m" => format!("{}m", sgr::describe(&self.pen.style)),
            b"r" => format!("{};{}r", self.top + 1, self.bottom + 1),
            b" q" => format!("{} q", self.cursor_style()),
            b"\"p" => "62;1\"p".to_owned(),
            b"\"q" => "0\"q".to_owned(),
            _ => return self.reply(b"\x1bP0$r\x1b\\"),
        };
        self.reply(format!("\x1bP1$r{setting}\x1b\\").as_bytes());
    }

    /// Names and values are hexadecimal.
    fn report_capability(&mut self, name: &[u8]) {
        let value = match decode_hex(name).as_deref() {
            Some(b"Co" | b"colors") => "256",
            Some(b"RGB") => "8/8/8",
            _ => return self.reply(b"\x1bP0+r\x1b\\"),
        };
        let mut reply = b"\x1bP1+r".to_vec();
        reply.extend_from_slice(name);
        reply.push(b'=');
        reply.extend(value.bytes().flat_map(|byte| format!("{byte:02X}").into_bytes()));
        reply.extend_from_slice(b"\x1b\\");
        self.reply(&reply);
    }
}

fn decode_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    digits
        .chunks(2)
        .map(|pair| match *pair {
            [high, low] => Some(digit(high)? << 4 | digit(low)?),
            _ => None,
        })
        .collect()
}
