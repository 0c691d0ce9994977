//! A signed statement of how far the chain went.

use serde::{Deserialize, Serialize};

use super::chain::Digest;
use crate::time::Millis;
use crate::wire::shown;

/// At a time the entry of a number had a digest. Checkpoints are kept outside of the database's reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The number of the last entry.
    pub seq: u64,
    /// Its digest.
    #[serde(with = "shown")]
    pub hash: Digest,
    /// When the checkpoint was made.
    pub at: Millis,
    /// Which key signed it.
    pub key: String,
    /// The signature of [`Checkpoint::message`], base64.
    pub signature: String,
}

impl Checkpoint {
    /// The bytes that are signed.
    pub fn message(seq: u64, hash: Digest, at: Millis, key: &str) -> Vec<u8> {
        format!("syncline audit checkpoint 1\n{seq}\n{hash}\n{at}\n{key}\n").into_bytes()
    }

    /// The bytes that this one's signature is of.
    pub fn signed(&self) -> Vec<u8> {
        Self::message(self.seq, self.hash, self.at, &self.key)
    }
}
