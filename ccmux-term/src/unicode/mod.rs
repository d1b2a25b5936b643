//! What Unicode says of characters: how many columns each takes, and where one text that is seen
//! as a character (a grapheme cluster of UAX #29) ends and the next one begins.
//!
//! The properties are those of the `unicode-width` and `unicode-segmentation` crates, in a table
//! that `cargo xtask unicode` makes of them (`table.rs`); one lookup gives all of a character. Where
//! terminals differ from the standard on purpose is said in `docs/unicode.md`, and the tests hold
//! that it is not more than that.

mod class;
mod segment;
mod table;
mod widths;

pub(crate) use self::class::{Class, Kind};
pub(crate) use self::segment::Segment;
pub use self::widths::{WIDTH_OVERRIDES_MAX, WidthOverride, Widths};

const EMOJI_PRESENTATION: char = '\u{fe0f}';

/// Whether a cluster that so far ends in `last` becomes wide by `next`, which belongs to it: because
/// that is wide, the second half of a flag, or asks for an emoji. Variation selector 15 makes no
/// cluster narrow (as mode 2027 says), so no cell that was printed is taken back.
pub(crate) fn widens(widths: &Widths, last: char, next: char) -> bool {
    let class = widths.class(next);
    class.width() == Some(2)
        || class.kind() == Kind::RegionalIndicator && widths.class(last).kind() == class.kind()
        || next == EMOJI_PRESENTATION
            && widths.selector_widens()
            && widths.class(last).is_emoji_base()
}
