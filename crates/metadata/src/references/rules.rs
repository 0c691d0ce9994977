//! The rule table `references.txt`, parsed once.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::ReferenceKind;

static TEXT: &str = include_str!("../../table/references.txt");

/// The parsed table.
pub(super) struct Rules {
    sections: HashMap<&'static str, Section>,
    standard: Vec<(&'static str, &'static str)>,
    aliases: Vec<(&'static str, &'static str)>,
    lists: HashMap<&'static str, &'static str>,
    relationships: HashMap<&'static str, Vec<(Option<&'static str>, &'static str)>>,
}

/// The rules of one root element.
pub(super) struct Section {
    pub(super) object: ObjectFrom,
    /// The component needs its object.
    pub(super) parent: bool,
    by_last: HashMap<&'static str, Vec<Line>>,
    any: Vec<Line>,
}

/// Where the object that a file is about is named.
#[derive(Clone, Copy, Debug)]
pub(super) enum ObjectFrom {
    None,
    Name,
    BeforeDot,
    BeforeDash,
    Metadata,
    Child(&'static str),
}

/// One line of the table.
#[derive(Clone, Debug)]
pub(super) struct Line {
    steps: Vec<&'static str>,
    deep: bool,
    /// The rule reads this attribute, not the text.
    pub(super) attribute: Option<&'static str>,
    pub(super) action: Action,
    /// Where to find the object, in order of preference; empty: the file's own.
    pub(super) of: Vec<Source>,
    pub(super) optional: bool,
}

/// What a line says about an element.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Rule(Case),
    By(Relative, Vec<(&'static str, Case)>),
    Include(&'static str),
}

/// A rule, and the kind of what it finds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) rule: Rule,
    pub(super) kind: ReferenceKind,
}

/// How a value names a component; the words of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Name(&'static str),
    Child(&'static str),
    Dash(&'static str),
    InFolder(&'static str),
    BeforeDash(&'static str),
    BeforeDot(&'static str),
    Object,
    Field,
    ObjectField,
    AnyField,
    Formula,
    Merge,
    ReportFormula,
    Column,
    ReportType,
    ObjectPath,
    FlowVariable,
    Tab,
    Component,
    Apex,
}

/// Where an object's name comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Own,
    Constant(&'static str),
    Text(Relative),
    Variable(Relative),
    /// The object of `Object.Field`.
    Lookup(Relative),
}

/// A path from an element: how many levels up, then down by names.
#[derive(Clone, Debug)]
pub(super) struct Relative {
    pub(super) up: usize,
    pub(super) down: Vec<&'static str>,
}

/// The table of the program.
pub(super) fn rules() -> &'static Rules {
    static RULES: OnceLock<Rules> = OnceLock::new();
    RULES.get_or_init(|| parse(TEXT).expect("the embedded table parses: the test `table_parses` proves it"))
}

impl Rules {
    /// The rules for a root element.
    pub(super) fn section(&self, root: &str) -> Option<&Section> {
        self.sections.get(root)
    }

    /// Whether the platform ships a component of that name.
    pub(super) fn is_standard(&self, type_name: &str, name: &str) -> bool {
        self.standard
            .iter()
            .any(|(t, pattern)| *t == type_name && matches_pattern(pattern, name))
    }

    /// The object on which the fields of `object` are kept.
    pub(super) fn alias<'n>(&self, object: &'n str) -> &'n str {
        self.aliases
            .iter()
            .find(|(from, _)| from.eq_ignore_ascii_case(object))
            .map_or(object, |(_, to)| *to)
    }

    /// The object whose rows a standard related list shows.
    pub(super) fn list(&self, name: &str) -> Option<&'static str> {
        self.lists.get(name).copied()
    }

    /// The target of a standard relationship.
    pub(super) fn relationship(&self, object: &str, name: &str) -> Option<&'static str> {
        self.relationships
            .get(name)?
            .iter()
            .find(|(limit, _)| limit.is_none_or(|limit| limit == object))
            .map(|(_, target)| *target)
    }
}

impl Section {
    /// The lines that apply to an element, given the names from below the root down to it.
    pub(super) fn lines<'s>(&'s self, names: &'s [&'s str]) -> impl Iterator<Item = &'s Line> {
        let last = names.last().copied().unwrap_or_default();
        let keyed = self.by_last.get(last).map_or(&[][..], Vec::as_slice);
        keyed
            .iter()
            .filter(move |line| {
                if line.deep {
                    names.ends_with(&line.steps)
                } else {
                    names == line.steps
                }
            })
            .chain(&self.any)
    }
}

