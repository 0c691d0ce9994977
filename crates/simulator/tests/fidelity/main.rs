//! One test for each behaviour of Salesforce that simulators usually get wrong, and one for each switch: sections 12 and
//! 13 of the Salesforce API reference, a file per area.

mod auth;
mod bulk;
mod data;
mod faults;
mod metadata;
#[path = "../soql/org.rs"]
#[allow(dead_code)]
mod org;
#[path = "../data/rig.rs"]
#[allow(dead_code)]
mod rig;
mod sandbox;
mod soql;
mod support;
mod switches;
mod world;
