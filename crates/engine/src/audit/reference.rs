//! Checkpoints outside of the database's reach: a ref of the remote, whose file only ever grows.

use std::path::Path;

use sha2::{Digest, Sha256};
use syncline_domain::audit::Checkpoint;
use syncline_git::{
    CommitError, CommitTime, EditError, Entry, Expect, NewCommit, ObjectError, Oid, Program, ProgramError, PushRef,
    RefError, RefName, Remote, RemoteError, Repository, ResolveError, Signature, TreeEdit, TreePath,
};

use crate::wire::hex;

/// The ref, here and at the remote.
pub const REF: &str = "refs/syncline/audit";
/// The file in its tree: a checkpoint a line, as JSON.
pub const FILE: &str = "checkpoints.jsonl";

/// Why checkpoints cannot be published or read.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// A line is no checkpoint.
    #[error("line {line} of {place} is no checkpoint")]
    Line {
        /// The ref or the file.
        place: String,
        /// The line, from 1.
        line: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// The remote has a checkpoint that the database has not, or another one for the same entry.
    #[error(
        "the remote has a checkpoint of entry {seq} that the database does not have: the chain was rewritten or cut"
    )]
    Disagrees {
        /// The entry.
        seq: u64,
    },
    /// Neither a ref nor a file.
    #[error("`{name}` is neither a ref of this repository nor a file")]
    Unknown {
        /// What was given.
        name: String,
        /// Why it is no ref.
        source: Box<ResolveError>,
    },
    /// The file cannot be read.
    #[error("could not read {name}")]
    Io {
        /// The file.
        name: String,
        /// Why.
        source: std::io::Error,
    },
    /// The remote does not take it.
    #[error("could not bring the checkpoints to the remote")]
    Remote(#[from] RemoteError),
    /// The git program is missing.
    #[error("could not run git")]
    Program(#[from] ProgramError),
    /// A ref cannot be read or moved.
    #[error("could not read or move {REF}")]
    Ref(#[from] RefError),
    /// A commit cannot be read or written.
    #[error("could not read or write a commit of {REF}")]
    Commit(#[from] CommitError),
    /// An object cannot be read or written.
    #[error("could not read or write an object of {REF}")]
    Object(#[from] ObjectError),
    /// The tree cannot be written.
    #[error("could not write the tree of {REF}")]
    Edit(#[from] EditError),
}

/// Adds checkpoints that the remote does not have yet, and pushes them. The number of new ones. What the remote has stays: one that
/// the database does not have is an error, because then the database was changed.
pub fn publish(
    repository: &Repository,
    remote: &str,
    checkpoints: &[Checkpoint],
    time: CommitTime,
) -> Result<usize, ReferenceError> {
    let git = Program::find()?;
    let known = tracking(remote)?;
    let remote = Remote::new(remote)?;
    let name = REF.parse::<RefName>()?;
    // As a pattern it may match nothing. Without `+` a remote that was rewritten is refused. What is here may be ahead of the
    // remote, since an earlier push has failed, so it has a ref of its own.
    let pattern = format!("{REF}*:{}*", known.as_str());
    repository.fetch(&git, &remote, &[&pattern], None)?;
    let before = repository.read_ref(&known)?;
    let mut text = match before {
        Some(commit) => text_of(repository, commit)?,
        None => String::new(),
    };
    let published = parse(&text, REF)?;
    if let Some(strange) = published.iter().find(|one| !checkpoints.contains(one)) {
        return Err(ReferenceError::Disagrees { seq: strange.seq });
    }
    let new: Vec<&Checkpoint> = checkpoints.iter().filter(|one| !published.contains(one)).collect();
    let commit = match (new.is_empty(), before) {
        (true, None) => return Ok(0),
        (true, Some(commit)) => commit,
        (false, _) => {
            for one in &new {
                text.push_str(&serde_json::json!(one).to_string());
                text.push('\n');
            }
            write(repository, &text, before, new.len(), time)?
        }
    };
    let here = repository.read_ref(&name)?;
    repository.update_ref(&name, Some(commit), here, "audit checkpoint")?;
    let push = PushRef {
        source: Some(commit),
        target: name,
        expect: Expect::FastForward,
    };
    repository.push(&git, &remote, &[push], None)?;
    Ok(new.len())
}

/// Where the remote was seen last.
fn tracking(remote: &str) -> Result<RefName, RefError> {
    let digest = Sha256::digest(remote.as_bytes());
    format!("refs/syncline/published/{}/audit", hex(&digest[..8])).parse()
}

/// The checkpoints of a ref, or of a file.
pub fn read(repository: &Repository, name: &str) -> Result<Vec<Checkpoint>, ReferenceError> {
    let text = match repository.resolve(name) {
        Ok(commit) => text_of(repository, commit.oid)?,
        Err(_) if Path::new(name).is_file() => std::fs::read_to_string(name).map_err(|source| ReferenceError::Io {
            name: name.to_owned(),
            source,
        })?,
        Err(source) => {
            return Err(ReferenceError::Unknown {
                name: name.to_owned(),
                source: Box::new(source),
            });
        }
    };
    parse(&text, name)
}

fn text_of(repository: &Repository, commit: Oid) -> Result<String, ReferenceError> {
    let tree = repository.commit_tree(commit)?;
    let bytes = repository.read_path(tree, &TreePath::from_bytes(FILE))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(text: &str, place: &str) -> Result<Vec<Checkpoint>, ReferenceError> {
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|source| ReferenceError::Line {
            place: place.to_owned(),
            line: number + 1,
            source,
        })
    };
    text.lines().enumerate().map(line).collect()
}

fn write(
    repository: &Repository,
    text: &str,
    before: Option<Oid>,
    new: usize,
    time: CommitTime,
) -> Result<Oid, ReferenceError> {
    let edit = TreeEdit {
        path: TreePath::from_bytes(FILE),
        entry: Some(Entry::file(repository.write_blob(text.as_bytes())?)),
    };
    let tree = repository.write_edits(None, &[edit])?;
    let parents: Vec<Oid> = before.into_iter().collect();
    let signature = |identity| Signature { identity, time };
    Ok(repository.write_commit(NewCommit {
        tree,
        parents: &parents,
        message: &format!("Keep {new} checkpoints of the audit chain"),
        author: &signature(repository.author()?),
        committer: &signature(repository.committer()?),
    })?)
}
