//! Finds the published packages the facts come from: an unpacked folder, or npm by name and version.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{TypesError, json, shape};

/// A package in a fixed version, so that two runs read the same facts.
pub(super) struct Package {
    name: &'static str,
    version: &'static str,
}

/// The registry of metadata types. Licence Apache-2.0; only facts are taken.
pub(super) const REGISTRY: Package = Package {
    name: "@salesforce/source-deploy-retrieve",
    version: "13.7.0",
};

/// The schema of the Metadata API, read for lists of plain values. Licence MIT; only facts are taken.
pub(super) const JSFORCE: Package = Package {
    name: "@jsforce/jsforce-node",
    version: "3.10.16",
};

/// An unpacked package: given by the caller, or in a temporary folder that is removed at the end.
pub(super) enum Unpacked {
    Given(PathBuf),
    Fetched(tempfile::TempDir),
}

impl Unpacked {
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Given(path) => path.clone(),
            Self::Fetched(folder) => folder.path().join("package"),
        }
    }
}

/// The given folder, or the package fetched with `npm pack`.
pub(super) fn package(given: Option<&Path>, package: &Package) -> Result<Unpacked, TypesError> {
    if let Some(path) = given {
        return Ok(Unpacked::Given(path.to_owned()));
    }
    let folder = tempfile::tempdir().map_err(|source| TypesError::Write {
        path: std::env::temp_dir(),
        source,
    })?;
    let spec = format!("{}@{}", package.name, package.version);
    eprintln!("fetching {spec}");
    let archive = execute(
        Command::new("npm")
            .args(["pack", "--silent", &spec])
            .current_dir(folder.path()),
    )?;
    execute(
        Command::new("tar")
            .args(["-xzf", archive.trim()])
            .current_dir(folder.path()),
    )?;
    Ok(Unpacked::Fetched(folder))
}

/// The version an unpacked package says it has.
pub(super) fn version(package: &Path) -> Result<String, TypesError> {
    let path = package.join("package.json");
    match json(&path)?.get("version").and_then(|version| version.as_str()) {
        Some(version) => Ok(version.to_owned()),
        None => Err(shape(&path, "there is no `version`".to_owned())),
    }
}

fn execute(command: &mut Command) -> Result<String, TypesError> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|source| TypesError::Start {
        command: shown.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(TypesError::Command {
        command: shown,
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
