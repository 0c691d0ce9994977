//! SOQL over a small org.

mod org;
mod select;
