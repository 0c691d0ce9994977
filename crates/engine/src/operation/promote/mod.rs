//! Promotion, back-promotion, rollback and revert of one target org: the same steps in the same order.
//!
//! What somebody changes in the target while the operation waits is seen right before the deployment: then the new state is saved,
//! the merge is made anew, and approvals of the old package are void.

mod around;
mod data;
mod dependencies;
mod deploy;
mod gates;
mod hand;
mod merge;
mod overlay;
mod progress;
mod prove;
mod read_back;
mod record;
mod reverse;
mod revert;
mod run_command;
mod save_work;
mod snapshot;
mod start;
mod validate;

use super::{Kind, StepContext, StepDef, StepFuture};

pub use data::{Direction, Kept, Meant, Params, SetBack, Undo};
pub use revert::{Revert, revert};
pub(crate) use start::{Once, promote_once};
pub use start::{StartError, Wanted, conflicts_decided, promote, rollback};

/// Changes brought to an org, up or down.
pub const PROMOTE: Kind = Kind {
    name: "promote",
    title: "promotion to an org",
    steps: STEPS,
};

/// A deployment undone.
pub const ROLLBACK: Kind = Kind {
    name: "rollback",
    title: "rollback of a deployment",
    steps: STEPS,
};

/// An org set back to what its branch says.
pub const REVERT: Kind = Kind {
    name: "revert",
    title: "drift set back",
    steps: STEPS,
};

macro_rules! step {
    ($name:literal, $title:literal, $may_stop:literal, $run:path) => {{
        fn run(context: &mut StepContext) -> StepFuture<'_> {
            Box::pin($run(context))
        }
        StepDef {
            name: $name,
            title: $title,
            may_stop: $may_stop,
            run,
        }
    }};
}

const STEPS: &[StepDef] = &[
    step!("snapshot", "takes a snapshot of the target", true, snapshot::run),
    step!("save-work", "saves the target's work in progress", true, save_work::run),
    step!("merge", "merges the changes into the target", true, merge::run),
    step!("dependencies", "looks for what is missing", true, dependencies::run),
    step!("validate", "validates the package in the target", true, validate::run),
    step!("gates", "waits until all gates are open", true, gates::run),
    step!("reverse", "proves the way back", true, reverse::run),
    step!("before", "runs the steps before the deployment", true, around::before),
    step!("deploy", "deploys", false, deploy::run),
    step!("read-back", "reads back what was deployed", false, read_back::run),
    step!("after", "runs the steps after the deployment", false, around::after),
    step!(
        "prove-rollback",
        "validates the way back in the target",
        false,
        prove::run
    ),
    step!("record", "records the new common state", false, record::run),
];
