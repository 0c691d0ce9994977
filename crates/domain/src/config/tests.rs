//! What `syncline.toml` may say, and what is told about mistakes.

use super::*;

const GOOD: &str = "\
[environments.production]
branch = \"main\"
kind = \"production\"

[environments.uat]
branch = \"uat\"
kind = \"uat\"
licence = \"partial\"
promotes-to = \"production\"

[environments.dev1]
branch = \"dev/1\"
kind = \"developer\"
promotes-to = \"uat\"
remote = \"origin\"
";

#[test]
fn reads_the_path() {
    let config = Config::parse(GOOD).unwrap();
    let names = |list: Vec<&Environment>| list.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(names(config.environments().iter().collect()), "production uat dev1");
    assert_eq!(names(config.below("production")), "uat dev1");
    assert_eq!(names(config.below("uat")), "dev1");
    assert_eq!(names(config.below("dev1")), "");
    assert_eq!(config.of_branch("dev/1").unwrap().remote.as_deref(), Some("origin"));
    assert_eq!(config.environment("uat").unwrap().licence, Some(Licence::Partial));
    assert_eq!(Config::parse("").unwrap(), Config::default());
}

#[test]
fn says_what_is_wrong() {
    let check = |from: &str, to: &str, expect: &str| {
        let text = GOOD.replace(from, to);
        assert_ne!(text, GOOD);
        let error = Config::parse(&text).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error}");
    };
    check(
        "branch = \"uat\"",
        "brunch = \"uat\"",
        "syncline.toml line 6: unknown field `brunch`",
    );
    check(
        "kind = \"uat\"",
        "kind = \"tea\"",
        "syncline.toml line 7: unknown variant `tea`",
    );
    check("branch = \"uat\"\n", "", "syncline.toml line 5: missing field `branch`");
    check("licence = \"partial\"", "licence = ", "syncline.toml line 8: ");
    check(
        "promotes-to = \"uat\"",
        "promotes-to = \"qa\"",
        "syncline.toml line 14: `dev1` promotes to `qa`, which is no environment; known are dev1, production, uat",
    );
    check(
        "kind = \"production\"",
        "kind = \"production\"\npromotes-to = \"dev1\"",
        "syncline.toml line 15: the path dev1 → uat → production → dev1 leads in a circle",
    );
    check(
        "branch = \"dev/1\"",
        "branch = \"uat\"",
        "syncline.toml line 6: `uat` and `dev1` both have the branch `uat`",
    );
    check(
        "[environments.dev1]",
        "[environments.\"dev 1\"]",
        "syncline.toml line 11: `dev 1` cannot name",
    );
}

const FULL: &str = r#"
[naming]
environments = "^[a-z][a-z0-9-]*$"
branches = "^(main|env/.+)$"

[environments.production]
branch = "main"
kind = "production"
org = "prod"

[environments.uat]
branch = "env/uat"
kind = "uat"
org = "uat"
licence = "partial"
promotes-to = "production"
owner = "team-billing"
sandbox = "UAT"
test-level = ["BillingTest"]
refreshed = 2026-03-01

[environments.dev1]
branch = "env/dev1"
kind = "developer"
tier = "test"
promotes-to = "uat"

[gates]
tests = "RunLocalTests"
coverage = 75

[[edges]]
from = "production"
to = "*"
rule = "schedule"
schedule = "0 6 * * 1-5"
zone = "Europe/Berlin"
select = ["ApexClass:*"]

[[edges]]
from = "uat"
to = "production"
[edges.gates]
coverage = 80
approvals = { release-manager = 1, admin = 2 }
soak = "48h"
analysis = { command = ["pmd", "check"], sarif = "out.sarif", fail-on = "warning" }
functional = [{ name = "smoke", command = ["./smoke.sh"], timeout = "5m" }]
evidence = ["ticket"]

[[freeze]]
name = "year end"
environments = ["production"]
from = "2026-12-20T00:00"
to = 2027-01-05T00:00:00
zone = "Europe/Berlin"

[[freeze]]
name = "weekend"
every = "fri 18:00 .. mon 06:00"

[[system]]
name = "billing"
owner = "team-erp"
[system.environments.production]
hosts = ["erp.example.com"]
credentials = ["ErpProd"]

[[steps]]
id = "2026-11-backfill"
when = "post"
on = ["uat", "production"]
apex = "scripts/backfill.apex"
with = "ApexClass:Backfill"

