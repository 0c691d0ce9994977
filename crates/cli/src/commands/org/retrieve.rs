//! `syncline org retrieve`.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use serde_json::json;
use syncline_engine::org::OrgError;
use syncline_engine::org::retrieve::{self, Scope, Snapshot};
use syncline_git::{Head, Signature};
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;

use super::{block_on, orgs};
use crate::Status;
use crate::commands::back_promote;
use crate::error::CommandError;
use crate::file;
use crate::output::{Output, Progress};

/// Get an org's metadata into a folder or a snapshot
///
/// Without --metadata and --manifest that is everything but installed packages. A folder with sfdx-project.json gets source
/// format, another one Metadata API format; files that mean the same stay as they are, and nothing is deleted. A snapshot is a
/// commit at refs/syncline/snapshot/ORG of this repository, with everything that the org has. Ends with 1 when the org could not
/// give something.
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("into").required(true)))]
#[command(after_help = "\
Examples:
  syncline org retrieve uat -o retrieved
  syncline org retrieve uat -o . --metadata ApexClass --metadata 'CustomObject:Account'
  syncline org retrieve uat --snapshot --since last
  syncline diff snapshot:uat uat")]
pub struct Args {
    /// The name of the login
    org: String,
    /// Write into this folder
    #[arg(short, long, group = "into", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Take a snapshot
    #[arg(long, group = "into")]
    snapshot: bool,
    /// Retrieve only what changed since the last snapshot
    #[arg(long, value_name = "last", requires = "snapshot", conflicts_with_all = ["metadata", "manifest"], hide_possible_values = true)]
    since: Option<Since>,
    /// The login leads to a new org, as after a refresh: begin anew
    #[arg(long, requires = "snapshot")]
    new_org: bool,
    /// Only this type, or this component; may be repeated
    #[arg(long, value_name = "TYPE[:NAME]")]
    metadata: Vec<String>,
    /// Only what this package.xml names
    #[arg(long, value_name = "FILE", conflicts_with = "metadata")]
    manifest: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Since {
    Last,
}

/// Retrieves.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let scope = scope(&args)?;
    match &args.output {
        Some(folder) => folder_of(&args, folder, &scope, out),
        None => snapshot_of(&args, scope, out),
    }
}

fn scope(args: &Args) -> Result<Scope, CommandError> {
    if let Some(path) = &args.manifest {
        let bytes = file::read(path)?;
        let manifest =
            PackageManifest::parse(&String::from_utf8_lossy(&bytes)).map_err(|source| OrgError::Manifest {
                path: path.clone(),
                source,
            })?;
        return Ok(Scope::of_manifest(&manifest));
    }
    let mut scope = Scope::default();
    for text in &args.metadata {
        match text.contains(':') {
            false => scope.insert(text, "*"),
            true => {
                let id: ComponentId = text
                    .parse()
                    .map_err(|error| CommandError::user("org.argument", format_args!("`{text}`: {error}")))?;
                scope.insert(&id.type_name, &id.full_name);
            }
        }
    }
    Ok(scope)
}

fn folder_of(args: &Args, folder: &Path, scope: &Scope, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let began = Cell::new(false);
    let (written, refused) = block_on(async {
        let connection = orgs.connect(&args.org).await?;
        let inventory = retrieve::inventory(&connection, scope).await?;
        let plan = retrieve::plan(&inventory, None, retrieve::MOST);
        let mut bar = Bar::new(out);
        let mut progress = |done, total| bar.show(done, total);
        began.set(true);
        let written = retrieve::into_folder(&connection, &inventory, &plan, folder, &mut progress).await?;
        Ok((written, inventory.refused))
    })
    .map_err(|error| match began.get() {
        true => error.hint(format_args!(
            "files that had arrived before are in {}; the same command again brings them all",
            folder.display()
        )),
        false => error,
    })?;
    let messages: Vec<&str> = written
        .messages
        .iter()
        .map(|message| message.problem.as_str())
        .collect();
    tell(&messages, refused.iter(), &written.left, out);
    let found = !messages.is_empty() || !written.left.is_empty() || !refused.is_empty();
    if out.json() {
        out.value(&json!({
            "org": args.org,
            "folder": folder,
            "written": written.files,
            "same": written.same,
            "messages": messages,
            "notListed": refused,
            "leftOut": left(&written.left),
        }))?;
    } else {
        out.line(format_args!(
            "{} files written to {}, {} are as they were",
            written.files,
            folder.display(),
            written.same
        ))?;
    }
    Ok(if found { Status::Found } else { Status::Done })
}

