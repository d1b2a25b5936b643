//! Setting, appending and unsetting: from a command to what changes in one option set.

use crate::change::OptionScope;
use crate::model::{OptionSet, State};

use super::name::OptionName;
use super::spec::{OptionDefault, OptionKind, OptionSpec};
use super::value::canonical;
use super::{OptionError, View};

/// What `set-option` does to the option it names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Edit {
    /// Sets it; without a value flags and two-way choices toggle.
    Set(Option<String>),
    /// `-a`: appends to a string, style or array; sets anything else.
    Append(Option<String>),
    /// `-u`: goes back to what is inherited, or at a global scope to the default.
    Unset,
}

/// Entries of one [`OptionSet`] to set, or with `None` to remove.
pub type Edited = Vec<(String, Option<String>)>;

/// What changes at a scope. Nothing does when there is nothing to unset.
pub fn edit(
    state: &State,
    scope: OptionScope,
    name: &OptionName,
    edit: &Edit,
) -> Result<Edited, OptionError> {
    let empty = OptionSet::new();
    let set = state.options_at(scope).unwrap_or(&empty);
    let Some(spec) = name.spec() else { return user_option(set, &name.name, edit) };
    if spec.is_array() {
        return Array { spec, set, is_global: is_global(scope) }.edit(name.index, edit);
    }
    let value = match edit {
        Edit::Unset => return Ok(vec![(name.name.clone(), None)]),
        Edit::Set(Some(value)) => canonical(spec.kind, value)?,
        Edit::Append(Some(value)) => canonical(spec.kind, &appended(spec, set, scope, value))?,
        Edit::Set(None) | Edit::Append(None) => {
            toggled(spec, View::new(state, scope).text(&name.name).unwrap_or_default())?
        }
    };
    Ok(vec![(name.name.clone(), Some(value))])
}

fn is_global(scope: OptionScope) -> bool {
    matches!(scope, OptionScope::Server | OptionScope::GlobalSession | OptionScope::GlobalWindow)
}

fn user_option(set: &OptionSet, name: &str, edit: &Edit) -> Result<Edited, OptionError> {
    let value = match edit {
        Edit::Unset => None,
        Edit::Set(Some(value)) => Some(value.clone()),
        Edit::Append(Some(value)) => {
            let old = set.get(name).map_or("", String::as_str);
            Some(format!("{old}{value}"))
        }
        Edit::Set(None) | Edit::Append(None) => return Err(OptionError::EmptyValue),
    };
    Ok(vec![(name.to_owned(), value)])
}

/// What is there at this very scope with `value` after it. Styles are joined by commas.
fn appended(spec: &OptionSpec, set: &OptionSet, scope: OptionScope, value: &str) -> String {
    let default = is_global(scope).then(|| spec.default_value());
    let old = set.get(spec.name).map(String::as_str).or(default);
    match (spec.kind, old) {
        (OptionKind::String | OptionKind::Command, Some(old)) => format!("{old}{value}"),
        (OptionKind::Style, Some(old)) => format!("{old},{value}"),
        _ => value.to_owned(),
    }
}

fn toggled(spec: &OptionSpec, present: &str) -> Result<String, OptionError> {
    let choices: &[&str] = match spec.kind {
        OptionKind::Flag => &["off", "on"],
        OptionKind::Choice(choices) => choices,
        _ => return Err(OptionError::EmptyValue),
    };
    // Only the first two can be toggled; whoever is past them stays there, as in tmux.
    Ok(match choices.iter().position(|choice| *choice == present) {
        Some(0) => choices[1].to_owned(),
        Some(1) => choices[0].to_owned(),
        _ => present.to_owned(),
    })
}

/// An array at one scope.
struct Array<'a> {
    spec: &'static OptionSpec,
    set: &'a OptionSet,
    is_global: bool,
}

