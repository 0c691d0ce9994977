//! `cargo xtask tidy`: checks the rules of the source tree that no compiler checks.

mod rules;

use clap::Args;
use rules::{CASE_SIDES, DATA, EDGES, FORBIDDEN, FREE, LINES};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Arguments of the task.
#[derive(Args)]
pub(crate) struct Arguments {}

/// What is wrong in one file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    file: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    text: String,
}

/// Runs the task: 0 where nothing is wrong, 1 else.
pub(crate) fn run(_: &Arguments) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.parent().ok_or("the xtask package lies outside of a workspace")?;
    let files = tracked(root)?;
    let names: BTreeSet<&str> = files.keys().map(String::as_str).collect();
    let mut findings = Vec::new();
    let mut warnings = Vec::new();
    for (name, bytes) in &files {
        if DATA
            .iter()
            .any(|data| name.starts_with(data) || (data.starts_with('.') && name.ends_with(data)))
        {
            continue;
        }
        // Files that are no text have nothing to check.
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        // The digests of a lock file may hold any word.
        if !name.ends_with("package-lock.json") {
            check_text(name, text, &mut findings);
        }
        if name.ends_with(".rs") {
            check_rust(name, text, &mut findings, &mut warnings);
        }
        if name.ends_with(".md") {
            check_links(name, text, &names, &mut findings);
        }
        if name.ends_with("package-lock.json") {
            check_lock(name, text, &mut findings);
        }
        if name.ends_with("Cargo.toml") {
            check_manifest(name, text, &mut findings);
        }
    }
    check_cases(&names, &mut findings);
    for file in ["LICENSE-MIT", "LICENSE-APACHE"] {
        if !names.contains(file) {
            findings.push(whole(file, "is missing: the workspace is licensed MIT OR Apache-2.0"));
        }
    }
    findings.sort();
    for warning in &warnings {
        println!("warning: {}", shown(warning));
    }
    for finding in &findings {
        println!("error: {}", shown(finding));
    }
    println!(
        "tidy: {} files, {} warnings, {} errors",
        files.len(),
        warnings.len(),
        findings.len()
    );
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The files that git tracks or would track, with their bytes.
fn tracked(root: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("could not run git: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "git ls-files failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|error| format!("a tracked file's name is not UTF-8: {error}"))?;
    let mut files = BTreeMap::new();
    for name in text.split('\0').filter(|name| !name.is_empty()) {
        let path = root.join(name);
        // Links are checked where they point to; a file deleted but not yet committed is no file.
        if path.is_file() && !path.is_symlink() {
            files.insert(
                name.to_owned(),
                std::fs::read(&path).map_err(|error| format!("{name}: {error}"))?,
            );
        }
    }
    Ok(files)
}

fn check_text(name: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in (1..).zip(text.lines()) {
        if line.ends_with([' ', '\t']) {
            findings.push(at(name, number, "white space at the end of the line".to_owned()));
        }
        for (word, why, but) in FORBIDDEN {
            if line.contains(word) && !but.contains(&name) {
                findings.push(at(name, number, format!("`{word}` may not stand here: {why}")));
            }
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        findings.push(whole(name, "does not end with a line break"));
    }
}

fn check_rust(name: &str, text: &str, findings: &mut Vec<Finding>, warnings: &mut Vec<Finding>) {
    if !text.starts_with("//! ") {
        findings.push(at(
            name,
            1,
            "does not begin with a `//!` sentence that says what the file is for".to_owned(),
        ));
    }
    let lines = text.lines().count();
    let (much, most) = LINES;
    if lines > most {
        findings.push(whole(name, &format!("has {lines} lines, more than {most}: split it")));
    } else if lines > much {
        warnings.push(whole(name, &format!("has {lines} lines, more than {much}")));
    }
}

/// Links of Markdown to files of the repository have to lead somewhere.
fn check_links(name: &str, text: &str, names: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    let folder = Path::new(name).parent().unwrap_or(Path::new(""));
    let mut fenced = false;
    for (number, line) in (1..).zip(text.lines()) {
        fenced ^= line.trim_start().starts_with("```");
        if fenced {
            continue;
        }
        for part in line.split("](").skip(1) {
            let target = part.split([')', ' ', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let path = normal(&folder.join(target));
            let inside = format!("{path}/");
            let found = names.contains(path.as_str())
                || names
                    .range(inside.as_str()..)
                    .next()
                    .is_some_and(|next| next.starts_with(&inside));
            if !found {
                findings.push(at(name, number, format!("the link to {target} leads nowhere")));
            }
        }
    }
}

/// The path without `.` and `..`, with `/`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            std::path::Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            _ => {}
        }
    }
    parts.join("/")
}

