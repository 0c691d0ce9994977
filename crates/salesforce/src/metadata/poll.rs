//! Waiting for work that goes on in the org.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::connection::Connection;
use crate::error::{Error, Result};
use crate::poll::Poll;

/// From one second to ten, for a day.
pub fn polling() -> Poll {
    Poll {
        longest: Duration::from_secs(10),
        ..Poll::default()
    }
}

/// Failures of asking in a row that are borne.
const BORNE: u32 = 10;

impl Connection {
    /// Asks until `done` says so of an answer. What passes by itself is borne: lost connections, pages of gateways, answers cut off, and
    /// the `INVALID_CROSS_REFERENCE_KEY` that Salesforce tells just after a job leaves its queue.
    ///
    /// # Errors
    /// `timed_out` at the limit; the last failure when the org does not answer any more.
    pub async fn wait<T, F: Future<Output = Result<T>> + Send>(
        &self,
        what: &str,
        poll: Poll,
        mut ask: impl FnMut() -> F + Send,
        mut done: impl FnMut(&T) -> bool + Send,
    ) -> Result<T> {
        let (mut wait, mut waited, mut failures) = (poll.first, Duration::ZERO, 0);
        loop {
            match ask().await {
                Ok(answer) if done(&answer) => return Ok(answer),
                Ok(_) => failures = 0,
                Err(error) if passes(&error) && failures < BORNE => {
                    failures += 1;
                    tracing::debug!(failures, "{what}: asking again: {error}");
                }
                Err(error) => return Err(error),
            }
            if waited >= poll.limit {
                return Err(Error::TimedOut {
                    attempted: what.to_owned(),
                    after: waited,
                });
            }
            let pause = spread(wait);
            self.clock().sleep(pause).await;
            waited += pause;
            wait = (wait * 3 / 2).min(poll.longest);
        }
    }
}

fn passes(error: &Error) -> bool {
    match error {
        Error::Transport { .. } | Error::Unexpected { .. } => true,
        Error::NotApi { status, .. } => matches!(status, 420 | 429 | 500..=504 | 200..=299),
        Error::Answered { status, .. } => {
            matches!(status, 420 | 429 | 502..=504)
                || [
                    "INVALID_CROSS_REFERENCE_KEY",
                    "INVALID_QUERY_LOCATOR",
                    "UNKNOWN_EXCEPTION",
                ]
                .iter()
                .any(|code| error.has_fault(code))
        }
        _ => false,
    }
}

/// Between four and six fifths of the time, so that many do not ask at once.
fn spread(time: Duration) -> Duration {
    let mut chance = [128];
    // Without chance it is the time itself.
    let _ = SystemRandom::new().fill(&mut chance);
    time * (400 + u32::from(chance[0]) * 200 / 255) / 500
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spread() {
        let second = Duration::from_secs(1);
        for _ in 0..100 {
            let wait = spread(second);
            assert!(wait >= second * 4 / 5 && wait <= second * 6 / 5, "{wait:?}");
        }
    }

    #[test]
    fn what_passes() {
        let answered = |status: u16, code: &str| Error::Answered {
            attempted: String::new(),
            status,
            faults: vec![crate::envelope::Fault {
                code: code.to_owned(),
                message: String::new(),
                fields: Vec::new(),
            }],
        };
        assert!(passes(&answered(500, "INVALID_CROSS_REFERENCE_KEY")));
        assert!(passes(&answered(503, "SERVER_UNAVAILABLE")));
        assert!(!passes(&answered(500, "INVALID_ID_FIELD")));
        assert!(passes(&Error::unexpected("look", "it is no XML, or cut off")));
        assert!(!passes(&Error::argument("x")));
    }
}
