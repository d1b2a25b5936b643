//! The kitty graphics protocol: pictures that are sent, placed and deleted by their ids.
//!
//! Pictures come in the string itself (`t=d`) only. What a file or shared memory holds (`t=f`, `t`
//! and `s`) is not read: a program that merely prints could have any file of the user's shown, or
//! deleted. Animations, placements relative to others and Unicode placeholders are refused, too, and
//! answered so.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use super::Emulator;
use super::graphics::Lay;
use crate::image::check::{Flaw, check};
use crate::image::kitty::{Control, Format, Place, png_size};
use crate::image::store::{KeptImage, Transfer};
use crate::image::{IMAGE_BYTES_MAX, Image, ImageData, PLACEMENT_CELLS_MAX, PixelRect, Slice};

/// What is wrong with a request: the text of the answer.
type Refusal = &'static str;

const NO_FILES: Refusal = "EINVAL:only direct transmission is allowed (t=d)";
const NO_ANIMATION: Refusal = "ENOTSUP:animations are not supported";
const NO_PLACEHOLDERS: Refusal = "ENOTSUP:Unicode placeholders are not supported";
const NO_RELATIVES: Refusal = "ENOTSUP:relative placements are not supported";
const NO_IMAGE: Refusal = "ENOENT:no such image";
const TOO_LARGE: Refusal = "EFBIG:too much image data";
const BROKEN: Refusal = "EINVAL:too much data, or not in base64";
const TOO_LITTLE: Refusal = "ENODATA:insufficient image data";
const TOO_MUCH: Refusal = "EFBIG:more data than the image has";
const NOT_DEFLATED: Refusal = "EINVAL:the data is not compressed by zlib";
const NOT_PNG: Refusal = "EBADPNG:the data is not a PNG";

impl Emulator {
    /// The string of an APC that begins with `G`.
    pub(super) fn kitty(&mut self, text: &[u8]) {
        self.settle();
        let text = text.get(1..).unwrap_or_default();
        let at = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let payload = text.get(at + 1..).unwrap_or_default();
        let Some(control) = Control::parse(&text[..at]) else { return };
        if let Some(transfer) = self.images.transfer.take() {
            // Until its last part came, any string but one that deletes goes on with it.
            if control.action != b'd' {
                return self.receive(transfer, control, payload);
            }
        }
        match control.action {
            0 | b't' | b'T' | b'q' => {
                let transfer = Transfer { control, data: Vec::new(), is_broken: false };
                self.receive(transfer, control, payload);
            }
            b'p' => {
                let put = self.put_kept(&control);
                self.answer(&control, put.map(|()| control.id));
            }
            b'd' => self.delete(&control),
            b'f' | b'a' | b'c' => self.answer(&control, Err(NO_ANIMATION)),
            _ => self.answer(&control, Err("EINVAL:unknown action")),
        }
    }

    /// A part of a picture was too long: what came of it is not kept, and the picture that is sent next is
    /// no part of it.
    pub(super) fn drop_transfer(&mut self) {
        if let Some(transfer) = self.images.transfer.take() {
            self.answer(&transfer.control, Err(TOO_LARGE));
        }
    }

    /// Takes a part of a picture: all of it, if nothing is to follow.
    fn receive(&mut self, mut transfer: Transfer, part: Control, payload: &[u8]) {
        match STANDARD.decode(payload).or_else(|_| STANDARD_NO_PAD.decode(payload)) {
            Ok(data) if transfer.data.len() + data.len() <= IMAGE_BYTES_MAX => {
                transfer.data.extend_from_slice(&data);
            }
            _ => transfer.is_broken = true,
        }
        if transfer.is_broken {
            transfer.data = Vec::new();
        }
        if part.has_more {
            self.images.transfer = Some(transfer);
            return;
        }
        let control = transfer.control;
        let taken = self.take(transfer);
        self.answer(&control, taken);
    }

    /// Takes a whole picture, and does with it what it was sent for. Returns its id.
    fn take(&mut self, transfer: Transfer) -> Result<u32, Refusal> {
        let Transfer { control, data, is_broken } = transfer;
        if !matches!(control.medium, 0 | b'd') {
            return Err(NO_FILES);
        }
        if is_broken {
            return Err(BROKEN);
        }
        if control.id != 0 && control.number != 0 {
            return Err("EINVAL:both an id and a number");
        }
        let image = picture(&control, data)?;
        if control.action == b'q' {
            check_data(&image)?;
            return Ok(control.id);
        }
        if control.action == b'T' {
            check_place(&control)?;
        }
        if !self.admit_image(&image) {
            return Err(TOO_LARGE);
        }
        let image = Arc::new(Image { number: self.images.next_number(), ..image });
        let id = if control.number != 0 { self.images.free_id() } else { control.id };
        if id != 0 {
            // What has the id is replaced, wherever it is shown.
            self.images.kept.retain(|kept| kept.id != id);
            self.remove_slices(true, |slice| slice.placement.kitty.image_id == id);
            let (number, image) = (control.number, Arc::clone(&image));
            self.images.kept.push(KeptImage { id, number, image });
        }
        if control.action == b'T' {
            self.place(image, id, &control)?;
        }
        Ok(id)
    }

