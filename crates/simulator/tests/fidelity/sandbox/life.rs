//! How a sandbox is made, refreshed, activated and deleted.

use super::*;

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
    let renewal = {
        let login = "grant_type=password&client_id=PlatformCLI&scope=refresh_token&username=admin@prod.example.dev1&password=simulator1";
        let token = json(&old.post("/services/oauth2/token", login))["refresh_token"].clone();
        format!(
            "grant_type=refresh_token&client_id=PlatformCLI&refresh_token={}",
            token.as_str().expect("a token")
        )
    };
    assert_eq!(old.post("/services/oauth2/token", &renewal).status, 200);
    // Neither the old sandbox's nor production's come along.
    for org in [&old.org, &prod.org] {
        sql(
            org,
            "INSERT INTO SourceMember (Id, MemberName, RevisionCounter) VALUES ('0MZ', 'Old', 77)",
        );
    }
    let new = refreshed(&prod, "dev1", &json!({}));
    assert_ne!(new.id, old.org.id);
    assert_eq!(new.origin, old.org.origin);
    assert_eq!(world.orgs().len(), 3);
    let mut client = Client::open(&world, "dev1");
    for token in [old_token, prod.token.clone()] {
        client.token = token;
        let reply = client.get("/services/data/v67.0");
        assert_eq!(json(&reply)[0]["errorCode"], "INVALID_SESSION_ID");
    }
    let renewal = client.post("/services/oauth2/token", &renewal);
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
    step(&world, 2 * DAY);
    assert_eq!(refresh(&prod, "dev1", &json!({})), 400, "a copy waits");
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
    let mut queued = [0, 0];
    while status(&prod, "dev1") != "Pending Activation" || status(&prod, "uat") != "Pending Activation" {
        step(&world, MINUTE);
        prod.get("/services/data/v67.0");
        for (waited, name) in queued.iter_mut().zip(["dev1", "uat"]) {
            *waited += usize::from(status(&prod, name) == "Pending");
        }
        let dev1 = process(&prod, "dev1");
        shown.push(dev1["CopyProgress"].as_i64().expect("progress"));
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
    assert!(queued[0] < queued[1], "who comes later waits longer: {queued:?}");
    // Minutes of the copy; an even progress would be at the same share of them.
    let minutes = &shown[queued[0]..=shown.iter().position(|each| *each == 100).expect("the end")];
    let uneven = (1..minutes.len())
        .filter(|at| minutes[*at] != minutes[at - 1])
        .any(|at| {
            let even = i64::try_from(at * 100 / minutes.len()).expect("percent");
            (minutes[at] - even).abs() > 12
        });
    assert!(uneven, "{minutes:?}");
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
