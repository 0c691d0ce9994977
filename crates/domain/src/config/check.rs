//! The rules that hold across `syncline.toml`.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{self, File, Name};
use super::problem::{Checked, Code};
use super::{Config, DeploymentStep, Edge, Environment, Freeze, System, TestLevel, Window, Work};

/// Makes the configuration out of the file, and keeps what is wrong with it.
pub(super) fn settle(checked: &mut Checked<'_>, mut file: File) -> Config {
    let known = Known(file.environments.keys().map(|name| name.get_ref().clone()).collect());
    check_environments(checked, &file, &known);
    let gates = file.gates.take();
    if let Some(gates) = &gates {
        check_gates(checked, gates);
    }
    let mut environments: Vec<(usize, Environment)> = std::mem::take(&mut file.environments)
        .into_iter()
        .map(|(name, entry)| (name.span().start, environment(name, entry)))
        .collect();
    environments.sort_by_key(|(at, _)| *at);
    let mut config = Config {
        environments: environments.into_iter().map(|(_, environment)| environment).collect(),
        naming: file.naming,
        gates: gates.map(toml::Spanned::into_inner).unwrap_or_default(),
        audit: file.audit,
        ..Config::default()
    };
    // Whether a way leads up or down can only be told on a path that ends.
    if checked.errors.is_empty() {
        config.edges = edges(checked, file.edges, &known, &config);
    }
    config.freezes = freezes(checked, file.freeze, &known);
    config.systems = systems(checked, file.system, &known);
    config.steps = steps(checked, file.steps, &known);
    config
}

/// The names of all environments.
struct Known(BTreeSet<String>);

impl Known {
    /// Whether a name is known; if not, that is kept as a mistake of `who`.
    fn has(&self, checked: &mut Checked<'_>, name: &Name, who: &str) -> bool {
        let found = self.0.contains(name.get_ref());
        if !found {
            let problem = format!("{who} `{}`, which is no environment", name.get_ref());
            checked.push(name.span(), Code::Unknown, problem, self.hint());
        }
        found
    }

    fn hint(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(String::as_str).collect();
        format!("known are {}", names.join(", "))
    }
}

/// Keeps a mistake where a name was seen before.
fn once<'n>(checked: &mut Checked<'_>, seen: &mut BTreeSet<&'n str>, name: &'n Name, what: &str, hint: &str) {
    if !seen.insert(name.get_ref()) {
        let problem = format!("there is a second {what} `{}`", name.get_ref());
        checked.push(name.span(), Code::Twice, problem, hint);
    }
}

fn environment(name: Name, entry: file::Environment) -> Environment {
    let text = |name: Option<Name>| name.map(toml::Spanned::into_inner);
    Environment {
        name: name.into_inner(),
        branch: entry.branch.into_inner(),
        kind: entry.kind,
        tier: entry.tier.unwrap_or(entry.kind.tier()),
        org: text(entry.org),
        licence: entry.licence,
        sandbox: text(entry.sandbox),
        promotes_to: text(entry.promotes_to),
        remote: entry.remote,
        owner: entry.owner,
        test_level: entry.test_level,
        refreshed: entry.refreshed,
    }
}

fn check_environments(checked: &mut Checked<'_>, file: &File, known: &Known) {
    let mut owners: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (name, entry) in &file.environments {
        let text = name.get_ref().as_str();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if text.is_empty() || !text.chars().all(plain) || text.starts_with(['.', '-']) {
            let problem = format!("`{text}` cannot name an environment");
            checked.push(
                name.span(),
                Code::Name,
                problem,
                "use letters, digits, `-`, `_` and `.`, a letter or digit first",
            );
        }
        let rules = [
            (&file.naming.environments, name, "environment"),
            (&file.naming.branches, &entry.branch, "branch"),
        ];
        for (rule, name, what) in rules {
            if let Some(pattern) = rule
                .as_ref()
                .filter(|pattern| !pattern.regex().is_match(name.get_ref()))
            {
                let problem = format!(
                    "the {what} `{}` does not follow the naming rule `{pattern}`",
                    name.get_ref()
                );
                checked.push(
                    name.span(),
                    Code::Name,
                    problem,
                    "rename it, or correct the rule in `[naming]`",
                );
            }
        }
        let own = [
            ("branch", Some(&entry.branch)),
            ("org", entry.org.as_ref()),
            ("sandbox", entry.sandbox.as_ref()),
        ];
        for (what, value) in own {
            let Some(value) = value else { continue };
            if let Some(other) = owners.insert((what, value.get_ref()), text) {
                let problem = format!("`{text}` and `{other}` both have the {what} `{}`", value.get_ref());
                checked.push(value.span(), Code::Twice, problem, "give each its own");
            }
        }
        if let Some(above) = &entry.promotes_to {
            known.has(checked, above, &format!("`{text}` promotes to"));
        }
    }
    check_circles(checked, file);
}

