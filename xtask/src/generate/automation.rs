//! Flows, workflow, approvals, sharing, assignment, matching and duplicate rules.

use super::access::{group, queue, role};
use super::org::{FieldKind, Flow, Object, Org, Role, sentence};
use super::random::Random;
use super::repository::Repository;
use super::xml::Element;

/// Adds everything that acts on records by itself.
pub(super) fn add(org: &Org, out: &mut Repository) {
    for (index, plan) in org.flows.iter().enumerate() {
        out.xml("Flow", &plan.name, "flows", "flow", flow(org, plan, index));
    }
    let custom: Vec<&Object> = org.custom().map(|(_, object)| object).collect();
    for object in custom.iter().take(org.counts.workflows) {
        out.xml("Workflow", &object.name, "workflows", "workflow", workflow(org, object));
        out.xml(
            "SharingRules",
            &object.name,
            "sharingRules",
            "sharingRules",
            sharing(org, object),
        );
    }
    for number in 0..org.counts.approvals {
        let object = custom[number % custom.len()];
        let name = format!("{}.Release_{}", object.name, number / custom.len() + 1);
        out.xml(
            "ApprovalProcess",
            &name,
            "approvalProcesses",
            "approvalProcess",
            approval(org, object, number),
        );
    }
    add_rules(org, out);
}

/// Name of the email alert of an object's workflow.
fn alert(object: &Object) -> String {
    format!("Notify_Owner_of_{}", object.stem())
}

fn value(kind: &'static str, text: impl std::fmt::Display) -> Element {
    Element::new("value").leaf(kind, text)
}

fn flow(org: &Org, plan: &Flow, index: usize) -> Element {
    let mut random = org.random(&format!("flow {}", plan.name));
    let object = &org.objects[plan.object];
    let kinds: &[&str] = if plan.triggered {
        &[
            "decisions",
            "recordUpdates",
            "recordLookups",
            "assignments",
            "subflows",
            "actionCalls",
        ]
    } else {
        &["decisions", "screens", "recordLookups", "assignments", "actionCalls"]
    };
    let steps: Vec<(&str, String)> = (0..random.between(5, 22))
        .map(|number| (*random.pick(kinds), number))
        .map(|(kind, number)| (kind, format!("{}_{number}", kind.trim_end_matches('s'))))
        .collect();
    let mut parts: Vec<Element> = steps
        .iter()
        .enumerate()
        .map(|(at, (kind, name))| {
            let after = |offset: usize| steps.get(at + offset).map(|(_, name)| name.as_str());
            step(
                org,
                object,
                plan,
                index,
                kind,
                name,
                at,
                (after(1), after(2)),
                &mut random,
            )
        })
        .collect();
    let connector = steps
        .first()
        .map(|(_, name)| Element::new("connector").leaf("targetReference", name));
    let start = Element::new("start")
        .leaf("locationX", 50)
        .leaf("locationY", 0)
        .all(connector);
    let start = if plan.triggered {
        start
            .leaf("object", &object.name)
            .leaf("recordTriggerType", "CreateAndUpdate")
            .leaf("triggerType", "RecordAfterSave")
    } else {
        start
    };
    let setting = |name: &'static str, text: &str| {
        Element::new("processMetadataValues")
            .leaf("name", name)
            .child(value("stringValue", text))
    };
    let variable = |name: &str, kind: &str, input: bool| {
        Element::new("variables")
            .leaf("name", name)
            .leaf("dataType", kind)
            .leaf("isCollection", false)
            .leaf("isInput", input)
            .leaf("isOutput", false)
    };
    let label = plan.name.replace('_', " ");
    parts.extend([
        Element::of("apiVersion", super::repository::API_VERSION),
        Element::of("description", sentence(&mut random)),
        Element::of("environments", "Default"),
        Element::of("interviewLabel", format!("{label} {{!$Flow.CurrentDateTime}}")),
        Element::of("label", &label),
        Element::new("formulas")
            .leaf("name", "DueDate")
            .leaf("dataType", "Date")
            .leaf("expression", "TODAY() + 14"),
        setting("BuilderType", "LightningFlowBuilder"),
        setting("CanvasMode", "AUTO_LAYOUT_CANVAS"),
        Element::of("processType", if plan.triggered { "AutoLaunchedFlow" } else { "Flow" }),
        start,
        Element::of("status", "Active"),
        variable("counter", "Number", false).leaf("scale", 0),
        variable("recordId", "String", true),
    ]);
    parts.sort_by(|left, right| left.name.cmp(&right.name));
    Element::new("Flow").all(parts)
}

