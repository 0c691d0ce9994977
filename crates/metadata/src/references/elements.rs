//! References in XML, found by the rule table.

use std::ops::Range;

use roxmltree::Node;

use super::names::{custom_field, custom_object};
use super::resolve::{Finder, Place, Text};
use super::rules::{Action, Case, Line, ObjectFrom, Relative, Rule, Section, Source};
use super::{MAX_DEPTH, ReferenceError, ReferenceKind, flow};

/// The rules in force for an element: those of the nearest root, and the object it is about.
#[derive(Clone, Copy)]
struct Scope<'t> {
    section: &'static Section,
    object: Option<&'t str>,
    /// How many of the names above belong to outer roots.
    base: usize,
}

/// Reads one XML file.
pub(super) fn read(found: &mut Finder<'_>, path: &str, text: &str) -> Result<(), ReferenceError> {
    let document = roxmltree::Document::parse(text).map_err(|problem| ReferenceError::Malformed {
        path: path.to_owned(),
        line: problem.pos().row,
        problem,
    })?;
    let root = document.root_element();
    let Some(section) = found.rules.section(root.tag_name().name()) else {
        return depth(path, root);
    };
    let object = object_of(section, &found.own.full_name, root);
    if let (true, Some(object)) = (section.parent, &object) {
        let start = root.range().start + 1;
        let place = Place {
            range: start..start + root.tag_name().name().len(),
            via: "parent",
            kind: ReferenceKind::Required,
        };
        found.object(object, &place);
    }
    if let Some(object) = &object {
        found.roots.insert("Record".to_owned(), object.clone());
    }
    if root.has_tag_name(("http://soap.sforce.com/2006/04/metadata", "Flow")) || root.has_tag_name("Flow") {
        found.roots = flow::variables(root);
        flow::record_types(found, root);
    }
    let scope = Scope {
        section,
        object: object.as_deref(),
        base: 0,
    };
    let mut names = Vec::new();
    walk(found, path, root, scope, &mut names)
}

/// The text of an element without element children, and where it stands.
pub(super) fn leaf<'t>(node: Node<'t, '_>) -> Option<(Text<'t>, Range<usize>)> {
    if node.children().any(|child| child.is_element()) {
        return None;
    }
    let raw = node.text()?;
    let text = raw.trim();
    if text.is_empty() {
        return None;
    }
    let mut texts = node.children().filter(Node::is_text);
    let only = texts.next()?;
    if texts.next().is_some() {
        // A comment stands inside; the parts cannot be told as one range.
        return Some((Text { text, start: None }, node.range()));
    }
    let range = only.range();
    let source = node.document().input_text().get(range.clone()).unwrap_or_default();
    match source.find(text) {
        Some(at) => {
            let start = range.start + at;
            Some((
                Text {
                    text,
                    start: Some(start),
                },
                start..start + text.len(),
            ))
        }
        None => Some((Text { text, start: None }, range)),
    }
}

/// The text of the child element of that name.
pub(super) fn child_text<'t>(node: Node<'t, '_>, name: &str) -> Option<&'t str> {
    node.children()
        .find(|child| child.is_element() && child.tag_name().name() == name)?
        .text()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn walk<'t>(
    found: &mut Finder<'_>,
    path: &str,
    node: Node<'t, '_>,
    scope: Scope<'_>,
    names: &mut Vec<&'t str>,
) -> Result<(), ReferenceError> {
    if names.len() > MAX_DEPTH {
        return Err(too_deep(path, node));
    }
    for child in node.children().filter(Node::is_element) {
        names.push(child.tag_name().name());
        let mut inner = scope;
        for line in scope.section.lines(&names[scope.base..]) {
            if let Action::Include(name) = line.action
                && let Some(section) = found.rules.section(name)
            {
                inner = Scope {
                    section,
                    object: scope.object,
                    base: names.len(),
                };
            } else {
                apply(found, line, child, scope.object, names);
            }
        }
        walk(found, path, child, inner, names)?;
        names.pop();
    }
    Ok(())
}

