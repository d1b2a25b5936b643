//! Whatever is done to a layout, it stays one: invariants L1 to L5, seen from outside.

use ccmux_core::geometry::{Direction, Extent, Size, SplitDirection};
use ccmux_core::ids::PaneId;
use ccmux_core::layout::{Layout, LayoutError, NewPaneSize, Preset, PresetOptions, Split};
use proptest::prelude::*;
use proptest::sample::Index;

#[derive(Clone, Debug)]
enum Step {
    Split(Index, Split),
    Close(Index),
    Resize(Size),
    ResizePane(Index, Direction, u16),
    ResizePaneTo(Index, SplitDirection, u16),
    Swap(Index, Index),
    Preset(Preset, PresetOptions),
    Spread(Index),
}

fn size() -> impl Strategy<Value = Size> {
    (1u16..150, 1u16..60).prop_map(|(cols, rows)| Size { cols, rows })
}

fn extent() -> impl Strategy<Value = Extent> {
    prop_oneof![(0u16..200).prop_map(Extent::Cells), (0u8..=100).prop_map(Extent::Percent)]
}

fn along() -> impl Strategy<Value = SplitDirection> {
    prop_oneof![Just(SplitDirection::Horizontal), Just(SplitDirection::Vertical)]
}

fn split() -> impl Strategy<Value = Split> {
    let new = prop_oneof![Just(NewPaneSize::Half), extent().prop_map(NewPaneSize::Extent)];
    (along(), new, any::<bool>(), any::<bool>()).prop_map(|(direction, size, before, full)| Split {
        direction,
        size,
        before,
        full,
    })
}

fn preset_options() -> impl Strategy<Value = PresetOptions> {
    let other = || prop::option::of(extent());
    (extent(), extent(), other(), other(), prop::option::of(1usize..5)).prop_map(
        |(main_width, main_height, other_width, other_height, tiled_columns_max)| PresetOptions {
            main_width,
            main_height,
            other_width,
            other_height,
            tiled_columns_max,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let pane = || any::<Index>();
    let direction = prop_oneof![
        Just(Direction::Left),
        Just(Direction::Right),
        Just(Direction::Up),
        Just(Direction::Down)
    ];
    prop_oneof![
        4 => (pane(), split()).prop_map(|(pane, split)| Step::Split(pane, split)),
        1 => pane().prop_map(Step::Close),
        1 => size().prop_map(Step::Resize),
        1 => (pane(), direction, 0u16..100).prop_map(|(p, d, n)| Step::ResizePane(p, d, n)),
        1 => (pane(), along(), 0u16..100).prop_map(|(p, d, n)| Step::ResizePaneTo(p, d, n)),
        1 => (pane(), pane()).prop_map(|(a, b)| Step::Swap(a, b)),
        1 => (prop::sample::select(&Preset::ALL[..]), preset_options())
            .prop_map(|(preset, options)| Step::Preset(preset, options)),
        1 => pane().prop_map(Step::Spread),
    ]
}

/// Does one step. A refusal is fine; what it must not do is break the layout.
fn apply(layout: &Layout, step: &Step, next: PaneId) -> Result<Layout, LayoutError> {
    let panes = layout.panes();
    let pane = |index: &Index| panes[index.index(panes.len())];
    match step {
        Step::Split(target, split) => layout.split(pane(target), next, *split),
        Step::Close(target) => layout.close(pane(target)),
        Step::Resize(size) => Ok(layout.resize(*size)),
        Step::ResizePane(target, direction, amount) => {
            layout.resize_pane(pane(target), *direction, *amount)
        }
        Step::ResizePaneTo(target, along, extent) => {
            layout.resize_pane_to(pane(target), *along, *extent)
        }
        Step::Swap(a, b) => layout.swap(pane(a), pane(b)),
        Step::Preset(preset, options) => Ok(layout.preset(*preset, options, layout.size())),
        Step::Spread(target) => layout.spread(pane(target)),
    }
}

/// L1 to L3: with one cell added for the separator on the right and below, the panes tile the
/// window so extended exactly.
fn assert_tiles(layout: &Layout) {
    let Size { cols, rows } = layout.size();
    let rects = layout.rects();
    let mut area = 0u64;
    for (index, (pane, rect)) in rects.iter().enumerate() {
        assert!(rect.cols >= 1 && rect.rows >= 1, "{pane} has no extent in {layout}");
        assert!(rect.x + rect.cols <= cols && rect.y + rect.rows <= rows, "{pane} in {layout}");
        area += u64::from(rect.cols + 1) * u64::from(rect.rows + 1);
        for (other, with) in &rects[..index] {
            assert_ne!(pane, other, "twice in {layout}");
            let beside = rect.x > with.x + with.cols || with.x > rect.x + rect.cols;
            let stacked = rect.y > with.y + with.rows || with.y > rect.y + rect.rows;
            assert!(beside || stacked, "{pane} and {other} overlap in {layout}");
        }
    }
    assert_eq!(area, u64::from(cols + 1) * u64::from(rows + 1), "a hole in {layout}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_keeps_the_invariants(
        size in size(),
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut layout = Layout::single(PaneId(0), size);
        for (next, step) in (1..).zip(&steps) {
            let Ok(changed) = apply(&layout, step, PaneId(next)) else { continue };
            assert_tiles(&changed);
            let mut expected = layout.panes();
            let mut found = changed.panes();
            match step {
                Step::Split(..) => expected.push(PaneId(next)),
                Step::Close(pane) => {
                    let index = pane.index(expected.len());
                    expected.remove(index);
                    assert_eq!(found, expected, "closing moved another pane");
                }
                Step::Swap(..) => {}
                _ => assert_eq!(found, expected, "{step:?} changed the order"),
            }
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{step:?}");
            if let Step::Resize(size) = step {
                assert!(changed.size().cols >= size.cols && changed.size().rows >= size.rows);
            } else if !matches!(step, Step::Preset(..)) {
                assert_eq!(changed.size(), layout.size(), "{step:?} changed the size");
            }
            layout = changed;
        }
        let text = layout.to_string();
        assert_eq!(Layout::parse_with_ids(&text).as_ref(), Ok(&layout), "{text}");
        assert_eq!(Layout::parse(&text, &layout.panes()).as_ref(), Ok(&layout), "{text}");
    }

    #[test]
    fn no_text_upsets_the_parser(body in "[0-9x,{}\\[\\]]{0,60}") {
        // With a right checksum, so that the rest is looked at.
        let sum = body.bytes().fold(0u16, |sum, byte| {
            sum.rotate_right(1).wrapping_add(u16::from(byte))
        });
        if let Ok(layout) = Layout::parse(&format!("{sum:04x},{body}"), &[PaneId(7)]) {
            assert_tiles(&layout);
            assert_eq!(layout.panes(), [PaneId(7)]);
        }
    }
}

/// Goal: a hostile string can neither exhaust the stack nor the memory.
#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        let inner = "1x1,0,0,0";
        let body = "1x1,0,0{".repeat(depth) + inner + &",1x1,0,0,1}".repeat(depth);
        let sum =
            body.bytes().fold(0u16, |sum, byte| sum.rotate_right(1).wrapping_add(u16::from(byte)));
        Layout::parse(&format!("{sum:04x},{body}"), &[PaneId(0)])
    };
    assert_eq!(nested(128), Err(LayoutError::SizeMismatch));
    assert_eq!(nested(100_000), Err(LayoutError::Invalid));
}

