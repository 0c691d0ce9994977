//! Files that differ between two states, and the components they make up.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use syncline_git::{Entry, Oid, Repository, RepositoryHandle, TreePath};
use syncline_metadata::component::{ComponentId, Located, Project, child_at, children_of};
use syncline_metadata::diff::{ChangeKind, ElementChange, diff};

use super::{CompareError, ComponentChange, FileChange};
use crate::project::{ProjectReader, Projects};
use crate::source::{MAX_BYTES, Source, read_file, walk};

/// Fewer components than this are compared on one thread.
const PARALLEL_FROM: usize = 16;

/// A file on both sides; at least one is there.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    from: Option<Place>,
    to: Option<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    path: String,
    /// The blob, in a revision.
    oid: Option<Oid>,
}

impl Pair {
    /// The path after, or before when the file is gone.
    pub(super) fn path(&self) -> &str {
        self.to.as_ref().or(self.from.as_ref()).map_or("", |place| &place.path)
    }
}

/// Reads both states.
pub(super) struct Reader<'a> {
    repository: Option<&'a Repository>,
    sides: [&'a Source; 2],
    projects: [Arc<Projects>; 2],
    /// Folders that were listed, by side.
    listed: Arc<Mutex<Listed>>,
}

/// Files by component.
type Components = HashMap<ComponentId, Vec<String>>;

/// Components by side and folder.
type Listed = HashMap<(usize, String), Arc<Components>>;

const FROM: usize = 0;
const TO: usize = 1;

impl<'a> Reader<'a> {
    pub(super) fn new(
        repository: Option<&'a Repository>,
        from: &'a Source,
        to: &'a Source,
    ) -> Result<Self, CompareError> {
        let mut reader = ProjectReader::default();
        let mut project = |source: &Source| -> Result<Arc<Projects>, CompareError> {
            match (source, repository) {
                (Source::Git { tree, .. }, Some(repository)) => Ok(reader.read(repository, *tree)?),
                (Source::Git { .. }, None) => Ok(Arc::new(Projects::default())),
                (Source::Dir(folder), _) => {
                    let text = |name: &str| -> Result<Option<String>, CompareError> {
                        let path = folder.join(name);
                        if !path.is_file() {
                            return Ok(None);
                        }
                        Ok(Some(String::from_utf8_lossy(&read_file(&path)?).into_owned()))
                    };
                    let ignore = text(".forceignore")?;
                    let project = match text("sfdx-project.json")? {
                        Some(json) => Project::parse("", &json, ignore.as_deref()).map_err(|source| {
                            CompareError::FolderProject {
                                folder: folder.display().to_string(),
                                source,
                            }
                        })?,
                        None => {
                            let files = walk(folder)?;
                            Project::detect(files.keys().map(String::as_str), ignore.as_deref())
                        }
                    };
                    Ok(Arc::new(Projects::single(project)))
                }
            }
        };
        let projects = [project(from)?, project(to)?];
        Ok(Self {
            repository,
            sides: [from, to],
            projects,
            listed: Arc::default(),
        })
    }

    pub(super) fn projects_to(&self) -> Arc<Projects> {
        self.projects[TO].clone()
    }

    /// Files that differ, byte for byte.
    pub(super) fn changed(&self) -> Result<Vec<Pair>, CompareError> {
        if let (Some(repository), [Source::Git { tree: a, .. }, Source::Git { tree: b, .. }]) =
            (self.repository, self.sides)
        {
            let mut pairs = Vec::new();
            for change in repository.diff_trees(Some(*a), Some(*b))? {
                let path = change.path.as_str()?.to_owned();
                let place = |entry: Option<Entry>| {
                    entry.map(|e| Place {
                        path: path.clone(),
                        oid: Some(e.oid),
                    })
                };
                pairs.push(Pair {
                    from: place(change.old),
                    to: place(change.new),
                });
            }
            return Ok(pairs);
        }
        let [from, to] = [self.list(FROM)?, self.list(TO)?];
        let paths: BTreeSet<&String> = from.iter().chain(&to).map(|(place, _)| &place.path).collect();
        let find = |list: &[(Place, u64)], path: &str| {
            list.binary_search_by(|(place, _)| place.path.as_str().cmp(path))
                .ok()
                .map(|i| list[i].clone())
        };
        let mut pairs = Vec::new();
        for path in paths {
            match (find(&from, path), find(&to, path)) {
                (Some((a, size_a)), Some((b, size_b))) => {
                    let differs = size_a != size_b
                        || self.read(self.repository, FROM, &a)? != self.read(self.repository, TO, &b)?;
                    if differs {
                        pairs.push(Pair {
                            from: Some(a),
                            to: Some(b),
                        });
                    }
                }
                (a, b) => pairs.push(Pair {
                    from: a.map(|(p, _)| p),
                    to: b.map(|(p, _)| p),
                }),
            }
        }
        Ok(pairs)
    }

