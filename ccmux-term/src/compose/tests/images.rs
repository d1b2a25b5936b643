//! Pictures on a client's terminal.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::compose::{ColorDepth, Frame, OutputCaps, OutputFeatures, Painter, Rect, enter, leave};
use crate::image::{Image, ImageData};
use crate::{CellSize, ImageArea, Size, Style, Terminal};

const SIZE: Size = Size { cols: 24, rows: 9 };

fn caps(features: OutputFeatures) -> OutputCaps {
    OutputCaps { colors: ColorDepth::TrueColor, features }
}

/// A sixel of so many cells, in a colour by which it is known.
fn sixel(tag: u8, cols: u16, rows: u16) -> String {
    let (width, height) = (cols * 8, rows * 16);
    format!("\x1bP0;1q\"1;1;{width};{height}#1;2;{tag};0;0!{width}~-!{width}~\x1b\\")
}

/// A terminal with what was printed in it.
fn pane(bytes: &str) -> Terminal {
    let mut pane = Terminal::new(SIZE);
    pane.advance(bytes.as_bytes());
    pane
}

/// A frame that shows a pane as a terminal with these abilities can.
fn drawn(pane: &Terminal, features: OutputFeatures) -> Frame {
    let mut frame = Frame::new(SIZE);
    frame.set_graphics(features);
    frame.draw_terminal(frame.area(), pane);
    frame
}

fn painted(painter: &mut Painter, frame: &Frame) -> String {
    let mut out = Vec::new();
    painter.paint(frame, &mut out);
    String::from_utf8(out).unwrap()
}

fn rows(frame: &Frame) -> Vec<String> {
    let text = |x, y| frame.cell(x, y).unwrap().text.to_string();
    let row = |y| (0..SIZE.cols).map(|x| text(x, y)).collect::<String>();
    (0..SIZE.rows).map(|y| row(y).trim_end().to_owned()).collect()
}

#[test]
fn a_text_stands_for_what_cannot_be_shown() {
    let both = pane(&format!("{}\x1b[4H\x1b_Ga=T,s=1,v=1,c=4,r=2;AAAAAA==\x1b\\", sixel(1, 22, 2)));
    let frame = drawn(&both, OutputFeatures::empty());
    let label = "SIXEL IMAGE (22x2)++++";
    assert_eq!(rows(&frame)[..5], [label, "++++++++++++++++++++++", "", "KITT", "++++"]);
    assert_eq!(frame.images(), []);
    let frame = drawn(&both, OutputFeatures::KITTY_GRAPHICS);
    assert_eq!((rows(&frame)[0].as_str(), rows(&frame)[3].as_str()), (label, ""));
    assert_eq!(frame.images().len(), 1);
    // What lies over a picture of the kitty protocol is to be read.
    let under = pane("\x1b_Ga=T,s=1,v=1,c=9,r=2,z=-1,C=1;AAAAAA==\x1b\\\x1b[1;3Hte界t");
    assert_eq!(rows(&drawn(&under, OutputFeatures::empty()))[..2], ["KIte界 tMA", "+++++++++"]);
    // Clipped: in a small place, and where text has taken its cells.
    let text = pane(&format!("{}\x1b[1;4Htext\x1b[2;1H\x1b[2T\x1b[3L", sixel(1, 22, 2)));
    let mut frame = Frame::new(SIZE);
    frame.draw_terminal(Rect { x: 2, y: 1, cols: 6, rows: 8 }, &text);
    assert_eq!(rows(&frame)[..2], ["", ""]);
    let mut frame = Frame::new(SIZE);
    let text = pane(&format!("{}\x1b[1;4Htext", sixel(1, 22, 2)));
    frame.draw_terminal(Rect { x: 2, y: 1, cols: 9, rows: 8 }, &text);
    assert_eq!(rows(&frame)[..4], ["", "  SIXtextMA", "  +++++++++", ""]);
}

#[test]
fn what_is_drawn_over_a_picture_hides_that_part() {
    let pane = pane(&sixel(1, 10, 4));
    let places = |frame: &Frame| -> Vec<(u16, u16, u16, u16)> {
        frame.images().iter().map(|area| (area.x, area.y, area.cols, area.rows)).collect()
    };
    let mut frame = drawn(&pane, OutputFeatures::SIXEL);
    assert_eq!(places(&frame), [(0, 0, 10, 4)]);
    frame.fill(Rect { x: 2, y: 1, cols: 3, rows: 2 }, Style::default());
    assert_eq!(places(&frame), [(0, 0, 10, 1), (0, 1, 2, 2), (5, 1, 5, 2), (0, 3, 10, 1)]);
    frame.put_str(8, 0, "text", Style::default());
    assert_eq!(places(&frame)[0], (0, 0, 8, 1));
    // A part of a larger window.
    let mut part = Frame::new(Size { cols: 6, rows: 3 });
    part.set_graphics(OutputFeatures::SIXEL);
    part.draw_frame(part.area(), &drawn(&pane, OutputFeatures::SIXEL), (7, 2));
    assert_eq!(places(&part), [(0, 0, 3, 2)]);
    assert_eq!((part.images()[0].from_col, part.images()[0].from_row), (7, 2));
}