fn matches_pattern(pattern: &str, name: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix("*.")) {
        (Some(inner), Some(_)) => name
            .split_once('.')
            .is_some_and(|(_, rest)| inner.strip_prefix("*.").is_some_and(|start| rest.starts_with(start))),
        (Some(start), None) => name.starts_with(start),
        (None, Some(end)) => name.split_once('.').is_some_and(|(_, rest)| rest == end),
        (None, None) => pattern == name,
    }
}

fn parse(text: &'static str) -> Result<Rules, String> {
    let mut rules = Rules {
        sections: HashMap::new(),
        standard: Vec::new(),
        aliases: Vec::new(),
        lists: HashMap::new(),
        relationships: HashMap::new(),
    };
    let mut current = "";
    let mut likes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let wrong = |what: &str| format!("references.txt line {}: {what}: {line}", number + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (name, options) = rest.split_once(']').ok_or_else(|| wrong("no `]`"))?;
            current = name;
            if name.starts_with('!') {
                continue;
            }
            let section = header(options).map_err(|e| wrong(&e))?;
            if let Some(like) = options.split_whitespace().find_map(|o| o.strip_prefix("like=")) {
                likes.push((name, like));
            }
            if rules.sections.insert(name, section).is_some() {
                return Err(wrong("section twice"));
            }
            continue;
        }
        let words: Vec<&'static str> = line.split_whitespace().collect();
        match (current, words.as_slice()) {
            ("!standard", [type_name, pattern]) => rules.standard.push((type_name, pattern)),
            ("!alias", [from, to]) => rules.aliases.push((from, to)),
            ("!list", [name, object]) => {
                rules.lists.insert(name, object);
            }
            ("!relationship", [name, target]) => rules.relationships.entry(name).or_default().push((None, target)),
            ("!relationship", [name, target, "of", object]) => {
                rules
                    .relationships
                    .entry(name)
                    .or_default()
                    .push((Some(object), target));
            }
            (section, [path, rest @ ..]) => {
                let parsed = rule_line(path, rest).map_err(|e| wrong(&e))?;
                let section = rules
                    .sections
                    .get_mut(section)
                    .ok_or_else(|| wrong("not in a section"))?;
                match parsed.steps.last() {
                    Some(last) => section.by_last.entry(last).or_default().push(parsed),
                    None => section.any.push(parsed),
                }
            }
            (_, []) => return Err(wrong("empty")),
        }
    }
    for (name, like) in likes {
        let source = rules
            .sections
            .get(like)
            .ok_or_else(|| format!("references.txt: no section {like}"))?;
        let (by_last, any) = (source.by_last.clone(), source.any.clone());
        if let Some(section) = rules.sections.get_mut(name) {
            section.by_last = by_last;
            section.any = any;
        }
    }
    Ok(rules)
}

fn header(options: &'static str) -> Result<Section, String> {
    let mut section = Section {
        object: ObjectFrom::None,
        parent: false,
        by_last: HashMap::new(),
        any: Vec::new(),
    };
    for option in options.split_whitespace() {
        match option.split_once('=') {
            Some(("object", from)) => {
                section.object = match from {
                    "none" => ObjectFrom::None,
                    "name" => ObjectFrom::Name,
                    "before-dot" => ObjectFrom::BeforeDot,
                    "before-dash" => ObjectFrom::BeforeDash,
                    "metadata" => ObjectFrom::Metadata,
                    _ => ObjectFrom::Child(from.strip_prefix("child:").ok_or("unknown object=")?),
                }
            }
            Some(("like", _)) => {}
            _ if option == "parent" => section.parent = true,
            _ => return Err(format!("unknown option {option}")),
        }
    }
    Ok(section)
}

