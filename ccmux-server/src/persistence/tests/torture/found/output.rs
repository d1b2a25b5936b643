//! The same for output.

use super::WAYS;
use crate::persistence::scrollback::tests::script;
use crate::persistence::sim::{CallKind, Decay, Fault};

fn run_output(seed: u64, steps: Vec<script::Step>) {
    script::run(&(seed, steps)).unwrap();
}

fn print(bytes: u64) -> script::Step {
    script::Step::Print { pane: 0, bytes }
}

/// A server was killed, its successor went on behind what was not synced, and then the power was cut:
/// what that took was called damage as soon as something else had been synced.
#[test]
fn what_a_power_cut_takes_from_behind_a_kill_is_no_damage() {
    use script::Step::{Cut, Kill, Sync};
    for way in 0..WAYS {
        let mut steps = vec![print(17), Sync, print(297), Kill(Vec::new())];
        steps.extend([Cut(way, Vec::new()), print(1), Sync, print(1), Kill(Vec::new())]);
        run_output(0, steps);
    }
}

/// A sync failed, the server was killed, and the next one synced the same file: with success, because
/// the system had forgotten that there was anything to write. It was called durable.
#[test]
fn a_later_server_does_not_trust_a_sync_of_an_earlier_one_s_file() {
    use script::Step::{Cut, Fail, Kill, Sync};
    let (kind, nth, times, fault) = (CallKind::Sync, 1, 3, Fault::Io);
    for way in 0..WAYS {
        let mut steps = vec![Fail { kind, nth, times, fault }, print(100), Sync, print(1)];
        steps.extend([Kill(Vec::new()), print(1), Sync, Cut(way, Vec::new())]);
        run_output(way, steps);
    }
}

/// Nor on one that was given up before there was anything in it.
#[test]
fn an_empty_segment_that_was_given_up_is_no_predecessor() {
    use script::Step::{Cut, Fail, Sync};
    let (kind, nth, times, fault) = (CallKind::Write, 1, 1, Fault::Io);
    for way in 0..WAYS {
        let fail = Fail { kind, nth, times, fault };
        run_output(way, vec![fail, print(1), Sync, Cut(way, Vec::new())]);
    }
}

/// Nobody builds on a segment that a start left empty, and whose header is not on the disk.
#[test]
fn an_empty_segment_is_no_predecessor() {
    use script::Step::{Cut, Sync};
    for way in 0..WAYS {
        let crashed = Cut(0, vec![(2, None)]);
        run_output(0, vec![print(1), Sync, crashed, print(1), Sync, Cut(way, Vec::new())]);
    }
}

/// No fault of the product: a write failed, and yet all of it was there. A keyframe had covered that
/// output, so the frame brought nothing, which the model took for another frame.
#[test]
fn a_frame_that_was_refused_and_is_there_brings_nothing_twice() {
    use script::Step::{Archive, Fail, Kill};
    let with_keyframe = true;
    let fail = Fail { kind: CallKind::Write, nth: 1, times: 2, fault: Fault::Io };
    let steps = vec![
        Archive { pane: 0, with_keyframe },
        Kill(vec![(2, None), (2, None)]),
        fail,
        script::Step::Print { pane: 1, bytes: 121 },
        Archive { pane: 1, with_keyframe },
        Kill(Vec::new()),
    ];
    run_output(10_413_491_848_999_362_413, steps);
}

/// The repetition of a killed server's output decayed after it had been synced. What that server had
/// written was still there and was shown, and then a power cut took it: it was in memory alone.
#[test]
fn what_decay_leaves_only_in_memory_goes_to_the_disk() {
    use script::Step::{Cut, Kill, Sync};
    let repetition = Decay::Truncated { file: 1, bytes: 4000 };
    for way in 0..WAYS {
        let mut steps = vec![print(1), Kill(Vec::new())];
        for _ in 0..5 {
            steps.extend([script::Step::Print { pane: 1, bytes: 299 }, Sync]);
        }
        steps.extend([script::Step::Decay(vec![repetition], 1 + way % 12), Cut(way, Vec::new())]);
        run_output(0, steps);
    }
}

