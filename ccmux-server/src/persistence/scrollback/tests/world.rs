//! Panes whose output is known for every offset, kept by the real spool and archiver on a simulated
//! disk, and the check of what a start finds there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use crate::persistence::scrollback::archive::{Task, Worker};
use crate::persistence::scrollback::{
    ArchiveEvent, ArchiveJob, Damage, Frame, FrameKind, FrameRef, Health, HistoryBlock,
    HistoryLimits, HistoryRead, Keyframe, PaneHistory, PaneImage, ReplayItem, Spool, SpoolIndex,
    SpoolOptions, StreamPosition, load_pane,
};
use crate::persistence::sim::{Random, SimStorage};
use crate::persistence::storage::Storage;

pub(super) const STORE: Uuid = Uuid::from_u128(0xcc);
pub(super) const PANES: usize = 2;
const LINE_BYTES: u64 = 16;
/// Where history is limited a chunk is complete at about this length: after two or three blocks.
const CHUNK_BYTES: u64 = 400;
/// The newest lines are on the screen, not in the history.
const SCREEN_LINES: u64 = 3;

pub(super) fn pane(n: usize) -> PaneUuid {
    PaneUuid(Uuid::from_u128(0xa000 + n as u128))
}

/// What a pane prints: the byte at each offset of its stream.
fn output(n: usize, range: Range<u64>) -> Vec<u8> {
    range.map(|offset| (offset * 31 + (offset >> 8) * 7 + n as u64) as u8).collect()
}

fn history_end(offset: u64) -> u64 {
    (offset / LINE_BYTES).saturating_sub(SCREEN_LINES)
}

fn lines(n: usize, range: Range<u64>) -> Vec<u8> {
    output(n, range.start * LINE_BYTES..range.end * LINE_BYTES)
}

/// An input of a pane: kind, offset in the stream, payload.
type Given = (FrameKind, u64, Vec<u8>);

/// What is replayed of an input where the stream stands at `position`. One that was refused and is there all the same
/// brings nothing that a keyframe has.
fn brought((kind, offset, payload): &Given, position: StreamPosition) -> (FrameKind, u64, &[u8]) {
    let before = position.offset.saturating_sub(*offset);
    let known = before.min(payload.len() as u64);
    match *kind {
        FrameKind::Bytes => (*kind, offset + known, &payload[known as usize..]),
        _ if before > 0 => (FrameKind::Bytes, position.offset, &[]),
        _ => (*kind, *offset, payload),
    }
}

fn seen(frame: &Frame) -> (FrameKind, u64, &[u8]) {
    (frame.kind, frame.offset, &frame.payload)
}

/// What a pane was given, and what of it must be there after a power cut.
#[derive(Clone, Default, Debug)]
pub(super) struct Model {
    frames: Vec<Given>,
    end: StreamPosition,
    durable_frames: u64,
    keyframe: Option<StreamPosition>,
    /// The server goes on from a keyframe that was never called durable, written by one whose calls failed:
    /// until there is one of its own, what it has may go with it.
    is_unproven: bool,
    archived_end: u64,
    /// Frames before which output was not spooled because the spool was degraded.
    holes: Vec<u64>,
    /// Frames that an earlier power cut took, or that may be nowhere but in a keyframe that one may take.
    lost: BTreeSet<u64>,
    /// Something of it has decayed: its damage is told again at each start.
    is_decayed: bool,
    /// What was damaged of the spool after calls had failed.
    known_damage: Vec<Damage>,
    /// The frames that the disk refused since it took one: all of one of them may be there.
    refused: Vec<Given>,
    /// How much of its history is kept, if not all of it.
    limits: Option<HistoryLimits>,
    /// Lines before this one a limit may have taken.
    dispensable: u64,
}

/// What may have happened since the model was last true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Accident {
    /// The process was killed.
    Kill,
    /// The process was killed after calls had failed.
    KillAfterFaults,
    /// The power was cut.
    PowerCut,
    /// Bits decayed, of files of this pane or shared by it.
    Decay,
}

/// A running server, as far as its panes' output goes.
pub(super) struct World {
    pub(super) storage: SimStorage,
    pub(super) models: Vec<Model>,
    spool: Spool,
    worker: Worker,
}

