//! The table of types: folder, suffix, adapter and children of each, and what the presets change.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::child_and_list;

/// The values of `sourceBehaviorOptions` that change how types are laid out in files.
pub(super) const PRESETS: [&str; 7] = [
    "decomposeCustomLabelsBeta",
    "decomposeCustomLabelsBeta2",
    "decomposeExternalServiceRegistrationBeta",
    "decomposePermissionSetBeta",
    "decomposePermissionSetBeta2",
    "decomposeSharingRulesBeta",
    "decomposeWorkflowBeta",
];

/// Attributes with a text value: name in the registry, word in the table.
const WORDS: [(&str, &str); 6] = [
    ("suffix", "suffix"),
    ("legacySuffix", "legacy-suffix"),
    ("metaFileSuffix", "meta-file"),
    ("versionSeparator", "version-separator"),
    ("xmlElementName", "element"),
    ("uniqueIdElement", "key"),
];

/// Attributes that name another type by its id.
const REFERENCES: [(&str, &str); 3] = [
    ("folderType", "folder-type"),
    ("folderContentType", "folder-content"),
    ("aliasFor", "alias-for"),
];

/// Attributes that are true or false: name in the registry, the value that is worth a word, the word.
const FLAGS: [(&str, bool, &str); 8] = [
    ("inFolder", true, "in-folder"),
    ("strictDirectoryName", true, "strict"),
    ("supportsWildcardAndName", true, "wildcard"),
    ("supportsPartialDelete", true, "partial-delete"),
    ("ignoreParsedFullName", true, "fixed-name"),
    ("ignoreParentName", true, "no-parent-name"),
    ("isAddressable", false, "not-addressable"),
    ("unaddressableWithoutParent", true, "needs-parent"),
];

/// Parts of `strategies`.
const STRATEGIES: [&str; 4] = ["adapter", "transformer", "decomposition", "recomposition"];

/// `xmlElement` stands in one preset in place of `xmlElementName`; the library ignores it and so does the table.
const IGNORED: [&str; 1] = ["xmlElement"];

/// The text of `registry.txt`.
pub(super) fn table(
    version: &str,
    registry: &Value,
    presets: &[(&str, Value)],
    element_types: &Value,
) -> Result<String, String> {
    let mut out = format!(
        "# Facts of @salesforce/source-deploy-retrieve {version}, written by `cargo xtask types`. README.md explains the words.\n"
    );
    section(&mut out, "types", "suffixes", registry, registry, element_types)?;
    for (name, preset) in presets {
        section(
            &mut out,
            &format!("preset {name} types"),
            &format!("preset {name} suffixes"),
            preset,
            registry,
            element_types,
        )
        .map_err(|problem| format!("preset {name}: {problem}"))?;
    }
    Ok(out)
}

fn section(
    out: &mut String,
    types_title: &str,
    suffixes_title: &str,
    part: &Value,
    registry: &Value,
    element_types: &Value,
) -> Result<(), String> {
    let known = |key: &str| matches!(key, "types" | "suffixes" | "strictDirectoryNames" | "childTypes");
    if let Some(key) = object(part, "the registry")?.keys().find(|key| !known(key)) {
        return Err(format!("unknown section `{key}`"));
    }
    let types = object(&part["types"], "types")?;
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for definition in types.values() {
        let name = name_of(definition)?;
        let mut text = line(name, definition, None, registry, element_types)?;
        let mut children: BTreeMap<&str, String> = BTreeMap::new();
        for (id, child) in definition["children"]["types"].as_object().into_iter().flatten() {
            let child_name = name_of(child)?;
            let mut text = line(child_name, child, Some(name), registry, element_types)?;
            if let Some(other) = other_suffix(&definition["children"]["suffixes"], id, child) {
                text.truncate(text.trim_end().len());
                text.push_str(&format!(" legacy-suffix={other}\n"));
            }
            children.insert(child_name, text);
        }
        for child in children.values() {
            text.push_str("  ");
            text.push_str(child);
        }
        lines.insert(name, text);
    }
    check_strict(part, types)?;
    out.push_str(&format!("\n[{types_title}]\n"));
    out.extend(lines.into_values());

    out.push_str(&format!("\n[{suffixes_title}]\n"));
    let suffixes: BTreeMap<&str, &Value> = object(&part["suffixes"], "suffixes").map_or_else(
        |_| BTreeMap::new(),
        |map| map.iter().map(|(k, v)| (k.as_str(), v)).collect(),
    );
    for (suffix, id) in suffixes {
        let id = id.as_str().ok_or_else(|| format!("suffix `{suffix}` has no type"))?;
        let name = name_by_id(part, id).or_else(|_| name_by_id(registry, id))?;
        out.push_str(&format!("{suffix} {name}\n"));
    }
    Ok(())
}