#[expect(
    clippy::too_many_arguments,
    reason = "a step needs its place in the flow and the org around it"
)]
fn step(
    org: &Org,
    object: &Object,
    plan: &Flow,
    index: usize,
    kind: &str,
    name: &str,
    at: usize,
    (next, skipped): (Option<&str>, Option<&str>),
    random: &mut Random,
) -> Element {
    let kind: &'static str = match kind {
        "decisions" => "decisions",
        "recordUpdates" => "recordUpdates",
        "recordLookups" => "recordLookups",
        "assignments" => "assignments",
        "subflows" => "subflows",
        "screens" => "screens",
        _ => "actionCalls",
    };
    let head = Element::new(kind)
        .leaf("name", name)
        .leaf("label", name.replace('_', " "))
        .leaf("locationX", 176)
        .leaf("locationY", 134 + 120 * at);
    let connector = |name: &str| Element::new("connector").leaf("targetReference", name);
    let go = next.map(connector);
    let record = if plan.triggered { "$Record.Id" } else { "recordId" };
    let by_id = || {
        Element::new("filters")
            .leaf("field", "Id")
            .leaf("operator", "EqualTo")
            .child(value("elementReference", record))
    };
    match kind {
        "decisions" => {
            let rule = |number: usize, text: &str| {
                let condition = Element::new("conditions")
                    .leaf("leftValueReference", "counter")
                    .leaf("operator", "GreaterThan")
                    .child(Element::new("rightValue").leaf("numberValue", format!("{}.0", number * 10)));
                Element::new("rules")
                    .leaf("name", format!("{name}_{text}"))
                    .leaf("conditionLogic", "and")
                    .child(condition)
                    .all(skipped.map(connector))
                    .leaf("label", format!("{} {text}", name.replace('_', " ")))
            };
            head.all(next.map(|name| Element::new("defaultConnector").leaf("targetReference", name)))
                .leaf("defaultConnectorLabel", "Default Outcome")
                .child(rule(random.between(2, 9), "High"))
                .child(rule(1, "Low"))
        }
        "assignments" => head
            .child(
                Element::new("assignmentItems")
                    .leaf("assignToReference", "counter")
                    .leaf("operator", "Add")
                    .child(value("numberValue", format!("{}.0", random.between(1, 9)))),
            )
            .all(go),
        "recordLookups" => head
            .leaf("assignNullValuesIfNoRecordsFound", false)
            .all(go)
            .leaf("filterLogic", "and")
            .child(by_id())
            .leaf("getFirstRecordOnly", true)
            .leaf("object", &object.name)
            .leaf("storeOutputAutomatically", true),
        "recordUpdates" => {
            let inputs = object
                .fields_where(|kind| *kind == FieldKind::Checkbox)
                .take(2)
                .map(|field| {
                    Element::new("inputAssignments")
                        .leaf("field", &field.name)
                        .child(value("booleanValue", true))
                });
            head.all(go)
                .leaf("filterLogic", "and")
                .child(by_id())
                .all(inputs)
                .leaf("object", &object.name)
        }
        "screens" => {
            let fields = (1..=random.between(1, 3)).map(|number| {
                Element::new("fields")
                    .leaf("name", format!("{name}_Input_{number}"))
                    .leaf("dataType", "String")
                    .leaf("fieldText", format!("Entry {number}"))
                    .leaf("fieldType", "InputField")
                    .leaf("inputsOnNextNavToAssocScrn", "UseStoredValues")
                    .leaf("isRequired", false)
            });
            head.leaf("allowBack", true)
                .leaf("allowFinish", true)
                .leaf("allowPause", false)
                .all(go)
                .all(fields)
                .leaf("showFooter", true)
                .leaf("showHeader", true)
        }
        "subflows" => {
            // Only flows that are called by hand take a record id, and they call no others: no circle comes about.
            let called: Vec<&Flow> = org.flows.iter().filter(|flow| !flow.triggered).collect();
            let target = called[(index + at) % called.len()];
            head.all(go).leaf("flowName", &target.name).child(
                Element::new("inputAssignments")
                    .leaf("name", "recordId")
                    .child(value("elementReference", record)),
            )
        }
        _ => {
            let actions: Vec<&str> = org
                .classes
                .iter()
                .filter(|class| class.role == Role::Action)
                .map(|class| class.name.as_str())
                .collect();
            let action = actions[(index + at) % actions.len()];
            head.leaf("actionName", action)
                .leaf("actionType", "apex")
                .all(go)
                .leaf("flowTransactionModel", "CurrentTransaction")
                .child(
                    Element::new("inputParameters")
                        .leaf("name", "recordId")
                        .child(value("elementReference", record)),
                )
                .leaf("nameSegment", action)
        }
    }
}

