//! Scripts for the structural log.

use proptest::prelude::*;

use crate::persistence::sim::{CallKind, Decay, Fault, SimStorage};
use crate::persistence::tests::world::{Moment, World, open, same};
use crate::persistence::wal::MARK_FILE;
use crate::persistence::{LogHealth, Persistence, Recovered, Seq};

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A command.
    Act,
    /// The committer syncs.
    Commit,
    Checkpoint,
    /// Ends of programs become final.
    Settle,
    /// The server ends in good order, and another starts.
    Finish,
    /// The server is killed, and another starts.
    Kill(Vec<Trouble>),
    /// The power goes, and comes back.
    Cut {
        seed: u64,
        troubles: Vec<Trouble>,
    },
    /// The power goes at one of the next calls.
    CutAt {
        call: u64,
        seed: u64,
        troubles: Vec<Trouble>,
    },
    /// Calls fail.
    Fail(Failure),
    /// No call fails any more.
    Heal,
    /// The server is killed, and something decays before another starts.
    Decay(Vec<Decay>, Vec<Trouble>),
}

/// What happens to a start.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// It is killed at a call.
    Killed { call: u64 },
    /// The power goes at a call.
    Cut { call: u64, seed: u64 },
    /// Calls fail.
    Fail(Failure),
}

/// Calls that fail.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) kind: CallKind,
    pub(super) nth: u64,
    pub(super) times: u64,
    pub(super) fault: Fault,
}

/// A seed for what the server does, and what happens to it.
pub(super) fn scripts() -> impl Strategy<Value = (u64, Vec<Step>)> {
    (any::<u64>(), prop::collection::vec(step(), 1..60))
}

fn step() -> impl Strategy<Value = Step> {
    let troubles = || prop::collection::vec(trouble(), 0..4);
    prop_oneof![
        24 => Just(Step::Act),
        8 => Just(Step::Commit),
        3 => Just(Step::Checkpoint),
        2 => Just(Step::Settle),
        1 => Just(Step::Finish),
        2 => troubles().prop_map(Step::Kill),
        2 => (any::<u64>(), troubles()).prop_map(|(seed, troubles)| Step::Cut { seed, troubles }),
        2 => (1_u64..20, any::<u64>(), troubles())
            .prop_map(|(call, seed, troubles)| Step::CutAt { call, seed, troubles }),
        2 => prop_oneof![4 => failure(), 1 => unseen()].prop_map(Step::Fail),
        1 => Just(Step::Heal),
        1 => (prop::collection::vec(decay(), 1..3), troubles())
            .prop_map(|(decays, troubles)| Step::Decay(decays, troubles)),
    ]
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        2 => (1_u64..60).prop_map(|call| Trouble::Killed { call }),
        2 => (1_u64..60, any::<u64>()).prop_map(|(call, seed)| Trouble::Cut { call, seed }),
        1 => failure().prop_map(Trouble::Fail),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    use CallKind::{Allocate, Create, CreateDir, Read, Remove, Rename, Sync, SyncDir, Write};
    let kinds = prop::sample::select(vec![
        Allocate, Create, CreateDir, Remove, Rename, Sync, SyncDir, Write,
    ]);
    let errors = prop::sample::select(vec![Fault::Io, Fault::NoSpace]);
    let times = prop_oneof![Just(1_u64), 2_u64..6, Just(u64::MAX)];
    let failing = (kinds, 1_u64..6, times, errors).prop_map(|(kind, nth, times, fault)| Failure {
        kind,
        nth,
        times,
        fault,
    });
    let shortened = prop::sample::select(vec![Read, Write]).prop_map(|kind| Failure {
        kind,
        nth: 1,
        times: u64::MAX,
        fault: Fault::Short,
    });
    prop_oneof![4 => failing, 1 => shortened]
}

/// A call in which the server is killed, and that fails.
fn unseen() -> impl Strategy<Value = Failure> {
    let kinds = vec![CallKind::Sync, CallKind::SyncDir, CallKind::Write, CallKind::Rename];
    (prop::sample::select(kinds), 1_u64..6).prop_map(|(kind, nth)| Failure {
        kind,
        nth,
        times: 1,
        fault: Fault::IoUnseen,
    })
}

/// Decay of a file, chosen by a number.
pub(in crate::persistence) fn decay() -> impl Strategy<Value = Decay> {
    let n = any::<u64>;
    prop_oneof![
        4 => (n(), n()).prop_map(|(file, bit)| Decay::Bit { file, bit }),
        2 => (n(), n()).prop_map(|(file, sector)| Decay::Sector { file, sector }),
        1 => (n(), n()).prop_map(|(file, bytes)| Decay::Truncated { file, bytes }),
        1 => n().prop_map(|file| Decay::Gone { file }),
        1 => n().prop_map(|file| Decay::Unreadable { file }),
        1 => (n(), n()).prop_map(|(file, with)| Decay::Swapped { file, with }),
        1 => n().prop_map(|back| Decay::LostRename { back }),
    ]
}

