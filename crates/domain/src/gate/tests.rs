//! Gates, open and closed.

use super::*;
use crate::config::Config;
use crate::policy::Verdict;

const CONFIG: &str = r#"
[environments.production]
branch = "main"
kind = "production"
test-level = "RunAllTestsInOrg"
[environments.uat]
branch = "uat"
kind = "uat"
promotes-to = "production"
[[edges]]
from = "uat"
to = "production"
[edges.gates]
coverage = 75
approvals = { admin = 1 }
soak = "48h"
analysis = { command = ["pmd"], sarif = "o" }
functional = [{ name = "smoke", command = ["./smoke.sh"] }]
evidence = ["ticket"]
"#;

fn gates(from: &str, to: &str) -> Vec<Gate> {
    let config = Config::parse(CONFIG).unwrap();
    required(&config.way(from, to).unwrap(), config.environment(to).unwrap())
}

fn done<T>(result: T) -> Done<T> {
    Done {
        digest: "now".to_owned(),
        result,
    }
}

fn approval(by: &str, digest: &str, verdict: Verdict) -> Approval {
    Approval {
        by: by.to_owned(),
        roles: BTreeSet::from([Role::Admin]),
        at: 1,
        digest: digest.to_owned(),
        verdict,
        comment: String::new(),
    }
}

/// Everything as it should be.
fn good(approvals: &[Approval]) -> Facts<'_> {
    let passed = Functional {
        passed: true,
        message: String::new(),
    };
    Facts {
        digest: "now",
        requester: "kim",
        tier: Tier::Production,
        now: 200_000_000,
        frozen: None,
        validation: Some(done(Validation {
            succeeded: true,
            problems: 0,
            coverage: Some(Coverage { covered: 3, total: 4 }),
        })),
        analysis: Some(done(Counts::default())),
        functional: BTreeMap::from([("smoke".to_owned(), done(passed))]),
        in_source_since: Some(0),
        attached: BTreeSet::from(["ticket".to_owned()]),
        approvals,
        bypasses: BTreeMap::new(),
    }
}

#[test]
fn what_is_required() {
    let names = |list: Vec<Gate>| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    assert_eq!(
        names(gates("uat", "production")),
        "freeze, validation, coverage, analysis, functional test smoke, soak time, evidence ticket, approvals"
    );
    assert_eq!(names(gates("production", "uat")), "freeze, validation");
    assert_eq!(
        gates("uat", "production")[1],
        Gate::Validation {
            tests: Some(TestLevel::RunAllTestsInOrg)
        }
    );
}

