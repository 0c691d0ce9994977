//! Faults on purpose: what goes wrong in reality now and then, on demand or by chance.
//!
//! A fault strikes requests that fit its method and path: the next `times` of them, or each with the probability `rate`
//! (chances come from the seed). In the configuration they stand under `[[faults]]`; the control endpoint is
//! `/_simulator/faults`.

use crate::error::ApiError;
use crate::http::Reply;
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The answer comes `millis` later.
    Latency,
    /// 401 `INVALID_SESSION_ID`; nothing was done.
    SessionExpired,
    /// 503 with a page in HTML; nothing was done.
    Unavailable,
    /// It was done, and the connection closes without an answer.
    LostAnswer,
    /// It was done, and the answer breaks off in the middle.
    Truncated,
    /// 404 `NOT_FOUND`, as for an address that this org does not have; nothing was done.
    Absent,
    /// 400 `UNABLE_TO_LOCK_ROW`; nothing was done.
    RowLock,
    /// 403 `REQUEST_LIMIT_EXCEEDED`; nothing was done.
    RequestLimit,
    /// Some rows of a Bulk job fail with `UNABLE_TO_LOCK_ROW`. `path` is the object.
    PartialBulk,
    /// The zip of a retrieve ends in the middle.
    CutZip,
    /// A copy of a sandbox never ends. `path` is the name of the sandbox.
    StuckCopy,
}

/// A fault in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// Short name of the org; all orgs when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub org: Option<String>,
    /// Method; every method when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Text that stands somewhere in the path; every path when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often it strikes; without limit when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// Probability that it strikes, 0 to 1; always when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// Milliseconds of real time, for latency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub millis: Option<u64>,
}

/// The faults of a world.
#[derive(Debug)]
pub struct Faults(Mutex<State>);

#[derive(Debug)]
struct State {
    faults: Vec<Fault>,
    chance: u64,
}

/// What to do with a request that was struck, beside answering it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Close the connection without an answer.
    Lost,
    /// Send half of the body and close the connection.
    Cut,
}

impl Faults {
    /// These faults; chances come from the seed.
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        Self(Mutex::new(State { faults, chance: seed }))
    }

    /// The faults in force.
    pub fn all(&self) -> Vec<Fault> {
        self.with(|state| state.faults.clone())
    }

    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.with(|state| state.faults.push(fault));
    }

    /// Takes all away.
    pub fn clear(&self) {
        self.with(|state| state.faults.clear());
    }

    /// The faults that strike a request now.
    pub(crate) fn strike(&self, org: &str, method: &str, path: &str) -> Vec<Fault> {
        self.with(|state| {
            state.take(|fault| {
                !matches!(fault.kind, Kind::PartialBulk | Kind::CutZip | Kind::StuckCopy)
                    && fault.org.as_deref().is_none_or(|name| name == org)
                    && fault
                        .method
                        .as_deref()
                        .is_none_or(|name| name.eq_ignore_ascii_case(method))
                    && fault.path.as_deref().is_none_or(|part| path.contains(part))
            })
        })
    }

    /// Whether a row of a Bulk job on that object fails. Ask once a row.
    pub fn fails_row(&self, org: &str, object: &str) -> bool {
        self.named(Kind::PartialBulk, org, object)
    }

    /// Whether the zip of a retrieve is cut.
    pub(crate) fn cuts_zip(&self, org: &str) -> bool {
        self.named(Kind::CutZip, org, org)
    }

    /// Whether the copy of that sandbox gets stuck.
    pub(crate) fn takes_copy(&self, sandbox: &str) -> bool {
        self.named(Kind::StuckCopy, "", sandbox)
    }

    fn named(&self, kind: Kind, org: &str, name: &str) -> bool {
        self.with(|state| {
            !state
                .take(|fault| {
                    fault.kind == kind
                        && (org.is_empty() || fault.org.as_deref().is_none_or(|each| each == org))
                        && fault.path.as_deref().is_none_or(|each| each.eq_ignore_ascii_case(name))
                })
                .is_empty()
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// The faults that fit and strike. What has struck often enough goes.
    fn take(&mut self, fits: impl Fn(&Fault) -> bool) -> Vec<Fault> {
        let Self { faults, chance } = self;
        let mut struck = Vec::new();
        faults.retain_mut(|fault| {
            if !fits(fault) || fault.rate.is_some_and(|rate| draw(chance) >= rate) {
                return true;
            }
            struck.push(fault.clone());
            match &mut fault.times {
                Some(times) => {
                    *times = times.saturating_sub(1);
                    *times > 0
                }
                None => true,
            }
        });
        struck
    }
}

/// The next number from 0 to 1 of a sequence that the state decides (SplitMix64).
fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    #[allow(clippy::cast_precision_loss)]
    let part = (z >> 11) as f64 / (1u64 << 53) as f64;
    part
}

/// What a fault does to the answer on its way.
pub(crate) fn fate(kind: Kind) -> Option<Fate> {
    match kind {
        Kind::LostAnswer => Some(Fate::Lost),
        Kind::Truncated => Some(Fate::Cut),
        _ => None,
    }
}

/// The answer that a fault gives instead of the endpoint.
pub(crate) fn instead(kind: Kind) -> Option<Result<Reply, ApiError>> {
    let error = |code: &str, text: &str, status: u16| Some(Err(ApiError::new(code, text).status(status)));
    match kind {
        Kind::SessionExpired => Some(Err(ApiError::session())),
        Kind::Unavailable => Some(Ok(Reply::text(
            503,
            "text/html;charset=UTF-8",
            "<!DOCTYPE html><html lang=\"en\"><title>Service Unavailable</title><h1>Service Unavailable</h1>\
             <p>We are down for maintenance. Sorry for the inconvenience.</p></html>",
        ))),
        Kind::Absent => error("NOT_FOUND", "The requested resource does not exist", 404),
        Kind::RowLock => error(
            "UNABLE_TO_LOCK_ROW",
            "unable to obtain exclusive access to this record",
            400,
        ),
        Kind::RequestLimit => error("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403),
        Kind::Latency | Kind::LostAnswer | Kind::Truncated | Kind::PartialBulk | Kind::CutZip | Kind::StuckCopy => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Kind) -> Fault {
        Fault {
            kind,
            org: None,
            method: None,
            path: None,
            times: None,
            rate: None,
            millis: None,
        }
    }

    #[test]
    fn a_fault_strikes_what_fits_as_often_as_it_says() {
        let faults = Faults::new(Vec::new(), 1);
        faults.add(Fault {
            path: Some("/query".to_owned()),
            method: Some("get".to_owned()),
            times: Some(2),
            ..fault(Kind::RowLock)
        });
        let strikes = |path: &str| faults.strike("prod", "GET", path).len();
        assert_eq!(
            [strikes("/sobjects"), strikes("/query"), strikes("/query?q=1")],
            [0, 1, 1]
        );
        assert_eq!(strikes("/query"), 0);
        assert!(faults.all().is_empty());
    }

    #[test]
    fn chances_come_from_the_seed() {
        let row = |seed| {
            let one = Fault {
                rate: Some(0.3),
                ..fault(Kind::Unavailable)
            };
            let faults = Faults::new(vec![one], seed);
            (0..1000)
                .map(|_| faults.strike("prod", "GET", "/").len())
                .collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        let struck: usize = row(7).iter().sum();
        assert!((250..350).contains(&struck), "{struck}");
    }
}
