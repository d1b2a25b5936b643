//! What a client sees: panes, borders, status line, prompt and messages, composed into its frame.

use ccmux_core::change::OptionScope;
use ccmux_core::geometry::{Rect as PaneRect, Size};
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::model::Window;
use ccmux_term::compose::{ClientModes, Frame, Rect, columns};
use ccmux_term::copy_mode::CopyMode;
use ccmux_term::{Attributes, Color, KeyboardFlags, MouseTracking, Style};

use super::Attachment;
use super::borders::{ascii, border_cells, touches};
use super::prompt::Prompt;
use super::status_line::{draw_line, draw_over};
use super::style::{changed, look};
use super::visible::{Corner, Pan};
use crate::event_loop::ClientId;
use crate::pane::Pane;
use crate::server::Server;

/// What fills the part of a client's screen that a smaller window leaves.
const OUTSIDE: &str = "·";

impl Server {
    /// How many rows the status line of a session takes.
    pub(crate) fn status_rows(&self, session: SessionId) -> u16 {
        status_rows(self.session_options(session).choice("status"))
    }

    /// How many rows the status line of a new session will take.
    pub(crate) fn default_status_rows(&self) -> u16 {
        status_rows(self.global_session_options().choice("status"))
    }

    /// The row of a client's screen on which the window begins.
    pub(crate) fn window_top(&self, session: SessionId) -> u16 {
        match self.session_options(session).choice("status-position") {
            "top" => self.status_rows(session),
            _ => 0,
        }
    }

    /// Composes and sends pictures to the clients that want one and can take it.
    pub(crate) fn paint_clients(&mut self) {
        let now = self.elapsed();
        let due: Vec<ClientId> = self
            .clients
            .values()
            .filter(|client| {
                client.attachment().is_some_and(|attachment| {
                    attachment.is_dirty
                        && client.has_heard_all()
                        && attachment.pacing.next_at(now) <= now
                })
            })
            .map(|client| client.id)
            .collect();
        for id in due {
            self.paint_client(id);
        }
    }

    fn paint_client(&mut self, id: ClientId) {
        let now = self.elapsed();
        let Some(client) = self.clients.get_mut(&id) else { return };
        let Some(attachment) = client.attachment_mut() else { return };
        // The frame is taken out, so that it can be drawn on while the server is only read.
        let mut frame = std::mem::replace(
            &mut attachment.frame,
            Frame::new(ccmux_term::Size { cols: 1, rows: 1 }),
        );
        let graphics = attachment.caps.features;
        frame.set_widths(&self.widths);
        frame.set_graphics(graphics);
        let corner = self.compose(id, &mut frame);
        // What the picture shows is what must be shown again.
        self.renew_token(id);
        let Some(client) = self.clients.get_mut(&id) else { return };
        if let Some(attachment) = client.attachment_mut() {
            attachment.frame = frame;
            attachment.corner = corner;
        }
        client.paint(now);
    }

    /// Whether a program is in the middle of a picture of its own (mode 2026).
    fn is_mid_frame(&self, id: PaneId) -> bool {
        self.panes.get(&id).is_some_and(|pane| pane.terminal.modes().synchronized_output)
    }

    /// Draws what a client sees, and returns which part of the window that is unless it is all.
    fn compose(&self, id: ClientId, frame: &mut Frame) -> Option<Corner> {
        frame.clear();
        let attachment = self.clients.get(&id)?.attachment()?;
        let session = self.state.sessions.get(&attachment.session)?;
        let window = self.state.windows.get(&session.current)?;
        let status_rows = self.status_rows(session.id).min(attachment.size.rows);
        let top = self.window_top(session.id).min(status_rows);
        let area = Rect {
            x: 0,
            y: top,
            cols: attachment.size.cols,
            rows: attachment.size.rows - status_rows,
        };
        let active = self.active_for(attachment, window);
        let corner = self.draw_visible(frame, area, (window, active), attachment.pan);
        self.set_modes(frame, active, session.id);
        let status_y = if top > 0 { 0 } else { attachment.size.rows - status_rows };
        self.draw_status(frame, id, attachment, (status_y, status_rows));
        self.draw_bottom(frame, id, attachment, (status_y, status_rows));
        corner
    }

