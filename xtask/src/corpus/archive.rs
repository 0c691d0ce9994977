//! Finds the unpacked corpus, or unpacks the archive that stands beside the checkout.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::CorpusError;

/// The folder with `index.jsonl`.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, CorpusError> {
    let named = named
        .map(Path::to_owned)
        .or_else(|| std::env::var_os("SYNCLINE_CORPUS").map(PathBuf::from));
    if let Some(dir) = named {
        return if dir.join("index.jsonl").is_file() {
            Ok(dir)
        } else {
            Err(CorpusError::Missing(dir.join("index.jsonl")))
        };
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let archive = root.join("../shared/corpus/dev.tar.zst");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), PathBuf::from)
        .join("corpus");
    if let Some(dir) = unpacked(&target) {
        return Ok(dir);
    }
    if !archive.is_file() {
        return Err(CorpusError::Missing(archive));
    }
    eprintln!("unpacking {} into {}", archive.display(), target.display());
    unpack(&archive, &target).map_err(|reason| CorpusError::Unpack {
        archive: archive.clone(),
        reason,
    })?;
    unpacked(&target).ok_or(CorpusError::Missing(archive))
}

/// The index lies in the folder, or in its only sub-folder; `done` says that unpacking ended.
fn unpacked(target: &Path) -> Option<PathBuf> {
    if !target.join("done").is_file() {
        return None;
    }
    let inner = std::fs::read_dir(target)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    inner
        .chain([target.to_owned()])
        .find(|dir| dir.join("index.jsonl").is_file())
}

fn unpack(archive: &Path, target: &Path) -> Result<(), String> {
    let io = |e: std::io::Error| e.to_string();
    std::fs::create_dir_all(target).map_err(io)?;
    let mut zstd = Command::new("zstd")
        .arg("-dc")
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(io)?;
    let stream = zstd.stdout.take().ok_or("zstd has no output")?;
    let tar = Command::new("tar")
        .arg("-C")
        .arg(target)
        .args(["-xf", "-"])
        .stdin(stream)
        .status()
        .map_err(io)?;
    let zstd = zstd.wait().map_err(io)?;
    if !tar.success() || !zstd.success() {
        return Err(format!("tar ended with {tar}, zstd with {zstd}"));
    }
    std::fs::write(target.join("done"), "").map_err(io)
}
