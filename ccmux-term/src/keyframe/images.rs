//! Pictures in a keyframe.
//!
//! ```text
//! tables   images: count, each: number, width, height, byte: 0 and 1 sixels (1: opaque), else the
//!          format of the kitty protocol (24, 32, 100) + (1 if compressed); bytes
//!          placements: count, each: number, image's index, source (x, y, width, height), columns,
//!          rows, cell (width, height), kitty: image's id, id, z (zigzag), offset (x, y)
//! row      count, each: placement's index, x, columns, first column and row of the placement
//! state    cell (width, height), next number, kept images: count, each: id, number, image's index;
//!          flag: a transfer follows: control, flag: broken, bytes
//! control  bytes a, t, o, d; flags (1 m, 2 C, 4 U, 8 P or Q); q, f, s, v, i, I, p, x, y, w, h, X, Y,
//!          c, r, z (zigzag)
//! ```

use std::sync::Arc;

use crate::CellSize;
use crate::image::kitty::{Control, Format, Place};
use crate::image::store::{ImageStore, KeptImage, Transfer, fits};
use crate::image::{
    IMAGE_BYTES_MAX, IMAGES_MAX, Image, ImageData, PLACEMENT_CELLS_MAX, PixelRect, Placement,
    SLICES_MAX, Slice, sixel,
};
use crate::wire::{CodecError, Reader, put_bytes, put_number};

/// Gathers what rows refer to.
#[derive(Debug, Default)]
pub(super) struct ImageWriter {
    images: Vec<Arc<Image>>,
    placements: Vec<Arc<Placement>>,
}

impl ImageWriter {
    fn image(&mut self, image: &Arc<Image>) -> u64 {
        index_of(&mut self.images, image)
    }

    pub(super) fn slices(&mut self, slices: &[Slice], out: &mut Vec<u8>) {
        put_number(out, slices.len() as u64);
        for slice in slices {
            self.image(&slice.placement.image);
            put_number(out, index_of(&mut self.placements, &slice.placement));
            for number in [slice.x, slice.cols, slice.from_col, slice.from_row] {
                put_number(out, number.into());
            }
        }
    }

    pub(super) fn state(&mut self, store: &ImageStore, cell: CellSize, out: &mut Vec<u8>) {
        put_cell(out, cell);
        put_number(out, store.next);
        put_number(out, store.kept.len() as u64);
        for KeptImage { id, number, image } in &store.kept {
            put_number(out, (*id).into());
            put_number(out, (*number).into());
            let index = self.image(image);
            put_number(out, index);
        }
        out.push(u8::from(store.transfer.is_some()));
        if let Some(Transfer { control, data, is_broken }) = &store.transfer {
            put_control(out, control);
            out.push(u8::from(*is_broken));
            put_bytes(out, data);
        }
    }

    pub(super) fn tables(mut self, out: &mut Vec<u8>) {
        put_number(out, self.images.len() as u64);
        for Image { number, width, height, data } in self.images.iter().map(|image| &**image) {
            put_number(out, *number);
            put_number(out, (*width).into());
            put_number(out, (*height).into());
            let (kind, bytes) = match data {
                ImageData::Sixel { is_opaque, body } => (u8::from(*is_opaque), body),
                ImageData::Kitty { format, is_deflated, data } => {
                    (format.code() + u8::from(*is_deflated), data)
                }
            };
            out.push(kind);
            put_bytes(out, bytes);
        }
        put_number(out, self.placements.len() as u64);
        for placement in std::mem::take(&mut self.placements) {
            let Placement { number, image, source, cols, rows, cell, kitty } = &*placement;
            put_number(out, *number);
            let index = self.image(image);
            put_number(out, index);
            for side in [source.x, source.y, source.width, source.height] {
                put_number(out, side.into());
            }
            put_number(out, (*cols).into());
            put_number(out, (*rows).into());
            put_cell(out, *cell);
            let Place { image_id, id, z, offset } = kitty;
            for number in [*image_id, *id, zigzag(*z), offset.0.into(), offset.1.into()] {
                put_number(out, number.into());
            }
        }
    }
}