/// How a server came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Accident {
    Kill,
    PowerCut,
    /// Something decayed; what can be lost without a word is `is_silent`.
    Decay {
        is_silent: bool,
    },
}

/// Runs a script; the error says which promise was broken.
pub(super) fn run((seed, steps): &(u64, Vec<Step>)) -> Result<(), String> {
    let mut life = Life::begin(*seed)?;
    for (at, step) in steps.iter().enumerate() {
        life.step(step)
            .map_err(|error| format!("step {at} {step:?}: {error}\n{}", life.storage.trace()))?;
    }
    Ok(())
}

struct Life {
    storage: SimStorage,
    world: World,
    persistence: Option<Persistence>,
    /// Every moment there ever was.
    past: Vec<Moment>,
    /// What is to happen once the power is off.
    cut: (u64, Vec<Trouble>),
    /// The last record, if the server was killed and nothing else happened.
    kept: Option<Seq>,
    /// The last record of this server. The world may know later ones, which an earlier one lost.
    issued: Seq,
    /// The last acknowledged number that a record has, or that a segment was begun behind: one that only a
    /// checkpoint has is given to nobody.
    given: Seq,
    /// The last number when this server started.
    began_at: Seq,
    /// What decayed could not be put out of the way, because calls failed.
    is_untidy: bool,
    /// Calls failed: a sync that does may take what was written, and the mark tells of that.
    has_failed: bool,
}

impl Life {
    fn begin(seed: u64) -> Result<Self, String> {
        let storage = SimStorage::new(seed);
        let world = World::new(seed);
        let past = world.history.values().cloned().collect();
        let mut life = Self {
            storage,
            world,
            persistence: None,
            past,
            cut: (0, Vec::new()),
            kept: None,
            issued: Seq(0),
            given: Seq(0),
            began_at: Seq(0),
            is_untidy: false,
            has_failed: false,
        };
        life.start(Accident::Kill, &[])?;
        Ok(life)
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let persistence = self.persistence.as_mut().ok_or("no server")?;
        match step {
            Step::Act => drop(self.world.act(persistence)),
            Step::Commit => persistence.commit_now(),
            // Refused while programs have just ended.
            Step::Checkpoint => drop(persistence.checkpoint(&self.world.state, self.world.now)),
            Step::Settle => self.world.settle(persistence),
            Step::Finish => {
                let persistence = self.persistence.take().ok_or("no server")?;
                self.issued = persistence.issued();
                let health = persistence.finalize(&self.world.state, self.world.now);
                if health == LogHealth::Durable && !self.storage.is_off() {
                    self.world.acknowledged = self.issued;
                }
                return self.accident(Accident::Kill, None, &[]);
            }
            Step::Kill(troubles) => return self.accident(Accident::Kill, None, troubles),
            Step::Cut { seed, troubles } => {
                return self.accident(Accident::PowerCut, Some(*seed), troubles);
            }
            Step::CutAt { call, seed, troubles } => {
                self.storage.strike(self.storage.calls() + call, Fault::PowerCut);
                self.cut = (*seed, troubles.clone());
            }
            Step::Fail(failure) => failure.install(&self.storage),
            Step::Heal => self.storage.heal(),
            Step::Decay(decays, troubles) => return self.decay(decays, troubles),
        }
        self.world.observe(persistence);
        if persistence.health() == LogHealth::Durable {
            self.given = persistence.issued();
        } else if persistence.durable() > self.began_at {
            self.given = persistence.durable();
        }
        self.issued = persistence.issued();
        if self.storage.is_off() {
            let (seed, troubles) = std::mem::take(&mut self.cut);
            if self.storage.was_killed() {
                return self.accident(Accident::Kill, None, &troubles);
            }
            return self.accident(Accident::PowerCut, Some(seed), &troubles);
        }
        Ok(())
    }

    fn accident(
        &mut self,
        accident: Accident,
        cut: Option<u64>,
        troubles: &[Trouble],
    ) -> Result<(), String> {
        self.end(cut)?;
        self.start(accident, troubles)
    }

    /// Ends the server. A kill costs nothing, unless calls had failed.
    fn end(&mut self, cut: Option<u64>) -> Result<(), String> {
        self.persistence = None;
        self.has_failed = self.storage.has_struck();
        let resyncs = self.storage.resyncs();
        if !resyncs.is_empty() {
            return Err(format!("P8: synced again after a failure: {resyncs:?}"));
        }
        self.past.extend(self.world.history.values().cloned());
        let is_kept = cut.is_none() && !self.storage.has_struck();
        self.kept = is_kept.then_some(self.issued);
        self.storage = match cut {
            Some(seed) => self.storage.power_cut(seed),
            None => self.storage.kill(),
        };
        Ok(())
    }

