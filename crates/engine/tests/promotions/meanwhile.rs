//! What somebody changes in the target while an operation waits is never lost, wherever it waits.

use std::time::Duration;

use syncline_domain::operation::{Outcome, Question, QuestionKind, State};
use syncline_domain::policy::Actor;
use syncline_engine::conflicts::{Resolve, Which, list, resolve};
use syncline_engine::deployment::Limits;
use syncline_engine::operation::promote::{Direction, PROMOTE, conflicts_decided};
use syncline_engine::operation::{Kind, StepContext, StepDef, StepFuture};
use syncline_engine::resolution::Choice;
use syncline_engine::worker::Stop;
use syncline_git::CommitTime;
use xtask::generate::Random;

use crate::bench::{Bench, Setting};
use crate::files::{Files, TEXT, changed, class, field, flow, labels, org, permission_set, profile, remove};

/// The change that comes down.
fn ours(files: &mut Files) {
    class(files, "A", "Integer ours;");
    permission_set(files, &[("A", true), ("B", true), ("C", true)]);
    labels(files, &[("Bye", "Bye"), ("Greeting", "Hi")]);
    profile(files, &[("A", true), ("B", false)]);
    for at in 0..6 {
        class(files, &format!("Link{at}"), &format!("Link{} next;", at + 1));
    }
    class(files, "Link6", "");
}

/// What somebody does meanwhile, its result together with ours where both change a file, and whether the package touches it. None
/// conflicts with ours.
struct Edit {
    theirs: fn(&mut Files),
    both: fn(&mut Files),
    touched: bool,
}

const EDITS: &[Edit] = &[
    Edit {
        theirs: |files| class(files, "B", "Integer theirs;"),
        both: |files| class(files, "B", "Integer theirs;"),
        touched: false,
    },
    Edit {
        theirs: |files| class(files, "Other", ""),
        both: |files| class(files, "Other", ""),
        touched: false,
    },
    Edit {
        theirs: |files| permission_set(files, &[("A", false), ("B", true)]),
        both: |files| permission_set(files, &[("A", false), ("B", true), ("C", true)]),
        touched: true,
    },
    Edit {
        theirs: |files| labels(files, &[("Bye", "Ciao"), ("Greeting", "Hello")]),
        both: |files| labels(files, &[("Bye", "Ciao"), ("Greeting", "Hi")]),
        touched: false,
    },
    Edit {
        theirs: |files| profile(files, &[("A", false), ("B", true)]),
        both: |files| profile(files, &[("A", false), ("B", false)]),
        touched: false,
    },
    Edit {
        theirs: |files| field(files, "Memo__c", TEXT),
        both: |files| field(files, "Memo__c", TEXT),
        touched: false,
    },
    Edit {
        theirs: |files| remove(files, "fields/Note__c"),
        both: |files| remove(files, "fields/Note__c"),
        touched: false,
    },
    Edit {
        theirs: |files| flow(files, "Dunning", "Active", "theirs"),
        both: |files| flow(files, "Dunning", "Active", "theirs"),
        touched: false,
    },
    // The class that ours adds, in the very form of ours.
    Edit {
        theirs: |files| class(files, "Link6", ""),
        both: |_| {},
        touched: true,
    },
];

