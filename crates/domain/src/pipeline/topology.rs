//! The environments, their ways and the external systems, drawn.

use std::fmt::Write;

use crate::config::{Config, Direction, Environment, Rule};

/// The environments as a tree, the top first, with what they are; below it the external systems.
pub fn tree(config: &Config) -> String {
    let mut out = String::new();
    for top in config.environments().iter().filter(|e| e.promotes_to.is_none()) {
        branch(config, top, "", "", &mut out);
    }
    for system in &config.systems {
        line(
            &mut out,
            "",
            &format!("system {}{}", system.name, owner(system.owner.as_ref())),
        );
        for (environment, installation) in &system.environments {
            let mut text = format!("{environment}: {}", installation.hosts.join(", "));
            if !installation.credentials.is_empty() {
                text.push_str(&format!(" by {}", installation.credentials.join(", ")));
            }
            line(&mut out, "   ", &text);
        }
    }
    out
}

fn branch(config: &Config, environment: &Environment, lead: &str, below: &str, out: &mut String) {
    let mut text = format!("{} · {}", environment.name, environment.kind.name());
    if let Some(licence) = environment.licence {
        text.push_str(&format!(" · {} sandbox", licence.name()));
    }
    text.push_str(&format!(" · branch {}", environment.branch));
    if let Some(org) = &environment.org {
        text.push_str(&format!(" · org {org}"));
    }
    text.push_str(&owner(environment.owner.as_ref()));
    line(out, lead, &text);
    let children = config.next_below(&environment.name);
    for (n, child) in children.iter().enumerate() {
        let last = n + 1 == children.len();
        let (lead, next) = if last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        branch(config, child, &format!("{below}{lead}"), &format!("{below}{next}"), out);
    }
}

fn owner(owner: Option<&String>) -> String {
    owner.map_or_else(String::new, |owner| format!(" · {owner}"))
}

fn line(out: &mut String, lead: &str, text: &str) {
    out.push_str(lead);
    out.push_str(text);
    out.push('\n');
}

/// The environments as a Mermaid flowchart: full arrows are promotions, dotted ones back-promotions that happen by
/// themselves, lines without heads lead to external systems.
pub fn mermaid(config: &Config) -> String {
    let mut out = String::from("flowchart BT\n");
    // Writing to a string cannot fail.
    let mut add = |text: std::fmt::Arguments<'_>| writeln!(out, "  {text}").expect("a string takes any text");
    let id = |name: &str| {
        let at = config
            .environments()
            .iter()
            .position(|environment| environment.name == name);
        format!("e{}", at.unwrap_or_default() + 1)
    };
    for environment in config.environments() {
        let kind = environment.kind.name();
        add(format_args!(
            "{}[\"{}<br/>{kind}, {}\"]",
            id(&environment.name),
            label(&environment.name),
            label(&environment.branch)
        ));
    }
    for way in config.ways() {
        let (from, to) = (id(&way.from), id(&way.to));
        let mut notes = match &way.rule {
            Rule::Manual => Vec::new(),
            Rule::Schedule(schedule) => vec![schedule.cron.to_string()],
            rule => vec![rule.name().to_owned()],
        };
        if way.direction == Direction::Up {
            notes.extend(
                way.gates
                    .approvals
                    .iter()
                    .map(|(role, count)| format!("{count} {role}")),
            );
            notes.extend(way.gates.soak.map(|soak| format!("soak {soak}")));
        }
        let text = label(&notes.join(", "));
        match (way.direction, way.rule == Rule::Manual) {
            (Direction::Up, _) if notes.is_empty() => add(format_args!("{from} --> {to}")),
            (Direction::Up, _) => add(format_args!("{from} -->|\"{text}\"| {to}")),
            (Direction::Down, false) => add(format_args!("{from} -.->|\"{text}\"| {to}")),
            (Direction::Down, true) => {}
        }
    }
    for (n, system) in config.systems.iter().enumerate() {
        let n = n + 1;
        add(format_args!("s{n}([\"{}\"])", label(&system.name)));
        for (environment, installation) in &system.environments {
            let hosts = label(&installation.hosts.join(", "));
            match hosts.is_empty() {
                true => add(format_args!("{} --- s{n}", id(environment))),
                false => add(format_args!("{} ---|\"{hosts}\"| s{n}", id(environment))),
            }
        }
    }
    out
}

/// Text in quotes: Mermaid knows entities by `#`.
fn label(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            c => out.push(c),
        }
    }
    out
}
