//! Deployments of a folder, in source or Metadata API format.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use syncline_metadata::component::{ComponentId, Located, Project, children_of};
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::registry::{Adapter, Registry};
use syncline_salesforce::metadata::{ArchiveWriter, DeployIntent, DeployOptions, DeployResult, TestLevel, polling};
use syncline_salesforce::{ApiVersion, Connection};

use super::convert::{self, Files};
use super::error::OrgError;
use crate::source::{read_file, walk};

/// What to deploy, and how.
#[derive(Debug, Clone, Default)]
pub struct Deployment {
    /// The files, with package.xml.
    pub zip: Bytes,
    /// The options.
    pub options: DeployOptions,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
    /// Number of components.
    pub components: usize,
}

/// What a person asks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The folder.
    pub folder: PathBuf,
    /// Only try.
    pub check_only: bool,
    /// Which tests run.
    pub tests: Option<TestLevel>,
    /// Names of test classes.
    pub run: Vec<String>,
    /// What to delete: a file like package.xml.
    pub destructive: Option<PathBuf>,
}

/// Reads the folder and makes the zip, without asking the org for anything.
pub fn prepare(asked: &Asked, version: ApiVersion) -> Result<Deployment, OrgError> {
    let folder = &asked.folder;
    let project = project_of(folder)?;
    let mut files = Files::new();
    for path in walk(folder)?.into_keys() {
        if is_wanted(&project, &path) {
            files.insert(path.clone(), read_file(&folder.join(&path))?);
        }
    }
    let manifest = read_manifest(&folder.join("package.xml"))?;
    let destructive = match &asked.destructive {
        Some(path) => Some(read_manifest(path)?.ok_or_else(|| OrgError::Argument {
            what: format!("there is no file {}", path.display()),
            hint: "`syncline diff A B --package-xml DIR` writes one",
        })?),
        None => None,
    };
    let packed = pack(&project, &files, manifest, version)?;
    if packed.components == 0 && destructive.is_none() {
        return Err(OrgError::Argument {
            what: format!("{} holds no metadata", folder.display()),
            hint: "give the folder with sfdx-project.json or package.xml",
        });
    }
    let mut files = packed.files;
    if let Some(destructive) = destructive {
        if destructive.types.values().any(|members| members.contains("*")) {
            return Err(OrgError::Argument {
                what: "the list of deletions has `*`, which deletes nothing".to_owned(),
                hint: "name each component",
            });
        }
        let name = match asked.destructive.as_ref().and_then(|path| path.file_name()?.to_str()) {
            Some("destructiveChangesPre.xml") => "destructiveChangesPre.xml",
            Some("destructiveChanges.xml") => "destructiveChanges.xml",
            _ => "destructiveChangesPost.xml",
        };
        files.insert(name.to_owned(), destructive.to_string().into_bytes());
    }
    let test_level = match (asked.tests, asked.run.is_empty()) {
        (Some(level), _) => Some(level),
        (None, false) => Some(TestLevel::RunSpecifiedTests),
        (None, true) => None,
    };
    Ok(Deployment {
        zip: zip(&files)?,
        options: DeployOptions {
            check_only: asked.check_only,
            run_tests: asked.run.clone(),
            test_level,
            ..DeployOptions::default()
        },
        left: packed.left,
        components: packed.components,
    })
}

/// Files as they are sent.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    /// Files in Metadata API format, with package.xml.
    pub files: Files,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
    /// Number of components.
    pub components: usize,
}

/// Brings the files of a project to the form in which they are sent. Without a manifest, everything that they hold is named.
pub fn pack(
    project: &Project,
    files: &Files,
    manifest: Option<PackageManifest>,
    version: ApiVersion,
) -> Result<Packed, OrgError> {
    let converted = convert::to_metadata_api(project, files)?;
    let mut files = converted.files;
    let manifest = manifest.unwrap_or_else(|| manifest_of(&files, version));
    files.insert("package.xml".to_owned(), manifest.to_string().into_bytes());
    Ok(Packed {
        files,
        left: converted.left,
        components: manifest.types.values().map(std::collections::BTreeSet::len).sum(),
    })
}

/// Files as a zip.
pub fn zip(files: &Files) -> Result<Bytes, OrgError> {
    let mut archive = ArchiveWriter::default();
    for (path, bytes) in files {
        archive.add(path, bytes)?;
    }
    Ok(archive.finish()?)
}

/// What to do at the moments of a deployment.
pub struct Watch<'a> {
    /// Called before it is sent.
    pub intent: &'a (dyn Fn(&DeployIntent) -> Result<(), String> + Send + Sync),
    /// Called with its id once it is known.
    pub started: &'a mut (dyn FnMut(&str) + Send),
    /// Called with what is known each time the org is asked.
    pub progress: &'a mut (dyn FnMut(&DeployResult) + Send),
}

