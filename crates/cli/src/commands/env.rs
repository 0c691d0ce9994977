//! `syncline env`: the environments of syncline.toml.

use serde_json::{Value, json};
use syncline_engine::environments::{Finding, Severity, Shown, check, show};
use syncline_engine::status::of_environment;

use super::back_promote::{counted, open};
use super::operating;
use super::org::orgs;
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// List the environments, show one, check all against repository and orgs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline env list
  syncline env show uat
  syncline env check              branches, logins, orgs; ends with 1 when something does not work
  syncline env check --offline    without asking the orgs")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the environments of syncline.toml
    List,
    /// Show what is known of an environment
    Show {
        /// The environment
        #[arg(value_name = "ENV")]
        environment: String,
    },
    /// Check the configuration against the repository, the logins and the orgs
    ///
    /// Looks whether syncline.toml is right, names follow its rules, branches and remotes are there, logins are kept, orgs answer,
    /// and each still leads to the org that was seen last. Ends with 1 when something does not work.
    Check {
        /// The environments; all when none is named
        #[arg(value_name = "ENV")]
        environments: Vec<String>,
        /// Ask no org
        #[arg(long)]
        offline: bool,
    },
}

/// Does what is asked for.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::List => list(out),
        Action::Show { environment } => one(&environment, out),
        Action::Check { environments, offline } => checked(&environments, offline, out),
    }
}

fn list(out: &mut Output) -> Result<Status, CommandError> {
    let all = show(&open()?, &orgs()?, None)?;
    if out.json() {
        out.value(&json!({"environments": all}))?;
        return Ok(Status::Done);
    }
    for shown in &all {
        let environment = &shown.environment;
        let above = environment
            .promotes_to
            .as_deref()
            .map(|above| format!(" → {above}"))
            .unwrap_or_default();
        let org = environment
            .org
            .as_deref()
            .map_or("no org".to_owned(), |org| format!("org {org}"));
        out.line(format_args!(
            "{}{above}  {}, branch {}, {org}",
            environment.name,
            environment.kind.name(),
            environment.branch
        ))?;
    }
    if all.is_empty() {
        out.note("syncline.toml names no environment; `syncline init` writes one");
    }
    Ok(Status::Done)
}

fn one(name: &str, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    let mut found = show(&repository, &orgs()?, Some(name))?;
    let Some(shown) = found.pop() else {
        return Ok(Status::Done);
    };
    let operations = of_environment(&operating::open_ones(&repository)?, &shown.environment.name);
    if out.json() {
        let mut value = json!(shown);
        value["operations"] = json!(operations);
        out.value(&value)?;
        return Ok(Status::Done);
    }
    for (key, value) in facts(&shown) {
        out.line(format_args!("{key:<12} {value}"))?;
    }
    for one in &operations {
        out.line(format_args!(
            "{:<12} {}",
            "operation",
            operating::in_short(one).trim_start_matches("operation ")
        ))?;
    }
    Ok(Status::Done)
}

fn facts(shown: &Shown) -> Vec<(&'static str, String)> {
    let environment = &shown.environment;
    let mut facts = vec![
        ("name", environment.name.clone()),
        ("kind", environment.kind.name().to_owned()),
        ("tier", environment.tier.name().to_owned()),
        ("branch", environment.branch.clone()),
    ];
    let optional = [
        ("licence", environment.licence.map(|licence| licence.name().to_owned())),
        ("sandbox", environment.sandbox.clone()),
        ("owner", environment.owner.clone()),
        ("remote", environment.remote.clone()),
        ("above", environment.promotes_to.clone()),
        ("below", (!shown.below.is_empty()).then(|| shown.below.join(", "))),
        ("org", environment.org.clone()),
    ];
    facts.extend(optional.into_iter().filter_map(|(key, value)| Some((key, value?))));
    if let Some(login) = &shown.login {
        facts.push((
            "login",
            format!("{} at {} ({})", login.username, login.instance, login.kind),
        ));
    } else if environment.org.is_some() {
        facts.push(("login", "not on this machine; `syncline org login` makes it".to_owned()));
    }
    for system in &shown.systems {
        let owner = system
            .owner
            .as_deref()
            .map(|owner| format!(", of {owner}"))
            .unwrap_or_default();
        let credentials = match system.credentials.is_empty() {
            true => String::new(),
            false => format!(" through {}", system.credentials.join(", ")),
        };
        facts.push((
            "depends on",
            format!("{}{owner}: {}{credentials}", system.name, system.hosts.join(", ")),
        ));
    }
    facts
}

fn checked(names: &[String], offline: bool, out: &mut Output) -> Result<Status, CommandError> {
    let findings = check(&open()?, &orgs()?, names, offline)?;
    let bad = findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count();
    let told: Vec<(Value, String, Vec<String>)> = findings.into_iter().map(told).collect();
    if out.json() {
        let values: Vec<&Value> = told.iter().map(|(value, _, _)| value).collect();
        out.value(&json!({"works": bad == 0, "findings": values}))?;
    } else {
        for (_, line, hints) in &told {
            out.line(line)?;
            for hint in hints {
                out.line(format_args!("         {hint}"))?;
            }
        }
        out.line(match bad {
            0 => "everything that was checked works".to_owned(),
            _ => format!("{} to correct", counted(bad, "thing")),
        })?;
    }
    Ok(if bad == 0 { Status::Done } else { Status::Found })
}

/// A finding as JSON, as a line, and what to do.
fn told(finding: Finding) -> (Value, String, Vec<String>) {
    let mut value = json!(finding);
    let (mut text, mut hints) = (finding.text, Vec::new());
    if !finding.hint.is_empty() {
        hints.push(finding.hint);
    }
    if let Some(error) = finding.error {
        let error = CommandError::from(error);
        text = [vec![error.to_string()], error.causes()].concat().join(": ");
        hints.extend(error.hints().iter().cloned());
        value["text"] = text.clone().into();
        value["hint"] = hints.join("; ").into();
        value["code"] = error.code.into();
    }
    let mark = match finding.severity {
        Severity::Fine => "ok",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let place = finding.environment.map(|name| format!("{name}: ")).unwrap_or_default();
    (value, format!("{mark:<8} {place}{text}"), hints)
}
