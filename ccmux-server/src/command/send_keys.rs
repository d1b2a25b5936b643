//! `send-keys` and `send-prefix`: types into a pane, or into its mode.

use ccmux_core::ids::PaneId;
use ccmux_core::key::Key;
use ccmux_core::target::TargetError;

use super::{CommandError, Cx, Flow, Outcome};
use crate::pane::mode::PaneMode;

/// The most repetitions `-N` may ask for.
const REPEAT_MAX: i64 = 100_000;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    if cx.args().has('M') {
        return Err(TargetError::NoMouse.into());
    }
    let repeat = cx.args().number('N', 1..=REPEAT_MAX);
    let repeat = repeat.map_err(|error| CommandError::new(format!("repeat count {error}")))?;
    let repeat = repeat.and_then(|repeat| usize::try_from(repeat).ok());
    if cx.args().has('X') {
        let kept = mode_of(cx, target.pane).and_then(|mode| mode.repeat.take());
        let repeat = repeat.or(kept).unwrap_or(1);
        let name = cx.args().text_at(0).ok_or_else(|| CommandError::new("not in a mode"))?;
        let mut argument = cx.args().text_at(1);
        if cx.args().has('F') {
            argument = argument.map(|text| cx.expand(&text, target));
        }
        cx.server.copy_command(target.pane, &name, argument.as_deref(), repeat)?;
        return Ok(Flow::Next);
    }
    if cx.args().has('R') {
        cx.server.reset_terminal(target.pane);
    }
    let words = cx.args().to_argv();
    if let (true, Some(mode)) = (words.is_empty(), mode_of(cx, target.pane)) {
        mode.repeat = repeat;
    }
    let is_in_mode = cx.server.panes.get(&target.pane).is_some_and(|pane| pane.mode.is_some());
    for _ in 0..repeat.unwrap_or(1) {
        for word in &words {
            if cx.args().has('H') {
                send_hex(cx, target.pane, word)?;
            } else if cx.args().has('l') {
                cx.server.send_bytes(target.pane, word);
            } else {
                match std::str::from_utf8(word).ok().and_then(|text| text.parse::<Key>().ok()) {
                    Some(key) if is_in_mode => cx.server.press_in_mode(target.pane, key),
                    Some(key) => cx.server.send_key(target.pane, key),
                    None => cx.server.send_bytes(target.pane, word),
                }
            }
        }
    }
    Ok(Flow::Next)
}

fn mode_of<'a>(cx: &'a mut Cx<'_>, pane: PaneId) -> Option<&'a mut PaneMode> {
    cx.server.panes.get_mut(&pane)?.mode.as_mut()
}

fn send_hex(cx: &mut Cx<'_>, pane: PaneId, word: &[u8]) -> Result<(), CommandError> {
    let text = String::from_utf8_lossy(word);
    let byte = u8::from_str_radix(text.trim_start_matches("0x"), 16)
        .map_err(|_| CommandError::new(format!("invalid hexadecimal byte: {text}")))?;
    cx.server.send_bytes(pane, &[byte]);
    Ok(())
}

pub(super) fn exec_prefix(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let name = if cx.args().has('2') { "prefix2" } else { "prefix" };
    if let Some(key) = cx.server.session_options(target.session).key(name) {
        cx.server.send_key(target.pane, key);
    }
    Ok(Flow::Next)
}
