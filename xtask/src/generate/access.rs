//! Profiles, permission sets and their groups, custom permissions, roles, queues and public groups.

use super::org::{FieldKind, Object, Org, Role, sentence};
use super::random::Random;
use super::repository::Repository;
use super::words::{QUALIFIERS, USER_PERMISSIONS};
use super::xml::Element;

/// Names of the profiles, the widest first.
const PROFILES: &[&str] = &[
    "Admin",
    "Standard",
    "Service Desk",
    "Sales Team",
    "Read Only",
    "Partner Manager",
    "Finance & Controlling",
    "Integration User",
    "Field Engineer",
    "Marketing",
    "Call Centre",
    "Auditor",
];

/// Adds everything that grants access.
pub(super) fn add(org: &Org, out: &mut Repository) {
    for (index, name) in PROFILES.iter().take(org.counts.profiles).enumerate() {
        let wide = if index == 0 { 100 } else { 25 + 10 * (index % 4) };
        let file = name.replace('&', "%26");
        out.xml("Profile", &file, "profiles", "profile", profile(org, name, wide));
    }
    for number in 0..org.counts.permission_sets {
        let root = permission_set(org, number);
        out.xml(
            "PermissionSet",
            &permission_set_name(number),
            "permissionsets",
            "permissionset",
            root,
        );
    }
    for number in 0..org.counts.permission_set_groups {
        let name = format!("Team_{}", QUALIFIERS[number % QUALIFIERS.len()]);
        let members = (0..3).map(|offset| permission_set_name((number * 3 + offset) % org.counts.permission_sets));
        let root = Element::new("PermissionSetGroup")
            .leaf("description", sentence(&mut org.random(&name)))
            .leaf("hasActivationRequired", false)
            .leaf("label", name.replace('_', " "))
            .leaves("permissionSets", members)
            .leaf("status", "Updated");
        out.xml(
            "PermissionSetGroup",
            &name,
            "permissionsetgroups",
            "permissionsetgroup",
            root,
        );
    }
    for number in 0..org.counts.custom_permissions {
        let name = custom_permission(number);
        let root = Element::new("CustomPermission")
            .leaf("description", sentence(&mut org.random(&name)))
            .leaf("isLicensed", false)
            .leaf("label", name.replace('_', " "));
        out.xml("CustomPermission", &name, "customPermissions", "customPermission", root);
    }
    add_people(org, out);
}

/// Name of the role of that number.
pub(super) fn role(number: usize) -> String {
    format!("Role_{}_{number:03}", QUALIFIERS[number % QUALIFIERS.len()])
}

/// Name of the queue of that number.
pub(super) fn queue(number: usize) -> String {
    format!("Queue_{}_{number:03}", QUALIFIERS[number % QUALIFIERS.len()])
}

/// Name of the public group of that number.
pub(super) fn group(number: usize) -> String {
    format!("Group_{}_{number:03}", QUALIFIERS[number % QUALIFIERS.len()])
}

/// A profile of `entries` field permissions beside fixed parts, its names not tied to any org; for measuring merges.
pub(super) fn loose_profile(entries: usize, seed: u64) -> Element {
    let mut random = Random::fork(seed, "loose profile");
    let objects = (entries / 60).max(1);
    let mut fields: Vec<String> = (0..entries)
        .map(|number| {
            let object = number * objects / entries.max(1);
            format!("Customer_Onboarding_Request_{object:04}__c.Preferred_Channel_{number:06}__c")
        })
        .collect();
    fields.sort();
    Element::new("Profile")
        .leaf("custom", true)
        .all(fields.into_iter().map(|name| field_permission(&name, &mut random, 60)))
        .leaf("userLicense", "Salesforce")
        .all(USER_PERMISSIONS.iter().take(8).map(|name| user_permission(name)))
}

fn permission_set_name(number: usize) -> String {
    format!("{}_Access_{number:03}", QUALIFIERS[number * 7 % QUALIFIERS.len()])
}

fn custom_permission(number: usize) -> String {
    format!("Skip_{}_Checks_{number:02}", QUALIFIERS[number * 5 % QUALIFIERS.len()])
}

fn user_permission(name: &str) -> Element {
    Element::new("userPermissions").leaf("enabled", true).leaf("name", name)
}

fn field_permission(name: &str, random: &mut Random, editable: usize) -> Element {
    Element::new("fieldPermissions")
        .leaf("editable", random.chance(editable))
        .leaf("field", name)
        .leaf("readable", true)
}

/// Full names of the fields whose access can be set, with whether they can be edited; sorted.
fn permitted_fields(object: &Object) -> Vec<(String, bool)> {
    let standard = object
        .standard_fields
        .iter()
        .map(|field| (format!("{}.{field}", object.name), true));
    let custom = object.fields.iter().map(|field| {
        (
            format!("{}.{}", object.name, field.name),
            !matches!(field.kind, FieldKind::Formula(_)),
        )
    });
    let mut all: Vec<(String, bool)> = standard.chain(custom).collect();
    all.sort();
    all
}