    /// The part of a client's screen that is for the window.
    pub(crate) fn window_room(&self, attachment: &Attachment) -> Size {
        let Size { cols, rows } = attachment.size;
        Size { cols, rows: rows.saturating_sub(self.status_rows(attachment.session)) }
    }

    /// Draws a window, or a part of one that is larger than its area: the returned one.
    fn draw_visible(
        &self,
        frame: &mut Frame,
        area: Rect,
        (window, active): (&Window, PaneId),
        pan: Option<Pan>,
    ) -> Option<Corner> {
        let (size, room) = (window.layout.size(), Size { cols: area.cols, rows: area.rows });
        if size.cols <= room.cols && size.rows <= room.rows {
            self.draw_window(frame, area, window, active);
            return None;
        }
        let whole = Size { cols: size.cols.max(room.cols), rows: size.rows.max(room.rows) };
        let mut picture = Frame::new(super::term_size(whole));
        picture.set_widths(frame.widths());
        picture.set_graphics(frame.graphics());
        let everything = picture.area();
        self.draw_window(&mut picture, everything, window, active);
        let corner = match pan.filter(|pan| pan.window == window.id) {
            Some(pan) => pan.corner.within(size, room),
            None => Corner::at_cursor(picture.cursor, size, room),
        };
        frame.draw_frame(area, &picture, (corner.x, corner.y));
        Some(corner)
    }

    fn draw_window(&self, frame: &mut Frame, area: Rect, window: &Window, active: PaneId) {
        let layout = window.visible_layout();
        let size = layout.size();
        let rects = layout.rects();
        if size.cols < area.cols || size.rows < area.rows {
            let dim = Style { attributes: Attributes::DIM, ..Style::default() };
            for y in 0..area.rows {
                let start = if y < size.rows { size.cols } else { 0 };
                let is_narrow = columns(OUTSIDE, frame.widths()) == 1;
                let outside = if is_narrow { OUTSIDE } else { "." };
                for x in start..area.cols {
                    frame.put_str(area.x + x, area.y + y, outside, dim);
                }
            }
        }
        for (id, rect) in &rects {
            let Some(place) = place(area, *rect) else { continue };
            if let Some(pane) = self.panes.get(id) {
                self.draw_pane(frame, place, pane, *id == active);
            }
        }
        self.draw_borders(frame, area, (window, active), &rects);
    }

    fn draw_pane(&self, frame: &mut Frame, place: Rect, pane: &Pane, is_active: bool) {
        match &pane.mode {
            Some(mode) => {
                let options = self.pane_options(pane.id);
                let target = self.target_of_pane(pane.id);
                let styles =
                    ["mode-style", "copy-mode-match-style", "copy-mode-current-match-style"]
                        .map(|name| self.style_of(options, name, target, None));
                mode.render(&pane.terminal, frame, place, &styles, is_active);
                if mode.copy.shows_position() {
                    self.draw_position(frame, place, (pane.id, &mode.copy));
                }
            }
            None => {
                frame.draw_terminal(place, &pane.terminal);
                if is_active {
                    frame.place_cursor(place, pane.terminal.cursor());
                }
            }
        }
        if let Some(why) = pane.trouble() {
            draw_trouble(frame, place, why);
        }
    }

    /// Where the view is in the history (`copy-mode-position-format`), and beside that how a search
    /// is going.
    fn draw_position(&self, frame: &mut Frame, place: Rect, (id, copy): (PaneId, &CopyMode)) {
        let (options, target) = (self.pane_options(id), self.target_of_pane(id));
        let format = options.string("copy-mode-position-format");
        let mut text = self.expand(format, target, None);
        if text.is_empty() {
            return;
        }
        if let Some(note) = copy.search_note() {
            // Behind the style at the front, which says where the text lies.
            let at = if text.starts_with("#[") { text.find(']').map_or(0, |at| at + 1) } else { 0 };
            text.insert_str(at, &(note + " "));
        }
        let style = look(&self.style_of(options, "copy-mode-position-style", target, None));
        draw_over(frame, place, &text, style);
    }

