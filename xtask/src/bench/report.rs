//! The rows of the benchmark table and the document that holds them.

use super::measure::Spread;

/// What came of one benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The target is reached.
    Met,
    /// It is not.
    Missed,
    /// No target: for the record.
    Record,
    /// Something did not run or gave a wrong result.
    Failed(String),
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) benchmark: String,
    pub(super) ours: String,
    pub(super) peer: String,
    pub(super) ratio: String,
    pub(super) target: String,
    pub(super) verdict: Verdict,
}

/// What our time is held against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// At most this many times the peer's time.
    Within(f64),
    /// At least this many times faster than the peer.
    Faster(f64),
    /// For the record.
    None,
}

impl Row {
    /// A comparison of two times; either may have failed.
    pub(super) fn compare(
        benchmark: &str,
        target: Target,
        peer: &str,
        ours: &Result<Spread, String>,
        theirs: &Result<Spread, String>,
    ) -> Self {
        let shown =
            |spread: &Result<Spread, String>| spread.as_ref().map_or_else(|_| "failed".to_owned(), Spread::shown);
        let mut row = Self {
            benchmark: benchmark.to_owned(),
            ours: shown(ours),
            peer: format!("{peer}: {}", shown(theirs)),
            ratio: "–".to_owned(),
            target: match target {
                Target::Within(times) => format!("≤ {times} ×"),
                Target::Faster(times) => format!("≥ {times} × faster"),
                Target::None => "–".to_owned(),
            },
            verdict: Verdict::Record,
        };
        match (ours, theirs) {
            (Err(error), _) | (_, Err(error)) => row.verdict = Verdict::Failed(error.clone()),
            (Ok(ours), Ok(theirs)) => {
                let ratio = ours.median.as_secs_f64() / theirs.median.as_secs_f64().max(1e-9);
                let verdict = |met: bool| if met { Verdict::Met } else { Verdict::Missed };
                (row.ratio, row.verdict) = match target {
                    Target::Within(times) => (format!("{ratio:.2} ×"), verdict(ratio <= times)),
                    Target::Faster(times) => (format!("{:.1} × faster", 1.0 / ratio), verdict(1.0 / ratio >= times)),
                    Target::None => (format!("{ratio:.2} ×"), Verdict::Record),
                };
            }
        }
        row
    }

    /// A row without figures: something did not run.
    pub(super) fn failed(benchmark: &str, why: String) -> Self {
        let none = || "–".to_owned();
        Self {
            benchmark: benchmark.to_owned(),
            ours: none(),
            peer: none(),
            ratio: none(),
            target: none(),
            verdict: Verdict::Failed(why),
        }
    }

    /// A figure held against a limit.
    pub(super) fn limit(benchmark: &str, ours: String, peer: String, limit: String, met: bool) -> Self {
        let verdict = if met { Verdict::Met } else { Verdict::Missed };
        Self {
            benchmark: benchmark.to_owned(),
            ours,
            peer,
            ratio: "–".to_owned(),
            target: limit,
            verdict,
        }
    }

    fn markdown(&self) -> String {
        let verdict = match &self.verdict {
            Verdict::Met => "met".to_owned(),
            Verdict::Missed => "**not met**".to_owned(),
            Verdict::Record => "for the record".to_owned(),
            Verdict::Failed(why) => format!("**failed**: {}", why.replace('|', "\\|").replace('\n', " ")),
        };
        format!(
            "| {} | {} | {} | {} | {} | {verdict} |\n",
            self.benchmark, self.ours, self.peer, self.ratio, self.target
        )
    }
}

/// The document: facts of the machine, the table, notes.
pub(super) fn document(facts: &[(String, String)], rows: &[Row], notes: &[String]) -> String {
    let mut out =
        "# Benchmarks\n\nWritten by `make bench`: peers and syncline in one run, in turns, on the same inputs.\n\
                   Times are wall times of whole processes: median, in brackets the first and the last tenth.\n\n"
            .to_owned();
    for (name, value) in facts {
        out.push_str(&format!("- {name}: {value}\n"));
    }
    out.push_str(
        "\n| benchmark | syncline | peer | ratio | target | verdict |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    out.extend(rows.iter().map(Row::markdown));
    if !notes.is_empty() {
        out.push_str("\n## Notes\n\n");
        out.extend(notes.iter().map(|note| format!("- {note}\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Row, Spread, Target, Verdict};
    use std::time::Duration;

    fn check(target: Target, ours: u64, theirs: u64, verdict: Verdict, ratio: &str) {
        let spread = |ms| Ok(Spread::of(vec![Duration::from_millis(ms)]).expect("one time"));
        let row = Row::compare("b", target, "git", &spread(ours), &spread(theirs));
        assert_eq!((row.verdict, row.ratio.as_str()), (verdict, ratio));
    }

    #[test]
    fn verdicts_follow_the_target() {
        check(Target::Within(3.0), 30, 10, Verdict::Met, "3.00 ×");
        check(Target::Within(3.0), 31, 10, Verdict::Missed, "3.10 ×");
        check(Target::Faster(10.0), 10, 100, Verdict::Met, "10.0 × faster");
        check(Target::Faster(10.0), 11, 100, Verdict::Missed, "9.1 × faster");
        check(Target::None, 10, 20, Verdict::Record, "0.50 ×");
    }

    #[test]
    fn a_failure_is_a_row() {
        let row = Row::compare(
            "b",
            Target::None,
            "git",
            &Err("no command".to_owned()),
            &Err("x".to_owned()),
        );
        assert_eq!(row.verdict, Verdict::Failed("no command".to_owned()));
        assert!(row.markdown().ends_with("| **failed**: no command |\n"));
    }
}
