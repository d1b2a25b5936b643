//! The server process: start, the loop, and the end.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use bstr::BString;
use ccmux_core::model::Timestamp;
use ccmux_protocol::rendezvous::{self, Registration, ServerArgs, bind};

use crate::clock::{Clock, SystemClock};
use crate::event_loop::{Event, Poller};
use crate::log_file::{LOG_BYTES_MAX, LogFile};
use crate::pane::environment::scrubbed;
use crate::server::{Door, Server, Stopping, Surroundings};
use crate::signals::Signals;

/// Runs a server until it has nothing left to do or is told to stop.
pub fn run(mut args: ServerArgs) -> ExitCode {
    let ready = args.ready.take();
    match start(args) {
        Ok((server, poller)) => {
            if let Some(ready) = ready {
                ready.ok();
            }
            match serve(server, poller) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    tracing::error!("the server ends: {error:#}");
                    ExitCode::FAILURE
                }
            }
        }
        Err(error) => {
            tracing::error!("the server cannot start: {error:#}");
            if let Some(ready) = ready {
                ready.fail(&format!("{error:#}"));
            }
            ExitCode::FAILURE
        }
    }
}

fn start(mut args: ServerArgs) -> Result<(Server, Poller)> {
    let clock = SystemClock::new();
    let started = clock.now();
    log_to(&args.place.state_dir);
    log_panics();
    let signals = Signals::install().context("installing signal handlers")?;
    let surroundings = surroundings(&args, started)?;
    let poller = Poller::new().context("setting up the event loop")?;
    let mut server = Server::restore(surroundings, Box::new(clock), &poller, signals)?;
    let last = rendezvous::registration(&args.place.state_dir);
    let has_ended = last.as_ref().is_some_and(|last| last.ended);
    let registration = Registration {
        pid: crate::own_pid(),
        started_unix_ms: started.0,
        ended: false,
        socket: BString::from(path_bytes(&args.place.socket)),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        launch: args.launch.clone(),
    };
    let is_registered = match args.lock.register(&registration) {
        Ok(()) => true,
        // What the last one registered starts the next one just as well, and its programs wait.
        Err(error) if last.is_some_and(|last| !last.ended) => {
            tracing::warn!(%error, "this server could not be registered yet");
            false
        }
        // The error's text has its cause already.
        Err(error) => return Err(anyhow::anyhow!("registering in the lock file: {error}")),
    };
    let listener = bind(&args.place)
        .with_context(|| format!("binding the socket {}", args.place.socket.display()))?;
    server.note = args.note;
    let mut door = Door::new(listener, args.place, args.lock, registration);
    door.is_registered = is_registered;
    server.listen(door)?;
    server.begin(args.config_files, has_ended);
    if args.was_told_to_stop {
        server.leave();
    }
    Ok((server, poller))
}

fn serve(mut server: Server, mut poller: Poller) -> Result<()> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let timeout = server.turn();
        match server.stopping {
            Stopping::No => {}
            Stopping::HandingOver => return server.hand_over(),
            Stopping::Leaving | Stopping::Emptied => {
                server.stop();
                return Ok(());
            }
        }
        poller.wait(timeout, &mut events).context("waiting for events")?;
        for event in events.drain(..) {
            server.handle(event);
        }
    }
}

/// What the server is told by its arguments and its process.
fn surroundings(args: &ServerArgs, started: Timestamp) -> Result<Surroundings> {
    let inherited = args.launch.env.iter().cloned();
    Ok(Surroundings {
        state_dir: args.place.state_dir.clone(),
        socket: args.place.socket.clone(),
        exe: own_executable()?,
        environment: scrubbed(inherited),
        oom_score_adj: crate::oom::yield_to_programs(),
        open_files: crate::open_files::raise_limit(),
        started,
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        uid: rustix::process::getuid().as_raw(),
    })
}

/// The running executable itself, even if its file has been replaced: keepers must be of the same
/// release as the server that starts them.
pub(crate) fn own_executable() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe().context("finding the own executable")
}

fn log_to(state_dir: &Path) {
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt;
    let log = LogFile::new(state_dir, LOG_BYTES_MAX);
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(log);
    let subscriber = tracing_subscriber::registry().with(LevelFilter::INFO).with(layer);
    // A process has one server and so one log; a second start in one process keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

fn log_panics() {
    std::panic::set_hook(Box::new(|info| {
        let backtrace = std::backtrace::Backtrace::force_capture();
        tracing::error!("panic: {info}\n{backtrace}");
    }));
}

fn path_bytes(path: &Path) -> &[u8] {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes()
}

impl Server {
    /// Stops in good order: clients are told, keepers stay or are gone already, all is on the disk.
    fn stop(mut self) {
        self.part_from_clients();
        self.part_from_keepers();
        self.finish();
    }
}
