//! Bracketed pastes in what is typed: knowing where they begin and end, and dropping the rest of
//! one whose beginning died with a server.
//!
//! A paste is text that the program must not take for typing. When its start mark went to a server
//! that was killed, the next one would take what follows for keys: commands, run line by line. So
//! what is left of it is dropped, up to its end mark. The dead server's successor writes the end
//! mark for what had come.

const START: &[u8] = b"\x1b[200~";
const END: &[u8] = b"\x1b[201~";

/// Where a place in the input lies: inside a paste or not, and how much of the next mark is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct PasteState {
    is_inside: bool,
    matched: usize,
}

impl PasteState {
    /// Goes on behind `bytes`.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.step(*byte);
        }
    }

    /// Returns whether the byte belongs to the mark that is being matched.
    fn step(&mut self, byte: u8) -> bool {
        let mark = if self.is_inside { END } else { START };
        let goes_on = byte == mark[self.matched];
        // Escape is nowhere but at the beginning of a mark.
        self.matched = if goes_on { self.matched + 1 } else { usize::from(byte == mark[0]) };
        if self.matched == mark.len() {
            *self = Self { is_inside: !self.is_inside, matched: 0 };
        }
        goes_on
    }
}

/// A paste, or a start mark, whose beginning is lost.
#[derive(Debug)]
pub(crate) struct CutPaste {
    state: PasteState,
    /// What may be the rest of a start mark.
    held: Vec<u8>,
}

impl CutPaste {
    /// A cut at this place; `None` if no paste is cut there.
    pub(crate) fn at(state: PasteState) -> Option<Self> {
        (state != PasteState::default()).then(|| Self { state, held: Vec::new() })
    }

    /// Takes what follows the cut. `None` as long as all of it is the paste's; then what comes
    /// after it, which ends the cut.
    pub(crate) fn drop_from(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        for (at, byte) in bytes.iter().enumerate() {
            let was_inside = self.state.is_inside;
            let goes_on = self.state.step(*byte);
            if was_inside && !self.state.is_inside {
                return Some(bytes[at + 1..].to_vec());
            }
            if !was_inside && !goes_on {
                // It was the beginning of some other key.
                return Some([&self.held, &bytes[at..]].concat());
            }
            if !was_inside {
                self.held.push(*byte);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goal: whatever the place of the cut and however what follows is split, exactly the bytes of
    /// the cut paste go. Method: all of both.
    #[test]
    fn the_rest_of_a_cut_paste_is_dropped_at_every_cut_and_split() {
        let typed = b"a\x1b[A\x1b[200~one\x1b[20\r\x1b[200~two\x1b\x1b[201~b\x1b[200~c\x1b[201~d";
        let begins = 4;
        let ends = typed.windows(6).position(|w| w == END).unwrap() + 6;
        for cut in 0..=ends {
            let mut state = PasteState::default();
            state.pass(&typed[..cut]);
            let Some(_) = CutPaste::at(state) else {
                let is_outside = cut <= begins || cut == ends;
                assert!(is_outside, "cut at {cut}");
                continue;
            };
            // What is lost of a key that is no paste does not make what follows one.
            let from = if (begins + 1..ends).contains(&cut) { ends } else { cut };
            for split in cut..=typed.len() {
                let mut paste = CutPaste::at(state);
                let mut kept = Vec::new();
                for part in [&typed[cut..split], &typed[split..]] {
                    let rest = match &mut paste {
                        Some(cut) => cut.drop_from(part),
                        None => Some(part.to_vec()),
                    };
                    if let Some(rest) = rest {
                        paste = None;
                        kept.extend(rest);
                    }
                }
                assert_eq!(kept, typed[from..], "cut at {cut}, split at {split}");
            }
        }
    }
}
