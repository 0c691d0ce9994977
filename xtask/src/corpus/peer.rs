//! Merges with another program, for comparison: any merge driver, called as git would call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::case::{Case, Sides};
use super::judge::{At, Outcome};

/// A merge driver's command line: `%O`, `%A`, `%B` and `%P` stand for the files of base, ours and
/// theirs and for the path; the result is left in the file of ours.
pub(super) struct Peer {
    command: String,
}

impl Peer {
    /// Words are separated by spaces; there is no quoting.
    pub(super) fn new(command: &str) -> Self {
        Self {
            command: command.to_owned(),
        }
    }

    /// Exit 0 is a clean merge and 1 to 127 a merge with conflicts, which the judge then takes as
    /// reported for the whole file.
    pub(super) fn merge(&self, case: &Case, sides: &Sides) -> Outcome {
        let dir = std::env::temp_dir().join(format!("syncline-peer-{}-{}", std::process::id(), case.id));
        let outcome = self.try_merge(case, sides, &dir);
        let removed = std::fs::remove_dir_all(&dir);
        match (outcome, removed) {
            (Ok(outcome), Ok(())) => outcome,
            (Err(error), _) | (_, Err(error)) => Outcome::Refused(error.to_string()),
        }
    }

    fn try_merge(&self, case: &Case, sides: &Sides, dir: &Path) -> std::io::Result<Outcome> {
        std::fs::create_dir_all(dir)?;
        for (name, side) in [("base", &sides.base), ("ours", &sides.ours), ("theirs", &sides.theirs)] {
            std::fs::write(dir.join(name), side.as_deref().unwrap_or_default())?;
        }
        let mut words = self.command.split_whitespace();
        let program = PathBuf::from(words.next().unwrap_or_default());
        let arguments = words.map(|word| match word {
            "%O" => "base",
            "%A" => "ours",
            "%B" => "theirs",
            "%P" => case.path.as_str(),
            word => word,
        });
        let status = Command::new(program)
            .current_dir(dir)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        Ok(match status.code() {
            Some(0) => Outcome::Merged(Some(std::fs::read(dir.join("ours"))?), Vec::new()),
            Some(1..128) => {
                let at = At {
                    first: String::new(),
                    text: "conflict".to_owned(),
                };
                Outcome::Merged(sides.ours.clone(), vec![at])
            }
            code => Outcome::Refused(format!("ended with {code:?}")),
        })
    }
}
