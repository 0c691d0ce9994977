//! The plan of a generated org: names of everything, decided first, so that every reference written later exists.

use super::random::Random;
use super::words::{ASPECTS, MEASURES, NOUNS, QUALIFIERS, SENTENCES, STANDARD, TOPICS, VALUES};
use std::collections::BTreeSet;

/// The smallest number of components that holds one of every kind.
pub const SMALLEST: usize = 400;

/// All names of an org.
#[derive(Clone, Debug)]
pub struct Org {
    /// Seed that the plan came from; every part of the repository forks its random numbers from it.
    pub(super) seed: u64,
    /// Standard objects first, then custom ones.
    pub(super) objects: Vec<Object>,
    /// Custom metadata types with the number of their records.
    pub(super) metadata_types: Vec<(Object, usize)>,
    /// How many there are of the kinds that carry a number in their name.
    pub(super) counts: Counts,
    /// Names of global value sets with their values.
    pub(super) value_sets: Vec<(String, Vec<&'static str>)>,
    /// Apex classes by name, tests last.
    pub(super) classes: Vec<Class>,
    /// Names of flows.
    pub(super) flows: Vec<Flow>,
}

/// How many components of one kind there are.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) apps: usize,
    pub(super) approvals: usize,
    pub(super) aura: usize,
    pub(super) custom_permissions: usize,
    pub(super) dashboards: usize,
    pub(super) documents: usize,
    pub(super) email_templates: usize,
    pub(super) flexipages: usize,
    pub(super) groups: usize,
    pub(super) labels: usize,
    pub(super) lwc: usize,
    pub(super) pages: usize,
    pub(super) permission_set_groups: usize,
    pub(super) permission_sets: usize,
    pub(super) profiles: usize,
    pub(super) queues: usize,
    pub(super) quick_actions: usize,
    pub(super) report_folders: usize,
    pub(super) report_types: usize,
    pub(super) reports: usize,
    pub(super) roles: usize,
    pub(super) static_resources: usize,
    pub(super) triggers: usize,
    pub(super) web_components: usize,
    pub(super) workflows: usize,
}

/// An object with what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    /// API name: `Account`, `Customer_Visit__c`, `Tax_Rate__mdt`.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) plural: String,
    /// Standard fields that profiles name; empty for custom objects.
    pub(super) standard_fields: &'static [&'static str],
    /// True for an object of the platform.
    pub(super) standard: bool,
    pub(super) fields: Vec<Field>,
    pub(super) record_types: Vec<String>,
    pub(super) validation_rules: usize,
    pub(super) list_views: usize,
    pub(super) compact_layouts: usize,
    pub(super) field_sets: usize,
    pub(super) web_links: usize,
}

/// A custom field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// API name with `__c`.
    pub(super) name: String,
    /// Label.
    pub(super) label: String,
    /// Type with its details.
    pub(super) kind: FieldKind,
}

/// Type of a custom field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Text(usize),
    LongText,
    Number,
    Currency,
    Percent,
    Checkbox,
    Date,
    DateTime,
    Email,
    Phone,
    Url,
    Picklist(Vec<&'static str>),
    /// Index in [`Org::value_sets`].
    GlobalPicklist(usize),
    /// Index in [`Org::objects`].
    Lookup(usize),
    /// Name of a number field of the same object that the formula reads.
    Formula(String),
}

/// An Apex class.
#[derive(Clone, Debug)]
pub(super) struct Class {
    /// Name of class and file.
    pub(super) name: String,
    /// Index in [`Org::objects`] of the object that it works on.
    pub(super) object: usize,
    /// What the class is for.
    pub(super) role: Role,
}

/// What an Apex class is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Queries and updates records.
    Service,
    /// Called by the trigger of its object.
    Handler,
    /// Can be called from a flow.
    Action,
    /// Tests the class of that index.
    Test(usize),
}

/// A flow.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    /// Name of the file.
    pub(super) name: String,
    /// Index in [`Org::objects`].
    pub(super) object: usize,
    /// True if started by a change of a record, false for a flow that others call.
    pub(super) triggered: bool,
}

