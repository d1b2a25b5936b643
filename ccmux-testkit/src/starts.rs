//! Servers that are just being started.

use crate::env::TestEnv;
use crate::process::Process;
use crate::watch::Watch;

/// Sees the next server long before it serves: made while the one before it lives still.
#[derive(Debug)]
pub struct Starts<'a> {
    env: &'a TestEnv,
    watch: Watch,
    known: Vec<u32>,
}

impl TestEnv {
    /// Begins to watch for the start of another server.
    pub fn watch_starts(&self) -> Starts<'_> {
        let known = self.servers().iter().map(Process::pid).collect();
        Starts { env: self, watch: Watch::opens(&self.state_dir()), known }
    }
}

impl Starts<'_> {
    /// Waits until a server process is there that was not when the watch began. A server opens its
    /// log before it does anything else, so this is before it has recovered.
    ///
    /// # Panics
    /// When the deadline passes, with the server's log.
    pub fn wait(self) -> Process {
        loop {
            let mut servers = self.env.servers();
            servers.retain(|server| !self.known.contains(&server.pid()));
            if let Some(server) = servers.pop() {
                return server;
            }
            assert!(self.watch.wait(), "no server is started; log:\n{}", self.env.server_log());
        }
    }
}
