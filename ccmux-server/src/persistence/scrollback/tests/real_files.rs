//! The same on real files, with the threads: several lives, none of which ends well.

use std::sync::Arc;
use std::sync::mpsc;

use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use uuid::Uuid;

use crate::persistence::scrollback::{
    ArchiveEvent, ArchiveJob, Archiver, ArchiverOptions, FrameKind, FrameRef, HistoryBlock,
    HistoryLimits, HistoryRead, Keyframe, PaneHistory, ReplayItem, Spool, SpoolIndex, SpoolOptions,
    StreamPosition, load_pane, stored_panes,
};
use crate::persistence::storage::{FsStorage, Storage};

const PANE: PaneUuid = PaneUuid(Uuid::from_u128(1));
const PIECE: &[u8] = b"thirty-two bytes of plain output";

#[test]
fn a_pane_lives_through_lives_of_the_server() {
    let temp = tempfile::tempdir().unwrap();
    let mut expected = 0;
    for life in 0..4_u64 {
        let storage: Arc<dyn Storage> = Arc::new(FsStorage::open(temp.path()).unwrap());
        let index = SpoolIndex::scan(&*storage, Uuid::nil(), Uuid::nil()).unwrap();
        assert_eq!(index.damage(), []);
        let image = load_pane(&storage, &index, PANE, &mut |_| Ok(())).unwrap();
        assert_eq!(image.damage, []);
        assert_eq!(image.resume.offset, expected, "life {life}");
        assert_eq!(image.keyframe.is_some(), life > 0);
        let mut at = image.keyframe.as_ref().map_or(0, |keyframe| keyframe.position.offset);
        for item in image.frames {
            let ReplayItem::Frame(frame) = item else { panic!("{item:?}") };
            assert_eq!((frame.offset, &frame.payload[..]), (at, PIECE));
            at = frame.end.offset;
        }
        assert_eq!(at, expected);
        check_lines(&storage, image.history.end);

        let options = SpoolOptions {
            segment_bytes: 12 << 10,
            ..SpoolOptions::new(Uuid::nil(), Uuid::nil(), life)
        };
        let (tell, told) = mpsc::channel();
        let mut spool = Spool::open(Arc::clone(&storage), &index, options, Box::new(|| ()));
        spool.start_syncer().unwrap();
        spool.resume(PANE, image.resume);
        let notify = Box::new(move || tell.send(()).unwrap_or_default());
        let mut archiver =
            Archiver::start(Arc::clone(&storage), ArchiverOptions::default(), notify).unwrap();
        let end = print(&mut spool, 1000);
        archiver.submit(job(image.history.end..end.offset / 32, end));
        let released = loop {
            told.recv().unwrap();
            if let [ArchiveEvent::Archived(archived)] = &archiver.drain_completions()[..] {
                assert_eq!(archived.end_line, Some(end.offset / 32));
                break archived.release;
            }
        };
        if let Some(position) = released {
            spool.release(PANE, position);
        }
        expected = print(&mut spool, 500).offset;
    }
    let storage = FsStorage::open(temp.path()).unwrap();
    assert_eq!(stored_panes(&storage).unwrap(), [PANE]);
}

fn print(spool: &mut Spool, count: u64) -> StreamPosition {
    let mut end = spool.position(PANE).unwrap_or_default();
    for _ in 0..count {
        let (offset, kind, time) = (end.offset, FrameKind::Bytes, Timestamp(1));
        end = spool.append(FrameRef { pane: PANE, offset, time, kind, payload: PIECE }).unwrap();
    }
    end
}

fn job(lines: std::ops::Range<u64>, position: StreamPosition) -> ArchiveJob {
    let count = (lines.end - lines.start) as u32;
    let block = HistoryBlock {
        first_line: lines.start,
        count,
        bytes: PIECE.repeat(count as usize),
        offset: position.offset,
        time: Timestamp(2),
        has_times: false,
    };
    let bytes = b"a terminal".to_vec();
    let (history, has_note, time) = (0..lines.end, true, Timestamp(3));
    let keyframe = Keyframe { position, history, has_note, time, bytes };
    let limits = HistoryLimits { lines: None, bytes: u64::MAX, total: u64::MAX };
    ArchiveJob { pane: PANE, blocks: vec![block], keyframe: Some(keyframe), limits }
}

fn check_lines(storage: &Arc<dyn Storage>, end: u64) {
    let mut history = PaneHistory::open(Arc::clone(storage), PANE, 0..end).unwrap();
    let mut line = 0;
    while line < end {
        let HistoryRead::Block { block, valid } = history.read(line) else { panic!("line {line}") };
        assert!(block.bytes.chunks(32).all(|line| line == PIECE));
        line = valid.end;
    }
}
