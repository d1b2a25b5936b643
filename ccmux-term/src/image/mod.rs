//! Pictures that programs put on the screen: sixels, and those of the kitty graphics protocol.
//!
//! A picture is kept as it came (checked, not decoded), once, and each row of the screen holds the
//! part of it that lies there: a [`Slice`]. So a picture moves, is cut and goes with its rows, and a
//! row without pictures costs nothing.
//!
//! ```text
//! Row -- Slice (where on the row, which part) -- Placement (how large in cells) -- Image (bytes)
//! ```
//!
//! Invariants
//! * I1 A slice lies on its row, and within the cells of its placement; a row has at most
//!   [`SLICES_MAX`].
//! * I2 The pictures of a terminal, shown or kept for later, are at most [`IMAGES_MAX`] and take at
//!   most [`IMAGES_BYTES_MAX`].
//! * I3 What is kept of a sixel has no byte that ends its string or is a control.

pub(crate) mod area;
pub(crate) mod check;
pub(crate) mod fuzzing;
pub(crate) mod kitty;
pub(crate) mod sixel;
pub(crate) mod store;

use std::sync::Arc;

/// Most pixels of a side: as many whole bands of sixels as fit into 4096.
pub(crate) const SIDE_MAX: u32 = 4092;
/// Most pixels of a picture.
pub(crate) const PIXELS_MAX: u32 = 4 * 1024 * 1024;
/// Longest string that a picture comes in, and most bytes of one that comes in several.
pub(crate) const IMAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Pictures of a terminal.
pub(crate) const IMAGES_MAX: usize = 256;
/// Bytes of all pictures of a terminal.
pub(crate) const IMAGES_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Slices of one row.
pub(crate) const SLICES_MAX: usize = 32;
/// Most cells of a side of a placement.
pub(crate) const PLACEMENT_CELLS_MAX: u16 = 4096;

/// Pixels of a cell where nobody has told otherwise.
const CELL_DEFAULT: CellSize = CellSize { width: 8, height: 16 };

/// How many pixels a cell has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CellSize {
    /// Pixels from left to right.
    pub width: u16,
    /// Pixels from top to bottom.
    pub height: u16,
}

impl CellSize {
    /// Most pixels of a side that are believed.
    const SIDE_MAX: u16 = 256;

    /// A size that a terminal told; `None` if no font is of this size.
    pub fn checked(width: u32, height: u32) -> Option<Self> {
        let side =
            |side| u16::try_from(side).ok().filter(|side| (1..=Self::SIDE_MAX).contains(side));
        Some(Self { width: side(width)?, height: side(height)? })
    }
}

impl Default for CellSize {
    fn default() -> Self {
        CELL_DEFAULT
    }
}

/// A picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Image {
    /// Pictures are numbered as they come.
    pub(crate) number: u64,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) data: ImageData,
}

/// The bytes of a picture.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ImageData {
    /// Sixels without raster attributes, with numbers in bounds and nothing that means nothing.
    Sixel {
        /// Pixels that are not set are so in the background, not transparent.
        is_opaque: bool,
        body: Vec<u8>,
    },
    Kitty {
        format: kitty::Format,
        /// Compressed by zlib.
        is_deflated: bool,
        data: Vec<u8>,
    },
}

impl Image {
    pub(crate) fn bytes(&self) -> usize {
        match &self.data {
            ImageData::Sixel { body: bytes, .. } | ImageData::Kitty { data: bytes, .. } => {
                bytes.len()
            }
        }
    }

    pub(crate) fn is_sixel(&self) -> bool {
        matches!(self.data, ImageData::Sixel { .. })
    }

    /// Whether sides of so many pixels are allowed.
    pub(crate) fn is_size_allowed(width: u32, height: u32) -> bool {
        (1..=SIDE_MAX).contains(&width)
            && (1..=SIDE_MAX).contains(&height)
            && width * height <= PIXELS_MAX
    }
}

/// A rectangle of pixels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PixelRect {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// A picture, or a part of one, laid out on cells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Placement {
    /// Placements are numbered with the pictures.
    pub(crate) number: u64,
    pub(crate) image: Arc<Image>,
    /// The part of the picture; it lies in it and is not empty.
    pub(crate) source: PixelRect,
    /// Cells that the part takes, at least one and at most [`PLACEMENT_CELLS_MAX`].
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    /// Pixels of a cell by which it was laid out.
    pub(crate) cell: CellSize,
    /// What the kitty protocol says of it; sixels have the default.
    pub(crate) kitty: kitty::Place,
}

impl Placement {
    /// What is shown where the picture cannot be.
    pub(crate) fn label(&self) -> String {
        let kind = if self.image.is_sixel() { "SIXEL" } else { "KITTY" };
        format!("{kind} IMAGE ({}x{})", self.cols, self.rows)
    }
}

/// The part of a placement that lies on a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slice {
    pub(crate) placement: Arc<Placement>,
    /// First column, and how many.
    pub(crate) x: u16,
    pub(crate) cols: u16,
    /// Which cell of the placement is the first one.
    pub(crate) from_col: u16,
    pub(crate) from_row: u16,
}

impl Slice {
    pub(crate) fn end(&self) -> u16 {
        self.x + self.cols
    }

    /// What of it lies in `from..to`.
    fn within(&self, from: u16, to: u16) -> Option<Self> {
        let (x, end) = (self.x.max(from), self.end().min(to));
        let part = Self {
            x,
            cols: end.checked_sub(x)?,
            from_col: self.from_col + x - self.x,
            ..self.clone()
        };
        (part.cols > 0).then_some(part)
    }
}

/// Takes `from..to` of a row away from sixels. Pictures of the kitty protocol lie above or below the
/// text, whatever is written.
#[cold]
pub(crate) fn uncover(slices: &mut Vec<Slice>, from: usize, to: usize) {
    let (from, to) = (column(from), column(to));
    let is_hit =
        |slice: &Slice| slice.placement.image.is_sixel() && slice.x < to && from < slice.end();
    if !slices.iter().any(is_hit) {
        return;
    }
    let parts = slices.iter().flat_map(|slice| {
        let [left, right] = if is_hit(slice) {
            [slice.within(0, from), slice.within(to, u16::MAX)]
        } else {
            [Some(slice.clone()), None]
        };
        left.into_iter().chain(right)
    });
    let mut parts: Vec<Slice> = parts.collect();
    // The lowest ones go, as where one more is added.
    parts.drain(..parts.len().saturating_sub(SLICES_MAX));
    *slices = parts;
}

/// Cuts a row's pictures to a width.
pub(crate) fn clip(slices: &mut Vec<Slice>, cols: usize) {
    if slices.iter().any(|slice| usize::from(slice.end()) > cols) {
        *slices = slices.iter().filter_map(|slice| slice.within(0, column(cols))).collect();
    }
}

/// Adds to a row's pictures: over the others, and over the oldest one where there are too many.
pub(crate) fn add(slices: &mut Vec<Slice>, slice: Slice) {
    if slice.placement.image.is_sixel() {
        uncover(slices, slice.x.into(), slice.end().into());
    }
    if slices.len() == SLICES_MAX {
        slices.remove(0);
    }
    slices.push(slice);
}

fn column(x: usize) -> u16 {
    u16::try_from(x).unwrap_or(u16::MAX)
}