fn snapshot_of(args: &Args, scope: Scope, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let repository = back_promote::open()?;
    let time = back_promote::now();
    let branch = match repository.head().map_err(OrgError::from)? {
        Head::Branch { tip, .. } => tip,
        Head::Detached(commit) => Some(commit),
    };
    let sealer = orgs.vault.sealer().map_err(OrgError::from)?;
    let taken = block_on(async {
        let connection = orgs.connect(&args.org).await?;
        let wanted = Snapshot {
            repository: &repository,
            name: &args.org,
            scope,
            branch,
            since_last: args.since.is_some(),
            new_org: args.new_org,
            sealer: &sealer,
            author: Signature {
                identity: repository.committer()?,
                time,
            },
        };
        let mut bar = Bar::new(out);
        retrieve::snapshot(&connection, wanted, &mut |done, total| bar.show(done, total)).await
    })?;
    let messages: Vec<&str> = taken.messages.iter().map(|message| message.problem.as_str()).collect();
    tell(&messages, taken.refused.iter(), &taken.left, out);
    if out.json() {
        out.value(&json!({
            "org": args.org,
            "commit": taken.commit.to_string(),
            "tree": taken.tree.to_string(),
            "changed": taken.changed,
            "retrieved": taken.retrieved,
            "unchanged": taken.unchanged,
            "gone": taken.gone,
            "messages": messages,
            "notListed": taken.refused,
            "leftOut": left(&taken.left),
        }))?;
    } else {
        let news = if taken.changed { "is" } else { "is still" };
        out.line(format_args!(
            "the snapshot of {} {news} {}: {} components retrieved, {} unchanged, {} gone",
            args.org,
            &taken.commit.to_string()[..12],
            taken.retrieved,
            taken.unchanged,
            taken.gone.len()
        ))?;
    }
    let found = !messages.is_empty() || !taken.left.is_empty() || !taken.refused.is_empty();
    Ok(if found { Status::Found } else { Status::Done })
}

fn left(files: &[(String, String)]) -> Vec<serde_json::Value> {
    files
        .iter()
        .map(|(path, reason)| json!({"path": path, "reason": reason}))
        .collect()
}

fn tell<'a>(
    messages: &[&str],
    refused: impl Iterator<Item = (&'a String, &'a String)>,
    left: &[(String, String)],
    out: &mut Output,
) {
    for message in messages {
        out.warn(message);
    }
    for (kind, why) in refused {
        out.note(format_args!(
            "{kind} cannot be listed, so nothing is known about it: {why}"
        ));
    }
    for (path, why) in left {
        out.warn(format_args!("{path} is left out: {why}"));
    }
}

/// Progress once the number of retrieves is known.
pub(in crate::commands) struct Bar<'a> {
    out: &'a Output,
    bar: Option<(Progress, usize)>,
    done: usize,
}

impl<'a> Bar<'a> {
    pub(in crate::commands) fn new(out: &'a Output) -> Self {
        Self {
            out,
            bar: None,
            done: 0,
        }
    }

    pub(in crate::commands) fn show(&mut self, done: usize, total: usize) {
        // A retrieve that was split makes the whole larger.
        if self.bar.as_ref().is_none_or(|(_, known)| *known != total) {
            self.bar = Some((self.out.progress("retrieving", total as u64), total));
            self.done = 0;
        }
        if let Some((bar, _)) = &mut self.bar {
            if done > self.done {
                bar.advance((done - self.done) as u64);
            }
            self.done = done;
        }
    }
}