[[steps]]
id = "2026-11-call"
when = "pre"
manual = "Call the users"
"#;

#[test]
fn reads_all_keys() {
    let config = Config::parse(FULL).unwrap();
    let uat = config.environment("uat").unwrap();
    assert_eq!(uat.refreshed.unwrap().to_string(), "2026-03-01");
    assert_eq!(
        uat.test_level.as_ref().unwrap().to_string(),
        "RunSpecifiedTests BillingTest"
    );
    assert_eq!((uat.tier, uat.owner.as_deref()), (Tier::Test, Some("team-billing")));
    assert_eq!(config.environment("dev1").unwrap().tier, Tier::Test);
    let up = config.way("uat", "production").unwrap();
    assert_eq!(up.gates.tests, Some(TestLevel::RunLocalTests));
    assert_eq!(
        (up.gates.coverage, up.gates.soak.unwrap().to_string().as_str()),
        (Some(80), "2d")
    );
    assert_eq!(up.gates.analysis.as_ref().unwrap().fail_on, Severity::Warning);
    assert_eq!(up.gates.functional[0].command.program(), "./smoke.sh");
    let down = config.way("production", "dev1").unwrap();
    assert_eq!((down.rule.name(), down.gates.coverage), ("schedule", Some(75)));
    assert_eq!(down.select[0].to_string(), "ApexClass:*");
    assert_eq!(config.freezes.len(), 2);
    assert_eq!(config.systems[0].environments["production"].hosts, ["erp.example.com"]);
    let ids = |environment: &str, when: When, has: bool| -> Vec<String> {
        let steps = config.steps_for(environment, when, |_| has);
        steps.map(|step| step.id.clone()).collect()
    };
    assert_eq!(ids("uat", When::Post, true), ["2026-11-backfill"]);
    assert_eq!(ids("uat", When::Post, false), [""; 0]);
    assert_eq!(ids("dev1", When::Post, true), [""; 0]);
    assert_eq!(ids("dev1", When::Pre, false), ["2026-11-call"]);
    let json = serde_json::to_value(&config).unwrap();
    assert_eq!(json["edges"][1]["gates"]["approvals"]["admin"], 2);
    assert_eq!(json["edges"][1]["gates"]["analysis"]["fail_on"], "warning");
    assert_eq!(json["freezes"][1]["window"]["weekly"]["from"], "fri 18:00");
}

