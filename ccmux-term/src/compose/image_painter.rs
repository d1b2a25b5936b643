//! Pictures on a client's terminal: drawn after the text that they lie on.
//!
//! Sixels are part of the cells on a terminal: text that is written over one takes that part away.
//! So a sixel is drawn again when anything was written in its cells, and where one is no more its
//! rows are written anew, blanks as well: erasing cells (EL, ECH) takes a sixel off the screen of an
//! xterm, but not out of its memory. Pictures of the kitty protocol have ids on the terminal: each is sent once,
//! placed, and deleted when it is shown no more.
//!
//! Nothing moves rows while pictures are shown: terminals disagree about what that does to them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::caps::OutputFeatures;
use super::frame::Frame;
use super::pencil::Pencil;
use crate::CellSize;
use crate::image::area::ImageArea;
use crate::image::{Image, ImageData, PixelRect, sixel};

/// After so many bytes of pictures the rest waits for the next frame.
const FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of a part of a picture of the kitty protocol.
const CHUNK_BYTES: usize = 4096;

/// Deletes all that is shown and was sent.
pub(super) const DELETE_ALL: &[u8] = b"\x1b_Ga=d,d=A,q=2\x1b\\";

/// The columns of each row that were written to, from and to.
pub(super) type Touched = Vec<Option<(u16, u16)>>;

#[derive(Debug, Default)]
pub(super) struct ImagePainter {
    cell: CellSize,
    /// Sixels that the terminal shows.
    sixels: Vec<ImageArea>,
    /// Those of which it may show some cells still: they wait to be drawn again.
    remnants: Vec<ImageArea>,
    /// What draws them.
    strings: Vec<(ImageArea, Vec<u8>)>,
    /// Pictures that the terminal holds, and their ids.
    sent: Vec<(Arc<Image>, u32)>,
    placed: Vec<Placed>,
    last_id: u32,
    /// Not all of the last frame's pictures are shown.
    has_more: bool,
}

/// A placement on the terminal.
#[derive(Clone, Debug)]
struct Placed {
    area: ImageArea,
    z: i32,
    image_id: u32,
    id: u32,
}

impl ImagePainter {
    pub(super) fn has_more(&self) -> bool {
        self.has_more
    }

    /// Whether the terminal shows any.
    pub(super) fn is_empty(&self) -> bool {
        self.sixels.is_empty() && self.remnants.is_empty() && self.placed.is_empty()
    }

    /// Sets the size of the terminal's cells; returns whether it is another one.
    pub(super) fn set_cell(&mut self, cell: CellSize) -> bool {
        let is_new = std::mem::replace(&mut self.cell, cell) != cell;
        if is_new {
            self.strings.clear();
        }
        is_new
    }

    /// The terminal is blanked: nothing is shown, and nothing that was sent counts.
    pub(super) fn forget(&mut self, features: OutputFeatures, out: &mut Vec<u8>) {
        let has_sent = !self.sent.is_empty();
        if features.contains(OutputFeatures::KITTY_GRAPHICS) && has_sent {
            out.extend_from_slice(DELETE_ALL);
        }
        self.sixels.clear();
        self.remnants.clear();
        self.sent.clear();
        self.placed.clear();
    }

    /// The rows of sixels that the next frame does not show where they are.
    pub(super) fn rows_of_gone(&self, next: &Frame) -> impl Iterator<Item = u16> {
        let wanted = sixels(next);
        let present = self.sixels.iter().chain(&self.remnants);
        let gone = present.filter(move |area| !wanted.contains(area));
        gone.flat_map(|area| area.y..area.y + area.rows)
    }

    /// Draws what the terminal does not show yet.
    pub(super) fn draw(
        &mut self,
        next: &Frame,
        touched: &Touched,
        pencil: &mut Pencil,
        out: &mut Vec<u8>,
    ) {
        let mut budget = FRAME_BYTES_MAX;
        self.has_more = false;
        self.draw_sixels(next, touched, &mut budget, (pencil, out));
        self.draw_kitty(next, &mut budget, (pencil, out));
    }

