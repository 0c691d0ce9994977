//! The arguments: verbs in the order of the work, options that all verbs share, and the help that tells the story.

use std::ffi::OsString;

use clap::builder::styling::{AnsiColor, Styles};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::Status;
use crate::commands::{
    admin, advise, audit, back_promote, baseline, conflicts, demo, diff, drift, env, init, merge_driver, merge_file,
    operation, org, pipeline, promote, rollback, simulator, snapshot, status, work, worker,
};
use crate::error::{CommandError, Kind};
use crate::output::{Color, Output};

/// The arguments of the program.
#[derive(Debug, Parser)]
#[command(name = "syncline", version, about = ABOUT, styles = STYLES, max_term_width = 110, after_help = EXAMPLES)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// Write data, and an error, as JSON
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "auto|always|never",
        default_value = "auto",
        hide_possible_values = true,
        help_heading = "Output"
    )]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The verbs in the order of the work.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of a verb is the doc comment of its arguments")]
pub enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Org(org::Args),
    Status(status::Args),
    Env(env::Args),
    Pipeline(pipeline::Args),
    Snapshot(snapshot::Args),
    Drift(drift::Args),
    Diff(diff::Args),
    Advise(advise::Args),
    Work(work::Args),
    BackPromote(back_promote::Args),
    Promote(promote::Args),
    Rollback(rollback::Args),
    Conflicts(conflicts::Args),
    Baseline(baseline::Args),
    Operation(operation::Args),
    Worker(worker::Args),
    Audit(audit::Args),
    Admin(admin::Args),
    MergeFile(merge_file::Args),
    MergeDriver(merge_driver::Args),
    Simulator(simulator::Args),
}

impl Command {
    /// Runs the verb.
    pub fn run(self, out: &mut Output) -> Result<Status, CommandError> {
        match self {
            Self::Demo(args) => demo::run(args, out),
            Self::Init(args) => init::run(args, out),
            Self::Org(args) => org::run(args, out),
            Self::Status(args) => status::run(&args, out),
            Self::Env(args) => env::run(args, out),
            Self::Pipeline(args) => pipeline::run(args, out),
            Self::Snapshot(args) => snapshot::run(args, out),
            Self::Drift(args) => drift::run(args, out),
            Self::Diff(args) => diff::run(args, out),
            Self::Advise(args) => advise::run(args, out),
            Self::Work(args) => work::run(args, out),
            Self::BackPromote(args) => back_promote::run(args, out),
            Self::Promote(args) => promote::run(args, out),
            Self::Rollback(args) => rollback::run(args, out),
            Self::Conflicts(args) => conflicts::run(args, out),
            Self::Baseline(args) => baseline::run(args, out),
            Self::Operation(args) => operation::run(args, out),
            Self::Worker(args) => worker::run(args, out),
            Self::Audit(args) => audit::run(args, out),
            Self::Admin(args) => admin::run(args, out),
            Self::MergeFile(args) => merge_file::run(args, out),
            Self::MergeDriver(args) => merge_driver::run(args, out),
            Self::Simulator(args) => simulator::run(args, out),
        }
    }
}

/// Groups of verbs as `syncline --help` lists them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Begin", &["demo", "init"]),
    ("Orgs", &["org"]),
    (
        "See where environments stand",
        &["status", "env", "pipeline", "snapshot", "drift", "diff", "advise"],
    ),
    (
        "Keep environments in sync",
        &["work", "back-promote", "promote", "rollback", "conflicts", "baseline"],
    ),
    ("Operations", &["operation", "worker", "audit", "admin"]),
    ("Merge files", &["merge-file", "merge-driver"]),
    ("Try it without an org", &["simulator"]),
];

const ABOUT: &str = "\
Syncline keeps Salesforce environments in sync. It reads metadata by what it means, not by lines: it compares two states of a \
repository, merges changes of several people in one profile or flow, and carries a hotfix from production back to every \
environment's branch. What both sides changed becomes a conflict to decide once; nobody's work is lost.";

const EXAMPLES: &str = "\
Examples:
  See it work on a sample repository:
    syncline demo
  Bring production's changes to every environment below, first without writing anything:
    syncline back-promote --from production --onto all-below --dry-run
  Let git merge metadata by meaning in this repository:
    syncline merge-driver install
  Merge three versions of a profile:
    syncline merge-file base.xml ours.xml theirs.xml --path Admin.profile-meta.xml -o merged.xml

