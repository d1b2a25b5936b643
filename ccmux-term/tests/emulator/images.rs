//! Pictures: where they go, what takes them away, and what they cost.

use crate::support::{check_replies, replies, run, run_on};
use ccmux_term::{CellSize, Size, Terminal};

/// A sixel of so many cells of 8x16 pixels.
fn sixel(cols: u32, rows: u32) -> String {
    format!("\x1bPq\"1;1;{};{}#0;2;100;0;0#0~\x1b\\", cols * 8, rows * 16)
}

/// Where pictures are: `x,y cols x rows from column,row of the picture`.
fn areas(terminal: &Terminal) -> Vec<String> {
    let areas = terminal.images();
    let describe = |area: &ccmux_term::ImageArea| {
        let from = match (area.from_col, area.from_row) {
            (0, 0) => String::new(),
            (col, row) => format!(" from {col},{row}"),
        };
        format!("{},{} {}x{}{from}", area.x, area.y, area.cols, area.rows)
    };
    areas.iter().map(describe).collect()
}

fn position(terminal: &Terminal) -> (u16, u16) {
    (terminal.cursor().x, terminal.cursor().y)
}

/// On a screen of 10x6, for each: what is printed, where pictures are then, and the cursor.
fn check(table: &[(String, &[&str], (u16, u16))]) {
    for (bytes, expected, cursor) in table {
        let (terminal, _) = run(bytes);
        assert_eq!(areas(&terminal), *expected, "{}", bytes.escape_debug());
        assert_eq!(position(&terminal), *cursor, "{}", bytes.escape_debug());
        let restored = Terminal::restore(&terminal.keyframe()).expect("restores its own keyframe");
        assert_eq!(areas(&restored), *expected, "{}: restored", bytes.escape_debug());
    }
}

#[test]
fn a_sixel_lies_where_the_cursor_was() {
    let s = sixel;
    check(&[
        (s(3, 2), &["0,0 3x2"], (0, 1)),
        (format!("ab{}", s(3, 2)), &["2,0 3x2"], (2, 1)),
        (format!("\x1b[1;9H{}", s(5, 1)), &["8,0 2x1"], (8, 0)),
        (format!("\x1bPq\"1;1;1;17~\x1b\\{}", s(1, 1)), &["0,0 1x1", "0,1 1x1"], (0, 1)),
        // It scrolls when there are no more rows.
        (format!("\x1b[5;1H{}", s(3, 2)), &["0,4 3x2"], (0, 5)),
        (format!("\x1b[6;1H{}", s(3, 2)), &["0,4 3x2"], (0, 5)),
        (s(3, 9), &["0,0 3x6 from 0,3"], (0, 5)),
        (format!("\x1b[2;4r\x1b[4;1H{}", s(3, 2)), &["0,2 3x2"], (0, 3)),
        // Below the region nothing does.
        (format!("\x1b[1;3r\x1b[5;1H{}", s(3, 9)), &["0,4 3x2"], (0, 5)),
        // Display mode, and the cursor to the right.
        (format!("\x1b[?80h\x1b[3;3H{}", s(3, 9)), &["0,0 3x6"], (2, 2)),
        (format!("\x1b[?80h\x1b[?80l{}", s(3, 2)), &["0,0 3x2"], (0, 1)),
        (format!("\x1b[?8452h{}", s(3, 2)), &["0,0 3x2"], (3, 1)),
        (format!("\x1b[?8452h{}", s(30, 2)), &["0,0 10x2"], (0, 2)),
        // Nothing to see, or too much.
        ("\x1bPq????\x1b\\".to_owned(), &[], (0, 0)),
        (format!("\x1bPq\"1;1;4000;4000\x1b\\{}", s(1, 1)), &["0,0 1x1"], (0, 0)),
    ]);
}

#[test]
fn what_is_written_over_a_sixel_takes_that_part_away() {
    let over = |bytes: &str| format!("{}{bytes}", sixel(5, 3));
    check(&[
        (
            over("\x1b[2;3HX"),
            &["0,0 5x1", "0,1 2x1 from 0,1", "3,1 2x1 from 3,1", "0,2 5x1 from 0,2"],
            (3, 1),
        ),
        (over("\x1b[2;4H\x1b[K"), &["0,0 5x1", "0,1 3x1 from 0,1", "0,2 5x1 from 0,2"], (3, 1)),
        (over("\x1b[1;1H\x1b[2X"), &["2,0 3x1 from 2,0", "0,1 5x2 from 0,1"], (0, 0)),
        (over("\x1b[2;1H\x1b[J"), &["0,0 5x1"], (0, 1)),
        (over("\x1b[2J"), &[], (0, 2)),
        (over("\x1b[2;2H\x1b[@"), &["0,0 5x1", "0,1 1x1 from 0,1", "0,2 5x1 from 0,2"], (1, 1)),
        (over("\x1b[2;2H\x1b[P"), &["0,0 5x1", "0,1 1x1 from 0,1", "0,2 5x1 from 0,2"], (1, 1)),
        (over("\x1b[1;1H\u{65e5}"), &["2,0 3x1 from 2,0", "0,1 5x2 from 0,1"], (2, 0)),
        (over("\x1b[2;2;3;3$z"), &["0,0 5x1", "0,1 1x2 from 0,1", "3,1 2x2 from 3,1"], (0, 2)),
        (over("\x1b#8"), &[], (0, 0)),
        (over("\x1bc"), &[], (0, 0)),
        // Another one.
        (over(&format!("\x1b[1;1H{}", sixel(5, 3))), &["0,0 5x3"], (0, 2)),
        (over("\x1b[1;20H\x1b[1;1H\x1b[1;31m"), &["0,0 5x3"], (0, 0)),
    ]);
}