fn profile(org: &Org, name: &str, wide: usize) -> Element {
    let mut random = org.random(&format!("profile {name}"));
    let mut objects: Vec<&Object> = org.objects.iter().collect();
    objects.sort_by(|left, right| left.name.cmp(&right.name));
    let mut parts: Vec<(String, Element)> = Vec::new();
    let mut put = |key: String, element: Element| parts.push((key, element));
    for number in 0..org.counts.apps {
        let app = super::pages::app(number);
        let entry = Element::new("applicationVisibilities")
            .leaf("application", &app)
            .leaf("default", number == 0)
            .leaf("visible", true);
        put(app, entry);
    }
    for class in org.classes.iter().filter(|class| !matches!(class.role, Role::Test(_))) {
        put(
            class.name.clone(),
            Element::new("classAccesses")
                .leaf("apexClass", &class.name)
                .leaf("enabled", random.chance(wide)),
        );
    }
    for (object, _) in &org.metadata_types {
        put(
            object.name.clone(),
            Element::new("customMetadataTypeAccesses")
                .leaf("enabled", true)
                .leaf("name", &object.name),
        );
    }
    for number in 0..org.counts.custom_permissions {
        let name = custom_permission(number);
        put(
            name.clone(),
            Element::new("customPermissions")
                .leaf("enabled", random.chance(wide))
                .leaf("name", &name),
        );
    }
    for object in &objects {
        for (field, editable) in permitted_fields(object) {
            if random.chance(wide) {
                put(
                    field.clone(),
                    field_permission(&field, &mut random, if editable { 70 } else { 0 }),
                );
            }
        }
        for (number, layout) in object.layouts().iter().enumerate() {
            let record_type = number
                .checked_sub(1)
                .map(|kind| format!("{}.{}", object.name, object.record_types[kind]));
            let key = format!("{layout} {}", record_type.as_deref().unwrap_or_default());
            put(
                key,
                Element::new("layoutAssignments")
                    .leaf("layout", encoded_layout(layout))
                    .maybe("recordType", record_type),
            );
        }
        put(object.name.clone(), object_permission(object, &mut random, wide));
        for (number, record_type) in object.record_types.iter().enumerate() {
            let name = format!("{}.{record_type}", object.name);
            let entry = Element::new("recordTypeVisibilities")
                .leaf("default", number == 0)
                .leaf("recordType", &name);
            // Persons' accounts are a matter of these two objects only.
            let entry = if matches!(object.name.as_str(), "Account" | "Contact") {
                entry.leaf("personAccountDefault", number == 0)
            } else {
                entry
            };
            put(name, entry.leaf("visible", true));
        }
        let tab = tab(object);
        put(
            tab.clone(),
            Element::new("tabVisibilities")
                .leaf("tab", tab)
                .leaf("visibility", "DefaultOn"),
        );
    }
    for flow in &org.flows {
        if !flow.triggered {
            put(
                flow.name.clone(),
                Element::new("flowAccesses")
                    .leaf("enabled", true)
                    .leaf("flow", &flow.name),
            );
        }
    }
    for number in 0..org.counts.pages {
        let page = super::code::page(number);
        put(
            page.clone(),
            Element::new("pageAccesses")
                .leaf("apexPage", &page)
                .leaf("enabled", random.chance(wide)),
        );
    }
    for permission in USER_PERMISSIONS.iter().filter(|_| random.chance(wide)) {
        put((*permission).to_owned(), user_permission(permission));
    }
    if wide == 100 {
        for number in 0..(org.objects.len() * 6).min(600) {
            let (low, high) = (number / 200, number % 200 + 1);
            let entry = Element::new("loginIpRanges")
                .leaf(
                    "description",
                    format!(
                        "Branch office {} {number:03}, second line of the provider",
                        QUALIFIERS[number % QUALIFIERS.len()]
                    ),
                )
                .leaf("endAddress", format!("10.{low}.{high}.254"))
                .leaf("startAddress", format!("10.{low}.{high}.1"));
            put(format!("10.{low:03}.{high:03}"), entry);
        }
    }
    put(
        String::new(),
        Element::of("custom", name != "Admin" && name != "Standard"),
    );
    put(String::new(), Element::of("userLicense", "Salesforce"));
    parts.sort_by(|left, right| (&left.1.name, &left.0).cmp(&(&right.1.name, &right.0)));
    Element::new("Profile").all(parts.into_iter().map(|(_, element)| element))
}

