//! Who is meant: targets of commands, clients by name, and views of options.

use std::collections::BTreeMap;

use bstr::BString;
use ccmux_core::change::OptionScope;
use ccmux_core::command::{CommandList, ParseContext, ParseError, parse};
use ccmux_core::ids::{PaneId, SessionId, WindowId};
use ccmux_core::model::Window;
use ccmux_core::options::View;
use ccmux_core::target::{Target, TargetContext, Targets};

use super::Server;
use crate::client::Attachment;
use crate::command::{CommandError, Job, Origin};
use crate::event_loop::ClientId;
use crate::pane::environment::overlay;

impl Server {
    /// Asks something about targets as the commands of a job mean them.
    pub(crate) fn with_targets<T>(&self, job: &Job, ask: impl FnOnce(Targets<'_>) -> T) -> T {
        let context = TargetContext {
            current: self.current_of(job),
            mouse: None,
            last_used: &|id| self.activity.get(&id).copied().unwrap_or_default(),
            is_attached: &|id| !self.clients_of(id).is_empty(),
            client_session: &|name| {
                let id = self.client_named(name)?;
                Some(self.clients.get(&id)?.attachment()?.session)
            },
        };
        ask(Targets::new(&self.state, context))
    }

    /// Where a job is: what its client shows by now, what it made, or the pane it was called from.
    fn current_of(&self, job: &Job) -> Option<Target> {
        let attached = job.origin.client().and_then(|id| self.target_of_client(id));
        if matches!(job.origin, Origin::Attached(_)) && attached.is_some() {
            return attached;
        }
        job.current.or(attached).or_else(|| self.pane_around(job.origin.client()?))
    }

    /// The pane a one-shot client was called from (`$CCMUX_PANE`).
    fn pane_around(&self, id: ClientId) -> Option<Target> {
        let value = self.clients.get(&id)?.hello.as_deref()?.env("CCMUX_PANE")?;
        let pane = std::str::from_utf8(value).ok()?.parse().ok()?;
        Target::around_pane(&self.state, pane)
    }

    /// A pane and what it is in.
    pub(crate) fn target_of_pane(&self, id: PaneId) -> Option<Target> {
        Target::of_pane(&self.state, id)
    }

    /// A window of a session and its active pane.
    pub(crate) fn target_in_session(&self, session: SessionId, id: WindowId) -> Option<Target> {
        Target::in_session(&self.state, session, id)
    }

    /// A session, its current window and active pane.
    pub(crate) fn target_of_session(&self, id: SessionId) -> Option<Target> {
        Target::of_session(&self.state, id)
    }

    /// What an attached client shows.
    pub(crate) fn target_of_client(&self, id: ClientId) -> Option<Target> {
        let attachment = self.clients.get(&id)?.attachment()?;
        let target = self.target_of_session(attachment.session)?;
        let pane = self.active_for(attachment, self.state.windows.get(&target.window)?);
        Some(Target { pane, ..target })
    }

    /// The pane of a window that is active for a client: its own, if it has one (`active-pane`).
    pub(crate) fn active_for(&self, attachment: &Attachment, window: &Window) -> PaneId {
        let own = attachment.own_panes.get(&window.id).copied();
        let is_there = |pane: &PaneId| {
            let of = self.state.panes.get(pane).map(|pane| pane.window);
            attachment.flags.active_pane && !window.zoomed && of == Some(window.id)
        };
        own.filter(is_there).unwrap_or(window.active)
    }

    /// Makes a pane of the shown window active for a client alone. Returns whether the client has
    /// such panes; one of a window that shows one pane only does not count.
    pub(crate) fn select_for(&mut self, id: ClientId, window: WindowId, pane: PaneId) -> bool {
        let is_zoomed = self.state.windows.get(&window).is_none_or(|window| window.zoomed);
        let client = self.clients.get_mut(&id).and_then(|client| client.attachment_mut());
        let Some(attachment) = client.filter(|it| it.flags.active_pane && !is_zoomed) else {
            return false;
        };
        attachment.own_panes.insert(window, pane);
        attachment.is_dirty = true;
        true
    }

    /// The clients that look at a session.
    pub(crate) fn clients_of(&self, session: SessionId) -> Vec<ClientId> {
        self.clients
            .values()
            .filter(|client| client.attachment().is_some_and(|a| a.session == session))
            .map(|client| client.id)
            .collect()
    }

    fn client_named(&self, name: &str) -> Option<ClientId> {
        let name = name.trim_end_matches(':');
        self.clients
            .values()
            .filter(|client| client.attachment().is_some())
            .find(|client| {
                let own = client.name();
                own == name || own.strip_prefix("/dev/") == Some(name)
            })
            .map(|client| client.id)
    }

    /// The attached client that is meant: by name, else the caller, else the one used last.
    pub(crate) fn find_client(
        &self,
        name: Option<&str>,
        caller: Option<ClientId>,
    ) -> Result<ClientId, CommandError> {
        if let Some(name) = name {
            return self.client_named(name).ok_or_else(|| {
                CommandError::new(format!(
                    "can't find client: {}",
                    name.strip_suffix(':').unwrap_or(name)
                ))
            });
        }
        let is_attached = |id: &ClientId| {
            self.clients.get(id).is_some_and(|client| client.attachment().is_some())
        };
        if let Some(caller) = caller.filter(is_attached) {
            return Ok(caller);
        }
        self.clients
            .values()
            .filter(|client| client.attachment().is_some())
            .max_by_key(|client| (client.active, client.id))
            .map(|client| client.id)
            .ok_or_else(|| CommandError::new("no current client"))
    }

    /// What command texts may refer to.
    pub(crate) fn with_parse_context<T>(&self, ask: impl FnOnce(&ParseContext<'_>) -> T) -> T {
        let aliases = self.server_options().array("command-alias");
        let context = ParseContext {
            source_name: None,
            environment: &|name| self.variable(name),
            home: &|user| user.is_none().then(|| self.home()),
            format: &|format| self.expand(format, None, None),
            alias: &|name| {
                aliases.iter().find_map(|(_, alias)| {
                    let (known, text) = alias.split_once('=')?;
                    (known == name).then(|| text.to_owned())
                })
            },
        };
        ask(&context)
    }

    /// Parses commands.
    pub(crate) fn parse_text(&self, text: impl AsRef<[u8]>) -> Result<CommandList, ParseError> {
        self.with_parse_context(|context| parse(text, context))
    }

    /// A variable of the global environment.
    fn variable(&self, name: &str) -> Option<BString> {
        let name = BString::from(name);
        match self.state.environment.get(&name) {
            Some(value) => value.clone(),
            None => self.surroundings.environment.get(&name).cloned(),
        }
    }

    /// The home directory.
    pub(crate) fn home(&self) -> BString {
        self.variable("HOME").filter(|home| !home.is_empty()).unwrap_or_else(|| "/".into())
    }

    /// Options of the server.
    pub(crate) fn server_options(&self) -> View<'_> {
        self.state.options(OptionScope::Server)
    }

    /// Options that sessions inherit.
    pub(crate) fn global_session_options(&self) -> View<'_> {
        self.state.options(OptionScope::GlobalSession)
    }

