//! The open questions: what each switch changes. The numbers are the rows of the table.

use crate::sandbox::{
    DAY, MINUTE, act, component, component_text, count, insert, process, refresh, refreshed, sql, status, wait, word,
};
use crate::support::{Client, json, step, text, world, world_of};
use serde_json::{Value, json};
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::oauth::apps;
use syncline_simulator::world::World;

const INFO: &str = "/services/data/v67.0/tooling/sobjects/SandboxInfo";

async fn stepped() -> (Arc<World>, Client) {
    let world = world("stepped").await;
    let prod = Client::admin(&world, "prod");
    (world, prod)
}

fn set(client: &Client, switches: &Value) {
    let reply = client.post("/_simulator/switches", &switches.to_string());
    assert_eq!(reply.status, 200, "{}", text(&reply));
}

/// Refreshes again, whatever the interval.
fn again(prod: &Client, name: &str, body: &Value) -> Arc<syncline_simulator::org::Org> {
    step(&prod.world, 30 * DAY);
    refreshed(prod, name, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_01_scheduled_jobs() {
    let (_world, prod) = stepped().await;
    insert(&prod.org, "CronTrigger", &[("State", "WAITING".to_owned())]);
    let jobs = "SELECT coalesce(max(State), 'none') FROM CronTrigger";
    assert_eq!(word(&again(&prod, "dev1", &json!({})), jobs), "none");
    assert_eq!(word(&again(&prod, "uat", &json!({})), jobs), "WAITING");
    set(&prod, &json!({ "scheduled_jobs": "copied_paused" }));
    assert_eq!(word(&again(&prod, "dev1", &json!({})), jobs), "PAUSED");
    set(&prod, &json!({ "scheduled_jobs": "copied_waiting" }));
    assert_eq!(word(&again(&prod, "dev1", &json!({})), jobs), "WAITING");
    set(&prod, &json!({ "scheduled_jobs": "absent" }));
    assert_eq!(word(&again(&prod, "uat", &json!({})), jobs), "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_02_the_refreshers_address() {
    let (_world, prod) = stepped().await;
    let mail = "SELECT Email FROM User WHERE Alias = 'admin'";
    let real = word(&prod.org, mail);
    assert_eq!(word(&again(&prod, "dev1", &json!({})), mail), format!("{real}.invalid"));
    set(&prod, &json!({ "refresher_keeps_email": true }));
    let dev1 = again(&prod, "dev1", &json!({}));
    assert_eq!(word(&dev1, mail), real);
    assert!(word(&dev1, "SELECT Email FROM User WHERE Alias = 'reader'").ends_with(".invalid"));
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_03_records_of_custom_settings() {
    let config: Config = toml::from_str(
        "clock = \"stepped\"\n[[templates]]\nname = \"With\"\nobjects = [\"Rates__c\"]\n[[templates]]\nname = \"Without\"\nobjects = []\n",
    )
    .expect("configuration");
    let world = world_of(config).await;
    let prod = Client::admin(&world, "prod");
    {
        let mut state = prod.org.lock();
        syncline_simulator::http::in_call(&world, &prod.org, &mut state, None, |call| {
            let mut rates = (*call.object("Account")?).clone();
            rates.name = "Rates__c".to_owned();
            rates.key_prefix = Some("a00".to_owned());
            rates.custom_setting = Some("List".to_owned());
            syncline_simulator::org::save_object(call.db, &rates)?;
            let mut schema = (*call.schema()).clone();
            schema.put(rates);
            call.set_schema(schema);
            Ok(())
        })
        .expect("object");
    }
    insert(&prod.org, "Rates__c", &[("Name", "VAT".to_owned())]);
    let template = |name: &str| {
        word(
            &prod.org,
            &format!("SELECT Id FROM PartitionLevelScheme WHERE DeveloperName = '{name}'"),
        )
    };
    let rows = "SELECT count(*) FROM Rates__c";
    let with = |name: &str| json!({ "TemplateId": template(name) });
    assert_eq!(count(&again(&prod, "uat", &with("With")), rows), 1);
    assert_eq!(count(&again(&prod, "uat", &with("Without")), rows), 0);
    assert_eq!(count(&again(&prod, "dev1", &json!({})), rows), 0);
    set(&prod, &json!({ "custom_settings": "copied" }));
    assert_eq!(count(&again(&prod, "dev1", &json!({})), rows), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_04_certificates() {
    let (_world, prod) = stepped().await;
    let text = "<Certificate><privateKeyExportable>true</privateKeyExportable></Certificate>";
    component(&prod.org, "Certificate", "Signing", text);
    let mirrored = component_text(&again(&prod, "dev1", &json!({})), "Certificate");
    assert!(mirrored.is_some_and(|text| text.contains("<privateKeyExportable>false<")));
    set(&prod, &json!({ "certificates": "absent" }));
    assert_eq!(component_text(&again(&prod, "dev1", &json!({})), "Certificate"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_05_deliverability() {
    let (world, prod) = stepped().await;
    let level = "SELECT value FROM _value WHERE name = 'deliverability'";
    let all = "INSERT OR REPLACE INTO _value (name, value) VALUES ('deliverability', '2')";
    sql(&world.org("dev1").expect("dev1"), all);
    let dev1 = again(&prod, "dev1", &json!({}));
    assert_eq!(word(&dev1, level), "1");
    sql(&dev1, all);
    set(&prod, &json!({ "deliverability": "preserved" }));
    assert_eq!(word(&again(&prod, "dev1", &json!({})), level), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_06_connected_apps_of_production() {
    let (_world, prod) = stepped().await;
    apps::put(&prod.org.lock().db, &apps::App::new("3MVG9own", "Own")).expect("kept");
    let own = "SELECT count(*) FROM _app WHERE client_id = '3MVG9own'";
    let dev1 = again(&prod, "dev1", &json!({}));
    assert_eq!(count(&dev1, own), 1);
    assert_eq!(count(&dev1, "SELECT count(*) FROM _session"), 0);
    set(&prod, &json!({ "connected_apps": "absent" }));
    assert_eq!(count(&again(&prod, "dev1", &json!({})), own), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_07_texts_of_refusals() {
    let (_world, prod) = stepped().await;
    let refused = |code: &str| {
        let reply = prod.post(INFO, r#"{"SandboxName":"part","LicenseType":"Partial"}"#);
        assert_eq!(json(&reply)[0]["errorCode"], code);
        json(&reply)[0]["message"].as_str().expect("text").to_owned()
    };
    assert!(!refused("FIELD_INTEGRITY_EXCEPTION").contains("template"));
    set(&prod, &json!({ "refusals": "explained" }));
    assert!(refused("FIELD_INTEGRITY_EXCEPTION").contains("template"));
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_08_the_connect_api() {
    let (_world, prod) = stepped().await;
    let reports = || prod.get("/services/data/v67.0/sandbox/reports");
    let first = json(&reports())["sandboxes"][0]["sandbox"].clone();
    for field in [
        "sandboxId",
        "sandboxName",
        "license",
        "isPendingActivation",
        "canActivate",
        "canDelete",
        "canDiscard",
    ] {
        assert!(!first[field].is_null(), "{field}");
    }
    // It activates as the Tooling API does.
    assert_eq!(refresh(&prod, "dev1", &json!({ "AutoActivate": false })), 204);
    wait(&prod, "dev1", "Pending Activation");
    let id = first["sandboxId"].as_str().expect("id");
    let path = format!("/services/data/v67.0/sandbox/activate/{id}");
    assert_eq!(prod.send(axum::http::Method::PATCH, &path, &[], "").status, 204);
    wait(&prod, "dev1", "Completed");
    assert_eq!(prod.send(axum::http::Method::PATCH, &path, &[], "").status, 400);
    set(&prod, &json!({ "connect_sandboxes": "absent" }));
    assert_eq!(reports().status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_09_spelling_of_the_partial_licence() {
    let (_world, prod) = stepped().await;
    let template = word(&prod.org, "SELECT Id FROM PartitionLevelScheme");
    let create = |name: &str, license: &str| {
        let body = json!({ "SandboxName": name, "LicenseType": license, "TemplateId": template });
        prod.post(INFO, &body.to_string()).status
    };
    set(&prod, &json!({ "partial_spelling": "partial" }));
    assert_eq!(create("p1", "Partial_Copy"), 400);
    set(&prod, &json!({ "partial_spelling": "partial_copy" }));
    assert_eq!(create("p1", "Partial"), 400);
    set(&prod, &json!({ "partial_spelling": "both" }));
    assert_eq!(create("p1", "Partial_Copy"), 201);
    assert_eq!(
        process(&prod, "p1")["LicenseType"],
        "PARTIAL",
        "answers write it in capitals"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_10_a_new_name_in_a_refresh() {
    let (_world, prod) = stepped().await;
    set(&prod, &json!({ "rename": "refuse" }));
    assert_eq!(refresh(&prod, "dev1", &json!({ "SandboxName": "dev9" })), 400);
    set(&prod, &json!({ "rename": "allow" }));
    assert_eq!(
        refresh(&prod, "dev1", &json!({ "SandboxName": "dev9", "AutoActivate": true })),
        204
    );
    wait(&prod, "dev9", "Completed");
    assert!(prod.world.org("dev9").is_some() && prod.world.org("dev1").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_11_labels_while_activating() {
    let (_world, prod) = stepped().await;
    let labels = |prod: &Client| {
        wait(prod, "dev1", "Pending Activation");
        assert_eq!(act(prod, &process(prod, "dev1"), "ACTIVATE").0, 204);
        let mut seen: Vec<String> = Vec::new();
        while status(prod, "dev1") != "Completed" && seen.len() < 10 {
            let label = status(prod, "dev1");
            if seen.last() != Some(&label) {
                seen.push(label);
            }
            step(&prod.world, MINUTE);
            prod.get("/services/data/v67.0");
        }
        seen
    };
    let body = json!({ "AutoActivate": false });
    assert_eq!(refresh(&prod, "dev1", &body), 204);
    assert_eq!(labels(&prod), ["Activating"]);
    set(&prod, &json!({ "activating_label": "sub_labels" }));
    step(&prod.world, 2 * DAY);
    assert_eq!(refresh(&prod, "dev1", &body), 204);
    assert_eq!(
        labels(&prod),
        [
            "Activation Confirmed",
            "Deactivation Confirmed",
            "Deactivation Finished",
            "Activation Processing"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_13_post_copy_config() {
    let (_world, prod) = stepped().await;
    let body = r#"[{"ConfigurationName":"RemoteSiteSettings","Label":"A","IsActive":true,"ExecutionOrder":1}]"#;
    set(&prod, &json!({ "post_copy_config": "unknown" }));
    let path = format!("{INFO}/{}", crate::sandbox::info(&prod, "dev1"));
    let body = json!({ "PostCopyConfig": body }).to_string();
    let refused = prod.send(axum::http::Method::PATCH, &path, &[], &body);
    assert_eq!(json(&refused)[0]["errorCode"], "INVALID_FIELD");
    assert!(
        json(&refused)[0]["message"]
            .as_str()
            .is_some_and(|m| m.starts_with("No such column 'PostCopyConfig'"))
    );
    set(&prod, &json!({ "post_copy_config": "stored" }));
    assert_eq!(prod.send(axum::http::Method::PATCH, &path, &[], &body).status, 204);
    assert!(
        process(&prod, "dev1")["PostCopyConfig"]
            .as_str()
            .is_some_and(|t| t.contains("RemoteSiteSettings"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_14_the_id_that_a_post_copy_class_sees() {
    let config: Config = toml::from_str(
        "clock = \"stepped\"\n[[post_copy]]\nclass = \"Prepare\"\n[[post_copy.effects]]\nobject = \"Profile\"\n\
         set = { Description = \"$sandboxId $sandboxName $organizationId\" }\n",
    )
    .expect("configuration");
    let world = world_of(config).await;
    let prod = Client::admin(&world, "prod");
    let class = insert(&prod.org, "ApexClass", &[("Name", "Prepare".to_owned())]);
    let seen = "SELECT Description FROM Profile LIMIT 1";
    let dev1 = again(&prod, "dev1", &json!({ "ApexClassId": class }));
    let words = word(&dev1, seen);
    assert!(
        words.starts_with("07E") && words.ends_with(&format!(" dev1 {}", dev1.id)),
        "{words}"
    );
    set(&prod, &json!({ "context_id": "sandbox_info" }));
    assert!(word(&again(&prod, "dev1", &json!({})), seen).starts_with("0GQ"));
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_15_licences_of_performance_edition() {
    let (_world, prod) = stepped().await;
    sql(
        &prod.org,
        "UPDATE Organization SET OrganizationType = 'Performance Edition'",
    );
    let create = |name: &str| {
        let body = json!({ "SandboxName": name, "LicenseType": "Full" });
        prod.post(INFO, &body.to_string()).status
    };
    set(&prod, &json!({ "performance_allotment": "as_enterprise" }));
    assert_eq!([create("f1"), create("f2")], [201, 400], "one was bought");
    set(&prod, &json!({ "performance_allotment": "as_unlimited" }));
    assert_eq!(
        [create("f2"), create("f3")],
        [201, 400],
        "and one comes with the edition"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_16_details_of_tokens() {
    let (_world, prod) = stepped().await;
    let open = Client::open(&prod.world, "prod");
    let token = |host: &str, body: &str| {
        let all = format!(
            "{body}&client_id={}&client_secret={}",
            apps::SIMULATOR,
            apps::SIMULATOR_SECRET
        );
        open.send(
            axum::http::Method::POST,
            "/services/oauth2/token",
            &[("host", host)],
            &all,
        )
    };
    let login = "grant_type=password&username=admin@prod.example&password=simulator1&scope=api+refresh_token";
    let first = json(&token("localhost", login));
    assert!(first.get("expires_in").is_none());
    let renew = format!(
        "grant_type=refresh_token&refresh_token={}",
        first["refresh_token"].as_str().expect("token")
    );
    assert!(json(&token("localhost", &renew)).get("refresh_token").is_none());
    let credentials = "grant_type=client_credentials";
    assert_eq!(token("login.salesforce.com", credentials).status, 400);
    set(
        &prod,
        &json!({ "expires_in": "present", "rotation": "always", "client_credentials": "any_host" }),
    );
    let renewed = json(&token("localhost", &renew));
    assert_eq!(renewed["expires_in"], 7200);
    assert!(renewed["refresh_token"].is_string());
    assert_eq!(token("localhost", &renew).status, 400, "the old one has ended");
    assert_eq!(token("login.salesforce.com", credentials).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_17_the_deliverability_page() {
    let (_world, prod) = stepped().await;
    let page = "/email-admin/editOrgEmailSettings.apexp";
    let cookie = format!("sid={}", prod.token.as_deref().expect("token"));
    let get = || {
        prod.send(axum::http::Method::GET, page, &[("cookie", &cookie)], "")
            .status
    };
    assert_eq!(get(), 200);
    set(&prod, &json!({ "deliverability_page": "absent" }));
    assert_eq!(get(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_access_group_of_developer_sandboxes_can_be_made_mandatory() {
    let (_world, prod) = stepped().await;
    set(&prod, &json!({ "activation_group": "required" }));
    let body = r#"{"SandboxName":"d2","LicenseType":"Developer"}"#;
    assert_eq!(prod.post(INFO, body).status, 400);
    let old = INFO.replace("v67.0", "v59.0");
    assert_eq!(prod.post(&old, body).status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discarded_refresh_counts_for_the_interval_or_not() {
    let (_world, prod) = stepped().await;
    let body = json!({ "AutoActivate": false });
    assert_eq!(refresh(&prod, "dev1", &body), 204);
    wait(&prod, "dev1", "Pending Activation");
    act(&prod, &process(&prod, "dev1"), "DISCARD");
    wait(&prod, "dev1", "Deleted");
    assert_eq!(refresh(&prod, "dev1", &body), 400);
    set(&prod, &json!({ "discard_counts": false }));
    assert_eq!(refresh(&prod, "dev1", &body), 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_at_once_or_when_it_is_confirmed() {
    let (world, prod) = stepped().await;
    let dev1 = Client::admin(&world, "dev1");
    let mail = "SELECT Email FROM User WHERE Alias = 'reader'";
    let change = |to: &str| {
        let id = word(&dev1.org, "SELECT Id FROM User WHERE Alias = 'reader'");
        let body = json!({ "Email": to }).to_string();
        let path = format!("/services/data/v67.0/sobjects/User/{id}");
        let reply = dev1.send(axum::http::Method::PATCH, &path, &[], &body);
        assert_eq!(reply.status, 204, "{}", text(&reply));
        word(&dev1.org, mail)
    };
    assert_eq!(change("one@acme.example"), "one@acme.example");
    set(&prod, &json!({ "user_email_change": "pending_verification" }));
    assert_eq!(change("two@acme.example"), "one@acme.example");
}
