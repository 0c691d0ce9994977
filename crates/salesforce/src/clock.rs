//! The time and waiting, as given from outside.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A future on the heap that may go to another thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Now = dyn Fn() -> SystemTime + Send + Sync;
type Sleep = dyn Fn(Duration) -> BoxFuture<()> + Send + Sync;

/// Tells the time and waits. Tests give one that does not wait.
#[derive(Clone)]
pub struct Clock {
    now: Arc<Now>,
    sleep: Arc<Sleep>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::new(SystemTime::now, |time| Box::pin(tokio::time::sleep(time)))
    }

    /// Another clock.
    pub fn new(
        now: impl Fn() -> SystemTime + Send + Sync + 'static,
        sleep: impl Fn(Duration) -> BoxFuture<()> + Send + Sync + 'static,
    ) -> Self {
        Self {
            now: Arc::new(now),
            sleep: Arc::new(sleep),
        }
    }

    /// The time.
    pub fn now(&self) -> SystemTime {
        (self.now)()
    }

    /// Waits.
    pub async fn sleep(&self, time: Duration) {
        (self.sleep)(time).await;
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}
