//! The part of a conversation that needs no terminal: a command's output and status.

use std::io::{self, Write};

use ccmux_protocol::{Exit, ServerFrame};

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

/// Passes on what a command prints, until it ends or attaches us.
pub(crate) fn converse(
    link: &mut Link,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
) -> Result<Outcome, ClientError> {
    // Each replaces the one before, so two are all that is ever kept.
    let (mut leave, mut token) = (None, None);
    loop {
        match link.receive()? {
            ServerFrame::Stdout(bytes) => pass_on(&bytes, stdout),
            ServerFrame::Stderr(bytes) => pass_on(&bytes, stderr),
            ServerFrame::Exit(exit) => return Ok(Outcome::Ended(exit)),
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
            | ServerFrame::Suspend => {}
        }
    }
}

/// Whoever read our output may have had enough (`ccmux list-keys | head -1`). The command is done
/// all the same, and its status is still to come.
fn pass_on(bytes: &[u8], to: &mut dyn Write) {
    let _: io::Result<()> = to.write_all(bytes).and_then(|()| to.flush());
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use ccmux_protocol::{Refusal, RefusalCode, encode};

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

    #[test]
    fn output_and_status_are_passed_on() {
        let (mut link, _server) = link_to(&[
            ServerFrame::Stdout(b"one\n".to_vec()),
            ServerFrame::Stderr(b"bad\n".to_vec()),
            ServerFrame::Stdout(b"two\n".to_vec()),
            ServerFrame::Exit(Exit::done(3)),
        ]);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let outcome = converse(&mut link, &mut out, &mut err).unwrap();
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
        let outcome = converse(&mut link, &mut Vec::new(), &mut Vec::new()).unwrap();
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
        let outcome = converse(&mut link, &mut Closed, &mut Vec::new()).unwrap();
        assert_eq!(outcome, Outcome::Ended(Exit::done(0)));
    }

    #[test]
    fn a_server_that_vanishes_or_refuses_is_an_error() {
        let converse = |frames: &[ServerFrame]| {
            let (mut link, server) = link_to(frames);
            drop(server);
            converse(&mut link, &mut Vec::new(), &mut Vec::new()).unwrap_err().to_string()
        };
        assert_eq!(converse(&[ServerFrame::Stdout(vec![])]), "server exited unexpectedly");
        let refusal = Refusal { code: RefusalCode::Busy, message: "full".into(), hint: None };
        assert_eq!(converse(&[ServerFrame::Refused(refusal)]), "the server refused: full");
    }
}
