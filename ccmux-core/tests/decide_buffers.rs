//! Paste buffers: names, order, and bounds.

use ccmux_core::apply::apply_all;
use ccmux_core::decide::{
    BUFFER_BYTES_MAX, BUFFERS_BYTES_MAX, BufferText, Command, CommandError, Facts, decide,
};
use ccmux_core::ids::PaneUuid;
use ccmux_core::model::{State, Timestamp};

fn run(state: &mut State, command: Command) -> Result<(), CommandError> {
    let facts = Facts { now: Timestamp(7), uuid: PaneUuid(uuid::Uuid::nil()) };
    let changes = decide(state, command, &facts)?;
    assert!(changes.iter().all(ccmux_core::change::Change::is_soft));
    apply_all(state, &changes).expect("what was decided applies");
    Ok(())
}

fn set(state: &mut State, name: Option<&str>, bytes: usize) -> Result<(), CommandError> {
    let text = BufferText::Whole(vec![b'x'; bytes].into());
    run(state, Command::SetBuffer { name: name.map(str::to_owned), text })
}

fn names(state: &State) -> String {
    let names: Vec<&str> = state.buffers.iter().map(|buffer| buffer.name.as_str()).collect();
    names.join(" ")
}

#[test]
fn automatic_buffers_go_by_number_and_size_and_named_ones_stay() {
    let mut state = State::default();
    state.server_options.insert("buffer-limit".into(), "2".into());
    set(&mut state, Some("named"), 1).unwrap();
    for _ in 0..4 {
        set(&mut state, None, 1).unwrap();
    }
    assert_eq!(names(&state), "buffer3 buffer2 named");
    // A number is not given twice, also when its buffer is gone.
    run(&mut state, Command::DeleteBuffer { name: Some("buffer3".into()) }).unwrap();
    set(&mut state, None, 1).unwrap();
    assert_eq!(names(&state), "buffer4 buffer2 named");
    // A name that is taken is passed over.
    set(&mut state, Some("buffer5"), 1).unwrap();
    set(&mut state, None, 1).unwrap();
    assert_eq!(names(&state), "buffer6 buffer5 buffer4 named");
    // Setting one again makes it the newest; renaming keeps its place and makes it stay.
    set(&mut state, Some("named"), 2).unwrap();
    let rename = |name: &str, new: &str| Command::RenameBuffer {
        name: Some(name.to_owned()),
        new_name: new.to_owned(),
    };
    run(&mut state, rename("buffer4", "kept")).unwrap();
    for _ in 0..3 {
        set(&mut state, None, 1).unwrap();
    }
    assert_eq!(names(&state), "buffer9 buffer8 named buffer5 kept");
    let taken = run(&mut state, rename("kept", "named")).unwrap_err();
    assert_eq!(taken.to_string(), "buffer named already exists");
}

#[test]
fn buffers_are_bounded_each_and_all_together() {
    let mut state = State::default();
    let refused = set(&mut state, None, BUFFER_BYTES_MAX + 1).unwrap_err();
    assert_eq!(refused, CommandError::BufferTooLarge(BUFFER_BYTES_MAX + 1));
    set(&mut state, Some("grown"), BUFFER_BYTES_MAX).unwrap();
    let more = BufferText::Appended("x".into());
    let grow = Command::SetBuffer { name: Some("grown".into()), text: more };
    assert_eq!(run(&mut state, grow).unwrap_err(), refused);
    let all = BUFFERS_BYTES_MAX / BUFFER_BYTES_MAX;
    for _ in 0..all + 2 {
        set(&mut state, None, BUFFER_BYTES_MAX).unwrap();
    }
    assert_eq!(state.buffers.len(), all, "the oldest automatic ones went");
    assert!(state.buffer_named("grown").is_some());
    for number in 0..all - 1 {
        set(&mut state, Some(&number.to_string()), BUFFER_BYTES_MAX).unwrap();
    }
    assert!(state.buffers.iter().all(|buffer| !buffer.is_automatic));
    assert_eq!(set(&mut state, None, 1).unwrap_err(), CommandError::BuffersFull);
    set(&mut state, Some("0"), 1).unwrap();
    set(&mut state, None, 1).unwrap();
}
