//! `new-session`: creates a session, and shows it unless `-d`.

use ccmux_core::Change;
use ccmux_core::change::OptionScope;
use ccmux_core::decide::{Command as Intent, GroupChoice, NewSession, session_name};
use ccmux_core::geometry::Size;

use crate::client::flags::ClientFlags;

use super::attach_session::{attach, check_abilities};
use super::{CommandError, Cx, Flow, Origin, Outcome};

pub(super) fn exec(cx: &mut Cx<'_>) -> Outcome {
    let makes_window = !cx.args().positional().is_empty() || cx.args().has('n');
    if cx.args().has('t') && makes_window {
        return Err(CommandError::new("command or window name given with target"));
    }
    let name = cx.text('s').map(|name| cx.server.expand(&name, None, None));
    if let Some(name) = name.as_deref().filter(|_| cx.args().has('A')) {
        let name = session_name(name)?;
        let existing = cx.server.state.session_named(&name).map(|found| found.id);
        if let Some(target) = existing.and_then(|id| cx.server.target_of_session(id)) {
            attach(cx, target)?;
            return Ok(Flow::Next);
        }
    }
    // Refused before there is a session.
    ClientFlags::default().changed(&cx.text('f').unwrap_or_default())?;
    let attaches = !cx.args().has('d') && !matches!(cx.job.origin, Origin::Config(_));
    if attaches {
        check_terminal(cx)?;
    }
    let program = cx.program(None)?;
    let intent = Intent::NewSession(NewSession {
        name,
        window_name: cx.text('n').map(|name| cx.server.expand(&name, None, None)),
        cwd: program.cwd.clone(),
        environment: cx.session_environment()?,
        program,
        group: group(cx),
        size: size(cx)?,
    });
    let changes = cx.change(intent)?;
    let session = changes.iter().find_map(|change| match change {
        Change::SessionCreated { id, .. } => Some(*id),
        _ => None,
    });
    let target = session.and_then(|id| cx.server.target_of_session(id));
    cx.print_new(target, "#{session_name}:");
    let Some(target) = target else { return Ok(Flow::Next) };
    cx.server.touch_session(target.session);
    if attaches {
        attach(cx, target)?;
    }
    Ok(Flow::Next)
}

/// The group that `-t` names, by one of its sessions or by its own name.
fn group(cx: &Cx<'_>) -> Option<GroupChoice> {
    let name = cx.text('t')?;
    Some(match cx.session('t') {
        Ok(target) => GroupChoice::With(target.session),
        Err(_) => GroupChoice::Named(name.into_owned()),
    })
}

/// Refuses before anything is created what could not be shown afterwards.
fn check_terminal(cx: &Cx<'_>) -> Result<(), CommandError> {
    let Origin::OneShot(id) = cx.job.origin else { return Ok(()) };
    let Some(hello) = cx.server.clients.get(&id).and_then(|client| client.hello.as_deref()) else {
        return Ok(());
    };
    if hello.is_inside_pane() && hello.is_tty {
        let message = "sessions should be nested with care, unset $CCMUX to force";
        return Err(CommandError::new(message));
    }
    if !hello.is_tty {
        return Err(CommandError::new("open terminal failed: not a terminal"));
    }
    check_abilities(hello)
}

/// The size of the windows: `-x` and `-y`, else the client's.
fn size(cx: &Cx<'_>) -> Result<Option<Size>, CommandError> {
    let side = |flag, what| {
        let number = cx.args().number(flag, 1..=i64::from(Size::MAX));
        number
            .map(|side| side.and_then(|side| u16::try_from(side).ok()))
            .map_err(|error| CommandError::new(format!("{what} {error}")))
    };
    let is_client = |flag| cx.text(flag).is_some_and(|text| text == "-");
    let client = || {
        let client = cx.server.clients.get(&cx.job.origin.client()?)?;
        let size = match client.attachment() {
            Some(attachment) => attachment.size,
            None => client.hello.as_ref()?.size?,
        };
        let rows = size.rows.saturating_sub(cx.server.default_status_rows()).max(1);
        Some(Size { cols: size.cols, rows })
    };
    let cols = if is_client('x') { None } else { side('x', "width")? };
    let rows = if is_client('y') { None } else { side('y', "height")? };
    let takes_client = !cx.args().has('d') || is_client('x') || is_client('y');
    let base = client().filter(|_| takes_client);
    if cols.is_none() && rows.is_none() {
        let asks = is_client('x') || is_client('y');
        let windows = cx.server.state.options(OptionScope::GlobalWindow);
        let is_manual = windows.choice("window-size") == "manual";
        return Ok(base.filter(|_| asks || !is_manual));
    }
    let default = base.unwrap_or_else(|| cx.server.global_session_options().size("default-size"));
    Ok(Some(Size { cols: cols.unwrap_or(default.cols), rows: rows.unwrap_or(default.rows) }))
}