/// Refuses hostile nesting in files without rules too.
fn depth(path: &str, root: Node<'_, '_>) -> Result<(), ReferenceError> {
    let mut level = 0usize;
    let mut node = root;
    loop {
        if level > MAX_DEPTH {
            return Err(too_deep(path, node));
        }
        if let Some(child) = node.first_child() {
            node = child;
            level += 1;
            continue;
        }
        loop {
            if node == root {
                return Ok(());
            }
            if let Some(next) = node.next_sibling() {
                node = next;
                break;
            }
            match node.parent() {
                Some(parent) => node = parent,
                None => return Ok(()),
            }
            level = level.saturating_sub(1);
        }
    }
}

fn too_deep(path: &str, node: Node<'_, '_>) -> ReferenceError {
    ReferenceError::TooDeep {
        path: path.to_owned(),
        line: node.document().text_pos_at(node.range().start).row,
    }
}

fn object_of(section: &Section, full_name: &str, root: Node<'_, '_>) -> Option<String> {
    match section.object {
        ObjectFrom::None => None,
        ObjectFrom::Name => Some(full_name.to_owned()),
        ObjectFrom::BeforeDot => Some(full_name.split_once('.')?.0.to_owned()),
        ObjectFrom::BeforeDash => Some(full_name.split_once('-')?.0.to_owned()),
        ObjectFrom::Metadata => Some(format!("{}__mdt", full_name.split_once('.')?.0)),
        ObjectFrom::Child(name) => child_text(root, name).map(str::to_owned),
    }
}

fn apply(found: &mut Finder<'_>, line: &Line, node: Node<'_, '_>, own: Option<&str>, names: &[&str]) {
    let case = match &line.action {
        Action::Include(_) => return,
        Action::Rule(case) => *case,
        Action::By(relative, cases) => {
            let Some(value) = related(node, relative) else { return };
            let Some((_, case)) = cases.iter().find(|(key, _)| *key == value) else {
                return;
            };
            *case
        }
    };
    let via = match (names, line.attribute) {
        ([.., last], Some(attribute)) => format!("{last}/@{attribute}"),
        ([.., parent, last], None) => format!("{parent}/{last}"),
        (names, _) => names.join("/"),
    };
    let (text, range) = match line.attribute {
        None => match leaf(node) {
            Some(leaf) => leaf,
            None => return,
        },
        Some(attribute) => {
            let Some(attribute) = node.attribute_node(attribute) else {
                return;
            };
            let text = Text {
                text: attribute.value(),
                start: None,
            };
            (text, attribute.range_value())
        }
    };
    let object = if line.of.is_empty() {
        own.map(str::to_owned)
    } else {
        line.of
            .iter()
            .find_map(|source| source_object(found, source, node, own))
    };
    let place = Place {
        range,
        via: &via,
        kind: match line.optional {
            true => ReferenceKind::Optional,
            false => case.kind,
        },
    };
    value(found, case, text, object.as_deref(), &place);
}

fn source_object(found: &Finder<'_>, source: &Source, node: Node<'_, '_>, own: Option<&str>) -> Option<String> {
    match source {
        Source::Own => own.map(str::to_owned),
        Source::Constant(object) => Some((*object).to_owned()),
        Source::Text(relative) => found.object_at(related(node, relative)?),
        Source::Lookup(relative) => {
            let text = related(node, relative)?;
            let object = text.split_once('.').map(|(object, _)| object);
            object.or_else(|| found.rules.list(text)).map(str::to_owned)
        }
        Source::Variable(relative) => found.roots.get(related(node, relative)?).cloned(),
    }
}

/// The text of the element that a relative path leads to.
fn related<'t>(node: Node<'t, '_>, relative: &Relative) -> Option<&'t str> {
    let mut at = node;
    for _ in 0..relative.up {
        at = at.parent()?;
    }
    let (last, above) = relative.down.split_last()?;
    for name in above {
        at = at
            .children()
            .find(|child| child.is_element() && child.tag_name().name() == *name)?;
    }
    child_text(at, last)
}

