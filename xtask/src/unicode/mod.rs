//! The table of what the emulator knows of characters, made anew from the crates that know it, and
//! the data of its tests.
//!
//! The crates offer no properties of single characters, only what follows from them: which texts
//! are one cluster, and how wide they are. So each property is found by a few texts that tell it
//! from all others (UAX #29, tables 1b and 1c).

mod breaks;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

const TABLE: &str = "ccmux-term/src/unicode/table.rs";
const WIDTHS: &str = "ccmux-term/tests/emulator/data/widths.txt";
const BREAKS: &str = "ccmux-term/tests/emulator/data/GraphemeBreakTest.txt";
const AMBIGUOUS: &str = include_str!("ambiguous.txt");

/// Columns that are not those of `unicode-width`, and why.
const WIDTH_EXCEPTIONS: [(char, char, u8); 1] =
    // As in glibc, xterm and VTE: programs count it, because it is there on every line, not only
    // at its end.
    [('\u{ad}', '\u{ad}', 1)];

const CONTROL_WIDTH: u8 = 3;

/// Writes all of it.
pub(crate) fn run() -> Result<()> {
    let root = crate::build::root()?;
    let ambiguous = ambiguous()?;
    let is_ambiguous =
        |scalar| ambiguous.iter().any(|&(first, last)| (first..=last).contains(&scalar));
    let classes: Vec<u8> =
        (0..0x11_0000).map(|scalar| class(scalar, is_ambiguous(scalar))).collect();
    fs::write(root.join(TABLE), table(&classes))?;
    fs::create_dir_all(root.join(WIDTHS).parent().context("a directory")?)?;
    fs::write(root.join(WIDTHS), widths(&classes))?;
    let source = testdata()?;
    let text = fs::read_to_string(&source).with_context(|| source.display().to_string())?;
    fs::write(root.join(BREAKS), breaks::lines(&text)?)?;
    println!("{TABLE}, {WIDTHS} and {BREAKS} are new; run rustfmt");
    Ok(())
}

/// The ranges of `ambiguous.txt`.
fn ambiguous() -> Result<Vec<(u32, u32)>> {
    let lines = AMBIGUOUS.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (first, last) = line.split_once("..").unwrap_or((line, line));
            Ok((u32::from_str_radix(first, 16)?, u32::from_str_radix(last, 16)?))
        })
        .collect()
}

/// Whether a text is one cluster.
fn is_one(text: &[char]) -> bool {
    text.iter().collect::<String>().graphemes(true).count() == 1
}

/// The byte that `ccmux_term::unicode::Class` takes apart.
fn class(scalar: u32, is_ambiguous: bool) -> u8 {
    let Some(c) = char::from_u32(scalar) else { return CONTROL_WIDTH };
    let Some(width) = c.width() else { return CONTROL_WIDTH | 1 << 4 };
    let kind = kind(c);
    let exception = WIDTH_EXCEPTIONS.iter().find(|(first, last, _)| (*first..=*last).contains(&c));
    let width = match exception {
        Some((_, _, width)) => *width,
        // What begins a cluster has a place of its own.
        None if kind == 7 => width.max(1) as u8,
        None => width.min(2) as u8,
    };
    let with_selector: String = [c, '\u{fe0f}'].iter().collect();
    let is_emoji_base = width == 1 && with_selector.width() == 2;
    width | u8::from(is_ambiguous && width == 1) << 2 | u8::from(is_emoji_base) << 3 | kind << 4
}

/// The number of the character's `ccmux_term::unicode::Kind`.
fn kind(c: char) -> u8 {
    const ZWJ: char = '\u{200d}';
    const KA: char = '\u{915}';
    const VIRAMA: char = '\u{94d}';
    const SIGN: char = '\u{a9}';
    const L: char = '\u{1100}';
    const V: char = '\u{1160}';
    const T: char = '\u{11a8}';
    if !is_one(&[c, '\u{308}']) {
        return 1;
    }
    if is_one(&[c, 'a']) {
        return 7;
    }
    if is_one(&['a', c]) {
        return match () {
            () if c == ZWJ => 5,
            () if !is_one(&[SIGN, c, ZWJ, SIGN]) => 8,
            () if is_one(&[KA, c, KA]) => 3,
            () if is_one(&[KA, VIRAMA, c, KA]) => 4,
            () => 2,
        };
    }
    match () {
        () if is_one(&['\u{1f1e6}', c]) => 6,
        () if is_one(&[c, L]) => 9,
        () if is_one(&[L, c]) && is_one(&[c, V]) && is_one(&[V, c]) => 10,
        () if is_one(&[V, c]) && is_one(&[c, T]) => 11,
        () if is_one(&[L, c]) && is_one(&[c, V]) => 12,
        () if is_one(&[L, c]) && is_one(&[c, T]) => 13,
        () if is_one(&[SIGN, ZWJ, c]) => 14,
        () if is_one(&[KA, VIRAMA, c]) => 15,
        () => 0,
    }
}

fn table(classes: &[u8]) -> String {
    let mut numbers = Vec::new();
    let mut last = None;
    for (scalar, &class) in classes.iter().enumerate() {
        if last != Some(class) {
            numbers.push((scalar << 8 | usize::from(class)) as u32);
            last = Some(class);
        }
    }
    let mut out = format!(
        "//! Made by `cargo xtask unicode`: widths of Unicode {}.{} (`unicode-width`), clusters of \
         {}.{}\n//! (`unicode-segmentation`).\n\n/// Where the characters of a class begin, in order: scalar value << 8 | class.\n\
         #[rustfmt::skip]\npub(super) static RANGES: [u32; {}] = [\n",
        unicode_width::UNICODE_VERSION.0,
        unicode_width::UNICODE_VERSION.1,
        unicode_segmentation::UNICODE_VERSION.0,
        unicode_segmentation::UNICODE_VERSION.1,
        numbers.len()
    );
    for line in numbers.chunks(8) {
        let line: Vec<String> = line
            .iter()
            .map(|number| format!("{:#06x}_{:04x},", number >> 16, number & 0xffff))
            .collect();
        let _ = writeln!(out, "    {}", line.join(" "));
    }
    out + "];\n"
}

fn widths(classes: &[u8]) -> String {
    let mut out = String::from(
        "# Columns of every character: 0 to 2, c for a control, a for one or two as the user chose.\n\
         # Made by `cargo xtask unicode`.\n",
    );
    let column = |class: u8| match (class & 3, class & 4 != 0) {
        (CONTROL_WIDTH, _) => 'c',
        (1, true) => 'a',
        (width, _) => char::from(b'0' + width),
    };
    let mut first = 0;
    for scalar in 0..classes.len() {
        let here = column(classes[scalar]);
        if classes.get(scalar + 1).is_none_or(|&next| column(next) != here) {
            let _ = writeln!(out, "{first:04X}..{scalar:04X} {here}");
            first = scalar + 1;
        }
    }
    out
}

/// The Rust source in which `unicode-segmentation` has the lines of `GraphemeBreakTest.txt`.
fn testdata() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked"])
        .current_dir(crate::build::root()?)
        .output()
        .context("cargo starts")?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let package = packages.iter().find(|package| package["name"] == "unicode-segmentation");
    let manifest = package.and_then(|package| package["manifest_path"].as_str());
    Ok(PathBuf::from(manifest.context("no unicode-segmentation")?)
        .with_file_name("tests/testdata/mod.rs"))
}
