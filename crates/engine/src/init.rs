//! `syncline.toml` written for a repository: environments from the branches that exist, and the path between them.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;
use syncline_git::{Head, RefError, Repository};

use crate::config::{FILE, Kind};
use crate::project::{ProjectReader, ReadProjectError};

/// What was written, or would be.
#[derive(Clone, Debug, Serialize)]
pub struct Init {
    /// Where the file is or would be; `None` in a bare repository.
    pub path: Option<PathBuf>,
    /// Its text.
    pub text: String,
    /// The environments in it, from the top down.
    pub environments: Vec<Found>,
    /// Whether it was written.
    pub written: bool,
    /// What the user should know or do.
    pub hints: Vec<String>,
}

/// A branch that looks like an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The environment's name.
    pub name: String,
    /// Its branch.
    pub branch: String,
    /// What it looks like.
    pub kind: Kind,
    /// The environment above.
    pub promotes_to: Option<String>,
    /// The remote that has the branch, if only it has.
    pub remote: Option<String>,
}

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is one.
    #[error("{} exists and is never overwritten; edit it, or see with `syncline init --dry-run` what would be written", .path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// There is no working tree to write it to.
    #[error("the repository at {} is bare; print the file with `syncline init --dry-run` and commit it from a clone", .path.display())]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The refs cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The project cannot be read.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// HEAD's tree cannot be read.
    #[error(transparent)]
    Object(#[from] syncline_git::ObjectError),
    /// Writing failed.
    #[error("{} cannot be written", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Names of branches by what they usually stand for, from the top of the path down. The last part of a branch's name
/// counts. A `*` at the end stands for any text.
const NAMES: &[(Kind, &[&str])] = &[
    (Kind::Production, &["production", "prod", "main", "master"]),
    (Kind::Hotfix, &["hotfix"]),
    (Kind::Staging, &["staging", "preprod", "stage", "full"]),
    (Kind::Uat, &["uat", "acceptance", "partial"]),
    (
        Kind::Integration,
        &["integration", "int", "sit", "qa", "test", "ci", "develop"],
    ),
    (Kind::Developer, &["dev*", "sandbox*"]),
];

/// Writes `syncline.toml` into the working tree, never over another; with `dry_run` only tells its text.
pub fn init(repository: &Repository, dry_run: bool) -> Result<Init, InitError> {
    let path = repository.worktree().map(|root| root.join(FILE));
    if !dry_run {
        match &path {
            None => {
                return Err(InitError::Bare {
                    path: repository.git_dir().to_owned(),
                });
            }
            Some(path) if path.exists() => return Err(InitError::Exists { path: path.clone() }),
            Some(_) => {}
        }
    }
    let mut hints = Vec::new();
    let folders = folders(repository, &mut hints)?;
    let (environments, others) = environments(repository)?;
    if environments.is_empty() {
        hints.push(
            "no branch looks like an environment: name them in syncline.toml, one table each, as its comments show"
                .to_owned(),
        );
    } else if !environments.iter().any(|found| found.kind == Kind::Production) {
        hints.push("no branch looks like production: correct `kind` and `promotes-to` in syncline.toml".to_owned());
    }
    let text = text(&environments, &others, &folders);
    if let (false, Some(path)) = (dry_run, &path) {
        let error = |source| InitError::Write {
            path: path.clone(),
            source,
        };
        let file = std::fs::File::options().write(true).create_new(true).open(path);
        let mut file = match file {
            Err(reason) if reason.kind() == io::ErrorKind::AlreadyExists => {
                return Err(InitError::Exists { path: path.clone() });
            }
            file => file.map_err(error)?,
        };
        file.write_all(text.as_bytes()).map_err(error)?;
    }
    Ok(Init {
        path,
        text,
        environments,
        written: !dry_run,
        hints,
    })
}

/// The folders with metadata, for the comment at the top.
fn folders(repository: &Repository, hints: &mut Vec<String>) -> Result<Vec<String>, InitError> {
    let (Head::Branch { tip: Some(commit), .. } | Head::Detached(commit)) = repository.head()? else {
        hints.push("nothing is committed yet: commit your metadata, then correct syncline.toml".to_owned());
        return Ok(Vec::new());
    };
    let tree = repository.commit_tree(commit)?;
    let projects = ProjectReader::default().read(repository, tree)?;
    let folders: Vec<String> = projects
        .iter()
        .flat_map(syncline_metadata::component::Project::package_directories)
        .map(|directory| match &*directory.path {
            "" => ".".to_owned(),
            path => path.to_owned(),
        })
        .collect();
    if folders.is_empty() {
        hints.push(
            "no Salesforce metadata is found in HEAD: is sfdx-project.json committed and this the right branch?"
                .to_owned(),
        );
    }
    Ok(folders)
}

/// The environments among the branches, from the top down, and the other branches.
fn environments(repository: &Repository) -> Result<(Vec<Found>, Vec<String>), RefError> {
    let local = branches(repository, "refs/heads/")?;
    let mut all: Vec<(String, Option<String>)> = local.iter().map(|name| (name.clone(), None)).collect();
    for name in branches(repository, "refs/remotes/")? {
        if let Some((remote, branch)) = name.split_once('/')
            && branch != "HEAD"
            && !local.contains(branch)
        {
            all.push((branch.to_owned(), Some(remote.to_owned())));
        }
    }
    let mut found: Vec<Found> = Vec::new();
    let mut names = BTreeSet::new();
    for (kind, patterns) in NAMES {
        let above = found.last().map(|found| found.name.clone());
        let mut level: Vec<Found> = Vec::new();
        for pattern in *patterns {
            for (branch, remote) in &all {
                let last = branch.rsplit('/').next().unwrap_or(branch);
                let name = environment_name(branch);
                if !matches(pattern, last) || level.iter().any(|found| found.branch == *branch) {
                    continue;
                }
                // There is one production; `main` beside `production` is something else.
                if *kind == Kind::Production && !level.is_empty() || !names.insert(name.clone()) {
                    continue;
                }
                level.push(Found {
                    name,
                    branch: branch.clone(),
                    kind: *kind,
                    promotes_to: above.clone(),
                    remote: remote.clone(),
                });
            }
        }
        // Developers work side by side, the levels above one after the other.
        if !matches!(kind, Kind::Developer) {
            for index in 1..level.len() {
                level[index].promotes_to = Some(level[index - 1].name.clone());
            }
        }
        found.extend(level);
    }
    // Hotfixes go straight to production and nothing goes through them.
    let hotfixes: Vec<String> = found
        .iter()
        .filter(|found| found.kind == Kind::Hotfix)
        .map(|found| found.name.clone())
        .collect();
    let top = found
        .first()
        .filter(|found| found.kind == Kind::Production)
        .map(|found| found.name.clone());
    for environment in &mut found {
        if environment
            .promotes_to
            .as_ref()
            .is_some_and(|above| hotfixes.contains(above))
        {
            environment.promotes_to = top.clone();
        }
    }
    let others = local
        .into_iter()
        .filter(|branch| !found.iter().any(|found| found.branch == *branch))
        .collect();
    Ok((found, others))
}

fn branches(repository: &Repository, prefix: &str) -> Result<BTreeSet<String>, RefError> {
    let refs = repository.refs(prefix)?;
    Ok(refs
        .iter()
        .filter_map(|reference| reference.name.as_str().strip_prefix(prefix))
        .map(str::to_owned)
        .collect())
}

/// What an environment of that name usually is.
pub(crate) fn kind_of(name: &str) -> Option<Kind> {
    let fits = |(_, patterns): &&(Kind, &[&str])| patterns.iter().any(|pattern| matches(pattern, name));
    NAMES.iter().find(fits).map(|(kind, _)| *kind)
}

/// The beginning of an environment's table.
pub(crate) fn table(name: &str, branch: &str, kind: Kind, above: Option<&str>) -> String {
    let quoted = |value: &str| toml::Value::from(value).to_string();
    let mut text = format!(
        "\n[environments.{}]\nbranch = {}\nkind = {}\n",
        match name.contains('.') {
            true => quoted(name),
            false => name.to_owned(),
        },
        quoted(branch),
        quoted(kind.name()),
    );
    if let Some(above) = above {
        text.push_str(&format!("promotes-to = {}\n", quoted(above)));
    }
    text
}

fn matches(pattern: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    }
}

