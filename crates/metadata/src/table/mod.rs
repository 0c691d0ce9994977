//! What is known of Salesforce metadata types, as data.

pub mod dates;
pub mod registry;
pub mod schema;

pub use schema::{Child, Holds, Order, Proof, Type};
