//! The audit chain: each entry holds the digest of the one before.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::time::Millis;

/// What happened, before it has a place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: String,
    /// What, `operation.started`.
    pub action: String,
    /// Where.
    pub environment: Option<String>,
    /// In which operation.
    pub operation: Option<String>,
    /// More.
    pub detail: serde_json::Value,
}

/// An entry of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place, from 1 without gaps.
    pub seq: i64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Digest of the entry before; 64 zeros for the first.
    pub previous: String,
    /// Digest of this one.
    pub hash: String,
}

/// What the first entry has in place of a digest before it.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The entry's digest: SHA-256 of the JSON array of its place, fields and the digest before, in hexadecimal digits.
pub fn digest(seq: i64, event: &Event, previous: &str) -> String {
    let fields = serde_json::json!([
        seq,
        event.at,
        event.actor,
        event.action,
        event.environment,
        event.operation,
        event.detail,
        previous
    ]);
    Sha256::digest(fields.to_string().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
