//! Replays the corpus of real merges and judges each result by the corpus' rules, with logic of its own.

mod archive;
mod case;
mod judge;
mod model;
mod peer;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use case::Case;
use judge::Judged;

/// Replay the corpus of real three-way merges and judge the results
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder with `index.jsonl`; else `SYNCLINE_CORPUS`, else the archive beside the checkout
    dir: Option<PathBuf>,
    /// Only the small, diverse subset
    #[arg(long)]
    core: bool,
    /// Only cases of this type, as the index names it (`layout`, `profile`, ...)
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Only the case of this id
    #[arg(long)]
    case: Option<String>,
    /// Write the report as Markdown to this file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Print every case as a line of JSON instead of the tables
    #[arg(long)]
    json: bool,
    /// How many failing cases to list
    #[arg(long, default_value_t = 20)]
    failures: usize,
    /// Also replay with this merge driver, `%O %A %B %P` as git has them: `git merge-file %A %O %B`
    #[arg(long, value_name = "COMMAND")]
    peer: Option<String>,
    /// Replay in this many threads
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

/// Why the corpus cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CorpusError {
    #[error("there is no corpus: name its folder, set SYNCLINE_CORPUS, or put the archive at {0}")]
    Missing(PathBuf),
    #[error("cannot unpack {archive}: {reason}; the programs zstd and tar must be installed")]
    Unpack { archive: PathBuf, reason: String },
    #[error("cannot read {path}")]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path}, line {line} is no case")]
    Index {
        path: PathBuf,
        line: usize,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot write {path}")]
    Write {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("no case matches")]
    Nothing,
}

/// Replays and reports; fails below the thresholds.
pub(crate) fn run(args: &Args) -> ExitCode {
    match replay(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = std::error::Error::source(&error);
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::from(2)
        }
    }
}

fn replay(args: &Args) -> Result<bool, CorpusError> {
    let dir = archive::find(args.dir.as_deref())?;
    let cases: Vec<Case> = case::read_index(&dir)?
        .into_iter()
        .filter(|case| !args.core || case.core)
        .filter(|case| args.kind.as_ref().is_none_or(|kind| case.kind_of_file == *kind))
        .filter(|case| args.case.as_ref().is_none_or(|id| case.id == *id))
        .collect();
    if cases.is_empty() {
        return Err(CorpusError::Nothing);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let start = Instant::now();
    let judged = in_parallel(&cases, args.threads, |case| {
        judge::judge(case, &dir, &mut judge::product)
    })?;
    let took = start.elapsed();
    if args.json {
        for judged in &judged {
            use std::io::Write as _;
            if writeln!(std::io::stdout(), "{}", report::line(judged)).is_err() {
                break;
            }
        }
        return Ok(true);
    }
    let peer = args.peer.as_deref().map(peer::Peer::new);
    let by_peer = |peer: &peer::Peer| {
        in_parallel(&cases, args.threads, |case| {
            judge::judge(case, &dir, &mut |c, s| peer.merge(c, s))
        })
    };
    let peer = peer.as_ref().map(by_peer).transpose()?;
    drop(std::panic::take_hook());
    let report = report::Report::new(&judged, peer.as_deref().zip(args.peer.as_deref()), took);
    println!("{report}");
    report::print_failures(&judged, args.failures);
    if let Some(path) = &args.write {
        let write = std::fs::write(path, report.markdown());
        write.map_err(|source| CorpusError::Write {
            path: path.clone(),
            source,
        })?;
    }
    Ok(report.is_good_enough())
}

fn in_parallel(
    cases: &[Case],
    threads: usize,
    judge: impl Fn(&Case) -> Result<Judged, CorpusError> + Sync,
) -> Result<Vec<Judged>, CorpusError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(case) = cases.get(i) else {
                return Ok(done);
            };
            done.push((i, judge(case)?));
        }
    };
    let parts: Vec<Result<Vec<(usize, Judged)>, CorpusError>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        handles
            .into_iter()
            .map(|handle| {
                handle
                    .join()
                    .expect("panics of a merge are caught, and judging has none")
            })
            .collect()
    });
    let mut all = Vec::with_capacity(cases.len());
    for part in parts {
        all.extend(part?);
    }
    all.sort_unstable_by_key(|(i, _)| *i);
    Ok(all.into_iter().map(|(_, judged)| judged).collect())
}
