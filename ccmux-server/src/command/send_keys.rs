//! `send-keys` and `send-prefix`: types into a pane, or into its mode.

use ccmux_core::key::Key;

use super::{CommandError, Cx, Flow, Outcome};

/// The most repetitions `-N` may ask for.
const REPEAT_MAX: i64 = 100_000;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let target = cx.pane('t')?;
    let repeat = cx.args().number('N', 1..=REPEAT_MAX);
    let repeat = repeat.map_err(|error| CommandError::new(format!("repeat count {error}")))?;
    let repeat = usize::try_from(repeat.unwrap_or(1)).unwrap_or(1);
    if cx.args().has('X') {
        let name = cx.args().text_at(0).ok_or_else(|| CommandError::new("not in a mode"))?;
        let argument = cx.args().text_at(1);
        cx.server.copy_command(target.pane, &name, argument.as_deref(), repeat)?;
        return Ok(Flow::Next);
    }
    if cx.args().has('R') {
        cx.server.reset_terminal(target.pane);
    }
    let words = cx.args().to_argv();
    let is_in_mode = cx.server.panes.get(&target.pane).is_some_and(|pane| pane.mode.is_some());
    for _ in 0..repeat {
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

fn send_hex(
    cx: &mut Cx<'_>,
    pane: ccmux_core::ids::PaneId,
    word: &[u8],
) -> Result<(), CommandError> {
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
