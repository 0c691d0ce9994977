//! createMetadata(), readMetadata() and the other calls on single components, without a package.

use super::deploy::put;
use super::message::Message;
use super::retrieve::view;
use super::standard;
use super::store::{self, Component, File, Item};
use super::{dependencies, deploy, effects, package, value};
use crate::error::ApiError;
use crate::http::{Call, escape};
use crate::soap::{Answer, xml};
use roxmltree::Node;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};
use syncline_metadata::component::{ComponentId, Format};
use syncline_metadata::table::registry::{Adapter, Registry};
use syncline_metadata::table::schema;

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Most components of a call, and of those types that take more.
const MAX: usize = 10;
const MAX_MANY: usize = 200;
const MANY: [&str; 2] = ["CustomApplication", "CustomMetadata"];

/// Types whose update keeps what it does not name.
const PARTIAL: [&str; 3] = ["MutingPermissionSet", "PermissionSet", "Profile"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Create,
    Update,
    Upsert,
}

pub(crate) fn create(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    save(call, request, Mode::Create)
}

pub(crate) fn update(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    save(call, request, Mode::Update)
}

pub(crate) fn upsert(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    save(call, request, Mode::Upsert)
}

/// A component as a request gives it.
struct Given {
    id: ComponentId,
    text: String,
}