impl Org {
    /// A plan of `components` components; one component is a file's component or a decomposed child. At least [`SMALLEST`].
    #[must_use]
    pub fn plan(components: usize, seed: u64) -> Self {
        let total = components.max(SMALLEST);
        let per = |share: usize, least: usize| (total / share).max(least);
        let mut random = Random::fork(seed, "plan");
        let value_sets = named(&mut random, per(400, 3), "_Values")
            .into_iter()
            .map(|name| {
                let count = random.between(6, 24);
                (name, some_values(&mut random, count))
            })
            .collect();
        let mut org = Self {
            seed,
            objects: objects(&mut random, per(130, 4)),
            metadata_types: metadata_types(&mut random, per(2400, 1), per(70, 5)),
            counts: counts(per),
            value_sets,
            classes: Vec::new(),
            flows: Vec::new(),
        };
        org.classes = classes(&org, per(26, 6), per(200, 2));
        org.flows = flows(&mut random, org.objects.len(), per(70, 6));
        let first = 6 * places(&org.objects).len();
        add_fields(&mut org, &mut random, first);
        let more = total.saturating_sub(super::build(&org).components());
        add_fields(&mut org, &mut random, more);
        org
    }

    /// The custom objects with their indices.
    pub(super) fn custom(&self) -> impl Iterator<Item = (usize, &Object)> {
        self.objects.iter().enumerate().filter(|(_, object)| !object.standard)
    }

    /// A random number generator of its own for one purpose.
    #[must_use]
    pub(super) fn random(&self, purpose: &str) -> Random {
        Random::fork(self.seed, purpose)
    }
}

impl Object {
    /// Name without its suffix, fit for parts of other names.
    #[must_use]
    pub(super) fn stem(&self) -> &str {
        self.name.split_once("__").map_or(self.name.as_str(), |(stem, _)| stem)
    }

    /// Full names of the layouts: the first is the default, one more for each record type.
    #[must_use]
    pub(super) fn layouts(&self) -> Vec<String> {
        let default = format!("{}-{} Layout", self.name, self.label);
        let more = self
            .record_types
            .iter()
            .map(|kind| format!("{}-{} Layout", self.name, kind.replace('_', " ")));
        std::iter::once(default).chain(more).collect()
    }

    /// The fields whose type passes.
    pub(super) fn fields_where(&self, pass: fn(&FieldKind) -> bool) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| pass(&field.kind))
    }
}

/// One sentence, for descriptions.
pub(super) fn sentence(random: &mut Random) -> &'static str {
    random.pick::<&'static str>(SENTENCES)
}

/// Different values of picklists in the order of the list of words.
pub(super) fn some_values(random: &mut Random, count: usize) -> Vec<&'static str> {
    random
        .sample(VALUES.len(), count)
        .into_iter()
        .map(|index| VALUES[index])
        .collect()
}

fn counts(per: impl Fn(usize, usize) -> usize) -> Counts {
    Counts {
        apps: per(1200, 2),
        approvals: per(600, 2),
        aura: per(600, 2),
        custom_permissions: per(600, 2),
        dashboards: per(600, 2),
        documents: per(3000, 1),
        email_templates: per(300, 3),
        flexipages: per(240, 3),
        groups: per(1000, 2),
        labels: per(10, 20),
        lwc: per(120, 4),
        pages: per(300, 2),
        permission_set_groups: per(3000, 1),
        permission_sets: per(250, 4),
        profiles: per(2400, 2).min(12),
        queues: per(600, 2),
        quick_actions: per(240, 3),
        report_folders: per(1200, 2),
        report_types: per(600, 2),
        reports: per(70, 6),
        roles: per(600, 3),
        static_resources: per(600, 3),
        triggers: per(240, 2),
        web_components: per(1200, 1),
        workflows: per(400, 2),
    }
}

fn named(random: &mut Random, count: usize, suffix: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut names = Vec::with_capacity(count);
    while names.len() < count {
        let (first, second) = (random.pick(QUALIFIERS), random.pick(NOUNS));
        let mut name = format!("{first}_{second}{suffix}");
        if first == second || !seen.insert(name.clone()) {
            name = format!("{first}_{second}_{}{suffix}", names.len());
            seen.insert(name.clone());
        }
        names.push(name);
    }
    names
}

