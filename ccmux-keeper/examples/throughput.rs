//! A flooding program through a keeper, and on a bare pty, in turn.
//!
//! `cargo run --release -p ccmux-keeper --example throughput [MEBIBYTES]`
//!
//! Prints the speed of each turn and the ratio. The reader behind the keeper copies every byte,
//! as a server does, and gives it free at once. Also measures how long a byte takes from the
//! program to an idle reader.

use std::error::Error;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use ccmux_keeper::{
    ChildSpec, KeeperCommand, Link, LinkEvent, ServerRing, Wake, WindowSize, lock_alive,
};
use rustix::event::{PollFd, PollFlags, poll};

type Outcome<T> = Result<T, Box<dyn Error>>;

const TURNS: usize = 5;
const ECHOES: usize = 2000;

#[expect(clippy::print_stdout, reason = "its purpose")]
fn main() -> Outcome<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["keeper", pane_dir] => {
            return Ok(ccmux_keeper::run(Path::new(pane_dir), &mut || false));
        }
        ["flood", mebibytes] => flood(mebibytes.parse()?)?,
        _ => {
            let mebibytes = words.first().map_or(Ok(64), |word| word.parse())?;
            let mut ratios = Vec::new();
            for _ in 0..TURNS {
                let bare = bare(mebibytes)?;
                let kept = kept(mebibytes)?;
                ratios.push(kept / bare);
                println!("bare {bare:6.1} MB/s   keeper {kept:6.1} MB/s   {:.2}", kept / bare);
            }
            ratios.sort_by(f64::total_cmp);
            println!("median ratio {:.2}", ratios[TURNS / 2]);
            let (bare, kept) = (bare_echo()?, kept_echo()?);
            println!("echo p50/p99: bare {} µs, keeper {} µs", show(bare), show(kept));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn flood(mebibytes: usize) -> Outcome<()> {
    let line: Vec<u8> = (b' '..b' ' + 79).chain([b'\n']).collect();
    let block = line.repeat(200);
    let mut output = std::io::stdout().lock();
    for _ in 0..mebibytes * 1024 * 1024 / block.len() {
        output.write_all(&block)?;
    }
    Ok(())
}

/// Speed of a plain loop of blocking reads.
fn bare(mebibytes: usize) -> Outcome<f64> {
    let (master, mut child) = bare_pty(&spec(mebibytes)?)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut total = 0;
    let started = now();
    while let Ok(count @ 1..) = rustix::io::read(&master, &mut buffer) {
        total += count;
    }
    let speed = speed(total, started);
    child.wait()?;
    Ok(speed)
}

/// Speed through a keeper, read as a server reads.
fn kept(mebibytes: usize) -> Outcome<f64> {
    let directory = tempfile::TempDir::new()?;
    let mut server = Server::spawn(directory.path(), spec(mebibytes)?)?;
    let mut total = 0;
    let started = now();
    while server.take()? {
        total += server.taken.len();
    }
    let speed = speed(total, started);
    server.link.release()?;
    Ok(speed)
}

fn bare_echo() -> Outcome<Vec<u128>> {
    let (master, mut child) = bare_pty(&command(vec!["/bin/cat".into()]))?;
    let mut buffer = [0; 64];
    let mut times = Vec::new();
    for _ in 0..ECHOES {
        let started = now();
        rustix::io::write(&master, b"x")?;
        rustix::io::read(&master, &mut buffer)?;
        times.push(started.elapsed().as_micros());
    }
    drop(master);
    child.wait()?;
    Ok(times)
}

fn kept_echo() -> Outcome<Vec<u128>> {
    let directory = tempfile::TempDir::new()?;
    let mut server = Server::spawn(directory.path(), command(vec!["/bin/cat".into()]))?;
    let mut times = Vec::new();
    for _ in 0..ECHOES {
        let started = now();
        rustix::io::write(&server.master, b"x")?;
        server.take()?;
        times.push(started.elapsed().as_micros());
    }
    server.link.release()?;
    Ok(times)
}

struct Server {
    link: Link,
    ring: ServerRing,
    master: std::os::fd::OwnedFd,
    taken: Vec<u8>,
}

impl Server {
    fn spawn(directory: &Path, program: ChildSpec) -> Outcome<Server> {
        let pane_dir = directory.join("0194f7a0-0000-7000-8000-00000000002a");
        std::fs::create_dir(&pane_dir)?;
        let command = KeeperCommand {
            exe: std::env::current_exe()?,
            name: None,
            open_files: None,
            args: vec!["keeper".into()],
        };
        let alive = lock_alive(&pane_dir)?.ok_or("a keeper in a new directory")?;
        let mut link = Link::spawn(&command, alive, program)?;
        loop {
            await_readable(&link)?;
            for event in link.receive()? {
                match event {
                    LinkEvent::Ready { master, ring, .. } => {
                        return Ok(Server { link, ring, master, taken: Vec::new() });
                    }
                    LinkEvent::Failed(failure) => return Err(failure.into()),
                    LinkEvent::Bell | LinkEvent::Closed => {}
                }
            }
        }
    }

    /// Takes what there is into `taken`, and waits until there is something; false at the end.
    fn take(&mut self) -> Outcome<bool> {
        self.taken.clear();
        loop {
            let ended = self.ring.end()?.is_some();
            let offset = self.ring.spooled();
            let count = self.ring.copy_from(offset, 64 * 1024, &mut self.taken)? as u64;
            if count > 0 {
                if self.ring.set_spooled(offset + count)? == Wake::Ring {
                    self.link.bell()?;
                }
                return Ok(true);
            }
            if ended {
                return Ok(false);
            }
            if self.ring.arm_bell(offset)? {
                await_readable(&self.link)?;
                self.link.receive()?;
            }
        }
    }
}

fn await_readable(link: &Link) -> Outcome<()> {
    poll(&mut [PollFd::from_borrowed_fd(link.as_fd(), PollFlags::IN)], None)?;
    Ok(())
}

fn spec(mebibytes: usize) -> Outcome<ChildSpec> {
    let exe = std::env::current_exe()?.into_os_string().into_string().map_err(|_| "odd path")?;
    Ok(command(vec![exe, "flood".into(), mebibytes.to_string()]))
}

fn command(argv: Vec<String>) -> ChildSpec {
    ChildSpec {
        argv: argv.into_iter().map(Into::into).collect(),
        argv0: None,
        env: Vec::new(),
        cwd: None,
        size: WindowSize { rows: 24, cols: 80, width_px: 0, height_px: 0 },
        stream_offset: 0,
        oom_score_adj: None,
    }
}

/// The same program on a pty of our own.
fn bare_pty(spec: &ChildSpec) -> Outcome<(std::os::fd::OwnedFd, std::process::Child)> {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?.into_string()?;
    let terminal = std::fs::File::options().read(true).write(true).open(name)?;
    let child = std::process::Command::new(spec.argv[0].to_string())
        .args(spec.argv[1..].iter().map(ToString::to_string))
        .stdin(terminal.try_clone()?)
        .stdout(terminal.try_clone()?)
        .stderr(terminal)
        .spawn()?;
    Ok((master, child))
}

/// Megabytes in a second.
#[expect(clippy::cast_precision_loss, reason = "a measurement has three digits")]
fn speed(bytes: usize, started: Instant) -> f64 {
    bytes as f64 / 1e6 / started.elapsed().as_secs_f64()
}

fn show(mut times: Vec<u128>) -> String {
    times.sort_unstable();
    format!("{}/{}", times[times.len() / 2], times[times.len() * 99 / 100])
}

#[expect(clippy::disallowed_methods, reason = "a measurement")]
fn now() -> Instant {
    Instant::now()
}