    fn decay(&mut self, decays: &[Decay], troubles: &[Trouble]) -> Result<(), String> {
        let had_failed = self.storage.has_struck();
        self.end(None)?;
        let newest = self.last_segments();
        let what: Vec<String> =
            decays.iter().filter_map(|decay| self.storage.decay(*decay)).collect();
        // One decay may hide what witnesses another. Only the mark witnesses the end of the newest records:
        // a disk that failed may not have taken it, and a power cut may take it.
        let is_newest = what.iter().any(|what| newest.iter().any(|name| what.contains(name)));
        let may_be_cut = troubles.iter().any(|trouble| matches!(trouble, Trouble::Cut { .. }));
        let hides_mark = what.iter().any(|what| what.contains(MARK_FILE));
        // Another decay may have hidden it before, and a start whose calls failed has made no new witness.
        let is_silent = what.len() > 1
            || hides_mark
            || self.is_untidy
            || (is_newest && (had_failed || may_be_cut));
        self.start(Accident::Decay { is_silent }, troubles)
            .map_err(|error| format!("{what:?}: {error}"))
    }

    /// Names of the newest segment that has records and of the empty ones behind it.
    fn last_segments(&self) -> Vec<String> {
        let mut segments: Vec<_> = self.storage.files().into_iter().collect();
        segments.retain(|(path, _)| path.extension().is_some_and(|extension| extension == "wal"));
        let mut names = Vec::new();
        while let Some((path, bytes)) = segments.pop() {
            names.extend(path.file_name().and_then(|name| name.to_str()).map(str::to_owned));
            if bytes.iter().skip(SEGMENT_HEADER_BYTES).any(|byte| *byte != 0) {
                break;
            }
        }
        names
    }

    /// Starts a server, after others that came to grief while they started; checks what it finds.
    fn start(&mut self, mut accident: Accident, troubles: &[Trouble]) -> Result<(), String> {
        let (told, told_of_poison) = (self.told(), self.told_of(POISONED));
        let reference = self.storage.fork();
        let mut is_failing = false;
        let was_cut = accident == Accident::PowerCut;
        let mut is_cut = was_cut;
        for trouble in troubles {
            let (call, cut) = match trouble {
                Trouble::Killed { call } => (*call, None),
                Trouble::Cut { call, seed } => (*call, Some(*seed)),
                Trouble::Fail(failure) => {
                    failure.install(&self.storage);
                    is_failing = true;
                    self.has_failed = true;
                    continue;
                }
            };
            self.storage.strike(self.storage.calls() + call, Fault::PowerCut);
            drop(open(&self.storage, self.storage.boot(), self.world.now));
            self.storage = match cut {
                Some(seed) => self.storage.power_cut(seed),
                None => self.storage.kill(),
            };
            is_cut |= cut.is_some();
        }
        if is_cut && accident == Accident::Kill {
            accident = Accident::PowerCut;
        }
        if let Some(last) = self.kept.take().filter(|_| !is_cut && !is_failing) {
            self.world.acknowledged = last;
        }
        let boot = self.storage.boot();
        let (persistence, recovered) =
            open(&self.storage, boot, self.world.now).map_err(|error| error.to_string())?;
        let report = &recovered.report;
        // Two starts that are killed while they apply the same record look like two crashes at it.
        let starts = troubles.iter().filter(|trouble| trouble.is_start()).count();
        let is_poisoned = starts >= 2
            && (report.to_string().contains(POISONED) || self.told_of(POISONED) > told_of_poison);
        if is_poisoned {
            accident = Accident::Decay { is_silent: false };
        }
        // Such a start may have made ends of programs final before the power went.
        let may_be_settled = !was_cut && starts > 0;
        self.check(accident, (is_cut, may_be_settled), &recovered, told)
            .map_err(|why| format!("{why}: {report}"))?;
        let is_silent = accident == Accident::Decay { is_silent: true };
        if persistence.issued() < self.world.acknowledged.min(self.given) && !is_silent {
            return Err(format!("numbers from {} on are given out again", persistence.issued()));
        }
        let cuts = troubles.iter().any(|trouble| matches!(trouble, Trouble::Cut { .. }));
        if (was_cut || !cuts) && !is_poisoned {
            // Nothing that was found could get lost.
            let (_, found) =
                open(&reference, boot, self.world.now).map_err(|error| error.to_string())?;
            if found.state != recovered.state && !is_failing {
                return Err(format!("P3: without troubles: {}; with them: {report}", found.report));
            }
        }
        let may_be_damaged = self.is_untidy || matches!(accident, Accident::Decay { .. });
        self.is_untidy = may_be_damaged && is_failing;
        if !is_failing {
            self.check_again(&persistence, &recovered, boot)?;
        }
        let issued = persistence.issued();
        self.began_at = issued;
        let is_decay = matches!(accident, Accident::Decay { .. });
        // A state without what was lost can look like one after ends of programs.
        let is_final = is_cut || (is_decay && !persistence.is_unsettled());
        // Records in doubt are logged again by a start, and decay may leave some of those.
        let is_told = recovered.report.lost.is_some() || self.told() > told;
        let is_lost = is_decay && (is_told || is_silent);
        let past: &[Moment] = if is_lost { &self.past } else { &[] };
        if persistence.health() == LogHealth::Durable {
            self.given = issued;
            self.world.rebase(issued, recovered, is_final, past);
        } else {
            if is_decay {
                self.world.acknowledged = Seq(0);
                self.given = recovered.report.reached;
            }
            self.world.go_on(issued, recovered, is_final, past);
        }
        self.world.observe(&persistence);
        self.issued = issued;
        self.persistence = Some(persistence);
        Ok(())
    }

