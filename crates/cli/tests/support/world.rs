//! A production and sandboxes that hold the same, logins to all of them, and a repository that was set up from them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::outside::{Files, Outside, differences};
use super::simulator::Simulator;
use super::{Ran, TestEnv};

/// Environments below production by name; each is an org too.
pub const BELOW: [&str; 4] = ["uat", "dev1", "dev2", "dev3"];
/// All of them.
pub const ALL: [&str; 5] = ["production", "uat", "dev1", "dev2", "dev3"];

pub struct World {
    pub env: TestEnv,
    pub simulator: Simulator,
    /// What each org came with.
    standard: BTreeMap<String, Files>,
}

impl World {
    /// Orgs that hold [`base`], and a repository that a user has set up from them.
    pub fn start() -> Self {
        Self::of(&ALL)
    }

    /// The same with these orgs only.
    pub fn of(names: &[&str]) -> Self {
        Self::within(TestEnv::repository(), names)
    }

    /// The same in this repository.
    pub fn within(env: TestEnv, names: &[&str]) -> Self {
        let mut world = Self::bare(env, names, "");
        for org in names {
            let standard = world.admin(org).files();
            world.standard.insert((*org).to_owned(), standard);
            world.admin(org).change(&base(), &[]);
        }
        world.log_in(names);
        world.ok(&format!("init --from-org {}", names.join(" ")));
        world
    }

    /// Orgs of these names without logins; `more` goes into the configuration of the simulator.
    pub fn bare(env: TestEnv, names: &[&str], more: &str) -> Self {
        let mut config = String::new();
        for name in names {
            let kind = match *name {
                "production" => "production",
                "uat" => "Partial",
                _ => "Developer",
            };
            config.push_str(&format!("[[orgs]]\nname = \"{name}\"\nkind = \"{kind}\"\n"));
        }
        let simulator = Simulator::configured(&env, &(config + more), &[]);
        Self {
            env,
            simulator,
            standard: BTreeMap::new(),
        }
    }

    pub fn log_in(&self, names: &[&str]) {
        for name in names {
            let more: &[&str] = if *name == "production" {
                &["--production-writes"]
            } else {
                &[]
            };
            let ran = self.simulator.login(&self.env, name, &self.simulator.url(name), more);
            assert_eq!(ran.code, 0, "{ran}");
        }
    }

    /// The administrator of an org, with a program that is not Syncline.
    pub fn admin(&self, org: &str) -> Outside {
        Outside::admin(&self.simulator, org)
    }

    pub fn run(&self, line: &str) -> Ran {
        self.env.syncline(line)
    }

    pub fn ok(&self, line: &str) -> Ran {
        self.ends(line, 0)
    }

    /// Runs a line that has to end with this code.
    pub fn ends(&self, line: &str, code: i32) -> Ran {
        let ran = self.run(line);
        assert_eq!(ran.code, code, "syncline {line}\n{ran}");
        ran
    }

    /// What a line that ends with 0 or 1 tells as JSON.
    pub fn json(&self, line: &str) -> Value {
        let ran = self.run(&format!("{line} --json"));
        assert!(ran.code < 2, "syncline {line}\n{ran}");
        ran.json()
    }

    /// The components that an org has in the simulator's own books.
    pub fn components(&self, org: &str) -> Vec<String> {
        let told = self.simulator.control(org, "GET", "components", &Value::Null);
        let rows = told["components"].as_array().expect("rows");
        let text = |row: &Value, name: &str| row[name].as_str().expect("text").to_owned();
        rows.iter()
            .map(|row| format!("{}:{}", text(row, "type"), text(row, "name")))
            .collect()
    }

    /// Expects an org to hold these files beside what it came with, element by element.
    pub fn holds(&self, org: &str, files: &Files) {
        let mut all = self.standard[org].clone();
        all.extend(files.clone());
        assert_eq!(differences(&all, &self.admin(org).files()), "", "{org}");
    }

    pub fn git(&self, line: &str) -> String {
        self.env.git_ok(&line.split_whitespace().collect::<Vec<_>>())
    }
}

fn xml(root: &str, inner: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n{inner}</{root}>\n"
    )
    .into_bytes()
}

/// A class with these lines in it.
pub fn class(files: &mut Files, name: &str, lines: &[&str]) {
    let body: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    files.insert(
        format!("classes/{name}.cls"),
        format!("public class {name} {{\n{body}}}\n").into_bytes(),
    );
    files.insert(
        format!("classes/{name}.cls-meta.xml"),
        xml(
            "ApexClass",
            "    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n",
        ),
    );
}

