//! A client of one org that calls the simulator without sockets.

use axum::http::{HeaderMap, HeaderValue, Method};
use base64::Engine as _;
use bytes::Bytes;
use roxmltree::{Document, Node};
use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::sync::Arc;
use syncline_simulator::config::Config;
use syncline_simulator::http::{Reply, answer};
use syncline_simulator::org::{Org, sessions};
use syncline_simulator::server;
use syncline_simulator::world::World;

pub type Files = BTreeMap<String, Vec<u8>>;

pub struct Client {
    pub world: Arc<World>,
    pub org: Arc<Org>,
    pub token: String,
}

/// A world with a stepped clock: what waits happens when the test says so.
pub fn stepped() -> Config {
    Config {
        clock: "stepped".to_owned(),
        ..fast()
    }
}

pub fn fast() -> Config {
    Config {
        port: 0,
        ..Config::default()
    }
}

impl Client {
    pub async fn new(config: Config, org: &str) -> Self {
        let world = server::start(config, None).await.unwrap();
        Self::of(world, org)
    }

    pub fn of(world: Arc<World>, org: &str) -> Self {
        let org = world.org(org).unwrap();
        let token = {
            let state = org.lock();
            let user: String = state
                .db
                .query_row("SELECT Id FROM User WHERE LastName = 'admin'", [], |row| row.get(0))
                .unwrap();
            sessions::grant_access(&org, &state.db, 1, &user, None, 0).unwrap()
        };
        Self { world, org, token }
    }

    pub fn send(&self, method: &str, path: &str, query: &str, content_type: &str, body: impl Into<Bytes>) -> Reply {
        let mut headers = HeaderMap::new();
        if !path.contains("/Soap/") {
            headers.insert(
                "authorization",
                HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap(),
            );
        }
        headers.insert("content-type", HeaderValue::from_str(content_type).unwrap());
        let method: Method = method.parse().unwrap();
        answer(&self.world, &self.org, method, path, query, headers, body.into())
    }

    pub fn json(&self, method: &str, path: &str, query: &str, body: &str) -> (u16, serde_json::Value) {
        let path = format!("/services/data/v67.0{path}");
        let reply = self.send(method, &path, query, "application/json", body.to_owned());
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// Calls an operation; gives status and body.
    pub fn soap_as(&self, token: &str, path: &str, body: &str) -> (u16, String) {
        let envelope = format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:met=\"http://soap.sforce.com/2006/04/metadata\">\
             <soapenv:Header><met:SessionHeader><met:sessionId>{token}</met:sessionId></met:SessionHeader></soapenv:Header>\
             <soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
        );
        let reply = self.send("POST", path, "", "text/xml", envelope);
        (reply.status, String::from_utf8_lossy(&reply.body).into_owned())
    }

    pub fn soap(&self, body: &str) -> String {
        let (status, text) = self.soap_as(&self.token, "/services/Soap/m/67.0", body);
        assert_eq!(status, 200, "{text}");
        text
    }

    /// A fault: code and text.
    pub fn fault(&self, body: &str) -> (String, String) {
        let (status, text) = self.soap_as(&self.token, "/services/Soap/m/67.0", body);
        assert_eq!(status, 500, "{text}");
        (value(&text, "faultcode"), value(&text, "faultstring"))
    }

    pub fn deploy_start(&self, files: &Files, options: &str) -> String {
        let zip = base64::engine::general_purpose::STANDARD.encode(pack(files));
        let text = self.soap(&format!(
            "<met:deploy><met:ZipFile>{zip}</met:ZipFile><met:DeployOptions>{options}</met:DeployOptions></met:deploy>"
        ));
        value(&text, "id")
    }

    pub fn deploy_status(&self, id: &str) -> String {
        self.soap(&format!(
            "<met:checkDeployStatus><met:asyncProcessId>{id}</met:asyncProcessId><met:includeDetails>True</met:includeDetails></met:checkDeployStatus>"
        ))
    }

    /// Deploys with a fast clock; gives the result.
    pub fn deploy(&self, files: &Files, options: &str) -> String {
        let id = self.deploy_start(files, &format!("<singlePackage>true</singlePackage>{options}"));
        self.deploy_status(&id)
    }

    /// Deploys what must succeed.
    pub fn deploy_ok(&self, files: &Files) -> String {
        let result = self.deploy(files, "<rollbackOnError>true</rollbackOnError>");
        assert_eq!(value(&result, "status"), "Succeeded", "{result}");
        result
    }

    pub fn retrieve_result(&self, request: &str) -> String {
        let started = self.soap(&format!("<met:retrieve><request>{request}</request></met:retrieve>"));
        let id = value(&started, "id");
        self.soap(&format!(
            "<met:checkRetrieveStatus><met:asyncProcessId>{id}</met:asyncProcessId><met:includeZip>true</met:includeZip></met:checkRetrieveStatus>"
        ))
    }

    /// Retrieves unpackaged members (`Type:Name`), gives the files below `unpackaged/`.
    pub fn retrieve(&self, members: &[&str]) -> Files {
        let result = self.retrieve_result(&unpackaged(members));
        assert_eq!(value(&result, "status"), "Succeeded", "{result}");
        unpack(&result)
            .into_iter()
            .map(|(path, content)| (path.strip_prefix("unpackaged/").unwrap().to_owned(), content))
            .collect()
    }
}

pub fn unpackaged(members: &[&str]) -> String {
    let types: String = members
        .iter()
        .map(|member| {
            let (kind, name) = member.split_once(':').unwrap();
            format!("<types><members>{name}</members><name>{kind}</name></types>")
        })
        .collect();
    format!("<unpackaged>{types}<version>67.0</version></unpackaged>")
}

/// The zip in the answer of checkRetrieveStatus.
pub fn unpack(result: &str) -> Files {
    let zip = base64::engine::general_purpose::STANDARD
        .decode(value(result, "zipFile"))
        .unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
    (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

pub fn pack(files: &Files) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in files {
        writer
            .start_file(path, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Files with a package.xml that names these members.
pub fn package(members: &[&str], files: &[(&str, &str)]) -> Files {
    let mut all: Files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    all.insert("package.xml".to_owned(), manifest(members).into_bytes());
    all
}

pub fn manifest(members: &[&str]) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Package xmlns=\"http://soap.sforce.com/2006/04/metadata\">{}</Package>",
        unpackaged(members)
            .replace("<unpackaged>", "")
            .replace("</unpackaged>", "")
    )
}

/// A metadata file.
pub fn xml(kind: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{kind} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{inner}</{kind}>\n"
    )
}

/// The text of the first element of that name in an answer; empty when there is none.
pub fn value(text: &str, name: &str) -> String {
    let document = Document::parse(text).unwrap();
    document
        .descendants()
        .find(|node| node.has_tag_name_local(name))
        .and_then(|node| node.text())
        .unwrap_or_default()
        .to_owned()
}

/// The texts of elements `inner` of each element `outer`, joined by a blank.
pub fn rows(text: &str, outer: &str, inner: &[&str]) -> Vec<String> {
    let document = Document::parse(text).unwrap();
    document
        .descendants()
        .filter(|node| node.has_tag_name_local(outer))
        .map(|node| {
            let texts: Vec<&str> = inner
                .iter()
                .map(|name| {
                    node.children()
                        .find(|child| child.has_tag_name_local(name))
                        .and_then(|child| child.text())
                        .unwrap_or("-")
                })
                .collect();
            texts.join(" ")
        })
        .collect()
}

trait LocalName {
    fn has_tag_name_local(&self, name: &str) -> bool;
}

impl LocalName for Node<'_, '_> {
    fn has_tag_name_local(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}
