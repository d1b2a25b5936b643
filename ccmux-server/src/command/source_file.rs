//! `source-file`: runs the commands of files.

use std::path::{Path, PathBuf};

use ccmux_core::command::{ParseContext, parse_lenient};

use super::{CommandError, Cx, Flow, Outcome};

/// A configuration file larger than this is refused.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let mut commands = Vec::new();
    let mut errors = Vec::new();
    for word in cx.args().to_argv() {
        let mut text = String::from_utf8_lossy(&word).into_owned();
        if cx.args().has('F') {
            text = cx.server.expand(&text, cx.pane('t').ok(), cx.job.origin.client());
        }
        let path = absolute(cx, &text);
        match read(&path) {
            Ok(contents) => {
                let name = path.display().to_string();
                let (list, wrong) = cx.server.with_parse_context(|context| {
                    let context = ParseContext { source_name: Some(&name), ..*context };
                    parse_lenient(&contents, &context)
                });
                commands.extend(list.commands);
                errors.extend(wrong.iter().map(ToString::to_string));
            }
            Err(_) if cx.args().has('q') && !path.exists() => {}
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" (os error").next().unwrap_or_default();
                errors.push(format!("{reason}: {}", path.display()));
            }
        }
    }
    if !cx.args().has('n') && !cx.job.insert(commands) {
        return Err(CommandError::new("too many nested files"));
    }
    if errors.is_empty() {
        return Ok(Flow::Next);
    }
    // What could be understood runs all the same; the errors make the command line fail.
    cx.job.has_failed = true;
    for error in errors {
        cx.server.complain(cx.job, &error);
    }
    Ok(Flow::Next)
}

fn absolute(cx: &Cx<'_>, text: &str) -> PathBuf {
    let path = Path::new(text);
    let base = cx.client_cwd().unwrap_or_else(|| cx.server.home());
    Path::new(&*String::from_utf8_lossy(&base)).join(path)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let len = std::fs::metadata(path)?.len();
    if len > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("file larger than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read(path)
}
