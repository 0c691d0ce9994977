//! What is asked for, and what the steps keep.

use serde::{Deserialize, Serialize};
use syncline_domain::gate::{Counts, Done, Functional, Validation};
use syncline_salesforce::metadata::DeployIntent;

use crate::back_promote::Selection;
use crate::deployment::export::Kept as Exported;
use crate::deployment::{Difference, Irreversible, Missing, rehearse::Proof};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// What people call the source.
    pub from: String,
    /// The target: an environment with an org.
    pub to: String,
    /// The environment in which the source was made, if the source is a work item: the way leads from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_in: Option<String>,
    /// The source's commit.
    pub commit: String,
    /// The source's branch, if it is one.
    #[serde(default)]
    pub branch: Option<String>,
    /// Up, down, back or set back.
    pub direction: Direction,
    /// Only these components and elements.
    #[serde(default)]
    pub selection: Selection,
    /// Why the path is left, if it is.
    #[serde(default)]
    pub bypass: Option<String>,
    /// What is undone.
    #[serde(default)]
    pub undo: Option<Undo>,
    /// What is set back.
    #[serde(default)]
    pub revert: Option<SetBack>,
}

impl Params {
    /// The environment from which the way leads.
    pub fn way_from(&self) -> &str {
        self.made_in.as_deref().unwrap_or(&self.from)
    }
}

/// Which way changes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// To the environment above.
    Up,
    /// To an environment below.
    Down,
    /// To what was before a deployment.
    Back,
    /// To what the branch says.
    Revert,
}

/// Differences of the org that are set back to what its branch says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetBack {
    /// The differences, as the person saw them.
    pub differences: Vec<Meant>,
    /// Whether they are deployed; else they are only validated.
    pub deploy: bool,
}

/// A difference that a person means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meant {
    /// The element's path.
    pub path: String,
    /// A digest of what the person saw there: what the branch has and what the org has.
    pub seen: String,
}

/// The deployment that is undone: the states before it and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undo {
    /// The operation.
    pub operation: String,
    /// The org's commit after it; the one before it is the source.
    pub org: String,
    /// The branch before and after it, if it moved.
    pub branch: Option<(String, String)>,
    /// The ref of the common state, what stood there before, and what stands there since.
    pub base: Option<(String, Option<String>, String)>,
}

/// What the steps keep. Commits and trees are hexadecimal ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// The org.
    pub org_id: Option<String>,
    /// The snapshot that the merge uses.
    pub snapshot: Option<String>,
    /// How often somebody changed the target meanwhile.
    pub changed_meanwhile: u32,
    /// What somebody changed meanwhile, the last time.
    pub meanwhile: Vec<Difference>,
    /// The ref of the saved work in progress.
    pub work: Option<String>,
    /// The common state of source and target.
    pub base: Option<String>,
    /// The target's branch as it was seen.
    pub branch_tip: Option<String>,
    /// The org's state with the change.
    pub result: Option<String>,
    /// The branch's state with the change.
    pub branch_result: Option<String>,
    /// The digest of the package; approvals are bound to it.
    pub digest: Option<String>,
    /// Components in the package, and deletions.
    pub components: Vec<String>,
    /// Deletions of the package.
    pub deletions: Vec<String>,
    /// What is not done, or not as somebody may think.
    pub notes: Vec<String>,
    /// What the package needs and nobody has.
    pub missing: Vec<Missing>,
    /// The last validation.
    pub validation: Option<Done<Validation>>,
    /// Its id, if it can be deployed quickly.
    pub quick: Option<String>,
    /// The last analysis.
    pub analysis: Option<Done<Counts>>,
    /// The last functional tests by name.
    pub functional: std::collections::BTreeMap<String, Done<Functional>>,
    /// What cannot be undone.
    pub irreversible: Vec<Irreversible>,
    /// Data that was kept before its deletion.
    pub exported: Vec<Exported>,
    /// What the rehearsal of the way back showed.
    pub rehearsed: Option<Done<Proof>>,
    /// The deployments of the package so far, by id.
    pub deployed: Vec<String>,
    /// The digest of the package that is being deployed.
    pub deploying: Option<String>,
    /// What is being sent.
    pub intent: Option<DeployIntent>,
    /// The deployment that is being waited for.
    pub running: Option<String>,
    /// What the org has otherwise than it was to have.
    pub differences: Vec<Difference>,
    /// Whether the org takes the way back, and why not.
    pub rollback: Option<Rollback>,
    /// The branch's new commit.
    pub branch_commit: Option<String>,
    /// The ref of the common state, what stood there before, and what stands there now.
    pub shared: Option<(String, Option<String>, String)>,
}

/// Whether the way back was valid right after the deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    /// Whether.
    pub valid: bool,
    /// Why not.
    pub problems: Vec<String>,
}