/// No fault of the product: a durable keyframe decayed beside a newer one whose directory could not be
/// synced. The model took the newer one for the durable one, which a power cut must not take.
#[test]
fn a_keyframe_that_was_not_durable_replaces_none_that_decayed() {
    use script::Step::{Archive, Cut, Fail, Print};
    let (pane, with_keyframe) = (1, true);
    let (kind, nth, times, fault) = (CallKind::SyncDir, 1, u64::MAX, Fault::Io);
    let durable = Decay::Gone { file: 1 };
    for way in 0..WAYS {
        let mut steps = vec![Print { pane, bytes: 64 }, Archive { pane, with_keyframe }];
        steps.extend([Print { pane, bytes: 1 }, Fail { kind, nth, times, fault }]);
        steps.extend([Archive { pane, with_keyframe }, script::Step::Decay(vec![durable], 1)]);
        steps.push(Cut(way, Vec::new()));
        run_output(0, steps);
    }
}

/// A power cut took what was written behind repetitions, and some of their originals. The log was ended
/// before those, although the repetitions were all there and synced.
#[test]
fn the_log_does_not_end_before_what_is_repeated_behind() {
    use script::Step::{Cut, Kill, Sync};
    let mut steps: Vec<script::Step> = (0..15).map(|_| print(1)).collect();
    steps.push(Cut(0, Vec::new()));
    steps.extend([1, 25, 233, 1, 105].map(print));
    steps.push(Sync);
    steps.extend([289, 25, 1, 97, 217].map(print));
    steps.extend([Kill(vec![(2, None)]), Sync]);
    steps.extend([185, 161, 1, 1].map(print));
    steps.push(Cut(2_429_982_882_137_242_925, Vec::new()));
    run_output(6_002_478_095_146_187_746, steps);
}

/// No fault of the product: output was refused, and a keyframe had it. When that and the next one decayed
/// the gap could be seen again, which the model had forgotten behind the second.
#[test]
fn a_gap_before_a_keyframe_that_decays_is_seen_again() {
    use script::Step::{Archive, Fail, Kill, Print};
    let (pane, with_keyframe) = (1, true);
    let (kind, nth, times, fault) = (CallKind::Write, 1, 2, Fault::Io);
    let bits = [1, 2].map(|file| Decay::Bit { file, bit: 300 });
    let mut steps = vec![Fail { kind, nth, times, fault }, Print { pane, bytes: 64 }];
    steps.extend([Archive { pane, with_keyframe }, Kill(Vec::new()), Print { pane, bytes: 1 }]);
    steps.extend([Archive { pane, with_keyframe }, Kill(Vec::new())]);
    steps.push(script::Step::Decay(bits.to_vec(), 1));
    run_output(0, steps);
}

/// A power cut took the first segment, whose name had never been synced, and left the next. That looked as
/// if the first had been removed when nobody needed it any more, so that there was a gap.
#[test]
fn a_first_segment_that_was_never_on_the_disk_was_not_removed() {
    use script::Step::{Archive, CutAt, Fail, Sync};
    let (pane, with_keyframe) = (0, false);
    let archive = Archive { pane, with_keyframe };
    let (kind, nth, times, fault) = (CallKind::Write, 1, u64::MAX, Fault::Short);
    for call in 1..20 {
        let mut steps = vec![archive.clone(), print(273), Fail { kind, nth, times, fault }];
        steps.push(archive.clone());
        steps.extend([145, 169, 161].map(print));
        steps.push(CutAt { call, seed: 11_330_257_784_621_199_532 });
        steps.push(script::Step::Print { pane: 1, bytes: 17 });
        steps.extend([print(113), print(97), Sync]);
        run_output(0, steps);
    }
}

/// A power cut left nothing that counts of what was before. The next one took the first segment since, the
/// only one that said so, and what had been void came back.
#[test]
fn what_was_void_stays_so_without_the_first_segment_behind_it() {
    use script::Step::{Archive, Cut, Kill};
    let archive = Archive { pane: 0, with_keyframe: false };
    let mut steps: Vec<script::Step> = [1, 1, 62, 1].map(print).to_vec();
    steps.extend([Kill(Vec::new()), Kill(vec![(1, Some(0))]), archive]);
    steps.extend([169, 1, 265, 161, 73, 1, 33, 241].map(print));
    steps.extend([Kill(vec![(2, None)]), Cut(1_775_763_209_083_496_204, Vec::new())]);
    steps.push(Kill(Vec::new()));
    run_output(0, steps);
}

