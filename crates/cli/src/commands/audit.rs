//! `syncline audit`: who did what, and whether that record is whole.

use std::path::PathBuf;

use syncline_engine::audit::{self, Entry, PAGE, REF, ReferenceError, SignError};
use syncline_engine::operation::Runtime;
use syncline_engine::server_key;
use syncline_engine::time::rfc3339;

use super::back_promote::{now, open};
use super::operating;
use crate::Status;
use crate::error::{CommandError, Kind};
use crate::output::Output;

/// See who did what, and check that the record is whole
///
/// Each entry holds the digest of the one before. Checkpoints of the chain are signed and pushed to refs/syncline/audit of the remote:
/// against them a chain that was rewritten, cut or signed anew is found.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline audit show --limit 20
  syncline audit checkpoint --remote origin              sign the end of the chain and push it
  syncline audit verify --against refs/syncline/audit
  syncline audit export > audit.jsonl

Exit codes: 0 whole · 1 something is wrong with the chain · 2 error")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the newest entries
    Show {
        /// Only those about this: `operation:ID`, `env:NAME`, `person:NAME`
        #[arg(long, value_name = "SUBJECT")]
        about: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Check the whole chain
    Verify {
        /// Checkpoints from outside of the database: a ref, or a file
        #[arg(long, value_name = "REF|FILE")]
        against: Option<String>,
    },
    /// Sign the end of the chain, and push all checkpoints to refs/syncline/audit
    Checkpoint {
        /// The remote
        #[arg(long, value_name = "NAME", default_value = "origin")]
        remote: String,
        /// Only sign
        #[arg(long)]
        no_push: bool,
    },
    /// Write all entries, one JSON document a line
    Export {
        /// To this file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// Shows, checks, signs or writes.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let repository = open()?;
    operating::block_on(async {
        let runtime = operating::runtime(&repository).await?;
        match args.action {
            Action::Show { about, limit } => show(&runtime, about.as_deref(), limit, out).await,
            Action::Verify { against } => {
                let reference = against.map(|name| audit::read(&repository, &name)).transpose()?;
                let found = audit::verify(&runtime.store, reference.as_deref()).await?;
                tell(&found, out)
            }
            Action::Checkpoint { remote, no_push } => {
                let actor = operating::actor(&repository)?;
                let place = server_key::place(&runtime.store, &repository)?;
                let key = server_key::load(&runtime.store, &place).await?;
                let signed = audit::checkpoint(&runtime.store, &key, &actor, runtime.now()).await?;
                let published = match no_push {
                    true => 0,
                    false => audit::publish(&repository, &remote, &runtime.store.checkpoints().await?, now())?,
                };
                if out.json() {
                    out.value(&serde_json::json!({ "signed": signed, "published": published }))?;
                } else {
                    match signed {
                        Some(one) => out.line(format_args!("signed entry {}: {}", one.seq, one.hash))?,
                        None => out.line("the end of the chain is signed already")?,
                    }
                    if !no_push {
                        out.line(format_args!("{published} new checkpoints in {REF} of {remote}"))?;
                    }
                }
                Ok(Status::Done)
            }
            Action::Export { output } => export(&runtime, output, out).await,
        }
    })
}

async fn show(runtime: &Runtime, about: Option<&str>, limit: u32, out: &mut Output) -> Result<Status, CommandError> {
    let entries = runtime.store.recent_audit(about, limit).await?;
    if out.json() {
        out.value(&serde_json::json!({ "entries": entries }))?;
        return Ok(Status::Done);
    }
    for Entry { seq, draft, .. } in &entries {
        out.line(format_args!(
            "{seq:>6}  {}  {}: {} {}, {}",
            rfc3339(draft.at),
            draft.actor,
            draft.action,
            draft.subject,
            draft.outcome
        ))?;
    }
    Ok(Status::Done)
}

fn tell(found: &audit::Verified, out: &mut Output) -> Result<Status, CommandError> {
    let status = match found.is_whole() {
        true => Status::Done,
        false => Status::Found,
    };
    if out.json() {
        out.value(found)?;
        return Ok(status);
    }
    let report = &found.report;
    for finding in &report.findings {
        out.line(finding)?;
    }
    for key in &found.foreign_keys {
        out.line(format_args!(
            "checkpoints in the database are signed with the key {key}, which signed none of the reference: signed anew"
        ))?;
    }
    let words = if found.is_whole() {
        "the chain is whole"
    } else {
        "the chain is NOT whole"
    };
    out.line(format_args!(
        "{words}: {} entries, {} checkpoints agree, {} findings",
        report.entries, report.checkpoints, report.found
    ))?;
    if !found.against_reference {
        out.note(format_args!(
            "checked against the database itself only; `--against {REF}` finds a chain that was written anew"
        ));
    }
    Ok(status)
}

async fn export(runtime: &Runtime, output: Option<PathBuf>, out: &mut Output) -> Result<Status, CommandError> {
    use std::io::Write;

    let unwritable = |path: &PathBuf, error: std::io::Error| {
        CommandError::user("file.unwritable", format_args!("could not write {}", path.display())).because(error)
    };
    let mut file = match &output {
        Some(path) => {
            let made = std::fs::File::create(path).map_err(|error| unwritable(path, error))?;
            Some((path, std::io::BufWriter::new(made)))
        }
        None => None,
    };
    let (mut after, mut count) = (0, 0_u64);
    loop {
        let page = runtime.store.audit_entries(after, PAGE).await?;
        for entry in &page {
            let line = format!("{}\n", serde_json::json!(entry));
            match &mut file {
                Some((path, file)) => file
                    .write_all(line.as_bytes())
                    .map_err(|error| unwritable(path, error))?,
                None => out.bytes(line.as_bytes())?,
            }
            count += 1;
        }
        match page.last() {
            Some(last) if last.seq > after => after = last.seq,
            _ => break,
        }
    }
    if let Some((path, mut file)) = file {
        file.flush().map_err(|error| unwritable(path, error))?;
        out.note(format_args!("{count} entries in {}", path.display()));
    }
    Ok(Status::Done)
}

impl From<ReferenceError> for CommandError {
    fn from(error: ReferenceError) -> Self {
        let (kind, code) = match &error {
            ReferenceError::Disagrees { .. } => (Kind::Refused, "audit.disagrees"),
            ReferenceError::Unknown { .. } | ReferenceError::Io { .. } | ReferenceError::Line { .. } => {
                (Kind::User, "audit.reference")
            }
            ReferenceError::Remote(_) | ReferenceError::Program(_) => (Kind::Upstream, "audit.remote"),
            _ => (Kind::User, "git.repository"),
        };
        let told = Self::new(kind, code, &error).with_source_of(&error);
        match error {
            ReferenceError::Disagrees { .. } => told.hint("run `syncline audit verify --against refs/syncline/audit`"),
            _ => told,
        }
    }
}

impl From<SignError> for CommandError {
    fn from(error: SignError) -> Self {
        match error {
            SignError::Store(error) => error.into(),
            SignError::Refused(refusal) => refusal.into(),
            other => Self::new(Kind::Internal, "audit.key", other),
        }
    }
}