fn objects(random: &mut Random, custom: usize) -> Vec<Object> {
    let standard = STANDARD.iter().map(|(name, plural, fields)| Object {
        name: (*name).to_owned(),
        label: name.trim_end_matches('2').to_owned(),
        plural: (*plural).to_owned(),
        standard_fields: fields,
        standard: true,
        ..children(random, true)
    });
    let mut all: Vec<Object> = standard.collect();
    for (index, name) in named(random, custom, "").into_iter().enumerate() {
        // Most names have three words, as the objects of grown orgs do.
        let longer = format!("{name}_{}", random.pick::<&str>(NOUNS));
        let name = if index % 8 != 0 && longer.len() <= 40 {
            longer
        } else {
            name
        };
        let label = name.replace('_', " ");
        all.push(Object {
            name: format!("{name}__c"),
            plural: format!("{label}s"),
            label,
            ..children(random, false)
        });
    }
    let mut seen = BTreeSet::new();
    for (index, object) in all.iter_mut().enumerate() {
        if !seen.insert(object.name.clone()) {
            object.name = format!("{}_{index}__c", object.stem());
            object.label = format!("{} {index}", object.label);
            object.plural = format!("{}s", object.label);
        }
    }
    all
}

fn children(random: &mut Random, standard: bool) -> Object {
    let kinds = if standard {
        random.between(2, 4)
    } else {
        random.between(0, 3)
    };
    let mut record_types: Vec<String> = random
        .sample(QUALIFIERS.len(), kinds)
        .into_iter()
        .map(|index| format!("{}_Process", QUALIFIERS[index]))
        .collect();
    record_types.sort();
    Object {
        name: String::new(),
        label: String::new(),
        plural: String::new(),
        standard_fields: &[],
        standard,
        fields: Vec::new(),
        record_types,
        validation_rules: random.between(1, 5),
        list_views: random.between(1, 4),
        compact_layouts: random.below(2),
        field_sets: random.below(2),
        web_links: random.below(2),
    }
}

fn metadata_types(random: &mut Random, count: usize, records: usize) -> Vec<(Object, usize)> {
    named(random, count, "_Setting")
        .into_iter()
        .map(|name| {
            let label = name.replace('_', " ");
            let mut object = Object {
                name: format!("{name}__mdt"),
                plural: format!("{label}s"),
                label,
                ..children(random, false)
            };
            object.record_types.clear();
            (object.validation_rules, object.list_views, object.compact_layouts) = (0, 0, 0);
            (object.field_sets, object.web_links) = (0, 0);
            for (name, kind) in [
                ("Text_Value", FieldKind::Text(255)),
                ("Number_Value", FieldKind::Number),
                ("Active", FieldKind::Checkbox),
            ] {
                object.fields.push(Field {
                    name: format!("{name}__c"),
                    label: name.replace('_', " "),
                    kind,
                });
            }
            (object, records.div_ceil(count))
        })
        .collect()
}

fn classes(org: &Org, services: usize, actions: usize) -> Vec<Class> {
    let mut all = Vec::new();
    let custom: Vec<usize> = org.custom().map(|(index, _)| index).collect();
    let mut add = |index: usize, word: &str, role| {
        let object = custom[index % custom.len()];
        let round = index / custom.len();
        let number = if round == 0 { String::new() } else { round.to_string() };
        let stem = org.objects[object].stem().replace('_', "");
        all.push(Class {
            name: format!("{stem}{word}{number}"),
            object,
            role,
        });
    };
    for index in 0..org.counts.triggers.min(custom.len()) {
        add(index, "TriggerHandler", Role::Handler);
    }
    for index in 0..services {
        add(index, "Service", Role::Service);
    }
    for index in 0..actions {
        add(index, "Action", Role::Action);
    }
    let tests: Vec<Class> = all
        .iter()
        .enumerate()
        .map(|(index, class)| Class {
            name: format!("{}Test", class.name),
            object: class.object,
            role: Role::Test(index),
        })
        .collect();
    all.extend(tests);
    all
}

