//! ccmux's development tasks: `cargo xtask TASK`.
#![expect(clippy::print_stdout, reason = "the output of a task is its purpose")]

mod bench;
mod build;
mod ci;
mod golden;
mod mutants;
mod record;
mod torture;
mod unicode;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "ccmux's development tasks")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything a change must pass: format, lints, docs, tests, and the flake hunt.
    Ci(ci::CiArgs),
    /// Speed and memory beside tmux, dtach and a bare pty; what persistence costs.
    Bench(bench::BenchArgs),
    /// Makes the checked-in state directory anew, after a change of a format.
    Golden,
    /// Breaks the product on purpose and expects the tests to notice.
    Mutants(mutants::MutantsArgs),
    /// Makes the table of characters anew, after a new version of Unicode.
    Unicode,
    /// Prints at a steady rate: the program in the panes of a benchmark.
    #[command(hide = true)]
    Print(bench::PrintArgs),
    /// Records what real programs print, for the tests of the emulator.
    Record(record::RecordArgs),
    /// Real crashes, again and again.
    Torture(torture::TortureArgs),
}

fn main() -> anyhow::Result<ExitCode> {
    match Cli::parse().task {
        Task::Ci(args) => ci::run(&args)?,
        Task::Bench(args) => bench::run(&args)?,
        Task::Print(args) => bench::print(&args)?,
        Task::Golden => golden::run()?,
        Task::Unicode => unicode::run()?,
        Task::Mutants(args) => mutants::run(&args)?,
        Task::Record(args) => record::run(&args)?,
        Task::Torture(args) => return torture::run(&args),
    }
    Ok(ExitCode::SUCCESS)
}