/// An xterm forgets a sixel only where something is written: of one that was erased (EL, ECH, and the
/// first line of ED) the pixels came back when its window was covered, or rows were moved.
#[test]
fn where_a_sixel_was_blanks_are_written() {
    let features = OutputFeatures::SIXEL | OutputFeatures::ECH | OutputFeatures::INSERT_DELETE;
    let mut painter = Painter::new(caps(features), SIZE);
    let mut pane = pane(&format!("{}\x1b[7Hbelow", sixel(7, 10, 4)));
    let mut paint = |pane: &Terminal| painted(&mut painter, &drawn(pane, features));
    paint(&pane);
    pane.advance(b"\x1b[H\x1b[2J\x1b[2Htext\x1b[7Hbelow");
    let out = paint(&pane);
    let blanks = |count| " ".repeat(count);
    for row in [blanks(24), format!("text{}", blanks(20))] {
        assert!(out.contains(&row), "{out:?}");
    }
    assert!(!out.contains("\x1b[K") && !out.contains('X'), "{out:?}");
    assert_eq!(out.matches(' ').count(), 4 * 24 - "text".len(), "{out:?}");
    // From then on there is nothing to heed.
    pane.advance(b"\x1b[2H\x1b[2K");
    assert_eq!(paint(&pane).matches(' ').count(), 0);
}

#[test]
fn a_sixel_is_sent_when_it_is_not_there_any_more() {
    let features = OutputFeatures::SIXEL | OutputFeatures::INSERT_DELETE;
    let mut painter = Painter::new(caps(features), SIZE);
    let mut pane = pane(&sixel(7, 10, 4));
    let mut paint = |pane: &Terminal| painted(&mut painter, &drawn(pane, features));
    let first = paint(&pane);
    let string = "\x1bP0;1;0q\"1;1;80;64#1;2;7;0;0!80~-!80~\x1b\\";
    assert!(first.contains(string), "{first:?}");
    assert_eq!(paint(&pane), "");
    for (bytes, is_sent) in [
        ("\x1b[7Hbelow it", false),
        ("\x1b[2;20Hfour", false),
        ("\x1b[2;12Hcloser", true),
        ("\x1b[2;4Hover it", true),
        ("\x1b[8;1H\n\n\n", true),
    ] {
        pane.advance(bytes.as_bytes());
        let out = paint(&pane);
        assert_eq!(out.contains("\x1bP"), is_sent, "{out:?}");
    }
    pane.advance(b"\x1b[2J");
    assert!(!paint(&pane).contains("\x1bP"));
    painter.invalidate();
    assert!(!painted(&mut painter, &drawn(&pane, features)).contains("\x1bP"));
}

#[test]
fn a_sixel_fits_the_cells_of_the_terminal() {
    let mut painter = Painter::new(caps(OutputFeatures::SIXEL), SIZE);
    let frame = drawn(&pane(&sixel(7, 3, 2)), OutputFeatures::SIXEL);
    assert!(painted(&mut painter, &frame).contains("q\"1;1;24;32#"));
    painter.set_cell_size(CellSize { width: 16, height: 24 });
    assert!(painted(&mut painter, &frame).contains("q\"1;1;48;48#"));
    painter.set_cell_size(CellSize { width: 16, height: 24 });
    assert_eq!(painted(&mut painter, &frame), "");
    // Never on the last row.
    let frame = drawn(&pane(&format!("\x1b[7H{}", sixel(7, 3, 3))), OutputFeatures::SIXEL);
    assert!(painted(&mut painter, &frame).contains("q\"1;1;48;48#"));
    let last = drawn(&pane(&format!("\x1b[9H{}", sixel(7, 3, 1))), OutputFeatures::SIXEL);
    assert!(!painted(&mut painter, &last).contains("\x1bP"));
}