#[test]
fn rules_across_the_file() {
    let check = |from: &str, to: &str, expect: &str| {
        let text = FULL.replacen(from, to, 1);
        assert_ne!(text, FULL);
        let errors = Config::check(&text).expect_err(from);
        let shown: Vec<String> = errors.iter().map(|e| format!("{} {e}", e.code.name())).collect();
        assert_eq!(shown.join("\n"), expect);
    };
    check(
        "branch = \"main\"",
        "branch = \"trunk\"",
        "config.name syncline.toml line 7: the branch `trunk` does not follow the naming rule `^(main|env/.+)$`; rename it, or correct the rule in `[naming]`",
    );
    check(
        "[naming]\nenvironments = \"^[a-z][a-z0-9-]*$\"",
        "[naming]\nenvironments = \"^[a-z\"",
        "config.syntax syncline.toml line 3: `^[a-z` is no regular expression: unclosed character class",
    );
    check(
        "org = \"uat\"",
        "org = \"prod\"",
        "config.twice syncline.toml line 14: `uat` and `production` both have the org `prod`; give each its own",
    );
    check(
        "to = \"production\"\n[edges.gates]",
        "to = \"qa\"\n[edges.gates]",
        "config.unknown syncline.toml line 42: the edge goes to `qa`, which is no environment; known are dev1, production, uat",
    );
    check(
        "from = \"uat\"\nto",
        "from = \"dev1\"\nto",
        "config.way syncline.toml line 42: no way leads from `dev1` to `production`; a way goes up to the environment of `promotes-to`, or down to one below",
    );
    check(
        "from = \"production\"\nto = \"*\"",
        "from = \"dev1\"\nto = \"*\"",
        "config.way syncline.toml line 34: nothing is below `dev1`; a way goes up to the environment of `promotes-to`, or down to one below",
    );
    check(
        "rule = \"schedule\"",
        "rule = \"on-push\"",
        "config.keys syncline.toml line 33: `rule = \"schedule\"` and the key `schedule` go together; write both, for example `schedule = \"0 6 * * 1-5\"`",
    );
    check(
        "0 6 * * 1-5",
        "0 66 * * 1-5",
        "config.syntax syncline.toml line 36: `0 66 * * 1-5` is no cron expression (Component error: Number out of bounds); write minute, hour, day, month and day of the week, for example `0 6 * * 1-5`",
    );
    check(
        "zone = \"Europe/Berlin\"",
        "zone = \"Europe/Berlinn\"",
        "config.syntax syncline.toml line 37: there is no time zone `Europe/Berlinn`; write a name of the IANA database, for example `Europe/Berlin` or `UTC`",
    );
    check(
        "soak = \"48h\"",
        "soak = \"48 h\"",
        "config.syntax syncline.toml line 46: `48 h` is no length of time; write a number and a unit, for example `48h`, `10m` or `1d12h`",
    );
    check(
        "coverage = 80",
        "coverage = 101",
        "config.syntax syncline.toml line 44: 101 is no percentage; write a whole number from 0 to 100",
    );
    check(
        "release-manager = 1",
        "ci = 1",
        "config.keys syncline.toml line 43: 1 approvals by the role `ci` cannot be given; ask one or more of release-manager, admin, security-officer or developer",
    );
    check(
        "from = \"uat\"\nto = \"production\"",
        "from = \"production\"\nto = \"uat\"",
        "config.keys syncline.toml line 43: soak time counts only on a way up; remove `soak`, or put it on the edge upward",
    );
    check(
        "environments = [\"production\"]",
        "environments = [\"prod\"]",
        "config.unknown syncline.toml line 53: the freeze `year end` holds in `prod`, which is no environment; known are dev1, production, uat",
    );
    check(
        "from = \"2026-12-20T00:00\"",
        "from = \"2027-12-20T00:00\"",
        "config.window syncline.toml line 52: the freeze `year end` ends before it begins; swap `from` and `to`",
    );
    check(
        "from = \"2026-12-20T00:00\"",
        "from = \"2026-12-20T00:00Z\"",
        "config.syntax syncline.toml line 54: `2026-12-20T00:00Z` is no local time; write it as `2026-12-20T00:00`, and the zone in `zone`",
    );
    check(
        "fri 18:00 .. mon 06:00",
        "friday to monday",
        "config.syntax syncline.toml line 60: `friday to monday` is no span of a week; write two days with times, for example `fri 18:00 .. mon 06:00`",
    );
    check(
        "[system.environments.production]",
        "[system.environments.prod]",
        "config.unknown syncline.toml line 65: the system `billing` serves `prod`, which is no environment; known are dev1, production, uat",
    );
    check(
        "2026-11-call",
        "2026-11-backfill",
        "config.twice syncline.toml line 77: there is a second step `2026-11-backfill`; a step runs once: give each its own id",
    );
    check(
        "manual = \"Call the users\"",
        "manual = \"Call the users\"\napex = \"a.apex\"",
        "config.keys syncline.toml line 77: the step `2026-11-call` does nothing, or several things; write one of `apex`, `command` and `manual`",
    );
    check(
        "tests = \"RunLocalTests\"",
        "tests = \"NoTestRun\"",
        "config.keys syncline.toml line 28: `coverage` needs tests, but `tests` is `NoTestRun`; remove one of them",
    );
    check(
        "command = [\"pmd\", \"check\"]",
        "command = []",
        "config.syntax syncline.toml line 47: a command needs a program; write a list such as `[\"./smoke.sh\", \"--quick\"]`",
    );
    // All mistakes in the order of the file.
    check(
        "[gates]\n",
        "[environments.dev2]\nbranch = \"dev2\"\nkind = \"developer\"\npromotes-to = \"qa\"\n[gates]\nvalidate = false\n",
        "config.name syncline.toml line 29: the branch `dev2` does not follow the naming rule `^(main|env/.+)$`; rename it, or correct the rule in `[naming]`\n\
         config.unknown syncline.toml line 31: `dev2` promotes to `qa`, which is no environment; known are dev1, dev2, production, uat\n\
         config.keys syncline.toml line 32: `tests` and `coverage` come from the validation, but `validate` is false; remove `validate = false`, or the others",
    );
}
