//! Orgs that come and go while the world runs: copies that wait for their activation, and orgs that are deleted.

use super::{Entry, NameKind, World};
use crate::error::ApiError;
use crate::org::{Org, OrgKind, Origin};
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

impl World {
    /// An empty database for a copy. One of an earlier try is removed.
    pub(crate) fn new_copy(&self, org_id: &str) -> Result<Connection, ApiError> {
        match self.file_of(org_id) {
            Some(file) => {
                remove_files(&file)?;
                Ok(Connection::open(file)?)
            }
            None => Ok(Connection::open_in_memory()?),
        }
    }

    /// Keeps the database of a copy until it is activated or dropped.
    pub(crate) fn keep_copy(&self, entry: &Entry, db: Connection) -> Result<(), ApiError> {
        if self.folder.is_none() {
            self.copies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(entry.id.clone(), db);
        }
        self.register.put(entry)
    }

    /// The copy of that org id, if it waits for its activation.
    pub(crate) fn copy(&self, org_id: &str) -> Result<Option<Entry>, ApiError> {
        Ok(self
            .register
            .entries()?
            .into_iter()
            .find(|entry| entry.id == org_id && !entry.live))
    }

    /// Makes a copy an org that is reached at `origin`, in the place of the org `old`, which is deleted.
    pub(crate) fn activate(&self, copy: &Entry, origin: Origin, old: Option<&Arc<Org>>) -> Result<Arc<Org>, ApiError> {
        let db = match self.file_of(&copy.id) {
            Some(file) => Connection::open(file)?,
            None => self
                .copies
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&copy.id)
                .ok_or_else(|| ApiError::new("UNKNOWN_EXCEPTION", "the copy has no database").status(500))?,
        };
        let org = Org::adopt(copy.id.clone(), &copy.name, copy.kind.clone(), copy.pod, origin, db)?;
        let org = Arc::new(org);
        let old_id = old.map(|old| old.id.as_str());
        self.register.replace(old_id, &Entry::of(&org))?;
        self.take_in(&org, old_id)?;
        if let Some(file) = old_id.and_then(|id| self.file_of(id)) {
            remove_files(&file)?;
        }
        Ok(org)
    }

    /// Forgets a copy that was not activated.
    pub(crate) fn drop_copy(&self, org_id: &str) -> Result<(), ApiError> {
        self.copies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(org_id);
        self.forget(org_id)
    }

    /// Deletes an org: it is not reached any more and its names are free.
    pub(crate) fn remove_org(&self, org_id: &str) -> Result<(), ApiError> {
        self.orgs
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|org| org.id != org_id);
        self.forget(org_id)
    }

    fn forget(&self, org_id: &str) -> Result<(), ApiError> {
        self.names.release_all(org_id);
        self.register.remove(org_id)?;
        self.file_of(org_id).map_or(Ok(()), |file| remove_files(&file))
    }

    /// A short name for a sandbox: its own, or `prod--uat` where another org has that.
    pub(crate) fn sandbox_short_name(&self, of: &str, name: &str) -> String {
        let name = name.to_lowercase();
        let own = self.orgs().into_iter().find(|org| org.name == name);
        match own.map(|org| org.kind.clone()) {
            None => name,
            Some(OrgKind::Sandbox { of: owner, .. }) if owner == of => name,
            Some(_) => format!("{of}--{name}"),
        }
    }

    /// The sandbox of that name of a production org.
    pub(crate) fn sandbox(&self, of: &str, name: &str) -> Option<Arc<Org>> {
        self.orgs().into_iter().find(|org| {
            matches!(&org.kind, OrgKind::Sandbox { of: owner, .. } if owner == of)
                && crate::org::sandbox_name(of, &org.name).eq_ignore_ascii_case(name)
        })
    }

    /// The org that has a username.
    pub(crate) fn holder_of_username(&self, username: &str) -> Option<String> {
        self.names.holder(NameKind::Username, username)
    }
}

fn remove_files(file: &std::path::Path) -> Result<(), ApiError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ApiError::new(
                    "UNKNOWN_EXCEPTION",
                    format!("cannot remove {}: {error}", file.display()),
                )
                .status(500));
            }
            _ => {}
        }
    }
    Ok(())
}
