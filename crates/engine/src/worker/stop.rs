//! A request to stop, seen by everything that works.

use std::sync::Arc;

use tokio::sync::watch;

/// A request to stop. Clones are the same request.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks to stop.
    pub fn request(&self) {
        self.0.send_replace(true);
    }

    /// Whether somebody has asked.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until somebody asks.
    pub async fn requested(&self) {
        // The sender lives as long as this.
        drop(self.0.subscribe().wait_for(|asked| *asked).await);
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}
