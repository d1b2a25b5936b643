//! The state of copy mode, and its commands.

use std::sync::Arc;

use super::command::{Action, CopyCommand, Jump, Motion};
use super::copy::{
    CopiedText, CopyAfter, CopyTarget, CopyWhat, Selection, Unit, text, whole_lines,
};
use super::counter::RowCounter;
use super::lines::{Anchor, FrozenScreen, Lines, Point};
use super::pattern::{Pattern, SearchError, Syntax};
use super::scan::{Direction, Found};
use super::search::{Progress, Results};
use super::view::Goal;
use super::words::{bracket_at, matching_bracket, next_word_end, previous_word, word_start};
use super::{CopyOptions, LineSource, ModeKeys};
use crate::Size;

/// What a command led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopyOutcome {
    /// Copy mode goes on; draw it.
    Continue,
    /// A search has far to go: call [`CopyMode::resume`] when there is nothing more urgent. Any
    /// command gives it up, and `cancel` does nothing else.
    Searching,
    /// It cannot be searched for that; copy mode goes on.
    Refused(SearchError),
    /// Copy mode ends.
    Exit,
    /// Text was copied.
    Copy(CopiedText),
}

/// Copy mode of one pane.
///
/// The source passed to its methods must be the same one each time.
#[derive(Debug)]
pub struct CopyMode {
    pub(super) options: CopyOptions,
    pub(super) size: Size,
    pub(super) frozen: Arc<FrozenScreen>,
    /// The first row in view.
    pub(super) top: Anchor,
    pub(super) cursor: Point,
    pub(super) goal: Option<Goal>,
    pub(super) selection: Option<Selection>,
    mark: Option<Point>,
    last_jump: Option<(Jump, char)>,
    pub(super) pattern: Option<Pattern>,
    pub(super) found: Option<Found>,
    pub(super) shows_matches: bool,
    pub(super) results: Results,
    /// A search under way.
    pub(super) progress: Option<Progress>,
    /// The last command searched for something that is not there.
    pub(super) was_in_vain: bool,
    /// Where an incremental search began: the view and the cursor.
    pub(super) incremental_start: Option<(Anchor, Point)>,
    pub(super) counter: RowCounter,
    pub(super) is_position_hidden: bool,
}

impl CopyMode {
    /// Enters copy mode in a pane of this size, with its cursor at column `cursor.0` of row
    /// `cursor.1` of the screen.
    pub fn new(
        source: &dyn LineSource,
        size: Size,
        cursor: (u16, u16),
        options: CopyOptions,
    ) -> Self {
        let pattern = options
            .last_search
            .as_ref()
            .map(|last| (&last.needle, if last.is_regex { Syntax::Regex } else { Syntax::Text }))
            .and_then(|(needle, syntax)| Pattern::new(needle, Direction::Backward, syntax).ok());
        let mut mode = Self {
            options,
            size,
            frozen: Arc::new(FrozenScreen::new(source)),
            top: Anchor { line: 0, row: 0 },
            cursor: Point { line: 0, offset: 0 },
            goal: None,
            selection: None,
            mark: None,
            last_jump: None,
            pattern,
            found: None,
            shows_matches: false,
            results: Results::default(),
            progress: None,
            was_in_vain: false,
            incremental_start: None,
            counter: RowCounter::default(),
            is_position_hidden: false,
        };
        let frozen = Arc::clone(&mode.frozen);
        let lines = mode.lines(&frozen, source);
        mode.counter.count_portion(lines);
        mode.top = mode.bottom_top(lines);
        let row = lines.down(mode.top, usize::from(cursor.1).min(mode.height() - 1));
        mode.cursor = lines.point(row, usize::from(cursor.0));
        mode
    }

    /// Runs a command. `arg` is what `send-keys -X` got after its name.
    pub fn run(
        &mut self,
        command: CopyCommand,
        arg: Option<&str>,
        source: &dyn LineSource,
    ) -> CopyOutcome {
        self.run_counted(command, 1, arg, source)
    }

