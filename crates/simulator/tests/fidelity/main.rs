//! One test for each behaviour of Salesforce that simulators usually get wrong, and one for each switch.

mod auth;
mod sandbox;
mod support;
mod world;
