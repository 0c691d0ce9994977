//! `syncline diff`: what differs between two states.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use syncline_engine::compare::{CompareError, Comparison, ComponentChange, Deletion, Filter, compare};
use syncline_engine::config::{self, Config};
use syncline_engine::org::retrieve::{PROJECT, Scope, into_state};
use syncline_engine::source::{Named, Names, Source, SourceError};
use syncline_git::Repository;
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::package::PackageManifest;

use super::org::{Bar, block_on, orgs};
use crate::Status;
use crate::error::{CommandError, xml_hint};
use crate::file;
use crate::output::{Output, Progress};

/// Show what differs between two states, by component and element
///
/// A state is the branch of an environment (`env:uat`), a revision of this repository (`git:main`, `git:HEAD~3`), a folder
/// (`dir:retrieved`), the last snapshot of an org (`snapshot:uat`) or the org itself (`org:uat`, by its environment or login), which
/// is retrieved for this (with --type only these types). A bare name works where it is only one of them. White space, quoting, line ends and the order of lists without order are no difference. Ends with 0
/// when both mean the same, with 1 when they differ, with 2 when one cannot be read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline diff production uat                   every change, one line each
  syncline diff production uat --stat            counts by type
  syncline diff v1.4 HEAD --type Profile --type PermissionSet
  syncline diff uat org:uat --type ApexClass     what was changed in the org since
  syncline diff HEAD dir:retrieved --component 'Flow:*'
  syncline diff v1.4 v1.5 --package-xml delta    what to deploy to get from v1.4 to v1.5")]
pub struct Args {
    /// The state before
    from: String,
    /// The state after
    to: String,
    /// Count by type instead of listing changes
    #[arg(long)]
    stat: bool,
    /// Only this metadata type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    types: Vec<String>,
    /// Only this component; the name may be `*`; may be repeated
    #[arg(long = "component", value_name = "TYPE:NAME")]
    components: Vec<ComponentId>,
    /// Write package.xml and the destructive changes that turn FROM into TO into this folder
    #[arg(long, value_name = "DIR")]
    package_xml: Option<PathBuf>,
    /// Whether deletions are done before or after the deployment
    #[arg(long, value_name = "pre|post", default_value = "post", requires = "package_xml")]
    destructive: Moment,
}

/// When deletions are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Moment {
    /// destructiveChangesPre.xml
    Pre,
    /// destructiveChangesPost.xml
    Post,
}

/// Comparisons of fewer components are done before progress could be read.
const SLOW: usize = 3000;

/// Compares, and writes changes, counts or packages.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    let here = Path::new(".");
    let repository = Repository::discover(here).ok();
    let scratch = tempfile::tempdir()
        .map_err(|error| CommandError::user("file.unwritable", "could not make a temporary folder").because(error))?;
    let config = match &repository {
        Some(repository) => config::read(repository)?,
        None => Config::default(),
    };
    // Whoever names revisions outright needs no logins.
    let outright = |name: &String| {
        ["env:", "git:", "snapshot:", "dir:"]
            .iter()
            .any(|kind| name.starts_with(kind))
    };
    let logins: Vec<String> = match [&args.from, &args.to].into_iter().all(outright) {
        true => Vec::new(),
        false => orgs()?.list()?.into_iter().map(|org| org.name).collect(),
    };
    let names = Names {
        repository: repository.as_ref(),
        config: &config,
        folder: here,
        logins: &logins,
    };
    let find = |name: &str| match names.find(name).map_err(source_error)? {
        Named::Org(org) => retrieved(&org, &args, &scratch.path().join(&org), out),
        Named::Source(source) => Ok(source),
    };
    let (from, to) = (find(&args.from)?, find(&args.to)?);
    let filter = Filter {
        types: args.types.clone(),
        components: args.components.clone(),
    };
    let comparison = with_progress(out, |progress| {
        compare(repository.as_ref(), &from, &to, &filter, progress)
    })
    .map_err(compare_error)?;
    for (path, reason) in &comparison.unknown {
        out.warn(format_args!("{path}: {reason}; it is not compared"));
    }
    let notes = match &args.package_xml {
        Some(folder) => write_packages(folder, &comparison, args.destructive)?,
        None => Vec::new(),
    };
    for note in &notes {
        out.warn(note);
    }
    if out.json() {
        out.value(&report(&args, &comparison, &notes))?;
    } else if args.stat {
        stat(&comparison, out)?;
    } else if args.package_xml.is_none() {
        for component in &comparison.components {
            show(component, out)?;
        }
    }
    Ok(if comparison.is_equal() {
        Status::Done
    } else {
        Status::Found
    })
}

