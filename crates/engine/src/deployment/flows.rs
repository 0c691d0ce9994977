//! The versions of flows in an org: a deletion names each of them, and there is room for only so many.

use std::collections::{BTreeMap, BTreeSet};

use syncline_salesforce::Connection;

use crate::org::OrgError;

/// Most versions of a flow ("General Flow Limits" in Salesforce Help: 50 versions per flow).
pub const MOST_VERSIONS: usize = 50;

/// A version of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Its number, from 1.
    pub number: u32,
    /// Whether it is the active one.
    pub active: bool,
    /// Whether it was active once and is not any more: only such a one is deleted to make room.
    pub obsolete: bool,
}

/// The versions of flows by the flow's name, in the order of their numbers. A flow that the org does not have is not in it.
pub type Flows = BTreeMap<String, Vec<Version>>;

/// Asks the org for the versions of these flows. Nothing is asked when none is named.
pub async fn flows(connection: &Connection, names: &BTreeSet<String>) -> Result<Flows, OrgError> {
    let mut found = Flows::new();
    if names.is_empty() {
        return Ok(found);
    }
    for definition in connection.flow_definitions().await? {
        if definition.namespace_prefix.is_some() || !names.contains(&definition.developer_name) {
            continue;
        }
        let versions = connection.flow_versions(&definition.id).await?;
        let version = |row: &syncline_salesforce::tooling::FlowVersion| Version {
            number: row.version_number,
            active: row.status == "Active",
            obsolete: row.status == "Obsolete",
        };
        found.insert(definition.developer_name, versions.iter().map(version).collect());
    }
    Ok(found)
}

/// The oldest obsolete versions that have to go so that one more has room, as `Name-1`.
pub(super) fn too_many(name: &str, versions: &[Version]) -> Vec<String> {
    let over = (versions.len() + 1).saturating_sub(MOST_VERSIONS);
    let obsolete = versions.iter().filter(|version| version.obsolete);
    obsolete
        .take(over)
        .map(|version| format!("{name}-{}", version.number))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_obsolete_versions_make_room() {
        let versions = |count: u32| -> Vec<Version> {
            (1..=count)
                .map(|number| Version {
                    number,
                    active: number == 2,
                    obsolete: number % 2 == 1,
                })
                .collect()
        };
        assert!(too_many("A", &versions(49)).is_empty());
        assert_eq!(too_many("A", &versions(50)), ["A-1"]);
        assert_eq!(too_many("A", &versions(52)), ["A-1", "A-3", "A-5"]);
    }
}
