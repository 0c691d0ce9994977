//! Many objects written at once: collected in memory and brought to disk as one pack.
//!
//! A loose object costs a file; a back-promotion to many branches writes thousands. Source of the format: git's
//! `gitformat-pack` documentation.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git2::{ObjectType, OdbLookupFlags};
use sha1::{Digest, Sha1};

use crate::{ObjectError, Oid, OpenError, Repository};

/// The entries of a pack that is not yet on disk.
#[derive(Default)]
pub(crate) struct Batch {
    entries: RefCell<Entries>,
}

#[derive(Default)]
struct Entries {
    count: u32,
    bytes: Vec<u8>,
}

/// Higher than the backends of loose objects (1) and packs (2), so that writes go to memory.
const PRIORITY: i32 = 1000;

impl Repository {
    /// Opens the repository once more, for writing many objects: they stay in memory, visible to this value only,
    /// until [`Self::flush`] or [`Self::update_refs`]. Dropped before, they are lost; no ref names them then.
    pub fn batch(&self) -> Result<Self, OpenError> {
        let mut batch = self.handle().open()?;
        let error = |source| OpenError::Open {
            path: self.git_dir().to_owned(),
            source,
        };
        let odb = batch.inner.odb().map_err(error)?;
        odb.add_new_mempack_backend(PRIORITY).map_err(error)?;
        drop(odb);
        batch.batch = Some(Batch::default());
        Ok(batch)
    }

    /// Brings the objects of a [`Self::batch`] to disk as one pack, safe from a loss of power. Does nothing when there
    /// are none.
    pub fn flush(&self) -> Result<(), ObjectError> {
        let Some(batch) = &self.batch else { return Ok(()) };
        let Entries { count, bytes } = batch.entries.take();
        if count == 0 {
            return Ok(());
        }
        let folder = self.common_dir().join("objects").join("pack");
        let written = write_pack(&folder, count, &bytes);
        if written.is_err() {
            batch.entries.replace(Entries { count, bytes });
        }
        written.map_err(|source| ObjectError::Pack { count, source })
    }

    /// Writes an object into the batch, unless it exists.
    pub(crate) fn write_to_batch(&self, batch: &Batch, kind: ObjectType, bytes: &[u8]) -> Result<Oid, ObjectError> {
        let error = |source| ObjectError::Write {
            kind: kind.str(),
            size: bytes.len(),
            source,
        };
        let odb = self.odb()?;
        let id = git2::Oid::hash_object(kind, bytes).map_err(error)?;
        if !odb.exists_ext(id, OdbLookupFlags::NO_REFRESH) {
            odb.write(kind, bytes).map_err(error)?;
            let entry = pack_entry(kind, bytes).map_err(|source| ObjectError::Pack { count: 1, source })?;
            let mut entries = batch.entries.borrow_mut();
            entries.bytes.extend_from_slice(&entry);
            entries.count += 1;
        }
        Ok(Oid::from_git2(id))
    }
}

/// Kind and size in groups of 4 and then 7 bits, then the compressed bytes.
fn pack_entry(kind: ObjectType, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let kind = match kind {
        ObjectType::Commit => 1,
        ObjectType::Tree => 2,
        ObjectType::Tag => 4,
        _ => 3,
    };
    let mut entry = Vec::with_capacity(bytes.len() / 2 + 16);
    let (mut rest, mut group) = (bytes.len() >> 4, (kind << 4) | (bytes.len() & 15) as u8);
    while rest > 0 {
        entry.push(group | 0x80);
        (rest, group) = (rest >> 7, (rest & 0x7f) as u8);
    }
    entry.push(group);
    let mut encoder = ZlibEncoder::new(entry, Compression::fast());
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// libgit2 checks every entry, writes the index and gives both files their final name, the index last.
fn write_pack(folder: &Path, count: u32, entries: &[u8]) -> io::Result<()> {
    let header = [b"PACK".as_slice(), &2_u32.to_be_bytes(), &count.to_be_bytes()].concat();
    let checksum = Sha1::new().chain_update(&header).chain_update(entries).finalize();
    std::fs::create_dir_all(folder)?;
    let mut indexer = git2::Indexer::new(None, folder, 0o444, false).map_err(io::Error::other)?;
    for part in [header.as_slice(), entries, checksum.as_slice()] {
        indexer.write_all(part)?;
    }
    let name = indexer.commit().map_err(io::Error::other)?;
    for suffix in ["pack", "idx"] {
        File::open(folder.join(format!("pack-{name}.{suffix}")))?.sync_all()?;
    }
    File::open(folder)?.sync_all()
}