/// The index of something shared; it is added if it is not there.
fn index_of<T>(shared: &mut Vec<Arc<T>>, wanted: &Arc<T>) -> u64 {
    let index = shared.iter().position(|known| Arc::ptr_eq(known, wanted)).unwrap_or_else(|| {
        shared.push(Arc::clone(wanted));
        shared.len() - 1
    });
    index as u64
}

fn put_cell(out: &mut Vec<u8>, cell: CellSize) {
    put_number(out, cell.width.into());
    put_number(out, cell.height.into());
}

fn zigzag(number: i32) -> u32 {
    (number << 1 ^ number >> 31).cast_unsigned()
}

fn unzigzag(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn put_control(out: &mut Vec<u8>, control: &Control) {
    let Control {
        action,
        quiet,
        format,
        medium,
        compression,
        has_more,
        size,
        id,
        number,
        placement,
        source,
        offset,
        cells,
        keeps_cursor,
        is_virtual,
        is_relative,
        z,
        delete,
    } = control;
    let flags = [has_more, keeps_cursor, is_virtual, is_relative];
    let flags = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(**flag));
    out.extend_from_slice(&[*action, *medium, *compression, *delete, flags]);
    let numbers = [*quiet, *format, size.0, size.1, *id, *number, *placement];
    let places = [offset.0, offset.1, cells.0, cells.1, zigzag(*z)];
    for number in numbers.into_iter().chain(*source).chain(places) {
        put_number(out, number.into());
    }
}

fn control(reader: &mut Reader<'_>) -> Result<Control, CodecError> {
    let letters = reader.take(5)?;
    let (bytes, flags) = ([letters[0], letters[1], letters[2], letters[3]], letters[4]);
    if flags > 15 {
        return Err(CodecError::Invalid("image control"));
    }
    let mut next = || reader.small::<u32>();
    Ok(Control {
        action: bytes[0],
        medium: bytes[1],
        compression: bytes[2],
        delete: bytes[3],
        has_more: flags & 1 != 0,
        keeps_cursor: flags & 2 != 0,
        is_virtual: flags & 4 != 0,
        is_relative: flags & 8 != 0,
        quiet: next()?,
        format: next()?,
        size: (next()?, next()?),
        id: next()?,
        number: next()?,
        placement: next()?,
        source: [next()?, next()?, next()?, next()?],
        offset: (next()?, next()?),
        cells: (next()?, next()?),
        z: unzigzag(next()?),
    })
}

/// What rows refer to.
#[derive(Debug, Default)]
pub(super) struct ImageReader {
    images: Vec<Arc<Image>>,
    placements: Vec<Arc<Placement>>,
    bytes: usize,
}

impl ImageReader {
    pub(super) fn tables(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let mut tables = Self::default();
        for _ in 0..reader.number()? {
            let image = image(reader)?;
            if !fits(tables.images.len(), tables.bytes, image.bytes()) {
                return Err(CodecError::Invalid("images"));
            }
            tables.bytes += image.bytes();
            tables.images.push(Arc::new(image));
        }
        for _ in 0..reader.number()? {
            let placement = tables.placement(reader)?;
            tables.placements.push(Arc::new(placement));
        }
        Ok(tables)
    }

    fn image(&self, reader: &mut Reader<'_>) -> Result<Arc<Image>, CodecError> {
        let index: usize = reader.small()?;
        self.images.get(index).cloned().ok_or(CodecError::Invalid("image"))
    }

    fn placement(&self, reader: &mut Reader<'_>) -> Result<Placement, CodecError> {
        let (number, image) = (reader.number()?, self.image(reader)?);
        let [x, y, width, height] =
            [reader.small()?, reader.small()?, reader.small()?, reader.small()?];
        let source = PixelRect { x, y, width, height };
        let fits = |start: u32, len: u32, side: u32| {
            len > 0 && start.checked_add(len).is_some_and(|end| end <= side)
        };
        let (cols, rows) = (reader.small()?, reader.small()?);
        let are_cells = |cells: u16| (1..=PLACEMENT_CELLS_MAX).contains(&cells);
        let cell = cell(reader)?;
        if !fits(x, width, image.width)
            || !fits(y, height, image.height)
            || !are_cells(cols)
            || !are_cells(rows)
        {
            return Err(CodecError::Invalid("placement"));
        }
        let kitty = Place {
            image_id: reader.small()?,
            id: reader.small()?,
            z: unzigzag(reader.small()?),
            offset: (reader.small()?, reader.small()?),
        };
        Ok(Placement { number, image, source, cols, rows, cell, kitty })
    }