/// Sends a deployment and waits for its end, good or bad.
pub async fn deploy(
    connection: &Connection,
    deployment: Deployment,
    watch: Watch<'_>,
) -> Result<DeployResult, OrgError> {
    let id = connection
        .start_deploy(deployment.zip, &deployment.options, watch.intent)
        .await?;
    (watch.started)(&id);
    Ok(connection.finish_deploy(&id, polling(), watch.progress).await?)
}

/// Deploys what a validation has proved, and waits.
pub async fn quick(connection: &Connection, validation: &str, watch: Watch<'_>) -> Result<DeployResult, OrgError> {
    let id = connection.quick_deploy(validation, watch.intent).await?;
    (watch.started)(&id);
    Ok(connection.finish_deploy(&id, polling(), watch.progress).await?)
}

/// Waits for the end of a deployment that was sent before, good or bad.
pub async fn watch(
    connection: &Connection,
    id: &str,
    progress: &mut (dyn FnMut(&DeployResult) + Send),
) -> Result<DeployResult, OrgError> {
    Ok(connection.finish_deploy(id, polling(), progress).await?)
}

/// Cancels a deployment and waits for its end: it may have been too late.
pub async fn cancel(
    connection: &Connection,
    id: &str,
    progress: &mut (dyn FnMut(&DeployResult) + Send),
) -> Result<DeployResult, OrgError> {
    connection.cancel_deploy(id).await?;
    watch(connection, id, progress).await
}

/// What became of a deployment that an earlier run sent and did not see the end of; `None` when the org does not show it.
pub async fn earlier(connection: &Connection, intent: &DeployIntent) -> Result<Option<DeployResult>, OrgError> {
    match connection.find_deploy(intent).await? {
        Some(id) => Ok(Some(connection.deploy_status(&id, false).await?)),
        None => Ok(None),
    }
}

/// The project of a folder: its sfdx-project.json, or what lies in it.
pub(crate) fn project_of(folder: &Path) -> Result<Project, OrgError> {
    let text = |name: &str| -> Result<Option<String>, OrgError> {
        let path = folder.join(name);
        if !path.is_file() {
            return Ok(None);
        }
        Ok(Some(String::from_utf8_lossy(&read_file(&path)?).into_owned()))
    };
    let ignore = text(".forceignore")?;
    match text("sfdx-project.json")? {
        Some(json) => Project::parse("", &json, ignore.as_deref()).map_err(|error| OrgError::Argument {
            what: format!("{}: {error}", folder.join("sfdx-project.json").display()),
            hint: "correct the file",
        }),
        None => {
            let files = walk(folder)?;
            let found = Project::detect(files.keys().map(String::as_str), ignore.as_deref());
            // A folder with the types' folders right in it.
            Ok(match found.package_directories().is_empty() {
                true => Project::metadata_api([""], ignore.as_deref()),
                false => found,
            })
        }
    }
}

/// Whether a file is worth reading.
fn is_wanted(project: &Project, path: &str) -> bool {
    matches!(
        project.locate(path),
        Located::Component(_) | Located::Unknown(_) | Located::Ignored(_)
    )
}

fn read_manifest(path: &Path) -> Result<Option<PackageManifest>, OrgError> {
    if !path.is_file() {
        return Ok(None);
    }
    let text = fs::read_to_string(path).map_err(OrgError::file("could not read", path))?;
    let manifest = PackageManifest::parse(&text).map_err(|source| OrgError::Manifest {
        path: path.to_owned(),
        source,
    })?;
    Ok(Some(manifest))
}

/// package.xml for files in Metadata API format: each component by name, and the children inside files.
fn manifest_of(files: &Files, version: ApiVersion) -> PackageManifest {
    let flat = Project::metadata_api([""], None);
    let mut manifest = PackageManifest {
        version: Some(version.to_string().into()),
        ..PackageManifest::default()
    };
    for (path, bytes) in files {
        let Located::Component(file) = flat.locate(path) else {
            continue;
        };
        let id = &file.id;
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        // Parts of standard objects count only when they are named. A file that is no XML has no parts; the org says what is wrong with it.
        let children = children_of(id, text).unwrap_or_default();
        if children.is_empty() || !is_only_parts(id, text, children.len()) {
            manifest.insert(package_type(&id.type_name), &id.full_name);
        }
        for (child, _) in children {
            manifest.insert(&child.type_name, &child.full_name);
        }
    }
    manifest
}

/// Whether a file brings parts of an object and nothing of the object itself, which is then not deployed.
fn is_only_parts(id: &ComponentId, text: &str, parts: usize) -> bool {
    let decomposed = Registry::standard()
        .by_name(&id.type_name)
        .is_some_and(|kind| kind.adapter == Adapter::Decomposed);
    let elements = |document: &roxmltree::Document<'_>| {
        document
            .root_element()
            .children()
            .filter(roxmltree::Node::is_element)
            .count()
    };
    decomposed && roxmltree::Document::parse(text).is_ok_and(|document| elements(&document) == parts)
}

/// Folders stand among what they hold in package.xml.
fn package_type(type_name: &str) -> &str {
    Registry::standard()
        .by_name(type_name)
        .and_then(|kind| kind.folder_content)
        .unwrap_or(type_name)
}
