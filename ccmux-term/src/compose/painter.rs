//! From the frame a terminal shows to the next one.

use super::caps::{OutputCaps, OutputFeatures};
use super::frame::{ClientModes, Frame};
use super::pencil::Pencil;
use super::row::paint_row;
use super::scroll::ScrollFinder;
use super::sgr::write_decimal;
use crate::{Cursor, CursorShape, MouseTracking, Size};

/// Up to so many bytes a change is drawn as it comes: it reaches the terminal in one piece, and
/// nobody sees the cursor on its way.
const ATOMIC_BYTES_MAX: usize = 64;
/// Scrolls looked for in one frame: two panes above one another may both move.
const SCROLLS_MAX: usize = 2;

/// Brings one terminal from frame to frame.
#[derive(Debug)]
pub struct Painter {
    caps: OutputCaps,
    /// What the terminal is believed to show; blank until the first frame.
    shown: Frame,
    /// Whether `shown` is to be believed.
    is_known: bool,
    modes: Option<ClientModes>,
    is_cursor_visible: Option<bool>,
    /// The parameter of DECSCUSR.
    cursor_shape: Option<u8>,
    pencil: Pencil,
    scrolls: ScrollFinder,
    /// The drawing of one frame, before it is known whether it is worth synchronizing.
    drawing: Vec<u8>,
}

impl Painter {
    /// For a terminal that got the bytes of [`enter`](super::enter). The first frame is painted in
    /// full.
    pub fn new(caps: OutputCaps, size: Size) -> Self {
        let shown = Frame::new(size);
        Self {
            caps,
            pencil: Pencil::new(caps, shown.size().cols),
            shown,
            is_known: false,
            modes: None,
            is_cursor_visible: None,
            cursor_shape: None,
            scrolls: ScrollFinder::default(),
            drawing: Vec::new(),
        }
    }

    /// What the terminal understands.
    pub fn caps(&self) -> OutputCaps {
        self.caps
    }

    /// Forgets what the terminal shows: the next frame is painted in full.
    pub fn invalidate(&mut self) {
        self.is_known = false;
    }

    /// The terminal got bytes that belong to no frame, and may have moved its cursor and changed how
    /// it writes. Appends to `out` what makes that known again; the next frame puts the cursor back.
    pub fn recover(&mut self, out: &mut Vec<u8>) {
        self.pencil.start_over(out);
        self.is_cursor_visible = None;
    }

    /// The terminal has another size now, and whatever it made of its contents. Frames painted from
    /// now on have this size.
    pub fn resize(&mut self, size: Size) {
        self.shown = Frame::new(size);
        self.is_known = false;
    }

    /// Appends to `out` what makes the terminal show `next`: nothing if it does already. A frame of
    /// another size than the last one counts as a resize.
    ///
    /// The bytes must reach the terminal, all of them and in order. Who cannot keep up paints less
    /// often, and never drops what was painted.
    pub fn paint(&mut self, next: &Frame, out: &mut Vec<u8>) {
        if next.size() != self.shown.size() {
            self.resize(next.size());
        }
        self.draw_cells(next);
        let is_atomic = self.drawing.len() <= ATOMIC_BYTES_MAX;
        let is_synchronized =
            !is_atomic && self.caps.features.contains(OutputFeatures::SYNCHRONIZED_OUTPUT);
        if is_synchronized {
            out.extend_from_slice(b"\x1b[?2026h");
        } else if !is_atomic {
            self.show_cursor(false, out);
        }
        out.extend_from_slice(&self.drawing);
        self.paint_title(next.title.as_deref(), out);
        self.paint_modes(next.modes, out);
        self.paint_cursor(next.cursor, out);
        if is_synchronized {
            out.extend_from_slice(b"\x1b[?2026l");
        }
        if self.scrolls.has_any_changed() {
            self.shown.copy_from(next);
        } else {
            self.shown.copy_wishes(next);
        }
    }

