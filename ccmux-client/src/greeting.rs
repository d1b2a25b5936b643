//! Reaching a server that answers.

use ccmux_protocol::rendezvous::{Connected, Patience, StartError};
use ccmux_protocol::{ClientFrame, Hello, ServerFrame, VersionRange, Welcome};

use crate::error::ClientError;
use crate::link::Link;

/// Connects and exchanges greetings. A server that goes away before it has answered was about to
/// end when we came, or is giving way to another, and has done nothing for us yet: so that is tried
/// again.
pub(crate) fn greet(
    hello: &Hello,
    connect: impl Fn() -> Result<Connected, StartError>,
) -> Result<Link, ClientError> {
    let mut patience = Patience::new();
    loop {
        let mut link = Link::new(connect()?.stream);
        match exchange(&mut link, hello, &patience) {
            Ok(()) => return Ok(link),
            Err(ClientError::LostServer) if patience.pause() => {}
            Err(error) if error.is_restart() && patience.pause() => {}
            Err(error) => return Err(error),
        }
    }
}

fn exchange(link: &mut Link, hello: &Hello, patience: &Patience) -> Result<(), ClientError> {
    let left = patience.left();
    if left.is_zero() {
        return Err(ClientError::NoAnswer);
    }
    link.set_patience(Some(left))?;
    link.send(&ClientFrame::Hello(Box::new(hello.clone())))?;
    match link.receive_within(|| patience.left())? {
        ServerFrame::Welcome(Welcome { version, .. }) if !speaks(hello.versions, version) => {
            Err(ClientError::Version { version, ours: hello.versions })
        }
        ServerFrame::Welcome(welcome) => {
            link.set_server_pid(welcome.server_pid);
            link.set_patience(None)
        }
        ServerFrame::Refused(refusal) => Err(ClientError::Refused(refusal)),
        // A server speaks after it has welcomed us, not before.
        _ => Err(ClientError::NoGreeting),
    }
}

fn speaks(ours: VersionRange, version: u32) -> bool {
    (ours.min..=ours.max).contains(&version)
}
