//! Drift set back: differences of the org that a person has seen, undone by what the branch says.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use syncline_domain::policy::{Action, Actor};
use syncline_git::{NewCommit, Oid, Repository, Signature};
use syncline_metadata::path::ElementPath;
use syncline_store::Operation;

use super::data::{Direction, Meant, Params, SetBack};
use super::hand::{Hand, failed};
use super::start::{StartError, begin};
use crate::back_promote::Selection;
use crate::config;
use crate::drift::{Difference, Drift, drift, edits, pick, with_overlays};
use crate::environment::{EnvironmentError, find, org_of};
use crate::operation::{Outcome, Problem, Runtime, StepContext, StepError};
use crate::permission::ask;
use crate::wire::hex;

/// What is to be set back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revert {
    /// The environment.
    pub environment: String,
    /// Numbers, components and elements, as of the last snapshot.
    pub selection: Vec<String>,
    /// All that was changed in the org.
    pub all: bool,
    /// Deploy it; else it is only validated.
    pub deploy: bool,
    /// The environment's name once more, as a production needs it.
    pub confirmed: Option<String>,
}

/// Begins to set an org back to its branch; a worker does the work. What differs otherwise by then than in the last snapshot ends it.
///
/// # Errors
/// What was selected is not a change of the org, or a production is not named.
pub async fn revert(
    runtime: &Runtime,
    repository: &Repository,
    request: &Revert,
    actor: &Actor,
) -> Result<Operation, StartError> {
    let config = config::read(repository)?;
    let target = find(&config, &request.environment)?;
    ask(actor, Action::Deploy, Some(target))?;
    let login = org_of(target)?;
    let confirmed = request.confirmed.as_deref().filter(|name| *name == target.name);
    runtime.orgs.permit(login, confirmed.map(|_| login))?;
    let shown = drift(repository, &target.name)?;
    let taken = match request.selection.is_empty() {
        true => Difference::is_unclaimed,
        false => Difference::is_revertible,
    };
    let picked = pick(&shown, &request.selection, request.all, taken)?.differences;
    let params = Params {
        from: target.branch.clone(),
        made_in: None,
        to: target.name.clone(),
        commit: shown.commit.to_string(),
        branch: None,
        direction: Direction::Revert,
        selection: Selection::default(),
        bypass: None,
        undo: None,
        revert: Some(SetBack {
            differences: picked.iter().map(meant).collect(),
            deploy: request.deploy,
        }),
    };
    begin(runtime, "revert", &params, Some(login), None, actor).await
}

fn meant(one: &Difference) -> Meant {
    Meant {
        path: one.path.to_string(),
        seen: seen(one),
    }
}

/// A digest of a difference: values of people's orgs stand in no parameters.
fn seen(one: &Difference) -> String {
    let text = serde_json::json!([one.kind.name(), one.branch, one.org]).to_string();
    hex(&Sha256::digest(text.as_bytes())[..16])
}

/// The snapshot with what was picked as the branch has it.
pub(super) fn run(context: &mut StepContext, mut hand: Hand, wanted: &SetBack) -> Result<Outcome, StepError> {
    let found = drift(&hand.repository, &hand.target.name)?;
    // Somebody else has taken a snapshot since.
    if hand.kept.snapshot.as_deref() != Some(found.snapshot.to_string().as_str()) {
        return Ok(Outcome::Next {
            step: "snapshot".to_owned(),
        });
    }
    let Picked { differences, changed } = again(&found, wanted)?;
    if !changed.is_empty() {
        return Ok(failed(
            "revert.changed",
            format!(
                "`{}` was changed again since it was looked at: {}",
                hand.target.name,
                changed.join(", ")
            ),
            "look at it with `syncline drift` and select anew",
        ));
    }
    let after = set_back(&hand, &found, &differences).map_err(|error| match error {
        EnvironmentError::Argument { .. } | EnvironmentError::Pick(_) => {
            StepError::refused(Problem::new("revert.selection", error.to_string()).hint("select other differences"))
        }
        error => error.into(),
    })?;
    let reference = hand.reference("org")?;
    let before = hand.repository.read_ref(&reference)?;
    hand.repository
        .update_ref(&reference, Some(after), before, "syncline: set back")?;
    let tip = found.commit.to_string();
    hand.kept.base = None;
    hand.kept.result = Some(after.to_string());
    hand.kept.branch_tip = Some(tip.clone());
    hand.kept.branch_result = Some(tip);
    context.set_data(&hand.kept)?;
    let trees = hand.trees()?;
    Ok(match trees.0 == trees.1 {
        true => Outcome::Next {
            step: "record".to_owned(),
        },
        false => Outcome::Done,
    })
}

/// What a person means, in the differences of now.
#[derive(Default)]
struct Picked {
    differences: Vec<Difference>,
    /// Elements that differ otherwise than the person saw.
    changed: Vec<String>,
}

/// Finds the differences again. One that is gone altogether needs nothing: the org has what the branch says.
fn again(found: &Drift, wanted: &SetBack) -> Result<Picked, StepError> {
    let by_path: BTreeMap<String, &Difference> = found
        .differences
        .iter()
        .map(|one| (one.path.to_string(), one))
        .collect();
    let mut picked = Picked::default();
    for meant in &wanted.differences {
        match by_path.get(&meant.path) {
            Some(one) if seen(one) == meant.seen => picked.differences.push((*one).clone()),
            Some(_) => picked.changed.push(meant.path.clone()),
            None => {
                let path: ElementPath = meant.path.parse()?;
                let touched = |one: &Difference| one.path.is_within(&path) || path.is_within(&one.path);
                if found.differences.iter().any(touched) {
                    picked.changed.push(meant.path.clone());
                }
            }
        }
    }
    Ok(picked)
}

/// A commit on the snapshot that has these differences as the branch has them, with the values of the environment.
fn set_back(hand: &Hand, found: &Drift, differences: &[Difference]) -> Result<Oid, EnvironmentError> {
    let writer = hand.repository.batch()?;
    let branch = with_overlays(&writer, &hand.target, writer.commit_tree(found.commit)?)?;
    let org = writer.commit_tree(found.snapshot)?;
    let edits = edits(&writer, found, differences, (org, branch))?;
    let who = Signature {
        identity: writer.committer()?,
        time: hand.time(),
    };
    let commit = writer.write_commit(NewCommit {
        tree: writer.write_edits(Some(org), &edits)?,
        parents: &[found.snapshot],
        message: &hand.title(),
        author: &who,
        committer: &who,
    })?;
    writer.flush()?;
    Ok(commit)
}
