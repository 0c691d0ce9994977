//! Where files of an org lie in a branch: its package directories and folders for people, which the org does not know.

use std::collections::{BTreeMap, HashSet};

use syncline_metadata::component::{ComponentId, Located, Project};

use crate::org::convert::Files;

/// Moves converted files to where the branch has them. New files of a known component go beside its other files.
pub(super) fn place<'a>(project: &Project, branch: impl Iterator<Item = &'a str>, files: Files) -> Files {
    // Only files of these names are looked for: a branch has far more than a retrieve brings.
    let names: HashSet<&str> = files.keys().map(|path| name(path)).collect();
    let mut known: BTreeMap<(ComponentId, &str), Vec<&str>> = BTreeMap::new();
    let mut moved = false;
    for path in branch.filter(|path| names.contains(name(path))) {
        if let Some((owner, _)) = owner(project, path) {
            moved |= !files.contains_key(path);
            known.entry((owner, name(path))).or_default().push(path);
        }
    }
    if !moved {
        return files;
    }
    // Folders of an owner, here and in the branch.
    let mut folders: BTreeMap<ComponentId, (String, String)> = BTreeMap::new();
    let mut placed: BTreeMap<&str, &str> = BTreeMap::new();
    let owners: Vec<(&String, ComponentId)> = files
        .keys()
        .filter_map(|path| owner(project, path).map(|(owner, _)| (path, owner)))
        .collect();
    for (path, owner) in &owners {
        let Some(there) = known.get(&(owner.clone(), name(path))) else {
            continue;
        };
        // The one that ends alike: bundles have files of one name in several folders.
        let alike = |other: &&&str| common_end(path, other);
        let Some(best) = there.iter().max_by_key(alike) else {
            continue;
        };
        placed.insert(path.as_str(), *best);
        let end = common_end(path, best);
        let folder = (path[..path.len() - end].to_owned(), best[..best.len() - end].to_owned());
        folders.entry(owner.clone()).or_insert(folder);
    }
    let mut made = BTreeMap::new();
    for (path, owner) in &owners {
        let to = match (placed.get(path.as_str()), folders.get(owner)) {
            (Some(to), _) => (*to).to_owned(),
            (None, Some((here, there))) if path.starts_with(here.as_str()) => format!("{there}{}", &path[here.len()..]),
            _ => continue,
        };
        if to != **path {
            made.insert((*path).clone(), to);
        }
    }
    let taken = |to: &String| files.contains_key(to) && !made.contains_key(to);
    let free: BTreeMap<&String, &String> = made.iter().filter(|(_, to)| !taken(to)).collect();
    let to = |path: &String| free.get(path).map_or_else(|| path.clone(), |to| (*to).clone());
    let moves: Vec<(String, String)> = files.keys().map(|path| (path.clone(), to(path))).collect();
    let mut files = files;
    let mut result = Files::new();
    for (path, to) in moves {
        if let Some(bytes) = files.remove(&path) {
            result.insert(to, bytes);
        }
    }
    result
}

/// The component whose folder a file lies in: the parent for a child.
fn owner(project: &Project, path: &str) -> Option<(ComponentId, ComponentId)> {
    match project.locate(path) {
        Located::Component(file) => Some((file.parent.unwrap_or_else(|| file.id.clone()), file.id)),
        _ => None,
    }
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Bytes of whole names that two paths have in common at their end.
fn common_end(a: &str, b: &str) -> usize {
    let mut bytes = 0;
    for (x, y) in a.rsplit('/').zip(b.rsplit('/')) {
        if x != y {
            break;
        }
        bytes += x.len() + 1;
    }
    bytes.saturating_sub(1).min(a.len()).min(b.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = r#"{"packageDirectories":[{"path":"app","default":true},{"path":"billing"}]}"#;

    fn check(branch: &[&str], files: &[&str], expect: &[&str]) {
        let project = Project::parse("", PROJECT, None).expect("a project");
        let files = files
            .iter()
            .map(|path| ((*path).to_owned(), path.as_bytes().to_vec()))
            .collect();
        let placed = place(&project, branch.iter().copied(), files);
        assert_eq!(placed.keys().collect::<Vec<_>>(), expect);
    }

    #[test]
    fn files_go_where_the_branch_has_them() {
        check(
            &[
                "billing/main/default/classes/tax/Tax.cls",
                "billing/main/default/classes/tax/Tax.cls-meta.xml",
            ],
            &[
                "app/main/default/classes/Tax.cls",
                "app/main/default/classes/Tax.cls-meta.xml",
                "app/main/default/classes/New.cls",
            ],
            &[
                "app/main/default/classes/New.cls",
                "billing/main/default/classes/tax/Tax.cls",
                "billing/main/default/classes/tax/Tax.cls-meta.xml",
            ],
        );
        check(
            &[
                "billing/main/default/lwc/fee/fee.js",
                "billing/main/default/lwc/fee/fee.js-meta.xml",
            ],
            &["app/main/default/lwc/fee/fee.html", "app/main/default/lwc/fee/fee.js"],
            &[
                "billing/main/default/lwc/fee/fee.html",
                "billing/main/default/lwc/fee/fee.js",
            ],
        );
        check(
            &["billing/main/default/objects/Fee__c/Fee__c.object-meta.xml"],
            &[
                "app/main/default/objects/Fee__c/Fee__c.object-meta.xml",
                "app/main/default/objects/Fee__c/fields/New__c.field-meta.xml",
            ],
            &[
                "billing/main/default/objects/Fee__c/Fee__c.object-meta.xml",
                "billing/main/default/objects/Fee__c/fields/New__c.field-meta.xml",
            ],
        );
        check(
            &[],
            &["app/main/default/classes/A.cls"],
            &["app/main/default/classes/A.cls"],
        );
    }
}
