//! Fetch, push and clone through the `git` program, so that users' credentials and proxies work.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

use crate::program::failure;
use crate::{Oid, Program, ProgramError, RefName, Repository};

/// Where to fetch from or push to: the name of a configured remote, or a URL of an allowed protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote(String);

/// A header for HTTPS requests, as in `Authorization: Bearer …`. Handed to git through its environment, never as an
/// argument, never printed.
#[derive(Clone)]
pub struct Authorization {
    url: String,
    header: String,
}

/// The state a remote ref must have for a push to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Any from which the new commit descends.
    FastForward,
    /// Exactly this one; it is replaced even if the new commit does not descend from it.
    At(Oid),
    /// It must not exist.
    Absent,
}

/// One ref to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRef {
    /// The commit; `None` deletes the remote ref, which needs [`Expect::At`].
    pub source: Option<Oid>,
    /// The ref at the remote.
    pub target: RefName,
    /// The state it must have.
    pub expect: Expect,
}

/// A ref the remote did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRef {
    /// The ref at the remote.
    pub target: String,
    /// The remote's reason, as in "stale info" or "non-fast-forward".
    pub reason: String,
}

/// Talking to a remote failed.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The name or URL is not allowed.
    #[error("`{remote}` is not a remote; use a remote's name or a URL with https, ssh or file")]
    BadRemote {
        /// What was given.
        remote: String,
    },
    /// A refspec is not allowed.
    #[error("`{refspec}` is not a refspec")]
    BadRefspec {
        /// What was given.
        refspec: String,
    },
    /// A header cannot be used.
    #[error("the authorization needs an https URL and a header of one line")]
    BadAuthorization,
    /// A remote ref can only be deleted from a known state.
    #[error("{target} can only be deleted at the remote from a known state")]
    BlindDelete {
        /// The ref.
        target: RefName,
    },
    /// The remote refused refs; none was moved.
    #[error("the remote refused {}; fetch and try again", rejected_text(.refs))]
    Rejected {
        /// Which and why.
        refs: Vec<RejectedRef>,
    },
    /// The git program failed.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Remote {
    /// Checks a remote's name or URL. Protocols that run commands (`ext::`) or are neither private nor authentic
    /// (`http`, `git`) are refused.
    pub fn new(remote: &str) -> Result<Self, RemoteError> {
        let scheme = remote.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let allowed = match scheme.as_deref() {
            Some(scheme) => ALLOWED.contains(&scheme),
            None => !remote.contains("::"),
        };
        let plain = !remote.is_empty() && !remote.starts_with('-') && !remote.contains(char::is_control);
        match allowed && plain {
            true => Ok(Self(remote.to_owned())),
            false => Err(RemoteError::BadRemote {
                remote: remote.to_owned(),
            }),
        }
    }
}

impl Authorization {
    /// A header that is sent to URLs beginning with `url` only.
    pub fn new(url: &str, header: &str) -> Result<Self, RemoteError> {
        match url.starts_with("https://") && !url.contains(char::is_control) && !header.contains(char::is_control) {
            true => Ok(Self {
                url: url.to_owned(),
                header: header.to_owned(),
            }),
            false => Err(RemoteError::BadAuthorization),
        }
    }
}

impl Repository {
    /// Fetches refspecs; remote refs that are gone stay here. A leading `+` lets a local ref be replaced.
    pub fn fetch(
        &self,
        git: &Program,
        remote: &Remote,
        refspecs: &[&str],
        authorization: Option<&Authorization>,
    ) -> Result<(), RemoteError> {
        if let Some(bad) = refspecs.iter().find(|refspec| !is_refspec(refspec)) {
            return Err(RemoteError::BadRefspec {
                refspec: (*bad).to_owned(),
            });
        }
        let mut arguments = self.git_dir_argument();
        arguments.extend(
            [
                "fetch",
                "--quiet",
                "--atomic",
                "--no-recurse-submodules",
                "--",
                &remote.0,
            ]
            .map(OsString::from),
        );
        arguments.extend(refspecs.iter().map(OsString::from));
        git.run(self.git_dir(), &arguments, &environment(authorization))?;
        Ok(())
    }

    /// Pushes refs, all or none.
    pub fn push(
        &self,
        git: &Program,
        remote: &Remote,
        refs: &[PushRef],
        authorization: Option<&Authorization>,
    ) -> Result<(), RemoteError> {
        let mut arguments = self.git_dir_argument();
        arguments.extend(["push", "--porcelain", "--atomic", "--recurse-submodules=no"].map(OsString::from));
        for push in refs {
            match push.expect {
                Expect::FastForward if push.source.is_none() => {
                    return Err(RemoteError::BlindDelete {
                        target: push.target.clone(),
                    });
                }
                Expect::FastForward => {}
                Expect::At(oid) => arguments.push(format!("--force-with-lease={}:{oid}", push.target).into()),
                Expect::Absent => arguments.push(format!("--force-with-lease={}:", push.target).into()),
            }
        }
        arguments.extend(["--", &remote.0].map(OsString::from));
        for push in refs {
            let source = push.source.map(|oid| oid.to_string()).unwrap_or_default();
            arguments.push(format!("{source}:{}", push.target).into());
        }
        let output = git.output(self.git_dir(), &arguments, &environment(authorization))?;
        match rejected(&String::from_utf8_lossy(&output.stdout)) {
            _ if output.status.success() => Ok(()),
            refs if refs.is_empty() => Err(failure(&arguments, &output).into()),
            refs => Err(RemoteError::Rejected { refs }),
        }
    }

