//! The processes that the tests start: a keeper, and programs to run in its pane.
//!
//! * `keeper STARTER PANE_DIR` runs a keeper. When the server vanishes it connects to the socket
//!   STARTER, says its nice value there, and reports whether that succeeded.
//! * `flood LINES` prints numbered lines as fast as it can.
//! * `report` prints what the program got from its keeper.

use std::error::Error;
use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::ExitCode;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words.as_slice() {
        ["keeper", starter, pane_dir] => {
            let start = || -> io::Result<()> {
                let nice = rustix::process::getpriority_process(None)?;
                // Not every test stays to hear it.
                let _heard = writeln!(UnixStream::connect(starter)?, "{nice}");
                Ok(())
            };
            Ok(ccmux_keeper::run(Path::new(pane_dir), &mut || start().is_ok()))
        }
        ["flood", lines] => {
            let mut output = io::BufWriter::with_capacity(16 * 1024, io::stdout().lock());
            for line in 0..lines.parse::<u64>()? {
                writeln!(output, "{line:08} {:x}", line.wrapping_mul(0x9e37_79b9_7f4a_7c15))?;
            }
            output.flush()?;
            Ok(ExitCode::SUCCESS)
        }
        ["report"] => {
            report()?;
            Ok(ExitCode::SUCCESS)
        }
        _ => Err("see the documentation of this file".into()),
    }
}

fn report() -> Result<(), Box<dyn Error>> {
    let mut output = io::stdout().lock();
    writeln!(output, "argv0={}", std::env::args().next().unwrap_or_default())?;
    writeln!(output, "cwd={}", std::env::current_dir()?.display())?;
    for (name, value) in std::env::vars() {
        writeln!(output, "env {name}={value}")?;
    }
    let size = rustix::termios::tcgetwinsize(io::stdin())?;
    writeln!(output, "size={}x{} {}x{}", size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel)?;
    let pid = rustix::process::getpid();
    let leads = rustix::process::getsid(None)? == pid
        && rustix::termios::tcgetsid(io::stdin())? == pid
        && rustix::termios::tcgetpgrp(io::stdin())? == pid;
    writeln!(output, "leads session and terminal={leads}")?;
    let modes = rustix::termios::tcgetattr(io::stdin())?.input_modes;
    writeln!(output, "utf8={}", modes.contains(rustix::termios::InputModes::IUTF8))?;
    for entry in std::fs::read_dir("/dev/fd")? {
        let descriptor: i32 = entry?.file_name().to_string_lossy().parse()?;
        writeln!(output, "fd={descriptor}")?;
    }
    #[cfg(target_os = "linux")]
    for line in std::fs::read_to_string("/proc/self/status")?.lines() {
        if line.starts_with("SigIgn") || line.starts_with("SigBlk") {
            writeln!(output, "{line}")?;
        }
    }
    #[cfg(target_os = "linux")]
    write!(output, "oom={}", std::fs::read_to_string("/proc/self/oom_score_adj")?)?;
    Ok(())
}
