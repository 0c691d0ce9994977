//! What a merge of three trees has to do: edits that ids settle, and files that both sides changed.
//!
//! A file is known by its component, not by its path: one that a side moved to another package directory is merged
//! with what the other side did to it where it was.

use std::collections::{BTreeMap, HashMap, HashSet};

use syncline_git::{
    BothChanged, Entry, NotUtf8, ObjectError, Oid, Repository, ThreeWay, TreeChange, TreeEdit, TreePath,
};
use syncline_metadata::component::{ComponentFile, ComponentId, Format, Role};

use crate::project::Projects;

/// Three trees; `None` is the empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trees {
    pub(crate) base: Option<Oid>,
    pub(crate) ours: Oid,
    pub(crate) theirs: Oid,
}

/// The work of one merge.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What only they changed, as edits onto ours.
    pub(crate) edits: Vec<TreeEdit>,
    /// The paths among the edits that are new.
    pub(crate) added: HashSet<TreePath>,
    /// What has to be merged.
    pub(crate) cases: Vec<Case>,
}

/// One file to be merged. Equal cases have equal results, whatever the target.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Case {
    /// Where the result stands.
    pub(crate) path: TreePath,
    /// The component it belongs to, `File:PATH` for other files.
    pub(crate) component: ComponentId,
    /// Base, ours and theirs with their paths.
    pub(crate) sides: [Option<(TreePath, Entry)>; 3],
    /// Why it needs more than a merge of its content.
    pub(crate) kind: CaseKind,
    /// The files beneath a directory that stands in the file's way, from ours to theirs.
    pub(crate) beneath: Vec<Beneath>,
}

/// A file beneath a directory that stands in a file's way: its path, our entry and theirs.
pub(crate) type Beneath = (TreePath, Option<Entry>, Option<Entry>);

/// Why a case needs more than a merge of its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CaseKind {
    /// It does not.
    Content,
    /// Both sides moved the file, to different places.
    MovedApart,
    /// One side has a file, the other a directory.
    FileAndDirectory,
    /// What comes in needs the file, and we deleted it.
    Needed,
}

/// A plan cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A tree cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A path is not UTF-8.
    #[error(transparent)]
    NotUtf8(#[from] NotUtf8),
    /// A path has control characters.
    #[error("the path \"{path}\" has control characters; rename the file in the source")]
    Control {
        /// The path.
        path: TreePath,
    },
}

/// What a file is to its component, without the package directory it lies in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct FileKey {
    id: ComponentId,
    format: Format,
    part: String,
}

/// Where the files of one side came from and went to.
#[derive(Default)]
struct Moves {
    /// Changes against the base by path.
    changes: HashMap<TreePath, (Option<Entry>, Option<Entry>)>,
    /// Files that are gone at one place and new at exactly one other.
    moved: BTreeMap<TreePath, TreePath>,
    /// New files that did not come from elsewhere.
    added: BTreeMap<FileKey, TreePath>,
}

/// Plans the merge. `projects` tell the components of base, ours and theirs; `needed` are paths of the source that must
/// come in.
pub(crate) fn plan(
    repository: &Repository,
    trees: Trees,
    projects: [&Projects; 3],
    needed: &HashSet<TreePath>,
) -> Result<Plan, PlanError> {
    let three = repository.three_way(trees.base, trees.ours, trees.theirs)?;
    check_paths(&three)?;
    let incoming = repository.diff_trees(trees.base, Some(trees.theirs))?;
    let mut planner = Planner {
        repository,
        trees,
        projects,
        cases: Vec::new(),
        settled: HashSet::new(),
    };
    let added = incoming.iter().filter(|change| change.old.is_none());
    let added = added.map(|change| change.path.clone()).collect();
    let moves = |change: &TreeChange| change.old.is_none() || change.new.is_none();
    if incoming.iter().any(moves) || three.both.iter().any(|both| both.ours.is_none()) {
        let outgoing = repository.diff_trees(trees.base, Some(trees.ours))?;
        let ours = Moves::of(outgoing, projects[0], projects[1]);
        let theirs = Moves::of(incoming, projects[0], projects[2]);
        planner.follow(&ours, &theirs);
        planner.join_added(&ours, &theirs)?;
    }
    planner.add_needed(needed)?;
    let Planner { cases, settled, .. } = planner;
    let mut plan = Plan {
        edits: three.theirs_only,
        added,
        cases,
    };
    plan.edits.retain(|edit| !settled.contains(&edit.path));
    for both in three.both {
        if settled.contains(&both.path) {
            continue;
        }
        match both.settled_by_id() {
            Some(entry) => plan.edits.push(TreeEdit {
                path: both.path,
                entry: Some(entry),
            }),
            None => plan.cases.push(case_of(both, projects)),
        }
    }
    plan.cases.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(plan)
}

