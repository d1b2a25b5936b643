//! How many changes a second become durable: the structural log alone, beside a bare loop of append
//! and `fdatasync` on the same disk, in turn.
//!
//! `cargo run --release -p ccmux-server --example commits DIRECTORY [SECONDS]`
//!
//! Prints one line of JSON: changes a second of the bare loop, of the same loop over a file whose
//! space is preallocated, and of the log with 1, 8 and 32 writers, each of which waits until its change is durable before it makes the next.

use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ccmux_core::change::{Change, OptionScope};
use ccmux_core::model::Timestamp;
use ccmux_server::persistence::storage::FsStorage;
use ccmux_server::persistence::{LogEntry, OpenOptions as StoreOptions, Persistence};
use rustix::fs::{FallocateFlags, fallocate};

type Outcome<T> = Result<T, Box<dyn Error>>;

const WRITERS: [u32; 3] = [1, 8, 32];
/// How often everything is measured; the middle one counts.
const TURNS: usize = 3;
/// About what the record of a changed option takes.
const RECORD_BYTES: usize = 256;
/// What the file of the second loop is preallocated to.
const FILE_BYTES: u64 = 4 << 20;

#[expect(clippy::print_stdout, reason = "its purpose")]
fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = Path::new(arguments.first().ok_or("usage: commits DIRECTORY [SECONDS]")?);
    let seconds: f64 = arguments.get(1).map_or(Ok(1.0), |word| word.parse())?;
    let time = Duration::from_secs_f64(seconds);
    let mut turns: Vec<Vec<f64>> = vec![Vec::new(); WRITERS.len() + 2];
    for _ in 0..TURNS {
        turns[0].push(bare(directory, None, time)?);
        turns[1].push(bare(directory, Some(FILE_BYTES), time)?);
        for (writers, into) in WRITERS.iter().zip(&mut turns[2..]) {
            into.push(log(directory, *writers, time)?);
        }
    }
    let middle = turns.iter_mut().map(|turns| {
        turns.sort_by(f64::total_cmp);
        turns[TURNS / 2]
    });
    let middle: Vec<f64> = middle.collect();
    println!(
        r#"{{"bare":{:.1},"preallocated":{:.1},"log1":{:.1},"log8":{:.1},"log32":{:.1}}}"#,
        middle[0], middle[1], middle[2], middle[3], middle[4]
    );
    Ok(())
}

/// Records a second that a loop of write and sync makes durable: at the end of a file that grows, or
/// round and round in one of that size.
fn bare(directory: &Path, size: Option<u64>, time: Duration) -> Outcome<f64> {
    let place = tempfile::TempDir::new_in(directory)?;
    let file = OpenOptions::new().create_new(true).write(true).open(place.path().join("log"))?;
    if let Some(size) = size {
        fallocate(&file, FallocateFlags::empty(), 0, size)?;
    }
    file.sync_all()?;
    let (record, start) = ([b'r'; RECORD_BYTES], now());
    let mut count = 0;
    while start.elapsed() < time {
        let at = count * RECORD_BYTES as u64;
        let at = size.map_or(at, |size| at % size);
        file.write_all_at(&record, at)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(rate(count, start.elapsed()))
}

/// Changes a second that so many writers get through the log.
fn log(directory: &Path, writers: u32, time: Duration) -> Outcome<f64> {
    let place = tempfile::TempDir::new_in(directory)?;
    let news = Arc::new((Mutex::new(()), Condvar::new()));
    let notifier = {
        let news = Arc::clone(&news);
        Arc::new(move || {
            drop(news.0.lock().unwrap_or_else(PoisonError::into_inner));
            news.1.notify_all();
        })
    };
    let options = StoreOptions::new(Timestamp(1), notifier)?;
    let storage = Arc::new(FsStorage::open(place.path())?);
    let (persistence, _recovered) = Persistence::open(storage, &options)?;
    let issued = persistence.issued();
    if !persistence.wait_durable(issued) {
        return Err("the log is degraded".into());
    }
    let (persistence, start) = (Mutex::new(persistence), now());
    let write = |writer: u32| -> Result<u64, String> {
        let mut count = 0;
        while start.elapsed() < time {
            let mut log = persistence.lock().unwrap_or_else(PoisonError::into_inner);
            let seq = log.log(&entry(writer, count)).map_err(|error| error.to_string())?;
            drop(log);
            let guard = news.0.lock().unwrap_or_else(PoisonError::into_inner);
            let is_pending = |(): &mut ()| {
                let log = persistence.lock().unwrap_or_else(PoisonError::into_inner);
                log.durable() < seq
            };
            drop(news.1.wait_while(guard, is_pending));
            count += 1;
        }
        Ok(count)
    };
    let count = thread::scope(|scope| {
        let write = &write;
        let threads: Vec<_> = (0..writers).map(|n| scope.spawn(move || write(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).sum()
    });
    let count: Result<u64, String> = count;
    Ok(rate(count?, start.elapsed()))
}

fn entry(writer: u32, count: u64) -> LogEntry {
    LogEntry {
        time: Timestamp(1_700_000_000_000 + count),
        actor: format!("client {writer}"),
        cause: format!("set-option -g @option{writer} value{count}"),
        changes: vec![Change::OptionSet {
            scope: OptionScope::GlobalSession,
            name: format!("@option{writer}"),
            value: Some(format!("value{count}")),
        }],
    }
}

#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^53")]
fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

#[expect(clippy::disallowed_methods, reason = "it measures time")]
fn now() -> Instant {
    Instant::now()
}
