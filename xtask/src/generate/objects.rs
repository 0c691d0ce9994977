//! Objects with fields, record types, rules, views and translations, decomposed as the source format has them.

use super::org::{Field, FieldKind, Object, Org, sentence, some_values};
use super::random::Random;
use super::repository::{Content, Place, Repository};
use super::xml::Element;

/// Adds all objects and their translations.
pub(super) fn add(org: &Org, out: &mut Repository) {
    let mut random = org.random("objects");
    for object in &org.objects {
        let root = if object.standard {
            standard_object(&mut random)
        } else {
            custom_object(object, &mut random)
        };
        put(out, object, root);
        add_children(org, object, out);
        add_translation(org, object, out);
    }
    for (object, records) in &org.metadata_types {
        let root = Element::new("CustomObject")
            .leaf("label", &object.label)
            .leaf("pluralLabel", &object.plural)
            .leaf("visibility", "Public");
        put(out, object, root);
        add_children(org, object, out);
        add_records(org, object, *records, out);
    }
}

fn put(out: &mut Repository, object: &Object, root: Element) {
    let name = &object.name;
    let place = Place::Split {
        source: format!("objects/{name}/{name}.object-meta.xml"),
        mdapi: format!("objects/{name}.object"),
    };
    out.add(("CustomObject", name), place, Content::Xml(root));
}

fn standard_object(random: &mut Random) -> Element {
    Element::new("CustomObject")
        .child(
            Element::new("actionOverrides")
                .leaf("actionName", "Edit")
                .leaf("type", "Default"),
        )
        .child(
            Element::new("actionOverrides")
                .leaf("actionName", "View")
                .leaf("type", "Default"),
        )
        .leaf("enableFeeds", random.chance(50))
        .leaf("enableHistory", random.chance(70))
}

fn custom_object(object: &Object, random: &mut Random) -> Element {
    let overrides = [
        "Accept",
        "CancelEdit",
        "Clone",
        "Delete",
        "Edit",
        "List",
        "New",
        "SaveEdit",
        "Tab",
        "View",
    ];
    let initials: String = object.label.split(' ').filter_map(|word| word.chars().next()).collect();
    Element::new("CustomObject")
        .all(overrides.map(|name| {
            Element::new("actionOverrides")
                .leaf("actionName", name)
                .leaf("type", "Default")
        }))
        .leaf("allowInChatterGroups", false)
        .leaf("compactLayoutAssignment", "SYSTEM")
        .leaf("deploymentStatus", "Deployed")
        .leaf("description", sentence(random))
        .leaf("enableActivities", random.chance(60))
        .leaf("enableBulkApi", true)
        .leaf("enableFeeds", random.chance(20))
        .leaf("enableHistory", true)
        .leaf("enableReports", true)
        .leaf("enableSearch", true)
        .leaf("enableSharing", true)
        .leaf("enableStreamingApi", true)
        .leaf("externalSharingModel", "Private")
        .leaf("label", &object.label)
        .child(
            Element::new("nameField")
                .leaf("displayFormat", format!("{initials}-{{000000}}"))
                .leaf("label", format!("{} Number", object.label))
                .leaf("trackHistory", false)
                .leaf("type", "AutoNumber"),
        )
        .leaf("pluralLabel", &object.plural)
        .child(Element::new("searchLayouts"))
        .leaf("sharingModel", *random.pick(&["Private", "Read", "ReadWrite"]))
        .leaf("visibility", "Public")
}

