//! Answers of a terminal that is left before they have come: whoever reads from it next would find them
//! typed.
//!
//! A terminal answers in the order in which it was asked. So it is asked once more, for something that
//! every terminal answers, and what comes until then is dropped.

use std::os::fd::AsFd;
use std::time::Duration;

use ccmux_protocol::rendezvous::Patience;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, read};

/// A terminal that has not answered for so long does not answer.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(5);
/// So long nobody waits who leaves.
pub(crate) const PARTING_MAX: Duration = Duration::from_secs(1);

/// Asks how the terminal is (DSR 5).
pub(crate) const LAST_QUESTION: &[u8] = b"\x1b[5n";
/// It is well.
const LAST_ANSWER: &[u8] = b"\x1b[0n";

/// Reads and drops what a terminal sends until it has answered [`LAST_QUESTION`], or is gone. Returns
/// `false` when there is no patience left.
pub(crate) fn drop_answers(terminal: impl AsFd, patience: &Patience) -> bool {
    let mut seen = Vec::new();
    let mut bytes = [0; 1024];
    loop {
        let left = patience.left();
        if left.is_zero() {
            return false;
        }
        let timeout = Timespec::try_from(left).expect("seconds fit");
        let mut fds = [PollFd::new(&terminal, PollFlags::IN)];
        if poll(&mut fds, Some(&timeout)) == Ok(0) {
            return false;
        }
        match read(&terminal, &mut bytes) {
            Ok(0) => return true,
            Ok(n) => {
                seen.extend_from_slice(&bytes[..n]);
                if seen.windows(LAST_ANSWER.len()).any(|part| part == LAST_ANSWER) {
                    return true;
                }
                seen.drain(..seen.len().saturating_sub(LAST_ANSWER.len()));
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(_) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_comes_before_the_last_answer_is_dropped() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        for parts in [
            &[&b"\x1b[0n"[..]][..],
            &[b"\x1bP>|xterm\x1b\\\x1b[6;20;10t", b"\x1b[?64;1c\x1b", b"[", b"0n"],
        ] {
            let (mut rest, terminal) = (ours.try_clone().unwrap(), ours.try_clone().unwrap());
            let waiting = std::thread::spawn(move || {
                drop_answers(&terminal, &Patience::of(ccmux_testkit::DEADLINE))
            });
            for part in parts {
                theirs.write_all(part).unwrap();
            }
            assert!(waiting.join().unwrap(), "{parts:?}");
            theirs.write_all(b"typed").unwrap();
            let mut bytes = [0; 64];
            let n = rest.read(&mut bytes).unwrap();
            assert_eq!(&bytes[..n], b"typed");
        }
    }

    #[test]
    fn who_does_not_answer_or_is_gone_is_not_waited_for() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        assert!(!drop_answers(&ours, &Patience::of(Duration::from_nanos(1))));
        drop(theirs);
        assert!(drop_answers(&ours, &Patience::of(ccmux_testkit::DEADLINE)));
    }
}
