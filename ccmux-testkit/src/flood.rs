//! A program that prints as fast as it can what is known in advance.

use std::fs;
use std::path::PathBuf;

use crate::env::TestEnv;

/// Waits for a line of input, prints a burst, and so on.
const SCRIPT: &str = r#"
BEGIN {
    long = "";
    for (i = 0; i < 20; i++) long = long "0123456789";
    n = 0;
    while ((getline line) > 0 && line != "stop") {
        for (i = 0; i < BURST; i++) {
            n++;
            if (n % 4 == 0) printf "L%08d plain text of an ordinary length, as programs print\n", n;
            if (n % 4 == 1) printf "L%08d \033[1;3%dmcoloured\033[0m and \033[48;5;%dmpainted\033[m text\n", n, n % 8, n % 256;
            if (n % 4 == 2) printf "L%08d wide: 日本語 中文字 한국어 ok\n", n;
            if (n % 4 == 3) printf "L%08d %s\n", n, long;
        }
        printf "burst done %d\n", n;
        fflush();
    }
}
"#;

/// What may be missing at a mark: one read of a keeper, and the two lines that it cut.
const GAP_BYTES_MAX: usize = 4096 + 2 * 256;

/// Numbered lines in bursts: plain, coloured, wide, and longer than the width. Each line of input
/// makes it print one burst.
#[derive(Debug)]
pub struct Flood {
    pane: String,
    name: String,
}

impl Flood {
    /// Lines of one burst; four kinds of about 64, 75, 60 and 220 bytes make it more than 1 MB.
    pub const BURST_LINES: u32 = 11_000;

    /// Writes the program into the home directory; returns the command line that runs it.
    pub fn command(env: &TestEnv) -> String {
        Self::command_named(env, "flood")
    }

    /// The same, for one of several programs of a world.
    pub fn command_named(env: &TestEnv, name: &str) -> String {
        let script = env.home().join("flood.awk");
        let text = SCRIPT.replace("BURST", &Self::BURST_LINES.to_string());
        fs::write(&script, text).expect("the home directory is ours");
        format!("stty -echo; : >{}; exec awk -f {}", ready(env, name).display(), script.display())
    }

    /// The program that runs in this pane.
    pub fn of(pane: &str) -> Flood {
        Self::named("flood", pane)
    }

    /// The program of this name, which runs in this pane.
    pub fn named(name: &str, pane: &str) -> Flood {
        Flood { pane: pane.to_owned(), name: name.to_owned() }
    }

    /// Makes it print one more burst.
    pub fn go(&self, env: &TestEnv) {
        // What is typed before it has switched the echo off is printed.
        env.wait_ok(&["list-sessions"], |_| ready(env, &self.name).exists());
        env.ok(&["send-keys", "-t", &self.pane, "go", "Enter"]);
    }

    /// What it prints last after so many bursts.
    pub fn done(bursts: u32) -> String {
        format!("burst done {}", bursts * Self::BURST_LINES)
    }

    /// The number of a line, if it is one of the numbered ones.
    pub fn line_number(line: &str) -> Option<u32> {
        line.strip_prefix('L')?.get(..8)?.parse().ok()
    }

