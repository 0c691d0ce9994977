//! The figures of a replay: tables by group, rule and type.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::judge::{Judged, Verdict};

/// All figures.
pub(super) struct Report {
    took: Duration,
    product: Figures,
    /// Another program's figures, and its command.
    peer: Option<(Figures, String)>,
}

/// Figures of one program.
#[derive(Default)]
struct Figures {
    /// By group: cases with one merge base, with several, replayed commits.
    groups: BTreeMap<&'static str, Tally>,
    /// By type, cases with one merge base only.
    types: BTreeMap<String, Tally>,
    /// Cases that were merged below the key, by class.
    deeper: BTreeMap<String, usize>,
}

#[derive(Clone, Default)]
struct Tally {
    cases: usize,
    merge_time: Duration,
    as_committed: (usize, usize),
    committed_wrong: usize,
    resolved: (usize, usize),
    reported: usize,
    deeper: usize,
    lost: usize,
    duplicates: usize,
    needless: usize,
    malformed: usize,
    touched: usize,
    format: usize,
    not_minimal: usize,
    refused: usize,
    bad_input: usize,
    panicked: usize,
}

impl Tally {
    fn add(&mut self, judged: &Judged) {
        self.cases += 1;
        self.merge_time += judged.took;
        let verdicts = &judged.verdicts;
        let has = |test: fn(&Verdict) -> bool| usize::from(verdicts.iter().any(test));
        let lost = has(|v| matches!(v, Verdict::LostOrDoubled(_)));
        for verdict in verdicts {
            match verdict {
                Verdict::AsCommitted(good) => {
                    self.as_committed.0 += usize::from(*good);
                    self.as_committed.1 += 1;
                }
                Verdict::Resolved(good) => {
                    self.resolved.0 += usize::from(good.is_none() && lost == 0);
                    self.resolved.1 += 1;
                }
                _ => {}
            }
        }
        let reported = has(|v| matches!(v, Verdict::Reported(_)));
        self.committed_wrong += has(|v| matches!(v, Verdict::CommittedIsWrong(_)));
        self.reported += reported;
        self.deeper += if reported == 0 {
            has(|v| matches!(v, Verdict::Deeper(_)))
        } else {
            0
        };
        self.lost += lost;
        self.duplicates += has(|v| matches!(v, Verdict::NewDuplicate(_)));
        self.needless += has(|v| matches!(v, Verdict::NeedlessConflict));
        self.malformed += has(|v| matches!(v, Verdict::Malformed(_)));
        self.touched += has(|v| matches!(v, Verdict::Touched(_)));
        self.format += has(|v| matches!(v, Verdict::FileFormat(_)));
        self.not_minimal += has(|v| matches!(v, Verdict::NotMinimal(..)));
        self.refused += has(|v| matches!(v, Verdict::Refused(_)));
        self.bad_input += has(|v| matches!(v, Verdict::BadInput));
        self.panicked += has(|v| matches!(v, Verdict::Panicked));
    }

    fn columns(&self) -> Vec<String> {
        let share = |(good, all): (usize, usize)| {
            if all == 0 {
                "-".to_owned()
            } else {
                format!("{good}/{all}")
            }
        };
        let mut columns = vec![self.cases.to_string(), share(self.as_committed), share(self.resolved)];
        let numbers = [
            self.committed_wrong,
            self.reported,
            self.deeper,
            self.lost,
            self.duplicates,
            self.needless,
            self.malformed,
            self.touched,
            self.format,
            self.not_minimal,
            self.refused,
            self.bad_input,
            self.panicked,
        ];
        columns.extend(numbers.iter().map(ToString::to_string));
        columns.push(format!("{:.1} s", self.merge_time.as_secs_f64()));
        columns
    }
}

const COLUMNS: [&str; 17] = [
    "cases",
    "1 as committed",
    "2 resolved",
    "1 committed wrong",
    "3 reported",
    "3 deeper",
    "lost/doubled",
    "4 new keys twice",
    "5 needless",
    "6 malformed",
    "6 touched",
    "6 file format",
    "6 not minimal",
    "refused",
    "bad input",
    "panicked",
    "merging",
];

impl Figures {
    fn new(judged: &[Judged]) -> Self {
        let mut figures = Self::default();
        for judged in judged {
            let group = judged.case.group();
            figures.groups.entry(group).or_default().add(judged);
            if group == "strict" {
                figures
                    .types
                    .entry(judged.case.kind_of_file.clone())
                    .or_default()
                    .add(judged);
            }
            for verdict in &judged.verdicts {
                if let Verdict::Deeper(class) = verdict {
                    *figures.deeper.entry(class.clone()).or_default() += 1;
                }
            }
        }
        figures
    }

    fn tables(&self) -> String {
        let rows = |names: Vec<(&str, &Tally)>| {
            names
                .into_iter()
                .map(|(name, t)| (name.to_owned(), t.columns()))
                .collect()
        };
        let mut types: Vec<(&str, &Tally)> = self.types.iter().map(|(name, tally)| (name.as_str(), tally)).collect();
        types.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.cases));
        let groups = self.groups.iter().map(|(name, tally)| (*name, tally)).collect();
        let mut text = table("group", rows(groups));
        text.push_str("\nCases with one merge base, by type:\n\n");
        text.push_str(&table("type", rows(types)));
        text
    }
}

