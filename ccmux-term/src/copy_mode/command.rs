//! The commands of copy mode by tmux's names.

use super::copy::{CopyAfter, CopyWhat, CopyWhere};
use super::pattern::Syntax;
use super::scan::Direction;

/// A command of copy mode; see [`copy_command`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CopyCommand {
    name: &'static str,
    pub(super) action: Action,
}

impl CopyCommand {
    /// Its name, as in `send-keys -X NAME`.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// The command that `send-keys -X name` runs.
pub fn copy_command(name: &str) -> Option<CopyCommand> {
    COMMANDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|&(name, action)| CopyCommand { name, action })
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Cancel,
    Move(Motion),
    MoveDownOrCancel,
    Scroll(ScrollBy),
    ScrollOrCancel(ScrollBy),
    /// The cursor's row goes to this part of the view.
    ScrollCursorTo(Part),
    GotoLine,
    Jump(Jump),
    JumpAgain,
    JumpReverse,
    Search(Direction, Syntax),
    SearchIncremental(Direction),
    SearchAgain,
    SearchReverse,
    Prompt(Direction),
    BeginSelection,
    StopSelection,
    ClearSelection,
    SelectLine,
    SelectWord,
    OtherEnd,
    SetMark,
    JumpToMark,
    MatchingBracket(Direction),
    Copy(CopyWhat, CopyWhere, CopyAfter),
    TogglePosition,
    Refresh,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Motion {
    Left,
    Right,
    Up,
    Down,
    StartOfLine,
    EndOfLine,
    Indentation,
    NextWord,
    NextWordEnd,
    PreviousWord,
    NextSpace,
    NextSpaceEnd,
    PreviousSpace,
    NextParagraph,
    PreviousParagraph,
    Part(Part),
    HistoryTop,
    HistoryBottom,
}

/// A part of the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Top,
    Middle,
    Bottom,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ScrollBy {
    LineUp,
    LineDown,
    HalfPageUp,
    HalfPageDown,
    PageUp,
    PageDown,
}

impl ScrollBy {
    pub(super) fn is_down(self) -> bool {
        matches!(self, Self::LineDown | Self::HalfPageDown | Self::PageDown)
    }
}

/// To a character of the line, or to just before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Jump {
    pub(super) direction: Direction,
    pub(super) stops_before: bool,
}

const fn jump(direction: Direction, stops_before: bool) -> Action {
    Action::Jump(Jump { direction, stops_before })
}

const fn copy(what: CopyWhat, place: CopyWhere, after: CopyAfter) -> Action {
    Action::Copy(what, place, after)
}

use Action::{Move, Scroll, ScrollCursorTo, ScrollOrCancel, Search, SearchIncremental};
use CopyAfter::{Clear, Exit, Keep};
use CopyWhat::{EndOfLine, Line, Selection};
use CopyWhere::{Append, Buffer, BufferAndPipe, Pipe};
use Direction::{Backward, Forward};

