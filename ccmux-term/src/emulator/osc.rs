//! Operating system commands: titles, directory, links, colours, clipboard, marks.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::palette::{SPECIAL_COLORS, format_color, parse_color};
use super::{Emulator, Rgb, TITLE_BYTES_MAX};
use crate::grid::pens::Hyperlink;
use crate::parser::Terminator;
use crate::{Event, LineMarks};

/// Longest URI of a link; longer ones are no links (VTE's and iTerm2's limit).
const URI_BYTES_MAX: usize = 2083;
/// Longest id of a link.
const LINK_ID_BYTES_MAX: usize = 250;

impl Emulator {
    pub(super) fn dispatch_osc(&mut self, text: &[u8], terminator: Terminator) {
        let (number, rest) = split(text);
        let Some(number) = parse_number(number) else { return };
        match number {
            0 => {
                if let Some(text) = self.sent_title(rest) {
                    self.set_icon_name(title(&text));
                    self.set_title(title(&text));
                }
            }
            1 => {
                if let Some(text) = self.sent_title(rest) {
                    self.set_icon_name(title(&text));
                }
            }
            2 => {
                if let Some(text) = self.sent_title(rest) {
                    self.take_title(&text);
                }
            }
            4 => self.palette_colors(4, rest, terminator),
            5 => self.palette_colors(5, rest, terminator),
            7 => self.events.push(Event::Cwd(rest.to_vec())),
            8 => self.set_link(rest),
            9 => self.notify(rest),
            10..=19 => self.dynamic_colors(number, rest, terminator),
            52 => self.clipboard(rest, terminator),
            99 => self.notify_in_parts(rest),
            104 => self.reset_palette(rest),
            105 => self.reset_special_colors(rest),
            110..=119 => self.set_dynamic_color(number - 100, None),
            133 => self.mark(rest),
            777 => self.notify_with_title(rest),
            1337 => self.iterm2_command(rest),
            _ => {}
        }
    }

    /// OSC 4 and 5: pairs of index and colour, or index and `?`. The special colours of OSC 5 are
    /// also those of OSC 4 from 256 on.
    fn palette_colors(&mut self, number: u16, text: &[u8], terminator: Terminator) {
        let mut fields = text.split(|&byte| byte == b';');
        while let (Some(index), Some(color)) = (fields.next(), fields.next()) {
            let Some(sent) = parse_number(index) else { continue };
            let index = if number == 5 { sent.saturating_add(SPECIAL_COLORS) } else { sent };
            if color == b"?" {
                if let Some(color) = self.palette.color(index) {
                    let color = format_color(color);
                    self.reply_osc(&format!("{number};{sent};{color}"), terminator);
                }
            } else if let Some(color) = parse_color(color) {
                self.palette.set_color(index, Some(color));
            }
        }
    }

    /// OSC 10 and up: each further colour is for the next number.
    fn dynamic_colors(&mut self, first: u16, text: &[u8], terminator: Terminator) {
        for (number, color) in (first..=19).zip(text.split(|&byte| byte == b';')) {
            if color == b"?" {
                if let Some(color) = self.palette.dynamic(number) {
                    self.reply_osc(&format!("{number};{}", format_color(color)), terminator);
                }
            } else if let Some(color) = parse_color(color) {
                self.set_dynamic_color(number, Some(color));
            }
        }
    }

    fn set_dynamic_color(&mut self, number: u16, color: Option<Rgb>) {
        let was_dark = self.palette.is_dark();
        self.palette.set_dynamic(number, color);
        self.note_color_scheme(was_dark);
    }

    /// Mode 2031: tells that the background became dark or light.
    pub(crate) fn note_color_scheme(&mut self, was_dark: bool) {
        if self.modes.color_scheme_updates && self.palette.is_dark() != was_dark {
            self.report_color_scheme();
        }
    }

