//! Code, relationships and names known from other files.

use super::*;

#[test]
fn schema_follows_relationships() {
    let context = Context {
        schema: Some(&SCHEMA),
        known: None,
    };
    check_in(
        "ValidationRule:Trip__c.Open",
        "r-meta.xml",
        "<ValidationRule><errorConditionFormula>Boat__r.Harbour__r.Open__c</errorConditionFormula></ValidationRule>",
        &context,
        "CustomObject:Trip__c CustomField:Trip__c.Boat__c CustomField:Boat__c.Harbour__c CustomField:Harbour__c.Open__c",
    );
    check_in(
        "ReportType:Boats",
        "r-meta.xml",
        "<ReportType><baseObject>Boat__c</baseObject><sections><columns><field>Day__c</field><table>Boat__c.Trips__r</table></columns></sections></ReportType>",
        &context,
        "CustomObject:Boat__c CustomObject:Trip__c CustomField:Trip__c.Day__c",
    );
    check_in(
        "ApexClass:Q",
        "Q.cls",
        "class Q { void f() { List<Boat__c> b = [SELECT Name, Harbour__r.City__c, (SELECT Day__c FROM Trips__r) FROM Boat__c WHERE Id IN (SELECT Boat__c FROM Trip__c) AND Kind__c = :kind LIMIT 1]; } }",
        &context,
        "CustomObject:Boat__c CustomObject:Boat__c? CustomField:Boat__c.Harbour__c CustomField:Harbour__c.City__c CustomField:Trip__c.Day__c CustomObject:Trip__c
         CustomField:Trip__c.Boat__c CustomField:Boat__c.Kind__c",
    );
}

#[test]
fn apex_with_known_names() {
    let components: Vec<ComponentId> = [
        "ApexClass:BoatHire",
        "ApexClass:Rates",
        "ApexClass:Unused",
        "CustomObject:Boat__c",
        "CustomField:Boat__c.Price__c",
        "CustomField:Boat__c.Kind__c",
        "CustomField:Trip__c.Kind__c",
        "CustomField:Trip__c.Day__c",
        "CustomLabel:Hello",
        "ApexPage:BoatPage",
        "FieldSet:Boat__c.Short",
    ]
    .iter()
    .map(|text| text.parse().unwrap())
    .collect();
    let known = KnownNames::build(&components);
    let context = Context {
        schema: None,
        known: Some(&known),
    };
    check_in(
        "ApexClass:BoatHire",
        "classes/BoatHire.cls",
        "// Unused\npublic class BoatHire {\n  /* Unused */ String s = 'Unused';\n  void f(BOAT__c boat, String label) {\n    Decimal d = rates.of(boat.price__C);\n    x[0].Day__c = null; y().Kind__c = 1;\n    label.trim(); System.debug(Label.Hello + System.Label.hello);\n    new Boat__c(Kind__c = 'a');\n    Page.BoatPage.getUrl(); SObjectType.Boat__c.FieldSets.Short.getFields();\n  }\n  class Unused {}\n}",
        &context,
        "CustomObject:Boat__c ApexClass:Rates CustomField:Boat__c.Price__c CustomField:Trip__c.Day__c CustomLabel:Hello CustomField:Boat__c.Kind__c ApexPage:BoatPage FieldSet:Boat__c.Short",
    );
    check_in(
        "ApexTrigger:OnBoat",
        "triggers/OnBoat.trigger",
        "trigger OnBoat on Boat__c (before insert) { for (Boat__c b : Trigger.new) { b.Price__c = BoatHire.price(b); } }",
        &context,
        "CustomObject:Boat__c CustomField:Boat__c.Price__c ApexClass:BoatHire",
    );
}

#[test]
fn code_names_skip_words_strings_comments() {
    let names: Vec<&str> = code_names("public class A { /* b */ String c = 'd' + E.f(G__c.H__c); } // i")
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["A", "c", "E.f", "G__c.H__c"]);
}

