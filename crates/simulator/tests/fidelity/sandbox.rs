//! Sandboxes: items 2 to 11, 40 to 42 and 44.

use crate::support::{Client, json, row, rows, step, text, world, world_of};
use axum::http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::org::Org;
use syncline_simulator::world::World;

const INFO: &str = "/services/data/v67.0/tooling/sobjects/SandboxInfo";
const PROCESS: &str = "/services/data/v67.0/tooling/sobjects/SandboxProcess";
const AUTH: &str = "/services/data/v67.0/tooling/sandboxAuth";
pub const MINUTE: i64 = 60_000;
pub const DAY: i64 = 24 * 60 * MINUTE;

/// The id of the sandbox of that name.
pub fn info(prod: &Client, name: &str) -> String {
    let row = row(prod, "SandboxInfo", "SandboxName", name);
    row["Id"].as_str().expect("id").to_owned()
}

/// The newest process of a sandbox.
pub fn process(prod: &Client, name: &str) -> Value {
    let mut all: Vec<Value> = rows(prod, "SandboxProcess")
        .into_iter()
        .filter(|row| row["SandboxName"] == name)
        .collect();
    all.sort_by_key(|row| (row["CreatedDate"].as_i64(), row["Id"].as_str().map(str::to_owned)));
    all.pop().expect("process")
}

pub fn status(prod: &Client, name: &str) -> String {
    process(prod, name)["Status"].as_str().expect("status").to_owned()
}

pub fn refresh(prod: &Client, name: &str, body: &Value) -> u16 {
    let path = format!("{INFO}/{}", info(prod, name));
    prod.send(Method::PATCH, &path, &[], &body.to_string()).status
}

pub fn act(prod: &Client, process: &Value, action: &str) -> (u16, String) {
    let path = format!("{PROCESS}/{}", process["Id"].as_str().expect("id"));
    let body = json!({ "RefreshAction": action }).to_string();
    let reply = prod.send(Method::PATCH, &path, &[], &body);
    (reply.status, text(&reply))
}

/// Lets time pass until the newest process has that status; so many minutes at most.
pub fn wait(prod: &Client, name: &str, wanted: &str) {
    for _ in 0..2000 {
        if status(prod, name) == wanted {
            return;
        }
        step(&prod.world, MINUTE);
        prod.get("/services/data/v67.0");
    }
    panic_with(prod, name, wanted);
}

#[allow(clippy::panic)]
fn panic_with(prod: &Client, name: &str, wanted: &str) {
    panic!("{name} is {} and not {wanted}", status(prod, name));
}

/// A whole refresh with activation.
pub fn refreshed(prod: &Client, name: &str, body: &Value) -> Arc<Org> {
    let mut all = body.clone();
    all["AutoActivate"] = json!(true);
    assert_eq!(refresh(prod, name, &all), 204);
    wait(prod, name, "Completed");
    step(&prod.world, 10 * MINUTE);
    prod.get("/services/data/v67.0");
    prod.world.org(name).expect("sandbox")
}

fn auth(prod: &Client, name: &str) -> (u16, Value) {
    let body =
        json!({ "sandboxName": name, "clientId": "PlatformCLI", "callbackUrl": "http://localhost:1717/OauthRedirect" });
    let reply = prod.post(AUTH, &body.to_string());
    (reply.status, json(&reply))
}

pub fn sql(org: &Org, text: &str) {
    org.lock().db.execute_batch(text).expect("SQL");
}

pub fn count(org: &Org, sql: &str) -> i64 {
    org.lock().db.query_row(sql, [], |row| row.get(0)).expect("count")
}

pub fn word(org: &Org, sql: &str) -> String {
    org.lock().db.query_row(sql, [], |row| row.get(0)).expect("word")
}

/// Rows of an object, past the API.
pub fn insert(org: &Org, object: &str, values: &[(&str, String)]) -> String {
    use rusqlite::types::Value as Sql;
    use syncline_simulator::org::records;
    let state = org.lock();
    let object = state.schema.object(object).expect("object").clone();
    let values: Vec<(&str, Sql)> = values.iter().map(|(n, v)| (*n, Sql::Text(v.clone()))).collect();
    records::insert(org, &state.db, &object, &values, "", 0).expect("inserted")
}

