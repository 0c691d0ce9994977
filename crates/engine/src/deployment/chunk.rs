//! A package parted into deployments below the platform's limits, in the order of what needs what.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use syncline_metadata::component::{ComponentId, Located, Project};
use syncline_metadata::package::PackageManifest;
use syncline_metadata::references::{Context, KnownNames, references_in};
use syncline_metadata::table::registry::Registry;
use syncline_salesforce::ApiVersion;
use syncline_salesforce::metadata::{ENTRIES, MOST_ZIPPED};

use super::DeploymentError;
use super::access;
use crate::org::OrgError;
use crate::org::convert::Files;
use crate::org::deploy::zip;
use crate::wire::hex;

/// What one deployment takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders.
    pub entries: usize,
    /// Bytes of the zip.
    pub zipped: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Default for Limits {
    /// The platform's (Metadata API Developer Guide, "Metadata Limits"), the stricter ones where it tells two.
    fn default() -> Self {
        Self {
            entries: ENTRIES,
            zipped: MOST_ZIPPED,
            bytes: 400 * 1024 * 1024,
        }
    }
}

/// What is sent by one deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Files in Metadata API format, with package.xml and the lists of deletions.
    pub files: Files,
}

impl Chunk {
    /// The zip to send; the same files give the same bytes.
    pub fn zip(&self) -> Result<Bytes, OrgError> {
        zip(&self.files)
    }
}

/// A digest over everything that is sent, in order: approvals are bound to it.
pub(super) fn digest(chunks: &[Chunk]) -> String {
    let mut sha = Sha256::new();
    for chunk in chunks {
        sha.update((chunk.files.len() as u64).to_be_bytes());
        for (path, bytes) in &chunk.files {
            for part in [path.as_bytes(), bytes.as_slice()] {
                sha.update((part.len() as u64).to_be_bytes());
                sha.update(part);
            }
        }
    }
    hex(&sha.finalize())
}

/// What is to be parted.
pub(super) struct Whole<'a> {
    pub(super) files: Files,
    pub(super) manifest: &'a PackageManifest,
    /// Deletions before and after.
    pub(super) first: PackageManifest,
    pub(super) last: PackageManifest,
    pub(super) version: ApiVersion,
    pub(super) limits: Limits,
}

/// What cannot be sent apart: a file that package.xml names things in, or a component of several files.
#[derive(Clone, Default)]
struct Unit {
    files: Vec<String>,
    bytes: u64,
    members: Vec<(String, String)>,
}

/// Entries that every chunk has besides its files: package.xml, two lists of deletions, folders of types.
const BESIDES: usize = 3;

/// Parts a package. Deletions that come first are in the first chunk, the others in the last.
pub(super) fn chunks(whole: Whole<'_>) -> Result<Vec<Chunk>, DeploymentError> {
    let (ids, units) = units(&whole)?;
    if units.is_empty() && whole.first.is_empty() && whole.last.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<usize> = (0..units.len()).collect();
    let parts = match fits(&whole, &units, &all)? {
        true => vec![all],
        false => parts(&whole, &ids, &units)?,
    };
    let count = parts.len();
    let chunk = |(at, part): (usize, Vec<usize>)| {
        let first = (at == 0).then_some(&whole.first);
        let last = (at + 1 == count).then_some(&whole.last);
        chunk(&whole, &units, &part, first, last)
    };
    Ok(parts.into_iter().enumerate().map(chunk).collect())
}

