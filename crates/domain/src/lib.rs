//! What Syncline decides, as values: no IO, no clock, no randomness. Times are milliseconds since 1970 in UTC and come in as arguments.

pub mod advice;
pub mod audit;
pub mod calendar;
pub mod config;
pub mod drift;
pub mod gate;
pub mod operation;
pub mod overlay;
pub mod pattern;
pub mod pipeline;
pub mod policy;
pub mod schedule;
pub mod scope;
pub mod time;
pub mod wire;
pub mod work;
