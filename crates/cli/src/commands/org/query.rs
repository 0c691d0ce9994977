//! `syncline org query`.

use std::io::Read;
use std::path::{Path, PathBuf};

use syncline_engine::org::query::{Place, Table, export, rows};

use super::{block_on, orgs};
use crate::Status;
use crate::error::CommandError;
use crate::file;
use crate::output::Output;

/// Run a query and show its rows
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  syncline org query uat 'SELECT Name, Owner.Name FROM Account LIMIT 5'
  syncline org query uat 'SELECT Name FROM ApexClass' --tooling --format csv
  syncline org query uat 'SELECT Id, Subject FROM Case' --bulk --all -o cases.csv")]
pub struct Args {
    /// The name of the login
    org: String,
    /// The query
    soql: String,
    /// Ask the Tooling API
    #[arg(long, conflicts_with = "all")]
    tooling: bool,
    /// Deleted and archived rows, too
    #[arg(long)]
    all: bool,
    /// Run it as a job of Bulk 2.0, for many rows; they come as CSV
    #[arg(long, conflicts_with_all = ["tooling", "format"])]
    bulk: bool,
    /// How rows are shown
    #[arg(
        long,
        value_name = "table|csv|json",
        default_value = "table",
        hide_possible_values = true
    )]
    format: Format,
    /// Write the rows to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
}

/// Runs the query.
pub fn run(args: Args, out: &mut Output) -> Result<Status, CommandError> {
    if let Some(path) = &args.output {
        file::check_writable(path)?;
    }
    if args.bulk {
        return bulk(&args, out);
    }
    let orgs = orgs()?;
    let place = match (args.tooling, args.all) {
        (true, _) => Place::Tooling,
        (_, true) => Place::AllRecords,
        _ => Place::Records,
    };
    let mut bar = None;
    let mut told = 0;
    let found = block_on(async {
        let connection = orgs.connect(&args.org).await?;
        let mut seen = |rows: u64, total: u64| {
            if rows > 0 && (total > rows || bar.is_some()) {
                let bar = bar.get_or_insert_with(|| out.progress("reading rows", total));
                bar.advance(rows - told);
                told = rows;
            }
        };
        rows(&connection, &args.soql, place, &mut seen).await
    })?;
    drop(bar);
    let format = if out.json() { Format::Json } else { args.format };
    let text = match format {
        Format::Json => {
            let json = serde_json::to_string_pretty(&found).map_err(|error| CommandError::stdout(error.into()))?;
            json + "\n"
        }
        _ if is_count(&args.soql) => format!("{}\n", found.total_size),
        Format::Csv => found.table().csv(),
        Format::Table => shown(&found.table()),
    };
    match &args.output {
        Some(path) => file::replace(path, text.as_bytes())?,
        None => out.bytes(text.as_bytes())?,
    }
    if format == Format::Table && !is_count(&args.soql) {
        out.note(format_args!("{} rows", found.total_size));
    }
    Ok(Status::Done)
}

/// `SELECT COUNT() FROM …` has a number and no rows.
fn is_count(soql: &str) -> bool {
    let words: String = soql.chars().filter(|c| !c.is_whitespace()).take(13).collect();
    words.eq_ignore_ascii_case("SELECTCOUNT()")
}

/// Through a file beside the one that is wanted: a result that breaks off is not taken for a whole one.
fn bulk(args: &Args, out: &mut Output) -> Result<Status, CommandError> {
    let orgs = orgs()?;
    let folder = args.output.as_deref().and_then(Path::parent);
    let scratch = match folder.filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => tempfile::NamedTempFile::new_in(folder),
        None if args.output.is_some() => tempfile::NamedTempFile::new_in("."),
        None => tempfile::NamedTempFile::new(),
    };
    let unwritable =
        |error: std::io::Error| CommandError::user("file.unwritable", "could not write the rows").because(error);
    let scratch = scratch.map_err(unwritable)?;
    let rows = block_on(async {
        let connection = orgs.connect(&args.org).await?;
        export(&connection, &args.soql, args.all, scratch.path()).await
    })?;
    match &args.output {
        Some(path) => {
            scratch.persist(path).map_err(|error| unwritable(error.error))?;
        }
        None => {
            let mut file = scratch.reopen().map_err(unwritable)?;
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match file.read(&mut buffer).map_err(unwritable)? {
                    0 => break,
                    read => out.bytes(&buffer[..read])?,
                }
            }
        }
    }
    out.note(format_args!("{rows} rows"));
    Ok(Status::Done)
}

/// Columns as wide as their widest cell.
fn shown(table: &Table) -> String {
    let clean = |text: &str| -> String { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() };
    let rows: Vec<Vec<String>> = std::iter::once(&table.columns)
        .chain(&table.rows)
        .map(|row| row.iter().map(|cell| clean(cell)).collect())
        .collect();
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    if table.columns.is_empty() { String::new() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let table = Table {
            columns: vec!["Name".to_owned(), "N".to_owned()],
            rows: vec![
                vec!["Zoë\n".to_owned(), "1".to_owned()],
                vec!["B".to_owned(), String::new()],
            ],
        };
        assert_eq!(shown(&table), "Name  N\nZoë   1\nB\n");
        assert_eq!(shown(&Table::default()), "");
    }
}
