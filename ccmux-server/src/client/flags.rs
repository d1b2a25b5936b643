//! What a client was told to be: `attach-session -f`, `new-session -f`, `refresh-client -f`.

use serde::{Deserialize, Serialize};

/// Flags of a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ClientFlags {
    /// Nothing is typed by it, and of its keys only those that detach or switch it count.
    #[serde(default)]
    pub(crate) read_only: bool,
    /// It gives no session its size while there are clients that do.
    #[serde(default)]
    pub(crate) ignore_size: bool,
    /// Of each window it has an active pane of its own, whatever the others select.
    #[serde(default)]
    pub(crate) active_pane: bool,
}

/// A flag that a client cannot have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum ClientFlagError {
    /// It is for programs that speak with tmux in control mode.
    #[error("{0}: not a control client")]
    ControlMode(String),
    /// Nobody knows it.
    #[error("unknown client flag: {0}")]
    Unknown(String),
}

impl ClientFlags {
    /// `-r`: a client that only looks.
    pub(crate) const LOOKING: ClientFlags =
        ClientFlags { read_only: true, ignore_size: true, active_pane: false };

    /// The flags after a list of those to set, and with `!` before them to clear. As in tmux, who is
    /// read-only does not get rid of that in this way.
    pub(crate) fn changed(self, list: &str) -> Result<Self, ClientFlagError> {
        let mut flags = self;
        for word in list.split(',').filter(|word| !word.is_empty()) {
            let (name, is_set) = match word.strip_prefix('!') {
                Some(name) => (name, false),
                None => (word, true),
            };
            match name.split_once('=').map_or(name, |(name, _)| name) {
                "read-only" => flags.read_only |= is_set,
                "ignore-size" => flags.ignore_size = is_set,
                "no-output" | "pause-after" | "wait-exit" => {
                    return Err(ClientFlagError::ControlMode(name.to_owned()));
                }
                "active-pane" => flags.active_pane = is_set,
                _ => return Err(ClientFlagError::Unknown(name.to_owned())),
            }
        }
        Ok(flags)
    }

    /// `switch-client -r`: a client that only looks, or no longer.
    pub(crate) fn toggled(self) -> Self {
        Self { read_only: !self.read_only, ignore_size: !self.read_only, ..self }
    }

    /// What `#{client_flags}` says of them.
    pub(crate) fn names(self) -> impl Iterator<Item = &'static str> {
        let names = [
            (self.ignore_size, "ignore-size"),
            (self.read_only, "read-only"),
            (self.active_pane, "active-pane"),
        ];
        names.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_set_and_cleared_by_name() {
        let all = "ignore-size,read-only";
        for (before, list, expected) in [
            ("", "", Ok("")),
            ("", "read-only", Ok("read-only")),
            ("", "read-only,ignore-size", Ok(all)),
            (all, "!ignore-size", Ok("read-only")),
            (all, "!read-only", Ok(all)),
            ("", "pause-after=5", Err("pause-after=5: not a control client")),
            ("", "ignore-size,!no-output", Err("no-output: not a control client")),
            ("read-only", "active-pane", Ok("read-only,active-pane")),
            ("active-pane", "!active-pane", Ok("")),
            ("", "bogus", Err("unknown client flag: bogus")),
        ] {
            let before = ClientFlags::default().changed(before).expect("these are flags");
            let after = before.changed(list).map_err(|error| error.to_string());
            let after = after.map(|flags| flags.names().collect::<Vec<_>>().join(","));
            assert_eq!(after, expected.map(str::to_owned).map_err(str::to_owned), "{list}");
        }
        assert_eq!(ClientFlags::default().toggled(), ClientFlags::LOOKING);
        assert_eq!(ClientFlags::LOOKING.toggled(), ClientFlags::default());
    }
}
