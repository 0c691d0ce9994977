//! What the client does when answers are late, cut or lost: against a socket that breaks as told.

mod bulk;
mod guard;
mod logs;
mod repeat;
mod server;
mod session;
