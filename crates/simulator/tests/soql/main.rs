//! SOQL over a small org.

mod bulk;
mod conditions;
mod errors;
mod groups;
mod org;
mod property;
mod search;
mod select;
