//! Reading and writing many rows by jobs of Bulk 2.0; curl moves the same bytes.

use super::{API, LARGE, Setup, WRITTEN, curl, json, make, rows, shown};
use crate::bench::Bench;
use crate::bench::measure::{Contender, Usage, in_turns};
use crate::bench::report::Row;
use crate::bench::world::Org;
use serde_json::Value;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

/// Rows of a page, for syncline and curl.
const PAGE: usize = 50_000;

/// Runs the benchmark of reading.
pub(super) fn query(bench: &mut Bench, setup: &Setup) -> Vec<Row> {
    let title = format!("bulk query of {} rows", setup.sizes.rows);
    read(bench, setup, &title).unwrap_or_else(|why| vec![Row::failed(&title, why)])
}

fn read(bench: &Bench, setup: &Setup, title: &str) -> Result<Vec<Row>, String> {
    let folder = setup.folder.join("query");
    make(&folder)?;
    let count = setup.sizes.rows;
    let soql = format!("SELECT Id, AccountId, FirstName, LastName, Email FROM Contact LIMIT {count}");
    let (ours, theirs) = (folder.join("ours.csv"), folder.join("theirs.csv"));
    let contenders: Vec<Contender<'_, Usage>> = vec![
        Box::new(|| {
            let arguments = ["org", "query", LARGE, &soql, "--bulk", "-o", &shown(&ours)];
            let (usage, _) = setup.syncline(bench, &folder).args(arguments).used(&setup.folder)?;
            lines(&ours, count + 1)?;
            Ok(usage)
        }),
        Box::new(|| {
            let arguments = [
                "data",
                "export",
                "bulk",
                "--json",
                "--wait",
                "60",
                "--target-org",
                LARGE,
                "--query",
                &soql,
            ];
            let run = setup
                .sf(&folder)
                .args(arguments)
                .args(["--output-file", &shown(&theirs)]);
            let (usage, _) = run.used(&setup.folder)?;
            lines(&theirs, count + 1)?;
            Ok(usage)
        }),
        Box::new(|| download(setup, &folder, &soql)),
    ];
    let measured = in_turns(bench.rounds(3), contenders);
    Ok(rows(title, "sf data export bulk", measured))
}

/// The job, its state, the addresses of its pages, and all pages on one connection.
fn download(setup: &Setup, folder: &Path, soql: &str) -> Result<Usage, String> {
    let org = setup.large()?;
    let asking = serde_json::json!({"operation": "query", "query": soql, "lineEnding": "LF"});
    let (mut usage, job) = send(setup, org, "POST", "jobs/query", &asking)?;
    let path = format!("jobs/query/{}", text(&job, "id")?);
    usage = usage.then(ended(setup, org, &path)?);
    let mut pages = Vec::new();
    let mut next = Some(format!("/services/data/v{API}/{path}/resultPages?maxRecords={PAGE}"));
    while let Some(at) = next {
        let (taken, told) = used(setup, curl(org, folder).args([format!("{}{at}", org.url)]))?;
        usage = usage.then(taken);
        let urls = told["resultPages"].as_array().into_iter().flatten();
        pages.extend(urls.filter_map(|page| page["resultUrl"].as_str().map(str::to_owned)));
        next = told["nextRecordsUrl"].as_str().map(str::to_owned);
    }
    let target = |number: usize| folder.join(format!("page-{number}.csv"));
    let mut run = curl(org, folder);
    for (number, page) in pages.iter().enumerate() {
        run = run.args([
            "--output".to_owned(),
            shown(&target(number)),
            format!("{}{page}", org.url),
        ]);
    }
    usage = usage.then(run.used(&setup.folder)?.0);
    let mut left = setup.sizes.rows;
    for number in 0..pages.len() {
        let here = left.min(PAGE);
        lines(&target(number), here + 1)?;
        left -= here;
    }
    match left {
        0 => Ok(usage),
        missing => Err(format!("curl got {missing} rows too few")),
    }
}

/// Runs the benchmark of writing.
pub(super) fn ingest(bench: &mut Bench, setup: &Setup) -> Vec<Row> {
    let title = format!("bulk ingest of {} rows", setup.sizes.rows);
    put(bench, setup, &title).unwrap_or_else(|why| vec![Row::failed(&title, why)])
}

