//! What a client's terminal answered when it was asked about pictures.

use ccmux_term::CellSize;
use ccmux_term::compose::OutputFeatures;
use serde::{Deserialize, Serialize};

use super::Attachment;
use super::input::TerminalAnswer;

/// All that it answered. The next server is told, so that it need not ask again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Answers {
    /// Whether it shows sixels; `None` if it has not said.
    sixel: Option<bool>,
    /// Pixels of its cells: width and height.
    cell: Option<(u16, u16)>,
}

impl Answers {
    /// Notes one more.
    pub(crate) fn take(&mut self, answer: TerminalAnswer) {
        match answer {
            TerminalAnswer::Attributes { has_sixel } => self.sixel = Some(has_sixel),
            TerminalAnswer::Cell(cell) => self.cell = Some((cell.width, cell.height)),
        }
    }

    /// Whether it has answered at all.
    pub(crate) fn are_there(self) -> bool {
        self.sixel.is_some()
    }
}

impl Attachment {
    /// Goes by what the terminal answered. `hides_sixel` says that an option takes sixels from it.
    pub(crate) fn heed(&mut self, answers: Answers, hides_sixel: bool) {
        self.answers = answers;
        if answers.sixel == Some(true) && !hides_sixel {
            self.caps.features |= OutputFeatures::SIXEL;
            self.painter.add_features(OutputFeatures::SIXEL);
        }
        self.set_cell(answers.cell);
        self.is_dirty = true;
    }

    /// Notes width and height of its cells in pixels, if they are known and can be true.
    pub(crate) fn set_cell(&mut self, pixels: Option<(u16, u16)>) {
        let cell =
            pixels.and_then(|(width, height)| CellSize::checked(width.into(), height.into()));
        if let Some(cell) = cell {
            self.painter.set_cell_size(cell);
        }
    }
}