fn table(first: &str, rows: Vec<(String, Vec<String>)>) -> String {
    let mut lines = vec![
        std::iter::once(first.to_owned())
            .chain(COLUMNS.map(str::to_owned))
            .collect::<Vec<_>>(),
    ];
    lines.extend(
        rows.into_iter()
            .map(|(name, columns)| std::iter::once(name).chain(columns).collect()),
    );
    let widths: Vec<usize> = (0..=COLUMNS.len())
        .map(|i| lines.iter().map(|line| line[i].len()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (i, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if i == 0 {
            text.extend(widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

impl Report {
    /// Counts.
    pub(super) fn new(product: &[Judged], peer: Option<(&[Judged], &str)>, took: Duration) -> Self {
        Self {
            took,
            product: Figures::new(product),
            peer: peer.map(|(judged, command)| (Figures::new(judged), command.to_owned())),
        }
    }

    /// Whether the thresholds hold for the cases with one merge base: rule 1 at 99.9 %, rule 2 at
    /// 95 %, and no other rule broken.
    pub(super) fn is_good_enough(&self) -> bool {
        let Some(strict) = self.product.groups.get("strict") else {
            return true;
        };
        let at_least = |(good, all): (usize, usize), permille: usize| good * 1000 >= all * permille;
        at_least(strict.as_committed, 999)
            && at_least(strict.resolved, 950)
            && strict.lost + strict.duplicates + strict.needless + strict.malformed + strict.touched == 0
            && strict.refused + strict.panicked + strict.format == 0
    }

    /// The report as a page of the documentation.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::from(
            "# The corpus of real merges\n\n\
             Made by `cargo xtask corpus --write docs/corpus.md`. Each case is a real three-way merge from a public\n\
             history. The judge has its own logic; it shares only the table of types with the product.\n\n\
             - `strict`: one merge base. `criss-cross`: several, and the base of the case is only one of them.\n  \
             `replayed`: one commit taken out of a history and applied elsewhere.\n\
             - 1 as committed: git merged cleanly what people committed, and the result is equal to it.\n\
             - 1 committed wrong: not counted in the column before; what people committed lacks or doubles something\n  \
             against a merge by key, for example a repeated key that git's text merge made.\n\
             - 2 resolved: git conflicts although the sides touch different keys; merged with every change of both.\n\
             - 3: both sides changed one key: reported there, or merged below it.\n\
             - lost/doubled: something of a side is missing or there twice, against a merge by key.\n\
             - 6 not minimal: more lines differ from ours than theirs changed.\n\n",
        );
        text.push_str(&self.product.tables());
        text.push_str(
            "\nMerged below the key, by class (list and what changed inside):\n\n| class | cases |\n|---|---|\n",
        );
        for (class, n) in &self.product.deeper {
            text.push_str(&format!("| {class} | {n} |\n"));
        }
        if let Some((peer, command)) = &self.peer {
            text.push_str(&format!("\n## For comparison: `{command}`\n\n"));
            text.push_str(&peer.tables());
        }
        text
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.product.tables())?;
        if let Some((peer, command)) = &self.peer {
            writeln!(f, "{command}:\n\n{}", peer.tables())?;
        }
        write!(f, "replayed and judged in {:.1} s", self.took.as_secs_f64())
    }
}

/// A case as a line of JSON.
pub(super) fn line(judged: &Judged) -> String {
    let verdicts: Vec<String> = judged.verdicts.iter().map(|v| format!("{v:?}")).collect();
    serde_json::json!({
        "id": judged.case.id,
        "type": judged.case.kind_of_file,
        "kind": judged.case.kind,
        "group": judged.case.group(),
        "dir": judged.case.dir,
        "git": judged.case.git,
        "ref_conflicts": judged.case.ref_conflicts,
        "conflicts": judged.conflicts,
        "failed": judged.verdicts.iter().any(Verdict::is_failure),
        "micros": u64::try_from(judged.took.as_micros()).unwrap_or(u64::MAX),
        "verdicts": verdicts,
    })
    .to_string()
}

/// Lists failing cases, the strictly judged first.
pub(super) fn print_failures(judged: &[Judged], most: usize) {
    let mut failing: Vec<&Judged> = judged
        .iter()
        .filter(|j| j.verdicts.iter().any(Verdict::is_failure))
        .collect();
    failing.sort_by_key(|judged| judged.case.group() != "strict");
    if failing.is_empty() {
        return;
    }
    println!(
        "\n{} failing cases{}",
        failing.len(),
        if failing.len() > most { "; the first:" } else { ":" }
    );
    for judged in failing.into_iter().take(most) {
        for verdict in judged.verdicts.iter().filter(|verdict| verdict.is_failure()) {
            let mut reason = format!("{verdict:?}").replace('\n', " ");
            if let Some((at, _)) = reason.char_indices().nth(200) {
                reason.truncate(at);
            }
            println!(
                "{} {} {}: {reason}",
                judged.case.group(),
                judged.case.kind_of_file,
                judged.case.id
            );
        }
    }
}
