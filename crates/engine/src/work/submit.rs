//! A work item is shown to others: pushed, and marked open.

use serde::Serialize;
use syncline_domain::policy::{Action, Actor};
use syncline_git::{Expect, Program, PushRef, RefName, Remote, Repository};

use super::{Item, chosen, item, submitted_ref};
use crate::config;
use crate::drift::target_of;
use crate::environment::{EnvironmentError, tip};
use crate::permission::ask_named;

/// What is submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submit {
    /// The work item; the only one that is begun when none is named.
    pub item: Option<String>,
}

/// What became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Submitted {
    /// The work item.
    pub item: Item,
    /// The remote that has it now; `None` when the repository has none.
    pub remote: Option<String>,
    /// The branch that it asks to come into.
    pub into: Option<String>,
    /// Where a pull request is opened.
    pub url: Option<String>,
    /// The target has gone on since the work began: components may have to be merged.
    pub behind: usize,
}

/// How services open a pull request: a part of the host's name, and the path behind the repository's address.
const SERVICES: &[(&str, &str)] = &[
    ("github", "/compare/{into}...{branch}?expand=1"),
    (
        "gitlab",
        "/-/merge_requests/new?merge_request%5Bsource_branch%5D={branch}&merge_request%5Btarget_branch%5D={into}",
    ),
    ("bitbucket", "/pull-requests/new?source={branch}&dest={into}"),
    ("azure", "/pullrequestcreate?sourceRef={branch}&targetRef={into}"),
];

/// Pushes the branch of a work item to the remote, if there is one, and marks it open.
pub fn submit(repository: &Repository, request: &Submit, actor: &Actor) -> Result<Submitted, EnvironmentError> {
    let config = config::read(repository)?;
    let change = chosen(repository, &config, request.item.as_deref())?;
    if let Some(name) = &change.environment {
        ask_named(actor, Action::Work, &config, name)?;
    }
    let found = item(repository, change.clone())?;
    if found.files == 0 {
        return Err(EnvironmentError::Argument {
            what: format!("nothing is captured for the work item {} yet", change.id),
            hint: "`syncline work capture` lists what you changed".to_owned(),
        });
    }
    let target = change.environment.as_deref().and_then(|name| target_of(&config, name));
    let config_error = |error| EnvironmentError::Git(Box::new(error));
    let named = target
        .and_then(|target| target.remote.clone())
        .unwrap_or_else(|| "origin".to_owned());
    let url = repository
        .config(&format!("remote.{named}.url"))
        .map_err(config_error)?;
    if url.is_some() {
        let git = Program::find().map_err(|error| EnvironmentError::Git(Box::new(error)))?;
        let remote = Remote::new(&named).map_err(|error| EnvironmentError::Git(Box::new(error)))?;
        let push = PushRef {
            source: Some(change.commit),
            target: RefName::branch(&change.branch)?,
            expect: Expect::FastForward,
        };
        let pushed = repository.push(&git, &remote, &[push], None);
        pushed.map_err(|error| EnvironmentError::Push {
            remote: named.clone(),
            source: Box::new(error),
        })?;
    }
    let mark = submitted_ref(&change.id)?;
    let before = repository.read_ref(&mark)?;
    repository.update_ref(&mark, Some(change.commit), before, "syncline: work submit")?;
    let behind = match target.map(|target| tip(repository, target)).transpose()?.flatten() {
        Some(there) => repository.ahead_behind(change.commit, there)?.1,
        None => 0,
    };
    let into = target.map(|target| target.branch.clone());
    Ok(Submitted {
        url: url
            .as_deref()
            .zip(into.as_deref())
            .and_then(|(url, into)| page(url, &change.branch, into)),
        remote: url.map(|_| named),
        into,
        behind,
        item: item(repository, change)?,
    })
}

/// The page on which a pull request is opened, for a remote of a known service.
fn page(remote: &str, branch: &str, into: &str) -> Option<String> {
    let address = match (remote.strip_prefix("https://"), remote.strip_prefix("ssh://")) {
        (Some(rest), _) | (None, Some(rest)) => rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).to_owned(),
        // The short form of SSH: `git@host:owner/name`.
        (None, None) => {
            let (host, path) = remote.split_once(':')?;
            format!("{}/{path}", host.rsplit_once('@').map_or(host, |(_, host)| host))
        }
    };
    let address = address.trim_end_matches('/').trim_end_matches(".git").to_owned();
    let host = address.split('/').next()?.to_ascii_lowercase();
    let (_, path) = SERVICES.iter().find(|(name, _)| host.contains(name))?;
    let path = path
        .replace("{branch}", &escape(branch))
        .replace("{into}", &escape(into));
    Some(format!("https://{address}{path}"))
}

fn escape(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    text.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_services() {
        let check = |remote: &str, expect: Option<&str>| {
            assert_eq!(page(remote, "changes/7-fees", "env/uat").as_deref(), expect, "{remote}");
        };
        let github = Some("https://github.com/acme/sf/compare/env/uat...changes/7-fees?expand=1");
        check("https://github.com/acme/sf.git", github);
        check("git@github.com:acme/sf.git", github);
        check("ssh://git@github.com/acme/sf", github);
        check(
            "https://someone@bitbucket.org/acme/sf",
            Some("https://bitbucket.org/acme/sf/pull-requests/new?source=changes/7-fees&dest=env/uat"),
        );
        check("/srv/git/sf.git", None);
        check("https://code.example.com/sf.git", None);
    }
}