struct Planner<'a> {
    repository: &'a Repository,
    trees: Trees,
    projects: [&'a Projects; 3],
    cases: Vec<Case>,
    /// Paths that a case of ours decides.
    settled: HashSet<TreePath>,
}

impl Planner<'_> {
    /// Merges files that a side moved with what the other side did to them.
    fn follow(&mut self, ours: &Moves, theirs: &Moves) {
        let base = |path: &TreePath| {
            let change = ours.changes.get(path).or_else(|| theirs.changes.get(path));
            change.and_then(|(old, _)| old.map(|entry| (path.clone(), entry)))
        };
        for (from, to) in &theirs.moved {
            let new = theirs.entry(to);
            match ours.moved.get(from) {
                Some(our_place) if our_place == to => {
                    self.case(to, [base(from), ours.entry(to), new], CaseKind::Content, &[to]);
                }
                Some(our_place) => {
                    let sides = [base(from), ours.entry(our_place), new];
                    self.case(our_place, sides, CaseKind::MovedApart, &[to]);
                }
                // Something of ours stands where they moved it: two files, each on its own.
                None if ours.changes.contains_key(to) => {}
                None => match ours.changes.get(from) {
                    None => {}
                    Some((_, ours)) => {
                        let ours = ours.map(|entry| (from.clone(), entry));
                        self.case(to, [base(from), ours, new], CaseKind::Content, &[from, to]);
                    }
                },
            }
        }
        for (from, to) in &ours.moved {
            if theirs.moved.contains_key(from) || theirs.changes.contains_key(to) {
                continue;
            }
            if let Some((_, change)) = theirs.changes.get(from) {
                let theirs = change.map(|entry| (from.clone(), entry));
                self.case(to, [base(from), ours.entry(to), theirs], CaseKind::Content, &[from]);
            }
        }
    }

    /// One component that both sides added, at different places, is one file: ours says where.
    fn join_added(&mut self, ours: &Moves, theirs: &Moves) -> Result<(), PlanError> {
        let mut known: Option<HashSet<FileKey>> = None;
        for (key, to) in &theirs.added {
            let Some(our_place) = ours.added.get(key).filter(|place| *place != to) else {
                continue;
            };
            if known.is_none() {
                known = Some(self.base_keys()?);
            }
            // A component that the base has in several package directories may come to one more.
            if known.as_ref().is_some_and(|known| known.contains(key)) {
                continue;
            }
            let sides = [None, ours.entry(our_place), theirs.entry(to)];
            self.case(our_place, sides, CaseKind::Content, &[to]);
        }
        Ok(())
    }

    /// What we deleted and they left alone, though what comes in needs it.
    fn add_needed(&mut self, needed: &HashSet<TreePath>) -> Result<(), PlanError> {
        let Some(base) = self.trees.base else { return Ok(()) };
        let mut paths: Vec<_> = needed.iter().collect();
        paths.sort_unstable();
        for path in paths {
            let at = |tree| self.repository.entry_at(tree, path);
            let (base, ours, theirs) = (at(base)?, at(self.trees.ours)?, at(self.trees.theirs)?);
            if let (Some(base), None, Some(theirs)) = (base, ours, theirs)
                && !self.settled.contains(path)
            {
                let sides = [Some((path.clone(), base)), None, Some((path.clone(), theirs))];
                self.case(path, sides, CaseKind::Needed, &[path]);
            }
        }
        Ok(())
    }

    fn base_keys(&self) -> Result<HashSet<FileKey>, PlanError> {
        let Some(base) = self.trees.base else {
            return Ok(HashSet::new());
        };
        let files = self.repository.files(base, "")?;
        Ok(files
            .iter()
            .filter_map(|(path, _)| key(self.projects[0], path))
            .collect())
    }

    fn case(&mut self, path: &TreePath, sides: [Option<(TreePath, Entry)>; 3], kind: CaseKind, settled: &[&TreePath]) {
        self.settled.extend(settled.iter().map(|path| (*path).clone()));
        self.cases.push(Case {
            path: path.clone(),
            component: component(path, self.projects),
            sides,
            kind,
            beneath: Vec::new(),
        });
    }
}

