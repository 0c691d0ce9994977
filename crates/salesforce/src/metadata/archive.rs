//! The zip files of deployments and retrieves, and their limits (Metadata API Developer Guide, "Limits").

use std::collections::BTreeSet;
use std::io::{Cursor, Read, Write};

use bytes::Bytes;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::error::{Error, Result};

/// Most entries of a zip: files and folders.
pub const ENTRIES: usize = 10_000;
/// Most bytes of a zip as it is sent, before base64.
pub const MOST_ZIPPED: u64 = 39 * 1024 * 1024;
/// Most bytes of all files together.
pub const MOST_BYTES: u64 = 629_145_600;

/// Writes the zip of a deployment, file by file, and refuses what Salesforce would refuse.
pub struct ArchiveWriter {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    files: BTreeSet<String>,
    folders: BTreeSet<String>,
    bytes: u64,
}

impl Default for ArchiveWriter {
    fn default() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            files: BTreeSet::new(),
            folders: BTreeSet::new(),
            bytes: 0,
        }
    }
}

impl ArchiveWriter {
    /// Adds a file; `path` is below the top folder, with `/`.
    ///
    /// # Errors
    /// `bad_argument` on a path twice, or above a limit.
    pub fn add(&mut self, path: &str, content: &[u8]) -> Result<()> {
        if !is_below(path) {
            return Err(Error::argument(format!("`{path}` cannot stand in a zip file")));
        }
        if !self.files.insert(path.to_owned()) {
            return Err(Error::argument(format!(
                "the file {path} stands twice in the deployment"
            )));
        }
        for (at, _) in path.match_indices('/') {
            if !self.folders.contains(&path[..at]) {
                self.folders.insert(path[..at].to_owned());
            }
        }
        if self.entries() > ENTRIES {
            return Err(Error::argument(format!(
                "the deployment has more than {ENTRIES} files and folders; split it"
            )));
        }
        self.bytes += content.len() as u64;
        if self.bytes > MOST_BYTES {
            return Err(Error::argument(format!(
                "the deployment has more than {} MB of files; split it",
                MOST_BYTES / 1024 / 1024
            )));
        }
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default());
        let failed = |why: String| Error::Internal {
            what: format!("the file {path} cannot be packed: {why}"),
        };
        self.zip
            .start_file(path, options)
            .map_err(|error| failed(error.to_string()))?;
        self.zip.write_all(content).map_err(|error| failed(error.to_string()))
    }

    /// Files and folders so far, as Salesforce counts them.
    pub fn entries(&self) -> usize {
        self.files.len() + self.folders.len()
    }

    /// The zip.
    ///
    /// # Errors
    /// `bad_argument` when it is larger than Salesforce takes.
    pub fn finish(self) -> Result<Bytes> {
        let written = self.zip.finish().map_err(|error| Error::Internal {
            what: format!("the zip file cannot be completed: {error}"),
        })?;
        let zip = written.into_inner();
        if zip.len() as u64 > MOST_ZIPPED {
            return Err(Error::argument(format!(
                "the zip file has {} MB, Salesforce takes {}; split the deployment",
                zip.len() as u64 / 1024 / 1024,
                MOST_ZIPPED / 1024 / 1024
            )));
        }
        Ok(zip.into())
    }
}

/// Whether a path stays below the folder that it is taken from.
fn is_below(path: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    path.split('/').all(part)
}

/// Reads a zip file.
pub struct ZipReader {
    zip: ZipArchive<Cursor<Vec<u8>>>,
    attempted: String,
}

impl std::fmt::Debug for ZipReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ZipReader({} entries)", self.zip.len())
    }
}

