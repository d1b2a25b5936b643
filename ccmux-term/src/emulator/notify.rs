//! What programs tell people or their shells' integration: notifications (OSC 9, 99, 777), progress
//! and directories (OSC 9, 1337).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::osc::{parse_number, split, title};
use super::{Emulator, TITLE_BYTES_MAX};
use crate::Event;

/// A notification of which more is to come (OSC 99).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) body: String,
}

impl Emulator {
    /// OSC 9: a notification, or with `4;` progress and with `9;`
    /// a directory (as ConEmu has it).
    pub(super) fn notify(&mut self, text: &[u8]) {
        let (kind, rest) = split(text);
        if kind == b"4" {
            let (state, percent) = split(rest);
            let state = parse_number(state).filter(|&state| state <= 4);
            if let Some(state) = state {
                let percent = parse_number(percent).unwrap_or(0).min(100) as u8;
                self.events.push(Event::Progress { state: state as u8, percent });
            }
            return;
        }
        if kind == b"9" {
            return self.announce_directory(rest);
        }
        // ConEmu's other subcommands begin with a number; none is a message to a person.
        if parse_number(kind).is_none() {
            self.events.push(Event::Notification { title: String::new(), body: title(text) });
        }
    }

    /// OSC 777: `notify ; title ; body`.
    pub(super) fn notify_with_title(&mut self, text: &[u8]) {
        let (kind, rest) = split(text);
        if kind == b"notify" {
            let (head, body) = split(rest);
            self.events.push(Event::Notification { title: title(head), body: title(body) });
        }
    }

    /// OSC 99 (kitty): `keys ; text`; one notification may come in parts that have its id.
    pub(super) fn notify_in_parts(&mut self, text: &[u8]) {
        let (keys, text) = split(text);
        let key = |name: u8| {
            let keys = keys.split(|&byte| byte == b':');
            let mut values = keys.filter_map(|key| key.strip_prefix(&[name, b'=']));
            values.next()
        };
        let text = if key(b'e') == Some(b"1") {
            BASE64.decode(text).unwrap_or_default()
        } else {
            text.to_vec()
        };
        let id = title(key(b'i').unwrap_or_default());
        let begun = self.notice.take().filter(|notice| notice.id == id);
        let mut notice = begun.unwrap_or_else(|| Notice { id, ..Notice::default() });
        let part = match key(b'p') {
            None | Some(b"title") => &mut notice.title,
            Some(b"body") => &mut notice.body,
            // Icons, buttons, queries.
            Some(_) => return,
        };
        part.push_str(&title(&text));
        part.truncate(part.floor_char_boundary(TITLE_BYTES_MAX));
        if key(b'd') == Some(b"0") {
            self.notice = Some(notice);
        } else {
            self.events.push(Event::Notification { title: notice.title, body: notice.body });
        }
    }

    /// OSC 1337 (iTerm2), as far as it tells the directory.
    pub(super) fn iterm2_command(&mut self, text: &[u8]) {
        if let Some(path) = text.strip_prefix(b"CurrentDir=") {
            self.announce_directory(path);
        }
    }

    /// A directory as a plain path; the event has it as OSC 7 does.
    fn announce_directory(&mut self, path: &[u8]) {
        let path =
            path.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(path);
        if path.starts_with(b"/") {
            let mut payload = b"file://".to_vec();
            for &byte in path {
                payload.push(byte);
                if byte == b'%' {
                    payload.extend_from_slice(b"25");
                }
            }
            self.events.push(Event::Cwd(payload));
        }
    }
}
