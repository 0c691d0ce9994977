//! Retrievals: items 27 and 30 to 32 of section 12.

use super::client::{Client, fast, package, rows, stepped, unpack, unpackaged, value, xml};
use super::deploy::classes;
use super::round_trip::repository;
use syncline_simulator::config::ChangeSet;

#[tokio::test(flavor = "multi_thread")]
async fn item_27_profiles_depend_on_the_manifest() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&repository());
    let profile = |members: &[&str]| {
        let files = client.retrieve(members);
        String::from_utf8(files["profiles/Skipper.profile"].clone()).unwrap()
    };
    let alone = profile(&["Profile:Skipper"]);
    assert!(
        alone.contains("<name>ApiEnabled</name>")
            && !alone.contains("classAccesses")
            && !alone.contains("fieldPermissions")
    );
    let with_class = profile(&["Profile:Skipper", "ApexClass:BoatService"]);
    assert!(with_class.contains("classAccesses") && !with_class.contains("fieldPermissions"));
    let with_field = profile(&["Profile:Skipper", "CustomField:Boat__c.Rig__c"]);
    assert!(with_field.contains("Boat__c.Rig__c") && !with_field.contains("Boat__c.Length__c"));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_30_missing_members_warn_and_wrong_packages_fail() {
    let mut config = fast();
    config.change_sets = vec![ChangeSet {
        org: "dev1".to_owned(),
        name: "My Set".to_owned(),
        members: vec!["ApexClass:Boat".to_owned()],
    }];
    let client = Client::new(config, "dev1").await;
    client.deploy_ok(&classes(&[("Boat", "class Boat { }")]));
    let result = client.retrieve_result(&unpackaged(&["ApexClass:Foo", "Nonsense:X", "ApexClass:*"]));
    assert_eq!(value(&result, "status"), "Succeeded");
    assert_eq!(
        rows(&result, "messages", &["problem"]),
        [
            "Entity of type 'ApexClass' named 'Foo' cannot be found",
            "Entity type 'Nonsense' is unknown"
        ]
    );
    assert!(unpack(&result).contains_key("unpackaged/classes/Boat.cls"));
    let failed = client.retrieve_result("<packageNames>Other</packageNames><packageNames>Third</packageNames>");
    assert_eq!(value(&failed, "status"), "Failed");
    assert_eq!(
        value(&failed, "errorMessage"),
        "INVALID_CROSS_REFERENCE_KEY: No package named 'Other' found."
    );
    let set = unpack(&client.retrieve_result("<packageNames>My Set</packageNames>"));
    assert_eq!(
        set.keys().collect::<Vec<_>>(),
        [
            "My Set/classes/Boat.cls",
            "My Set/classes/Boat.cls-meta.xml",
            "My Set/package.xml"
        ]
    );
    let root = unpack(&client.retrieve_result(&format!(
        "<singlePackage>true</singlePackage>{}",
        unpackaged(&["ApexClass:Boat"])
    )));
    assert!(root.contains_key("classes/Boat.cls"));
}

