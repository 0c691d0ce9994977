//! `syncline demo`: a hotfix back-promoted in a sample repository, step by step.

mod sample;
mod stage;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Status;
use crate::error::CommandError;
use crate::output::Output;
use sample::{BELOW, CONTESTED, COPY, Edit, HOTFIX, WORK};
use stage::{Scratch, Shell, Stage, defect};

/// See a hotfix go back to every environment, in a sample repository
///
/// Creates a small repository in a temporary folder and runs the real commands in it: compare, back-promote, decide a conflict
/// once, see it decided again by itself. Needs no network and none of your settings, and ends within seconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline demo                   tell the story and clean up
  syncline demo --pause --keep    wait for Enter between the steps, keep the repository
  syncline demo --setup sample    only create the repository, to try the commands yourself")]
pub struct Args {
    /// Wait for Enter between the steps
    #[arg(long)]
    pause: bool,
    /// Keep the repository afterwards and tell where it is
    #[arg(long)]
    keep: bool,
    /// Only create the sample repository, in this new folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["pause", "keep"])]
    setup: Option<PathBuf>,
}

/// What the story proved.
#[derive(Debug, Serialize)]
struct Summary {
    environments: Vec<Environment>,
    /// The repository, if it is kept.
    folder: Option<PathBuf>,
}

/// What git finds in an environment's branch afterwards.
#[derive(Debug, Serialize)]
struct Environment {
    name: &'static str,
    /// Files that a merge by lines leaves with conflicts.
    git_conflicts: usize,
    hotfix: Count,
    own: Count,
    /// Changes that a person decided against.
    decided: usize,
    /// Whether the branch still contains what it had.
    history_kept: bool,
}

/// How many changes are there.
#[derive(Clone, Copy, Debug, Serialize)]
struct Count {
    found: usize,
    of: usize,
}

/// Tells the story, or only creates the repository.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let scratch = Scratch::new()?;
    let home = scratch.path().join("home");
    let repository = scratch.path().join("repository");
    if let Some(folder) = &args.setup {
        create_folder(&home)?;
        let done = setup(folder, home, out);
        scratch.unless_stopped();
        return done;
    }
    create_folder(&home)?;
    create_folder(&repository)?;
    let shell = Shell::new(repository.clone(), home)?;
    let told = story(&mut Stage::new(out, &shell, args.pause), &shell);
    scratch.unless_stopped();
    let mut summary = told?;
    if args.keep {
        scratch.keep();
        summary.folder = Some(repository.clone());
    }
    match (out.json(), args.keep) {
        (true, _) => out.value(&summary)?,
        (false, true) => out.line(format_args!("The repository is kept in {}", repository.display()))?,
        (false, false) => {
            out.line("The sample is deleted. `syncline demo --keep` keeps it, `--pause` waits between the steps.")?;
        }
    }
    match summary.environments.iter().find(|environment| !environment.is_whole()) {
        None => Ok(Status::Done),
        Some(lost) => Err(defect("git show", &format!("a change is missing in {lost:?}"))),
    }
}

/// Creates the sample for people to try commands in.
fn setup(folder: &Path, home: PathBuf, out: &mut Output) -> Result<Status, CommandError> {
    if folder.exists() {
        let message = format!("{} exists already; give the name of a new folder", folder.display());
        return Err(CommandError::user("demo.folder", message));
    }
    create_folder(folder)?;
    let shell = Shell::new(folder.to_owned(), home)?;
    sample::create(&shell)?;
    shell.line("syncline init", &[0])?;
    share_configuration(&shell)?;
    sample::work(&shell)?;
    match out.json() {
        true => out.value(&serde_json::json!({"folder": folder}))?,
        false => {
            out.line(format_args!("The sample repository is in {}", folder.display()))?;
            out.line(format_args!("Branches: production, {}, {}", BELOW.join(", "), COPY.0))?;
            out.line("Next, in that folder:")?;
            out.line("  syncline diff production uat")?;
            out.line("  syncline back-promote --from production --onto all-below")?;
        }
    }
    Ok(Status::Done)
}

