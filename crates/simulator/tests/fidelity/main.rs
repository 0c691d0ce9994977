//! What simulators usually get wrong: one test for each item of fidelity.

#![allow(clippy::unwrap_used, clippy::panic)]

mod metadata;
