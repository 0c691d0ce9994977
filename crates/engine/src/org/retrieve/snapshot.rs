//! Snapshots: what an org contains, as a git tree at `refs/syncline/snapshot/NAME`.

use std::collections::{BTreeMap, BTreeSet};

use syncline_git::{
    Entry, NewCommit, Oid, RefName, Repository, Signature, Trailer, TreeEditor, TreePath, append_trailers,
    parse_trailers,
};
use syncline_metadata::component::{ComponentId, Located, Project};
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::RetrieveMessage;

use super::facts::{Facts, Head};
use super::folder::means_the_same;
use super::inventory::{Inventory, Scope, inventory};
use super::place::place;
use super::plan::{Chunk, DEPENDENT, MOST, Part, plan};
use super::run::{Progress, fetch};
use super::trail;
use super::unite::unite;
use crate::org::OrgError;
use crate::org::convert::{Files, to_source};
use crate::org::seal::Sealer;

/// The project of a snapshot where the repository has none.
pub const PROJECT: &str =
    "{\n  \"packageDirectories\": [\n    {\n      \"path\": \"force-app\",\n      \"default\": true\n    }\n  ]\n}\n";
/// Files of the branch that a snapshot has as they are: they say how the rest is read.
pub const PROJECT_FILES: [&str; 2] = ["sfdx-project.json", ".forceignore"];

/// Trailer of a snapshot: the org's id.
pub const ORG: &str = "Syncline-Org";
/// Trailer of a snapshot that has everything in scope: the scope's digest.
pub const SCOPE: &str = "Syncline-Scope";

/// How a snapshot is taken.
pub struct Snapshot<'a> {
    /// Where it is kept.
    pub repository: &'a Repository,
    /// Its name: the environment's, or the login's.
    pub name: &'a str,
    /// The commit whose format, places and very blobs are taken over where they mean the same.
    pub branch: Option<Oid>,
    /// What is in it.
    pub scope: Scope,
    /// Retrieve only what changed since the last one, if that is known.
    pub since_last: bool,
    /// Begin anew when the name led to another org before.
    pub new_org: bool,
    /// Seals secrets before they are written.
    pub sealer: &'a Sealer,
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

/// The ref of a snapshot.
pub fn snapshot_ref(name: &str) -> Result<RefName, syncline_git::RefError> {
    format!("refs/syncline/snapshot/{name}").parse()
}

/// The org of a snapshot, and the digest of its scope if it is complete.
pub fn origin(repository: &Repository, commit: Oid) -> Result<(Option<String>, Option<String>), OrgError> {
    let trailers = parse_trailers(&repository.commit(commit)?.message);
    let value = |key: &str| trailers.iter().find(|one| one.key == key).map(|one| one.value.clone());
    Ok((value(ORG), value(SCOPE)))
}

