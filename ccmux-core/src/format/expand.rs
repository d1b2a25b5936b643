//! Expanding: walking through a format and replacing its parts.
//!
//! A part that cannot be understood makes [`Expander::replace`] return `None`, which ends the
//! expansion it is in; enclosing ones go on.

use std::cell::Cell;

use crate::command::parse_number;
use crate::ids::WindowId;
use crate::model::{Session, State};
use crate::pattern;

use super::effects::{Again, Comparison, Effects, Flags, Source, Substitution, TimeForm};
use super::log::Log;
use super::modifier::{Modifier, divide};
use super::number::Arithmetic;
use super::substitute::{regex, substitute};
use super::text::{closing_parenthesis, skip, split_comma};
use super::variable::{Lookup, letter};
use super::{PaneSearch, Subject, Variables, colour, is_true, time};

/// How deep expansions nest; tmux's own status line needs seven.
const DEPTH_MAX: usize = 40;
/// Bytes of formats and values that one expansion reads in all.
const WORK_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one value.
pub(super) const VALUE_MAX: usize = 256 * 1024;
/// What compiling a regular expression counts as.
const REGEX_WORK: usize = 4096;
/// What looking up a name, or beginning with a format, counts as.
const STEP_WORK: usize = 64;

/// One expansion, and what is left of its bounds.
pub(super) struct Expander<'a> {
    state: &'a State,
    variables: &'a dyn Variables,
    work_left: Cell<usize>,
    log: Log,
}

/// Where in an expansion one is.
#[derive(Clone, Copy)]
struct Scope<'s> {
    subject: &'s Subject,
    /// Whether strftime applies to formats before they are expanded.
    with_time: bool,
    depth: usize,
}