    /// Options of a session.
    pub(crate) fn session_options(&self, id: SessionId) -> View<'_> {
        self.state.options(OptionScope::Session(id))
    }

    /// Options of a pane.
    pub(crate) fn pane_options(&self, id: PaneId) -> View<'_> {
        self.state.options(OptionScope::Pane(id))
    }

    /// The environment of shell commands: that of the server and the session.
    pub(crate) fn shell_environment(&self, target: Option<Target>) -> BTreeMap<BString, BString> {
        let mut environment = self.surroundings.environment.clone();
        overlay(&mut environment, &self.state.environment);
        let session = target.and_then(|target| self.state.sessions.get(&target.session));
        if let Some(session) = session {
            overlay(&mut environment, &session.environment);
        }
        let socket = self.surroundings.socket.display();
        let number = session.map_or(0, |session| session.id.0);
        let value = format!("{socket},{},{number}", crate::own_pid());
        environment.insert("CCMUX".into(), value.into());
        if let Some(target) = target {
            environment.insert("CCMUX_PANE".into(), target.pane.to_string().into());
        }
        environment
    }

    /// The shell of a pane: `default-shell` where it is set, else `$SHELL`, else sh.
    pub(crate) fn default_shell(
        &self,
        id: PaneId,
        environment: &BTreeMap<BString, BString>,
    ) -> BString {
        let session = self.state.session_of(id).map(|session| session.id);
        self.shell_for(session, environment)
    }

    /// The same of a session, for what is run beside its panes.
    pub(crate) fn shell_of_session(&self, id: SessionId) -> BString {
        self.shell_for(Some(id), &self.surroundings.environment)
    }

    fn shell_for(
        &self,
        session: Option<SessionId>,
        environment: &BTreeMap<BString, BString>,
    ) -> BString {
        let options = session
            .map_or_else(|| self.global_session_options(), |session| self.session_options(session));
        let is_usable = |path: &BString| path.starts_with(b"/");
        let set = options.set_text("default-shell").map(BString::from);
        [set, environment.get(&BString::from("SHELL")).cloned()]
            .into_iter()
            .flatten()
            .find(is_usable)
            .unwrap_or_else(|| "/bin/sh".into())
    }

    /// The value of an option that nobody set and whose default is up to the surroundings, as in
    /// tmux: the shell and the editor of whoever started the server, and vi's keys if that is vi.
    pub(crate) fn surrounding_default(&self, options: View<'_>, name: &str) -> Option<String> {
        let variable = |name: &str| {
            let value = self.surroundings.environment.get(&BString::from(name))?;
            Some(value.to_string()).filter(|value| !value.is_empty())
        };
        let editor = || variable("VISUAL").or_else(|| variable("EDITOR"));
        let default = match name {
            "default-shell" => variable("SHELL").filter(|path| path.starts_with('/')),
            "editor" => editor(),
            "mode-keys" => {
                let is_vi = |path: &String| path.rsplit('/').next().unwrap_or("").contains("vi");
                editor().filter(is_vi).map(|_| "vi".to_owned())
            }
            _ => None,
        };
        default.filter(|_| options.set_text(name).is_none())
    }

    /// What new panes run when nothing is asked for; empty for a login shell.
    pub(crate) fn default_command(&self, target: Option<Target>) -> String {
        let options = target.map_or_else(
            || self.global_session_options(),
            |target| self.session_options(target.session),
        );
        options.string("default-command").to_owned()
    }
}
