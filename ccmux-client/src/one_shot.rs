//! The part of a conversation that needs no terminal: a command's output and status.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

use ccmux_protocol::{ClientFrame, Exit, STDIN_BYTES_MAX, ServerFrame, StdinEnd};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::error::ClientError;
use crate::link::Link;

/// What a command came to.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It is done.
    Ended(Exit),
    /// It attached us to a session; this was said before the terminal was ours.
    Attached(Vec<ServerFrame>),
}

/// The streams of this process that a command line may use.
pub(crate) struct Streams<'a> {
    pub(crate) stdin: BorrowedFd<'a>,
    pub(crate) stdout: &'a mut dyn Write,
    pub(crate) stderr: &'a mut dyn Write,
}

/// Passes on what a command prints and what it wants to read, until it ends or attaches us.
pub(crate) fn converse(link: &mut Link, streams: Streams<'_>) -> Result<Outcome, ClientError> {
    let Streams { stdin, stdout, stderr } = streams;
    // Each replaces the one before, so two are all that is ever kept.
    let (mut leave, mut token) = (None, None);
    let (mut is_asked, mut unwritten) = (false, None);
    loop {
        let frame = match link.decoded_frame()? {
            Some(frame) => frame,
            None if is_asked && !waits_for_server(link, stdin)? => {
                if let Some(answer) = next_piece(stdin) {
                    is_asked = false;
                    link.send(&answer)?;
                }
                continue;
            }
            None => link.receive()?,
        };
        match frame {
            ServerFrame::Stdout(bytes) => {
                unwritten = unwritten.or(pass_on(&bytes, stdout).err());
            }
            // Where complaints cannot be written there is nobody to complain to.
            ServerFrame::Stderr(bytes) => drop(pass_on(&bytes, stderr)),
            ServerFrame::ReadStdin => is_asked = true,
            ServerFrame::Exit(exit) => {
                let Some(error) = unwritten else { return Ok(Outcome::Ended(exit)) };
                let words = format!("not all output could be written: {}\n", reason(&error));
                let _heard = pass_on(words.as_bytes(), stderr);
                let code = exit.code.max(1);
                return Ok(Outcome::Ended(Exit { code, ..exit }));
            }
            ServerFrame::Attached => {
                return Ok(Outcome::Attached(leave.into_iter().chain(token).collect()));
            }
            ServerFrame::Refused(refusal) => return Err(ClientError::Refused(refusal)),
            frame @ ServerFrame::Leave(_) => leave = Some(frame),
            frame @ ServerFrame::Token(_) => token = Some(frame),
            // Of interest to an attached client only.
            ServerFrame::Welcome(_)
            | ServerFrame::Output(_)
            | ServerFrame::OutputPart(_)
            | ServerFrame::Asks
            | ServerFrame::Answered
            | ServerFrame::Suspend => {}
        }
    }
}

/// Waits until the server says something (`true`) or stdin has something. Stdin may never end:
/// the server must be heard meanwhile, above all when it is gone.
fn waits_for_server(link: &Link, stdin: BorrowedFd<'_>) -> Result<bool, ClientError> {
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(link.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(stdin, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) if !fds[0].revents().is_empty() => return Ok(true),
            Ok(_) if !fds[1].revents().is_empty() => return Ok(false),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(ClientError::Wait(errno.into())),
        }
    }
}

/// What there is to read of stdin, which is ready; `None` if somebody else took it first.
fn next_piece(stdin: BorrowedFd<'_>) -> Option<ClientFrame> {
    let mut bytes = vec![0; STDIN_BYTES_MAX];
    let error = match rustix::io::read(stdin, &mut bytes) {
        Ok(0) => None,
        Ok(len) => {
            bytes.truncate(len);
            return Some(ClientFrame::Stdin(bytes));
        }
        Err(Errno::INTR | Errno::AGAIN) => return None,
        Err(errno) => Some(reason(&errno.into())),
    };
    Some(ClientFrame::StdinEnd(StdinEnd { error }))
}

