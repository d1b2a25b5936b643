//! Frames survive the wire, and nothing on the wire survives that is not a frame.
#![cfg(test)]

use bstr::BString;
use ccmux_core::geometry::Size;
use ccmux_protocol::{
    ClientFrame, Exit, ExitReason, FRAME_BYTES_MAX, Frame, FrameDecoder, FrameError, Hello,
    Refusal, RefusalCode, Resume, STDIN_BYTES_MAX, ServerFrame, StdinEnd, TerminalSize,
    VersionRange, Welcome, encode,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Everything the decoder yields for `wire` cut into pieces of the given lengths, over and over.
fn decode_in_pieces<F: Frame>(wire: &[u8], lengths: &[usize]) -> Result<Vec<F>, FrameError> {
    let mut decoder = FrameDecoder::<F>::new();
    let mut frames = Vec::new();
    let mut rest = wire;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, tail) = rest.split_at((*length).min(rest.len()));
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
        rest = tail;
    }
    Ok(frames)
}

fn encode_all<F: Frame>(frames: &[F]) -> Vec<u8> {
    let mut wire = Vec::new();
    for frame in frames {
        encode(frame, &mut wire).unwrap();
    }
    wire
}

fn any_bytes() -> impl Strategy<Value = BString> {
    prop_oneof![
        vec(any::<u8>(), 0..20).prop_map(BString::from),
        "\\PC{0,12}".prop_map(BString::from)
    ]
}

fn any_size() -> impl Strategy<Value = Size> {
    (1..=Size::MAX, 1..=Size::MAX).prop_map(|(cols, rows)| Size { cols, rows })
}

prop_compose! {
    fn any_hello()(
        versions in (any::<u32>(), any::<u32>()),
        client_version in "\\PC{0,8}",
        pid in any::<u32>(),
        is_tty in any::<bool>(),
        texts in (any_bytes(), proptest::option::of(any_bytes()), proptest::option::of(any_bytes())),
        size in proptest::option::of(any_size()),
        env in vec((any_bytes(), any_bytes()), 0..4),
    ) -> Hello {
        let (cwd, tty, term) = texts;
        Hello {
            versions: VersionRange { min: versions.0, max: versions.1 },
            client_version,
            pid,
            is_tty,
            tty,
            size,
            colorterm: term.clone(),
            cell_px: Some((8, 16)),
            term_program: None,
            term,
            cwd,
            env,
            read_only: !is_tty,
        }
    }
}

fn any_terminal_size() -> impl Strategy<Value = TerminalSize> {
    (any_size(), any::<Option<(u16, u16)>>())
        .prop_map(|(cells, cell_px)| TerminalSize { cells, cell_px })
}

fn any_client_frame() -> impl Strategy<Value = ClientFrame> {
    prop_oneof![
        any_hello().prop_map(|hello| ClientFrame::Hello(Box::new(hello))),
        vec(any_bytes(), 0..4).prop_map(ClientFrame::Command),
        (any::<bool>(), vec(any::<u8>(), 0..40))
            .prop_map(|(is_drawn, token)| ClientFrame::Resume(Resume { is_drawn, token })),
        vec(any::<u8>(), 0..40).prop_map(ClientFrame::Input),
        any_terminal_size().prop_map(ClientFrame::Resize),
        any_terminal_size().prop_map(ClientFrame::Wakeup),
        vec(any::<u8>(), 1..40).prop_map(ClientFrame::Stdin),
        proptest::option::of("\\PC{0,8}")
            .prop_map(|error| ClientFrame::StdinEnd(StdinEnd { error })),
        Just(ClientFrame::Goodbye),
    ]
}

