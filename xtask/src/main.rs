//! Tasks of the workspace.

mod corpus;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(name = "xtask", about = "Tasks of the workspace")]
enum Task {
    Corpus(corpus::Args),
}

fn main() -> ExitCode {
    match Task::parse() {
        Task::Corpus(args) => corpus::run(&args),
    }
}
