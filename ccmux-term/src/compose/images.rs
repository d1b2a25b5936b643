//! Pictures in a frame: where they are, and what stands for those that the terminal cannot show.

use super::CellText;
use super::caps::OutputFeatures;
use super::frame::{Frame, Rect};
use crate::image::area::ImageArea;
use crate::{Style, Terminal};

/// More pictures than this are not shown in one frame.
const FRAME_IMAGES_MAX: usize = 1024;

impl Frame {
    /// Says which pictures the terminal can show; the others become text. The frame keeps it when it
    /// is cleared.
    pub fn set_graphics(&mut self, features: OutputFeatures) {
        self.graphics = features & (OutputFeatures::SIXEL | OutputFeatures::KITTY_GRAPHICS);
    }

    /// What [`Frame::set_graphics`] set.
    pub fn graphics(&self) -> OutputFeatures {
        self.graphics
    }

    /// The pictures to be shown, the lowest ones first.
    pub fn images(&self) -> &[ImageArea] {
        &self.images
    }

    /// Draws the pictures of a terminal that lie in the top left part that fits into `area`, which
    /// lies in the frame.
    pub(super) fn draw_images(&mut self, area: Rect, terminal: &Terminal) {
        for image in terminal.images() {
            if let Some(part) = image.within((0, 0), (area.cols, area.rows)) {
                self.put_image(ImageArea { x: part.x + area.x, y: part.y + area.y, ..part });
            }
        }
    }

    /// Draws what another frame shows of pictures, as [`Frame::draw_frame`] does.
    pub(super) fn copy_images(&mut self, area: Rect, other: &Frame, corner: (u16, u16)) {
        for image in &other.images {
            if let Some(part) = image.within(corner, (area.cols, area.rows)) {
                let (x, y) = (part.x - corner.0 + area.x, part.y - corner.1 + area.y);
                self.put_image(ImageArea { x, y, ..part });
            }
        }
    }

    fn put_image(&mut self, image: ImageArea) {
        let needed = match image.is_sixel() {
            true => OutputFeatures::SIXEL,
            false => OutputFeatures::KITTY_GRAPHICS,
        };
        if self.graphics.contains(needed) && self.images.len() < FRAME_IMAGES_MAX {
            self.images.push(image);
        } else {
            self.put_placeholder(&image);
        }
    }

    /// Fills the place of a picture with what tmux does: a label, and `+` in all other cells. Text that is
    /// written over pictures of the kitty protocol takes nothing away from them, so it is left alone.
    fn put_placeholder(&mut self, image: &ImageArea) {
        let label = image.placement.label();
        for row in 0..image.rows {
            let label = if image.from_row + row == 0 { label.as_str() } else { "" };
            let from = usize::from(image.from_col);
            let text: String = label
                .chars()
                .chain(std::iter::repeat('+'))
                .skip(from)
                .take(image.cols.into())
                .collect();
            let area = Rect { x: image.x, y: image.y + row, cols: image.cols, rows: 1 };
            if image.is_sixel() {
                self.put_str_within(area, &text, Style::default());
                continue;
            }
            for (x, c) in (area.x..).zip(text.chars()) {
                let is_free = |x| {
                    self.cell(x, area.y)
                        .is_some_and(|cell| cell.width == 1 && cell.text == CellText::Char(' '))
                };
                if is_free(x) {
                    let place = Rect { x, cols: 1, ..area };
                    self.put_str_within(place, c.encode_utf8(&mut [0; 4]), Style::default());
                }
            }
        }
    }

    /// Something is drawn over part of the frame: no picture is shown there any more.
    #[inline]
    pub(super) fn cover(&mut self, area: Rect) {
        if !self.images.is_empty() {
            let (corner, size) = ((area.x, area.y), (area.cols, area.rows));
            self.images =
                self.images.iter().flat_map(|image| image.without(corner, size)).collect();
        }
    }
}
