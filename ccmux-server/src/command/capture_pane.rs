//! `capture-pane`: prints what a pane shows, or has shown, or keeps it in a paste buffer.
//!
//! Lines are numbered as in tmux: 0 is the first row of the screen, negative ones are history.
//! History is kept as logical lines, so a captured history line is wrapped at the pane's width,
//! as it would be on the screen; `-J` leaves lines whole.

use ccmux_core::decide::{BufferText, Command as Intent};
use ccmux_core::ids::PaneId;
use ccmux_term::HistoryLine;
use ccmux_term::compose::write_line;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let pane = cx.pane('t')?.pane;
    if cx.args().has('P') {
        // Output that is no character or sequence yet is kept by the emulator alone.
        return Ok(Flow::Next);
    }
    if cx.args().has('a') {
        return capture_other_screen(cx, pane);
    }
    let (start, end) = (bound(cx, 'S')?, bound(cx, 'E')?);
    let lines = cx.server.captured_lines(pane, start, end, cx.args().has('J'))?;
    let style = cx.args().has('e');
    let keep_spaces = cx.args().has('N') || cx.args().has('J');
    if cx.args().has('p') {
        for line in lines {
            let text = render(&line, style, keep_spaces);
            cx.print(text);
        }
        return Ok(Flow::Next);
    }
    let mut data = Vec::new();
    for line in lines {
        data.extend(render(&line, style, keep_spaces));
        data.push(b'\n');
    }
    let name = cx.text('b').map(std::borrow::Cow::into_owned);
    cx.change(Intent::SetBuffer { name, text: BufferText::Whole(data.into()) })?;
    Ok(Flow::Next)
}

/// `-a`: the screen that is there again when a full-screen program ends; it has no history.
fn capture_other_screen(cx: &mut Cx<'_>, pane: PaneId) -> Outcome {
    let Some(rows) = cx.server.other_screen(pane) else {
        return match cx.args().has('q') {
            true => Ok(Flow::Next),
            false => Err(CommandError::new("no alternate screen")),
        };
    };
    let last = rows.len().saturating_sub(1);
    let row = |bound, default| match bound {
        Bound::Row(row) => usize::try_from(row).unwrap_or(0).min(last),
        Bound::Screen | Bound::All => default,
    };
    let (start, end) = (row(bound(cx, 'S')?, 0), row(bound(cx, 'E')?, last));
    let keep_spaces = cx.args().has('N') || cx.args().has('J');
    for line in &rows[start.min(end)..=start.max(end)] {
        let text = render(line, cx.args().has('e'), keep_spaces);
        cx.print(text);
    }
    Ok(Flow::Next)
}

/// Where a capture begins or ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bound {
    /// Not given: the first or the last row of the screen.
    Screen,
    /// `-`: the beginning of history, or the last row of the screen.
    All,
    /// A row; negative ones are history.
    Row(i64),
}

fn bound(cx: &Cx<'_>, flag: char) -> Result<Bound, CommandError> {
    let what = if flag == 'S' { "start line" } else { "end line" };
    match cx.text(flag).as_deref() {
        None => Ok(Bound::Screen),
        Some("-") => Ok(Bound::All),
        Some(text) => ccmux_core::command::parse_number(
            text.as_bytes(),
            i64::from(i32::MIN)..=i64::from(i32::MAX),
        )
        .map(Bound::Row)
        .map_err(|error| CommandError::new(format!("{what} {error}"))),
    }
}

fn render(line: &HistoryLine, with_style: bool, keep_spaces: bool) -> Vec<u8> {
    if with_style {
        return write_line(line);
    }
    let text = if keep_spaces { line.text.as_str() } else { line.text.trim_end_matches(' ') };
    text.as_bytes().to_vec()
}
