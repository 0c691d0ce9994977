//! What a component does to the org beyond being kept: objects and fields, rows, flow versions.

mod apex;
mod field;
mod flow;
mod object;
mod records;
mod rows;

pub(crate) use flow::{activate, is_active as is_active_flow, version as flow_version};
pub(crate) use records::object_name;
pub(crate) use rows::{profile_name, type_of};

use super::store::{self, Component};
use super::value;
use crate::error::ApiError;
use crate::http::Call;
use serde_json::Value;

/// A component with its content, as effects see it.
pub(super) struct Subject<'s> {
    /// The component.
    pub component: &'s Component,
    /// Its XML as a value.
    pub value: Value,
}

impl Subject<'_> {
    /// Full name.
    pub fn name(&self) -> &str {
        &self.component.id.full_name
    }

    /// Parent and own name of `Account.Rating__c`.
    pub fn parts(&self) -> (&str, &str) {
        self.name().split_once('.').unwrap_or(("", self.name()))
    }
}

/// What an effect gives: nothing, or why the component cannot be deployed.
pub(super) type Told = Result<Option<String>, ApiError>;

type Written = fn(&Call<'_>, &Subject<'_>) -> Told;
type Deleted = fn(&Call<'_>, &Component) -> Result<(), ApiError>;

/// Effects by type; several lines of a type all count.
const EFFECTS: &[(&str, Written, Deleted)] = &[
    ("ApexClass", apex::class, no_deletion),
    ("ApexTrigger", apex::trigger, no_deletion),
    ("CustomField", field::written, field::deleted),
    ("CustomMetadata", records::written, records::deleted),
    ("CustomObject", object::written, object::deleted),
    ("DuplicateRule", object::duplicate_rule, object::duplicate_rule_deleted),
    ("Flow", flow::written, flow::deleted),
    ("FlowDefinition", flow::definition, no_deletion),
    ("GlobalValueSet", field::value_set, no_deletion),
    ("Queue", rows::queue_objects, rows::queue_objects_deleted),
    ("StandardValueSet", field::standard_value_set, no_deletion),
    ("ValidationRule", object::validation, object::validation_deleted),
];

fn no_deletion(_: &Call<'_>, _: &Component) -> Result<(), ApiError> {
    Ok(())
}

/// Applies a component that was written; a text says why it cannot be.
pub(crate) fn written(call: &Call<'_>, component: &Component) -> Told {
    let kind = &*component.id.type_name;
    let text = store::xml(call.db, &component.id)?.unwrap_or_default();
    let subject = Subject {
        component,
        value: value::of(&text, kind),
    };
    rows::written(call, &subject)?;
    for (_, apply, _) in EFFECTS.iter().filter(|(name, ..)| *name == kind) {
        if let Some(problem) = apply(call, &subject)? {
            return Ok(Some(problem));
        }
    }
    Ok(None)
}

/// Takes back what a component did, before it is deleted.
pub(crate) fn deleted(call: &Call<'_>, component: &Component) -> Result<(), ApiError> {
    for child in store::children(call.db, &component.id)? {
        deleted(call, &child)?;
    }
    for (_, _, take_back) in EFFECTS.iter().filter(|(name, ..)| *name == &*component.id.type_name) {
        take_back(call, component)?;
    }
    super::dependencies::deleted(call, component)?;
    rows::deleted(call, component)
}
