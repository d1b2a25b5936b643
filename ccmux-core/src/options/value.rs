//! Values: from what a person typed to canonical text.

use crate::geometry::Extent;
use crate::key::Key;

use super::OptionError;
use super::colour::Colour;
use super::spec::OptionKind;
use super::style::Style;

/// The value of [`OptionKind::Limit`] that is no limit.
pub(super) const UNLIMITED: &str = "unlimited";

/// Canonical text for a value, or why it is none.
pub(super) fn canonical(kind: OptionKind, value: &str) -> Result<String, OptionError> {
    Ok(match kind {
        OptionKind::Number { min, max } => number(value, min, max)?.to_string(),
        OptionKind::Limit if value == UNLIMITED => value.to_owned(),
        OptionKind::Limit => number(value, 0, i32::MAX.into())?.to_string(),
        OptionKind::Flag => match value {
            "on" | "yes" | "1" => "on".to_owned(),
            "off" | "no" | "0" => "off".to_owned(),
            _ => return Err(OptionError::BadFlag(value.to_owned())),
        },
        OptionKind::Choice(choices) if choices.contains(&value) => value.to_owned(),
        OptionKind::Choice(_) => return Err(OptionError::UnknownChoice(value.to_owned())),
        OptionKind::String | OptionKind::Command => value.to_owned(),
        OptionKind::Style => {
            // A format is a style only once it is expanded.
            if !value.contains("#{") {
                value.parse::<Style>()?;
            }
            value.to_owned()
        }
        OptionKind::Colour => value.parse::<Colour>()?.to_string(),
        OptionKind::Key if value.eq_ignore_ascii_case("none") => "None".to_owned(),
        OptionKind::Key => match value.parse::<Key>() {
            Ok(key) => key.to_string(),
            Err(_) => return Err(OptionError::BadKey(value.to_owned())),
        },
        OptionKind::Extent => match value.parse::<Extent>() {
            Ok(_) => value.to_owned(),
            Err(_) => return Err(OptionError::ValueInvalid(value.to_owned())),
        },
        OptionKind::Size => match size(value) {
            Some(_) => value.to_owned(),
            None => return Err(OptionError::ValueInvalid(value.to_owned())),
        },
    })
}

fn number(value: &str, min: i64, max: i64) -> Result<i64, OptionError> {
    // Beyond i64 tmux still says "too large", and so it is for whoever typed it.
    let number: i128 = value.parse().map_err(|_| OptionError::ValueInvalid(value.to_owned()))?;
    match i64::try_from(number) {
        Ok(number) if (min..=max).contains(&number) => Ok(number),
        _ if number < i128::from(min) => Err(OptionError::TooSmall(value.to_owned())),
        _ => Err(OptionError::TooLarge(value.to_owned())),
    }
}

/// `80x24`.
pub(super) fn size(value: &str) -> Option<crate::geometry::Size> {
    let (cols, rows) = value.split_once('x')?;
    let size = crate::geometry::Size { cols: cols.parse().ok()?, rows: rows.parse().ok()? };
    (size == size.clamped()).then_some(size)
}