impl Array<'_> {
    fn edit(&self, index: Option<u32>, edit: &Edit) -> Result<Edited, OptionError> {
        match (index, edit) {
            (_, Edit::Set(None) | Edit::Append(None)) => Err(OptionError::EmptyValue),
            (None, Edit::Unset) => Ok(self.removals(true).collect()),
            (Some(index), Edit::Unset) => {
                if self.members().any(|(other, _)| other == index) {
                    Ok(self.owned().chain([(self.key(index), None)]).collect())
                } else {
                    Ok(Vec::new())
                }
            }
            (None, Edit::Set(Some(value))) => {
                let members = self.divided(value)?;
                let set = (0..).zip(members).map(|(i, value)| (self.key(i), Some(value)));
                let set: Vec<_> = set.collect();
                // None is named twice: what does not change is left out by whoever logs this.
                let is_replaced = |key: &String| set.iter().any(|(name, _)| name == key);
                let removals = self.removals(false).filter(|(key, _)| !is_replaced(key));
                Ok(removals.chain([self.marker()]).chain(set.iter().cloned()).collect())
            }
            (None, Edit::Append(Some(value))) => {
                let taken: Vec<u32> = self.members().map(|(index, _)| index).collect();
                let free = (0..).filter(|index| !taken.contains(index));
                let members = self.divided(value)?;
                let set = free.zip(members).map(|(i, value)| (self.key(i), Some(value)));
                Ok(self.owned().chain(set).collect())
            }
            (Some(index), Edit::Set(Some(value))) => {
                let value = canonical(self.spec.kind, value)?;
                Ok(self.owned().chain([(self.key(index), Some(value))]).collect())
            }
            (Some(index), Edit::Append(Some(value))) => {
                let old = self.members().find(|(other, _)| *other == index);
                let value = match self.spec.kind {
                    OptionKind::Colour => value.clone(),
                    _ => format!("{}{value}", old.map_or_else(String::new, |(_, old)| old)),
                };
                let value = canonical(self.spec.kind, &value)?;
                Ok(self.owned().chain([(self.key(index), Some(value))]).collect())
            }
        }
    }

    fn key(&self, index: u32) -> String {
        format!("{}[{index}]", self.spec.name)
    }

    fn marker(&self) -> (String, Option<String>) {
        (self.spec.name.to_owned(), Some(String::new()))
    }

    fn is_owned(&self) -> bool {
        self.set.contains_key(self.spec.name)
    }

    /// The members at this scope; at a global one those are the defaults until something is set.
    fn members(&self) -> impl Iterator<Item = (u32, String)> + '_ {
        let own = super::view::members(self.set, self.spec.name)
            .map(|(index, value)| (index, value.to_owned()));
        let defaults =
            if self.is_global && !self.is_owned() { self.spec.default_members() } else { &[] };
        own.chain((0..).zip(defaults.iter().map(|value| (*value).to_owned())))
    }

    /// What makes the array this scope's own before a single member changes: the marker, and the
    /// defaults it starts from.
    fn owned(&self) -> impl Iterator<Item = (String, Option<String>)> + '_ {
        let missing = !self.is_owned();
        let defaults = self.members().filter(move |_| missing);
        let marker = missing.then(|| self.marker());
        marker.into_iter().chain(defaults.map(|(index, value)| (self.key(index), Some(value))))
    }

    fn removals(&self, marker: bool) -> impl Iterator<Item = (String, Option<String>)> + '_ {
        let marker = (marker && self.is_owned()).then(|| (self.spec.name.to_owned(), None));
        let members = super::view::members(self.set, self.spec.name);
        members.map(|(index, _)| (self.key(index), None)).chain(marker)
    }

    fn divided(&self, value: &str) -> Result<Vec<String>, OptionError> {
        let OptionDefault::Array { separators, .. } = self.spec.default else {
            return Ok(Vec::new());
        };
        let separates = |c: char| separators.contains(c);
        value
            .split(separates)
            .filter(|part| !part.is_empty())
            .map(|part| canonical(self.spec.kind, part))
            .collect()
    }
}
