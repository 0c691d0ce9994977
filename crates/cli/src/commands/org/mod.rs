//! `syncline org`: orgs, their data and their metadata.

mod deploy;
mod display;
mod import;
mod login;
mod problem;
mod query;
mod retrieve;
pub(super) mod session;
mod tests;

use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

pub(super) use login::stdin as secret_from_stdin;
pub(super) use retrieve::Bar;
pub(super) use session::{block_on, orgs};

/// Log in to orgs, read and write records, get and deploy metadata
///
/// A login has a name; its secrets are kept encrypted in the folder `syncline` of your settings, or in SYNCLINE_HOME. It always
/// leads to the same org: one that was refreshed since needs a new login.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline org login uat --web --instance https://test.salesforce.com
  syncline org query uat 'SELECT Name FROM Account LIMIT 5'
  syncline org retrieve uat -o retrieved
  syncline org deploy uat retrieved --check-only")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Login(login::Args),
    Logout(login::LogoutArgs),
    List(display::ListArgs),
    Display(display::Args),
    Limits(display::LimitsArgs),
    Query(query::Args),
    Import(import::Args),
    Retrieve(retrieve::Args),
    Deploy(deploy::Args),
    Tests(tests::Args),
}

/// Does what is asked for with an org.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::Login(args) => login::run(args, out),
        Action::Logout(args) => login::logout(&args, out),
        Action::List(_) => display::list(out),
        Action::Display(args) => display::run(&args, out),
        Action::Limits(args) => display::limits(&args, out),
        Action::Query(args) => query::run(args, out),
        Action::Import(args) => import::run(&args, out),
        Action::Retrieve(args) => retrieve::run(args, out),
        Action::Deploy(args) => deploy::run(args, out),
        Action::Tests(args) => tests::run(&args, out),
    }
}
