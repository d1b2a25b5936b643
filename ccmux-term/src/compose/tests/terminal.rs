//! Frames on a terminal: painting is checked against the emulator, and drawing with it.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::compose::scroll::{Scroll, ScrollDirection};
use crate::compose::sgr::reduce_style;
use crate::compose::shift::{Shift, ShiftDirection};
use crate::compose::width::{is_marked_letter, is_width_certain};
use crate::compose::{
    CellText, ClientModes, ColorDepth, Frame, FrameCell, OutputCaps, OutputFeatures, Painter, Rect,
    enter, enter_more, leave,
};
use crate::{
    Attributes, Color, Cursor, CursorShape, Hyperlink, KeyboardFlags, MouseEncoding, MouseTracking,
    Size, Style, Terminal, Underline,
};

/// One change of a frame.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    Clear,
    Put { x: u16, y: u16, text: String, style: Style },
    Link { x: u16, y: u16, link: u8 },
    Fill { area: Rect, style: Style },
    Restyle { area: Rect, style: Style },
    Scroll { area: Rect, lines: u16, direction: ScrollDirection },
    Shift { x: u16, y: u16, cols: u16, count: u16, direction: ShiftDirection },
    Cursor(Cursor),
    Modes(u8),
    Title(u8),
    Invalidate,
    Resize(Size),
}

const SIZE: Size = Size { cols: 24, rows: 9 };

fn style() -> impl Strategy<Value = Style> {
    let color = || {
        prop_oneof![
            4 => Just(Color::Default),
            2 => any::<u8>().prop_map(Color::Indexed),
            1 => any::<(u8, u8, u8)>().prop_map(|(r, g, b)| Color::Rgb(r, g, b)),
        ]
    };
    let underline = prop_oneof![
        6 => Just(Underline::None),
        1 => Just(Underline::Single),
        1 => Just(Underline::Double),
        1 => Just(Underline::Curly),
        1 => Just(Underline::Dotted),
        1 => Just(Underline::Dashed),
    ];
    let attributes = prop_oneof![
        3 => Just(Attributes::empty()),
        2 => any::<u8>().prop_map(Attributes::from_bits_truncate),
    ];
    let style = (color(), color(), color(), underline, attributes).prop_map(
        |(fg, bg, underline_color, underline, attributes)| Style {
            fg,
            bg,
            underline_color,
            underline,
            attributes,
        },
    );
    prop_oneof![2 => Just(Style::default()), 3 => style]
}

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        5 => "[a-z]{1,6}",
        3 => " {1,14}",
        2 => "[-x─]{1}".prop_map(|c| c.repeat(12)),
        2 => Just("世界".to_owned()),
        1 => Just("e\u{301}".to_owned()),
        1 => Just("क्".to_owned()),
        1 => Just("☺\u{fe0e}".to_owned()),
        1 => Just("👨‍👩‍👧".to_owned()),
        1 => Just("🇩🇪".to_owned()),
        1 => Just("❤\u{fe0f}".to_owned()),
        1 => Just("⏺✻".to_owned()),
    ];
    vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn area() -> impl Strategy<Value = Rect> {
    (0..SIZE.cols + 4, 0..SIZE.rows + 2, 0..SIZE.cols + 4, 0..SIZE.rows + 2)
        .prop_map(|(x, y, cols, rows)| Rect { x, y, cols, rows })
}

/// An area in the frame, often with all its columns.
fn inner_area() -> impl Strategy<Value = Rect> {
    (area(), any::<bool>()).prop_map(|(area, has_all_columns)| match has_all_columns {
        true => Rect { x: 0, cols: SIZE.cols, ..area },
        false => area,
    })
}

