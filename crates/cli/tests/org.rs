//! `syncline org` against simulated orgs.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::TestEnv;
use support::simulator::Simulator;

const PROJECT: &str = r#"{"packageDirectories":[{"path":"app","default":true}]}"#;
const META: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ApexClass xmlns="http://soap.sforce.com/2006/04/metadata">
    <apiVersion>66.0</apiVersion>
    <status>Active</status>
</ApexClass>
"#;
const OBJECT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CustomObject xmlns="http://soap.sforce.com/2006/04/metadata">
    <deploymentStatus>Deployed</deploymentStatus>
    <label>Fee</label>
    <nameField>
        <label>Fee Name</label>
        <type>Text</type>
    </nameField>
    <pluralLabel>Fees</pluralLabel>
    <sharingModel>ReadWrite</sharingModel>
</CustomObject>
"#;
const FIELD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<CustomField xmlns="http://soap.sforce.com/2006/04/metadata">
    <fullName>Rate__c</fullName>
    <label>Rate</label>
    <length>20</length>
    <type>Text</type>
</CustomField>
"#;

/// A repository with a class and an object, committed, and an org to deploy it into.
fn project() -> (TestEnv, Simulator) {
    let env = TestEnv::repository();
    let simulator = Simulator::start(&env);
    env.write("sfdx-project.json", PROJECT);
    class(&env, "Tax", 19);
    env.write("app/main/default/objects/Fee__c/Fee__c.object-meta.xml", OBJECT);
    env.write("app/main/default/objects/Fee__c/fields/Rate__c.field-meta.xml", FIELD);
    env.git_ok(&["add", "--all"]);
    env.git_ok(&["commit", "--quiet", "--message", "fees"]);
    (env, simulator)
}

fn class(env: &TestEnv, name: &str, rate: u32) {
    let body = format!("public class {name} {{\n    public static Integer rate() {{ return {rate}; }}\n}}\n");
    env.write(&format!("app/main/default/classes/{name}.cls"), body);
    env.write(&format!("app/main/default/classes/{name}.cls-meta.xml"), META);
}

#[test]
fn a_login_is_kept_without_its_secret() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    let ran = simulator.login(&env, "uat", &simulator.url("uat"), &[]);
    assert_eq!(ran.code, 0, "{ran}");
    let mut said = format!("{ran}");
    for line in [
        "org list",
        "org list --json",
        "org display uat",
        "org display uat --json",
        "org limits uat",
    ] {
        let ran = env.syncline(line);
        assert_eq!(ran.code, 0, "{line}: {ran}");
        said.push_str(&ran.to_string());
    }
    assert!(
        said.contains("admin@prod.example.uat") && said.contains("sandbox"),
        "{said}"
    );
    let token = simulator.token("uat");
    let secret = token.split('!').nth(1).expect("a token");
    assert!(!said.contains(secret), "the token is printed");
    let folder = env.home().join(".config/syncline");
    for entry in std::fs::read_dir(folder).expect("the folder of logins") {
        let path = entry.expect("a file").path();
        let bytes = std::fs::read(&path).expect("read");
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{}", path.display());
    }
    assert_eq!(env.syncline("org logout uat").code, 0);
    let gone = env.syncline("org display uat --json");
    assert!(gone.stderr.contains("org.unknown"), "{gone}");
}

#[test]
fn rows_of_a_query() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    let query = |soql: &str, more: &[&str]| env.run(&[&["org", "query", "dev1", soql], more].concat());
    let ran = query(
        "SELECT Username, Profile.Name FROM User ORDER BY Username",
        &["--format", "csv"],
    );
    assert_eq!(
        ran.stdout,
        "Username,Profile.Name\nadmin@prod.example.dev1,System Administrator\nreader@prod.example.dev1,Read Only\n",
        "{ran}"
    );
    assert_eq!(query("SELECT COUNT() FROM User", &[]).stdout, "2\n");
    let wrong = query("SELECT Nope FROM User", &["--json"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("INVALID_FIELD"), "{wrong}");
}

