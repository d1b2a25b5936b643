//! From the frame a terminal shows to the next one.

use super::caps::{OutputCaps, OutputFeatures};
use super::frame::{ClientModes, Frame, Rect};
use super::image_painter::{ImagePainter, Touched};
use super::pencil::Pencil;
use super::row::{can_erase, paint_row};
use super::scroll::ScrollFinder;
use super::sgr::write_decimal;
use super::shift::{self, SHIFT_COST};
use crate::{CellSize, Cursor, CursorShape, MouseTracking, Size};

/// Up to so many bytes a change is drawn as it comes: it reaches the terminal in one piece, and
/// nobody sees the cursor on its way.
const ATOMIC_BYTES_MAX: usize = 64;
/// Scrolls looked for in one frame: two panes above one another may both move.
const SCROLLS_MAX: usize = 2;
/// Fewest changed rows for which erasing all below, or a region, is shorter than row by row.
const ERASED_BELOW_MIN: usize = 2;
const ERASED_REGION_MIN: usize = 5;
/// When more rows change nothing was typed, and text that moved aside is not looked for.
const SHIFTED_ROWS_MAX: usize = 8;

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
    images: ImagePainter,
    /// What of each row the drawing writes.
    touched: Touched,
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
            images: ImagePainter::default(),
            touched: Vec::new(),
            drawing: Vec::new(),
        }
    }

    /// What the terminal understands.
    pub fn caps(&self) -> OutputCaps {
        self.caps
    }

    /// How many pixels a cell of the terminal has.
    pub fn set_cell_size(&mut self, cell: CellSize) {
        if self.images.set_cell(cell) && !self.images.is_empty() {
            self.invalidate();
        }
    }

    /// Whether not all pictures of the last frame were painted: the same frame paints more of them.
    pub fn has_more(&self) -> bool {
        self.images.has_more()
    }

    /// The terminal understands something else than it was taken for; it got the bytes of
    /// [`enter_more`](super::enter_more). The next frame is painted in full, over what is shown.
    pub fn set_caps(&mut self, caps: OutputCaps, out: &mut Vec<u8>) {
        self.caps = caps;
        self.pencil.set_caps(caps, out);
        self.shown.forget_cells();
        self.shown.title = None;
        self.modes = None;
        self.cursor_shape = None;
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
        self.images.draw(next, &self.touched, &mut self.pencil, &mut self.drawing);
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
        self.drawing.clear();
        if !self.is_known {
            self.shown.clear();
            self.modes = None;
            self.is_cursor_visible = None;
            self.cursor_shape = None;
            self.pencil.erase_all(next.size(), &mut self.drawing);
            self.images.forget(self.caps.features, &mut self.drawing);
            self.is_known = true;
        }
        let mut had_picture = vec![false; next.size().rows.into()];
        for y in self.images.rows_of_gone(next) {
            self.shown.spoil_row(y);
            had_picture[usize::from(y)] = true;
        }
        self.scrolls.compare(&self.shown, next);
        let may_move = self.images.is_empty();
        if may_move {
            self.move_rows(next);
        }
        let may_shift = may_move
            && self.pencil.has(OutputFeatures::INSERT_DELETE)
            && self.scrolls.changed_rows() <= SHIFTED_ROWS_MAX;
        self.touched.clear();
        self.touched.resize(next.size().rows.into(), None);
        for y in (0..next.size().rows).filter(|&y| self.scrolls.has_changed(y)) {
            if may_shift
                && self.scrolls.cost(y) > SHIFT_COST
                && let Some(shift) = shift::find(&self.shown, next, y)
            {
                self.pencil.shift(shift, &mut self.drawing);
                self.shown.shift(shift);
            }
            // xterm shows a sixel again that was erased, as soon as it has to redraw its window.
            self.pencil.set_writes_blanks(had_picture[usize::from(y)]);
            let written = paint_row(&mut self.pencil, &self.shown, next, y, &mut self.drawing);
            self.touched[usize::from(y)] = written;
        }
        self.pencil.set_writes_blanks(false);
    }

    /// Moves and erases rows together where that helps.
    fn move_rows(&mut self, next: &Frame) {
        for _ in 0..SCROLLS_MAX {
            if !self.scroll(next, next.area()) {
                break;
            }
        }
        if self.pencil.has(OutputFeatures::MARGINS) {
            let narrow = next.scroll_areas().iter().filter(|area| area.cols < next.size().cols);
            for area in narrow {
                self.scroll(next, *area);
            }
        }
        self.erase_rows(next);
    }

    /// Moves rows of `area` if that helps; returns whether it did.
    fn scroll(&mut self, next: &Frame, area: Rect) -> bool {
        let Some(scroll) = self.scrolls.find(&self.shown, next, area) else { return false };
        self.pencil.scroll(scroll, next.size(), &mut self.drawing);
        self.shown.scroll(scroll);
        self.scrolls.compare(&self.shown, next);
        true
    }

    /// Erases rows that become blank together, where that is shorter than one by one.
    fn erase_rows(&mut self, next: &Frame) {
        let size = next.size();
        let mut has_erased = false;
        let mut y = 0;
        while y < size.rows {
            let start = y;
            let cell = next.row(y)[0];
            let is_blank = |y: u16| next.row(y).iter().all(|other| *other == cell);
            y += 1;
            if !self.scrolls.has_changed(start)
                || !can_erase(&self.pencil, &cell)
                || !is_blank(start)
            {
                continue;
            }
            let mut changed = 1;
            let mut last = start;
            while y < size.rows && is_blank(y) {
                if self.scrolls.has_changed(y) {
                    changed += 1;
                    last = y;
                }
                y += 1;
            }
            let (end, least) = match y == size.rows {
                true => (y, ERASED_BELOW_MIN),
                false => (last + 1, ERASED_REGION_MIN),
            };
            if changed >= least {
                let rows = end - start;
                self.pencil.erase_rows((start, rows), size, cell.style, &mut self.drawing);
                self.shown.blank(Rect { y: start, rows, ..next.area() }, cell);
                has_erased = true;
            }
        }
        if has_erased {
            self.scrolls.compare(&self.shown, next);
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
