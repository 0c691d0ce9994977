//! Results as the org tells them.

use serde_json::json;

use super::super::super::element;
use super::*;

fn result(value: serde_json::Value) -> DeployResult {
    serde_json::from_value(value).unwrap()
}

#[test]
fn statuses() {
    for (name, status) in STATUSES {
        assert_eq!(DeployStatus::from(name.to_owned()), status);
        assert_eq!(status.to_string(), name);
    }
    let waits = |status: &str, done: bool| !result(json!({"status": status, "done": done})).is_final();
    assert!(waits("Finalizing", false) && waits("Canceling", false) && waits("Pondering", false));
    assert!(!waits("FinalizingFailed", true) && !waits("Pondering", true) && !waits("SucceededPartial", true));
}

#[test]
fn coverage_fails_a_deployment_whose_counters_are_zero() {
    let failed = result(json!({
        "id": "0Af1", "status": "Failed", "done": true, "success": false,
        "numberComponentErrors": 0, "numberTestErrors": 0, "notifications": null,
        "details": {"componentFailures": [], "runTestResult": {"numTestsRun": 2, "totalTime": 12.5, "failures": null,
            "codeCoverageWarnings": [
                {"id": null, "name": null, "message": "Average test coverage across all Apex Classes and Triggers is 25%, at least 75% test coverage is required."},
                {"id": "01p", "name": "Tax", "message": "Test coverage of selected Apex Class is 44.509%, at least 75% test coverage is required"}]}},
    }));
    assert!(!failed.succeeded());
    let problems = failed.problems();
    assert_eq!(problems.len(), 2);
    assert!(problems[0].starts_with("Average test coverage"));
    assert!(problems[1].starts_with("Tax: Test coverage"));
}

#[test]
fn a_failure_always_has_a_reason() {
    let silent = result(json!({"status": "FinalizingFailed", "done": true}));
    assert_eq!(
        silent.problems(),
        ["it ended as FinalizingFailed, and the org does not say why"]
    );
    let canceled = result(json!({"status": "Canceled", "done": true, "canceledByName": "Ops"}));
    assert_eq!(canceled.problems(), ["cancelled by Ops"]);
    let warned = result(
        json!({"status": "Failed", "done": true, "details": {"componentSuccesses": [
        {"fullName": "package.xml", "success": true},
        {"fullName": "destructiveChanges.xml", "componentType": "ApexClass", "success": true, "problemType": "Warning",
         "problem": "No ApexClass named: Foo found"}]}}),
    );
    assert_eq!(
        warned.problems(),
        ["ApexClass destructiveChanges.xml: No ApexClass named: Foo found"]
    );
    assert!(
        result(json!({"status": "Succeeded", "done": true}))
            .problems()
            .is_empty()
    );
}

#[test]
fn soap_and_rest_tell_the_same() {
    let soap = "<e:Envelope xmlns:e=\"e\"><e:Body><checkDeployStatusResponse><result><checkOnly>false</checkOnly>\
        <details><componentFailures><changed>false</changed><columnNumber>7</columnNumber><componentType>ApexClass</componentType>\
        <created>false</created><deleted>false</deleted><fileName>zip/classes/Foo.cls</fileName><fullName>Foo</fullName>\
        <lineNumber>3</lineNumber><problem>unexpected token: '}'</problem><problemType>Error</problemType><success>false</success>\
        </componentFailures><runTestResult><numFailures>1</numFailures><numTestsRun>1</numTestsRun><totalTime>1.0</totalTime>\
        <failures><message>no</message><methodName>a</methodName><name>FooTest</name><time>1.0</time></failures></runTestResult></details>\
        <done>true</done><id>0Af1</id><numberComponentErrors>1</numberComponentErrors><status>Failed</status><success>false</success>\
        </result></checkDeployStatusResponse></e:Body></e:Envelope>";
    #[derive(Deserialize)]
    struct Answer {
        result: DeployResult,
    }
    let read = element::read::<Answer>("checkDeployStatus", soap).unwrap().result;
    let rest = result(
        json!({"id": "0Af1", "checkOnly": false, "done": true, "status": "Failed", "success": false,
        "numberComponentErrors": 1, "details": {
            "componentFailures": [{"changed": false, "columnNumber": 7, "componentType": "ApexClass", "created": false, "deleted": false,
                "fileName": "zip/classes/Foo.cls", "fullName": "Foo", "lineNumber": 3, "problem": "unexpected token: '}'",
                "problemType": "Error", "success": false}],
            "runTestResult": {"numFailures": 1, "numTestsRun": 1, "totalTime": 1.0,
                "failures": [{"message": "no", "methodName": "a", "name": "FooTest", "time": 1.0}]}}}),
    );
    assert_eq!(read, rest);
    assert_eq!(
        rest.problems(),
        [
            "ApexClass Foo (zip/classes/Foo.cls:3:7): unexpected token: '}'",
            "FooTest.a: no"
        ]
    );
}