/// A suffix that leads to the child type beside the ones the type itself names.
fn other_suffix<'a>(suffixes: &'a Value, id: &str, child: &Value) -> Option<&'a str> {
    let named = |suffix: &str| child["suffix"] == *suffix || child["legacySuffix"] == *suffix;
    let mut others = suffixes
        .as_object()?
        .iter()
        .filter(|(suffix, target)| **target == *id && !named(suffix));
    others.next().map(|(suffix, _)| suffix.as_str())
}

/// `strictDirectoryNames` must say the same as the flags of the types: the table only keeps the flags.
fn check_strict(part: &Value, types: &Map<String, Value>) -> Result<(), String> {
    let listed: BTreeSet<(&str, &str)> = part["strictDirectoryNames"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(directory, id)| Some((directory.as_str(), id.as_str()?)))
        .collect();
    let flagged = types
        .iter()
        .filter(|(_, definition)| definition["strictDirectoryName"] == true)
        .filter_map(|(id, definition)| Some((definition["directoryName"].as_str()?, id.as_str())))
        .collect();
    if listed == flagged {
        return Ok(());
    }
    Err(format!(
        "strictDirectoryNames and the types' flags differ: {:?}",
        listed.symmetric_difference(&flagged)
    ))
}

fn line(
    name: &str,
    definition: &Value,
    parent: Option<&str>,
    registry: &Value,
    element_types: &Value,
) -> Result<String, String> {
    let definition = object(definition, name)?;
    check_attributes(name, definition)?;
    let mut text = name.to_owned();
    let mut word = |key: &str, value: &str| {
        if !value.is_empty() {
            text.push_str(&format!(" {key}={value}"));
        }
    };
    let id = definition["id"].as_str().unwrap_or_default();
    if id != name.to_lowercase() {
        word("id", id);
    }
    word(
        "dir",
        definition["directoryName"]
            .as_str()
            .ok_or_else(|| format!("`{name}` has no directory"))?,
    );
    for (attribute, key) in WORDS {
        let value = definition.get(attribute).and_then(Value::as_str);
        match (attribute, parent) {
            ("xmlElementName", Some(parent)) if value.is_none() => {
                word(key, schema_element(element_types, parent, name).unwrap_or_default());
            }
            _ => word(key, value.unwrap_or_default()),
        }
    }
    for (attribute, key) in REFERENCES {
        if let Some(id) = definition.get(attribute).and_then(Value::as_str) {
            word(key, name_by_id(registry, id)?);
        }
    }
    if let Some(strategies) = definition.get("strategies") {
        for (key, value) in object(strategies, name)? {
            if !STRATEGIES.contains(&key.as_str()) {
                return Err(format!("`{name}` has the unknown strategy `{key}` = {value}"));
            }
        }
        for key in STRATEGIES {
            word(key, strategies[key].as_str().unwrap_or_default());
        }
    }
    for (attribute, wanted, flag) in FLAGS {
        if definition.get(attribute).and_then(Value::as_bool) == Some(wanted) {
            text.push(' ');
            text.push_str(flag);
        }
    }
    text.push('\n');
    Ok(text)
}

