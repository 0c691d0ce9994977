//! The REST API: records, queries, composites.

mod query;
mod versions;

pub use query::{Page, Pages};
pub use versions::Version;
pub(crate) use versions::newest_version;
