//! A temporary repository with small metadata, and the `git` program in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use syncline_engine::back_promote::{Outcome, Report, Request, Selection, TargetReport, back_promote};
use syncline_engine::conflicts::{Resolve, Resolved, Which, resolve};
use syncline_engine::policy::Actor;
use syncline_engine::resolution::Choice;
use syncline_git::{CommitTime, Repository};
use tempfile::TempDir;

/// The folder goes away with the value.
pub(crate) struct Sandbox {
    _folder: TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) const NOW: CommitTime = CommitTime {
    seconds: 1_700_000_500,
    offset_minutes: 60,
};

/// Who asks: everything is allowed.
pub(crate) fn owner() -> Actor {
    Actor::owner("Ada")
}

pub(crate) const ROOT: &str = "force-app/main/default";

impl Sandbox {
    /// An empty repository on branch `main`, with an identity.
    pub(crate) fn empty() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().canonicalize().unwrap().join("repository");
        std::fs::create_dir(&path).unwrap();
        let sandbox = Self { _folder: folder, path };
        sandbox.git(&["init", "--quiet", "--initial-branch=main", "."]);
        sandbox.git(&["config", "user.name", "Ada"]);
        sandbox.git(&["config", "user.email", "ada@example.com"]);
        sandbox
    }

    /// A project with two package directories, a profile and a class on `main`; `uat` and `dev` begin there.
    pub(crate) fn new() -> Self {
        let sandbox = Self::empty();
        sandbox.write(
            "sfdx-project.json",
            r#"{"packageDirectories": [{"path": "force-app", "default": true}, {"path": "extra"}]}"#,
        );
        sandbox.write(
            &profile_path("Admin"),
            &profile(&[("A", "true"), ("B", "true"), ("C", "true")]),
        );
        sandbox.write(
            &format!("{ROOT}/classes/Hello.cls"),
            &class(&["one", "two", "three", "four", "five"]),
        );
        sandbox.write(&format!("{ROOT}/classes/Hello.cls-meta.xml"), &class_meta("60.0"));
        sandbox.commit("Start");
        for branch in ["uat", "dev"] {
            sandbox.git(&["branch", branch]);
        }
        sandbox
    }

    pub(crate) fn open(&self) -> Repository {
        Repository::open(&self.path).unwrap()
    }

    /// Switches to a branch, runs the changes, commits them and leaves HEAD on a branch that no test targets.
    pub(crate) fn on(&self, branch: &str, change: impl FnOnce(&Self)) {
        self.git(&["switch", "--quiet", branch]);
        change(self);
        self.commit(&format!("Work on {branch}"));
        self.rest();
    }

    /// Leaves all branches free to move.
    pub(crate) fn rest(&self) {
        if self.run(&["switch", "--quiet", "resting"]).status.success() {
            self.git(&["reset", "--quiet", "--hard"]);
        } else {
            self.git(&["switch", "--quiet", "-c", "resting"]);
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    pub(crate) fn rev(&self, revision: &str) -> String {
        self.git(&["rev-parse", "--verify", revision]).trim().to_owned()
    }

    pub(crate) fn read(&self, revision: &str, path: &str) -> Option<String> {
        let output = self.run(&["show", &format!("{revision}:{path}")]);
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    }

    pub(crate) fn git<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        self.git_in(&self.path, arguments)
    }

    pub(crate) fn git_in<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S]) -> String {
        let output = run_in(folder, arguments);
        assert!(
            output.status.success(),
            "git failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        run_in(&self.path, arguments)
    }

    pub(crate) fn promote(&self, from: &str, onto: &[&str]) -> Report {
        self.promote_only(from, onto, Selection::default())
    }

    pub(crate) fn promote_only(&self, from: &str, onto: &[&str], selection: Selection) -> Report {
        let request = request(from, onto);
        back_promote(&self.open(), &Request { selection, ..request }, &owner(), NOW).unwrap()
    }

    pub(crate) fn resolve(&self, id: &str, which: Which, choice: Choice, value: Option<&str>) -> Resolved {
        let request = Resolve {
            id: id.to_owned(),
            which,
            choice,
            value: value.map(|text| text.as_bytes().to_vec()),
        };
        resolve(&self.open(), &request, &owner(), NOW).unwrap()
    }
}

fn run_in<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Output {
    let mut command = Command::new("git");
    command.current_dir(folder).args(arguments);
    command.envs([
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("LC_ALL", "C"),
    ]);
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_DATE"), "1700000000 +0100");
    }
    command.output().unwrap()
}

pub(crate) fn request(from: &str, onto: &[&str]) -> Request {
    Request {
        from: from.to_owned(),
        onto: onto.iter().map(|name| (*name).to_owned()).collect(),
        ..Request::default()
    }
}

/// What became of the targets, in short: `uat done`, `dev conflicts 2`, ….
pub(crate) fn told(report: &Report) -> String {
    let told = |target: &TargetReport| match &target.outcome {
        Outcome::Done { .. } => format!("{} done", target.target),
        Outcome::NothingToDo => format!("{} nothing", target.target),
        Outcome::Conflicts { conflicts, .. } => format!("{} conflicts {}", target.target, conflicts.len()),
        Outcome::Failed { error } => format!("{} failed: {} {}", target.target, error.message, error.causes.join(" ")),
    };
    report.targets.iter().map(told).collect::<Vec<_>>().join("; ")
}

pub(crate) fn profile_path(name: &str) -> String {
    format!("{ROOT}/profiles/{name}.profile-meta.xml")
}

/// A profile with field permissions: field and whether it is editable.
pub(crate) fn profile(fields: &[(&str, &str)]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <Profile xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    <custom>false</custom>\n"
        .to_owned();
    for (field, editable) in fields {
        text.push_str(&format!(
            "    <fieldPermissions>\n        <editable>{editable}</editable>\n        <field>Account.{field}__c</field>\n        \
             <readable>true</readable>\n    </fieldPermissions>\n"
        ));
    }
    text.push_str("</Profile>\n");
    text
}

pub(crate) fn class(lines: &[&str]) -> String {
    let body: String = lines.iter().map(|line| format!("    // {line}\n")).collect();
    format!("public class Hello {{\n{body}}}\n")
}

pub(crate) fn class_meta(version: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ApexClass xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
         <apiVersion>{version}</apiVersion>\n    <status>Active</status>\n</ApexClass>\n"
    )
}

pub(crate) fn field(object: &str, name: &str, body: &str) -> (String, String) {
    (
        format!("{ROOT}/objects/{object}/fields/{name}.field-meta.xml"),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CustomField xmlns=\"http://soap.sforce.com/2006/04/metadata\">\n    \
             <fullName>{name}</fullName>\n{body}</CustomField>\n"
        ),
    )
}

/// The id under which the conflicts of a report's only target are kept.
pub(crate) fn conflict_id(report: &Report) -> String {
    match &report.targets[0].outcome {
        Outcome::Conflicts { id, .. } => id.clone(),
        other => panic!("no conflicts: {other:?}"),
    }
}
