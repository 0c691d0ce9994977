//! What an org has: all components of the types in scope.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use syncline_metadata::component::ComponentId;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::dates::untrusted;
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::{FileProperties, ListQuery, RetrieveMessage};

use crate::org::OrgError;
use crate::scope::Managed;

/// Calls of listMetadata at a time.
const AT_ONCE: usize = 5;

const VALUE_SET: &str = "StandardValueSet";

/// Names of value sets: the org lists none, so they are asked for by these (Metadata API Developer Guide,
/// "StandardValueSet Names and Standard Picklist Fields").
pub const STANDARD_VALUE_SETS: &[&str] = &[
    "AccountContactMultiRoles",
    "AccountContactRole",
    "AccountOwnership",
    "AccountRating",
    "AccountType",
    "AssetStatus",
    "CampaignMemberStatus",
    "CampaignStatus",
    "CampaignType",
    "CaseContactRole",
    "CaseOrigin",
    "CasePriority",
    "CaseReason",
    "CaseStatus",
    "CaseType",
    "ContactRole",
    "ContractContactRole",
    "ContractStatus",
    "EntitlementType",
    "EventSubject",
    "EventType",
    "FiscalYearPeriodName",
    "FiscalYearPeriodPrefix",
    "FiscalYearQuarterName",
    "FiscalYearQuarterPrefix",
    "IdeaMultiCategory",
    "IdeaStatus",
    "IdeaThemeStatus",
    "Industry",
    "LeadSource",
    "LeadStatus",
    "OpportunityCompetitor",
    "OpportunityStage",
    "OpportunityType",
    "OrderStatus",
    "OrderType",
    "PartnerRole",
    "Product2Family",
    "QuestionOrigin",
    "QuickTextCategory",
    "QuickTextChannel",
    "QuoteStatus",
    "RoleInTerritory2",
    "SalesTeamRole",
    "Salutation",
    "ServiceContractApprovalStatus",
    "SocialPostClassification",
    "SocialPostEngagementLevel",
    "SocialPostReviewedStatus",
    "SolutionStatus",
    "TaskPriority",
    "TaskStatus",
    "TaskSubject",
    "TaskType",
    "WorkOrderLineItemStatus",
    "WorkOrderPriority",
    "WorkOrderStatus",
];

/// What is wanted: names by type; a name may be `*`. Empty: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    types: BTreeMap<String, BTreeSet<String>>,
    looked_up: bool,
    /// What is managed, if the repository says so.
    managed: Option<Managed>,
}

impl Scope {
    /// What a package.xml names.
    pub fn of_manifest(manifest: &PackageManifest) -> Self {
        let mut scope = Self::default();
        for (name, members) in &manifest.types {
            for member in members {
                scope.insert(name, member);
            }
        }
        scope
    }

    /// Everything that is managed.
    pub fn managed(managed: Managed) -> Self {
        Self {
            managed: Some(managed),
            ..Self::default()
        }
    }

    /// Wants a component more, or all of a type: `*`.
    pub fn insert(&mut self, type_name: &str, full_name: &str) {
        self.types
            .entry(type_name.to_owned())
            .or_default()
            .insert(full_name.to_owned());
    }

    /// Lets what is named be listed too: what the org does not have is left out then, instead of being asked for.
    #[must_use]
    pub fn looked_up(mut self) -> Self {
        self.looked_up = true;
        self
    }

    fn is_everything(&self) -> bool {
        self.types.is_empty()
    }

    fn has_all(&self, type_name: &str) -> bool {
        self.manages(type_name) && (self.is_everything() || self.names(type_name, "*"))
    }

    /// Whether something of a type is managed.
    fn manages(&self, type_name: &str) -> bool {
        self.managed
            .as_ref()
            .is_none_or(|managed| managed.scope.has_type(type_name))
    }

    /// Whether the components of a type have to be listed.
    fn lists(&self, type_name: &str) -> bool {
        self.has_all(type_name) || (self.looked_up && self.types.contains_key(type_name))
    }

    /// Types that have to be listed, when not everything is.
    fn listed_types(&self) -> impl Iterator<Item = &String> {
        self.types.keys().filter(|kind| self.lists(kind))
    }

