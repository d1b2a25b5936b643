//! A program that prints as fast as it can what is known in advance.

use std::fs;

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

/// Numbered lines in bursts: plain, coloured, wide, and longer than the width. Each line of input
/// makes it print one burst.
#[derive(Debug)]
pub struct Flood {
    pane: String,
}

impl Flood {
    /// Lines of one burst; four kinds of about 64, 75, 60 and 220 bytes make it more than 1 MB.
    pub const BURST_LINES: u32 = 11_000;

    /// Writes the program into the home directory; returns the command line that runs it.
    pub fn command(env: &TestEnv) -> String {
        let script = env.home().join("flood.awk");
        let text = SCRIPT.replace("BURST", &Self::BURST_LINES.to_string());
        fs::write(&script, text).expect("the home directory is ours");
        format!("stty -echo; exec awk -f {}", script.display())
    }

    /// The program that runs in this pane.
    pub fn of(pane: &str) -> Flood {
        Flood { pane: pane.to_owned() }
    }

    /// Makes it print one more burst.
    pub fn go(&self, env: &TestEnv) {
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

fn line(n: u32) -> String {
    match n % 4 {
        0 => format!("L{n:08} plain text of an ordinary length, as programs print"),
        1 => format!("L{n:08} coloured and painted text"),
        2 => format!("L{n:08} wide: 日本語 中文字 한국어 ok"),
        _ => format!("L{n:08} {}", "0123456789".repeat(20)),
    }
}
