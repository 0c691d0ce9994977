//! `syncline merge-file`: merges three versions of one file.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};
use syncline_metadata::conflict::{Conflict, Reason};
use syncline_metadata::merge::{self, Labels, MergeError, Merged, Side, Sides};

use crate::Status;
use crate::component::component_of;
use crate::error::{CommandError, xml_hint};
use crate::file;
use crate::output::Output;

/// Merge three versions of one file by meaning
///
/// Metadata is merged element by element, everything else by lines. Elements that both sides changed differently stand in the
/// result between conflict markers. Ends with 0 when the result is clean, with 1 when it holds conflicts, with 2 when a file
/// cannot be read: then nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline merge-file base.xml ours.xml theirs.xml --path Admin.profile-meta.xml
  syncline merge-file /dev/null ours.xml theirs.xml -o merged.xml     both sides added the file")]
pub struct Args {
    /// The common ancestor; an empty file when both sides added it
    base: PathBuf,
    /// Our version, whose formatting the result keeps
    ours: PathBuf,
    /// Their version
    theirs: PathBuf,
    /// Path of the file in the repository: it tells the kind of file and names the component. [default: OURS]
    #[arg(long, value_name = "PATH")]
    path: Option<OsString>,
    /// Write the result to this file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Length of conflict markers
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=1000))]
    marker_size: u16,
    /// Name of our version in conflict markers
    #[arg(long, value_name = "NAME", default_value = "ours")]
    label_ours: OsString,
    /// Name of the common ancestor in conflict markers
    #[arg(long, value_name = "NAME", default_value = "base")]
    label_base: OsString,
    /// Name of their version in conflict markers
    #[arg(long, value_name = "NAME", default_value = "theirs")]
    label_theirs: OsString,
}

/// Merges, writes the result, and with `--json` the conflicts.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    if let Some(output) = &args.output {
        file::check_writable(output)?;
    }
    let [base, ours, theirs] = [&args.base, &args.ours, &args.theirs].map(|path| file::read(path));
    let (base, ours, theirs) = (base?, ours?, theirs?);
    let path = args.path.as_deref().unwrap_or(args.ours.as_os_str());
    let path = path.to_string_lossy().into_owned();
    let sides = Sides {
        base: Some(base.as_slice()).filter(|bytes| !bytes.is_empty()),
        ours: Some(&ours),
        theirs: Some(&theirs),
    };
    let component = component_of(&path, sides);
    let merged = merge::merge(&component, &path, sides).map_err(|error| explain(error, &args))?;
    let bytes = merged.with_markers(&labels(&args)).unwrap_or_default();
    match &args.output {
        Some(output) => file::replace(output, &bytes)?,
        None if !out.json() => out.bytes(&bytes)?,
        None => {}
    }
    if out.json() {
        out.value(&Report::new(&merged))?;
    } else {
        tell(&merged, &path, out);
    }
    Ok(if merged.is_clean() { Status::Done } else { Status::Found })
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    /// Whether nothing is left to decide.
    clean: bool,
    /// In the order of the file.
    conflicts: Vec<Value>,
}

impl Report {
    fn new(merged: &Merged) -> Self {
        Self {
            clean: merged.is_clean(),
            conflicts: merged.conflicts().iter().map(conflict).collect(),
        }
    }
}

fn conflict(conflict: &Conflict) -> Value {
    json!({
        "path": conflict.path.to_string(),
        "reason": reason(&conflict.reason),
        "message": conflict.reason.to_string(),
        "fingerprint": conflict.fingerprint().to_string(),
        "base": text(conflict.base.as_deref()),
        "ours": text(conflict.ours.as_deref()),
        "theirs": text(conflict.theirs.as_deref()),
    })
}

/// A stable word for programs.
fn reason(reason: &Reason) -> &'static str {
    match reason {
        Reason::BothChanged => "both-changed",
        Reason::BothAdded => "both-added",
        Reason::DeletedByUs => "deleted-by-us",
        Reason::DeletedByThem => "deleted-by-them",
        Reason::Order => "order",
        Reason::Criteria => "criteria",
        Reason::StillNeeded(_) => "still-needed",
        Reason::Duplicate(_) => "duplicate",
        Reason::Lines => "lines",
        Reason::Whole => "whole",
        Reason::Unproven => "unproven",
    }
}

/// Text of a side; null where it has none, the number of bytes where it is no text.
fn text(side: Option<&[u8]>) -> Value {
    match side.map(|bytes| (std::str::from_utf8(bytes), bytes.len())) {
        None => Value::Null,
        Some((Ok(text), _)) => text.into(),
        Some((Err(_), bytes)) => json!({ "bytes": bytes }),
    }
}

fn tell(merged: &Merged, path: &str, out: &mut Output) {
    for conflict in merged.conflicts() {
        out.note(format_args!("conflict in {}: {}", conflict.path, conflict.reason));
        if conflict.reason == Reason::Whole {
            out.warn(format_args!(
                "the result for {path} is our version: this content cannot hold conflict markers"
            ));
        }
    }
}

fn labels(args: &Args) -> Labels {
    let label = |text: &OsStr| text.to_string_lossy().replace(char::is_control, " ");
    Labels {
        ours: label(&args.label_ours),
        base: label(&args.label_base),
        theirs: label(&args.label_theirs),
        marker_size: args.marker_size.into(),
    }
}

/// Names the very file that cannot be read, not the path in the repository.
fn explain(error: MergeError, args: &Args) -> CommandError {
    let MergeError::Unreadable { side, source, .. } = error else {
        return error.into();
    };
    let (name, file): (_, &Path) = match side {
        Side::Base => ("BASE", &args.base),
        Side::Ours => ("OURS", &args.ours),
        Side::Theirs => ("THEIRS", &args.theirs),
    };
    let hint = xml_hint(&source);
    let of = match &args.path {
        Some(path) => format!(" of `{}`", path.display()),
        None => String::new(),
    };
    CommandError::user(
        "merge.unreadable",
        format_args!("could not read {name}{of}: `{}`", file.display()),
    )
    .because(source)
    .hint(hint)
}