    /// P3 and P4: another start finds the same, and no damage.
    fn check_again(
        &self,
        persistence: &Persistence,
        first: &Recovered,
        boot: uuid::Uuid,
    ) -> Result<(), String> {
        if persistence.health() != LogHealth::Durable {
            return Err(format!("not durable: {:?}", persistence.health()));
        }
        let (_, second) = open(&self.storage.fork().kill(), boot, self.world.now)
            .map_err(|error| error.to_string())?;
        if second.state != first.state || !second.report.is_clean() || second.report.undone > 0 {
            return Err(format!("P3: the second start: {}", second.report));
        }
        Ok(())
    }

    /// P1, P2 and P4.
    fn check(
        &self,
        accident: Accident,
        (is_new_boot, may_be_settled): (bool, bool),
        recovered: &Recovered,
        told: usize,
    ) -> Result<(), String> {
        let Recovered { state, report, .. } = recovered;
        let of = |moment: &Moment| {
            let is_old = self.world.now.0 >= moment.last_end.0 + 10_000;
            let may_stand = !is_new_boot || (may_be_settled && is_old);
            let is_undone = is_new_boot && moment.is_undone(state);
            is_undone || (may_stand && same(&moment.state, state))
        };
        let mut kept = self.world.history.range(self.world.acknowledged..);
        if kept.any(|(_, moment)| of(moment)) {
            let is_told_of_failure = self.has_failed && report.lost.is_some();
            let is_damage_told =
                self.is_untidy || is_told_of_failure || matches!(accident, Accident::Decay { .. });
            return if report.is_clean() || is_damage_told {
                Ok(())
            } else {
                Err(format!("damage reported after a mere {accident:?}"))
            };
        }
        // A damaged header does not say in which boot ends of programs were logged.
        let is_it = |moment: &Moment| same(&moment.state, state) || moment.is_undone(state);
        let has_been = self.past.iter().any(is_it);
        if has_been && self.may_come_back(is_new_boot) {
            return Ok(());
        }
        let Accident::Decay { is_silent } = accident else {
            return Err(format!("what was acknowledged up to {} is lost", self.world.acknowledged));
        };
        if !has_been {
            return Err("P2: a state that never was".to_owned());
        }
        if !is_silent && report.is_clean() && report.undone == 0 && self.told() == told {
            return Err("P4: lost without a word".to_owned());
        }
        Ok(())
    }

    /// Whether more may be found than the last start did: it found damage, a disk that failed took nothing of it since,
    /// and a power cut brings back segments whose removal was not synced.
    fn may_come_back(&self, is_new_boot: bool) -> bool {
        is_new_boot && self.is_untidy && self.world.acknowledged == Seq(0)
    }

    /// How often `recovery.jsonl` tells of damage.
    fn told(&self) -> usize {
        self.told_of(r#""damage":[{"#)
    }

    fn told_of(&self, what: &str) -> usize {
        let all = self.storage.files();
        // One that could not be read is in the quarantine.
        let histories = all.iter().filter(|(path, _)| path.to_string_lossy().ends_with(HISTORY));
        let count = |bytes: &Vec<u8>| {
            bytes.windows(what.len()).filter(|found| *found == what.as_bytes()).count()
        };
        histories.map(|(_, bytes)| count(bytes)).sum()
    }
}

const SEGMENT_HEADER_BYTES: usize = 4176;

/// Where it is told what starts have found.
const HISTORY: &str = "recovery.jsonl";

/// What is said of a record that is left out because two starts ended at it.
const POISONED: &str = "recovery crashed at it twice";

impl Trouble {
    /// Whether a start begins, and is cut short.
    fn is_start(&self) -> bool {
        !matches!(self, Self::Fail(_))
    }
}

impl Failure {
    fn install(self, storage: &SimStorage) {
        storage.fail(self.kind, self.nth, self.times, self.fault);
    }
}