Exit codes: 0 done · 1 differences or conflicts · 2 error";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// The verb that the arguments ask for, and where it writes. Help, the version and errors of usage are shown here: then there is
/// only an exit code.
pub fn parse(arguments: Vec<OsString>) -> Result<(Command, Output), u8> {
    let (json, color) = shown_as(&arguments);
    let parsed = command(color)
        .try_get_matches_from(arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches));
    match parsed {
        Ok(cli) => Ok((cli.command, Output::new(cli.json, cli.color))),
        Err(error) => Err(tell(&error, json, color)),
    }
}

/// The command as clap has it, with verbs in groups.
fn command(color: Color) -> clap::Command {
    let command = Cli::command().color(match color {
        Color::Auto => clap::ColorChoice::Auto,
        Color::Always => clap::ColorChoice::Always,
        Color::Never => clap::ColorChoice::Never,
    });
    let template = template(&command);
    command.help_template(template)
}

/// The layout of `syncline --help`. clap itself knows no groups of verbs.
fn template(command: &clap::Command) -> String {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut text = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (title, verbs) in GROUPS {
        text.push_str(&format!("\n{header}{title}:{header:#}\n"));
        for verb in *verbs {
            let about = command.find_subcommand(verb).and_then(clap::Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {literal}{verb:<14}{literal:#}{about}\n"));
        }
    }
    text.push_str(&format!("\n{header}Options:{header:#}\n{{options}}{{after-help}}"));
    text
}

/// `--json` and `--color` as far as they can be told before the arguments are understood, for help and errors of usage.
fn shown_as(arguments: &[OsString]) -> (bool, Color) {
    let (mut json, mut color) = (false, Color::Auto);
    let mut words = arguments
        .iter()
        .skip(1)
        .map(|word| word.to_str().unwrap_or_default())
        .peekable();
    while let Some(word) = words.next().filter(|word| *word != "--") {
        let value = match word {
            "--json" => {
                json = true;
                continue;
            }
            "--color" => words.peek().copied(),
            _ => word.strip_prefix("--color="),
        };
        match value {
            Some("always") => color = Color::Always,
            Some("never") => color = Color::Never,
            _ => {}
        }
    }
    (json, color)
}

/// Shows help, the version or what is wrong with the arguments.
fn tell(error: &clap::Error, json: bool, color: Color) -> u8 {
    let mut out = Output::new(json, color);
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match out.help(&error.render()) {
            Ok(()) => Status::Done.exit_code(),
            Err(error) => crate::fail(&error, &mut out),
        },
        _ if json => {
            let text = error.render().to_string();
            let words: Vec<&str> = text
                .split("\n\nUsage:")
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .collect();
            let message = words.join(" ");
            let message = message.strip_prefix("error: ").unwrap_or(&message);
            let error = CommandError::user("usage", message).hint("see `syncline --help`");
            crate::fail(&error, &mut out)
        }
        _ => {
            out.usage(&error.render());
            Kind::User.exit_code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verify_cli() {
        command(Color::Never).debug_assert();
    }

    #[test]
    fn every_verb_stands_in_one_group() {
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, verbs)| verbs.iter().copied()).collect();
        let command = Cli::command();
        let mut verbs: Vec<&str> = command
            .get_subcommands()
            .filter(|verb| !verb.is_hide_set())
            .map(clap::Command::get_name)
            .collect();
        assert_eq!(grouped, verbs, "verbs and groups stand in the order of the work");
        grouped.sort_unstable();
        verbs.sort_unstable();
        verbs.dedup();
        assert_eq!(grouped, verbs);
    }

    #[test]
    fn options_of_output_are_found_before_the_verb_is_known() {
        let check = |line: &str, expect: (bool, Color)| {
            let words: Vec<OsString> = line.split(' ').map(Into::into).collect();
            assert_eq!(shown_as(&words), expect, "{line}");
        };
        check("syncline diff", (false, Color::Auto));
        check("syncline diff --json --color never", (true, Color::Never));
        check("syncline --color=always diff -- --json", (false, Color::Always));
    }
}