impl<'a> Expander<'a> {
    pub(super) fn new(state: &'a State, variables: &'a dyn Variables) -> Expander<'a> {
        Expander { state, variables, work_left: Cell::new(WORK_MAX), log: Log::default() }
    }

    /// Keeps a log of what it does.
    pub(super) fn logging(self) -> Expander<'a> {
        Expander { log: Log::kept(), ..self }
    }

    /// What it did.
    pub(super) fn into_log(self) -> Vec<String> {
        self.log.into_lines()
    }

    pub(super) fn expand(&self, format: &str, subject: &Subject, with_time: bool) -> String {
        self.fresh(format, Scope { subject, with_time, depth: 0 })
    }

    /// Takes something off what is left; `false` if there is too little.
    fn spend(&self, work: usize) -> bool {
        let left = self.work_left.get().checked_sub(work);
        self.work_left.set(left.unwrap_or(0));
        left.is_some()
    }

    /// Expands a format that nobody has looked at yet.
    fn fresh(&self, format: &str, scope: Scope<'_>) -> String {
        if scope.with_time && format.contains('%') && self.spend(format.len()) {
            let depth = scope.depth + 1;
            self.log.add(depth, || format!("expanding format: {format}"));
            let timed = self.variables.time(None, format);
            self.log.add(depth, || format!("after time expanded: {timed}"));
            return self.parts(&timed, scope);
        }
        self.text(format, scope)
    }

    /// Expands a format or a part of one.
    fn text(&self, format: &str, scope: Scope<'_>) -> String {
        self.log.add(scope.depth + 1, || format!("expanding format: {format}"));
        self.parts(format, scope)
    }

    fn parts(&self, format: &str, scope: Scope<'_>) -> String {
        let mut result = String::new();
        if scope.depth == DEPTH_MAX || !self.spend(STEP_WORK + format.len()) {
            return result;
        }
        let scope = Scope { depth: scope.depth + 1, ..scope };
        self.append_parts(format, scope, &mut result);
        self.log.add(scope.depth, || format!("result is: {result}"));
        result
    }

    /// Appends what a format expands to, up to where it cannot be understood.
    fn append_parts(&self, format: &str, scope: Scope<'_>, result: &mut String) {
        let mut at = 0;
        // Up to here letters are no variables: `#[fg=#Fabcde]` has a colour in it.
        let mut style_end = 0;
        let mut is_endless = false;
        while let Some(len) = format[at..].find('#') {
            result.push_str(&format[at..at + len]);
            at += len;
            let rest = &format[at..];
            let hashes = rest.len() - rest.trim_start_matches('#').len();
            if rest[hashes..].starts_with('[') {
                // Left for whoever draws: see `styled`.
                let len = hashes + 1;
                if at >= style_end && !is_endless {
                    let end = skip(&rest[len..], b"]");
                    is_endless = end.is_none();
                    style_end = end.map_or(0, |end| at + len + end);
                }
                result.push_str(&rest[..len]);
                at += len;
                continue;
            }
            if hashes > 1 {
                self.log.add(scope.depth, || format!("found {}", &rest[..hashes]));
                result.push_str(&rest[..hashes / 2]);
                at += hashes / 2 * 2;
                continue;
            }
            let Some((value, len)) = self.part(rest, at < style_end, scope) else { return };
            result.push_str(&value);
            at += len;
            if result.len() > VALUE_MAX || !self.spend(value.len()) {
                return;
            }
        }
        result.push_str(&format[at..]);
    }

    /// What begins with `#` at the start of a text: its expansion, and its length.
    fn part(&self, text: &str, is_in_style: bool, scope: Scope<'_>) -> Option<(String, usize)> {
        let Some(c) = text[1..].chars().next() else { return Some(("#".to_owned(), 1)) };
        match c {
            '(' => {
                let end = closing_parenthesis(&text[2..])?;
                let command = &text[2..2 + end];
                self.log.add(scope.depth, || format!("found #(): {command}"));
                let output = self.variables.shell(&self.text(command, scope), scope.subject);
                self.log.add(scope.depth, || format!("#() result: {output}"));
                Some((output, end + 3))
            }
            '{' => {
                let end = skip(text, b"}")?;
                self.log.add(scope.depth, || format!("found #{{}}: {}", &text[2..end]));
                Some((self.replace(&text[2..end], scope)?, end + 1))
            }
            '}' | ',' => Some((c.to_string(), 2)),
            _ => match letter(c).filter(|_| !is_in_style) {
                Some(name) => {
                    self.log.add(scope.depth, || format!("found #{c}: {name}"));
                    Some((self.replace(name, scope)?, 2))
                }
                None => Some((format!("#{c}"), 1 + c.len_utf8())),
            },
        }
    }

    /// Expands what stands between `#{` and `}`.
    fn replace(&self, text: &str, scope: Scope<'_>) -> Option<String> {
        let (modifiers, name) = divide(text);
        let effects = self.effects(&modifiers, scope);
        let mut value = self.value(&effects, name, scope)?;
        match effects.again {
            Some(Again::Plain) => value = self.fresh(&value, scope),
            Some(Again::Time) => value = self.fresh(&value, Scope { with_time: true, ..scope }),
            None => {}
        }
        for Substitution { pattern, with, ignore_case } in &effects.substitutions {
            if !self.spend(REGEX_WORK + value.len()) {
                return None;
            }
            value = substitute(&value, pattern, with, *ignore_case);
            self.log.add(scope.depth, || format!("substitute '{pattern}' to '{with}': {value}"));
        }
        let value = effects.fit(value, &|text| self.variables.cell(text));
        self.log.add(scope.depth, || format!("replaced '{text}' with '{value}'"));
        Some(value)
    }

    /// The value before it is cut, padded and the like.
    fn value(&self, effects: &Effects, name: &str, scope: Scope<'_>) -> Option<String> {
        match &effects.source {
            Source::Literal => return Some(name.to_owned()),
            Source::Character => return Some(character(&self.text(name, scope))),
            Source::Colour => return Some(colour::hexadecimal(&self.text(name, scope))),
            Source::Sessions => return Some(self.sessions(name, scope)),
            Source::Windows => return self.windows(name, scope),
            Source::Panes => return self.panes(name, scope),
            Source::WindowNamed => return Some(self.is_window_named(name, scope)),
            Source::SessionNamed => {
                let name = self.text(name, scope);
                return Some(bit(self.state.session_named(&name).is_some()));
            }
            Source::Search(flags) => return Some(self.search(flags, name, scope)),
            Source::Compare(comparison) => {
                let (left, right) = self.both(name, scope)?;
                let sign = comparison.sign();
                self.log.add(scope.depth, || format!("compare {sign} left is: {left}"));
                self.log.add(scope.depth, || format!("compare {sign} right is: {right}"));
                return Some(bit(self.compare(comparison, &left, &right)));
            }
            Source::Variable | Source::Arithmetic(_) => {}
        }
        if let Some(choice) = name.strip_prefix('?') {
            return self.choose(choice, scope);
        }
        if let Source::Arithmetic(arguments) = &effects.source {
            let result = self
                .both(name, scope)
                .and_then(|(left, right)| Arithmetic::parse(arguments)?.apply(&left, &right));
            return Some(result.unwrap_or_default());
        }
        if name.contains("#{") {
            return Some(self.refine(effects, &self.text(name, scope)));
        }
        let value = self.find(name, scope).map(|value| self.refine(effects, &value));
        self.log.add(scope.depth, || match &value {
            Some(value) => format!("format '{name}' found: {value}"),
            None => format!("format '{name}' not found"),
        });
        Some(value.unwrap_or_default())
    }

    fn find(&self, name: &str, scope: Scope<'_>) -> Option<String> {
        let Scope { subject, .. } = scope;
        if !self.spend(STEP_WORK) {
            return None;
        }
        Lookup { state: self.state, variables: self.variables, subject }.get(name)
    }

    /// `condition,then,else`; without an alternative nothing.
    fn choose(&self, choice: &str, scope: Scope<'_>) -> Option<String> {
        let (condition, rest) = split_comma(choice)?;
        let log = |what: &dyn Fn() -> String| self.log.add(scope.depth, what);
        log(&|| format!("condition is: {condition}"));
        let holds = if let Some(value) = self.find(condition, scope) {
            log(&|| format!("condition '{condition}' found: {value}"));
            is_true(&value)
        } else {
            let expanded = self.text(condition, scope);
            // What stands for nothing and expands to itself is the name of nothing.
            let is_unknown = expanded == condition;
            if is_unknown {
                log(&|| format!("condition '{condition}' not found; assuming false"));
            }
            !is_unknown && is_true(&expanded)
        };
        log(&|| format!("condition '{condition}' is {holds}"));
        let (then, otherwise) = split_comma(rest).unwrap_or((rest, ""));
        Some(self.text(if holds { then } else { otherwise }, scope))
    }

    /// Both sides of a comma, expanded.
    fn both(&self, text: &str, scope: Scope<'_>) -> Option<(String, String)> {
        let (left, right) = split_comma(text)?;
        Some((self.text(left, scope), self.text(right, scope)))
    }

    fn compare(&self, comparison: &Comparison, left: &str, right: &str) -> bool {
        match comparison {
            Comparison::Or => is_true(left) || is_true(right),
            Comparison::And => is_true(left) && is_true(right),
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Match(Flags { is_regex: false, ignore_case }) => {
                // Matching takes the product of the lengths at worst.
                self.spend(left.len().saturating_mul(right.len()))
                    && pattern::matches(left, right, *ignore_case)
            }
            Comparison::Match(Flags { is_regex: true, ignore_case }) => {
                self.spend(REGEX_WORK + right.len())
                    && regex(left, *ignore_case).is_some_and(|regex| regex.is_match(right))
            }
        }
    }

    /// Turns a found value into what the modifiers ask for.
    fn refine(&self, effects: &Effects, value: &str) -> String {
        let Some(form) = &effects.time else { return effects.refine(value) };
        match (value.parse().unwrap_or(0), form) {
            (i64::MIN..=0, _) => String::new(),
            (seconds, TimeForm::Pretty) => time::pretty(self.variables, seconds),
            (seconds, TimeForm::Format(format)) => self.variables.time(Some(seconds), format),
        }
    }

    fn search(&self, flags: &Flags, pattern: &str, scope: Scope<'_>) -> String {
        let pattern = &*self.text(pattern, scope);
        let &Flags { is_regex, ignore_case } = flags;
        let search = PaneSearch { pattern, is_regex, ignore_case };
        let line = scope.subject.pane.and_then(|pane| self.variables.search(pane, &search));
        line.unwrap_or(0).to_string()
    }

    /// Once for each session, by name; the second format, if there is one, for the subject's.
    fn sessions(&self, format: &str, scope: Scope<'_>) -> String {
        let mut sessions: Vec<&Session> = self.state.sessions.values().collect();
        sessions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let subjects = sessions.into_iter().map(|session| {
            let is_current = scope.subject.session == Some(session.id);
            (Subject::session(self.state, session.id), is_current)
        });
        self.each(format, subjects, scope)
    }

    /// Once for each window of the subject's session, by index; the second format for the current.
    fn windows(&self, format: &str, scope: Scope<'_>) -> Option<String> {
        let session = self.state.sessions.get(&scope.subject.session?)?;
        let subjects = session
            .windows
            .values()
            .map(|id| (Subject::window(self.state, session.id, *id), *id == session.current));
        Some(self.each(format, subjects, scope))
    }

    /// Once for each pane of the subject's window, by index; the second format for the active one.
    fn panes(&self, format: &str, scope: Scope<'_>) -> Option<String> {
        let window = self.state.windows.get(&scope.subject.window?)?;
        let panes = window.layout.panes();
        let session = scope.subject.session;
        let subjects = panes.into_iter().map(|id| {
            let subject = Subject::pane(self.state, id);
            (Subject { session: session.or(subject.session), ..subject }, id == window.active)
        });
        Some(self.each(format, subjects, scope))
    }

    fn each(
        &self,
        format: &str,
        subjects: impl Iterator<Item = (Subject, bool)>,
        scope: Scope<'_>,
    ) -> String {
        let (all, current) = split_comma(format).unwrap_or((format, format));
        let mut result = String::new();
        for (subject, is_current) in subjects {
            let format = if is_current { current } else { all };
            result.push_str(&self.text(format, Scope { subject: &subject, ..scope }));
            if result.len() > VALUE_MAX {
                break;
            }
        }
        result
    }

    fn is_window_named(&self, name: &str, scope: Scope<'_>) -> String {
        let name = self.text(name, scope);
        let session = scope.subject.session.and_then(|id| self.state.sessions.get(&id));
        let has_name =
            |id: &WindowId| self.state.windows.get(id).is_some_and(|window| window.name == name);
        bit(session.is_some_and(|session| session.windows.values().any(has_name)))
    }

    /// What a list of modifiers asks for; of several that contradict each other the last.
    fn effects(&self, list: &[Modifier<'_>], scope: Scope<'_>) -> Effects {
        let mut result = Effects::default();
        for (at, modifier) in list.iter().enumerate() {
            let arguments: Vec<String> =
                modifier.arguments.iter().map(|text| self.text(text, scope)).collect();
            self.log.add(scope.depth, || format!("modifier {at} is {}", modifier.name));
            for (number, argument) in arguments.iter().enumerate() {
                let what = || format!("modifier {at} argument {number}: {argument}");
                self.log.add(scope.depth, what);
            }
            result.add(modifier.name, arguments);
        }
        result
    }
}

/// The printable ASCII character of a number.
fn character(text: &str) -> String {
    let number = parse_number(text.as_bytes(), 32..=126).ok();
    let c = number.and_then(|number| u8::try_from(number).ok()).map(char::from);
    c.map(String::from).unwrap_or_default()
}

fn bit(is_set: bool) -> String {
    if is_set { "1".to_owned() } else { "0".to_owned() }
}
