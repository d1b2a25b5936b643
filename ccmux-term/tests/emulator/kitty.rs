//! The kitty graphics protocol: sending, placing, deleting, and what is refused.

use crate::support::{check_replies, replies, run_on};
use ccmux_term::{Size, Terminal};

/// Four bytes: a pixel.
const PIXEL: &str = "AAAAAA==";

fn placed(terminal: &Terminal) -> Vec<Place> {
    terminal.images().iter().map(|area| (area.x, area.y, area.cols, area.rows)).collect()
}

/// Column, row, columns and rows of a picture.
type Place = (u16, u16, u16, u16);

/// On a screen of 20x8: what is printed, where pictures are then, and the cursor.
fn check(table: &[(&str, &[Place], (u16, u16))]) {
    for (bytes, expected, cursor) in table {
        let bytes = bytes.replace("PIXEL", PIXEL);
        let (terminal, _) = run_on(Size { cols: 20, rows: 8 }, &bytes);
        assert_eq!(placed(&terminal), *expected, "{}", bytes.escape_debug());
        let position = (terminal.cursor().x, terminal.cursor().y);
        assert_eq!(position, *cursor, "{}", bytes.escape_debug());
        let restored = Terminal::restore(&terminal.keyframe()).expect("restores its own keyframe");
        assert_eq!(placed(&restored), *expected, "{}: restored", bytes.escape_debug());
    }
}

#[test]
fn pictures_are_placed_at_the_cursor() {
    check(&[
        ("\x1b_Ga=T,s=1,v=1;PIXEL\x1b\\", &[(0, 0, 1, 1)], (1, 0)),
        ("\x1b_Ga=T,s=1,v=1,c=4,r=3;PIXEL\x1b\\", &[(0, 0, 4, 3)], (4, 2)),
        ("\x1b_Ga=T,s=1,v=1,c=4,r=3,C=1;PIXEL\x1b\\", &[(0, 0, 4, 3)], (0, 0)),
        ("\x1b[7H\x1b_Ga=T,s=1,v=1,c=4,r=3;PIXEL\x1b\\", &[(0, 5, 4, 3)], (4, 7)),
        ("\x1b[7H\x1b_Ga=T,s=1,v=1,c=4,r=3,C=1;PIXEL\x1b\\", &[(0, 6, 4, 2)], (0, 6)),
        ("\x1b[1;18H\x1b_Ga=T,s=1,v=1,c=4,r=3;PIXEL\x1b\\", &[(17, 0, 3, 3)], (0, 3)),
        // One side follows the other: a pixel is a square, a cell is not.
        ("\x1b_Ga=T,s=1,v=1,c=4;PIXEL\x1b\\", &[(0, 0, 4, 2)], (4, 1)),
        ("\x1b_Ga=T,s=1,v=1,r=2;PIXEL\x1b\\", &[(0, 0, 4, 2)], (4, 1)),
        ("\x1b_Gi=5,s=1,v=1;PIXEL\x1b\\", &[], (0, 0)),
        ("\x1b_Gi=5,s=1,v=1;PIXEL\x1b\\x\x1b_Ga=p,i=5,c=2\x1b\\", &[(1, 0, 2, 1)], (3, 0)),
        // In parts.
        ("\x1b_Ga=T,s=1,v=1,m=1;AAA\x1b\\\x1b_Gm=1;A\x1b\\\x1b_Gm=0;AA==\x1b\\", &[], (0, 0)),
        (
            "\x1b_Ga=T,s=1,v=1,m=1;AAAA\x1b\\\x1b_Gm=1;\x1b\\\x1b_Gm=0;AA==\x1b\\",
            &[(0, 0, 1, 1)],
            (1, 0),
        ),
        // A placement moves; what has no id stays.
        (
            "\x1b_Ga=T,i=5,p=1,s=1,v=1;PIXEL\x1b\\\x1b_Ga=p,i=5\x1b\\\x1b[3H\x1b_Ga=p,i=5,p=1\x1b\\",
            &[(1, 0, 1, 1), (0, 2, 1, 1)],
            (1, 2),
        ),
        // Another picture of the same id.
        ("\x1b_Ga=T,i=5,s=1,v=1;PIXEL\x1b\\\x1b_Gi=5,s=1,v=1;PIXEL\x1b\\", &[], (1, 0)),
        // Lower ones first.
        (
            "\x1b_Ga=T,C=1,c=2,s=1,v=1;PIXEL\x1b\\\x1b_Ga=T,C=1,z=-1,c=3,s=1,v=1;PIXEL\x1b\\",
            &[(0, 0, 3, 2), (0, 0, 2, 1)],
            (0, 0),
        ),
        // Text is above or below, and takes nothing away.
        ("\x1b_Ga=T,c=4,r=2,s=1,v=1;PIXEL\x1b\\\x1b[Htext\x1b[K\x1b[X", &[(0, 0, 4, 2)], (4, 0)),
        ("\x1b_Ga=T,c=4,r=2,s=1,v=1;PIXEL\x1b\\\x1b[2J", &[], (4, 1)),
        ("\x1b_Ga=T,c=4,r=2,s=1,v=1;PIXEL\x1b\\\x1b[T", &[(0, 1, 4, 2)], (4, 1)),
    ]);
}

