//! Many components: half classes, a third objects with their fields, then permission sets and remote sites.

use super::Chance;
use crate::error::ApiError;
use crate::http::in_call;
use crate::metadata::store::{File, Item};
use crate::metadata::{put_components, split};
use crate::org::Org;
use crate::world::World;
use std::sync::Arc;
use syncline_metadata::component::ComponentId;

/// Components in a transaction.
const CHUNK: usize = 500;
/// Fields of a custom object.
const FIELDS: usize = 20;
const NS: &str = "xmlns=\"http://soap.sforce.com/2006/04/metadata\"";
const WORDS: [&str; 12] = [
    "Order", "Price", "Route", "Stock", "Claim", "Ledger", "Sensor", "Badge", "Quota", "Crate", "Berth", "Tariff",
];

pub(super) fn write(
    world: &Arc<World>,
    org: &Arc<Org>,
    count: usize,
    by: &str,
    chance: &mut Chance,
) -> Result<(), ApiError> {
    let mut done = 0;
    let mut number = 0;
    while done < count {
        let mut items = Vec::new();
        while items.len() < CHUNK && done + items.len() < count {
            let left = count - done - items.len();
            items.extend(next(number, left, chance));
            number += 1;
        }
        let mut state = org.lock();
        in_call(world, org, &mut state, None, |call| {
            by.clone_into(&mut call.user);
            let messages = put_components(call, &items)?;
            match messages.iter().find(|message| message.is_failure()) {
                Some(message) => Err(ApiError::new(
                    "UNKNOWN_EXCEPTION",
                    format!(
                        "the generated {} {} is refused: {:?}",
                        message.kind, message.full_name, message.problem
                    ),
                )
                .status(500)),
                None => Ok(()),
            }
        })?;
        done += items.len();
    }
    Ok(())
}

/// The next components, `left` at most.
fn next(number: usize, left: usize, chance: &mut Chance) -> Vec<Item> {
    let word = chance.of(&WORDS);
    // Of 100: 1 object with 20 fields counts 21, so objects are some 30 of 100 components.
    match number % 70 {
        0 if left > FIELDS => object(&format!("{word}{number}__c"), number, chance),
        1..=8 => vec![permission_set(&format!("{word}_{number}"))],
        9..=16 => vec![site(&format!("{word}_{number}"))],
        _ => vec![class(&format!("{word}Service{number}"), chance)],
    }
}

fn item(kind: &str, name: &str, path: &str, files: Vec<(String, String)>) -> Item {
    Item {
        id: ComponentId::new(kind, name),
        parent: None,
        path: path.to_owned(),
        files: files
            .into_iter()
            .map(|(path, text)| File {
                path,
                content: text.into_bytes(),
            })
            .collect(),
    }
}

fn xml(kind: &str, inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{kind} {NS}>\n{inner}</{kind}>\n")
}

fn class(name: &str, chance: &mut Chance) -> Item {
    let mut body = format!("public with sharing class {name} {{\n");
    for method in 0..3 + chance.below(12) {
        let (factor, word) = (chance.below(1000), chance.of(&WORDS));
        body.push_str(&format!(
            "    public static Integer weigh{word}{method}(Integer amount) {{\n        Integer result = amount * {factor};\n        \
             if (result > 1000) {{\n            result = result - 1000;\n        }}\n        return result;\n    }}\n"
        ));
    }
    body.push_str("}\n");
    let meta = xml(
        "ApexClass",
        "    <apiVersion>66.0</apiVersion>\n    <status>Active</status>\n",
    );
    let path = format!("classes/{name}.cls");
    let files = vec![(path.clone(), body), (format!("{path}-meta.xml"), meta)];
    item("ApexClass", name, &path, files)
}

fn object(name: &str, number: usize, chance: &mut Chance) -> Vec<Item> {
    let mut inner = format!(
        "    <deploymentStatus>Deployed</deploymentStatus>\n    <label>{} {number}</label>\n    <nameField>\n        <label>Name</label>\n        \
         <type>Text</type>\n    </nameField>\n    <pluralLabel>{0} {number} list</pluralLabel>\n    <sharingModel>ReadWrite</sharingModel>\n",
        name.trim_end_matches("__c")
    );
    for field in 0..FIELDS {
        let (word, length) = (chance.of(&WORDS), 20 + chance.below(200));
        inner.push_str(&format!(
            "    <fields>\n        <fullName>{word}_{field}__c</fullName>\n        <label>{word} {field}</label>\n        \
             <length>{length}</length>\n        <required>false</required>\n        <type>Text</type>\n        <unique>false</unique>\n    </fields>\n"
        ));
    }
    let path = format!("objects/{name}.object");
    split(item(
        "CustomObject",
        name,
        &path,
        vec![(path.clone(), xml("CustomObject", &inner))],
    ))
}

fn permission_set(name: &str) -> Item {
    let path = format!("permissionsets/{name}.permissionset");
    let text = xml(
        "PermissionSet",
        &format!(
            "    <hasActivationRequired>false</hasActivationRequired>\n    <label>{}</label>\n",
            name.replace('_', " ")
        ),
    );
    item("PermissionSet", name, &path, vec![(path.clone(), text)])
}

fn site(name: &str) -> Item {
    let path = format!("remoteSiteSettings/{name}.remoteSite");
    let text = xml(
        "RemoteSiteSetting",
        &format!(
            "    <disableProtocolSecurity>false</disableProtocolSecurity>\n    <isActive>true</isActive>\n    <url>https://{}.example</url>\n",
            name.to_lowercase().replace('_', "-")
        ),
    );
    item("RemoteSiteSetting", name, &path, vec![(path.clone(), text)])
}
