//! What real programs print, and what the screen is then: `ccmux-term/recordings`.

mod describe;

use std::fs;
use std::path::{Path, PathBuf};

use ccmux_term::compose::{ColorDepth, Frame, OutputCaps, OutputFeatures, Painter, enter};
use ccmux_term::{Size, Terminal};
use describe::{describe, describe_cells};

/// Something that happens to the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Event {
    /// It gets a size.
    Resize(Size),
    /// Its screen is looked at.
    Screen,
}

/// What a program sent to its terminal.
#[derive(Debug)]
struct Recording {
    name: String,
    bytes: Vec<u8>,
    /// What happened, each after so many bytes.
    events: Vec<(usize, Event)>,
}

/// One thing after another that a terminal gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Input<'a> {
    Bytes(&'a [u8]),
    Event(Event),
}

impl Recording {
    fn all() -> Vec<Self> {
        let mut names: Vec<String> = fs::read_dir(directory())
            .expect("the directory is there")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "bytes"))
            .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
            .collect();
        names.sort();
        assert!(!names.is_empty(), "there are recordings");
        names.into_iter().map(Self::read).collect()
    }

    fn read(name: String) -> Self {
        let path = directory().join(&name);
        let bytes = fs::read(path.with_extension("bytes")).expect("its bytes are there");
        let events = fs::read_to_string(path.with_extension("events")).expect("its events");
        let events = events.lines().map(event).collect();
        Self { name, bytes, events }
    }

    /// The terminal before anything happened, and what it gets.
    fn inputs(&self) -> (Terminal, Vec<Input<'_>>) {
        let (_, Event::Resize(size)) = self.events[0] else { panic!("it begins with a size") };
        let mut inputs = Vec::new();
        let mut from = 0;
        for &(at, event) in &self.events[1..] {
            inputs.push(Input::Bytes(&self.bytes[from..at]));
            inputs.push(Input::Event(event));
            from = at;
        }
        inputs.push(Input::Bytes(&self.bytes[from..]));
        (Terminal::new(size), inputs)
    }
}

/// A line `AFTER size COLSxROWS` or `AFTER screen`.
fn event(line: &str) -> (usize, Event) {
    let words: Vec<&str> = line.split(' ').collect();
    let event = match words[1..] {
        ["screen"] => Event::Screen,
        ["size", size] => {
            let (cols, rows) = size.split_once('x').expect("COLSxROWS");
            let [cols, rows] = [cols, rows].map(|side| side.parse().expect("a number"));
            Event::Resize(Size { cols, rows })
        }
        _ => panic!("no event: {line}"),
    };
    (words[0].parse().expect("a number of bytes"), event)
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings")
}

/// Gives a terminal what a recording holds, its bytes in the pieces that `split` makes of them.
/// Returns its screens, and leaves it as it is in the end.
fn play(
    terminal: &mut Terminal,
    inputs: &[Input<'_>],
    mut split: impl FnMut(&mut Terminal, &[u8]),
) -> Vec<String> {
    let mut screens = Vec::new();
    for input in inputs {
        match input {
            Input::Bytes(bytes) => split(terminal, bytes),
            Input::Event(Event::Resize(size)) => terminal.resize(*size),
            Input::Event(Event::Screen) => screens.push(describe(terminal)),
        }
    }
    // What it would tell its owner is no part of what it is.
    terminal.take_events();
    screens
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn screens_are_as_a_terminal_shows_them() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(directory());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for recording in Recording::all() {
            let (mut terminal, inputs) = recording.inputs();
            let screens = play(&mut terminal, &inputs, Terminal::advance);
            let numbered = screens.iter().enumerate();
            let numbered = numbered.map(|(index, text)| format!("screen {}: {text}\n", index + 1));
            let text = numbered.collect::<Vec<_>>().concat();
            insta::assert_snapshot!(recording.name.as_str(), text);
        }
    });
}

