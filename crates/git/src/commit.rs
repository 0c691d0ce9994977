//! Commits read and written.

use git2::{ErrorCode, Time};

use crate::{ObjectError, Oid, Repository};

/// A person or a program in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The mail address, without `<>`.
    pub email: String,
}

/// A moment with the offset of the clock that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTime {
    /// Seconds since 1970-01-01 UTC.
    pub seconds: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

/// Who did it, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Who.
    pub identity: Identity,
    /// When.
    pub time: CommitTime,
}

/// A commit as it stands in the repository. Bytes that are not UTF-8 are replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub oid: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Its parents; none for a root commit and at the cut of a shallow clone.
    pub parents: Vec<Oid>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The message with its subject line.
    pub message: String,
}

/// A commit to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewCommit<'a> {
    /// Its tree.
    pub tree: Oid,
    /// Its parents.
    pub parents: &'a [Oid],
    /// The message; a missing line end is added.
    pub message: &'a str,
    /// Who wrote the change.
    pub author: &'a Signature,
    /// Who makes the commit.
    pub committer: &'a Signature,
}

/// A commit cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The object cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// It is not a commit or damaged.
    #[error("commit {oid} cannot be read")]
    Read {
        /// Its id.
        oid: Oid,
        /// The reason.
        source: git2::Error,
    },
    /// Git does not know who commits.
    #[error(
        "git does not know who you are; run `git config user.name \"Your Name\"` and `git config user.email you@example.com`"
    )]
    NoIdentity,
    /// The configured identity cannot be read.
    #[error("the identity for commits cannot be read from the git configuration")]
    Identity(#[source] git2::Error),
    /// Name or mail address have signs that a commit cannot hold.
    #[error("`{name} <{email}>` cannot be the identity of a commit")]
    BadIdentity {
        /// The name.
        name: String,
        /// The mail address.
        email: String,
        /// The reason.
        source: git2::Error,
    },
    /// Writing failed.
    #[error("the commit of tree {tree} cannot be written")]
    Write {
        /// Its tree.
        tree: Oid,
        /// The reason.
        source: git2::Error,
    },
}

impl Commit {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.trim_start().lines().next().unwrap_or_default()
    }
}

impl Repository {
    /// Reads a commit.
    pub fn commit(&self, oid: Oid) -> Result<Commit, CommitError> {
        let commit = self
            .inner
            .find_commit(oid.to_git2())
            .map_err(|source| self.commit_error(oid, source))?;
        Ok(Commit {
            oid,
            tree: Oid::from_git2(commit.tree_id()),
            parents: commit.parent_ids().map(Oid::from_git2).collect(),
            author: signature(&commit.author()),
            committer: signature(&commit.committer()),
            message: String::from_utf8_lossy(commit.message_bytes()).into_owned(),
        })
    }

    /// The tree of a commit.
    pub fn commit_tree(&self, oid: Oid) -> Result<Oid, ObjectError> {
        let commit = self
            .inner
            .find_commit(oid.to_git2())
            .map_err(|source| self.read_error(oid, source))?;
        Ok(Oid::from_git2(commit.tree_id()))
    }

    /// Writes a commit; no ref moves. Same input, same id.
    pub fn write_commit(&self, new: NewCommit<'_>) -> Result<Oid, CommitError> {
        let error = |source| CommitError::Write { tree: new.tree, source };
        let (author, committer) = (git_signature(new.author)?, git_signature(new.committer)?);
        if new.tree == Oid::EMPTY_TREE {
            self.write_object(git2::ObjectType::Tree, &[])?;
        }
        let tree = self
            .inner
            .find_tree(new.tree.to_git2())
            .map_err(|source| self.read_error(new.tree, source))?;
        let find = |oid: &Oid| {
            self.inner
                .find_commit(oid.to_git2())
                .map_err(|source| self.commit_error(*oid, source))
        };
        let parents = new.parents.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        let parents: Vec<_> = parents.iter().collect();
        let message = git2::message_prettify(new.message, None).map_err(error)?;
        let buffer = self
            .inner
            .commit_create_buffer(&author, &committer, &message, &tree, &parents)
            .map_err(error)?;
        Ok(self.write_object(git2::ObjectType::Commit, &buffer)?)
    }

    /// Who authors commits: `GIT_AUTHOR_NAME` and `_EMAIL`, else `user.name` and `user.email`.
    pub fn author(&self) -> Result<Identity, CommitError> {
        identity(self.inner.author_from_env())
    }

    /// Who makes commits: `GIT_COMMITTER_NAME` and `_EMAIL`, else `user.name` and `user.email`.
    pub fn committer(&self) -> Result<Identity, CommitError> {
        identity(self.inner.committer_from_env())
    }

    fn commit_error(&self, oid: Oid, source: git2::Error) -> CommitError {
        match source.code() {
            ErrorCode::NotFound => CommitError::Object(self.read_error(oid, source)),
            _ => CommitError::Read { oid, source },
        }
    }
}

fn identity(found: Result<git2::Signature<'_>, git2::Error>) -> Result<Identity, CommitError> {
    match found {
        Ok(found) => Ok(signature(&found).identity),
        Err(reason) if reason.code() == ErrorCode::NotFound => Err(CommitError::NoIdentity),
        Err(reason) => Err(CommitError::Identity(reason)),
    }
}

fn signature(signature: &git2::Signature<'_>) -> Signature {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let when = signature.when();
    Signature {
        identity: Identity {
            name: text(signature.name_bytes()),
            email: text(signature.email_bytes()),
        },
        time: CommitTime {
            seconds: when.seconds(),
            offset_minutes: when.offset_minutes(),
        },
    }
}

fn git_signature(signature: &Signature) -> Result<git2::Signature<'static>, CommitError> {
    let Identity { name, email } = &signature.identity;
    let time = Time::new(signature.time.seconds, signature.time.offset_minutes);
    git2::Signature::new(name, email, &time).map_err(|source| CommitError::BadIdentity {
        name: name.clone(),
        email: email.clone(),
        source,
    })
}
