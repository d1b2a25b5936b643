//! The lines of `GraphemeBreakTest.txt`, from the Rust source to which `unicode-segmentation`'s
//! scripts turned them.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

/// The lines as the Unicode consortium writes them, without comments: `÷` where a text is cut, `×`
/// where it is not.
pub(super) fn lines(source: &str) -> Result<String> {
    let version = source.split_once("www.unicode.org/Public/").context("no version")?.1;
    let (version, source) = version.split_once('/').context("no version")?;
    let mut out = format!(
        "# GraphemeBreakTest.txt of Unicode {version}, from the tests of unicode-segmentation.\n\
         # Made by `cargo xtask unicode`.\n"
    );
    // The tables of same and of different results, with and without extended clusters.
    let (tables, _) = source.split_once("TEST_WORD").context("no table of words")?;
    let mut count = 0;
    for entry in tables.split("(\"").skip(1) {
        let (_, rest) = entry.split_once("&[").context("an entry without clusters")?;
        let (clusters, _) = rest.split_once(']').context("an entry without an end")?;
        out.push('÷');
        for cluster in clusters.split('"').skip(1).step_by(2) {
            let scalars = cluster.split("\\u{").skip(1).map(|scalar| scalar.trim_end_matches('}'));
            let scalars: Vec<String> = scalars.map(|scalar| format!("{scalar:0>4}")).collect();
            let _ = write!(out, " {} ÷", scalars.join(" × ").to_uppercase());
        }
        out.push('\n');
        count += 1;
    }
    ensure!(count > 600, "only {count} entries");
    Ok(out)
}
