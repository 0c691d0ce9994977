//! The REST API, one endpoint a file.

pub(crate) mod collections;
pub(crate) mod composite;
pub(crate) mod describe;
pub(crate) mod external;
pub(crate) mod graph;
pub(crate) mod limits;
pub(crate) mod multipart;
pub(crate) mod objects;
pub(crate) mod query;
pub(crate) mod record;
pub(crate) mod search;
pub(crate) mod tree;
pub(crate) mod versions;
