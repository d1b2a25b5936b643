//! What a client shows against what the server says that its panes show.

use ccmux_term::Terminal;

use crate::env::TestEnv;
use crate::picture::{Area, Picture};
use crate::screen::Attached;

/// What a pane shows, according to the server, and where a client has it.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Shown {
    pane: String,
    area: Area,
    picture: Picture,
    is_active: bool,
    /// Column and row in the pane, and whether it is visible.
    cursor: (u16, u16, bool),
}

const FORMAT: &str = "#{pane_id} #{pane_left} #{pane_top} #{pane_width} #{pane_height} \
                      #{pane_active} #{cursor_x} #{cursor_y} #{cursor_flag}";

impl Attached {
    /// Waits until the client shows every pane of its window just as `capture-pane -e` prints it,
    /// with every colour and attribute, and the cursor where the active pane has it. The panes
    /// must be at rest.
    ///
    /// # Panics
    /// When the deadline passes, with both pictures of the pane that differs.
    pub fn wait_shows_panes(&self, env: &TestEnv) {
        for shown in panes(env) {
            let mut difference = None;
            let result = self.try_wait_display(|screen| {
                difference = shown.difference(screen.terminal());
                difference.is_none().then_some(())
            });
            assert!(
                result.is_some(),
                "the client and pane {} differ in {}\n{}",
                shown.pane,
                difference.unwrap_or_default(),
                self.screen_text()
            );
        }
    }

    /// The whole screen.
    pub fn picture(&self) -> Picture {
        self.wait_display("picture", |screen| {
            let size = screen.terminal().size();
            let area = Area { left: 0, top: 0, cols: size.cols, rows: size.rows };
            Some(Picture::of(screen.terminal(), area))
        })
    }
}

impl Shown {
    /// What of it a terminal does not show.
    fn difference(&self, terminal: &Terminal) -> Option<String> {
        let (x, y, visible) = self.cursor;
        let cursor = terminal.cursor();
        let is_there = (cursor.x, cursor.y) == (self.area.left + x, self.area.top + y);
        let is_cursor_right = cursor.visible == visible && (is_there || !visible);
        if self.is_active && !is_cursor_right {
            return Some(format!("the cursor: {cursor:?}, not {:?}", self.cursor));
        }
        Picture::of(terminal, self.area).difference(&self.picture)
    }
}

fn panes(env: &TestEnv) -> Vec<Shown> {
    let list = env.ok(&["list-panes", "-F", FORMAT]);
    let shown = list.lines().map(|line| {
        let (pane, numbers) = line.split_once(' ').expect("an id comes first");
        let number = |word: &str| word.parse::<u16>().expect("a number");
        let numbers: Vec<u16> = numbers.split(' ').map(number).collect();
        let [left, top, cols, rows, active, x, y, visible] = numbers[..] else {
            panic!("not what was asked for: {line}")
        };
        let capture = env.ok(&["capture-pane", "-e", "-p", "-t", pane]);
        Shown {
            pane: pane.to_owned(),
            area: Area { left, top, cols, rows },
            picture: Picture::of_capture(&capture, cols, rows),
            is_active: active == 1,
            cursor: (x, y, visible == 1),
        }
    });
    shown.collect()
}
