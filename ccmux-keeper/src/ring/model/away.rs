//! A pane whose output the disk refuses: what it prints is stashed with its keeper, and it comes home
//! with a keyframe first, as `ccmux-server` does it (`pane/store/away.rs`, `server/away.rs`).

use super::rules::{Mistake, Rules};
use super::server::Server;
use super::world::{Disk, Next, StashWord, World};

/// What a server knows of a pane that has no spool.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Away {
    /// It has memory for the stash,
    has_stash: bool,
    /// and so has the keeper.
    is_handed: bool,
    /// A keyframe that shows everything before this offset is on its way to the disk,
    coming_home: Option<usize>,
    /// and has arrived there.
    is_stored: bool,
}

/// What a pane that is away needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Need {
    /// Nothing: let it go on.
    Nothing,
    /// The disk has to take the keyframe before anything is read.
    Patience,
    /// What it has printed must get into the stash.
    Stash,
}

impl World {
    /// Whether a pane must not be fed before its keyframe is on the disk.
    pub(super) fn is_coming_home(&self, server: &Server) -> bool {
        !self.disk.refuses && server.away.is_some_and(|away| away.coming_home.is_some())
    }

    /// Whether the disk has something to tell that a server waits for.
    pub(super) fn has_disk_news(&self, server: &Server) -> bool {
        let Some(away) = server.away else { return false };
        away.is_stored || away.coming_home.is_some() == self.disk.refuses
    }

    /// The disk refuses output, takes it again, or has stored what the archiver gave it.
    pub(super) fn add_disk(&self, rules: Rules, next: &mut Vec<Next>) {
        let Disk { stored, refuses } = self.disk;
        let on_its_way = self.server.as_ref().and_then(|server| server.away?.to_be_stored());
        let is_looked_at = self.server.as_ref().is_some_and(Server::looks_at_disk);
        if is_looked_at || on_its_way.is_some() || !rules.is_reduced {
            if let Some(left) = self.left.without_refusal().filter(|_| !refuses) {
                let disk = Disk { stored, refuses: true };
                next.push(("the disk refuses output", World { disk, left, ..self.clone() }));
            }
            if refuses {
                let disk = Disk { stored, refuses: false };
                next.push(("the disk takes output again", World { disk, ..self.clone() }));
            }
        }
        if let Some(offset) = on_its_way.filter(|_| !refuses) {
            let mut world = self.clone();
            world.disk.stored = stored.max(offset);
            if let Some(away) = world.server.as_mut().and_then(|server| server.away.as_mut()) {
                away.is_stored = true;
            }
            next.push(("the keyframe is on the disk", world));
        }
    }

    /// Appends to the spool, if there is one for the pane.
    pub(super) fn spool(
        &mut self,
        server: &mut Server,
        count: usize,
        rules: Rules,
    ) -> Result<(), String> {
        if rules.has(Mistake::SpooledWithoutKeyframe) && !self.disk.refuses {
            server.away = None;
        }
        if server.away.is_some() {
            return Ok(());
        }
        if self.disk.refuses {
            server.away = Some(Away::default());
            return Ok(());
        }
        let (stored, from) = (self.disk.stored, server.consumed);
        if from != stored {
            return Err(format!("the disk goes on at byte {from}, and ended at {stored}"));
        }
        self.disk.stored = from + count;
        Ok(())
    }

    /// What of the output, which was taken up to `taken`, is kept elsewhere than in the ring.
    pub(super) fn dispensable(&self, server: &Server, taken: usize, rules: Rules) -> usize {
        match server.away {
            None => taken,
            Some(_) if rules.has(Mistake::FreeWithoutStash) => taken,
            Some(away) if away.is_handed => self.stash,
            Some(away) if away.has_stash && rules.has(Mistake::FreeBeforeHanding) => self.stash,
            Some(_) => 0,
        }
    }

