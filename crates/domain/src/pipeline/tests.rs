//! Ways that there are, and that there are not.

use super::*;

const PATH: &str = r#"
[environments.production]
branch = "main"
kind = "production"
org = "prod"

[environments.hotfix]
branch = "hotfix"
kind = "hotfix"
promotes-to = "production"

[environments.uat]
branch = "uat"
kind = "uat"
licence = "partial"
promotes-to = "production"
owner = "team-billing"

[environments.dev1]
branch = "dev/1"
kind = "developer"
promotes-to = "uat"

[environments.dev2]
branch = "dev/2"
kind = "developer"
promotes-to = "uat"

[environments.island]
branch = "island"
kind = "developer"

[gates]
soak = "1h"

[[edges]]
from = "uat"
to = "production"
[edges.gates]
approvals = { admin = 2 }

[[edges]]
from = "production"
to = "*"
rule = "on-push"

[[edges]]
from = "production"
to = "dev2"

[[system]]
name = "ERP \"old\""
owner = "team-erp"
[system.environments.production]
hosts = ["erp.example.com"]
credentials = ["Erp"]
[system.environments.uat]
hosts = ["erp-test.example.com"]
"#;

fn names(list: Vec<&Environment>) -> String {
    list.iter().map(|e| e.name.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn neighbours() {
    let config = Config::parse(PATH).unwrap();
    assert_eq!(names(config.above("dev1")), "uat production");
    assert_eq!(names(config.below("production")), "hotfix uat dev1 dev2");
    assert_eq!(names(config.next_below("uat")), "dev1 dev2");
    assert_eq!(config.between("dev1", "production").map(names).as_deref(), Some("uat"));
    assert_eq!(config.between("production", "dev1"), None);
    assert!(config.is_adjacent("uat", "dev1") && !config.is_adjacent("production", "dev1"));
}

#[test]
fn ways() {
    let config = Config::parse(PATH).unwrap();
    let check = |from: &str, to: &str, expect: &str| {
        let shown = match config.way(from, to) {
            Ok(way) => {
                let gates = &way.gates;
                let approvals: Vec<String> = gates.approvals.iter().map(|(role, n)| format!("{n} {role}")).collect();
                let soak = gates.soak.map(|soak| soak.to_string()).unwrap_or_default();
                format!(
                    "{:?} {} [{}] {soak}",
                    way.direction,
                    way.rule.name(),
                    approvals.join(" ")
                )
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown.trim(), expect, "{from} → {to}");
    };
    check("uat", "production", "Up manual [2 admin] 1h");
    check("dev1", "uat", "Up manual [] 1h");
    check("production", "dev1", "Down on-push []");
    check("production", "dev2", "Down manual []");
    check("uat", "dev1", "Down manual []");
    check(
        "dev1",
        "production",
        "the path from `dev1` to `production` leads over `uat`; promote to `uat` first",
    );
    check(
        "dev1",
        "dev2",
        "no path leads from `dev1` to `dev2`; changes go up to `uat`, and from there down",
    );
    check(
        "dev1",
        "island",
        "no path leads from `dev1` to `island`; connect them with `promotes-to`",
    );
    check("uat", "uat", "`uat` is source and target; name two environments");
    check(
        "uat",
        "qa",
        "there is no environment `qa` in syncline.toml; known are production, hotfix, uat, dev1, dev2, island",
    );
}

#[test]
fn exceptions_need_a_reason_and_somebody_else() {
    let config = Config::parse(PATH).unwrap();
    let check = |reason: &str, approved: &[&str], from: &str, expect: &str| {
        let bypass = Bypass {
            reason: reason.to_owned(),
            requested_by: "kim".to_owned(),
            approved_by: approved.iter().map(|name| (*name).to_owned()).collect(),
        };
        let shown = match config.bypass(from, "production", &bypass) {
            Ok(way) => format!("{} → {} with {} approvals", way.from, way.to, way.gates.approvals.len()),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expect);
    };
    check("fire", &["kim", "lee"], "dev1", "dev1 → production with 1 approvals");
    check(" ", &["lee"], "dev1", "a bypass needs a reason; give one");
    check(
        "fire",
        &["kim"],
        "dev1",
        "a bypass needs the approval of somebody other than `kim`",
    );
    check(
        "fire",
        &["lee"],
        "island",
        "no path leads from `island` to `production`; connect them with `promotes-to`",
    );
}

#[test]
fn drawings() {
    let config = Config::parse(PATH).unwrap();
    assert_eq!(
        tree(&config),
        "\
production · production · branch main · org prod
├─ hotfix · hotfix · branch hotfix
└─ uat · uat · partial sandbox · branch uat · team-billing
   ├─ dev1 · developer · branch dev/1
   └─ dev2 · developer · branch dev/2
island · developer · branch island
system ERP \"old\" · team-erp
   production: erp.example.com by Erp
   uat: erp-test.example.com
"
    );
    assert_eq!(
        mermaid(&config),
        "\
flowchart BT
  e1[\"production<br/>production, main\"]
  e2[\"hotfix<br/>hotfix, hotfix\"]
  e3[\"uat<br/>uat, uat\"]
  e4[\"dev1<br/>developer, dev/1\"]
  e5[\"dev2<br/>developer, dev/2\"]
  e6[\"island<br/>developer, island\"]
  e1 -.->|\"on-push\"| e2
  e1 -.->|\"on-push\"| e3
  e1 -.->|\"on-push\"| e4
  e2 -->|\"soak 1h\"| e1
  e3 -->|\"2 admin, soak 1h\"| e1
  e4 -->|\"soak 1h\"| e3
  e5 -->|\"soak 1h\"| e3
  s1([\"ERP #quot;old#quot;\"])
  e1 ---|\"erp.example.com\"| s1
  e3 ---|\"erp-test.example.com\"| s1
"
    );
}
