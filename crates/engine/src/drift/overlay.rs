//! The values of one environment on what its branch says.

use syncline_domain::config::{ConfigError, Environment};
use syncline_domain::overlay::{FOLDER, File, OverlayError as LayError, Overlays, Place, Sealed, apply};
use syncline_domain::pattern::glob;
use syncline_git::{Entry, Oid, Repository, TreeEdit, TreePath};
use syncline_metadata::component::ComponentId;

use crate::config::{self, ReadConfigError};
use crate::environment::EnvironmentError;
use crate::project::ProjectReader;

/// The overlays of an environment cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The file is wrong; the first mistake in its order.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadConfigError),
    /// A value cannot be put in.
    #[error(transparent)]
    Lay(#[from] LayError),
}

/// The text of the overlays of an environment.
pub(crate) fn overlay_text(repository: &Repository, environment: &Environment) -> Result<Option<String>, OverlayError> {
    Ok(config::read_file(
        repository,
        &format!("{FOLDER}/{}.toml", environment.name),
    )?)
}

/// The overlays of an environment; none where it has no file.
pub(crate) fn overlays(repository: &Repository, environment: &Environment) -> Result<Overlays, OverlayError> {
    match overlay_text(repository, environment)? {
        Some(text) => Ok(Overlays::check(&environment.name, &text).map_err(|mut errors| errors.swap_remove(0))?),
        None => Ok(Overlays::default()),
    }
}

/// The tree of a branch as it should be in the org of its environment. Secrets stay sealed, as they are in snapshots.
pub(crate) fn with_overlays(
    repository: &Repository,
    environment: &Environment,
    tree: Oid,
) -> Result<Oid, EnvironmentError> {
    let overlays = overlays(repository, environment)?;
    if overlays.list.is_empty() {
        return Ok(tree);
    }
    let projects = ProjectReader::default().read(repository, tree)?;
    let mut edits = Vec::new();
    for (path, entry) in repository.files(tree, "")? {
        let name = path.as_str()?;
        let Some(component) = projects.file(name).map(|file| file.id) else {
            continue;
        };
        if !entry.mode.is_file() || !concerns(&overlays, name, &component) {
            continue;
        }
        let bytes = repository.read_blob(entry.oid)?;
        let file = File {
            path: name,
            component: Some(&component),
            bytes: &bytes,
        };
        let sealed = |sealed: &Sealed| Ok(sealed.as_str().to_owned());
        let laid = apply(&overlays, file, &sealed).map_err(super::OverlayError::from)?;
        if laid.bytes != bytes {
            edits.push(TreeEdit {
                path: TreePath::from(name),
                entry: Some(Entry {
                    oid: repository.write_blob(&laid.bytes)?,
                    mode: entry.mode,
                }),
            });
        }
    }
    Ok(repository.write_edits(Some(tree), &edits)?)
}

/// Whether a file has to be read for the overlays.
fn concerns(overlays: &Overlays, path: &str, component: &ComponentId) -> bool {
    overlays.list.iter().any(|overlay| match &overlay.place {
        Place::Element(element) => element.component == *component,
        Place::Text { files, .. } => files.iter().any(|pattern| glob(pattern, path)),
    })
}