#[tokio::test(flavor = "multi_thread")]
async fn item_31_the_server_writes_xml_anew() {
    let client = Client::new(fast(), "dev1").await;
    let site = xml(
        "RemoteSiteSetting",
        "<!-- mine -->\n\t<description>say \"ah\"</description><url>https://a.example/?q='1'</url><isActive>true</isActive>",
    );
    client.deploy_ok(&package(
        &["RemoteSiteSetting:A"],
        &[("remoteSiteSettings/A.remoteSite", &site)],
    ));
    let files = client.retrieve(&["RemoteSiteSetting:A"]);
    assert_eq!(
        String::from_utf8_lossy(&files["remoteSiteSettings/A.remoteSite"]),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<RemoteSiteSetting xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
         <description>say &quot;ah&quot;</description>\n    <disableProtocolSecurity>false</disableProtocolSecurity>\n    <isActive>true</isActive>\n    \
         <url>https://a.example/?q=&apos;1&apos;</url>\n</RemoteSiteSetting>\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn item_32_sorts_what_the_server_sorts_only() {
    let client = Client::new(fast(), "dev1").await;
    client.deploy_ok(&repository());
    let files = client.retrieve(&[
        "Profile:Skipper",
        "CustomObject:Boat__c",
        "GlobalValueSet:Hulls",
        "Flow:Boat_Check",
        "Report:Fleet/Boats",
    ]);
    let before = |path: &str, first: &str, second: &str| {
        let text = String::from_utf8_lossy(&files[path]).into_owned();
        let (first, second) = (text.find(first), text.find(second));
        assert!(first.is_some() && second.is_some() && first < second, "{path}: {text}");
    };
    before("profiles/Skipper.profile", "ApiEnabled", "ViewSetup");
    before("profiles/Skipper.profile", "Boat__c.Length__c", "Boat__c.Rig__c");
    before(
        "objects/Boat__c.object",
        "<fullName>Cat</fullName>\n                <default>",
        "<fullName>Sloop</fullName>\n                <default>false",
    );
    // Written in the order Sloop, Cat; Two, One; R2, R1.
    before(
        "objects/Boat__c.object",
        "<fullName>Sloop</fullName>\n                    <default>true",
        "<fullName>Cat</fullName>\n                    <default>false",
    );
    before("globalValueSets/Hulls.globalValueSet", "Two", "One");
    before("flows/Boat_Check.flow", "<name>R2</name>", "<name>R1</name>");
    before("reports/Fleet/Boats.report", "Boat__c$Name", "Boat__c$Rig__c");
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_12_a_zip_is_given_out_once() {
    let client = Client::new(fast(), "dev1").await;
    let started = client.soap(&format!(
        "<met:retrieve><request>{}</request></met:retrieve>",
        unpackaged(&["Profile:Admin"])
    ));
    let id = value(&started, "id");
    let check = |zip: bool| {
        format!(
            "<met:checkRetrieveStatus><met:asyncProcessId>{id}</met:asyncProcessId><met:includeZip>{zip}</met:includeZip></met:checkRetrieveStatus>"
        )
    };
    for _ in 0..2 {
        assert_eq!(value(&client.soap(&check(false)), "zipFile"), "");
    }
    assert_ne!(value(&client.soap(&check(true)), "zipFile"), "");
    client.fault(&check(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_12_too_many_retrievals_wait() {
    for (set, most) in [(Some(1), 1), (None, 10)] {
        let mut config = stepped();
        if let Some(most) = set {
            config.switches.concurrent_retrieves = most;
        }
        let client = Client::new(config, "dev1").await;
        let request = format!(
            "<met:retrieve><request>{}</request></met:retrieve>",
            unpackaged(&["Profile:Admin"])
        );
        let ids: Vec<String> = (0..=most).map(|_| value(&client.soap(&request), "id")).collect();
        client.world.clock.step(1_200);
        let states: Vec<String> = ids
            .iter()
            .map(|id| {
                let check = format!(
                    "<met:checkRetrieveStatus><met:asyncProcessId>{id}</met:asyncProcessId></met:checkRetrieveStatus>"
                );
                value(&client.soap(&check), "status")
            })
            .collect();
        assert!(states[..most].iter().all(|state| state == "InProgress"), "{states:?}");
        assert_eq!(states[most], "Pending");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_12_zips_can_be_kept() {
    let mut config = fast();
    config.switches.retrieve_zip_once = false;
    let client = Client::new(config, "dev1").await;
    let started = client.soap(&format!(
        "<met:retrieve><request>{}</request></met:retrieve>",
        unpackaged(&["Profile:Admin"])
    ));
    let id = value(&started, "id");
    let check = format!(
        "<met:checkRetrieveStatus><met:asyncProcessId>{id}</met:asyncProcessId><met:includeZip>true</met:includeZip></met:checkRetrieveStatus>"
    );
    for _ in 0..2 {
        assert_ne!(value(&client.soap(&check), "zipFile"), "");
    }
}
