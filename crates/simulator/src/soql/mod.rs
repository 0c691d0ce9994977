//! SOQL over the records of an org: a query is read, its names are looked up in the schema, and it becomes SQL.
//!
//! [`run`] answers a query of the REST API page by page, [`each_row`] streams the rows of a Bulk query.
//! Names in SQL come only from the schema and all values are bound. [`hooks`] holds what single objects want.

mod aggregate;
mod ast;
mod bulk;
mod children;
mod column_metadata;
mod conditions;
mod cursor;
mod fault;
pub mod field_rules;
mod filter;
mod functions;
pub mod hooks;
mod lexer;
mod load;
mod parser;
mod plan;
mod query;
mod render;
mod scope;
pub mod search;
mod spans;
mod terms;
mod values;
mod virtual_objects;

pub use bulk::{Cell, Columns, columns, each_row};
pub use cursor::next_page;
pub use functions::register;
pub use query::{Options, QueryResult, column_metadata, run};
pub(crate) use scope::{children_name, key_column, parent_name};

use ast::{Expr, Query, Selected};

/// Whether a query is about groups of rows.
fn is_aggregate(query: &Query) -> bool {
    let aggregates = |selected: &Selected| matches!(selected, Selected::Expr(expr, _) if terms::is_aggregate(expr));
    !query.group.is_empty() || query.select.iter().any(aggregates)
}

/// Whether a query is `SELECT COUNT() FROM …`.
fn is_count(query: &Query) -> bool {
    matches!(query.select.as_slice(), [Selected::Expr(Expr::Call(call), None)] if call.name == "COUNT" && call.args.is_empty())
}
