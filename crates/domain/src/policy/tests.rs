//! Decisions, one a line.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::config::Config;

const ENVIRONMENTS: &str = r#"
[environments.prod]
branch = "main"
kind = "production"
[environments.uat]
branch = "uat"
kind = "uat"
[environments.dev1]
branch = "dev1"
kind = "developer"
owner = "kim"
[environments.dev2]
branch = "dev2"
kind = "developer"
owner = "team-billing"
[environments.dev3]
branch = "dev3"
kind = "developer"
"#;

/// `kim:developer,developer@dev3+team-billing`: a person with roles, everywhere or in one environment, and teams.
fn actor(text: &str) -> Actor {
    let (name, rest) = text.split_once(':').unwrap();
    let (grants, teams) = rest.split_once('+').unwrap_or((rest, ""));
    let grants = grants.split(',').filter(|grant| !grant.is_empty()).map(|grant| {
        let (role, environment) = grant
            .split_once('@')
            .map_or((grant, None), |(role, at)| (role, Some(at)));
        Grant {
            role: Role::named(role).unwrap(),
            environment: environment.map(str::to_owned),
        }
    });
    Actor {
        grants: grants.collect(),
        teams: teams.split('+').map(str::to_owned).collect(),
        ..Actor::person(name, [])
    }
}

#[test]
fn decisions() {
    let config = Config::parse(ENVIRONMENTS).unwrap();
    let check = |who: &str, action: &str, environment: &str, expect: &str| {
        let environment = (!environment.is_empty()).then(|| config.environment(environment).unwrap());
        let decision = decide(&actor(who), Action::named(action).unwrap(), environment);
        let sign = if decision.allowed { "yes" } else { "no" };
        assert_eq!(format!("{sign}: {}", decision.because), expect);
    };
    check("kim:viewer", "read", "prod", "yes: kim is viewer in `prod`");
    check(
        "kim:developer",
        "work",
        "dev1",
        "yes: kim is developer, whose own it is, in `dev1`",
    );
    check(
        "kim:developer",
        "work",
        "dev2",
        "no: kim has developer in `dev2`; for `work` allowed are developer (own environments), release-manager, admin",
    );
    check(
        "kim:developer+team-billing",
        "work",
        "dev2",
        "yes: kim is developer, whose own it is, in `dev2`",
    );
    check(
        "kim:developer@dev3",
        "work",
        "dev3",
        "yes: kim is developer, whose own it is, in `dev3`",
    );
    check(
        "kim:developer,viewer@dev3",
        "work",
        "dev3",
        "no: kim has viewer, developer in `dev3`; for `work` allowed are developer (own environments), release-manager, admin",
    );
    check(
        "kim:developer@dev3",
        "promote",
        "uat",
        "no: kim has no role in `uat`; for `promote` allowed are developer, release-manager, admin, ci",
    );
    check("kim:developer", "promote", "uat", "yes: kim is developer in `uat`");
    check(
        "kim:developer",
        "promote",
        "prod",
        "no: kim has developer in `prod`; for `promote` allowed are release-manager, admin, ci",
    );
    check(
        "kim:admin",
        "refresh",
        "prod",
        "no: kim has admin in `prod`; for `refresh` nobody may in production",
    );
    check("kim:security-officer", "rotate-key", "", "yes: kim is security-officer");
    check(
        "kim:admin@uat",
        "configure",
        "",
        "no: kim has no role; for `configure` allowed are admin",
    );
    check("kim:admin", "configure", "", "yes: kim is admin");
    check(
        "kim:ci",
        "approve",
        "uat",
        "no: kim has ci in `uat`; for `approve` allowed are developer, release-manager, admin, security-officer",
    );
}

#[test]
fn the_table_is_complete() {
    let table = table::parse(include_str!("table.txt")).unwrap();
    for action in Action::ALL {
        let places: Vec<Option<Tier>> = table
            .keys()
            .filter(|(a, _)| a == action)
            .map(|(_, tier)| *tier)
            .collect();
        assert!(!places.is_empty(), "{action} has no rule");
        assert!(
            places == [None] || places.iter().all(Option::is_some),
            "{action} has both kinds of rules"
        );
        assert_eq!(Action::named(action.name()), Some(*action));
    }
    for ((action, tier), roles) in &table {
        // An owner of a database may do everything that anybody may.
        assert!(
            roles.iter().any(|rule| rule.role == Role::Admin && !rule.own),
            "{action} {tier:?}"
        );
        // Who writes where many work is not a developer alone, and a viewer never writes.
        assert!(
            *action == Action::Read || roles.iter().all(|rule| rule.role != Role::Viewer),
            "{action}"
        );
        if *action == Action::Approve {
            assert!(roles.iter().all(|rule| rule.role.approves()), "{action} {tier:?}");
        }
    }
    for (text, expect) in [
        ("reed", "line 1: unknown action"),
        ("read\n    prod viewer", "line 2: unknown tier"),
        ("read\n    test boss", "line 2: unknown role"),
        ("    test admin", "line 1: a tier without an action"),
        ("back-up admin\nback-up admin", "line 2: a second time"),
    ] {
        assert_eq!(table::parse(text).unwrap_err(), expect);
    }
}

