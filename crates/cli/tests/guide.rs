//! The commands in the guide do what the guide shows.

mod support;

use std::path::{Path, PathBuf};

use support::simulator::{APP, Simulator};
use support::{TestEnv, profile};

/// The root of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the `$ syncline …` and `$ git …` lines of a page's console blocks in `folder`; what a block shows below a command has to
/// be said, where `…` stands for anything.
fn check(page: &str, env: &TestEnv, folder: &Path) {
    let text = std::fs::read_to_string(root().join(page)).expect("a page");
    let blocks = text
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut commands = 0;
    for block in blocks {
        let mut said = String::new();
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(typed) => {
                    let words = words(typed);
                    let (program, arguments) = words.split_first().expect("a command");
                    assert!(
                        ["syncline", "git"].contains(&program.as_str()),
                        "{page}: {line} is not run here"
                    );
                    let program = match program.as_str() {
                        "syncline" => env!("CARGO_BIN_EXE_syncline"),
                        program => program,
                    };
                    let ran = env.finish(env.program(program).current_dir(folder).args(arguments));
                    assert!(ran.code <= 1, "{page}: {line}: {ran}");
                    said = ran.stdout + &ran.stderr;
                    commands += 1;
                }
                None => assert!(
                    said.lines().any(|said| shows(line, said)),
                    "{page} shows `{line}`, the program says: {said}"
                ),
            }
        }
    }
    assert!(commands > 0, "{page} shows no command");
}