/// The system's words for an error, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Whoever read our output may have had enough (`ccmux list-keys | head -1`). The command is done
/// all the same, and its status is still to come.
fn pass_on(bytes: &[u8], to: &mut dyn Write) -> io::Result<()> {
    match to.write_all(bytes).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _};
    use std::os::unix::net::UnixStream;

    use ccmux_protocol::{FrameDecoder, Refusal, RefusalCode, encode};

    use super::*;

    fn link_to(frames: &[ServerFrame]) -> (Link, UnixStream) {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut wire = Vec::new();
        for frame in frames {
            encode(frame, &mut wire).unwrap();
        }
        theirs.write_all(&wire).unwrap();
        (Link::new(ours), theirs)
    }

    fn null() -> File {
        File::open("/dev/null").unwrap()
    }

    fn streams<'a>(
        stdin: &'a impl AsFd,
        stdout: &'a mut dyn Write,
        stderr: &'a mut dyn Write,
    ) -> Streams<'a> {
        Streams { stdin: stdin.as_fd(), stdout, stderr }
    }

    #[test]
    fn output_and_status_are_passed_on() {
        let (mut link, _server) = link_to(&[
            ServerFrame::Stdout(b"one\n".to_vec()),
            ServerFrame::Stderr(b"bad\n".to_vec()),
            ServerFrame::Stdout(b"two\n".to_vec()),
            ServerFrame::Exit(Exit::done(3)),
        ]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = converse(&mut link, streams(&null(), &mut out, &mut err)).unwrap();
        assert_eq!(outcome, Outcome::Ended(Exit::done(3)));
        assert_eq!((out.as_slice(), err.as_slice()), (&b"one\ntwo\n"[..], &b"bad\n"[..]));
    }

    /// Everything was kept that came before an answer, however much.
    #[test]
    fn of_what_is_said_early_the_last_is_kept() {
        let said =
            |text: &[u8]| [ServerFrame::Token(text.to_vec()), ServerFrame::Leave(text.to_vec())];
        let frames = [said(b"a"), said(b"b"), [ServerFrame::Suspend, ServerFrame::Attached]];
        let (mut link, _server) = link_to(frames.as_flattened());
        let outcome =
            converse(&mut link, streams(&null(), &mut Vec::new(), &mut Vec::new())).unwrap();
        let kept = vec![ServerFrame::Leave(b"b".to_vec()), ServerFrame::Token(b"b".to_vec())];
        assert_eq!(outcome, Outcome::Attached(kept));
    }

    #[test]
    fn a_closed_stdout_does_not_cost_the_status() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (mut link, _server) =
            link_to(&[ServerFrame::Stdout(b"one\n".to_vec()), ServerFrame::Exit(Exit::done(0))]);
        let outcome = converse(&mut link, streams(&null(), &mut Closed, &mut Vec::new())).unwrap();
        assert_eq!(outcome, Outcome::Ended(Exit::done(0)));
    }

    #[test]
    fn a_server_that_vanishes_or_refuses_is_an_error() {
        let converse = |frames: &[ServerFrame]| {
            let (mut link, server) = link_to(frames);
            drop(server);
            converse(&mut link, streams(&null(), &mut Vec::new(), &mut Vec::new()))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(converse(&[ServerFrame::Stdout(vec![])]), "server exited unexpectedly");
        let refusal = Refusal { code: RefusalCode::Busy, message: "full".into(), hint: None };
        assert_eq!(converse(&[ServerFrame::Refused(refusal)]), "the server refused: full");
    }

    /// The other end of a link: asks for stdin so many times, and returns what it was answered.
    fn ask(mut server: UnixStream, times: usize) -> Vec<ClientFrame> {
        let mut decoder = FrameDecoder::new();
        let mut bytes = vec![0; 4096];
        let mut answers = Vec::new();
        for _ in 0..times {
            let mut wire = Vec::new();
            encode(&ServerFrame::ReadStdin, &mut wire).unwrap();
            server.write_all(&wire).unwrap();
            let answer = loop {
                if let Some(frame) = decoder.next_frame().unwrap() {
                    break frame;
                }
                let len = server.read(&mut bytes).unwrap();
                decoder.push(&bytes[..len]);
            };
            answers.push(answer);
        }
        answers
    }

    fn answers(stdin: &File, times: usize) -> Vec<ClientFrame> {
        let (mut link, server) = link_to(&[]);
        let server = std::thread::spawn(move || ask(server, times));
        let end = converse(&mut link, streams(stdin, &mut Vec::new(), &mut Vec::new()));
        assert!(matches!(end, Err(ClientError::LostServer)), "{end:?}");
        server.join().unwrap()
    }

    #[test]
    fn stdin_is_sent_in_pieces_as_it_is_asked_for() {
        let mut stdin = tempfile::tempfile().unwrap();
        stdin.write_all(&vec![b'x'; STDIN_BYTES_MAX + 1]).unwrap();
        stdin.rewind().unwrap();
        let pieces = [
            ClientFrame::Stdin(vec![b'x'; STDIN_BYTES_MAX]),
            ClientFrame::Stdin(b"x".to_vec()),
            ClientFrame::StdinEnd(StdinEnd::default()),
            ClientFrame::StdinEnd(StdinEnd::default()),
        ];
        assert!(answers(&stdin, 4) == pieces);
        let directory = File::open("/").unwrap();
        let failed = StdinEnd { error: Some("Is a directory".to_owned()) };
        assert_eq!(answers(&directory, 1), [ClientFrame::StdinEnd(failed)]);
    }

    /// Reading stdin, nothing was heard of the server any more.
    #[test]
    fn a_server_is_heard_while_stdin_says_nothing() {
        let (silent, _writer) = UnixStream::pair().unwrap();
        let (mut link, server) = link_to(&[ServerFrame::ReadStdin]);
        drop(server);
        let end = converse(&mut link, streams(&silent, &mut Vec::new(), &mut Vec::new()));
        assert!(matches!(end, Err(ClientError::LostServer)), "{end:?}");
        let (mut link, _server) =
            link_to(&[ServerFrame::ReadStdin, ServerFrame::Exit(Exit::done(1))]);
        let end = converse(&mut link, streams(&silent, &mut Vec::new(), &mut Vec::new()));
        assert_eq!(end.unwrap(), Outcome::Ended(Exit::done(1)));
    }
}
