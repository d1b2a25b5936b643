//! Inputs to begin with: real data, taken from the state directory that is checked in.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bstr::BString;
use ccmux_core::ids::PaneUuid;
use ccmux_core::model::Timestamp;
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, Frame, Hello, Refusal, RefusalCode, Resume, ServerFrame, Size,
    StdinEnd, TerminalSize, VersionRange, Welcome, encode,
};
use ccmux_term::{LineTime, Terminal};
use uuid::Uuid;

use super::files::{FILE_WAYS, is_of_log};
use super::pack::{File, pack};
use super::repair::repair;
use super::streams::history_head;
use super::{backup, client, stash, texts};
use crate::persistence::scrollback::{
    FrameKind, FrameRef, Keyframe, Spool, SpoolIndex, SpoolOptions, StreamPosition,
};
use crate::persistence::sim::SimStorage;
use crate::persistence::storage::Storage;

/// No seed is longer: a fuzzer changes few bytes of a long one.
const SEED_BYTES_MAX: usize = 24 * 1024;

/// The state directory cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("reading the state directory that is checked in: {0}")]
pub struct SeedError(#[from] io::Error);

/// The seeds of every target, by its name, from the archive `ccmux/tests/golden/state.tar.zst`.
pub fn seeds(archive: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, SeedError> {
    let files = unpack_archive(archive)?;
    let mut seeds = Vec::new();
    let of_log = files.iter().filter(|(path, _)| is_of_log(Path::new(path)));
    let mut of_log: Vec<File> =
        of_log.map(|(path, contents)| (path.clone(), blank(contents))).collect();
    of_log.extend(mark_of(&of_log));
    seeds.push(("log", packed(&of_log)));
    for file in &of_log {
        seeds.push(("log", packed(std::slice::from_ref(file))));
    }
    seeds.extend(backup::seeds(&of_log).into_iter().map(|seed| ("backup", seed)));
    let mut of_panes = Vec::new();
    for (path, contents) in &files {
        let contents = blank(contents);
        match contents.first_chunk() {
            Some(b"ccmuxckp") => seeds.push(("checkpoint", contents)),
            Some(b"ccmuxwal") => seeds.extend(records(&contents).map(|record| ("record", record))),
            Some(b"ccmuxkey") => {
                let pane = PaneUuid(Uuid::from_slice(&contents[16..32]).expect("sixteen bytes"));
                let keyframe = Keyframe::reencode(pane, &contents).expect("it is sound");
                seeds.push(("terminal", keyframe.bytes));
                of_panes.push((path.clone(), contents.clone()));
                seeds.push(("keyframe", contents));
            }
            Some(b"ccmuxchk") => {
                seeds.push(("chunk", contents[..contents.len().min(SEED_BYTES_MAX)].to_vec()));
                seeds.extend(first_block(&contents).map(|lines| ("history", lines)));
                seeds.push(("chunk", contents));
            }
            _ => {}
        }
    }
    let mut spool = spooled();
    seeds.push(("spool", packed(&spool)));
    let (first, _) = &mut spool[0];
    *first = first.replace(".spool", ".gone");
    spool[0].1.clear();
    seeds.push(("spool", packed(&spool)));
    let spool = spooled();
    of_panes.extend(spool);
    seeds.push(("spool", packed(&of_panes)));
    seeds.extend(INPUTS.iter().map(|inputs| ("emulator", inputs.to_vec())));
    seeds.extend(ccmux_term::fuzz_picture_seeds().into_iter().map(|seed| ("pictures", seed)));
    seeds.extend(client::seeds().into_iter().map(|seed| ("resume", seed)));
    seeds.push(("frames", client_frames()));
    seeds.push(("frames", server_frames()));
    seeds.extend(texts::SEEDS.iter().map(|(name, seed)| (*name, seed.to_vec())));
    seeds.push(("stash", stash::seed()));
    seeds.extend(few_lines());
    seeds.extend(ccmux_keeper::fuzz_seeds().into_iter().map(|seed| ("keeper", seed)));
    seeds.retain(|(_, seed)| seed.len() <= SEED_BYTES_MAX);
    Ok(seeds)
}

/// Inputs of a terminal, see `streams::emulator`: a shell, a program that draws, what is rare, and
/// pictures.
const INPUTS: [&[u8]; 4] = [
    b"\xfe\x01\x1b]133;A\x07$ \x1b]133;B\x07ls\r\n\x1b]133;C\x07\x1b[01;34mbin\x1b[0m  \x1b[01;32mrun\x1b[0m\
      \r\n\xfe\x02\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81 a line that is longer than the screen is wide\r\n\
      \xff\x07\x03\x1b]133;D;0\x07\x1b]133;A\x07$ \xff\x28\x09clear\r\n\x1b[H\x1b[2J\x1b[3J\xfd$ \xfc",
    b"$ vi\r\n\x1b[?1049h\x1b[?1h\x1b=\x1b[1;4r\x1b[?2004h\x1b[>4;2m\x1b[H\x1b[2J\x1b[38;5;130m  1 \x1b[mone\
      \x1b[2;1H\x1b[94m~\x1b[K\x1b[m\x1b[5;1H\x1b[7mfile\x1b[27m\xff\x1e\x04\x1b[L\x1b[M\x1b[2S\x1b[T\x1bM\
      \x1b[4h\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb\x1b[4l\x1b[3b\xff\x05\x05\x1b[?1049l\x1b[r\x1b[?1l\x1b>\xff\x14\x05$ ",
    b"\x1b[?69h\x1b[2;9s\x1b[2;4r\x1b[?6h\x1b#8\x1b[1\"qx\x1b[0\"q\x1b[?2J\xff\x01\x01ab\r\nc\x1b7\x1b(0lqk\x1b(B\x1b8\
      \xff\x50\x02\x1b]8;id=1;http://a\x07li\xff\x03\x08nk\x1b]8;;\x07\x1b[2;2;3;5;1;1;3$v\x1bP$qm\x1b\\\x1b[!p\
      \xff\x14\x05\xfd\x1b]2;title\x1b[22t\x1b[>5u\x1b[?2026h\x1bP1;2|cut",
    b"$ \x1bP0;1q\"1;1;40;50#1;2;100;0;0#2;1;120;50;50#1!40~$#2?!3@-!9~\x1b\\\xff\x07\x05\r\n\x1b[?80h\x1bPq~-~\x1b\\\x1b[?80l\
      \x1b[2;4r\x1b[3;2HX\x1b[L\x1b[2S\xff\x14\x05\x1b_Ga=T,i=3,p=1,s=1,v=1,c=4,r=2,z=-1;AAAAAA==\x1b\\\x1b_Ga=t,f=24,I=2,s=1,\
      v=2,m=1;AAAA\x1b\\\xfd\x1b_Gm=0;AAAA\x1b\\\x1b_Ga=p,i=4,x=0,h=1,C=1\x1b\\\x1b_Ga=d,d=i,i=3\x1b\\\x1b[?1;1S\xff\x50\x18\
      \x1b[?8452h\x1bPq#0~\xff\x14\x05",
];

/// Files with their checksums made right, in their own boot.
fn packed(files: &[File]) -> Vec<u8> {
    [&[FILE_WAYS - 1], pack(files).as_slice()].concat()
}

/// What two servers spooled of two panes, the second of them in two segments, in one boot.
fn spooled() -> Vec<File> {
    const BOOT: Uuid = Uuid::from_u128(0xb007);
    let disk = SimStorage::new(1);
    let storage: Arc<dyn Storage> = Arc::new(disk.clone());
    let panes = [1, 2].map(|n| PaneUuid(Uuid::from_u128(n)));
    let kinds: [(FrameKind, &[u8]); 6] = [
        (FrameKind::Bytes, b"\x1b[1;31mred\x1b[m\r\n"),
        (FrameKind::Resize, &[80, 0, 24, 0]),
        (FrameKind::Bytes, b"\xe6\x97\xa5 \x1b]2;title\x07"),
        (FrameKind::Option, &[1, 0]),
        (FrameKind::Clear, &[]),
        (FrameKind::Reset, &[]),
    ];
    let mut ends = [StreamPosition::default(); 2];
    for salt in [1, 2] {
        let index = SpoolIndex::scan(&*storage, Uuid::nil(), BOOT).expect("nothing fails");
        let options = SpoolOptions::new(Uuid::nil(), BOOT, salt);
        let options = SpoolOptions { segment_bytes: 4800, ..options };
        let mut spool = Spool::open(Arc::clone(&storage), &index, options, Box::new(|| ()));
        for (end, pane) in ends.iter_mut().zip(panes) {
            spool.resume(pane, *end);
            for (kind, payload) in kinds {
                let frame =
                    FrameRef { pane, offset: end.offset, time: Timestamp(7), kind, payload };
                *end = spool.append(frame).expect("the disk takes it");
            }
        }
        spool.sync();
    }
    let named = |(path, contents): (PathBuf, _)| (path.display().to_string(), contents);
    disk.files().into_iter().map(named).collect()
}

fn unpack_archive(archive: &Path) -> Result<Vec<File>, SeedError> {
    let bytes = std::fs::read(archive)?;
    let mut archive = tar::Archive::new(zstd::stream::Decoder::new(bytes.as_slice())?);
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let path = entry.path()?.to_string_lossy().into_owned();
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents)?;
            files.push((path, contents));
        }
    }
    Ok(files)
}

