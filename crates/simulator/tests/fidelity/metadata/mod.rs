//! Metadata: deploy, retrieve, list, describe.

mod client;
mod round_trip;