/// Layout names stand percent-encoded in profiles, blanks excepted.
fn encoded_layout(name: &str) -> String {
    name.replace('%', "%25")
        .replace('(', "%28")
        .replace(')', "%29")
        .replace('&', "%26")
}

fn object_permission(object: &Object, random: &mut Random, wide: usize) -> Element {
    let (edit, delete, all) = (random.chance(wide), random.chance(wide / 2 + 1), wide == 100);
    Element::new("objectPermissions")
        .leaf("allowCreate", edit || all)
        .leaf("allowDelete", (delete && edit) || all)
        .leaf("allowEdit", edit || all)
        .leaf("allowRead", true)
        .leaf("modifyAllRecords", all)
        .leaf("object", &object.name)
        .leaf("viewAllFields", false)
        .leaf("viewAllRecords", all)
}

fn tab(object: &Object) -> String {
    if object.standard {
        format!("standard-{}", object.name)
    } else {
        object.name.clone()
    }
}

fn permission_set(org: &Org, number: usize) -> Element {
    let name = permission_set_name(number);
    let mut random = org.random(&format!("permission set {name}"));
    let mut picked: Vec<&Object> = random
        .sample(org.objects.len(), 6)
        .into_iter()
        .map(|index| &org.objects[index])
        .collect();
    picked.sort_by(|left, right| left.name.cmp(&right.name));
    let mut classes: Vec<&str> = random
        .sample(org.classes.len(), 5)
        .into_iter()
        .map(|index| &org.classes[index])
        .filter(|class| !matches!(class.role, Role::Test(_)))
        .map(|class| class.name.as_str())
        .collect();
    classes.sort_unstable();
    let mut fields = Vec::new();
    for object in &picked {
        for (field, editable) in permitted_fields(object) {
            if !random.chance(60) {
                continue;
            }
            fields.push(field_permission(&field, &mut random, if editable { 50 } else { 0 }));
        }
    }
    let mut tabs: Vec<String> = picked.iter().map(|object| tab(object)).collect();
    tabs.sort();
    Element::new("PermissionSet")
        .all(classes.into_iter().map(|class| {
            Element::new("classAccesses")
                .leaf("apexClass", class)
                .leaf("enabled", true)
        }))
        .child(
            Element::new("customPermissions")
                .leaf("enabled", true)
                .leaf("name", custom_permission(number % org.counts.custom_permissions)),
        )
        .leaf("description", sentence(&mut random))
        .all(fields)
        .leaf("hasActivationRequired", false)
        .leaf("label", name.replace('_', " "))
        .leaf("license", "Salesforce")
        .all(picked.iter().map(|object| object_permission(object, &mut random, 60)))
        .all(picked.iter().flat_map(|object| {
            object.record_types.iter().map(|kind| {
                Element::new("recordTypeVisibilities")
                    .leaf("recordType", format!("{}.{kind}", object.name))
                    .leaf("visible", true)
            })
        }))
        .all(tabs.into_iter().map(|tab| {
            Element::new("tabSettings")
                .leaf("tab", tab)
                .leaf("visibility", "Visible")
        }))
        .child(user_permission("RunReports"))
}

fn add_people(org: &Org, out: &mut Repository) {
    for number in 0..org.counts.roles {
        let name = role(number);
        let root = Element::new("Role")
            .leaf("caseAccessLevel", "Edit")
            .leaf("contactAccessLevel", "Edit")
            .leaf("description", sentence(&mut org.random(&name)))
            .leaf("mayForecastManagerShare", false)
            .leaf("name", name.replace('_', " "))
            .leaf("opportunityAccessLevel", "Edit")
            .maybe("parentRole", number.checked_sub(1).map(|above| role(above / 4)));
        out.xml("Role", &name, "roles", "role", root);
    }
    let custom: Vec<&Object> = org.custom().map(|(_, object)| object).collect();
    for number in 0..org.counts.queues {
        let name = queue(number);
        let mut served = vec!["Case", "Lead", custom[number % custom.len()].name.as_str()];
        served.sort_unstable();
        let root = Element::new("Queue")
            .leaf("doesSendEmailToMembers", false)
            .leaf("email", format!("{}@desk.example", name.to_lowercase()))
            .leaf("name", name.replace('_', " "))
            .child(
                Element::new("queueMembers").child(Element::new("roles").leaf("role", role(number % org.counts.roles))),
            )
            .all(
                served
                    .into_iter()
                    .map(|object| Element::new("queueSobject").leaf("sobjectType", object)),
            );
        out.xml("Queue", &name, "queues", "queue", root);
    }
    for number in 0..org.counts.groups {
        let name = group(number);
        let root = Element::new("Group")
            .leaf("doesIncludeBosses", true)
            .leaf("name", name.replace('_', " "));
        out.xml("Group", &name, "groups", "group", root);
    }
}
