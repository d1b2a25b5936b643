//! tmux's five arrangements.

use std::fmt;
use std::str::FromStr;

use crate::geometry::{Extent, Size, SplitDirection};
use crate::ids::PaneId;

use super::Layout;
use super::cell::{Cell, PANE_MIN, with_extent};

/// An arrangement by name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Preset {
    /// All side by side.
    EvenHorizontal,
    /// All stacked.
    EvenVertical,
    /// One above, the others side by side below it.
    MainHorizontal,
    /// One left, the others stacked right of it.
    MainVertical,
    /// A grid.
    Tiled,
}

/// The text names no arrangement, or a prefix of several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not the name of a layout")]
pub struct UnknownPreset;

/// The options that presets go by. Of the extents, those of the other panes win over those of the
/// main one unless they are `None` or leave it too little.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PresetOptions {
    /// `main-pane-width`, for `main-vertical`.
    pub main_width: Extent,
    /// `main-pane-height`, for `main-horizontal`.
    pub main_height: Extent,
    /// `other-pane-width`, for `main-vertical`.
    pub other_width: Option<Extent>,
    /// `other-pane-height`, for `main-horizontal`.
    pub other_height: Option<Extent>,
    /// `tiled-layout-max-columns`
    pub tiled_columns_max: Option<usize>,
}

const MAIN_WIDTH: u16 = 80;
const MAIN_HEIGHT: u16 = 24;

impl Default for PresetOptions {
    fn default() -> Self {
        PresetOptions {
            main_width: Extent::Cells(MAIN_WIDTH),
            main_height: Extent::Cells(MAIN_HEIGHT),
            other_width: None,
            other_height: None,
            tiled_columns_max: None,
        }
    }
}

impl Preset {
    /// All of them, in the order in which `next-layout` goes through them.
    pub const ALL: [Preset; 5] = [
        Preset::EvenHorizontal,
        Preset::EvenVertical,
        Preset::MainHorizontal,
        Preset::MainVertical,
        Preset::Tiled,
    ];

    /// Its name in `select-layout`.
    pub fn name(self) -> &'static str {
        match self {
            Preset::EvenHorizontal => "even-horizontal",
            Preset::EvenVertical => "even-vertical",
            Preset::MainHorizontal => "main-horizontal",
            Preset::MainVertical => "main-vertical",
            Preset::Tiled => "tiled",
        }
    }

    /// The one `next-layout` applies after `current`.
    pub fn next(current: Option<Preset>) -> Preset {
        Preset::step(current, 1, 0)
    }

    /// The one `previous-layout` applies after `current`.
    pub fn previous(current: Option<Preset>) -> Preset {
        Preset::step(current, Preset::ALL.len() - 1, Preset::ALL.len() - 1)
    }

    fn step(current: Option<Preset>, by: usize, first: usize) -> Preset {
        let index = current
            .and_then(|current| Preset::ALL.iter().position(|preset| *preset == current))
            .map_or(first, |index| (index + by) % Preset::ALL.len());
        Preset::ALL[index]
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    /// Accepts a name or the beginning of exactly one.
    fn from_str(text: &str) -> Result<Preset, UnknownPreset> {
        let mut matching = Preset::ALL.into_iter().filter(|preset| preset.name().starts_with(text));
        match (matching.next(), matching.next()) {
            (Some(preset), None) => Ok(preset),
            _ => Err(UnknownPreset),
        }
    }
}

impl Layout {
    /// The same panes, in their order, arranged by a preset in a window of `size`.
    ///
    /// The first pane is the main one. One pane alone just fills the window.
    #[must_use]
    pub fn preset(&self, preset: Preset, options: &PresetOptions, size: Size) -> Layout {
        let panes = self.panes();
        if let [only] = panes[..] {
            return Layout::single(only, size);
        }
        let root = match preset {
            Preset::EvenHorizontal => even(&panes, SplitDirection::Horizontal, size),
            Preset::EvenVertical => even(&panes, SplitDirection::Vertical, size),
            Preset::MainHorizontal => beside_main(&panes, options.stacked(size.rows), size),
            Preset::MainVertical => beside_main(&panes, options.side_by_side(size.cols), size),
            Preset::Tiled => tiled(&panes, options.tiled_columns_max, size),
        };
        Layout { root }
    }
}

/// The least extent of so many panes in a row.
fn least(panes: usize) -> u16 {
    u16::try_from(panes).unwrap_or(u16::MAX).saturating_mul(PANE_MIN + 1).saturating_sub(1)
}

