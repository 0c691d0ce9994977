//! `cargo xtask types`: derives the tables of metadata types from published packages and the list facts.

mod fetch;
mod registry;
mod schema;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

/// Where the facts come from and what to do with them.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Folder with an unpacked `@salesforce/source-deploy-retrieve`; without it the package is fetched with npm
    #[arg(long, value_name = "DIR")]
    registry: Option<PathBuf>,
    /// Folder with an unpacked `@jsforce/jsforce-node`; without it the package is fetched with npm
    #[arg(long, value_name = "DIR")]
    jsforce: Option<PathBuf>,
    /// Folder with list-keys-provenance.json and list-types.json [default: the committed ones]
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Write nothing; fail when the committed tables differ
    #[arg(long)]
    check: bool,
}

/// Why the tables could not be written or checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TypesError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} is not JSON")]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("{path}: {problem}")]
    Shape { path: PathBuf, problem: String },
    #[error("cannot run `{command}`; install npm and tar, or give unpacked packages with --registry and --jsforce")]
    Start { command: String, source: std::io::Error },
    #[error("`{command}` failed: {output}")]
    Command { command: String, output: String },
}

/// Writes `schema.txt` and `registry.txt`, or compares them with the committed files: exit code 1 when they differ.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let stale = tables(arguments)?;
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("out of date: {}; run `cargo xtask types`", stale.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Writes the tables; with `--check`, names those that differ.
fn tables(arguments: &Arguments) -> Result<Vec<&'static str>, TypesError> {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/metadata/table");
    let lists = arguments.lists.clone().unwrap_or_else(|| table.join("sources"));
    let registry_package = fetch::package(arguments.registry.as_deref(), &fetch::REGISTRY)?;
    let jsforce_package = fetch::package(arguments.jsforce.as_deref(), &fetch::JSFORCE)?;

    let element_types = json(&lists.join("list-types.json"))?;
    let keys = json(&lists.join("list-keys-provenance.json"))?;
    let schema_path = jsforce_package.path().join("lib/api/metadata/schema.js");
    let schema = schema::table(&element_types, &keys, &text(&schema_path)?)
        .map_err(|problem| shape(&lists.join("list-keys-provenance.json"), problem))?;

    let source = registry_package.path().join("lib/src/registry");
    let mut presets = Vec::new();
    for name in registry::PRESETS {
        presets.push((name, json(&source.join(format!("presets/{name}.json")))?));
    }
    let registry_path = source.join("metadataRegistry.json");
    let version = fetch::version(&registry_package.path())?;
    let registry = registry::table(&version, &json(&registry_path)?, &presets, &element_types)
        .map_err(|problem| shape(&registry_path, problem))?;

    let mut stale = Vec::new();
    for (name, content) in [("schema.txt", schema), ("registry.txt", registry)] {
        let path = table.join(name);
        if arguments.check {
            if text(&path)? != content {
                stale.push(name);
            }
        } else {
            fs::write(&path, &content).map_err(|source| TypesError::Write { path, source })?;
            println!("wrote crates/metadata/table/{name}: {} lines", content.lines().count());
        }
    }
    Ok(stale)
}

fn text(path: &Path) -> Result<String, TypesError> {
    fs::read_to_string(path).map_err(|source| TypesError::Read {
        path: path.to_owned(),
        source,
    })
}

fn json(path: &Path) -> Result<Value, TypesError> {
    serde_json::from_str(&text(path)?).map_err(|source| TypesError::Json {
        path: path.to_owned(),
        source,
    })
}

fn shape(path: &Path, problem: String) -> TypesError {
    TypesError::Shape {
        path: path.to_owned(),
        problem,
    }
}