#[test]
fn pictures_are_deleted() {
    let shown = "\x1b_Ga=T,i=1,p=3,s=1,v=1,c=2,r=2,C=1;PIXEL\x1b\\\
        \x1b[1;11H\x1b_Ga=T,i=2,s=1,v=1,c=2,r=2,C=1,z=7;PIXEL\x1b\\\x1b[4H";
    let (first, second) = ((0, 0, 2, 2), (10, 0, 2, 2));
    for (delete, expected) in [
        ("a=d", &[][..]),
        ("a=d,d=a", &[]),
        ("a=d,d=i,i=1", &[second]),
        ("a=d,d=i,i=1,p=3", &[second]),
        ("a=d,d=i,i=1,p=4", &[first, second]),
        ("a=d,d=i", &[first, second]),
        ("a=d,d=c", &[first, second]),
        ("a=d,d=p,x=2,y=2", &[second]),
        ("a=d,d=q,x=11,y=1,z=7", &[first]),
        ("a=d,d=q,x=11,y=1,z=6", &[first, second]),
        ("a=d,d=x,x=12", &[first]),
        ("a=d,d=y,y=2", &[]),
        ("a=d,d=z,z=7", &[first]),
        ("a=d,d=r,x=2,y=9", &[first]),
        ("a=d,d=n,I=9", &[first, second]),
        ("a=d,d=?", &[first, second]),
    ] {
        let bytes = format!("{shown}\x1b_G{delete}\x1b\\").replace("PIXEL", PIXEL);
        let (terminal, _) = run_on(Size { cols: 20, rows: 8 }, &bytes);
        assert_eq!(placed(&terminal), expected, "{delete}");
    }
}

#[test]
fn requests_are_answered() {
    let ok = "\x1b_Gi=5;OK\x1b\\";
    let send = |keys: &str| format!("\x1b_G{keys};{PIXEL}\x1b\\");
    let sent = send("i=5,s=1,v=1");
    let refused = |why: &str| format!("\x1b_Gi=5;{why}\x1b\\");
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAA=";
    let whole_png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
    let cases = [
        (sent.clone(), ok.to_owned()),
        (send("i=5,s=1,v=1,a=q"), ok.to_owned()),
        (send("i=5,s=1,v=1,q=1"), String::new()),
        (send("s=1,v=1,a=T"), String::new()),
        (send("I=7,s=1,v=1"), "\x1b_Gi=1,I=7;OK\x1b\\".to_owned()),
        (send("i=5,p=2,a=T,s=1,v=1"), "\x1b_Gi=5,p=2;OK\x1b\\".to_owned()),
        (format!("\x1b_Gi=5,f=100;{png}\x1b\\"), ok.to_owned()),
        (format!("{sent}\x1b_Ga=p,i=5\x1b\\"), format!("{ok}{ok}")),
        // What `q` does not hide.
        (send("i=5,s=9,v=1,q=1"), refused("ENODATA:insufficient image data")),
        (send("i=5,s=1,v=1,f=24"), refused("EFBIG:more data than the image has")),
        (send("i=5,s=9,v=1,q=2"), String::new()),
        (send("i=5,f=100"), refused("EBADPNG:the data is not a PNG")),
        (send("i=5,f=7"), refused("EINVAL:unknown format")),
        (send("i=5,o=q"), refused("EINVAL:unknown compression")),
        (send("i=5,s=99999,v=99999"), refused("EINVAL:bad size of an image")),
        (send("i=5,o=z,s=4092,v=4092"), refused("EINVAL:bad size of an image")),
        (send("i=5,o=z,s=9,v=9"), ok.to_owned()),
        (send("i=5,I=5,s=1,v=1"), "\x1b_Gi=5,I=5;EINVAL:both an id and a number\x1b\\".to_owned()),
        (
            "\x1b_Gi=5,s=1,v=1;AA*A\x1b\\".to_owned(),
            refused("EINVAL:too much data, or not in base64"),
        ),
        // A query is answered as if it were kept, after a closer look, and nothing is kept of it.
        (
            send("i=5,s=1,v=1,a=q") + "\x1b_Ga=p,i=5\x1b\\",
            format!("{ok}{}", refused("ENOENT:no such image")),
        ),
        (send("i=5,s=9,v=1,a=q"), refused("ENODATA:insufficient image data")),
        (send("i=5,f=100,a=q"), refused("EBADPNG:the data is not a PNG")),
        (format!("\x1b_Gi=5,a=q,f=100;{png}\x1b\\"), refused("ENODATA:insufficient image data")),
        (format!("\x1b_Gi=5,a=q,f=100;{whole_png}\x1b\\"), ok.to_owned()),
        (send("i=5,a=q,o=z,s=1,v=1"), refused("EINVAL:the data is not compressed by zlib")),
        ("\x1b_Gi=5,a=q,o=z,s=1,v=1;eAFjYGBgAAAABAAB\x1b\\".to_owned(), ok.to_owned()),
        // Files of the user's are nobody's.
        (send("i=5,t=f"), refused("EINVAL:only direct transmission is allowed (t=d)")),
        (send("i=5,t=t"), refused("EINVAL:only direct transmission is allowed (t=d)")),
        (send("i=5,t=s,a=q"), refused("EINVAL:only direct transmission is allowed (t=d)")),
        (send("i=5,a=f"), refused("ENOTSUP:animations are not supported")),
        (send("i=5,a=T,U=1,s=1,v=1"), refused("ENOTSUP:Unicode placeholders are not supported")),
        (send("i=5,a=T,P=1,s=1,v=1"), refused("ENOTSUP:relative placements are not supported")),
        (send("i=5,a=%"), refused("EINVAL:unknown action")),
        ("\x1b_Ga=p,i=5\x1b\\".to_owned(), refused("ENOENT:no such image")),
        (
            format!("{sent}\x1b_Ga=p,i=5,x=1\x1b\\"),
            format!("{ok}{}", refused("EINVAL:nothing of the image is left")),
        ),
        // A small letter keeps the data.
        (format!("{sent}\x1b_Ga=d,d=i,i=5\x1b\\\x1b_Ga=p,i=5\x1b\\"), format!("{ok}{ok}")),
        (
            format!("{sent}\x1b_Ga=d,d=I,i=5\x1b\\\x1b_Ga=p,i=5\x1b\\"),
            format!("{ok}{}", refused("ENOENT:no such image")),
        ),
        ("\x1b_Gno keys\x1b\\\x1b_G\x1b\\\x1b_Gi=x;\x1b\\".to_owned(), String::new()),
    ];
    let table: Vec<(&str, &str)> = cases.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    check_replies("", &table);
}

