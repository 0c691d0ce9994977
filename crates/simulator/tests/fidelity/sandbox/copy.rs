//! What a copy holds.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn item_05_addresses_end_in_invalid_unless_there_is_an_access_group() {
    let (_world, prod) = stepped().await;
    sql(&prod.org, "UPDATE User SET Email = Alias || '@acme.example'");
    insert(
        &prod.org,
        "Contact",
        &[("LastName", "Roe".to_owned()), ("Email", "roe@b.example".to_owned())],
    );
    insert(
        &prod.org,
        "Lead",
        &[("LastName", "Poe".to_owned()), ("Email", "poe@c.example".to_owned())],
    );
    insert(
        &prod.org,
        "Group",
        &[("Type", "Queue".to_owned()), ("Email", "queue@acme.example".to_owned())],
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
    for (object, address) in [
        ("Contact", "roe@b.example"),
        ("Lead", "poe@c.example"),
        ("\"Group\" WHERE Type = 'Queue'", "queue@acme.example"),
    ] {
        assert_eq!(word(&full, &format!("SELECT Email FROM {object}")), address);
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn item_40_secrets_are_gone_and_saml_is_off() {
    let (_world, prod) = stepped().await;
    component(
        &prod.org,
        "NamedCredential",
        "Billing",
        "<NamedCredential>\n    <oauthToken>t0ken</oauthToken>\n    <password>s3cret</password>\n    <username>u</username>\n</NamedCredential>",
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
