//! Apex: items 36 and 38 of section 12.

use super::client::{Client, fast, value};
use super::deploy::{BOAT, BOAT_TEST, classes};
use serde_json::json;
use syncline_simulator::config::ApexTest;

fn run(client: &Client, script: &str) -> serde_json::Value {
    let encoded: String = script.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, answer) = client.json(
        "GET",
        "/tooling/executeAnonymous",
        &format!("anonymousBody={encoded}"),
        "",
    );
    assert_eq!(status, 200);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn item_36_anonymous_and_test_runs() {
    let mut config = fast();
    config.apex.tests = vec![ApexTest {
        class: "BoatTest".to_owned(),
        method: "sinks".to_owned(),
        outcome: "fail".to_owned(),
        message: "sank".to_owned(),
    }];
    let client = Client::new(config, "dev1").await;
    let test = BOAT_TEST.replace("sails() {", "sinks() { new Boat(); } @IsTest static void sails() {");
    client.deploy_ok(&classes(&[("Boat", BOAT), ("BoatTest", &test)]));
    // 200 whether it compiles or not.
    let refused = run(&client, "delete [SELECT Id FROM Account];");
    assert_eq!(
        (&refused["compiled"], &refused["success"]),
        (&json!(false), &json!(false))
    );
    assert!(refused["compileProblem"].as_str().unwrap().contains("does not run"));
    let thrown = run(&client, "System.abortJob('08e000000000001');");
    assert_eq!((&thrown["compiled"], &thrown["success"]), (&json!(true), &json!(false)));
    assert_eq!(run(&client, "System.debug('a');")["success"], true);
    let (_, log) = client.soap_as(
        &client.token,
        "/services/Soap/s/67.0",
        "<executeAnonymous><apexcode>System.debug('hi');</apexcode></executeAnonymous>",
    );
    assert!(value(&log, "debugLog").contains("DEBUG|hi"));
    // The id of a run is a bare string.
    let body = r#"{"tests":[{"className":"BoatTest"}],"testLevel":"RunSpecifiedTests"}"#;
    let (status, id) = client.json("POST", "/tooling/runTestsAsynchronous", "", body);
    assert_eq!(status, 200);
    let id = id.as_str().unwrap();
    assert!(id.starts_with("707"));
    let rows = |query: &str| {
        client
            .json(
                "GET",
                "/tooling/query",
                &format!("q={}", query.replace(' ', "+").replace('=', "%3D").replace('\'', "%27")),
                "",
            )
            .1
    };
    let run_result = rows(&format!(
        "SELECT Status, MethodsCompleted, MethodsFailed FROM ApexTestRunResult WHERE AsyncApexJobId = '{id}'"
    ));
    assert_eq!(run_result["records"][0]["MethodsFailed"], 1);
    let item = rows(&format!(
        "SELECT Id, Status, ExtendedStatus FROM ApexTestQueueItem WHERE ParentJobId = '{id}'"
    ));
    assert_eq!(item["records"][0]["ExtendedStatus"], "(1/2)");
    assert_eq!(rows("SELECT Id FROM ApexTestResult WHERE Outcome = 'Fail'")["size"], 1);
    assert_eq!(
        rows("SELECT PercentCovered FROM ApexOrgWideCoverage")["records"][0]["PercentCovered"],
        100
    );
    assert_eq!(rows("SELECT Id FROM ApexCodeCoverageAggregate")["size"], 1);
    // Saving the class forgets its coverage.
    client.deploy_ok(&classes(&[("Boat", "public class Boat { Integer n; }")]));
    assert_eq!(rows("SELECT Id FROM ApexCodeCoverageAggregate")["size"], 0);
    let (_, now) = client.json(
        "POST",
        "/tooling/runTestsSynchronous",
        "",
        r#"{"tests":[{"className":"BoatTest","testMethods":["sails"]}]}"#,
    );
    assert_eq!((&now["numTestsRun"], &now["numFailures"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_38_scheduled_jobs_by_apex_only() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&classes(&[(
        "Nightly",
        "public class Nightly implements Schedulable { }",
    )]));
    let schedule = "System.schedule('Night', '0 0 1 * * ?', new Nightly());";
    assert_eq!(run(&client, schedule)["success"], true);
    let again = run(&client, schedule);
    assert_eq!((&again["compiled"], &again["success"]), (&json!(true), &json!(false)));
    assert!(
        again["exceptionMessage"]
            .as_str()
            .unwrap()
            .contains("already scheduled")
    );
    assert_eq!(
        run(&client, "System.schedule('x', '0 0 1 * * ?', new Nope());")["compiled"],
        false
    );
    assert_eq!(
        run(&client, "System.schedule('x', 'often', new Nightly());")["success"],
        false
    );
    let query = "q=SELECT+Id,CronExpression,State,CronJobDetail.Name,NextFireTime+FROM+CronTrigger";
    let (_, jobs) = client.json("GET", "/query", query, "");
    let job = &jobs["records"][0];
    assert_eq!(
        (&job["State"], &job["CronJobDetail"]["Name"]),
        (&json!("WAITING"), &json!("Night"))
    );
    assert!(job["NextFireTime"].as_str().unwrap().contains("T01:00:00"));
    let id = job["Id"].as_str().unwrap();
    let path = format!("/sobjects/CronTrigger/{id}");
    for (method, path, body) in [
        ("POST", "/sobjects/CronTrigger", r#"{"CronExpression":"0 0 2 * * ?"}"#),
        ("PATCH", &path, r#"{"State":"PAUSED"}"#),
        ("DELETE", &path, ""),
    ] {
        let (status, error) = client.json(method, path, "", body);
        assert_eq!(status, 400, "{method}: {error}");
    }
    assert_eq!(client.json("GET", "/query", query, "").1["records"], jobs["records"]);
    assert_eq!(run(&client, &format!("System.abortJob('{id}');"))["success"], true);
    client.deploy_ok(&classes(&[(
        "Nightly",
        "public class Nightly implements Schedulable { Integer n; }",
    )]));
    assert_eq!(client.json("GET", "/query", query, "").1["totalSize"], 0);
    assert_eq!(run(&client, &format!("System.abortJob('{id}');"))["success"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_capacity_tells_the_deliverability() {
    let client = Client::new(fast(), "dev1").await;
    let script = "Messaging.reserveSingleEmailCapacity(1);";
    assert!(
        run(&client, script)["exceptionMessage"]
            .as_str()
            .unwrap()
            .contains("NO_MASS_MAIL_PERMISSION")
    );
    let production = Client::of(client.world.clone(), "prod");
    assert_eq!(run(&production, script)["success"], true);
}