/// A power cut left a hole in one segment, and the next one whole, which was void from then on. The segment
/// behind that said so, alone: when that could not be read what was void was shown.
#[test]
fn what_was_void_stays_so_without_the_segment_that_says_so() {
    use script::Step::{Cut, Sync};
    for way in 0..WAYS {
        for file in 0..6 {
            let mut steps = vec![print(281), Sync];
            steps.extend([297, 297, 297, 297].map(print));
            steps.extend([Cut(way, Vec::new()), print(89), Sync]);
            steps.extend([Cut(way, Vec::new()), print(57), Sync]);
            steps.push(script::Step::Decay(vec![Decay::Unreadable { file }], 1));
            run_output(0, steps);
        }
    }
}

/// The segment that said what was void could not be read any more, and the power cut that followed took the one
/// behind it, too, which had not been synced.
#[test]
fn what_was_void_stays_so_without_two_segments_behind_it() {
    use script::Step::{Cut, Sync};
    for way in 0..WAYS {
        for file in 0..6 {
            let mut steps = vec![print(281), Sync];
            steps.extend([297, 297, 297, 297].map(print));
            steps.extend([Cut(way, Vec::new()), print(89), Sync]);
            steps.extend([Cut(way, Vec::new()), print(57)]);
            steps.push(script::Step::Decay(vec![Decay::Unreadable { file }], 1));
            steps.push(Cut(way, Vec::new()));
            run_output(0, steps);
        }
    }
}

/// The two segments that said what was void decayed at once.
#[test]
fn what_was_void_stays_so_if_two_segments_behind_it_decay() {
    use script::Step::{Cut, Kill, Sync};
    for way in 0..WAYS {
        for (one, other) in [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (3, 4)] {
            let gone = [one, other].map(|file| Decay::Gone { file });
            let mut steps = vec![print(281), Sync];
            steps.extend([297, 297, 297, 297].map(print));
            steps.extend([Cut(way, Vec::new()), print(89), Sync, Cut(way, Vec::new())]);
            steps.extend([print(57), Sync, Kill(Vec::new()), print(25)]);
            steps.push(script::Step::Decay(gone.to_vec(), 1));
            run_output(0, steps);
        }
    }
}

/// The segment that said what was void changed places with another one, and the start that found that was killed
/// when it had put one of them aside.
#[test]
fn what_was_void_stays_so_if_the_segment_behind_it_is_in_a_wrong_place() {
    use script::Step::{Cut, Sync};
    for way in 0..WAYS {
        for (file, with) in [(0, 2), (1, 2), (2, 3), (1, 3)] {
            for call in 1..6 {
                let mut steps = vec![print(281), Sync];
                steps.extend([297, 297, 297, 297].map(print));
                steps.extend([Cut(way, Vec::new()), print(89), Sync]);
                steps.push(script::Step::Decay(vec![Decay::Swapped { file, with }], call));
                run_output(0, steps);
            }
        }
    }
}

/// A segment was in the place of an older one, and its own place was empty. What came later is not void for what the
/// misplaced one says.
#[test]
fn what_a_misplaced_segment_says_makes_no_newer_one_void() {
    use script::Step::Kill;
    for (file, with) in [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3)] {
        for gone in 0..4 {
            let swapped = Decay::Swapped { file, with };
            let decays = vec![swapped, Decay::Gone { file: gone }];
            let mut steps = vec![print(1), Kill(Vec::new()), script::Step::Decay(decays, 1)];
            steps.push(Kill(Vec::new()));
            run_output(0, steps);
        }
    }
}

/// A segment was in the place of an older one, its own place was empty, and the next segment got its number. When the two
/// were exchanged later, the older one could not be told from the one that belonged there: output came back that was lost.
#[test]
fn no_two_segments_have_the_same_number() {
    use script::Step::{Cut, Decay as Decayed, Print};
    let steps = vec![
        Cut(5_015_845_828_070_511_639, vec![(1, None)]),
        Print { pane: 0, bytes: 1 },
        Decayed(
            vec![
                Decay::Swapped { file: 61_514_194_402_507_235, with: 4_822_911_077_134_677_090 },
                Decay::Gone { file: 7_420_592_892_583_452_842 },
            ],
            1,
        ),
        Decayed(
            vec![Decay::Swapped { file: 186_095_329_344_723_599, with: 7_927_376_137_416_495_024 }],
            1,
        ),
    ];
    run_output(0, steps);
}