    /// Takes what the disk has to tell. Returns whether the pane came home.
    pub(super) fn hear_disk(&mut self, server: &mut Server, rules: Rules) -> bool {
        let Some(away) = &mut server.away else {
            if self.disk.refuses {
                // A failed sync is told, too.
                server.away = Some(Away::default());
            }
            return false;
        };
        if !std::mem::take(&mut away.is_stored) {
            return false;
        }
        let shown = away.coming_home.take();
        let is_home = shown == Some(server.consumed) || rules.has(Mistake::HomeWithOldKeyframe);
        if is_home {
            server.away = None;
            self.tell_of_stash(StashWord::Forget);
        }
        is_home
    }

    /// Looks after a pane that is away.
    pub(super) fn keep_away(&mut self, server: &mut Server, rules: Rules) -> Need {
        let has_unkept = server.has_unkept();
        let consumed = server.consumed;
        let Some(away) = &mut server.away else { return Need::Nothing };
        if away.coming_home.is_none() && !self.disk.refuses {
            away.coming_home = Some(consumed);
            if rules.has(Mistake::StashForgottenEarly) {
                self.tell_of_stash(StashWord::Forget);
            }
        }
        match (self.is_coming_home(server), has_unkept) {
            (true, _) => Need::Patience,
            (false, true) => Need::Stash,
            (false, false) => Need::Nothing,
        }
    }

    /// Puts a keyframe into the stash.
    pub(super) fn stash_keyframe(&mut self, server: &mut Server) {
        let Some(away) = &mut server.away else { return };
        if !std::mem::replace(&mut away.has_stash, true)
            && let Some(keeper) = &mut self.keeper
        {
            // What it may hold is other memory, from before the pane was home.
            keeper.forget_stash();
        }
        self.stash = server.consumed;
    }

    /// Leaves the stash with the keeper, if it does not hold it yet.
    pub(super) fn hand_stash(&mut self, server: &mut Server) {
        let Some(away) = server.away.as_mut().filter(|away| away.has_stash && !away.is_handed)
        else {
            return;
        };
        away.is_handed = true;
        self.tell_of_stash(StashWord::Hold);
    }

    /// A keeper that took another's place is ready: it is given the stash, once more perhaps.
    pub(super) fn hand_stash_again(&mut self, server: &mut Server) {
        if let Some(away) = &mut server.away {
            away.is_handed = false;
        }
        self.hand_stash(server);
    }

    /// A keeper is started in the place of another, and gets the stash with the ring.
    pub(super) fn replace_with_stash(&mut self, server: &Server, rules: Rules) {
        let has_stash = server.away.is_some_and(|away| away.has_stash);
        if has_stash && !rules.has(Mistake::StashAfterReady) {
            self.tell_of_stash(StashWord::Hold);
        }
    }

    /// What an earlier server left with the keeper: if it is later than what the disk has, the pane
    /// goes on from there.
    pub(super) fn take_stash(&mut self, server: &mut Server, rules: Rules) {
        if rules.has(Mistake::StashIgnored) {
            return;
        }
        if self.stash > self.disk.stored || rules.has(Mistake::OldStashTaken) {
            server.consumed = self.stash;
            let (has_stash, is_handed) = (true, true);
            server.away = Some(Away { has_stash, is_handed, ..Away::default() });
        } else {
            self.tell_of_stash(StashWord::Forget);
        }
    }

    fn tell_of_stash(&mut self, word: StashWord) {
        if self.keeper.is_some() {
            self.to_keeper.stash = Some(word);
        }
    }
}

impl Away {
    pub(super) fn is_handed(self) -> bool {
        self.is_handed
    }

    /// Whether a keyframe is on its way to the disk.
    pub(super) fn is_coming_home(self) -> bool {
        self.coming_home.is_some()
    }

    /// The keyframe that the archiver has.
    fn to_be_stored(self) -> Option<usize> {
        self.coming_home.filter(|_| !self.is_stored)
    }
}
