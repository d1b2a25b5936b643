//! Goal: damage costs what it held, in its own pane, and is reported (P4). Method: flip bits of
//! every file of a store with a past, one at a time.

use std::io;

use super::world::{
    Accident, Model, PANES, STORE, World, load_all, pane, read_lines, try_load_all,
};
use crate::persistence::scrollback::pane_dir;
use crate::persistence::scrollback::{PaneImage, ReplayItem, SpoolIndex};
use crate::persistence::sim::{CallKind, Fault, Random, SimStorage};

fn store() -> (SimStorage, Vec<Model>) {
    let storage = SimStorage::new(4);
    let mut world = World::new(&storage);
    let mut random = Random::new(4);
    world.run(&mut random, 30);
    for n in 0..PANES {
        world.archive(n, true);
    }
    world.run(&mut random, 12);
    world.sync();
    let storage = storage.kill();
    let mut world = World::start(&storage, &world.models, Accident::Kill);
    world.run(&mut random, 20);
    world.sync();
    (storage, world.models)
}

fn contents(image: PaneImage) -> (Vec<u8>, Vec<ReplayItem>) {
    let keyframe = image.keyframe.map(|keyframe| keyframe.bytes).unwrap_or_default();
    (keyframe, image.frames.collect())
}

#[test]
fn a_flipped_bit_costs_one_pane_what_it_held_and_is_reported() {
    let (storage, models) = store();
    let kinds = ["spool", "chunk", "keyframe"].map(|kind| {
        storage.files().iter().any(|(path, _)| path.extension().is_some_and(|e| e == kind))
    });
    assert_eq!(kinds, [true; 3]);
    let files = storage.files();
    let whole: Vec<_> = load_all(&storage).into_iter().map(contents).collect();
    let mut random = Random::new(9);
    for (path, bytes) in files {
        for start in (0..bytes.len() as u64).step_by(11) {
            let bit = 8 * (start + random.below(11)).min(bytes.len() as u64 - 1) + random.below(8);
            storage.flip_bit(&path, bit);
            let mut hit = Vec::new();
            for (n, image) in load_all(&storage).into_iter().enumerate() {
                let (damage, history) = (image.damage.clone(), image.history.clone());
                let missing = read_lines(n, &storage, history).missing;
                if contents(image) != whole[n] || !missing.is_empty() {
                    hit.push(n);
                    // In the boot that wrote it, the end is no exception.
                    let index = SpoolIndex::scan(&storage, STORE, storage.boot()).unwrap();
                    let is_told = !index.damage().is_empty() || !damage.is_empty();
                    assert!(is_told || !missing.is_empty(), "{path:?} {bit}");
                }
                let image = load_all(&storage).swap_remove(n);
                models[n].clone().check(n, &storage, image, Accident::Decay);
            }
            assert!(hit.len() <= 1, "{path:?} bit {bit}: {hit:?}");
            let owner = (0..PANES).find(|&n| path.starts_with(pane_dir(pane(n))));
            assert!(owner.is_none() || hit.is_empty() || hit == [owner.unwrap()], "{path:?}");
            storage.flip_bit(&path, bit);
        }
    }
}

#[test]
fn a_lost_file_costs_what_it_held() {
    let (storage, models) = store();
    let bytes_of = |storage: &SimStorage| storage.files();
    for (path, bytes) in bytes_of(&storage) {
        storage.damage(&path, Vec::clear);
        let mut models = models.clone();
        for (n, image) in load_all(&storage).into_iter().enumerate() {
            read_lines(n, &storage, image.history.clone());
            models[n].check(n, &storage, image, Accident::Decay);
        }
        storage.damage(&path, |empty| *empty = bytes);
    }
}

/// What a start reads, or why it cannot: an error in the middle of the frames counts as well.
fn try_contents(storage: &SimStorage) -> io::Result<Vec<(Vec<u8>, Vec<ReplayItem>)>> {
    let images = try_load_all(storage)?;
    let read = images.into_iter().map(|mut image| {
        assert_eq!(image.damage, []);
        let frames = image.frames.by_ref().collect();
        let keyframe = image.keyframe.map(|keyframe| keyframe.bytes).unwrap_or_default();
        image.frames.failure().map_or(Ok((keyframe, frames)), Err)
    });
    read.collect()
}

/// Goal: only what a file holds can be damaged. Method: fail each call of a start in turn, with an
/// error that says that the machine has no descriptor left, or once with one that a device gives and
/// does not repeat. The former ends the start, the latter is nothing; both counted as damage, and
/// good files were set aside.
#[test]
fn an_error_that_passes_is_no_damage() {
    let (pristine, _) = store();
    let whole = try_contents(&pristine).unwrap();
    for kind in [CallKind::Open, CallKind::Read, CallKind::List] {
        for (fault, times) in
            [(Fault::TooManyFiles, u64::MAX), (Fault::TooManyFiles, 1), (Fault::Io, 1)]
        {
            let (mut nth, mut refused) = (1, 0);
            loop {
                let storage = pristine.fork();
                storage.fail(kind, nth, times, fault);
                match try_contents(&storage) {
                    Ok(read) => assert!(read == whole, "{kind:?} {nth} {fault:?}"),
                    Err(error) => {
                        assert_eq!(
                            error.raw_os_error(),
                            Some(rustix::io::Errno::MFILE.raw_os_error())
                        );
                        refused += 1;
                    }
                }
                if !storage.has_failed() {
                    break;
                }
                nth += 1;
            }
            assert!(nth > 3, "{kind:?}");
            assert_eq!(refused, if fault == Fault::Io { 0 } else { nth - 1 }, "{kind:?}");
        }
    }
}
