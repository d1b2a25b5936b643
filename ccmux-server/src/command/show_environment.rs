//! `show-environment`

use bstr::{BStr, BString, ByteSlice};

use super::set_environment::session;
use super::{CommandError, Cx, Flow, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let environment = if cx.args().has('g') {
        let mut environment: ccmux_core::model::Environment = cx
            .server
            .surroundings
            .environment
            .iter()
            .map(|(name, value)| (name.clone(), Some(value.clone())))
            .collect();
        environment.extend(cx.server.state.environment.clone());
        environment
    } else {
        let session = session(cx)?.session;
        cx.server.state.sessions[&session].environment.clone()
    };
    let only: Option<BString> = cx.args().to_argv().into_iter().next();
    if let Some(name) = only.as_ref().filter(|name| !environment.contains_key(*name)) {
        return Err(CommandError::new(format!("unknown variable: {name}")));
    }
    let as_shell = cx.args().has('s');
    for (name, value) in &environment {
        if only.as_ref().is_none_or(|only| only == name) {
            let line = line(name.as_bstr(), value.as_ref(), as_shell);
            cx.print(line);
        }
    }
    Ok(Flow::Next)
}

fn line(name: &BStr, value: Option<&BString>, as_shell: bool) -> Vec<u8> {
    match (value, as_shell) {
        (Some(value), false) => [&**name, b"=", value].concat(),
        (None, false) => [b"-", &**name].concat(),
        (None, true) => [b"unset ", &**name, b";"].concat(),
        (Some(value), true) => {
            let mut out = [&**name, b"=\""].concat();
            for &byte in value.iter() {
                if matches!(byte, b'$' | b'`' | b'"' | b'\\') {
                    out.push(b'\\');
                }
                out.push(byte);
            }
            out.extend_from_slice(b"\"; export ");
            out.extend_from_slice(name);
            out.push(b';');
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_can_be_evaluated_by_a_shell() {
        let value = BString::from("a\"$b");
        let shown = line("X".into(), Some(&value), true);
        assert_eq!(shown.as_bstr(), "X=\"a\\\"\\$b\"; export X;");
        assert_eq!(line("X".into(), None, true).as_bstr(), "unset X;");
        assert_eq!(line("X".into(), None, false).as_bstr(), "-X");
    }
}