/// What is wrong with one component: status code and text.
type Problem = (&'static str, String);

fn save(call: &Call<'_>, request: Node<'_, '_>, mode: Mode) -> Result<Answer, ApiError> {
    let given: Vec<Given> = xml::all(request, "metadata").map(given).collect();
    let many = given.iter().all(|one| MANY.contains(&&*one.id.type_name));
    limit(given.len(), many)?;
    let mut results = Vec::new();
    each(call, request, given.into_iter(), |one| {
        let existed = standard::find(call, &one.id)?.is_some();
        let problem = save_one(call, &one, mode, existed)?;
        let mut result = outcome(&one.id.full_name, problem.as_ref());
        if mode == Mode::Upsert {
            result["created"] = json!(problem.is_none() && !existed);
        }
        results.push(result);
        Ok(problem.is_none())
    })?;
    Ok(Value::Array(results).into())
}

fn limit(count: usize, many: bool) -> Result<(), ApiError> {
    let most = if many { MAX_MANY } else { MAX };
    if count <= most {
        return Ok(());
    }
    Err(ApiError::new(
        "EXCEEDED_ID_LIMIT",
        format!("record limit reached. cannot submit more than {most} records in this operation"),
    ))
}

/// Works on each; with `AllOrNoneHeader` one failure undoes all, else only itself.
fn each<T>(
    call: &Call<'_>,
    request: Node<'_, '_>,
    items: impl Iterator<Item = T>,
    mut work: impl FnMut(T) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    let together = request
        .document()
        .descendants()
        .find(|node| node.is_element() && node.tag_name().name() == "AllOrNoneHeader")
        .and_then(|header| xml::flag(header, "allOrNone"))
        .unwrap_or_default();
    let before = call.schema();
    call.db.execute_batch("SAVEPOINT whole")?;
    let mut failed = false;
    for item in items {
        let schema = call.schema();
        call.db.execute_batch("SAVEPOINT one")?;
        if work(item)? {
            call.db.execute_batch("RELEASE one")?;
        } else {
            failed = true;
            call.db.execute_batch("ROLLBACK TO one; RELEASE one")?;
            call.set_schema((*schema).clone());
        }
    }
    if failed && together {
        call.db.execute_batch("ROLLBACK TO whole; RELEASE whole")?;
        call.set_schema((*before).clone());
    } else {
        call.db.execute_batch("RELEASE whole")?;
    }
    Ok(())
}

fn outcome(full_name: &str, problem: Option<&Problem>) -> Value {
    match problem {
        None => json!({ "fullName": full_name, "success": true }),
        Some((code, text)) => json!({
            "errors": { "message": text, "statusCode": code },
            "fullName": full_name,
            "success": false,
        }),
    }
}

/// Reads `<metadata xsi:type="CustomField">`: its content becomes a file of that type.
fn given(node: Node<'_, '_>) -> Given {
    let kind = node.attribute((XSI, "type")).unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or_default();
    let full_name = xml::text(node, "fullName").unwrap_or_default();
    let mut text = String::new();
    for child in node
        .children()
        .filter(|child| child.is_element() && child.tag_name().name() != "fullName")
    {
        copy(&mut text, child);
    }
    let id = ComponentId::new(kind, super::retrieve::decode(&full_name));
    Given { id, text }
}

/// An element by local names, with the attributes of its type.
fn copy(out: &mut String, node: Node<'_, '_>) {
    let mut start = node.tag_name().name().to_owned();
    for attribute in node.attributes() {
        let prefix = if attribute.namespace() == Some(XSI) { "xsi:" } else { "" };
        start.push_str(&format!(
            " {prefix}{}=\"{}\"",
            attribute.name(),
            escape(attribute.value())
        ));
    }
    xml::wrap(out, &start, |out| {
        if node.children().any(|child| child.is_element()) {
            node.children()
                .filter(Node::is_element)
                .for_each(|child| copy(out, child));
        } else {
            out.push_str(&escape(&xml::content(node)));
        }
    });
}

fn save_one(call: &Call<'_>, one: &Given, mode: Mode, existed: bool) -> Result<Option<Problem>, ApiError> {
    let (kind, name) = (&*one.id.type_name, &*one.id.full_name);
    if name.is_empty() {
        return Ok(Some((
            "REQUIRED_FIELD_MISSING",
            "Required fields are missing: [FullName]".to_owned(),
        )));
    }
    match (mode, existed) {
        (Mode::Create, true) => {
            return Ok(Some((
                "DUPLICATE_DEVELOPER_NAME",
                format!("There is already a component of type {kind} named {name} in your organization."),
            )));
        }
        (Mode::Update, false) => {
            return Ok(Some((
                "INVALID_CROSS_REFERENCE_KEY",
                format!("In field: fullName - no {kind} named {name} found"),
            )));
        }
        _ => {}
    }
    let mut inner = one.text.clone();
    if existed && PARTIAL.contains(&kind) {
        inner = merged(call, &one.id, &inner)?;
    }
    let Some(items) = items(&one.id, &inner) else {
        return Ok(Some((
            "INVALID_TYPE",
            format!("This type of metadata is not available for this API call: {kind}"),
        )));
    };
    problem(&put(call, &items)?)
}

fn problem(messages: &[Message]) -> Result<Option<Problem>, ApiError> {
    Ok(messages
        .iter()
        .find(|message| message.is_failure())
        .and_then(|message| message.problem.clone())
        .map(|(_, text)| ("FIELD_INTEGRITY_EXCEPTION", text)))
}

/// The content of a file with what is there: items of keyed lists replace their likes, the rest is added.
fn merged(call: &Call<'_>, id: &ComponentId, inner: &str) -> Result<String, ApiError> {
    let text = merged_file(call, id, &wrapped(&id.type_name, inner))?;
    let start = text.find(">\n<").map_or(0, |at| at + 2);
    let body = text[start..].split_once('>').map_or("", |(_, body)| body);
    Ok(body.rsplit_once("</").map_or("", |(body, _)| body).to_owned())
}

/// A file with what is there, as [`merged`].
pub(super) fn merged_file(call: &Call<'_>, id: &ComponentId, file: &str) -> Result<String, ApiError> {
    let kind = &*id.type_name;
    let mut old = value::of(&store::xml(call.db, id)?.unwrap_or_default(), kind);
    let Value::Object(new) = value::of(file, kind) else {
        return Ok(file.to_owned());
    };
    for (name, value) in new {
        let key = schema::get(kind)
            .and_then(|ty| ty.child(&name))
            .map(|child| child.key.clone())
            .unwrap_or_default();
        match (old.get_mut(&name), value) {
            (Some(Value::Array(there)), Value::Array(items)) => {
                for item in items {
                    let like = |other: &Value| key.iter().all(|key| other.get(key) == item.get(key));
                    there.retain(|other| !like(other));
                    there.push(item);
                }
            }
            (_, value) => old[name.as_str()] = value,
        }
    }
    Ok(value::file(kind, &old))
}

fn wrapped(kind: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{kind} xmlns=\"http://soap.sforce.com/2006/04/metadata\" xmlns:xsi=\"{XSI}\">{inner}</{kind}>\n"
    )
}

