//! The first set-up from orgs: syncline.toml, syncline/scope.toml, snapshots, and the first commits on the branches.

use serde::Serialize;
use syncline_domain::config::{Config, FILE, Kind};
use syncline_domain::scope::FILE as SCOPE;
use syncline_git::{
    CommitTime, Entry, Head, NewCommit, Oid, RefName, Repository, Signature, Trailer, TreeEdit, TreePath,
    append_trailers,
};

use crate::back_promote::signature;
use crate::branch::advance;
use crate::config;
use crate::drift::ENVIRONMENT;
use crate::environment::{EnvironmentError, network, seen};
use crate::init::{InitError, kind_of, table};
use crate::org::login::{OrgSummary, Orgs};
use crate::org::retrieve::{ORG, PROJECT_FILES};
use crate::snapshot::{self, Progress, Snapshotted, remember};

/// What is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The logins of the orgs; each becomes an environment of that name.
    pub orgs: Vec<String>,
    /// Tell what would be written and write nothing.
    pub dry_run: bool,
}

/// What was set up.
#[derive(Clone, Debug, Serialize)]
pub struct SetUp {
    /// The text of syncline.toml.
    pub config: String,
    /// The text of syncline/scope.toml.
    pub scope: String,
    /// The environments, the top first.
    pub environments: Vec<Made>,
}

/// An environment that was set up.
#[derive(Clone, Debug, Serialize)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its branch.
    pub branch: String,
    /// Its snapshot; `None` in a dry run.
    pub snapshot: Option<Snapshotted>,
    /// The commit that was made on its branch.
    pub commit: Option<String>,
    /// The branch had metadata before, and keeps it: what differs is drift.
    pub existed: bool,
}

/// The first set-up failed.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The file cannot be written.
    #[error(transparent)]
    Init(#[from] InitError),
    /// Something with an environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentError),
}

macro_rules! environment {
    ($($kind:ty),*) => {
        $(impl From<$kind> for SetUpError {
            fn from(error: $kind) -> Self {
                Self::Environment(error.into())
            }
        })*
    };
}

environment!(
    syncline_git::RefError,
    syncline_git::ObjectError,
    syncline_git::CommitError,
    crate::branch::BranchError,
    crate::org::OrgError
);

const SCOPE_TEXT: &str = "\
# What Syncline manages. Without any line: everything but installed packages.
#
# types = [\"ApexClass\", \"CustomObject\", \"Flow\"]    only these types
# exclude-types = [\"Report\", \"Dashboard\"]          not these
# names = [\"CustomObject:*__c\"]                     of these types only these components
# exclude = [\"ApexClass:Old*\"]                      not these components
# namespaces = [\"acme\"]                             installed packages too
";

/// Sets a repository up for orgs.
///
/// Where the branch of the production is empty, its first commit holds what its org has, and those of the sandboxes what theirs have,
/// on top of it. A branch that has metadata already keeps it.
///
/// # Errors
/// There is a syncline.toml; a login is missing; an org cannot be read: then nothing but snapshots is written.
pub fn init_from_orgs(
    repository: &Repository,
    orgs: &Orgs,
    request: &Request,
    now: CommitTime,
    progress: Progress<'_>,
) -> Result<SetUp, SetUpError> {
    if let Some(path) = repository
        .worktree()
        .map(|root| root.join(FILE))
        .filter(|path| path.exists())
    {
        return Err(InitError::Exists { path }.into());
    }
    let logins = request
        .orgs
        .iter()
        .map(|name| orgs.summary(name))
        .collect::<Result<Vec<_>, _>>()?;
    let main = match repository.head()? {
        Head::Branch { name, .. } => name,
        Head::Detached(_) => "main".to_owned(),
    };
    let text = text(&arranged(&logins), &main);
    let parsed = Config::parse(&text).map_err(|error| EnvironmentError::Config(error.into()))?;
    let mut made = SetUp {
        config: text,
        scope: SCOPE_TEXT.to_owned(),
        environments: Vec::new(),
    };
    for environment in parsed.environments() {
        made.environments.push(Made {
            name: environment.name.clone(),
            kind: environment.kind,
            branch: environment.branch.clone(),
            snapshot: None,
            commit: None,
            existed: repository.read_ref(&RefName::branch(&environment.branch)?)?.is_some(),
        });
    }
    if request.dry_run {
        return Ok(made);
    }
    let who = signature(repository.committer()?, now);
    let network = network()?;
    for (environment, made) in parsed.environments().iter().zip(&mut made.environments) {
        let asked = snapshot::Request::default();
        let told = |done, total| progress(&environment.name, done, total);
        let taken = snapshot::take(repository, network.handle(), orgs, environment, &asked, &who, &told)?;
        made.snapshot = Some(taken);
    }
    let files = [(FILE, made.config.as_str()), (SCOPE, made.scope.as_str())];
    let mut top = None;
    for (environment, made) in parsed.environments().iter().zip(&mut made.environments) {
        let Some(org) = seen(repository, &environment.name)? else {
            continue;
        };
        let branch = RefName::branch(&environment.branch)?;
        let tip = repository.read_ref(&branch)?;
        let is_top = top.is_none();
        // A branch with metadata keeps it; the one above all gets the two files.
        if tip.is_some() && !is_top {
            continue;
        }
        let base = tip.or(top);
        let tree = match tip {
            Some(tip) => repository.commit_tree(tip)?,
            None => of_org(repository, top, org.tree)?,
        };
        let tree = with_files(repository, tree, &files)?;
        if base.map(|base| repository.commit_tree(base)).transpose()? != Some(tree) || tip.is_none() {
            let subject = match tip {
                Some(_) => "Set Syncline up".to_owned(),
                None => format!("Begin with what {} has", environment.name),
            };
            let commit = commit(
                repository,
                &subject,
                tree,
                base,
                &environment.name,
                org.org.as_deref(),
                &who,
            )?;
            advance(repository, &branch, tip, commit, "syncline: init")?;
            made.commit = Some(commit.to_string());
        }
        let now_at = repository.read_ref(&branch)?;
        top = top.or(now_at);
        if let Some(tip) = now_at {
            remember(repository, environment, tip, org.commit, &who)?;
        }
    }
    // The file of the working tree counts; where it did not follow, it is not there yet.
    config::read(repository).map_err(EnvironmentError::from)?;
    Ok(made)
}

