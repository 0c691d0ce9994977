//! The REST API, one endpoint a file.

pub(crate) mod limits;
pub(crate) mod versions;
