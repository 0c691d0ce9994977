//! `syncline simulator`: Salesforce orgs on this machine.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use serde::Serialize;
use syncline_simulator::config::Config;
use syncline_simulator::oauth::apps::SIMULATOR;
use syncline_simulator::org::OrgKind;
use syncline_simulator::server;
use syncline_simulator::world::World;

use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// Run simulated Salesforce orgs on this machine
///
/// Answers as Salesforce does over HTTP: data, metadata, jobs, sandboxes. Any Salesforce client can log in. Nothing leaves the
/// machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline simulator start                       production and two sandboxes, until Ctrl-C
  syncline simulator start --state orgs          keep what they contain in a folder
  syncline simulator start --config world.toml   orgs of your own")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Start(StartArgs),
}

/// Start the orgs, tell how to log in, and run until Ctrl-C
#[derive(Debug, clap::Args)]
struct StartArgs {
    /// Orgs and settings, as TOML [default: production with a Partial Copy and a Developer sandbox]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Keep the orgs in this folder; without it they are gone at the end
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// How time passes: fast (nothing waits), real, stepped or x60 (60 times real time)
    #[arg(long, value_name = "PACE")]
    clock: Option<String>,
    /// Port of the first org; the next orgs get the next ports; 0 takes free ones
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Serve each org by TLS too, with a certificate authority of its own
    #[arg(long)]
    tls: bool,
    /// Stop when standard input ends too: then the orgs end with the program that started them
    #[arg(long)]
    until_input_ends: bool,
}

/// An org that has started.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Started {
    name: String,
    kind: String,
    org_id: String,
    url: String,
    https_url: Option<String>,
    username: String,
    access_token: String,
}

/// Starts the orgs.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    match args.action {
        Action::Start(args) => start(args, out),
    }
}

fn start(args: StartArgs, out: &mut Output) -> Result<Status, CommandError> {
    let config = config(&args)?;
    if let Some(folder) = &args.state {
        std::fs::create_dir_all(folder).map_err(|error| {
            CommandError::user(
                "file.unwritable",
                format_args!("could not create the folder {}", folder.display()),
            )
            .because(error)
        })?;
    }
    // Set before anything is told: who reads that the orgs run may stop them at once.
    let (stop, stopped) = mpsc::channel();
    if args.until_input_ends {
        let stop = stop.clone();
        std::thread::spawn(move || {
            // An error ends it as the end does.
            let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
            let _ = stop.send(());
        });
    }
    ctrlc::set_handler(move || {
        // The receiver is gone only when the program ends already.
        let _ = stop.send(());
    })
    .map_err(|error| failed("could not watch for Ctrl-C").because(error))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed("could not start threads").because(error))?;
    let state = args.state;
    let world = runtime
        .block_on(server::start(config, state.clone()))
        .map_err(|error| {
            match &error {
                server::StartError::World(_) => CommandError::new(Kind::Config, "simulator.world", &error),
                server::StartError::Listen { .. } => CommandError::user("simulator.port", &error)
                    .hint("another program, perhaps a second simulator, has the port; `--port 0` takes free ones"),
                server::StartError::Org { .. } => CommandError::user("simulator.state", &error)
                    .hint("the folder of --state may come from another version; take a new one"),
            }
            .with_source_of(error)
        })?;
    let orgs = started(&world)?;
    let (folder, _kept) = files(state.as_deref())?;
    let jwt_key_file = write(&folder, "jwt-test-key.pem", syncline_simulator::oauth::jwt::TEST_KEY)?;
    let ca_file = match world.authority() {
        Some((_, Some(kept))) => Some(kept.to_owned()),
        Some((authority, None)) => Some(write(&folder, "ca.pem", authority)?),
        None => None,
    };
    tell(&orgs, &jwt_key_file, ca_file.as_deref(), out)?;
    out.flush()?;
    if stopped.recv().is_err() {
        return Err(failed("nothing can stop the simulator any more"));
    }
    runtime.shutdown_background();
    Ok(Status::Done)
}

