//! What an org has: all components of the types in scope.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use syncline_metadata::package::PackageManifest;
use syncline_salesforce::Connection;
use syncline_salesforce::metadata::{FileProperties, ListQuery, RetrieveMessage};

use crate::org::OrgError;

/// Calls of listMetadata at a time.
const AT_ONCE: usize = 5;

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

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// Types and names; a name may be `*`. Empty: everything.
    pub components: Vec<(String, String)>,
}

impl Scope {
    /// What a package.xml names.
    pub fn of_manifest(manifest: &PackageManifest) -> Self {
        let components = manifest
            .types
            .iter()
            .flat_map(|(name, members)| members.iter().map(move |member| (name.to_string(), member.to_string())));
        Self {
            components: components.collect(),
        }
    }

    /// A digest of what is in scope: two snapshots of one digest have the same components in them.
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for (kind, name) in &self.components {
            text.push_str(&format!("{kind}:{name}\n"));
        }
        crate::wire::hex(&Sha256::digest(text.as_bytes())[..16])
    }

    fn has_type(&self, name: &str) -> bool {
        self.components.is_empty() || self.components.iter().any(|(kind, _)| kind == name)
    }

    fn has(&self, type_name: &str, full_name: &str) -> bool {
        self.components.is_empty()
            || self
                .components
                .iter()
                .any(|(kind, name)| kind == type_name && (name == "*" || name == full_name))
    }
}

/// The components of an org.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inventory {
    /// The components by type and name.
    pub components: BTreeMap<(String, String), FileProperties>,
    /// Types that could not be listed, and why: nothing is known about them.
    pub refused: BTreeMap<String, String>,
    /// Components that the org lists nowhere and that are only supposed to be there.
    pub supposed: BTreeSet<(String, String)>,
    /// Everything was in scope, so what is not here does not exist.
    pub complete: bool,
}

/// Lists an org. Components of installed packages are left out unless they are named.
pub async fn inventory(connection: &Connection, scope: &Scope) -> Result<Inventory, OrgError> {
    let description = connection.describe_metadata().await?;
    let mut queries = Vec::new();
    let mut folders = Vec::new();
    let mut known = BTreeSet::new();
    for object in &description.metadata_objects {
        let name = &object.xml_name;
        known.insert(name.clone());
        known.extend(object.child_xml_names.iter().cloned());
        // Children in scope are asked for by name; as a whole they come with their parents.
        for child in object
            .child_xml_names
            .iter()
            .filter(|child| !scope.components.is_empty() && scope.has_type(child))
        {
            queries.push(ListQuery::of(child));
        }
        if !scope.has_type(name) {
            continue;
        }
        match object.folder_type() {
            Some(folder_type) => folders.push((name.clone(), ListQuery::of(folder_type))),
            None => queries.push(ListQuery::of(name)),
        }
    }
    if let Some((wrong, _)) = scope.components.iter().find(|(kind, _)| !known.contains(kind)) {
        return Err(OrgError::Argument {
            what: format!("{} has no metadata type `{wrong}`", connection.name()),
            hint: "names of types are written as in package.xml, as in ApexClass",
        });
    }
    let folder_queries: Vec<ListQuery> = folders.iter().map(|(_, query)| query.clone()).collect();
    let listed = connection.list_metadata(&folder_queries, AT_ONCE).await?;
    let mut made = Inventory {
        complete: scope.components.is_empty(),
        ..Inventory::default()
    };
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
        made.refused.insert(query.type_name, why);
    }
    for row in listed.components {
        let kind = row.type_name.clone().unwrap_or_default();
        made.add(scope, kind, row);
    }
    if known.contains("StandardValueSet") {
        for name in STANDARD_VALUE_SETS {
            let row = FileProperties {
                full_name: (*name).to_owned(),
                type_name: Some("StandardValueSet".to_owned()),
                ..FileProperties::default()
            };
            made.add(scope, "StandardValueSet".to_owned(), row);
            let part = ("StandardValueSet".to_owned(), (*name).to_owned());
            if !scope.components.contains(&part) {
                made.supposed.insert(part);
            }
        }
    }
    Ok(made)
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
        row.full_name = syncline_metadata::component::decode(&row.full_name).into_string();
        let managed = matches!(
            row.manageable_state.as_deref(),
            Some("installed" | "installedEditable" | "beta" | "released")
        ) && row.namespace_prefix.is_some();
        let named = scope
            .components
            .iter()
            .any(|(kind, name)| *kind == type_name && *name == row.full_name);
        if scope.has(&type_name, &row.full_name) && (!managed || named || type_name == "InstalledPackage") {
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
        let one = Scope {
            components: vec![("ApexClass".to_owned(), "acme__C".to_owned())],
        };
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
