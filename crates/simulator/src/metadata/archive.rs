//! Zip files of deployments and retrievals.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Largest zip, bytes.
pub(crate) const MAX_ZIP: usize = 39 * 1024 * 1024;
/// Largest sum of the files' sizes, bytes.
pub(crate) const MAX_UNPACKED: u64 = 600 * 1024 * 1024;

/// Files by path.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Why a zip is refused: error code and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Status code, `INVALID_OPERATION`.
    pub code: &'static str,
    /// The text.
    pub text: String,
}

impl Refused {
    fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }
}

impl From<zip::result::ZipError> for Refused {
    fn from(error: zip::result::ZipError) -> Self {
        Self::new("INVALID_OPERATION", format!("Error reading zip file: {error}"))
    }
}

/// Reads the files of a zip within the limits; `most` is that of files and folders (Metadata API Developer Guide, limits).
pub(crate) fn unpack(bytes: &[u8], most: usize) -> Result<Files, Refused> {
    unpack_within(bytes, most, MAX_UNPACKED)
}

/// The same with another limit of the sum of the files' sizes.
fn unpack_within(bytes: &[u8], most: usize, most_unpacked: u64) -> Result<Files, Refused> {
    if bytes.len() > MAX_ZIP {
        return Err(Refused::new(
            "LIMIT_EXCEEDED",
            format!("Maximum size of zip file exceeded, limit is: {MAX_ZIP}"),
        ));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = Files::new();
    let mut names = Vec::with_capacity(archive.len());
    let mut unpacked = 0;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at)?;
        let name = entry.name()?.replace('\\', "/");
        names.push(name.clone());
        if entry.is_dir() || name.ends_with('/') {
            continue;
        }
        let mut content = Vec::new();
        let left = most_unpacked - unpacked;
        (&mut entry)
            .take(left + 1)
            .read_to_end(&mut content)
            .map_err(zip::result::ZipError::from)?;
        unpacked += content.len() as u64;
        if unpacked > most_unpacked {
            return Err(Refused::new(
                "LIMIT_EXCEEDED",
                format!("Maximum size of unzipped files exceeded, limit is: {most_unpacked}"),
            ));
        }
        files.insert(name, content);
    }
    if entries(names.iter().map(String::as_str)) > most {
        return Err(Refused::new("INVALID_OPERATION", "Too many files in zip"));
    }
    Ok(files)
}

/// How many entries these files make: files and the folders they lie in.
pub(crate) fn entries<'a>(paths: impl Iterator<Item = &'a str>) -> usize {
    let mut all = std::collections::BTreeSet::new();
    for path in paths {
        let path = path.trim_end_matches('/');
        all.extend(path.match_indices('/').map(|(at, _)| &path[..at]));
        all.insert(path);
    }
    all.len()
}

/// Writes a zip.
pub(crate) fn pack(files: &Files) -> Result<Vec<u8>, zip::result::ZipError> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (path, content) in files {
        writer.start_file(path, options)?;
        writer.write_all(content)?;
    }
    Ok(writer.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 10_000;

    #[test]
    fn packs_and_unpacks() {
        let files = Files::from([("a/b.txt".to_owned(), b"hello".to_vec()), ("c".to_owned(), Vec::new())]);
        let zip = pack(&files).expect("pack");
        assert_eq!(unpack(&zip, MOST), Ok(files));
        assert_eq!(
            unpack(&zip[..zip.len() / 2], MOST).map_err(|refused| refused.code),
            Err("INVALID_OPERATION")
        );
        assert!(unpack(b"no zip", MOST).is_err());
    }

    #[test]
    fn item_26_files_make_600_mb_at_most() {
        assert_eq!(MAX_UNPACKED, 629_145_600);
        let files = Files::from([("a".to_owned(), vec![0; 600]), ("b".to_owned(), vec![0; 400])]);
        let zip = pack(&files).expect("pack");
        assert!(zip.len() < 600, "it is not the size of the zip");
        assert_eq!(unpack_within(&zip, MOST, 1_000), Ok(files));
        let refused = unpack_within(&zip, MOST, 999).expect_err("one byte too much");
        assert_eq!(
            (refused.code, refused.text.as_str()),
            (
                "LIMIT_EXCEEDED",
                "Maximum size of unzipped files exceeded, limit is: 999"
            )
        );
    }

    #[test]
    fn folders_count() {
        assert_eq!(entries(["a/b/c", "a/b/d", "a/"].into_iter()), 4);
        let many: Files = (0..5_001).map(|n| (format!("{n}/x"), Vec::new())).collect();
        let refused = unpack(&pack(&many).expect("pack"), MOST).expect_err("10,002 entries");
        assert_eq!(refused.text, "Too many files in zip");
    }
}