/// `kim=release-manager+admin`: yes; `!` in front: no; `~` in front: yes to another package.
fn approvals(text: &str) -> Vec<Approval> {
    let mut at = 0;
    text.split_whitespace()
        .map(|word| {
            at += 1;
            let (word, digest) = word.strip_prefix('~').map_or((word, "now"), |word| (word, "before"));
            let (word, verdict) = word
                .strip_prefix('!')
                .map_or((word, Verdict::Approve), |word| (word, Verdict::Reject));
            let (by, roles) = word.split_once('=').unwrap();
            Approval {
                by: by.to_owned(),
                roles: roles.split('+').map(|role| Role::named(role).unwrap()).collect(),
                at,
                digest: digest.to_owned(),
                verdict,
                comment: String::new(),
            }
        })
        .collect()
}

#[test]
fn counts() {
    let check = |required: &[(Role, u32)], given: &str, tier: Tier, expect: &str| {
        let required: BTreeMap<Role, u32> = required.iter().copied().collect();
        let counted = count(&required, &approvals(given), "now", "kim", tier);
        let mut parts: Vec<String> = counted
            .given
            .iter()
            .map(|(role, names)| format!("{role}: {}", names.iter().cloned().collect::<Vec<_>>().join("+")))
            .collect();
        parts.extend(counted.missing.iter().map(|(role, n)| format!("{n} {role} missing")));
        parts.extend(counted.rejected_by.iter().map(|name| format!("{name} said no")));
        parts.extend(counted.void.iter().map(|name| format!("{name} void")));
        if counted.is_complete() {
            parts.push("complete".to_owned());
        }
        assert_eq!(parts.join(", "), expect, "{given}");
    };
    use Role::{Admin, ReleaseManager};
    use Tier::{Production, Test};
    check(&[], "", Test, "complete");
    check(&[(Admin, 2)], "lee=admin", Test, "admin: lee, 1 admin missing");
    check(
        &[(Admin, 2)],
        "lee=admin lee=admin",
        Test,
        "admin: lee, 1 admin missing",
    );
    check(&[(Admin, 1)], "kim=admin", Test, "admin: kim, complete");
    check(&[(Admin, 1)], "kim=admin", Production, "1 admin missing");
    // A person counts for one role, whichever order they came in.
    check(
        &[(Admin, 1), (ReleaseManager, 1)],
        "lee=admin+release-manager",
        Test,
        "release-manager: lee, 1 admin missing",
    );
    check(
        &[(Admin, 1), (ReleaseManager, 1)],
        "lee=admin+release-manager ann=release-manager",
        Test,
        "release-manager: ann, admin: lee, complete",
    );
    check(
        &[(Admin, 1), (ReleaseManager, 1)],
        "ann=release-manager lee=admin+release-manager",
        Test,
        "release-manager: ann, admin: lee, complete",
    );
    check(&[(Admin, 1)], "lee=admin !ann=admin", Test, "admin: lee, ann said no");
    check(&[(Admin, 1)], "!lee=admin lee=admin", Test, "admin: lee, complete");
    check(
        &[(Admin, 1)],
        "lee=admin !lee=admin",
        Test,
        "1 admin missing, lee said no",
    );
    check(&[(Admin, 1)], "~lee=admin", Test, "1 admin missing, lee void");
    check(&[(Admin, 1)], "~lee=admin lee=admin", Test, "admin: lee, complete");
}

#[test]
fn whose_approval_is_taken() {
    let config = Config::parse(ENVIRONMENTS).unwrap();
    let check = |who: &str, kind: ActorKind, environment: &str, seen: &str, verdict: Verdict, expect: &str| {
        let actor = Actor { kind, ..actor(who) };
        let environment = config.environment(environment).unwrap();
        let taken = check_approval(&actor, environment, "kim", "now", seen, verdict);
        assert_eq!(
            taken.err().map_or("taken".to_owned(), |error| error.to_string()),
            expect
        );
    };
    use ActorKind::{Person, Service};
    check("lee:admin", Person, "prod", "now", Verdict::Approve, "taken");
    check(
        "lee:admin",
        Service,
        "prod",
        "now",
        Verdict::Approve,
        "`lee` is a program; only persons approve",
    );
    check("kim:admin", Person, "uat", "now", Verdict::Approve, "taken");
    check(
        "kim:admin",
        Person,
        "prod",
        "now",
        Verdict::Approve,
        "`kim` asked for this change of a production, so somebody else has to approve it",
    );
    check("kim:admin", Person, "prod", "now", Verdict::Reject, "taken");
    check(
        "lee:admin",
        Person,
        "prod",
        "before",
        Verdict::Approve,
        "the package has changed since it was looked at; look at it again, then approve",
    );
    check(
        "lee:viewer",
        Person,
        "uat",
        "now",
        Verdict::Approve,
        "lee has viewer in `uat`; for `approve` allowed are developer, release-manager, admin, security-officer",
    );
    assert_eq!(actor("kim:admin").roles_in(Some("uat")), BTreeSet::from([Role::Admin]));
}
