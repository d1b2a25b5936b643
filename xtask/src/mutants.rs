//! Breaks the product on purpose, one checked-in patch at a time, and asserts that the test which the
//! patch names fails: a test that cannot fail proves nothing.
//!
//! The patches lie in `xtask/mutants`. What stands above the first `---` of one says what is broken
//! and which test sees it:
//!
//! ```text
//! The log is shortened before the checkpoint is synced.
//! test: -p ccmux-server --lib the_log_is_shortened_last
//! ```

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;

use crate::build::root;

#[derive(Debug, Args)]
pub(crate) struct MutantsArgs {
    /// Only patches whose names contain one of these.
    names: Vec<String>,
    /// Only whether the patches still fit the sources.
    #[arg(long)]
    check: bool,
}

/// One way to break the product.
#[derive(Debug)]
struct Mutant {
    name: String,
    patch: PathBuf,
    /// What is broken, in words.
    breaks: String,
    /// The arguments of `cargo test` that select the test.
    test: Vec<String>,
}

/// What became of a test.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    /// It failed, as it should.
    Seen,
    /// It passed, and proves nothing.
    Unseen,
    /// There is none of that name.
    NoTest,
    /// What is broken does not even compile.
    NotBuilt,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verdict::Seen => "seen     ",
            Verdict::Unseen => "UNSEEN   ",
            Verdict::NoTest => "NO TEST  ",
            Verdict::NotBuilt => "NOT BUILT",
        })
    }
}

/// A copy of the sources that may be broken, and what is built from it.
struct Replica {
    root: &'static Path,
    tree: PathBuf,
    build: PathBuf,
}

/// Breaks one thing after the other; fails if a test did not notice.
pub(crate) fn run(args: &MutantsArgs) -> Result<()> {
    let root = root()?;
    let mutants = read_all(&root.join("xtask/mutants"), &args.names)?;
    let replica = Replica::new(root)?;
    for mutant in &mutants {
        replica.apply(mutant, &["--check"])?;
    }
    if args.check {
        println!("{} mutants fit the sources", mutants.len());
        return Ok(());
    }
    let mut unseen = Vec::new();
    for mutant in &mutants {
        replica.restore()?;
        replica.apply(mutant, &[])?;
        let verdict = replica.judge(mutant)?;
        println!("{verdict} {}: {}", mutant.name, mutant.breaks);
        if verdict != Verdict::Seen {
            unseen.push(mutant.name.as_str());
        }
    }
    replica.restore()?;
    ensure!(unseen.is_empty(), "the named tests do not fail although this is broken: {unseen:?}");
    println!("{} mutants, each seen by the test it names", mutants.len());
    Ok(())
}

fn read_all(directory: &Path, names: &[String]) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for entry in fs::read_dir(directory)? {
        let patch = entry?.path();
        let name = patch.file_stem().and_then(OsStr::to_str).context("a name")?.to_owned();
        if names.is_empty() || names.iter().any(|wanted| name.contains(wanted.as_str())) {
            mutants.push(Mutant::read(name, patch)?);
        }
    }
    ensure!(!mutants.is_empty(), "there is no such mutant");
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

impl Mutant {
    fn read(name: String, patch: PathBuf) -> Result<Self> {
        let text = fs::read_to_string(&patch)?;
        let head: Vec<&str> = text.lines().take_while(|line| !line.starts_with("---")).collect();
        let test = head.iter().find_map(|line| line.strip_prefix("test: "));
        let test = test.with_context(|| format!("{name} names no test"))?;
        let test = test.split_whitespace().map(str::to_owned).collect();
        let breaks: Vec<&str> =
            head.iter().copied().filter(|line| !line.starts_with("test: ")).collect();
        Ok(Self { name, patch, breaks: breaks.join(" ").trim().to_owned(), test })
    }
}

impl Replica {
    fn new(root: &'static Path) -> Result<Self> {
        let directory = root.join("target/mutants");
        let replica = Self { root, tree: directory.join("tree"), build: directory.join("build") };
        replica.restore()?;
        Ok(replica)
    }

    /// Makes the copy what the sources are. Only what differs is written, so that little is built.
    fn restore(&self) -> Result<()> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(self.root)
            .output()?;
        ensure!(listed.status.success(), "git cannot list the sources");
        let mut wanted = BTreeSet::new();
        for name in listed.stdout.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let name = Path::new(OsStr::from_bytes(name));
            let (from, to) = (self.root.join(name), self.tree.join(name));
            let Some(content) = read_if_there(&from)? else { continue };
            wanted.insert(to.clone());
            if read_if_there(&to)?.is_some_and(|found| found == content) {
                continue;
            }
            fs::create_dir_all(to.parent().context("a directory")?)?;
            // With its permissions, and a new time.
            fs::copy(&from, &to)?;
        }
        remove_others(&self.tree, &wanted)
    }

    fn apply(&self, mutant: &Mutant, arguments: &[&str]) -> Result<()> {
        let applied = Command::new("git")
            .arg("apply")
            .args(arguments)
            .arg(&mutant.patch)
            .current_dir(&self.tree)
            // The copy is no part of the repository that it lies in.
            .env("GIT_CEILING_DIRECTORIES", self.tree.parent().context("a directory")?)
            .output()?;
        if !applied.status.success() {
            bail!("{} does not fit: {}", mutant.name, String::from_utf8_lossy(&applied.stderr));
        }
        Ok(())
    }

    fn judge(&self, mutant: &Mutant) -> Result<Verdict> {
        let built = self.cargo_test(mutant, &["--no-run"])?;
        if !built.status.success() {
            println!("{}", String::from_utf8_lossy(&built.stderr));
            return Ok(Verdict::NotBuilt);
        }
        let tested = self.cargo_test(mutant, &[])?;
        let said = String::from_utf8_lossy(&tested.stdout);
        let is_run = |line: &str| line.starts_with("running ") && !line.starts_with("running 0 ");
        Ok(match said.lines().any(is_run) {
            false => Verdict::NoTest,
            true if said.contains("test result: FAILED") => Verdict::Seen,
            true => Verdict::Unseen,
        })
    }

    fn cargo_test(&self, mutant: &Mutant, arguments: &[&str]) -> io::Result<Output> {
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .arg("test")
            .args(arguments)
            .args(&mutant.test)
            .current_dir(&self.tree)
            .env("CARGO_TARGET_DIR", &self.build)
            .stdin(Stdio::null())
            .output()
    }
}

fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        content => content.map(Some),
    }
}

/// Removes the files that are not wanted; directories stay.
fn remove_others(directory: &Path, wanted: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_others(&entry.path(), wanted)?;
        } else if !wanted.contains(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
