//! From names to references: objects, fields, relationship paths and the `$` globals.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::names::{custom_field, custom_object, is_name, lookup_field, standard_object};
use super::rules::{Rules, rules};
use super::{Context, Reference, ReferenceKind, formula};
use crate::component::ComponentId;

/// Collects the references of one file.
pub(super) struct Finder<'a> {
    pub(super) own: &'a ComponentId,
    pub(super) context: &'a Context<'a>,
    pub(super) rules: &'static Rules,
    /// Names that stand for a record of an object: flow variables, `Record` of a page.
    pub(super) roots: HashMap<String, String>,
    found: Vec<Reference>,
}

/// Where a name stands, by which rule, and how much it is needed at most.
#[derive(Clone, Debug)]
pub(super) struct Place<'v> {
    pub(super) range: Range<usize>,
    pub(super) via: &'v str,
    pub(super) kind: ReferenceKind,
}

impl Place<'_> {
    /// The same rule at another place.
    pub(super) fn at(&self, range: Range<usize>) -> Self {
        Self { range, ..self.clone() }
    }
}

/// A text and where it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'t> {
    pub(super) text: &'t str,
    /// Byte of the file at which `text` stands unchanged; `None` when entities stand in it.
    pub(super) start: Option<usize>,
}

impl Text<'_> {
    fn place<'v>(&self, range: &Range<usize>, whole: &Place<'v>) -> Place<'v> {
        match self.start {
            Some(start) => whole.at(start + range.start..start + range.end),
            None => whole.clone(),
        }
    }
}

impl<'a> Finder<'a> {
    pub(super) fn new(own: &'a ComponentId, context: &'a Context<'a>) -> Self {
        Self {
            own,
            context,
            rules: rules(),
            roots: HashMap::new(),
            found: Vec::new(),
        }
    }

    /// The references in order of their place, each once.
    pub(super) fn finish(mut self) -> Vec<Reference> {
        self.found.sort_by(|a, b| {
            (a.range.start, a.range.end, &a.to, a.kind, &a.via).cmp(&(
                b.range.start,
                b.range.end,
                &b.to,
                b.kind,
                &b.via,
            ))
        });
        let mut seen = HashSet::new();
        self.found
            .retain(|one| seen.insert((one.to.clone(), one.range.clone())));
        self.found
    }

    /// A component by its full name.
    pub(super) fn component(&mut self, type_name: &str, full_name: &str, place: &Place<'_>) {
        if full_name.is_empty() || self.rules.is_standard(type_name, full_name) {
            return;
        }
        let full_name = &*without_tokens(full_name);
        let full_name = self
            .context
            .known
            .and_then(|known| known.named(type_name, full_name))
            .unwrap_or(full_name);
        let to = ComponentId::new(type_name, full_name);
        if to == *self.own {
            return;
        }
        self.found.push(Reference {
            to,
            kind: place.kind,
            range: place.range.clone(),
            via: place.via.into(),
        });
    }

    /// An object: a custom one is needed, a standard one is only named.
    pub(super) fn object(&mut self, name: &str, place: &Place<'_>) {
        if let Some(object) = custom_object(name) {
            self.component("CustomObject", &object, place);
        } else if standard_object(name) {
            let place = Place {
                kind: ReferenceKind::Optional,
                ..place.clone()
            };
            self.component("CustomObject", name, &place);
        }
    }

    /// A field of an object; standard fields are no components.
    pub(super) fn field(&mut self, object: &str, name: &str, place: &Place<'_>) {
        let Some((field, person)) = custom_field(name) else {
            return;
        };
        if person {
            self.component("CustomField", &format!("Contact.{field}"), place);
            return;
        }
        let owner = custom_object(object).or_else(|| standard_object(object).then(|| object.to_owned()));
        if let Some(owner) = owner {
            let owner = self.rules.alias(&owner);
            self.component("CustomField", &format!("{owner}.{field}"), place);
        }
    }

    /// A field, possibly over relationships: `["Parent__r", "Owner", "Rank__c"]`.
    ///
    /// Stops where nobody knows the next object: nothing is guessed.
    pub(super) fn path(&mut self, object: &str, parts: &[&str], place: &Place<'_>) {
        let mut object = object.to_owned();
        for (i, part) in parts.iter().enumerate() {
            if i + 1 == parts.len() {
                self.field(&object, part, place);
                return;
            }
            let (relationship, limit) = match part.split_once(':') {
                Some((relationship, limit)) => (relationship, Some(limit)),
                None => (*part, None),
            };
            match self.hop(&object, relationship, place).or(limit.map(str::to_owned)) {
                Some(next) => object = next,
                None => return,
            }
        }
    }