#[test]
fn a_sixel_moves_with_its_rows() {
    let then = |bytes: &str| format!("{}{bytes}", sixel(5, 3));
    check(&[
        (then("\x1b[6;1H\n"), &["0,0 5x2 from 0,1"], (0, 5)),
        (then("\x1b[2T"), &["0,2 5x3"], (0, 2)),
        (then("\x1b[2;1H\x1b[L"), &["0,0 5x1", "0,2 5x2 from 0,1"], (0, 1)),
        (then("\x1b[2;1H\x1b[M"), &["0,0 5x1", "0,1 5x1 from 0,2"], (0, 1)),
        (then("\x1b[2;3r\x1b[S"), &["0,0 5x1", "0,1 5x1 from 0,2"], (0, 0)),
        (then("\x1b[?1049h"), &[], (0, 2)),
        (then("\x1b[?1049h\x1b[?1049l"), &["0,0 5x3"], (0, 2)),
        // Between side margins cells move, and not rows.
        (then("\x1b[?69h\x1b[1;3s\x1b[S"), &["3,0 2x3 from 3,0"], (0, 0)),
    ]);
}

/// What leaves the screen is text.
#[test]
fn in_history_a_sixel_is_its_label() {
    let (terminal, _) =
        run_on(Size { cols: 30, rows: 4 }, &format!("a{}\r\nb\r\nc\r\nd\r\ne\r\nf", sixel(20, 2)));
    let lines: Vec<String> = (0..terminal.history_end())
        .map(|number| terminal.history_line(number).unwrap().text)
        .collect();
    assert_eq!(lines, ["aSIXEL IMAGE (20x2)", "", "b"]);
    assert!(terminal.images().is_empty());
    let (terminal, _) = run(&format!("{}\x1b[2J", sixel(4, 1)));
    assert_eq!(terminal.history_line(0).unwrap().text, "SIXEL IMAG");
}

#[test]
fn a_resize_keeps_what_there_is_room_for() {
    let (mut terminal, _) = run(&format!("top\r\n{}\r\nend", sixel(6, 2)));
    terminal.resize(Size { cols: 4, rows: 6 });
    assert_eq!(areas(&terminal), ["0,1 4x2"]);
    terminal.resize(Size { cols: 10, rows: 2 });
    assert_eq!(areas(&terminal), ["0,0 4x1 from 0,1"]);
    assert_eq!(terminal.row(1).text(), "end");
    let (mut terminal, _) = run(&format!("0123456789ab\r\n{}", sixel(6, 2)));
    terminal.resize(Size { cols: 20, rows: 6 });
    assert_eq!(areas(&terminal), ["0,1 6x2"]);
    let (mut terminal, _) = run(&format!("\x1b[?1049h{}", sixel(6, 2)));
    terminal.resize(Size { cols: 5, rows: 1 });
    assert_eq!(areas(&terminal), ["0,0 5x1 from 0,1"]);
}

#[test]
fn cells_have_the_size_that_the_owner_says() {
    let mut terminal = Terminal::new(Size { cols: 20, rows: 10 });
    terminal.set_cell_size(CellSize { width: 10, height: 20 });
    terminal.advance(b"\x1bPq\"1;1;40;40~\x1b\\\x1b[14t\x1b[16t\x1b[?2;1S");
    assert_eq!(areas(&terminal), ["0,0 4x2"]);
    assert_eq!(replies(&mut terminal), b"\x1b[4;200;200t\x1b[6;20;10t\x1b[?2;0;200;200S");
    // What is there keeps its cells.
    terminal.set_cell_size(CellSize { width: 20, height: 40 });
    assert_eq!(areas(&terminal), ["0,0 4x2"]);
    assert_eq!(replies(&mut terminal), b"", "nobody wants to be told");
    terminal.advance(b"\x1b[?2048h");
    terminal.set_cell_size(CellSize { width: 9, height: 18 });
    terminal.set_cell_size(CellSize { width: 9, height: 18 });
    let reports = b"\x1b[48;10;20;400;400t\x1b[48;10;20;180;180t";
    assert_eq!(replies(&mut terminal), reports, "once for each change");
    assert_eq!(CellSize::checked(0, 20), None);
    assert_eq!(CellSize::checked(8, 70_000), None);
}