fn check_circles(checked: &mut Checked<'_>, file: &File) {
    let above: BTreeMap<&str, &Name> = file
        .environments
        .iter()
        .filter_map(|(name, entry)| Some((name.get_ref().as_str(), entry.promotes_to.as_ref()?)))
        .collect();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (name, first) in &above {
        let mut path = vec![*name];
        let mut next = Some(first);
        while let Some(step) = next {
            let at = step.get_ref().as_str();
            if path.contains(&at) {
                // A circle is told once, from the first environment on it.
                if at == *name && !told.contains(at) {
                    told.extend(&path);
                    path.push(at);
                    let problem = format!("the path {} leads in a circle", path.join(" → "));
                    checked.push(first.span(), Code::Circle, problem, "remove one `promotes-to`");
                }
                break;
            }
            path.push(at);
            next = above.get(at);
        }
    }
}

fn edges(checked: &mut Checked<'_>, list: Vec<file::Edge>, known: &Known, config: &Config) -> Vec<Edge> {
    let mut seen = BTreeSet::new();
    let mut edges = Vec::new();
    for entry in list {
        let (from, to) = (entry.from.get_ref(), entry.to.get_ref());
        let is_known = known.has(checked, &entry.from, "the edge comes from");
        let all = to == "*";
        if !is_known || !all && !known.has(checked, &entry.to, "the edge goes to") {
            continue;
        }
        let place = entry.from.span();
        if !seen.insert((from.clone(), to.clone())) {
            let problem = format!("there is a second edge from `{from}` to `{to}`");
            checked.push(place.clone(), Code::Twice, problem, "put the rules into one");
        }
        let down = if all {
            !config.below(from).is_empty()
        } else {
            config.below(from).iter().any(|below| below.name == *to)
        };
        let up = config.environment(from).and_then(|from| from.promotes_to.as_deref()) == Some(to);
        if !down && !up {
            let problem = match all {
                true => format!("nothing is below `{from}`"),
                false => format!("no way leads from `{from}` to `{to}`"),
            };
            let hint = "a way goes up to the environment of `promotes-to`, or down to one below";
            checked.push(entry.to.span(), Code::Way, problem, hint);
        }
        if entry.rule == super::edge::RuleName::OnDeploy && config.environment(from).is_some_and(|e| e.org.is_none()) {
            let problem = format!("`on-deploy` waits for deployments to `{from}`, which has no org");
            checked.push(place.clone(), Code::Keys, problem, "give it an `org`, or use `on-push`");
        }
        if let Some(gates) = &entry.gates {
            check_gates(checked, gates);
            if down && gates.get_ref().soak.is_some() {
                let problem = "soak time counts only on a way up".to_owned();
                checked.push(
                    gates.span(),
                    Code::Keys,
                    problem,
                    "remove `soak`, or put it on the edge upward",
                );
            }
        }
        let zone = entry.zone.as_ref().map(|zone| zone.get_ref().clone());
        let times = match (entry.schedule, zone) {
            (Some(cron), zone) => Some((cron, zone.unwrap_or_default())),
            (None, Some(_)) => {
                checked.push(
                    place,
                    Code::Keys,
                    "`zone` stands without `schedule`".to_owned(),
                    "remove it",
                );
                continue;
            }
            (None, None) => None,
        };
        let Some(rule) = entry.rule.with(times) else {
            let problem = "`rule = \"schedule\"` and the key `schedule` go together".to_owned();
            checked.push(
                place,
                Code::Keys,
                problem,
                "write both, for example `schedule = \"0 6 * * 1-5\"`",
            );
            continue;
        };
        edges.push(Edge {
            to: (!all).then(|| to.clone()),
            from: from.clone(),
            rule,
            select: entry.select,
            gates: entry.gates.map(toml::Spanned::into_inner).unwrap_or_default(),
        });
    }
    edges
}

