//! The package that brings an org from one state to another.

use std::collections::{BTreeMap, BTreeSet};

use syncline_git::{Oid, Repository};
use syncline_metadata::component::ComponentId;
use syncline_metadata::diff::ChangeKind;
use syncline_metadata::package::PackageManifest;
use syncline_metadata::table::registry::Adapter;
use syncline_salesforce::ApiVersion;

use super::chunk::{Whole, chunks, digest};
use super::flows::{Flows, too_many};
use super::state::State;
use super::{Chunk, DeploymentError, Limits, access, deletion, inside};
use crate::compare::{Comparison, ComponentChange, Deletion, Filter, compare};
use crate::org::OrgError;
use crate::org::convert::{Files, splice, to_metadata_api};
use crate::org::seal::Sealer;
use crate::project::ProjectReader;

/// How a package is made.
#[derive(Clone)]
pub struct Options<'a> {
    /// The API version of the connection that sends it.
    pub version: ApiVersion,
    /// What one deployment takes.
    pub limits: Limits,
    /// The versions of flows in the org.
    pub flows: Flows,
    /// Opens the sealed secrets of files that are sent.
    pub sealer: Option<&'a Sealer>,
}

/// An element whose value is still sealed.
const SEALED: &[u8] = b">sealed:";

/// What is sent to an org, and what a person has to know about it.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// One deployment each, in order. None: the states mean the same.
    pub chunks: Vec<Chunk>,
    /// SHA-256 over everything that is sent, as hexadecimal digits.
    pub digest: String,
    /// Components that are deployed.
    pub components: BTreeSet<ComponentId>,
    /// Components that are deleted.
    pub deletions: BTreeSet<ComponentId>,
    /// Components that sent entries of profiles and permission sets tell about.
    pub about: BTreeSet<(String, String)>,
    /// What is not done, or not as somebody may think.
    pub notes: Vec<String>,
    /// Every change, for lists of what cannot be undone.
    pub changes: Vec<ComponentChange>,
}

impl Package {
    /// Whether nothing has to be sent.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Whether Apex is sent or deleted: then a production runs tests.
    pub fn has_apex(&self) -> bool {
        let all = self.components.iter().chain(&self.deletions);
        all.into_iter()
            .any(|id| matches!(&*id.type_name, "ApexClass" | "ApexTrigger"))
    }

    /// Everything that is touched.
    pub fn touched(&self) -> impl Iterator<Item = &ComponentId> {
        self.components.iter().chain(&self.deletions)
    }
}

/// The flows that differ between two states, so that [`super::flows::flows`] is asked for them.
pub fn flows_between(repository: &Repository, before: Oid, after: Oid) -> Result<BTreeSet<String>, DeploymentError> {
    let filter = Filter {
        types: vec!["Flow".to_owned()],
        ..Filter::default()
    };
    let (from, to) = (super::state::source(before), super::state::source(after));
    let compared = compare(Some(repository), &from, &to, &filter, &|_, _| {})?;
    Ok(compared
        .components
        .into_iter()
        .map(|one| one.id.full_name.into_string())
        .collect())
}

/// Makes the package that brings an org from the state of one tree to that of another. Nothing is asked of the org.
///
/// Only what differs in meaning is sent: whole components, single elements of profiles, single children of files that hold several.
/// Deletions come after what is deployed, so that the new versions have let go of them.
///
/// # Errors
/// A file cannot be read or brought to the format of a deployment; one component is larger than the limits.
pub fn package(
    repository: &Repository,
    before: Oid,
    after: Oid,
    options: &Options<'_>,
) -> Result<Package, DeploymentError> {
    let mut reader = ProjectReader::default();
    let from = State::read(repository, before, &mut reader)?;
    let to = State::read(repository, after, &mut reader)?;
    let mut compared = compare(
        Some(repository),
        &from.source(),
        &to.source(),
        &Filter::default(),
        &|_, _| {},
    )?;
    // Which version of a flow is active has other numbers in each org; the flow's own status tells it.
    compared
        .components
        .retain(|change| change.kind != ChangeKind::Moved && &*change.id.type_name != "FlowDefinition");
    let mut made = Package {
        notes: compared
            .unknown
            .iter()
            .map(|(path, why)| format!("{path} is not sent: {why}"))
            .collect(),
        ..Package::default()
    };
    let delta = compared.packages(Deletion::After);
    made.notes.extend(delta.notes.iter().map(ToString::to_string));
    let mut manifest = delta.package;
    let builder = Builder {
        repository,
        from: &from,
        to: &to,
        options,
    };
    let (first, last) = builder.deletions(&delta.destructive_post, &ids(&manifest), &mut made)?;
    let mut files = builder.files(&compared, &mut manifest, &mut made)?;
    builder.deactivate(&compared, &mut files, &mut manifest)?;
    made.components = ids(&manifest);
    made.chunks = chunks(Whole {
        files,
        manifest: &manifest,
        first,
        last,
        version: options.version,
        limits: options.limits,
    })?;
    made.digest = digest(&made.chunks);
    made.changes = compared.components;
    Ok(made)
}

