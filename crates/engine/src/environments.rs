//! The environments of syncline.toml: listed, shown, and checked against the repository and their orgs.

use std::collections::BTreeMap;
use std::thread;

use serde::Serialize;
use syncline_domain::config::{Config, Environment, Kind};
use syncline_git::{Program, Repository};

use crate::config;
use crate::environment::{EnvironmentError, find, network, seen, select, tip, upstream};
use crate::org::OrgError;
use crate::org::login::{OrgSummary, Orgs};
use crate::project::ProjectReader;

/// An environment with what depends on it.
#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    /// What syncline.toml says.
    #[serde(flatten)]
    pub environment: Environment,
    /// The environments right below.
    pub below: Vec<String>,
    /// The login of its org, if it is kept on this machine.
    pub login: Option<OrgSummary>,
    /// The external systems that it depends on.
    pub systems: Vec<Installed>,
}

/// An external system as an environment has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// The system.
    pub name: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Its hosts.
    pub hosts: Vec<String>,
    /// The named credentials that lead to it.
    pub credentials: Vec<String>,
}

/// All environments in the order of the file, or the one that is named.
pub fn show(repository: &Repository, orgs: &Orgs, name: Option<&str>) -> Result<Vec<Shown>, EnvironmentError> {
    let config = config::read(repository)?;
    let wanted: Vec<&Environment> = match name {
        Some(name) => vec![find(&config, name)?],
        None => config.environments().iter().collect(),
    };
    let logins = logins(orgs)?;
    Ok(wanted
        .into_iter()
        .map(|environment| Shown {
            below: config
                .environments()
                .iter()
                .filter(|other| other.promotes_to.as_deref() == Some(environment.name.as_str()))
                .map(|other| other.name.clone())
                .collect(),
            login: environment.org.as_ref().and_then(|org| logins.get(org)).cloned(),
            systems: systems(&config, environment),
            environment: environment.clone(),
        })
        .collect())
}

fn systems(config: &Config, environment: &Environment) -> Vec<Installed> {
    let installed = config.systems.iter().filter_map(|system| {
        let here = system.environments.get(&environment.name)?;
        Some(Installed {
            name: system.name.clone(),
            owner: system.owner.clone(),
            hosts: here.hosts.clone(),
            credentials: here.credentials.clone(),
        })
    });
    installed.collect()
}

fn logins(orgs: &Orgs) -> Result<BTreeMap<String, OrgSummary>, EnvironmentError> {
    let list = orgs.list()?;
    Ok(list.into_iter().map(|login| (login.name.clone(), login)).collect())
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It works.
    Fine,
    /// It works, and somebody should look at it.
    Warning,
    /// It does not work.
    Error,
}

/// Something that was checked.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// The environment; `None` for what concerns all.
    pub environment: Option<String>,
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at: `config`, `branch`, `remote`, `project`, `login`, `org`, `snapshot`.
    pub what: &'static str,
    /// What was found.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// The error behind it.
    #[serde(skip)]
    pub error: Option<OrgError>,
}

/// Checks the configuration against the repository, the kept logins and, unless `offline`, the orgs.
///
/// # Errors
/// What keeps all from being checked: the repository cannot be read, an unknown name.
pub fn check(
    repository: &Repository,
    orgs: &Orgs,
    names: &[String],
    offline: bool,
) -> Result<Vec<Finding>, EnvironmentError> {
    let text = config::read_text(repository)?.unwrap_or_default();
    let config = match Config::check(&text) {
        Ok(config) => config,
        Err(errors) => {
            let finding = |error: config::ConfigError| {
                let place = format!("{} line {}: {}", error.file, error.line, error.problem);
                finding(None, Severity::Error, "config", place, &error.hint)
            };
            return Ok(errors.into_iter().map(finding).collect());
        }
    };
    let mut findings = Vec::new();
    if config.environments().is_empty() {
        let hint = "`syncline init` writes a syncline.toml";
        findings.push(finding(
            None,
            Severity::Error,
            "config",
            "no environment is named".to_owned(),
            hint,
        ));
    }
    let wanted: Vec<&Environment> = match names.is_empty() {
        true => config.environments().iter().collect(),
        false => select(&config, names)?,
    };
    let logins = logins(orgs)?;
    let mut connected: Vec<(&Environment, &OrgSummary)> = Vec::new();
    for environment in &wanted {
        findings.extend(of_repository(repository, environment)?);
        match environment.org.as_ref().map(|org| (org, logins.get(org))) {
            None => findings.push(finding(
                Some(environment),
                Severity::Warning,
                "login",
                "no org is named, so that only its branch is kept in sync".to_owned(),
                "name a login with `org = \"NAME\"`",
            )),
            Some((org, None)) => findings.push(finding(
                Some(environment),
                Severity::Error,
                "login",
                format!("there is no login `{org}` on this machine"),
                &format!("`syncline org login {org}` makes it"),
            )),
            Some((_, Some(login))) => {
                findings.extend(of_login(repository, environment, login)?);
                connected.push((environment, login));
            }
        }
    }
    if !offline {
        findings.extend(of_orgs(orgs, &connected)?);
    }
    findings.sort_by_key(|finding| {
        let at = wanted
            .iter()
            .position(|one| Some(&one.name) == finding.environment.as_ref());
        (at, std::cmp::Reverse(finding.severity))
    });
    Ok(findings)
}

