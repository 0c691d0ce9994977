//! Operations, workers, the audit chain and the database, as a user sees them.

mod support;

use support::TestEnv;

/// A repository with a remote beside it.
fn repository() -> TestEnv {
    let env = TestEnv::repository();
    env.commit("README.md", "x\n");
    env.git_ok(&["init", "--quiet", "--bare", "../remote.git"]);
    let remote = env.work().join("../remote.git");
    env.git_ok(&["remote", "add", "origin", remote.to_str().expect("UTF-8")]);
    env
}

#[test]
fn nothing_runs_yet() {
    let env = repository();
    insta::assert_snapshot!(env.syncline("operation list"), @r#"
    exit 0
    --- stdout
    nothing runs and nothing waits
    "#);
    insta::assert_snapshot!(env.syncline("operation show 9f3a1c02"), @r#"
    exit 2
    --- stderr
    error: there is no operation `9f3a1c02`
    hint: see `syncline operation list --all`
    "#);
    insta::assert_snapshot!(normal(&env.syncline("worker --until-idle").to_string()), @r#"
    exit 0
    --- stdout
    took operations 0 times
    --- stderr
    works on the operations of [here]/.git/syncline/syncline.db
    "#);
    let json: serde_json::Value = serde_json::from_str(&env.syncline("operation list --json").stdout).expect("JSON");
    assert_eq!(json, serde_json::json!({"operations": []}));
}

#[test]
fn a_database_that_cannot_be_opened() {
    let env = repository();
    let open = |url: &str| {
        let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
        command.args(["operation", "list"]).env("SYNCLINE_DATABASE_URL", url);
        env.finish(&mut command)
    };
    insta::assert_snapshot!(open("mysql://ops:CANARY@db/x"), @r#"
    exit 2
    --- stderr
    error: `mysql:…` is no address of a database: only SQLite and PostgreSQL are known
    hint: write `sqlite:PATH` or `postgres://USER@HOST/DATABASE`
    "#);
    let refused = open("postgres://ops:CANARY@127.0.0.1:1/x");
    assert_eq!(refused.code, 2, "{refused}");
    assert!(
        refused
            .stderr
            .contains("could not open the database postgres://127.0.0.1:1/x"),
        "{refused}"
    );
    assert!(refused.stderr.contains("is the database running"), "{refused}");
    assert!(!refused.stderr.contains("CANARY"), "{refused}");
}

#[test]
fn the_chain_is_signed_and_checked() {
    let env = repository();
    // The only deed so far.
    assert_eq!(env.syncline("admin rotate-key").code, 0);
    let shown = env.syncline("audit show");
    assert!(shown.stdout.contains("Test: key.rotate key:"), "{shown}");
    let signed = env.syncline("audit checkpoint");
    assert_eq!(signed.code, 0, "{signed}");
    assert!(
        signed
            .stdout
            .contains("1 new checkpoints in refs/syncline/audit of origin"),
        "{signed}"
    );
    insta::assert_snapshot!(env.syncline("audit verify --against refs/syncline/audit"), @r#"
    exit 0
    --- stdout
    the chain is whole: 1 entries, 2 checkpoints agree, 0 findings
    "#);
    let exported = env.syncline("audit export");
    let entry: serde_json::Value = serde_json::from_str(&exported.stdout).expect("JSON");
    assert_eq!(entry["action"], "key.rotate");

    // Another database in its place knows nothing of it.
    std::fs::remove_dir_all(env.work().join(".git/syncline")).expect("removed");
    let cut = env.syncline("audit verify --against refs/syncline/audit");
    assert_eq!(cut.code, 1, "{cut}");
    assert!(cut.stdout.contains("it was cut"), "{cut}");
    insta::assert_snapshot!(env.syncline("audit verify --against nowhere"), @r#"
    exit 2
    --- stderr
    error: `nowhere` is neither a ref of this repository nor a file
      because: there is no revision `nowhere`
    "#);
}

/// Without a server the user is the owner; what nobody may, the owner may not either.
#[test]
fn what_the_policy_refuses_has_a_code_and_a_hint() {
    let env = repository();
    env.write(
        "syncline.toml",
        "[environments.production]\nbranch = \"main\"\nkind = \"production\"\n\
         [environments.uat]\nbranch = \"env/uat\"\nkind = \"uat\"\npromotes-to = \"production\"\n",
    );
    env.git_ok(&["branch", "env/uat"]);
    insta::assert_snapshot!(env.syncline("back-promote --from uat --onto production"), @r#"
    exit 2
    --- stderr
    error: Test has every role in `production`; for `back-promote` nobody may in production
    hint: ask somebody who may, or an admin for the role
    "#);
    let told = env.syncline("back-promote --from uat --onto production --json");
    let error: serde_json::Value = serde_json::from_str(&told.stderr).expect("JSON");
    assert_eq!(
        (&error["error"]["kind"], &error["error"]["code"]),
        (&"refused".into(), &"policy.refused".into()),
        "{told}"
    );
}

#[test]
fn a_backup_goes_into_another_database() {
    let env = repository();
    env.syncline("admin rotate-key");
    env.syncline("audit checkpoint --no-push");
    let saved = env.syncline("admin backup syncline.backup");
    assert_eq!(saved.code, 0, "{saved}");
    let again = env.syncline("admin backup syncline.backup");
    assert_eq!(again.code, 2, "a backup is never replaced: {again}");
    insta::assert_snapshot!(normal(&env.syncline("admin restore syncline.backup").to_string()), @r#"
    exit 2
    --- stderr
    error: the database [here]/.git/syncline/syncline.db is not empty
    hint: restore into a new one: SYNCLINE_DATABASE_URL names it
    "#);
    let in_new = |arguments: &[&str]| {
        let mut command = env.program(env!("CARGO_BIN_EXE_syncline"));
        let url = format!("sqlite:{}", env.work().join("other/new.db").display());
        env.finish(command.args(arguments).env("SYNCLINE_DATABASE_URL", url))
    };
    let restored = in_new(&["admin", "restore", "syncline.backup"]);
    assert_eq!(restored.code, 0, "{restored}");
    assert_eq!(in_new(&["audit", "verify"]).code, 0);
    // The key lies beside the first database only.
    insta::assert_snapshot!(normal(&in_new(&["admin", "rotate-key"]).to_string()), @r#"
    exit 2
    --- stderr
    error: the server key [here]/other/server.key is missing, and secrets were sealed with the key ID
    hint: bring the file back; if the key is lost, the secrets have to be given anew in a new database
    "#);
}

/// Ids of keys differ from run to run; the work folder has a name of its own.
fn normal(text: &str) -> String {
    let is_id = |word: &str| word.len() == 16 && word.chars().all(|c| c.is_ascii_hexdigit());
    let line = |line: &str| {
        let words: Vec<&str> = line
            .split(' ')
            .map(|word| if is_id(word) { "ID" } else { word })
            .collect();
        words.join(" ")
    };
    let text = text.replace(&format!("[dir]/{}", "work"), "[here]");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}
