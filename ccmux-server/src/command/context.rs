//! What a command works with: its arguments, the server, and the one it runs for.

use std::borrow::Cow;

use bstr::BString;
use ccmux_core::change::Change;
use ccmux_core::command::{Args, ParsedCommand};
use ccmux_core::decide::{Command as Intent, VariableEdit};
use ccmux_core::format::Subject;
use ccmux_core::ids::{PaneId, SessionId};
use ccmux_core::model::{Environment, Program, Session, State};
use ccmux_core::options::View;
use ccmux_core::pattern;
use ccmux_core::target::Target;

use super::{CommandError, Job, Origin};
use crate::event_loop::ClientId;
use crate::server::Server;
use crate::server::commit::Cause;

/// One command on its way.
#[derive(Debug)]
pub(crate) struct Cx<'a> {
    pub(crate) server: &'a mut Server,
    pub(crate) job: &'a mut Job,
    pub(crate) command: &'a ParsedCommand,
}

impl<'a> Cx<'a> {
    /// The arguments.
    pub(crate) fn args(&self) -> &'a Args {
        &self.command.args
    }

    /// Decides, logs and applies.
    pub(crate) fn change(&mut self, intent: Intent) -> Result<Vec<Change>, CommandError> {
        let actor = match &self.job.origin {
            Origin::OneShot(id) | Origin::Attached(id) => format!("client {}", id.0),
            Origin::Config(path) => format!("config {}", path.display()),
            Origin::Background => "background".to_owned(),
        };
        let cause = Cause { actor, what: self.command.to_string() };
        self.server.change(self.job, &cause, intent)
    }

    /// Prints a line: to a one-shot client's stdout, or into a view of the attached one.
    pub(crate) fn print(&mut self, line: impl Into<Vec<u8>>) {
        self.server.print_for(self.job, line);
    }

    /// Prints bytes as they are, without a line's end.
    pub(crate) fn print_raw(&mut self, bytes: Vec<u8>) {
        self.server.print_raw_for(self.job, bytes);
    }

    /// Puts text into the clipboard of the client that `-t` names, or the one at hand (`-w`).
    pub(crate) fn set_client_clipboard(&mut self, text: &[u8]) {
        // Without a client there is no clipboard, which is no error in tmux either.
        if let Ok(client) = self.client('t') {
            self.server.set_clipboard_of(client, "", text);
        }
    }

    /// The value of a flag as text.
    pub(crate) fn text(&self, flag: char) -> Option<Cow<'a, str>> {
        self.command.args.text(flag)
    }

    /// The pane that `-t` (or another flag) names, or the current one.
    pub(crate) fn pane(&self, flag: char) -> Result<Target, CommandError> {
        let text = self.text(flag);
        Ok(self.server.with_targets(self.job, |targets| targets.pane(text.as_deref()))?)
    }

    /// The pane that a flag names, relative to the marked pane if there is one.
    pub(crate) fn source_pane(&self, flag: char) -> Result<Target, CommandError> {
        let text = self.text(flag);
        let found = self
            .server
            .with_targets(self.job, |targets| targets.from_marked().pane(text.as_deref()));
        Ok(found?)
    }

    /// The window that a flag names, relative to the marked pane if there is one.
    pub(crate) fn source_window(&self, flag: char) -> Result<Target, CommandError> {
        let text = self.text(flag);
        let found = self
            .server
            .with_targets(self.job, |targets| targets.from_marked().window(text.as_deref()));
        Ok(found?)
    }

    /// What formats speak of where the target may be gone: as much of it as is there.
    pub(crate) fn subject(&self, flag: char) -> Subject {
        let text = self.text(flag);
        let found =
            self.server.with_targets(self.job, |targets| targets.nearest_pane(text.as_deref()));
        found.map_or_else(Subject::default, Subject::from)
    }

    /// The window that a flag names, with its active pane.
    pub(crate) fn window(&self, flag: char) -> Result<Target, CommandError> {
        let text = self.text(flag);
        Ok(self.server.with_targets(self.job, |targets| targets.window(text.as_deref()))?)
    }

    /// The session that a flag names, with its current window and active pane.
    pub(crate) fn session(&self, flag: char) -> Result<Target, CommandError> {
        let text = self.text(flag);
        Ok(self.server.with_targets(self.job, |targets| targets.session(text.as_deref()))?)
    }

    /// The place for a window that a flag names, taken or free.
    pub(crate) fn window_place(
        &self,
        flag: char,
    ) -> Result<(SessionId, Option<u32>), CommandError> {
        let text = self.text(flag);
        let place =
            self.server.with_targets(self.job, |targets| targets.window_index(text.as_deref()))?;
        Ok((place.session, place.index))
    }

    /// The attached client that a flag names, or the one the command runs for, or the only
    /// sensible one.
    pub(crate) fn client(&self, flag: char) -> Result<ClientId, CommandError> {
        let wanted = self.text(flag);
        self.server.find_client(wanted.as_deref(), self.job.origin.client())
    }

    /// Expands a format for a target.
    pub(crate) fn expand(&self, format: &str, target: Target) -> String {
        self.server.expand(format, Some(target), self.job.origin.client())
    }

    /// The client's working directory: where new programs start unless told otherwise.
    pub(crate) fn client_cwd(&self) -> Option<BString> {
        let client = self.server.clients.get(&self.job.origin.client()?)?;
        if client.attachment().is_some() {
            return None;
        }
        client.hello.as_ref().map(|hello| hello.cwd.clone()).filter(|cwd| !cwd.is_empty())
    }

    /// The program that a command creating a pane asks for: positional arguments, `-c` and `-e`.
    pub(crate) fn program(&self, target: Option<Target>) -> Result<Program, CommandError> {
        let mut argv = self.args().to_argv();
        if argv.len() == 1 && argv[0].is_empty() {
            argv.clear();
        }
        if argv.is_empty() {
            let default = self.server.default_command(target);
            argv.extend((!default.is_empty()).then(|| BString::from(default)));
        }
        Ok(Program { argv, cwd: self.start_directory(target), environment: self.environment()? })
    }

    fn start_directory(&self, target: Option<Target>) -> BString {
        if let (Some(format), Some(target)) = (self.text('c'), target) {
            return BString::from(self.expand(&format, target));
        }
        if let Some(directory) = self.args().value('c') {
            return directory.into();
        }
        let of_session = || Some(self.server.state.sessions.get(&target?.session)?.cwd.clone());
        self.client_cwd().or_else(of_session).unwrap_or_else(|| self.server.home())
    }

    /// `-e NAME=value`, any number of times.
    pub(crate) fn environment(&self) -> Result<Environment, CommandError> {
        let mut environment = Environment::new();
        for entry in self.args().values('e') {
            let Some(at) = entry.iter().position(|&byte| byte == b'=') else {
                return Err(CommandError::new(format!("invalid environment: {entry}")));
            };
            environment.insert(entry[..at].into(), Some(entry[at + 1..].into()));
        }
        Ok(environment)
    }

    /// What a new session's environment has beside the global one: what `update-environment` names,
    /// as the client has it, unless `-E`; and `-e`.
    pub(crate) fn session_environment(&self) -> Result<Environment, CommandError> {
        let options = self.server.global_session_options();
        let client = self.job.origin.client().filter(|_| !self.args().has('E'));
        let mut environment = client.map(|id| self.brought(options, id)).unwrap_or_default();
        environment.extend(self.environment()?);
        Ok(environment)
    }

    /// Lets a session take over from a client that comes to it what its `update-environment` names,
    /// unless `-E`.
    pub(crate) fn update_environment(
        &mut self,
        session: SessionId,
        client: ClientId,
    ) -> Result<(), CommandError> {
        if self.args().has('E') {
            return Ok(());
        }
        for (name, value) in self.brought(self.server.session_options(session), client) {
            let known = self.server.state.sessions.get(&session);
            if known.is_none_or(|session| session.environment.get(&name) == Some(&value)) {
                continue;
            }
            let edit = value.map_or(VariableEdit::Hide, VariableEdit::Set);
            self.change(Intent::SetEnvironment { session: Some(session), name, edit })?;
        }
        Ok(())
    }

    /// What a client has of the variables that `update-environment` names, or has patterns for; a
    /// name of which it has none is hidden from new programs.
    fn brought(&self, options: View<'_>, client: ClientId) -> Environment {
        let mut environment = Environment::new();
        let client = self.server.clients.get(&client);
        let Some(hello) = client.and_then(|client| client.hello.as_deref()) else {
            return environment;
        };
        for (_, name) in options.array("update-environment") {
            let matches = |variable: &BString| pattern::matches(name, &variable.to_string(), false);
            let found = hello.env.iter().filter(|(variable, _)| matches(variable));
            let mut found = found.map(|(variable, value)| (variable.clone(), Some(value.clone())));
            match found.next() {
                Some(first) => environment.extend(std::iter::once(first).chain(found)),
                // What can be no variable's name hides none.
                None if name.is_empty() || name.contains('=') => {}
                None => drop(environment.insert(name.into(), None)),
            }
        }
        environment
    }

    /// Prints what `-P` asks for about a pane that was created.
    pub(crate) fn print_created(&mut self, pane: Option<PaneId>, default_format: &str) {
        let target = pane.and_then(|pane| self.server.target_of_pane(pane));
        self.print_new(target, default_format);
    }

    /// Prints what `-P` asks for about something that was created.
    pub(crate) fn print_new(&mut self, target: Option<Target>, default_format: &str) {
        let Some(target) = target else { return };
        if self.args().has('P') {
            let format = self.text('F').unwrap_or(Cow::Borrowed(default_format));
            self.job.print_when_started = Some((format.into_owned(), target));
        }
    }
}

/// The pane that changes brought into being.
pub(crate) fn created(changes: &[Change]) -> Option<PaneId> {
    changes.iter().find_map(|change| match change {
        Change::WindowCreated { pane, .. } | Change::PaneCreated { pane, .. } => Some(pane.id),
        _ => None,
    })
}

/// All sessions in the order in which lists have them.
pub(crate) fn by_name(state: &State) -> impl Iterator<Item = &Session> {
    let mut sessions: Vec<&Session> = state.sessions.values().collect();
    sessions.sort_by(|a, b| a.name.cmp(&b.name));
    sessions.into_iter()
}
