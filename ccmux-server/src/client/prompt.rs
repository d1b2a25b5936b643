//! The line at the bottom in which a client is asked something.
//!
//! A [`Prompt`] is pure: keys in, an outcome out. What the answer is for, the asker knows.

use std::str::FromStr;

use ccmux_core::key::{Key, KeyCode, Modifiers};
use serde::{Deserialize, Serialize};

/// The longest answer that can be typed, in characters.
const ANSWER_CHARS_MAX: usize = 4096;
/// How many earlier answers are kept.
const HISTORY_MAX: usize = 100;

/// What kind of answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum PromptKind {
    /// A line of text, ended with Enter.
    Line,
    /// One key, taken as text (`command-prompt -1`).
    Character,
    /// One key of any kind, taken by its name (`command-prompt -k`).
    Key,
    /// Digits, which the first key of another kind ends (`command-prompt -N`).
    Number,
    /// A line that is looked at after each key (`command-prompt -i`).
    Incremental,
    /// `y` or anything else (`confirm-before`).
    Confirm,
}

/// What a prompt asks for (`command-prompt -T`): each type has a history of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub(crate) enum PromptType {
    /// Commands, and whatever is not said to be something else.
    #[default]
    Command,
    /// A text to search for.
    Search,
    /// A target of any kind.
    Target,
    /// A window.
    WindowTarget,
}

/// No type of prompt has this name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown type: {0}")]
pub(crate) struct UnknownPromptType(String);

impl FromStr for PromptType {
    type Err = UnknownPromptType;

    fn from_str(name: &str) -> Result<Self, UnknownPromptType> {
        Ok(match name {
            "command" => Self::Command,
            "search" => Self::Search,
            "target" => Self::Target,
            "window-target" => Self::WindowTarget,
            _ => return Err(UnknownPromptType(name.to_owned())),
        })
    }
}

/// A question at the bottom of a client's screen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Prompt {
    kind: PromptKind,
    question: String,
    answer: Vec<char>,
    cursor: usize,
    /// Which earlier answer it shows. They are not carried to another server.
    #[serde(skip)]
    recalled: Option<usize>,
    /// What an incremental prompt takes up when a search is asked for and nothing is typed yet.
    last: Vec<char>,
}

/// What became of a prompt after a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PromptOutcome {
    /// It goes on.
    Open,
    /// It was answered with this text; a confirmation with `y`.
    Answered(String),
    /// It goes on, and its text is this now, after a character that says whether it is new (`=`) or
    /// the next one is wanted, downward (`+`) or upward (`-`).
    Changed(String),
    /// It was answered with this text by a key that still means what it means.
    AnsweredBefore(String),
    /// It was given up.
    Cancelled,
}

/// Earlier answers of a client to prompts of one type, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct PromptHistory(Vec<String>);

impl PromptHistory {
    /// Remembers an answer; repeating the last one adds nothing.
    pub(crate) fn push(&mut self, answer: &str) {
        if answer.is_empty() || self.0.last().is_some_and(|last| last == answer) {
            return;
        }
        if self.0.len() == HISTORY_MAX {
            self.0.remove(0);
        }
        self.0.push(answer.to_owned());
    }
}

impl Prompt {
    /// Asks `question`, with an answer to begin with.
    pub(crate) fn new(kind: PromptKind, question: String, initial: &str) -> Self {
        let mut answer: Vec<char> = initial.chars().take(ANSWER_CHARS_MAX).collect();
        let last = match kind {
            PromptKind::Incremental => std::mem::take(&mut answer),
            _ => Vec::new(),
        };
        Self { kind, question, cursor: answer.len(), answer, recalled: None, last }
    }

    /// The same with a cursor that is in its text, and no more text than can be typed.
    pub(crate) fn within_bounds(mut self) -> Self {
        self.answer.truncate(ANSWER_CHARS_MAX);
        self.cursor = self.cursor.min(self.answer.len());
        self
    }