    /// Runs a command `count` times (`send-keys -N`), if it is one that can be repeated.
    pub fn run_counted(
        &mut self,
        command: CopyCommand,
        count: u32,
        arg: Option<&str>,
        source: &dyn LineSource,
    ) -> CopyOutcome {
        let frozen = Arc::clone(&self.frozen);
        let lines = self.lines(&frozen, source);
        self.catch_up(lines);
        self.counter.count_portion(lines);
        self.was_in_vain = false;
        let (action, count) = (command.action, count.max(1));
        if self.progress.take().is_some() && action == Action::Cancel {
            return CopyOutcome::Continue;
        }
        if !matches!(action, Action::SearchIncremental(_)) {
            self.incremental_start = None;
        }
        self.shows_matches &= !clears_matches(action, self.options.keys);
        match action {
            Action::Search(direction, syntax) => {
                let Some(needle) = arg.filter(|needle| !needle.is_empty()) else {
                    return CopyOutcome::Continue;
                };
                match Pattern::new(needle, direction, syntax) {
                    Ok(pattern) => self.pattern = Some(pattern),
                    Err(error) => return CopyOutcome::Refused(error),
                }
                self.search(lines, direction, count)
            }
            Action::SearchAgain | Action::SearchReverse => {
                let Some(pattern) = &self.pattern else { return CopyOutcome::Continue };
                let direction = match action {
                    Action::SearchAgain => pattern.direction,
                    _ => pattern.direction.reversed(),
                };
                self.search(lines, direction, count)
            }
            Action::SearchIncremental(direction) => {
                self.search_incremental(lines, direction, arg.unwrap_or_default())
            }
            Action::Prompt(direction) => self.go_to_prompt(lines, direction, arg == Some("-o")),
            Action::Copy(what, place, after) => {
                self.copy(lines, what, place.target(arg), after, count)
            }
            Action::Refresh => {
                self.refresh(source);
                CopyOutcome::Continue
            }
            _ => self.act_counted(lines, action, arg, count),
        }
    }

    fn act_counted(
        &mut self,
        lines: Lines<'_>,
        action: Action,
        arg: Option<&str>,
        count: u32,
    ) -> CopyOutcome {
        for _ in 0..count {
            let before = (self.top, self.cursor);
            if self.act(lines, action, arg) {
                return CopyOutcome::Exit;
            }
            // Once nothing moves any more, nothing will.
            if (self.top, self.cursor) == before || !is_repeatable(action) {
                break;
            }
        }
        CopyOutcome::Continue
    }

    /// Does one thing once; returns whether copy mode ends.
    fn act(&mut self, lines: Lines<'_>, action: Action, arg: Option<&str>) -> bool {
        match action {
            Action::Cancel => return true,
            Action::Move(motion) => self.move_cursor(lines, motion),
            Action::MoveDownOrCancel => {
                let before = (self.top, self.cursor_place(lines).0);
                self.move_cursor(lines, Motion::Down);
                return (self.top, self.cursor_place(lines).0) == before;
            }
            Action::Scroll(by) => {
                self.scroll(lines, by);
                return by.is_down() && self.options.exit_at_bottom && self.is_at_bottom(lines);
            }
            Action::ScrollOrCancel(by) => {
                self.scroll(lines, by);
                return self.is_at_bottom(lines);
            }
            Action::ScrollCursorTo(part) => self.scroll_cursor_to(lines, part),
            Action::GotoLine => {
                // As in tmux, -1 is the top, and so is what is beyond it.
                match arg.map(str::trim).map(str::parse::<i64>) {
                    Some(Ok(-1)) => self.goto_offset(lines, u64::MAX),
                    Some(Ok(offset @ 0..)) => self.goto_offset(lines, offset.unsigned_abs()),
                    _ => {}
                }
            }
            Action::Jump(jump) => {
                if let Some(target) = arg.and_then(|arg| arg.chars().next()) {
                    self.last_jump = Some((jump, target));
                    self.jump(lines, jump, target);
                }
            }
            Action::JumpAgain | Action::JumpReverse => {
                if let Some((mut jump, target)) = self.last_jump {
                    if action == Action::JumpReverse {
                        jump.direction = jump.direction.reversed();
                    }
                    self.jump(lines, jump, target);
                }
            }
            Action::BeginSelection => {
                self.selection = Some(Selection::new(self.cursor, Unit::Character));
            }
            Action::StopSelection => {
                if let Some(selection) = &mut self.selection {
                    selection.stopped.get_or_insert(self.cursor);
                }
            }
            Action::ClearSelection => self.selection = None,
            Action::SelectLine => {
                let start = Point { offset: 0, ..self.cursor };
                self.selection = Some(Selection::new(start, Unit::Line));
                self.move_cursor(lines, Motion::EndOfLine);
            }
            Action::SelectWord => self.select_word(lines),
            Action::OtherEnd => {
                if let Some(selection) = &mut self.selection {
                    let head = selection.stopped.as_mut().unwrap_or(&mut self.cursor);
                    std::mem::swap(&mut selection.anchor, head);
                    self.jump_to(lines, self.cursor);
                }
            }
            Action::SetMark => self.mark = Some(self.cursor),
            Action::JumpToMark => {
                if let Some(mark) = self.mark.replace(self.cursor) {
                    self.show_mark(lines, lines.clamp_point(mark));
                }
            }
            Action::MatchingBracket(direction) => self.match_bracket(lines, direction),
            Action::TogglePosition => self.is_position_hidden = !self.is_position_hidden,
            Action::Search(..)
            | Action::SearchIncremental(_)
            | Action::SearchAgain
            | Action::SearchReverse
            | Action::Prompt(_)
            | Action::Copy(..)
            | Action::Refresh => {}
        }
        false
    }

