//! Apex classes and triggers, Visualforce, Lightning web components, Aura bundles and static resources.

use super::org::{Class, FieldKind, Object, Org, Role, sentence};
use super::repository::{API_VERSION, Content, Place, Repository};
use super::words::{NOUNS, QUALIFIERS};
use super::xml::Element;

/// Adds all code.
pub(super) fn add(org: &Org, out: &mut Repository) {
    for class in &org.classes {
        let path = format!("classes/{}.cls", class.name);
        out.with_meta(
            "ApexClass",
            &class.name,
            &path,
            Content::Text(apex(org, class)),
            meta("ApexClass"),
        );
    }
    let handlers = org.classes.iter().filter(|class| class.role == Role::Handler);
    for class in handlers {
        let object = &org.objects[class.object].name;
        let name = class.name.trim_end_matches("Handler");
        let text = format!(
            "trigger {name} on {object} (before insert, before update, after insert, after update) {{\n    \
             new {}().run(Trigger.operationType, Trigger.new, Trigger.oldMap);\n}}\n",
            class.name
        );
        out.with_meta(
            "ApexTrigger",
            name,
            &format!("triggers/{name}.trigger"),
            Content::Text(text),
            meta("ApexTrigger"),
        );
    }
    for number in 0..org.counts.pages {
        let name = page(number);
        let object = &org.objects[number % org.objects.len()];
        let text = format!(
            "<apex:page standardController=\"{}\">\n    <apex:pageBlock title=\"{}\">\n        <apex:pageBlockSection>\n            \
             <apex:outputText value=\"{{!$User.FirstName}}\"/>\n        </apex:pageBlockSection>\n    </apex:pageBlock>\n</apex:page>\n",
            object.name, object.label
        );
        let root = Element::new("ApexPage")
            .leaf("apiVersion", API_VERSION)
            .leaf("availableInTouch", false)
            .leaf("confirmationTokenRequired", false)
            .leaf("label", name.replace('_', " "));
        out.with_meta(
            "ApexPage",
            &name,
            &format!("pages/{name}.page"),
            Content::Text(text),
            root,
        );
    }
    for number in 0..org.counts.web_components {
        let name = format!("Panel_{}_{number:02}", QUALIFIERS[number % QUALIFIERS.len()]);
        let text =
            "<apex:component>\n    <apex:outputText value=\"{!$Organization.Name}\"/>\n</apex:component>\n".to_owned();
        let root = Element::new("ApexComponent")
            .leaf("apiVersion", API_VERSION)
            .leaf("label", name.replace('_', " "));
        out.with_meta(
            "ApexComponent",
            &name,
            &format!("components/{name}.component"),
            Content::Text(text),
            root,
        );
    }
    add_bundles(org, out);
    add_static_resources(org, out);
}

/// Name of the Visualforce page of that number.
pub(super) fn page(number: usize) -> String {
    format!("Page_{}_{number:03}", NOUNS[number % NOUNS.len()])
}

/// Name of the Lightning web component of that number.
pub(super) fn lwc(number: usize) -> String {
    format!(
        "{}{}Panel{number}",
        QUALIFIERS[number % QUALIFIERS.len()].to_lowercase(),
        NOUNS[number * 3 % NOUNS.len()]
    )
}

fn meta(root: &'static str) -> Element {
    Element::new(root)
        .leaf("apiVersion", API_VERSION)
        .leaf("status", "Active")
}

fn apex(org: &Org, class: &Class) -> String {
    let object = &org.objects[class.object];
    match class.role {
        Role::Service => service(org, class, object),
        Role::Handler => handler(org, class, object),
        Role::Action => action(class, object),
        Role::Test(index) => test(class, &org.classes[index], object),
    }
}

