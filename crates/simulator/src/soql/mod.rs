//! Queries.

pub(crate) mod field_rules;
