//! What was asked of the orgs lately.

use super::Control;
use crate::clock::Millis;
use crate::error::ApiError;
use crate::faults::Kind;
use crate::http::Reply;
use serde::Serialize;
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Requests that are kept.
const KEPT: usize = 10_000;

/// A request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Simulated time.
    pub at: Millis,
    /// Short name of the org.
    pub org: String,
    /// Method.
    pub method: String,
    /// Path with its query.
    pub path: String,
    /// Status of the answer; 0 when the answer was lost on purpose.
    pub status: u16,
    /// `client=` of `Sforce-Call-Options`, or the user agent.
    pub client: String,
    /// Bytes of the request's body.
    pub body: usize,
    /// The faults that struck.
    pub faults: Vec<Kind>,
}

/// The last requests of a world, oldest first.
#[derive(Debug, Default)]
pub struct RequestLog(Mutex<VecDeque<Entry>>);

impl RequestLog {
    pub(crate) fn push(&self, entry: Entry) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// All that are kept.
    pub fn entries(&self) -> Vec<Entry> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.iter().cloned().collect()
    }

    /// Forgets all.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

pub(super) fn show(control: &Control<'_>) -> Result<Reply, ApiError> {
    let org = control.request.query("org");
    let entries: Vec<Entry> = control
        .world
        .log
        .entries()
        .into_iter()
        .filter(|entry| org.is_none_or(|name| entry.org == name))
        .collect();
    Ok(Reply::json(&json!({ "requests": entries })))
}

pub(super) fn clear(control: &Control<'_>) -> Result<Reply, ApiError> {
    control.world.log.clear();
    Ok(Reply::empty())
}
