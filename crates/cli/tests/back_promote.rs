//! From `init` to the last conflict, as a person types it.

mod support;

use support::{Ran, TestEnv, profile};

const FILE: &str = "force-app/main/default/profiles/Admin.profile-meta.xml";

/// `main` is production; `uat` and `dev` changed the profile, and so did production afterwards.
fn environments() -> TestEnv {
    let env = TestEnv::repository();
    env.write(
        "sfdx-project.json",
        r#"{"packageDirectories": [{"path": "force-app"}]}"#,
    );
    env.commit(FILE, profile(&[("Audit", true), ("Billing", true)]));
    for branch in ["uat", "dev"] {
        env.git_ok(&["switch", "--quiet", "--create", branch, "main"]);
        env.commit(FILE, profile(&[("Billing", true), (branch, true)]));
        env.git_ok(&["switch", "--quiet", "main"]);
    }
    env.commit(FILE, profile(&[("Audit", false), ("Billing", true), ("Hotfix", true)]));
    env
}

fn check(ran: &Ran, code: i32, says: &[&str]) {
    assert_eq!(ran.code, code, "{ran}");
    for part in says {
        assert!(
            ran.stdout.contains(part) || ran.stderr.contains(part),
            "`{part}` is missing in {ran}"
        );
    }
}

#[test]
fn the_whole_way() {
    let env = environments();
    check(
        &env.syncline("init"),
        0,
        &[
            "written with 3 environments",
            "uat (branch uat) → production",
            "dev (branch dev) → uat",
        ],
    );
    let ran = env.syncline("back-promote --from production --onto all-below --dry-run");
    check(&ran, 1, &["uat: 1 conflict to decide, the branch would not be moved"]);
    let ran = env.syncline("back-promote --from production --onto uat");
    check(
        &ran,
        1,
        &[
            "uat: 1 conflict to decide, the branch was not moved",
            "common ancestor in git",
            "1. Profile:Admin/classAccesses[apexClass=Audit]: deleted by ours, changed by theirs",
            "next: syncline conflicts show ",
        ],
    );
    let id = ran
        .stdout
        .split("conflicts show ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next());
    let id = id.expect("an id").to_owned();
    check(
        &env.syncline("conflicts list"),
        1,
        &[&id, "production → uat: 1 conflict open, 0 decided"],
    );
    check(
        &env.syncline(&format!("conflicts show {id}")),
        0,
        &[
            "ours (uat): not there",
            "theirs (production):",
            "<enabled>false</enabled>",
        ],
    );
    let ran = env.syncline(&format!("conflicts resolve {id} 1 --theirs"));
    check(
        &ran,
        0,
        &["decided: Profile:Admin", "uat: back-promoted from production, commit "],
    );
    let text = env.git_ok(&["show", &format!("uat:{FILE}")]);
    assert_eq!(
        text,
        profile(&[("Audit", false), ("Billing", true), ("Hotfix", true), ("uat", true)])
    );
    let ran = env.syncline("back-promote --from production --onto dev --json");
    check(
        &ran,
        0,
        &[
            "\"outcome\": \"done\"",
            "\"choice\": \"theirs\"",
            "\"how\": \"merge-base\"",
        ],
    );
    check(&env.syncline("conflicts list"), 0, &["no conflicts are kept"]);
    check(
        &env.syncline("back-promote --from production --onto uat,dev"),
        0,
        &["uat: nothing to do", "dev: nothing to do"],
    );
}

#[test]
fn errors_say_what_to_do() {
    let env = environments();
    check(
        &env.syncline("back-promote --from production --onto uat"),
        2,
        &["could not back-promote", "there is no revision `production`"],
    );
    check(
        &env.syncline("back-promote --from main --onto uaat,dev"),
        2,
        &[
            "uaat: failed, nothing is written",
            "similar names: uat",
            "failed for uaat",
        ],
    );
    check(
        &env.syncline("back-promote --from main --onto uat --component Nothing"),
        2,
        &["write `Type:FullName`"],
    );
    check(
        &env.syncline("conflicts show 12ab --json"),
        2,
        &["\"code\":\"conflicts.unknown\""],
    );
    check(&env.syncline("conflicts resolve 12ab --all"), 2, &["--ours"]);
    check(&env.syncline("init"), 0, &[]);
    check(&env.syncline("init"), 2, &["is never overwritten"]);
    check(&TestEnv::new().syncline("init"), 2, &["is not inside a git repository"]);
}
