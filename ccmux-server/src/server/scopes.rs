//! Scopes: each keeper in a control group of its own, so that it outlives the login session.
//!
//! systemd ends what is left in a session's control group at logout (`KillUserProcesses`), and
//! `systemd-oomd` ends whole groups. A running process can be moved into a scope of the user's own
//! service manager, which lives on where lingering is enabled. So a keeper starts like any other
//! process and is moved, with its program, as soon as it is ready: nothing waits for that, no
//! descriptor is at stake, and where it fails the keeper runs as it would have anyway. What
//! `status` says of it is read from the kernel, so it is true of adopted keepers too.
//!
//! Without lingering a scope would be worse than none: the service manager, and all its scopes,
//! end with the last session, while a plain process lives on by default.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bstr::{BString, ByteSlice as _};
use ccmux_core::ids::PaneId;
use serde_json::json;

use super::Server;
use super::lifecycle::keeper_pid;
use crate::pane::Stage;

/// The value of `scope-command` that asks systemd, where there is one.
const AUTO: &str = "auto";

/// Keepers being moved.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    moving: Vec<Child>,
    /// Why the last one could not be moved.
    failure: Option<String>,
}

impl Server {
    /// Has a keeper that is ready moved into a scope of its own, unless it is in one.
    pub(crate) fn move_to_scope(&mut self, id: PaneId) {
        let Some(pane) = self.panes.get(&id) else { return };
        let Stage::Live(live) = &pane.stage else { return };
        if scope_of(live.keeper_pid).is_some() {
            return;
        }
        let unit = format!("ccmux-{}-{}.scope", pane.uuid, live.keeper_pid);
        let pids = [live.keeper_pid, live.held.child_pid];
        let Ok(mut command) = self.scope_command(id, &unit, pids) else { return };
        match command.spawn() {
            Ok(child) => {
                self.scopes.moving.push(child);
            }
            Err(error) => self.scopes.failure = Some(format!("the command fails: {error}")),
        }
    }

