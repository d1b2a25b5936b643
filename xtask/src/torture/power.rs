//! Power cuts: a real file system that forgets everything it has not been asked to keep.
//!
//! ext4 on a loop device, shut down by an ioctl that drops what is not on the disk, log included
//! (`EXT4_GOING_FLAGS_NOLOGFLUSH`), while a pane floods and commands are run. After each cut the file
//! system is mounted again, which replays its journal, and the state has to be the one that was
//! acknowledged, or that and the one command that was on its way.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use ccmux_testkit::{Process, TestEnv};
use rustix::ioctl::{Setter, ioctl, opcode};
use rustix::process::{Signal, geteuid};

use super::script::{Script, after_setting, snapshot};
use super::{Missing, keeping_evidence};

const DISK_BYTES: u64 = 1 << 30;
/// As large as a file system with a journal must be, and a little more.
const PROBE_BYTES: u64 = 32 << 20;
/// Commands before a cut, at most.
const COMMANDS_MAX: u64 = 12;
/// How often it is tried to unmount while processes that were killed still close their files.
const UNMOUNTS_MAX: u32 = 500;
/// Where the kernel tells one boot from another.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Shut down without writing the log of the file system.
const NO_LOG_FLUSH: u32 = 2;

/// Why there can be no power cuts on this machine, as far as that shows from outside.
pub(super) fn missing() -> Option<Missing> {
    if !geteuid().is_root() {
        return Some(Missing::Capability("the user is not root".to_owned()));
    }
    let tools = ["mkfs.ext4", "losetup", "mount", "umount", "unshare"];
    let is_there = |tool: &str| {
        std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|directory| directory.join(tool).exists())
        })
    };
    if let Some(tool) = tools.into_iter().find(|tool| !is_there(tool)) {
        return Some(Missing::Tool(format!("there is no {tool}")));
    }
    let mut unshare = Command::new("unshare");
    let output = unshare.args(["--mount", "--propagation", "private", "true"]).output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            Some(Missing::Capability(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
        }
        Err(error) => Some(Missing::Tool(format!("unshare: {error}"))),
    }
}

/// Cuts the power of a small file system, to see whether the machine allows that: inside a
/// container it may not, whoever the user is. Returns why not.
pub(super) fn refused() -> Result<Option<Missing>> {
    let directory = tempfile::TempDir::with_prefix("ccmux-")?;
    let place = directory.path().join("place");
    std::fs::create_dir(&place)?;
    let disk = Disk { image: directory.path().join("disk.img"), place };
    let tried = disk.format(PROBE_BYTES).and_then(|()| disk.mount()).and_then(|()| {
        let cut = disk.cut();
        disk.unmount()?;
        cut?;
        boot_anew(directory.path(), 0)?;
        // Nothing can be mounted over a file that is gone.
        run_tool("umount", |command| command.arg(BOOT_ID))
    });
    Ok(tried.err().map(|error| Missing::Capability(format!("{error:#}"))))
}

/// Cuts the power while `goes_on`, which is told the number of each cut; at least once.
pub(super) fn run(exe: &Path, seed: u64, goes_on: &mut dyn FnMut(u32) -> bool) -> Result<()> {
    let env = TestEnv::new(exe);
    let disk = Disk::new(&env)?;
    let mut script = Script::seeded(seed);
    start(&env, 0);
    let (mut lost, mut rounds) = (0, 0);
    while rounds == 0 || goes_on(rounds + 1) {
        rounds += 1;
        let name = format!("power-{seed}-{rounds}");
        let result =
            keeping_evidence(&env.state_dir(), &name, || cut(&env, &disk, &mut script, rounds));
        lost += result.with_context(|| format!("seed {seed}, round {rounds}"))?;
    }
    println!(
        "torture: {rounds} power cuts, every acknowledged change was back; {lost} of {rounds} commands \
         on their way had not been kept"
    );
    Ok(())
}

/// Everything up to a cut and what is there after it; returns whether the command on its way is
/// lost.
fn cut(env: &TestEnv, disk: &Disk, script: &mut Script, round: u32) -> Result<u32> {
    for _ in 0..script.below(COMMANDS_MAX) {
        let command = script.next(env);
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        // What cannot be done (no space for a pane) is said, and changes nothing.
        env.ccmux(&words);
    }
    let acknowledged = snapshot(env);
    let mut everybody = vec![env.server()];
    let pending = script.setting();
    let words: Vec<&str> = pending.iter().map(String::as_str).collect();
    let mut client = env.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    if script.below(2) == 0 {
        client.wait()?;
    }
    disk.cut()?;
    // While there is a server: without one it would start another.
    client.kill()?;
    client.wait()?;
    everybody.extend(env.keepers());
    end(&everybody);
    disk.unmount()?;
    disk.mount()?;
    boot_anew(env.path(), round)?;

    let doctor = env.ccmux(&["doctor"]);
    ensure!(doctor.code == Some(0), "the doctor says: {}{}", doctor.stdout, doctor.stderr);
    env.ok(&["start-server"]);
    let found = snapshot(env);
    let is_lost = match found {
        found if found == acknowledged => 1,
        found if found == after_setting(&acknowledged, &pending) => 0,
        found => bail!("acknowledged:\n{acknowledged}\npending: {pending:?}\nfound:\n{found}"),
    };
    check_output(env, round - 1)?;
    start(env, round);
    Ok(is_lost)
}

