//! Writes that are sent only as long as their sender may: a lease can end while a process stands still.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

/// Tells whether its holder may still change the org.
#[derive(Clone)]
pub struct Still(Arc<dyn Fn() -> bool + Send + Sync>);

impl Still {
    /// Asks this each time.
    pub fn new(may: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(may))
    }

    /// Whether it may now.
    pub fn may(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Still {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Still")
    }
}

/// Bytes of a piece.
const PIECE: usize = 64 * 1024;

/// A body piece by piece, which breaks off when its sender may not any more: no server acts on half a request.
pub(crate) struct Pieces {
    left: Bytes,
    still: Option<Still>,
}

impl Pieces {
    pub(crate) fn new(bytes: Bytes, still: Option<Still>) -> Self {
        Self { left: bytes, still }
    }
}

impl Stream for Pieces {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        if self.still.as_ref().is_some_and(|still| !still.may()) {
            return Poll::Ready(Some(Err(std::io::Error::other("it may not be sent any more"))));
        }
        let piece = PIECE.min(self.left.len());
        Poll::Ready(Some(Ok(self.left.split_to(piece))))
    }
}
