//! From words back to text: quoting that the lexer undoes.

use std::fmt::Write as _;

use bstr::ByteSlice;

/// Bytes that mean something to the lexer, but not in double quotes or not without a backslash.
const NEED_DOUBLE: &[u8] = b" #';${}%";

/// Quotes a word so that it is read back as it is. Words without special bytes stay bare; the
/// style is that of tmux's `list-keys`.
pub fn quote(word: &[u8]) -> String {
    match word {
        b"" => return "''".to_owned(),
        [byte] if *byte != b' ' && (NEED_DOUBLE.contains(byte) || b"\"~".contains(byte)) => {
            return format!("\\{}", char::from(*byte));
        }
        _ => {}
    }
    let needs_escape =
        word.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\') || word.to_str().is_err();
    if word.iter().any(|byte| NEED_DOUBLE.contains(byte)) {
        format!("\"{}\"", escape(word, true))
    } else if word.contains(&b'"') {
        if needs_escape { format!("\"{}\"", escape(word, true)) } else { single(word) }
    } else {
        escape(word, false)
    }
}

fn single(word: &[u8]) -> String {
    format!("'{}'", word.to_str_lossy())
}

/// Backslashes before what would not be read as itself.
fn escape(word: &[u8], in_double_quotes: bool) -> String {
    let mut text = String::with_capacity(word.len());
    for chunk in word.utf8_chunks() {
        let valid = chunk.valid();
        for (at, c) in valid.char_indices() {
            let next = valid[at + c.len_utf8()..].bytes().next();
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                '\x07' => text.push_str("\\a"),
                '\x08' => text.push_str("\\b"),
                '\x0b' => text.push_str("\\v"),
                '\x0c' => text.push_str("\\f"),
                '\\' => text.push_str("\\\\"),
                '"' if in_double_quotes => text.push_str("\\\""),
                '~' if text.is_empty() => text.push_str("\\~"),
                '$' if starts_variable(next) => text.push_str("\\$"),
                c if c.is_control() => {
                    let mut bytes = [0; 4];
                    for byte in c.encode_utf8(&mut bytes).bytes() {
                        push_octal(&mut text, byte);
                    }
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            push_octal(&mut text, *byte);
        }
    }
    text
}

fn starts_variable(next: Option<u8>) -> bool {
    next.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'{')
}

fn push_octal(text: &mut String, byte: u8) {
    write!(text, "\\{byte:03o}").expect("writing to a String cannot fail");
}
