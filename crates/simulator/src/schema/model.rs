//! The standard data model, read from the text files in `model/`: one object a file.
//!
//! ```text
//! object Account 001 label="Account" plural="Accounts"
//! field Name string(255) required name
//! field ParentId reference(Account) relationship=Parent children=ChildAccounts
//! field Industry picklist(Agriculture|Banking)
//! address Billing
//! history AccountHistory AccountId
//! ```
//! `address` stands for the nine fields of an address (`-` for no prefix), `history` for the object with the changes of
//! the fields marked `history`.
//! Words after the name of an object: `label= plural= api=data|tooling|both setting=List|Hierarchy nocreate noupdate
//! nodelete fixed` (the three of them) and `nosystem` (no audit fields).
//! Words after the type of a field: `label= required name readonly createonly unique external case relationship=
//! children= cascade restrict restricted auto= formula= default= history`.

use super::macros::{address_fields, history_object};
use super::{Api, Field, Kind, Object, OnDelete, PicklistValue, Schema};

const FILES: &[(&str, &str)] = &include!("files.in");

/// A line of a model file that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{file}:{line}: {problem}")]
pub struct ModelError {
    file: String,
    line: usize,
    problem: String,
}

/// The objects every new org has.
pub fn standard() -> Result<Schema, ModelError> {
    let mut schema = Schema::default();
    for (file, text) in FILES {
        for object in parse(file, text)? {
            schema.put(object);
        }
    }
    Ok(schema)
}

/// Reads the objects of one model file.
fn parse(file: &str, text: &str) -> Result<Vec<Object>, ModelError> {
    let mut objects: Vec<Object> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let fail = |problem: String| ModelError {
            file: file.to_owned(),
            line: at + 1,
            problem,
        };
        let words = words(line).map_err(fail)?;
        match words.split_first() {
            None => {}
            Some((first, _)) if first.starts_with('#') => {}
            Some((first, rest)) if first == "object" => objects.push(object(rest).map_err(fail)?),
            Some((first, rest)) if first == "field" => {
                let field = field(rest).map_err(fail)?;
                objects
                    .last_mut()
                    .ok_or_else(|| fail("a field before its object".to_owned()))?
                    .fields
                    .push(field);
            }
            Some((first, rest)) if first == "address" => {
                let prefix = rest.first().map_or("", |word| word.trim_matches('-'));
                objects
                    .last_mut()
                    .ok_or_else(|| fail("an address before its object".to_owned()))?
                    .fields
                    .extend(address_fields(prefix));
            }
            Some((first, rest)) if first == "history" => {
                let (Some(parent), [name, way]) = (objects.last(), rest) else {
                    return Err(fail(
                        "a history needs an object before it, a name and a field".to_owned(),
                    ));
                };
                let history = history_object(parent, name, way);
                objects.push(history);
            }
            Some((first, _)) => return Err(fail(format!("`{first}` is no object, field, address or history"))),
        }
    }
    Ok(objects)
}

fn object(words: &[String]) -> Result<Object, String> {
    let [name, prefix, options @ ..] = words else {
        return Err("an object needs a name and a key prefix or -".to_owned());
    };
    let mut object = Object {
        name: name.clone(),
        label: name.clone(),
        plural: format!("{name}s"),
        key_prefix: (prefix != "-").then(|| prefix.clone()),
        api: Api::Data,
        custom: false,
        custom_setting: None,
        createable: true,
        updateable: true,
        deletable: true,
        fields: Vec::new(),
    };
    let mut system = true;
    for option in options {
        match option.split_once('=').unwrap_or((option, "")) {
            ("label", label) => label.clone_into(&mut object.label),
            ("plural", plural) => plural.clone_into(&mut object.plural),
            ("api", "data") => object.api = Api::Data,
            ("api", "tooling") => object.api = Api::Tooling,
            ("api", "both") => object.api = Api::Both,
            ("setting", kind) => object.custom_setting = Some(kind.to_owned()),
            ("nocreate", _) => object.createable = false,
            ("noupdate", _) => object.updateable = false,
            ("nodelete", _) => object.deletable = false,
            ("fixed", _) => (object.createable, object.updateable, object.deletable) = (false, false, false),
            ("nosystem", _) => system = false,
            _ => return Err(format!("unknown word `{option}` of an object")),
        }
    }
    object.fields = if system { system_fields() } else { vec![id_field()] };
    Ok(object)
}

fn id_field() -> Field {
    Field {
        length: 18,
        required: true,
        createable: false,
        updateable: false,
        ..Field::new("Id", Kind::Id)
    }
}