    /// Components that are wanted by their own names.
    fn named(&self) -> impl Iterator<Item = (&String, &String)> {
        self.types
            .iter()
            .flat_map(|(kind, names): (&String, &BTreeSet<String>)| names.iter().map(move |name| (kind, name)))
            .filter(|(_, name)| *name != "*")
    }

    /// Whether a component is wanted by its own name.
    fn names(&self, type_name: &str, full_name: &str) -> bool {
        self.types.get(type_name).is_some_and(|names| names.contains(full_name))
    }

    /// A digest of what is in scope: two snapshots of one digest have the same components in them.
    pub fn digest(&self) -> String {
        let mut text = self
            .managed
            .as_ref()
            .map(|managed| managed.digest.clone())
            .unwrap_or_default();
        for (kind, names) in &self.types {
            for name in names {
                text.push_str(&format!("{kind}:{name}\n"));
            }
        }
        crate::wire::hex(&Sha256::digest(text.as_bytes())[..16])
    }

    fn has(&self, type_name: &str, full_name: &str) -> bool {
        let id = ComponentId::new(type_name, full_name);
        let managed = self.managed.as_ref().is_none_or(|managed| managed.has(&id));
        managed && (self.has_all(type_name) || self.names(type_name, full_name))
    }
}

/// The components of an org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The components by type and name.
    pub components: BTreeMap<(String, String), FileProperties>,
    /// Children of components that come with them, as fields of objects: a component's own date does not tell of theirs.
    pub children: BTreeMap<(String, String), FileProperties>,
    /// Types that could not be listed, and why: nothing is known about them.
    pub refused: BTreeMap<String, String>,
    /// Components that the org lists nowhere and that are only supposed to be there.
    pub supposed: BTreeSet<(String, String)>,
    /// Everything was in scope, so what is not here does not exist.
    pub complete: bool,
}

/// Lists an org. Components of installed packages are left out unless they are named. What is named is not looked for,
/// unless the scope is [`Scope::looked_up`]: the retrieve tells what the org does not have.
pub async fn inventory(connection: &Connection, scope: &Scope) -> Result<Inventory, OrgError> {
    let mut made = Inventory {
        complete: scope.is_everything(),
        ..Inventory::default()
    };
    for (type_name, full_name) in scope.named().filter(|_| !scope.looked_up) {
        made.components
            .insert((type_name.clone(), full_name.clone()), bare(type_name, full_name));
    }
    if scope.is_everything() || scope.listed_types().next().is_some() {
        list(connection, scope, &mut made).await?;
    }
    Ok(made)
}

/// Lists the types that have to be.
async fn list(connection: &Connection, scope: &Scope, made: &mut Inventory) -> Result<(), OrgError> {
    let description = connection.describe_metadata().await?;
    let mut queries = Vec::new();
    let mut folders = Vec::new();
    let mut known = BTreeSet::new();
    let mut children = BTreeSet::new();
    for object in &description.metadata_objects {
        let name = &object.xml_name;
        known.insert(name.clone());
        known.extend(object.child_xml_names.iter().cloned());
        // Children in scope are asked for by name; as a whole they come with their parents, and tell of changes.
        for child in &object.child_xml_names {
            let tells = scope.is_everything() && scope.lists(name) && !untrusted(name);
            if tells {
                children.insert(child.clone());
            }
            if tells || (!scope.is_everything() && scope.lists(child)) {
                queries.push(ListQuery::of(child));
            }
        }
        if !scope.lists(name) {
            continue;
        }
        match object.folder_type() {
            Some(folder_type) => folders.push((name.clone(), ListQuery::of(folder_type))),
            None => queries.push(ListQuery::of(name)),
        }
    }
    if let Some(wrong) = scope.listed_types().find(|kind| !known.contains(*kind)) {
        return Err(OrgError::Argument {
            what: format!("{} has no metadata type `{wrong}`", connection.name()),
            hint: "names of types are written as in package.xml, as in ApexClass",
        });
    }
    let folder_queries: Vec<ListQuery> = folders.iter().map(|(_, query)| query.clone()).collect();
    let listed = connection.list_metadata(&folder_queries, AT_ONCE).await?;
    for (query, why) in listed.refused {
        made.refused.insert(query.type_name, why);
    }
    for folder in listed.components {
        let kind = folder.type_name.clone().unwrap_or_default();
        let Some((content, _)) = folders.iter().find(|(_, query)| query.type_name == kind) else {
            continue;
        };
        queries.push(ListQuery::within(content, &folder.full_name));
        // A folder is a member of the type of its content.
        made.add(scope, content.clone(), folder);
    }
    let listed = connection.list_metadata(&queries, AT_ONCE).await?;
    for (query, why) in listed.refused {
        // An org that does not list children of a type has none of them.
        if !children.contains(&query.type_name) {
            made.refused.insert(query.type_name, why);
        }
    }
    for row in listed.components {
        let kind = row.type_name.clone().unwrap_or_default();
        if children.contains(&kind) {
            made.children.insert((kind, decoded(&row.full_name)), row);
        } else {
            made.add(scope, kind, row);
        }
    }
    if known.contains(VALUE_SET) && scope.lists(VALUE_SET) {
        for name in STANDARD_VALUE_SETS.iter().filter(|name| scope.has(VALUE_SET, name)) {
            let part = (VALUE_SET.to_owned(), (*name).to_owned());
            if !scope.names(VALUE_SET, name) {
                made.supposed.insert(part.clone());
            }
            made.components.insert(part, bare(VALUE_SET, name));
        }
    }
    Ok(())
}