    /// OSC 104: all colours of the palette, or those that are named.
    fn reset_palette(&mut self, text: &[u8]) {
        if text.is_empty() {
            self.palette.indexed.clear();
        }
        for index in text.split(|&byte| byte == b';').filter_map(parse_number) {
            self.palette.set_color(index, None);
        }
    }

    /// OSC 105: all special colours, or those that are named.
    fn reset_special_colors(&mut self, text: &[u8]) {
        if text.is_empty() {
            self.palette.special.clear();
        }
        for index in text.split(|&byte| byte == b';').filter_map(parse_number) {
            self.palette.set_color(index.saturating_add(SPECIAL_COLORS), None);
        }
    }

    pub(super) fn reply_osc(&mut self, text: &str, terminator: Terminator) {
        self.reply(format!("\x1b]{text}{}", end_of(terminator)).as_bytes());
    }

    /// OSC 8: `parameters ; URI`; an empty URI ends the link.
    fn set_link(&mut self, text: &[u8]) {
        let (parameters, uri) = split(text);
        let id = parameters
            .split(|&byte| byte == b':')
            .find_map(|parameter| parameter.strip_prefix(b"id="))
            .unwrap_or_default();
        let is_link =
            !uri.is_empty() && uri.len() <= URI_BYTES_MAX && id.len() <= LINK_ID_BYTES_MAX;
        self.pen.link = is_link.then(|| {
            let (id, uri) = (printable(id), printable(uri));
            Arc::new(Hyperlink { id, uri })
        });
        self.pen_changed();
    }

    /// Sets the title to what can be kept of a text.
    pub(crate) fn take_title(&mut self, text: &[u8]) {
        self.set_title(title(text));
    }

    /// OSC 52: `selection ; base64`, `selection ; ?`. A query without a selection is one for `s0`, as the
    /// answer says; what is set without one is for whatever the client's terminal takes it for.
    fn clipboard(&mut self, text: &[u8], terminator: Terminator) {
        let (selection, data) = split(text);
        let selection: Vec<u8> =
            selection.iter().copied().filter(|byte| b"cpqs01234567".contains(byte)).collect();
        if data == b"?" {
            let end = end_of(terminator);
            let selection = if selection.is_empty() { b"s0".to_vec() } else { selection };
            self.events.push(Event::ClipboardQuery { selection, end });
        } else if let Ok(data) = BASE64.decode(data) {
            self.events.push(Event::Clipboard { selection, data });
        }
    }

    /// OSC 133: marks of shell integration, kept on the cursor's row.
    fn mark(&mut self, text: &[u8]) {
        let (kind, rest) = split(text);
        let mark = match kind {
            b"A" | b"N" => LineMarks::PROMPT,
            b"B" | b"I" => LineMarks::INPUT,
            b"C" => LineMarks::OUTPUT,
            b"D" => LineMarks::END,
            _ => return,
        };
        self.grid.row_mut(self.cursor.y).marks |= mark;
        if mark == LineMarks::END {
            let (status, _) = split(rest);
            let status = std::str::from_utf8(status).ok().and_then(|text| text.parse().ok());
            self.events.push(Event::CommandEnd { status });
        } else {
            self.events.push(Event::Mark(mark));
        }
    }
}

/// What lies before and after the first semicolon.
pub(super) fn split(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|&byte| byte == b';') {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

pub(super) fn parse_number(digits: &[u8]) -> Option<u16> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| std::str::from_utf8(digits).ok()?.parse().ok())?
}

/// Text for a person: no controls, bounded.
pub(super) fn title(bytes: &[u8]) -> String {
    let mut text = printable(bytes);
    text.truncate(text.floor_char_boundary(TITLE_BYTES_MAX));
    text
}

fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !c.is_control()).collect()
}

/// What ends an answer to a sequence that ended so.
fn end_of(terminator: Terminator) -> &'static str {
    match terminator {
        Terminator::Bel => "\x07",
        Terminator::St => "\x1b\\",
    }
}
