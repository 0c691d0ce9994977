//! `cargo xtask generate repo`: writes a generated repository to a folder.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use xtask::generate::{Format, History, HistoryOptions, SMALLEST, repository, write};

/// Arguments of the task.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// A Salesforce project with references closed, the same for the same seed.
    Repo(Repo),
}

#[derive(Args)]
struct Repo {
    /// Number of components: top-level ones and children with files of their own.
    #[arg(long, value_name = "N")]
    components: usize,
    /// Seed of the random numbers.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Folder to write to; empty or not there yet.
    #[arg(long, value_name = "DIR", default_value = "generated")]
    out: PathBuf,
    /// Layout of the files.
    #[arg(long, value_enum, default_value_t = Layout::Source)]
    format: Layout,
    /// Make a git repository with `main`, a hotfix on `production` and environment branches.
    #[arg(long)]
    history: bool,
    /// Components that the hotfix touches.
    #[arg(long, value_name = "K", default_value_t = HistoryOptions::default().hotfix, requires = "history")]
    hotfix: usize,
    /// Number of environment branches: integration, uat, staging, dev1 …
    #[arg(long, value_name = "M", default_value_t = HistoryOptions::default().branches, requires = "history")]
    branches: usize,
    /// Files that each environment changed beside the hotfix.
    #[arg(long, value_name = "N", default_value_t = HistoryOptions::default().own, requires = "history")]
    own: usize,
    /// Files of the hotfix that each environment changed elsewhere in the file.
    #[arg(long, value_name = "N", default_value_t = HistoryOptions::default().overlap, requires = "history")]
    overlap: usize,
    /// Files of the hotfix that each environment changed at the same place.
    #[arg(long, value_name = "N", default_value_t = HistoryOptions::default().conflicts, requires = "history")]
    conflicts: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Layout {
    /// force-app/main/default, objects decomposed.
    Source,
    /// src with package.xml, as the Metadata API delivers it.
    Mdapi,
}

/// Runs the task.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let What::Repo(repo) = &arguments.what;
    if repo.components < SMALLEST {
        return Err(format!(
            "--components {} is too few to hold one of every kind; the least is {SMALLEST}",
            repo.components
        )
        .into());
    }
    let started = Instant::now();
    let format = match repo.format {
        Layout::Source => Format::Source,
        Layout::Mdapi => Format::Mdapi,
    };
    let generated = repository(repo.components, repo.seed);
    let files = if repo.history {
        let options = HistoryOptions {
            hotfix: repo.hotfix,
            branches: repo.branches,
            own: repo.own,
            overlap: repo.overlap,
            conflicts: repo.conflicts,
            bare: false,
        };
        let history = History::write(&generated, repo.seed, format, &options, &repo.out)?;
        for branch in &history.branches {
            println!(
                "{}: {} files changed, {} in conflict with the hotfix",
                branch.name,
                branch.changed.len(),
                branch.conflicting.len()
            );
        }
        history.files
    } else {
        write(&generated, format, &repo.out)?
    };
    println!(
        "{} components, {files} files in {} ({:.1} s)",
        generated.components(),
        repo.out.display(),
        started.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}