fn value(found: &mut Finder<'_>, case: Case, text: Text<'_>, object: Option<&str>, place: &Place<'_>) {
    let value = text.text;
    match case.rule {
        Rule::Name(type_name) => found.component(type_name, value, place),
        Rule::Child(type_name) => {
            if let Some(object) = object {
                let object = found.rules.alias(object);
                found.component(type_name, &format!("{object}.{value}"), place);
            }
        }
        Rule::Dash(type_name) => {
            if let Some(object) = object {
                found.component(type_name, &format!("{object}-{value}"), place);
            }
        }
        Rule::InFolder(type_name) => {
            if value.contains('/') {
                found.component(type_name, value, place);
            } else if let Some(known) = found.context.known
                && let Some(full) = known.only_in_folder(type_name, value)
            {
                found.component(type_name, full, place);
            }
        }
        Rule::BeforeDash(type_name) => {
            let name = value.rsplit_once('-').map_or(value, |(name, _)| name);
            found.component(type_name, name, place);
        }
        Rule::BeforeDot(type_name) => {
            let name = value.split_once('.').map_or(value, |(name, _)| name);
            found.component(type_name, name, place);
        }
        Rule::Object => found.object(value, place),
        Rule::ObjectPath => {
            let first = value.split('.').next().unwrap_or_default();
            found.object(first, place);
            if let Some(last) = found.object_at(value) {
                found.object(&last, place);
            }
        }
        Rule::Field => {
            if let Some(object) = object {
                let parts: Vec<&str> = value.split('.').collect();
                found.path(object, &parts, place);
            }
        }
        Rule::ObjectField => {
            if let Some((object, field)) = value.split_once('.') {
                let parts: Vec<&str> = field.split('.').collect();
                found.path(object, &parts, place);
                if custom_object(object).is_some() && custom_field(field).is_none() {
                    // A standard field is there as soon as its object is.
                    found.object(object, place);
                }
            }
        }
        Rule::AnyField => found.any_field(value, object, place),
        Rule::Formula => found.formula(text, object, place),
        Rule::Merge => found.merge(text, object, place),
        Rule::ReportFormula => {
            for name in super::formula::names(value) {
                let whole = name.parts.join(".");
                let column = whole.split(':').next().unwrap_or_default();
                let place = match text.start {
                    Some(start) => place.at(start + name.range.start..start + name.range.end),
                    None => place.clone(),
                };
                found.column(column, &place);
            }
        }
        Rule::Column => found.column(value, place),
        Rule::ReportType => report_type(found, value, place),
        Rule::FlowVariable => {
            let parts: Vec<&str> = value.split('.').collect();
            if parts.len() > 1 {
                found.name(&parts, None, place);
            }
        }
        Rule::Tab => found.component("CustomTab", value, place),
        Rule::Component => found.lightning(value, place),
        Rule::Apex => {
            if let Some(class) = value.strip_prefix("apex://") {
                let class = class.trim_end_matches("[]");
                let class = class.split(['.', '$']).next().unwrap_or(class);
                found.component("ApexClass", class, place);
            }
        }
    }
}

/// `CustomEntity$Order__c`, `CustomEntityCustomEntity$Order__c$Line__c@Line__c.Order__c`, or `Orders__c` for a custom report type.
fn report_type(found: &mut Finder<'_>, value: &str, place: &Place<'_>) {
    let (base, lookup) = match value.split_once('@') {
        Some((base, lookup)) => (base, Some(lookup)),
        None => (value, None),
    };
    if let Some((_, objects)) = base.split_once('$') {
        for object in objects.split('$') {
            found.object(object, place);
        }
        if let Some((object, field)) = lookup.and_then(|lookup| lookup.split_once('.')) {
            found.field(object, field, place);
        }
    } else if let Some(name) = base.strip_suffix("__c") {
        found.component("ReportType", name, place);
    }
}
