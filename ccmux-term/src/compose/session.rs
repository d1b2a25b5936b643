//! The bytes before the first and after the last frame, and questions in between.

use super::caps::{OutputCaps, OutputFeatures};
use super::image_painter::DELETE_ALL;

/// Asks a terminal for its name (XTVERSION), the pixels of its cells (XTWINOPS 16) and then for its
/// extensions (DA1), which every terminal answers, so that this is the last answer.
pub const QUESTIONS: &[u8] = b"\x1b[>q\x1b[16t\x1b[c";

/// A mode (or state) taken on entering and given back on leaving.
struct Step {
    needs: OutputFeatures,
    enter: &'static [u8],
    leave: &'static [u8],
}

/// In order of entering; leaving goes backwards. Modes that the [`Painter`](super::Painter) sets
/// on the way are switched off whether or not they are on.
const STEPS: &[Step] = &[
    Step { needs: OutputFeatures::TITLE, enter: b"\x1b[22;0t", leave: b"\x1b[23;0t" },
    Step {
        needs: OutputFeatures::empty(),
        // Whatever ran before may have left another character set, insertion or an origin.
        enter: b"\x1b[?1049h\x1b(B\x0f\x1b[4l\x1b[?6l\x1b[r\x1b[m\x1b[H\x1b[2J",
        // A terminal without an alternate screen is left blank.
        leave: b"\x1b[r\x1b[m\x1b[H\x1b[2J\x1b[?1049l",
    },
    // Every row is placed on its own; a character that the terminal takes for wider than it is
    // must not wrap or scroll.
    Step { needs: OutputFeatures::empty(), enter: b"\x1b[?7l", leave: b"\x1b[?7h" },
    Step { needs: OutputFeatures::MARGINS, enter: b"\x1b[?69l", leave: b"\x1b[?69l" },
    Step { needs: OutputFeatures::KEYBOARD, enter: b"\x1b[>0u", leave: b"\x1b[<u" },
    Step { needs: OutputFeatures::CURSOR_SHAPE, enter: b"", leave: b"\x1b[0 q" },
    Step { needs: OutputFeatures::empty(), enter: b"\x1b[?25l", leave: b"\x1b[?25h" },
    Step { needs: OutputFeatures::FOCUS_EVENTS, enter: b"", leave: b"\x1b[?1004l" },
    Step { needs: OutputFeatures::BRACKETED_PASTE, enter: b"", leave: b"\x1b[?2004l" },
    Step {
        needs: OutputFeatures::MOUSE,
        enter: b"",
        leave: b"\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1006l",
    },
    Step { needs: OutputFeatures::HYPERLINKS, enter: b"", leave: b"\x1b]8;;\x1b\\" },
    Step { needs: OutputFeatures::KITTY_GRAPHICS, enter: b"", leave: DELETE_ALL },
    Step { needs: OutputFeatures::SYNCHRONIZED_OUTPUT, enter: b"", leave: b"\x1b[?2026l" },
];

/// Takes the terminal over: alternate screen, blank, no wrapping, no cursor. A new
/// [`Painter`](super::Painter) goes on from there.
pub fn enter(caps: OutputCaps) -> Vec<u8> {
    let steps = STEPS.iter().filter(|step| caps.features.contains(step.needs));
    steps.flat_map(|step| step.enter).copied().collect()
}

/// What a terminal that was entered needs beside that when it turns out to understand more.
pub fn enter_more(before: OutputCaps, now: OutputCaps) -> Vec<u8> {
    let has = |caps: OutputCaps, step: &Step| caps.features.contains(step.needs);
    let steps = STEPS.iter().filter(|step| has(now, step) && !has(before, step));
    steps.flat_map(|step| step.enter).copied().collect()
}

/// Gives the terminal back as it was, whatever was painted in between, even if painting was cut
/// between two sequences. Harmless when sent twice.
pub fn leave(caps: OutputCaps) -> Vec<u8> {
    let steps = STEPS.iter().rev().filter(|step| caps.features.contains(step.needs));
    steps.flat_map(|step| step.leave).copied().collect()
}
