//! `split-window`

use ccmux_core::command::{NumberError, parse_number};
use ccmux_core::decide::{Command as Intent, SplitWindow};
use ccmux_core::geometry::{Extent, Size, SplitDirection};
use ccmux_core::layout::{NewPaneSize, Split};
use ccmux_core::model::Program;

use super::context::created;
use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let reads_stdin = cx.args().has('I') && cx.args().to_argv().is_empty();
    let is_empty = reads_stdin || matches!(cx.args().to_argv().as_slice(), [one] if one.is_empty());
    let program = cx.program(Some(target))?;
    let program = match is_empty {
        true => Program::none(program.cwd, program.environment),
        false => program,
    };
    let intent = Intent::SplitWindow(SplitWindow {
        target: target.pane,
        split: split(cx)?,
        select: !cx.args().has('d'),
        zoom: cx.args().has('Z'),
        program,
    });
    let changes = cx.change(intent)?;
    let pane = created(&changes);
    cx.print_created(pane, "#{session_name}:#{window_index}.#{pane_index}");
    match pane.filter(|_| reads_stdin) {
        Some(pane) => Ok(cx.feed_stdin_to(pane)),
        None => Ok(Flow::Next),
    }
}

/// How flags say a pane is split: `-h`, `-b`, `-f`, `-l size` and the older `-p percentage`.
pub(super) fn split(cx: &Cx<'_>) -> Result<Split, CommandError> {
    let size = if let Some(text) = cx.text('l') {
        let extent = text.parse().map_err(|_| size_error(cx, &text))?;
        NewPaneSize::Extent(extent)
    } else if let Some(text) = cx.text('p') {
        let percent = parse_number(text.as_bytes(), 0..=100)
            .map_err(|error| CommandError::new(format!("percentage {error}")))?;
        NewPaneSize::Extent(Extent::Percent(u8::try_from(percent).expect("checked above")))
    } else {
        NewPaneSize::Half
    };
    Ok(Split {
        direction: match cx.args().has('h') {
            true => SplitDirection::Horizontal,
            false => SplitDirection::Vertical,
        },
        size,
        before: cx.args().has('b'),
        full: cx.args().has('f'),
    })
}

/// What is wrong with a size; tmux calls it otherwise for each command and form.
fn size_error(cx: &Cx<'_>, text: &str) -> CommandError {
    let percent = text.strip_suffix('%');
    let name = match (cx.command.spec.name, percent) {
        ("split-window", None) => "lines",
        ("split-window", Some(_)) => "percentage",
        _ => "size",
    };
    let range = 0..=if percent.is_some() { 100 } else { i64::from(Size::MAX) };
    let reason = parse_number(percent.unwrap_or(text).as_bytes(), range).err();
    CommandError::new(format!("{name} {}", reason.unwrap_or(NumberError::Invalid)))
}