fn finding(
    environment: Option<&Environment>,
    severity: Severity,
    what: &'static str,
    text: String,
    hint: &str,
) -> Finding {
    Finding {
        environment: environment.map(|environment| environment.name.clone()),
        severity,
        what,
        text,
        hint: hint.to_owned(),
        error: None,
    }
}

/// Branch, remote and project.
fn of_repository(repository: &Repository, environment: &Environment) -> Result<Vec<Finding>, EnvironmentError> {
    let mut found = Vec::new();
    let branch = &environment.branch;
    let Some(tip) = tip(repository, environment)? else {
        return Ok(vec![finding(
            Some(environment),
            Severity::Error,
            "branch",
            format!("the branch `{branch}` does not exist"),
            &format!("fetch it (`git fetch`), make it (`git branch {branch} COMMIT`), or correct `branch`"),
        )]);
    };
    found.push(finding(
        Some(environment),
        Severity::Fine,
        "branch",
        format!("the branch `{branch}` is there"),
        "",
    ));
    if let Some(remote) = &environment.remote {
        let url = repository.config(&format!("remote.{remote}.url"));
        if url.map_err(|error| EnvironmentError::Git(Box::new(error)))?.is_none() {
            let hint = format!("`git remote add {remote} URL`, or correct `remote`");
            let text = format!("there is no remote `{remote}`");
            found.push(finding(Some(environment), Severity::Error, "remote", text, &hint));
        }
        if let Some(there) = upstream(environment)?
            .map(|name| repository.read_ref(&name))
            .transpose()?
            .flatten()
        {
            let (ahead, behind) = repository.ahead_behind(tip, there)?;
            if ahead > 0 && behind > 0 {
                found.push(finding(
                    Some(environment),
                    Severity::Warning,
                    "branch",
                    format!("`{branch}` and `{remote}/{branch}` have parted: {ahead} commits only here, {behind} only there"),
                    "somebody rewrote one of them, or both were worked on: bring them together before the next back-promotion",
                ));
            }
        }
    }
    if let Err(error) = ProjectReader::default().read(repository, repository.commit_tree(tip)?) {
        let hint = "correct sfdx-project.json and commit it";
        found.push(finding(
            Some(environment),
            Severity::Error,
            "project",
            error.to_string(),
            hint,
        ));
    }
    if repository
        .checked_out_at(&syncline_git::RefName::branch(branch)?)
        .is_ok_and(|at| at.is_some())
        && Program::find().is_err()
    {
        let hint = "install git: a branch that is checked out is moved with it";
        let text = "the git program is not found".to_owned();
        found.push(finding(Some(environment), Severity::Error, "branch", text, hint));
    }
    Ok(found)
}

/// What is kept of the login, against the environment and its last snapshot.
fn of_login(
    repository: &Repository,
    environment: &Environment,
    login: &OrgSummary,
) -> Result<Vec<Finding>, EnvironmentError> {
    let mut found = Vec::new();
    let is_production = login.kind == "production";
    if is_production != (environment.kind == Kind::Production) {
        found.push(finding(
            Some(environment),
            Severity::Error,
            "login",
            format!(
                "its kind is {}, and its org is a {}",
                environment.kind.name(),
                login.kind
            ),
            "correct `kind` or `org`",
        ));
    }
    let pinned = seen(repository, &environment.name)?.and_then(|seen| seen.org);
    if pinned.as_deref().is_some_and(|org| org != login.org_id.as_str()) {
        found.push(finding(
            Some(environment),
            Severity::Error,
            "snapshot",
            format!(
                "its last snapshot is of another org than the login `{}` leads to: it was refreshed",
                login.name
            ),
            &format!("`syncline snapshot {} --new-org` begins anew", environment.name),
        ));
    }
    Ok(found)
}

/// Whether the orgs can be reached, all at once.
fn of_orgs(orgs: &Orgs, connected: &[(&Environment, &OrgSummary)]) -> Result<Vec<Finding>, EnvironmentError> {
    let network = network()?;
    let one = |environment: &Environment, login: &OrgSummary| -> Finding {
        let asked = || -> Result<String, OrgError> {
            network.block_on(async {
                let connection = orgs.connect(&login.name).await?;
                let organization = connection.organization().await?;
                Ok(organization.name.clone().unwrap_or_default())
            })
        };
        match asked() {
            Ok(name) => {
                let text = format!("the org {} ({name}) answers {}", login.org_id.as_str(), login.username);
                finding(Some(environment), Severity::Fine, "org", text, "")
            }
            Err(error) => Finding {
                error: Some(error),
                ..finding(Some(environment), Severity::Error, "org", String::new(), "")
            },
        }
    };
    Ok(thread::scope(|scope| {
        let running: Vec<_> = connected
            .iter()
            .map(|(environment, login)| {
                let one = &one;
                scope.spawn(move || one(environment, login))
            })
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    }))
}
