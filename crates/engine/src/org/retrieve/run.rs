//! Retrieving what was planned.

use std::collections::VecDeque;
use std::sync::Arc;

use syncline_metadata::package::PackageManifest;
use syncline_salesforce::metadata::{RetrieveMessage, RetrieveRequest, Retrieved, polling};
use syncline_salesforce::{Connection, Error};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::inventory::Inventory;
use super::plan::{Chunk, Plan, halves};
use super::unite::unite;
use crate::org::OrgError;
use crate::org::convert::Files;

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
    /// What the org gave, as the package.xml of all retrieves tell together.
    pub given: PackageManifest,
}

/// Told retrieves done and in all.
pub type Progress<'a> = &'a mut (dyn FnMut(usize, usize) + Send);

/// Gets the files of one retrieve while others run, on a thread that may block; gives back those that it leaves to the union of all.
pub type Take = Arc<dyn Fn(Files) -> Result<Files, OrgError> + Send + Sync>;

/// What one retrieve brought.
struct Part {
    chunk: Chunk,
    files: Files,
    messages: Vec<RetrieveMessage>,
    given: Option<PackageManifest>,
}

/// Runs the retrieves of a plan, several at a time, and unites what they bring.
pub async fn fetch(
    connection: &Connection,
    inventory: &Inventory,
    plan: &Plan,
    progress: Progress<'_>,
) -> Result<Fetched, OrgError> {
    fetch_by(connection, inventory, plan, Arc::new(Ok), progress).await
}

/// The same, where `take` gets the files of each retrieve first.
pub(super) async fn fetch_by(
    connection: &Connection,
    inventory: &Inventory,
    plan: &Plan,
    take: Take,
    progress: Progress<'_>,
) -> Result<Fetched, OrgError> {
    let mut open: VecDeque<Chunk> = plan.chunks.iter().cloned().collect();
    let mut total = open.len();
    let turn = Arc::new(Mutex::new(()));
    let mut running = JoinSet::new();
    let mut taken = JoinSet::new();
    let mut done: Vec<Part> = Vec::new();
    progress(0, total);
    loop {
        while running.len() < AT_ONCE
            && let Some(chunk) = open.pop_front()
        {
            let (connection, turn) = (connection.clone(), turn.clone());
            running.spawn(async move {
                let result = one(&connection, &chunk, turn).await;
                (chunk, result)
            });
        }
        tokio::select! {
            Some(ended) = running.join_next() => match ended.map_err(stopped)? {
                (chunk, Ok(retrieved)) => {
                    let take = take.clone();
                    taken.spawn_blocking(move || unpack(chunk, retrieved, &take));
                }
                (chunk, Err(error)) if is_too_large(&error) => {
                    let parts = halves(&chunk).ok_or(error)?;
                    open.extend(parts);
                    total += 1;
                }
                (_, Err(error)) => return Err(error.into()),
            },
            Some(ended) = taken.join_next() => {
                done.push(ended.map_err(stopped)??);
                progress(done.len(), total);
            }
            else => break,
        }
    }
    // In the order of their members, whichever came first.
    done.sort_by(|a, b| a.chunk.cmp(&b.chunk));
    let mut fetched = Fetched::default();
    for part in done {
        for (path, bytes) in part.files {
            let united = match fetched.files.get(&path) {
                Some(before) => unite(&path, type_of(&path), before, &bytes, &part.chunk)?,
                None => bytes,
            };
            fetched.files.insert(path, united);
        }
        for (type_name, members) in part.chunk {
            fetched.manifest.entry(type_name).or_default().extend(members);
        }
        for (type_name, members) in part.given.into_iter().flat_map(|given| given.types) {
            fetched.given.types.entry(type_name).or_default().extend(members);
        }
        for message in inventory.news(part.messages) {
            if !fetched.messages.contains(&message) {
                fetched.messages.push(message);
            }
        }
    }
    Ok(fetched)
}

fn stopped(error: tokio::task::JoinError) -> Error {
    Error::Internal {
        what: format!("a retrieve ended: {error}"),
    }
}

/// Runs a retrieve. The next one has its turn when the org was asked for the first time: what is small is done by then, and is
/// unpacked while the next one runs.
async fn one(connection: &Connection, chunk: &Chunk, turn: Arc<Mutex<()>>) -> Result<Retrieved, Error> {
    let request = RetrieveRequest {
        types: chunk
            .iter()
            .map(|(name, members)| (name.clone(), members.iter().cloned().collect()))
            .collect(),
        packages: Vec::new(),
    };
    let mut turn = Some(turn.lock_owned().await);
    connection
        .retrieve_metadata(&request, polling(), || drop(turn.take()))
        .await
}

fn unpack(chunk: Chunk, mut retrieved: Retrieved, take: &Take) -> Result<Part, OrgError> {
    let mut files = Files::new();
    retrieved.zip.each(|path, bytes| {
        files.insert(path.strip_prefix(FOLDER).unwrap_or(path).to_owned(), bytes);
        Ok::<_, Error>(())
    })?;
    let given = match files.remove("package.xml") {
        Some(bytes) => Some(
            PackageManifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|source| OrgError::Manifest {
                path: "package.xml of the retrieve".into(),
                source,
            })?,
        ),
        None => None,
    };
    Ok(Part {
        chunk,
        files: take(files)?,
        messages: retrieved.messages,
        given,
    })
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