    fn select_word(&mut self, lines: Lines<'_>) {
        let separators = &self.options.word_separators;
        let start = word_start(lines, self.cursor, separators);
        let end = next_word_end(lines, start, separators);
        self.selection = Some(Selection::new(start, Unit::Character));
        let head = match self.options.keys {
            ModeKeys::Emacs => end,
            ModeKeys::Vi => lines.previous(end).unwrap_or(end),
        };
        self.cursor = head;
        self.goal = None;
        self.reveal(lines);
    }

    fn copy(
        &mut self,
        lines: Lines<'_>,
        what: CopyWhat,
        target: CopyTarget,
        after: CopyAfter,
        count: u32,
    ) -> CopyOutcome {
        let keys = self.options.keys;
        let last = (self.cursor.line + u64::from(count) - 1).min(lines.last());
        let range = match what {
            CopyWhat::Selection => {
                self.selection.map(|selection| selection.range(lines, self.cursor, keys))
            }
            CopyWhat::Line => Some(whole_lines(lines, self.cursor.line, last, keys)),
            CopyWhat::EndOfLine => {
                Some(self.cursor..whole_lines(lines, self.cursor.line, last, keys).end)
            }
        };
        let text = range.map(|range| text(lines, range)).unwrap_or_default();
        if after != CopyAfter::Keep {
            self.selection = None;
        }
        let exits = after == CopyAfter::Exit;
        match (text.is_empty(), exits) {
            (false, _) => CopyOutcome::Copy(CopiedText { text, target, exits }),
            (true, true) => CopyOutcome::Exit,
            (true, false) => CopyOutcome::Continue,
        }
    }

    /// Takes the screen as it is now; a view at the bottom stays there.
    fn refresh(&mut self, source: &dyn LineSource) {
        let old = Arc::clone(&self.frozen);
        let lines = self.lines(&old, source);
        let was_at_bottom = self.is_at_bottom(lines);
        let (y, x) = self.cursor_place(lines);
        let frozen = Arc::new(FrozenScreen::new(source));
        self.frozen = Arc::clone(&frozen);
        let lines = self.lines(&frozen, source);
        self.counter.count_portion(lines);
        let bottom = self.bottom_top(lines);
        self.top = if was_at_bottom { bottom } else { lines.clamp(self.top).min(bottom) };
        self.goal = None;
        self.cursor = lines.point(lines.down(self.top, y), x);
    }

    /// Goes to the bracket that matches the one at the cursor. Elsewhere emacs' keys go by words; vi's
    /// forward key takes the next bracket of the line, and goes either way.
    fn match_bracket(&mut self, lines: Lines<'_>, direction: Direction) {
        let is_vi_forward = self.options.keys == ModeKeys::Vi && direction == Direction::Forward;
        let found = bracket_at(lines, self.cursor, is_vi_forward);
        match found.filter(|(_, leads)| is_vi_forward || *leads == direction) {
            Some((bracket, _)) => {
                if let Some(matching) = matching_bracket(lines, bracket) {
                    self.jump_to(lines, matching);
                }
            }
            None if self.options.keys == ModeKeys::Emacs => {
                // Brackets of the other kind are parts of words here.
                self.cursor = match direction {
                    Direction::Forward => next_word_end(lines, self.cursor, "{[("),
                    Direction::Backward => previous_word(lines, self.cursor, "}])"),
                };
                self.goal = None;
                self.reveal(lines);
            }
            None => {}
        }
    }

    /// Lines may have disappeared at the beginning.
    pub(super) fn catch_up(&mut self, lines: Lines<'_>) {
        self.top = lines.clamp(self.top);
        self.cursor = lines.clamp_point(self.cursor);
        self.reveal(lines);
    }

    pub(super) fn lines<'a>(
        &self,
        frozen: &'a FrozenScreen,
        source: &'a dyn LineSource,
    ) -> Lines<'a> {
        Lines { source, frozen, width: usize::from(self.size.cols.max(2)) }
    }
}

/// Whether a command ends the marking of matches, as in tmux.
fn clears_matches(action: Action, keys: ModeKeys) -> bool {
    match action {
        Action::Search(..)
        | Action::SearchIncremental(_)
        | Action::SearchAgain
        | Action::SearchReverse
        | Action::TogglePosition => false,
        Action::BeginSelection
        | Action::StopSelection
        | Action::ClearSelection
        | Action::SelectLine
        | Action::SelectWord
        | Action::SetMark
        | Action::JumpToMark
        | Action::MatchingBracket(_)
        | Action::Prompt(_)
        | Action::Copy(..)
        | Action::Refresh => true,
        _ => keys == ModeKeys::Emacs,
    }
}

fn is_repeatable(action: Action) -> bool {
    matches!(
        action,
        Action::Move(_)
            | Action::MoveDownOrCancel
            | Action::Scroll(_)
            | Action::ScrollOrCancel(_)
            | Action::Jump(_)
            | Action::JumpAgain
            | Action::JumpReverse
            | Action::MatchingBracket(_)
    )
}