/// The org as it is now, in a folder.
fn retrieved(org: &str, args: &Args, folder: &Path, out: &Output) -> Result<Source, CommandError> {
    let mut scope = Scope::default();
    for name in &args.types {
        scope.insert(name, "*");
    }
    std::fs::create_dir_all(folder)
        .map_err(|error| CommandError::user("file.unwritable", "could not make a temporary folder").because(error))?;
    let project = match Path::new("sfdx-project.json") {
        file if file.is_file() => String::from_utf8_lossy(&file::read(file)?).into_owned(),
        _ => PROJECT.to_owned(),
    };
    let orgs = orgs()?;
    block_on(async {
        let connection = orgs.connect(org).await?;
        let mut bar = Bar::new(out);
        let mut progress = |done, total| bar.show(done, total);
        into_state(&connection, &scope, folder, &project, &mut progress).await
    })?;
    Ok(Source::Dir(folder.to_owned()))
}

fn with_progress<T>(out: &Output, work: impl FnOnce(&(dyn Fn(usize, usize) + Sync)) -> T) -> T {
    let bar: Mutex<Option<Progress>> = Mutex::new(None);
    work(&|_, total| {
        if total >= SLOW {
            // A panic of another thread does not matter to what is told.
            let mut bar = bar.lock().unwrap_or_else(PoisonError::into_inner);
            bar.get_or_insert_with(|| out.progress("comparing components", total as u64))
                .advance(1);
        }
    })
}

fn show(component: &ComponentChange, out: &mut Output) -> Result<(), CommandError> {
    let name = format!("{} {}", component.id.type_name, component.id.full_name);
    match component.kind {
        ChangeKind::Added | ChangeKind::Removed => {
            out.line(format_args!("{}: {}", printable(&name), component.kind.name()))?;
        }
        ChangeKind::Changed | ChangeKind::Moved => {
            for file in component
                .files
                .iter()
                .filter(|f| f.from.is_some() && f.to.is_some() && f.from != f.to)
            {
                let path = |side: &Option<String>| printable(side.as_deref().unwrap_or_default());
                out.line(format_args!(
                    "{}: file moved from {} to {}",
                    printable(&name),
                    path(&file.from),
                    path(&file.to)
                ))?;
            }
            for element in &component.elements {
                match element.path.steps.is_empty() {
                    true => out.line(format_args!("{element} ({})", printable(&files(component))))?,
                    false => out.line(element)?,
                }
            }
        }
    }
    Ok(())
}

/// Paths of a component's changed files.
fn files(component: &ComponentChange) -> String {
    let names: Vec<&str> = component
        .files
        .iter()
        .filter_map(|f| f.to.as_deref().or(f.from.as_deref()))
        .collect();
    names.join(", ")
}

/// Text without control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

fn stat(comparison: &Comparison, out: &mut Output) -> Result<(), CommandError> {
    let stats = comparison.stat();
    let width = stats.keys().map(|t| t.len()).max().unwrap_or(0).max("Total".len());
    if stats.is_empty() {
        return Ok(());
    }
    out.line(format_args!(
        "{:width$}  added  removed  changed  moved  element changes",
        "Type"
    ))?;
    let mut total = [0; 5];
    for (name, s) in &stats {
        let row = [s.added, s.removed, s.changed, s.moved, s.elements];
        total.iter_mut().zip(row).for_each(|(sum, n)| *sum += n);
        line(out, name, width, row)?;
    }
    line(out, "Total", width, total)
}

fn line(
    out: &mut Output,
    name: &str,
    width: usize,
    [added, removed, changed, moved, elements]: [usize; 5],
) -> Result<(), CommandError> {
    out.line(format_args!(
        "{name:width$}  {added:>5}  {removed:>7}  {changed:>7}  {moved:>5}  {elements:>15}"
    ))
}

