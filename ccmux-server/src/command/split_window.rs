//! `split-window`

use ccmux_core::command::parse_number;
use ccmux_core::decide::{Command as Intent, SplitWindow};
use ccmux_core::geometry::{Extent, SplitDirection};
use ccmux_core::layout::{NewPaneSize, Split};

use super::context::created;
use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    if cx.args().has('I') {
        return Err(CommandError::new("split-window -I is not supported"));
    }
    let intent = Intent::SplitWindow(SplitWindow {
        target: target.pane,
        split: split(cx)?,
        select: !cx.args().has('d'),
        zoom: cx.args().has('Z'),
        program: cx.program(Some(target))?,
    });
    let changes = cx.change(intent)?;
    cx.print_created(created(&changes), "#{session_name}:#{window_index}.#{pane_index}");
    Ok(Flow::Next)
}

/// How flags say a pane is split: `-h`, `-b`, `-f`, `-l size` and the older `-p percentage`.
pub(super) fn split(cx: &Cx<'_>) -> Result<Split, CommandError> {
    let size = if let Some(text) = cx.text('l') {
        let extent = text.parse().map_err(|_| CommandError::new("size invalid"))?;
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
