//! The ring as both sides see it: every short course of events, long random ones, and damage.
//!
//! On Linux, where memory-backed files can be read and written as files, which is how the tests
//! look behind the ring.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;

use ccmux_keeper::{
    CAPACITY, ChildEnd, ChildState, KeeperRing, READ_BYTES_MAX, RingError, ServerRing, Wake,
    WindowSize,
};
use proptest::prelude::*;

/// Byte offsets of header words, as drawn in `docs/keeper-protocol.md`.
const HEAD: u64 = 128;
const GUARD: u64 = 136;
const SPOOLED: u64 = 192;
const CHILD_STATE: u64 = 168;
const DRAINED: u64 = 176;
const ANSWERED: u64 = 200;
const PASTING: u64 = 224;
const PATTERN: u64 = 64;
const DATA: u64 = 4096;

/// What may happen next. Nothing of it is atomic with anything else.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// The keeper's `read` returns so many bytes, at most.
    Read(usize),
    /// The keeper publishes what it has read.
    Publish,
    /// The keeper is killed, and another goes on.
    KillKeeper,
    /// The server takes so many bytes, at most.
    Take(usize),
    /// The server gives free what it has taken.
    Spool,
    /// The server is killed, and another goes on from what is spooled.
    KillServer,
}

const EVENTS: [Event; 7] = [
    Event::Read(1),
    Event::Read(READ_BYTES_MAX),
    Event::Publish,
    Event::KillKeeper,
    Event::Take(usize::MAX),
    Event::Spool,
    Event::KillServer,
];

/// A pty with endless output, a keeper, a server, and what the server has secured.
struct World {
    keeper: KeeperRing,
    server: ServerRing,
    /// Bytes read from the pty so far.
    read: u64,
    /// Bytes read but not published.
    in_flight: usize,
    /// Bytes the server has taken and checked.
    taken: u64,
}

/// The byte at an offset of the endless output: text, never twice the same 4 KiB in a row.
fn output(offset: u64) -> u8 {
    b' ' + ((offset.wrapping_mul(31) ^ (offset >> 8)) % 95) as u8
}

fn file_of(ring: &impl AsFd) -> File {
    File::from(ring.as_fd().try_clone_to_owned().unwrap())
}

fn poke(ring: &impl AsFd, at: u64, value: u64) {
    file_of(ring).write_all_at(&value.to_ne_bytes(), at).unwrap();
}

/// A ring in which `head` bytes were published, and all before `spooled` spooled.
struct Start {
    ring: KeeperRing,
    head: u64,
    spooled: u64,
    data: Vec<u8>,
}

impl Start {
    fn new(head: u64, unspooled: u64) -> Start {
        let spooled = head - unspooled;
        let mut data = vec![0; CAPACITY];
        for offset in spooled..head {
            data[(offset % CAPACITY as u64) as usize] = output(offset);
        }
        Start { ring: KeeperRing::create(0).unwrap(), head, spooled, data }
    }

    /// A server that has taken all but the last few bytes. The worlds of one start share their
    /// memory, so only the latest may be used; making a new one each time would take longer than
    /// all that is tested in it.
    fn world(&self) -> World {
        let Start { ring: first, head, spooled, .. } = self;
        let (head, spooled) = (*head, *spooled);
        if head > 0 {
            file_of(first).write_all_at(&self.data, DATA).unwrap();
        }
        for (word, value) in [(HEAD, head), (GUARD, head), (SPOOLED, spooled)] {
            poke(first, word, value);
        }
        let keeper = KeeperRing::adopt(file_of(first).into()).unwrap();
        let server = ServerRing::open(file_of(first).into()).unwrap();
        let taken = spooled.max(head.saturating_sub(3));
        World { keeper, server, read: head, in_flight: 0, taken }
    }
}

impl World {
    fn starting_at(head: u64, unspooled: u64) -> World {
        Start::new(head, unspooled).world()
    }

