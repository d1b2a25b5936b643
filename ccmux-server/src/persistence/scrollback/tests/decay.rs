//! Goal: damage costs what it held, in its own pane, and is reported (P4). Method: flip bits of
//! every file of a store with a past, one at a time.

use super::world::{Accident, Model, PANES, World, load_all, pane, read_lines};
use crate::persistence::scrollback::pane_dir;
use crate::persistence::scrollback::{PaneImage, ReplayItem};
use crate::persistence::sim::{Random, SimStorage};

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
    let newest_segment =
        files.iter().rfind(|(path, _)| path.starts_with("spool")).unwrap().0.clone();
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
                    let is_tail = path == newest_segment;
                    assert!(is_tail || !damage.is_empty() || !missing.is_empty(), "{path:?} {bit}");
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
