//! What is done with a program while it is recorded.

use anyhow::{Context as _, Result, bail};

/// A script: one instruction a line.
#[derive(Debug)]
pub(super) struct Script {
    /// Columns and rows at the start.
    pub(super) size: (u16, u16),
    /// Shell commands that make the home directory what the program is to find.
    pub(super) setup: String,
    /// The command line.
    pub(super) run: String,
    pub(super) environment: Vec<(String, String)>,
    pub(super) steps: Vec<Step>,
}

/// One thing that is done.
#[derive(Debug)]
pub(super) enum Step {
    /// Wait until the screen contains a text.
    Wait(String),
    /// Wait until nothing more is printed; what the screen is then is compared.
    Screen,
    /// Type.
    Type(Vec<u8>),
    /// Give the terminal another size.
    Resize(u16, u16),
    /// Wait until the program has ended.
    End,
}

impl Script {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut script = Self {
            size: (80, 24),
            setup: String::new(),
            run: String::new(),
            environment: Vec::new(),
            steps: Vec::new(),
        };
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            script.take(line).with_context(|| format!("in line {line:?}"))?;
        }
        if script.run.is_empty() {
            bail!("nothing runs");
        }
        Ok(script)
    }

    fn take(&mut self, line: &str) -> Result<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "size" => self.size = size(rest)?,
            "setup" => self.setup.extend([rest, "\n"]),
            "run" => rest.clone_into(&mut self.run),
            "env" => {
                let (name, value) = rest.split_once('=').context("a variable has a value")?;
                self.environment.push((name.to_owned(), value.to_owned()));
            }
            "wait" => self.steps.push(Step::Wait(rest.to_owned())),
            "screen" => self.steps.push(Step::Screen),
            "type" => self.steps.push(Step::Type(keys(rest)?)),
            "resize" => {
                let (cols, rows) = size(rest)?;
                self.steps.push(Step::Resize(cols, rows));
            }
            "end" => self.steps.push(Step::End),
            _ => bail!("no such instruction: {word}"),
        }
        Ok(())
    }
}

fn size(text: &str) -> Result<(u16, u16)> {
    let (cols, rows) = text.split_once('x').context("a size is COLSxROWS")?;
    Ok((cols.parse()?, rows.parse()?))
}

/// Keys as typed, with `\e`, `\r`, `\t`, `\\` and `^A` for a control character.
fn keys(text: &str) -> Result<Vec<u8>> {
    let mut keys = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => keys.push(match chars.next() {
                Some('e') => 0x1b,
                Some('r') => b'\r',
                Some('t') => b'\t',
                Some('\\') => b'\\',
                other => bail!("no such escape: {other:?}"),
            }),
            '^' => match chars.next() {
                Some(letter @ '@'..='_') => keys.push(letter as u8 & 0x1f),
                other => bail!("no such control character: {other:?}"),
            },
            c => keys.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Ok(keys)
}
