//! `syncline merge-driver`: lets git merge metadata by meaning.

mod block;
mod globs;
mod install;
mod rivals;
mod run;

use std::ffi::OsString;

use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Let git merge metadata by meaning
///
/// Once installed, `git merge`, `rebase`, `cherry-pick`, `stash` and `merge-tree` merge metadata element by element. Other files are
/// merged as before. A file that cannot be read as metadata gets git's own merge by lines, and git reports a conflict to look at.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline merge-driver install --dry-run    show what would change
  syncline merge-driver install              for this repository and its worktrees
  syncline merge-driver install --global     for all repositories of this user")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Install(install::InstallArgs),
    Uninstall(install::UninstallArgs),
    Run(run::RunArgs),
}

/// Installs, uninstalls, or merges one file for git.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::Install(args) => install::install(&args, out),
        Action::Uninstall(args) => install::uninstall(&args, out),
        Action::Run(args) => run::run(&args, out),
    }
}

/// Whether git is the caller, which reads exit codes in a way of its own.
pub fn is_run(arguments: &[OsString]) -> bool {
    let mut words = arguments
        .split(|word| word == "--")
        .next()
        .unwrap_or_default()
        .windows(2);
    words.any(|pair| pair[0] == "merge-driver" && pair[1] == "run")
}

/// The exit code that tells git to stop: with 2 to 128 it would keep our version without markers, as if theirs had never been.
/// Git's `ll-merge.c`: 0 is clean, up to 128 a conflict, above that an error that ends the merge.
pub const STOP: u8 = 129;

/// What an exit code of ours has to be for git.
pub fn exit_code_for_git(code: u8) -> u8 {
    if code <= 1 { code } else { STOP }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_git_is_told_to_stop() {
        let check = |line: &str, expect: bool| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(is_run(&words), expect, "{line}");
        };
        check("syncline merge-driver run -- a b c 7 p", true);
        check("syncline --color never merge-driver run", true);
        check("syncline merge-driver install", false);
        check("syncline merge-file -- merge-driver run", false);
        let codes: Vec<u8> = [0, 1, 2, 3, 128, 141].into_iter().map(exit_code_for_git).collect();
        assert_eq!(codes, [0, 1, 129, 129, 129, 129]);
    }
}