fn cursor() -> impl Strategy<Value = Cursor> {
    let shape = prop_oneof![
        Just(CursorShape::Default),
        Just(CursorShape::Block),
        Just(CursorShape::Underline),
        Just(CursorShape::Bar),
    ];
    (0..SIZE.cols + 2, 0..SIZE.rows + 2, any::<bool>(), shape, any::<bool>())
        .prop_map(|(x, y, visible, shape, blinking)| Cursor { x, y, visible, shape, blinking })
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = || (0..SIZE.cols + 2, 0..SIZE.rows + 2);
    let direction = prop_oneof![Just(ScrollDirection::Up), Just(ScrollDirection::Down)];
    let side = prop_oneof![Just(ShiftDirection::Insert), Just(ShiftDirection::Delete)];
    prop_oneof![
        1 => Just(Edit::Clear),
        20 => (place(), text(), style())
            .prop_map(|((x, y), text, style)| Edit::Put { x, y, text, style }),
        2 => (place(), 0..12_u8).prop_map(|((x, y), link)| Edit::Link { x, y, link }),
        4 => (area(), style()).prop_map(|(area, style)| Edit::Fill { area, style }),
        2 => (area(), style()).prop_map(|(area, style)| Edit::Restyle { area, style }),
        5 => (inner_area(), 1..4_u16, direction)
            .prop_map(|(area, lines, direction)| Edit::Scroll { area, lines, direction }),
        5 => (place(), 1..SIZE.cols, 1..5_u16, side).prop_map(
            |((x, y), cols, count, direction)| Edit::Shift { x, y, cols, count, direction }
        ),
        4 => cursor().prop_map(Edit::Cursor),
        1 => any::<u8>().prop_map(Edit::Modes),
        1 => (0..3_u8).prop_map(Edit::Title),
        1 => Just(Edit::Invalidate),
        1 => (2..SIZE.cols + 3, 1..SIZE.rows + 3)
            .prop_map(|(cols, rows)| Edit::Resize(Size { cols, rows })),
    ]
}

fn area_is_empty(area: Rect) -> bool {
    area.rows == 0 || area.cols == 0
}

pub(super) fn apply(frame: &mut Frame, edit: &Edit) {
    match edit {
        Edit::Clear => frame.clear(),
        Edit::Put { x, y, text, style } => {
            frame.put_str(*x, *y, text, *style);
        }
        Edit::Link { x, y, link } => {
            let id = if link % 2 == 0 { String::new() } else { format!("id{link}") };
            let uri = format!("https://example.org/{}", link / 2);
            let (text, width) = [
                (CellText::Char('l'), 1),
                (CellText::Char('世'), 2),
                (CellText::Cluster("e\u{301}"), 1),
            ][usize::from(*link % 3)];
            let link = Arc::new(Hyperlink { id, uri });
            let cell = FrameCell { text, width, style: Style::default(), link: Some(&link) };
            frame.put_cell(*x, *y, &cell);
        }
        Edit::Fill { area, style } => frame.fill(*area, *style),
        Edit::Restyle { area, style } => frame.set_style(*area, *style),
        Edit::Scroll { area, lines, direction } => {
            let area = frame.clipped(*area);
            let lines = (*lines).min(area.rows);
            if !area_is_empty(area) && !frame.cuts_wide(area) {
                frame.add_scroll_area(area);
                frame.scroll(Scroll { area, direction: *direction, lines });
            }
        }
        Edit::Shift { x, y, cols, count, direction } => {
            let area = frame.clipped(Rect { x: *x, y: *y, cols: *cols, rows: 1 });
            let count = (*count).min(area.cols);
            let end = area.x + area.cols;
            let cut = match direction {
                ShiftDirection::Insert => end - count,
                ShiftDirection::Delete => area.x + count,
            };
            let halves = Rect { x: cut, cols: end - cut, ..area };
            if !area_is_empty(area) && !frame.cuts_wide(area) && !frame.cuts_wide(halves) {
                let (y, from, direction) = (area.y, area.x, *direction);
                frame.shift(Shift { y, from, end, direction, count });
            }
        }
        Edit::Cursor(cursor) => frame.cursor = *cursor,
        Edit::Modes(bits) => {
            frame.modes.mouse = match bits & 3 {
                0 => MouseTracking::Off,
                1 => MouseTracking::Normal,
                2 => MouseTracking::ButtonMotion,
                _ => MouseTracking::AnyMotion,
            };
            frame.modes.bracketed_paste = bits & 4 != 0;
            frame.modes.focus_events = bits & 8 != 0;
            frame.modes.keyboard = KeyboardFlags::from_bits_truncate(bits >> 3);
        }
        Edit::Title(title) => frame.title = title.checked_sub(1).map(|n| format!("title\x07{n}")),
        Edit::Invalidate | Edit::Resize(_) => {}
    }
}

