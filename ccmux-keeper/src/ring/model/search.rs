//! Every interleaving of keeper, server, program, disk, kills, adoptions and replacements.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::rules::{Mistake, Rules};
use super::world::{ANY, Accidents, Outcome, World};

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    states: usize,
    ended: usize,
    lost: usize,
    /// How much was stored, and what was answered, where it was over.
    endings: BTreeSet<(Outcome, usize, u32)>,
}

/// How a state was reached: the step before, and the one that led to it.
type Trail = Vec<(usize, &'static str)>;

/// States that are known, each with the accidents that were left in it.
#[derive(Default)]
struct Known(HashMap<u64, Vec<Accidents>>);

impl Known {
    /// Whether a state is new: not known with these accidents left, or more.
    fn add(&mut self, key: u64, left: Accidents) -> bool {
        let known = self.0.entry(key).or_default();
        if known.iter().any(|other| other.covers(left)) {
            return false;
        }
        known.push(left);
        true
    }

    /// Whether the state has become known with more accidents left.
    fn is_covered(&self, key: u64, left: Accidents) -> bool {
        let known = self.0.get(&key);
        known.is_some_and(|known| known.iter().any(|other| *other != left && other.covers(left)))
    }
}

/// Searches by the number of accidents, and then breadth first, so that what is found wrong is found
/// with the fewest accidents and by a short way, which is told.
fn search(start: World, rules: Rules) -> Result<Found, String> {
    let left = start.left;
    let mut found = Found::default();
    let mut trail: Trail = vec![(0, "start")];
    let mut known = Known::default();
    let key = start.key(rules.is_reduced);
    known.add(key, left);
    let mut open: Vec<VecDeque<(usize, u64, World)>> = Vec::new();
    open.resize_with(left.counted() + 1, VecDeque::new);
    open[left.counted()].push_back((0, key, start));
    while let Some((at, key, world)) = open.iter_mut().rev().find_map(VecDeque::pop_front) {
        if known.is_covered(key, world.left) {
            continue;
        }
        found.add(&world);
        let next = world.successors(rules).map_err(|wrong| told(&trail, at, &wrong))?;
        for (label, world) in next {
            let key = world.key(rules.is_reduced);
            if known.add(key, world.left) {
                trail.push((at, label));
                open[world.left.counted()].push_back((trail.len() - 1, key, world));
            }
        }
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, world: &World) {
        self.states += 1;
        match world.outcome {
            Outcome::Open => return,
            Outcome::Ended => self.ended += 1,
            Outcome::Lost => self.lost += 1,
        }
        self.endings.insert((world.outcome, world.disk.stored, world.settled));
    }
}

fn told(trail: &Trail, mut at: usize, wrong: &str) -> String {
    let mut steps = Vec::new();
    while at != 0 {
        let (before, label) = trail[at];
        steps.push(label);
        at = before;
    }
    steps.reverse();
    format!("{wrong}, after:\n  {}", steps.join("\n  "))
}

/// So many kills of keepers and servers, and refusals of the disk.
const fn accidents(keeper_kills: u8, server_kills: u8, refusals: u8) -> Accidents {
    Accidents { keeper_kills, server_kills, refusals }
}

/// Searches all that may come of a state, and finds nothing wrong.
fn check(start: World) {
    let left = start.left;
    let found = search(start, Rules::SOUND).unwrap_or_else(|wrong| panic!("{left:?}: {wrong}"));
    println!("{left:?}: {} states, {} ends, {} lost", found.states, found.ended, found.lost);
    assert!(found.ended > 0 && found.states > 1000, "{found:?}");
    assert_eq!(found.lost > 0, left.keeper_kills > 0 && left.server_kills > 0, "{found:?}");
}

/// Goal: section "Ring" and section "Replies" of the contract: what reaches the spool is what the
/// program printed, in order, nothing twice, nothing missing unless keeper and server were gone at
/// once; a query is answered once, or not at all if the server was killed while it answered; nobody
/// waits while there is something to do, and the end is seen after the last byte.
///
/// Method: all interleavings of steps, with kills of either side before, after and within each,
/// however many: the states are finitely many all the same.
#[test]
fn no_interleaving_with_kills_breaks_the_contract() {
    check(World::new(accidents(ANY, ANY, 0)));
}

/// Goal: the same while the disk refuses output: the pane goes on, the ring is full until a stash
/// has what it held, and the disk gets a keyframe before the spool goes on.
#[test]
fn no_interleaving_with_a_refusing_disk_breaks_the_contract() {
    check(World::new(accidents(ANY, ANY, 1)));
}

/// More than there is time for in a suite: `cargo xtask torture --ring`.
#[test]
#[ignore = "takes half a minute"]
fn neither_longer_output_nor_more_refusals_break_the_contract() {
    check(World::new(accidents(ANY, ANY, ANY)));
    for total in 4..=7 {
        check(World::new(accidents(ANY, ANY, 0)).printing(total));
    }
    check(World::new(accidents(ANY, ANY, 1)).printing(4));
}

/// What is left out makes no difference: where it is tried all the same, the ends are the same.
#[test]
fn what_is_left_out_makes_no_difference() {
    for start in [World::new(accidents(1, 1, 0)), World::refused(accidents(0, 1, 0)).printing(2)] {
        let reduced = search(start.clone(), Rules::SOUND).unwrap();
        let full = search(start, Rules { is_reduced: false, ..Rules::SOUND }).unwrap();
        println!("{} states instead of {}", reduced.states, full.states);
        assert_eq!(reduced.endings, full.endings);
        assert!(reduced.states < full.states / 2);
    }
}

/// The search sees: each mistake that is built in is found, by the way it does harm.
#[test]
fn the_search_finds_every_mistake() {
    let (kills, kill) = (accidents(1, 1, 0), accidents(0, 1, 0));
    let no_room = "bytes are kept";
    for (mistake, start, harm) in [
        (Mistake::PublishBeforeReading, World::new(kills), "byte 0 is"),
        (Mistake::NoPattern, World::new(kills), ""),
        (Mistake::KeeperSleepsBlindly, World::new(kills), "asleep for ever"),
        (Mistake::DrainedTooEarly, World::new(kills), ""),
        (Mistake::BellForgotten, World::new(kills), "asleep for ever"),
        (Mistake::FreeBeforeSpooling, World::new(kills), no_room),
        (Mistake::ServerSleepsBlindly, World::new(kills), "asleep for ever"),
        (Mistake::AnswerBeforeMarking, World::new(kills), "answered twice"),
        (Mistake::AnswerReplayed, World::new(kills), "answered twice"),
        (Mistake::AnsweredAgain, World::refused(kill), "answered twice"),
        (Mistake::EndAfterHead, World::new(kills), "the end is seen after"),
        (Mistake::RoomKeptSecret, World::new(kills), "asleep for ever"),
        (Mistake::FreeWithoutStash, World::refused(kill), no_room),
        (Mistake::FreeBeforeHanding, World::refused(kill), no_room),
        (Mistake::StashedInPlace, World::refused(kill), no_room),
        (Mistake::StashAfterReady, World::refused(kills), no_room),
        (Mistake::LastWordsUnheard, World::refused(kill), no_room),
        (Mistake::StashIgnored, World::refused(kill), no_room),
        (Mistake::OldStashTaken, World::refused(kill), "the disk goes on at"),
        (Mistake::SpooledWithoutKeyframe, World::refused(kill), "the disk goes on at"),
        (Mistake::StashForgottenEarly, World::refused(kill), no_room),
        (Mistake::HomeWithOldKeyframe, World::refused(accidents(0, 0, 1)), "the disk goes on at"),
        (Mistake::HomeKeepsRing, World::refused(kill), "asleep for ever"),
    ] {
        let wrong = search(start, Rules::with(mistake)).map(|found| found.states);
        let wrong = wrong.expect_err(&format!("{mistake:?} is not seen"));
        assert!(wrong.contains(harm), "{mistake:?}: {wrong}");
    }
}