    /// Follows one relationship: its lookup field is a reference; the result is the object behind it.
    pub(super) fn hop(&mut self, object: &str, relationship: &str, place: &Place<'_>) -> Option<String> {
        let schema = self.context.schema;
        if let Some((lookup, person)) = lookup_field(relationship) {
            let object = if person { "Contact" } else { object };
            self.field(object, &lookup, place);
            let stem = lookup.get(..lookup.len().saturating_sub(3)).unwrap_or_default();
            return schema?.lookup_target(self.rules.alias(object), &format!("{stem}__r"));
        }
        if custom_field(relationship).is_some() {
            // Reports and lookup filters write the field in place of the relationship.
            self.field(object, relationship, place);
            let stem = relationship
                .get(..relationship.len().saturating_sub(3))
                .unwrap_or_default();
            return schema?.lookup_target(self.rules.alias(object), &format!("{stem}__r"));
        }
        schema
            .and_then(|schema| schema.lookup_target(object, relationship))
            .or_else(|| self.rules.relationship(object, relationship).map(str::to_owned))
    }

    /// The object at the end of `Order__c.Lines__r`, list by list.
    pub(super) fn object_at(&self, path: &str) -> Option<String> {
        let mut parts = path.split('.');
        let mut object = parts.next()?.to_owned();
        for part in parts {
            let schema = self.context.schema?;
            object = schema
                .child_object(&object, part)
                .or_else(|| schema.lookup_target(&object, part))?;
        }
        Some(object)
    }

    /// A name in a formula or a merge field: a global, a known root, an object with a field, or a field of `object`.
    pub(super) fn name(&mut self, parts: &[&str], object: Option<&str>, place: &Place<'_>) {
        let Some((first, rest)) = parts.split_first() else {
            return;
        };
        if let Some(root) = self.roots.get(*first).cloned() {
            self.path(&root, rest, place);
        } else if first.starts_with('$') {
            self.global(first, rest, object, place);
        } else if !rest.is_empty() && custom_object(first).is_some() {
            self.object(first, place);
            self.path(first, rest, place);
        } else if let Some(object) = object {
            match object.eq_ignore_ascii_case(first) && !rest.is_empty() {
                true => self.path(object, rest, place),
                false => self.path(object, parts, place),
            }
        }
    }

    /// A `$` global. Source: Salesforce Help, "Global Variables".
    fn global(&mut self, first: &str, rest: &[&str], object: Option<&str>, place: &Place<'_>) {
        let last = rest.last().copied().unwrap_or_default();
        match (first.to_ascii_lowercase().as_str(), rest) {
            ("$label", [.., _]) => self.component("CustomLabel", last, place),
            ("$permission", [.., _])
                if !rest
                    .first()
                    .is_some_and(|p| p.eq_ignore_ascii_case("StandardPermission")) =>
            {
                self.component("CustomPermission", last, place);
            }
            ("$custommetadata", [type_name, record, field @ ..]) => {
                self.object(type_name, place);
                let stem = type_name.strip_suffix("__mdt").unwrap_or(type_name);
                self.component("CustomMetadata", &format!("{stem}.{record}"), place);
                self.path(type_name, field, place);
            }
            ("$setup", [setting, field @ ..]) => {
                self.object(setting, place);
                self.path(setting, field, place);
            }
            ("$objecttype", [object]) => self.object(object, place),
            ("$objecttype", [object, list, name, ..]) => {
                self.object(object, place);
                if list.eq_ignore_ascii_case("fields") {
                    self.field(object, name, place);
                } else if list.eq_ignore_ascii_case("fieldsets") {
                    self.component("FieldSet", &format!("{object}.{name}"), place);
                }
            }
            ("$resource", [name, ..]) => self.component("StaticResource", name, place),
            ("$page", [name]) => self.component("ApexPage", name, place),
            ("$remoteaction", [class, ..]) => self.component("ApexClass", class, place),
            ("$scontrol", [name]) => self.component("Scontrol", name, place),
            ("$user" | "$profile" | "$userrole" | "$organization", fields) => {
                let target = match first.to_ascii_lowercase().as_str() {
                    "$user" => "User",
                    "$profile" => "Profile",
                    "$userrole" => "UserRole",
                    _ => "Organization",
                };
                self.path(target, fields, place);
            }
            ("$source" | "$record" | "$record__prior", fields) => {
                if let Some(object) = object {
                    self.path(object, fields, place);
                }
            }
            _ => {}
        }
    }

