//! The data of fields and objects that a package deletes, kept before it is gone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use syncline_git::{Oid, Repository};
use syncline_metadata::component::ComponentId;
use syncline_salesforce::Connection;
use syncline_salesforce::bulk::BulkQuery;
use syncline_salesforce::metadata::polling;

use super::state::State;
use super::{DeploymentError, Package};
use crate::org::convert::splice;
use crate::project::ProjectReader;

/// Data of one object that was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The object.
    pub object: String,
    /// The fields, `Id` besides.
    pub fields: Vec<String>,
    /// The file, CSV; only its owner may read it.
    pub file: PathBuf,
    /// Rows in it.
    pub rows: u64,
}

/// What has to be kept of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The object.
    pub object: String,
    /// The fields as they are asked for.
    pub fields: Vec<String>,
}

/// Fields whose values are computed: nothing is lost.
const COMPUTED: [&str; 1] = ["Summary"];
/// Objects without records that could be kept: events are gone once they were delivered, rows of custom metadata are components.
const NO_RECORDS: [&str; 2] = ["__e", "__mdt"];

/// The data that goes with the deletions of a package, by the files of the state before it.
pub fn wanted(repository: &Repository, package: &Package, before: Oid) -> Result<Vec<Wanted>, DeploymentError> {
    let state = State::read(repository, before, &mut ProjectReader::default())?;
    let mut objects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let deleted = |id: &ComponentId| {
        let object = id.full_name.split('.').next().unwrap_or_default();
        package.deletions.contains(id) || package.deletions.contains(&ComponentId::new("CustomObject", object))
    };
    for (id, files) in state.files.iter().filter(|(id, _)| &*id.type_name == "CustomField") {
        let Some((object, name)) = id.full_name.split_once('.').filter(|_| deleted(id)) else {
            continue;
        };
        if NO_RECORDS.iter().any(|suffix| object.ends_with(suffix)) {
            continue;
        }
        let Some((path, oid)) = files.first() else { continue };
        let bytes = repository.read_blob(*oid)?;
        let (_, document) = splice::parse(path, &bytes)?;
        let value = |element: &str| {
            let node = document
                .root_element()
                .children()
                .find(|node| node.tag_name().name() == element);
            node.and_then(|node| node.text()).map(str::trim)
        };
        let kind = value("type").unwrap_or_default();
        if value("formula").is_some() || COMPUTED.contains(&kind) {
            continue;
        }
        let fields = objects.entry(object.to_owned()).or_default();
        match (kind, name.strip_suffix("__c")) {
            // A compound field is asked for by its parts.
            ("Location", Some(stem)) => {
                fields.extend([format!("{stem}__Latitude__s"), format!("{stem}__Longitude__s")]);
            }
            _ => fields.push(name.to_owned()),
        }
    }
    Ok(objects
        .into_iter()
        .map(|(object, fields)| Wanted { object, fields })
        .collect())
}

/// Writes the data into a folder, a file an object. A file that is there already is whole, so it stays.
pub async fn export(connection: &Connection, wanted: &[Wanted], folder: &Path) -> Result<Vec<Kept>, DeploymentError> {
    let mut kept = Vec::new();
    if !wanted.is_empty() {
        make_folder(folder)?;
    }
    for one in wanted {
        let file = folder.join(format!("{}.csv", one.object));
        let rows = match file.is_file() {
            true => lines(&file)?,
            false => write(connection, one, &file).await?,
        };
        kept.push(Kept {
            object: one.object.clone(),
            fields: one.fields.clone(),
            file,
            rows,
        });
    }
    Ok(kept)
}

async fn write(connection: &Connection, wanted: &Wanted, file: &Path) -> Result<u64, DeploymentError> {
    let part = file.with_extension("part");
    let soql = format!("SELECT Id, {} FROM {}", wanted.fields.join(", "), wanted.object);
    let opened = private(&part).map_err(DeploymentError::file("could not write", &part))?;
    let mut to = tokio::fs::File::from_std(opened);
    let exported = connection.export(&BulkQuery::new(soql), &mut to, &polling()).await?;
    let done = async {
        tokio::io::AsyncWriteExt::flush(&mut to).await?;
        to.sync_all().await?;
        fs::rename(&part, file)
    };
    done.await.map_err(DeploymentError::file("could not write", file))?;
    Ok(exported.rows)
}

/// Rows of a file that was written before.
fn lines(file: &Path) -> Result<u64, DeploymentError> {
    let text = fs::read_to_string(file).map_err(DeploymentError::file("could not read", file))?;
    Ok(text.lines().count().saturating_sub(1) as u64)
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> Result<(), DeploymentError> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(folder)
        .map_err(DeploymentError::file("could not create the folder", folder))
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> Result<(), DeploymentError> {
    fs::create_dir_all(folder).map_err(DeploymentError::file("could not create the folder", folder))
}