/// The components of a file of that type; none when the type cannot be written without a package.
pub(super) fn items(id: &ComponentId, inner: &str) -> Option<Vec<Item>> {
    let registry = Registry::standard();
    if let Some((parent, child)) = registry.child(&id.type_name) {
        let (container, own) = if child.no_parent_name {
            (parent.name.to_owned(), &*id.full_name)
        } else {
            let (container, own) = id.full_name.split_once('.')?;
            (container.to_owned(), own)
        };
        let parent = ComponentId::new(parent.name, container);
        let element = format!(
            "<{0}><{1}>{2}</{1}>{inner}</{0}>",
            child.element,
            child.key,
            escape(own)
        );
        return Some(vec![Item {
            path: package::LAYOUT.path_for(&parent, Format::MetadataApi, 0)?,
            parent: Some(parent),
            id: id.clone(),
            files: vec![File {
                path: String::new(),
                content: element.into_bytes(),
            }],
        }]);
    }
    let kind = registry.by_name(&id.type_name)?;
    if !matches!(kind.adapter, Adapter::Xml | Adapter::Decomposed) {
        return None;
    }
    let path = package::LAYOUT.path_for(id, Format::MetadataApi, 0)?;
    let item = Item {
        id: id.clone(),
        parent: None,
        path: path.clone(),
        files: vec![File {
            path,
            content: wrapped(kind.name, inner).into_bytes(),
        }],
    };
    Some(package::split(item))
}

pub(crate) fn read(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let kind = xml::either(request, &["type", "metadataType"])
        .map(xml::content)
        .unwrap_or_default();
    let kind = kind.trim();
    if !deploy::is_type(kind) {
        return Err(ApiError::new("INVALID_TYPE", format!("Unknown type:{kind}")));
    }
    let names = xml::texts(request, "fullNames");
    limit(names.len(), MANY.contains(&kind))?;
    let mut body = String::new();
    let mut fault = None;
    xml::wrap(&mut body, "result", |out| {
        for name in &names {
            let id = ComponentId::new(kind, super::retrieve::decode(name));
            match record(call, &id) {
                Ok(record) => out.push_str(&record),
                Err(error) => fault = Some(error),
            }
        }
    });
    match fault {
        Some(error) => Err(error),
        None => Ok(Answer {
            body,
            ..Answer::default()
        }),
    }
}

/// `<records>` of a component; nil when it is not there.
fn record(call: &Call<'_>, id: &ComponentId) -> Result<String, ApiError> {
    let Some(component) = standard::find(call, id)? else {
        return Ok("<records xsi:nil=\"true\"/>".to_owned());
    };
    let text = if component.parent.is_some() {
        dependencies::as_file(&id.type_name, &store::xml(call.db, &component.id)?.unwrap_or_default())
    } else {
        let children = store::children(call.db, id)?;
        let files = standard::whole(call, id, &children)?;
        let file = files
            .iter()
            .find(|file| file.path.ends_with("-meta.xml"))
            .or_else(|| files.first());
        file.map(|file| String::from_utf8_lossy(&file.content).into_owned())
            .unwrap_or_default()
    };
    let printed = String::from_utf8_lossy(&view::print(text.as_bytes(), &|_, _| true)).into_owned();
    // Behind the XML declaration and the root's start tag, before its end tag.
    let inner = printed
        .split_once("?>\n")
        .and_then(|(_, rest)| rest.split_once('>'))
        .and_then(|(_, rest)| rest.rsplit_once("</"))
        .map_or("", |(inner, _)| inner);
    let inner = match inner.trim_start().strip_prefix("<fullName>") {
        Some(rest) => rest.split_once("</fullName>").map_or("", |(_, rest)| rest),
        None => inner,
    };
    Ok(format!(
        "<records xsi:type=\"{}\"><fullName>{}</fullName>{inner}</records>",
        id.type_name,
        escape(&component.id.full_name)
    ))
}