fn ids(manifest: &PackageManifest) -> BTreeSet<ComponentId> {
    let all = manifest.types.iter();
    all.flat_map(|(kind, members)| members.iter().map(|name| ComponentId::new(kind.clone(), name.clone())))
        .collect()
}

struct Builder<'a> {
    repository: &'a Repository,
    from: &'a State,
    to: &'a State,
    options: &'a Options<'a>,
}

impl Builder<'_> {
    /// The lists of deletions before and after.
    fn deletions(
        &self,
        list: &PackageManifest,
        deployed: &BTreeSet<ComponentId>,
        made: &mut Package,
    ) -> Result<(PackageManifest, PackageManifest), DeploymentError> {
        let version = Some(self.options.version.to_string().into());
        let empty = || PackageManifest {
            version: version.clone(),
            ..PackageManifest::default()
        };
        let (mut first, mut last) = (empty(), empty());
        for id in ids(list) {
            if deletion::is_renamed(&id, deployed) {
                made.notes.push(format!(
                    "{id} is not deleted: it is deployed in other upper and lower case"
                ));
                continue;
            }
            match (&*id.type_name, self.options.flows.get(&*id.full_name)) {
                // A flow goes version by version (Metadata API Developer Guide, "Deleting Components from an Organization").
                ("Flow", Some(versions)) => {
                    for version in versions {
                        last.insert("Flow", &format!("{}-{}", id.full_name, version.number));
                    }
                }
                _ if deletion::comes_first(&id, deployed) => first.insert(&id.type_name, &id.full_name),
                _ => last.insert(&id.type_name, &id.full_name),
            }
            made.deletions.insert(id);
        }
        for flow in deployed.iter().filter(|id| &*id.type_name == "Flow") {
            let versions = self.options.flows.get(&*flow.full_name);
            for old in too_many(&flow.full_name, versions.map_or(&[], Vec::as_slice)) {
                made.notes.push(format!(
                    "Flow:{old} is deleted: it was not active any more, and one more has no room"
                ));
                first.insert("Flow", &old);
            }
        }
        Ok((first, last))
    }

    /// The files to send, in Metadata API format.
    fn files(
        &self,
        compared: &Comparison,
        manifest: &mut PackageManifest,
        made: &mut Package,
    ) -> Result<Files, DeploymentError> {
        let mut sources: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for change in &compared.components {
            if change.kind == ChangeKind::Removed {
                continue;
            }
            if access::TYPES.contains(&&*change.id.type_name) && self.to.of(&change.id).len() == 1 {
                self.access(change, &mut sources, manifest, made)?;
                continue;
            }
            for (path, oid) in self.to.of(&change.id) {
                let mut bytes = self.repository.read_blob(*oid)?;
                if change.kind == ChangeKind::Changed && self.holds_children(path, change) {
                    let still = change.children.iter().filter(|(_, kind)| *kind != ChangeKind::Removed);
                    let wanted = still.map(|(id, _)| id.clone()).collect();
                    bytes = inside::only(&change.id, path, &bytes, &wanted)?;
                }
                if let Some(sealer) = self.options.sealer
                    && let Some(opened) = sealer.open_file(&change.id, &bytes).map_err(OrgError::from)?
                {
                    bytes = opened;
                }
                // A secret that cannot be opened here would be sent as the text of its seal.
                if bytes.windows(SEALED.len()).any(|part| part == SEALED) {
                    return Err(DeploymentError::Sealed { path: path.clone() });
                }
                sources.insert(path.clone(), bytes);
            }
        }
        let mut files = Files::new();
        for project in self.to.projects.iter() {
            let own = |path: &&String| self.to.projects.at(path).is_some_and(|at| std::ptr::eq(at, project));
            let part: Files = sources
                .iter()
                .filter(|(path, _)| own(path))
                .map(|(path, bytes)| (path.clone(), bytes.clone()))
                .collect();
            let converted = to_metadata_api(project, &part)?;
            made.notes.extend(
                converted
                    .left
                    .iter()
                    .map(|(path, why)| format!("{path} is not sent: {why}")),
            );
            files.extend(converted.files);
        }
        Ok(files)
    }

    /// Whether a file of a component holds others that package.xml can name.
    fn holds_children(&self, path: &str, change: &ComponentChange) -> bool {
        let registry = self.to.projects.registry_for(path);
        !change.children.is_empty()
            && registry
                .and_then(|registry| registry.by_name(&change.id.type_name))
                .is_some_and(|kind| kind.adapter == Adapter::Xml)
    }

    /// A profile or permission set by its elements.
    fn access(
        &self,
        change: &ComponentChange,
        sources: &mut BTreeMap<String, Vec<u8>>,
        manifest: &mut PackageManifest,
        made: &mut Package,
    ) -> Result<(), DeploymentError> {
        let id = &change.id;
        let read = |files: &[(String, Oid)]| {
            files
                .first()
                .map(|(_, oid)| self.repository.read_blob(*oid))
                .transpose()
        };
        let before = read(self.from.of(id))?;
        let [(path, oid)] = self.to.of(id) else { return Ok(()) };
        let after = self.repository.read_blob(*oid)?;
        let gone = |kind: &str, name: &str| {
            let object = name.split('.').next().unwrap_or(name);
            made.deletions.contains(&ComponentId::new(kind, name))
                || made.deletions.contains(&ComponentId::new("CustomObject", object))
        };
        let sent = access::sent(id, path, before.as_deref(), &after, &gone)?;
        made.notes.extend(
            sent.stays
                .into_iter()
                .map(|entry| format!("this entry stays in the org, no deployment takes it away: {entry}")),
        );
        match sent.file {
            Some(file) => {
                made.about.extend(sent.about);
                sources.insert(path.clone(), file);
            }
            None => drop_member(manifest, id),
        }
        Ok(())
    }

    /// A flow that is deleted or not active any more has to be deactivated: a new version that is not active leaves the old one on.
    fn deactivate(
        &self,
        compared: &Comparison,
        files: &mut Files,
        manifest: &mut PackageManifest,
    ) -> Result<(), DeploymentError> {
        for change in compared.components.iter().filter(|one| &*one.id.type_name == "Flow") {
            let name = &change.id.full_name;
            let active = match self.options.flows.get(&**name) {
                Some(versions) => versions.iter().any(|version| version.active),
                None => self.is_active(self.from, &change.id)?,
            };
            if active && !self.is_active(self.to, &change.id)? {
                let content = "\n    <activeVersionNumber>0</activeVersionNumber>\n";
                let file = splice::document("FlowDefinition", content);
                files.insert(format!("flowDefinitions/{name}.flowDefinition"), file.into_bytes());
                manifest.insert("FlowDefinition", name);
            }
        }
        Ok(())
    }

    fn is_active(&self, state: &State, flow: &ComponentId) -> Result<bool, DeploymentError> {
        for (path, oid) in state.of(flow) {
            let bytes = self.repository.read_blob(*oid)?;
            let (_, document) = splice::parse(path, &bytes)?;
            let status = document
                .root_element()
                .children()
                .find(|node| node.tag_name().name() == "status");
            if status
                .and_then(|node| node.text())
                .is_some_and(|text| text.trim() == "Active")
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn drop_member(manifest: &mut PackageManifest, id: &ComponentId) {
    if let Some(members) = manifest.types.get_mut(&id.type_name) {
        members.remove(&id.full_name);
        if members.is_empty() {
            manifest.types.remove(&id.type_name);
        }
    }
}