/// A new attribute may change how files are found: it must be looked at, not skipped.
fn check_attributes(name: &str, definition: &Map<String, Value>) -> Result<(), String> {
    let known = |key: &str| {
        matches!(key, "id" | "name" | "directoryName" | "children" | "strategies")
            || WORDS.iter().any(|(attribute, _)| *attribute == key)
            || REFERENCES.iter().any(|(attribute, _)| *attribute == key)
            || FLAGS.iter().any(|(attribute, _, _)| *attribute == key)
            || IGNORED.contains(&key)
    };
    match definition.keys().find(|key| !known(key)) {
        Some(key) => Err(format!(
            "`{name}` has the unknown attribute `{key}`; teach xtask/src/types/registry.rs what it means"
        )),
        None => Ok(()),
    }
}

/// The list element of the parent that holds items of the child type, by the schema of the API.
fn schema_element<'a>(element_types: &'a Value, parent: &str, child: &str) -> Option<&'a str> {
    let elements = element_types.get(parent)?.as_object()?;
    elements.iter().find_map(|(element, value)| {
        let (child_type, list) = child_and_list(value)?;
        (list && child_type.eq_ignore_ascii_case(child)).then_some(element.as_str())
    })
}

/// The type's name; a name with spaces is no name of the API, its id stands for it.
fn name_of(definition: &Value) -> Result<&str, String> {
    let name = definition["name"].as_str().ok_or("a type has no name")?;
    if name.contains(' ') {
        return definition["id"].as_str().ok_or_else(|| format!("`{name}` has no id"));
    }
    Ok(name)
}

fn name_by_id<'a>(registry: &'a Value, id: &str) -> Result<&'a str, String> {
    let types = object(&registry["types"], "types")?;
    if let Some(definition) = types.get(id) {
        return name_of(definition);
    }
    types
        .values()
        .find_map(|definition| definition["children"]["types"].get(id))
        .map_or_else(|| Err(format!("there is no type with id `{id}`")), name_of)
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{what} is not an object"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn build(types: Value, suffixes: Value, strict: Value) -> Result<String, String> {
        let registry = json!({"types": types, "suffixes": suffixes, "strictDirectoryNames": strict, "childTypes": {}});
        let elements = json!({"Parent": {"parts": ["Part", true]}});
        table("1.0.0", &registry, &[], &elements)
    }

    #[test]
    fn one_line_for_a_type() {
        let types = json!({
            "parent": {
                "id": "parent", "name": "Parent", "directoryName": "parents", "suffix": "p", "inFolder": false,
                "strictDirectoryName": true, "strategies": {"adapter": "decomposed", "decomposition": "topLevel"},
                "children": {"types": {"part": {
                    "id": "part", "name": "Part", "directoryName": "inner", "suffix": "q", "isAddressable": false,
                }}, "suffixes": {"q": "part", "old": "part"}},
            },
            "alone": {"id": "alone", "name": "Alone", "directoryName": "alones", "folderType": "parent"},
        });
        let text = build(types, json!({"q": "part", "p": "parent"}), json!({"parents": "parent"})).expect("valid");
        let body: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            body,
            [
                "[types]",
                "Alone dir=alones folder-type=Parent",
                "Parent dir=parents suffix=p adapter=decomposed decomposition=topLevel strict",
                "  Part dir=inner suffix=q element=parts not-addressable legacy-suffix=old",
                "",
                "[suffixes]",
                "p Parent",
                "q Part",
            ]
        );
    }

    #[test]
    fn what_is_new_stops_the_task() {
        let check = |definition: Value, strict: Value, expect: &str| {
            let problem = build(json!({"a": definition}), json!({}), strict).expect_err(expect);
            assert!(problem.contains(expect), "{problem}");
        };
        let plain = |key: &str, value: Value| {
            let mut definition = json!({"id": "a", "name": "A", "directoryName": "as"});
            definition[key] = value;
            definition
        };
        check(plain("color", json!("red")), json!({}), "unknown attribute `color`");
        check(
            plain("strategies", json!({"shape": "round"})),
            json!({}),
            "unknown strategy `shape`",
        );
        check(plain("strictDirectoryName", json!(true)), json!({}), "differ");
        check(
            plain("folderType", json!("nothing")),
            json!({}),
            "no type with id `nothing`",
        );
    }
}