/// Takes a snapshot of an org and moves its ref.
///
/// # Errors
/// [`OrgError::OtherOrg`] when the name led to another org before and `new_org` is not set.
pub async fn snapshot(
    connection: &Connection,
    wanted: Snapshot<'_>,
    progress: Progress<'_>,
) -> Result<Taken, OrgError> {
    let repository = &wanted.repository.batch()?;
    let reference = snapshot_ref(wanted.name)?;
    let last = repository.read_ref(&reference)?;
    let known_org = match last {
        Some(commit) => origin(repository, commit)?.0,
        None => None,
    };
    let same_org = known_org
        .as_deref()
        .is_none_or(|known| known == connection.org().as_str());
    if let (false, false, Some(was)) = (same_org, wanted.new_org, known_org) {
        return Err(OrgError::OtherOrg {
            name: wanted.name.to_owned(),
            was,
            is: connection.org().as_str().to_owned(),
        });
    }
    // What was in another org says nothing about this one.
    let before = last.filter(|_| same_org);
    let branch = match wanted.branch {
        Some(commit) => files_of(repository, repository.commit_tree(commit)?)?,
        None => BTreeMap::new(),
    };
    let (project_files, project) = project_of(repository, &branch)?;
    let facts = before.and_then(|commit| {
        let head = Head::read(repository, wanted.name).filter(|head| {
            head.org == connection.org().as_str()
                && head.commit == commit.to_string()
                && head.scope == wanted.scope.digest()
        })?;
        head.facts(repository, wanted.name)
    });

    let inventory = inventory(connection, &wanted.scope).await?;
    let known = facts.as_ref().map(|facts| {
        let mut known = facts.dates();
        if !wanted.since_last {
            known.values_mut().for_each(String::clear);
        }
        known
    });
    let plan = plan(&inventory, known.as_ref(), MOST);
    let told = async {
        Ok(match inventory.complete {
            true => Some(Told::by(connection).await?),
            false => None,
        })
    };
    let (fetched, told) = tokio::try_join!(fetch(connection, &inventory, &plan, progress), told)?;
    let converted = to_source(&project, &fetched.files)?;
    let files = place(&project, branch.keys().map(String::as_str), converted.files);

    let older = match before {
        Some(commit) => files_of(repository, repository.commit_tree(commit)?)?,
        None => BTreeMap::new(),
    };
    let incremental = known.is_some() && wanted.since_last || !inventory.complete;
    let kept = Kept {
        project: &project,
        inventory: &inventory,
        gone: &plan.gone,
        manifest: &fetched.manifest,
        incremental,
    };
    let mut tree = Tree::over(repository, before, &older)?;
    for path in older.keys() {
        let stays = files.contains_key(path) || project_files.contains_key(path) || kept.has(path);
        if !stays {
            tree.remove(path)?;
        }
    }
    for (path, bytes) in &project_files {
        tree.set(path, repository.write_blob(bytes)?)?;
    }
    for (path, bytes) in &files {
        let located = project.locate(path);
        let component = located.component();
        let mut bytes = std::borrow::Cow::Borrowed(bytes.as_slice());
        if let Some(file) = component
            && let Some(sealed) = wanted
                .sealer
                .seal_file(file.parent.as_ref().unwrap_or(&file.id), &bytes)
        {
            bytes = sealed.into();
        }
        if incremental
            && let Some(oid) = older.get(path)
            && let Some(file) = component.filter(|file| DEPENDENT.contains(&&*file.id.type_name))
        {
            let old = repository.read_blob(*oid)?;
            bytes = unite(path, &file.id.type_name, &old, &bytes, &fetched.manifest)?.into();
        }
        // What means the same stays the very blob that it was, of the branch or of the snapshot before.
        let same = [branch.get(path), older.get(path)].into_iter().flatten().find(|oid| {
            let known = repository.read_blob(**oid);
            known.is_ok_and(|known| means_the_same(path, &known, &bytes))
        });
        let oid = match same {
            Some(oid) => *oid,
            None => repository.write_blob(&bytes)?,
        };
        tree.set(path, oid)?;
    }
    let tree = tree.editor.write()?;
    let unchanged_tree = match before {
        Some(commit) => repository.commit_tree(commit)? == tree,
        None => false,
    };
    // A snapshot of the same tree says something new when it is the first complete one of its scope.
    let scope = inventory.complete.then(|| wanted.scope.digest());
    let news = match before.filter(|_| unchanged_tree) {
        Some(commit) => scope.is_some() && origin(repository, commit)?.1 != scope,
        None => true,
    };
    let commit = match last.filter(|_| !news) {
        Some(commit) => commit,
        None => {
            let mut trailers = vec![trailer(ORG, connection.org().as_str())];
            trailers.extend(scope.as_deref().map(|digest| trailer(SCOPE, digest)));
            let message = append_trailers(&format!("Snapshot of {}", wanted.name), &trailers)
                .map_err(|error| OrgError::Git(Box::new(error)))?;
            let parents: Vec<Oid> = last.into_iter().collect();
            let commit = repository.write_commit(NewCommit {
                tree,
                parents: &parents,
                message: &message,
                author: &wanted.author,
                committer: &wanted.author,
            })?;
            repository.update_ref(&reference, Some(commit), last, "syncline: snapshot")?;
            commit
        }
    };
    if let Some(told) = told {
        let head = Head {
            org: connection.org().as_str().to_owned(),
            commit: commit.to_string(),
            taken: wanted.author.time.seconds.saturating_mul(1000),
            scope: wanted.scope.digest(),
            refused: inventory.refused.clone(),
            copies: told.copies,
        };
        let facts = Facts {
            taken: head.taken,
            user: told.user,
            components: Facts::of(&inventory.components),
            children: Facts::of(&inventory.children),
            trail: told.trail,
            members: told.members,
        };
        head.write(repository, wanted.name, &facts)?;
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

/// What the org tells about its changes and its copies.
struct Told {
    copies: Vec<trail::Copy>,
    user: trail::User,
    trail: Option<Vec<trail::TrailEntry>>,
    members: Option<Vec<trail::Member>>,
}

impl Told {
    async fn by(connection: &Connection) -> Result<Self, OrgError> {
        Ok(Self {
            copies: trail::copies(connection).await?,
            user: trail::user(connection).await?,
            trail: trail::trail(connection).await?,
            members: trail::members(connection).await?,
        })
    }
}

fn trailer(key: &str, value: &str) -> Trailer {
    Trailer {
        key: key.to_owned(),
        value: value.to_owned(),
    }
}

/// The tree of the snapshot before, edited; folders in which nothing changed are not written again.
struct Tree<'a> {
    editor: TreeEditor<'a>,
    older: &'a BTreeMap<String, Oid>,
}

impl<'a> Tree<'a> {
    fn over(
        repository: &'a Repository,
        before: Option<Oid>,
        older: &'a BTreeMap<String, Oid>,
    ) -> Result<Self, OrgError> {
        let base = before.map(|commit| repository.commit_tree(commit)).transpose()?;
        let editor = repository.edit_tree(base);
        Ok(Self { editor, older })
    }

    fn remove(&mut self, path: &str) -> Result<(), OrgError> {
        Ok(self.editor.remove(&TreePath::from(path))?)
    }

    fn set(&mut self, path: &str, oid: Oid) -> Result<(), OrgError> {
        if self.older.get(path) != Some(&oid) {
            self.editor.set(&TreePath::from(path), Entry::file(oid))?;
        }
        Ok(())
    }
}

/// What decides over files of the snapshot before.
struct Kept<'a> {
    project: &'a Project,
    inventory: &'a Inventory,
    gone: &'a BTreeSet<Part>,
    manifest: &'a Chunk,
    incremental: bool,
}

