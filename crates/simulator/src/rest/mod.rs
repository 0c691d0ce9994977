//! The REST API, one endpoint a file.

pub(crate) mod limits;
pub(crate) mod query;
pub(crate) mod search;
pub(crate) mod versions;