fn any_server_frame() -> impl Strategy<Value = ServerFrame> {
    let reason = prop_oneof![
        Just(ExitReason::Done),
        any_bytes().prop_map(|session| ExitReason::Detached { session }),
        any_bytes().prop_map(|session| ExitReason::HungUp { session }),
        (any_bytes(), any_bytes())
            .prop_map(|(shell, command)| ExitReason::Replaced { shell, command }),
        Just(ExitReason::Exited),
        Just(ExitReason::ServerExited),
        Just(ExitReason::Terminated),
        Just(ExitReason::LostTty),
        any_bytes().prop_map(|text| ExitReason::Message { text }),
    ];
    let exit = (any::<u8>(), reason, any::<bool>()).prop_map(|(code, reason, durable)| Exit {
        code,
        reason,
        durable,
    });
    prop_oneof![
        (any::<u32>(), any::<u32>(), "\\PC{0,8}").prop_map(
            |(version, server_pid, server_version)| {
                ServerFrame::Welcome(Welcome { version, server_pid, server_version })
            }
        ),
        ("\\PC{0,8}", proptest::option::of("\\PC{0,8}")).prop_map(|(message, hint)| {
            ServerFrame::Refused(Refusal { code: RefusalCode::Version, message, hint })
        }),
        Just(ServerFrame::Attached),
        Just(ServerFrame::Suspend),
        Just(ServerFrame::Asks),
        Just(ServerFrame::Answered),
        Just(ServerFrame::ReadStdin),
        vec(any::<u8>(), 0..40).prop_map(ServerFrame::Leave),
        vec(any::<u8>(), 0..40).prop_map(ServerFrame::Token),
        vec(any::<u8>(), 0..40).prop_map(ServerFrame::Output),
        vec(any::<u8>(), 0..40).prop_map(ServerFrame::Stdout),
        vec(any::<u8>(), 0..40).prop_map(ServerFrame::Stderr),
        exit.prop_map(ServerFrame::Exit),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn client_frames_arrive_as_sent_however_the_stream_is_cut(
        frames in vec(any_client_frame(), 0..6),
        lengths in vec(1..64_usize, 1..4),
    ) {
        prop_assert_eq!(decode_in_pieces(&encode_all(&frames), &lengths), Ok(frames));
    }

    #[test]
    fn server_frames_arrive_as_sent_however_the_stream_is_cut(
        frames in vec(any_server_frame(), 0..6),
        lengths in vec(1..64_usize, 1..4),
    ) {
        prop_assert_eq!(decode_in_pieces(&encode_all(&frames), &lengths), Ok(frames));
    }

    /// Noise ends in an error or in waiting for more, and does not depend on how it is cut.
    #[test]
    fn noise_neither_panics_nor_depends_on_cuts(
        length in 0..200_u32,
        kind in any::<u8>(),
        noise in vec(any::<u8>(), 0..300),
        lengths in vec(1..64_usize, 1..4),
    ) {
        let mut wire = length.to_le_bytes().to_vec();
        wire.push(kind);
        wire.extend(noise);
        let whole = decode_in_pieces::<ClientFrame>(&wire, &[wire.len()]);
        prop_assert_eq!(decode_in_pieces::<ClientFrame>(&wire, &lengths), whole);
        decode_in_pieces::<ServerFrame>(&wire, &lengths).ok();
    }
}

#[test]
fn an_excessive_length_is_refused_at_the_header_and_for_good() {
    let too_long = FRAME_BYTES_MAX + 1;
    let mut decoder = FrameDecoder::<ClientFrame>::new();
    decoder.push(&(too_long as u32).to_le_bytes());
    assert_eq!(decoder.next_frame(), Ok(None), "the header is not complete");
    decoder.push(&[0x04]);
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { bytes: too_long }));
    decoder.push(&encode_all(&[ClientFrame::Goodbye]));
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { bytes: too_long }));
}

