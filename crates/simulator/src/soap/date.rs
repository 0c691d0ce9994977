//! Moments as SOAP writes them.

use crate::clock::{self, Millis};

/// `2026-03-02T10:15:30.000Z`.
pub(crate) fn iso(at: Millis) -> String {
    clock::iso(at).replace("+0000", "Z")
}
