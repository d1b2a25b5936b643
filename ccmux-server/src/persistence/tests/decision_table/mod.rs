//! The two tables of `docs/persistence-format.md` that say what is made of what is found: each row is a
//! case here under its label, and each case a row there. What a case reports has to be what the last
//! column says.

mod covered;
mod ends;
mod log;
mod output;

use std::collections::BTreeSet;

const DOCS: &str = include_str!("../../../../../docs/persistence-format.md");

/// How a row is covered.
enum Case {
    /// Made on a simulated disk. Checks the decision, and returns what was reported.
    Made(fn() -> &'static str),
    /// Needs a living keeper or a whole server: a test of that name in this source has it.
    Elsewhere { source: &'static str, test: &'static str },
}

/// A row: its label and what it says is reported, without explanations.
fn rows(letter: char) -> Vec<(&'static str, &'static str)> {
    let row = |line: &'static str| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let number = cells[0].strip_prefix(letter)?;
        assert!(number.parse::<u32>().is_ok() && cells.len() == 5, "{line}");
        Some((cells[0], cells[3].split([':', ',']).next()?))
    };
    DOCS.lines().filter_map(row).collect()
}

fn walk(letter: char, cases: &[(&str, Case)]) {
    let rows = rows(letter);
    let labels: BTreeSet<&str> = rows.iter().map(|(label, _)| *label).collect();
    let covered: BTreeSet<&str> = cases.iter().map(|(label, _)| *label).collect();
    assert_eq!(labels, covered, "rows without a case, or cases without a row");
    assert_eq!((rows.len(), cases.len()), (labels.len(), covered.len()), "a label is used twice");
    for (label, reported) in rows {
        println!("row {label}");
        let (_, case) = cases.iter().find(|(known, _)| *known == label).expect("compared above");
        match case {
            Case::Made(case) => assert_eq!(case(), reported, "row {label}"),
            Case::Elsewhere { source, test } => {
                let test = format!("#[test]\nfn {test}()");
                assert!(source.contains(&test), "row {label}: there is no {test}");
            }
        }
    }
}

#[test]
fn every_row_of_the_log_holds() {
    walk('L', log::CASES);
}

#[test]
fn every_row_of_what_panes_printed_holds() {
    walk('O', output::CASES);
}