#[test]
fn long_output_is_split_and_only_its_last_piece_is_an_output() {
    let bytes: Vec<u8> = (0..FRAME_BYTES_MAX * 2 + 3).map(|n| n as u8).collect();
    let wire = encode_all(&[ServerFrame::Output(bytes.clone())]);
    let frames = decode_in_pieces::<ServerFrame>(&wire, &[wire.len()]).unwrap();
    let [ServerFrame::OutputPart(a), ServerFrame::OutputPart(b), ServerFrame::Output(c)] =
        frames.as_slice()
    else {
        panic!("{} frames", frames.len());
    };
    assert_eq!([a.as_slice(), b, c].concat(), bytes);
}

#[test]
fn what_does_not_fit_a_frame_is_an_error_that_leaves_no_trace() {
    let mut wire = vec![1, 2, 3];
    let word = BString::from(vec![b'x'; FRAME_BYTES_MAX]);
    let result = encode(&ClientFrame::Command(vec![word]), &mut wire);
    assert!(matches!(result, Err(FrameError::TooLong { .. })), "{result:?}");
    assert_eq!(wire, [1, 2, 3]);
}

/// Later versions add fields; older ones lack some.
#[test]
fn unknown_fields_are_ignored_and_missing_ones_have_defaults() {
    let hello = br#"{"versions":{"min":1,"max":7,"x":0},"pid":5,"later":[{}]}"#;
    let Ok(ClientFrame::Hello(hello)) = ClientFrame::decode(0x01, hello) else { panic!() };
    assert_eq!((hello.versions.max, hello.pid, hello.size, hello.is_tty), (7, 5, None, false));

    let exit = ServerFrame::decode(0x8a, br#"{"code":3,"reason":{"why":"later","how":1}}"#);
    let expected = Exit { code: 3, reason: ExitReason::Other, durable: true };
    assert_eq!(exit, Ok(ServerFrame::Exit(expected)));
}

#[test]
fn a_size_is_brought_within_bounds() {
    let decoded = ClientFrame::decode(0x05, br#"{"cols":0,"rows":65535}"#);
    let size = Size { cols: 1, rows: Size::MAX };
    assert_eq!(decoded, Ok(ClientFrame::Resize(size.into())), "of a client that tells no pixels");
    let decoded = ClientFrame::decode(0x06, br#"{"cols":80,"rows":24,"cell_px":[9,18]}"#);
    let size = TerminalSize { cells: Size { cols: 80, rows: 24 }, cell_px: Some((9, 18)) };
    assert_eq!(decoded, Ok(ClientFrame::Wakeup(size)));
}

#[test]
fn the_newest_common_version_is_chosen() {
    let range = |min, max| VersionRange { min, max };
    for (ours, theirs, expected) in [
        (range(1, 1), range(1, 1), Some(1)),
        (range(1, 3), range(2, 5), Some(3)),
        (range(2, 5), range(1, 3), Some(3)),
        (range(1, 2), range(3, 4), None),
        (range(3, 4), range(1, 2), None),
        (range(5, 1), range(1, 9), None),
    ] {
        assert_eq!(ours.common(theirs), expected, "{ours:?} {theirs:?}");
    }
}

/// One byte past what a piece of stdin may have, and an empty one, which could be taken for its end.
#[test]
fn pieces_of_stdin_are_bounded_both_ways() {
    let wire = encode_all(&[ClientFrame::Stdin(vec![b'x'; STDIN_BYTES_MAX])]);
    assert_eq!(decode_in_pieces::<ClientFrame>(&wire, &[4096]).unwrap().len(), 1);
    for len in [0, STDIN_BYTES_MAX + 1] {
        let sent = encode(&ClientFrame::Stdin(vec![b'x'; len]), &mut Vec::new());
        assert!(matches!(sent, Err(FrameError::Malformed { kind: 0x08, .. })), "{len}: {sent:?}");
        let mut wire = u32::try_from(len).unwrap().to_le_bytes().to_vec();
        wire.push(0x08);
        wire.resize(wire.len() + len, b'x');
        let read = decode_in_pieces::<ClientFrame>(&wire, &[wire.len()]);
        assert!(matches!(read, Err(FrameError::Malformed { kind: 0x08, .. })), "{len}: {read:?}");
    }
}