/// Where an operation waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// For the answer to a question of this name.
    Question(&'static str),
    /// Behind this step, as when its worker is killed or another one comes later.
    Behind(&'static str),
    /// Between two parts of the package.
    Parts,
}

impl Wait {
    /// Whether the package is in the org by then.
    fn is_late(self) -> bool {
        let Self::Behind(step) = self else { return false };
        ["deploy", "read-back", "after", "prove-rollback"].contains(&step)
    }
}

const WAITS: &[Wait] = &[
    Wait::Question("conflicts"),
    Wait::Question("dependencies"),
    Wait::Question("gates"),
    Wait::Question("call"),
    Wait::Behind("snapshot"),
    Wait::Behind("save-work"),
    Wait::Behind("merge"),
    Wait::Behind("dependencies"),
    Wait::Behind("validate"),
    Wait::Behind("reverse"),
    Wait::Parts,
    Wait::Behind("deploy"),
    Wait::Behind("read-back"),
    Wait::Behind("after"),
    Wait::Behind("prove-rollback"),
];

const MORE: &str =
    "[gates]\napprovals = { admin = 1 }\n[[steps]]\nid = \"call\"\nwhen = \"pre\"\nmanual = \"Call the team\"\n";

/// A step that waits for a word.
fn pause(context: &mut StepContext) -> StepFuture<'_> {
    Box::pin(async move {
        if !context.signals("pause").is_empty() {
            return Ok(Outcome::Done);
        }
        Ok(Outcome::NeedsPerson {
            question: Question {
                name: "pause".to_owned(),
                subject: String::new(),
                text: "Go on?".to_owned(),
                kind: QuestionKind::Confirm,
                details: serde_json::Value::Null,
            },
        })
    })
}

/// The promotion with a pause behind a step.
fn kinds(wait: Wait) -> &'static [&'static Kind] {
    let mut steps = Vec::new();
    for step in PROMOTE.steps {
        steps.push(StepDef {
            name: step.name,
            title: step.title,
            may_stop: step.may_stop,
            run: step.run,
        });
        if wait == Wait::Behind(step.name) {
            steps.push(StepDef {
                name: "pause",
                title: "waits",
                may_stop: false,
                run: pause,
            });
        }
    }
    let kind = Kind {
        name: PROMOTE.name,
        title: PROMOTE.title,
        steps: Vec::leak(steps),
    };
    let kind: &'static Kind = Box::leak(Box::new(kind));
    Vec::leak(vec![kind])
}

/// An operation, and somebody who changes its target once.
struct Trial {
    bench: Bench,
    id: String,
    wait: Wait,
    edit: &'static Edit,
    /// The change that comes down, and what the org holds before it.
    ours: Files,
    before: Files,
    planted: bool,
}

impl Trial {
    async fn begin(wait: Wait, edit: &'static Edit) -> Self {
        let entries = if wait == Wait::Parts {
            12
        } else {
            Limits::default().entries
        };
        let setting = Setting {
            more: MORE.to_owned(),
            limits: Limits {
                entries,
                ..Limits::default()
            },
            kinds: kinds(wait),
            ..Setting::default()
        };
        let bench = Bench::with(setting).await;
        let mut change = changed(&org(), ours);
        let mut before = org();
        match wait {
            Wait::Question("conflicts") => {
                class(&mut before, "A", "Integer work;");
                bench.others_change("uat", &org(), &before).await;
            }
            Wait::Question("dependencies") => profile(&mut change, &[("A", true), ("B", false), ("Gone", true)]),
            _ => {}
        }
        bench.on("main", &change);
        let id = bench.begin("production", "uat", Direction::Down).await.id;
        Self {
            bench,
            id,
            wait,
            edit,
            ours: change,
            before,
            planted: false,
        }
    }

    /// What the org has to hold in the end.
    fn both(&self) -> Files {
        changed(&self.ours, |files| {
            (self.edit.both)(files);
            match self.wait {
                // The answer to the conflict is what was in the org.
                Wait::Question("conflicts") => class(files, "A", "Integer work;"),
                Wait::Question("dependencies") => {
                    class(files, "Gone", "");
                    let theirs = self.edit.touches_profile();
                    profile(files, &[("A", !theirs), ("B", false), ("Gone", true)]);
                }
                _ => {}
            }
        })
    }

    async fn plant(&mut self) {
        if std::mem::replace(&mut self.planted, true) {
            return;
        }
        let (before, after) = match self.wait.is_late() {
            true => (self.ours.clone(), self.both()),
            false => (self.before.clone(), changed(&self.before, self.edit.theirs)),
        };
        self.bench.others_change("uat", &before, &after).await;
    }