/// The mark that the server had which wrote the newest segment of a log: a backup has none.
fn mark_of(log: &[File]) -> Option<File> {
    let segments = log.iter().filter(|(_, contents)| contents.starts_with(b"ccmuxwal"));
    let (_, newest) = segments.max_by_key(|(path, _)| path)?;
    let first = u64::from_le_bytes(*newest.get(16..)?.first_chunk()?);
    let last = (first + records(newest).count() as u64 - 1).to_le_bytes();
    let ids = newest.get(40..72)?;
    let before = *b"ccmuxmrk\x03\0\0\0\0\0\0\0";
    let mut mark = [&before[..], &last, &last, ids, &last, &[0; 8]].concat();
    repair(&mut mark);
    Some(("mark".to_owned(), mark))
}

/// Without the zeros that were reserved.
fn blank(contents: &[u8]) -> Vec<u8> {
    let len = contents.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    contents[..len.next_multiple_of(8).min(contents.len())].to_vec()
}

/// The records of a log segment, each behind its kind.
fn records(segment: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut rest = segment.get(4176..).unwrap_or_default();
    std::iter::from_fn(move || {
        let len = u32::from_le_bytes(*rest.get(4..)?.first_chunk()?) as usize;
        let payload = rest.get(24..24 + len).filter(|payload| !payload.is_empty())?;
        let record = [&rest[16..17], payload].concat();
        rest = rest.get((24 + len).next_multiple_of(8)..).unwrap_or_default();
        Some(record)
    })
}

