//! Waiting for something to end.

use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, Result};

/// How often to look, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Poll {
    /// The wait before the second look; it grows by half each time.
    pub first: Duration,
    /// The longest wait between two looks.
    pub longest: Duration,
    /// When to give up; counted in waits, not in time that the looks take.
    pub limit: Duration,
}

impl Default for Poll {
    /// Each 1 to 20 seconds, for a day.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(20),
            limit: Duration::from_secs(24 * 60 * 60),
        }
    }
}

impl Poll {
    /// Begins to wait for what is attempted.
    pub fn begin<'a>(&self, clock: &'a Clock, attempted: impl Into<String>) -> Waiting<'a> {
        Waiting {
            poll: *self,
            clock,
            attempted: attempted.into(),
            next: self.first,
            waited: Duration::ZERO,
        }
    }
}

/// The waits between the looks at one thing.
#[derive(Debug)]
pub struct Waiting<'a> {
    poll: Poll,
    clock: &'a Clock,
    attempted: String,
    next: Duration,
    waited: Duration,
}

impl Waiting<'_> {
    /// Waits until the next look.
    ///
    /// # Errors
    /// `timed_out` at the limit.
    pub async fn wait(&mut self) -> Result<()> {
        if self.waited >= self.poll.limit {
            return Err(Error::TimedOut {
                attempted: self.attempted.clone(),
                after: self.poll.limit,
            });
        }
        let wait = self.next.min(self.poll.limit - self.waited);
        self.clock.sleep(wait).await;
        self.waited += wait;
        self.next = self.next.mul_f64(1.5).min(self.poll.longest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let waits = Arc::new(Mutex::new(Vec::new()));
        let noted = waits.clone();
        let clock = Clock::new(SystemTime::now, move |wait| {
            noted.lock().unwrap().push(wait.as_millis());
            Box::pin(std::future::ready(()))
        });
        let poll = Poll {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(2),
            limit: Duration::from_secs(5),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(async {
            let mut waiting = poll.begin(&clock, "wait for x");
            loop {
                if let Err(error) = waiting.wait().await {
                    break error;
                }
            }
        });
        assert_eq!(error.to_string(), "wait for x: not done after 5 s");
        assert_eq!(*waits.lock().unwrap(), [1000, 1500, 2000, 500]);
    }
}
