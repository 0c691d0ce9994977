//! The work of a back-promotion over all targets.

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use syncline_git::{ObjectError, Oid, Program, RefError, Repository};

use super::base::{self, Base, FindBaseError, Recorded};
use super::file::{FileError, FileResult, merge_file};
use super::plan::{Case, Plan, PlanError, Trees, plan};
use super::report::{Because, Needed, Outcome, TargetReport};
use super::selection::{Inventory, SelectionError, Sides, select};
use super::write::{WriteError, write};
use super::{Asked, BackPromoteError, Job};
use crate::branch::{self, BranchError};
use crate::conflicts;
use crate::problem::Problem;
use crate::project::{ProjectReader, Projects, ReadProjectError};
use crate::state::{StateError, Target};

/// One target cannot be served; the others can.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The branch cannot be found.
    #[error(transparent)]
    State(#[from] StateError),
    /// Source and target are one branch.
    #[error("`{name}` is the source itself")]
    Itself {
        /// The branch.
        name: String,
    },
    /// The branch cannot be moved.
    #[error(transparent)]
    Branch(#[from] BranchError),
    /// The base cannot be found.
    #[error(transparent)]
    Base(#[from] FindBaseError),
    /// A project file is wrong.
    #[error(transparent)]
    Project(#[from] ReadProjectError),
    /// The selection cannot be made.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The trees cannot be compared.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file cannot be merged.
    #[error(transparent)]
    File(#[from] Arc<FileError>),
    /// A tree cannot be read.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A ref cannot be read.
    #[error(transparent)]
    Ref(#[from] RefError),
    /// The result cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl TargetError {
    /// Was somebody else faster? Then trying again helps.
    fn is_lost_race(&self) -> bool {
        match self {
            Self::Branch(error) | Self::Write(WriteError::Branch(error)) => error.is_lost_race(),
            Self::Write(WriteError::Ref(error)) => matches!(error, RefError::Moved { .. } | RefError::Locked { .. }),
            _ => false,
        }
    }
}

/// A target with everything that its result is made of.
pub(crate) struct Prepared {
    pub(crate) target: Target,
    /// Where the branch is checked out.
    pub(crate) worktree: Option<PathBuf>,
    pub(crate) recorded: Recorded,
    pub(crate) base: Base,
    pub(crate) ours: Oid,
    pub(crate) projects: Arc<Projects>,
    pub(crate) plan: Plan,
    pub(crate) needed: Vec<Needed>,
    /// The kept conflicts of this source and target, if there are any.
    pub(crate) kept: Option<Oid>,
}

type Merges = HashMap<Case, Result<FileResult, Arc<FileError>>>;

/// Serves every target and reports each.
pub(crate) fn run(
    repository: &Repository,
    job: &Job,
    targets: Vec<Asked>,
) -> Result<Vec<TargetReport>, BackPromoteError> {
    let writer = repository.batch()?;
    let mut shared = Shared::default();
    let prepared: Vec<(String, Result<Prepared, TargetError>)> = targets
        .into_iter()
        .map(|(name, target)| {
            let prepared = target
                .map_err(TargetError::from)
                .and_then(|target| prepare(&writer, job, target, &mut shared));
            (name, prepared)
        })
        .collect();
    let cases: HashSet<&Case> = prepared
        .iter()
        .filter_map(|(_, prepared)| prepared.as_ref().ok())
        .flat_map(|prepared| &prepared.plan.cases)
        .collect();
    let merges = merge_all(&writer, job, cases.into_iter().collect(), shared.writes)?;
    let mut results = Vec::new();
    for (name, prepared) in prepared {
        results.push((name, prepared.map(|prepared| (files(&prepared, &merges), prepared))));
    }
    write(repository, &writer, job, results)
}

/// The report of a target that failed.
pub(crate) fn failed(name: &str, prepared: Option<&Prepared>, error: &TargetError) -> TargetReport {
    TargetReport {
        target: prepared.map_or(name, |prepared| &prepared.target.name).to_owned(),
        branch: prepared.map(|prepared| prepared.target.branch.to_string()),
        base: prepared.map(|prepared| prepared.base.clone()),
        outcome: Outcome::Failed {
            error: Problem {
                again: error.is_lost_race(),
                ..Problem::of(error)
            },
        },
    }
}

/// What targets share.
#[derive(Default)]
struct Shared {
    projects: ProjectReader,
    base_trees: HashMap<Vec<Oid>, Option<Oid>>,
    git: Option<Program>,
    /// Whether trees or blobs were made that only the writer sees.
    writes: bool,
}

fn prepare(repository: &Repository, job: &Job, target: Target, shared: &mut Shared) -> Result<Prepared, TargetError> {
    if job.source.branch.as_deref() == target.branch.as_branch() && job.range.is_none() {
        return Err(TargetError::Itself { name: target.name });
    }
    let worktree = branch::worktree_of(repository, &target.branch, &mut shared.git)?;
    let recorded = base::recorded(repository, &job.source, &target)?;
    let base = match job.range {
        Some(range) => Base::Range { commit: range.from },
        None => base::find(repository, &job.source, &target, recorded)?,
    };
    let base_tree = match shared.base_trees.get(base.commits()) {
        Some(tree) => *tree,
        None => {
            shared.writes |= matches!(base, Base::Folded { .. });
            let tree = base::tree(repository, &base)?;
            shared.base_trees.insert(base.commits().to_vec(), tree);
            tree
        }
    };
    let (ours, whole) = (
        repository.commit_tree(target.tip)?,
        repository.commit_tree(job.source.commit)?,
    );
    let our_projects = shared.projects.read(repository, ours)?;
    let their_projects = shared.projects.read(repository, whole)?;
    let base_projects = match base_tree {
        Some(tree) => shared.projects.read(repository, tree)?,
        None => their_projects.clone(),
    };
    let (mut theirs, mut needed, mut needed_files) = (whole, Vec::new(), HashSet::new());
    if !job.selection.is_all() {
        shared.writes = true;
        let base_inventory = base_tree
            .map(|tree| Inventory::read(repository, tree, &base_projects))
            .transpose()?;
        let sides = Sides {
            base_tree,
            theirs_tree: whole,
            base: base_inventory.as_ref(),
            ours: &Inventory::read(repository, ours, &our_projects)?,
            theirs: &Inventory::read(repository, whole, &their_projects)?,
        };
        let selected = select(repository, &sides, &job.selection)?;
        theirs = selected.tree;
        needed_files = selected.needed;
        needed = selected
            .pulled_in
            .into_iter()
            .map(|pulled| Needed {
                component: pulled.component,
                because: pulled
                    .because
                    .into_iter()
                    .map(|(component, via)| Because {
                        component,
                        via: via.into(),
                    })
                    .collect(),
            })
            .collect();
    }
    let trees = Trees {
        base: base_tree,
        ours,
        theirs,
    };
    let plan = plan(
        repository,
        trees,
        [&base_projects, &our_projects, &their_projects],
        &needed_files,
    )?;
    let kept = match job.kept {
        Some(kept) => Some(kept),
        None => repository.read_ref(&conflicts::ref_of(&conflicts::id_of(job, &target))?)?,
    };
    Ok(Prepared {
        kept,
        target,
        worktree,
        recorded,
        base,
        ours,
        projects: their_projects,
        plan,
        needed,
    })
}

/// Merges every case once, spread over the processors. Blobs are on disk afterwards, except in a dry run.
fn merge_all(writer: &Repository, job: &Job, cases: Vec<&Case>, private: bool) -> Result<Merges, BackPromoteError> {
    let threads = thread::available_parallelism().map_or(2, NonZero::get).min(cases.len());
    if private || threads < 2 {
        return Ok(cases
            .into_iter()
            .map(|case| {
                let merged = merge_file(writer, case, &job.resolutions).map_err(Arc::new);
                (case.clone(), merged)
            })
            .collect());
    }
    let next = AtomicUsize::new(0);
    let merges = Mutex::new(Merges::with_capacity(cases.len()));
    let handle = writer.handle();
    let work = || -> Result<(), BackPromoteError> {
        let repository = handle.open()?.batch()?;
        let mut own = Vec::new();
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            own.push((*case, merge_file(&repository, case, &job.resolutions).map_err(Arc::new)));
        }
        if !job.dry_run {
            repository.flush()?;
        }
        let mut merges = merges.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        merges.extend(own.into_iter().map(|(case, merged)| (case.clone(), merged)));
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(result) => result,
            // A defect: let the whole program report it.
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(merges.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// The results of a target's files, in the order of its cases.
fn files(prepared: &Prepared, merges: &Merges) -> Result<Vec<FileResult>, TargetError> {
    let cases = prepared.plan.cases.iter();
    cases
        .map(|case| {
            let merged = merges.get(case).expect("the cases of all targets were merged");
            merged.clone().map_err(TargetError::from)
        })
        .collect()
}
