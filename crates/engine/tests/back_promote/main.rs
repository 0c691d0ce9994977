//! Back-promotion on real repositories made by the git program.

mod files;
mod requests;
mod sandbox;
