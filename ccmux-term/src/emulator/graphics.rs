//! Sixels, and pictures put on the screen.
//!
//! The cursor goes where xterm puts it, and the VT340 did: to the last row of a sixel, in the column
//! where it began.
//!
//! Text that is printed over a sixel, and what erases or moves its cells within their row, takes that
//! part of it away, as in xterm; the rest stays. Rows that move take their parts along.

use std::sync::Arc;

use super::Emulator;
use super::settings::mode;
use crate::image::store::fits;
use crate::image::{
    self, Image, PLACEMENT_CELLS_MAX, PixelRect, Placement, SIDE_MAX, Slice, kitty, sixel,
};
use crate::parser::Params;
use crate::work;

/// Where a placement goes, and what happens at the bottom of the screen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lay {
    /// From this cell on; what does not fit is cut.
    At(usize, usize),
    /// From the cursor on, row by row as if each ended in a line feed, the last one not.
    Scrolling,
}

/// Of a placement that scrolls the screen only so many rows are laid, the last ones: no pixels are
/// needed for it, so what takes long could be said in a few bytes.
const SCROLLED_ROWS_MAX: u16 = 256;

impl Emulator {
    /// The string of a DCS with the final byte `q`.
    pub(super) fn sixel(&mut self, params: &Params, text: &[u8]) {
        self.settle();
        let number = self.images.next_number();
        let Some(image) = sixel::read(number, params.get(1) != 1, text) else { return };
        if !self.admit_image(&image) {
            return;
        }
        let source = PixelRect { x: 0, y: 0, width: image.width, height: image.height };
        let cells = self.cells_of(source.width, source.height);
        let placement = self.placement(Arc::new(image), source, cells, kitty::Place::default());
        if self.settings.has(mode::SIXEL_DISPLAY) {
            self.lay(&placement, Lay::At(0, 0));
            return;
        }
        self.lay(&placement, Lay::Scrolling);
        if self.settings.has(mode::SIXEL_CURSOR_RIGHT) {
            self.go_behind(placement.cols);
        }
    }

    /// Goes so many columns to the right, or to the next row if there are no more.
    pub(super) fn go_behind(&mut self, cols: u16) {
        let x = self.cursor.x + usize::from(cols);
        if x < self.print_end() {
            self.cursor.x = x;
        } else {
            self.index();
            self.carriage_return();
        }
    }

    /// How many cells so many pixels take.
    pub(super) fn cells_of(&self, width: u32, height: u32) -> (u16, u16) {
        let cells = |pixels: u32, cell: u16| {
            let cells = pixels.div_ceil(cell.into()).max(1);
            u16::try_from(cells).unwrap_or(u16::MAX).min(PLACEMENT_CELLS_MAX)
        };
        (cells(width, self.cell.width), cells(height, self.cell.height))
    }

    pub(super) fn placement(
        &mut self,
        image: Arc<Image>,
        source: PixelRect,
        (cols, rows): (u16, u16),
        kitty: kitty::Place,
    ) -> Arc<Placement> {
        let number = self.images.next_number();
        Arc::new(Placement { number, image, source, cols, rows, cell: self.cell, kitty })
    }

    /// Sees to it that there is room for a picture: if there is none, the oldest ones go, shown or
    /// not. False if it is too large by itself.
    pub(super) fn admit_image(&mut self, image: &Image) -> bool {
        let bytes = image.bytes();
        if !fits(0, 0, bytes) {
            return false;
        }
        if self.images.may_be_full(bytes) {
            let rows = self.grid.rows().chain(self.hidden_grid.rows()).chain(&self.overflow.rows);
            let slices = rows.flat_map(|row| &row.slices).inspect(|_| work::note(1));
            let evicted = self.images.recount(slices, bytes);
            if !evicted.is_empty() {
                self.remove_slices(true, |slice| evicted.contains(&slice.placement.image.number));
            }
        }
        self.images.note(image);
        true
    }

    /// Takes parts of pictures off the screen that is shown, or off all rows.
    pub(super) fn remove_slices(&mut self, everywhere: bool, is_gone: impl Fn(&Slice) -> bool) {
        for y in 0..self.grid.len() {
            if self.grid.row(y).slices.iter().any(&is_gone) {
                self.grid.row_mut(y).slices.retain(|slice| !is_gone(slice));
            }
        }
        if everywhere {
            for row in self.hidden_grid.rows_mut_unseen().chain(&mut self.overflow.rows) {
                row.slices.retain(|slice| !is_gone(slice));
            }
        }
    }

    /// Puts a placement on the screen. With [`Lay::Scrolling`] the cursor goes to its last row.
    pub(super) fn lay(&mut self, placement: &Arc<Placement>, how: Lay) {
        match how {
            Lay::At(x, y) => {
                for (from_row, y) in (0..placement.rows).zip(y..self.rows()) {
                    self.put_row(placement, from_row, (x, y), self.cols());
                }
            }
            Lay::Scrolling => {
                self.cursor.is_wrap_pending = false;
                let (x, end) = (self.cursor.x, self.print_end());
                let first = placement.rows.saturating_sub(SCROLLED_ROWS_MAX);
                for from_row in first..placement.rows {
                    if from_row > first {
                        let y = self.cursor.y;
                        let scrolls = y == self.bottom && self.is_in_side_margins();
                        self.index();
                        if self.cursor.y == y && !scrolls {
                            // Below the region nothing scrolls.
                            break;
                        }
                    }
                    self.put_row(placement, from_row, (x, self.cursor.y), end);
                }
            }
        }
    }

    fn put_row(
        &mut self,
        placement: &Arc<Placement>,
        from_row: u16,
        (x, y): (usize, usize),
        end: usize,
    ) {
        let cols = usize::from(placement.cols).min(end.saturating_sub(x));
        if cols > 0 {
            let placement = Arc::clone(placement);
            let (x, cols) = (x as u16, cols as u16);
            let slice = Slice { placement, x, cols, from_col: 0, from_row };
            image::add(&mut self.grid.row_mut(y).slices, slice);
        }
    }

    /// XTSMGRAPHICS: how many colour registers there are, and how large sixels may be. Neither can be
    /// changed.
    pub(super) fn report_graphics(&mut self, params: &Params) {
        let (item, action) = (params.get(0), params.get(1));
        let value = match item {
            1 => format!("{}", sixel::REGISTERS),
            2 if action == 4 => format!("{SIDE_MAX};{SIDE_MAX}"),
            2 => {
                let (width, height) = self.pixels();
                format!("{};{}", width.min(SIDE_MAX as usize), height.min(SIDE_MAX as usize))
            }
            _ => return self.reply(format!("\x1b[?{item};1S").as_bytes()),
        };
        match action {
            1 | 2 | 4 => self.reply(format!("\x1b[?{item};0;{value}S").as_bytes()),
            3 => self.reply(format!("\x1b[?{item};3S").as_bytes()),
            _ => self.reply(format!("\x1b[?{item};2S").as_bytes()),
        }
    }
}
