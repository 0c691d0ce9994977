//! The rules of the source tree as data.

/// Words that may not stand in tracked text files, why, and the files that may hold them all the same.
pub(super) const FORBIDDEN: &[(&str, &str, &[&str])] = &[
    ("todo!(", "finish it", RULES),
    ("unimplemented!(", "finish it", RULES),
    (
        "dbg!(",
        "remove it",
        &["xtask/src/tidy/rules.rs", "xtask/src/tidy/mod.rs"],
    ),
    ("TODO", "do it, or open an issue", RULES),
    ("FIXME", "fix it, or open an issue", RULES),
    ("XXX", "say what is meant", RULES),
    ("/work/", "a path of one machine", RULES),
    ("/tmp/wt", "a path of one machine", RULES),
    ("/tmp/target", "a path of one machine", RULES),
    ("/root/", "a path of one machine", RULES),
    ("/home/", "a path of one machine", RULES),
    ("registry.npmjs", "an address of a registry", RULES),
    ("registry.yarnpkg", "an address of a registry", RULES),
];

const RULES: &[&str] = &["xtask/src/tidy/rules.rs"];

/// Beginnings of paths, or with a dot in front endings of names, of files that are data and not our own text.
pub(super) const DATA: &[&str] = &[
    "cases/",
    "crates/metadata/table/",
    "crates/metadata/tests/data/",
    "e2e/convert/extra/",
    "Cargo.lock",
    "fuzz/Cargo.lock",
    ".tsv",
    ".snap",
];

/// Lines above which a Rust file is looked at twice, and above which it is refused.
pub(super) const LINES: (usize, usize) = (600, 1_000);

/// Packages of the workspace and the packages of the workspace that they may use.
pub(super) const EDGES: &[(&str, &[&str])] = &[
    ("syncline-metadata", &[]),
    ("syncline-records", &[]),
    ("syncline-git", &[]),
    ("syncline-salesforce", &[]),
    ("syncline-domain", &["syncline-metadata", "syncline-records"]),
    ("syncline-store", &["syncline-domain"]),
    (
        "syncline-engine",
        &[
            "syncline-domain",
            "syncline-metadata",
            "syncline-records",
            "syncline-salesforce",
            "syncline-git",
            "syncline-store",
        ],
    ),
    ("syncline-server", &["syncline-engine", "syncline-domain"]),
    ("syncline-simulator", &["syncline-metadata"]),
    (
        "syncline",
        &[
            "syncline-engine",
            "syncline-server",
            "syncline-metadata",
            "syncline-git",
            "syncline-salesforce",
            "syncline-simulator",
        ],
    ),
];

/// Packages that may use everything.
pub(super) const FREE: &[&str] = &["xtask", "syncline-fuzz"];

/// Names that a merge case's file may have beside an extension.
pub(super) const CASE_SIDES: &[&str] = &["base", "ours", "theirs"];
