//! Whether a chain is whole, and where not.

use serde::Serialize;

use super::chain::{Digest, Entry, GENESIS};
use super::checkpoint::Checkpoint;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// How many entries were read.
    pub entries: u64,
    /// Number and digest of the last one.
    pub last: Option<Last>,
    /// How many checkpoints agree with the chain and are signed.
    pub checkpoints: u64,
    /// What is wrong, in the order of the chain; the first hundred.
    pub findings: Vec<Finding>,
    /// How many there are in all.
    pub found: u64,
}

/// The end of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Last {
    /// Its number.
    pub seq: u64,
    /// Its digest.
    #[serde(with = "crate::wire::shown")]
    pub hash: Digest,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("entry {seq}: {fault}")]
pub struct Finding {
    /// The number of the entry, or the one that a checkpoint is about.
    pub seq: u64,
    /// What.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What can be wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The entry's digest is not that of its content.
    #[error("its content was changed after it was written")]
    Changed,
    /// The entry names another digest than that of the entry before it.
    #[error("it does not follow the entry before it; that was replaced, or the order was changed")]
    Unlinked,
    /// Entries are missing before it.
    #[error("the entries from {from} to {to} are missing")]
    Gap {
        /// The first one.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// Its number does not rise.
    #[error("it stands behind entry {before}")]
    Order {
        /// The number in front of it.
        before: u64,
    },
    /// A checkpoint is about an entry that the chain does not have.
    #[error("a checkpoint of key {key} is about it, but the chain ends at {end}: it was cut")]
    Truncated {
        /// The last entry.
        end: u64,
        /// Which key signed.
        key: String,
    },
    /// A checkpoint has another digest for it.
    #[error("a checkpoint of key {key} has the digest {expected} for it: the chain was written anew")]
    Rewritten {
        /// The digest of the checkpoint.
        expected: String,
        /// Which key signed.
        key: String,
    },
    /// The signature of a checkpoint is not right.
    #[error("the checkpoint about it is not signed by the key {key}")]
    Signature {
        /// The key that it names.
        key: String,
    },
}

/// Reads a chain entry by entry, so that a million of them need no room.
#[derive(Debug)]
pub struct Verifier {
    checkpoints: Vec<Checkpoint>,
    /// The first checkpoint that the chain has not reached.
    next: usize,
    last: Option<Last>,
    report: Report,
}

/// Findings that are kept.
const KEPT: usize = 100;

impl Verifier {
    /// Begins a check of a whole chain against checkpoints, in any order. `verify_signature` is given a key id, the signed bytes and
    /// the signature, and says whether that key made it.
    pub fn new(checkpoints: &[Checkpoint], verify_signature: impl Fn(&str, &[u8], &str) -> bool) -> Self {
        let mut sorted = checkpoints.to_vec();
        sorted.sort_by_key(|checkpoint| checkpoint.seq);
        let mut verifier = Self {
            checkpoints: Vec::new(),
            next: 0,
            last: None,
            report: Report {
                entries: 0,
                last: None,
                checkpoints: 0,
                findings: Vec::new(),
                found: 0,
            },
        };
        for checkpoint in sorted {
            // An unsigned checkpoint proves nothing about the chain.
            match verify_signature(&checkpoint.key, &checkpoint.signed(), &checkpoint.signature) {
                true => verifier.checkpoints.push(checkpoint),
                false => verifier.find(checkpoint.seq, Fault::Signature { key: checkpoint.key }),
            }
        }
        verifier
    }

    /// Reads the next entry as it is stored.
    pub fn entry(&mut self, entry: &Entry) {
        self.report.entries += 1;
        let (before, previous) = self.last.map_or((0, GENESIS), |last| (last.seq, last.hash));
        if entry.seq <= before {
            self.find(entry.seq, Fault::Order { before });
        } else if entry.seq > before + 1 {
            let (from, to) = (before + 1, entry.seq - 1);
            self.find(entry.seq, Fault::Gap { from, to });
        } else if entry.previous != previous {
            self.find(entry.seq, Fault::Unlinked);
        }
        if entry.digest() != entry.hash {
            self.find(entry.seq, Fault::Changed);
        }
        self.last = Some(Last {
            seq: entry.seq,
            hash: entry.hash,
        });
        while let Some(checkpoint) = self
            .checkpoints
            .get(self.next)
            .filter(|checkpoint| checkpoint.seq <= entry.seq)
        {
            if checkpoint.seq < entry.seq {
                // The gap before this entry was told.
                self.next += 1;
                continue;
            }
            if checkpoint.hash == entry.hash {
                self.report.checkpoints += 1;
            } else {
                let fault = Fault::Rewritten {
                    expected: checkpoint.hash.to_string(),
                    key: checkpoint.key.clone(),
                };
                self.find(entry.seq, fault);
            }
            self.next += 1;
        }
    }

    /// The chain has ended.
    pub fn finish(mut self) -> Report {
        let end = self.last.map_or(0, |last| last.seq);
        for checkpoint in self.checkpoints.split_off(self.next) {
            let fault = Fault::Truncated {
                end,
                key: checkpoint.key,
            };
            self.find(checkpoint.seq, fault);
        }
        self.report.last = self.last;
        self.report.findings.sort_by_key(|finding| finding.seq);
        self.report
    }

    fn find(&mut self, seq: u64, fault: Fault) {
        self.report.found += 1;
        if self.report.findings.len() < KEPT {
            self.report.findings.push(Finding { seq, fault });
        }
    }
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.found == 0
    }
}

/// Checks a whole chain; see [`Verifier`].
pub fn verify<'e>(
    entries: impl IntoIterator<Item = &'e Entry>,
    checkpoints: &[Checkpoint],
    verify_signature: impl Fn(&str, &[u8], &str) -> bool,
) -> Report {
    let mut verifier = Verifier::new(checkpoints, verify_signature);
    for entry in entries {
        verifier.entry(entry);
    }
    verifier.finish()
}