impl Moves {
    fn of(changes: Vec<TreeChange>, before: &Projects, after: &Projects) -> Self {
        let mut moves = Self::default();
        let mut gone: BTreeMap<FileKey, Vec<TreePath>> = BTreeMap::new();
        let mut new: BTreeMap<FileKey, Vec<TreePath>> = BTreeMap::new();
        for TreeChange { path, old, new: now } in changes {
            let (list, project) = match (old, now) {
                (Some(_), None) => (Some(&mut gone), before),
                (None, Some(_)) => (Some(&mut new), after),
                _ => (None, after),
            };
            if let Some(list) = list
                && let Some(key) = key(project, &path)
            {
                list.entry(key).or_default().push(path.clone());
            }
            moves.changes.insert(path, (old, now));
        }
        for (key, places) in new {
            let [place] = places.as_slice() else { continue };
            match gone.get(&key).map(Vec::as_slice) {
                Some([from]) => drop(moves.moved.insert(from.clone(), place.clone())),
                Some(_) => {}
                None => drop(moves.added.insert(key, place.clone())),
            }
        }
        moves
    }

    /// What stands at a path that this side changed.
    fn entry(&self, path: &TreePath) -> Option<(TreePath, Entry)> {
        let (_, now) = self.changes.get(path)?;
        now.map(|entry| (path.clone(), entry))
    }
}

/// Which file of which component a path is, wherever its package directory lies.
fn key(projects: &Projects, path: &TreePath) -> Option<FileKey> {
    let path = path.as_str().ok()?;
    let ComponentFile { id, format, role, .. } = projects.file(path)?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let part = match role {
        Role::Whole => String::new(),
        Role::Content => "content".to_owned(),
        Role::Descriptor => "descriptor".to_owned(),
        Role::Part { child_type } => format!("{child_type}/{name}"),
        Role::BundleMember => {
            let bundle = id.full_name.rsplit('/').next().unwrap_or_default();
            let marker = format!("/{bundle}/");
            let inside = path.rfind(&marker).map_or(name, |at| &path[at + marker.len()..]);
            format!("member/{inside}")
        }
    };
    Some(FileKey { id, format, part })
}

fn case_of(both: BothChanged, projects: [&Projects; 3]) -> Case {
    let BothChanged {
        path,
        base,
        ours,
        theirs,
        beneath,
    } = both;
    Case {
        component: component(&path, projects),
        sides: [base, ours, theirs].map(|entry| entry.map(|entry| (path.clone(), entry))),
        kind: match beneath.is_empty() {
            true => CaseKind::Content,
            false => CaseKind::FileAndDirectory,
        },
        beneath: beneath
            .into_iter()
            .map(|file| (file.path, file.old, file.new))
            .collect(),
        path,
    }
}

/// The component of a path by any of the three projects.
fn component(path: &TreePath, [base, ours, theirs]: [&Projects; 3]) -> ComponentId {
    let text = path.to_string();
    let found = [theirs, ours, base].iter().find_map(|projects| projects.file(&text));
    found.map_or_else(|| ComponentId::new("File", text), |file| file.id)
}

/// Refuses incoming names that no metadata file has and that no terminal should be shown. Names like `..` and `.git` are
/// refused when a tree is read.
fn check_paths(three: &ThreeWay) -> Result<(), PlanError> {
    let both = three.both.iter().map(|both| &both.path);
    for path in three.theirs_only.iter().map(|edit| &edit.path).chain(both) {
        if path.as_str()?.chars().any(char::is_control) {
            return Err(PlanError::Control { path: path.clone() });
        }
    }
    Ok(())
}
