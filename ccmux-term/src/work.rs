//! Counts what is done, so that tests can compare what an input costs with what twice as much of it
//! does: counts say the same every time, which clocks do not.
//!
//! Counted is what may depend on more than the bytes at hand: rows moved, cells and tables swept,
//! lines put together, text of clusters and strings copied.

#[cfg(test)]
thread_local! {
    /// Each test has a thread of its own.
    static DONE: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Notes so many steps; does nothing but in tests.
#[inline]
pub(crate) fn note(steps: usize) {
    #[cfg(test)]
    DONE.with(|done| done.set(done.get() + steps as u64));
    #[cfg(not(test))]
    let _ = steps;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::IMAGE_BYTES_MAX;
    use crate::parser::STRING_BYTES_MAX;
    use crate::{Size, Terminal};

    /// The steps that output costs, taken in pieces.
    fn steps(terminal: &mut Terminal, output: &[u8]) -> u64 {
        let before = DONE.with(std::cell::Cell::get);
        for piece in output.chunks(32 * 1024) {
            terminal.advance(piece);
            terminal.take_events();
            terminal.release_history(terminal.history_end());
        }
        DONE.with(std::cell::Cell::get) - before
    }

    /// What a string that never ends may take, whichever it is and however it comes.
    #[test]
    fn strings_take_bounded_memory() {
        let bounds = [
            ("\x1b]52;c;", STRING_BYTES_MAX),
            ("\x1bP$q", STRING_BYTES_MAX),
            ("\x1bPq", IMAGE_BYTES_MAX),
            ("\x1b_G", IMAGE_BYTES_MAX),
            ("\x1b_", 1),
            ("\x1b^", 1),
            ("\x1bX", 1),
        ];
        for (start, bound, len) in bounds
            .into_iter()
            .flat_map(|(start, bound)| [1, 4096, 300_000].map(|len| (start, bound, len)))
        {
            let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
            terminal.advance(start.as_bytes());
            let piece = vec![b'x'; len];
            let total = if len == 1 { 1_000_000 } else { 3 * IMAGE_BYTES_MAX };
            for _ in 0..total.div_ceil(len) {
                terminal.advance(&piece);
                let taken = terminal.parser.string.capacity();
                assert!(taken <= 2 * bound.max(16), "{}: {taken}", start.escape_debug());
            }
        }
    }

    /// Goal: work is linear in the input. Method: count it for some input and then for twice as much, after
    /// as much as it takes to fill the screen and the tables. Parts are all different where that might
    /// matter.
    #[test]
    fn twice_the_input_is_twice_the_work() {
        type Part = fn(u32) -> String;
        let inputs: &[(&str, Part)] = &[
            ("text", |n| format!("line {n}\r\n")),
            ("one line", |_| "without an end ".repeat(20)),
            ("styles", |n| format!("\x1b[38;2;{};{};{}mx", n >> 16, n >> 8 & 255, n & 255)),
            ("links", |n| format!("\x1b]8;;http://{n}\x07l\x1b]8;;\x07")),
            ("marks on one cell", |_| "\u{301}\u{308}\u{30a}".to_owned()),
            ("marks on many cells", |n| format!("a\u{301}{}\u{308}", n % 10)),
            ("marks on an older cell", |n| format!("\x1b[{}Ge\u{301}\x1b[2G\u{308}", n % 70 + 5)),
            ("emoji", |_| "👩‍💻👨‍👩‍👧🇩🇪".to_owned()),
            ("a string", |_| "\x1b]2;without an end".to_owned()),
            ("one string", |_| "never ending".to_owned()),
            ("titles", |n| format!("\x1b]2;{n}\x07\x1b[22t")),
            ("a region", |_| "\x1b[3;9r\x1b[9H\n\x1bM\x1b[L\x1b[M".to_owned()),
            ("repetition", |_| "x\x1b[999999999b".to_owned()),
            ("scrolling", |_| "\x1b[65535S\x1b[65535T\x1b[65535L".to_owned()),
            ("clearing", |_| "x\x1b#8\x1b[2J\x1b[3J".to_owned()),
            ("screens", |_| "\x1b[?1049hx\x1b[?1049l".to_owned()),
            ("sixels", |n| format!("\x1bPq#1;2;{};0;0#1!9~-~\x1b\\", n % 100)),
            ("pictures", |n| format!("\x1b_Ga=T,s=1,v=1,c=3,r=2,i={n};AAAAAA==\x1b\\")),
            ("parts of a picture", |_| "\x1b_Gm=1,s=9,v=9;AAAA\x1b\\".to_owned()),
            ("colours", |n| format!("\x1b]4;{};rgb:1/2/3\x07", n % 256)),
        ];
        for (name, part) in inputs {
            let start = match *name {
                "one string" => "\x1bP$q",
                "marks on an older cell" => "ab",
                _ => "",
            };
            let mut terminal = Terminal::new(Size { cols: 80, rows: 24 });
            terminal.advance(start.as_bytes());
            let [_, once, twice] = [0..2000, 2000..6000, 6000..14_000].map(|parts| {
                let output: String = parts.map(part).collect();
                steps(&mut terminal, output.as_bytes())
            });
            assert!(once >= 4000, "{name}: {once} steps are not all");
            assert!(twice <= once * 2 + once / 2, "{name}: {once} and {twice} steps");
        }
    }
}