/// No fault of the product: a keyframe that was never called durable hid frames that decayed, until a power
/// cut took it.
#[test]
fn a_keyframe_that_a_power_cut_takes_hides_decay_no_longer() {
    use script::Step::{Archive, Cut, Fail};
    let archive = |pane| Archive { pane, with_keyframe: true };
    let mut steps = vec![script::Step::Print { pane: 1, bytes: 257 }, archive(1)];
    steps.extend([89, 201, 81, 113].map(print));
    steps.push(script::Step::Print { pane: 1, bytes: 57 });
    steps.push(Fail { kind: CallKind::SyncDir, nth: 5, times: 2, fault: Fault::Io });
    steps.extend([archive(1), print(177), archive(0)]);
    let decay = Decay::Truncated { file: 3_722_710_108_818_910_872, bytes: 0 };
    steps.push(script::Step::Decay(vec![decay], 1));
    steps.push(Cut(1_589_022_133_158_767_097, Vec::new()));
    run_output(0, steps);
}

/// A disk refused to take that the pane was resized, and had it all the same. A keyframe that was taken later
/// had the new size and more, and was resized once more.
#[test]
fn what_was_refused_is_not_applied_to_a_later_keyframe() {
    use script::Step::{Archive, Fail, Resize, Sync};
    let (kind, nth, times, fault) = (CallKind::Write, 1, 2, Fault::Io);
    let with_keyframe = true;
    for call in 1..16 {
        let mut steps = vec![print(1), Sync, Fail { kind, nth, times, fault }];
        steps.extend([Resize { pane: 1, to: 0 }, script::Step::Print { pane: 1, bytes: 1 }]);
        steps.push(script::Step::CutAt { call, seed: 0 });
        steps.extend([Archive { pane: 1, with_keyframe }, Sync, script::Step::Kill(Vec::new())]);
        run_output(0, steps);
    }
}

/// The name of a keyframe could not be synced, so the lines that it counts on were written again. That failed as
/// well, behind the removal of what there was of them, and the server was killed: the keyframe missed them.
#[test]
fn a_keyframe_that_is_given_up_goes_before_the_lines_that_it_counts_on() {
    use script::Step::{Archive, Fail, Kill, Sync};
    let archive = |pane, with_keyframe| Archive { pane, with_keyframe };
    let fail = |kind, nth| Fail { kind, nth, times: 2, fault: Fault::Io };
    for nth in 1..8 {
        let mut steps = vec![print(64), Sync, script::Step::Print { pane: 1, bytes: 80 }];
        steps.extend([fail(CallKind::SyncDir, 4), archive(1, true), fail(CallKind::Write, nth)]);
        steps.extend([archive(0, false), archive(1, false), print(1), Kill(Vec::new())]);
        run_output(0, steps);
    }
}

/// Lines were added to a chunk, whose sync failed, and then the server was killed. The spool did not have that
/// output, so the next one counted on the chunk, which a power cut took.
#[test]
fn what_a_failed_sync_left_of_a_chunk_is_written_again() {
    use script::Step::{Archive, Cut, Fail, Heal, Kill, Print, Sync};
    let (pane, kind, nth, fault) = (1, CallKind::Sync, 1, Fault::Io);
    let archive = |with_keyframe| Archive { pane, with_keyframe };
    for times in 1..8 {
        for way in 0..WAYS {
            let mut steps = vec![Print { pane, bytes: 80 }, archive(false)];
            steps.extend([Fail { kind, nth, times, fault }, print(1), Sync]);
            steps.extend([Print { pane, bytes: 80 }, archive(false), Heal, Kill(Vec::new())]);
            steps.extend([archive(true), Cut(way, Vec::new())]);
            run_output(way, steps);
        }
    }
}