fn chunk(
    whole: &Whole<'_>,
    units: &[Unit],
    part: &[usize],
    first: Option<&PackageManifest>,
    last: Option<&PackageManifest>,
) -> Chunk {
    let mut manifest = PackageManifest {
        version: Some(whole.version.to_string().into()),
        ..PackageManifest::default()
    };
    let mut files = Files::new();
    for unit in part.iter().map(|at| &units[*at]) {
        for (type_name, name) in &unit.members {
            manifest.insert(type_name, name);
        }
        for path in &unit.files {
            files.insert(path.clone(), whole.files[path].clone());
        }
    }
    let lists = [
        ("package.xml", Some(&manifest)),
        ("destructiveChangesPre.xml", first.filter(|list| !list.is_empty())),
        ("destructiveChangesPost.xml", last.filter(|list| !list.is_empty())),
    ];
    for (name, list) in lists {
        if let Some(list) = list {
            files.insert(name.to_owned(), list.to_string().into_bytes());
        }
    }
    Chunk { files }
}

/// The units in the order of their names, which package.xml's members belong to.
fn units(whole: &Whole<'_>) -> Result<(Vec<ComponentId>, Vec<Unit>), DeploymentError> {
    let flat = Project::metadata_api([""], None);
    let mut units: BTreeMap<ComponentId, Unit> = BTreeMap::new();
    for (path, bytes) in &whole.files {
        let Located::Component(file) = flat.locate(path) else {
            continue;
        };
        let id = file.parent.unwrap_or(file.id);
        let unit = units.entry(listed(&id)).or_default();
        unit.files.push(path.clone());
        unit.bytes += bytes.len() as u64;
    }
    for (type_name, members) in &whole.manifest.types {
        for member in members {
            let id = ComponentId::new(type_name.clone(), member.clone());
            let owner = owner(&id);
            let unit = match units.contains_key(&id) {
                true => units.get_mut(&id),
                false => units.get_mut(&owner),
            };
            let Some(unit) = unit else {
                return Err(DeploymentError::NoFile { component: id });
            };
            unit.members.push((type_name.to_string(), member.to_string()));
        }
    }
    // A file of which package.xml names nothing would be refused.
    units.retain(|_, unit| !unit.members.is_empty());
    Ok(units.into_iter().unzip())
}

/// The component under the type that package.xml lists it by: folders stand among what they hold.
fn listed(id: &ComponentId) -> ComponentId {
    let kind = Registry::standard().by_name(&id.type_name);
    match kind.and_then(|kind| kind.folder_content) {
        Some(content) => ComponentId::new(content, id.full_name.clone()),
        None => id.clone(),
    }
}

/// The component in whose file a member of package.xml lies.
fn owner(id: &ComponentId) -> ComponentId {
    match Registry::standard().child(&id.type_name) {
        Some((parent, child)) if child.no_parent_name => ComponentId::new(parent.name, parent.name),
        Some((parent, _)) => {
            let name = id.full_name.split_once('.').map_or(&*id.full_name, |(name, _)| name);
            ComponentId::new(parent.name, name)
        }
        None => id.clone(),
    }
}

/// Whether units are one deployment.
fn fits(whole: &Whole<'_>, units: &[Unit], part: &[usize]) -> Result<bool, DeploymentError> {
    let chosen = || part.iter().map(|at| &units[*at]);
    let folders: BTreeSet<&str> = chosen()
        .flat_map(|unit| &unit.files)
        .flat_map(|path| path.match_indices('/').map(|(at, _)| &path[..at]))
        .collect();
    let files: usize = chosen().map(|unit| unit.files.len()).sum();
    if files + folders.len() + BESIDES > whole.limits.entries
        || chosen().map(|unit| unit.bytes).sum::<u64>() > whole.limits.bytes
    {
        return Ok(false);
    }
    // Only what could be too large is packed to know it.
    if chosen().map(|unit| unit.bytes).sum::<u64>() <= whole.limits.zipped {
        return Ok(true);
    }
    let chunk = chunk(whole, units, part, Some(&whole.first), Some(&whole.last));
    Ok(chunk.zip().is_ok_and(|zip| zip.len() as u64 <= whole.limits.zipped))
}

