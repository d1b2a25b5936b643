//! `capture-pane`: prints what a pane shows, or has shown, or keeps it in a paste buffer.
//!
//! Lines are numbered as in tmux: 0 is the first row of the screen, negative ones are history.
//! History is kept as logical lines, so a captured history line is wrapped at the pane's width,
//! as it would be on the screen; `-J` leaves lines whole.

use ccmux_core::decide::{BUFFER_BYTES_MAX, BufferText, Command as Intent};
use ccmux_core::ids::PaneId;
use ccmux_term::HistoryLine;
use ccmux_term::compose::write_line;

use super::job::{LineForm, Printing, Rest};
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
    let mut capture = cx.server.begin_capture(pane, (start, end), cx.args().has('J'))?;
    let form = line_form(cx);
    if cx.args().has('p') {
        cx.job.printing = Some(Printing { rest: Rest::Capture(capture), form });
        return Ok(Flow::Next);
    }
    let (mut data, mut is_done) = (Vec::new(), false);
    // What is too long for a buffer is refused for its length.
    while !is_done && data.len() <= BUFFER_BYTES_MAX {
        let mut lines = Vec::new();
        is_done = cx.server.capture_piece(&mut capture, &mut lines);
        for line in lines {
            data.extend(form.write(&line));
            data.push(b'\n');
        }
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
    let form = line_form(cx);
    for line in &rows[start.min(end)..=start.max(end)] {
        cx.print(form.write(line));
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

fn line_form(cx: &Cx<'_>) -> LineForm {
    let keep_spaces = cx.args().has('N') || cx.args().has('J');
    LineForm { with_style: cx.args().has('e'), keep_spaces, escaped: cx.args().has('C') }
}

impl LineForm {
    /// A captured line as text.
    pub(super) fn write(self, line: &HistoryLine) -> Vec<u8> {
        let text = if self.with_style {
            write_line(line)
        } else {
            let text = line.text.as_str();
            let text = if self.keep_spaces { text } else { text.trim_end_matches(' ') };
            text.as_bytes().to_vec()
        };
        if self.escaped { escaped(&text) } else { text }
    }
}

/// With a backslash and octal digits for the one control character that there is, as in tmux.
fn escaped(text: &[u8]) -> Vec<u8> {
    let escape = |byte: &u8| match byte {
        b'\x1b' => b"\\033".to_vec(),
        b'\\' => b"\\\\".to_vec(),
        other => vec![*other],
    };
    text.iter().flat_map(escape).collect()
}