/// Panes in a row with equal extents; the last gets what the division leaves.
fn even(panes: &[PaneId], along: SplitDirection, size: Size) -> Cell {
    let count = u16::try_from(panes.len()).expect("BUG: more panes than a window has cells");
    let extent = super::cell::extent(size, along).max(least(panes.len()));
    let size = with_extent(size, along, extent);
    let each = (extent - (count - 1)) / count;
    let last = extent - (each + 1) * (count - 1);
    let cell = |(index, pane): (usize, &PaneId)| {
        let extent = if index + 1 == panes.len() { last } else { each };
        Cell::leaf(*pane, with_extent(size, along, extent))
    };
    if let [only] = panes {
        return Cell::leaf(*only, size);
    }
    Cell::split(along, size, panes.iter().enumerate().map(cell).collect())
}

/// A window divided in two.
#[derive(Clone, Copy)]
struct MainAndOther {
    along: SplitDirection,
    main: u16,
    other: u16,
}

impl PresetOptions {
    fn stacked(&self, rows: u16) -> MainAndOther {
        let (main, other) = divide(rows, self.main_height, self.other_height, MAIN_HEIGHT);
        MainAndOther { along: SplitDirection::Vertical, main, other }
    }

    fn side_by_side(&self, cols: u16) -> MainAndOther {
        let (main, other) = divide(cols, self.main_width, self.other_width, MAIN_WIDTH);
        MainAndOther { along: SplitDirection::Horizontal, main, other }
    }
}

/// Divides an extent, the separator taken off, between the main pane and the others. A main extent
/// beyond what there is counts as the default one.
fn divide(whole: u16, main: Extent, other: Option<Extent>, default: u16) -> (u16, u16) {
    let room = whole.saturating_sub(1).max(2 * PANE_MIN);
    let main = main.of(room);
    let main = if main > room { default } else { main }.max(PANE_MIN);
    if main >= room - PANE_MIN {
        return (room - PANE_MIN, PANE_MIN);
    }
    match other.map(|other| other.of(room)) {
        Some(other) if other >= PANE_MIN && room.saturating_sub(other) >= main => {
            (room - other, other)
        }
        _ => (main, room - main),
    }
}

/// The first pane along a direction, then all others side by side across it.
fn beside_main(panes: &[PaneId], parts: MainAndOther, size: Size) -> Cell {
    let MainAndOther { along, main, other } = parts;
    let others = even(&panes[1..], along.across(), with_extent(size, along, other));
    let size = with_extent(others.size, along, main + other + 1);
    let main = Cell::leaf(panes[0], with_extent(size, along, main));
    Cell::split(along, size, vec![main, others])
}

/// Rows of equal panes; the last row and the last pane of each get what is left.
fn tiled(panes: &[PaneId], columns_max: Option<usize>, size: Size) -> Cell {
    let (mut rows, mut columns) = (1, 1);
    while rows * columns < panes.len() {
        rows += 1;
        if rows * columns < panes.len() && columns_max.is_none_or(|max| columns < max) {
            columns += 1;
        }
    }
    let part = |whole: u16, count: usize| {
        let count = u16::try_from(count).expect("BUG: more panes than a window has cells");
        let each = (whole.saturating_sub(count - 1) / count).max(PANE_MIN);
        (each, whole.max((each + 1) * count - 1))
    };
    let (width, cols) = part(size.cols, columns);
    let (height, all_rows) = part(size.rows, rows);
    let used_rows = panes.len().div_ceil(columns);
    let row = |(index, panes): (usize, &[PaneId])| {
        let top = u16::try_from(index).expect("BUG: more rows than cells") * (height + 1);
        let rows = if index + 1 == used_rows { all_rows - top } else { height };
        let mut left = cols;
        let cell = |(index, pane): (usize, &PaneId)| {
            let cols = if index + 1 == panes.len() { left } else { width };
            left -= cols.min(left - 1) + 1;
            Cell::leaf(*pane, Size { cols, rows })
        };
        let mut cells: Vec<Cell> = panes.iter().enumerate().map(cell).collect();
        match cells.len() {
            1 => cells.remove(0),
            _ => Cell::split(SplitDirection::Horizontal, Size { cols, rows }, cells),
        }
    };
    let mut cells: Vec<Cell> = panes.chunks(columns).enumerate().map(row).collect();
    match cells.len() {
        1 => cells.remove(0),
        _ => Cell::split(SplitDirection::Vertical, Size { cols, rows: all_rows }, cells),
    }
}
