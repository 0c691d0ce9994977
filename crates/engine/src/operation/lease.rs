//! A worker's lease on an operation: heartbeats prolong it, and whoever works under it learns when it is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use syncline_domain::time::Millis;
use syncline_salesforce::Clock;
use syncline_store::{Claim, Store, StoreError};
use tokio::sync::Notify;

use super::now;

/// The lease of a running operation. Clones are the same lease.
#[derive(Debug, Clone)]
pub struct Lease {
    shared: Arc<Shared>,
    clock: Clock,
}

#[derive(Debug)]
struct Shared {
    lost: AtomicBool,
    cancelling: AtomicBool,
    until: AtomicI64,
    notify: Notify,
}

impl Lease {
    pub(super) fn new(until: Millis, cancelling: bool, clock: Clock) -> Self {
        let shared = Shared {
            lost: AtomicBool::new(false),
            cancelling: AtomicBool::new(cancelling),
            until: AtomicI64::new(until),
            notify: Notify::new(),
        };
        Self {
            shared: Arc::new(shared),
            clock,
        }
    }

    /// Another worker may have the operation: nothing may be done any more. Looked at right before an external effect. It is
    /// true as soon as the lease has run out by this machine's clock, before anybody told.
    pub fn is_lost(&self) -> bool {
        self.shared.lost.load(Ordering::SeqCst) || now(&self.clock) >= self.shared.until.load(Ordering::SeqCst)
    }

    /// How long nobody else can have the operation, by this machine's clock. An effect that takes a moment wants a margin.
    pub fn remaining(&self) -> Duration {
        if self.is_lost() {
            return Duration::ZERO;
        }
        let left = self
            .shared
            .until
            .load(Ordering::SeqCst)
            .saturating_sub(now(&self.clock));
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// A person asked to cancel, as far as the last heartbeat told.
    pub(super) fn is_cancelling(&self) -> bool {
        self.shared.cancelling.load(Ordering::SeqCst)
    }

    /// Waits until the lease is lost.
    pub async fn lost(&self) {
        loop {
            let told = self.shared.notify.notified();
            if self.shared.lost.load(Ordering::SeqCst) {
                return;
            }
            told.await;
        }
    }

    pub(super) fn lose(&self) {
        self.shared.lost.store(true, Ordering::SeqCst);
        self.shared.notify.notify_waiters();
    }

    /// Prolongs the lease by `length` three times in each until it is lost. Never ends otherwise: drop it.
    pub(super) async fn keep(self, store: Store, claim: Claim, length: Duration) {
        let millis = Millis::try_from(length.as_millis()).unwrap_or(Millis::MAX);
        loop {
            self.clock.sleep(length / 3).await;
            let until = now(&self.clock).saturating_add(millis);
            match store.heartbeat(&claim, until).await {
                Ok(cancelling) => {
                    self.shared.until.store(until, Ordering::SeqCst);
                    self.shared.cancelling.store(cancelling, Ordering::SeqCst);
                }
                Err(StoreError::Lost { .. }) => return self.lose(),
                // A database that cannot be reached for a while: the lease holds as long as it was given.
                Err(_) if self.is_lost() => return self.lose(),
                Err(_) => {}
            }
        }
    }
}