/// A few bytes made thousands of rows scroll.
#[test]
fn a_placement_scrolls_no_more_rows_than_a_picture_has() {
    let (terminal, _) =
        run_on(Size { cols: 20, rows: 8 }, &format!("\x1b_Ga=T,s=1,v=1,c=1,r=4096;{PIXEL}\x1b\\"));
    assert_eq!(placed(&terminal), [(0, 0, 1, 8)]);
    assert_eq!(terminal.history_end(), 256 - 8);
}

/// The next picture was taken for a part of one whose last part was too long.
#[test]
fn a_part_that_is_too_long_ends_its_picture() {
    let (mut terminal, _) = run_on(Size { cols: 20, rows: 8 }, "");
    terminal.advance(b"\x1b_Gi=4,a=T,s=1,v=1,m=1;AAAA\x1b\\\x1b_Gm=0;");
    for _ in 0..5 {
        terminal.advance(&vec![b'A'; 1 << 20]);
    }
    terminal.advance(b"\x1b\\");
    assert_eq!(replies(&mut terminal), b"\x1b_Gi=4;EFBIG:too much image data\x1b\\");
    terminal.advance(format!("\x1b_Ga=T,i=5,s=1,v=1;{PIXEL}\x1b\\").as_bytes());
    assert_eq!(replies(&mut terminal), b"\x1b_Gi=5;OK\x1b\\");
    assert_eq!(placed(&terminal), [(0, 0, 1, 1)]);
}

/// Ids and data that nothing is shown of are bounded, too.
#[test]
fn pictures_that_are_kept_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 8 });
    for id in 1..=2000 {
        terminal.advance(format!("\x1b_Gi={id},q=2,s=1,v=1;{PIXEL}\x1b\\").as_bytes());
    }
    terminal.advance(b"\x1b_Ga=p,i=1999\x1b\\\x1b_Ga=p,i=1\x1b\\");
    let answers = String::from_utf8(replies(&mut terminal)).unwrap();
    assert_eq!(answers, "\x1b_Gi=1999;OK\x1b\\\x1b_Gi=1;ENOENT:no such image\x1b\\");
    assert!(terminal.keyframe().len() < 10_000);
}

/// The oldest of too many pictures on one row goes.
#[test]
fn pictures_on_a_row_are_bounded() {
    let mut terminal = Terminal::new(Size { cols: 50, rows: 8 });
    terminal.advance(format!("\x1b_Ga=t,i=1,q=2,s=1,v=1;{PIXEL}\x1b\\").as_bytes());
    for x in 1..=40 {
        terminal.advance(format!("\x1b[1;{x}H\x1b_Ga=p,i=1,q=2\x1b\\").as_bytes());
    }
    let places: Vec<Place> = (8..40).map(|x| (x, 0, 1, 1)).collect();
    assert_eq!(placed(&terminal), places);
}