pub(crate) fn delete(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let kind = xml::either(request, &["type", "metadataType"])
        .map(xml::content)
        .unwrap_or_default();
    let kind = kind.trim().to_owned();
    let names = xml::texts(request, "fullNames");
    limit(names.len(), MANY.contains(&kind.as_str()))?;
    let mut results = Vec::new();
    each(call, request, names.into_iter(), |name| {
        let id = ComponentId::new(kind.as_str(), super::retrieve::decode(&name));
        let problem = match standard::find(call, &id)? {
            None => Some(("INVALID_CROSS_REFERENCE_KEY", format!("no {kind} named {name} found"))),
            Some(component) => deploy::remove(call, &component)?.map(|text| ("DELETE_FAILED", text)),
        };
        results.push(outcome(&name, problem.as_ref()));
        Ok(problem.is_none())
    })?;
    Ok(Value::Array(results).into())
}

pub(crate) fn rename(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let text = |name: &str| xml::text(request, name).unwrap_or_default();
    let kind = xml::text(request, "type")
        .or_else(|| xml::text(request, "metadataType"))
        .unwrap_or_default();
    let (old, new) = (text("oldFullName"), text("newFullName"));
    let (from, to) = (
        ComponentId::new(kind.as_str(), old.as_str()),
        ComponentId::new(kind.as_str(), new.as_str()),
    );
    let problem = match (store::get(call.db, &from)?, store::get(call.db, &to)?) {
        (None, _) => Some(("INVALID_CROSS_REFERENCE_KEY", format!("no {kind} named {old} found"))),
        (_, Some(_)) => Some((
            "DUPLICATE_DEVELOPER_NAME",
            format!("There is already a component of type {kind} named {new} in your organization."),
        )),
        (Some(component), None) => renamed(call, &component, &to)?,
    };
    Ok(outcome(&new, problem.as_ref()).into())
}

/// Gives a component without children a new name; its record keeps its id.
fn renamed(call: &Call<'_>, component: &Component, to: &ComponentId) -> Result<Option<Problem>, ApiError> {
    let unavailable = || {
        Some((
            "INVALID_TYPE",
            format!("Components of type {} cannot be renamed", to.type_name),
        ))
    };
    let simple = component.parent.is_none() && !store::is_container(&to.type_name);
    let Some(path) = package::LAYOUT.path_for(to, Format::MetadataApi, 0).filter(|_| simple) else {
        return Ok(unavailable());
    };
    let key = (&*to.type_name, &*component.id.full_name);
    call.db.execute(
        "UPDATE _component_file SET name = ?3, path = ?4 WHERE type = ?1 AND name = ?2",
        (key.0, key.1, &*to.full_name, &path),
    )?;
    call.db.execute(
        "UPDATE _component SET name = ?3, path = ?4, modified = ?5, modified_by = ?6, version = version + 1 WHERE type = ?1 AND name = ?2",
        (key.0, key.1, &*to.full_name, &path, call.now, &call.user),
    )?;
    if let Some(component) = store::get(call.db, to)? {
        effects::written(call, &component)?;
    }
    Ok(None)
}

/// checkStatus(): the older way to ask for jobs of both kinds.
pub(crate) fn check_status(call: &Call<'_>, request: Node<'_, '_>) -> Result<Answer, ApiError> {
    let mut results = Vec::new();
    for id in request.children().filter(Node::is_element).map(xml::content) {
        let long = crate::ids::long(id.trim()).unwrap_or_default();
        let status: Option<String> = call
            .db
            .query_row(
                "SELECT status FROM _deploy WHERE id = ?1 UNION ALL SELECT status FROM _retrieve WHERE id = ?1",
                [&long],
                |row| row.get(0),
            )
            .optional()?;
        let Some(status) = status else {
            return Err(ApiError::new(
                "INVALID_CROSS_REFERENCE_KEY",
                "invalid cross reference id",
            ));
        };
        let state = match status.as_str() {
            "Pending" => "Queued",
            "InProgress" | "Canceling" | "Finalizing" => "InProgress",
            "Failed" | "FinalizingFailed" => "Error",
            _ => "Completed",
        };
        let done = matches!(state, "Completed" | "Error");
        results.push(json!({ "done": done, "id": long, "state": state }));
    }
    Ok(Value::Array(results).into())
}