fn put(bench: &Bench, setup: &Setup, title: &str) -> Result<Vec<Row>, String> {
    let folder = setup.folder.join("ingest");
    make(&folder)?;
    let file = folder.join("accounts.csv");
    accounts(&file, setup.sizes.rows).map_err(|error| format!("{}: {error}", file.display()))?;
    let [ours, theirs, plain] = WRITTEN;
    let contenders: Vec<Contender<'_, Usage>> = vec![
        Box::new(|| {
            grown(setup, ours, || {
                let arguments = ["org", "import", ours, "Account", &shown(&file), "--json"];
                let run = setup.syncline(bench, &folder).args(arguments);
                run.used(&setup.folder).map(|(usage, _)| usage)
            })
        }),
        Box::new(|| {
            grown(setup, theirs, || {
                let arguments = [
                    "data",
                    "import",
                    "bulk",
                    "--json",
                    "--wait",
                    "60",
                    "--target-org",
                    theirs,
                ];
                let run = setup.sf(&folder).args(arguments);
                let run = run.args(["--sobject", "Account", "--line-ending", "LF", "--file", &shown(&file)]);
                run.used(&setup.folder).map(|(usage, _)| usage)
            })
        }),
        Box::new(|| grown(setup, plain, || upload(setup, plain, &file))),
    ];
    let measured = in_turns(bench.rounds(1), contenders);
    Ok(rows(title, "sf data import bulk", measured))
}

/// Each contender has an org of its own, which gets the rows once more each round.
fn grown(setup: &Setup, name: &str, work: impl FnOnce() -> Result<Usage, String>) -> Result<Usage, String> {
    let org = setup.world.org(name)?;
    let count = || {
        let told = org.control("records/Account?limit=0")?;
        told["total"]
            .as_u64()
            .ok_or_else(|| "the simulator told no total".to_owned())
    };
    let before = count()?;
    let usage = work()?;
    let more = count()? - before;
    if more == setup.sizes.rows as u64 {
        return Ok(usage);
    }
    Err(format!("{more} rows arrived in {name}, not {}", setup.sizes.rows))
}

/// The job, its rows, its closing and its state.
fn upload(setup: &Setup, name: &str, file: &Path) -> Result<Usage, String> {
    let org = setup.world.org(name)?;
    let asking =
        serde_json::json!({"object": "Account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"});
    let (usage, job) = send(setup, org, "POST", "jobs/ingest", &asking)?;
    let path = format!("jobs/ingest/{}", text(&job, "id")?);
    let run = curl(org, &setup.folder).args(["--header", "Content-Type: text/csv", "--upload-file", &shown(file)]);
    let (uploaded, _) = run
        .args([address(org, &format!("{path}/batches"))])
        .used(&setup.folder)?;
    let (closed, _) = send(
        setup,
        org,
        "PATCH",
        &path,
        &serde_json::json!({"state": "UploadComplete"}),
    )?;
    Ok(usage.then(uploaded).then(closed).then(ended(setup, org, &path)?))
}

fn address(org: &Org, path: &str) -> String {
    format!("{}/services/data/v{API}/{path}", org.url)
}

/// Sends JSON by curl and reads JSON.
fn send(setup: &Setup, org: &Org, method: &str, path: &str, body: &Value) -> Result<(Usage, Value), String> {
    let run = curl(org, &setup.folder).args(["--request", method, "--header", "Content-Type: application/json"]);
    used(
        setup,
        run.args(["--data".to_owned(), body.to_string(), address(org, path)]),
    )
}

fn used(setup: &Setup, run: crate::bench::measure::Run) -> Result<(Usage, Value), String> {
    let (usage, output) = run.used(&setup.folder)?;
    Ok((usage, json(&output)?))
}

/// Asks once for the state of a job: the simulator runs it before it answers.
fn ended(setup: &Setup, org: &Org, path: &str) -> Result<Usage, String> {
    let (usage, job) = used(setup, curl(org, &setup.folder).args([address(org, path)]))?;
    match text(&job, "state")? {
        "JobComplete" => Ok(usage),
        state => Err(format!("{path} is {state}")),
    }
}

fn text<'v>(value: &'v Value, name: &str) -> Result<&'v str, String> {
    value[name]
        .as_str()
        .ok_or_else(|| format!("an answer has no {name}: {value}"))
}

/// Fails where a file has not that many lines.
fn lines(file: &Path, expected: usize) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut opened = std::fs::File::open(file).map_err(failed)?;
    let mut buffer = vec![0; 1 << 20];
    let mut found = 0;
    loop {
        let read = opened.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        found += buffer[..read].iter().filter(|byte| **byte == b'\n').count();
    }
    if found == expected {
        return Ok(());
    }
    Err(format!("{} has {found} lines, not {expected}", file.display()))
}

fn accounts(file: &Path, rows: usize) -> std::io::Result<()> {
    let mut out = BufWriter::new(std::fs::File::create(file)?);
    out.write_all(b"Name,Industry,BillingCity,NumberOfEmployees\n")?;
    for number in 0..rows {
        let industry = ["Banking", "Energy", "Education"][number % 3];
        writeln!(out, "Harbor Works {number},{industry},Northport,{}", number % 5000)?;
    }
    out.flush()
}
