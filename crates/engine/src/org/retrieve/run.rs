//! Retrieving what was planned, and writing it.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::diff;
use syncline_salesforce::metadata::{RetrieveMessage, RetrieveRequest, polling};
use syncline_salesforce::{Connection, Error};
use tokio::task::JoinSet;

use super::inventory::{Inventory, Scope, inventory};
use super::plan::{Chunk, MOST, Plan, halves, plan};
use super::unite::unite;
use crate::org::OrgError;
use crate::org::convert::{Converted, Files, to_source};
use crate::org::deploy::project_of;

/// Retrieves at a time; the org lets more wait.
const AT_ONCE: usize = 3;
/// The folder of a zip whose components were named.
const FOLDER: &str = "unpackaged/";

/// What came back.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Files in Metadata API format, without package.xml.
    pub files: Files,
    /// What the org says: components that it could not give.
    pub messages: Vec<RetrieveMessage>,
    /// The manifest of all retrieves together.
    pub manifest: Chunk,
}

/// Told retrieves done and in all.
pub type Progress<'a> = &'a mut (dyn FnMut(usize, usize) + Send);

/// Runs the retrieves of a plan, several at a time, and unites what they bring.
pub async fn fetch(
    connection: &Connection,
    inventory: &Inventory,
    plan: &Plan,
    progress: Progress<'_>,
) -> Result<Fetched, OrgError> {
    let mut open: VecDeque<Chunk> = plan.chunks.iter().cloned().collect();
    let mut total = open.len();
    let mut running = JoinSet::new();
    let mut done: Vec<(Chunk, Files, Vec<RetrieveMessage>)> = Vec::new();
    progress(0, total);
    loop {
        while running.len() < AT_ONCE
            && let Some(chunk) = open.pop_front()
        {
            let connection = connection.clone();
            running.spawn(async move {
                let result = one(&connection, &chunk).await;
                (chunk, result)
            });
        }
        let Some(ended) = running.join_next().await else {
            break;
        };
        let (chunk, result) = ended.map_err(|error| Error::Internal {
            what: format!("a retrieve ended: {error}"),
        })?;
        match result {
            Ok((files, messages)) => {
                done.push((chunk, files, messages));
                progress(done.len(), total);
            }
            Err(error) if is_too_large(&error) => {
                let parts = halves(&chunk).ok_or(error)?;
                open.extend(parts);
                total += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
    // In the order of their members, whichever came first.
    done.sort_by(|a, b| a.0.cmp(&b.0));
    let mut fetched = Fetched::default();
    for (chunk, files, messages) in done {
        for (path, bytes) in files {
            let united = match fetched.files.get(&path) {
                Some(before) => unite(&path, type_of(&path), before, &bytes, &chunk)?,
                None => bytes,
            };
            fetched.files.insert(path, united);
        }
        for (type_name, members) in chunk {
            fetched.manifest.entry(type_name).or_default().extend(members);
        }
        for message in inventory.news(messages) {
            if !fetched.messages.contains(&message) {
                fetched.messages.push(message);
            }
        }
    }
    Ok(fetched)
}

async fn one(connection: &Connection, chunk: &Chunk) -> Result<(Files, Vec<RetrieveMessage>), Error> {
    let request = RetrieveRequest {
        types: chunk
            .iter()
            .map(|(name, members)| (name.clone(), members.iter().cloned().collect()))
            .collect(),
        packages: Vec::new(),
    };
    let mut retrieved = connection.retrieve_metadata(&request, polling()).await?;
    let mut files = Files::new();
    retrieved.zip.each(|path, bytes| {
        let inside = path.strip_prefix(FOLDER).unwrap_or(path);
        if inside != "package.xml" {
            files.insert(inside.to_owned(), bytes);
        }
        Ok::<_, Error>(())
    })?;
    Ok((files, retrieved.messages))
}

fn is_too_large(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("LIMIT_EXCEEDED") || text.contains("Too many files in retrieve call")
}

/// The type of a file that several retrieves may bring: its folder tells.
fn type_of(path: &str) -> &'static str {
    match path.split('/').next() {
        Some("profiles") => "Profile",
        Some("permissionsets") => "PermissionSet",
        Some("mutingpermissionsets") => "MutingPermissionSet",
        _ => "",
    }
}

/// What was written into a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files written.
    pub files: usize,
    /// Files that were there and mean the same; they are left as they are.
    pub same: usize,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
}

/// Writes files into a folder: in source format where it holds sfdx-project.json, in Metadata API format else.
pub fn into_folder(fetched: &Fetched, folder: &Path, version: &str) -> Result<Written, OrgError> {
    fs::create_dir_all(folder).map_err(OrgError::file("could not create the folder", folder))?;
    let converted = if folder.join("sfdx-project.json").is_file() {
        to_source(&project_of(folder)?, &fetched.files)?
    } else {
        let mut files = fetched.files.clone();
        files.insert("package.xml".to_owned(), manifest(fetched, version).into_bytes());
        Converted {
            files,
            left: Vec::new(),
        }
    };
    let mut written = Written {
        left: converted.left,
        ..Written::default()
    };
    for (path, bytes) in &converted.files {
        let full = folder.join(path);
        if fs::read(&full).is_ok_and(|before| means_the_same(path, &before, bytes)) {
            written.same += 1;
            continue;
        }
        put(&full, bytes)?;
        written.files += 1;
    }
    Ok(written)
}

/// Writes a file, and makes its folder when that is missing: asking for the folder of each of many files takes long.
fn put(path: &Path, bytes: &[u8]) -> Result<(), OrgError> {
    let written = match fs::write(path, bytes) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let parent = path.parent().unwrap_or(path);
            fs::create_dir_all(parent).map_err(OrgError::file("could not create the folder", parent))?;
            fs::write(path, bytes)
        }
        other => other,
    };
    written.map_err(OrgError::file("could not write", path))
}

/// Retrieves an org into an empty folder in source format, as a state to compare. `project` is the text of its sfdx-project.json.
pub async fn into_state(
    connection: &Connection,
    scope: &Scope,
    folder: &Path,
    project: &str,
    progress: Progress<'_>,
) -> Result<Written, OrgError> {
    let inventory = inventory(connection, scope).await?;
    let fetched = fetch(connection, &inventory, &plan(&inventory, None, MOST), progress).await?;
    let file = folder.join("sfdx-project.json");
    fs::write(&file, project).map_err(OrgError::file("could not write", &file))?;
    into_folder(&fetched, folder, &connection.api_version().to_string())
}

/// package.xml of what came back: what is in the files, by name.
fn manifest(fetched: &Fetched, version: &str) -> String {
    let mut manifest = syncline_metadata::package::PackageManifest {
        version: Some(version.into()),
        types: BTreeMap::new(),
    };
    for (type_name, members) in &fetched.manifest {
        for member in members {
            manifest.insert(type_name, member);
        }
    }
    manifest.to_string()
}

/// Whether two versions of a file differ in bytes at most.
pub(super) fn means_the_same(path: &str, before: &[u8], after: &[u8]) -> bool {
    if before == after {
        return true;
    }
    // The root element tells the type; the name is not looked at.
    let component = ComponentId::new("File", path);
    diff(&component, path, Some(before), Some(after)).is_ok_and(|changes| changes.is_empty())
}
