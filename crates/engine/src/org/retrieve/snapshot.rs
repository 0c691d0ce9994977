//! Snapshots: what an org contains, as a git tree at `refs/syncline/snapshot/NAME`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use syncline_git::{Entry, NewCommit, Oid, RefName, Repository, Signature, Trailer, TreePath, append_trailers};
use syncline_metadata::component::{Located, Project};
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::RetrieveMessage;

use super::folder::means_the_same;
use super::inventory::{Inventory, Scope, inventory};
use super::plan::{DEPENDENT, KnownDates, MOST, Part, plan, trusted_date};
use super::run::{Progress, fetch};
use super::unite::unite;
use crate::org::OrgError;
use crate::org::convert::{Files, to_source};

/// The project of a snapshot where the repository has none.
pub const PROJECT: &str =
    "{\n  \"packageDirectories\": [\n    {\n      \"path\": \"force-app\",\n      \"default\": true\n    }\n  ]\n}\n";
const PROJECT_FILE: &str = "sfdx-project.json";
const IGNORE_FILE: &str = ".forceignore";

/// How a snapshot is taken.
pub struct Snapshot<'a> {
    /// Where it is kept.
    pub repository: &'a Repository,
    /// The org's name.
    pub name: &'a str,
    /// What is in it.
    pub scope: Scope,
    /// Retrieve only what changed since the last one, if that is known.
    pub since_last: bool,
    /// Who takes it, and when.
    pub author: Signature,
}

/// A snapshot that was taken.
#[derive(Debug)]
pub struct Taken {
    /// The commit.
    pub commit: Oid,
    /// Its tree.
    pub tree: Oid,
    /// Whether it differs from the one before.
    pub changed: bool,
    /// Components retrieved.
    pub retrieved: usize,
    /// Components taken from the snapshot before, since they have not changed.
    pub unchanged: usize,
    /// Components that are gone from the org.
    pub gone: Vec<String>,
    /// What the org says.
    pub messages: Vec<RetrieveMessage>,
    /// Types that could not be listed, and why.
    pub refused: BTreeMap<String, String>,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
}

/// When each component changed, as of a snapshot.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    org: String,
    commit: String,
    dates: Vec<(String, String, String)>,
}

