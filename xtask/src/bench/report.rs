//! Numbers into a table: one row a measurement, one column a peer, and ratios beside them.

use std::fmt::Write as _;

use super::peer::Peer;

/// What a number counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    MegabytesPerSecond,
    Milliseconds,
    Mebibytes,
    Bytes,
    Percent,
    PerSecond,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Unit::MegabytesPerSecond => format!("{value:.1} MB/s"),
            Unit::Milliseconds => format!("{value:.2} ms"),
            Unit::Mebibytes => format!("{value:.2} MiB"),
            Unit::Bytes => format!("{value:.0} B"),
            Unit::Percent => format!("{value:.3} %"),
            Unit::PerSecond => format!("{value:.1} /s"),
        }
    }
}

/// One thing measured of several peers.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) what: String,
    pub(super) unit: Unit,
    pub(super) values: Vec<(Peer, f64)>,
}

impl Row {
    pub(super) fn new(what: impl Into<String>, unit: Unit) -> Self {
        Row { what: what.into(), unit, values: Vec::new() }
    }

    pub(super) fn value(&self, peer: Peer) -> Option<f64> {
        self.values.iter().find(|(of, _)| *of == peer).map(|(_, value)| *value)
    }
}

/// One thing measured of ccmux alone, beside what the machine can do and what it should come to.
#[derive(Clone, Debug)]
pub(super) struct Measure {
    pub(super) what: String,
    pub(super) unit: Unit,
    pub(super) value: f64,
    /// What the machine, or a configuration, allows at most.
    pub(super) limit: Option<f64>,
    pub(super) budget: Option<Budget>,
}

/// What a number should come to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Budget {
    Most(f64),
    /// So much of the limit, or more.
    LeastRatio(f64),
    /// So much of the limit, or less.
    MostRatio(f64),
}

impl Measure {
    pub(super) fn new(what: impl Into<String>, unit: Unit, value: f64) -> Self {
        Measure { what: what.into(), unit, value, limit: None, budget: None }
    }

    fn ratio(&self) -> Option<f64> {
        self.limit.map(|limit| self.value / limit).filter(|ratio| ratio.is_finite())
    }

    /// The budget in words, and whether it is kept.
    fn verdict(&self) -> Option<String> {
        let (text, is_kept) = match self.budget? {
            Budget::Most(most) => (format!("at most {}", self.unit.show(most)), self.value <= most),
            Budget::LeastRatio(least) => {
                (format!("ratio at least {least:.2}"), self.ratio()? >= least)
            }
            Budget::MostRatio(most) => (format!("ratio at most {most:.2}"), self.ratio()? <= most),
        };
        Some(format!("{text}: {}", if is_kept { "kept" } else { "MISSED" }))
    }
}

/// Measures as a table in Markdown.
pub(super) fn measures(rows: &[Measure]) -> String {
    let mut text =
        String::from("| what | limit | ccmux | ratio | budget |\n|---|---|---|---|---|\n");
    for row in rows {
        let limit = row.limit.map_or_else(|| "-".to_owned(), |limit| row.unit.show(limit));
        let ratio = row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let verdict = row.verdict().unwrap_or_else(|| "-".to_owned());
        let value = row.unit.show(row.value);
        let _ = writeln!(text, "| {} | {limit} | {value} | {ratio} | {verdict} |", row.what);
    }
    text
}

/// A count as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "no count measured here comes near 2^53")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}

/// The middle of a sample, which one bad round does not move.
pub(super) fn median(sample: &mut [f64]) -> f64 {
    percentile(sample, 50)
}

/// The value that `percent` of a sample do not exceed; NaN of an empty one.
pub(super) fn percentile(sample: &mut [f64], percent: usize) -> f64 {
    sample.sort_by(f64::total_cmp);
    let at = (sample.len() * percent).div_ceil(100).max(1) - 1;
    sample.get(at).copied().unwrap_or(f64::NAN)
}

/// The rows as a table in Markdown.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| what |");
    for peer in Peer::ALL {
        let _ = write!(text, " {} |", peer.name());
    }
    text.push_str(" ccmux / tmux | ccmux / pty |\n|---|---|---|---|---|---|---|\n");
    for row in rows {
        let _ = write!(text, "| {} |", row.what);
        for peer in Peer::ALL {
            let shown = row.value(peer).map_or_else(|| "-".to_owned(), |v| row.unit.show(v));
            let _ = write!(text, " {shown} |");
        }
        for peer in [Peer::Tmux, Peer::Pty] {
            let ratio = row.value(Peer::Ccmux).zip(row.value(peer)).map(|(ours, own)| ours / own);
            let shown = ratio.filter(|ratio| ratio.is_finite());
            let shown = shown.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_round_does_not_move_the_median() {
        assert!((median(&mut [3.0, 900.0, 2.0]) - 3.0).abs() < f64::EPSILON);
        let mut hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!((percentile(&mut hundred, 99) - 99.0).abs() < f64::EPSILON);
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn a_budget_is_kept_or_missed() {
        let row = |value, budget| Measure {
            limit: Some(10.0),
            budget: Some(budget),
            ..Measure::new("what", Unit::Milliseconds, value)
        };
        let verdict = |value, budget| row(value, budget).verdict().unwrap_or_default();
        assert_eq!(verdict(7.0, Budget::Most(7.0)), "at most 7.00 ms: kept");
        assert_eq!(verdict(7.1, Budget::Most(7.0)), "at most 7.00 ms: MISSED");
        assert_eq!(verdict(8.0, Budget::LeastRatio(0.8)), "ratio at least 0.80: kept");
        assert_eq!(verdict(7.9, Budget::LeastRatio(0.8)), "ratio at least 0.80: MISSED");
        assert_eq!(verdict(10.1, Budget::MostRatio(1.0)), "ratio at most 1.00: MISSED");
        let line = measures(&[row(5.0, Budget::Most(7.0))]);
        let line = line.lines().last().unwrap_or_default();
        assert_eq!(line, "| what | 10.00 ms | 5.00 ms | 0.50 | at most 7.00 ms: kept |");
    }

    #[test]
    fn ratios_are_shown_where_both_were_measured() {
        let mut row = Row::new("speed", Unit::MegabytesPerSecond);
        row.values = vec![(Peer::Tmux, 10.0), (Peer::Ccmux, 55.0)];
        let line = table(&[row]).lines().last().unwrap_or_default().to_owned();
        assert_eq!(line, "| speed | - | - | 10.0 MB/s | 55.0 MB/s | 5.50 | - |");
    }
}
