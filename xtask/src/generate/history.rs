//! A git history over a generated repository: a base, a hotfix in production and environments with work of their own.

use super::GenerateError;
use super::edit::{Edit, Spot, edited, free_spot, spots};
use super::random::Random;
use super::repository::{Content, File, Format, Place, Repository, render};
use super::xml::{Body, Element};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Shape of the history.
#[derive(Clone, Debug)]
pub struct HistoryOptions {
    /// Components that the hotfix on `production` touches; one in 20 is new, one in 20 removed.
    pub hotfix: usize,
    /// Number of environment branches.
    pub branches: usize,
    /// Files that each environment changed beside the hotfix.
    pub own: usize,
    /// Files of the hotfix that each environment changed elsewhere in the file.
    pub overlap: usize,
    /// Files of the hotfix that each environment changed at the same place.
    pub conflicts: usize,
    /// A repository without working tree.
    pub bare: bool,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            hotfix: 40,
            branches: 3,
            own: 60,
            overlap: 6,
            conflicts: 2,
            bare: false,
        }
    }
}

/// What the history holds.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Files of the base commit, project files included.
    pub files: usize,
    /// `production` first, then the environments.
    pub branches: Vec<Branch>,
}

/// One branch: one commit on top of the base, which is `main`.
#[derive(Clone, Debug, Default)]
pub struct Branch {
    /// Name of the branch.
    pub name: String,
    /// Paths that differ from the base.
    pub changed: BTreeSet<String>,
    /// Paths changed here and by the hotfix at the same place.
    pub conflicting: BTreeSet<String>,
}

/// Name of the environment branch of that number: integration, uat, staging, then dev1, dev2 …
#[must_use]
pub fn environment(number: usize) -> String {
    match number {
        0 => "integration".to_owned(),
        1 => "uat".to_owned(),
        2 => "staging".to_owned(),
        more => format!("dev{}", more - 2),
    }
}