pub fn labels(files: &mut Files, labels: &[(&str, &str)]) {
    let all: String = labels
        .iter()
        .map(|(name, value)| {
            format!(
                "    <labels>\n        <fullName>{name}</fullName>\n        <language>en_US</language>\n        <protected>true</protected>\n        \
                 <shortDescription>{name}</shortDescription>\n        <value>{value}</value>\n    </labels>\n"
            )
        })
        .collect();
    files.insert("labels/CustomLabels.labels".to_owned(), xml("CustomLabels", &all));
}

fn access(classes: &[(&str, bool)]) -> String {
    classes
        .iter()
        .map(|(name, enabled)| {
            format!(
                "    <classAccesses>\n        <apexClass>{name}</apexClass>\n        <enabled>{enabled}</enabled>\n    </classAccesses>\n"
            )
        })
        .collect()
}

/// The profile of the clerks, who use these classes.
pub fn profile(files: &mut Files, classes: &[(&str, bool)]) {
    let inner = access(classes) + "    <custom>true</custom>\n    <userLicense>Salesforce</userLicense>\n";
    files.insert("profiles/Clerk.profile".to_owned(), xml("Profile", &inner));
}

pub fn permission_set(files: &mut Files, classes: &[(&str, bool)]) {
    let inner =
        access(classes) + "    <hasActivationRequired>false</hasActivationRequired>\n    <label>Billing</label>\n";
    files.insert(
        "permissionsets/Billing.permissionset".to_owned(),
        xml("PermissionSet", &inner),
    );
}

/// Invoices with these text fields and their lengths.
pub fn invoice(files: &mut Files, fields: &[(&str, u32)]) {
    let mut inner = "    <deploymentStatus>Deployed</deploymentStatus>\n".to_owned();
    for (name, length) in fields {
        inner.push_str(&format!(
            "    <fields>\n        <fullName>{name}</fullName>\n        <label>{name}</label>\n        <length>{length}</length>\n        \
             <required>false</required>\n        <type>Text</type>\n        <unique>false</unique>\n    </fields>\n"
        ));
    }
    inner.push_str(
        "    <label>Invoice</label>\n    <nameField>\n        <label>Invoice Name</label>\n        <type>Text</type>\n    </nameField>\n    \
         <pluralLabel>Invoices</pluralLabel>\n    <sharingModel>ReadWrite</sharingModel>\n",
    );
    files.insert("objects/Invoice__c.object".to_owned(), xml("CustomObject", &inner));
}

pub fn remote_site(files: &mut Files, name: &str) {
    let inner = format!(
        "    <disableProtocolSecurity>false</disableProtocolSecurity>\n    <isActive>true</isActive>\n    \
         <url>https://{}.example.com</url>\n",
        name.to_lowercase()
    );
    files.insert(
        format!("remoteSiteSettings/{name}.remoteSite"),
        xml("RemoteSiteSetting", &inner),
    );
}

/// What all orgs begin with.
pub fn base() -> Files {
    let mut files = Files::new();
    class(&mut files, "Tax", &["Integer rate = 19;", "", "Integer digits = 2;"]);
    class(&mut files, "Fee", &["Integer fee = 1;"]);
    invoice(&mut files, &[("Note__c", 80), ("Text__c", 80)]);
    labels(&mut files, &[("Bye", "Bye"), ("Greeting", "Hello")]);
    profile(&mut files, &[("Fee", true), ("Tax", true)]);
    permission_set(&mut files, &[("Fee", true), ("Tax", true)]);
    files
}

/// A copy with a change.
pub fn changed(files: &Files, change: impl FnOnce(&mut Files)) -> Files {
    let mut files = files.clone();
    change(&mut files);
    files
}

/// The files that differ between two states, as they are in the second one: what somebody deploys.
pub fn news(before: &Files, after: &Files) -> Files {
    let is_new = |(path, bytes): &(&String, &Vec<u8>)| before.get(*path) != Some(*bytes);
    let mut new: Files = after
        .iter()
        .filter(is_new)
        .map(|(path, bytes)| (path.clone(), bytes.clone()))
        .collect();
    // Code and its meta file go together.
    for (path, bytes) in after {
        let together = path
            .strip_suffix("-meta.xml")
            .map_or_else(|| format!("{path}-meta.xml"), str::to_owned);
        if new.contains_key(&together) {
            new.insert(path.clone(), bytes.clone());
        }
    }
    new
}
