//! `source-file`: runs the commands of files.

use std::path::{Path, PathBuf};

use ccmux_core::command::{ParseContext, parse_lenient};

use ccmux_core::pattern;

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
        for path in matching(absolute(cx, &text)) {
            match read(&path) {
                Ok(contents) => {
                    let name = path.display().to_string();
                    let (list, wrong) = cx.server.with_parse_context(|context| {
                        let context = ParseContext { source_name: Some(&name), ..*context };
                        parse_lenient(&contents, &context)
                    });
                    if cx.args().has('v') {
                        for command in &list.commands {
                            cx.print(format!("{name}:{}: {command}", command.line));
                        }
                    }
                    commands.extend(list.commands);
                    errors.extend(wrong.iter().map(ToString::to_string));
                }
                Err(_) if cx.args().has('q') && !path.exists() => {}
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.split(" (os error").next().unwrap_or_default();
                    errors.push(format!("{}: {reason}", path.display()));
                }
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

/// The path that a word of a command means.
pub(super) fn absolute(cx: &Cx<'_>, text: &str) -> PathBuf {
    let path = Path::new(text);
    let base = cx.client_cwd().unwrap_or_else(|| cx.server.home());
    Path::new(&*String::from_utf8_lossy(&base)).join(path)
}

/// The files that a path with wildcards means, in order; the path itself if there are none.
fn matching(path: PathBuf) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let name = part.as_os_str().to_string_lossy();
        if !name.contains(['*', '?', '[']) {
            for path in &mut found {
                path.push(part);
            }
            continue;
        }
        found = found.iter().flat_map(|directory| entries(directory, &name)).collect();
    }
    found.retain(|path| path.exists());
    if found.is_empty() { vec![path] } else { found }
}

/// What a directory has that matches; like a shell, hidden files only if the pattern says so.
fn entries(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') || pattern.starts_with('.'))
        .filter(|name| pattern::matches(pattern, name, false))
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let len = std::fs::metadata(path)?.len();
    if len > FILE_BYTES_MAX {
        return Err(std::io::Error::other(format!("file larger than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read(path)
}
