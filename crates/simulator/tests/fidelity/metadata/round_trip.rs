//! A repository deployed and retrieved means the same.

use super::client::{Client, Files, fast, package, xml};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff;

const MEMBERS: &[&str] = &[
    "CustomObject:Boat__c",
    "Profile:Skipper",
    "PermissionSet:Crew",
    "Layout:Boat__c-Boat %28Sail%29 Layout",
    "Flow:Boat_Check",
    "CustomLabels:CustomLabels",
    "StaticResource:Chart",
    "LightningComponentBundle:boatCard",
    "ApexClass:BoatService",
    "ApexClass:BoatServiceTest",
    "ApexTrigger:BoatTrigger",
    "Workflow:Boat__c",
    "SharingRules:Boat__c",
    "GlobalValueSet:Hulls",
    "Settings:Account",
    "CustomMetadata:Rig.Sloop",
    "CustomObject:Rig__mdt",
    "ReportFolder:Fleet",
    "Report:Fleet/Boats",
    "CustomTab:Boat__c",
    "RemoteSiteSetting:Weather",
];

/// The repository of the test.
pub fn repository() -> Files {
    let class = |body: &str| body.to_owned();
    let meta = |kind: &str| xml(kind, "<apiVersion>67.0</apiVersion><status>Active</status>");
    let field =
        |name: &str, rest: &str| format!("<fields><fullName>{name}</fullName><label>{name}</label>{rest}</fields>");
    let object = xml(
        "CustomObject",
        &format!(
            "<label>Boat</label><pluralLabel>Boats</pluralLabel><deploymentStatus>Deployed</deploymentStatus><sharingModel>ReadWrite</sharingModel>\
             <nameField><label>Name</label><type>Text</type></nameField>{}{}{}\
             <validationRules><fullName>Long</fullName><active>true</active><errorConditionFormula>Length__c &gt; 100 &amp;&amp; ISBLANK(Rig__c)</errorConditionFormula><errorMessage>Too \"long\"</errorMessage></validationRules>\
             <recordTypes><fullName>Racer</fullName><active>true</active><label>Racer</label><picklistValues><picklist>Rig__c</picklist><values><fullName>Sloop</fullName><default>false</default></values><values><fullName>Cat</fullName><default>false</default></values></picklistValues></recordTypes>",
            field(
                "Length__c",
                "<precision>5</precision><scale>1</scale><type>Number</type>"
            ),
            field(
                "Rig__c",
                "<type>Picklist</type><valueSet><valueSetDefinition><sorted>false</sorted><value><fullName>Sloop</fullName><default>true</default><label>Sloop</label></value><value><fullName>Cat</fullName><default>false</default><label>Cat</label></value></valueSetDefinition></valueSet>"
            ),
            field(
                "Owner_Account__c",
                "<referenceTo>Account</referenceTo><relationshipName>Boats</relationshipName><type>Lookup</type>"
            ),
        ),
    );
    let rig = xml(
        "CustomObject",
        "<label>Rig</label><pluralLabel>Rigs</pluralLabel><fields><fullName>Masts__c</fullName><label>Masts</label><precision>2</precision><scale>0</scale><type>Number</type></fields>",
    );
    package(
        MEMBERS,
        &[
            ("objects/Boat__c.object", &object),
            ("objects/Rig__mdt.object", &rig),
            (
                "profiles/Skipper.profile",
                &xml(
                    "Profile",
                    "<custom>true</custom><userLicense>Salesforce</userLicense><classAccesses><apexClass>BoatService</apexClass><enabled>true</enabled></classAccesses><fieldPermissions><editable>true</editable><field>Boat__c.Rig__c</field><readable>true</readable></fieldPermissions><fieldPermissions><editable>true</editable><field>Boat__c.Length__c</field><readable>true</readable></fieldPermissions><userPermissions><enabled>true</enabled><name>ViewSetup</name></userPermissions><userPermissions><enabled>true</enabled><name>ApiEnabled</name></userPermissions>",
                ),
            ),
            (
                "permissionsets/Crew.permissionset",
                &xml(
                    "PermissionSet",
                    "<label>Crew</label><hasActivationRequired>false</hasActivationRequired><objectPermissions><allowCreate>true</allowCreate><allowDelete>false</allowDelete><allowEdit>true</allowEdit><allowRead>true</allowRead><modifyAllRecords>false</modifyAllRecords><object>Boat__c</object><viewAllRecords>false</viewAllRecords></objectPermissions>",
                ),
            ),
            (
                "layouts/Boat__c-Boat %28Sail%29 Layout.layout",
                &xml(
                    "Layout",
                    "<layoutSections><customLabel>false</customLabel><layoutColumns><layoutItems><behavior>Edit</behavior><field>Rig__c</field></layoutItems><layoutItems><behavior>Edit</behavior><field>Length__c</field></layoutItems></layoutColumns><style>OneColumn</style></layoutSections>",
                ),
            ),
            (
                "flows/Boat_Check.flow",
                &xml(
                    "Flow",
                    "<apiVersion>67.0</apiVersion><label>Boat Check</label><processType>AutoLaunchedFlow</processType><status>Active</status><decisions><name>Zulu</name><label>Z</label><locationX>1</locationX><locationY>2</locationY><defaultConnectorLabel>No</defaultConnectorLabel><rules><name>R2</name><conditionLogic>and</conditionLogic><label>R2</label></rules><rules><name>R1</name><conditionLogic>and</conditionLogic><label>R1</label></rules></decisions><start><locationX>0</locationX><locationY>0</locationY></start>",
                ),
            ),
            (
                "labels/CustomLabels.labels",
                &xml(
                    "CustomLabels",
                    "<labels><fullName>Zephyr</fullName><language>en_US</language><protected>false</protected><shortDescription>Zephyr</shortDescription><value>It's \"calm\"</value></labels><labels><fullName>Ahoy</fullName><language>en_US</language><protected>false</protected><shortDescription>Ahoy</shortDescription><value>Ahoy</value></labels>",
                ),
            ),
            ("staticresources/Chart.resource", "chart \u{1f6a4}"),
            (
                "staticresources/Chart.resource-meta.xml",
                &xml(
                    "StaticResource",
                    "<cacheControl>Public</cacheControl><contentType>text/plain</contentType>",
                ),
            ),
            (
                "lwc/boatCard/boatCard.js",
                "import { LightningElement } from 'lwc';\nexport default class BoatCard extends LightningElement {}\n",
            ),
            ("lwc/boatCard/boatCard.html", "<template></template>\n"),
            (
                "lwc/boatCard/boatCard.js-meta.xml",
                &xml(
                    "LightningComponentBundle",
                    "<apiVersion>67.0</apiVersion><isExposed>true</isExposed><targets><target>lightning__RecordPage</target></targets>",
                ),
            ),
            (
                "classes/BoatService.cls",
                &class("public class BoatService { public static Integer two() { return 2; } }\n"),
            ),
            ("classes/BoatService.cls-meta.xml", &meta("ApexClass")),
            (
                "classes/BoatServiceTest.cls",
                "@IsTest\nprivate class BoatServiceTest {\n  @IsTest static void works() { System.assertEquals(2, BoatService.two()); }\n}\n",
            ),
            ("classes/BoatServiceTest.cls-meta.xml", &meta("ApexClass")),
            (
                "triggers/BoatTrigger.trigger",
                "trigger BoatTrigger on Boat__c (before insert) { }\n",
            ),
            ("triggers/BoatTrigger.trigger-meta.xml", &meta("ApexTrigger")),
            (
                "workflows/Boat__c.workflow",
                &xml(
                    "Workflow",
                    "<fieldUpdates><fullName>Set_Length</fullName><field>Length__c</field><name>Set Length</name><notifyAssignee>false</notifyAssignee><operation>Null</operation><protected>false</protected></fieldUpdates>",
                ),
            ),
            (
                "sharingRules/Boat__c.sharingRules",
                &xml(
                    "SharingRules",
                    "<sharingCriteriaRules><fullName>All</fullName><accessLevel>Read</accessLevel><label>All</label><sharedTo><allInternalUsers></allInternalUsers></sharedTo><criteriaItems><field>Rig__c</field><operation>equals</operation><value>Cat</value></criteriaItems></sharingCriteriaRules>",
                ),
            ),
            (
                "globalValueSets/Hulls.globalValueSet",
                &xml(
                    "GlobalValueSet",
                    "<masterLabel>Hulls</masterLabel><sorted>false</sorted><customValue><fullName>Two</fullName><default>false</default><label>Two</label></customValue><customValue><fullName>One</fullName><default>false</default><label>One</label></customValue>",
                ),
            ),
            (
                "settings/Account.settings",
                &xml(
                    "AccountSettings",
                    "<enableAccountOwnerReport>false</enableAccountOwnerReport>",
                ),
            ),
            (
                "customMetadata/Rig.Sloop.md",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomMetadata xmlns=\"http://soap.sforce.com/2006/04/metadata\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"><label>Sloop</label><protected>false</protected><values><field>Masts__c</field><value xsi:type=\"xsd:double\">1.0</value></values></CustomMetadata>\n",
            ),
            ("reports/Fleet-meta.xml", &xml("ReportFolder", "<name>Fleet</name>")),
            (
                "reports/Fleet/Boats.report",
                &xml(
                    "Report",
                    "<columns><field>Boat__c$Name</field></columns><columns><field>Boat__c$Rig__c</field></columns><format>Tabular</format><name>Boats</name><reportType>CustomEntity$Boat__c</reportType><scope>user</scope><showDetails>true</showDetails><timeFrameFilter><dateColumn>CUST_CREATED_DATE</dateColumn><interval>INTERVAL_CUSTOM</interval></timeFrameFilter>",
                ),
            ),
            (
                "tabs/Boat__c.tab",
                &xml(
                    "CustomTab",
                    "<customObject>true</customObject><motif>Custom53: Bell</motif>",
                ),
            ),
            (
                "remoteSiteSettings/Weather.remoteSite",
                &xml(
                    "RemoteSiteSetting",
                    "<disableProtocolSecurity>false</disableProtocolSecurity><isActive>true</isActive><url>https://weather.example</url>",
                ),
            ),
        ],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_comes_back_with_the_same_meaning() {
    let client = Client::new(fast(), "dev1").await;
    let repository = repository();
    client.deploy_ok(&repository);
    let retrieved = client.retrieve(MEMBERS);
    let paths = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(paths(&retrieved), paths(&repository));
    let mut reprinted = 0;
    for (path, content) in &repository {
        if path == "package.xml" {
            continue;
        }
        let changes = diff::diff(
            &ComponentId::new("Any", "File"),
            path,
            Some(content),
            Some(&retrieved[path]),
        )
        .unwrap();
        assert_eq!(changes, [], "{path}\n{}", String::from_utf8_lossy(&retrieved[path]));
        reprinted += usize::from(*content != retrieved[path]);
    }
    // The server writes XML anew, so most files differ in bytes.
    assert!(reprinted > 15, "{reprinted}");
}