/// Reads everything, as a start of the server does.
pub(super) fn try_load_all(storage: &SimStorage) -> io::Result<Vec<PaneImage>> {
    let boot = storage.boot();
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    let index = SpoolIndex::scan(&*storage, STORE, boot)?;
    (0..PANES).map(|n| load_pane(&storage, &index, pane(n), &mut |_| Ok(()))).collect()
}

pub(super) fn load_all(storage: &SimStorage) -> Vec<PaneImage> {
    try_load_all(storage).unwrap()
}

impl World {
    /// Starts on what `accident` left of what `models` say, after checking it.
    pub(super) fn start(storage: &SimStorage, models: &[Model], accident: Accident) -> Self {
        let dyn_storage: Arc<dyn Storage> = Arc::new(storage.clone());
        let index = SpoolIndex::scan(storage, STORE, storage.boot()).unwrap();
        let is_sound = matches!(accident, Accident::Kill | Accident::PowerCut);
        if is_sound && !models.iter().any(|model| model.is_decayed) {
            let is_new = |damage: &&Damage| !models[0].known_damage.contains(damage);
            let new: Vec<_> = index.damage().iter().filter(is_new).collect();
            assert!(new.is_empty(), "{accident:?}: {new:?}");
        }
        // Each process has one of its own.
        let issued: usize = models.iter().map(|model| model.frames.len()).sum();
        let salt = 1000 * issued as u64 + storage.calls();
        let options = SpoolOptions {
            segment_bytes: 5648,
            total_bytes: 1 << 20,
            ..SpoolOptions::new(STORE, storage.boot(), salt)
        };
        let images = load_all(storage);
        let mut models = models.to_vec();
        let mut damage = index.damage().to_vec();
        for (n, image) in images.into_iter().enumerate() {
            damage.extend(image.damage.iter().cloned());
            models[n].check(n, storage, image, accident);
        }
        if accident == Accident::KillAfterFaults {
            models[0].known_damage = index.damage().to_vec();
        }
        for damage in damage {
            // It is found again, if the power goes before.
            drop(damage.set_aside(storage));
        }
        let mut spool = Spool::open(Arc::clone(&dyn_storage), &index, options, Box::new(|| ()));
        for (n, model) in models.iter().enumerate() {
            spool.resume(pane(n), model.end);
        }
        let worker = Worker::new(dyn_storage).unwrap();
        let limits = models[0].limits;
        let mut world = Self { storage: storage.clone(), models, spool, worker };
        if let Some(limits) = limits {
            world.limit(limits);
        }
        world
    }

    /// Lets no more history be kept than that, in chunks short enough for it.
    pub(super) fn limit(&mut self, limits: HistoryLimits) {
        self.worker.set_chunk_bytes(CHUNK_BYTES);
        for model in &mut self.models {
            model.limits = Some(limits);
        }
    }

    pub(super) fn new(storage: &SimStorage) -> Self {
        Self::start(storage, &vec![Model::default(); PANES], Accident::Kill)
    }

    /// Does `steps` things, or fewer if the power goes.
    pub(super) fn run(&mut self, random: &mut Random, steps: usize) {
        for _ in 0..steps {
            if self.storage.is_off() {
                return;
            }
            let n = random.below(PANES as u64) as usize;
            match random.below(12) {
                0..6 => self.print(n, 1 + random.below(300)),
                6 => self.resize(n, random.next_u64()),
                7 | 8 => self.sync(),
                9 => self.archive(n, false),
                _ => self.archive(n, true),
            }
        }
    }

    pub(super) fn resize(&mut self, n: usize, to: u64) {
        self.append(n, FrameKind::Resize, &to.to_le_bytes());
    }

    pub(super) fn print(&mut self, n: usize, len: u64) {
        let start = self.models[n].end.offset;
        self.append(n, FrameKind::Bytes, &output(n, start..start + len));
    }

    fn append(&mut self, n: usize, kind: FrameKind, payload: &[u8]) {
        let model = &mut self.models[n];
        let offset = model.end.offset;
        let frame = FrameRef { pane: pane(n), offset, time: Timestamp(1), kind, payload };
        let bytes = if kind == FrameKind::Bytes { payload.len() as u64 } else { 0 };
        match self.spool.append(frame) {
            Ok(end) => {
                model.frames.push((kind, offset, payload.to_vec()));
                model.refused.clear();
                model.end =
                    StreamPosition { offset: offset + bytes, frames: model.frames.len() as u64 };
                assert_eq!(end, model.end);
            }
            Err(_) if self.storage.is_off() => {
                // It may or may not be there.
                model.frames.push((kind, offset, payload.to_vec()));
            }
            Err(_) => {
                model.refused.push((kind, offset, payload.to_vec()));
                model.holes.push(model.end.frames);
                model.end.offset += bytes;
            }
        }
    }

