//! What is refused, what is filled in, what goes with a record.

use crate::rig::{Rig, check};

/// An account 001#1 and a contact 003#1 of it.
fn small() -> Rig {
    let rig = Rig::new();
    check(
        &rig,
        r#"POST sobjects/Account {"Name":"Acme","Ext__c":"a1"}"#,
        r#"201 {"id":"001#1","success":true,"errors":[]}"#,
    );
    check(
        &rig,
        r#"POST sobjects/Contact {"FirstName":"Ada","LastName":"Ito","Account":{"Ext__c":"a1"},"Ext__c":"c1"}"#,
        r#"201 {"id":"003#1"…"#,
    );
    rig
}

#[test]
fn values_are_checked() {
    let rig = small();
    let refused = |body: &str, expect: &str| {
        check(
            &rig,
            &format!("POST sobjects/Contact {body}"),
            &format!("400 [{{{expect}}}]"),
        );
    };
    refused(
        "{}",
        r#""message":"Required fields are missing: [LastName]","errorCode":"REQUIRED_FIELD_MISSING","fields":["LastName"]"#,
    );
    refused(
        r#"{"LastName":"x","Nope__c":1}"#,
        r#""message":"No such column 'Nope__c' on sobject of type Contact","errorCode":"INVALID_FIELD""#,
    );
    refused(
        r#"{"LastName":"x","Email":"nobody"}"#,
        r#""message":"Email: invalid email address: nobody","errorCode":"INVALID_EMAIL_ADDRESS","fields":["Email"]"#,
    );
    refused(
        &format!(r#"{{"LastName":"{}"}}"#, "x".repeat(81)),
        r#""message":"Last Name: data value too large: …(max length=80)","errorCode":"STRING_TOO_LONG","fields":["LastName"]"#,
    );
    refused(
        r#"{"LastName":"x","Birthdate":"2026-02-30"}"#,
        r#""message":"Cannot deserialize instance of date from VALUE_STRING value 2026-02-30 or request may be missing a required field at …","errorCode":"JSON_PARSER_ERROR""#,
    );
    refused(
        r#"{"LastName":"x","CreatedDate":"2026-01-01T00:00:00Z"}"#,
        r#""message":"Unable to create/update fields: CreatedDate. …","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["CreatedDate"]"#,
    );
    refused(
        r#"{"LastName":"x","Id":"003#1"}"#,
        r#""message":"cannot specify Id in an insert call","errorCode":"INVALID_FIELD_FOR_INSERT_UPDATE","fields":["Id"]"#,
    );
    refused(
        r#"{"LastName":"x","AccountId":"nothing"}"#,
        r#""message":"Account ID: id value of incorrect type: nothing","errorCode":"MALFORMED_ID","fields":["AccountId"]"#,
    );
    refused(
        r#"{"LastName":"x","AccountId":"003#1"}"#,
        r#""message":"Account ID: id value of incorrect type: 003#1","errorCode":"MALFORMED_ID","fields":["AccountId"]"#,
    );
    refused(
        r#"{"LastName":"x","AccountId":"001#9"}"#,
        r#""message":"invalid cross reference id","errorCode":"INVALID_CROSS_REFERENCE_KEY""#,
    );
    refused(
        r#"{"LastName":"x","Account":{"Ext__c":"none"}}"#,
        r#""message":"Foreign key external ID: none not found for field Ext__c in entity Account","errorCode":"INVALID_FIELD""#,
    );
    refused(
        r#"{"LastName":"x","Ext__c":"C1"}"#,
        r#""message":"duplicate value found: Ext__c duplicates value on record with id: 003#1","errorCode":"DUPLICATE_VALUE","fields":["Ext__c"]"#,
    );
    check(
        &rig,
        r#"POST sobjects/Contact nonsense"#,
        r#"400 [{"message":…"errorCode":"JSON_PARSER_ERROR"}]"#,
    );
    check(
        &rig,
        r#"POST sobjects/Widget__c {"Account__c":"001#1","Size__c":"Huge"}"#,
        r#"400 [{"message":"Size__c: bad value for restricted picklist field: Huge","errorCode":"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST","fields":["Size__c"]}]"#,
    );
}

#[test]
fn fields_are_filled_in() {
    let rig = small();
    assert_eq!(
        rig.rows("SELECT Name, Account.Name, Owner.Alias, IsDeleted, CreatedDate FROM Contact"),
        r#"[["Ada Ito",{"attributes":{"type":"Account","url":"/services/data/v67.0/sobjects/Account/001#1"},"Name":"Acme"},{"attributes":{"type":"User","url":"/services/data/v67.0/sobjects/User/005#1"},"Alias":"admin"},false,"2026-03-02T10:00:00.000+0000"]]"#
    );
    check(
        &rig,
        r#"POST sobjects/Widget__c {"Account__c":"001#1","Count__c":"2.55"}"#,
        "201 …",
    );
    assert_eq!(
        rig.rows("SELECT Name, Size__c, Count__c, Summary__c FROM Widget__c WHERE Summary__c = 'acme: 5.2'"),
        r#"[["W-0001","Small",2.6,"Acme: 5.2"]]"#
    );
    check(
        &rig,
        r#"POST sobjects/Task {"Subject":"Call","WhoId":"003#1","Status":"Completed"}"#,
        "201 …",
    );
    assert_eq!(
        rig.rows("SELECT IsClosed, AccountId, Priority FROM Task"),
        r#"[[true,"001#1","Normal"]]"#
    );
    check(
        &rig,
        r#"POST sobjects/Opportunity {"Name":"o","StageName":"Closed Won","CloseDate":"2026-05-01","Amount":10}"#,
        "201 …",
    );
    assert_eq!(
        rig.rows("SELECT IsWon, Probability, ExpectedRevenue, Fiscal FROM Opportunity"),
        r#"[[true,100.0,10.0,"2026 2"]]"#
    );
}

#[test]
fn changes_keep_the_rest_and_write_history() {
    let rig = small();
    rig.world.clock.step(60_000);
    check(
        &rig,
        r#"PATCH sobjects/Contact/003#1 {"Phone":"1","FirstName":null}"#,
        "204",
    );
    assert_eq!(
        rig.rows("SELECT Name, Phone, CreatedDate, LastModifiedDate FROM Contact"),
        r#"[["Ito","1","2026-03-02T10:00:00.000+0000","2026-03-02T10:01:00.000+0000"]]"#
    );
    assert_eq!(
        rig.rows("SELECT Field, OldValue, NewValue FROM ContactHistory ORDER BY CreatedDate"),
        r#"[["created",null,null],["Phone",null,"1"]]"#
    );
    check(
        &rig,
        r#"PATCH sobjects/Contact/003#1 {"LastName":null}"#,
        r#"400 [{"message":"Required fields are missing: [LastName]"…"#,
    );
    check(
        &rig,
        r#"PATCH sobjects/Contact/003#1 {"Id":"003#1"}"#,
        r#"400 [{"message":"The Id field should not be specified in the sobject data.","errorCode":"INVALID_FIELD"}]"#,
    );
    check(
        &rig,
        r#"PATCH sobjects/Contact/003#9 {"Phone":"1"}"#,
        r#"404 [{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]"#,
    );
}

#[test]
fn deletion_takes_details_clears_lookups_and_can_be_undone() {
    let rig = small();
    check(&rig, r#"POST sobjects/Widget__c {"Account__c":"001#1"}"#, "201 …");
    check(
        &rig,
        r#"POST sobjects/Case {"ContactId":"003#1","AccountId":"001#1"}"#,
        "201 …",
    );
    check(&rig, r#"POST sobjects/Contract {"AccountId":"001#1"}"#, "201 …");
    check(
        &rig,
        "DELETE sobjects/Account/001#1",
        r#"400 [{"message":"Your attempt to delete Acme could not be completed because it is associated with the following contracts.: 00000001","errorCode":"DELETE_FAILED"}]"#,
    );
    assert_eq!(rig.rows("SELECT Name FROM Widget__c"), r#"[["W-0001"]]"#);
    check(&rig, "DELETE sobjects/Contract/800#1", "204");
    check(&rig, "DELETE sobjects/Account/001#1", "204");
    check(
        &rig,
        "GET sobjects/Contact/003#1",
        r#"404 [{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED"}]"#,
    );
    check(
        &rig,
        "DELETE sobjects/Account/001#1",
        r#"404 [{"message":"entity is deleted","errorCode":"ENTITY_IS_DELETED"}]"#,
    );
    check(
        &rig,
        r#"POST sobjects/Contact {"LastName":"x","AccountId":"001#1"}"#,
        r#"404 [{"message":"entity is deleted"…"#,
    );
    assert_eq!(rig.rows("SELECT ContactId, AccountId FROM Case"), "[[null,null]]");
    let mut state = rig.org.lock();
    let done = syncline_simulator::http::in_call(&rig.world, &rig.org, &mut state, None, |call| {
        let id = crate::rig::long("001#1");
        syncline_simulator::dml::undelete(call, "Account", &id, &syncline_simulator::dml::Options::default())
    });
    drop(state);
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(
        rig.rows("SELECT ContactId, AccountId FROM Case"),
        r#"[["003#1","001#1"]]"#
    );
    assert_eq!(rig.rows("SELECT Name FROM Widget__c"), r#"[["W-0001"]]"#);
}

#[test]
fn external_ids_find_make_and_may_be_ambiguous() {
    let rig = small();
    check(
        &rig,
        r#"PATCH sobjects/Account/Ext__c/a1 {"Phone":"2"}"#,
        r#"200 {"id":"001#1","success":true,"errors":[],"created":false}"#,
    );
    check(
        &rig,
        r#"PATCH sobjects/Account/Ext__c/a%2F2 {"Name":"Beta"}"#,
        r#"201 {"id":"001#2","success":true,"errors":[],"created":true}"#,
    );
    check(
        &rig,
        "GET sobjects/Account/Ext__c/a%2F2?fields=Name",
        r#"200 {"attributes":{"type":"Account","url":"/services/data/v67.0/sobjects/Account/001#2"},"Id":"001#2","Name":"Beta"}"#,
    );
    check(
        &rig,
        r#"POST sobjects/Account {"Name":"Acme 2","Ext__c":"a1"}"#,
        "201 …",
    );
    let two = r#"300 ["/services/data/v67.0/sobjects/Account/001#1","/services/data/v67.0/sobjects/Account/001#3"]"#;
    check(&rig, r#"PATCH sobjects/Account/Ext__c/a1 {"Phone":"3"}"#, two);
    check(&rig, "GET sobjects/Account/Ext__c/a1", two);
    check(
        &rig,
        "GET sobjects/Account/Ext__c/none",
        r#"404 [{"message":"The requested resource does not exist","errorCode":"NOT_FOUND"}]"#,
    );
    check(
        &rig,
        "GET sobjects/Account/Phone/2",
        r#"404 [{"message":"Provided external ID field does not exist or is not accessible: Phone","errorCode":"NOT_FOUND"}]"#,
    );
    check(&rig, "DELETE sobjects/Contact/Ext__c/c1", "204");
    check(
        &rig,
        r#"POST sobjects/Contact {"LastName":"x","Account":{"Ext__c":"a1"}}"#,
        r#"300 [{"message":"Ext__c: more than one record found for external id field: [001#1, 001#3]","errorCode":"DUPLICATE_EXTERNAL_ID"…"#,
    );
}

#[test]
fn files_have_a_document_and_give_their_bytes_back() {
    let rig = small();
    check(
        &rig,
        r#"POST sobjects/ContentVersion {"PathOnClient":"a/note.txt","VersionData":"aGVsbG8=","FirstPublishLocationId":"001#1"}"#,
        "201 …",
    );
    assert_eq!(
        rig.rows("SELECT Title, FileExtension, ContentSize, IsLatest, VersionData FROM ContentVersion"),
        r#"[["note","txt",5,true,"/services/data/v67.0/sobjects/ContentVersion/068#1/VersionData"]]"#
    );
    check(&rig, "GET sobjects/ContentVersion/068#1/VersionData", "200 hello");
    assert_eq!(
        rig.rows("SELECT LatestPublishedVersionId, Title FROM ContentDocument"),
        r#"[["068#1","note"]]"#
    );
    assert_eq!(
        rig.rows("SELECT ShareType FROM ContentDocumentLink WHERE LinkedEntityId = '001#1'"),
        r#"[["V"]]"#
    );
    check(
        &rig,
        "GET sobjects/Contact/003#1/Account?fields=Name",
        r#"200 {…"Name":"Acme"}"#,
    );
    check(
        &rig,
        "GET sobjects/Account/001#1/Contacts?fields=Name",
        r#"200 {"totalSize":1,…"Name":"Ada Ito"}]}"#,
    );
}