/// A chunk with blocks of a few lines each, and its footer; and the lines of the last.
fn few_lines() -> [(&'static str, Vec<u8>); 2] {
    let mut terminal = Terminal::new(ccmux_term::Size { cols: 20, rows: 2 });
    let pane = Uuid::from_u128(1);
    let mut chunk =
        [b"ccmuxchk", &[2, 0, 0, 0, 0, 0, 0, 0], &pane.as_bytes()[..], &[0; 8]].concat();
    let (mut entries, mut lines) = (Vec::new(), Vec::new());
    for text in INPUTS {
        terminal.set_time(LineTime::from_millis(1_700_000_000_000 + 1000 * chunk.len() as u64));
        terminal.advance(text);
        terminal.advance(b"\x18\x1bc\r\n\r\n");
        let batch = terminal.history_batch(0..u64::MAX, usize::MAX);
        terminal.release_history(terminal.history_end());
        if batch.count == 0 {
            continue;
        }
        let at = chunk.len();
        let (compressed, count) = (zstd::bulk::compress(&batch.bytes, 1), batch.count as u32);
        let compressed = compressed.expect("there is memory");
        chunk.extend_from_slice(&[0; 8]);
        chunk.extend_from_slice(&(batch.bytes.len() as u32).to_le_bytes());
        chunk.extend_from_slice(&(compressed.len() as u32).to_le_bytes());
        chunk.extend_from_slice(&batch.first_line.to_le_bytes());
        chunk.extend_from_slice(&count.to_le_bytes());
        chunk.extend_from_slice(&1u32.to_le_bytes());
        chunk.extend_from_slice(&[7; 16]);
        chunk.extend_from_slice(&compressed);
        chunk.resize(chunk.len().next_multiple_of(8), 0);
        // The footer has the head with the checksum of the lines.
        repair(&mut chunk);
        entries.extend_from_slice(&(at as u64).to_le_bytes());
        entries.extend_from_slice(&chunk[at + 4..at + 48]);
        lines = [&history_head(count, true)[..], &batch.bytes].concat();
    }
    let count = (entries.len() / 52) as u32;
    chunk.extend_from_slice(&entries);
    chunk.extend_from_slice(&[0; 4]);
    chunk.extend_from_slice(&count.to_le_bytes());
    chunk.extend_from_slice(b"ccmuxidx");
    repair(&mut chunk);
    [("chunk", chunk), ("history", lines)]
}

/// The lines of a chunk's first block.
fn first_block(chunk: &[u8]) -> Option<Vec<u8>> {
    let lines = u32::from_le_bytes(*chunk.get(48..)?.first_chunk()?) as usize;
    let len = u32::from_le_bytes(*chunk.get(52..)?.first_chunk()?) as usize;
    let mut lines = zstd::bulk::decompress(chunk.get(88..88 + len)?, lines).ok()?;
    let count = u32::from_le_bytes(*chunk.get(64..)?.first_chunk()?);
    let has_times = *chunk.get(68)? == 1;
    let head = history_head(count, has_times);
    lines.truncate(SEED_BYTES_MAX - head.len());
    Some([&head[..], &lines].concat())
}

fn client_frames() -> Vec<u8> {
    let hello = Hello {
        versions: VersionRange::OURS,
        client_version: "0.1.0".to_owned(),
        pid: 77,
        is_tty: true,
        tty: Some("/dev/pts/3".into()),
        size: Some(Size { cols: 80, rows: 24 }),
        term: Some("xterm-256color".into()),
        colorterm: Some("truecolor".into()),
        cell_px: Some((8, 16)),
        term_program: None,
        cwd: "/home/someone".into(),
        env: vec![("HOME".into(), "/home/someone".into()), ("X".into(), vec![0xff, 0].into())],
        read_only: false,
    };
    let words = ["new-session", "-s", "work", ";", "split-window", "\u{fffd}"].map(BString::from);
    let mut bytes = Vec::new();
    for frame in [
        ClientFrame::Hello(Box::new(hello)),
        ClientFrame::Command(words.to_vec()),
        ClientFrame::Resume(Resume { is_drawn: true, token: vec![0, 255, 7] }),
        ClientFrame::Stdin(b"a piece".to_vec()),
        ClientFrame::StdinEnd(StdinEnd { error: Some("why".to_owned()) }),
        ClientFrame::Input(b"\x1b[<0;3;4M".to_vec()),
        ClientFrame::Resize(TerminalSize {
            cells: Size { cols: 100, rows: 30 },
            cell_px: Some((8, 16)),
        }),
        ClientFrame::Wakeup(TerminalSize { cells: Size { cols: 1, rows: 1 }, cell_px: None }),
        ClientFrame::Goodbye,
    ] {
        put(&frame, &mut bytes);
    }
    bytes
}

fn server_frames() -> Vec<u8> {
    let mut bytes = Vec::new();
    let (code, message) = (RefusalCode::Busy, "too many clients".to_owned());
    let reason = ExitReason::Detached { session: "work".into() };
    for frame in [
        ServerFrame::Welcome(Welcome {
            version: 2,
            server_pid: 78,
            server_version: "0.1.0".to_owned(),
        }),
        ServerFrame::Refused(Refusal { code, message, hint: Some("close one".to_owned()) }),
        ServerFrame::Attached,
        ServerFrame::Leave(b"\x1b[?1049l".to_vec()),
        ServerFrame::Token(vec![1, 2, 3]),
        ServerFrame::Output(b"\x1b[2J".to_vec()),
        ServerFrame::Stdout(b"text\n".to_vec()),
        ServerFrame::Stderr(b"text\n".to_vec()),
        ServerFrame::ReadStdin,
        ServerFrame::Suspend,
        ServerFrame::Asks,
        ServerFrame::Answered,
        ServerFrame::Exit(Exit { code: 1, reason, durable: false }),
    ] {
        put(&frame, &mut bytes);
    }
    bytes
}

fn put(frame: &impl Frame, bytes: &mut Vec<u8>) {
    encode(frame, bytes).expect("far below the limit");
}