/// The tree of an org with what the branch above has beside metadata.
fn of_org(repository: &Repository, above: Option<Oid>, org: Oid) -> Result<Oid, EnvironmentError> {
    let Some(above) = above else {
        return Ok(org);
    };
    let above = repository.commit_tree(above)?;
    let mut edits = Vec::new();
    let projects = crate::project::ProjectReader::default().read(repository, above)?;
    for (path, entry) in repository.files(above, "")? {
        let name = path.as_str()?;
        let beside = projects.file(name).is_none() || PROJECT_FILES.contains(&name);
        if beside && repository.entry_at(org, &path)?.is_none() {
            edits.push(TreeEdit {
                path,
                entry: Some(entry),
            });
        }
    }
    Ok(repository.write_edits(Some(org), &edits)?)
}

fn with_files(repository: &Repository, tree: Oid, files: &[(&str, &str)]) -> Result<Oid, EnvironmentError> {
    let mut edits = Vec::new();
    for (path, text) in files {
        let path = TreePath::from(*path);
        if repository.entry_at(tree, &path)?.is_none() {
            let entry = Some(Entry::file(repository.write_blob(text.as_bytes())?));
            edits.push(TreeEdit { path, entry });
        }
    }
    Ok(repository.write_edits(Some(tree), &edits)?)
}

fn commit(
    repository: &Repository,
    subject: &str,
    tree: Oid,
    base: Option<Oid>,
    environment: &str,
    org: Option<&str>,
    who: &Signature,
) -> Result<Oid, EnvironmentError> {
    let trailer = |key: &str, value: &str| Trailer {
        key: key.to_owned(),
        value: value.to_owned(),
    };
    let mut trailers = vec![trailer(ENVIRONMENT, environment)];
    trailers.extend(org.map(|org| trailer(ORG, org)));
    let parents: Vec<Oid> = base.into_iter().collect();
    Ok(repository.write_commit(NewCommit {
        tree,
        parents: &parents,
        message: &append_trailers(subject, &trailers)?,
        author: who,
        committer: who,
    })?)
}

/// The logins as environments: name, kind and the environment above, the top first.
fn arranged(logins: &[OrgSummary]) -> Vec<(String, Kind, Option<String>)> {
    let mut list: Vec<(String, Kind)> = logins
        .iter()
        .map(|login| {
            let kind = match (login.kind.as_str(), kind_of(&login.name)) {
                ("production", _) => Kind::Production,
                (_, Some(kind)) if kind != Kind::Production => kind,
                _ => Kind::Developer,
            };
            (login.name.clone(), kind)
        })
        .collect();
    list.sort_by_key(|(_, kind)| *kind);
    let mut made: Vec<(String, Kind, Option<String>)> = Vec::new();
    for (name, kind) in list {
        // Developers work side by side, and nothing goes through a hotfix.
        let above = made
            .iter()
            .rev()
            .find(|(_, other, _)| *other != Kind::Hotfix && !(kind == Kind::Developer && *other == Kind::Developer));
        let above = match kind {
            Kind::Production => None,
            _ => above.map(|(name, _, _)| name.clone()),
        };
        made.push((name, kind, above));
    }
    made
}

fn text(environments: &[(String, Kind, Option<String>)], main: &str) -> String {
    let mut text = "# The environments that Syncline keeps in sync. Edit it freely and commit it; `syncline env check` checks it.\n"
        .to_owned();
    for (name, kind, above) in environments {
        let branch = match kind {
            Kind::Production => main.to_owned(),
            _ => format!("env/{name}"),
        };
        text.push_str(&table(name, &branch, *kind, above.as_deref()));
        text.push_str(&format!("org = {}\n", toml::Value::from(name.as_str())));
    }
    text
}