fn add_children(org: &Org, object: &Object, out: &mut Repository) {
    let mut random = org.random(&format!("children of {}", object.name));
    let mut child = |kind, folder: &str, suffix: &str, list, name: &str, root: Element| {
        let place = Place::Child {
            source: format!("objects/{}/{folder}/{name}.{suffix}-meta.xml", object.name),
            owner: format!("objects/{}.object", object.name),
            list,
        };
        out.add((kind, &format!("{}.{name}", object.name)), place, Content::Xml(root));
    };
    for field in &object.fields {
        child(
            "CustomField",
            "fields",
            "field",
            "fields",
            &field.name,
            custom_field(org, object, field, &mut random),
        );
    }
    for name in &object.record_types {
        child(
            "RecordType",
            "recordTypes",
            "recordType",
            "recordTypes",
            name,
            record_type(org, object, name, &mut random),
        );
    }
    for number in 1..=object.validation_rules {
        let name = format!("Rule_{number}");
        let root = validation_rule(object, &name, &mut random);
        child(
            "ValidationRule",
            "validationRules",
            "validationRule",
            "validationRules",
            &name,
            root,
        );
    }
    for number in 1..=object.list_views {
        let name = if number == 1 {
            "All".to_owned()
        } else {
            format!("View_{number}")
        };
        child(
            "ListView",
            "listViews",
            "listView",
            "listViews",
            &name,
            list_view(object, &name, &mut random),
        );
    }
    for number in 1..=object.compact_layouts {
        let name = format!("Compact_{number}");
        let root = Element::new("CompactLayout")
            .leaf("fullName", &name)
            .leaves("fields", first_columns(object, 4))
            .leaf("label", name.replace('_', " "));
        child(
            "CompactLayout",
            "compactLayouts",
            "compactLayout",
            "compactLayouts",
            &name,
            root,
        );
    }
    for number in 1..=object.field_sets {
        let name = format!("Set_{number}");
        let root = field_set(object, &name, &mut random);
        child("FieldSet", "fieldSets", "fieldSet", "fieldSets", &name, root);
    }
    for number in 1..=object.web_links {
        let name = format!("Open_Handbook_{number}");
        let root = Element::new("WebLink")
            .leaf("fullName", &name)
            .leaf("availability", "online")
            .leaf("displayType", "link")
            .leaf("encodingKey", "UTF-8")
            .leaf("hasMenubar", false)
            .leaf("hasScrollbars", true)
            .leaf("hasToolbar", false)
            .leaf("height", 600)
            .leaf("isResizable", true)
            .leaf("linkType", "url")
            .leaf("masterLabel", name.replace('_', " "))
            .leaf("openType", "newWindow")
            .leaf("position", "none")
            .leaf("protected", false)
            .leaf("showsLocation", false)
            .leaf("showsStatus", false)
            .leaf(
                "url",
                format!("https://handbook.example/page?id={{!{}.Id}}&part={number}", object.name),
            )
            .leaf("width", 600);
        child("WebLink", "webLinks", "webLink", "webLinks", &name, root);
    }
}

