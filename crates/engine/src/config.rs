//! `syncline.toml`: the environments, their branches and the path between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use syncline_git::{Head, ObjectError, RefError, Repository, TreePath};
use toml::Spanned;

/// Name of the file, in the root of the repository.
pub const FILE: &str = "syncline.toml";

/// What `syncline.toml` says. The default knows no environments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    environments: Vec<Environment>,
}

/// One environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// The branch that says what it should contain.
    pub branch: String,
    /// What it is for.
    pub kind: Kind,
    /// The licence of its sandbox.
    pub licence: Option<Licence>,
    /// The environment above it, where its changes go.
    pub promotes_to: Option<String>,
    /// The remote that its branch is fetched from and pushed to.
    pub remote: Option<String>,
}

/// What an environment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Where the company works.
    Production,
    /// Urgent corrections of production.
    Hotfix,
    /// The last test before production, with real data.
    Staging,
    /// Acceptance by users.
    Uat,
    /// Where the work of all meets.
    Integration,
    /// One developer or team.
    Developer,
}

/// The licence of a sandbox. Source: Salesforce help, "Sandbox Types and Templates".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Licence {
    /// Metadata only.
    Developer,
    /// Metadata only, more storage.
    DeveloperPro,
    /// Metadata and a sample of the data.
    Partial,
    /// Metadata and all data.
    Full,
}

/// `syncline.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not TOML, or has a key or value that is unknown.
    #[error("syncline.toml line {line}: {problem}")]
    Syntax {
        /// Line from 1.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// An environment promotes to one that is not there.
    #[error("syncline.toml line {line}: `{name}` promotes to `{above}`, which is no environment; known are {known}")]
    UnknownEnvironment {
        /// Line from 1.
        line: usize,
        /// The environment.
        name: String,
        /// What it names.
        above: String,
        /// All names.
        known: String,
    },
    /// The path leads back to where it began.
    #[error("syncline.toml line {line}: the path {path} leads in a circle; remove one `promotes-to`")]
    Circle {
        /// Line from 1.
        line: usize,
        /// The environments on it.
        path: String,
    },
    /// Two environments have one branch.
    #[error("syncline.toml line {line}: `{name}` and `{other}` both have the branch `{branch}`; give each its own")]
    SameBranch {
        /// Line from 1.
        line: usize,
        /// One environment.
        name: String,
        /// The other.
        other: String,
        /// The branch.
        branch: String,
    },
    /// The name of an environment is not usable in file names and refs.
    #[error("syncline.toml line {line}: `{name}` cannot name an environment; use letters, digits, `-`, `_` and `.`")]
    Name {
        /// Line from 1.
        line: usize,
        /// The name.
        name: String,
    },
    /// The file cannot be read.
    #[error("{} cannot be read", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The file is not UTF-8.
    #[error("syncline.toml is not UTF-8; save it as UTF-8")]
    NotUtf8,
    /// HEAD cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The committed file cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    environments: BTreeMap<Spanned<String>, Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    branch: Spanned<String>,
    kind: Kind,
    licence: Option<Licence>,
    promotes_to: Option<Spanned<String>>,
    remote: Option<String>,
}

impl Config {
    /// Reads the text of `syncline.toml`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: File = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            line: line_at(text, error.span().map_or(0, |span| span.start)),
            problem: error.message().to_owned(),
        })?;
        check(text, &file)?;
        let mut environments: Vec<(usize, Environment)> = file
            .environments
            .into_iter()
            .map(|(name, entry)| {
                let environment = Environment {
                    name: name.get_ref().clone(),
                    branch: entry.branch.into_inner(),
                    kind: entry.kind,
                    licence: entry.licence,
                    promotes_to: entry.promotes_to.map(Spanned::into_inner),
                    remote: entry.remote,
                };
                (name.span().start, environment)
            })
            .collect();
        environments.sort_by_key(|(at, _)| *at);
        Ok(Self {
            environments: environments.into_iter().map(|(_, environment)| environment).collect(),
        })
    }

    /// The configuration of a repository: the file of the working tree, else that of HEAD, else none.
    pub fn read(repository: &Repository) -> Result<Self, ConfigError> {
        if let Some(root) = repository.worktree() {
            let path = root.join(FILE);
            match std::fs::read(&path) {
                Ok(bytes) => return Self::parse(&utf8(bytes)?),
                Err(reason) if reason.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
                Err(source) => return Err(ConfigError::Read { path, source }),
            }
        }
        let (Head::Branch { tip: Some(commit), .. } | Head::Detached(commit)) = repository.head()? else {
            return Ok(Self::default());
        };
        let tree = repository.commit_tree(commit)?;
        match repository.entry_at(tree, &TreePath::from(FILE))? {
            Some(entry) => Self::parse(&utf8(repository.read_blob(entry.oid)?)?),
            None => Ok(Self::default()),
        }
    }

    /// The environments in the order of the file.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// The environment of that name.
    pub fn environment(&self, name: &str) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == name)
    }

    /// The environment of that branch.
    pub fn of_branch(&self, branch: &str) -> Option<&Environment> {
        self.environments
            .iter()
            .find(|environment| environment.branch == branch)
    }

    /// The environments below one, nearest first.
    pub fn below(&self, name: &str) -> Vec<&Environment> {
        let mut found: Vec<&Environment> = Vec::new();
        let mut open = VecDeque::from([name]);
        while let Some(above) = open.pop_front() {
            let next = self
                .environments
                .iter()
                .filter(|environment| environment.promotes_to.as_deref() == Some(above));
            for environment in next {
                open.push_back(&environment.name);
                found.push(environment);
            }
        }
        found
    }
}