#[test]
fn rows_of_a_file_are_written() {
    let env = TestEnv::new();
    let simulator = Simulator::start(&env);
    simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    let count = || {
        env.run(&["org", "query", "dev1", "SELECT COUNT() FROM Contact"])
            .stdout
            .trim()
            .parse::<u32>()
            .expect("a number")
    };
    let before = count();
    env.write("contacts.csv", "FirstName,LastName\nAda,Archer\nBen,\nChi,Cole\n");
    let ran = env.syncline("org import dev1 Contact contacts.csv --refused refused.csv");
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (1, "2 rows taken, 1 refused\n"),
        "{ran}"
    );
    let refused = std::fs::read_to_string(env.work().join("refused.csv")).expect("the refused rows");
    assert_eq!(refused.lines().count(), 2, "{refused}");
    assert!(
        refused.contains("REQUIRED_FIELD_MISSING") && refused.ends_with("Ben,\n"),
        "{refused}"
    );
    assert_eq!(count(), before + 2);

    let ran = env.run(&[
        "org",
        "query",
        "dev1",
        "SELECT Id FROM Contact WHERE LastName = 'Cole' AND FirstName = 'Chi'",
        "--bulk",
        "-o",
        "ids.csv",
    ]);
    assert_eq!(ran.code, 0, "{ran}");
    let ran = env.syncline("org import dev1 Contact ids.csv --delete --json");
    assert_eq!(ran.code, 0, "{ran}");
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&told["taken"], &told["refused"], &told["stopped"]),
        (&1.into(), &0.into(), &serde_json::Value::Null)
    );
    assert_eq!(count(), before + 1);

    simulator.login(&env, "prod", &simulator.url("prod"), &[]);
    let ran = env.syncline("org import prod Contact contacts.csv --json");
    assert!(ran.code == 2 && ran.stderr.contains("org.production-login"), "{ran}");
    let ran = env.syncline("org import dev1 Contact nowhere.csv --json");
    assert!(ran.code == 2 && ran.stderr.contains("org.file"), "{ran}");
}

#[test]
fn what_is_deployed_comes_back() {
    let (env, simulator) = project();
    simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    let tried = env.syncline("org deploy dev1 . --check-only --json");
    assert_eq!(tried.code, 0, "{tried}");
    assert_eq!(
        env.syncline("diff main org:dev1 --type ApexClass").code,
        1,
        "nothing is changed"
    );
    let ran = env.syncline("org deploy dev1 .");
    assert_eq!(ran.code, 0, "{ran}");
    let same = env.syncline("diff main org:dev1 --type ApexClass");
    assert_eq!(same.code, 0, "{same}");

    env.write("back/sfdx-project.json", PROJECT);
    let ran = env.syncline("org retrieve dev1 -o back --metadata ApexClass --metadata CustomObject:Fee__c");
    assert_eq!(ran.code, 0, "{ran}");
    for file in ["classes/Tax.cls", "objects/Fee__c/fields/Rate__c.field-meta.xml"] {
        let path = format!("app/main/default/{file}");
        assert_eq!(env.read(&format!("back/{path}")), env.read(&path), "{file}");
    }
    let again = env.syncline("org retrieve dev1 -o back --metadata ApexClass --json");
    assert!(again.stdout.contains("\"written\": 0"), "{again}");
}

#[test]
fn snapshots_hold_what_the_org_has() {
    let (env, simulator) = project();
    simulator.login(&env, "dev1", &simulator.url("dev1"), &[]);
    assert_eq!(env.syncline("org deploy dev1 .").code, 0);
    let first = env.syncline("org retrieve dev1 --snapshot");
    assert_eq!(first.code, 0, "{first}");
    assert_eq!(
        env.syncline("diff main snapshot:dev1 --type ApexClass --type CustomObject --component ApexClass:*")
            .code,
        0
    );

    class(&env, "Tax", 20);
    class(&env, "More", 1);
    assert_eq!(env.syncline("org deploy dev1 .").code, 0);
    let second = env.syncline("org retrieve dev1 --snapshot --since last --json");
    assert_eq!(second.code, 0, "{second}");
    let changed = env.git_ok(&[
        "diff",
        "--name-status",
        "refs/syncline/snapshot/dev1~1",
        "refs/syncline/snapshot/dev1",
    ]);
    assert_eq!(
        changed,
        "A\tapp/main/default/classes/More.cls\nA\tapp/main/default/classes/More.cls-meta.xml\nM\tapp/main/default/classes/Tax.cls\n"
    );

    env.write(
        "gone/destructiveChangesPost.xml",
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><types><members>More</members><name>ApexClass</name></types></Package>",
    );
    env.write(
        "gone/package.xml",
        "<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\"><version>66.0</version></Package>",
    );
    let ran = env.syncline("org deploy dev1 gone --destructive gone/destructiveChangesPost.xml");
    assert_eq!(ran.code, 0, "{ran}");
    let third = env.syncline("org retrieve dev1 --snapshot --since last --json");
    assert!(third.stdout.contains("\"ApexClass:More\""), "{third}");
    let files = env.git_ok(&["ls-tree", "-r", "--name-only", "refs/syncline/snapshot/dev1"]);
    assert!(files.contains("classes/Tax.cls") && !files.contains("More"), "{files}");
    let still = env.syncline("org retrieve dev1 --snapshot --json");
    assert!(still.stdout.contains("\"changed\": false"), "{still}");
}

