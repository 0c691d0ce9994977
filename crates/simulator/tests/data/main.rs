//! Writing and reading records over REST.

#[allow(dead_code)]
mod rig;
mod rules;
mod writes;