/// Where files for clients go: the folder of --state, or one that goes with the guard.
fn files(state: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>), CommandError> {
    if let Some(folder) = state {
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        return Ok((whole, None));
    }
    let folder = tempfile::tempdir().map_err(|error| failed("could not make a temporary folder").because(error))?;
    Ok((folder.path().to_owned(), Some(folder)))
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, CommandError> {
    let file = folder.join(name);
    std::fs::write(&file, text)
        .map_err(|error| failed(format_args!("could not write {}", file.display())).because(error))?;
    Ok(file)
}

fn config(args: &StartArgs) -> Result<Config, CommandError> {
    let mut config = match &args.config {
        Some(file) => Config::read(file)
            .map_err(|error| CommandError::new(Kind::Config, "simulator.config", &error).with_source_of(error))?,
        None => Config::default(),
    };
    if let Some(clock) = &args.clock {
        config.clock.clone_from(clock);
    }
    config.tls |= args.tls;
    if let Some(port) = args.port {
        config.port = port;
    }
    Ok(config)
}

fn started(world: &World) -> Result<Vec<Started>, CommandError> {
    let session = |org: &syncline_simulator::org::Org| {
        world
            .admin_session(org)
            .map_err(|error| failed(format_args!("could not log in to {}", org.name)).because(error))
    };
    let orgs = world.orgs();
    let mut started = Vec::with_capacity(orgs.len());
    for org in &orgs {
        let session = session(org)?;
        started.push(Started {
            name: org.name.clone(),
            kind: kind(&org.kind),
            org_id: org.id.clone(),
            url: org.origin.http.clone(),
            https_url: org.origin.https.clone(),
            username: session.username,
            access_token: session.access_token,
        });
    }
    Ok(started)
}

fn kind(kind: &OrgKind) -> String {
    match kind {
        OrgKind::Production => "production".to_owned(),
        OrgKind::DeveloperEdition => "Developer Edition".to_owned(),
        OrgKind::Sandbox { of, license } => format!("{license} sandbox of {of}"),
    }
}

/// For people a paragraph an org; with `--json` one line, so that a program can read it while the orgs run.
fn tell(orgs: &[Started], jwt_key_file: &Path, ca_file: Option<&Path>, out: &mut Output) -> Result<(), CommandError> {
    if out.json() {
        let line = serde_json::json!({
            "orgs": orgs, "clientId": SIMULATOR, "jwtKeyFile": jwt_key_file, "caFile": ca_file,
        });
        return out.bytes(format!("{line}\n").as_bytes());
    }
    for org in orgs {
        let (name, url, token) = (&org.name, &org.url, &org.access_token);
        let https = org.https_url.iter().map(|url| format!("  {url}")).collect::<String>();
        out.line(format_args!("{name}  {url}{https}  {}  {}", org.kind, org.username))?;
        out.line(format_args!(
            "  echo '{token}' | syncline org login {name} --access-token-stdin --instance {url}"
        ))?;
        out.line(format_args!(
            "  SF_ACCESS_TOKEN='{token}' sf org login access-token --no-prompt --alias {name} --instance-url {url}"
        ))?;
    }
    let key = jwt_key_file.display();
    out.line(format_args!(
        "By JWT: `sf org login jwt --client-id {SIMULATOR} --jwt-key-file {key} --username NAME --instance-url URL`"
    ))?;
    if let Some(file) = ca_file {
        out.line(format_args!(
            "By TLS: clients must trust {0} (NODE_EXTRA_CA_CERTS={0}, REQUESTS_CA_BUNDLE={0})",
            file.display()
        ))?;
    }
    out.line("Ctrl-C stops them.")
}

fn failed(message: impl std::fmt::Display) -> CommandError {
    CommandError::new(Kind::Internal, "simulator.failed", message)
}
