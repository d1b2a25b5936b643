//! tmux's layout strings: `CHECKSUM,WxH,X,Y{...}` with `{}` around panes side by side, `[]` around
//! stacked ones and the number of a pane after its place.

use std::fmt;

use crate::geometry::{Size, SplitDirection};
use crate::ids::PaneId;

use super::cell::{Cell, CellKind, with_extent};
use super::{DEPTH_MAX, Layout, LayoutError, PANES_MAX};

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_cell(&mut text, &self.root, 0, 0)?;
        write!(f, "{:04x},{text}", checksum(text.as_bytes()))
    }
}

impl Layout {
    /// Reads a layout string and puts `panes` into its places in order; pane numbers in the string
    /// do not count, as in tmux. Where it has more places than there are panes, its last places
    /// close.
    pub fn parse(text: &str, panes: &[PaneId]) -> Result<Layout, LayoutError> {
        let (mut layout, named) = read(text)?;
        let cells = named.len();
        if panes.len() > cells || panes.is_empty() {
            return Err(LayoutError::TooManyPanes { panes: panes.len(), cells });
        }
        for last in (panes.len()..cells).rev() {
            layout = layout.close(place(last))?;
        }
        layout.arranged(panes)
    }

    /// Reads a layout string with the pane numbers in it: the reverse of `to_string`.
    ///
    /// # Errors
    /// [`LayoutError::Invalid`] also for a place without a number, and
    /// [`LayoutError::DuplicatePane`] for a number that comes twice.
    pub fn parse_with_ids(text: &str) -> Result<Layout, LayoutError> {
        let (layout, named) = read(text)?;
        let panes: Vec<PaneId> =
            named.into_iter().collect::<Option<_>>().ok_or(LayoutError::Invalid)?;
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = panes.iter().find(|pane| !seen.insert(**pane)) {
            return Err(LayoutError::DuplicatePane(*twice));
        }
        layout.arranged(&panes)
    }
}

/// Reads a string into a layout of stand-in panes (see [`place`]) and the pane number that the
/// string has for each.
fn read(text: &str) -> Result<(Layout, Vec<Option<PaneId>>), LayoutError> {
    let (sum, body) = text.split_once(',').ok_or(LayoutError::Invalid)?;
    let sum_is_hex = sum.len() == 4 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !sum_is_hex || u16::from_str_radix(sum, 16) != Ok(checksum(body.as_bytes())) {
        return Err(LayoutError::Invalid);
    }
    let mut reader = Reader { rest: body, named: Vec::new() };
    let mut root = reader.cell(0).ok_or(LayoutError::Invalid)?;
    if !reader.rest.is_empty() || reader.named.len() > PANES_MAX {
        return Err(LayoutError::Invalid);
    }
    correct_root_size(&mut root);
    if !adds_up(&root) {
        return Err(LayoutError::SizeMismatch);
    }
    Ok((Layout { root }, reader.named))
}

/// The stand-in for a pane while a string is read.
fn place(index: usize) -> PaneId {
    PaneId(u32::try_from(index).expect("BUG: a string has fewer places than u32 has numbers"))
}

/// tmux's checksum: rotate right by one, add the byte.
fn checksum(text: &[u8]) -> u16 {
    text.iter().fold(0, |sum: u16, byte| sum.rotate_right(1).wrapping_add(u16::from(*byte)))
}

fn write_cell(text: &mut String, cell: &Cell, x: u16, y: u16) -> fmt::Result {
    use fmt::Write as _;
    let Size { cols, rows } = cell.size;
    write!(text, "{cols}x{rows},{x},{y}")?;
    match &cell.kind {
        CellKind::Leaf(pane) => write!(text, ",{}", pane.0),
        CellKind::Split(along, children) => {
            let (open, close) = brackets(*along);
            let (mut x, mut y) = (x, y);
            for (index, child) in children.iter().enumerate() {
                text.push(if index == 0 { open } else { ',' });
                write_cell(text, child, x, y)?;
                match along {
                    SplitDirection::Horizontal => x += child.size.cols + 1,
                    SplitDirection::Vertical => y += child.size.rows + 1,
                }
            }
            text.push(close);
            Ok(())
        }
    }
}

fn brackets(along: SplitDirection) -> (char, char) {
    match along {
        SplitDirection::Horizontal => ('{', '}'),
        SplitDirection::Vertical => ('[', ']'),
    }
}

struct Reader<'a> {
    rest: &'a str,
    /// What the string calls the places read so far.
    named: Vec<Option<PaneId>>,
}

impl Reader<'_> {
    fn eat(&mut self, wanted: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(wanted)?;
        Some(())
    }

    fn number(&mut self) -> Option<u32> {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok()
    }

    fn extent(&mut self) -> Option<u16> {
        let extent = self.number()?;
        u16::try_from(extent).ok().filter(|extent| (1..=Size::MAX).contains(extent))
    }

    fn cell(&mut self, depth: usize) -> Option<Cell> {
        let cols = self.extent()?;
        self.eat('x')?;
        let rows = self.extent()?;
        let size = Size { cols, rows };
        // Offsets follow from the sizes.
        self.eat(',')?;
        self.number()?;
        self.eat(',')?;
        self.number()?;
        let along = match self.rest.chars().next() {
            Some('{') => SplitDirection::Horizontal,
            Some('[') => SplitDirection::Vertical,
            _ => return Some(self.leaf(size)),
        };
        if depth == DEPTH_MAX {
            return None;
        }
        let (open, close) = brackets(along);
        self.eat(open)?;
        let mut children = vec![self.cell(depth + 1)?];
        while self.rest.starts_with(',') {
            self.eat(',')?;
            children.push(self.cell(depth + 1)?);
        }
        self.eat(close)?;
        // tmux never writes a split with one child; one is no more than the child itself.
        if children.len() == 1 {
            return children.pop();
        }
        Some(Cell::split(along, size, children))
    }

    /// A leaf, with or without a pane number: `,12` belongs to it unless `x` follows, which makes
    /// it the start of the next cell.
    fn leaf(&mut self, size: Size) -> Cell {
        let saved = self.rest;
        let number = self.eat(',').and_then(|()| self.number());
        let named = number.filter(|_| !self.rest.starts_with('x')).map(PaneId);
        if named.is_none() {
            self.rest = saved;
        }
        let leaf = Cell::leaf(place(self.named.len()), size);
        self.named.push(named);
        leaf
    }
}

/// Takes the size of the root from its children: old versions of tmux wrote wrong ones.
fn correct_root_size(root: &mut Cell) {
    let CellKind::Split(along, children) = &root.kind else { return };
    let along = *along;
    let total: u32 = children.iter().map(|child| u32::from(child.extent(along)) + 1).sum();
    let Some(size) = children.last().map(|child| child.size) else { return };
    if let Ok(total) = u16::try_from(total - 1) {
        root.size = with_extent(size, along, total);
    }
}

/// Invariant L1, for a tree that came from outside.
fn adds_up(cell: &Cell) -> bool {
    let CellKind::Split(along, children) = &cell.kind else { return true };
    let total: u32 = children.iter().map(|child| u32::from(child.extent(*along)) + 1).sum();
    let across = along.across();
    total == u32::from(cell.extent(*along)) + 1
        && cell.extent(*along) <= Size::MAX
        && children
            .iter()
            .all(|child| child.extent(across) == cell.extent(across) && adds_up(child))
}
