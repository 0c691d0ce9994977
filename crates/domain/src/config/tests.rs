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
