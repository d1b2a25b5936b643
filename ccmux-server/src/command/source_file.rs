//! `source-file`: runs the commands of files.

use std::path::{Path, PathBuf};

use ccmux_core::command::{ParseContext, parse_lenient};

use ccmux_core::pattern;

use super::{CommandError, Cx, Flow, Outcome, Wait};

/// A configuration file, or standard input as one, that is larger than this is refused.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let mut commands = Vec::new();
    let mut errors = Vec::new();
    for word in cx.args().to_argv() {
        let mut text = String::from_utf8_lossy(&word).into_owned();
        if cx.args().has('F') {
            text = cx.server.expand(&text, cx.pane('t').ok(), cx.job.origin.client());
        }
        let sources = match text.as_str() {
            "-" => match cx.stdin(FILE_BYTES_MAX)? {
                Some(contents) if contents.len() > FILE_BYTES_MAX => vec![(text, Err(too_large()))],
                Some(contents) => vec![(text, Ok(contents))],
                None => return Ok(Flow::Wait(Wait::Stdin)),
            },
            _ => read_all(absolute(cx, &text), cx.args().has('q')),
        };
        for (name, contents) in sources {
            match contents {
                Ok(contents) => {
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
                Err(error) => {
                    let reason = error.to_string();
                    let reason = reason.split(" (os error").next().unwrap_or_default();
                    errors.push(format!("{name}: {reason}"));
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

/// The contents of the files that a path means, each with its name. One that is not there is passed
/// over if that is wanted.
fn read_all(path: PathBuf, skips_missing: bool) -> Vec<(String, std::io::Result<Vec<u8>>)> {
    let is_wanted = |path: &PathBuf| !skips_missing || path.exists();
    let paths = matching(path).into_iter().filter(is_wanted);
    paths.map(|path| (path.display().to_string(), read(&path))).collect()
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if std::fs::metadata(path)?.len() > FILE_BYTES_MAX as u64 {
        return Err(too_large());
    }
    std::fs::read(path)
}

fn too_large() -> std::io::Error {
    std::io::Error::other(format!("file larger than {FILE_BYTES_MAX} bytes"))
}