    fn put_kept(&mut self, control: &Control) -> Result<(), Refusal> {
        check_place(control)?;
        let kept = self.images.find(control.id, control.number).ok_or(NO_IMAGE)?;
        let (image, id) = (Arc::clone(&kept.image), kept.id);
        self.place(image, id, control)
    }

    /// Places a picture at the cursor. A placement of the same id moves there.
    fn place(&mut self, image: Arc<Image>, id: u32, control: &Control) -> Result<(), Refusal> {
        let [x, y, width, height] = control.source;
        let (x, y) = (x.min(image.width), y.min(image.height));
        let side = |wanted: u32, left: u32| if wanted == 0 { left } else { wanted.min(left) };
        let (width, height) = (side(width, image.width - x), side(height, image.height - y));
        if width == 0 || height == 0 {
            return Err("EINVAL:nothing of the image is left");
        }
        let source = PixelRect { x, y, width, height };
        let offset = (
            control.offset.0.min(u32::from(self.cell.width) - 1) as u16,
            control.offset.1.min(u32::from(self.cell.height) - 1) as u16,
        );
        let cells = self.cells_of_place(source, offset, control.cells);
        let place = Place { image_id: id, id: control.placement, z: control.z, offset };
        if (id, place.id) != (0, 0) && place.id != 0 {
            self.remove_slices(true, |slice| is_placement(slice, id, place.id));
        }
        let placement = self.placement(image, source, cells, place);
        if control.keeps_cursor {
            self.lay(&placement, Lay::At(self.cursor.x, self.cursor.y));
            return Ok(());
        }
        self.lay(&placement, Lay::Scrolling);
        self.go_behind(placement.cols);
        Ok(())
    }

    /// Cells of a placement: as many as asked for; if only one side is, the other one follows it.
    fn cells_of_place(
        &self,
        source: PixelRect,
        offset: (u16, u16),
        wanted: (u32, u32),
    ) -> (u16, u16) {
        let bounded = |cells: u64| cells.clamp(1, PLACEMENT_CELLS_MAX.into()) as u16;
        let [width, height] = [source.width, source.height].map(u64::from);
        let [cell_width, cell_height] = [self.cell.width, self.cell.height].map(u64::from);
        match (u64::from(wanted.0), u64::from(wanted.1)) {
            (0, 0) => self
                .cells_of(source.width + u32::from(offset.0), source.height + u32::from(offset.1)),
            (cols, 0) => {
                let rows = (height * cols * cell_width).div_ceil(width * cell_height);
                (bounded(cols), bounded(rows))
            }
            (0, rows) => {
                let cols = (width * rows * cell_height).div_ceil(height * cell_width);
                (bounded(cols), bounded(rows))
            }
            (cols, rows) => (bounded(cols), bounded(rows)),
        }
    }

    /// `a=d`: what is deleted is named by `d`; a capital letter deletes the data, too, of what is then
    /// shown nowhere. Only what is shown on this screen is looked for.
    fn delete(&mut self, control: &Control) {
        let what = if control.delete == 0 { b'a' } else { control.delete };
        let id = match what.to_ascii_lowercase() {
            b'n' => match self.images.find(0, control.number) {
                Some(kept) => kept.id,
                None => return,
            },
            _ => control.id,
        };
        let [x, y, ..] = control.source.map(|at| at as usize);
        let (cursor_x, cursor_y) = (self.cursor.x, self.cursor.y);
        let mut gone: BTreeSet<u64> = BTreeSet::new();
        let mut ids: BTreeSet<u32> = BTreeSet::new();
        for (row_y, row) in self.grid.rows().enumerate() {
            for slice in &row.slices {
                let Place { image_id, z, .. } = slice.placement.kitty;
                let covers = |x: usize, y: usize| {
                    row_y == y && (usize::from(slice.x)..usize::from(slice.end())).contains(&x)
                };
                let is_meant = match what.to_ascii_lowercase() {
                    b'a' => true,
                    b'i' | b'n' => is_placement(slice, id, control.placement),
                    b'c' => covers(cursor_x, cursor_y),
                    b'p' => x > 0 && y > 0 && covers(x - 1, y - 1),
                    b'q' => x > 0 && y > 0 && covers(x - 1, y - 1) && z == control.z,
                    b'r' => (x..=y).contains(&(image_id as usize)) && image_id != 0,
                    b'x' => x > 0 && covers(x - 1, row_y),
                    b'y' => y > 0 && row_y == y - 1,
                    b'z' => z == control.z,
                    _ => false,
                };
                if is_meant && !slice.placement.image.is_sixel() {
                    gone.insert(slice.placement.number);
                    ids.insert(image_id);
                }
            }
        }
        self.remove_slices(true, |slice| gone.contains(&slice.placement.number));
        if what.is_ascii_uppercase() {
            match what {
                b'I' | b'N' => _ = ids.insert(id),
                b'R' => {
                    let kept = self.images.kept.iter().map(|kept| kept.id);
                    ids.extend(kept.filter(|id| (x..=y).contains(&(*id as usize))));
                }
                _ => {}
            }
            self.forget(&ids);
        }
    }