async fn stepped() -> (Arc<World>, Client) {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    (world, prod)
}

#[tokio::test(flavor = "multi_thread")]
async fn item_02_a_sandbox_is_not_ready_when_its_end_date_is_set() {
    let (_world, prod) = stepped().await;
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": true })), 204);
    assert_eq!(auth(&prod, "dev1").1[0]["errorCode"], "INVALID_STATUS");
    wait(&prod, "dev1", "Completed");
    assert!(process(&prod, "dev1")["EndDate"].is_i64());
    let (code, body) = auth(&prod, "dev1");
    assert_eq!((code, &body[0]["errorCode"]), (400, &json!("INVALID_STATUS")));
    step(&prod.world, 10 * MINUTE);
    let (code, body) = auth(&prod, "dev1");
    assert_eq!(code, 200, "{body}");
    assert_eq!(body["authUserName"], "admin@prod.example.dev1");
    let dev1 = Client::open(&prod.world, "dev1");
    let exchange = format!(
        "grant_type=authorization_code&client_id=PlatformCLI&code={}&redirect_uri=http://localhost:1717/OauthRedirect",
        body["authCode"].as_str().expect("code")
    );
    let token = json(&dev1.post("/services/oauth2/token", &exchange));
    assert!(
        token["access_token"]
            .as_str()
            .is_some_and(|t| t.starts_with(&dev1.org.id[..15])),
        "{token}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_03_a_refresh_makes_a_new_org_and_ends_the_tokens_of_the_old() {
    let (world, prod) = stepped().await;
    let old = Client::admin(&world, "dev1");
    let old_token = old.token.clone();
    sql(
        &old.org,
        "INSERT INTO SourceMember (Id, MemberName, RevisionCounter) VALUES ('0MZ', 'Old', 77)",
    );
    let new = refreshed(&prod, "dev1", &json!({}));
    assert_ne!(new.id, old.org.id);
    assert_eq!(new.origin, old.org.origin);
    assert_eq!(world.orgs().len(), 3);
    let mut client = Client::open(&world, "dev1");
    client.token = old_token;
    let reply = client.get("/services/data/v67.0");
    assert_eq!(json(&reply)[0]["errorCode"], "INVALID_SESSION_ID");
    let renewal = client.post(
        "/services/oauth2/token",
        "grant_type=refresh_token&client_id=PlatformCLI&refresh_token=5Aep861old",
    );
    assert_eq!(json(&renewal)["error_description"], "expired access/refresh token");
    assert_eq!(count(&new, "SELECT count(*) FROM SourceMember"), 0);
    assert_eq!(word(&new, "SELECT Id FROM Organization"), new.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_04_the_sandbox_organization_has_15_characters() {
    let (world, prod) = stepped().await;
    let new = refreshed(&prod, "dev1", &json!({}));
    assert_eq!(process(&prod, "dev1")["SandboxOrganization"], json!(new.id[..15]));
    assert_eq!(world.org("uat").expect("uat").id.len(), 18);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_05_addresses_end_in_invalid_unless_there_is_an_access_group() {
    let (_world, prod) = stepped().await;
    sql(&prod.org, "UPDATE User SET Email = Alias || '@acme.example'");
    insert(
        &prod.org,
        "Contact",
        &[("LastName", "Roe".to_owned()), ("Email", "roe@b.example".to_owned())],
    );
    let plain = refreshed(&prod, "dev1", &json!({}));
    assert_eq!(
        count(
            &plain,
            "SELECT count(*) FROM User WHERE Email NOT LIKE '%@acme.example.invalid'"
        ),
        0
    );
    assert_eq!(count(&plain, "SELECT count(*) FROM UserLogin WHERE IsFrozen = 1"), 0);

    let group = insert(
        &prod.org,
        "Group",
        &[("Name", "May use it".to_owned()), ("Type", "Regular".to_owned())],
    );
    let reader = word(&prod.org, "SELECT Id FROM User WHERE Alias = 'reader'");
    let third = insert(
        &prod.org,
        "User",
        &[
            ("Username", "third@prod.example".to_owned()),
            ("Email", "third@acme.example".to_owned()),
            ("IsActive", "1".to_owned()),
        ],
    );
    insert(&prod.org, "UserLogin", &[("UserId", third)]);
    insert(
        &prod.org,
        "GroupMember",
        &[("GroupId", group.clone()), ("UserOrGroupId", reader)],
    );
    step(&prod.world, 2 * DAY);
    let grouped = refreshed(&prod, "dev1", &json!({ "ActivationUserGroupId": group }));
    let mail = |alias: &str| {
        word(
            &grouped,
            &format!("SELECT Email FROM User WHERE Username LIKE '{alias}%'"),
        )
    };
    assert_eq!(mail("reader"), "reader@acme.example");
    assert_eq!(
        mail("admin"),
        "admin@acme.example",
        "who asked for it is always a member"
    );
    assert_eq!(mail("third"), "third@acme.example.invalid");
    let frozen = "SELECT u.Username FROM User u JOIN UserLogin l ON l.UserId = u.Id WHERE l.IsFrozen = 1";
    assert_eq!(word(&grouped, frozen), "third@prod.example.dev1");
    assert_eq!(count(&grouped, "SELECT count(*) FROM UserLogin WHERE IsFrozen = 1"), 1);

    step(&prod.world, 30 * DAY);
    let created = prod.post(INFO, r#"{"SandboxName":"full","LicenseType":"Full"}"#);
    assert_eq!(created.status, 201, "{}", text(&created));
    wait(&prod, "full", "Completed");
    let full = prod.world.org("full").expect("full");
    assert_eq!(word(&full, "SELECT Email FROM Contact"), "roe@b.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_06_usernames_get_a_suffix_and_a_prefix_where_taken() {
    let (world, prod) = stepped().await;
    let other = world.org("uat").expect("uat");
    {
        let mut state = other.lock();
        syncline_simulator::http::in_call(&world, &other, &mut state, None, |call| {
            assert!(call.claim_name(syncline_simulator::world::NameKind::Username, "reader@prod.example.QA1"));
            Ok(())
        })
        .expect("claimed");
    }
    let made = prod.post(INFO, r#"{"SandboxName":"QA1","LicenseType":"Developer"}"#);
    assert_eq!(made.status, 201, "{}", text(&made));
    wait(&prod, "QA1", "Completed");
    let qa = world.org("qa1").expect("the name is lower-cased in the address");
    assert_eq!(
        word(&qa, "SELECT Username FROM User WHERE Alias = 'admin'"),
        "admin@prod.example.qa1"
    );
    let reader = word(&qa, "SELECT Username FROM User WHERE Alias = 'reader'");
    assert!(
        reader.starts_with("00") && reader.ends_with("reader@prod.example.qa1"),
        "{reader}"
    );
    assert_eq!(reader.len(), "reader@prod.example.qa1".len() + 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_07_any_change_of_sandbox_info_is_a_refresh() {
    let (_world, prod) = stepped().await;
    let before = process(&prod, "dev1");
    assert_eq!(refresh(&prod, "dev1", &json!({ "Description": "New text" })), 204);
    let after = process(&prod, "dev1");
    assert_ne!(before["Id"], after["Id"]);
    assert_eq!(after["Status"], "Pending");
    assert_eq!(after["Description"], "New text");
    // The one before is still Completed: two rows live until the activation.
    assert_eq!(
        row(&prod, "SandboxProcess", "Id", before["Id"].as_str().expect("id"))["Status"],
        "Completed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_08_a_sandbox_has_four_ids() {
    let (world, prod) = stepped().await;
    let reports = json(&prod.get("/services/data/v66.0/sandbox/reports"));
    assert_eq!(reports["count"], 2);
    let dev1 = reports["sandboxes"]
        .as_array()
        .and_then(|all| all.iter().find(|each| each["sandbox"]["sandboxName"] == "dev1"))
        .expect("dev1");
    let connect = dev1["sandbox"]["sandboxId"].as_str().expect("id");
    assert!(connect.starts_with("07E"));
    assert!(info(&prod, "dev1").starts_with("0GQ"));
    assert!(
        process(&prod, "dev1")["Id"]
            .as_str()
            .is_some_and(|id| id.starts_with("0GR"))
    );
    assert!(world.org("dev1").expect("dev1").id.starts_with("00D"));
    let details = prod.get(&format!("/services/data/v66.0/sandbox/sandboxes/{connect}"));
    assert_eq!(json(&details)["sandboxType"], "Developer");
    let wrong = format!("/services/data/v66.0/sandbox/sandboxes/{}", info(&prod, "dev1"));
    assert_eq!(prod.get(&wrong).status, 404);
    assert_eq!(prod.get("/services/data/v65.0/sandbox/reports").status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_09_activation_is_for_the_latest_refresh_while_it_waits() {
    let (world, prod) = stepped().await;
    assert_eq!(act(&prod, &process(&prod, "dev1"), "ACTIVATE").0, 400, "a creation");
    let old = process(&prod, "dev1");
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    assert_eq!(
        act(&prod, &process(&prod, "dev1"), "DISCARD").0,
        400,
        "nothing can be cancelled"
    );
    assert_eq!(refresh(&prod, "dev1", &json!({})), 400, "a copy is under way");
    wait(&prod, "dev1", "Pending Activation");
    let before = world.org("dev1").expect("dev1").id.clone();
    assert_eq!(act(&prod, &old, "ACTIVATE").0, 400, "an older process");
    let new = process(&prod, "dev1");
    assert_eq!(act(&prod, &new, "ACTIVATE").0, 204);
    assert_eq!(act(&prod, &new, "ACTIVATE").0, 400, "twice");
    wait(&prod, "dev1", "Completed");
    assert_ne!(world.org("dev1").expect("dev1").id, before);
    assert_eq!(
        row(&prod, "SandboxProcess", "Id", old["Id"].as_str().expect("id"))["Status"],
        "Deleting"
    );

    // A copy that is thrown away leaves the sandbox as it was.
    step(&world, 2 * DAY);
    let kept = world.org("dev1").expect("dev1").id.clone();
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    wait(&prod, "dev1", "Pending Activation");
    assert_eq!(act(&prod, &process(&prod, "dev1"), "DISCARD").0, 204);
    wait(&prod, "dev1", "Deleted");
    assert_eq!(world.org("dev1").expect("dev1").id, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_10_the_old_sandbox_serves_until_the_activation() {
    let (world, prod) = stepped().await;
    let old = Client::admin(&world, "dev1");
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    wait(&prod, "dev1", "Pending Activation");
    step(&world, 3 * DAY);
    assert_eq!(old.get("/services/data/v67.0").status, 200);
    act(&prod, &process(&prod, "dev1"), "ACTIVATE");
    wait(&prod, "dev1", "Completed");
    assert_eq!(old.get("/services/data/v67.0").status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_40_a_refresh_resets_what_must_not_work_in_a_sandbox() {
    let (_world, prod) = stepped().await;
    sql(
        &prod.org,
        "INSERT OR REPLACE INTO _value (name, value) VALUES ('deliverability', '2')",
    );
    insert(&prod.org, "LoginHistory", &[("Status", "Success".to_owned())]);
    let dev1 = refreshed(&prod, "dev1", &json!({}));
    assert_eq!(
        word(&dev1, "SELECT value FROM _value WHERE name = 'deliverability'"),
        "1"
    );
    assert_eq!(count(&dev1, "SELECT count(*) FROM LoginHistory"), 0);
    assert_eq!(count(&dev1, "SELECT count(*) FROM _session"), 0);

    // The page is the only way to change it.
    let client = Client::admin(&prod.world, "dev1");
    let page = "/email-admin/editOrgEmailSettings.apexp";
    assert_eq!(client.get(page).status, 302, "no session of a browser");
    let cookie = format!("sid={}", client.token.as_deref().expect("token"));
    let shown = client.send(Method::GET, page, &[("cookie", &cookie)], "");
    assert!(
        text(&shown).contains("<option value=\"1\" selected"),
        "{}",
        text(&shown)
    );
    assert!(text(&shown).contains(":saveBtn\""));
    let field = "thePage%3AtheForm%3AeditBlock%3AsendEmailAccessControlSelect=2";
    let saved = client.send(Method::POST, page, &[("cookie", &cookie)], field);
    assert!(text(&saved).contains(":successText\""), "{}", text(&saved));
    assert_eq!(
        word(&dev1, "SELECT value FROM _value WHERE name = 'deliverability'"),
        "2"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_org_id_is_rewritten_where_it_stands_in_text() {
    let (_world, prod) = stepped().await;
    let (long, short) = (prod.org.id.clone(), prod.org.id[..15].to_owned());
    let text = format!("see {long} and {short}.");
    sql(
        &prod.org,
        &format!("UPDATE Profile SET Description = '{text}' WHERE Name = 'Read Only'"),
    );
    let dev1 = refreshed(&prod, "dev1", &json!({}));
    let wanted = format!("see {} and {}.", dev1.id, &dev1.id[..15]);
    assert_eq!(
        word(&dev1, "SELECT Description FROM Profile WHERE Name = 'Read Only'"),
        wanted
    );
    assert_eq!(
        word(&prod.org, "SELECT Description FROM Profile WHERE Name = 'Read Only'"),
        text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_42_a_partial_copy_keeps_what_records_need_and_no_external_users() {
    let (_world, prod) = stepped().await;
    let portal = insert(
        &prod.org,
        "Profile",
        &[("Name", "Portal".to_owned()), ("UserType", "PowerPartner".to_owned())],
    );
    insert(
        &prod.org,
        "User",
        &[("Username", "portal@prod.example".to_owned()), ("ProfileId", portal)],
    );
    let account = insert(&prod.org, "Account", &[("Name", "Acme".to_owned())]);
    insert(
        &prod.org,
        "Contact",
        &[("LastName", "With".to_owned()), ("AccountId", account.clone())],
    );
    insert(&prod.org, "Contact", &[("LastName", "Without".to_owned())]);
    insert(&prod.org, "Lead", &[("LastName", "Not in the template".to_owned())]);
    insert(&prod.org, "Product2", &[("Name", "Comes along".to_owned())]);
    // An optional lookup to something that is not copied dangles.
    let lead = word(&prod.org, "SELECT Id FROM Lead");
    sql(
        &prod.org,
        &format!("UPDATE Account SET ParentId = '{}'", lead.replace("00Q", "001")),
    );
    // More than a sample of one object.
    sql(
        &prod.org,
        &format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10500)
             INSERT INTO Opportunity (Id, Name, AccountId) SELECT printf('006000000%06dAAA', i), 'O', '{account}' FROM n"
        ),
    );
    let uat = refreshed(&prod, "uat", &json!({}));
    assert_eq!(
        count(&uat, "SELECT count(*) FROM User WHERE Username LIKE 'portal%'"),
        0
    );
    assert_eq!(word(&uat, "SELECT group_concat(LastName) FROM Contact"), "With");
    assert_eq!(count(&uat, "SELECT count(*) FROM Opportunity"), 10_000);
    assert_eq!(count(&uat, "SELECT count(*) FROM Lead"), 0);
    assert_eq!(count(&uat, "SELECT count(*) FROM Product2"), 1);
    assert_eq!(
        count(
            &uat,
            "SELECT count(*) FROM Account WHERE ParentId IS NOT NULL AND ParentId NOT IN (SELECT Id FROM Account)"
        ),
        1
    );
    assert_eq!(
        word(&uat, "SELECT Id FROM Account"),
        account,
        "record ids are those of the source"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_44_copies_take_time_in_a_queue_and_show_no_even_progress() {
    let (world, prod) = stepped().await;
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    assert_eq!(refresh(&prod, "uat", &json!({ "AutoActivate": false })), 204);
    let stage = |process: &Value, number: i64| {
        rows(&prod, "SandboxProcessStage")
            .into_iter()
            .find(|row| row["SandboxProcess"] == process["Id"] && row["StageNumber"] == number)
            .expect("stage")
    };
    assert_eq!(
        stage(&process(&prod, "dev1"), 0)["EstimatedTotalWork"].as_f64(),
        Some(0.0)
    );
    assert_eq!(
        stage(&process(&prod, "uat"), 0)["EstimatedTotalWork"].as_f64(),
        Some(1.0)
    );
    let (mut shown, mut labels) = (Vec::new(), Vec::new());
    while status(&prod, "dev1") != "Pending Activation" || status(&prod, "uat") != "Pending Activation" {
        step(&world, MINUTE);
        prod.get("/services/data/v67.0");
        shown.push(process(&prod, "dev1")["CopyProgress"].as_i64().expect("progress"));
        let uat = process(&prod, "uat");
        assert_eq!(uat["CopyProgress"], Value::Null, "copies by a template show none");
        let label = uat["Status"].as_str().expect("status").to_owned();
        if labels.last() != Some(&label) {
            labels.push(label);
        }
        assert!(shown.len() < 1000, "{shown:?}");
    }
    assert_eq!(
        labels,
        ["Pending", "Processing", "Sampling", "Processing", "Pending Activation"]
    );
    assert!(shown.is_sorted() && shown.first() == Some(&0) && shown.last() == Some(&100));
    let distinct: std::collections::BTreeSet<_> = shown.iter().collect();
    assert!(distinct.len() > 5, "{distinct:?}");
    assert_eq!(stage(&process(&prod, "uat"), 2)["Status"], "In Progress");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_section_3_1_are_kept() {
    let (world, prod) = stepped().await;
    let refused = |body: &str| {
        let reply = prod.post(INFO, body);
        assert_eq!(reply.status, 400, "{body}");
        json(&reply)[0].clone()
    };
    let same = refused(r#"{"SandboxName":"DEV1","LicenseType":"Developer"}"#);
    assert_eq!(same["errorCode"], "DUPLICATE_VALUE");
    assert!(
        same["message"].as_str().is_some_and(
            |m| m.starts_with("duplicate value found: SandboxName duplicates value on record with id: 0GQ")
        )
    );
    let kind = refused(r#"{"SandboxName":"a","LicenseType":"Huge"}"#);
    assert_eq!(kind["errorCode"], "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST");
    assert_eq!(kind["fields"], json!(["LicenseType"]));
    for body in [
        r#"{"SandboxName":"elevenchars","LicenseType":"Developer"}"#,
        r#"{"SandboxName":"a-b","LicenseType":"Developer"}"#,
        r#"{"SandboxName":"part","LicenseType":"Partial"}"#,
        r#"{"SandboxName":"a","LicenseType":"Developer","TemplateId":"1ps000000000001AAA"}"#,
        r#"{"SandboxName":"a","LicenseType":"Developer","HistoryDays":30}"#,
        r#"{"SandboxName":"a","LicenseType":"Full","HistoryDays":31}"#,
        r#"{"SandboxName":"a","LicenseType":"Full","Features":"[\"SandboxStorage\"]"}"#,
        r#"{"SandboxName":"a","LicenseType":"Developer","CopyChatter":true}"#,
    ] {
        refused(body);
    }
    // Each kind waits its interval, and licences run out.
    let new = refreshed(&prod, "dev1", &json!({}));
    assert_eq!(refresh(&prod, "dev1", &json!({})), 400, "within a day");
    step(&world, DAY);
    assert_eq!(refresh(&prod, "dev1", &json!({})), 204);
    assert_eq!(world.org("dev1").expect("dev1").id, new.id);
    assert_eq!(
        prod.post(INFO, r#"{"SandboxName":"f1","LicenseType":"Full"}"#).status,
        201
    );
    refused(r#"{"SandboxName":"f2","LicenseType":"FULL"}"#);
    // A sandbox has no sandboxes.
    let dev1 = Client::admin(&world, "dev1");
    let reply = dev1.post(INFO, r#"{"SandboxName":"x","LicenseType":"Developer"}"#);
    assert_eq!(json(&reply)[0]["errorCode"], "INVALID_TYPE");
}

#[tokio::test(flavor = "multi_thread")]
async fn clones_copy_their_source_and_deletions_free_the_name() {
    let (world, prod) = stepped().await;
    let dev1 = world.org("dev1").expect("dev1");
    insert(&dev1, "Account", &[("Name", "Only here".to_owned())]);
    let body = json!({ "SandboxName": "dev2", "SourceId": info(&prod, "dev1") });
    let reply = prod.post(INFO, &body.to_string());
    assert_eq!(reply.status, 201, "{}", text(&reply));
    wait(&prod, "dev2", "Completed");
    let dev2 = world.org("dev2").expect("dev2");
    assert_eq!(word(&dev2, "SELECT Name FROM Account"), "Only here");
    assert_eq!(
        word(&dev2, "SELECT Username FROM User WHERE Alias = 'admin'"),
        "admin@prod.example.dev2"
    );
    assert_ne!(dev2.origin, dev1.origin);

    let path = format!("{INFO}/{}", info(&prod, "dev2"));
    let deleted = prod.send(Method::DELETE, &path, &[], "");
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert_eq!(status(&prod, "dev2"), "Deleting");
    wait(&prod, "dev2", "Deleted");
    assert!(world.org("dev2").is_none());
    assert!(!world.username_taken("admin@prod.example.dev2", &prod.org.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_survives_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let config = Config {
        port: 0,
        clock: "stepped".to_owned(),
        ..Config::default()
    };
    let first = syncline_simulator::server::start(config.clone(), Some(folder.path().to_owned()))
        .await
        .expect("start");
    let prod = Client::admin(&first, "prod");
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    wait(&prod, "dev1", "Pending Activation");
    first.keep_clock().expect("clock");
    let copy = tempfile::tempdir().expect("folder");
    for file in std::fs::read_dir(folder.path()).expect("files") {
        let file = file.expect("file");
        std::fs::copy(file.path(), copy.path().join(file.file_name())).expect("copied");
    }
    let register = rusqlite::Connection::open(copy.path().join("world.sqlite")).expect("register");
    register.execute("UPDATE org SET port = 0", []).expect("ports");
    drop(register);
    let again = syncline_simulator::server::start(config, Some(copy.path().to_owned()))
        .await
        .expect("again");
    let prod = Client::admin(&again, "prod");
    let old = again.org("dev1").expect("dev1").id.clone();
    assert_eq!(act(&prod, &process(&prod, "dev1"), "ACTIVATE").0, 204);
    wait(&prod, "dev1", "Completed");
    assert_ne!(again.org("dev1").expect("dev1").id, old);
    let gone = copy.path().join(format!("{}.sqlite", &old[..15]));
    assert!(!gone.exists(), "the old org is deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_post_copy_class_runs_in_the_new_sandbox() {
    let config: Config = toml::from_str(
        "clock = \"stepped\"\n[[post_copy]]\nclass = \"Prepare\"\n[[post_copy.effects]]\nobject = \"Profile\"\nset = { Description = \"done\" }\n",
    )
    .expect("configuration");
    let world = world_of(config).await;
    let prod = Client::admin(&world, "prod");
    let class = insert(&prod.org, "ApexClass", &[("Name", "Prepare".to_owned())]);
    let unknown = insert(&prod.org, "ApexClass", &[("Name", "Unknown".to_owned())]);
    let dev1 = refreshed(&prod, "dev1", &json!({ "ApexClassId": class }));
    assert_eq!(word(&dev1, "SELECT Status FROM AsyncApexJob"), "Completed");
    assert_eq!(word(&dev1, "SELECT Description FROM Profile LIMIT 1"), "done");
    step(&world, 2 * DAY);
    let dev1 = refreshed(&prod, "dev1", &json!({ "ApexClassId": unknown }));
    assert_eq!(word(&dev1, "SELECT Status FROM AsyncApexJob"), "Failed");
    assert!(word(&dev1, "SELECT ExtendedStatus FROM AsyncApexJob").contains("Unknown"));
}

/// A metadata component, past the API.
pub fn component(org: &Org, kind: &str, name: &str, text: &str) {
    let state = org.lock();
    state
        .db
        .execute(
            "INSERT INTO _component (type, name, id, path, created, created_by, modified, modified_by, state, version)
             VALUES (?1, ?2, '', '', 0, '', 0, '', 'unmanaged', 1)",
            [kind, name],
        )
        .expect("component");
    state
        .db
        .execute(
            "INSERT INTO _component_file (type, name, path, content) VALUES (?1, ?2, 'a', ?3)",
            rusqlite::params![kind, name, text.as_bytes()],
        )
        .expect("file");
}

/// The text of a component; none when there is none.
pub fn component_text(org: &Org, kind: &str) -> Option<String> {
    use rusqlite::OptionalExtension;
    let state = org.lock();
    state
        .db
        .query_row(
            "SELECT CAST(content AS TEXT) FROM _component_file WHERE type = ?1",
            [kind],
            |row| row.get(0),
        )
        .optional()
        .expect("read")
}

#[tokio::test(flavor = "multi_thread")]
async fn item_01_answers_carry_labels_and_filters_take_codes() {
    let (_world, prod) = stepped().await;
    let found = |filter: &str| {
        let query = format!("SELECT+Id,Status+FROM+SandboxProcess+WHERE+{filter}");
        let reply = prod.get(&format!("/services/data/v67.0/tooling/query?q={query}"));
        assert_eq!(reply.status, 200, "{}", text(&reply));
        let body = json(&reply);
        let labels: Vec<Value> = body["records"]
            .as_array()
            .expect("records")
            .iter()
            .map(|record| record["Status"].clone())
            .collect();
        labels
    };
    assert_eq!(found("Status='1'"), ["Completed", "Completed"]);
    assert!(found("Status='Completed'").is_empty());
    assert_eq!(refresh(&prod, "dev1", &json!({})), 204);
    assert_eq!(found("Status='0'"), ["Pending"]);
    assert_eq!(found("Status+!=+'1'"), ["Pending"]);
    assert_eq!(found("Status+NOT+IN+('D','E')").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn item_40_secrets_are_gone_and_saml_is_off() {
    let (_world, prod) = stepped().await;
    component(
        &prod.org,
        "NamedCredential",
        "Billing",
        "<NamedCredential>\n    <password>s3cret</password>\n    <username>u</username>\n</NamedCredential>",
    );
    component(
        &prod.org,
        "Settings",
        "Security",
        "<SecuritySettings><singleSignOnSettings><enableSamlLogin>true</enableSamlLogin></singleSignOnSettings></SecuritySettings>",
    );
    let dev1 = refreshed(&prod, "dev1", &json!({}));
    assert_eq!(
        component_text(&dev1, "NamedCredential").as_deref(),
        Some("<NamedCredential>\n    <username>u</username>\n</NamedCredential>")
    );
    assert!(component_text(&dev1, "Settings").is_some_and(|text| text.contains("<enableSamlLogin>false<")));
    assert!(component_text(&prod.org, "NamedCredential").is_some_and(|text| text.contains("s3cret")));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_41_endpoints_are_those_of_production_verbatim() {
    let (_world, prod) = stepped().await;
    let text = "<RemoteSiteSetting><url>https://api.acme.example</url></RemoteSiteSetting>";
    component(&prod.org, "RemoteSiteSetting", "Api", text);
    let made = prod.post(INFO, r#"{"SandboxName":"full","LicenseType":"Full"}"#);
    assert_eq!(made.status, 201);
    wait(&prod, "full", "Completed");
    let full = prod.world.org("full").expect("full");
    assert_eq!(component_text(&full, "RemoteSiteSetting").as_deref(), Some(text));
}
