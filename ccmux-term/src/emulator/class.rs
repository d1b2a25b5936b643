//! What a character does to the line it is printed on: how many columns it takes, and whether it may
//! belong to the character before it.
//!
//! Most text outside ASCII is looked up in a table of two planes, made from `unicode-width` when it
//! is first used.

use std::sync::LazyLock;

use super::print::{may_join, width};

/// Classes of the characters below it are in the table.
const TABLE_END: usize = 0x2_0000;

static TABLE: LazyLock<Box<[Class]>> = LazyLock::new(|| {
    (0..TABLE_END as u32).map(|scalar| char::from_u32(scalar).map_or(Class::Control, of)).collect()
});

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// One column, whatever is before it.
    Narrow,
    /// Two columns, whatever is before it.
    Wide,
    /// No column: it attaches to what is before it.
    Mark,
    /// One column of its own, unless it continues an emoji sequence.
    NarrowEmoji,
    /// Two columns of its own, unless it continues an emoji sequence.
    WideEmoji,
    /// Not printed.
    Control,
}

/// The table, for a loop.
pub(super) fn classes() -> Classes {
    Classes(&TABLE)
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Classes(&'static [Class]);

impl Classes {
    #[inline]
    pub(super) fn of(self, c: char) -> Class {
        match self.0.get(c as usize) {
            Some(class) => *class,
            None => of(c),
        }
    }
}

fn of(c: char) -> Class {
    match width(c) {
        None => Class::Control,
        Some(0) => Class::Mark,
        Some(1) if may_join(c) => Class::NarrowEmoji,
        Some(1) => Class::Narrow,
        Some(_) if may_join(c) => Class::WideEmoji,
        Some(_) => Class::Wide,
    }
}