    /// Works, and says yes to everything.
    async fn finish(&mut self) {
        loop {
            if self.wait == Wait::Parts && !self.planted {
                self.work_until_a_part_is_there().await;
            } else {
                self.bench.work().await;
            }
            let operation = self.bench.operation(&self.id).await;
            if self.wait == Wait::Parts && !self.planted && operation.state == State::Waiting {
                self.plant().await;
                continue;
            }
            let Some(question) = operation
                .question
                .clone()
                .filter(|_| operation.state == State::NeedsPerson)
            else {
                assert_eq!(operation.state, State::Succeeded, "{:?} {operation:?}", self.wait);
                return;
            };
            let waits = match self.wait {
                Wait::Question(name) => name == question.name,
                Wait::Behind(_) => question.name == "pause",
                Wait::Parts => false,
            };
            if waits {
                self.plant().await;
            }
            self.agree(&question).await;
        }
    }

    async fn agree(&self, question: &Question) {
        match question.name.as_str() {
            "conflicts" => {
                let open = list(&self.bench.open()).expect("listed");
                let now = CommitTime {
                    seconds: 1_800_000_000,
                    offset_minutes: 0,
                };
                for kept in open {
                    let answer = Resolve {
                        id: kept.id,
                        which: Which::All,
                        choice: Choice::Ours,
                        value: None,
                    };
                    resolve(&self.bench.open(), &answer, &Actor::owner("ada"), now).expect("resolved");
                }
                let (store, now) = (&self.bench.runtime.store, self.bench.runtime.now());
                conflicts_decided(store, "ada", now).await.expect("woken");
            }
            "dependencies" => {
                // Somebody sees to it.
                let with = changed(&org(), |files| class(files, "Gone", ""));
                self.bench.others_change("uat", &org(), &with).await;
                self.bench.answer(&self.id, "go-on").await;
            }
            "gates" => self.bench.approve(&self.id, "bea").await,
            _ => self.bench.answer(&self.id, "").await,
        }
    }

    /// Stops the worker once a part of the package is in the org.
    async fn work_until_a_part_is_there(&self) {
        let stop = Stop::new();
        let there = self.bench.deployments("uat");
        let look = async {
            while self.bench.deployments("uat") == there {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            stop.request();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = self.bench.work_until(&stop) => {}
            () = look => {}
        }
    }
}

impl Edit {
    fn touches_profile(&self) -> bool {
        changed(&org(), self.theirs)
            .iter()
            .any(|(path, text)| path.contains("profiles/") && org().get(path) != Some(text))
    }
}

async fn seeds_of(group: u64) {
    let seeds = std::env::var("SYNCLINE_SEEDS").map_or(25, |text| text.parse().expect("a number"));
    for seed in (0..seeds).filter(|seed: &u64| seed % GROUPS == group) {
        let mut random = Random::new(seed);
        let wait = WAITS[seed as usize % WAITS.len()];
        let edit = random.pick(EDITS);
        let mut trial = Trial::begin(wait, edit).await;
        trial.finish().await;
        assert!(trial.planted, "seed {seed}: the operation did not wait at {wait:?}");
        let lost = trial.bench.differs("uat", &trial.both()).await;
        assert_eq!(lost, "", "seed {seed}: {wait:?}");
        let kept = trial.bench.kept(&trial.id).await;
        // The package is another one then, and was approved again.
        let noticed = edit.touched && !wait.is_late() && wait != Wait::Parts;
        assert!(kept.changed_meanwhile >= u32::from(noticed), "seed {seed}: {wait:?}");
    }
}

/// The seeds are tried in so many tests at once.
const GROUPS: u64 = 5;

macro_rules! groups {
    ($($name:ident $group:literal)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            seeds_of($group).await;
        }
    )*};
}

groups! {
    edits_during_waits_stay_0 0
    edits_during_waits_stay_1 1
    edits_during_waits_stay_2 2
    edits_during_waits_stay_3 3
    edits_during_waits_stay_4 4
}
