//! The audit trail: entries in a chain of digests, and signed checkpoints of it.

mod chain;
mod checkpoint;
#[cfg(test)]
mod tests;
mod verify;

pub use chain::{Digest, DigestError, Draft, Entry, GENESIS};
pub use checkpoint::Checkpoint;
pub use verify::{Fault, Finding, Report, Verifier, verify};