/// `env/uat` and `uat` are both `uat`; `main` is production.
fn environment_name(branch: &str) -> String {
    let last = branch.rsplit('/').next().unwrap_or(branch);
    match last {
        "main" | "master" | "prod" => "production".to_owned(),
        _ => last
            .chars()
            .map(|c| match c.is_ascii_alphanumeric() || "-_.".contains(c) {
                true => c,
                false => '-',
            })
            .collect(),
    }
}

fn text(environments: &[Found], others: &[String], folders: &[String]) -> String {
    let mut text = "\
# The environments that Syncline keeps in sync. Edit it freely and commit it.
#
# Each table is one environment:
#   branch       the branch that says what the environment should contain
#   kind         production, hotfix, staging, uat, integration or developer
#   licence      of a sandbox: developer, developer-pro, partial or full (optional)
#   promotes-to  the environment above, where its changes go (none for production)
#   remote       the remote to take the branch from when it is not here (optional)
#
# `syncline back-promote --from production --onto all-below` brings production's changes to all environments below.
"
    .to_owned();
    if !folders.is_empty() {
        text.push_str(&format!("#\n# Metadata: {}\n", folders.join(", ")));
    }
    if !others.is_empty() {
        let shown: Vec<&str> = others.iter().take(20).map(String::as_str).collect();
        let more = if others.len() > 20 { ", …" } else { "" };
        text.push_str(&format!(
            "#\n# Branches that are no environment here: {}{more}\n",
            shown.join(", ")
        ));
    }
    for found in environments {
        text.push_str(&table(
            &found.name,
            &found.branch,
            found.kind,
            found.promotes_to.as_deref(),
        ));
        if let Some(remote) = &found.remote {
            text.push_str(&format!("remote = {}\n", toml::Value::from(remote.as_str())));
        }
    }
    if environments.is_empty() {
        text.push_str(
            "\n# [environments.production]\n# branch = \"main\"\n# kind = \"production\"\n\n# [environments.uat]\n\
             # branch = \"uat\"\n# kind = \"uat\"\n# licence = \"partial\"\n# promotes-to = \"production\"\n",
        );
    }
    text
}
