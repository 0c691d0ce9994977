//! Layouts, Lightning pages, quick actions, tabs and applications.

use super::org::{FieldKind, Object, Org, sentence};
use super::repository::Repository;
use super::words::QUALIFIERS;
use super::xml::Element;

/// Adds everything that people see of records.
pub(super) fn add(org: &Org, out: &mut Repository) {
    for (index, object) in org.objects.iter().enumerate() {
        for name in object.layouts() {
            out.xml("Layout", &name, "layouts", "layout", layout(org, object, &name));
        }
        if !object.standard {
            let root = Element::new("CustomTab")
                .leaf("customObject", true)
                .leaf("description", sentence(&mut org.random(&object.name)))
                .leaf("motif", format!("Custom{}: Handsaw", index % 90 + 1));
            out.xml("CustomTab", &object.name, "tabs", "tab", root);
        }
    }
    for number in 0..org.counts.quick_actions {
        let (name, root) = quick_action(org, number);
        out.xml("QuickAction", &name, "quickActions", "quickAction", root);
    }
    for number in 0..org.counts.flexipages {
        let (name, root) = flexipage(org, number);
        out.xml("FlexiPage", &name, "flexipages", "flexipage", root);
    }
    for number in 0..org.counts.apps {
        out.xml(
            "CustomApplication",
            &app(number),
            "applications",
            "app",
            application(org, number),
        );
    }
}

/// Name of the application of that number.
pub(super) fn app(number: usize) -> String {
    format!("{}_Console_{number:02}", QUALIFIERS[number * 3 % QUALIFIERS.len()])
}

/// Index of the object of the quick action of that number.
fn action_object(org: &Org, number: usize) -> usize {
    number % org.objects.len()
}

fn quick_action_name(org: &Org, number: usize) -> String {
    let object = &org.objects[action_object(org, number)];
    format!("{}.Update_Details_{}", object.name, number / org.objects.len() + 1)
}

fn quick_action(org: &Org, number: usize) -> (String, Element) {
    let object = &org.objects[action_object(org, number)];
    let columns = object
        .fields
        .iter()
        .filter(|field| !matches!(field.kind, FieldKind::Formula(_)))
        .take(6);
    let items: Vec<Element> = columns
        .map(|field| {
            Element::new("quickActionLayoutItems")
                .leaf("emptySpace", false)
                .leaf("field", &field.name)
                .leaf("uiBehavior", "Edit")
        })
        .collect();
    let half = items.len() / 2;
    let root = Element::new("QuickAction")
        .leaf("description", sentence(&mut org.random(&format!("action {number}"))))
        .leaf("label", "Update Details")
        .leaf("optionsCreateFeedItem", true)
        .child(
            Element::new("quickActionLayout")
                .leaf("layoutSectionStyle", "TwoColumnsLeftToRight")
                .child(Element::new("quickActionLayoutColumns").all(items[..half].iter().cloned()))
                .child(Element::new("quickActionLayoutColumns").all(items[half..].iter().cloned())),
        )
        .leaf("targetObject", &object.name)
        .leaf("type", "Update");
    (quick_action_name(org, number), root)
}

fn layout(org: &Org, object: &Object, name: &str) -> Element {
    let mut random = org.random(&format!("layout {name}"));
    let readonly = |kind: &FieldKind| matches!(kind, FieldKind::Formula(_));
    let shown: Vec<_> = object.fields.iter().filter(|_| random.chance(70)).collect();
    let item = |field: &str, behavior: &str| {
        Element::new("layoutItems")
            .leaf("behavior", behavior)
            .leaf("field", field)
    };
    let items: Vec<Element> = shown
        .iter()
        .map(|field| item(&field.name, if readonly(&field.kind) { "Readonly" } else { "Edit" }))
        .collect();
    let section = |label: &str, custom: bool, left: Vec<Element>, right: Vec<Element>| {
        Element::new("layoutSections")
            .leaf("customLabel", custom)
            .leaf("detailHeading", custom)
            .leaf("editHeading", true)
            .leaf("label", label)
            .child(Element::new("layoutColumns").all(left))
            .child(Element::new("layoutColumns").all(right))
            .leaf("style", "TwoColumnsTopToBottom")
    };
    let title = match object.name.as_str() {
        "Case" => item("CaseNumber", "Readonly"),
        "Contract" => item("ContractNumber", "Readonly"),
        _ if object.standard => item("Name", "Required"),
        _ => item("Name", "Readonly"),
    };
    let owner = if object.name == "Product2" {
        Vec::new()
    } else {
        vec![item("OwnerId", "Edit")]
    };
    let mut sections = vec![section("Information", false, vec![title], owner)];
    for (number, part) in items.chunks(16).enumerate() {
        let (left, right) = part.split_at(part.len() / 2);
        sections.push(section(
            &format!("Details {}", number + 1),
            true,
            left.to_vec(),
            right.to_vec(),
        ));
    }
    let by = |field| vec![item(field, "Readonly")];
    sections.push(section(
        "System Information",
        false,
        by("CreatedById"),
        by("LastModifiedById"),
    ));
    let actions = (0..org.counts.quick_actions)
        .filter(|number| org.objects[action_object(org, *number)].name == object.name)
        .map(|number| quick_action_name(org, number));
    let items = ["Edit", "Delete"]
        .map(|name| (name.to_owned(), "StandardButton"))
        .into_iter()
        .chain(actions.map(|name| (name, "QuickAction")));
    let action_list = Element::new("platformActionList")
        .leaf("actionListContext", "Record")
        .all(items.enumerate().map(|(order, (name, kind))| {
            Element::new("platformActionListItems")
                .leaf("actionName", name)
                .leaf("actionType", kind)
                .leaf("sortOrder", order)
        }));
    Element::new("Layout")
        .all(sections)
        .child(action_list)
        .leaf("showEmailCheckbox", false)
        .leaf("showHighlightsPanel", false)
        .leaf("showInteractionLogPanel", false)
        .leaf("showRunAssignmentRulesCheckbox", false)
        .leaf("showSubmitAndAttachButton", false)
}

