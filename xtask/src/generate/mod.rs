//! Generated Salesforce repositories: realistic, of any size, the same for the same seed, with references closed.

mod access;
mod analytics;
mod automation;
mod code;
mod edit;
mod history;
mod objects;
mod org;
mod org_wide;
mod pages;
mod random;
mod repository;
#[rustfmt::skip] // Lists of words, several on a line.
mod words;
mod xml;

pub use edit::{Edit, Spot, edit, edited, free_spot, spots, together};
pub use history::{Branch, History, HistoryOptions, environment};
pub use org::{Org, SMALLEST};
pub use random::Random;
pub use repository::{API_VERSION, Content, File, Format, Place, Repository, render};
pub use xml::{Body, Element, NAMESPACE};

use std::io;
use std::path::{Path, PathBuf};

/// Why a repository could not be written.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// A file or folder could not be written.
    #[error("could not write {path}: {source}", path = path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder to write to holds something.
    #[error("{path} is not empty; name a folder that is empty or not there yet", path = path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The git program could not be started.
    #[error("could not run git, which --history needs: {0}")]
    Git(#[source] io::Error),
    /// The git program refused.
    #[error("git {command} failed: {message}")]
    GitFailed {
        /// Arguments.
        command: String,
        /// What it said.
        message: String,
    },
}

/// The repository of `components` components for `seed`, in memory.
#[must_use]
pub fn repository(components: usize, seed: u64) -> Repository {
    build(&Org::plan(components, seed))
}

/// All files of a planned org.
#[must_use]
pub fn build(org: &Org) -> Repository {
    let mut out = Repository::default();
    objects::add(org, &mut out);
    access::add(org, &mut out);
    pages::add(org, &mut out);
    automation::add(org, &mut out);
    code::add(org, &mut out);
    analytics::add(org, &mut out);
    org_wide::add(org, &mut out);
    out
}

/// A profile with `entries` field permissions, not tied to any repository: about 190 bytes an entry.
#[must_use]
pub fn loose_profile(entries: usize, seed: u64) -> Element {
    access::loose_profile(entries, seed)
}

/// Writes the repository into a folder that is empty or not there yet; returns the number of files.
///
/// # Errors
/// [`GenerateError::NotEmpty`] or [`GenerateError::Write`].
pub fn write(repository: &Repository, format: Format, folder: &Path) -> Result<usize, GenerateError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| GenerateError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    if std::fs::read_dir(folder).map_err(failed(folder))?.next().is_some() {
        return Err(GenerateError::NotEmpty {
            path: folder.to_owned(),
        });
    }
    let mut made = PathBuf::new();
    let mut count = 0;
    let rendered = repository.outputs(format).into_iter().map(|(path, indices)| {
        let files: Vec<&File> = indices.iter().map(|index| &repository.files[*index]).collect();
        (path, render(&files))
    });
    for (path, bytes) in repository.project_files(format).into_iter().chain(rendered) {
        let path = folder.join(path);
        if let Some(parent) = path.parent().filter(|parent| *parent != made) {
            std::fs::create_dir_all(parent).map_err(failed(parent))?;
            made = parent.to_owned();
        }
        std::fs::write(&path, bytes).map_err(failed(&path))?;
        count += 1;
    }
    Ok(count)
}