    /// Forgets pictures that are shown nowhere.
    fn forget(&mut self, ids: &BTreeSet<u32>) {
        let rows = self.grid.rows().chain(self.hidden_grid.rows()).chain(&self.overflow.rows);
        let shown: BTreeSet<u32> = rows
            .flat_map(|row| &row.slices)
            .map(|slice| slice.placement.kitty.image_id)
            .filter(|id| ids.contains(id))
            .collect();
        self.images.kept.retain(|kept| !ids.contains(&kept.id) || shown.contains(&kept.id));
    }

    /// Answers a request that names a picture, unless it asks for no answer. `done` has the id that
    /// the picture got.
    fn answer(&mut self, control: &Control, done: Result<u32, Refusal>) {
        let is_quiet = match done {
            Ok(_) => control.quiet >= 1,
            Err(_) => control.quiet >= 2,
        };
        if is_quiet || (control.id, control.number) == (0, 0) {
            return;
        }
        let mut keys = Vec::new();
        let id = if control.id != 0 { control.id } else { done.unwrap_or(0) };
        for (key, value) in [('i', id), ('I', control.number), ('p', control.placement)] {
            if value != 0 {
                keys.push(format!("{key}={value}"));
            }
        }
        let text = done.err().unwrap_or("OK");
        self.reply(format!("\x1b_G{};{text}\x1b\\", keys.join(",")).as_bytes());
    }
}

/// Whether a part belongs to a picture, and to a placement of it if that is not 0.
fn is_placement(slice: &Slice, image_id: u32, id: u32) -> bool {
    let place = &slice.placement.kitty;
    image_id != 0 && place.image_id == image_id && (id == 0 || place.id == id)
}

fn check_place(control: &Control) -> Result<(), Refusal> {
    if control.is_virtual {
        return Err(NO_PLACEHOLDERS);
    }
    if control.is_relative {
        return Err(NO_RELATIVES);
    }
    Ok(())
}

/// Whether the data of a picture unpacks to what was said of it.
fn check_data(image: &Image) -> Result<(), Refusal> {
    let ImageData::Kitty { format, is_deflated, data } = &image.data else { return Ok(()) };
    check(*format, *is_deflated, (image.width, image.height), data).map_err(|flaw| match flaw {
        Flaw::TooLittle => TOO_LITTLE,
        Flaw::TooMuch => TOO_MUCH,
        Flaw::NotDeflated => NOT_DEFLATED,
        Flaw::NotPng => NOT_PNG,
    })
}

/// A picture, if the data is what was said of it, as far as that can be seen without unpacking it.
fn picture(control: &Control, data: Vec<u8>) -> Result<Image, Refusal> {
    let format = Format::of_code(control.format).ok_or("EINVAL:unknown format")?;
    let is_deflated = match control.compression {
        0 => false,
        b'z' => true,
        _ => return Err("EINVAL:unknown compression"),
    };
    let (width, height) = match format {
        // A compressed one says nothing of itself.
        Format::Png if is_deflated => control.size,
        Format::Png => png_size(&data).ok_or(NOT_PNG)?,
        Format::Rgb | Format::Rgba => control.size,
    };
    if !Image::is_size_allowed(width, height) {
        return Err("EINVAL:bad size of an image");
    }
    let pixel = format.pixel_bytes().filter(|_| !is_deflated);
    let expected = pixel.map(|pixel| (width * height) as usize * pixel);
    if data.is_empty() || expected.is_some_and(|expected| data.len() < expected) {
        return Err(TOO_LITTLE);
    }
    if expected.is_some_and(|expected| data.len() > expected) {
        return Err(TOO_MUCH);
    }
    Ok(Image { number: 0, width, height, data: ImageData::Kitty { format, is_deflated, data } })
}