fn flexipage(org: &Org, number: usize) -> (String, Element) {
    let object = &org.objects[number % org.objects.len()];
    let name = format!(
        "{}_Record_Page_{number:03}",
        object.stem().chars().take(50).collect::<String>()
    );
    let mut random = org.random(&name);
    let property = |name: &str, value: &str| {
        Element::new("componentInstanceProperties")
            .leaf("name", name)
            .leaf("value", value)
    };
    let component = |kind: &str, identifier: &str, properties: Vec<Element>| {
        Element::new("itemInstances").child(
            Element::new("componentInstance")
                .all(properties)
                .leaf("componentName", kind)
                .leaf("identifier", identifier),
        )
    };
    let region = |name: &str, items: Vec<Element>| {
        Element::new("flexiPageRegions")
            .all(items)
            .leaf("name", name)
            .leaf("type", "Region")
    };
    let lwc = super::code::lwc(random.below(org.counts.lwc));
    let own = component(&format!("c:{lwc}"), &format!("c_{lwc}"), Vec::new());
    let header = component(
        "force:highlightsPanel",
        "force_highlightsPanel",
        vec![
            property("collapsed", "false"),
            property("enableActionsConfiguration", "false"),
            property("numVisibleActions", "3"),
        ],
    );
    let main = vec![
        component("force:detailPanel", "force_detailPanel", Vec::new()),
        component("force:relatedListContainer", "force_relatedListContainer", Vec::new()),
        own,
    ];
    let side = vec![
        component(
            "runtime_sales_activities:activityPanel",
            "runtime_sales_activities_activityPanel",
            Vec::new(),
        ),
        component(
            "forceChatter:recordFeedContainer",
            "forceChatter_recordFeedContainer",
            Vec::new(),
        ),
    ];
    let root = Element::new("FlexiPage")
        .leaf("description", sentence(&mut random))
        .child(region("header", vec![header]))
        .child(region("main", main))
        .child(region("sidebar", side))
        .leaf("masterLabel", name.replace('_', " "))
        .leaf("sobjectType", &object.name)
        .child(Element::new("template").leaf("name", "flexipage:recordHomeTemplateDesktop"))
        .leaf("type", "RecordPage");
    (name, root)
}

fn application(org: &Org, number: usize) -> Element {
    let name = app(number);
    let mut random = org.random(&name);
    let custom: Vec<&Object> = org.custom().map(|(_, object)| object).collect();
    let tabs = random
        .sample(custom.len(), 8)
        .into_iter()
        .map(|index| custom[index].name.clone());
    Element::new("CustomApplication")
        .child(
            Element::new("brand")
                .leaf("headerColor", "#0070D2")
                .leaf("shouldOverrideOrgTheme", false),
        )
        .leaf("description", sentence(&mut random))
        .leaves("formFactors", ["Small", "Large"])
        .leaf("isNavAutoTempTabsDisabled", false)
        .leaf("isNavPersonalizationDisabled", false)
        .leaf("label", name.replace('_', " "))
        .leaf("navType", "Standard")
        .leaves(
            "tabs",
            ["standard-home".to_owned(), "standard-Account".to_owned()]
                .into_iter()
                .chain(tabs),
        )
        .leaf("uiType", "Lightning")
}
