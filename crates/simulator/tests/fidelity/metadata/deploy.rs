//! Deployments: items 21 and 23 to 26, 33 and 34 of section 12.

use super::client::{Client, Files, fast, manifest, pack, package, rows, stepped, unpack, unpackaged, value, xml};
use syncline_simulator::config::{ApexCoverage, ApexTest, Config};

pub const STRICT: &str = "<rollbackOnError>true</rollbackOnError>";

pub fn class(name: &str, body: &str) -> Vec<(String, String)> {
    vec![
        (format!("classes/{name}.cls"), body.to_owned()),
        (
            format!("classes/{name}.cls-meta.xml"),
            xml("ApexClass", "<apiVersion>67.0</apiVersion><status>Active</status>"),
        ),
    ]
}

pub fn classes(list: &[(&str, &str)]) -> Files {
    let members: Vec<String> = list.iter().map(|(name, _)| format!("ApexClass:{name}")).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let files: Vec<(String, String)> = list.iter().flat_map(|(name, body)| class(name, body)).collect();
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    package(&members, &files)
}

pub const BOAT: &str = "public class Boat { }";
pub const BOAT_TEST: &str = "@IsTest private class BoatTest { @IsTest static void sails() { new Boat(); } }";

fn tested(outcome: Option<&str>, coverage: Option<(u32, u32)>) -> Config {
    let mut config = fast();
    config.apex.tests = outcome
        .map(|outcome| ApexTest {
            class: "BoatTest".to_owned(),
            method: "sails".to_owned(),
            outcome: outcome.to_owned(),
            message: "System.AssertException: sank".to_owned(),
        })
        .into_iter()
        .collect();
    config.apex.coverage = coverage
        .map(|(covered, lines)| ApexCoverage {
            class: "Boat".to_owned(),
            covered,
            lines,
        })
        .into_iter()
        .collect();
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn item_21_package_xml_prefix_and_settings() {
    let client = Client::new(fast(), "dev1").await;
    let inner = package(
        &["Settings:Account"],
        &[("settings/Account.settings", &xml("AccountSettings", ""))],
    );
    let files: Files = inner
        .into_iter()
        .map(|(path, text)| (format!("top/{path}"), text))
        .collect();
    let id = client.deploy_start(&files, STRICT);
    let result = client.deploy_status(&id);
    let told = rows(
        &result,
        "componentSuccesses",
        &["fullName", "componentType", "fileName"],
    );
    assert_eq!(
        told,
        [
            "package.xml - top/package.xml",
            "Account AccountSettings top/settings/Account.settings"
        ]
    );
    // With singlePackage the package lies at the root.
    let result = client.deploy(&files, STRICT);
    assert_eq!(value(&result, "problem"), "No package.xml found");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_23_coverage_is_only_a_coverage_warning() {
    let files = classes(&[("Boat", BOAT), ("BoatTest", BOAT_TEST)]);
    let client = Client::new(tested(None, Some((5, 20))), "prod").await;
    let result = client.deploy(&files, STRICT);
    assert_eq!(value(&result, "status"), "Failed");
    assert_eq!(
        (
            value(&result, "numberComponentErrors"),
            value(&result, "numberTestErrors")
        ),
        ("0".into(), "0".into())
    );
    assert_eq!(
        rows(&result, "codeCoverageWarnings", &["name", "message"]),
        [
            "- Average test coverage across all Apex Classes and Triggers is 25%, at least 75% test coverage is required."
        ]
    );
    let options = format!("{STRICT}<testLevel>RunSpecifiedTests</testLevel><runTests>BoatTest</runTests>");
    let result = client.deploy(&files, &options);
    assert_eq!(
        rows(&result, "codeCoverageWarnings", &["name", "message"]),
        ["Boat Test coverage of selected Apex Class is 25%, at least 75% test coverage is required"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn test_levels() {
    let files = classes(&[("Boat", BOAT), ("BoatTest", BOAT_TEST)]);
    let client = Client::new(tested(Some("fail"), None), "prod").await;
    let failed = client.deploy(&files, STRICT);
    assert_eq!(
        (value(&failed, "status"), value(&failed, "numberTestErrors")),
        ("Failed".into(), "1".into())
    );
    assert_eq!(
        rows(&failed, "failures", &["name", "methodName", "message"]),
        ["BoatTest sails System.AssertException: sank"]
    );
    let refused = client.deploy(&files, &format!("{STRICT}<testLevel>NoTestRun</testLevel>"));
    assert_eq!(value(&refused, "errorStatusCode"), "INVALID_OPERATION");
    let sandbox = Client::of(client.world.clone(), "dev1");
    let result = sandbox.deploy(&files, STRICT);
    assert_eq!(
        (value(&result, "status"), value(&result, "numberTestsTotal")),
        ("Succeeded".into(), "0".into())
    );
    let missing = sandbox.deploy(
        &files,
        &format!("{STRICT}<testLevel>RunSpecifiedTests</testLevel><runTests>Nope</runTests>"),
    );
    assert_eq!(
        (value(&missing, "status"), value(&missing, "numberTestErrors")),
        ("Failed".into(), "1".into())
    );
    for (options, text) in [
        ("<rollbackOnError>false</rollbackOnError>", "rollbackOnError must be"),
        (
            "<rollbackOnError>true</rollbackOnError><purgeOnDelete>true</purgeOnDelete>",
            "purgeOnDelete can be used only",
        ),
    ] {
        let (code, told) = client.fault(&format!(
            "<met:deploy><met:ZipFile></met:ZipFile><met:DeployOptions>{options}</met:DeployOptions></met:deploy>"
        ));
        assert_eq!(code, "sf:INVALID_OPERATION");
        assert!(told.contains(text), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_24_quick_deploy() {
    let client = Client::new(stepped(), "prod").await;
    let settle = || {
        for _ in 0..4 {
            client.world.clock.step(5_000);
            client.soap("<describeMetadata/>");
        }
    };
    let files = classes(&[("Boat", BOAT), ("BoatTest", BOAT_TEST)]);
    let validate = |files: &Files| {
        let id = client.deploy_start(
            files,
            &format!("<singlePackage>true</singlePackage><checkOnly>true</checkOnly>{STRICT}"),
        );
        settle();
        assert_eq!(value(&client.deploy_status(&id), "status"), "Succeeded");
        id
    };
    let quick = |id: &str| {
        format!("<met:deployRecentValidation><met:validationId>{id}</met:validationId></met:deployRecentValidation>")
    };
    // Without tests it does not qualify.
    let untested = validate(&package(
        &["RemoteSiteSetting:S"],
        &[(
            "remoteSiteSettings/S.remoteSite",
            &xml(
                "RemoteSiteSetting",
                "<isActive>true</isActive><url>https://s.example</url>",
            ),
        )],
    ));
    assert_eq!(client.fault(&quick(&untested)).0, "sf:INVALID_ID_FIELD");
    let tested = validate(&files);
    let (_, none) = client.json("GET", "/query", "q=SELECT+Id+FROM+ApexClass", "");
    assert_eq!(none["totalSize"], 0);
    let id = value(&client.soap(&quick(&tested)), "result");
    assert_ne!(id, tested);
    settle();
    assert_eq!(value(&client.deploy_status(&id), "status"), "Succeeded");
    let (_, there) = client.json("GET", "/query", "q=SELECT+Id+FROM+ApexClass", "");
    assert_eq!(there["totalSize"], 2);
    // Something was deployed since.
    assert_eq!(client.fault(&quick(&tested)).0, "sf:INVALID_ID_FIELD");
    let old = validate(&classes(&[("Boat", "public class Boat { Integer a; }")]));
    client.world.clock.step(11 * 86_400_000);
    assert_eq!(client.fault(&quick(&old)).0, "sf:INVALID_ID_FIELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_25_finalizing() {
    let client = Client::new(stepped(), "dev1").await;
    let files = classes(&[("Boat", BOAT)]);
    client
        .org
        .lock()
        .db
        .execute("INSERT INTO _value VALUES ('deploy_finalizing', 'fail')", [])
        .unwrap();
    let id = client.deploy_start(&files, &format!("<singlePackage>true</singlePackage>{STRICT}"));
    let mut seen = vec![value(&client.deploy_status(&id), "status")];
    for _ in 0..20 {
        client.world.clock.step(500);
        let status = value(&client.deploy_status(&id), "status");
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    assert_eq!(seen, ["Pending", "InProgress", "Finalizing", "FinalizingFailed"]);
    assert_eq!(value(&client.deploy_status(&id), "done"), "true");
    let (_, answer) = client.json("GET", &format!("/metadata/deployRequest/{id}"), "", "");
    for list in ["notifications", "deployExtensionResults"] {
        assert_eq!(answer["deployResult"][list], serde_json::json!([]), "{list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_26_limits_count_folders() {
    let client = Client::new(fast(), "dev1").await;
    let mut files: Files = (0..5_000)
        .map(|n| (format!("staticresources/f{n}/x"), Vec::new()))
        .collect();
    files.insert("package.xml".to_owned(), manifest(&[]).into_bytes());
    let result = client.deploy(&files, STRICT);
    assert_eq!(
        value(&result, "errorMessage"),
        "INVALID_OPERATION: Too many files in zip"
    );
    // Five entries: the folder, a class with its descriptor, the folder of all, and package.xml.
    for (most, status) in [(5, "Succeeded"), (4, "Failed")] {
        let mut config = fast();
        config.limits.zip_entries = most;
        let client = Client::new(config, "dev1").await;
        client.deploy_ok(&classes(&[("Boat", BOAT)]));
        let result = client.retrieve_result(&unpackaged(&["ApexClass:Boat"]));
        assert_eq!(value(&result, "status"), status, "{result}");
    }
    let mut zip = pack(&classes(&[("Boat", BOAT)]));
    zip.truncate(zip.len() - 30);
    let id = {
        use base64::Engine as _;
        let zip = base64::engine::general_purpose::STANDARD.encode(zip);
        value(
            &client.soap(&format!(
                "<met:deploy><met:ZipFile>{zip}</met:ZipFile><met:DeployOptions/></met:deploy>"
            )),
            "id",
        )
    };
    let result = client.deploy_status(&id);
    assert_eq!(
        (value(&result, "status"), value(&result, "errorStatusCode")),
        ("Failed".into(), "INVALID_OPERATION".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_33_unchanged_components_keep_their_dates() {
    let client = Client::new(stepped(), "dev1").await;
    let settle = || {
        for _ in 0..8 {
            client.world.clock.step(2_000);
            client.soap("<describeMetadata/>");
        }
    };
    let dates = || {
        let text = client.soap("<met:listMetadata><queries><type>ApexClass</type></queries></met:listMetadata>");
        let mut rows = rows(&text, "result", &["fullName", "lastModifiedDate"]);
        rows.sort();
        rows
    };
    let options = format!("<singlePackage>true</singlePackage>{STRICT}");
    client.deploy_start(&classes(&[("A", "class A { }"), ("B", "class B { }")]), &options);
    settle();
    let before = dates();
    let id = client.deploy_start(
        &classes(&[("A", "class A { }"), ("B", "class B { Integer n; }")]),
        &options,
    );
    settle();
    let result = client.deploy_status(&id);
    let told = rows(&result, "componentSuccesses", &["fullName", "changed", "created"]);
    assert!(
        told.contains(&"A false false".to_owned()) && told.contains(&"B true false".to_owned()),
        "{told:?}"
    );
    let after = dates();
    assert_eq!(before[0], after[0]);
    assert_ne!(before[1], after[1]);
    // A flow gets a version with each deployment that changes it.
    for (label, versions) in [("One", 1), ("Two", 2), ("Two", 2)] {
        let flow = format!("<label>{label}</label><processType>AutoLaunchedFlow</processType><status>Draft</status>");
        let files = package(&["Flow:F"], &[("flows/F.flow", &xml("Flow", &flow))]);
        client.deploy_start(&files, &options);
        settle();
        let (_, found) = client.json("GET", "/tooling/query", "q=SELECT+Id+FROM+Flow", "");
        assert_eq!(found["size"], versions, "{label}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn item_34_one_deployment_at_a_time() {
    let client = Client::new(stepped(), "dev1").await;
    let files = classes(&[("Boat", BOAT)]);
    let options = format!("<singlePackage>true</singlePackage>{STRICT}");
    let ids: Vec<String> = (0..3).map(|_| client.deploy_start(&files, &options)).collect();
    let states = || {
        ids.iter()
            .map(|id| value(&client.deploy_status(id), "status"))
            .collect::<Vec<_>>()
    };
    client.world.clock.step(1_500);
    assert_eq!(states(), ["InProgress", "Pending", "Pending"]);
    let cancel = |id: &str| {
        value(
            &client.soap(&format!(
                "<met:cancelDeploy><met:String>{id}</met:String></met:cancelDeploy>"
            )),
            "done",
        )
    };
    assert_eq!(cancel(&ids[2]), "true");
    assert_eq!(cancel(&ids[0]), "false");
    assert_eq!(states(), ["Canceling", "Pending", "Canceled"]);
    for _ in 0..10 {
        client.world.clock.step(1_000);
        states();
    }
    assert_eq!(states(), ["Canceled", "Succeeded", "Canceled"]);
    client
        .org
        .lock()
        .db
        .execute("INSERT INTO _value VALUES ('setup_locked', '1')", [])
        .unwrap();
    let id = client.deploy_start(&files, &options);
    for _ in 0..5 {
        client.world.clock.step(1_000);
        states();
    }
    let result = client.deploy_status(&id);
    assert_eq!(value(&result, "errorStatusCode"), "ALREADY_IN_PROCESS");
    assert!(value(&result, "errorMessage").contains("has already been locked by another change"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_beside_the_manifest_and_a_retrieve_afterwards() {
    let client = Client::new(fast(), "dev1").await;
    let named = classes(&[("Boat", BOAT)]);
    let mut files = classes(&[("Boat", BOAT), ("Raft", "public class Raft { }")]);
    files.extend(named.into_iter().filter(|(path, _)| path == "package.xml"));
    let refused = client.deploy(&files, STRICT);
    assert_eq!(rows(&refused, "componentFailures", &["fullName"]), ["Raft"]);
    let options = format!("<autoUpdatePackage>true</autoUpdatePackage><performRetrieve>true</performRetrieve>{STRICT}");
    let tried = client.deploy(&files, &format!("<checkOnly>true</checkOnly>{options}"));
    assert_eq!(value(&tried, "status"), "Succeeded", "{tried}");
    assert!(!tried.contains("retrieveResult"), "{tried}");
    let result = client.deploy(&files, &options);
    assert_eq!(value(&result, "status"), "Succeeded", "{result}");
    let there = unpack(&result);
    assert_eq!(there["unpackaged/classes/Raft.cls"], b"public class Raft { }");
    assert!(there.contains_key("unpackaged/classes/Boat.cls"));
    assert!(!client.deploy(&files, STRICT).contains("retrieveResult"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_components() {
    let client = Client::new(fast(), "dev1").await;
    let problems = |members: &[&str], files: &[(&str, &str)]| {
        let result = client.deploy(&package(members, files), STRICT);
        assert_eq!(value(&result, "status"), "Failed", "{result}");
        rows(
            &result,
            "componentFailures",
            &["fullName", "fileName", "lineNumber", "problem"],
        )
    };
    assert_eq!(
        problems(&["ApexClass:Foo", "Nonsense:Bar"], &[]),
        [
            "package.xml package.xml - Unknown type name 'Nonsense' specified in package.xml",
            "Foo package.xml - An object 'Foo' of type ApexClass was named in package.xml, but was not found in zipped directory",
        ]
    );
    let class = ("classes/Foo.cls", "class Foo { }");
    let meta = xml("ApexClass", "<apiVersion>67.0</apiVersion>");
    assert_eq!(
        problems(&[], &[class, ("classes/Foo.cls-meta.xml", &meta)]),
        ["Foo classes/Foo.cls - Not in package.xml"]
    );
    let broken = problems(
        &["Layout:Account-L"],
        &[("layouts/Account-L.layout", "<Layout>\n<oops></Layout>")],
    );
    assert!(
        broken[0].starts_with("Account-L layouts/Account-L.layout 2 Error parsing file:"),
        "{broken:?}"
    );
    let layout = xml(
        "Layout",
        "\n<layoutSections><layoutColumns><layoutItems><field>Foo__c</field></layoutItems></layoutColumns><style>OneColumn</style></layoutSections>",
    );
    assert_eq!(
        problems(&["Layout:Account-L"], &[("layouts/Account-L.layout", &layout)]),
        ["Account-L layouts/Account-L.layout 3 In field: field - no CustomField named Account.Foo__c found"]
    );
    let wrong = xml("Layout", "<layoutBoxes><field>Name</field></layoutBoxes>");
    let told = problems(&["Layout:Account-L"], &[("layouts/Account-L.layout", &wrong)]);
    assert!(
        told[0].contains("}layoutBoxes invalid at this location in type Layout"),
        "{told:?}"
    );
    let mut files = package(&[], &[]);
    files.insert("package.xml".to_owned(), b"<Package>\n<types></Package>".to_vec());
    let result = client.deploy(&files, STRICT);
    assert_eq!(
        rows(&result, "componentFailures", &["fileName", "lineNumber"]),
        ["package.xml 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_success_needs_a_sandbox() {
    let client = Client::new(fast(), "dev1").await;
    let mut files = classes(&[("Boat", BOAT)]);
    let layout = xml(
        "Layout",
        "<layoutSections><layoutColumns><layoutItems><field>Foo__c</field></layoutItems></layoutColumns></layoutSections>",
    );
    files.insert("layouts/Account-L.layout".to_owned(), layout.into_bytes());
    files.insert(
        "package.xml".to_owned(),
        manifest(&["ApexClass:Boat", "Layout:Account-L"]).into_bytes(),
    );
    let result = client.deploy(&files, "<rollbackOnError>false</rollbackOnError>");
    assert_eq!(
        rows(&result, "result", &["status", "success"]),
        ["SucceededPartial true"]
    );
    let (_, found) = client.json("GET", "/query", "q=SELECT+Name+FROM+ApexClass", "");
    assert_eq!(found["totalSize"], 1);
    let missing = client.deploy(
        &package(&["ApexClass:Foo"], &[]),
        &format!("{STRICT}<allowMissingFiles>true</allowMissingFiles>"),
    );
    assert_eq!(value(&missing, "status"), "Succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_deployments_take_any_json_part() {
    let client = Client::new(fast(), "dev1").await;
    let zip = pack(&classes(&[("Boat", BOAT)]));
    for name in ["json", "entity_content"] {
        let mut body = format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\nContent-Type: application/json\r\n\r\n{{\"deployOptions\":{{\"checkOnly\":true,\"singlePackage\":true,\"rollbackOnError\":true}}}}\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p.zip\"\r\nContent-Type: application/zip\r\n\r\n").into_bytes();
        body.extend(&zip);
        body.extend(b"\r\n--B--\r\n");
        let reply = client.send(
            "POST",
            "/services/data/v67.0/metadata/deployRequest",
            "",
            "multipart/form-data; boundary=B",
            body,
        );
        assert_eq!(reply.status, 201);
        let made: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(made["deployResult"]["status"], "Pending");
        let id = made["id"].as_str().unwrap();
        let (_, got) = client.json(
            "GET",
            &format!("/metadata/deployRequest/{id}"),
            "includeDetails=true",
            "",
        );
        assert_eq!(
            (&got["deployResult"]["status"], &got["deployResult"]["checkOnly"]),
            (&"Succeeded".into(), &true.into())
        );
        assert_eq!(
            got["deployResult"]["details"]["componentSuccesses"][1]["fullName"],
            "Boat"
        );
    }
    let (_, rows) = client.json(
        "GET",
        "/tooling/query",
        "q=SELECT+Status,CheckOnly,Type+FROM+DeployRequest",
        "",
    );
    assert_eq!(
        (&rows["size"], &rows["records"][0]["Status"]),
        (&2.into(), &"Succeeded".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_12_code_of_a_refused_quick_deployment() {
    let mut config = fast();
    "INVALID_OPERATION".clone_into(&mut config.switches.quick_deploy_refusal);
    let client = Client::new(config, "dev1").await;
    let (code, _) = client.fault(
        "<met:deployRecentValidation><met:validationId>0Af000000000001</met:validationId></met:deployRecentValidation>",
    );
    assert_eq!(code, "sf:INVALID_OPERATION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_classes() {
    let client = Client::new(fast(), "dev1").await;
    let list: Vec<(String, String)> = (0..1_000)
        .map(|n| {
            (
                format!("Boat{n}"),
                format!("public class Boat{n} {{ Boat{} next; }}", (n + 1) % 1_000),
            )
        })
        .collect();
    let list: Vec<(&str, &str)> = list.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect();
    let result = client.deploy_ok(&classes(&list));
    assert_eq!(value(&result, "numberComponentsDeployed"), "1000");
    assert_eq!(client.retrieve(&["ApexClass:*"]).len(), 2_001);
}
