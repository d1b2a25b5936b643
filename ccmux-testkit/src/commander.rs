//! Command lines without a process for each.

use std::io::{self, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use ccmux_protocol::{ClientFrame, FrameDecoder, Hello, ServerFrame, VersionRange, encode};

use crate::env::TestEnv;

/// Says to a server what `ccmux COMMAND` would say, each command line over a connection of its own,
/// as it is with the executable; so a measurement is of the server and not of starting processes.
#[derive(Clone, Debug)]
pub struct Commander {
    socket: PathBuf,
    hello: Vec<u8>,
}

impl Commander {
    /// For the default server of a world, which must be running.
    pub fn new(env: &TestEnv) -> Self {
        let hello = Hello {
            versions: VersionRange::OURS,
            client_version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: rustix::process::getpid().as_raw_nonzero().get().cast_unsigned(),
            is_tty: false,
            tty: None,
            size: None,
            term: None,
            colorterm: None,
            cell_px: None,
            term_program: None,
            cwd: env.home().as_os_str().as_bytes().into(),
            env: Vec::new(),
            read_only: false,
        };
        let mut wire = Vec::new();
        encode(&ClientFrame::Hello(Box::new(hello)), &mut wire).expect("a greeting is short");
        Commander { socket: env.socket(), hello: wire }
    }

    /// Runs a command line to its end, when what it changed is durable. Its output is not kept.
    ///
    /// # Errors
    /// The server went away, refused, failed at the command, or could not make it durable.
    pub fn run(&self, args: &[&str]) -> io::Result<()> {
        let mut wire = self.hello.clone();
        let argv = args.iter().map(|word| (*word).into()).collect();
        encode(&ClientFrame::Command(argv), &mut wire).map_err(io::Error::other)?;
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.write_all(&wire)?;
        let mut decoder = FrameDecoder::new();
        let mut buffer = [0; 4096];
        loop {
            while let Some(frame) = decoder.next_frame().map_err(io::Error::other)? {
                match frame {
                    ServerFrame::Exit(exit) if exit.code == 0 && exit.durable => return Ok(()),
                    ServerFrame::Exit(_) | ServerFrame::Refused(_) => {
                        return Err(io::Error::other(format!("{args:?}: {frame:?}")));
                    }
                    _ => {}
                }
            }
            match stream.read(&mut buffer)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                len => decoder.push(&buffer[..len]),
            }
        }
    }
}