    /// What kind of answer it wants.
    pub(crate) fn kind(&self) -> PromptKind {
        self.kind
    }

    /// The text of the line, and the character offset of the cursor in it.
    pub(crate) fn line(&self) -> (String, usize) {
        let question_chars = self.question.chars().count();
        let mut text = self.question.clone();
        text.extend(&self.answer);
        (text, question_chars + self.cursor)
    }

    /// Takes a key.
    pub(crate) fn press(&mut self, key: Key, history: &PromptHistory) -> PromptOutcome {
        match self.kind {
            PromptKind::Line => self.press_line(key, history),
            PromptKind::Character => match (key.code, key.modifiers) {
                (KeyCode::Char(c), held) if (held - Modifiers::SHIFT).is_empty() => {
                    PromptOutcome::Answered(c.to_string())
                }
                _ => PromptOutcome::Cancelled,
            },
            PromptKind::Key => PromptOutcome::Answered(key.to_string()),
            PromptKind::Number => match (key.code, key.modifiers) {
                (KeyCode::Char(c @ '0'..='9'), held) if held.is_empty() => {
                    self.insert(c);
                    PromptOutcome::Open
                }
                _ => PromptOutcome::AnsweredBefore(self.answer.iter().collect()),
            },
            PromptKind::Incremental => self.press_incremental(key, history),
            PromptKind::Confirm => match key.code {
                KeyCode::Char('y' | 'Y') if key.modifiers.is_empty() => {
                    PromptOutcome::Answered("y".to_owned())
                }
                _ => PromptOutcome::Cancelled,
            },
        }
    }

    fn press_incremental(&mut self, key: Key, history: &PromptHistory) -> PromptOutcome {
        let next = match (key.code, key.modifiers) {
            (KeyCode::Char('r'), Modifiers::CTRL) => Some('-'),
            (KeyCode::Char('s'), Modifiers::CTRL) => Some('+'),
            _ => None,
        };
        if let Some(next) = next {
            if !self.answer.is_empty() {
                return self.changed(next);
            }
            self.answer.clone_from(&self.last);
            self.cursor = self.answer.len();
            return self.changed('=');
        }
        let before = self.answer.clone();
        match self.press_line(key, history) {
            PromptOutcome::Open if self.answer != before => self.changed('='),
            outcome => outcome,
        }
    }

    fn changed(&self, how: char) -> PromptOutcome {
        PromptOutcome::Changed(std::iter::once(how).chain(self.answer.iter().copied()).collect())
    }

    fn press_line(&mut self, key: Key, history: &PromptHistory) -> PromptOutcome {
        let (ctrl, meta) = (Modifiers::CTRL, Modifiers::META);
        match (key.code, key.modifiers) {
            (KeyCode::Enter, _) => return PromptOutcome::Answered(self.answer.iter().collect()),
            (KeyCode::Char('j' | 'm'), held) if held == ctrl => {
                return PromptOutcome::Answered(self.answer.iter().collect());
            }
            (KeyCode::Escape, _) => return PromptOutcome::Cancelled,
            (KeyCode::Char('c' | 'g'), held) if held == ctrl => return PromptOutcome::Cancelled,
            (KeyCode::Left, held) if held.is_empty() => self.step_back(),
            (KeyCode::Char('b'), held) if held == ctrl => self.step_back(),
            (KeyCode::Right, held) if held.is_empty() => self.step_forward(),
            (KeyCode::Char('f'), held) if held == ctrl => self.step_forward(),
            (KeyCode::Home, _) => self.cursor = 0,
            (KeyCode::Char('a'), held) if held == ctrl => self.cursor = 0,
            (KeyCode::End, _) => self.cursor = self.answer.len(),
            (KeyCode::Char('e'), held) if held == ctrl => self.cursor = self.answer.len(),
            (KeyCode::Char('b'), held) if held == meta => self.cursor = self.word_start(),
            (KeyCode::Char('f'), held) if held == meta => self.cursor = self.word_end(),
            (KeyCode::Left, held) if held == ctrl => self.cursor = self.word_start(),
            (KeyCode::Right, held) if held == ctrl => self.cursor = self.word_end(),
            (KeyCode::Char('u'), held) if held == ctrl => {
                self.answer.clear();
                self.cursor = 0;
            }
            (KeyCode::Char('k'), held) if held == ctrl => self.answer.truncate(self.cursor),
            (KeyCode::Char('w'), held) if held == ctrl => {
                let start = self.word_start();
                self.answer.drain(start..self.cursor);
                self.cursor = start;
            }
            (KeyCode::Backspace, _) => self.erase_before(),
            (KeyCode::Char('h'), held) if held == ctrl => self.erase_before(),
            (KeyCode::Delete, _) => self.erase_at(),
            (KeyCode::Char('d'), held) if held == ctrl => self.erase_at(),
            (KeyCode::Up, _) => self.recall(history, true),
            (KeyCode::Char('p'), held) if held == ctrl => self.recall(history, true),
            (KeyCode::Down, _) => self.recall(history, false),
            (KeyCode::Char('n'), held) if held == ctrl => self.recall(history, false),
            (KeyCode::Char(c), held) if (held - Modifiers::SHIFT).is_empty() => self.insert(c),
            _ => {}
        }
        PromptOutcome::Open
    }