#[test]
fn open_and_closed() {
    let all = gates("uat", "production");
    let yes = [approval("lee", "now", Verdict::Approve)];
    let check = |change: &dyn Fn(&mut Facts<'_>), expect: &str| {
        let mut facts = good(&yes);
        change(&mut facts);
        let checked = evaluate(&all, &facts);
        let closed: Vec<String> = checked
            .iter()
            .filter_map(|checked| match &checked.state {
                State::Open => None,
                State::Bypassed { reason, bypass } => Some(format!(
                    "{}: passed by {} although {reason}",
                    checked.gate, bypass.reason
                )),
                State::Closed {
                    reason,
                    opens_at,
                    fatal,
                } => {
                    let at = opens_at.map(|at| format!(" (at {at})")).unwrap_or_default();
                    let fatal = if *fatal { " (fatal)" } else { "" };
                    Some(format!("{}: {reason}{at}{fatal}", checked.gate))
                }
            })
            .collect();
        assert_eq!(closed.join("\n"), expect);
        let passes = closed.iter().all(|text| text.contains(": passed by"));
        assert_eq!(is_open(&checked), passes, "{expect}");
    };
    check(&|_| {}, "");
    check(
        &|facts| {
            facts.frozen = Some(Frozen {
                name: "year end".to_owned(),
                until: 300_000_000,
            });
        },
        "freeze: `year end` holds until 1970-01-04T11:20:00Z (at 300000000)",
    );
    check(
        &|facts| facts.validation = None,
        "validation: the validation is missing\ncoverage: the validation is missing",
    );
    // What was done with an earlier package says nothing.
    check(
        &|facts| facts.digest = "later",
        "validation: the validation was for an earlier package\n\
         coverage: the validation was for an earlier package\n\
         analysis: the analysis was for an earlier package\n\
         functional test smoke: the test `smoke` was for an earlier package\n\
         approvals: missing are 1 of admin; lee approved an earlier package; kim asked for it, so somebody else has to",
    );
    let validation = |succeeded, problems, coverage: Option<(u64, u64)>| {
        Some(done(Validation {
            succeeded,
            problems,
            coverage: coverage.map(|(covered, total)| Coverage { covered, total }),
        }))
    };
    check(
        &|facts| facts.validation = validation(false, 3, Some((1, 1))),
        "validation: the validation failed with 3 problems (fatal)",
    );
    check(
        &|facts| facts.validation = validation(true, 0, Some((749, 1000))),
        "coverage: 749 of 1000 lines are covered, 74 %; 75 % are required (fatal)",
    );
    check(&|facts| facts.validation = validation(true, 0, Some((0, 0))), "");
    check(
        &|facts| facts.validation = validation(true, 0, None),
        "coverage: no tests ran, so there is no coverage (fatal)",
    );
    check(
        &|facts| {
            facts.analysis = Some(done(Counts {
                error: 2,
                warning: 5,
                note: 0,
            }));
        },
        "analysis: the analysis found 2: 2 errors, 5 warnings, 0 notes (fatal)",
    );
    check(
        &|facts| {
            let failed = Functional {
                passed: false,
                message: "exit code 1".to_owned(),
            };
            facts.functional = BTreeMap::from([("smoke".to_owned(), done(failed))]);
        },
        "functional test smoke: the test `smoke` failed: exit code 1 (fatal)",
    );
    check(
        &|facts| facts.in_source_since = Some(100_000_000),
        "soak time: the change soaks for 2d until 1970-01-04T03:46:40Z (at 272800000)",
    );
    check(
        &|facts| facts.in_source_since = None,
        "soak time: the source does not hold all of the change yet",
    );
    check(
        &|facts| facts.attached.clear(),
        "evidence ticket: `ticket` is not attached",
    );
    check(
        &|facts| facts.requester = "lee",
        "approvals: missing are 1 of admin; lee asked for it, so somebody else has to",
    );
    check(
        &|facts| facts.approvals = &[],
        "approvals: missing are 1 of admin; kim asked for it, so somebody else has to",
    );
    let bypass = |reason: &str, by: &[&str]| Bypass {
        reason: reason.to_owned(),
        requested_by: "kim".to_owned(),
        approved_by: by.iter().map(|name| (*name).to_owned()).collect(),
    };
    check(
        &|facts| {
            facts.attached.clear();
            facts.bypasses = BTreeMap::from([("evidence ticket".to_owned(), bypass("outage", &["lee"]))]);
        },
        "evidence ticket: passed by outage although `ticket` is not attached",
    );
    check(
        &|facts| {
            facts.attached.clear();
            facts.bypasses = BTreeMap::from([("evidence ticket".to_owned(), bypass("outage", &["kim"]))]);
        },
        "evidence ticket: `ticket` is not attached; a bypass needs the approval of somebody other than `kim`",
    );
}

#[test]
fn a_rejection_closes() {
    let said = [
        approval("lee", "now", Verdict::Approve),
        approval("ann", "now", Verdict::Reject),
    ];
    let checked = evaluate(&gates("uat", "production"), &good(&said));
    let json = serde_json::to_value(checked.last().unwrap()).unwrap();
    assert_eq!(
        json,
        serde_json::json!({"gate": "approvals", "required": {"admin": 1}, "state": "closed", "reason": "ann rejected it", "fatal": true})
    );
}