/// Words of a command line; single quotes hold blanks together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (i, part) in line.split('\'').enumerate() {
        let mut pieces = part.split(' ');
        let last = words.last_mut().expect("never empty");
        match i % 2 {
            1 => last.push_str(part),
            _ => {
                last.push_str(pieces.next().unwrap_or_default());
                words.extend(pieces.map(str::to_owned));
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether a line holds the parts of what is shown, between each `…`, in their order.
fn shows(shown: &str, said: &str) -> bool {
    let mut rest = said;
    shown.trim().split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// A page whose commands run in the sample of the demo.
fn check_in_sample(page: &str) {
    let env = TestEnv::new();
    let made = env.syncline("demo --setup sample");
    assert_eq!(made.code, 0, "{made}");
    check(page, &env, &env.work().join("sample"));
}

#[test]
fn readme() {
    check_in_sample("README.md");
}

#[test]
fn pages_in_the_sample() {
    for page in [
        "getting-started",
        "compare",
        "back-promote",
        "conflicts",
        "delta-packages",
    ] {
        check_in_sample(&format!("docs/guide/{page}.md"));
    }
}

#[test]
fn every_page_with_commands_is_checked() {
    let own = include_str!("guide.rs");
    for entry in std::fs::read_dir(root().join("docs/guide")).expect("the guide") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            let text = std::fs::read_to_string(&path).expect("a page");
            let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
            assert!(
                !text.contains("```console")
                    || own.contains(&format!("\"{name}\""))
                    || own.contains(&format!("{name}.md")),
                "{name} is not checked here"
            );
        }
    }
}

/// PATH with the program that is tested first.
#[cfg(unix)]
fn path_with_syncline() -> std::ffi::OsString {
    let program = Path::new(env!("CARGO_BIN_EXE_syncline"))
        .parent()
        .expect("a folder")
        .to_owned();
    let others = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([program].into_iter().chain(std::env::split_paths(&others))).expect("a PATH")
}

/// The script that validates: a good change, one that fails, one without metadata.
#[cfg(unix)]
#[test]
fn ci_validate() {
    const META: &str =
        "<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\"><apiVersion>66.0</apiVersion></ApexClass>\n";
    let env = TestEnv::repository();
    let simulator = Simulator::start(&env);
    env.commit(
        "sfdx-project.json",
        r#"{"packageDirectories":[{"path":"app","default":true}]}"#,
    );
    env.git_ok(&["branch", "uat"]);
    let job = || {
        let mut command = env.program("bash");
        command
            .arg(root().join("docs/guide/ci/validate.sh"))
            .args(["dev1", "uat"])
            .env("PATH", path_with_syncline())
            .env("SYNCLINE_JWT_KEY_FILE", simulator.jwt_key())
            .env("SYNCLINE_CLIENT_ID", APP.0)
            .env("SYNCLINE_USERNAME", simulator.username("dev1"))
            .env("SYNCLINE_INSTANCE", simulator.url("dev1"))
            .current_dir(env.work());
        env.finish(&mut command)
    };
    let nothing = job();
    assert!(
        nothing.code == 0 && nothing.stdout.contains("nothing to deploy"),
        "{nothing}"
    );

    env.commit("app/classes/Tide.cls", "public class Tide {}\n");
    env.commit("app/classes/Tide.cls-meta.xml", META);
    let passed = job();
    assert_eq!(passed.code, 0, "{passed}");
    assert!(env.read("reports/summary.md").contains("Validation in dev1: passed"));

    let missing = "<PermissionSet xmlns=\"http://soap.sforce.com/2006/04/metadata\"><label>P</label><classAccesses><apexClass>Nowhere\
                   </apexClass><enabled>true</enabled></classAccesses></PermissionSet>\n";
    env.commit("app/permissionsets/P.permissionset-meta.xml", missing);
    let failed = job();
    assert_eq!(failed.code, 1, "{failed}");
    assert!(env.read("reports/junit.xml").contains("<failure"), "{failed}");
}

/// The script of the CI templates, twice: with a conflict, and after a person decided it.
#[cfg(unix)]
#[test]
fn ci_script() {
    let env = TestEnv::new();
    env.syncline("demo --setup sample");
    env.git_ok(&["clone", "--quiet", "--mirror", "sample", "remote.git"]);
    let script = root().join("docs/guide/ci/back-promote.sh");
    let path = path_with_syncline();
    let job = |name: &str| {
        env.git_ok(&["clone", "--quiet", "remote.git", name]);
        for (key, value) in [("user.name", "CI"), ("user.email", "ci@example.com")] {
            env.git_ok(&["-C", name, "config", key, value]);
        }
        let mut command = env.program("bash");
        command
            .arg(&script)
            .args(["production", "uat", "integration", "developer"])
            .env("PATH", &path)
            .current_dir(env.work().join(name));
        env.finish(&mut command)
    };
    let refs = || {
        env.git_ok(&[
            "-C",
            "remote.git",
            "for-each-ref",
            "--format=%(refname) %(contents:subject)",
        ])
    };
    let first = job("first");
    assert_eq!(first.code, 1, "{first}");
    let found = refs();
    assert!(
        found.contains("refs/heads/uat Back-promote production to uat"),
        "{found}"
    );
    assert!(found.contains("refs/heads/developer Try 25 percent"), "{found}");
    assert!(found.contains("refs/syncline/conflicts/c7944e3a"), "{found}");
    let decide = |arguments: &[&str]| {
        env.finish(
            env.program(env!("CARGO_BIN_EXE_syncline"))
                .args(arguments)
                .current_dir(env.work().join("first")),
        )
    };
    let decided = decide(&["conflicts", "resolve", "c7944e3a", "--all", "--theirs"]);
    assert_eq!(decided.code, 0, "{decided}");
    let share = "refs/syncline/resolutions:refs/syncline/resolutions";
    env.git_ok(&["-C", "first", "push", "--quiet", "origin", share]);
    let second = job("second");
    assert_eq!(second.code, 0, "{second}");
    let found = refs();
    assert!(
        found.contains("refs/heads/developer Back-promote production to developer"),
        "{found}"
    );
    assert!(!found.contains("refs/syncline/conflicts/"), "{found}");
}

#[test]
fn orgs() {
    let env = TestEnv::repository();
    let simulator = support::simulator::Simulator::start(&env);
    let ran = simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    assert_eq!(ran.code, 0, "{ran}");
    env.write(
        "sfdx-project.json",
        r#"{"packageDirectories":[{"path":"app","default":true}]}"#,
    );
    env.write("app/main/default/classes/Tax.cls", "public class Tax {\n}\n");
    env.commit(
        "app/main/default/classes/Tax.cls-meta.xml",
        "<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n",
    );
    check("docs/guide/orgs.md", &env, &env.work());
}

#[test]
fn environments() {
    let env = TestEnv::repository();
    let simulator = support::simulator::Simulator::start(&env);
    let ran = simulator.login(&env, "prod", &simulator.url("prod"), &["--production-writes"]);
    assert_eq!(ran.code, 0, "{ran}");
    let project = r#"{"packageDirectories":[{"path":"app","default":true}]}"#;
    let meta = "<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n</ApexClass>\n";
    let run = |line: &str| {
        let ran = env.syncline(line);
        assert_eq!(ran.code, 0, "{line}: {ran}");
    };
    env.write("sfdx-project.json", project);
    env.write(
        "syncline.toml",
        "[environments.production]\nbranch = \"main\"\nkind = \"production\"\norg = \"prod\"\n",
    );
    env.write("syncline/scope.toml", "types = [\"ApexClass\"]\n");
    env.write(".gitignore", "/org/\n");
    for (folder, rate) in [("app", 19), ("org/app", 20)] {
        let text = format!("public class Tax {{\n    static Integer rate = {rate};\n}}\n");
        env.write(&format!("{folder}/main/default/classes/Tax.cls"), text);
        env.write(&format!("{folder}/main/default/classes/Tax.cls-meta.xml"), meta);
    }
    env.commit("org/sfdx-project.json", project);
    run("org deploy prod app --confirm-production prod");
    run("snapshot production");
    run("org deploy prod org --confirm-production prod");
    check("docs/guide/environments.md", &env, &env.work());
}

#[test]
fn merge_file() {
    let env = TestEnv::new();
    let side = |enabled| profile(&[("Invoices", enabled)]);
    env.write("base.xml", profile(&[]))
        .write("ours.xml", side(true))
        .write("theirs.xml", side(false));
    check("docs/guide/merge-file.md", &env, &env.work());
    let page = include_str!("../../../docs/guide/merge-file.md");
    let markers: String = env
        .read("merged.xml")
        .lines()
        .skip(2)
        .take(9)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(page.contains(&markers), "{markers}");
}

#[test]
fn merge_driver() {
    let env = TestEnv::repository();
    check("docs/guide/merge-driver.md", &env, &env.work());
}