impl History {
    /// Writes `repository` with its branches as a new git repository into an empty folder; `main` is checked out.
    ///
    /// # Errors
    /// [`GenerateError::Git`], [`GenerateError::GitFailed`], [`GenerateError::Write`] or [`GenerateError::NotEmpty`].
    pub fn write(
        repository: &Repository,
        seed: u64,
        format: Format,
        options: &HistoryOptions,
        folder: &Path,
    ) -> Result<Self, GenerateError> {
        let failed = |source| GenerateError::Write {
            path: folder.to_owned(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(GenerateError::NotEmpty {
                path: folder.to_owned(),
            });
        }
        let init: &[&str] = if options.bare {
            &["init", "--quiet", "--bare", "-b", "main"]
        } else {
            &["init", "--quiet", "-b", "main"]
        };
        git(folder, init)?;
        let mut child = Command::new("git")
            .args(["fast-import", "--quiet"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(GenerateError::Git)?;
        let stdin = child.stdin.take().expect("the pipe was asked for");
        let written = Stream {
            out: BufWriter::with_capacity(1 << 20, stdin),
            mark: 0,
        }
        .history(repository, seed, format, options);
        let output = child.wait_with_output().map_err(GenerateError::Git)?;
        if !output.status.success() {
            return Err(refused("fast-import", &output.stderr));
        }
        let history = written.map_err(failed)?;
        if !options.bare {
            git(folder, &["reset", "--quiet", "--hard", "main"])?;
        }
        Ok(history)
    }
}

/// A set of changes on top of the base.
#[derive(Default)]
struct Overlay {
    /// Changed or removed files by index.
    files: BTreeMap<usize, Option<File>>,
    added: Vec<File>,
    conflicting: BTreeSet<usize>,
}

struct Stream<W: Write> {
    out: W,
    mark: u64,
}

impl<W: Write> Stream<W> {
    fn history(
        mut self,
        repository: &Repository,
        seed: u64,
        format: Format,
        options: &HistoryOptions,
    ) -> std::io::Result<History> {
        let outputs = repository.outputs(format);
        let mut files = repository.project_files(format).len();
        let base = self.commit("main", "Start from production", None)?;
        for (path, bytes) in repository.project_files(format) {
            self.file(&path, Some(&bytes))?;
        }
        for (path, indices) in &outputs {
            let parts: Vec<&File> = indices.iter().map(|index| &repository.files[*index]).collect();
            self.file(path, Some(&render(&parts)))?;
            files += 1;
        }
        let (hotfix, touched) = hotfix(repository, &mut Random::fork(seed, "hotfix"), options.hotfix);
        let mut history = History {
            files,
            branches: Vec::new(),
        };
        self.commit("production", "Correct what customers reported", Some(base))?;
        history
            .branches
            .push(self.overlay(repository, format, &outputs, "production", &hotfix)?);
        for number in 0..options.branches {
            let name = environment(number);
            let mut random = Random::fork(seed, &format!("environment {name}"));
            let overlay = work(repository, &mut random, &name, &touched, &hotfix, options);
            self.commit(&name, &format!("Work of {name}"), Some(base))?;
            history
                .branches
                .push(self.overlay(repository, format, &outputs, &name, &overlay)?);
        }
        self.out.flush()?;
        Ok(history)
    }

    fn commit(&mut self, branch: &str, message: &str, from: Option<u64>) -> std::io::Result<u64> {
        self.mark += 1;
        // A fixed time keeps the commit ids the same for the same seed.
        write!(
            self.out,
            "commit refs/heads/{branch}\nmark :{}\ncommitter Generator <generator@example.com> 1700000000 +0000\ndata {}\n{message}\n",
            self.mark,
            message.len()
        )?;
        if let Some(from) = from {
            writeln!(self.out, "from :{from}")?;
        }
        Ok(self.mark)
    }

    fn file(&mut self, path: &str, bytes: Option<&[u8]>) -> std::io::Result<()> {
        match bytes {
            None => writeln!(self.out, "D {path}"),
            Some(bytes) => {
                write!(self.out, "M 100644 inline {path}\ndata {}\n", bytes.len())?;
                self.out.write_all(bytes)?;
                self.out.write_all(b"\n")
            }
        }
    }

    fn overlay(
        &mut self,
        repository: &Repository,
        format: Format,
        outputs: &BTreeMap<String, Vec<usize>>,
        name: &str,
        overlay: &Overlay,
    ) -> std::io::Result<Branch> {
        let mut branch = Branch {
            name: name.to_owned(),
            ..Branch::default()
        };
        let path = |index: &usize| repository.files[*index].place.path(format);
        branch.changed = overlay.files.keys().map(path).collect();
        branch
            .changed
            .extend(overlay.added.iter().map(|file| file.place.path(format)));
        branch.conflicting = overlay.conflicting.iter().map(path).collect();
        for path in &branch.changed {
            let known = outputs.get(path).map(Vec::as_slice).unwrap_or_default().iter();
            let mut parts: Vec<&File> = known
                .filter_map(|index| {
                    overlay
                        .files
                        .get(index)
                        .map_or(Some(&repository.files[*index]), Option::as_ref)
                })
                .collect();
            parts.extend(overlay.added.iter().filter(|file| file.place.path(format) == *path));
            let bytes = (!parts.is_empty()).then(|| render(&parts));
            self.file(path, bytes.as_deref())?;
        }
        Ok(branch)
    }
}

/// Types whose components nothing refers to.
const LOOSE: &[&str] = &["ListView", "CustomMetadata"];

fn hotfix(repository: &Repository, random: &mut Random, count: usize) -> (Overlay, Vec<(usize, Spot)>) {
    let mut overlay = Overlay::default();
    let mut touched = Vec::new();
    let loose: Vec<usize> = indices(repository, |file| LOOSE.contains(&file.component.0));
    let few = if loose.is_empty() {
        0
    } else {
        (count / 20).min(loose.len())
    };
    for (number, place) in random.sample(loose.len(), 2 * few).into_iter().enumerate() {
        let index = loose[place];
        if number < few {
            overlay.files.insert(index, None);
        } else {
            overlay.added.extend(renamed(&repository.files[index]));
        }
    }
    // A hotfix usually touches the widest profile.
    let profile = repository.files.iter().position(|file| file.component.0 == "Profile");
    let order = profile
        .into_iter()
        .chain(random.sample(repository.files.len(), repository.files.len()));
    let mut components: BTreeSet<_> = overlay
        .files
        .keys()
        .map(|index| repository.files[*index].component.clone())
        .collect();
    for index in order {
        if components.len() + overlay.added.len() >= count {
            break;
        }
        let file = &repository.files[index];
        let spots = spots(file);
        // Two places at least, so that an environment can change the file elsewhere.
        let two = spots
            .first()
            .is_some_and(|first| spots.iter().any(|spot| !super::together(first, spot)));
        if !two || !components.insert(file.component.clone()) {
            continue;
        }
        let spot = random.pick(&spots).clone();
        overlay
            .files
            .insert(index, Some(edited(file, &spot, Edit::Change("Corrected."))));
        touched.push((index, spot));
    }
    (overlay, touched)
}

fn work(
    repository: &Repository,
    random: &mut Random,
    name: &str,
    touched: &[(usize, Spot)],
    hotfix: &Overlay,
    options: &HistoryOptions,
) -> Overlay {
    let mut overlay = Overlay::default();
    let word = format!("Changed in {name}.");
    let mut order = random
        .sample(touched.len(), touched.len())
        .into_iter()
        .map(|at| &touched[at]);
    for (index, spot) in order.by_ref().take(options.conflicts) {
        let file = &repository.files[*index];
        let other = edited(file, spot, Edit::Change(&word));
        // A flag can only be turned one way: there the other side removes the entry.
        let same = hotfix
            .files
            .get(index)
            .and_then(Option::as_ref)
            .is_some_and(|fixed| fixed.content == other.content);
        let other = if same { edited(file, spot, Edit::Remove) } else { other };
        overlay.files.insert(*index, Some(other));
        overlay.conflicting.insert(*index);
    }
    for (index, spot) in order.take(options.overlap) {
        let file = &repository.files[*index];
        if let Some(free) = free_spot(random, &spots(file), &[spot]) {
            overlay
                .files
                .insert(*index, Some(edited(file, &free, Edit::Change(&word))));
        }
    }
    let mut own = 0;
    for index in random.sample(repository.files.len(), repository.files.len()) {
        if own == options.own {
            break;
        }
        let file = &repository.files[index];
        if hotfix.files.contains_key(&index) || overlay.files.contains_key(&index) {
            continue;
        }
        if let Some(spot) = free_spot(random, &spots(file), &[]) {
            overlay
                .files
                .insert(index, Some(edited(file, &spot, Edit::Change(&word))));
            own += 1;
        }
    }
    overlay
}

fn indices(repository: &Repository, pass: impl Fn(&File) -> bool) -> Vec<usize> {
    repository
        .files
        .iter()
        .enumerate()
        .filter(|(_, file)| pass(file))
        .map(|(index, _)| index)
        .collect()
}

/// A copy of a component under a new name; none where its place does not follow from the name.
fn renamed(file: &File) -> Option<File> {
    let mut copy = file.clone();
    let full_name = &copy.component.1;
    let (owner, name) = full_name.split_once('.')?;
    let new = format!("{name}_Hotfix");
    let swap = |path: &str| path.replace(&format!("{name}."), &format!("{new}."));
    copy.place = match &file.place {
        Place::Xml(path) => Place::Xml(swap(path)),
        Place::Child { source, owner, list } => Place::Child {
            source: swap(source),
            owner: owner.clone(),
            list,
        },
        Place::Both(_) | Place::Split { .. } => return None,
    };
    copy.component.1 = format!("{owner}.{new}").into();
    if let Content::Xml(root) = &mut copy.content {
        for child in root.children_mut()?.iter_mut().filter(|child| child.name == "fullName") {
            *child = Element {
                body: Body::Text(new.clone()),
                ..child.clone()
            };
        }
    }
    Some(copy)
}

fn git(folder: &Path, arguments: &[&str]) -> Result<(), GenerateError> {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(GenerateError::Git)?;
    if output.status.success() {
        Ok(())
    } else {
        Err(refused(&arguments.join(" "), &output.stderr))
    }
}

fn refused(command: &str, stderr: &[u8]) -> GenerateError {
    GenerateError::GitFailed {
        command: command.to_owned(),
        message: String::from_utf8_lossy(stderr).trim().to_owned(),
    }
}
