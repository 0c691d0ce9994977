//! The parts of the workspace's tasks that tests of other crates may call.

pub mod generate;
