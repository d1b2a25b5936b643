//! `save-buffer` and `show-buffer`: a paste buffer to a file or to the caller.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bstr::BString;

use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let data = wanted(cx)?;
    let text = cx.args().text_at(0).unwrap_or_default();
    if text == "-" {
        cx.print_raw(data.to_vec());
        return Ok(Flow::Next);
    }
    let path = absolute(cx, &text);
    // Anything but a file may keep the server waiting for ever.
    if std::fs::metadata(&path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(CommandError::new(format!("not a file: {text}")));
    }
    let mut options = std::fs::OpenOptions::new();
    let append = cx.args().has('a');
    options.create(true).append(append).write(true).truncate(!append);
    let written = options.open(&path).and_then(|mut file| file.write_all(&data));
    written.map_err(|error| failed(&error, &path))?;
    Ok(Flow::Next)
}

pub(super) fn exec_show(cx: &mut Cx<'_>) -> Outcome {
    let data = wanted(cx)?;
    cx.print_raw(data.to_vec());
    Ok(Flow::Next)
}

/// The text of the buffer that `-b` names, or of the newest.
fn wanted(cx: &Cx<'_>) -> Result<BString, CommandError> {
    let state = &cx.server.state;
    let found = match cx.text('b') {
        Some(name) => state
            .buffer_named(&name)
            .ok_or_else(|| CommandError::new(format!("no buffer {name}")))?,
        None => state.buffers.first().ok_or_else(|| CommandError::new("no buffers"))?,
    };
    Ok(found.data.clone())
}

/// A path as the caller means it.
pub(super) fn absolute(cx: &Cx<'_>, text: &str) -> PathBuf {
    let base = cx.client_cwd().unwrap_or_else(|| cx.server.home());
    let expanded = match text.strip_prefix("~/") {
        Some(rest) => Path::new(&*String::from_utf8_lossy(&cx.server.home())).join(rest),
        None => PathBuf::from(text),
    };
    Path::new(&*String::from_utf8_lossy(&base)).join(expanded)
}

/// What is wrong with a file, as tmux says it.
pub(super) fn failed(error: &std::io::Error, path: &Path) -> CommandError {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default();
    CommandError::new(format!("{}: {reason}", path.display()))
}