fn report(args: &Args, comparison: &Comparison, notes: &[String]) -> Value {
    let components: Vec<Value> = comparison.components.iter().map(component).collect();
    let unknown: Vec<Value> = comparison
        .unknown
        .iter()
        .map(|(path, reason)| json!({"path": path, "reason": reason}))
        .collect();
    let mut report = json!({
        "from": args.from,
        "to": args.to,
        "equal": comparison.is_equal(),
        "components": components,
        "unknown": unknown,
        "other": comparison.other,
    });
    if args.package_xml.is_some() {
        report["notes"] = json!(notes);
    }
    if args.stat {
        let stat = comparison.stat();
        report["stat"] = stat.iter().map(|(name, s)| {
            json!({"type": name, "added": s.added, "removed": s.removed, "changed": s.changed, "moved": s.moved, "elements": s.elements})
        }).collect();
    }
    report
}

fn component(change: &ComponentChange) -> Value {
    let elements: Vec<Value> = change
        .elements
        .iter()
        .map(|e| json!({"path": e.path.to_string(), "kind": e.kind.name(), "from": e.from, "to": e.to, "words": e.to_string()}))
        .collect();
    let files: Vec<Value> = change
        .files
        .iter()
        .map(|f| json!({"from": f.from, "to": f.to}))
        .collect();
    let children: Vec<Value> = change
        .children
        .iter()
        .map(|(id, kind)| json!({"component": id.to_string(), "kind": kind.name()}))
        .collect();
    json!({
        "type": change.id.type_name,
        "fullName": change.id.full_name,
        "kind": change.kind.name(),
        "files": files,
        "changes": elements,
        "children": children,
    })
}

/// Writes package.xml, and destructive changes where there are any. Returns what a person must know.
fn write_packages(folder: &Path, comparison: &Comparison, moment: Moment) -> Result<Vec<String>, CommandError> {
    std::fs::create_dir_all(folder).map_err(|error| {
        CommandError::user(
            "file.unwritable",
            format_args!("could not create the folder {}", folder.display()),
        )
        .because(error)
    })?;
    let packages = comparison.packages(match moment {
        Moment::Pre => Deletion::Before,
        Moment::Post => Deletion::After,
    });
    file::replace(&folder.join("package.xml"), packages.package.to_string().as_bytes())?;
    let destructive: [(&str, &PackageManifest); 2] = [
        ("destructiveChangesPre.xml", &packages.destructive_pre),
        ("destructiveChangesPost.xml", &packages.destructive_post),
    ];
    for (name, manifest) in destructive {
        let path = folder.join(name);
        if !manifest.is_empty() {
            file::replace(&path, manifest.to_string().as_bytes())?;
        } else if path.is_file() {
            // One of an earlier run would be deployed with this package.
            std::fs::remove_file(&path).map_err(|error| {
                CommandError::user("file.unwritable", format_args!("could not remove {}", path.display()))
                    .because(error)
            })?;
        }
    }
    Ok(packages.notes.iter().map(ToString::to_string).collect())
}

fn source_error(error: SourceError) -> CommandError {
    let hint = match &error {
        SourceError::Unknown { .. } | SourceError::Revision { .. } => {
            Some("`git branch --all` lists branches; a folder is written `dir:PATH`")
        }
        SourceError::NoRepository { .. } => {
            Some("run the command inside a git repository, or compare folders with `dir:PATH`")
        }
        SourceError::NoSnapshot { .. } => Some("`syncline snapshot ENV` takes one"),
        SourceError::NoOrg { .. } => Some("`syncline org list` shows the logins, `syncline env list` the environments"),
        SourceError::NotAFolder { .. } => Some("give the folder that holds sfdx-project.json or package.xml"),
        _ => None,
    };
    let error = CommandError::user("diff.state", &error).with_source_of(error);
    hint.into_iter().fold(error, CommandError::hint)
}

fn compare_error(error: CompareError) -> CommandError {
    match error {
        CompareError::Source(error) => source_error(error),
        CompareError::Diff { state, source } => {
            let hint = xml_hint(&source.source);
            CommandError::user("diff.unreadable", format_args!("could not compare {state}"))
                .because(source)
                .hint(hint)
        }
        error => CommandError::user("diff.failed", &error).with_source_of(error),
    }
}