    fn draw_sixels(
        &mut self,
        next: &Frame,
        touched: &Touched,
        budget: &mut usize,
        (pencil, out): (&mut Pencil, &mut Vec<u8>),
    ) {
        let wanted = sixels(next);
        self.strings.retain(|(area, _)| wanted.iter().any(|wanted| is_same_part(area, wanted)));
        let (mut shown, mut remnants) = (Vec::new(), Vec::new());
        let mut decoded = sixel::Decoded::default();
        for area in wanted {
            let is_touched = (area.y..area.y + area.rows).any(|y| {
                touched[usize::from(y)]
                    .is_some_and(|(from, to)| area.x < to && from < area.x + area.cols)
            });
            if is_touched || !self.sixels.contains(&area) {
                let string = self.string(&area, &mut decoded);
                if *budget < string.len() {
                    self.has_more = true;
                    if self.sixels.contains(&area) || self.remnants.contains(&area) {
                        remnants.push(area);
                    }
                    continue;
                }
                *budget -= string.len();
                pencil.move_to(area.x, area.y, out);
                out.extend_from_slice(string);
                pencil.lose_place();
            }
            shown.push(area);
        }
        (self.sixels, self.remnants) = (shown, remnants);
    }

    /// What draws a part of a sixel; nothing, if that is more than a frame may have.
    fn string(&mut self, area: &ImageArea, decoded: &mut sixel::Decoded) -> &[u8] {
        let known = self.strings.iter().position(|(known, _)| is_same_part(known, area));
        let at = known.unwrap_or_else(|| {
            let mut string = Vec::new();
            let part = sixel::Part {
                col: area.from_col,
                row: area.from_row,
                cols: area.cols,
                rows: area.rows,
                measured: area.placement.cell,
                shown: self.cell,
            };
            sixel::write_part(&area.placement.image, part, decoded, &mut string);
            if string.len() > FRAME_BYTES_MAX {
                string = Vec::new();
            }
            self.strings.push((area.clone(), string));
            self.strings.len() - 1
        });
        &self.strings[at].1
    }