    /// Every name in a formula about `object`.
    pub(super) fn formula(&mut self, text: Text<'_>, object: Option<&str>, place: &Place<'_>) {
        for name in formula::names(text.text) {
            let place = text.place(&name.range, place);
            self.name(&name.parts, object, &place);
        }
    }

    /// Every name in the `{!…}` of a text.
    pub(super) fn merge(&mut self, text: Text<'_>, object: Option<&str>, place: &Place<'_>) {
        for range in formula::merge_fields(text.text) {
            let inner = Text {
                text: &text.text[range.clone()],
                start: text.start.map(|start| start + range.start),
            };
            self.formula(inner, object, place);
        }
    }

    /// `Field`, `Object.Field`, `Record.Field` or `$Source.Field`.
    pub(super) fn any_field(&mut self, value: &str, object: Option<&str>, place: &Place<'_>) {
        let parts: Vec<&str> = value.split('.').collect();
        match parts.as_slice() {
            [] | [""] => {}
            [one] => {
                if let Some(object) = object {
                    self.field(object, one, place);
                }
            }
            ["$Source" | "$Record" | "Record", rest @ ..] => {
                if let Some(object) = object {
                    self.path(object, rest, place);
                }
            }
            [first, ..] if first.starts_with('$') => self.name(&parts, object, place),
            [first, rest @ ..] => {
                if lookup_field(first).is_some() {
                    if let Some(object) = object {
                        self.path(object, &parts, place);
                    }
                } else {
                    self.path(first, rest, place);
                }
            }
        }
    }

    /// A report's column: `Object$Field`, `Object.Field`, `Object.Children__r$Lookup__c.Field`.
    pub(super) fn column(&mut self, value: &str, place: &Place<'_>) {
        // A dashboard writes `s!Order__c.Total__c` for the sum.
        let value = match value.split_once('!') {
            Some((summary, rest)) if summary.len() == 1 => rest,
            _ => value,
        };
        let mut parts = value.split(['.', '$']);
        let Some(first) = parts.next() else { return };
        // A report that joins an object twice counts its names: `Order__c2`.
        let first = match first.rfind("__c") {
            Some(at) if first[at + 3..].bytes().all(|b| b.is_ascii_digit()) => &first[..at + 3],
            _ => first,
        };
        let rest: Vec<&str> = parts.collect();
        let Some((_, hops)) = rest.split_last() else { return };
        if !is_name(first) {
            return;
        }
        self.object(first, place);
        let lists = hops.iter().take_while(|hop| lookup_field(hop).is_some()).count();
        let path: Vec<&str> = std::iter::once(first).chain(hops[..lists].iter().copied()).collect();
        if let Some(object) = self.object_at(&path.join(".")) {
            self.path(&object, &rest[lists..], place);
        }
    }

    /// A Lightning component: `c:name` and `name` may be Aura or a Lightning web component; other namespaces are the platform's.
    pub(super) fn lightning(&mut self, value: &str, place: &Place<'_>) {
        let name = value
            .strip_prefix("c:")
            .or_else(|| value.strip_prefix("c__"))
            .unwrap_or(value);
        if !is_name(name) {
            return;
        }
        let place = Place {
            kind: place.kind.max(ReferenceKind::Candidate),
            ..place.clone()
        };
        self.component("LightningComponentBundle", name, &place);
        self.component("AuraDefinitionBundle", name, &place);
    }
}

/// A name without `%%%NAMESPACE%%%` and the like, which CumulusCI replaces when it deploys: files are named without.
fn without_tokens(name: &str) -> Cow<'_, str> {
    let mut name = Cow::Borrowed(name);
    while let Some(start) = name.find("%%%")
        && let Some(end) = name[start + 3..].find("%%%")
    {
        name = Cow::Owned(format!("{}{}", &name[..start], &name[start + 3 + end + 3..]));
    }
    name
}
