//! A case of the corpus: its line in the index and its files.

use std::path::Path;

use serde::Deserialize;

use super::CorpusError;

/// A line of `index.jsonl`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Case {
    pub(super) id: String,
    /// Folder of the files.
    pub(super) dir: String,
    /// Path in the repository the case is from.
    pub(super) path: String,
    /// Type as the file's suffix says it.
    #[serde(rename = "type")]
    pub(super) kind_of_file: String,
    /// `3way`, `addadd`, `moddel`, `linear` or `fork`.
    pub(super) kind: String,
    /// What git's text merge does.
    #[serde(default)]
    pub(super) git: Option<String>,
    /// Conflicts of a merge by key at the top level.
    #[serde(default)]
    pub(super) ref_conflicts: Option<u32>,
    #[serde(default)]
    pub(super) nbases: Option<u32>,
    #[serde(default)]
    pub(super) core: bool,
}

/// The files of a case; `None` where there is none.
#[derive(Debug)]
pub(super) struct Sides {
    pub(super) base: Option<Vec<u8>>,
    pub(super) ours: Option<Vec<u8>>,
    pub(super) theirs: Option<Vec<u8>>,
    pub(super) resolved: Option<Vec<u8>>,
}

/// All cases.
pub(super) fn read_index(dir: &Path) -> Result<Vec<Case>, CorpusError> {
    let path = dir.join("index.jsonl");
    let text = std::fs::read_to_string(&path).map_err(|source| CorpusError::Read {
        path: path.clone(),
        source,
    })?;
    let parse = |(i, line)| {
        serde_json::from_str(line).map_err(|source| CorpusError::Index {
            path: path.clone(),
            line: i + 1,
            source,
        })
    };
    text.lines().enumerate().map(parse).collect()
}

impl Case {
    /// Reads the files.
    pub(super) fn read(&self, dir: &Path) -> Result<Sides, CorpusError> {
        let read = |name: &str| {
            let path = dir.join(&self.dir).join(name);
            match std::fs::read(&path) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(source) => Err(CorpusError::Read { path, source }),
            }
        };
        Ok(Sides {
            base: read("base.xml")?,
            ours: read("ours.xml")?,
            theirs: read("theirs.xml")?,
            resolved: read("resolved.xml")?,
        })
    }

    /// `strict`: one merge base; `criss-cross`: several; `replayed`: a commit taken out of a history.
    pub(super) fn group(&self) -> &'static str {
        match self.nbases {
            Some(1) => "strict",
            Some(_) => "criss-cross",
            None => "replayed",
        }
    }
}