fn criteria(object: &Object, random: &mut Random) -> Vec<Element> {
    let boxes: Vec<_> = object
        .fields_where(|kind| *kind == FieldKind::Checkbox)
        .take(2)
        .collect();
    let texts = object.fields_where(|kind| matches!(kind, FieldKind::Text(_))).take(1);
    let item = |field: &str, operation: &str, text: &str| {
        Element::new("criteriaItems")
            .leaf("field", format!("{}.{field}", object.name))
            .leaf("operation", operation)
            .leaf("value", text)
    };
    let mut items: Vec<Element> = boxes.iter().map(|field| item(&field.name, "equals", "True")).collect();
    items.extend(texts.map(|field| item(&field.name, "startsWith", &random.below(1000).to_string())));
    items
}

fn workflow(org: &Org, object: &Object) -> Element {
    let mut random = org.random(&format!("workflow {}", object.name));
    let template = super::org_wide::email_template(random.below(org.counts.email_templates));
    let root = Element::new("Workflow").child(
        Element::new("alerts")
            .leaf("fullName", alert(object))
            .leaf("description", format!("Notify owner of {}", object.label))
            .leaf("protected", false)
            .child(Element::new("recipients").leaf("type", "owner"))
            .leaf("senderType", "CurrentUser")
            .leaf("template", template),
    );
    let mut updates = Vec::new();
    let mut rules = Vec::new();
    for (number, field) in object
        .fields_where(|kind| *kind == FieldKind::Checkbox)
        .take(5)
        .enumerate()
    {
        let name = format!("Set_{}_{number}", field.name.trim_end_matches("__c"));
        updates.push(
            Element::new("fieldUpdates")
                .leaf("fullName", &name)
                .leaf("description", sentence(&mut random))
                .leaf("field", &field.name)
                .leaf("literalValue", 1)
                .leaf("name", format!("Set {}", field.label))
                .leaf("notifyAssignee", false)
                .leaf("operation", "Literal")
                .leaf("protected", false)
                .leaf("reevaluateOnChange", false),
        );
        let items = criteria(object, &mut random);
        let filter = (1..=items.len())
            .map(|item| item.to_string())
            .collect::<Vec<_>>()
            .join(" OR ");
        rules.push(
            Element::new("rules")
                .leaf("fullName", format!("{} {number}", object.label))
                .child(
                    Element::new("actions")
                        .leaf("name", alert(object))
                        .leaf("type", "Alert"),
                )
                .child(Element::new("actions").leaf("name", &name).leaf("type", "FieldUpdate"))
                .leaf("active", random.chance(60))
                .leaf("booleanFilter", filter)
                .all(items)
                .leaf("description", sentence(&mut random))
                .leaf("triggerType", "onCreateOrTriggeringUpdate"),
        );
    }
    updates.sort_by(|left, right| left.text_of("fullName").cmp(&right.text_of("fullName")));
    root.all(updates).all(rules)
}

fn sharing(org: &Org, object: &Object) -> Element {
    let mut random = org.random(&format!("sharing {}", object.name));
    let boxes: Vec<_> = object
        .fields_where(|kind| *kind == FieldKind::Checkbox)
        .take(3)
        .collect();
    let rules = boxes.iter().enumerate().map(|(number, field)| {
        Element::new("sharingCriteriaRules")
            .leaf("fullName", format!("Share_by_criteria_{number}"))
            .leaf("accessLevel", *random.pick(&["Read", "Edit"]))
            .leaf("description", sentence(&mut random))
            .leaf("label", format!("Share by criteria {number}"))
            .child(Element::new("sharedTo").leaf("group", group(random.below(org.counts.groups))))
            .child(
                Element::new("criteriaItems")
                    .leaf("field", &field.name)
                    .leaf("operation", "equals")
                    .leaf("value", "True"),
            )
            .leaf("includeRecordsOwnedByAll", true)
    });
    let rules: Vec<Element> = rules.collect();
    Element::new("SharingRules").all(rules).child(
        Element::new("sharingOwnerRules")
            .leaf("fullName", "Share_with_role")
            .leaf("accessLevel", "Read")
            .leaf("label", "Share with role")
            .child(Element::new("sharedTo").leaf("role", role(random.below(org.counts.roles))))
            .child(Element::new("sharedFrom").leaf("group", group(random.below(org.counts.groups)))),
    )
}