    /// All files of a side by path, with their sizes.
    fn list(&self, side: usize) -> Result<Vec<(Place, u64)>, CompareError> {
        let mut list = Vec::new();
        match (self.sides[side], self.repository) {
            (Source::Dir(folder), _) => {
                for (path, size) in walk(folder)? {
                    list.push((Place { path, oid: None }, size));
                }
            }
            (Source::Git { tree, .. }, Some(repository)) => {
                for (path, entry) in repository.files(*tree, "")? {
                    let size = if entry.mode.is_file() {
                        repository.blob_size(entry.oid)? as u64
                    } else {
                        0
                    };
                    list.push((
                        Place {
                            path: path.as_str()?.to_owned(),
                            oid: Some(entry.oid),
                        },
                        size,
                    ));
                }
            }
            (Source::Git { .. }, None) => {}
        }
        list.sort_by(|(a, _), (b, _)| a.path.cmp(&b.path));
        Ok(list)
    }

    fn read(&self, repository: Option<&Repository>, side: usize, place: &Place) -> Result<Vec<u8>, CompareError> {
        match (self.sides[side], place.oid, repository) {
            (Source::Dir(folder), ..) => Ok(read_file(&folder.join(&place.path))?),
            (Source::Git { .. }, Some(oid), Some(repository)) => Ok(repository.read_blob_within(oid, MAX_BYTES)?),
            (Source::Git { .. }, ..) => Ok(Vec::new()),
        }
    }

    pub(super) fn locate(&self, pair: &Pair) -> Located {
        match (&pair.to, &pair.from) {
            (Some(place), _) => self.projects[TO].locate(&place.path),
            (None, Some(place)) => self.projects[FROM].locate(&place.path),
            (None, None) => self.projects[TO].locate(""),
        }
    }