    /// Adds pasted text; control characters become spaces.
    pub(crate) fn paste(&mut self, text: &str) {
        for c in text.chars() {
            self.insert(if c.is_control() { ' ' } else { c });
        }
    }

    fn insert(&mut self, c: char) {
        if self.answer.len() < ANSWER_CHARS_MAX {
            self.answer.insert(self.cursor, c);
            self.cursor += 1;
        }
    }

    fn step_back(&mut self) {
        self.cursor = self.cursor.saturating_sub(1);
    }

    fn step_forward(&mut self) {
        self.cursor = (self.cursor + 1).min(self.answer.len());
    }

    fn erase_before(&mut self) {
        if self.cursor > 0 {
            self.cursor -= 1;
            self.answer.remove(self.cursor);
        }
    }

    fn erase_at(&mut self) {
        if self.cursor < self.answer.len() {
            self.answer.remove(self.cursor);
        }
    }

    fn word_start(&self) -> usize {
        let before = &self.answer[..self.cursor];
        let word_end = before.iter().rposition(|c| !c.is_whitespace()).map_or(0, |at| at + 1);
        before[..word_end].iter().rposition(|c| c.is_whitespace()).map_or(0, |at| at + 1)
    }

    fn word_end(&self) -> usize {
        let after = &self.answer[self.cursor..];
        let skip = after.iter().take_while(|c| c.is_whitespace()).count();
        let word = after[skip..].iter().take_while(|c| !c.is_whitespace()).count();
        self.cursor + skip + word
    }

    fn recall(&mut self, history: &PromptHistory, is_older: bool) {
        let entries = &history.0;
        let next = match (self.recalled, is_older) {
            (None, true) => entries.len().checked_sub(1),
            (Some(at), true) => Some(at.saturating_sub(1)),
            (Some(at), false) if at + 1 < entries.len() => Some(at + 1),
            (_, false) => None,
        };
        if next.is_none() && self.recalled.is_none() {
            return;
        }
        self.recalled = next;
        self.answer = next.map_or_else(Vec::new, |at| entries[at].chars().collect());
        self.cursor = self.answer.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: Modifiers) -> Key {
        Key { code, modifiers }
    }

    fn type_into(prompt: &mut Prompt, text: &str) {
        for c in text.chars() {
            let outcome =
                prompt.press(key(KeyCode::Char(c), Modifiers::empty()), &PromptHistory::default());
            assert_eq!(outcome, PromptOutcome::Open);
        }
    }

