//! `load-buffer`: reads a file into a paste buffer.

use std::io::Read as _;

use ccmux_core::decide::{BUFFER_BYTES_MAX, BufferText, Command as Intent};

use super::save_buffer::{absolute, failed};
use super::{CommandError, Cx, Flow, Outcome, Wait};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let path = cx.args().text_at(0).unwrap_or_default();
    let data = match path.as_str() {
        "-" => match cx.stdin(BUFFER_BYTES_MAX)? {
            Some(data) => data,
            None => return Ok(Flow::Wait(Wait::Stdin)),
        },
        _ => read(cx, &path)?,
    };
    let name = cx.text('b').map(std::borrow::Cow::into_owned);
    if cx.args().has('w') {
        cx.set_client_clipboard(&data);
    }
    cx.change(Intent::SetBuffer { name, text: BufferText::Whole(data.into()) })?;
    Ok(Flow::Next)
}

fn read(cx: &Cx<'_>, text: &str) -> Result<Vec<u8>, CommandError> {
    let path = absolute(cx, text);
    // Anything but a file may keep the server waiting for ever.
    let is_file = std::fs::metadata(&path).map_err(|error| failed(&error, &path))?.is_file();
    if !is_file {
        return Err(CommandError::new(format!("not a file: {text}")));
    }
    let mut data = Vec::new();
    // One byte more than allowed, so that too much is seen to be too much.
    let limit = BUFFER_BYTES_MAX as u64 + 1;
    let read = std::fs::File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut data));
    read.map_err(|error| failed(&error, &path))?;
    Ok(data)
}
