//! The store, each test on SQLite and on PostgreSQL.

mod audit;
mod concurrency;
mod files;
mod operations;
mod postgres;
mod rows;
mod secrets;
mod support;