fn utf8(bytes: Vec<u8>) -> Result<String, ConfigError> {
    String::from_utf8(bytes).map_err(|_| ConfigError::NotUtf8)
}

fn line_at(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

fn check(text: &str, file: &File) -> Result<(), ConfigError> {
    let mut branches: BTreeMap<&str, &str> = BTreeMap::new();
    let known: Vec<&str> = file.environments.keys().map(|name| name.get_ref().as_str()).collect();
    for (name, entry) in &file.environments {
        let line = line_at(text, name.span().start);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let text_of_name = name.get_ref();
        if text_of_name.is_empty() || !text_of_name.chars().all(plain) {
            return Err(ConfigError::Name {
                line,
                name: text_of_name.clone(),
            });
        }
        if let Some(other) = branches.insert(entry.branch.get_ref(), text_of_name) {
            return Err(ConfigError::SameBranch {
                line: line_at(text, entry.branch.span().start),
                name: text_of_name.clone(),
                other: other.to_owned(),
                branch: entry.branch.get_ref().clone(),
            });
        }
        if let Some(above) = &entry.promotes_to {
            let line = line_at(text, above.span().start);
            if !known.contains(&above.get_ref().as_str()) {
                return Err(ConfigError::UnknownEnvironment {
                    line,
                    name: text_of_name.clone(),
                    above: above.get_ref().clone(),
                    known: known.join(", "),
                });
            }
            check_circle(file, text_of_name, line)?;
        }
    }
    Ok(())
}

fn check_circle(file: &File, name: &str, line: usize) -> Result<(), ConfigError> {
    let mut path = vec![name];
    let mut seen = BTreeSet::from([name]);
    let above = |name: &str| {
        let (_, entry) = file.environments.iter().find(|(other, _)| other.get_ref() == name)?;
        entry.promotes_to.as_ref().map(|above| above.get_ref().as_str())
    };
    let mut at = name;
    while let Some(next) = above(at) {
        path.push(next);
        if !seen.insert(next) {
            return Err(ConfigError::Circle {
                line,
                path: path.join(" → "),
            });
        }
        at = next;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
[environments.production]
branch = \"main\"
kind = \"production\"

[environments.uat]
branch = \"uat\"
kind = \"uat\"
licence = \"partial\"
promotes-to = \"production\"

[environments.dev1]
branch = \"dev/1\"
kind = \"developer\"
promotes-to = \"uat\"
remote = \"origin\"
";

    #[test]
    fn reads_the_path() {
        let config = Config::parse(GOOD).unwrap();
        let names = |list: Vec<&Environment>| list.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(" ");
        assert_eq!(names(config.environments().iter().collect()), "production uat dev1");
        assert_eq!(names(config.below("production")), "uat dev1");
        assert_eq!(names(config.below("uat")), "dev1");
        assert_eq!(names(config.below("dev1")), "");
        assert_eq!(config.of_branch("dev/1").unwrap().remote.as_deref(), Some("origin"));
        assert_eq!(config.environment("uat").unwrap().licence, Some(Licence::Partial));
        assert_eq!(Config::parse("").unwrap(), Config::default());
    }

    #[test]
    fn says_what_is_wrong() {
        let check = |from: &str, to: &str, expect: &str| {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(expect), "{error}");
        };
        check(
            "branch = \"uat\"",
            "brunch = \"uat\"",
            "syncline.toml line 6: unknown field `brunch`",
        );
        check(
            "kind = \"uat\"",
            "kind = \"tea\"",
            "syncline.toml line 7: unknown variant `tea`",
        );
        check("branch = \"uat\"\n", "", "syncline.toml line 5: missing field `branch`");
        check("licence = \"partial\"", "licence = ", "syncline.toml line 8: ");
        check(
            "promotes-to = \"uat\"",
            "promotes-to = \"qa\"",
            "syncline.toml line 14: `dev1` promotes to `qa`, which is no environment; known are dev1, production, uat",
        );
        check(
            "kind = \"production\"",
            "kind = \"production\"\npromotes-to = \"dev1\"",
            "syncline.toml line 15: the path dev1 → uat → production → dev1 leads in a circle",
        );
        check(
            "branch = \"dev/1\"",
            "branch = \"uat\"",
            "syncline.toml line 6: `uat` and `dev1` both have the branch `uat`",
        );
        check(
            "[environments.dev1]",
            "[environments.\"dev 1\"]",
            "syncline.toml line 11: `dev 1` cannot name",
        );
    }
}
