//! Where pictures are on a screen: slices of neighbouring rows put together.

use std::sync::Arc;

use super::{Placement, Slice};

/// A part of a picture on a screen, in cells.
#[derive(Clone, Debug)]
pub struct ImageArea {
    pub(crate) placement: Arc<Placement>,
    /// First column on the screen.
    pub x: u16,
    /// First row on the screen.
    pub y: u16,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// Which column of the picture is the first one.
    pub from_col: u16,
    /// Which row of the picture is the first one.
    pub from_row: u16,
}

/// The same part of the same picture at the same place.
impl PartialEq for ImageArea {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.placement, &other.placement)
            && (self.x, self.y, self.cols, self.rows) == (other.x, other.y, other.cols, other.rows)
            && (self.from_col, self.from_row) == (other.from_col, other.from_row)
    }
}

impl Eq for ImageArea {}

impl ImageArea {
    /// Width and height of the whole picture in pixels.
    pub fn pixels(&self) -> (u32, u32) {
        (self.placement.image.width, self.placement.image.height)
    }

    /// Whether it came as sixels, and not by the kitty protocol.
    pub fn is_sixel(&self) -> bool {
        self.placement.image.is_sixel()
    }

    /// What of it lies in a rectangle.
    #[must_use]
    pub(crate) fn within(&self, (x, y): (u16, u16), (cols, rows): (u16, u16)) -> Option<Self> {
        let (left, top) = (self.x.max(x), self.y.max(y));
        let end = (self.x + self.cols).min(x.saturating_add(cols));
        let bottom = (self.y + self.rows).min(y.saturating_add(rows));
        if left >= end || top >= bottom {
            return None;
        }
        Some(Self {
            placement: Arc::clone(&self.placement),
            x: left,
            y: top,
            cols: end - left,
            rows: bottom - top,
            from_col: self.from_col + left - self.x,
            from_row: self.from_row + top - self.y,
        })
    }

    /// What of it does not lie in a rectangle.
    pub(crate) fn without(&self, (x, y): (u16, u16), (cols, rows): (u16, u16)) -> Vec<Self> {
        let Some(covered) = self.within((x, y), (cols, rows)) else { return vec![self.clone()] };
        let (end, bottom) = (covered.x + covered.cols, covered.y + covered.rows);
        let above = ((0, 0), (u16::MAX, covered.y));
        let below = ((0, bottom), (u16::MAX, u16::MAX));
        let left = ((0, covered.y), (covered.x, covered.rows));
        let right = ((end, covered.y), (u16::MAX, covered.rows));
        let parts = [above, left, right, below];
        parts.into_iter().filter_map(|(corner, size)| self.within(corner, size)).collect()
    }
}

/// Puts the slices of rows together, which are given from the top one on: as few areas as possible,
/// those of lower pictures first.
pub(crate) fn areas<'a>(rows: impl Iterator<Item = &'a [Slice]>) -> Vec<ImageArea> {
    let mut areas: Vec<ImageArea> = Vec::new();
    for (y, slices) in (0..).zip(rows) {
        for slice in slices {
            let continues = |area: &&mut ImageArea| {
                Arc::ptr_eq(&area.placement, &slice.placement)
                    && area.y + area.rows == y
                    && area.from_row + area.rows == slice.from_row
                    && (area.x, area.cols) == (slice.x, slice.cols)
                    && area.from_col == slice.from_col
            };
            match areas.iter_mut().rev().find(continues) {
                Some(area) => area.rows += 1,
                None => areas.push(ImageArea {
                    placement: Arc::clone(&slice.placement),
                    x: slice.x,
                    y,
                    cols: slice.cols,
                    rows: 1,
                    from_col: slice.from_col,
                    from_row: slice.from_row,
                }),
            }
        }
    }
    areas.sort_by_key(|area| (area.placement.kitty.z, area.placement.number));
    areas
}