/// Goal: the same bytes give the same terminal, history included, however they were cut. Method:
/// whole, byte by byte, and in random pieces, most of them short.
#[test]
fn pieces_make_no_difference() {
    for recording in Recording::all() {
        let (blank, inputs) = recording.inputs();
        let mut whole = blank.clone();
        let expect = play(&mut whole, &inputs, Terminal::advance);
        let mut single = blank.clone();
        let screens = play(&mut single, &inputs, |terminal, bytes| {
            for byte in bytes {
                terminal.advance(std::slice::from_ref(byte));
            }
        });
        assert_eq!((screens, single), (expect.clone(), whole.clone()), "{}", recording.name);
        for seed in 1..=4 {
            let mut random = Random(seed);
            let mut terminal = blank.clone();
            let screens = play(&mut terminal, &inputs, |terminal, mut bytes| {
                while !bytes.is_empty() {
                    let longest = [2, 7, 64, 4096][random.below(4)];
                    let (piece, rest) =
                        bytes.split_at((1 + random.below(longest)).min(bytes.len()));
                    terminal.advance(piece);
                    bytes = rest;
                }
            });
            assert_eq!(screens, expect, "{} in pieces {seed}", recording.name);
            assert_eq!(terminal, whole, "{} in pieces {seed}", recording.name);
        }
    }
}

/// Goal: a terminal that was written down in the middle goes on as if nothing had been. Method:
/// keyframes at random places, also within sequences and characters.
#[test]
fn keyframes_in_the_middle_make_no_difference() {
    for recording in Recording::all() {
        let (blank, inputs) = recording.inputs();
        let mut whole = blank.clone();
        let expect = play(&mut whole, &inputs, Terminal::advance);
        for seed in 1..=4 {
            let mut random = Random(seed);
            let mut terminal = blank.clone();
            let screens = play(&mut terminal, &inputs, |terminal, bytes| {
                let (before, after) = bytes.split_at(random.below(bytes.len() + 1));
                terminal.advance(before);
                // Events are not part of a keyframe.
                terminal.take_events();
                *terminal = Terminal::restore(&terminal.keyframe()).unwrap();
                terminal.advance(after);
            });
            assert_eq!(screens, expect, "{} with keyframes {seed}", recording.name);
        }
    }
}

/// Goal: a client shows what the pane shows. Method: paint every screenful for two terminals, one
/// with every ability and one with none, and compare what they show in the end.
#[test]
fn screens_are_the_same_on_a_terminal_around_them() {
    let all = OutputCaps { colors: ColorDepth::TrueColor, features: OutputFeatures::all() };
    let none = OutputCaps { colors: ColorDepth::TrueColor, features: OutputFeatures::empty() };
    for recording in Recording::all() {
        let (mut pane, inputs) = recording.inputs();
        let mut frame = Frame::new(pane.size());
        let mut outer = [all, none].map(|caps| {
            let mut terminal = pane.clone();
            terminal.advance(&enter(caps));
            (caps, Painter::new(caps, pane.size()), terminal)
        });
        for input in inputs {
            match input {
                Input::Bytes(bytes) => {
                    for piece in bytes.chunks(1500) {
                        pane.advance(piece);
                        show(&pane, &mut frame, &mut outer);
                    }
                }
                Input::Event(Event::Resize(size)) => {
                    pane.resize(size);
                    frame = Frame::new(size);
                    for (_, _, terminal) in &mut outer {
                        terminal.resize(size);
                    }
                    show(&pane, &mut frame, &mut outer);
                }
                Input::Event(Event::Screen) => {
                    for (caps, _, terminal) in &outer {
                        let is_plain = caps.features.is_empty();
                        let [got, expect] = [terminal, &pane].map(|of| {
                            // A reversed screen is shown as reversed cells.
                            let is_reversed = pane.modes().reverse_screen;
                            let shown =
                                if is_reversed { text(of) } else { describe_cells(of, is_plain) };
                            // A soft hyphen of a character set is one that shows.
                            shown.replace('\u{ad}', "-")
                        });
                        assert_eq!(got, expect, "{} with {caps:?}", recording.name);
                    }
                }
            }
        }
    }
}

/// Text of the rows.
fn text(terminal: &Terminal) -> String {
    terminal.text().lines().flat_map(|row| [row.trim_end(), "\n"]).collect()
}

fn show(pane: &Terminal, frame: &mut Frame, outer: &mut [(OutputCaps, Painter, Terminal)]) {
    frame.clear();
    frame.draw_terminal(frame.area(), pane);
    frame.place_cursor(frame.area(), pane.cursor());
    for (_, painter, terminal) in outer {
        let mut bytes = Vec::new();
        painter.paint(frame, &mut bytes);
        terminal.advance(&bytes);
    }
}