const COMMANDS: &[(&str, Action)] = &[
    ("append-selection", copy(Selection, Append, Clear)),
    ("append-selection-and-cancel", copy(Selection, Append, Exit)),
    ("back-to-indentation", Move(Motion::Indentation)),
    ("begin-selection", Action::BeginSelection),
    ("bottom-line", Move(Motion::Part(Part::Bottom))),
    ("cancel", Action::Cancel),
    ("clear-selection", Action::ClearSelection),
    ("copy-end-of-line", copy(EndOfLine, Buffer, Clear)),
    ("copy-end-of-line-and-cancel", copy(EndOfLine, Buffer, Exit)),
    ("copy-line", copy(Line, Buffer, Clear)),
    ("copy-line-and-cancel", copy(Line, Buffer, Exit)),
    ("copy-pipe", copy(Selection, BufferAndPipe, Clear)),
    ("copy-pipe-and-cancel", copy(Selection, BufferAndPipe, Exit)),
    ("copy-pipe-end-of-line", copy(EndOfLine, BufferAndPipe, Clear)),
    ("copy-pipe-end-of-line-and-cancel", copy(EndOfLine, BufferAndPipe, Exit)),
    ("copy-pipe-line", copy(Line, BufferAndPipe, Clear)),
    ("copy-pipe-line-and-cancel", copy(Line, BufferAndPipe, Exit)),
    ("copy-pipe-no-clear", copy(Selection, BufferAndPipe, Keep)),
    ("copy-selection", copy(Selection, Buffer, Clear)),
    ("copy-selection-and-cancel", copy(Selection, Buffer, Exit)),
    ("copy-selection-no-clear", copy(Selection, Buffer, Keep)),
    ("cursor-centre-vertical", ScrollCursorTo(Part::Middle)),
    ("cursor-down", Move(Motion::Down)),
    ("cursor-down-and-cancel", Action::MoveDownOrCancel),
    ("cursor-left", Move(Motion::Left)),
    ("cursor-right", Move(Motion::Right)),
    ("cursor-up", Move(Motion::Up)),
    ("end-of-line", Move(Motion::EndOfLine)),
    ("goto-line", Action::GotoLine),
    ("halfpage-down", Scroll(ScrollBy::HalfPageDown)),
    ("halfpage-down-and-cancel", ScrollOrCancel(ScrollBy::HalfPageDown)),
    ("halfpage-up", Scroll(ScrollBy::HalfPageUp)),
    ("history-bottom", Move(Motion::HistoryBottom)),
    ("history-top", Move(Motion::HistoryTop)),
    ("jump-again", Action::JumpAgain),
    ("jump-backward", jump(Backward, false)),
    ("jump-forward", jump(Forward, false)),
    ("jump-reverse", Action::JumpReverse),
    ("jump-to-backward", jump(Backward, true)),
    ("jump-to-forward", jump(Forward, true)),
    ("jump-to-mark", Action::JumpToMark),
    ("middle-line", Move(Motion::Part(Part::Middle))),
    ("next-matching-bracket", Action::MatchingBracket(Forward)),
    ("next-paragraph", Move(Motion::NextParagraph)),
    ("next-prompt", Action::Prompt(Forward)),
    ("next-space", Move(Motion::NextSpace)),
    ("next-space-end", Move(Motion::NextSpaceEnd)),
    ("next-word", Move(Motion::NextWord)),
    ("next-word-end", Move(Motion::NextWordEnd)),
    ("other-end", Action::OtherEnd),
    ("page-down", Scroll(ScrollBy::PageDown)),
    ("page-down-and-cancel", ScrollOrCancel(ScrollBy::PageDown)),
    ("page-up", Scroll(ScrollBy::PageUp)),
    ("pipe", copy(Selection, Pipe, Clear)),
    ("pipe-and-cancel", copy(Selection, Pipe, Exit)),
    ("pipe-no-clear", copy(Selection, Pipe, Keep)),
    ("previous-matching-bracket", Action::MatchingBracket(Backward)),
    ("previous-paragraph", Move(Motion::PreviousParagraph)),
    ("previous-prompt", Action::Prompt(Backward)),
    ("previous-space", Move(Motion::PreviousSpace)),
    ("previous-word", Move(Motion::PreviousWord)),
    ("refresh-from-pane", Action::Refresh),
    ("scroll-bottom", ScrollCursorTo(Part::Bottom)),
    ("scroll-down", Scroll(ScrollBy::LineDown)),
    ("scroll-down-and-cancel", ScrollOrCancel(ScrollBy::LineDown)),
    ("scroll-middle", ScrollCursorTo(Part::Middle)),
    ("scroll-top", ScrollCursorTo(Part::Top)),
    ("scroll-up", Scroll(ScrollBy::LineUp)),
    ("search-again", Action::SearchAgain),
    ("search-backward", Search(Backward, Syntax::Regex)),
    ("search-backward-incremental", SearchIncremental(Backward)),
    ("search-backward-text", Search(Backward, Syntax::Text)),
    ("search-forward", Search(Forward, Syntax::Regex)),
    ("search-forward-incremental", SearchIncremental(Forward)),
    ("search-forward-text", Search(Forward, Syntax::Text)),
    ("search-reverse", Action::SearchReverse),
    ("select-line", Action::SelectLine),
    ("select-word", Action::SelectWord),
    ("set-mark", Action::SetMark),
    ("start-of-line", Move(Motion::StartOfLine)),
    ("stop-selection", Action::StopSelection),
    ("toggle-position", Action::TogglePosition),
    ("top-line", Move(Motion::Part(Part::Top))),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_by_name() {
        assert!(COMMANDS.is_sorted_by_key(|(name, _)| *name), "the table is in order");
        for (name, action) in COMMANDS {
            let command = copy_command(name).expect("it is in the table");
            assert_eq!((command.name(), command.action), (*name, *action));
        }
        assert_eq!(copy_command("no-such-command"), None);
        assert_eq!(copy_command(""), None);
    }
}