    fn draw_borders(
        &self,
        frame: &mut Frame,
        area: Rect,
        (window, active_pane): (&Window, PaneId),
        rects: &[(PaneId, PaneRect)],
    ) {
        let options = self.state.options(OptionScope::Window(window.id));
        let target = self.target_of_pane(active_pane);
        let [plain, active] = ["pane-border-style", "pane-active-border-style"]
            .map(|name| look(&self.style_of(options, name, target, None)));
        let all: Vec<PaneRect> = rects.iter().map(|(_, rect)| *rect).collect();
        let active_rect = rects.iter().find(|(id, _)| *id == active_pane).map(|(_, rect)| *rect);
        let marked = self
            .state
            .marked
            .and_then(|marked| rects.iter().find(|(id, _)| *id == marked).map(|(_, rect)| *rect));
        for cell in border_cells(window.layout.size(), &all, active_rect) {
            if cell.x < area.cols && cell.y < area.rows {
                let mut style = if cell.is_active { active } else { plain };
                if marked.is_some_and(|marked| touches(marked, cell.x, cell.y)) {
                    style.attributes ^= Attributes::REVERSE;
                }
                let mut text = [0; 4];
                let is_narrow = columns(cell.glyph.encode_utf8(&mut text), frame.widths()) == 1;
                let glyph = if is_narrow { cell.glyph } else { ascii(cell.glyph) };
                let text = glyph.encode_utf8(&mut text);
                frame.put_str(area.x + cell.x, area.y + cell.y, text, style);
            }
        }
    }

    /// What the terminal must report: what the active program wants, and what ccmux itself does.
    fn set_modes(&self, frame: &mut Frame, active: PaneId, session: SessionId) {
        let options = self.session_options(session);
        let pane = self.panes.get(&active).filter(|pane| pane.mode.is_none());
        let modes = pane.map(|pane| pane.terminal.modes());
        let wanted = modes.as_ref().map_or(MouseTracking::Off, |modes| modes.mouse);
        let own = if options.flag("mouse") { MouseTracking::Normal } else { MouseTracking::Off };
        let keyboard = modes.as_ref().map_or(KeyboardFlags::empty(), |modes| modes.keyboard);
        frame.modes = ClientModes {
            mouse: if wanted == MouseTracking::Off { own } else { wanted },
            bracketed_paste: true,
            focus_events: modes.as_ref().is_some_and(|modes| modes.focus_events),
            keyboard: keyboard & KeyboardFlags::DISAMBIGUATE,
        };
        if options.flag("set-titles") {
            let format = options.string("set-titles-string").to_owned();
            let target = self.target_of_session(session);
            frame.title = Some(self.expand_time(&format, target, None));
        }
    }

    fn draw_status(
        &self,
        frame: &mut Frame,
        id: ClientId,
        attachment: &Attachment,
        (y, rows): (u16, u16),
    ) {
        let options = self.session_options(attachment.session);
        let target = self.target_of_session(attachment.session);
        let mut base = look(&self.style_of(options, "status-style", target, Some(id)));
        // The older options of tmux, over the style.
        for (name, is_foreground) in [("status-fg", true), ("status-bg", false)] {
            let colour = options.colour(name);
            if colour != ccmux_core::options::Colour::Default {
                let change = match is_foreground {
                    true => ccmux_core::options::Style { fg: Some(colour), ..Default::default() },
                    false => ccmux_core::options::Style { bg: Some(colour), ..Default::default() },
                };
                base = changed(base, &change, base);
            }
        }
        let formats = options.array("status-format");
        for row in 0..rows {
            let area = Rect { x: 0, y: y + row, cols: attachment.size.cols, rows: 1 };
            let format = formats.iter().find(|(index, _)| *index == u32::from(row));
            let text = format
                .map(|(_, format)| self.expand_time(format, target, Some(id)))
                .unwrap_or_default();
            draw_line(frame, area, &text, base);
        }
        if rows > 0 && self.is_degraded() {
            draw_warning(frame, y, " NOT DURABLE ");
        }
    }

