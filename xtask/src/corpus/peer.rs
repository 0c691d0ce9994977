//! Merges with another program, for comparison: npm `sf-git-merge-driver`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::CorpusError;
use super::case::{Case, Sides};
use super::judge::{At, Outcome};

/// The installed program.
pub(super) struct Peer {
    program: PathBuf,
}

impl Peer {
    /// Finds the program below a `node_modules` folder.
    pub(super) fn find(modules: &Path) -> Result<Self, CorpusError> {
        let program = modules.join(".bin/sf-git-merge-driver");
        if program.exists() {
            return Ok(Self { program });
        }
        Err(CorpusError::Peer {
            path: program,
            reason: "not installed; run `npm install sf-git-merge-driver` there".to_owned(),
        })
    }

    /// Merges as git would call the driver: base, ours, theirs as files, result in the file of ours.
    pub(super) fn merge(&self, case: &Case, sides: &Sides) -> Outcome {
        self.try_merge(case, sides)
            .unwrap_or_else(|error| Outcome::Refused(error.to_string()))
    }

    fn try_merge(&self, case: &Case, sides: &Sides) -> std::io::Result<Outcome> {
        let dir = std::env::temp_dir().join(format!("syncline-peer-{}-{}", std::process::id(), case.id));
        std::fs::create_dir_all(&dir)?;
        for (name, side) in [("base", &sides.base), ("ours", &sides.ours), ("theirs", &sides.theirs)] {
            std::fs::write(dir.join(name), side.as_deref().unwrap_or_default())?;
        }
        let path = case.path.rsplit('/').next().unwrap_or(&case.path);
        let status = Command::new(&self.program)
            .current_dir(&dir)
            .args(["-O", "base", "-A", "ours", "-B", "theirs", "-P", path])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        let result = std::fs::read(dir.join("ours"))?;
        std::fs::remove_dir_all(&dir)?;
        Ok(match status.code() {
            Some(0) => Outcome::Merged(Some(result), Vec::new()),
            Some(1) => Outcome::Merged(
                sides.ours.clone(),
                vec![At {
                    first: String::new(),
                    text: "conflict".to_owned(),
                }],
            ),
            code => Outcome::Refused(format!("ended with {code:?}")),
        })
    }
}
