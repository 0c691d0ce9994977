//! Tasks of the workspace: `cargo xtask --help` lists them.

mod bench;
mod corpus;
mod generate_command;
mod tidy;
mod types;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tasks of the workspace.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Generate repositories to try and measure with.
    Generate(generate_command::Arguments),
    /// Measure syncline and its peers side by side; writes docs/benchmarks.md.
    Bench(bench::Arguments),
    Corpus(corpus::Args),
    /// Check the rules of the source tree.
    Tidy(tidy::Arguments),
    /// Write the tables of metadata types from the published packages, or check that they are up to date.
    Types(types::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().task {
        Task::Generate(arguments) => generate_command::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Corpus(arguments) => Ok(corpus::run(&arguments)),
        Task::Tidy(arguments) => tidy::run(&arguments),
        Task::Types(arguments) => types::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::from(2)
        }
    }
}