fn check_lock(name: &str, text: &str, findings: &mut Vec<Finding>) {
    for (number, line) in (1..).zip(text.lines()) {
        if line.contains("\"resolved\":") && line.contains("://") {
            let text = "names the address of a registry; set `omit-lockfile-registry-resolved=true` in .npmrc and install again";
            findings.push(at(name, number, text.to_owned()));
        }
    }
}

fn check_manifest(name: &str, text: &str, findings: &mut Vec<Finding>) {
    let manifest: toml::Table = match text.parse() {
        Ok(manifest) => manifest,
        Err(error) => return findings.push(whole(name, &format!("is no TOML: {error}"))),
    };
    let Some(package) = manifest
        .get("package")
        .and_then(|package| package.get("name"))
        .and_then(toml::Value::as_str)
    else {
        return;
    };
    if manifest
        .get("package")
        .and_then(|package| package.get("license"))
        .is_none()
    {
        findings.push(whole(name, "names no licence"));
    }
    if FREE.contains(&package) {
        return;
    }
    let Some((_, allowed)) = EDGES.iter().find(|(from, _)| *from == package) else {
        return findings.push(whole(
            name,
            &format!("{package} has no line in the allowed edges; see ARCHITECTURE.md"),
        ));
    };
    for table in ["dependencies", "build-dependencies"] {
        let used = manifest
            .get(table)
            .and_then(toml::Value::as_table)
            .into_iter()
            .flat_map(toml::Table::keys);
        for other in
            used.filter(|other| EDGES.iter().any(|(known, _)| known == other) || FREE.contains(&other.as_str()))
        {
            if !allowed.contains(&other.as_str()) {
                findings.push(whole(
                    name,
                    &format!("{package} may not depend on {other}; see ARCHITECTURE.md"),
                ));
            }
        }
    }
}

/// A merge case is `cases/merge/<type>/<case>/` with at least two sides and an expected result or the conflicts.
fn check_cases(names: &BTreeSet<&str>, findings: &mut Vec<Finding>) {
    let mut cases: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for name in names
        .iter()
        .filter(|name| name.starts_with("cases/merge/") || name.starts_with("cases/failing/"))
    {
        let path = Path::new(name);
        let Some(folder) = path.parent() else { continue };
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        if file.eq_ignore_ascii_case("README.md") {
            continue;
        }
        let stem = file.split('.').next().unwrap_or_default().to_owned();
        cases.entry(folder.to_owned()).or_default().insert(stem);
    }
    for (folder, stems) in cases {
        let sides = CASE_SIDES.iter().filter(|side| stems.contains(**side)).count();
        let name = folder.display().to_string();
        if sides < 2 {
            findings.push(whole(&name, "holds fewer than two of base, ours and theirs"));
        }
        if !stems.contains("expected") && !stems.contains("conflicts") {
            findings.push(whole(&name, "holds neither expected nor conflicts.txt"));
        }
    }
}

fn at(file: &str, line: usize, text: String) -> Finding {
    Finding {
        file: file.to_owned(),
        line,
        text,
    }
}

fn whole(file: &str, text: &str) -> Finding {
    at(file, 0, text.to_owned())
}

