//! The REST API: records, queries, composites.

mod collections;
mod composite;
mod describe;
mod limits;
mod query;
mod record;
mod search;
mod tree;
mod versions;

pub use collections::{AllOrNone, COLLECTION, RowResult};
pub use composite::{BatchResult, Graph, GraphResult, Part, PartResult};
pub use describe::{Described, GlobalDescribe, ObjectSummary};
pub use limits::RecordCount;
pub use query::{Page, Pages};
pub use record::{Record, Upserted};
pub(crate) use record::{SavedRecord, writable};
pub use search::SearchResult;
pub use tree::{TreeResult, TreeRow};
pub use versions::Version;
pub(crate) use versions::newest_version;