    /// Takes note of keepers that were moved, or could not be.
    pub(crate) fn reap_scopes(&mut self) {
        let Scopes { moving, failure } = &mut self.scopes;
        moving.retain_mut(|child| match child.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                *failure =
                    (!status.success()).then(|| format!("the command that moves them: {status}"));
                false
            }
            Err(_) => false,
        });
    }

    /// What `status` says of scopes: how many keepers are in one, and why not all.
    pub(crate) fn scope_report(&self) -> serde_json::Value {
        let keepers = || self.panes.values().filter_map(|pane| keeper_pid(&pane.stage));
        let (all, own) = (keepers().count(), keepers().filter_map(scope_of).count());
        let why = (own < all || all == 0).then(|| self.why_no_scopes()).flatten();
        json!({ "keepers": all, "in_own_scope": own, "why": why })
    }

    fn why_no_scopes(&self) -> Option<String> {
        if !self.scopes.moving.is_empty() {
            return Some("they are being moved".to_owned());
        }
        let reason = self.scope_command(PaneId(0), "", [0, 0]).err();
        reason.or_else(|| self.scopes.failure.clone())
    }

    /// The command that moves processes into the scope `unit`, or why there is none.
    fn scope_command(&self, id: PaneId, unit: &str, pids: [u32; 2]) -> Result<Command, String> {
        let configured = self.server_options().string("scope-command");
        let mut command = match configured {
            "" => return Err("`scope-command` is empty".to_owned()),
            AUTO => {
                let user = user_name(Path::new("/"), self.surroundings.uid);
                let runtime_dir = self.runtime_dir();
                may_linger(Path::new("/"), user.as_deref(), &runtime_dir)?;
                let mut command = Command::new("busctl");
                command.args(systemd_call(unit, &format!("ccmux pane {id}"), pids));
                command.env("XDG_RUNTIME_DIR", runtime_dir);
                command
            }
            script => {
                let mut command = self.surroundings.shell();
                command.args([script, "sh", unit]).args(pids.map(|pid| pid.to_string()));
                command
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(command)
    }

    fn runtime_dir(&self) -> std::path::PathBuf {
        let set = self.surroundings.environment.get(&BString::from("XDG_RUNTIME_DIR"));
        match set.and_then(|dir| dir.to_path().ok()) {
            Some(dir) => dir.to_owned(),
            None => format!("/run/user/{}", self.surroundings.uid).into(),
        }
    }
}

/// The scope of ours that a process is in.
fn scope_of(pid: u32) -> Option<String> {
    scope_in(&std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)
}

fn scope_in(cgroups: &str) -> Option<String> {
    let names = cgroups.lines().filter_map(|line| line.rsplit('/').next());
    let mut ours =
        names.filter(|name| name.starts_with("ccmux-") && name.strip_suffix(".scope").is_some());
    ours.next().map(str::to_owned)
}

/// Whether what is moved to the user's service manager outlives the session; if not, why.
fn may_linger(root: &Path, user: Option<&str>, runtime_dir: &Path) -> Result<(), String> {
    if !root.join("run/systemd/system").is_dir() {
        return Err("this machine is not run by systemd".to_owned());
    }
    let is_lingering =
        user.is_some_and(|user| root.join("var/lib/systemd/linger").join(user).exists());
    if !is_lingering {
        return Err("lingering is off for this user (loginctl enable-linger)".to_owned());
    }
    if !runtime_dir.join("bus").exists() {
        return Err("the user's service manager cannot be reached".to_owned());
    }
    Ok(())
}

fn user_name(root: &Path, uid: u32) -> Option<String> {
    let passwd = std::fs::read_to_string(root.join("etc/passwd")).ok()?;
    let uid = uid.to_string();
    let mut users = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    users.find(|fields| fields.get(2) == Some(&uid.as_str())).map(|fields| fields[0].to_owned())
}

/// The arguments of `busctl` for `StartTransientUnit` with these processes.
fn systemd_call(unit: &str, description: &str, pids: [u32; 2]) -> Vec<String> {
    let manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1"];
    let method = ["org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))"];
    let properties = ["3", "Description", "s", description];
    let collect = ["CollectMode", "s", "inactive-or-failed", "PIDs", "au", "2"];
    let mut words: Vec<String> =
        ["--user", "call"].iter().chain(&manager).chain(&method).map(ToString::to_string).collect();
    words.extend([unit, "fail"].iter().chain(&properties).chain(&collect).map(ToString::to_string));
    words.extend(pids.map(|pid| pid.to_string()));
    // No auxiliary units.
    words.push("0".to_owned());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_found_in_control_groups_of_both_kinds() {
        for (cgroups, scope) in [
            (
                "0::/user.slice/user@1000.service/app.slice/ccmux-a-7.scope\n",
                Some("ccmux-a-7.scope"),
            ),
            ("4:cpu:/\n1:name=systemd:/x/ccmux-b-8.scope\n", Some("ccmux-b-8.scope")),
            ("0::/user.slice/user-1000.slice/session-3.scope\n", None),
            ("0::/\n", None),
        ] {
            assert_eq!(scope_in(cgroups).as_deref(), scope, "{cgroups}");
        }
    }

    #[test]
    fn keepers_are_moved_only_where_that_makes_them_live_longer() {
        let dir = tempfile::TempDir::new().unwrap();
        let (root, runtime) = (dir.path(), dir.path().join("runtime"));
        let reason = || may_linger(root, Some("me"), &runtime).err().unwrap_or_default();
        for (made, expected) in [
            ("etc", "not run by systemd"),
            ("run/systemd/system", "lingering is off"),
            ("var/lib/systemd/linger/me", "cannot be reached"),
        ] {
            std::fs::create_dir_all(root.join(made)).unwrap();
            assert!(reason().contains(expected), "{made}: {}", reason());
        }
        std::fs::create_dir_all(runtime.join("bus")).unwrap();
        assert_eq!(reason(), "");
        assert!(may_linger(root, Some("other"), &runtime).is_err());
        std::fs::write(root.join("etc/passwd"), "root:x:0:0::/:/bin/sh\nme:x:10:10::/:/bin/sh\n")
            .unwrap();
        assert_eq!(user_name(root, 10).as_deref(), Some("me"));
        assert_eq!(user_name(root, 1), None);
    }

    /// As `busctl` reads it: unit, mode, three properties, no auxiliary units.
    #[test]
    fn systemd_is_asked_for_a_scope_with_both_processes() {
        let words = systemd_call("ccmux-x.scope", "ccmux pane %1", [7, 8]);
        let at = words.iter().position(|word| word == "ssa(sv)a(sa(sv))").unwrap() + 1;
        let expected = "ccmux-x.scope|fail|3|Description|s|ccmux pane %1|CollectMode|s|\
                        inactive-or-failed|PIDs|au|2|7|8|0";
        assert_eq!(words[at..].join("|"), expected);
    }
}