#[test]
fn lightning_web_component() {
    check_in(
        "LightningComponentBundle:map",
        "lwc/map/map.js",
        "import { api } from 'lwc';\nimport PRICE from '@salesforce/schema/Boat__c.Price__c';\nimport CITY from \"@salesforce/schema/Boat__c.Harbour__r.City__c\";\n
         import find from '@salesforce/apex/BoatHire.find';\nimport hello from '@salesforce/label/c.Hello';\nimport icons from '@salesforce/resourceUrl/icons';
         import may from '@salesforce/customPermission/Sell';\nimport ch from '@salesforce/messageChannel/Dock__c';\nimport { x } from 'c/tools';
         // import no from 'c/no';\nconst re = /['\"]/; const s = 'c/text'; const d = () => import('c/lazy');",
        &Context::default(),
        "CustomObject:Boat__c CustomField:Boat__c.Price__c CustomField:Boat__c.Harbour__c ApexClass:BoatHire CustomLabel:Hello StaticResource:icons CustomPermission:Sell
         LightningMessageChannel:Dock LightningComponentBundle:tools LightningComponentBundle:lazy",
    );
    check_in(
        "LightningComponentBundle:map",
        "lwc/map/map.html",
        "<template><!-- <c-no></c-no> --><c-boat-list items={x}></c-boat-list>
         <lightning-record-form object-api-name=\"Boat__c\"><lightning-input-field field-name=\"Price__c\"></lightning-input-field></lightning-record-form></template>",
        &Context::default(),
        "LightningComponentBundle:boatList CustomObject:Boat__c? CustomField:Boat__c.Price__c",
    );
    check_in(
        "LightningComponentBundle:map",
        "lwc/map/map.js-meta.xml",
        "<LightningComponentBundle xmlns=\"x\"><targetConfigs><targetConfig targets=\"lightning__RecordPage\"><objects><object>Boat__c</object></objects>
         <property name=\"p\" type=\"apex://BoatHire$Row\"/><property name=\"q\" type=\"String\" datasource=\"apex://Picker\"/></targetConfig></targetConfigs></LightningComponentBundle>",
        &Context::default(),
        "CustomObject:Boat__c ApexClass:BoatHire ApexClass:Picker",
    );
}

#[test]
fn aura_and_visualforce() {
    check_in(
        "AuraDefinitionBundle:list",
        "aura/list/list.cmp",
        "<aura:component controller=\"BoatHire\" extends=\"c:base\" implements=\"flexipage:availableForAllPageTypes,c:dock\">
         <aura:attribute name=\"b\" type=\"Boat__c[]\"/><aura:registerEvent name=\"e\" type=\"c:picked\"/><c:boatRow label=\"{!$Label.c.Hello}\"/></aura:component>",
        &Context::default(),
        "ApexClass:BoatHire AuraDefinitionBundle:base? LightningComponentBundle:base? AuraDefinitionBundle:dock? LightningComponentBundle:dock? CustomObject:Boat__c
         AuraDefinitionBundle:picked? LightningComponentBundle:picked? AuraDefinitionBundle:boatRow? LightningComponentBundle:boatRow? CustomLabel:Hello",
    );
    check_in(
        "AuraDefinitionBundle:list",
        "aura/list/listController.js",
        "({ go: function(c) { $A.get('e.c:picked').fire(); $A.get('$Label.c.Bye'); } })",
        &Context::default(),
        "AuraDefinitionBundle:picked? LightningComponentBundle:picked? CustomLabel:Bye",
    );
    check_in(
        "ApexPage:BoatPage",
        "pages/BoatPage.page",
        "<apex:page standardController=\"Boat__c\" extensions=\"BoatExt, OtherExt\"><c:map/><apex:outputField value=\"{!Boat__c.Price__c}\"/>
         <a href=\"{!$Resource.icons}\">{!$Label.Hello} {!item.Other__c}</a><apex:include pageName=\"Footer\"/> 5 < 6",
        &Context::default(),
        "CustomObject:Boat__c ApexClass:BoatExt ApexClass:OtherExt ApexComponent:map CustomField:Boat__c.Price__c StaticResource:icons CustomLabel:Hello ApexPage:Footer",
    );
}

#[test]
fn known_names_correct_case_and_folders() {
    let components = ["CustomField:Boat__c.Price__c", "Report:F/Sales"].map(|text| text.parse().unwrap());
    let known = KnownNames::build(&components);
    let context = Context {
        schema: None,
        known: Some(&known),
    };
    check_in(
        "ValidationRule:Boat__c.R",
        "r-meta.xml",
        "<ValidationRule><errorConditionFormula>PRICE__C = 1</errorConditionFormula></ValidationRule>",
        &context,
        "CustomObject:Boat__c CustomField:Boat__c.Price__c",
    );
    check_in(
        "FlexiPage:P",
        "p-meta.xml",
        "<FlexiPage><x><componentInstanceProperties><name>reportName</name><value>Sales</value></componentInstanceProperties></x></FlexiPage>",
        &context,
        "Report:F/Sales",
    );
}

#[test]
fn ranges_and_rules() {
    let xml = "<Profile>\n  <fieldPermissions><field> Boat__c.A__c </field></fieldPermissions>\n</Profile>";
    let found = references(&ComponentId::new("Profile", "P"), "P.profile", xml).unwrap();
    assert_eq!(&xml[found[0].range.clone()], "Boat__c.A__c");
    assert_eq!(&*found[0].via, "fieldPermissions/field");

    let xml = "<ValidationRule><errorConditionFormula>A__c &amp;&amp; A__c</errorConditionFormula></ValidationRule>";
    let found = references(&ComponentId::new("ValidationRule", "Boat__c.R"), "r.xml", xml).unwrap();
    assert_eq!(&xml[found[0].range.clone()], "ValidationRule");
    assert_eq!(&*found[0].via, "parent");
    assert_eq!(&xml[found[1].range.clone()], "A__c &amp;&amp; A__c");
    assert_eq!(found.len(), 2);
}