/// Names of layouts are percent-encoded in lists.
fn decoded(full_name: &str) -> String {
    syncline_metadata::component::decode(full_name).into_string()
}

/// A component of which only the name is known.
fn bare(type_name: &str, full_name: &str) -> FileProperties {
    FileProperties {
        full_name: full_name.to_owned(),
        type_name: Some(type_name.to_owned()),
        ..FileProperties::default()
    }
}

impl Inventory {
    /// What the org says of a retrieve, without what it says of components that were only supposed to be there.
    pub fn news(&self, messages: Vec<RetrieveMessage>) -> Vec<RetrieveMessage> {
        let supposed = |text: &str| {
            self.supposed
                .iter()
                .any(|(kind, name)| text.contains(&format!("'{kind}'")) && text.contains(&format!("'{name}'")))
        };
        messages
            .into_iter()
            .filter(|message| !supposed(&message.problem))
            .collect()
    }

    fn add(&mut self, scope: &Scope, type_name: String, mut row: FileProperties) {
        row.full_name = decoded(&row.full_name);
        let managed = matches!(
            row.manageable_state.as_deref(),
            Some("installed" | "installedEditable" | "beta" | "released")
        ) && row.namespace_prefix.is_some();
        let wanted_package = |namespace: &str| {
            let rule = scope.managed.as_ref();
            rule.is_some_and(|managed| managed.has_package(namespace))
        };
        let foreign = managed
            && !scope.names(&type_name, &row.full_name)
            && !row.namespace_prefix.as_deref().is_some_and(wanted_package);
        if scope.has(&type_name, &row.full_name) && (!foreign || type_name == "InstalledPackage") {
            self.components.insert((type_name, row.full_name.clone()), row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_others_are_left_out() {
        let mut made = Inventory::default();
        let row = |name: &str, managed: bool| FileProperties {
            full_name: name.to_owned(),
            namespace_prefix: managed.then(|| "acme".to_owned()),
            manageable_state: Some(if managed { "installed" } else { "unmanaged" }.to_owned()),
            ..FileProperties::default()
        };
        let all = Scope::default();
        made.add(&all, "Layout".to_owned(), row("Account-A %28x%29", false));
        made.add(&all, "ApexClass".to_owned(), row("acme__B", true));
        made.add(&all, "InstalledPackage".to_owned(), row("acme", true));
        let mut one = Scope::default();
        one.insert("ApexClass", "acme__C");
        made.add(&one, "ApexClass".to_owned(), row("acme__C", true));
        made.add(&one, "ApexClass".to_owned(), row("D", false));
        let names: Vec<String> = made
            .components
            .keys()
            .map(|(kind, name)| format!("{kind}:{name}"))
            .collect();
        assert_eq!(
            names,
            ["ApexClass:acme__C", "InstalledPackage:acme", "Layout:Account-A (x)"]
        );
    }
}