/// Units in the order of what needs what, filled into deployments.
fn parts(whole: &Whole<'_>, ids: &[ComponentId], units: &[Unit]) -> Result<Vec<Vec<usize>>, DeploymentError> {
    let groups = ordered(&needs(whole, ids, units)?);
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for group in groups {
        if let Some(last) = parts.last_mut() {
            let both: Vec<usize> = last.iter().chain(&group).copied().collect();
            if fits(whole, units, &both)? {
                *last = both;
                continue;
            }
        }
        if !fits(whole, units, &group)? {
            return Err(DeploymentError::TooLarge {
                component: ids[group[0]].clone(),
                what: "files or bytes",
            });
        }
        parts.push(group);
    }
    Ok(parts)
}

/// For each unit, those that have to be there before it or with it.
fn needs(whole: &Whole<'_>, ids: &[ComponentId], units: &[Unit]) -> Result<Vec<BTreeSet<usize>>, DeploymentError> {
    let mut owners: BTreeMap<ComponentId, usize> = BTreeMap::new();
    for (at, unit) in units.iter().enumerate() {
        owners.insert(ids[at].clone(), at);
        for (type_name, name) in &unit.members {
            owners.insert(ComponentId::new(type_name.as_str(), name.as_str()), at);
        }
    }
    let known = KnownNames::build(owners.keys());
    let context = Context {
        schema: None,
        known: Some(&known),
    };
    let mut needs = vec![BTreeSet::new(); units.len()];
    for (at, unit) in units.iter().enumerate() {
        for path in &unit.files {
            let Ok(text) = std::str::from_utf8(&whole.files[path]) else {
                continue;
            };
            for reference in references_in(&ids[at], path, text, &context)? {
                if let Some(to) = owners.get(&reference.to).filter(|to| **to != at) {
                    needs[at].insert(*to);
                }
            }
        }
        // Permissions are about everything.
        if access::TYPES.contains(&&*ids[at].type_name) {
            let others = (0..units.len()).filter(|other| !access::TYPES.contains(&&*ids[*other].type_name));
            needs[at].extend(others);
        }
    }
    Ok(needs)
}

/// Groups that need each other, each behind what it needs (Tarjan's algorithm, without recursion).
fn ordered(needs: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    const NEW: usize = usize::MAX;
    let mut index = vec![NEW; needs.len()];
    let mut low = vec![NEW; needs.len()];
    let mut on_stack = vec![false; needs.len()];
    let (mut stack, mut groups, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..needs.len() {
        if index[root] != NEW {
            continue;
        }
        let mut work: Vec<(usize, Vec<usize>)> = vec![(root, needs[root].iter().copied().collect())];
        (index[root], low[root]) = (next, next);
        next += 1;
        stack.push(root);
        on_stack[root] = true;
        while let Some((at, open)) = work.last_mut() {
            let at = *at;
            if let Some(to) = open.pop() {
                if index[to] == NEW {
                    (index[to], low[to]) = (next, next);
                    next += 1;
                    stack.push(to);
                    on_stack[to] = true;
                    work.push((to, needs[to].iter().copied().collect()));
                } else if on_stack[to] {
                    low[at] = low[at].min(index[to]);
                }
                continue;
            }
            work.pop();
            if let Some((parent, _)) = work.last() {
                low[*parent] = low[*parent].min(low[at]);
            }
            if low[at] == index[at] {
                let mut group = Vec::new();
                while let Some(one) = stack.pop() {
                    on_stack[one] = false;
                    group.push(one);
                    if one == at {
                        break;
                    }
                }
                group.sort_unstable();
                groups.push(group);
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_before() {
        let check = |needs: &[&[usize]], expect: &[&[usize]]| {
            let needs: Vec<BTreeSet<usize>> = needs.iter().map(|one| one.iter().copied().collect()).collect();
            assert_eq!(ordered(&needs), expect);
        };
        check(&[&[1], &[2], &[]], &[&[2], &[1], &[0]]);
        check(&[&[1], &[0], &[0]], &[&[0, 1], &[2]]);
        check(&[&[], &[3], &[1], &[2, 0]], &[&[0], &[1, 2, 3]]);
        check(&[], &[]);
    }
}