    pub(super) fn sync(&mut self) {
        if self.spool.sync() == Health::Durable && !self.storage.is_off() {
            assert_eq!(self.spool.durable(), self.spool.appended());
            for model in self.models.iter_mut().filter(|model| !model.is_unproven) {
                model.durable_frames = model.end.frames;
            }
        }
    }

    pub(super) fn archive(&mut self, n: usize, with_keyframe: bool) {
        let model = &mut self.models[n];
        let end = history_end(model.end.offset).max(model.archived_end);
        let block = |range: Range<u64>| HistoryBlock {
            first_line: range.start,
            count: (range.end - range.start) as u32,
            bytes: lines(n, range),
            offset: model.end.offset,
            time: Timestamp(2),
            has_times: false,
        };
        let middle = model.archived_end.midpoint(end);
        let blocks = [model.archived_end..middle, middle..end];
        let blocks = blocks.into_iter().filter(|range| !range.is_empty()).map(block).collect();
        let keyframe = with_keyframe.then(|| Keyframe {
            position: model.end,
            history: 0..end,
            has_note: true,
            time: Timestamp(3),
            bytes: format!("pane {n} at {:?}", model.end).into_bytes(),
        });
        let unlimited = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };
        let limits = model.limits.unwrap_or(unlimited);
        let by_lines = limits.lines.map_or(0, |lines| end.saturating_sub(lines));
        let by_bytes = if limits.bytes.min(limits.total) < u64::MAX { end } else { 0 };
        model.dispensable = model.dispensable.max(by_lines).max(by_bytes);
        let mut task = Task::Archive(ArchiveJob { pane: pane(n), blocks, keyframe, limits });
        match self.worker.run(&mut task) {
            Ok(ArchiveEvent::Archived(archived)) => {
                model.archived_end = end;
                if let Some(position) = archived.keyframe {
                    model.keyframe = Some(position);
                    model.is_unproven = false;
                    model.durable_frames = model.durable_frames.max(position.frames);
                }
                if let Some(release) = archived.release {
                    self.spool.release(pane(n), release);
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert!(self.storage.has_struck(), "{error}"),
        }
    }
}

impl Model {
    /// Checks that `image` is what the accident may have left, and goes on from there.
    pub(super) fn check(
        &mut self,
        n: usize,
        storage: &SimStorage,
        image: PaneImage,
        accident: Accident,
    ) {
        let context = self.context(n, storage, accident);
        let refused = std::mem::take(&mut self.refused);
        let base = image.keyframe.as_ref().map_or(StreamPosition::default(), |k| k.position);
        if let Some(keyframe) = &image.keyframe {
            assert_eq!(keyframe.bytes, format!("pane {n} at {base:?}").into_bytes(), "{context}");
        }
        let due = self.keyframe.map_or(0, |position| position.frames);
        assert!(base.frames >= due || accident == Accident::Decay, "old keyframe: {context}");

        let mut position = base;
        let mut gaps = Vec::new();
        let mut lost = Vec::new();
        for item in image.frames {
            match item {
                ReplayItem::Frame(frame) => {
                    if position.frames == self.frames.len() as u64 {
                        let is_it = |it: &&Given| brought(it, position) == seen(&frame);
                        self.frames.extend(refused.iter().find(is_it).cloned());
                    }
                    let given = self.frames.get(position.frames as usize).expect(&context);
                    assert!(seen(&frame) == brought(given, position), "{context}");
                    position = frame.end;
                }
                ReplayItem::Gap(gap) => {
                    assert_eq!(gap.from, position, "{context}");
                    self.check_gap(gap.from.frames, gap.to.frames, accident, &context);
                    lost.extend(gap.from.frames..gap.to.frames);
                    // A power cut leaves a beginning of what was printed, with nothing missing in it.
                    let was_refused =
                        self.holes.contains(&gap.to.frames) || self.lost.contains(&gap.from.frames);
                    assert!(accident != Accident::PowerCut || was_refused, "{context}");
                    gaps.push(Damage::Stream { pane: pane(n), gap });
                    position = gap.to;
                }
            }
        }
        assert_eq!(position, image.resume, "{context}");
        let issued = self.frames.len() as u64;
        assert!(position.frames <= issued, "invented: {context}");
        let is_there = match accident {
            Accident::Kill => position.frames >= self.end.frames,
            Accident::PowerCut | Accident::KillAfterFaults => {
                (position.frames..self.durable_frames).all(|frame| self.lost.contains(&frame))
            }
            Accident::Decay => true,
        };
        assert!(is_there, "lost: {context}");
        self.is_decayed |= accident == Accident::Decay;
        if !self.is_decayed {
            assert_eq!(image.damage, gaps, "{context}");
            let kept_from = self.dispensable.min(image.history.end);
            assert!(image.history.start <= kept_from, "{:?}: {context}", image.history);
            let history = read_lines(n, storage, image.history.clone());
            // Behind a hole in the stream lines count that no keyframe names; the last one can be read.
            let is_at_end = history.missing.iter().any(|lines| lines.end == image.history.end);
            let may_have_holes = !gaps.is_empty() && !is_at_end;
            assert!(
                history.missing.is_empty() || may_have_holes,
                "{:?}: {context}",
                history.missing
            );
        }

        self.frames.truncate(position.frames as usize);
        // One before the keyframe is seen again should that decay.
        self.holes.retain(|&frame| frame <= position.frames);
        self.end = position;
        self.archived_end = image.history.end;
        self.lost.extend(lost);
        let found = image.keyframe.map(|keyframe| keyframe.position);
        match accident {
            Accident::Kill => {}
            Accident::KillAfterFaults => {
                self.is_unproven |= found != self.keyframe;
                // Nothing else may have what only that keyframe shows.
                let hidden = found.map_or(0, |found| found.frames);
                self.lost.extend(due.max(self.durable_frames)..hidden);
            }
            Accident::PowerCut => {
                // What is there now was on the platter.
                self.is_unproven = false;
                self.durable_frames = position.frames;
                self.keyframe = found;
            }
            Accident::Decay => {
                self.durable_frames = self.durable_frames.min(position.frames);
                let is_older = found.is_none_or(|found| found.frames < due);
                if is_older {
                    self.keyframe = found;
                } else if found != self.keyframe {
                    // It was never called durable, and the one that was may have decayed. So may frames
                    // that it hides until a power cut takes it.
                    self.lost.extend(0..found.map_or(due, |found| found.frames));
                    self.keyframe = None;
                    self.is_unproven = true;
                }
            }
        }
    }