    fn draw_kitty(
        &mut self,
        next: &Frame,
        budget: &mut usize,
        (pencil, out): (&mut Pencil, &mut Vec<u8>),
    ) {
        let wanted = stacked(next);
        if wanted.is_empty() && self.sent.is_empty() {
            return;
        }
        self.placed.retain(|placed| {
            let stays = wanted.contains(&(&placed.area, placed.z));
            if !stays {
                let (image_id, id) = (placed.image_id, placed.id);
                out.extend_from_slice(
                    format!("\x1b_Ga=d,d=i,i={image_id},p={id},q=2\x1b\\").as_bytes(),
                );
            }
            stays
        });
        self.sent.retain(|(image, id)| {
            let stays = wanted.iter().any(|(area, _)| Arc::ptr_eq(&area.placement.image, image));
            if !stays {
                out.extend_from_slice(format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\").as_bytes());
            }
            stays
        });
        for (area, z) in wanted {
            if self.placed.iter().any(|placed| placed.area == *area && placed.z == z) {
                continue;
            }
            let Some(image_id) = self.send(&area.placement.image, budget, out) else {
                self.has_more = true;
                continue;
            };
            self.last_id += 1;
            let placed = Placed { area: area.clone(), z, image_id, id: self.last_id };
            pencil.move_to(area.x, area.y, out);
            write_placement(&placed, self.cell, out);
            pencil.lose_place();
            self.placed.push(placed);
        }
    }

    /// Sees to it that the terminal has a picture, and returns its id there; `None` if it has to wait.
    fn send(&mut self, image: &Arc<Image>, budget: &mut usize, out: &mut Vec<u8>) -> Option<u32> {
        if let Some((_, id)) = self.sent.iter().find(|(sent, _)| Arc::ptr_eq(sent, image)) {
            return Some(*id);
        }
        let ImageData::Kitty { format, is_deflated, data } = &image.data else { return None };
        if *budget < data.len().div_ceil(3) * 4 {
            return None;
        }
        let text = STANDARD.encode(data);
        *budget -= text.len();
        self.last_id += 1;
        let (id, format) = (self.last_id, format.code());
        let (width, height) = (image.width, image.height);
        let compression = if *is_deflated { ",o=z" } else { "" };
        let mut keys = format!("a=t,t=d,f={format},s={width},v={height}{compression},i={id},");
        let mut chunks = text.as_bytes().chunks(CHUNK_BYTES).peekable();
        while let Some(chunk) = chunks.next() {
            let has_more = u8::from(chunks.peek().is_some());
            out.extend_from_slice(format!("\x1b_G{keys}q=2,m={has_more};").as_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\x1b\\");
            keys.clear();
        }
        self.sent.push((Arc::clone(image), id));
        Some(id)
    }
}

/// The sixels of a frame, without the terminal's last row: many terminals scroll when a sixel ends
/// there.
fn sixels(frame: &Frame) -> Vec<ImageArea> {
    let size = frame.size();
    let sixels = frame.images().iter().filter(|area| area.is_sixel());
    sixels.filter_map(|area| area.within((0, 0), (size.cols, size.rows - 1))).collect()
}

/// The pictures of the kitty protocol in a frame, with a z of each one's own: among those of the same
/// z terminals go by the ids, which are ours there and not the program's. Above the text, below it,
/// and below backgrounds as well they stay what they are.
fn stacked(frame: &Frame) -> Vec<(&ImageArea, i32)> {
    const BELOW_BACKGROUNDS: i32 = i32::MIN / 2;
    let layer = |area: &ImageArea| match area.placement.kitty.z {
        ..BELOW_BACKGROUNDS => 0,
        BELOW_BACKGROUNDS..0 => 1,
        0.. => 2,
    };
    let areas: Vec<&ImageArea> = frame.images().iter().filter(|area| !area.is_sixel()).collect();
    let count = |of: usize| areas.iter().filter(|area| layer(area) == of).map(|_| 1).sum::<i32>();
    let mut next = [BELOW_BACKGROUNDS - count(0), -count(1), 0];
    let stack = |area| {
        let z = &mut next[layer(area)];
        *z += 1;
        (area, *z - 1)
    };
    areas.iter().copied().map(stack).collect()
}

/// Whether two areas show the same of a picture, wherever they are.
fn is_same_part(a: &ImageArea, b: &ImageArea) -> bool {
    ImageArea { x: b.x, y: b.y, ..a.clone() } == *b
}

fn write_placement(placed: &Placed, cell: CellSize, out: &mut Vec<u8>) {
    let Placed { area, z, image_id, id } = placed;
    let placement = &area.placement;
    let PixelRect { x, y, width, height } = placement.source;
    // The pixels of some of its cells.
    let part = |first: u16, count: u16, all: u16, start: u32, side: u32| {
        let at = |cell: u16| (u64::from(side) * u64::from(cell) / u64::from(all)) as u32;
        let (from, to) = (at(first), at(first + count));
        (start + from, (to - from).max(1))
    };
    let (x, width) = part(area.from_col, area.cols, placement.cols, x, width);
    let (y, height) = part(area.from_row, area.rows, placement.rows, y, height);
    let (cols, rows) = (area.cols, area.rows);
    let mut offset = String::new();
    if (area.from_col, area.from_row) == (0, 0) && placement.kitty.offset != (0, 0) {
        let (x, y) = placement.kitty.offset;
        let scaled = |offset: u16, measured: u16, shown: u16| {
            u32::from(offset) * u32::from(shown) / u32::from(measured)
        };
        let x = scaled(x, placement.cell.width, cell.width);
        let y = scaled(y, placement.cell.height, cell.height);
        offset = format!("X={x},Y={y},");
    }
    out.extend_from_slice(
        format!(
            "\x1b_Ga=p,i={image_id},p={id},c={cols},r={rows},x={x},y={y},w={width},h={height},\
             z={z},{offset}C=1,q=2\x1b\\"
        )
        .as_bytes(),
    );
}