    /// The pictures of a row of so many columns.
    pub(super) fn slices(
        &self,
        reader: &mut Reader<'_>,
        row_cols: usize,
    ) -> Result<Vec<Slice>, CodecError> {
        let count: usize = reader.small()?;
        if !(1..=SLICES_MAX).contains(&count) {
            return Err(CodecError::Invalid("slices"));
        }
        let mut slices = Vec::with_capacity(count);
        for _ in 0..count {
            let index: usize = reader.small()?;
            let placement = self.placements.get(index).cloned();
            let placement = placement.ok_or(CodecError::Invalid("placement"))?;
            let [x, cols, from_col, from_row] =
                [reader.small()?, reader.small()?, reader.small()?, reader.small::<u16>()?];
            let end = |start: u16| usize::from(start) + usize::from(cols);
            if cols == 0
                || end(x) > row_cols
                || end(from_col) > placement.cols.into()
                || from_row >= placement.rows
            {
                return Err(CodecError::Invalid("slice"));
            }
            slices.push(Slice { placement, x, cols, from_col, from_row });
        }
        Ok(slices)
    }

    pub(super) fn state(
        &self,
        reader: &mut Reader<'_>,
    ) -> Result<(CellSize, ImageStore), CodecError> {
        let cell = cell(reader)?;
        let mut store = ImageStore::default();
        store.next = reader.number()?;
        if store.next > u64::MAX / 2 || self.images.iter().any(|image| image.number > store.next) {
            return Err(CodecError::Invalid("image number"));
        }
        let count = reader.number()?;
        if count > IMAGES_MAX as u64 {
            return Err(CodecError::Invalid("kept images"));
        }
        for _ in 0..count {
            let kept = KeptImage {
                id: reader.small()?,
                number: reader.small()?,
                image: self.image(reader)?,
            };
            if kept.id == 0 || store.kept.iter().any(|other| other.id == kept.id) {
                return Err(CodecError::Invalid("kept image"));
            }
            store.kept.push(kept);
        }
        if reader.flag()? {
            let (control, is_broken) = (control(reader)?, reader.flag()?);
            let data = reader.bytes()?.to_vec();
            if data.len() > IMAGE_BYTES_MAX {
                return Err(CodecError::Invalid("image transfer"));
            }
            store.transfer = Some(Transfer { control, data, is_broken });
        }
        self.images.iter().for_each(|image| store.note(image));
        Ok((cell, store))
    }
}

fn cell(reader: &mut Reader<'_>) -> Result<CellSize, CodecError> {
    CellSize::checked(reader.small()?, reader.small()?).ok_or(CodecError::Invalid("cell"))
}

fn image(reader: &mut Reader<'_>) -> Result<Image, CodecError> {
    let (number, width, height) = (reader.number()?, reader.small()?, reader.small()?);
    let kind = reader.byte()?;
    let bytes = reader.bytes()?.to_vec();
    let data = match kind {
        0 | 1 if sixel::is_body(&bytes) => ImageData::Sixel { is_opaque: kind == 1, body: bytes },
        24.. => {
            if bytes.len() > IMAGE_BYTES_MAX {
                return Err(CodecError::Invalid("image"));
            }
            let format =
                Format::of_code(u32::from(kind & !1)).ok_or(CodecError::Invalid("image"))?;
            ImageData::Kitty { format, is_deflated: kind & 1 != 0, data: bytes }
        }
        _ => return Err(CodecError::Invalid("image")),
    };
    if !Image::is_size_allowed(width, height) {
        return Err(CodecError::Invalid("image"));
    }
    Ok(Image { number, width, height, data })
}
