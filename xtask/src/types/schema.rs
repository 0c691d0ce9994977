//! The table of elements: what each complex type holds, which elements are lists, their keys and their proof.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Kinds of proof in the provenance file and their short names in the table.
const PROOFS: [(&str, &str); 8] = [
    ("tool+corpus", "tool+corpus"),
    ("tool", "tool"),
    ("corpus", "corpus"),
    ("schema+corpus", "schema+corpus"),
    ("schema", "schema"),
    ("none", "none"),
    ("corpus-weak", "weak"),
    ("legacy-element (older API versions only)", "legacy"),
];

/// Lists of plain values of each type, and all type names.
struct PlainLists {
    lists: BTreeMap<String, BTreeSet<String>>,
    types: BTreeSet<String>,
}

/// The text of `schema.txt`.
///
/// `element_types` is `{Type: {element: [ChildType, is_list]}}`, `keys` is
/// `{Type: {element: {childType, key, orderSignificant, evidence, notAlwaysUnique?}}}`,
/// `schema` the text of the schema module of jsforce.
pub(super) fn table(element_types: &Value, keys: &Value, schema: &str) -> Result<String, String> {
    let plain = plain_lists(schema);
    let mut names: BTreeSet<&str> = plain.types.iter().map(String::as_str).collect();
    for (name, elements) in entries(element_types)? {
        names.insert(name);
        for (element, value) in entries(elements)? {
            names.insert(child_and_list(value).ok_or_else(|| bad(name, element))?.0);
        }
    }
    for (name, _) in entries(keys)? {
        names.insert(name);
    }

    let mut out = String::new();
    for (position, name) in names.iter().enumerate() {
        let mut rows: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        if let Some(elements) = element_types.get(*name) {
            for (element, value) in entries(elements)? {
                let (child, list) = child_and_list(value).ok_or_else(|| bad(name, element))?;
                rows.insert(
                    element,
                    vec![child.to_owned(), if list { "list" } else { "one" }.to_owned()],
                );
            }
        }
        for element in plain.lists.get(*name).into_iter().flatten() {
            rows.entry(element)
                .or_insert_with(|| vec!["text".to_owned(), "list".to_owned()]);
        }
        if let Some(elements) = keys.get(*name) {
            for (element, fact) in entries(elements)? {
                let words = key_words(fact).ok_or_else(|| bad(name, element))?;
                let child = fact["childType"].as_str().unwrap_or("-").to_owned();
                let row = rows.entry(element).or_insert_with(|| vec![child, String::new()]);
                "list".clone_into(&mut row[1]);
                row.extend(words);
            }
        }
        if position > 0 {
            out.push('\n');
        }
        out.push_str(&format!("[{name}]\n"));
        for (element, words) in rows {
            out.push_str(&format!("{element} {}\n", words.join(" ")));
        }
    }
    Ok(out)
}

fn key_words(fact: &Value) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let key: Vec<&str> = fact["key"]
        .as_array()?
        .iter()
        .map(Value::as_str)
        .collect::<Option<_>>()?;
    if !key.is_empty() {
        words.push(format!("key={}", key.join(",")));
    }
    if fact["orderSignificant"].as_bool()? {
        words.push("order=display".to_owned());
    }
    let evidence = fact["evidence"].as_str()?;
    let (_, proof) = PROOFS.iter().find(|(long, _)| *long == evidence)?;
    words.push(format!("proof={proof}"));
    if fact["notAlwaysUnique"].as_bool() == Some(true) {
        words.push("repeats".to_owned());
    }
    Some(words)
}

/// Reads the generated schema module line by line: `    Name: {`, then `            element: ['?string'],`.
fn plain_lists(schema: &str) -> PlainLists {
    let mut found = PlainLists {
        lists: BTreeMap::new(),
        types: BTreeSet::new(),
    };
    let mut current = None;
    for line in schema.lines() {
        let text = line.trim_start();
        match line.len() - text.len() {
            4 => {
                current = text.strip_suffix(": {").map(str::to_owned);
                found.types.extend(current.clone());
            }
            12 => {
                let element = text.split_once(": ['").and_then(|(element, rest)| {
                    let kind = rest.strip_suffix("'],")?.trim_start_matches('?');
                    matches!(kind, "string" | "number" | "boolean" | "any").then_some(element)
                });
                if let (Some(name), Some(element)) = (&current, element) {
                    found.lists.entry(name.clone()).or_default().insert(element.to_owned());
                }
            }
            _ => {}
        }
    }
    found
}

fn entries(value: &Value) -> Result<impl Iterator<Item = (&str, &Value)>, String> {
    match value.as_object() {
        Some(map) => Ok(map.iter().map(|(name, value)| (name.as_str(), value))),
        None => Err(format!("expected an object, found `{value}`")),
    }
}

/// `["ChildType", is_list]`.
pub(super) fn child_and_list(value: &Value) -> Option<(&str, bool)> {
    Some((value.get(0)?.as_str()?, value.get(1)?.as_bool()?))
}

fn bad(name: &str, element: &str) -> String {
    format!("the fact of `{name}.{element}` has an unknown form")
}