/// Goal: what can be made can be read back, however deep it nests.
#[test]
fn splits_nest_only_as_deep_as_strings_can() {
    let mut layout = Layout::single(PaneId(0), Size { cols: Size::MAX, rows: Size::MAX });
    let mut refused = false;
    for next in 1..300 {
        let direction =
            if next % 2 == 0 { SplitDirection::Horizontal } else { SplitDirection::Vertical };
        let split = Split {
            direction,
            size: NewPaneSize::Extent(Extent::Cells(1)),
            before: true,
            full: false,
        };
        match layout.split(PaneId(0), PaneId(next), split) {
            Ok(split) => layout = split,
            Err(error) => {
                assert_eq!(error, LayoutError::NoSpace);
                refused = true;
            }
        }
    }
    assert!(refused);
    assert_eq!(Layout::parse_with_ids(&layout.to_string()).unwrap(), layout);
}

#[test]
fn neighbours_wrap_around_and_prefer_the_recent() {
    // Left one high pane, right two above each other.
    let split =
        |direction| Split { direction, size: NewPaneSize::Half, before: false, full: false };
    let layout = Layout::single(PaneId(0), Size::DEFAULT)
        .split(PaneId(0), PaneId(1), split(SplitDirection::Horizontal))
        .and_then(|layout| layout.split(PaneId(1), PaneId(2), split(SplitDirection::Vertical)))
        .unwrap();
    let [left, above, below] = [PaneId(0), PaneId(1), PaneId(2)];
    for (from, direction, recent, expected) in [
        (left, Direction::Right, vec![], Some(above)),
        (left, Direction::Right, vec![left, below, above], Some(below)),
        (left, Direction::Left, vec![below], Some(below)),
        (above, Direction::Left, vec![], Some(left)),
        (above, Direction::Right, vec![], Some(left)),
        (above, Direction::Down, vec![], Some(below)),
        (above, Direction::Up, vec![], Some(below)),
        (left, Direction::Up, vec![], None),
    ] {
        assert_eq!(layout.neighbour(from, direction, &recent), expected, "{from} {direction:?}");
    }
}
