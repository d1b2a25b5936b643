//! Every interleaving of keeper, server, program, kills, adoptions and replacements.

use std::collections::{HashSet, VecDeque};

use super::world::{Mistake, Outcome, World};

/// What a search found.
#[derive(Debug, Default)]
struct Found {
    states: usize,
    ended: usize,
    lost: usize,
}

/// How a state was reached: the step before, and the one that led to it.
type Trail = Vec<(usize, &'static str)>;

/// Searches breadth first, so that what is found wrong is found by a shortest way, which is told.
fn search(start: World, mistake: Option<Mistake>) -> Result<Found, String> {
    let mut found = Found::default();
    let mut trail: Trail = vec![(0, "start")];
    let mut known = HashSet::from([start.clone()]);
    let mut open = VecDeque::from([(0, start)]);
    while let Some((at, world)) = open.pop_front() {
        found.states += 1;
        match world.outcome {
            Outcome::Open => {}
            Outcome::Ended => found.ended += 1,
            Outcome::Lost => found.lost += 1,
        }
        let next = world.successors(mistake).map_err(|wrong| told(&trail, at, &wrong))?;
        for (label, world) in next {
            if !known.contains(&world) {
                known.insert(world.clone());
                trail.push((at, label));
                open.push_back((trail.len() - 1, world));
            }
        }
    }
    Ok(found)
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

/// Goal: section "Ring" and section "Replies" of the contract: what reaches the spool is what the
/// program printed, in order, nothing twice, nothing missing unless keeper and server were gone at
/// once; a query is answered once, or not at all if the server was killed while it answered; nobody
/// waits while there is something to do, and the end is seen after the last byte.
///
/// Method: all interleavings of steps, with kills of either side before, after and within each.
#[test]
fn no_interleaving_with_kills_breaks_the_contract() {
    for (keeper_kills, server_kills) in [(0, 0), (2, 0), (0, 2), (1, 1)] {
        let found = search(World::new(keeper_kills, server_kills), None);
        let found = found.unwrap_or_else(|wrong| panic!("{keeper_kills}, {server_kills}: {wrong}"));
        println!("{keeper_kills}, {server_kills}: {found:?}");
        assert!(found.ended > 0 && found.states > 1000, "{found:?}");
        assert_eq!(found.lost > 0, keeper_kills > 0 && server_kills > 0, "{found:?}");
    }
}

/// The search sees: each mistake that is built in is found, by the way it does harm.
#[test]
fn the_search_finds_every_mistake() {
    for (mistake, harm) in [
        (Mistake::PublishBeforeReading, "byte 0 is"),
        (Mistake::NoPattern, ""),
        (Mistake::KeeperSleepsBlindly, "asleep for ever"),
        (Mistake::DrainedTooEarly, ""),
        (Mistake::BellForgotten, "asleep for ever"),
        (Mistake::FreeBeforeSpooling, "bytes are spooled"),
        (Mistake::ServerSleepsBlindly, "asleep for ever"),
        (Mistake::AnswerBeforeMarking, "answered twice"),
        (Mistake::AnswerReplayed, "answered twice"),
        (Mistake::EndAfterHead, "the end is seen after"),
        (Mistake::RoomKeptSecret, "asleep for ever"),
    ] {
        let wrong = search(World::new(1, 1), Some(mistake));
        let wrong = wrong.expect_err(&format!("{mistake:?} is not seen"));
        assert!(wrong.contains(harm), "{mistake:?}: {wrong}");
    }
}
