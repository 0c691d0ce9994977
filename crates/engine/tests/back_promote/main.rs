//! Back-promotion on real repositories made by the git program.

mod requests;
mod sandbox;