/// A keyframe was there, but its directory had not been synced. Its lines were written again to a chunk that took
/// precedence over theirs, and the power was cut before they were in it.
#[test]
fn no_chunk_hides_lines_before_it_has_them() {
    use script::Step::{Archive, CutAt, Fail};
    let archive = |with_keyframe| Archive { pane: 0, with_keyframe };
    for call in 1..16 {
        for way in 0..WAYS {
            let mut steps = vec![print(64), archive(false), print(4)];
            steps.push(Fail { kind: CallKind::SyncDir, nth: 1, times: 4, fault: Fault::Io });
            steps.extend([Archive { pane: 1, with_keyframe: false }, print(120), archive(true)]);
            steps.push(Fail { kind: CallKind::Create, nth: 2, times: 1, fault: Fault::Io });
            steps.extend([CutAt { call, seed: way }, print(233), archive(false)]);
            run_output(0, steps);
        }
    }
}

/// The power was cut while lines were added to a chunk, and left those at the end without those before them. The
/// spool had nothing of that output, so they counted.
#[test]
fn history_behind_a_hole_that_a_power_cut_left_does_not_count() {
    use script::Step::{Archive, Cut};
    let archive = Archive { pane: 0, with_keyframe: false };
    for way in 0..WAYS {
        for call in 1..8 {
            let mut steps = vec![print(256), archive.clone()];
            steps.extend([1, 81, 273, 185].map(print));
            steps.push(script::Step::CutAt { call, seed: way });
            steps.extend([archive.clone(), Cut(way, Vec::new())]);
            run_output(way, steps);
        }
    }
}

/// A sync failed and took what had been printed last, and the server was killed when it wrote that again. Where the
/// segment ended was said by an empty one, which was void once the next boot had begun: then what was missing there
/// was called damage.
#[test]
fn a_segment_ends_before_what_nobody_misses() {
    use script::Step::{Cut, Fail, Sync};
    let fail = |kind, fault| Fail { kind, nth: 1, times: 1, fault };
    for way in 0..WAYS {
        let mut steps = vec![print(1), Sync, print(249), fail(CallKind::Sync, Fault::Io)];
        steps.extend([fail(CallKind::Write, Fault::IoUnseen), Sync, print(1)]);
        steps.push(Cut(way, vec![(2, None)]));
        run_output(way, steps);
    }
}

/// The name of a keyframe could not be synced, and the sync of the spool failed that had the same output. The
/// next server went on from the keyframe, and called durable what only that had.
#[test]
fn a_keyframe_of_a_server_whose_calls_failed_makes_nothing_durable() {
    use script::Step::{Archive, Cut, Fail, Print, Sync};
    let fail = |kind, nth, times, fault| Fail { kind, nth, times, fault };
    for way in 0..WAYS {
        let mut steps = vec![Print { pane: 1, bytes: 80 }];
        steps.push(fail(CallKind::SyncDir, 4, 2, Fault::Io));
        steps.push(Archive { pane: 1, with_keyframe: true });
        steps.extend([fail(CallKind::Sync, 1, 1, Fault::IoUnseen), Sync]);
        steps.extend([Print { pane: 1, bytes: 1 }, Sync, Cut(way, Vec::new())]);
        run_output(way, steps);
    }
}

/// No fault of the product: a keyframe whose name a failed sync had not taken was found after decay, and the model called
/// all before it durable before the server that found it had one of its own.
#[test]
fn a_keyframe_that_decay_shows_is_not_durable_yet() {
    use script::Step::{Archive, Decay as Decayed, Fail, Kill, Print};
    let steps = vec![
        print(1),
        Fail { kind: CallKind::SyncDir, nth: 4, times: 2, fault: Fault::Io },
        Print { pane: 1, bytes: 64 },
        Archive { pane: 1, with_keyframe: true },
        Decayed(vec![Decay::Gone { file: 2_325_630_742_433_208_331 }], 1),
        Kill(vec![(1, Some(7_572_916_851_128_703_339))]),
    ];
    run_output(0, steps);
}