#[test]
fn production_is_changed_only_when_named() {
    let (env, simulator) = project();
    let url = simulator.url("prod");
    simulator.login(&env, "prod", &url, &[]);
    let refused = |line: &str, code: &str| {
        let ran = env.syncline(line);
        assert_eq!(ran.code, 2, "{ran}");
        assert!(ran.stderr.contains("\"refused\"") && ran.stderr.contains(code), "{ran}");
    };
    refused(
        "org deploy prod . --confirm-production prod --json",
        "org.production-login",
    );
    simulator.login(&env, "prod", &url, &["--production-writes"]);
    refused("org deploy prod . --json", "org.not-confirmed");
    refused("org deploy prod . --confirm-production uat --json", "org.not-confirmed");
    let classes = env.run(&["org", "query", "prod", "SELECT COUNT() FROM ApexClass", "--tooling"]);
    assert_eq!(classes.stdout, "0\n", "{classes}");
    let ran = env.syncline("org deploy prod . --check-only --confirm-production prod");
    assert_ne!(ran.code, 2, "{ran}");
}

/// Forwards to `to`; the answer of the first deployment is swallowed. The number of deployments sent is counted.
fn losing(to: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let to = to.trim_start_matches("http://").to_owned();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (to, counted) = (to.clone(), counted.clone());
            std::thread::spawn(move || forward(client, &to, &counted));
        }
    });
    (url, sent)
}

fn forward(client: TcpStream, to: &str, sent: &AtomicUsize) {
    let server = TcpStream::connect(to).expect("the simulator");
    let lose = Arc::new(AtomicUsize::new(0));
    let (mut from, mut into) = (
        server.try_clone().expect("a handle"),
        client.try_clone().expect("a handle"),
    );
    let losing = lose.clone();
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read) = from.read(&mut buffer) {
            if read == 0 || losing.load(Ordering::SeqCst) > 0 || into.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(into.shutdown(std::net::Shutdown::Both));
    });
    let (mut from, mut into) = (client, server);
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&buffer[..read]);
        if text.starts_with("POST ")
            && text.contains("/metadata/deployRequest")
            && sent.fetch_add(1, Ordering::SeqCst) == 0
        {
            lose.store(1, Ordering::SeqCst);
        }
        if into.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    drop(into.shutdown(std::net::Shutdown::Both));
}

#[test]
fn a_deployment_whose_answer_is_lost_is_found_and_not_sent_again() {
    let (env, simulator) = project();
    let (url, sent) = losing(&simulator.url("dev1"));
    simulator.login(&env, "dev1", &url, &[]);
    let ran = env.syncline("org deploy dev1 .");
    assert_eq!(ran.code, 0, "{ran}");
    assert_eq!(sent.load(Ordering::SeqCst), 1, "it is sent once");
    let soql = "SELECT COUNT() FROM DeployRequest";
    let all = env.run(&["org", "query", "dev1", soql, "--tooling"]);
    assert_eq!(all.stdout, "1\n", "{all}");
    // A run that was killed leaves what it was about to send; the next one tells what became of it.
    let left = env.home().join(".config/syncline/deploying/dev1.json");
    assert!(!left.exists());
    let user = env.run(&[
        "org",
        "query",
        "dev1",
        "SELECT CreatedById, ZipSize FROM DeployRequest",
        "--tooling",
        "--json",
    ]);
    let rows: serde_json::Value = serde_json::from_str(&user.stdout).expect("JSON");
    let intent = serde_json::json!({
        "options": {"allowMissingFiles": false, "autoUpdatePackage": false, "checkOnly": false, "ignoreWarnings": true,
            "performRetrieve": false, "purgeOnDelete": false, "rollbackOnError": true, "singlePackage": true},
        "zipSize": rows["records"][0]["ZipSize"], "user": rows["records"][0]["CreatedById"], "before": [],
    });
    std::fs::create_dir_all(left.parent().expect("a folder")).expect("made");
    std::fs::write(&left, intent.to_string()).expect("written");
    let next = env.syncline("org deploy dev1 .");
    assert_eq!(next.code, 0, "{next}");
    assert!(next.stderr.contains("an earlier run was ended"), "{next}");
    assert!(!left.exists());
}