fn rule_line(path: &'static str, rest: &[&'static str]) -> Result<Line, String> {
    let (deep, path) = match path.strip_prefix("**/") {
        Some(path) => (true, path),
        None => (false, path),
    };
    let mut steps: Vec<&'static str> = if path == "*" {
        Vec::new()
    } else {
        path.split('/').collect()
    };
    let attribute = steps.last().and_then(|last| last.strip_prefix('@'));
    if attribute.is_some() {
        steps.pop();
    }
    let mut line = Line {
        steps,
        deep,
        attribute,
        action: Action::Include(""),
        of: Vec::new(),
        optional: false,
    };
    match rest {
        ["include", section] => line.action = Action::Include(section),
        ["by", from, cases @ ..] => {
            let cases = cases
                .iter()
                .map(|text| {
                    let (value, rule) = text.split_once('=').ok_or("a case has no `=`")?;
                    Ok((value, case(rule)?))
                })
                .collect::<Result<_, String>>()?;
            line.action = Action::By(relative(from)?, cases);
        }
        [rule, rest @ ..] => {
            line.action = Action::Rule(case(rule)?);
            let rest = match rest {
                ["of", sources, rest @ ..] => {
                    line.of = sources.split('|').map(source).collect::<Result<_, _>>()?;
                    rest
                }
                _ => rest,
            };
            match rest {
                [] => {}
                ["optional"] => line.optional = true,
                _ => return Err("unknown words at the end".to_owned()),
            }
        }
        [] => return Err("no rule".to_owned()),
    }
    Ok(line)
}

fn case(text: &'static str) -> Result<Case, String> {
    let (text, kind) = match text.strip_suffix('?') {
        Some(text) => (text, ReferenceKind::Candidate),
        None => (text, ReferenceKind::Required),
    };
    let rule = match text {
        "object" => Rule::Object,
        "field" => Rule::Field,
        "objectfield" => Rule::ObjectField,
        "anyfield" => Rule::AnyField,
        "formula" => Rule::Formula,
        "merge" => Rule::Merge,
        "reportformula" => Rule::ReportFormula,
        "column" => Rule::Column,
        "reporttype" => Rule::ReportType,
        "objectpath" => Rule::ObjectPath,
        "flowvar" => Rule::FlowVariable,
        "tab" => Rule::Tab,
        "component" => Rule::Component,
        "apex" => Rule::Apex,
        _ => match text.split_once(':') {
            Some(("dash", t)) => Rule::Dash(t),
            Some(("folder", t)) => Rule::InFolder(t),
            Some(("head", t)) => Rule::BeforeDash(t),
            Some(("dot", t)) => Rule::BeforeDot(t),
            Some(_) => return Err(format!("unknown rule {text}")),
            None => match text.strip_prefix('.') {
                Some(child) => Rule::Child(child),
                None if text.starts_with(|c: char| c.is_ascii_uppercase()) => Rule::Name(text),
                None => return Err(format!("unknown rule {text}")),
            },
        },
    };
    Ok(Case { rule, kind })
}

fn source(text: &'static str) -> Result<Source, String> {
    if text == "own" {
        return Ok(Source::Own);
    }
    if let Some(object) = text.strip_prefix('=') {
        return Ok(Source::Constant(object));
    }
    match text.split_once(':') {
        Some(("var", path)) => relative(path).map(Source::Variable),
        Some(("lookup", path)) => relative(path).map(Source::Lookup),
        _ => relative(text).map(Source::Text),
    }
}

fn relative(text: &'static str) -> Result<Relative, String> {
    let up = text.split('/').take_while(|step| *step == "..").count();
    if up == 0 {
        return Err(format!("`{text}` does not start with `..`"));
    }
    Ok(Relative {
        up,
        down: text.split('/').skip(up).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_parses() {
        let rules = parse(TEXT).unwrap();
        for section in rules.sections.values() {
            for line in section.by_last.values().flatten() {
                if let Action::Include(name) = line.action {
                    assert!(rules.section(name).is_some(), "{name}");
                }
            }
        }
        assert!(rules.is_standard("MatchingRule", "Lead.Standard_Lead_Match_Rule_v1_0"));
        assert!(rules.is_standard("RecordType", "Boat__c.__MASTER__"));
        assert!(!rules.is_standard("RecordType", "Boat__c.Small"));
        assert_eq!(rules.relationship("Case", "Parent"), Some("Case"));
        assert_eq!(rules.relationship("Boat__c", "Parent"), None);
    }

    #[test]
    fn refuses() {
        for bad in [
            "a Name",
            "[X] object=none\na",
            "[X] object=none\na what",
            "[X] object=none\na by b c=D",
            "[X] object=q",
            "[X",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