    /// What the pane has shown, in history and on the screen, as whole lines.
    pub fn lines(&self, env: &TestEnv) -> Vec<String> {
        let text = env.ok(&["capture-pane", "-p", "-J", "-S", "-", "-t", &self.pane]);
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Asserts that the pane has shown so many bursts, every line, once, in order, except for what
    /// marks say is lost: at most one read of a keeper each, and the lines that this cut.
    ///
    /// # Panics
    /// If not.
    pub fn assert_whole_but_for_marks(&self, env: &TestEnv, bursts: u32) {
        let differs = difference_but_for_marks(&self.lines(env), bursts);
        assert_eq!(differs, None);
    }

    /// Asserts that the pane has shown a beginning of so many bursts, every line, once, in order,
    /// except for what marks say is lost; then that it was restored; and nothing of the bursts after
    /// that.
    ///
    /// # Panics
    /// If not.
    pub fn assert_cut_where_restored(&self, env: &TestEnv, bursts: u32) {
        let lines = self.lines(env);
        let at = lines.iter().position(|line| line.starts_with("[restored "));
        let at = at.unwrap_or_else(|| panic!("it was not restored; it ends in {:?}", lines.last()));
        let (shown, after) = lines.split_at(at);
        // The last line was on its way.
        let whole = shown.len().saturating_sub(1);
        let expected: Vec<String> = (0..bursts).flat_map(burst).collect();
        let differs = rest_but_for_marks(&shown[..whole], &expected).err();
        assert_eq!(differs, None);
        let late = after.iter().find(|line| Self::line_number(line).is_some());
        assert_eq!(late, None, "output after the end of its program");
    }

    /// Asserts that the pane has shown exactly so many bursts: every line, once, in order.
    ///
    /// # Panics
    /// If not.
    pub fn assert_whole(&self, env: &TestEnv, bursts: u32) {
        let found = self.lines(env);
        let mut at = found.iter();
        for burst in 0..bursts {
            let first = burst * Self::BURST_LINES + 1;
            for n in first..first + Self::BURST_LINES {
                assert_eq!(at.next(), Some(&line(n)), "line {n} of the stream");
            }
            assert_eq!(at.next(), Some(&Self::done(burst + 1)));
        }
        let rest: Vec<_> = at.filter(|line| !line.is_empty()).collect();
        assert!(rest.is_empty(), "nothing follows: {rest:?}");
    }
}

/// The file that the program makes when it can be typed to.
fn ready(env: &TestEnv, name: &str) -> PathBuf {
    env.home().join(format!("{name}.ready"))
}

/// Every line of a burst, from 0.
fn burst(burst: u32) -> impl Iterator<Item = String> {
    let first = burst * Flood::BURST_LINES + 1;
    (first..first + Flood::BURST_LINES).map(line).chain([Flood::done(burst + 1)])
}

fn line(n: u32) -> String {
    match n % 4 {
        0 => format!("L{n:08} plain text of an ordinary length, as programs print"),
        1 => format!("L{n:08} coloured and painted text"),
        2 => format!("L{n:08} wide: 日本語 中文字 한국어 ok"),
        _ => format!("L{n:08} {}", "0123456789".repeat(20)),
    }
}

/// Where lines are not those of so many bursts, and no mark says why.
fn difference_but_for_marks(found: &[String], bursts: u32) -> Option<String> {
    let expected: Vec<String> = (0..bursts).flat_map(burst).collect();
    match rest_but_for_marks(found, &expected) {
        Ok(rest) => rest.first().map(|line| format!("the end instead of {line:?}")),
        Err(differs) => Some(differs),
    }
}

/// What of the expected lines follows those found; or where these are others, and no mark says why.
fn rest_but_for_marks<'a>(
    found: &[String],
    expected: &'a [String],
) -> Result<&'a [String], String> {
    let is_mark = |line: &String| line.contains("are lost here]");
    let mut rest = expected;
    let mut found = found.iter().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = found.next() {
        let mut marks = usize::from(is_mark(line));
        if marks == 0 && !found.peek().is_some_and(|next| is_mark(next)) {
            match rest.split_first() {
                Some((first, others)) if first == line => rest = others,
                first => return Err(format!("{line:?} instead of {first:?}")),
            }
            continue;
        }
        // The lines on both sides of a mark are cut, and maybe an escape sequence in them.
        marks += usize::from(marks == 0 && found.next().is_some());
        found.next();
        while found.next_if(|line| is_mark(line)).is_some() {
            marks += 1;
            found.next();
        }
        let missing = match found.peek() {
            Some(next) => rest.iter().position(|line| line == *next),
            None => Some(rest.len()),
        };
        let Some(missing) = missing else {
            return Err(format!("{:?} after a mark", found.peek()));
        };
        let bytes: usize = rest[..missing].iter().map(|line| line.len() + 1).sum();
        if bytes > marks * GAP_BYTES_MAX {
            return Err(format!("{bytes} bytes are missing at {marks} marks"));
        }
        rest = &rest[missing..];
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_excuse_what_is_missing() {
        let whole: Vec<String> = burst(0).collect();
        let mark = "[9 bytes of output are lost here]".to_owned();
        let cut = |at: usize, lost: usize, marked: &[String]| {
            let found = [&whole[..at], marked, &whole[at + lost..]].concat();
            difference_but_for_marks(&found, 1)
        };
        let with_halves = ["L0000".to_owned(), mark.clone(), "5mtext".to_owned()];
        assert_eq!(cut(500, 0, &[]), None);
        assert_eq!(cut(500, 2, &with_halves), None);
        assert_eq!(cut(500, 30, &with_halves), None);
        assert_eq!(cut(0, 1, &with_halves[1..]), None, "at the beginning");
        assert_eq!(cut(whole.len() - 1, 1, &with_halves), None, "at the end");
        assert_eq!(cut(500, 3, &[&with_halves[..], &with_halves[1..]].concat()), None, "twice");
        assert!(cut(500, 1, &[]).is_some(), "without a mark");
        assert!(cut(500, 0, &whole[400..401]).is_some(), "a line twice");
        assert!(cut(500, 90, &with_halves).is_some(), "more than one read");
        assert!(cut(whole.len() - 1, 1, &[]).is_some(), "the end is missing");
    }
}