/// A terminal without any extras, one with all, and any between.
pub(super) fn caps() -> impl Strategy<Value = OutputCaps> {
    let features = prop_oneof![
        1 => Just(OutputFeatures::empty()),
        2 => Just(OutputFeatures::all()),
        3 => any::<u32>().prop_map(OutputFeatures::from_bits_truncate),
    ];
    let colors = prop_oneof![
        Just(ColorDepth::None),
        Just(ColorDepth::Palette8),
        Just(ColorDepth::Palette16),
        Just(ColorDepth::Palette256),
        Just(ColorDepth::TrueColor),
    ];
    (features, colors).prop_map(|(features, colors)| OutputCaps { colors, features })
}

/// Frames one after another, each as the edits that lead to it.
fn frames() -> impl Strategy<Value = Vec<Vec<Edit>>> {
    vec(vec(edit(), 1..8), 1..8)
}

/// Text, columns, style, link.
type ShownCell = (String, u8, Style, Option<Hyperlink>);

/// What a screen shows, cell by cell, as far as `caps` let it through.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Shown {
    rows: Vec<Vec<ShownCell>>,
    cursor: Option<Cursor>,
    modes: ClientModes,
}

impl Shown {
    pub(super) fn of_frame(frame: &Frame, caps: OutputCaps) -> Self {
        let has = |feature| caps.features.contains(feature);
        let size = frame.size();
        let cell = |x, y| {
            let cell = frame.cell(x, y).filter(|cell| cell.width > 0)?;
            let link = cell.link.filter(|_| has(OutputFeatures::HYPERLINKS));
            let style = reduce_style(cell.style, caps);
            let text = match cell.text {
                CellText::Cluster(text) if x + 1 == size.cols => in_last_column(text),
                text => text.to_string(),
            };
            Some((text, cell.width, style, link.map(|link| (**link).clone())))
        };
        let row = |y| (0..size.cols).filter_map(|x| cell(x, y)).collect();
        let cursor = Cursor {
            x: frame.cursor.x.min(size.cols - 1),
            y: frame.cursor.y.min(size.rows - 1),
            ..frame.cursor
        };
        let modes = ClientModes {
            mouse: if has(OutputFeatures::MOUSE) { frame.modes.mouse } else { MouseTracking::Off },
            bracketed_paste: frame.modes.bracketed_paste && has(OutputFeatures::BRACKETED_PASTE),
            focus_events: frame.modes.focus_events && has(OutputFeatures::FOCUS_EVENTS),
            keyboard: if has(OutputFeatures::KEYBOARD) {
                frame.modes.keyboard
            } else {
                KeyboardFlags::empty()
            },
        };
        Self {
            rows: (0..size.rows).map(row).collect(),
            cursor: cursor.visible.then(|| comparable(cursor, caps)),
            modes,
        }
    }

    pub(super) fn of_terminal(terminal: &Terminal, caps: OutputCaps) -> Self {
        let modes = terminal.modes();
        assert!(!modes.synchronized_output && !modes.autowrap && modes.alternate_screen);
        if modes.mouse != MouseTracking::Off {
            assert_eq!(modes.mouse_encoding, MouseEncoding::Sgr);
        }
        let cell = |cell: crate::CellRef<'_>| {
            (cell.text().to_owned(), cell.width, cell.style, cell.link.cloned())
        };
        let row = |y| terminal.row(y).cells().map(cell).collect();
        Self {
            rows: (0..terminal.size().rows).map(row).collect(),
            cursor: modes.cursor_visible.then(|| comparable(terminal.cursor(), caps)),
            modes: ClientModes {
                mouse: modes.mouse,
                bracketed_paste: modes.bracketed_paste,
                focus_events: modes.focus_events,
                keyboard: modes.keyboard,
            },
        }
    }
}