/// The fields every ordinary object has.
pub fn system_fields() -> Vec<Field> {
    let fixed = |name: &str, kind| Field {
        required: true,
        createable: false,
        updateable: false,
        ..Field::new(name, kind)
    };
    let user = |name: &str, relationship: &str| Field {
        length: 18,
        reference_to: vec!["User".to_owned()],
        relationship: Some(relationship.to_owned()),
        ..fixed(name, Kind::Reference)
    };
    vec![
        id_field(),
        fixed("IsDeleted", Kind::Boolean),
        fixed("CreatedDate", Kind::Datetime),
        user("CreatedById", "CreatedBy"),
        fixed("LastModifiedDate", Kind::Datetime),
        user("LastModifiedById", "LastModifiedBy"),
        fixed("SystemModstamp", Kind::Datetime),
    ]
}

fn field(words: &[String]) -> Result<Field, String> {
    let [name, kind, options @ ..] = words else {
        return Err("a field needs a name and a type".to_owned());
    };
    let (kind, arguments) = kind
        .strip_suffix(')')
        .and_then(|k| k.split_once('('))
        .unwrap_or((kind, ""));
    let parsed: Kind = serde_json::from_value(kind.into()).map_err(|_| format!("`{kind}` is no type of a field"))?;
    let mut field = Field::new(name, parsed);
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| format!("`{text}` is no number"));
    match parsed {
        Kind::Reference => {
            field.length = 18;
            field.reference_to = arguments.split('|').map(str::to_owned).collect();
        }
        Kind::Picklist | Kind::Multipicklist | Kind::Combobox => {
            field.length = 255;
            field.picklist = arguments
                .split('|')
                .filter(|value| !value.is_empty())
                .map(|value| {
                    let chosen = value.strip_suffix('*');
                    let text = chosen.unwrap_or(value).to_owned();
                    PicklistValue {
                        value: text.clone(),
                        label: text,
                        active: true,
                        default: chosen.is_some(),
                    }
                })
                .collect();
        }
        Kind::Double | Kind::Currency | Kind::Percent => {
            let (precision, scale) = arguments.split_once(',').unwrap_or(("18", "2"));
            (field.precision, field.scale) = (number(precision)?, number(scale)?);
        }
        Kind::Int => field.precision = if arguments.is_empty() { 8 } else { number(arguments)? },
        Kind::String | Kind::Textarea | Kind::Url | Kind::EncryptedString => {
            field.length = if arguments.is_empty() { 255 } else { number(arguments)? };
        }
        Kind::Email => field.length = 80,
        Kind::Phone => field.length = 40,
        _ => {}
    }
    for option in options {
        match option.split_once('=').unwrap_or((option, "")) {
            ("label", label) => label.clone_into(&mut field.label),
            ("required", _) => field.required = true,
            ("name", _) => field.name_field = true,
            ("readonly", _) => (field.createable, field.updateable) = (false, false),
            ("createonly", _) => field.updateable = false,
            ("unique", _) => field.unique = true,
            ("external", _) => field.external_id = true,
            ("case", _) => field.case_sensitive = true,
            ("relationship", way) => field.relationship = Some(way.to_owned()),
            ("children", way) => field.children = Some(way.to_owned()),
            ("cascade", _) => field.on_delete = OnDelete::Cascade,
            ("restrict", _) => field.on_delete = OnDelete::Restrict,
            ("restricted", _) => field.restricted = true,
            ("history", _) => field.history = true,
            ("auto", format) => {
                field.auto_number = Some(format.to_owned());
                (field.createable, field.updateable) = (false, false);
            }
            ("formula", text) => {
                field.formula = Some(text.to_owned());
                (field.createable, field.updateable) = (false, false);
            }
            ("default", value) => field.default = Some(value.to_owned()),
            _ => return Err(format!("unknown word `{option}` of a field")),
        }
    }
    Ok(field)
}

/// Splits a line at blanks; quotes keep a word together.
fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let (mut word, mut quoted, mut depth) = (String::new(), false, 0_usize);
    for c in line.trim().chars() {
        match c {
            '"' => quoted = !quoted,
            '(' if !quoted => {
                depth += 1;
                word.push(c);
            }
            ')' if !quoted => {
                depth = depth.saturating_sub(1);
                word.push(c);
            }
            c if c.is_whitespace() && !quoted && depth == 0 => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if quoted {
        return Err("a quote is not closed".to_owned());
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_model_reads() {
        let schema = standard().expect("model files");
        let account = schema.object("account").expect("Account");
        assert_eq!(
            account.field("parentid").map(|f| f.reference_to.clone()),
            Some(vec!["Account".to_owned()])
        );
        assert!(account.name_field().is_some());
        for object in schema.objects() {
            for field in &object.fields {
                for to in &field.reference_to {
                    assert!(
                        schema.object(to).is_some(),
                        "{}.{} points to the unknown {to}",
                        object.name,
                        field.name
                    );
                }
            }
        }
    }

    #[test]
    fn a_wrong_line_is_named() {
        let error = parse("x", "object A 001\nfield B strin")
            .map(|_| ())
            .expect_err("wrong type");
        assert_eq!(error.to_string(), "x:2: `strin` is no type of a field");
    }
}
