//! The proof of a new executable that it could go on where a running server is: see
//! `restart-server`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use ccmux_protocol::rendezvous::{Place, Proof, ReadyPipe};

use crate::clock::{Clock as _, SystemClock};
use crate::pane::store::thaw;
use crate::persistence::scrollback::{SpoolIndex, load_pane};
use crate::persistence::storage::{FsStorage, Storage};
use crate::persistence::{ReadOnly, boot_id, examine_log};

/// Recovers the state of `place`, which a server is using, in memory; reports on `ready` whether
/// this executable can go on with it.
pub fn prove(place: &Place, ready: ReadyPipe) -> ExitCode {
    match try_prove(&place.state_dir) {
        Ok(proof) => {
            ready.proven(&proof);
            ExitCode::SUCCESS
        }
        Err(why) => {
            ready.fail(&why);
            ExitCode::FAILURE
        }
    }
}

fn try_prove(state_dir: &Path) -> Result<Proof, String> {
    let storage = FsStorage::open_existing(state_dir).map_err(|error| error.to_string())?;
    let storage: Arc<dyn Storage> = Arc::new(ReadOnly::new(Arc::new(storage)));
    let log = examine_log(&storage, SystemClock::new().now(), boot_id())
        .map_err(|error| error.to_string())?;
    // Damage is no obstacle, and the server may be removing what was just listed. A keyframe that
    // is there and cannot be used is one: this executable would begin with an empty screen.
    for (id, pane) in &log.state.panes {
        let load = || {
            load_pane(&storage, &SpoolIndex::default(), pane.uuid, &mut |keyframe| {
                thaw(keyframe).map(drop)
            })
        };
        let is_readable = |image: &crate::persistence::scrollback::PaneImage| {
            image.keyframe.is_some() || image.damage.is_empty()
        };
        let mut image = load().map_err(|error| format!("pane {id}: {error}"))?;
        if !is_readable(&image) {
            image = load().map_err(|error| format!("pane {id}: {error}"))?;
        }
        if let (false, Some(damage)) = (is_readable(&image), image.damage.first()) {
            return Err(format!("pane {id}: {damage}"));
        }
    }
    let keepers = ccmux_keeper::VERSIONS;
    Ok(Proof {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        keeper_protocol: (*keepers.start(), *keepers.end()),
    })
}