    /// Compares groups of files, each of one component, on as many threads as pay. Components that mean the
    /// same are `None`.
    pub(super) fn compare_all(
        &self,
        groups: &[(ComponentId, Vec<Pair>)],
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<Option<ComponentChange>>, CompareError> {
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(groups.len() / PARALLEL_FROM + 1);
        let next = AtomicUsize::new(0);
        let handle = self.repository.map(Repository::handle);
        let shared = Shared {
            sides: self.sides,
            projects: &self.projects,
            listed: &self.listed,
        };
        let work = |own: Option<&Repository>| -> Result<Vec<(usize, Option<ComponentChange>)>, CompareError> {
            let reader = Reader {
                repository: own,
                sides: shared.sides,
                projects: shared.projects.clone(),
                listed: shared.listed.clone(),
            };
            let mut done = Vec::new();
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some((id, pairs)) = groups.get(i) else {
                    return Ok(done);
                };
                done.push((i, reader.component(id, pairs)?));
                progress(i + 1, groups.len());
            }
        };
        let results = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .map(|_| {
                    let handle: Option<RepositoryHandle> = handle.clone();
                    let work = &work;
                    scope.spawn(move || {
                        let own = handle.map(|h| h.open()).transpose()?;
                        work(own.as_ref())
                    })
                })
                .collect();
            let mut all = vec![work(self.repository)];
            all.extend(
                others
                    .into_iter()
                    .map(|t| t.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))),
            );
            all
        });
        let mut changes = vec![None; groups.len()];
        for result in results {
            for (i, change) in result? {
                changes[i] = change;
            }
        }
        Ok(changes)
    }

    fn component(&self, id: &ComponentId, pairs: &[Pair]) -> Result<Option<ComponentChange>, CompareError> {
        let pairs = joined(pairs);
        let mut change = ComponentChange {
            id: id.clone(),
            kind: ChangeKind::Changed,
            files: Vec::new(),
            elements: Vec::new(),
            children: Vec::new(),
        };
        let (mut before, mut after, mut moved) = (false, false, false);
        for pair in &pairs {
            let bytes = |side: usize, place: &Option<Place>| {
                place.as_ref().map(|p| self.read(self.repository, side, p)).transpose()
            };
            let (a, b) = (bytes(FROM, &pair.from)?, bytes(TO, &pair.to)?);
            before |= a.is_some();
            after |= b.is_some();
            let elements = diff(id, pair.path(), a.as_deref(), b.as_deref()).map_err(|source| CompareError::Diff {
                state: format!("{} with {}", name(self.sides[FROM]), name(self.sides[TO])),
                source,
            })?;
            let is_moved = pair
                .from
                .as_ref()
                .zip(pair.to.as_ref())
                .is_some_and(|(a, b)| a.path != b.path);
            moved |= is_moved;
            if elements.is_empty() && !is_moved {
                continue;
            }
            let path = |place: &Option<Place>| place.as_ref().map(|p| p.path.clone());
            change.files.push(FileChange {
                from: path(&pair.from),
                to: path(&pair.to),
            });
            self.children(
                id,
                pair.path(),
                a.as_deref(),
                b.as_deref(),
                &elements,
                &mut change.children,
            );
            change.elements.extend(elements);
        }
        if change.files.is_empty() {
            return Ok(None);
        }
        let other = |side: usize| self.has_other_files(side, id, &pairs);
        change.kind = match (before, after) {
            (false, true) if !other(FROM)? => ChangeKind::Added,
            (true, false) if !other(TO)? => ChangeKind::Removed,
            _ if change.elements.is_empty() && moved => ChangeKind::Moved,
            _ => ChangeKind::Changed,
        };
        change.children.sort();
        change.children.dedup();
        Ok(Some(change))
    }

    /// Whether a side has files of the component besides those that differ.
    fn has_other_files(&self, side: usize, id: &ComponentId, pairs: &[Pair]) -> Result<bool, CompareError> {
        let Some(pair) = pairs.iter().min_by_key(|p| p.path().matches('/').count()) else {
            return Ok(false);
        };
        let Located::Component(file) = self.locate(pair) else {
            return Ok(false);
        };
        use syncline_metadata::component::Role;
        if matches!(file.role, Role::Whole) {
            return Ok(false);
        }
        let changed: BTreeSet<&str> = pairs.iter().map(Pair::path).collect();
        let known = self.components(side, type_folder(pair.path(), id, &self.projects[side]))?;
        let files = known.get(id).map(Vec::as_slice).unwrap_or_default();
        Ok(files.iter().any(|path| !changed.contains(path.as_str())))
    }

    /// Files below a folder of a side by component; listed once, when the first one is asked for.
    fn components(&self, side: usize, folder: &str) -> Result<Arc<Components>, CompareError> {
        // What a thread that panicked has listed is whole all the same.
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listed.get(&(side, folder.to_owned())) {
            return Ok(known.clone());
        }
        let inside = |path: &str| match folder.is_empty() {
            true => path.to_owned(),
            false => format!("{folder}/{path}"),
        };
        let mut paths = Vec::new();
        match (self.sides[side], self.repository) {
            (Source::Git { tree, .. }, Some(repository)) => {
                let root = match folder.is_empty() {
                    true => Some(*tree),
                    false => repository.tree_at(*tree, &TreePath::from(folder.to_owned()))?,
                };
                if let Some(root) = root {
                    for (path, _) in repository.files(root, "")? {
                        paths.push(inside(path.as_str()?));
                    }
                }
            }
            (Source::Dir(root), _) => {
                let at = root.join(folder);
                if at.is_dir() {
                    paths.extend(walk(&at)?.keys().map(|path| inside(path)));
                }
            }
            (Source::Git { .. }, None) => {}
        }
        let mut found = Components::new();
        for path in paths {
            if let Some(file) = self.projects[side].locate(&path).component() {
                found.entry(file.id.clone()).or_default().push(path);
            }
        }
        let found = Arc::new(found);
        listed.insert((side, folder.to_owned()), found.clone());
        Ok(found)
    }

    /// Children of a component inside its file that package.xml can name.
    fn children(
        &self,
        id: &ComponentId,
        path: &str,
        from: Option<&[u8]>,
        to: Option<&[u8]>,
        elements: &[ElementChange],
        out: &mut Vec<(ComponentId, ChangeKind)>,
    ) {
        let Some(registry) = self.projects[TO].registry_for(path) else {
            return;
        };
        if registry.by_name(&id.type_name).is_none_or(|ty| ty.children.is_empty()) {
            return;
        }
        let whole = |bytes: Option<&[u8]>, kind: ChangeKind, out: &mut Vec<(ComponentId, ChangeKind)>| {
            let text = bytes.and_then(|b| std::str::from_utf8(b).ok());
            // A file that cannot be read as XML was refused by the comparison before.
            if let Some(Ok(children)) = text.map(|t| children_of(id, t)) {
                out.extend(children.into_iter().map(|(child, _)| (child, kind)));
            }
        };
        match (from, to) {
            (None, to) => whole(to, ChangeKind::Added, out),
            (from, None) => whole(from, ChangeKind::Removed, out),
            _ => {
                for change in elements {
                    if let Some(child) = child_at(registry, &change.path) {
                        let kind = if change.path.steps.len() == 1 {
                            change.kind
                        } else {
                            ChangeKind::Changed
                        };
                        out.push((child, kind));
                    }
                }
            }
        }
    }
}

