//! The corpora, and a fixed number of mutations of them.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use super::{TARGETS, Target, seeds};
use crate::persistence::sim::Random;

/// Mutations of each corpus.
const CASES: usize = 400;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Tries an input in every way; returns whether it was understood in any.
fn tried(target: &Target, input: &[u8]) -> bool {
    if target.ways == 1 || input.is_empty() {
        return (target.run)(input);
    }
    let mut input = input.to_vec();
    (0..target.ways).fold(false, |is_any, way| {
        input[0] = way;
        (target.run)(&input) | is_any
    })
}

/// The inputs of a corpus, in the order of their names.
fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let dir = root().join("fuzz/corpus").join(target.name);
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|error| panic!("{dir:?}: {error}"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort_unstable();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

/// The fuzz targets are built by hand only, so that none is forgotten there.
#[test]
fn every_target_can_be_fuzzed() {
    let fuzz = root().join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    for Target { name, .. } in TARGETS {
        let path = format!("fuzz_targets/{name}.rs");
        assert!(manifest.contains(&format!("name = \"{name}\"\npath = \"{path}\"")), "{name}");
        let text = std::fs::read_to_string(fuzz.join(path)).unwrap();
        assert!(text.contains(&format!("fuzzing::fuzz(\"{name}\", input)")), "{name}: {text}");
    }
}

/// Each input that was ever found to break something, and real data, is read without harm.
#[test]
fn every_corpus_is_read() {
    for target in TARGETS {
        let corpus = corpus(target);
        let understood = corpus.iter().filter(|(path, input)| {
            let read = catch_unwind(|| tried(target, input));
            read.unwrap_or_else(|_| panic!("{} does harm", path.display()))
        });
        assert!(understood.count() > 0, "{} reads nothing of its corpus", target.name);
    }
}

/// The corpora are of the present formats.
#[test]
fn real_data_is_read() {
    let seeds = seeds(&root().join("ccmux/tests/golden/state.tar.zst")).unwrap();
    for target in TARGETS {
        let mut own = seeds.iter().filter(|(name, _)| *name == target.name);
        assert!(own.any(|(_, seed)| tried(target, seed)), "{} reads no real data", target.name);
    }
}

/// Goal: P4 and P7, and the same for protocols. Method: a fixed number of mutated inputs of each
/// corpus, from one seed. Finding more is what the fuzz targets are for.
#[test]
fn mutated_inputs_do_no_harm() {
    let mut harm = Vec::new();
    for target in TARGETS {
        let corpus = corpus(target);
        let mut random = Random::new(0xf022);
        for case in 0..CASES {
            let input = mutated(&corpus, &mut random);
            if catch_unwind(|| tried(target, &input)).is_err() {
                harm.push(format!("{} {case}: {input:x?}", target.name));
            }
        }
    }
    assert!(harm.is_empty(), "{}", harm.join("\n"));
}

fn below(random: &mut Random, bound: usize) -> usize {
    random.below(bound as u64) as usize
}

/// An input of the corpus with a few changes.
fn mutated(corpus: &[(PathBuf, Vec<u8>)], random: &mut Random) -> Vec<u8> {
    let mut input = corpus[below(random, corpus.len())].1.clone();
    for _ in 0..=random.below(4) {
        let at = below(random, input.len() + 1);
        let rest = input.len() - at;
        match random.below(7) {
            0 => input.truncate(at),
            1 if rest > 0 => input[at] ^= 1 << random.below(8),
            2 if rest > 0 => input[at] = random.next_u64() as u8,
            // A length, an offset or a number, of either size: small, huge, or off by one.
            3 | 4 => {
                let value = match random.below(4) {
                    0 => random.below(300),
                    1 => u64::MAX - random.below(300),
                    2 => 1 << random.below(64),
                    _ => input.len() as u64 - random.below(2).min(input.len() as u64),
                };
                let len = rest.min(if random.coin() { 4 } else { 8 });
                input[at..at + len].copy_from_slice(&value.to_le_bytes()[..len]);
            }
            // A piece of another input of the corpus.
            5 => {
                let other = &corpus[below(random, corpus.len())].1;
                let from = below(random, other.len() + 1);
                let len = below(random, (other.len() - from).min(500) + 1);
                let gone = below(random, rest.min(500) + 1);
                input.splice(at..at + gone, other[from..from + len].iter().copied());
            }
            _ => {
                let gone = below(random, rest.min(64) + 1);
                input.drain(at..at + gone);
            }
        }
    }
    input
}