fn approval(org: &Org, object: &Object, number: usize) -> Element {
    let mut random = org.random(&format!("approval {number}"));
    let step = |name: &str, label: &str| {
        Element::new("approvalStep")
            .leaf("allowDelegate", false)
            .child(
                Element::new("assignedApprover")
                    .child(
                        Element::new("approver")
                            .leaf("name", queue(number % org.counts.queues))
                            .leaf("type", "queue"),
                    )
                    .leaf("whenMultipleApprovers", "FirstResponse"),
            )
            .leaf("label", label)
            .leaf("name", name)
    };
    let items = criteria(object, &mut random);
    Element::new("ApprovalProcess")
        .leaf("active", true)
        .leaf("allowRecall", true)
        .child(Element::new("allowedSubmitters").leaf("type", "owner"))
        .child(Element::new("approvalPageFields").leaves("field", ["Name", "Owner"]))
        .child(step("Team_Lead", "Team lead"))
        .child(step("Department", "Department").child(Element::new("rejectBehavior").leaf("type", "RejectRequest")))
        .leaf("description", sentence(&mut random))
        .leaf("enableMobileDeviceAccess", false)
        .all(if items.is_empty() {
            None
        } else {
            Some(Element::new("entryCriteria").all(items))
        })
        .leaf("finalApprovalRecordLock", false)
        .leaf("finalRejectionRecordLock", false)
        .leaf("label", format!("Release {}", object.label))
        .leaf("recordEditability", "AdminOnly")
        .leaf("showApprovalHistory", true)
}

fn add_rules(org: &Org, out: &mut Repository) {
    for (object, list) in [("Case", "AssignmentRules"), ("Lead", "AssignmentRules")] {
        let entries = (0..org.counts.queues.min(20)).map(|number| {
            Element::new("ruleEntry")
                .leaf("assignedTo", queue(number))
                .leaf("assignedToType", "Queue")
                .child(
                    Element::new("criteriaItems")
                        .leaf("field", format!("{object}.Description"))
                        .leaf("operation", "contains")
                        .leaf("value", format!("Area {number}")),
                )
        });
        let rule = Element::new("assignmentRule")
            .leaf("fullName", "Standard")
            .leaf("active", true)
            .all(entries);
        out.xml(
            list,
            object,
            "assignmentRules",
            "assignmentRules",
            Element::new(list).child(rule),
        );
    }
    for object in ["Account", "Contact", "Lead"] {
        let field = if object == "Account" { "Website" } else { "Email" };
        let item = Element::new("matchingRuleItems")
            .leaf("blankValueBehavior", "NullNotAllowed")
            .leaf("fieldName", field)
            .leaf("matchingMethod", "Exact");
        let rule = Element::new("matchingRules")
            .leaf("fullName", "Same_Address")
            .leaf("label", "Same address")
            .child(item)
            .leaf("ruleStatus", "Active");
        out.xml(
            "MatchingRules",
            object,
            "matchingRules",
            "matchingRule",
            Element::new("MatchingRules").child(rule),
        );
        let root = Element::new("DuplicateRule")
            .attribute("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance")
            .leaf("actionOnInsert", "Allow")
            .leaf("actionOnUpdate", "Allow")
            .leaf("alertText", "Is this record there already?")
            .child(Element::new("description").attribute("xsi:nil", true))
            .child(Element::new("duplicateRuleFilter").attribute("xsi:nil", true))
            .child(
                Element::new("duplicateRuleMatchRules")
                    .leaf("matchRuleSObjectType", object)
                    .leaf("matchingRule", "Same_Address")
                    .child(Element::new("objectMapping").attribute("xsi:nil", true)),
            )
            .leaf("isActive", true)
            .leaf("masterLabel", "Same address")
            .leaves("operationsOnInsert", ["Alert", "Report"])
            .leaves("operationsOnUpdate", ["Alert", "Report"])
            .leaf("securityOption", "EnforceSharingRules")
            .leaf("sortOrder", 1);
        out.xml(
            "DuplicateRule",
            &format!("{object}.Same_Address"),
            "duplicateRules",
            "duplicateRule",
            root,
        );
    }
}