#[test]
fn a_picture_is_sent_once_and_deleted_when_it_is_gone() {
    let features = OutputFeatures::KITTY_GRAPHICS;
    let mut painter = Painter::new(caps(features), SIZE);
    let data = "AAAAAAAAAAAA".repeat(700);
    let mut pane = pane(&format!("\x1b_Ga=T,i=9,s=700,v=3,f=24,c=4,r=3;{data}\x1b\\"));
    let mut paint = |pane: &Terminal| painted(&mut painter, &drawn(pane, features));
    let out = paint(&pane);
    let sent = "\x1b_Ga=t,t=d,f=24,s=700,v=3,i=1,q=2,m=1;";
    assert!(out.contains(sent) && out.contains("\x1b\\\x1b_Gq=2,m=0;"), "{}", &out[..200]);
    assert!(out.split("\x1b\\").all(|string| string.len() < 4096 + 60));
    let place = "\x1b_Ga=p,i=1,p=2,c=4,r=3,x=0,y=0,w=700,h=3,z=0,C=1,q=2\x1b\\";
    assert!(out.ends_with(place), "{}", &out[out.len() - 200..]);
    assert_eq!(paint(&pane), "");
    pane.advance(b"\x1b[2;3Hover it");
    assert!(!paint(&pane).contains("\x1b_G"));
    pane.advance(b"\x1b[S");
    let out = paint(&pane);
    let moved = "\x1b_Ga=p,i=1,p=3,c=4,r=2,x=0,y=1,w=700,h=2,z=0,C=1,q=2\x1b\\";
    assert!(out.contains("\x1b_Ga=d,d=i,i=1,p=2,q=2\x1b\\") && out.contains(moved), "{out:?}");
    assert!(!out.contains("a=t"), "{out:?}");
    pane.advance(b"\x1b[2J");
    assert!(paint(&pane).contains("\x1b_Ga=d,d=I,i=1,q=2\x1b\\"));
    pane.advance(b"\x1b[H\x1b_Ga=p,i=9,c=2,r=1,X=4,Y=8,z=-3\x1b\\");
    painter.set_cell_size(CellSize { width: 16, height: 16 });
    let out = painted(&mut painter, &drawn(&pane, features));
    assert!(out.contains("w=700,h=3,z=-1,X=8,Y=8,C=1,q=2\x1b\\"), "{out:?}");
}

/// Sixels that have lost some of their cells and wait to be drawn again left the rest of their pixels where
/// they were, if they were cleared before that.
#[test]
fn a_sixel_that_waits_leaves_nothing_when_it_is_cleared() {
    let row = format!("{}$", "~A".repeat(28)).repeat(51_000);
    let large = [1, 8, 15].map(|x| format!("\x1b[1;{x}H\x1bPq\"1;1;56;32#1{row}\x1b\\"));
    let small = format!("\x1b[1;23H{}", sixel(2, 1, 1));
    let mut pane = pane(&(large.concat() + &small));
    let mut painter = Painter::new(caps(OutputFeatures::SIXEL), SIZE);
    let mut terminal = Terminal::new(SIZE);
    let mut paint = |pane: &Terminal| {
        let frame = drawn(pane, OutputFeatures::SIXEL);
        terminal.advance(painted(&mut painter, &frame).as_bytes());
        let mut places: Vec<_> = terminal.images().iter().map(|area| (area.x, area.rows)).collect();
        places.sort_unstable();
        (places, painter.has_more())
    };
    while paint(&pane).1 {}
    assert_eq!(paint(&pane), (vec![(0, 2), (7, 2), (14, 2), (22, 1)], false));
    // Its row is written anew, the first one of the others as well.
    pane.advance(b"\x1b[1;23H\x1b[X");
    assert_eq!(paint(&pane), (vec![(0, 2), (7, 2), (14, 1)], true));
    pane.advance(b"\x1b[1;15H\x1b[7X\x1b[2;15H\x1b[7X");
    assert_eq!(paint(&pane), (vec![(0, 2), (7, 2)], false));
}

/// A frame has no more than so many bytes of pictures; the next one has the rest.
#[test]
fn many_bytes_of_pictures_take_several_frames() {
    let row = format!("{}$", "~A".repeat(96)).repeat(15_000);
    let pictures = [1, 2, 3, 4].map(|y| format!("\x1b[{y}H\x1bPq\"1;1;192;16#{y}{row}\x1b\\"));
    let bytes = pictures.concat();
    let frame = drawn(&pane(&bytes), OutputFeatures::SIXEL);
    assert_eq!(frame.images().len(), 4);
    let mut painter = Painter::new(caps(OutputFeatures::SIXEL), SIZE);
    for (count, has_more) in [(2, true), (2, false), (0, false)] {
        let out = painted(&mut painter, &frame);
        assert_eq!((out.matches("\x1bP").count(), painter.has_more()), (count, has_more));
        assert!(out.len() < 9 << 20);
    }
}

/// What is too much for a frame is shown as text.
#[test]
fn pictures_of_a_frame_are_bounded() {
    let size = Size { cols: 40, rows: 40 };
    let mut pane = Terminal::new(size);
    pane.advance(b"\x1b_Ga=t,i=1,q=2,s=1,v=1;AAAAAA==\x1b\\");
    for y in 1..=40 {
        for x in 1..=32 {
            pane.advance(format!("\x1b[{y};{x}H\x1b_Ga=p,i=1,q=2,C=1\x1b\\").as_bytes());
        }
    }
    let mut frame = Frame::new(size);
    frame.set_graphics(OutputFeatures::KITTY_GRAPHICS);
    frame.draw_terminal(frame.area(), &pane);
    assert_eq!(frame.images().len(), 1024);
    let is_text = |x, y| frame.cell(x, y).unwrap().text.to_string() == "K";
    assert!(!is_text(31, 31) && is_text(0, 32));
}

