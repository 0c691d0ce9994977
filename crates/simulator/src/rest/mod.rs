//! The REST API, one endpoint a file.

pub(crate) mod versions;
