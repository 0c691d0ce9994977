//! What the whole org has once: labels, translations, value sets, email templates, documents and settings.

use super::org::{Org, sentence};
use super::repository::{Content, Place, Repository};
use super::words::{MEASURES, NOUNS, TOPICS};
use super::xml::Element;

/// Adds labels, templates, settings and the like.
pub(super) fn add(org: &Org, out: &mut Repository) {
    let labels: Vec<String> = label_names(org);
    let entries = labels.iter().map(|name| {
        Element::new("labels")
            .leaf("fullName", name)
            .leaf("categories", "Generated")
            .leaf("language", "en_US")
            .leaf("protected", false)
            .leaf("shortDescription", name.replace('_', " "))
            .leaf("value", sentence(&mut org.random(name)))
    });
    out.xml(
        "CustomLabels",
        "CustomLabels",
        "labels",
        "labels",
        Element::new("CustomLabels").all(entries),
    );
    for language in ["de", "nl_NL"] {
        let entries = labels.iter().map(|name| {
            Element::new("customLabels")
                .leaf("label", format!("{} ({language})", name.replace('_', " ")))
                .leaf("name", name)
        });
        out.xml(
            "Translations",
            language,
            "translations",
            "translation",
            Element::new("Translations").all(entries),
        );
    }
    for (name, values) in &org.value_sets {
        let values = values.iter().map(|value| {
            Element::new("customValue")
                .leaf("fullName", value)
                .leaf("default", false)
                .leaf("label", value)
        });
        let root = Element::new("GlobalValueSet")
            .all(values)
            .leaf("description", sentence(&mut org.random(name)))
            .leaf("masterLabel", name.replace('_', " "))
            .leaf("sorted", false);
        out.xml("GlobalValueSet", name, "globalValueSets", "globalValueSet", root);
    }
    let industries = [
        "Agriculture",
        "Banking",
        "Construction",
        "Education",
        "Food & Beverage",
        "Retail",
    ]
    .map(|value| {
        Element::new("standardValue")
            .leaf("fullName", value)
            .leaf("default", false)
            .leaf("label", value)
    });
    let root = Element::new("StandardValueSet").leaf("sorted", false).all(industries);
    out.xml(
        "StandardValueSet",
        "Industry",
        "standardValueSets",
        "standardValueSet",
        root,
    );
    add_templates(org, out);
    add_documents(org, out);
    let remote = Element::new("RemoteSiteSetting")
        .leaf("description", "Exchange of rates")
        .leaf("disableProtocolSecurity", false)
        .leaf("isActive", true)
        .leaf("url", "https://rates.example");
    out.xml("RemoteSiteSetting", "Rates", "remoteSiteSettings", "remoteSite", remote);
    let account = Element::new("AccountSettings")
        .leaf("enableAccountOwnerReport", false)
        .leaf("enableAccountTeams", true);
    out.xml("Settings", "Account", "settings", "settings", account);
}

/// Name of the email template of that number with its folder.
pub(super) fn email_template(number: usize) -> String {
    format!("Service_Mail/Mail_{}_{number:03}", NOUNS[number % NOUNS.len()])
}

fn label_names(org: &Org) -> Vec<String> {
    let mut names: Vec<String> = (0..org.counts.labels)
        .map(|number| {
            format!(
                "{}_{}_{number:04}",
                TOPICS[number % TOPICS.len()],
                MEASURES[number / TOPICS.len() % MEASURES.len()]
            )
        })
        .collect();
    names.sort();
    names
}

fn add_templates(org: &Org, out: &mut Repository) {
    let folder = Element::new("EmailFolder")
        .leaf("accessType", "Public")
        .leaf("name", "Service Mail")
        .leaf("publicFolderAccess", "ReadOnly");
    let place = Place::Split {
        source: "email/Service_Mail.emailFolder-meta.xml".to_owned(),
        mdapi: "email/Service_Mail-meta.xml".to_owned(),
    };
    out.add(("EmailFolder", "Service_Mail"), place, Content::Xml(folder));
    for number in 0..org.counts.email_templates {
        let name = email_template(number);
        let mut random = org.random(&name);
        let text = format!(
            "Dear {{!Contact.Name}},\n\n{}\n{}\n\nYour service desk\n",
            sentence(&mut random),
            sentence(&mut random)
        );
        let root = Element::new("EmailTemplate")
            .leaf("available", true)
            .leaf("description", sentence(&mut random))
            .leaf("encodingKey", "UTF-8")
            .leaf("name", name.replace(['_', '/'], " "))
            .leaf("style", "none")
            .leaf("subject", format!("Your request {number:03}"))
            .leaf("type", "text")
            .leaf("uiType", "Aloha");
        out.with_meta(
            "EmailTemplate",
            &name,
            &format!("email/{name}.email"),
            Content::Text(text),
            root,
        );
    }
}

fn add_documents(org: &Org, out: &mut Repository) {
    let folder = Element::new("DocumentFolder")
        .leaf("accessType", "Public")
        .leaf("name", "Handbook")
        .leaf("publicFolderAccess", "ReadOnly");
    let place = Place::Split {
        source: "documents/Handbook.documentFolder-meta.xml".to_owned(),
        mdapi: "documents/Handbook-meta.xml".to_owned(),
    };
    out.add(("DocumentFolder", "Handbook"), place, Content::Xml(folder));
    for number in 0..org.counts.documents {
        let name = format!("Handbook/Chapter_{number:02}");
        let root = Element::new("Document")
            .leaf("internalUseOnly", false)
            .leaf("name", format!("Chapter {number:02}"))
            .leaf("public", true);
        let component = ("Document", name.as_str());
        out.add(
            component,
            Place::Both(format!("documents/{name}.txt")),
            Content::Text(format!("Chapter {number}\n")),
        );
        let place = Place::Split {
            source: format!("documents/{name}.document-meta.xml"),
            mdapi: format!("documents/{name}.txt-meta.xml"),
        };
        out.add(component, place, Content::Xml(root));
    }
}
