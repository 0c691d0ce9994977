//! `syncline org login` and `logout`.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use syncline_engine::org::OrgError;
use syncline_engine::org::login::{Grant, NewLogin, OrgSummary, Orgs};
use syncline_salesforce::auth::{App, DEFAULT_PORT, WebLogin};
use syncline_salesforce::{Address, Secret};

use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::output::Output;

/// Log in to an org and keep the login under a name
///
/// Secrets never stand on the command line: they come from files, standard input, the environment or the browser.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("grant").required(true)))]
#[command(after_help = "\
Examples:
  syncline org login prod --web
  syncline org login ci --jwt-key server.key --client-id 3MVG9… --username ci@acme.example.uat --instance https://test.salesforce.com
  syncline org login uat --from-sf uat
  sf org auth show-access-token --target-org uat --json | jq -r .result.accessToken | \\
    syncline org login uat --access-token-stdin --instance https://acme--uat.sandbox.my.salesforce.com")]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Args {
    /// The name of the login from now on
    alias: String,
    /// Sign in with the browser
    #[arg(long, group = "grant")]
    web: bool,
    /// Sign in with the private key of an app: a PEM file
    #[arg(long, group = "grant", value_name = "FILE", requires_all = ["client_id", "username"])]
    jwt_key: Option<PathBuf>,
    /// Sign in as the app; its secret is read from the variable SYNCLINE_CLIENT_SECRET
    #[arg(long, group = "grant", requires = "client_id")]
    client_credentials: bool,
    /// Read an SFDX auth URL from this file; `-` is standard input
    #[arg(long, group = "grant", value_name = "FILE")]
    auth_url_file: Option<PathBuf>,
    /// Read an access token from standard input
    #[arg(long, group = "grant")]
    access_token_stdin: bool,
    /// Read an access token from this environment variable
    #[arg(long, group = "grant", value_name = "VARIABLE")]
    access_token_env: Option<String>,
    /// Use this login of the sf CLI: an alias or user name; it stays there and is read each time
    #[arg(long, group = "grant", value_name = "ALIAS")]
    from_sf: Option<String>,
    // No doc comment: addresses in one would have to be links, and help shows no links.
    #[arg(
        long,
        value_name = "URL",
        help = "Where to sign in: the org's own address, or https://test.salesforce.com [default: https://login.salesforce.com]"
    )]
    instance: Option<String>,
    /// Consumer key of the app
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// The user to sign in
    #[arg(long, value_name = "USER")]
    username: Option<String>,
    /// Port that the browser comes back to, as the app has it
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT, requires = "web")]
    port: u16,
    /// Allow deployments and imports if it is a production org
    #[arg(long)]
    production_writes: bool,
}

/// Signs in and keeps the login.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let host = args.instance.as_deref().map(str::parse::<Address>).transpose();
    let host = host.map_err(OrgError::from)?;
    let before = orgs.list()?.into_iter().find(|login| login.name == args.alias);
    let summary = if args.web {
        browser(&args, host, &orgs, out)?
    } else {
        let grant = grant(&args)?;
        block_on(orgs.login(new_login(&args, host, grant)))?
    };
    if let Some(before) = before.filter(|before| before.org_id != summary.org_id) {
        out.warn(format_args!(
            "`{}` led to another org before, {} of {}; was it refreshed, or is this the wrong name?",
            summary.name, before.org_id, before.username
        ));
    }
    told(&summary, out)?;
    Ok(Status::Done)
}

fn new_login(args: &Args, host: Option<Address>, grant: Grant) -> NewLogin {
    NewLogin {
        name: args.alias.clone(),
        host,
        grant,
        production_writes: args.production_writes,
    }
}

fn told(summary: &OrgSummary, out: &mut Output) -> Result<(), CommandError> {
    if out.json() {
        return out.value(summary);
    }
    out.line(format_args!(
        "{}: {} in {} ({}, {})",
        summary.name, summary.username, summary.instance, summary.kind, summary.org_id
    ))
}

fn grant(args: &Args) -> Result<Grant, CommandError> {
    let client_id = args.client_id.clone().unwrap_or_default();
    if let Some(file) = &args.jwt_key {
        return Ok(Grant::Jwt {
            client_id,
            username: args.username.clone().unwrap_or_default(),
            pem: text(file)?,
        });
    }
    if args.client_credentials {
        return Ok(Grant::ClientCredentials {
            client_id,
            secret: variable("SYNCLINE_CLIENT_SECRET")?,
        });
    }
    if let Some(file) = &args.auth_url_file {
        return Ok(Grant::SfdxUrl(match file.as_os_str() == "-" {
            true => stdin("SFDX auth URL")?,
            false => text(file)?,
        }));
    }
    if let Some(name) = &args.from_sf {
        return Ok(Grant::SfCli { name: name.clone() });
    }
    let token = match &args.access_token_env {
        Some(name) => variable(name)?,
        None => stdin("access token")?,
    };
    Ok(Grant::AccessToken(token))
}

fn text(file: &std::path::Path) -> Result<Secret<String>, CommandError> {
    let bytes = crate::file::read(file)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| CommandError::user("file.unreadable", format_args!("{} is no text", file.display())))?;
    Ok(text.trim().into())
}

fn variable(name: &str) -> Result<Secret<String>, CommandError> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().into()),
        _ => Err(CommandError::user(
            "org.argument",
            format_args!("the environment variable {name} is not set"),
        )
        .hint("set it for this command only")),
    }
}

/// A secret from standard input.
pub(in crate::commands) fn stdin(what: &str) -> Result<Secret<String>, CommandError> {
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        eprintln!("{what}: type or paste it, then Ctrl-D");
    }
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| CommandError::user("file.unreadable", "could not read standard input").because(error))?;
    match text.trim() {
        "" => Err(CommandError::user(
            "org.argument",
            format_args!("standard input holds no {what}"),
        )),
        text => Ok(text.into()),
    }
}

fn browser(args: &Args, host: Option<Address>, orgs: &Orgs, out: &mut Output) -> Result<OrgSummary, CommandError> {
    let app = match &args.client_id {
        Some(id) => App {
            id: id.clone(),
            secret: std::env::var("SYNCLINE_CLIENT_SECRET").ok().map(Into::into),
        },
        None => App::platform_cli(),
    };
    block_on(async {
        let at = match host.clone() {
            Some(host) => host,
            None => Address::PRODUCTION.parse()?,
        };
        let login = WebLogin::start(app.clone(), at, args.port).await?;
        let url = login.url()?;
        out.note(format_args!("Sign in at {url}"));
        open(&url);
        let token = login.finish(&orgs.http).await?;
        orgs.login(new_login(args, host, Grant::Browser { app, token })).await
    })
}

/// Opens the browser where that works; the address is shown anyway.
fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    // Without a browser the user opens the address.
    drop(
        Command::new(program)
            .args(arguments)
            .arg(url)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn(),
    );
}

/// Forget a login and end its refresh token
#[derive(Debug, clap::Args)]
pub struct LogoutArgs {
    /// The name of the login
    org: String,
}

/// Forgets a login.
pub fn logout(args: &LogoutArgs, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let revoked = block_on(orgs.logout(&args.org))?;
    match (out.json(), revoked) {
        (true, _) => out.value(&json!({"name": args.org, "revoked": revoked}))?,
        (false, true) => out.line(format_args!("{}: logged out, its token is ended", args.org))?,
        (false, false) => out.line(format_args!("{}: logged out", args.org))?,
    }
    Ok(Status::Done)
}
