//! What the client does when answers are late, cut or lost: against a socket that breaks as told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod bulk;
mod guard;
mod logs;
mod repeat;
mod server;
mod session;