impl Shown {
    /// Where two screens differ, for people.
    fn difference(&self, expect: &Self) -> String {
        let rows = self.rows.iter().zip(&expect.rows).enumerate();
        let cells = rows.flat_map(|(y, (row, expect_row))| {
            let cells = row.iter().zip(expect_row).filter(|(got, expect)| got != expect);
            cells.map(move |(got, expect)| format!("row {y}: {got:?} instead of {expect:?}\n"))
        });
        format!(
            "{}{:?} {:?} instead of {:?} {:?}",
            cells.collect::<String>(),
            self.cursor,
            self.modes,
            expect.cursor,
            expect.modes
        )
    }
}

/// Without what cannot be told apart: the default shape does not say whether it blinks.
fn comparable(cursor: Cursor, caps: OutputCaps) -> Cursor {
    let has_shape = caps.features.contains(OutputFeatures::CURSOR_SHAPE);
    match cursor.shape {
        CursorShape::Default => Cursor { blinking: false, ..cursor },
        _ if has_shape => cursor,
        _ => Cursor { shape: CursorShape::Default, blinking: false, ..cursor },
    }
}

/// What a terminal is given of a cluster in the last column: one that others may take for wide is only
/// begun.
fn in_last_column(cluster: &str) -> String {
    let whole = if is_marked_letter(cluster) { usize::MAX } else { 1 };
    cluster.chars().take(whole).collect()
}

/// The text of a row as another terminal can show it.
fn painted_text(terminal: &Terminal, y: u16) -> String {
    let (mut text, mut x) = (String::new(), 0);
    for cell in terminal.row(y).cells() {
        x += u16::from(cell.width);
        match cell.text() {
            cluster if x == SIZE.cols && cell.width == 1 => text += &in_last_column(cluster),
            cluster => text += cluster,
        }
    }
    text.trim_end().to_owned()
}