fn flows(random: &mut Random, objects: usize, count: usize) -> Vec<Flow> {
    named(random, count, "_Flow")
        .into_iter()
        .enumerate()
        .map(|(index, name)| Flow {
            name,
            object: index % objects,
            triggered: index % 3 != 0,
        })
        .collect()
}

/// The indices of the objects as often as their share of the fields.
fn places(objects: &[Object]) -> Vec<usize> {
    let once = 0..objects.len();
    let custom = objects
        .iter()
        .enumerate()
        .filter(|(_, object)| !object.standard)
        .map(|(index, _)| index);
    once.chain(custom).collect()
}

/// Spreads `count` fields over the objects; custom objects take twice the share of standard ones.
fn add_fields(org: &mut Org, random: &mut Random, count: usize) {
    let places = places(&org.objects);
    let (objects, sets) = (org.objects.len(), org.value_sets.len());
    for number in 0..count {
        let place = places[number % places.len()];
        let object = &mut org.objects[place];
        let kind = field_kind(random, object, objects, sets);
        let label = match &kind {
            FieldKind::Lookup(_) => format!("{} {}", random.pick(ASPECTS), random.pick(NOUNS)),
            FieldKind::Checkbox => format!(
                "{} {}",
                random.pick(TOPICS),
                random.pick(&["Completed", "Required", "Allowed"])
            ),
            FieldKind::Date | FieldKind::DateTime => format!("{} {} Date", random.pick(ASPECTS), random.pick(TOPICS)),
            _ => format!(
                "{} {} {}",
                random.pick(ASPECTS),
                random.pick(TOPICS),
                random.pick(MEASURES)
            ),
        };
        let mut stem: String = label.replace(' ', "_");
        stem.truncate(37);
        let stem = stem.trim_end_matches('_');
        let name = format!("{stem}__c");
        let (name, label) = if object.fields.iter().any(|field| field.name == name) {
            (
                format!("{stem}_{}__c", object.fields.len()),
                format!("{label} {}", object.fields.len()),
            )
        } else {
            (name, label)
        };
        object.fields.push(Field { name, label, kind });
    }
    for object in &mut org.objects {
        object.fields.sort_by(|left, right| left.name.cmp(&right.name));
    }
}

/// A type for the next field. The first fields of an object cover the types that other components need.
fn field_kind(random: &mut Random, object: &Object, objects: usize, sets: usize) -> FieldKind {
    let lookups = object.fields_where(|kind| matches!(kind, FieldKind::Lookup(_))).count();
    match (object.fields.len(), random.below(100)) {
        (0, _) => FieldKind::Text(80),
        (1, _) => FieldKind::Number,
        (2, _) | (6.., 28..46) => {
            let count = random.between(3, 12);
            FieldKind::Picklist(some_values(random, count))
        }
        (3, _) | (6.., 46..58) => FieldKind::Checkbox,
        (4, _) => FieldKind::Date,
        (5, _) => FieldKind::GlobalPicklist(random.below(sets)),
        (_, 0..28) => FieldKind::Text(*random.pick(&[20, 40, 80, 255])),
        (_, 58..64) => FieldKind::Number,
        (_, 64..70) => FieldKind::Currency,
        (_, 70..73) => FieldKind::Percent,
        (_, 73..79) => FieldKind::Date,
        (_, 79..82) => FieldKind::DateTime,
        (_, 82..84) => FieldKind::Email,
        (_, 84..86) => FieldKind::Phone,
        (_, 86..87) => FieldKind::Url,
        (_, 87..89) => FieldKind::GlobalPicklist(random.below(sets)),
        (_, 89..94) if lookups < 20 => FieldKind::Lookup(random.below(objects)),
        (_, 94..98) => match object.fields_where(|kind| *kind == FieldKind::Number).next() {
            Some(number) => FieldKind::Formula(number.name.clone()),
            None => FieldKind::Number,
        },
        _ => FieldKind::LongText,
    }
}