impl Kept<'_> {
    /// Whether a file is still true although nothing was retrieved for its path.
    fn has(&self, path: &str) -> bool {
        let Located::Component(file) = self.project.locate(path) else {
            return false;
        };
        let owner = file.parent.as_ref().unwrap_or(&file.id);
        // Nothing is known about a type that could not be listed.
        if self.inventory.refused.contains_key(&*owner.type_name) {
            return true;
        }
        let retrieved = |id: &ComponentId| {
            let members = self.manifest.get(&*id.type_name);
            members.is_some_and(|members| members.contains(&*id.full_name))
        };
        let part = (owner.type_name.to_string(), owner.full_name.to_string());
        self.incremental && !self.gone.contains(&part) && !retrieved(owner) && !retrieved(&file.id)
    }
}

/// The files that say how the rest is read, and what they say: those of the branch, else those of a new project.
fn project_of(repository: &Repository, branch: &BTreeMap<String, Oid>) -> Result<(Files, Project), OrgError> {
    let mut files = Files::new();
    for name in PROJECT_FILES {
        if let Some(oid) = branch.get(name) {
            files.insert(name.to_owned(), repository.read_blob(*oid)?);
        }
    }
    let [project, ignore] = PROJECT_FILES;
    files
        .entry(project.to_owned())
        .or_insert_with(|| PROJECT.as_bytes().to_vec());
    let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let parsed = Project::parse("", &text(project).unwrap_or_default(), text(ignore).as_deref());
    let parsed = parsed.map_err(|error| OrgError::Argument {
        what: error.to_string(),
        hint: "correct sfdx-project.json and commit it",
    })?;
    Ok((files, parsed))
}

fn files_of(repository: &Repository, tree: Oid) -> Result<BTreeMap<String, Oid>, OrgError> {
    let file = |(path, entry): (TreePath, Entry)| Ok((path.as_str()?.to_owned(), entry.oid));
    repository.files(tree, "")?.into_iter().map(file).collect()
}