fn service(org: &Org, class: &Class, object: &Object) -> String {
    let mut random = org.random(&class.name);
    let fields: Vec<&str> = object
        .fields_where(|kind| !matches!(kind, FieldKind::LongText))
        .map(|field| field.name.as_str())
        .collect();
    let mut text = format!(
        "/**\n * {}\n */\npublic with sharing class {} {{\n",
        sentence(&mut random),
        class.name
    );
    for number in 1..=random.between(3, 14) {
        let picked = random.sample(fields.len(), 4);
        let mut columns: Vec<&str> = picked.into_iter().map(|index| fields[index]).collect();
        columns.sort_unstable();
        let columns: String = columns.iter().map(|column| format!(", {column}")).collect();
        text.push_str(&format!(
            "    private static final Integer LIMIT_{number} = {};\n\n    \
             // {}\n    \
             public static List<{object}> find{number}(Set<Id> ids) {{\n        \
             if (ids == null || ids.isEmpty()) {{\n            return new List<{object}>();\n        }}\n        \
             return [\n            SELECT Id, Name{columns}\n            FROM {object}\n            WHERE Id IN :ids\n            \
             LIMIT :LIMIT_{number}\n        ];\n    }}\n\n",
            random.between(1, 40) * 50,
            sentence(&mut random),
            object = object.name,
        ));
    }
    text.push_str("}\n");
    text
}

fn handler(org: &Org, class: &Class, object: &Object) -> String {
    let mut random = org.random(&class.name);
    format!(
        "/**\n * {}\n */\npublic with sharing class {} {{\n    public void run(System.TriggerOperation operation, List<{object}> records, \
         Map<Id, {object}> before) {{\n        if (operation == System.TriggerOperation.BEFORE_INSERT) {{\n            \
         check(records, {});\n        }}\n    }}\n\n    private void check(List<{object}> records, Integer most) {{\n        \
         if (records.size() > most) {{\n            System.debug('Many records at once');\n        }}\n    }}\n}}\n",
        sentence(&mut random),
        class.name,
        random.between(2, 20) * 100,
        object = object.name,
    )
}

fn action(class: &Class, object: &Object) -> String {
    format!(
        "public with sharing class {} {{\n    public class Input {{\n        @InvocableVariable(required=true)\n        public Id recordId;\n    }}\n\n    \
         @InvocableMethod(label='Touch {label}')\n    public static void run(List<Input> inputs) {{\n        \
         List<{object}> records = new List<{object}>();\n        for (Input input : inputs) {{\n            \
         records.add(new {object}(Id = input.recordId));\n        }}\n        update records;\n    }}\n}}\n",
        class.name,
        label = object.label,
        object = object.name,
    )
}

fn test(class: &Class, tested: &Class, object: &Object) -> String {
    let call = match tested.role {
        Role::Service => format!("{}.find1(new Set<Id>())", tested.name),
        Role::Action => format!("new {}.Input()", tested.name),
        Role::Handler | Role::Test(_) => format!("new {}()", tested.name),
    };
    format!(
        "@IsTest\nprivate class {} {{\n    @IsTest\n    static void itAnswers() {{\n        Test.startTest();\n        \
         Object answer = {call};\n        Test.stopTest();\n        System.assertNotEquals(null, answer, '{}');\n    }}\n}}\n",
        class.name, object.label
    )
}

