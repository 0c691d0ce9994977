//! Other clients of an org: what people do there without Syncline, and what the org really holds, over the Metadata API.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::diff;
use syncline_salesforce::metadata::{ArchiveWriter, ZipReader};

use super::simulator::{Simulator, request, request_with};

/// Files of an org in Metadata API format by path.
pub type Files = BTreeMap<String, Vec<u8>>;

const VERSION: &str = "66.0";

/// Folder, ending and type of the files here.
const KINDS: &[(&str, &str, &str)] = &[
    ("classes", ".cls", "ApexClass"),
    ("flows", ".flow", "Flow"),
    ("labels", ".labels", "CustomLabels"),
    ("objects", ".object", "CustomObject"),
    ("permissionsets", ".permissionset", "PermissionSet"),
    ("profiles", ".profile", "Profile"),
    ("remoteSiteSettings", ".remoteSite", "RemoteSiteSetting"),
];

/// The component of a file.
fn component(path: &str) -> ComponentId {
    let (folder, file) = path.split_once('/').expect("a folder");
    let (_, ending, kind) = KINDS.iter().find(|(name, ..)| *name == folder).expect("a known folder");
    let name = file.strip_suffix("-meta.xml").unwrap_or(file);
    ComponentId::new(*kind, name.strip_suffix(ending).expect("its ending"))
}

/// A user of an org who works there with another program.
pub struct Outside {
    host: String,
    token: String,
}

impl Outside {
    /// The administrator that the simulator begins with.
    pub fn admin(simulator: &Simulator, org: &str) -> Self {
        Self {
            host: simulator.host(org),
            token: simulator.token(org),
        }
    }

    /// A new administrator of that name.
    pub fn colleague(simulator: &Simulator, org: &str, name: &str) -> Self {
        let admin = Self::admin(simulator, org);
        let profile = "SELECT Id FROM Profile WHERE Name = 'System Administrator'";
        let found = admin.rest("GET", &format!("query?q={}", profile.replace(' ', "+")), &Value::Null);
        let username = format!("{}@{org}.example", name.to_lowercase());
        let user = json!({
            "Username": username,
            "LastName": name,
            "Email": username,
            "Alias": name.to_lowercase().chars().take(8).collect::<String>(),
            "ProfileId": found["records"][0]["Id"],
        });
        admin.rest("POST", "sobjects/User", &user);
        Self {
            token: simulator.token_of(org, &username),
            host: admin.host,
        }
    }

    /// A request of the REST API that has to succeed.
    pub fn rest(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let path = format!("/services/data/v{VERSION}/{path}");
        let headers = format!("Authorization: Bearer {}\r\n", self.token);
        let (status, _, text) = request_with(&self.host, method, &path, "application/json", &headers, &body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn soap(&self, body: &str) -> String {
        let envelope = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns=\"http://soap.sforce.com/2006/04/metadata\"><e:Header><SessionHeader><sessionId>{}</sessionId></SessionHeader></e:Header>\
             <e:Body>{body}</e:Body></e:Envelope>",
            self.token
        );
        let path = format!("/services/Soap/m/{VERSION}");
        let (status, _, text) = request(&self.host, "POST", &path, "text/xml", &envelope);
        assert_eq!(status, 200, "{text}");
        text
    }

    /// Deploys these files, and deletes these components.
    pub fn change(&self, files: &Files, deletions: &[&str]) {
        let mut zip = ArchiveWriter::default();
        for (path, bytes) in files {
            zip.add(path, bytes).expect("packed");
        }
        let members = files.keys().map(|path| component(path)).collect::<Vec<_>>();
        zip.add("package.xml", manifest(&members).as_bytes()).expect("packed");
        if !deletions.is_empty() {
            let gone: Vec<ComponentId> = deletions.iter().map(|id| id.parse().expect("an id")).collect();
            zip.add("destructiveChangesPost.xml", manifest(&gone).as_bytes())
                .expect("packed");
        }
        let zip = STANDARD.encode(zip.finish().expect("a zip"));
        let sent = self.soap(&format!(
            "<deploy><ZipFile>{zip}</ZipFile><DeployOptions><rollbackOnError>true</rollbackOnError>\
             <singlePackage>true</singlePackage></DeployOptions></deploy>"
        ));
        let ended = self.wait(&format!(
            "<checkDeployStatus><asyncProcessId>{}</asyncProcessId><includeDetails>true</includeDetails></checkDeployStatus>",
            between(&sent, "id")
        ));
        assert!(ended.contains("<status>Succeeded</status>"), "{ended}");
    }

    /// Asks until the job is done.
    fn wait(&self, question: &str) -> String {
        let mut answers = (0..100).map(|_| self.soap(question));
        let ended = answers.find(|answer| between(answer, "done") == "true");
        ended.expect("the job ends")
    }

    /// Everything of the types known here, in one retrieve.
    pub fn files(&self) -> Files {
        let types: String = KINDS
            .iter()
            .map(|(.., kind)| format!("<types><members>*</members><name>{kind}</name></types>"))
            .collect();
        let sent = self.soap(&format!(
            "<retrieve><retrieveRequest><apiVersion>{VERSION}</apiVersion><singlePackage>true</singlePackage>\
             <unpackaged>{types}<version>{VERSION}</version></unpackaged></retrieveRequest></retrieve>"
        ));
        let ended = self.wait(&format!(
            "<checkRetrieveStatus><asyncProcessId>{}</asyncProcessId><includeZip>true</includeZip></checkRetrieveStatus>",
            between(&sent, "id")
        ));
        let zip = STANDARD.decode(between(&ended, "zipFile")).expect("base64");
        let mut files = Files::new();
        let mut zip = ZipReader::open("retrieve", zip).expect("a zip");
        zip.each(|path, bytes| {
            if path != "package.xml" {
                files.insert(path.to_owned(), bytes);
            }
            Ok::<_, syncline_salesforce::Error>(())
        })
        .expect("read");
        files
    }
}

/// What two states have otherwise, one element a line.
pub fn differences(expected: &Files, found: &Files) -> String {
    let paths: std::collections::BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        let sides = [expected, found].map(|files| files.get(path).map(Vec::as_slice));
        for one in diff(&component(path), path, sides[0], sides[1]).expect("compared") {
            lines.push(format!("{} {}: {:?} {:?}", one.path, one.kind.name(), one.from, one.to));
        }
    }
    lines.join("\n")
}

fn manifest(members: &[ComponentId]) -> String {
    let types: String = members
        .iter()
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .map(|id| {
            format!(
                "<types><members>{}</members><name>{}</name></types>",
                id.full_name, id.type_name
            )
        })
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">{types}<version>{VERSION}</version></Package>\n"
    )
}

/// The text of the first element of that name.
fn between<'t>(text: &'t str, name: &str) -> &'t str {
    let begin = format!("<{name}>");
    assert!(text.contains(&begin), "no {name} in {text}");
    let (_, rest) = text.split_once(&begin).expect("looked for above");
    rest.split_once("</").expect("its end").0
}
