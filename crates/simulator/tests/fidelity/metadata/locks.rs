//! The lock of the setup: item 34 of section 12.

use super::client::{Client, stepped, value};
use super::deploy::{STRICT, classes};

const MINUTE: i64 = 60_000;

#[tokio::test(flavor = "multi_thread")]
async fn item_34_a_beginning_copy_locks_the_setup_of_its_source() {
    let client = Client::new(stepped(), "prod").await;
    let run = |time: i64| {
        for _ in 0..time / 1_000 {
            client.world.clock.step(1_000);
            client.soap("<describeMetadata/>");
        }
    };
    let deploy = || {
        let options = format!("<singlePackage>true</singlePackage><checkOnly>true</checkOnly>{STRICT}");
        let id = client.deploy_start(&classes(&[("Boat", "public class Boat { }")]), &options);
        run(10_000);
        let result = client.deploy_status(&id);
        (value(&result, "status"), value(&result, "errorStatusCode"))
    };
    let went = ("Succeeded".to_owned(), String::new());
    let (status, made) = client.json(
        "POST",
        "/tooling/sobjects/SandboxInfo",
        "",
        r#"{"SandboxName":"dev2","LicenseType":"Developer"}"#,
    );
    assert_eq!(status, 201, "{made}");
    assert_eq!(deploy(), went, "it waits in the queue");
    run(5 * MINUTE);
    assert_eq!(deploy(), ("Failed".to_owned(), "ALREADY_IN_PROCESS".to_owned()));
    run(2 * MINUTE);
    assert_eq!(deploy(), went, "the copy goes on without the lock");
}