fn check_gates(checked: &mut Checked<'_>, gates: &toml::Spanned<super::GateRules>) {
    let rules = gates.get_ref();
    if rules.coverage.is_some() && rules.tests == Some(TestLevel::NoTestRun) {
        let problem = "`coverage` needs tests, but `tests` is `NoTestRun`".to_owned();
        checked.push(gates.span(), Code::Keys, problem, "remove one of them");
    }
    if rules.validate == Some(false) && (rules.coverage.is_some() || rules.tests.is_some()) {
        let problem = "`tests` and `coverage` come from the validation, but `validate` is false".to_owned();
        checked.push(
            gates.span(),
            Code::Keys,
            problem,
            "remove `validate = false`, or the others",
        );
    }
    for (role, count) in rules.approvals.iter().flatten() {
        if *count == 0 || !role.approves() {
            let problem = format!("{count} approvals by the role `{role}` cannot be given");
            let hint = "ask one or more of release-manager, admin, security-officer or developer";
            checked.push(gates.span(), Code::Keys, problem, hint);
        }
    }
    let mut seen = BTreeSet::new();
    for test in rules.functional.iter().flatten() {
        if !seen.insert(&test.name) {
            let problem = format!("there is a second functional test `{}`", test.name);
            checked.push(gates.span(), Code::Twice, problem, "give each its own name");
        }
    }
}

fn freezes(checked: &mut Checked<'_>, list: Vec<file::Freeze>, known: &Known) -> Vec<Freeze> {
    let mut freezes = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in &list {
        once(checked, &mut seen, &entry.name, "freeze", "give each its own name");
        for environment in &entry.environments {
            known.has(
                checked,
                environment,
                &format!("the freeze `{}` holds in", entry.name.get_ref()),
            );
        }
        let mut wrong = |problem: &str, hint: &str| {
            let problem = format!("the freeze `{}` {problem}", entry.name.get_ref());
            checked.push(entry.name.span(), Code::Window, problem, hint);
        };
        let window = match (entry.from, entry.to, entry.every) {
            (Some(from), Some(to), None) if from < to => Window::Once { from, to },
            (Some(_), Some(_), None) => {
                wrong("ends before it begins", "swap `from` and `to`");
                continue;
            }
            (None, None, Some(week)) => Window::Weekly(week),
            _ => {
                let hint = "write `from` and `to`, or `every = \"fri 18:00 .. mon 06:00\"`";
                wrong("has no window, or two", hint);
                continue;
            }
        };
        freezes.push(Freeze {
            name: entry.name.get_ref().clone(),
            environments: names(&entry.environments),
            zone: entry.zone.clone(),
            window,
        });
    }
    freezes
}

fn systems(checked: &mut Checked<'_>, list: Vec<file::System>, known: &Known) -> Vec<System> {
    let mut seen = BTreeSet::new();
    for entry in &list {
        once(
            checked,
            &mut seen,
            &entry.name,
            "system",
            "put the installations into one",
        );
        for environment in entry.environments.keys() {
            known.has(
                checked,
                environment,
                &format!("the system `{}` serves", entry.name.get_ref()),
            );
        }
    }
    let installations = |entry: file::System| {
        let pairs = entry.environments.into_iter();
        pairs
            .map(|(name, installation)| (name.into_inner(), installation))
            .collect()
    };
    list.into_iter()
        .map(|mut entry| System {
            owner: entry.owner.take(),
            name: entry.name.get_ref().clone(),
            environments: installations(entry),
        })
        .collect()
}

fn steps(checked: &mut Checked<'_>, list: Vec<file::Step>, known: &Known) -> Vec<DeploymentStep> {
    let mut seen = BTreeSet::new();
    let mut steps = Vec::new();
    for entry in &list {
        once(
            checked,
            &mut seen,
            &entry.id,
            "step",
            "a step runs once: give each its own id",
        );
        for environment in &entry.on {
            known.has(
                checked,
                environment,
                &format!("the step `{}` runs on", entry.id.get_ref()),
            );
        }
        let work = match (&entry.apex, &entry.command, &entry.manual) {
            (Some(file), None, None) => Work::Apex(file.clone()),
            (None, Some(command), None) => Work::Command(command.clone()),
            (None, None, Some(text)) => Work::Manual(text.clone()),
            _ => {
                let problem = format!("the step `{}` does nothing, or several things", entry.id.get_ref());
                checked.push(
                    entry.id.span(),
                    Code::Keys,
                    problem,
                    "write one of `apex`, `command` and `manual`",
                );
                continue;
            }
        };
        steps.push(DeploymentStep {
            id: entry.id.get_ref().clone(),
            when: entry.when,
            on: names(&entry.on),
            work,
            with: entry.with.clone(),
        });
    }
    steps
}

fn names(list: &[Name]) -> Vec<String> {
    list.iter().map(|name| name.get_ref().clone()).collect()
}