/// No fault of the product, which spools nothing of a pane once the disk has refused some: the model did, and took what
/// was found for the first of what was refused, and not for a later one.
#[test]
fn any_of_what_was_refused_may_be_there() {
    use script::Step::{Archive, Decay as Decayed, Fail, Heal, Print, Sync};
    let fail = |times| Fail { kind: CallKind::Write, nth: 1, times, fault: Fault::Io };
    let other = || Print { pane: 1, bytes: 1 };
    let mut steps = vec![print(1), print(1), print(1), fail(u64::MAX)];
    steps.extend([Archive { pane: 0, with_keyframe: true }, Sync, print(1), Sync, print(60)]);
    steps.extend([Archive { pane: 0, with_keyframe: false }, Heal, Sync]);
    steps.extend([other(), other(), other(), other(), Sync, fail(2), print(25)]);
    steps.push(Decayed(vec![Decay::Unreadable { file: 295_463_637_314_285_392 }], 1));
    run_output(13_522_848_461_785_678_376, steps);
}

/// No fault of the product: the only segment with a pane's frames was found in another one's place, and told of; its
/// keyframe was one whose name a failed sync had not taken, and the power went. The model knew that what such a keyframe
/// hides may be missing before other frames, and not at the end.
#[test]
fn what_decayed_behind_a_keyframe_may_go_with_that() {
    use script::Step::{Archive, Cut, Decay as Decayed, Fail, Kill, Print, Resize, Sync};
    let other = |bytes| Print { pane: 1, bytes };
    let mut steps = vec![other(31), other(33), Sync, Cut(0, vec![(1, None)]), print(1)];
    steps.extend([Resize { pane: 0, to: 0 }, Kill(vec![(1, None)]), print(1)]);
    steps.push(Fail { kind: CallKind::SyncDir, nth: 4, times: 1, fault: Fault::IoUnseen });
    steps.extend([Archive { pane: 1, with_keyframe: true }, Kill(vec![(1, None)]), print(62)]);
    steps.push(Archive { pane: 0, with_keyframe: false });
    let swapped =
        Decay::Swapped { file: 12_410_497_841_407_514_113, with: 139_158_273_662_109_929 };
    steps.extend([Decayed(vec![swapped], 1), print(1), print(1)]);
    steps.push(Cut(11_968_002_199_613_926_600, Vec::new()));
    run_output(0, steps);
}

/// No fault of the product: of two pieces of output that the disk refused the first was there all the same, before a
/// keyframe that had both. The model took it for the second, which ended where the keyframe stood.
#[test]
fn what_was_refused_may_end_before_a_keyframe() {
    use script::Step::{Archive, Cut, Fail, Print, Resize, Sync};
    let fail = |kind, nth, times, fault| Fail { kind, nth, times, fault };
    let other = |bytes| Print { pane: 1, bytes };
    let archive = |pane, with_keyframe| Archive { pane, with_keyframe };
    let mut steps = vec![other(1), other(1), fail(CallKind::SyncDir, 3, 1, Fault::IoUnseen)];
    steps.extend([archive(0, false), Sync, fail(CallKind::Sync, 4, 1, Fault::IoUnseen)]);
    steps.extend([Resize { pane: 0, to: 0 }, print(80), archive(0, false), Sync]);
    steps.extend([print(1), print(1), print(30), Sync, archive(0, false), archive(0, true)]);
    steps.extend([print(1), fail(CallKind::Remove, 1, 1, Fault::Io)]);
    steps.extend([fail(CallKind::Write, 1, 3, Fault::Io), other(25), archive(0, false)]);
    steps.extend([other(1), archive(1, true), Cut(16_343_080_720_909_321_344, Vec::new())]);
    run_output(10_132_436_550_678_817_737, steps);
}

/// Lines of a chunk from before a power cut counted, behind a gap, that nobody can read: a later chunk began before them,
/// and had not got that far.
#[test]
fn lines_that_a_later_chunk_should_have_do_not_count() {
    use script::Step::{Archive, Fail, Kill, Sync};
    let archive = |with_keyframe| Archive { pane: 0, with_keyframe };
    let mut steps = vec![print(64), archive(true), print(240), archive(false)];
    steps.push(Kill(vec![(1, Some(32_130_415_384_042_368))]));
    steps.extend([print(32), print(1), print(1), archive(true)]);
    steps.push(Fail { kind: CallKind::Sync, nth: 1, times: 5, fault: Fault::Io });
    steps.extend([Sync, print(206), Sync, archive(false), Sync, print(1), print(1)]);
    steps.extend([Kill(Vec::new()), print(1)]);
    run_output(3_694_679_034_064_880_425, steps);
}