fn custom_field(org: &Org, object: &Object, field: &Field, random: &mut Random) -> Element {
    let described = random.chance(70);
    let helped = random.chance(40);
    let mut parts: Vec<Element> = Vec::new();
    let mut part = |name: &'static str, value: &str| parts.push(Element::of(name, value));
    part("label", &field.label);
    if described {
        part("description", sentence(random));
    }
    if helped {
        part("inlineHelpText", sentence(random));
    }
    let setting = object.name.ends_with("__mdt");
    if setting {
        part("fieldManageability", "DeveloperControlled");
    } else {
        part("trackTrending", "false");
    }
    let required = |part: &mut dyn FnMut(&'static str, &str)| part("required", "false");
    let mut value_set = None;
    match &field.kind {
        FieldKind::Text(length) => {
            part("externalId", "false");
            part("length", &length.to_string());
            required(&mut part);
            part("type", "Text");
            part("unique", "false");
        }
        FieldKind::LongText => {
            part("length", "32768");
            part("type", "LongTextArea");
            part("visibleLines", "3");
        }
        FieldKind::Number | FieldKind::Currency | FieldKind::Percent => {
            part("externalId", "false");
            part("precision", "18");
            required(&mut part);
            part("scale", "2");
            part(
                "type",
                if field.kind == FieldKind::Number {
                    "Number"
                } else if field.kind == FieldKind::Currency {
                    "Currency"
                } else {
                    "Percent"
                },
            );
        }
        FieldKind::Checkbox => {
            part("defaultValue", "false");
            part("type", "Checkbox");
        }
        FieldKind::Date | FieldKind::DateTime | FieldKind::Phone | FieldKind::Url => {
            required(&mut part);
            part(
                "type",
                match field.kind {
                    FieldKind::Date => "Date",
                    FieldKind::DateTime => "DateTime",
                    FieldKind::Phone => "Phone",
                    _ => "Url",
                },
            );
        }
        FieldKind::Email => {
            part("externalId", "false");
            required(&mut part);
            part("type", "Email");
            part("unique", "false");
        }
        FieldKind::Picklist(values) => {
            required(&mut part);
            part("type", "Picklist");
            value_set = Some(
                Element::new("valueSet").leaf("restricted", true).child(
                    Element::new("valueSetDefinition")
                        .leaf("sorted", false)
                        .all(values.iter().map(|value| {
                            Element::new("value")
                                .leaf("fullName", value)
                                .leaf("default", false)
                                .leaf("label", value)
                        })),
                ),
            );
        }
        FieldKind::GlobalPicklist(set) => {
            required(&mut part);
            part("type", "Picklist");
            value_set = Some(
                Element::new("valueSet")
                    .leaf("restricted", true)
                    .leaf("valueSetName", &org.value_sets[*set].0),
            );
        }
        FieldKind::Lookup(target) => {
            part("deleteConstraint", "SetNull");
            part("referenceTo", &org.objects[*target].name);
            part("relationshipLabel", &format!("{} ({})", object.plural, field.label));
            let mut relationship = format!("{}_{}", object.stem(), field.name.trim_end_matches("__c"));
            relationship.truncate(74);
            part("relationshipName", relationship.trim_end_matches('_'));
            required(&mut part);
            part("type", "Lookup");
        }
        FieldKind::Formula(number) => {
            part("externalId", "false");
            part("formula", &format!("IF(ISBLANK({number}), 0, {number} * 1.19)"));
            part("formulaTreatBlanksAs", "BlankAsZero");
            part("precision", "18");
            required(&mut part);
            part("scale", "2");
            part("type", "Number");
            part("unique", "false");
        }
    }
    if !object.standard && !setting && field.kind != FieldKind::LongText {
        part("trackHistory", "false");
    }
    parts.extend(value_set);
    parts.sort_by(|left, right| left.name.cmp(&right.name));
    Element::new("CustomField").leaf("fullName", &field.name).all(parts)
}

fn record_type(org: &Org, object: &Object, name: &str, random: &mut Random) -> Element {
    let picklists = object.fields.iter().filter_map(|field| {
        let mut values: Vec<&str> = match &field.kind {
            FieldKind::Picklist(values) => values.clone(),
            FieldKind::GlobalPicklist(set) => org.value_sets[*set].1.clone(),
            _ => return None,
        };
        values.sort_unstable();
        let kept = values.into_iter().filter(|_| random.chance(85)).map(|value| {
            Element::new("values")
                .leaf("fullName", percent_encoded(value))
                .leaf("default", false)
        });
        Some(Element::new("picklistValues").leaf("picklist", &field.name).all(kept))
    });
    let picklists: Vec<Element> = picklists.filter(|list| list.children().len() > 1).collect();
    Element::new("RecordType")
        .leaf("fullName", name)
        .leaf("active", true)
        .leaf("description", sentence(random))
        .leaf("label", name.replace('_', " "))
        .all(picklists)
}

/// Values inside record types are percent-encoded where they hold more than letters, digits and blanks.
fn percent_encoded(value: &str) -> String {
    value
        .replace('%', "%25")
        .replace('&', "%26")
        .replace('(', "%28")
        .replace(')', "%29")
}

fn validation_rule(object: &Object, name: &str, random: &mut Random) -> Element {
    let numbers: Vec<&Field> = object.fields_where(|kind| *kind == FieldKind::Number).collect();
    let boxes: Vec<&Field> = object.fields_where(|kind| *kind == FieldKind::Checkbox).collect();
    let formula = match (numbers.is_empty(), boxes.is_empty()) {
        (false, false) => format!(
            "AND(\n    {},\n    {} < {}\n)",
            random.pick(&boxes).name,
            random.pick(&numbers).name,
            random.below(100)
        ),
        (false, true) => format!("{} < {}", random.pick(&numbers).name, random.below(100)),
        _ => "AND(ISNEW(), ISBLANK(Id))".to_owned(),
    };
    Element::new("ValidationRule")
        .leaf("fullName", name)
        .leaf("active", random.chance(90))
        .leaf("description", sentence(random))
        .leaf("errorConditionFormula", formula)
        .leaf(
            "errorMessage",
            format!("Please check the entry ({name}). {}", sentence(random)),
        )
}

fn list_view(object: &Object, name: &str, random: &mut Random) -> Element {
    let filter = object
        .fields_where(|kind| *kind == FieldKind::Checkbox)
        .next()
        .filter(|_| name != "All");
    Element::new("ListView")
        .leaf("fullName", name)
        .leaves(
            "columns",
            object.fields.iter().take(random.between(3, 8)).map(|field| &field.name),
        )
        .leaf("filterScope", "Everything")
        .all(filter.map(|field| {
            Element::new("filters")
                .leaf("field", &field.name)
                .leaf("operation", "equals")
                .leaf("value", 1)
        }))
        .leaf("label", format!("{} {}", object.plural, name.replace('_', " ")))
}

fn field_set(object: &Object, name: &str, random: &mut Random) -> Element {
    let picked = random.sample(object.fields.len(), 6);
    Element::new("FieldSet")
        .leaf("fullName", name)
        .leaf("description", sentence(random))
        .all(picked.into_iter().map(|index| {
            Element::new("displayedFields")
                .leaf("field", &object.fields[index].name)
                .leaf("isFieldManaged", false)
                .leaf("isRequired", false)
        }))
        .leaf("label", name.replace('_', " "))
}

/// Name and the first fields that every layout of columns may show.
fn first_columns(object: &Object, count: usize) -> Vec<String> {
    let plain = object.fields.iter().filter(|field| field.kind != FieldKind::LongText);
    std::iter::once("Name".to_owned())
        .chain(plain.take(count).map(|field| field.name.clone()))
        .collect()
}

fn add_translation(org: &Org, object: &Object, out: &mut Repository) {
    let mut random = org.random(&format!("translation of {}", object.name));
    let full_name = format!("{}-de", object.name);
    let owner = format!("objectTranslations/{full_name}.objectTranslation");
    let mut rules: Vec<Element> = (1..=object.validation_rules)
        .map(|number| {
            Element::new("validationRules")
                .leaf("errorMessage", format!("Bitte prüfen Sie die Eingabe (Rule_{number})."))
                .leaf("name", format!("Rule_{number}"))
        })
        .collect();
    rules.sort_by(|left, right| left.text_of("name").cmp(&right.text_of("name")));
    let mut root = Element::new("CustomObjectTranslation");
    if !object.standard {
        root = root.all([false, true].map(|plural| {
            Element::new("caseValues").leaf("plural", plural).leaf(
                "value",
                format!("{} (de)", if plural { &object.plural } else { &object.label }),
            )
        }));
    }
    let root = root
        .all(object.record_types.iter().map(|name| {
            Element::new("recordTypes")
                .leaf("label", format!("{} (de)", name.replace('_', " ")))
                .leaf("name", name)
        }))
        .all(rules);
    let place = Place::Split {
        source: format!("objectTranslations/{full_name}/{full_name}.objectTranslation-meta.xml"),
        mdapi: owner.clone(),
    };
    out.add(("CustomObjectTranslation", &full_name), place, Content::Xml(root));
    for field in object.fields.iter().filter(|_| random.chance(8)) {
        let root = Element::new("CustomFieldTranslation")
            .leaf("label", format!("{} (de)", field.label))
            .leaf("name", &field.name);
        let source = format!(
            "objectTranslations/{full_name}/{}.fieldTranslation-meta.xml",
            field.name
        );
        let place = Place::Child {
            source,
            owner: owner.clone(),
            list: "fields",
        };
        out.add(("CustomObjectTranslation", &full_name), place, Content::Xml(root));
    }
}

fn add_records(org: &Org, object: &Object, count: usize, out: &mut Repository) {
    let mut random = org.random(&format!("records of {}", object.name));
    for number in 1..=count {
        let label = format!("Entry {number:04}");
        let value = |field: &str, kind: &str, text: String| {
            Element::new("values")
                .leaf("field", field)
                .child(Element::of("value", text).attribute("xsi:type", kind))
        };
        let root = Element::new("CustomMetadata")
            .attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
            .attribute("xmlns:xsd", "http://www.w3.org/2001/XMLSchema")
            .leaf("label", &label)
            .leaf("protected", false)
            .child(value("Active__c", "xsd:boolean", random.chance(80).to_string()))
            .child(value(
                "Number_Value__c",
                "xsd:double",
                format!("{}.0", random.below(10_000)),
            ))
            .child(value(
                "Text_Value__c",
                "xsd:string",
                some_values(&mut random, 2).join("; "),
            ));
        let name = format!("{}.{}", object.stem(), label.replace(' ', "_"));
        out.xml("CustomMetadata", &name, "customMetadata", "md", root);
    }
}
