//! ccmux's development tasks: `cargo xtask TASK`.
#![expect(clippy::print_stdout, reason = "the output of a task is its purpose")]

mod bench;
mod ci;
mod golden;

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
    /// Speed and memory beside tmux, dtach and a bare pty.
    Bench(bench::BenchArgs),
    /// Makes the checked-in state directory anew, after a change of a format.
    Golden,
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().task {
        Task::Ci(args) => ci::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::Golden => golden::run(),
    }
}
