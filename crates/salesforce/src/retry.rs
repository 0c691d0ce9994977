//! Which failed attempts are repeated, and when.

use std::time::Duration;

use reqwest::header::HeaderMap;
use ring::rand::{SecureRandom, SystemRandom};

use crate::envelope::Fault;
use crate::guard::Effect;

/// How often and how long apart an attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included; at least 1.
    pub attempts: u32,
    /// The wait before the first repeat; it doubles each time, and half of it is chance.
    pub first: Duration,
    /// The longest wait. When Salesforce asks for a longer one (`Retry-After`), we give up.
    pub longest: Duration,
}

impl Default for Retry {
    /// Five attempts after 0.5, 1, 2 and 4 seconds.
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_millis(500),
            longest: Duration::from_secs(60),
        }
    }
}

/// How an attempt failed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Seen<'a> {
    /// No connection: nothing was sent.
    NotSent,
    /// The connection was lost after something was sent.
    Lost,
    /// The API answered with errors.
    Faults { status: u16, faults: &'a [Fault] },
    /// A gateway answered with a page.
    Page { status: u16 },
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Repeat it.
    Again,
    /// The failure is the answer.
    GiveUp,
    /// It may have happened: the caller has to look.
    Unknown,
}

/// The platform refused before it did anything: repeating is safe for writes too.
const NOT_DONE: &[(&str, &str)] = &[
    ("UNABLE_TO_LOCK_ROW", ""),
    ("SERVER_UNAVAILABLE", ""),
    // Not the daily limit (`TotalRequests`): that takes hours.
    ("REQUEST_LIMIT_EXCEEDED", "Concurrent"),
];

/// The platform failed; a read may be repeated.
const TRANSIENT: &[(&str, &str)] = &[
    ("UNKNOWN_EXCEPTION", ""),
    ("FUNCTIONALITY_TEMPORARILY_UNAVAILABLE", ""),
    ("REQUEST_RUNNING_TOO_LONG", ""),
    ("", "retry your request"),
    ("", "Unexpected internal servlet state"),
];

/// The statuses of overload, at the edge (420, 429) and behind it.
const THROTTLED: [u16; 2] = [420, 429];
const BROKEN: [u16; 4] = [500, 502, 503, 504];

pub(crate) fn next(effect: Effect, seen: Seen<'_>) -> Next {
    let reads = effect == Effect::Read;
    match seen {
        Seen::NotSent => Next::Again,
        Seen::Lost if reads => Next::Again,
        Seen::Lost => Next::Unknown,
        Seen::Faults { faults, .. } if any(NOT_DONE, faults) => Next::Again,
        Seen::Faults { status, .. } | Seen::Page { status } if THROTTLED.contains(&status) => Next::Again,
        Seen::Faults { faults, .. } if reads && any(TRANSIENT, faults) => Next::Again,
        // The platform rolled back what it reports as an error. SOAP tells every fault with 500.
        Seen::Faults { status, .. } if reads && BROKEN[1..].contains(&status) => Next::Again,
        Seen::Faults { .. } => Next::GiveUp,
        Seen::Page { status } if BROKEN.contains(&status) || status < 300 => {
            if reads {
                Next::Again
            } else {
                Next::Unknown
            }
        }
        Seen::Page { .. } => Next::GiveUp,
    }
}

fn any(table: &[(&str, &str)], faults: &[Fault]) -> bool {
    let fits = |fault: &Fault| {
        table
            .iter()
            .any(|(code, part)| (code.is_empty() || *code == fault.code) && fault.message.contains(part))
    };
    faults.iter().any(fits)
}

impl Retry {
    /// The wait after attempt `attempt` (1 is the first); `None` when it was the last, or the wait is too long.
    pub(crate) fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        if let Some(wait) = retry_after {
            return (wait <= self.longest).then_some(wait);
        }
        let doubled = self.first.saturating_mul(1 << (attempt - 1).min(20)).min(self.longest);
        Some(doubled / 2 + doubled.mul_f64(chance() / 2.0))
    }
}

/// `Retry-After` in seconds. Its other form, a date, is not used by Salesforce and left away.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// A number from 0 to 1; 1 when the machine has no randomness to give.
fn chance() -> f64 {
    let mut bytes = [0; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated() {
        use Next::{Again, GiveUp, Unknown};
        let fault = |code: &str, message: &str| {
            vec![Fault {
                code: code.to_owned(),
                message: message.to_owned(),
                fields: Vec::new(),
            }]
        };
        let check = |seen: Seen<'_>, read: Next, write: Next| {
            assert_eq!(next(Effect::Read, seen), read, "read {seen:?}");
            assert_eq!(next(Effect::Write, seen), write, "write {seen:?}");
        };
        check(Seen::NotSent, Again, Again);
        check(Seen::Lost, Again, Unknown);
        for (status, read, write) in [
            (200, Again, Unknown),
            (302, GiveUp, GiveUp),
            (404, GiveUp, GiveUp),
            (420, Again, Again),
            (429, Again, Again),
            (500, Again, Unknown),
            (502, Again, Unknown),
            (503, Again, Unknown),
            (504, Again, Unknown),
        ] {
            check(Seen::Page { status }, read, write);
        }
        for (status, code, message, read, write) in [
            (400, "MALFORMED_QUERY", "", GiveUp, GiveUp),
            (
                400,
                "UNABLE_TO_LOCK_ROW",
                "unable to obtain exclusive access",
                Again,
                Again,
            ),
            (
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "TotalRequests Limit exceeded.",
                GiveUp,
                GiveUp,
            ),
            (
                403,
                "REQUEST_LIMIT_EXCEEDED",
                "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
                Again,
                Again,
            ),
            (503, "SERVER_UNAVAILABLE", "", Again, Again),
            (500, "UNKNOWN_EXCEPTION", "", Again, GiveUp),
            (500, "INVALID_TYPE", "a SOAP fault", GiveUp, GiveUp),
            (500, "INVALID_QUERY_LOCATOR", "", GiveUp, GiveUp),
            (502, "OTHER", "", Again, GiveUp),
            (400, "unknown_error", "retry your request", Again, GiveUp),
            (429, "OTHER", "", Again, Again),
        ] {
            let faults = fault(code, message);
            check(
                Seen::Faults {
                    status,
                    faults: &faults,
                },
                read,
                write,
            );
        }
    }

    #[test]
    fn waits_double_and_end() {
        let retry = Retry::default();
        for (attempt, least, most) in [(1, 250, 500), (2, 500, 1000), (3, 1000, 2000), (4, 2000, 4000)] {
            let wait = retry.wait(attempt, None).unwrap();
            assert!(
                wait >= Duration::from_millis(least) && wait <= Duration::from_millis(most),
                "{wait:?}"
            );
        }
        assert_eq!(retry.wait(5, None), None);
        assert_eq!(
            retry.wait(1, Some(Duration::from_secs(7))),
            Some(Duration::from_secs(7))
        );
        assert_eq!(retry.wait(1, Some(Duration::from_secs(3600))), None);
        let many = Retry { attempts: 100, ..retry };
        assert!(many.wait(99, None).unwrap() <= many.longest);
    }
}