/// Commits syncline.toml; everybody begins with it.
fn share_configuration(shell: &Shell) -> Result<(), CommandError> {
    shell.commit("Release team", "Add syncline.toml", 1)?;
    for branch in BELOW.iter().chain([&COPY.0]) {
        shell.git(&["branch", "--force", branch, "production"])?;
    }
    Ok(())
}

fn story(stage: &mut Stage<'_>, shell: &Shell) -> Result<Summary, CommandError> {
    stage
        .tell("This demo creates a small Salesforce repository in a temporary folder and runs real commands in it.")?;
    stage.step("A repository with a branch for each environment")?;
    sample::create(shell)?;
    stage.tell("Production is at the top. Below it are UAT, integration and two developer environments.")?;
    stage.tell("`syncline init` finds them by the names of their branches:")?;
    stage.run("syncline init", &[0])?;
    share_configuration(shell)?;
    sample::work(shell)?;
    let before = tips(shell)?;

    stage.step("A hotfix lands on production")?;
    stage.tell("Discounts above 20 percent need an approval. By element, these are the changes:")?;
    stage.run("syncline diff production~1 production", &[1])?;

    stage.step("Meanwhile people worked in the other environments")?;
    stage.tell("They changed the same profile, flow, validation rule, class and layout, for reasons of their own:")?;
    stage.run(
        "git log --no-walk=unsorted --format='%an: %s' uat integration developer",
        &[0],
    )?;

    stage.step("What a merge by lines would do")?;
    stage.tell(
        "git compares lines. Where two people add something at one place, it stops. It names the files that conflict:",
    )?;
    let mut conflicts = Vec::new();
    for branch in BELOW {
        let line = format!("git merge-tree --write-tree --name-only --no-messages {branch} production");
        let ran = stage.run(&line, &[0, 1])?;
        // The first line is the tree.
        conflicts.push((
            *branch,
            ran.stdout.lines().skip(1).filter(|line| !line.is_empty()).count(),
        ));
    }
    conflicts.push((COPY.0, conflicts.last().map_or(0, |(_, count)| *count)));
    let counts: Vec<String> = conflicts[..BELOW.len()]
        .iter()
        .map(|(branch, count)| format!("{count} in {branch}"))
        .collect();
    stage.tell(&format!(
        "Files that somebody would have to repair by hand: {}.",
        counts.join(", ")
    ))?;

    stage.step("What really differs")?;
    stage.tell("Syncline compares what the files mean. This is UAT beside production, one line for each element:")?;
    stage.run("syncline diff production uat", &[1])?;

    stage.step("The hotfix goes back to three environments at once")?;
    let line = format!("syncline back-promote --from production --onto {}", BELOW.join(","));
    stage.run(&line, &[1])?;
    stage.tell("Two environments have the hotfix and all of their own work: one commit each, nothing to repair.")?;
    stage.tell("In developer one thing is a real contradiction. Its branch was not touched; the conflict is kept.")?;

    stage.step("The conflict is decided once")?;
    stage.run("syncline conflicts list", &[0, 1])?;
    let id = conflict_id(shell)?;
    stage.run(&format!("syncline conflicts show {id}"), &[0])?;
    stage.tell("Production says 20 percent, developer tried 25. The hotfix counts, so we take its side:")?;
    stage.run(&format!("syncline conflicts resolve {id} 1 --theirs"), &[0])?;
    stage.tell("That was the last open conflict, so the back-promotion completed by itself.")?;

    stage.step("The decision is remembered")?;
    stage.tell("developer-2 is a copy of developer as it was before: the same contradiction stands there. Nobody is asked again:")?;
    let line = format!("syncline back-promote --from production --onto {}", COPY.0);
    if !stage.run(&line, &[0])?.stdout.contains("replayed:") {
        return Err(defect(&line, "the decision was not replayed"));
    }
    stage.tell("Everything is in sync with production now. Running it again does nothing:")?;
    stage.run("syncline back-promote --from production --onto all-below", &[0])?;

    stage.step("Nobody's work is lost")?;
    stage.tell("Each commit says where it came from and on what base it was merged:")?;
    stage.run("git log -1 --format=%B uat", &[0])?;
    stage.tell(
        "Now git alone counts, without Syncline: is every change of the hotfix, and every change that an environment",
    )?;
    stage.tell("had made, in its branch? (`git show BRANCH:FILE` for each)")?;
    stage.blank()?;
    let mut environments = Vec::new();
    for ((name, git_conflicts), tip) in conflicts.into_iter().zip(before) {
        let environment = prove(shell, name, git_conflicts, &tip)?;
        stage.tell(&format!("    {environment}"))?;
        environments.push(environment);
    }
    let all = |count: fn(&Environment) -> usize| environments.iter().map(count).sum::<usize>();
    stage.blank()?;
    stage.tell(&format!(
        "{} of {} changes are where they belong, {} are lost. One contradiction was decided by a person once, and replayed once.",
        all(|e| e.hotfix.found + e.own.found),
        all(|e| e.hotfix.of + e.own.of),
        all(|e| e.hotfix.of + e.own.of - e.hotfix.found - e.own.found),
    ))?;
    Ok(Summary {
        environments,
        folder: None,
    })
}