/// Takes a snapshot of an org and moves its ref.
pub async fn snapshot(
    connection: &Connection,
    wanted: Snapshot<'_>,
    progress: Progress<'_>,
) -> Result<Taken, OrgError> {
    let repository = wanted.repository;
    let reference: RefName = format!("refs/syncline/snapshot/{}", wanted.name).parse()?;
    let before = repository.read_ref(&reference)?;
    let project_files = project_files(repository)?;
    let text = |name: &str| {
        project_files
            .get(name)
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let project_text = text(PROJECT_FILE).unwrap_or_else(|| PROJECT.to_owned());
    let project =
        Project::parse("", &project_text, text(IGNORE_FILE).as_deref()).map_err(|error| OrgError::Argument {
            what: error.to_string(),
            hint: "correct sfdx-project.json and commit it",
        })?;

    let state = state_file(repository, wanted.name);
    let known = match before {
        Some(commit) if wanted.since_last => known_dates(&state, connection, commit),
        _ => None,
    };
    let inventory = inventory(connection, &wanted.scope).await?;
    let plan = plan(&inventory, known.as_ref(), MOST);
    let fetched = fetch(connection, &inventory, &plan, progress).await?;
    let converted = to_source(&project, &fetched.files)?;

    let older = match before {
        Some(commit) => files_of(repository, repository.commit_tree(commit)?)?,
        None => BTreeMap::new(),
    };
    let mut tree = repository.edit_tree(None);
    for (name, bytes) in &project_files {
        put(repository, &mut tree, name, bytes)?;
    }
    if !project_files.contains_key(PROJECT_FILE) {
        put(repository, &mut tree, PROJECT_FILE, PROJECT.as_bytes())?;
    }
    let incremental = known.is_some() || !inventory.complete;
    for (path, oid) in &older {
        if !converted.files.contains_key(path)
            && !project_files.contains_key(path)
            && path != PROJECT_FILE
            && stays(&project, path, &inventory, &plan.gone, &fetched.manifest, incremental)
        {
            tree.set(&TreePath::from_bytes(path.as_bytes()), Entry::file(*oid))?;
        }
    }
    let branch = match repository.head() {
        Ok(syncline_git::Head::Branch { tip: Some(tip), .. }) => files_of(repository, repository.commit_tree(tip)?)?,
        _ => BTreeMap::new(),
    };
    for (path, bytes) in &converted.files {
        let mut bytes = bytes.clone();
        if incremental
            && let Some(oid) = older.get(path)
            && let Located::Component(file) = project.locate(path)
            && DEPENDENT.contains(&&*file.id.type_name)
        {
            let old = repository.read_blob(*oid)?;
            bytes = unite(path, &file.id.type_name, &old, &bytes, &fetched.manifest)?;
        }
        // What means the same stays the very blob that it was, of the branch or of the snapshot before.
        let same = [branch.get(path), older.get(path)].into_iter().flatten().find(|oid| {
            repository
                .read_blob(**oid)
                .is_ok_and(|known| means_the_same(path, &known, &bytes))
        });
        let oid = match same {
            Some(oid) => *oid,
            None => repository.write_blob(&bytes)?,
        };
        tree.set(&TreePath::from_bytes(path.as_bytes()), Entry::file(oid))?;
    }
    let tree = tree.write()?;
    let unchanged_tree = match before {
        Some(commit) => repository.commit_tree(commit)? == tree,
        None => false,
    };
    let commit = match before.filter(|_| unchanged_tree) {
        Some(commit) => commit,
        None => {
            let trailer = Trailer {
                key: "Syncline-Org".to_owned(),
                value: connection.org().as_str().to_owned(),
            };
            let message = append_trailers(&format!("Snapshot of {}", wanted.name), &[trailer])
                .map_err(|error| OrgError::Git(Box::new(error)))?;
            let parents: Vec<Oid> = before.into_iter().collect();
            let commit = repository.write_commit(NewCommit {
                tree,
                parents: &parents,
                message: &message,
                author: &wanted.author,
                committer: &wanted.author,
            })?;
            repository.update_ref(&reference, Some(commit), before, "syncline: snapshot")?;
            commit
        }
    };
    if inventory.complete {
        keep_dates(&state, connection, commit, &inventory)?;
    }
    Ok(Taken {
        commit,
        tree,
        changed: !unchanged_tree,
        retrieved: fetched.manifest.values().map(BTreeSet::len).sum(),
        unchanged: plan.unchanged.len(),
        gone: plan.gone.iter().map(|(kind, name)| format!("{kind}:{name}")).collect(),
        messages: fetched.messages,
        refused: inventory.refused,
        left: converted.left,
    })
}

/// Whether a file of the snapshot before is still true although nothing was retrieved for its path.
fn stays(
    project: &Project,
    path: &str,
    inventory: &Inventory,
    gone: &BTreeSet<Part>,
    manifest: &super::plan::Chunk,
    incremental: bool,
) -> bool {
    let Located::Component(file) = project.locate(path) else {
        return false;
    };
    let owner = file.parent.as_ref().unwrap_or(&file.id);
    let is = |id: &syncline_metadata::component::ComponentId| (id.type_name.to_string(), id.full_name.to_string());
    // Nothing is known about a type that could not be listed.
    if inventory.refused.contains_key(&*owner.type_name) {
        return true;
    }
    let retrieved = |id: &syncline_metadata::component::ComponentId| {
        manifest
            .get(&*id.type_name)
            .is_some_and(|members| members.contains(&*id.full_name))
    };
    incremental && !gone.contains(&is(owner)) && !retrieved(owner) && !retrieved(&file.id)
}

/// sfdx-project.json and .forceignore of the checked-out commit.
fn project_files(repository: &Repository) -> Result<Files, OrgError> {
    let mut files = Files::new();
    if let Ok(syncline_git::Head::Branch { tip: Some(tip), .. }) = repository.head() {
        let tree = repository.commit_tree(tip)?;
        for name in [PROJECT_FILE, IGNORE_FILE] {
            if let Some(entry) = repository.entry_at(tree, &TreePath::from_bytes(name))? {
                files.insert(name.to_owned(), repository.read_blob(entry.oid)?);
            }
        }
    }
    Ok(files)
}

fn files_of(repository: &Repository, tree: Oid) -> Result<BTreeMap<String, Oid>, OrgError> {
    let mut files = BTreeMap::new();
    for (path, entry) in repository.files(tree, "")? {
        files.insert(path.as_str()?.to_owned(), entry.oid);
    }
    Ok(files)
}

fn put(
    repository: &Repository,
    tree: &mut syncline_git::TreeEditor<'_>,
    path: &str,
    bytes: &[u8],
) -> Result<(), OrgError> {
    let oid = repository.write_blob(bytes)?;
    Ok(tree.set(&TreePath::from_bytes(path.as_bytes()), Entry::file(oid))?)
}

fn state_file(repository: &Repository, name: &str) -> PathBuf {
    repository
        .common_dir()
        .join("syncline")
        .join("dates")
        .join(format!("{name}.json"))
}

/// The dates of the snapshot at this commit; none when they are of another snapshot or org: then everything is retrieved.
fn known_dates(state: &std::path::Path, connection: &Connection, commit: Oid) -> Option<KnownDates> {
    let known: Known = serde_json::from_slice(&fs::read(state).ok()?).ok()?;
    let fits = known.org == connection.org().as_str() && known.commit == commit.to_string();
    fits.then(|| {
        let dates = known.dates.into_iter();
        dates.map(|(kind, name, date)| ((kind, name), date)).collect()
    })
}

fn keep_dates(
    state: &std::path::Path,
    connection: &Connection,
    commit: Oid,
    inventory: &Inventory,
) -> Result<(), OrgError> {
    let dates = inventory.components.iter().map(|((kind, name), row)| {
        let date = trusted_date(kind, row.last_modified_date.as_deref(), name).unwrap_or_default();
        (kind.clone(), name.clone(), date.to_owned())
    });
    let known = Known {
        org: connection.org().as_str().to_owned(),
        commit: commit.to_string(),
        dates: dates.collect(),
    };
    let write = || {
        let folder = state.parent().unwrap_or(state);
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &known)?;
        file.persist(state).map(drop).map_err(|error| error.error)
    };
    write().map_err(OrgError::file("could not write", state))
}
