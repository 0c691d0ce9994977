//! Rules an org adds: validation, duplicates, automations, rights, limits, locks.

use crate::rig::{Rig, check, fits, origin};
use syncline_simulator::org::OrgKind;

#[test]
fn validation_rules_refuse() {
    let rig = Rig::new();
    rig.sql(
        "INSERT INTO _validation VALUES
         ('Contact', 'Phone', 1, 'AND(NOT(ISNEW()), ISCHANGED(Phone), ISBLANK(Phone))', 'Keep the phone', 'Phone'),
         ('Contact', 'Boss', 1, 'Account.Name = LastName', 'No namesakes', NULL),
         ('Contact', 'Off', 0, 'TRUE', 'never', NULL);",
    );
    check(&rig, r#"POST sobjects/Account {"Name":"Ito"}"#, "201 …");
    check(
        &rig,
        r#"POST sobjects/Contact {"LastName":"Ito","AccountId":"001#1"}"#,
        r#"400 [{"message":"No namesakes","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION"}]"#,
    );
    check(
        &rig,
        r#"POST sobjects/Contact {"LastName":"Eno","AccountId":"001#1","Phone":"1"}"#,
        r#"201 {"id":"003#1"…"#,
    );
    check(
        &rig,
        r#"PATCH sobjects/Contact/003#1 {"Phone":null}"#,
        r#"400 [{"message":"Keep the phone","errorCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","fields":["Phone"]}]"#,
    );
    check(&rig, r#"PATCH sobjects/Contact/003#1 {"Phone":"2"}"#, "204");
}

#[test]
fn duplicate_rules_warn_or_block() {
    let rig = Rig::new();
    rig.sql("INSERT INTO _duplicate_rule VALUES ('Contact', 'Same', 1, 'LastName, Email', 'Allow', NULL)");
    let body = r#"POST sobjects/Contact {"LastName":"Ito","Email":"ito@acme.example"}"#;
    check(&rig, body, "201 …");
    check(
        &rig,
        body,
        r#"400 [{"message":"You're creating a duplicate record. …","errorCode":"DUPLICATES_DETECTED"}]"#,
    );
    let headers = [("sforce-duplicate-rule-header", "allowSave=true")];
    assert!(fits(&rig.ask_with(body, &headers), "201 …"));
    rig.sql("UPDATE _duplicate_rule SET action = 'Block'");
    assert!(fits(&rig.ask_with(body, &headers), "400 …DUPLICATES_DETECTED…"));
}

#[test]
fn automations_set_refuse_and_make() {
    let rig = Rig::of(
        r#"
        automations = [
            { object = "Case", on = "insert", when = "ISPICKVAL(Origin, 'Phone')", set = { Priority = "High" } },
            { object = "Case", on = "insert", trigger = "CaseTrigger", fail = "CaseTrigger: no" },
            { object = "Case", on = "insert update", when = "ISPICKVAL(Status, 'Escalated')", insert = { object = "Task", Subject = "Call", WhatId = "{Id}" } },
            { object = "Task", on = "insert", when = "BEGINS(Subject, 'Loop')", insert = { object = "Task", Subject = "Loop" } },
        ]"#,
    );
    check(&rig, r#"POST sobjects/Case {"Origin":"Phone"}"#, "201 …");
    check(
        &rig,
        r#"POST sobjects/Case {"Origin":"Web","Status":"Escalated"}"#,
        "201 …",
    );
    assert_eq!(
        rig.rows("SELECT Priority FROM Case ORDER BY CaseNumber"),
        r#"[["High"],["Medium"]]"#
    );
    assert_eq!(rig.rows("SELECT Subject, WhatId FROM Task"), r#"[["Call","500#2"]]"#);
    check(
        &rig,
        r#"POST sobjects/Task {"Subject":"Loop"}"#,
        r#"400 [{"message":"Maximum trigger depth exceeded","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}]"#,
    );
    assert_eq!(rig.rows("SELECT COUNT(Id) n FROM Task"), "[[1]]");
    rig.sql("INSERT INTO \"ApexTrigger\" (Id, Name, Status) VALUES ('01q001000000001AAA', 'CaseTrigger', 'Active')");
    check(
        &rig,
        "POST sobjects/Case {}",
        r#"400 [{"message":"CaseTrigger: no","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}]"#,
    );
    rig.sql("UPDATE \"ApexTrigger\" SET Status = 'Inactive'");
    check(&rig, "POST sobjects/Case {}", "201 …");
}

#[test]
fn rights_owners_and_usernames_are_checked() {
    let rig = Rig::new();
    let refused = rig.ask_as_reader(r#"POST sobjects/Account {"Name":"x"}"#);
    assert_eq!(
        refused,
        r#"403 [{"message":"insufficient access rights on object id","errorCode":"INSUFFICIENT_ACCESS_OR_READONLY"}]"#
    );
    rig.sql("UPDATE \"User\" SET IsActive = 0 WHERE Alias = 'reader'");
    check(
        &rig,
        r#"POST sobjects/Account {"Name":"x","OwnerId":"005#2"}"#,
        r#"400 [{"message":"operation performed with inactive user [005#2] as owner of record","errorCode":"INACTIVE_OWNER_OR_USER"}]"#,
    );
    check(
        &rig,
        r#"POST sobjects/Profile {"Name":"x"}"#,
        r#"400 [{"message":"entity type cannot be inserted: Profile","errorCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"}]"#,
    );
}

#[test]
fn storage_and_calls_have_limits() {
    let rig = Rig::of("[limits]\ndata_storage_mb = 0\ndaily_api_requests = 3");
    check(
        &rig,
        r#"POST sobjects/Account {"Name":"x"}"#,
        r#"400 [{"message":"storage limit exceeded","errorCode":"STORAGE_LIMIT_EXCEEDED"}]"#,
    );
    check(
        &rig,
        "GET limits",
        r#"200 {"DailyApiRequests":{"Max":3,"Remaining":1}…"DataStorageMB":{"Max":0,"Remaining":0}…"#,
    );
    check(
        &rig,
        "GET limits/recordCount?sObjects=Account,User",
        r#"200 {"sObjects":[{"count":0,"name":"Account"},{"count":2,"name":"User"}]}"#,
    );
    check(
        &rig,
        "GET limits",
        r#"403 [{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#,
    );
    rig.world.clock.step(86_400_000);
    check(&rig, "GET limits", "200 …");
}

#[test]
fn usernames_are_taken_over_all_orgs() {
    let rig = Rig::new();
    rig.world
        .add_org(
            "uat",
            OrgKind::Sandbox {
                of: "prod".to_owned(),
                license: "FULL".to_owned(),
            },
            origin(2),
        )
        .expect("org");
    let user = |name: &str| {
        format!(
            r#"POST sobjects/User {{"Username":"{name}","LastName":"x","Email":"x@acme.example","Alias":"x","ProfileId":"00e#1"}}"#
        )
    };
    let taken = r#"400 [{"message":"Duplicate Username.<br>The username already exists in this or another Salesforce organization.…","errorCode":"DUPLICATE_USERNAME","fields":["Username"]}]"#;
    check(&rig, &user("Admin@prod.example.uat"), taken);
    check(&rig, &user("ADMIN@prod.example"), taken);
    check(&rig, &user("new@prod.example"), "201 …");
    check(&rig, &user("new@prod.example"), taken);
}

#[test]
fn a_change_of_sandbox_info_begins_a_copy() {
    let rig = Rig::new();
    check(
        &rig,
        r#"POST tooling/sobjects/SandboxInfo {"SandboxName":"qa"}"#,
        "400 …",
    );
    check(
        &rig,
        r#"POST tooling/sobjects/Group {"Name":"Testers","DeveloperName":"Testers"}"#,
        "201 …",
    );
    check(
        &rig,
        r#"POST tooling/sobjects/SandboxInfo {"SandboxName":"qa","LicenseType":"Developer","ActivationUserGroupId":"00G#1"}"#,
        r#"201 {"id":"0GQ#…","success":true,"errors":[],"warnings":[],"infos":[]}"#,
    );
    check(
        &rig,
        "GET tooling/query?q=SELECT+SandboxName,LicenseType+FROM+SandboxProcess",
        r#"200 …"SandboxName":"qa","LicenseType":"DEVELOPER"…"#,
    );
}