#[test]
fn questions_about_graphics_are_answered() {
    check_replies(
        "",
        &[
            ("\x1b[?1;1S", "\x1b[?1;0;1024S"),
            ("\x1b[?1;3;256S", "\x1b[?1;3S"),
            ("\x1b[?1;9S", "\x1b[?1;2S"),
            ("\x1b[?2;1S", "\x1b[?2;0;80;96S"),
            ("\x1b[?2;4S", "\x1b[?2;0;4092;4092S"),
            ("\x1b[?3;1S", "\x1b[?3;1S"),
            ("\x1b[?80$p", "\x1b[?80;2$y"),
            ("\x1b[?80h\x1b[?80$p", "\x1b[?80;1$y"),
            ("\x1b[?8452h\x1b[?8452s\x1b[?8452l\x1b[?8452r\x1b[?8452$p", "\x1b[?8452;1$y"),
            ("\x1b[?1070$p", "\x1b[?1070;3$y"),
            ("\x1b[?80h\x1b[?8452h\x1b[12$p", "\x1b[12;2$y"),
        ],
    );
}

/// However much is sent: the oldest pictures go.
#[test]
fn pictures_are_bounded_in_number_and_bytes() {
    let mut terminal = Terminal::new(Size { cols: 200, rows: 50 });
    for at in 0..1000 {
        let (x, y) = (at % 150 + 1, at / 150 % 49 + 1);
        terminal.advance(format!("\x1b[{y};{x}H{}", sixel(1, 1)).as_bytes());
        assert!(terminal.images().len() <= 256);
    }
    let newest = terminal.images().into_iter().next_back().unwrap();
    assert_eq!((newest.x, newest.y), (999 % 150, 999 / 150));
    // Twelve pictures of 3 MiB each.
    let line = "~A".repeat(1500);
    let large = format!("\x1bPq{}\x1b\\", format!("{line}$").repeat(1050));
    assert!(large.len() > 3 << 20);
    for y in 1..=12 {
        terminal.advance(format!("\x1b[{y};1H").as_bytes());
        terminal.advance(large.as_bytes());
        assert!(terminal.keyframe().len() < 20 << 20, "after {y}");
    }
    assert!(!terminal.images().is_empty());
}

/// What never ends, and what says that it is larger than anything.
#[test]
fn hostile_pictures_cost_little() {
    let piece = vec![b'~'; 1 << 20];
    for start in ["\x1bPq", "\x1b_Ga=t,m=1;", "\x1b_Gi=1,m=1;AAAA\x1b\\\x1b_Gm=1;"] {
        let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
        terminal.advance(start.as_bytes());
        for _ in 0..64 {
            terminal.advance(&piece);
        }
        assert!(terminal.keyframe().len() < 100 << 10, "{}", start.escape_debug());
        terminal.advance(b"\x1b\\still here");
        assert_eq!(terminal.row(0).text(), "still here");
        assert!(terminal.images().is_empty());
    }
    let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
    for hostile in [
        "\x1bPq\"1;1;999999;999999\x1b\\",
        "\x1bPq\"4294967295;4294967296;99999999999;1\x1b\\",
        "\x1bP999999;999999;999999q!999999999~-!999999999~\x1b\\",
        "\x1bPq#999999999;9;9;9;9#1;2;999999;999999;999999~\x1b\\",
        "\x1b_Ga=T,s=999999,v=999999;AAAA\x1b\\",
        "\x1b_Ga=T,s=1,v=1,c=4294967295,r=4294967295;AAAAAA==\x1b\\",
        "\x1b_Ga=T,s=1,v=1,X=4294967295,Y=4294967295,z=-2147483648;AAAAAA==\x1b\\",
        "\x1b_Ga=p,i=1,x=4294967295,y=4294967295,w=4294967295,h=4294967295\x1b\\",
    ] {
        terminal.advance(hostile.as_bytes());
    }
    assert!(terminal.keyframe().len() < 100 << 10);
    // A transfer that never ends, in many parts.
    let part = format!("\x1b_Gm=1;{}\x1b\\", "AAAA".repeat(256 << 10));
    terminal.advance(b"\x1b_Gi=7,s=9,v=9,m=1;\x1b\\");
    for _ in 0..64 {
        terminal.advance(part.as_bytes());
        assert!(terminal.keyframe().len() < 6 << 20);
    }
    replies(&mut terminal);
    terminal.advance(b"\x1b_Gm=0;\x1b\\");
    assert!(replies(&mut terminal).starts_with(b"\x1b_Gi=7;EINVAL:"));
}