    fn happen(&mut self, event: Event) {
        match event {
            // A keeper publishes one read before it begins the next.
            Event::Read(_) if self.in_flight > 0 => {}
            Event::Read(most) => {
                let vacant = self.keeper.vacant().unwrap();
                let count = most.min(vacant.len());
                for byte in &mut vacant[..count] {
                    *byte = output(self.read);
                    self.read += 1;
                }
                self.in_flight = count;
            }
            Event::Publish => {
                let _ = self.keeper.publish(std::mem::take(&mut self.in_flight));
            }
            Event::KillKeeper => {
                self.keeper = KeeperRing::adopt(file_of(&self.keeper).into()).unwrap();
                self.in_flight = 0;
                assert_eq!(self.keeper.head(), self.read, "bytes read by the dead keeper");
                assert_eq!(self.server.doubt().unwrap(), None);
            }
            Event::Take(most) => {
                let mut bytes = Vec::new();
                let count = self.server.copy_from(self.taken, most, &mut bytes).unwrap();
                assert_eq!(bytes.len(), count);
                for byte in bytes {
                    assert_eq!(byte, output(self.taken), "at offset {}", self.taken);
                    self.taken += 1;
                }
            }
            Event::Spool => {
                let _ = self.server.set_spooled(self.taken).unwrap();
            }
            Event::KillServer => {
                self.server = ServerRing::open(file_of(&self.server).into()).unwrap();
                self.taken = self.server.spooled();
            }
        }
    }

    fn finish(mut self) {
        self.happen(Event::Publish);
        self.happen(Event::Take(usize::MAX));
        assert_eq!(self.taken, self.read, "bytes were lost");
    }
}

