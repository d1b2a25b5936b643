//! `resize-pane`

use ccmux_core::command::parse_number;
use ccmux_core::decide::{Command as Intent, PaneResize};
use ccmux_core::geometry::{Direction, Extent, Size};
use ccmux_core::target::TargetError;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let pane = cx.pane('t')?.pane;
    if cx.args().has('M') {
        return Err(TargetError::NoMouse.into());
    }
    if cx.args().has('T') {
        cx.server.trim_terminal(pane);
        return Ok(Flow::Next);
    }
    if cx.args().has('Z') {
        cx.change(Intent::ResizePane { pane, resize: PaneResize::ToggleZoom })?;
        return Ok(Flow::Next);
    }
    let adjustment = match cx.args().text_at(0) {
        None => 1,
        Some(text) => parse_number(text.as_bytes(), 1..=i64::from(Size::MAX))
            .map_err(|error| CommandError::new(format!("adjustment {error}")))?,
    };
    let (cols, rows) = (extent(cx, 'x', "width")?, extent(cx, 'y', "height")?);
    if cols.is_some() || rows.is_some() {
        cx.change(Intent::ResizePane { pane, resize: PaneResize::To { cols, rows } })?;
    }
    let direction = [
        ('L', Direction::Left),
        ('R', Direction::Right),
        ('U', Direction::Up),
        ('D', Direction::Down),
    ];
    if let Some((_, direction)) = direction.into_iter().find(|(flag, _)| cx.args().has(*flag)) {
        let amount = u16::try_from(adjustment).expect("the range was checked above");
        let resize = PaneResize::Toward(direction, amount);
        cx.change(Intent::ResizePane { pane, resize })?;
    }
    Ok(Flow::Next)
}

fn extent(cx: &Cx<'_>, flag: char, what: &str) -> Result<Option<Extent>, CommandError> {
    let Some(text) = cx.text(flag) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| CommandError::new(format!("{what} invalid")))
}
