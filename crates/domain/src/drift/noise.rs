//! Differences that say nothing, as a table of rules.

use std::fmt;
use std::sync::LazyLock;

use syncline_metadata::path::{ElementPath, Step};

use super::grant;
use crate::pattern::{ComponentPattern, glob};

/// Rules for differences that say nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    rules: Vec<NoiseRule>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoiseRule {
    component: ComponentPattern,
    steps: Vec<StepPattern>,
    changes: Vec<Change>,
    value: Value,
    /// Why it says nothing.
    pub reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum StepPattern {
    /// Any number of steps.
    Any,
    /// A step by its name; with a selector only that item.
    One(String),
}

/// What was added or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Anything.
    Any,
    /// A leaf with this text.
    Text(String),
    /// An entry that grants nothing.
    GrantsNothing,
}

impl Value {
    fn matches(&self, element: &ElementPath, content: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Text(text) => content.trim() == text,
            Self::GrantsNothing => element
                .steps
                .last()
                .is_some_and(|step| grant::grants_nothing(&step.name, grant::leaves(content))),
        }
    }
}

/// What the org has against the branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Change {
    /// Only the org has it.
    Added,
    /// Only the branch has it.
    Removed,
    /// Both have it, differently.
    Changed,
}

/// A table of rules cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{text}` is no rule for noise; write path, change, value and reason")]
pub struct NoiseError {
    /// Line from 1.
    pub line: usize,
    /// The line.
    pub text: String,
}

static STANDARD: LazyLock<Noise> =
    LazyLock::new(|| Noise::parse(include_str!("noise.txt")).expect("a test reads the table"));

impl Noise {
    /// The rules that hold for every org.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// Reads rules, one a line: path, change, value and reason with two or more blanks between them. A line that begins with
    /// `#` is a remark.
    pub fn parse(text: &str) -> Result<Self, NoiseError> {
        let lines = text.lines().enumerate();
        let rules = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        let rules = rules.map(|(n, line)| {
            rule(line).ok_or_else(|| NoiseError {
                line: n + 1,
                text: line.to_owned(),
            })
        });
        Ok(Self {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }

    /// The rules of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self {
            rules: self.rules.iter().chain(&other.rules).cloned().collect(),
        }
    }

    /// The rule by which a difference says nothing. Contents are the text of a
    /// leaf or the XML of an element, `None` where it is not there.
    pub fn find(&self, element: &ElementPath, branch: Option<&str>, org: Option<&str>) -> Option<&NoiseRule> {
        let (change, value) = match (branch, org) {
            (None, Some(value)) => (Change::Added, value),
            (Some(value), None) => (Change::Removed, value),
            (Some(_), Some(_)) => (Change::Changed, ""),
            (None, None) => return None,
        };
        self.rules.iter().find(|rule| {
            rule.changes.contains(&change)
                && rule.component.matches(&element.component)
                && steps_match(&rule.steps, &element.steps)
                && rule.value.matches(element, value)
        })
    }
}

fn rule(line: &str) -> Option<NoiseRule> {
    let mut words = line.split("  ").map(str::trim).filter(|word| !word.is_empty());
    let (path, change, value, reason) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let (component, steps) = path.split_once('/').unwrap_or((path, ""));
    let steps = steps.split('/').filter(|step| !step.is_empty());
    Some(NoiseRule {
        component: component.parse().ok()?,
        steps: steps
            .map(|step| match step {
                "**" => StepPattern::Any,
                step => StepPattern::One(step.to_owned()),
            })
            .collect(),
        changes: match change {
            "any" => vec![Change::Added, Change::Removed, Change::Changed],
            list => list.split(',').map(change_named).collect::<Option<_>>()?,
        },
        value: match value {
            "-" => Value::Any,
            "grants-nothing" => Value::GrantsNothing,
            text => Value::Text(text.strip_prefix('=')?.to_owned()),
        },
        reason: reason.to_owned(),
    })
}

fn change_named(name: &str) -> Option<Change> {
    [Change::Added, Change::Removed, Change::Changed]
        .into_iter()
        .find(|change| change.to_string() == name)
}