fn shown(finding: &Finding) -> String {
    match finding.line {
        0 => format!("{}: {}", finding.file, finding.text),
        line => format!("{}:{line}: {}", finding.file, finding.text),
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, check_cases, check_links, check_lock, check_manifest, check_rust, check_text, shown};
    use std::collections::BTreeSet;

    fn check(run: impl FnOnce(&mut Vec<Finding>), expect: &[&str]) {
        let mut findings = Vec::new();
        run(&mut findings);
        assert_eq!(findings.iter().map(shown).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn text_has_clean_ends_and_no_forbidden_words() {
        check(|out| check_text("a.rs", "fine\n", out), &[]);
        check(
            |out| check_text("a.rs", "x \ndbg!(y)\nz", out),
            &[
                "a.rs:1: white space at the end of the line",
                "a.rs:2: `dbg!(` may not stand here: remove it",
                "a.rs: does not end with a line break",
            ],
        );
    }

    #[test]
    fn rust_files_say_what_they_are_for_and_stay_small() {
        let rust = |text: &str, expect: &[&str]| check(|out| check_rust("a.rs", text, out, &mut Vec::new()), expect);
        rust("//! Does it.\n", &[]);
        rust(
            "use x;\n",
            &["a.rs:1: does not begin with a `//!` sentence that says what the file is for"],
        );
        rust(
            &format!("//! Does it.\n{}", "\n".repeat(1000)),
            &["a.rs: has 1001 lines, more than 1000: split it"],
        );
        let mut warnings = Vec::new();
        check_rust(
            "a.rs",
            &format!("//! Does it.\n{}", "\n".repeat(600)),
            &mut Vec::new(),
            &mut warnings,
        );
        assert_eq!(warnings.len(), 1);
    }

    #[test]
    fn links_lead_to_files_or_folders() {
        let names = BTreeSet::from(["docs/a.md", "README.md", "cases/merge/x"]);
        let text = "[a](a.md#part) [r](../README.md) [c](../cases) [w](https://example.com)\n```\n[no](gone.md)\n```\n[x](gone.md)\n";
        check(
            |out| check_links("docs/a.md", text, &names, out),
            &["docs/a.md:5: the link to gone.md leads nowhere"],
        );
    }

    #[test]
    fn lock_files_name_no_registry() {
        let lock = |text: &str, expect: &[&str]| check(|out| check_lock("package-lock.json", text, out), expect);
        lock("\"resolved\": \"e2e/x\",\n", &[]);
        lock(
            "{\n\"resolved\": \"https://x.example/a.tgz\"\n}\n",
            &[
                "package-lock.json:2: names the address of a registry; set `omit-lockfile-registry-resolved=true` in .npmrc and install again",
            ],
        );
    }

    #[test]
    fn crates_use_only_what_they_may() {
        let manifest = |name: &str, other: &str| {
            format!(
                "[package]\nname = \"{name}\"\nlicense.workspace = true\n[dependencies]\n{other}.workspace = true\nserde = \"1\"\n"
            )
        };
        check(
            |out| check_manifest("m", &manifest("syncline-engine", "syncline-git"), out),
            &[],
        );
        check(
            |out| check_manifest("m", &manifest("syncline-metadata", "syncline-git"), out),
            &["m: syncline-metadata may not depend on syncline-git; see ARCHITECTURE.md"],
        );
        check(
            |out| check_manifest("m", &manifest("syncline-new", "serde_json"), out),
            &["m: syncline-new has no line in the allowed edges; see ARCHITECTURE.md"],
        );
    }

    #[test]
    fn merge_cases_are_complete() {
        let whole = ["base.xml", "ours.xml", "theirs.xml", "expected.xml"]
            .map(|file| format!("cases/merge/Profile/one/{file}"));
        check(|out| check_cases(&whole.iter().map(String::as_str).collect(), out), &[]);
        check(
            |out| check_cases(&BTreeSet::from(["cases/merge/Profile/two/base.xml"]), out),
            &[
                "cases/merge/Profile/two: holds fewer than two of base, ours and theirs",
                "cases/merge/Profile/two: holds neither expected nor conflicts.txt",
            ],
        );
    }
}