    /// Puts into `drawing` what changes the cells.
    fn draw_cells(&mut self, next: &Frame) {
        let out = &mut self.drawing;
        out.clear();
        if !self.is_known {
            self.shown.clear();
            self.modes = None;
            self.is_cursor_visible = None;
            self.cursor_shape = None;
            self.pencil.erase_all(next.size(), out);
            self.is_known = true;
        }
        self.scrolls.compare(&self.shown, next);
        for _ in 0..SCROLLS_MAX {
            let Some(scroll) = self.scrolls.find(&self.shown, next) else { break };
            self.pencil.scroll(scroll, next.size(), out);
            self.shown.scroll(scroll);
            self.scrolls.compare(&self.shown, next);
        }
        for y in (0..next.size().rows).filter(|&y| self.scrolls.has_changed(y)) {
            paint_row(&mut self.pencil, &self.shown, next, y, out);
        }
    }

    fn paint_title(&self, title: Option<&str>, out: &mut Vec<u8>) {
        let Some(title) = title.filter(|_| self.caps.features.contains(OutputFeatures::TITLE))
        else {
            return;
        };
        if self.shown.title.as_deref() == Some(title) {
            return;
        }
        out.extend_from_slice(b"\x1b]2;");
        for c in title.chars().filter(|c| !c.is_control()) {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        }
        out.push(0x07);
    }

    fn paint_modes(&mut self, next: ClientModes, out: &mut Vec<u8>) {
        let shown = self.modes.replace(next);
        let features = self.caps.features;
        let has_changed = |part: fn(&ClientModes) -> u8, feature| {
            features.contains(feature) && shown.as_ref().map(part) != Some(part(&next))
        };
        if has_changed(|modes| modes.mouse as u8, OutputFeatures::MOUSE) {
            out.extend_from_slice(b"\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l");
            out.extend_from_slice(match next.mouse {
                MouseTracking::Off => b"",
                MouseTracking::X10 | MouseTracking::Normal => b"\x1b[?1006h\x1b[?1000h",
                MouseTracking::ButtonMotion => b"\x1b[?1006h\x1b[?1002h",
                MouseTracking::AnyMotion => b"\x1b[?1006h\x1b[?1003h",
            });
        }
        if has_changed(|modes| modes.bracketed_paste.into(), OutputFeatures::BRACKETED_PASTE) {
            write_mode(b"2004", next.bracketed_paste, out);
        }
        if has_changed(|modes| modes.focus_events.into(), OutputFeatures::FOCUS_EVENTS) {
            write_mode(b"1004", next.focus_events, out);
        }
        if has_changed(|modes| modes.keyboard.bits(), OutputFeatures::KEYBOARD) {
            out.extend_from_slice(b"\x1b[=");
            write_decimal(next.keyboard.bits().into(), out);
            out.extend_from_slice(b";1u");
        }
    }

    fn paint_cursor(&mut self, next: Cursor, out: &mut Vec<u8>) {
        if next.visible {
            let size = self.shown.size();
            self.pencil.move_to(next.x.min(size.cols - 1), next.y.min(size.rows - 1), out);
            self.paint_cursor_shape(next, out);
        }
        self.show_cursor(next.visible, out);
    }

    fn paint_cursor_shape(&mut self, next: Cursor, out: &mut Vec<u8>) {
        let parameter = match (next.shape, next.blinking) {
            (CursorShape::Default, _) => b'0',
            (CursorShape::Block, true) => b'1',
            (CursorShape::Block, false) => b'2',
            (CursorShape::Underline, true) => b'3',
            (CursorShape::Underline, false) => b'4',
            (CursorShape::Bar, true) => b'5',
            (CursorShape::Bar, false) => b'6',
        };
        if self.caps.features.contains(OutputFeatures::CURSOR_SHAPE)
            && self.cursor_shape.replace(parameter) != Some(parameter)
        {
            out.extend_from_slice(&[0x1b, b'[', parameter, b' ', b'q']);
        }
    }

    fn show_cursor(&mut self, is_visible: bool, out: &mut Vec<u8>) {
        if self.is_cursor_visible.replace(is_visible) != Some(is_visible) {
            write_mode(b"25", is_visible, out);
        }
    }
}

fn write_mode(number: &[u8], is_on: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\x1b[?");
    out.extend_from_slice(number);
    out.push(if is_on { b'h' } else { b'l' });
}