fn steps_match(patterns: &[StepPattern], steps: &[Step]) -> bool {
    match patterns.split_first() {
        None => steps.is_empty(),
        Some((StepPattern::Any, rest)) => (0..=steps.len()).any(|at| steps_match(rest, &steps[at..])),
        Some((StepPattern::One(pattern), rest)) => steps.split_first().is_some_and(|(step, below)| {
            let whole = pattern.contains('[') && glob(pattern, &step.to_string());
            (whole || glob(pattern, &step.name)) && steps_match(rest, below)
        }),
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Path, branch, org, and whether that is noise.
    const CASES: &[(&str, Option<&str>, Option<&str>, bool)] = &[
        ("ApexClass:A/status", None, Some("Active"), true),
        ("ApexClass:A/status", Some("Active"), None, true),
        ("ApexClass:A/status", None, Some("Deleted"), false),
        ("ApexClass:A/status", Some("Active"), Some("Deleted"), false),
        ("ApexTrigger:A/status", None, Some("Active"), true),
        ("ApexPage:A/availableInTouch", None, Some("false"), true),
        ("ApexPage:A/confirmationTokenRequired", None, Some(" false\n"), true),
        ("MutingPermissionSet:M/hasActivationRequired", None, Some("false"), true),
        (
            "MutingPermissionSet:M/userPermissions[name=N]",
            Some("<userPermissions><enabled>false</enabled><name>N</name></userPermissions>"),
            None,
            true,
        ),
        ("PermissionSet:P/hasActivationRequired", Some("false"), None, true),
        ("PermissionSet:P/hasActivationRequired", Some("true"), None, false),
        ("RemoteSiteSetting:R/disableProtocolSecurity", None, Some("false"), true),
        ("StaticResource:S/cacheControl", None, Some("Private"), true),
        ("StaticResource:S/cacheControl", None, Some("Public"), false),
        ("Profile:Admin/custom", None, Some("false"), false),
        (
            "Profile:Admin/fieldPermissions[field=A.B__c]",
            None,
            Some("<editable>false</editable><field>A.B__c</field><readable>false</readable>"),
            true,
        ),
        (
            "Profile:Admin/fieldPermissions[field=A.B__c]",
            None,
            Some("<editable>false</editable><field>A.B__c</field><readable>true</readable>"),
            false,
        ),
        (
            "Profile:Admin/fieldPermissions[field=A.B__c]",
            Some("<editable>false</editable><field>A.B__c</field><readable>false</readable>"),
            None,
            true,
        ),
        (
            "Profile:Admin/fieldPermissions[field=A.B__c]",
            Some("<editable>false</editable><field>A.B__c</field><readable>true</readable>"),
            None,
            false,
        ),
        (
            "Profile:Admin/userPermissions[name=New]",
            None,
            Some("<enabled>false</enabled><name>New</name>"),
            true,
        ),
        (
            "Profile:Admin/userPermissions[name=New]",
            None,
            Some("<enabled>true</enabled><name>New</name>"),
            false,
        ),
        (
            "Profile:Admin/userPermissions[name=Old]",
            Some("<enabled>false</enabled><name>Old</name>"),
            None,
            true,
        ),
        (
            "Profile:Admin/userPermissions[name=Old]",
            Some("<enabled>true</enabled><name>Old</name>"),
            None,
            false,
        ),
        (
            "Profile:Admin/tabVisibilities[tab=X]",
            None,
            Some("<tab>X</tab><visibility>Hidden</visibility>"),
            true,
        ),
        (
            "Profile:Admin/tabVisibilities[tab=X]",
            None,
            Some("<tab>X</tab><visibility>DefaultOn</visibility>"),
            false,
        ),
        (
            "Profile:Admin/classAccesses[apexClass=X]",
            None,
            Some("<apexClass>X</apexClass><enabled>false</enabled>"),
            true,
        ),
        (
            "Profile:Admin/classAccesses[apexClass=X]",
            Some("<apexClass>X</apexClass><enabled>false</enabled>"),
            None,
            true,
        ),
        (
            "Profile:Admin/classAccesses[apexClass=X]",
            None,
            Some("<apexClass>X</apexClass><enabled>true</enabled>"),
            false,
        ),
        (
            "Profile:Admin/pageAccesses[apexPage=X]",
            None,
            Some("<apexPage>X</apexPage><enabled>false</enabled>"),
            true,
        ),
        (
            "Profile:Admin/pageAccesses[apexPage=X]",
            Some("<apexPage>X</apexPage><enabled>false</enabled>"),
            None,
            true,
        ),
        (
            "Profile:Admin/pageAccesses[apexPage=X]",
            Some("<apexPage>X</apexPage><enabled>true</enabled>"),
            None,
            false,
        ),
        (
            "PermissionSet:P/fieldPermissions[field=A.B__c]",
            None,
            Some("<editable>false</editable><field>A.B__c</field><readable>false</readable>"),
            true,
        ),
        (
            "PermissionSet:P/fieldPermissions[field=A.B__c]",
            Some("<editable>false</editable><field>A.B__c</field><readable>false</readable>"),
            None,
            true,
        ),
        (
            "PermissionSet:P/userPermissions[name=New]",
            None,
            Some("<enabled>false</enabled><name>New</name>"),
            true,
        ),
        (
            "PermissionSet:P/userPermissions[name=New]",
            None,
            Some("<enabled>true</enabled><name>New</name>"),
            false,
        ),
        ("Flow:F/screens[name=S]/locationX", Some("1"), Some("2"), true),
        ("Flow:F/start/locationY", Some("1"), Some("2"), true),
        ("Flow:F/screens[name=S]/label", Some("1"), Some("2"), false),
        ("ConnectedApp:C/oauthConfig/consumerKey", Some("a"), Some("b"), true),
        ("ConnectedApp:C/oauthConfig/callbackUrl", Some("a"), Some("b"), false),
        ("CustomSite:S/subdomain", Some("a"), Some("b"), true),
        ("CustomSite:S/active", Some("true"), Some("false"), false),
        (
            "EmailServicesFunction:E/emailServicesAddresses[developerName=A]/emailDomainName",
            Some("a"),
            Some("b"),
            true,
        ),
        (
            "EmailServicesFunction:E/emailServicesAddresses[developerName=A]/runAsUser",
            Some("a"),
            Some("b"),
            false,
        ),
        ("SamlSsoConfig:S/salesforceLoginUrl", Some("a"), Some("b"), true),
        ("SamlSsoConfig:S/oauthTokenEndpoint", Some("a"), Some("b"), true),
        ("SamlSsoConfig:S/loginUrl", Some("a"), Some("b"), false),
        ("AuthProvider:A/consumerSecret", Some("a"), Some("b"), true),
        ("AuthProvider:A/consumerKey", Some("a"), Some("b"), false),
        ("NamedCredential:N/password", Some("a"), None, true),
        ("NamedCredential:N/password", None, Some("a"), false),
        ("ExternalDataSource:E/password", Some("a"), None, true),
        ("ExternalDataSource:E/endpoint", Some("a"), None, false),
        ("ApexClass:A", Some("a"), Some("b"), false),
    ];

    #[test]
    fn every_rule_has_a_case() {
        let noise = Noise::standard();
        let mut used = BTreeSet::new();
        for (path, branch, org, expect) in CASES {
            let found = noise.find(&path.parse().unwrap(), *branch, *org);
            assert_eq!(found.is_some(), *expect, "{path} {branch:?} {org:?}");
            used.extend(found.and_then(|rule| noise.rules.iter().position(|other| other == rule)));
        }
        let unused: Vec<&NoiseRule> = noise
            .rules
            .iter()
            .enumerate()
            .filter(|(n, _)| !used.contains(n))
            .map(|(_, r)| r)
            .collect();
        assert!(unused.is_empty(), "{unused:?}");
    }

    #[test]
    fn tables_are_read() {
        let noise =
            Noise::parse("# own\nFlow:A*/**  changed  -  generated\nFlow:*/a[k=*]  added,removed  =x  an item\n")
                .unwrap();
        let check = |path: &str, branch, org, expect: Option<&str>| {
            let found = noise
                .find(&path.parse().unwrap(), branch, org)
                .map(|rule| rule.reason.as_str());
            assert_eq!(found, expect, "{path}");
        };
        check("Flow:A1", Some("a"), Some("b"), Some("generated"));
        check("Flow:A1/x/y", Some("a"), Some("b"), Some("generated"));
        check("Flow:A1/x/y", None, Some("b"), None);
        check("Flow:B/a[k=1]", None, Some("x"), Some("an item"));
        check("Flow:B/a[k=1]", Some("x"), None, Some("an item"));
        check("Flow:B/a[k=1]", None, Some("b"), None);
        check("Flow:B/a[k=1]", Some("x"), Some("b"), None);
        check("Flow:B/a[#1]", None, Some("x"), None);
        check("Flow:B", None, None, None);
        for bad in [
            "Flow:A  changed  -",
            "Flow  any  -  why",
            "Flow:A  never  -  why",
            "Flow:A  added,never  -  why",
            "Flow:A  any  a  why",
        ] {
            assert_eq!(Noise::parse(bad).unwrap_err().line, 1);
        }
        assert_eq!(
            noise.with(Noise::standard()).rules.len(),
            noise.rules.len() + Noise::standard().rules.len()
        );
    }
}