/// What threads share; a repository is not.
struct Shared<'a> {
    sides: [&'a Source; 2],
    projects: &'a [Arc<Projects>; 2],
    listed: &'a Arc<Mutex<Listed>>,
}

fn name(source: &Source) -> String {
    match source {
        Source::Git { revision, .. } => revision.clone(),
        Source::Dir(path) => path.display().to_string(),
    }
}

/// Files that only moved are joined: one that is gone and one that is new, of the same name.
fn joined(pairs: &[Pair]) -> Vec<Pair> {
    fn base_name(place: &Place) -> &str {
        place.path.rsplit('/').next().unwrap_or(&place.path)
    }
    let mut out: Vec<Pair> = Vec::new();
    let mut gone: Vec<&Place> = pairs
        .iter()
        .filter(|p| p.to.is_none())
        .filter_map(|p| p.from.as_ref())
        .collect();
    for pair in pairs {
        match (&pair.from, &pair.to) {
            (None, Some(to)) => {
                let same: Vec<usize> = (0..gone.len())
                    .filter(|i| base_name(gone[*i]) == base_name(to))
                    .collect();
                let from = match same.as_slice() {
                    [one] => Some(gone.remove(*one).clone()),
                    _ => None,
                };
                out.push(Pair {
                    from,
                    to: Some(to.clone()),
                });
            }
            (Some(_), Some(_)) => out.push(pair.clone()),
            _ => {}
        }
    }
    out.extend(gone.into_iter().map(|place| Pair {
        from: Some(place.clone()),
        to: None,
    }));
    out.sort_by(|a, b| a.path().cmp(b.path()));
    out
}

/// The folder that holds all files of a component: the one named after its type, else the file's own.
fn type_folder<'p>(path: &'p str, id: &ComponentId, project: &Projects) -> &'p str {
    let directory = project
        .registry_for(path)
        .and_then(|r| r.by_name(&id.type_name))
        .map(|ty| ty.directory)
        .unwrap_or_default();
    if !directory.is_empty()
        && let Some(at) = path.rfind(&format!("/{directory}/"))
    {
        return &path[..at + 1 + directory.len()];
    }
    if path.starts_with(&format!("{directory}/")) {
        return directory_at_start(path, directory);
    }
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn directory_at_start<'p>(path: &'p str, directory: &str) -> &'p str {
    &path[..directory.len()]
}