fn add_bundles(org: &Org, out: &mut Repository) {
    for number in 0..org.counts.lwc {
        let name = lwc(number);
        let mut random = org.random(&name);
        let class: String = name
            .chars()
            .take(1)
            .flat_map(char::to_uppercase)
            .chain(name.chars().skip(1))
            .collect();
        let object = &org.objects[number % org.objects.len()];
        let field = object.fields.first().map_or("Name", |field| field.name.as_str());
        let script = format!(
            "import {{ LightningElement, api, wire }} from 'lwc';\nimport {{ getRecord, getFieldValue }} from 'lightning/uiRecordApi';\n\
             import FIELD from '@salesforce/schema/{}.{field}';\n\nconst LIMIT = {};\n\nexport default class {class} extends LightningElement {{\n    \
             @api recordId;\n\n    @wire(getRecord, {{ recordId: '$recordId', fields: [FIELD] }})\n    record;\n\n    get shown() {{\n        \
             return String(getFieldValue(this.record.data, FIELD) ?? '').slice(0, LIMIT);\n    }}\n}}\n",
            object.name,
            random.between(10, 200)
        );
        let html = format!(
            "<template>\n    <lightning-card title=\"{}\">\n        <p class=\"slds-p-around_small\">{{shown}}</p>\n    </lightning-card>\n</template>\n",
            object.label
        );
        let root = Element::new("LightningComponentBundle")
            .leaf("apiVersion", API_VERSION)
            .leaf("description", sentence(&mut random))
            .leaf("isExposed", true)
            .leaf("masterLabel", &name)
            .child(Element::new("targets").leaves("target", ["lightning__AppPage", "lightning__RecordPage"]));
        let component = ("LightningComponentBundle", name.as_str());
        let place = |suffix: &str| Place::Both(format!("lwc/{name}/{name}.{suffix}"));
        out.add(component, place("js"), Content::Text(script));
        out.add(component, place("html"), Content::Text(html));
        out.add(component, place("js-meta.xml"), Content::Xml(root));
        if number % 3 == 0 {
            out.add(
                component,
                place("css"),
                Content::Text(".slds-p-around_small {\n    color: #333333;\n}\n".to_owned()),
            );
        }
    }
    for number in 0..org.counts.aura {
        let name = format!("Box{}{number}", NOUNS[number * 5 % NOUNS.len()]);
        let component = ("AuraDefinitionBundle", name.as_str());
        let place = |suffix: &str| Place::Both(format!("aura/{name}/{name}{suffix}"));
        let markup = "<aura:component implements=\"flexipage:availableForAllPageTypes\" access=\"global\">\n    \
                      <aura:attribute name=\"open\" type=\"Boolean\" default=\"false\"/>\n    \
                      <lightning:button label=\"Open\" onclick=\"{!c.toggle}\"/>\n</aura:component>\n";
        let script = "({\n    toggle: function (component) {\n        component.set('v.open', !component.get('v.open'));\n    }\n});\n";
        let root = Element::new("AuraDefinitionBundle")
            .leaf("apiVersion", API_VERSION)
            .leaf("description", sentence(&mut org.random(&name)));
        out.add(component, place(".cmp"), Content::Text(markup.to_owned()));
        out.add(component, place(".cmp-meta.xml"), Content::Xml(root));
        out.add(component, place("Controller.js"), Content::Text(script.to_owned()));
    }
}

fn add_static_resources(org: &Org, out: &mut Repository) {
    const KINDS: &[(&str, &str)] = &[
        ("png", "image/png"),
        ("js", "text/javascript"),
        ("css", "text/css"),
        ("json", "application/json"),
    ];
    for number in 0..org.counts.static_resources {
        let (extension, kind) = KINDS[number % KINDS.len()];
        let name = format!("Resource_{}_{number:03}", NOUNS[number % NOUNS.len()]);
        let mut random = org.random(&name);
        let content = match extension {
            "png" => {
                let noise = (0..random.between(500, 4000))
                    .map(|_| random.bits().to_le_bytes()[0])
                    .collect::<Vec<u8>>();
                Content::Binary([b"\x89PNG\r\n\x1a\n".to_vec(), noise].concat())
            }
            "js" => Content::Text(format!("window.limit = {};\n", random.below(500))),
            "css" => Content::Text(format!(".page {{\n    width: {}px;\n}}\n", random.between(200, 900))),
            _ => Content::Text(format!("{{\n    \"limit\": {}\n}}\n", random.below(500))),
        };
        let component = ("StaticResource", name.as_str());
        let place = Place::Split {
            source: format!("staticresources/{name}.{extension}"),
            mdapi: format!("staticresources/{name}.resource"),
        };
        out.add(component, place, content);
        let root = Element::new("StaticResource")
            .leaf("cacheControl", "Public")
            .leaf("contentType", kind)
            .leaf("description", sentence(&mut random));
        out.add(
            component,
            Place::Both(format!("staticresources/{name}.resource-meta.xml")),
            Content::Xml(root),
        );
    }
}
