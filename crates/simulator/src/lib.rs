//! Simulated Salesforce orgs over HTTP: what a client sees of a real org, on this machine.
//!
//! A [`world::World`] holds several [`org::Org`]s, each with an SQLite database and an origin of its own.
//! An endpoint is a plain function from a [`http::Call`] to a [`http::Reply`], named in one table of routes.
//! What takes time is an event in the org's queue and runs when the clock has reached it.

mod bulk;
pub mod clock;
pub mod config;
pub mod control;
pub mod dates;
pub mod dml;
pub mod error;
pub mod faults;
pub mod formula;
pub mod generate;
pub mod http;
pub mod ids;
pub mod metadata;
pub mod oauth;
pub mod org;
mod rest;
mod sandbox;
pub mod schema;
mod soap;

pub mod server;
pub mod soql;
pub mod switches;
pub mod world;