/// Goal: no course of events loses, doubles or changes a byte (R1, R2). Method: all courses of
/// a few events, from an empty ring, one at its turn, and one with hardly any room.
#[test]
fn no_short_course_of_events_loses_a_byte() {
    let capacity = CAPACITY as u64;
    // A crowded ring is slow to check, so its courses are shorter.
    for (head, unspooled, events) in
        [(0, 0, 4), (capacity - 2, 5, 4), (3 * capacity + 2, capacity - 1, 3)]
    {
        let start = Start::new(head, unspooled);
        for course in 0..EVENTS.len().pow(events) {
            let mut world = start.world();
            for at in 0..events {
                world.happen(EVENTS[course / EVENTS.len().pow(at) % EVENTS.len()]);
            }
            world.finish();
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..=READ_BYTES_MAX).prop_map(Event::Read),
        4 => Just(Event::Publish),
        1 => Just(Event::KillKeeper),
        3 => (0..3 * READ_BYTES_MAX).prop_map(Event::Take),
        2 => Just(Event::Spool),
        1 => Just(Event::KillServer),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    /// As above, for long courses that go round the ring several times.
    #[test]
    fn no_long_course_of_events_loses_a_byte(
        start in 0..2 * CAPACITY as u64,
        events in prop::collection::vec(event(), 1500),
    ) {
        let mut world = World::starting_at(start, 0);
        for event in events {
            world.happen(event);
        }
        world.finish();
    }

    /// R4: whatever the header holds, both halves give an answer or an error.
    #[test]
    fn no_header_makes_either_half_fail_badly(
        words in prop::collection::vec((0..32_u64, prop_oneof![any::<u64>(), 0..600_000_u64]), 1..6),
    ) {
        let ring = KeeperRing::create(0).unwrap();
        let mut live = World::starting_at(100_000, 5000);
        for (word, value) in words {
            poke(&ring, word * 8, value);
            poke(&live.keeper, word * 8, value);
        }
        if let Ok(mut keeper) = KeeperRing::adopt(file_of(&ring).into()) {
            let _ = use_keeper(&mut keeper);
        }
        if let Ok(mut server) = ServerRing::open(file_of(&ring).into()) {
            let _ = use_server(&mut server);
        }
        let _ = use_keeper(&mut live.keeper);
        let _ = use_server(&mut live.server);
    }
}

fn use_keeper(keeper: &mut KeeperRing) -> Result<(), RingError> {
    let count = keeper.vacant()?.len();
    let _ = keeper.publish(count);
    keeper.sleep_while_full()?;
    keeper.child_state()?;
    Ok(())
}

fn use_server(server: &mut ServerRing) -> Result<(), RingError> {
    let mut bytes = Vec::new();
    server.copy_from(server.spooled(), usize::MAX, &mut bytes)?;
    assert!(bytes.len() <= CAPACITY);
    let head = server.head()?;
    server.arm_bell(head)?;
    server.doubt()?;
    server.child_pid()?;
    server.set_answered(head)?;
    let _ = server.set_spooled(head)?;
    server.end()?;
    Ok(())
}

/// Goal: R4. Method: for each word the value just outside what is possible, before and after the
/// ring is mapped.
#[test]
fn a_damaged_header_is_refused() {
    let corrupt = |result: Result<(), RingError>, wanted: &str| match result {
        Err(RingError::Corrupt { field, .. } | RingError::Foreign { field, .. }) => {
            assert_eq!(field, wanted);
        }
        other => panic!("{wanted}: {other:?}"),
    };
    let capacity = CAPACITY as u64;
    for (at, value, field) in [
        (0, 0, "magic"),
        (8, 1, "version"),
        (16, 8192, "header size"),
        (24, 1 << 40, "capacity"),
        (HEAD, capacity + 1, "head"),
        (SPOOLED, 1, "head"),
        (SPOOLED, u64::MAX, "spooled"),
        (ANSWERED, 1, "answered"),
        (CHILD_STATE, 5, "child state"),
    ] {
        let ring = KeeperRing::create(0).unwrap();
        poke(&ring, at, value);
        corrupt(ServerRing::open(file_of(&ring).into()).map(|_| ()), field);
        if at != ANSWERED {
            let adopted = KeeperRing::adopt(file_of(&ring).into());
            corrupt(adopted.and_then(|keeper| keeper.child_state()).map(|_| ()), field);
        }
    }
    for guard in [READ_BYTES_MAX as u64 + 1, u64::MAX] {
        let ring = KeeperRing::create(0).unwrap();
        poke(&ring, GUARD, guard);
        corrupt(KeeperRing::adopt(file_of(&ring).into()).map(|_| ()), "guard");
    }

    let mut world = World::starting_at(1000, 500);
    for spooled in [499, 1001] {
        poke(&world.keeper, SPOOLED, spooled);
        corrupt(world.keeper.vacant().map(|_| ()), "spooled");
    }
    for head in [999, 500 + capacity + 1] {
        poke(&world.server, HEAD, head);
        corrupt(world.server.head().map(|_| ()), "head");
        corrupt(world.server.arm_bell(1000).map(|_| ()), "head");
    }
    poke(&world.server, HEAD, 1000);
    poke(&world.server, DRAINED, 1);
    corrupt(world.server.end().map(|_| ()), "drained");
}

#[test]
fn a_file_that_is_no_ring_is_refused() {
    let temporary = tempfile::tempfile().unwrap();
    temporary.set_len(DATA + CAPACITY as u64 - 1).unwrap();
    let error = ServerRing::open(temporary.try_clone().unwrap().into()).unwrap_err();
    assert!(matches!(error, RingError::Foreign { field: "file size", .. }), "{error}");
    // Of the right size, but it could shrink under the mapping.
    temporary.set_len(DATA + CAPACITY as u64).unwrap();
    ServerRing::open(temporary.into()).unwrap_err();
}

#[test]
fn offsets_outside_the_ring_are_refused() {
    let mut world = World::starting_at(1000, 500);
    let mut bytes = Vec::new();
    for offset in [499, 1001] {
        let error = world.server.copy_from(offset, 1, &mut bytes).unwrap_err();
        assert!(matches!(error, RingError::Outside { .. }), "{error}");
        world.server.set_spooled(offset).unwrap_err();
    }
    world.server.set_answered(1001).unwrap_err();
    assert_eq!(bytes, []);
    // Both only go forward.
    world.server.set_answered(700).unwrap();
    world.server.set_answered(699).unwrap_err();
}

/// A paste that a killed server had begun is known to the one after it.
#[test]
fn a_paste_is_remembered_in_the_ring() {
    let ring = KeeperRing::create(0).unwrap();
    let mut first = ServerRing::open(file_of(&ring).into()).unwrap();
    assert!(!first.is_pasting());
    first.set_pasting(true);
    drop(first);
    let mut word = [0; 8];
    file_of(&ring).read_exact_at(&mut word, PASTING).unwrap();
    assert_eq!(u64::from_ne_bytes(word), 1);
    let mut second = ServerRing::open(file_of(&ring).into()).unwrap();
    assert!(second.is_pasting());
    second.set_pasting(false);
    assert!(!ServerRing::open(file_of(&ring).into()).unwrap().is_pasting());
}

/// What a dead keeper had read is exact for text. Bytes that cannot be told from the pattern put
/// the place in doubt, and the mark stays for a server that comes later.
#[test]
fn bytes_that_look_like_the_pattern_leave_a_doubt() {
    let mut world = World::starting_at(5, 0);
    let mut pattern = [0; 64];
    file_of(&world.keeper).read_exact_at(&mut pattern, PATTERN).unwrap();
    let vacant = world.keeper.vacant().unwrap();
    vacant[..3].copy_from_slice(&[0xff, b'a', pattern[7]]);
    if vacant[0] == pattern[5] {
        vacant[0] = 0xc0;
    }
    let keeper = KeeperRing::adopt(file_of(&world.keeper).into()).unwrap();
    assert_eq!(keeper.head(), 7, "the third byte equals the pattern and cannot be seen");
    assert_eq!(world.server.doubt().unwrap(), Some(7));
    let mut later = ServerRing::open(file_of(&keeper).into()).unwrap();
    assert_eq!(later.doubt().unwrap(), Some(7));
    // Another keeper that finds nothing does not wipe the mark.
    KeeperRing::adopt(file_of(&keeper).into()).unwrap();
    assert_eq!(later.doubt().unwrap(), Some(7));
}

#[test]
fn a_sleeper_is_rung_once_and_news_prevent_sleep() {
    let mut world = World::starting_at(0, 0);
    assert!(world.server.arm_bell(0).unwrap());
    world.keeper.vacant().unwrap()[0] = b'x';
    assert_eq!(world.keeper.publish(1), Wake::Ring);
    world.keeper.vacant().unwrap()[0] = b'y';
    assert_eq!(world.keeper.publish(1), Wake::Awake);
    assert!(!world.server.arm_bell(1).unwrap(), "slept with news");
    assert!(world.server.arm_bell(2).unwrap());
    world.keeper.set_running(77);
    world.keeper.set_ended(ChildEnd::Exited(3));
    assert_eq!(world.server.child_state().unwrap(), ChildState::Ended(ChildEnd::Exited(3)));
    assert_eq!(world.server.end().unwrap(), None, "output may still come");
    assert_eq!(world.keeper.set_drained(), Wake::Ring);
    assert!(!world.server.arm_bell(2).unwrap(), "slept with an end unseen");
    assert_eq!(world.server.end().unwrap(), Some(ChildEnd::Exited(3)));
    assert!(world.server.arm_bell(2).unwrap());

    // The other direction: a full ring.
    let mut world = World::starting_at(0, 0);
    assert!(!world.keeper.sleep_while_full().unwrap());
    while let count @ 1.. = world.keeper.vacant().unwrap().len() {
        let _ = world.keeper.publish(count);
    }
    assert_eq!(world.keeper.head(), CAPACITY as u64);
    assert!(world.keeper.sleep_while_full().unwrap());
    assert_eq!(world.server.set_spooled(1).unwrap(), Wake::Ring);
    assert_eq!(world.server.set_spooled(2).unwrap(), Wake::Awake);
    assert!(!world.keeper.sleep_while_full().unwrap());
    assert_eq!(world.keeper.vacant().unwrap().len(), 2);
}

#[test]
fn the_next_server_knows_the_window_size() {
    let mut world = World::starting_at(0, 0);
    let size = WindowSize { rows: 24, cols: 80, width_px: 800, height_px: 480 };
    world.server.set_window_size(size);
    world.happen(Event::KillServer);
    assert_eq!(world.server.window_size(), size);
}