impl ZipReader {
    /// Opens a zip. `attempted` stands in errors.
    ///
    /// # Errors
    /// `unexpected_answer` when it is no zip, or cut off.
    pub fn open(attempted: &str, bytes: Vec<u8>) -> Result<Self> {
        let size = bytes.len();
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| {
            Error::unexpected(
                attempted,
                format!("the zip file of {size} bytes is damaged or cut off: {error}"),
            )
        })?;
        Ok(Self {
            zip,
            attempted: attempted.to_owned(),
        })
    }

    /// Number of entries.
    pub fn entries(&self) -> usize {
        self.zip.len()
    }

    /// Hands out every file with its path, in the order of the zip.
    ///
    /// # Errors
    /// `unexpected_answer` on a damaged file, a path that leads elsewhere, or more than 600 MB; what `file` returns.
    pub fn each<E: From<Error>>(&mut self, mut file: impl FnMut(&str, Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let mut left = MOST_BYTES;
        for index in 0..self.zip.len() {
            let Some((path, content)) = self.read(index, left)? else {
                continue;
            };
            left = left.saturating_sub(content.len() as u64);
            file(&path, content)?;
        }
        Ok(())
    }

    fn read(&mut self, index: usize, left: u64) -> Result<Option<(String, Vec<u8>)>> {
        let attempted = &self.attempted;
        let mut entry = self
            .zip
            .by_index(index)
            .map_err(|error| Error::unexpected(attempted, format!("the zip file is damaged: {error}")))?;
        if entry.is_dir() {
            return Ok(None);
        }
        let name = entry
            .name()
            .map_err(|error| Error::unexpected(attempted, format!("a name in the zip file is damaged: {error}")))?;
        let path = name.into_owned();
        if !is_below(&path) {
            return Err(Error::unexpected(
                attempted,
                format!("the zip file holds the path `{path}`"),
            ));
        }
        let mut content = Vec::with_capacity(usize::try_from(entry.size().min(left)).unwrap_or(0));
        let read = entry.by_ref().take(left + 1).read_to_end(&mut content);
        read.map_err(|error| Error::unexpected(attempted, format!("{path} in the zip file is damaged: {error}")))?;
        if content.len() as u64 > left {
            let megabytes = MOST_BYTES / 1024 / 1024;
            let what = format!("the zip file holds more than {megabytes} MB");
            return Err(Error::unexpected(attempted, what));
        }
        Ok(Some((path, content)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(bytes: Vec<u8>) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        ZipReader::open("read", bytes)?.each(|path, content| {
            files.push((path.to_owned(), content));
            Ok::<_, Error>(())
        })?;
        Ok(files)
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = ArchiveWriter::default();
        writer.add("package.xml", b"<Package/>").unwrap();
        writer.add("classes/A.cls", &[b'a'; 5000]).unwrap();
        writer.add("classes/B.cls", b"").unwrap();
        assert_eq!(writer.entries(), 4, "three files and a folder");
        assert!(writer.add("classes/A.cls", b"x").is_err());
        assert!(writer.add("../A.cls", b"x").is_err());
        let zip = writer.finish().unwrap();
        assert!(zip.len() < 1000);
        let read = files(zip.to_vec()).unwrap();
        assert_eq!(read.len(), 3);
        assert_eq!(read[1], ("classes/A.cls".to_owned(), vec![b'a'; 5000]));
    }

    #[test]
    fn a_zip_that_is_cut_off_is_told() {
        let mut writer = ArchiveWriter::default();
        writer.add("a/b", &[7; 4000]).unwrap();
        let zip = writer.finish().unwrap();
        for length in [0, 10, zip.len() / 2, zip.len() - 1] {
            let error = files(zip[..length].to_vec()).unwrap_err();
            assert!(error.to_string().contains("damaged or cut off"), "{error}");
        }
    }

    #[test]
    fn entries_count_folders() {
        let mut writer = ArchiveWriter::default();
        for n in 0..ENTRIES / 2 {
            writer.add(&format!("lwc{n}/a"), b"").unwrap();
        }
        assert_eq!(writer.entries(), ENTRIES);
        let error = writer.add("x", b"").unwrap_err();
        assert!(error.to_string().contains("10000 files and folders"), "{error}");
    }
}
