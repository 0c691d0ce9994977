//! Writing what is retrieved into a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use syncline_metadata::component::{ComponentId, Project};
use syncline_metadata::diff::diff;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::registry::Registry;
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::RetrieveMessage;

use super::inventory::{Inventory, Scope, inventory};
use super::plan::{DEPENDENT, MOST, Plan, plan};
use super::run::{Progress, fetch_by};
use crate::org::OrgError;
use crate::org::convert::{Converted, Files, to_source};
use crate::org::deploy::project_of;

/// What was written into a folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files written.
    pub files: usize,
    /// Files that were there and mean the same; they are left as they are.
    pub same: usize,
    /// Files that were left out, and why.
    pub left: Vec<(String, String)>,
    /// What the org says: components that it could not give.
    pub messages: Vec<RetrieveMessage>,
}

/// Retrieves into a folder: in source format where it holds sfdx-project.json, in Metadata API format else.
///
/// Files that only one retrieve can bring are written as soon as it ends, while others run; so some are written already when a
/// later retrieve fails.
pub async fn into_folder(
    connection: &Connection,
    inventory: &Inventory,
    plan: &Plan,
    folder: &Path,
    progress: Progress<'_>,
) -> Result<Written, OrgError> {
    fs::create_dir_all(folder).map_err(OrgError::file("could not create the folder", folder))?;
    let project = match folder.join("sfdx-project.json").is_file() {
        true => Some(project_of(folder)?),
        false => None,
    };
    let target = Arc::new(Target {
        folder: folder.to_owned(),
        shared: shared(plan),
        written: Mutex::default(),
        project,
    });
    let early = target.clone();
    let fetched = fetch_by(
        connection,
        inventory,
        plan,
        Arc::new(move |files| early.take(files)),
        progress,
    )
    .await?;
    let mut files = fetched.files;
    if target.project.is_none() {
        let manifest = PackageManifest {
            version: Some(connection.api_version().to_string().into()),
            ..fetched.given
        };
        files.insert("package.xml".to_owned(), manifest.to_string().into_bytes());
    }
    target.write(files)?;
    let mut written = std::mem::take(&mut *target.written.lock().unwrap_or_else(PoisonError::into_inner));
    written.left.sort();
    written.messages = fetched.messages;
    Ok(written)
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
    let file = folder.join("sfdx-project.json");
    fs::write(&file, project).map_err(OrgError::file("could not write", &file))?;
    into_folder(connection, &inventory, &plan(&inventory, None, MOST), folder, progress).await
}

/// Folders of a package whose files several retrieves may bring: parts of profiles and the like, and objects whose children are
/// members of their own.
fn shared(plan: &Plan) -> BTreeSet<&'static str> {
    let planned = |name: &str| plan.chunks.iter().any(|chunk| chunk.contains_key(name));
    let kinds = Registry::standard().types().iter();
    kinds
        .filter(|kind| DEPENDENT.contains(&kind.name) || kind.children.iter().any(|child| planned(child.name)))
        .map(|kind| kind.directory)
        .collect()
}

/// The folder while it is written.
struct Target {
    folder: PathBuf,
    project: Option<Project>,
    shared: BTreeSet<&'static str>,
    written: Mutex<Written>,
}

impl Target {
    /// Writes what no other retrieve brings; gives back the rest.
    fn take(&self, files: Files) -> Result<Files, OrgError> {
        let is_shared = |path: &str| path.split('/').next().is_some_and(|top| self.shared.contains(top));
        let (shared, own): (Files, Files) = files.into_iter().partition(|(path, _)| is_shared(path));
        self.write(own)?;
        Ok(shared)
    }

    /// Converts files and writes them.
    fn write(&self, files: Files) -> Result<(), OrgError> {
        let converted = match &self.project {
            Some(project) => to_source(project, &files)?,
            None => Converted {
                files,
                left: Vec::new(),
            },
        };
        // Each folder is written by one thread: several would wait for each other.
        let mut folders: BTreeMap<&str, Vec<(&str, &[u8])>> = BTreeMap::new();
        for (path, bytes) in &converted.files {
            let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
            folders.entry(parent).or_default().push((path, bytes));
        }
        let mut shares = vec![Vec::new(); thread::available_parallelism().map_or(1, NonZero::get)];
        for files in folders.into_values() {
            if let Some(share) = shares.iter_mut().min_by_key(|share| share.len()) {
                share.extend(files);
            }
        }
        let counts: Vec<Result<(usize, usize), OrgError>> = thread::scope(|scope| {
            let shares = shares.iter().filter(|share| !share.is_empty());
            let running: Vec<_> = shares.map(|share| scope.spawn(|| self.write_share(share))).collect();
            let joined = running.into_iter().map(thread::ScopedJoinHandle::join);
            joined
                .map(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        });
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for counted in counts {
            let (files, same) = counted?;
            written.files += files;
            written.same += same;
        }
        written.left.extend(converted.left);
        Ok(())
    }

    /// Files written, and files that were there and mean the same.
    fn write_share(&self, files: &[(&str, &[u8])]) -> Result<(usize, usize), OrgError> {
        let (mut written, mut same) = (0, 0);
        for (path, bytes) in files {
            let full = self.folder.join(path);
            match put(path, &full, bytes).map_err(OrgError::file("could not write", &full))? {
                true => written += 1,
                false => same += 1,
            }
        }
        Ok((written, same))
    }
}

/// Writes a file unless it means the same already. Most files are new in a folder that is there: that is tried first.
fn put(path: &str, full: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let opened = match File::create_new(full) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(full.parent().unwrap_or(full))?;
            File::create_new(full)
        }
        opened => opened,
    };
    match opened {
        Ok(mut file) => file.write_all(bytes).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if fs::read(full).is_ok_and(|before| means_the_same(path, &before, bytes)) {
                return Ok(false);
            }
            fs::write(full, bytes).map(|()| true)
        }
        Err(error) => Err(error),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::retrieve::Chunk;

    #[test]
    fn a_file_that_means_the_same_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = "labels/A.labels-meta.xml";
        let full = folder.path().join(path);
        let written = |text: &str| put(path, &full, text.as_bytes()).expect("written");
        let text = "<CustomLabels xmlns=\"http://soap.sforce.com/2006/04/metadata\"></CustomLabels>";
        assert!(written(text), "a new file in a new folder");
        assert!(!written(&format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}\n"
        )));
        assert_eq!(fs::read_to_string(&full).expect("read"), text);
        assert!(written("no XML"));
        assert_eq!(fs::read_to_string(&full).expect("read"), "no XML");
    }

    #[test]
    fn what_several_retrieves_may_bring_waits_for_all() {
        let chunk =
            |kinds: &[&str]| -> Chunk { kinds.iter().map(|kind| ((*kind).to_owned(), BTreeSet::new())).collect() };
        let mut plan = Plan::default();
        plan.chunks.push(chunk(&["ApexClass", "CustomObject", "Profile"]));
        assert!(shared(&plan).contains("profiles"));
        assert!(!shared(&plan).contains("objects"));
        plan.chunks.push(chunk(&["CustomField"]));
        assert!(shared(&plan).contains("objects"));
        assert!(!shared(&plan).contains("classes"));
    }
}
