//! Which component needs which: references found in XML by a table of rules, and in formulas and code.
//!
//! A reference says what a file names, where, and by which rule. Names that the platform ships are no
//! components; a name whose owner cannot be told from the file alone is left out unless a [`Context`] tells it.

mod apex;
mod elements;
mod flow;
mod formula;
mod index;
mod known;
mod markup;
mod names;
mod relations;
mod resolve;
mod rules;
mod script;
mod soql;

use std::ops::Range;

pub use index::{PulledIn, ReferenceIndex};
pub use known::KnownNames;
pub use relations::{Relations, Schema};

use crate::component::ComponentId;

/// Elements nested deeper than this are refused; no metadata type nests deeper than about 20.
pub const MAX_DEPTH: usize = 200;

/// How much a component needs what it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferenceKind {
    /// A deployment fails without it.
    Required,
    /// One of several things that the name may mean, for example an Aura or a Lightning web component of the
    /// same name. Needed if it exists; nothing is wrong if it does not.
    Candidate,
    /// Only named, or dropped silently by the platform. Standard objects are of this kind: their file may exist.
    Optional,
}

/// One place in a file that names another component.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What is named.
    pub to: ComponentId,
    /// How much it is needed.
    pub kind: ReferenceKind,
    /// Bytes in the file: the name itself, or the element's whole text where the name cannot be cut out of it.
    pub range: Range<usize>,
    /// The rule, for "because …" texts, for example `layoutItems/field`.
    pub via: Box<str>,
}

/// What is known besides the file. Both parts are optional; more knowledge finds more references.
#[derive(Clone, Copy, Default)]
pub struct Context<'a> {
    /// Follows relationships from object to object.
    pub schema: Option<&'a dyn Schema>,
    /// The components that exist: needed for names in code, and corrects upper and lower case everywhere.
    pub known: Option<&'a KnownNames>,
}

/// The references of a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The file is not well-formed XML.
    #[error("{path} line {line}: not well-formed XML ({problem}); correct the file and try again")]
    Malformed {
        /// The file.
        path: String,
        /// Line from 1.
        line: u32,
        /// What the parser found.
        problem: roxmltree::Error,
    },
    /// Elements are nested deeper than [`MAX_DEPTH`].
    #[error("{path} line {line}: elements are nested deeper than {MAX_DEPTH}; this is no Salesforce metadata")]
    TooDeep {
        /// The file.
        path: String,
        /// Line from 1.
        line: u32,
    },
}

/// The references of one file of one component, without knowledge of other files.
///
/// `path` is the file's path in its repository: its ending says which language `text` is in. The result is
/// ordered by position and has no duplicates. A file that can name nothing gives none.
///
/// # Errors
/// XML that is not well-formed or nested too deeply. Code is never refused.
pub fn references(component: &ComponentId, path: &str, text: &str) -> Result<Vec<Reference>, ReferenceError> {
    references_in(component, path, text, &Context::default())
}

/// As [`references`], with what is known besides the file.
///
/// # Errors
/// As [`references`].
pub fn references_in(
    component: &ComponentId,
    path: &str,
    text: &str,
    context: &Context<'_>,
) -> Result<Vec<Reference>, ReferenceError> {
    let mut found = resolve::Finder::new(component, context);
    match language(&component.type_name, path) {
        Language::Xml => elements::read(&mut found, path, text)?,
        Language::Apex => apex::read(&mut found, text),
        Language::Visualforce => markup::read_visualforce(&mut found, text),
        Language::AuraMarkup => markup::read_aura(&mut found, text),
        Language::LightningHtml => markup::read_lightning(&mut found, text),
        Language::AuraScript => script::read_aura(&mut found, text),
        Language::LightningScript => script::read_lightning(&mut found, text),
        Language::MergeText => markup::read_merge_text(&mut found, text),
        Language::None => {}
    }
    Ok(found.finish())
}

/// The identifiers of Apex code with their bytes, without keywords, strings, comments and numbers.
///
/// A dotted name is one entry: `Label.Greeting`, `order.Price__c`. Reserved words are left out.
pub fn code_names(text: &str) -> Vec<(&str, Range<usize>)> {
    apex::names(text)
}

/// What a file is written in.
#[derive(Clone, Copy)]
enum Language {
    Xml,
    Apex,
    Visualforce,
    AuraMarkup,
    LightningHtml,
    AuraScript,
    LightningScript,
    MergeText,
    None,
}

/// Endings of the markup files of an Aura bundle. Source: Lightning Aura Components Developer Guide, "Component Bundles".
const AURA_MARKUP: [&str; 8] = ["cmp", "app", "evt", "intf", "design", "auradoc", "tokens", "xml"];

fn language(type_name: &str, path: &str) -> Language {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if name.ends_with("-meta.xml") {
        return Language::Xml;
    }
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match (type_name, ending) {
        ("ApexClass" | "ApexTrigger", "cls" | "trigger") => Language::Apex,
        ("ApexPage" | "ApexComponent", "page" | "component") => Language::Visualforce,
        ("AuraDefinitionBundle", "js") => Language::AuraScript,
        ("AuraDefinitionBundle", ending) if AURA_MARKUP.contains(&ending) => Language::AuraMarkup,
        ("LightningComponentBundle", "js" | "ts" | "css") => Language::LightningScript,
        ("LightningComponentBundle", "html") => Language::LightningHtml,
        ("EmailTemplate", "email") => Language::MergeText,
        (
            "ApexClass"
            | "ApexTrigger"
            | "ApexPage"
            | "ApexComponent"
            | "AuraDefinitionBundle"
            | "LightningComponentBundle"
            | "StaticResource"
            | "Document"
            | "ContentAsset"
            | "EmailTemplate"
            | "Certificate"
            | "ExperienceBundle"
            | "DigitalExperienceBundle"
            | "Scontrol"
            | "SiteDotCom"
            | "NetworkBranding",
            _,
        ) => Language::None,
        _ => Language::Xml,
    }
}

#[cfg(test)]
mod tests;