    /// A prompt or a message lies over the status line, or over the last row where there is none.
    fn draw_bottom(
        &self,
        frame: &mut Frame,
        id: ClientId,
        attachment: &Attachment,
        (y, rows): (u16, u16),
    ) {
        let options = self.session_options(attachment.session);
        let target = self.target_of_session(attachment.session);
        let style = look(&self.style_of(options, "message-style", target, Some(id)));
        let y = if rows > 0 { y + rows - 1 } else { attachment.size.rows - 1 };
        let area = Rect { x: 0, y, cols: attachment.size.cols, rows: 1 };
        if let Some(open) = &attachment.prompt {
            draw_prompt(frame, area, &open.prompt, style);
        } else if let Some(message) = &attachment.message {
            frame.fill(area, style);
            frame.put_str(0, y, &message.text, style);
        }
    }

    /// Notes that a pane looks different now: clients that show it want a picture.
    pub(crate) fn redraw_pane(&mut self, id: PaneId) {
        if self.is_mid_frame(id) {
            return;
        }
        let Some(window) = self.state.window_of(id).map(|window| window.id) else { return };
        for client in self.clients.values_mut() {
            let Some(attachment) = client.attachment_mut() else { continue };
            let session = self.state.sessions.get(&attachment.session);
            if session.is_some_and(|session| session.current == window) {
                attachment.is_dirty = true;
            }
        }
    }
}

fn status_rows(choice: &str) -> u16 {
    match choice {
        "off" => 0,
        "on" => 1,
        more => more.parse().unwrap_or(1),
    }
}

/// Where a pane lies on the screen; what does not fit is cut.
fn place(area: Rect, pane: PaneRect) -> Option<Rect> {
    if pane.x >= area.cols || pane.y >= area.rows {
        return None;
    }
    Some(Rect {
        x: area.x + pane.x,
        y: area.y + pane.y,
        cols: pane.cols.min(area.cols - pane.x),
        rows: pane.rows.min(area.rows - pane.y),
    })
}

/// Says over the last row of a pane, which is the program's again afterwards, why nothing happens in
/// it.
fn draw_trouble(frame: &mut Frame, place: Rect, why: &str) {
    let dim = Style { attributes: Attributes::DIM, ..Style::default() };
    let row = Rect { y: place.y + place.rows.saturating_sub(1), rows: 1, ..place };
    let text = format!("[the program cannot be reached: {why}; trying again]");
    frame.fill(row, dim);
    frame.put_str_within(row, &text, dim);
}

fn draw_warning(frame: &mut Frame, y: u16, text: &str) {
    let style = Style {
        fg: Color::Indexed(15),
        bg: Color::Indexed(1),
        attributes: Attributes::BOLD,
        ..Style::default()
    };
    let cols = frame.size().cols;
    let width = (text.len() as u16).min(cols);
    frame.put_str(cols - width, y, text, style);
}

fn draw_prompt(frame: &mut Frame, area: Rect, prompt: &Prompt, style: Style) {
    frame.fill(area, style);
    let (text, cursor) = prompt.line();
    // A long line scrolls so that the cursor stays on the screen.
    let skip = cursor.saturating_sub(usize::from(area.cols.saturating_sub(1)));
    let visible: String = text.chars().skip(skip).collect();
    frame.put_str(area.x, area.y, &visible, style);
    let before: String = text.chars().skip(skip).take(cursor - skip).collect();
    let x = columns(&before, frame.widths()) as u16;
    let cursor = ccmux_term::Cursor {
        x,
        y: 0,
        visible: true,
        shape: ccmux_term::CursorShape::default(),
        blinking: false,
    };
    frame.place_cursor(area, cursor);
}
