//! Files of the user: read whole up to a limit, replaced as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use syncline_metadata::xml::MAX_BYTES;

use crate::error::CommandError;

/// Reads a file of at most [`MAX_BYTES`]. Pipes and `/dev/null` are read too; the size is looked at before anything is read.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let failed = |error: io::Error| {
        let hint = match error.kind() {
            io::ErrorKind::NotFound => "there is no such file; an empty file stands for one that does not exist",
            io::ErrorKind::PermissionDenied => "you may not read it; check its permissions",
            _ => "check that it is a file and can be read",
        };
        CommandError::user("file.unreadable", format_args!("could not read `{}`", path.display()))
            .because(error)
            .hint(hint)
    };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if about.is_dir() {
        let message = format!("could not read `{}`: it is a folder", path.display());
        return Err(CommandError::user("file.folder", message).hint("name a file in it"));
    }
    let limit = MAX_BYTES as u64;
    if about.len() > limit {
        return Err(too_large(path, &format!("{} bytes", about.len())));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0) + 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        return Err(too_large(path, &format!("more than {limit} bytes")));
    }
    Ok(bytes)
}

/// Whether [`replace`] can be expected to work: asked before the work, so that a wrong name is told at once.
pub(crate) fn check_writable(path: &Path) -> Result<(), CommandError> {
    if path.is_dir() {
        return Err(unwritable(path, "it is a folder").hint("name a file"));
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let why = format!("there is no folder `{}`", folder.display());
        return Err(unwritable(path, &why).hint(format_args!("make it first: mkdir -p '{}'", folder.display())));
    }
    Ok(())
}

/// Replaces a file by a new one of the same mode, or makes it. Others see the old content or the new, never a part. A link is followed.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        unwritable(path, "nothing is written")
            .because(error)
            .hint("check the permissions of the folder and the space on the disk")
    };
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|old| !old.is_file()) {
        // A device or a pipe cannot be replaced.
        return fs::write(&target, bytes).map_err(failed);
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".syncline-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut new = builder.tempfile_in(folder_of(&target)).map_err(failed)?;
    new.write_all(bytes).map_err(failed)?;
    if let Some(old) = old {
        new.as_file().set_permissions(old.permissions()).map_err(failed)?;
    }
    new.persist(&target).map_err(|error| failed(error.error))?;
    Ok(())
}

fn unwritable(path: &Path, why: &str) -> CommandError {
    CommandError::user(
        "file.unwritable",
        format_args!("could not write `{}`: {why}", path.display()),
    )
}

fn too_large(path: &Path, size: &str) -> CommandError {
    let message = format!(
        "could not read `{}`: it has {size}, at most {MAX_BYTES} are read",
        path.display()
    );
    CommandError::user("file.too-large", message)
        .hint("no Salesforce metadata file is that large; is it the right file?")
}

/// The folder a file lies in.
fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