    fn git_dir_argument(&self) -> Vec<OsString> {
        let mut argument = OsString::from("--git-dir=");
        argument.push(self.git_dir());
        vec![argument]
    }
}

/// Clones all refs of a remote into a new bare repository at `folder`.
pub fn clone_mirror(
    git: &Program,
    remote: &Remote,
    folder: &Path,
    authorization: Option<&Authorization>,
) -> Result<(), RemoteError> {
    let mut arguments: Vec<OsString> = ["clone", "--quiet", "--mirror", "--", &remote.0]
        .map(OsString::from)
        .to_vec();
    arguments.push(std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).into());
    git.run(Path::new("."), &arguments, &environment(authorization))?;
    Ok(())
}

const ALLOWED: [&str; 3] = ["https", "ssh", "file"];

fn environment(authorization: Option<&Authorization>) -> Vec<(String, OsString)> {
    let mut variables = vec![("GIT_ALLOW_PROTOCOL".to_owned(), OsString::from(ALLOWED.join(":")))];
    if let Some(Authorization { url, header }) = authorization {
        // The user's own settings of this kind stay in force.
        let used: usize = env::var("GIT_CONFIG_COUNT")
            .ok()
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
        variables.push(("GIT_CONFIG_COUNT".to_owned(), (used + 1).to_string().into()));
        variables.push((
            format!("GIT_CONFIG_KEY_{used}"),
            format!("http.{url}.extraHeader").into(),
        ));
        variables.push((format!("GIT_CONFIG_VALUE_{used}"), header.into()));
    }
    variables
}

/// `[+]SOURCE[:TARGET]`, or `^SOURCE`; git checks the rest.
fn is_refspec(refspec: &str) -> bool {
    let names = refspec.strip_prefix(['+', '^']).unwrap_or(refspec);
    !names.is_empty() && !names.contains(char::is_control) && names.split(':').all(|name| !name.starts_with('-'))
}

/// The lines of `git push --porcelain` that begin with `!`: flag, tab, `from:to`, tab, `[rejected] (reason)`.
fn rejected(output: &str) -> Vec<RejectedRef> {
    let parse = |line: &str| {
        let mut parts = line.strip_prefix("!\t")?.splitn(2, '\t');
        let target = parts.next()?.rsplit(':').next()?.to_owned();
        let summary = parts.next()?;
        let reason = summary
            .split_once('(')
            .map_or(summary, |(_, reason)| reason.trim_end_matches(')'));
        Some(RejectedRef {
            target,
            reason: reason.to_owned(),
        })
    };
    output.lines().filter_map(parse).collect()
}

fn rejected_text(refs: &[RejectedRef]) -> String {
    let texts: Vec<_> = refs
        .iter()
        .map(|one| format!("{} ({})", one.target, one.reason))
        .collect();
    texts.join(", ")
}

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorization for {}", self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_only_private_protocols() {
        for remote in [
            "origin",
            "https://example.com/a.git",
            "ssh://git@example.com/a",
            "git@example.com:a/b.git",
            "/a/b",
            "../b",
            "file:///a",
            "HTTPS://example.com/a",
        ] {
            assert!(Remote::new(remote).is_ok(), "{remote}");
        }
        for remote in [
            "",
            "-u",
            "--upload-pack=x",
            "ext::sh -c x",
            "fd::3",
            "git://example.com/a",
            "http://example.com/a",
            "ftp://a",
            "a\nb",
        ] {
            assert!(Remote::new(remote).is_err(), "{remote}");
        }
    }

    #[test]
    fn refuses_options_as_refspecs() {
        for refspec in ["refs/heads/*:refs/remotes/o/*", "+a:b", "main", ":b", "^refs/heads/x"] {
            assert!(is_refspec(refspec), "{refspec}");
        }
        for refspec in ["", "+", "-f", "a:-b", "+-x", "a\0b"] {
            assert!(!is_refspec(refspec), "{refspec}");
        }
    }

    #[test]
    fn never_prints_a_token() {
        let authorization = Authorization::new("https://example.com/", "Authorization: Bearer canary").unwrap();
        assert!(!format!("{authorization:?}").contains("canary"));
        assert!(Authorization::new("http://example.com/", "Authorization: Bearer x").is_err());
        assert!(Authorization::new("https://example.com/", "a\r\nb").is_err());
    }
}