    fn check_gap(&self, from: u64, to: u64, accident: Accident, context: &str) {
        let may_be_lost = |frame| match accident {
            Accident::Decay => true,
            Accident::Kill => self.lost.contains(&frame),
            Accident::PowerCut | Accident::KillAfterFaults => {
                frame >= self.durable_frames || self.lost.contains(&frame)
            }
        };
        let is_explained = (from..to).all(may_be_lost) && from < to;
        let is_hole = self.holes.contains(&to);
        assert!(is_explained || is_hole, "gap from {from} to {to}: {context}");
    }

    fn context(&self, n: usize, storage: &SimStorage, accident: Accident) -> String {
        let mut text = format!(
            "pane {n}, {accident:?}, end {:?}, issued {}, durable {}, keyframe {:?}",
            self.end,
            self.frames.len(),
            self.durable_frames,
            self.keyframe
        );
        for (path, bytes) in storage.files() {
            let _infallible = write!(text, "\n{} {}", path.display(), bytes.len());
        }
        text
    }
}

pub(super) struct ReadLines {
    /// Ranges that cannot be read.
    pub(super) missing: Vec<Range<u64>>,
}

/// Reads a pane's lines; those that are there must be the right ones.
pub(super) fn read_lines(n: usize, storage: &SimStorage, range: Range<u64>) -> ReadLines {
    let mut history = PaneHistory::open(Arc::new(storage.clone()), pane(n), range.clone()).unwrap();
    let mut missing = Vec::new();
    let mut line = range.start;
    while line < range.end {
        match history.read(line) {
            HistoryRead::Block { block, valid } => {
                assert!(block.bytes == lines(n, block.first_line..block.end_line()));
                line = valid.end;
            }
            HistoryRead::Missing(lines) => {
                line = lines.end;
                missing.push(lines);
            }
        }
    }
    ReadLines { missing }
}