/// What a picture is known by.
fn tag(image: &Image) -> u32 {
    match &image.data {
        ImageData::Sixel { body, .. } => {
            let text = std::str::from_utf8(body).unwrap();
            let (_, color) = text.split_once("#1;2;").unwrap();
            color.split(';').next().unwrap().parse().unwrap()
        }
        ImageData::Kitty { .. } => 1000 + image.width,
    }
}

/// The pictures of each cell of the first rows that has any, the lowest one first.
fn cells(images: &[ImageArea], rows: u16) -> BTreeMap<(u16, u16), Vec<u32>> {
    let mut cells: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for area in images {
        for y in (area.y..area.y + area.rows).filter(|y| *y < rows) {
            for x in area.x..area.x + area.cols {
                cells.entry((x, y)).or_default().push(tag(&area.placement.image));
            }
        }
    }
    cells
}

fn output() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (1..100_u8, 1..9_u16, 1..5_u16).prop_map(|(tag, cols, rows)| sixel(tag, cols, rows)),
        2 => (1..9_u16, 1..5_u16, 1..50_u32).prop_map(|(cols, rows, width)| {
            let data = "AAAA".repeat(width as usize);
            format!("\x1b_Ga=T,f=24,i={width},p=1,s={width},v=1,c={cols},r={rows};{data}\x1b\\")
        }),
        1 => Just("\x1b_Ga=d\x1b\\".to_owned()),
        8 => "[a-z]{1,9}",
        2 => Just("世界".to_owned()),
        4 => Just("\r\n".to_owned()),
        6 => "\x1b\\[[1-9];[1-9]H",
        4 => "\x1b\\[[0-3]{0,1}[JKXPLMST@]",
        1 => select(vec!["\x1b[2;5r", "\x1b[r", "\x1b[?1049h", "\x1b[?1049l", "\x1bc"]).prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Goal: C6. Method: random output to two panes beside one another, each frame painted to a
    /// terminal that loses parts of sixels to text as terminals do; then each of its cells must show
    /// what the frame does.
    #[test]
    fn a_terminal_shows_the_pictures_of_panes(
        output in vec((any::<bool>(), output()), 1..40),
        every in 1..4_usize,
        others in any::<u32>(),
    ) {
        let graphics = OutputFeatures::SIXEL | OutputFeatures::KITTY_GRAPHICS;
        let caps = caps(graphics | OutputFeatures::from_bits_truncate(others));
        let mut terminal = Terminal::new(SIZE);
        terminal.advance(&enter(caps));
        let mut frame = Frame::new(SIZE);
        frame.set_graphics(graphics);
        let mut painter = Painter::new(caps, SIZE);
        let mut panes = [9, 12].map(|cols| Terminal::new(Size { cols, rows: 9 }));
        for (index, (is_right, piece)) in output.iter().enumerate() {
            panes[usize::from(*is_right)].advance(piece.as_bytes());
            if index % every != 0 {
                continue;
            }
            frame.clear();
            frame.draw_terminal(Rect { x: 0, y: 0, cols: 9, rows: 9 }, &panes[0]);
            frame.draw_terminal(Rect { x: 12, y: 0, cols: 12, rows: 9 }, &panes[1]);
            let out = painted(&mut painter, &frame);
            terminal.advance(out.as_bytes());
            let texts = |y| (0..SIZE.cols).filter_map(|x| frame.cell(x, y)).filter(|cell| cell.width > 0)
                .map(|cell| cell.text.to_string()).collect::<String>().trim_end().to_owned();
            for y in 0..SIZE.rows {
                prop_assert_eq!(terminal.row(y).text().trim_end().to_owned(), texts(y));
            }
            let (sixels, others): (Vec<_>, Vec<_>) =
                frame.images().iter().cloned().partition(ImageArea::is_sixel);
            let (shown_sixels, shown_others): (Vec<_>, Vec<_>) =
                terminal.images().into_iter().partition(ImageArea::is_sixel);
            let shown = (cells(&shown_sixels, 9), cells(&shown_others, 9));
            prop_assert_eq!(shown, (cells(&sixels, 8), cells(&others, 9)), "{:?}", out);
            prop_assert_eq!(painted(&mut painter, &frame), "");
        }
        terminal.advance(&leave(caps));
        prop_assert_eq!(terminal.images(), []);
    }
}