    #[test]
    fn a_line_is_edited_and_answered() {
        let mut prompt = Prompt::new(PromptKind::Line, "(rename) ".into(), "old");
        let history = PromptHistory::default();
        prompt.press(key(KeyCode::Char('u'), Modifiers::CTRL), &history);
        type_into(&mut prompt, "new name");
        prompt.press(key(KeyCode::Char('w'), Modifiers::CTRL), &history);
        type_into(&mut prompt, "one");
        prompt.press(key(KeyCode::Home, Modifiers::empty()), &history);
        type_into(&mut prompt, "ä");
        assert_eq!(prompt.line(), ("(rename) änew one".to_owned(), 10));
        let outcome = prompt.press(key(KeyCode::Enter, Modifiers::empty()), &history);
        assert_eq!(outcome, PromptOutcome::Answered("änew one".into()));
    }

    #[test]
    fn only_y_confirms() {
        for (code, expected) in [
            (KeyCode::Char('y'), PromptOutcome::Answered("y".into())),
            (KeyCode::Char('n'), PromptOutcome::Cancelled),
            (KeyCode::Enter, PromptOutcome::Cancelled),
        ] {
            let mut prompt = Prompt::new(PromptKind::Confirm, "kill? (y/n) ".into(), "");
            let outcome = prompt.press(key(code, Modifiers::empty()), &PromptHistory::default());
            assert_eq!(outcome, expected, "{code:?}");
        }
    }

    #[test]
    fn any_key_is_an_answer_by_its_name() {
        for (name, expected) in [("Escape", "Escape"), ("C-c", "C-c"), ("M-x", "M-x"), ("a", "a")] {
            let mut prompt = Prompt::new(PromptKind::Key, "key ".into(), "");
            let outcome = prompt.press(name.parse().unwrap(), &PromptHistory::default());
            assert_eq!(outcome, PromptOutcome::Answered(expected.into()));
        }
    }

    #[test]
    fn a_number_ends_before_what_is_no_digit() {
        let mut prompt = Prompt::new(PromptKind::Number, "(repeat) ".into(), "1");
        type_into(&mut prompt, "2");
        let outcome = prompt.press("j".parse().unwrap(), &PromptHistory::default());
        assert_eq!(outcome, PromptOutcome::AnsweredBefore("12".into()));
    }

    #[test]
    fn an_incremental_prompt_tells_of_each_change() {
        let mut prompt = Prompt::new(PromptKind::Incremental, "(search) ".into(), "last");
        for (name, expected) in [
            ("C-s", Some("=last")),
            ("C-u", Some("=")),
            ("C-u", None),
            ("a", Some("=a")),
            ("b", Some("=ab")),
            ("Left", None),
            ("C-r", Some("-ab")),
            ("C-s", Some("+ab")),
            ("BSpace", Some("=b")),
        ] {
            let outcome = prompt.press(name.parse().unwrap(), &PromptHistory::default());
            let expected = expected
                .map_or(PromptOutcome::Open, |text| PromptOutcome::Changed(text.to_owned()));
            assert_eq!(outcome, expected, "{name}");
        }
        let outcome = prompt.press("Enter".parse().unwrap(), &PromptHistory::default());
        assert_eq!(outcome, PromptOutcome::Answered("b".into()));
    }

    #[test]
    fn earlier_answers_are_recalled() {
        let mut history = PromptHistory::default();
        for answer in ["one", "two", "two"] {
            history.push(answer);
        }
        let mut prompt = Prompt::new(PromptKind::Line, String::new(), "");
        for (code, expected) in [
            (KeyCode::Up, "two"),
            (KeyCode::Up, "one"),
            (KeyCode::Up, "one"),
            (KeyCode::Down, "two"),
            (KeyCode::Down, ""),
        ] {
            prompt.press(key(code, Modifiers::empty()), &history);
            assert_eq!(prompt.line().0, expected);
        }
    }

    #[test]
    fn an_answer_is_bounded() {
        let mut prompt = Prompt::new(PromptKind::Line, String::new(), "");
        prompt.paste(&"x".repeat(ANSWER_CHARS_MAX + 5));
        assert_eq!(prompt.line().1, ANSWER_CHARS_MAX);
    }
}