/// What [`text`] has that terminals may take for wider or narrower.
const UNCERTAIN: &[&str] = &["👨‍👩‍👧", "🇩🇪", "❤\u{fe0f}", "☺\u{fe0e}", "⏺", "✻"];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    /// Goal: C1 and C4. Method: paint random frames, one after another, for a terminal with random
    /// abilities, feed the bytes to the emulator, and compare all it shows with each frame. Before one
    /// of them it turns out to have more abilities.
    #[test]
    fn a_terminal_shows_what_was_painted(
        first_caps in caps(),
        more in caps(),
        learned_at in 0..8_usize,
        frames in frames(),
    ) {
        let mut caps = first_caps;
        let mut frame = Frame::new(SIZE);
        let mut painter = Painter::new(caps, SIZE);
        let mut terminal = Terminal::new(SIZE);
        terminal.advance(&enter(caps));
        for (index, edits) in frames.into_iter().enumerate() {
            if index == learned_at {
                let features = caps.features | more.features;
                let known = OutputCaps { colors: caps.colors.max(more.colors), features };
                let mut out = enter_more(caps, known);
                painter.set_caps(known, &mut out);
                terminal.advance(&out);
                caps = known;
            }
            for edit in &edits {
                match edit {
                    Edit::Invalidate => {
                        painter.invalidate();
                        terminal.advance(b"\x1b[1;44mgarbage\x1b[5;5Hmore");
                    }
                    Edit::Resize(size) => {
                        frame = Frame::new(*size);
                        painter.resize(*size);
                        terminal.resize(*size);
                    }
                    _ => apply(&mut frame, edit),
                }
            }
            let mut out = Vec::new();
            painter.paint(&frame, &mut out);
            terminal.advance(&out);
            let expect = Shown::of_frame(&frame, caps);
            let got = Shown::of_terminal(&terminal, caps);
            prop_assert!(
                got == expect,
                "{} after {:?}",
                got.difference(&expect),
                String::from_utf8_lossy(&out)
            );
            if let (Some(title), true) = (&frame.title, caps.features.contains(OutputFeatures::TITLE)) {
                prop_assert_eq!(terminal.title(), title.replace('\x07', ""));
            }
            out.clear();
            painter.paint(&frame, &mut out);
            prop_assert!(out.is_empty(), "{:?} for no change", String::from_utf8_lossy(&out));
        }
        terminal.advance(&leave(caps));
        let modes = terminal.modes();
        prop_assert_eq!(modes, crate::Modes::default());
        prop_assert!(terminal.text().trim().is_empty());
        prop_assert_eq!(terminal.history_end(), 0, "nothing scrolled");
    }

    /// Goal: a terminal that gives characters other widths than we do shows everything else where it
    /// belongs. Method: characters whose width is uncertain are exchanged on the way for others, of
    /// one column or of two; what is certain must stand as composed.
    #[test]
    fn other_widths_move_nothing_else(
        caps in caps(),
        frames in frames(),
        replacement in prop::sample::select(vec!["#", "世"]),
    ) {
        let mut frame = Frame::new(SIZE);
        let mut painter = Painter::new(caps, SIZE);
        let mut terminal = Terminal::new(SIZE);
        terminal.advance(&enter(caps));
        for edits in frames {
            let edits = edits.iter().filter(|edit| !matches!(edit, Edit::Resize(_)));
            edits.for_each(|edit| apply(&mut frame, edit));
            let mut out = Vec::new();
            painter.paint(&frame, &mut out);
            let out = String::from_utf8(out).unwrap();
            let outer = UNCERTAIN.iter().fold(out.clone(), |out, text| out.replace(text, replacement));
            terminal.advance(outer.as_bytes());
            for y in 0..SIZE.rows {
                let mut shown = vec![None; usize::from(SIZE.cols)];
                let mut x = 0;
                for cell in terminal.row(y).cells() {
                    shown[x] = Some((cell.text().to_owned(), cell.width, cell.style));
                    x += usize::from(cell.width);
                }
                for x in 0..SIZE.cols {
                    let cell = frame.cell(x, y).unwrap();
                    if cell.width == 0 || !is_width_certain(cell.text, frame.widths()) {
                        continue;
                    }
                    let style = reduce_style(cell.style, caps);
                    let expect = Some((cell.text.to_string(), cell.width, style));
                    prop_assert_eq!(&shown[usize::from(x)], &expect, "{}, {} after {:?}", x, y, out);
                }
            }
        }
    }

    /// Goal: a pane drawn and painted looks as it does. Method: random output to one terminal, its
    /// screen drawn into a frame and painted to a second one of the same size.
    #[test]
    fn a_drawn_pane_looks_like_the_pane(
        output in vec(prop_oneof![
            8 => text(),
            2 => Just("\r\n".to_owned()),
            2 => "\x1b\\[[0-9;]{0,6}[mmmmHJKXPLMST@ABCD]",
            1 => Just("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\".to_owned()),
        ], 1..40),
    ) {
        let caps = OutputCaps { colors: ColorDepth::TrueColor, features: OutputFeatures::all() };
        let mut pane = Terminal::new(SIZE);
        let mut terminal = Terminal::new(SIZE);
        let mut frame = Frame::new(SIZE);
        let mut painter = Painter::new(caps, SIZE);
        terminal.advance(&enter(caps));
        for piece in output {
            pane.advance(piece.as_bytes());
            frame.clear();
            frame.draw_terminal(frame.area(), &pane);
            frame.place_cursor(frame.area(), pane.cursor());
            let mut out = Vec::new();
            painter.paint(&frame, &mut out);
            terminal.advance(&out);
            let texts = |terminal: &Terminal| -> Vec<String> {
                (0..SIZE.rows).map(|y| painted_text(terminal, y)).collect()
            };
            prop_assert_eq!(texts(&terminal), texts(&pane));
            prop_assert_eq!(terminal.cursor(), pane.cursor());
            let (got, expect) =
                (Shown::of_terminal(&terminal, caps), Shown::of_frame(&frame, caps));
            prop_assert!(got == expect, "{}", got.difference(&expect));
        }
    }
}