/// The machine was started anew, as far as programs started from here on can see: no power goes
/// within a boot. Nobody outside sees it, nor when this is over.
fn boot_anew(directory: &Path, number: u32) -> Result<()> {
    let boot = directory.join(format!("boot-{number}"));
    std::fs::write(&boot, format!("00000000-0000-4000-8000-{number:012x}\n"))?;
    run_tool("mount", |command| command.arg("--bind").arg(&boot).arg(BOOT_ID))
}

/// Has the first pane flood numbered lines of this round, of which the first is on the disk.
fn start(env: &TestEnv, round: u32) {
    let line = format!("printf \"R{round} L%08d what a program prints\\n\", ++n");
    let program = format!("exec awk 'BEGIN {{ {line}; fflush(); getline; while (1) {line} }}'");
    if round == 0 {
        env.ok(&[
            "new-session",
            "-d",
            "-s",
            "work",
            "-n",
            "flood",
            "-x",
            "80",
            "-y",
            "24",
            &program,
        ]);
        env.ok(&["set-option", "-g", "history-limit", "300000"]);
    } else {
        env.ok(&["respawn-pane", "-k", "-t", "%0", &program]);
    }
    let first = format!("R{round} L");
    // By now the pane may have one row, or one column.
    let shown = ["capture-pane", "-p", "-J", "-S", "-100", "-t", "%0"];
    env.wait_ok(&shown, |text| text.contains(&first));
    env.wait_status(|status| status["output"]["unsynced_pieces"] == 0);
    env.ok(&["send-keys", "-t", "%0", "Enter"]);
}

/// What is left of a round's output is its beginning: nothing is missing in between.
fn check_output(env: &TestEnv, round: u32) -> Result<()> {
    let text = env.ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", "%0"]);
    let start = format!("R{round} L");
    let mut last: Option<u64> = None;
    for line in text.lines() {
        let number = line.strip_prefix(&start).and_then(|rest| rest.get(..8));
        let Some(number) = number.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let number: u64 = number.parse()?;
        ensure!(last.is_none_or(|last| number == last + 1), "{last:?} is followed by {line:?}");
        last = Some(number);
    }
    ensure!(last.is_some(), "nothing is left of what round {round} printed");
    Ok(())
}

/// Ends processes at once, the first of which would see the others end.
fn end(processes: &[Process]) {
    if let Some(server) = processes.first() {
        server.signal(Signal::STOP);
    }
    for process in processes.iter().rev() {
        process.signal(Signal::KILL);
    }
    for process in processes {
        process.wait_gone();
    }
}

/// The file system of the state directory.
#[derive(Debug)]
struct Disk {
    image: PathBuf,
    place: PathBuf,
}

impl Disk {
    fn new(env: &TestEnv) -> Result<Self> {
        let place = env.state_dir().parent().context("it has a parent")?.to_owned();
        std::fs::create_dir_all(&place)?;
        let disk = Disk { image: env.path().join("disk.img"), place };
        disk.format(DISK_BYTES)?;
        disk.mount()?;
        Ok(disk)
    }

    fn format(&self, bytes: u64) -> Result<()> {
        File::create_new(&self.image)?.set_len(bytes)?;
        run_tool("mkfs.ext4", |command| command.arg("-qF").arg(&self.image))
    }

    fn mount(&self) -> Result<()> {
        run_tool("mount", |command| command.args(["-o", "loop"]).arg(&self.image).arg(&self.place))
    }

    fn cut(&self) -> Result<()> {
        let directory = File::open(&self.place)?;
        #[expect(unsafe_code, reason = "no safe binding knows this ioctl")]
        // SAFETY: FS_IOC_SHUTDOWN reads a 32-bit number, and writes nothing.
        unsafe {
            const SHUTDOWN: u32 = opcode::read::<u32>(b'X', 125);
            ioctl(&directory, Setter::<SHUTDOWN, u32>::new(NO_LOG_FLUSH))?;
        }
        Ok(())
    }

    fn unmount(&self) -> Result<()> {
        for _ in 1..UNMOUNTS_MAX {
            let mut command = Command::new("umount");
            if command.arg(&self.place).stderr(Stdio::null()).status()?.success() {
                return Ok(());
            }
        }
        run_tool("umount", |command| command.arg(&self.place))
    }
}

fn run_tool(tool: &str, arguments: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    let mut command = Command::new(tool);
    arguments(&mut command);
    let output = command.output().with_context(|| format!("{tool} starts"))?;
    ensure!(output.status.success(), "{tool}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