/// The commits of the environments, from the top down.
fn tips(shell: &Shell) -> Result<Vec<String>, CommandError> {
    let line = format!("git rev-parse {} {}", BELOW.join(" "), COPY.0);
    Ok(shell.line(&line, &[0])?.stdout.lines().map(str::to_owned).collect())
}

/// The id of the one kept record.
fn conflict_id(shell: &Shell) -> Result<String, CommandError> {
    let line = "syncline conflicts list --json";
    let list = shell.line(line, &[0, 1])?.stdout;
    let list: serde_json::Value = serde_json::from_str(&list).map_err(|error| defect(line, &error.to_string()))?;
    match list[0]["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(defect(line, "it lists no conflict")),
    }
}

/// Counts with git what a branch has.
fn prove(shell: &Shell, name: &'static str, git_conflicts: usize, before: &str) -> Result<Environment, CommandError> {
    let branch = if name == COPY.0 { COPY.1 } else { name };
    let work = WORK.iter().find(|work| work.branch == branch);
    let own: Vec<&Edit> = work.iter().flat_map(|work| work.edits).collect();
    let (decided, own): (Vec<&Edit>, Vec<&Edit>) = own.into_iter().partition(|edit| edit.mark == CONTESTED);
    let count = |edits: &[&Edit]| -> Result<Count, CommandError> {
        let mut found = 0;
        for edit in edits {
            let text = shell.line(&format!("git show '{name}:{}'", edit.file), &[0])?.stdout;
            found += usize::from(text.matches(edit.mark).count() == 1);
        }
        Ok(Count { found, of: edits.len() })
    };
    let ancestor = shell.line(&format!("git merge-base --is-ancestor {before} {name}"), &[0, 1])?;
    Ok(Environment {
        name,
        git_conflicts,
        hotfix: count(&HOTFIX.edits.iter().collect::<Vec<_>>())?,
        own: count(&own)?,
        decided: decided.len(),
        history_kept: ancestor.code == 0,
    })
}

fn create_folder(path: &Path) -> Result<(), CommandError> {
    std::fs::create_dir_all(path).map_err(|error| {
        let message = format!("could not create the folder {}", path.display());
        CommandError::user("demo.folder", message).because(error)
    })
}

impl Environment {
    fn is_whole(&self) -> bool {
        self.history_kept && [self.hotfix, self.own].iter().all(|count| count.found == count.of)
    }
}

impl std::fmt::Display for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, hotfix, own, .. } = self;
        write!(
            f,
            "{name:<12} hotfix {} of {}   own work {} of {}   decided {}   history {}",
            hotfix.found,
            hotfix.of,
            own.found,
            own.of,
            self.decided,
            if self.history_kept { "kept" } else { "lost" }
        )
    }
}
