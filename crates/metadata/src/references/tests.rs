//! What each type names, as a table: type, full name, file, expected references.

use proptest::prelude::*;

use super::*;

/// The references as `Type:Name` lines, `?` behind candidates and `~` behind optional ones.
fn told(found: &[Reference]) -> Vec<String> {
    let mut told: Vec<String> = found
        .iter()
        .map(|one| {
            let mark = match one.kind {
                ReferenceKind::Required => "",
                ReferenceKind::Candidate => "?",
                ReferenceKind::Optional => "~",
            };
            format!("{}{mark}", one.to)
        })
        .collect();
    told.sort();
    told.dedup();
    told
}

fn check_in(component: &str, path: &str, text: &str, context: &Context<'_>, expect: &str) {
    let component: ComponentId = component.parse().unwrap();
    let found = references_in(&component, path, text, context).unwrap();
    let mut expect: Vec<&str> = expect.split_whitespace().collect();
    expect.sort_unstable();
    assert_eq!(told(&found), expect, "{component}");
    for one in &found {
        assert!(text.get(one.range.clone()).is_some(), "{one:?}");
    }
}

fn check(component: &str, inner: &str, expect: &str) {
    let root = component.split(':').next().unwrap();
    let xml =
        format!("<?xml version=\"1.0\"?>\n<{root} xmlns=\"http://soap.sforce.com/2006/04/metadata\">{inner}</{root}>");
    check_in(component, "f-meta.xml", &xml, &Context::default(), expect);
}

#[test]
fn layout() {
    check(
        "Layout:Boat__c-Boat Layout",
        "<customButtons>Sell</customButtons>
         <layoutSections><layoutColumns>
           <layoutItems><field>Name</field></layoutItems>
           <layoutItems><field>Price__c</field></layoutItems>
           <layoutItems><customLink>Map</customLink></layoutItems>
           <layoutItems><page>BoatPage</page></layoutItems>
         </layoutColumns></layoutSections>
         <platformActionList><platformActionListItems><actionName>Boat__c.Hire</actionName><actionType>QuickAction</actionType></platformActionListItems>
           <platformActionListItems><actionName>Edit</actionName><actionType>StandardButton</actionType></platformActionListItems></platformActionList>
         <quickActionList><quickActionListItems><quickActionName>FeedItem.TextPost</quickActionName></quickActionListItems></quickActionList>
         <relatedLists><fields>NAME</fields><fields>Day__c</fields><customButtons>New_Trip</customButtons><relatedList>Trip__c.Boat__c</relatedList></relatedLists>
         <relatedLists><fields>Unknown__c</fields><relatedList>RelatedNoteList</relatedList></relatedLists>
         <relatedLists><fields>Rank__c</fields><relatedList>RelatedContactList</relatedList></relatedLists>",
        "CustomObject:Boat__c WebLink:Boat__c.Sell CustomField:Boat__c.Price__c WebLink:Boat__c.Map ApexPage:BoatPage
         QuickAction:Boat__c.Hire CustomField:Trip__c.Boat__c CustomField:Trip__c.Day__c WebLink:Trip__c.New_Trip CustomField:Contact.Rank__c",
    );
}

#[test]
fn flexi_page() {
    check(
        "FlexiPage:Boat_Page",
        "<flexiPageRegions><itemInstances><fieldInstance><fieldItem>Record.Price__c</fieldItem></fieldInstance></itemInstances>
         <itemInstances><fieldInstance><fieldItem>Record.Harbour__r.City__c</fieldItem></fieldInstance></itemInstances>
         <itemInstances><componentInstance>
           <componentInstanceProperties><name>flowName</name><value>Hire_Boat</value></componentInstanceProperties>
           <componentInstanceProperties><name>actionNames</name><valueList><valueListItems><value>Boat__c.Hire</value></valueListItems></valueList></componentInstanceProperties>
           <componentName>c:boatMap</componentName>
           <visibilityRule><criteria><leftValue>{!Record.Sold__c}</leftValue></criteria>
           <criteria><leftValue>{!$Permission.CustomPermission.Sell_Boats}</leftValue></criteria></visibilityRule>
         </componentInstance></itemInstances>
         <itemInstances><componentInstance><componentName>flexipage:tab</componentName></componentInstance></itemInstances></flexiPageRegions>
         <sobjectType>Boat__c</sobjectType><template><name>flexipage:recordHomeTemplateDesktop</name></template>",
        "CustomObject:Boat__c CustomField:Boat__c.Price__c CustomField:Boat__c.Harbour__c Flow:Hire_Boat QuickAction:Boat__c.Hire?
         LightningComponentBundle:boatMap? AuraDefinitionBundle:boatMap? CustomField:Boat__c.Sold__c CustomPermission:Sell_Boats",
    );
}

#[test]
fn flow() {
    check(
        "Flow:Hire_Boat",
        "<actionCalls><actionName>BoatHire</actionName><actionType>apex</actionType></actionCalls>
         <actionCalls><actionName>Boat__c.Hired</actionName><actionType>emailAlert</actionType></actionCalls>
         <actionCalls><actionName>emailSimple</actionName><actionType>emailSimple</actionType></actionCalls>
         <decisions><name>d</name><rules><conditions><leftValueReference>Get_Boat.Sold__c</leftValueReference></conditions>
           <conditions><leftValueReference>$Record.Captain__r.Rank__c</leftValueReference></conditions>
           <conditions><leftValueReference>$Permission.Sell_Boats</leftValueReference></conditions></rules></decisions>
         <formulas><expression>{!boat.Price__c} * 2 &amp; {!$Label.Currency}</expression></formulas>
         <loops><name>each</name><collectionReference>Get_Boat</collectionReference></loops>
         <assignments><assignmentItems><assignToReference>each.Length__c</assignToReference><value><elementReference>other</elementReference></value></assignmentItems></assignments>
         <recordLookups><name>Get_Boat</name><object>Boat__c</object><filters><field>Name</field></filters><filters><field>Pier__c</field></filters><queriedFields>Price__c</queriedFields></recordLookups>
         <recordLookups><name>rt</name><object>RecordType</object>
           <filters><field>DeveloperName</field><operator>EqualTo</operator><value><stringValue>Small</stringValue></value></filters>
           <filters><field>SobjectType</field><operator>EqualTo</operator><value><stringValue>Boat__c</stringValue></value></filters></recordLookups>
         <recordUpdates><name>u</name><inputAssignments><field>Sold__c</field></inputAssignments><inputReference>boat</inputReference></recordUpdates>
         <screens><fields><extensionName>c:boatPicker</extensionName><fieldText>&lt;p&gt;{!$Label.Hello}&lt;/p&gt;</fieldText></fields></screens>
         <start><object>Trip__c</object><filters><field>Day__c</field></filters></start>
         <subflows><flowName>Pay</flowName></subflows>
         <variables><name>boat</name><objectType>Boat__c</objectType></variables>",
        "ApexClass:BoatHire WorkflowAlert:Boat__c.Hired CustomField:Boat__c.Sold__c CustomField:Trip__c.Captain__c
         CustomPermission:Sell_Boats CustomField:Boat__c.Price__c CustomLabel:Currency CustomField:Boat__c.Length__c
         CustomObject:Boat__c CustomField:Boat__c.Pier__c CustomObject:RecordType~ RecordType:Boat__c.Small
         LightningComponentBundle:boatPicker? AuraDefinitionBundle:boatPicker? CustomLabel:Hello CustomObject:Trip__c
         CustomField:Trip__c.Day__c Flow:Pay",
    );
}

#[test]
fn permissions() {
    let entries = "<applicationVisibilities><application>Harbour</application></applicationVisibilities>
        <applicationVisibilities><application>standard__Sales</application></applicationVisibilities>
        <classAccesses><apexClass>BoatHire</apexClass></classAccesses>
        <customPermissions><name>Sell_Boats</name></customPermissions>
        <customMetadataTypeAccesses><name>Rate__mdt</name></customMetadataTypeAccesses>
        <fieldPermissions><field>Boat__c.Price__c</field></fieldPermissions>
        <fieldPermissions><field>Account.Rating</field></fieldPermissions>
        <fieldPermissions><field>Task.Effort__c</field></fieldPermissions>
        <flowAccesses><flow>Pay</flow></flowAccesses>
        <objectPermissions><object>Account</object></objectPermissions>
        <objectPermissions><object>Boat__c</object></objectPermissions>
        <pageAccesses><apexPage>BoatPage</apexPage></pageAccesses>
        <recordTypeVisibilities><recordType>Boat__c.Small</recordType></recordTypeVisibilities>
        <userPermissions><name>ViewSetup</name></userPermissions>";
    let expect = "CustomApplication:Harbour ApexClass:BoatHire CustomPermission:Sell_Boats CustomObject:Rate__mdt CustomField:Boat__c.Price__c
        CustomField:Activity.Effort__c Flow:Pay CustomObject:Account~ CustomObject:Boat__c ApexPage:BoatPage RecordType:Boat__c.Small";
    check("PermissionSet:Sailor", entries, expect);
    check("MutingPermissionSet:Sailor", entries, expect);
    check(
        "Profile:Admin",
        &format!(
            "{entries}<layoutAssignments><layout>Boat__c-Plain</layout><recordType>Boat__c.Big</recordType></layoutAssignments>
             <tabVisibilities><tab>standard-Account</tab></tabVisibilities><tabVisibilities><tab>Boat__c</tab></tabVisibilities>"
        ),
        &format!("{expect} Layout:Boat__c-Plain RecordType:Boat__c.Big CustomTab:Boat__c"),
    );
}

#[test]
fn custom_field() {
    check(
        "CustomField:Boat__c.Harbour__c",
        "<referenceTo>Harbour__c</referenceTo><lookupFilter><filterItems><field>Harbour__c.Open__c</field><valueField>$Source.Country__c</valueField></filterItems></lookupFilter>",
        "CustomObject:Boat__c CustomObject:Harbour__c CustomField:Harbour__c.Open__c CustomField:Boat__c.Country__c",
    );
    check(
        "CustomField:Contact.Ok__c",
        "<formula>IF(Account.Sound__c &amp;&amp; ISPICKVAL(Kind__c, 'X__c'), $Label.Yes, $Setup.Conf__c.Word__c &amp; Owner:User.Rank__c &amp; $CustomMetadata.Rate__mdt.Std.Value__c)</formula>",
        "CustomObject:Contact~ CustomField:Account.Sound__c CustomField:Contact.Kind__c CustomLabel:Yes CustomObject:Conf__c CustomField:Conf__c.Word__c
         CustomField:User.Rank__c CustomObject:Rate__mdt CustomMetadata:Rate.Std CustomField:Rate__mdt.Value__c",
    );
    check(
        "CustomField:Boat__c.Sum__c",
        "<summarizedField>Trip__c.Price__c</summarizedField><summaryForeignKey>Trip__c.Boat__c</summaryForeignKey><summaryFilterItems><field>Trip__c.Kind__c</field></summaryFilterItems>",
        "CustomObject:Boat__c CustomField:Trip__c.Price__c CustomField:Trip__c.Boat__c CustomField:Trip__c.Kind__c",
    );
    check(
        "CustomField:Boat__c.Colour__c",
        "<valueSet><controllingField>Kind__c</controllingField><valueSetName>Colours</valueSetName></valueSet>",
        "CustomObject:Boat__c CustomField:Boat__c.Kind__c GlobalValueSet:Colours",
    );
}

#[test]
fn object_with_children() {
    check(
        "CustomObject:Boat__c",
        "<fields><fullName>Twice__c</fullName><formula>Price__c * 2</formula></fields>
         <validationRules><errorConditionFormula>Harbour__r.Open__c</errorConditionFormula><errorDisplayField>Price__c</errorDisplayField></validationRules>
         <recordTypes><fullName>Small</fullName><compactLayoutAssignment>Short</compactLayoutAssignment><picklistValues><picklist>Kind__c</picklist></picklistValues></recordTypes>
         <listViews><columns>NAME</columns><columns>Length__c</columns><filters><field>Sold__c</field></filters></listViews>
         <webLinks><page>BoatPage</page><url>/x?{!Boat__c.Code__c}</url></webLinks>
         <actionOverrides><content>Boat_Page</content><type>Flexipage</type></actionOverrides>
         <actionOverrides><type>Default</type></actionOverrides>",
        "CustomField:Boat__c.Price__c CustomField:Boat__c.Harbour__c CompactLayout:Boat__c.Short CustomField:Boat__c.Kind__c CustomField:Boat__c.Length__c
         CustomField:Boat__c.Sold__c ApexPage:BoatPage CustomField:Boat__c.Code__c FlexiPage:Boat_Page",
    );
}

#[test]
fn children_of_objects() {
    check(
        "ValidationRule:Boat__c.Old",
        "<errorConditionFormula>AND( /* Not__c */ Age__c &gt; 10, Harbour__r.Owner__r.Ok__c)</errorConditionFormula>",
        "CustomObject:Boat__c CustomField:Boat__c.Age__c CustomField:Boat__c.Harbour__c",
    );
    check(
        "RecordType:Boat__c.Small",
        "<businessProcess>Sale</businessProcess><picklistValues><picklist>Kind__c</picklist><values><fullName>A</fullName></values></picklistValues>",
        "CustomObject:Boat__c BusinessProcess:Boat__c.Sale CustomField:Boat__c.Kind__c",
    );
    check(
        "ListView:Boat__c.All",
        "<columns>NAME</columns><columns>Price__c</columns><filters><field>Kind__c</field></filters><sharedTo><group>Crew</group></sharedTo><queue>Dock</queue>",
        "CustomObject:Boat__c CustomField:Boat__c.Price__c CustomField:Boat__c.Kind__c Group:Crew Queue:Dock",
    );
}

#[test]
fn report() {
    check(
        "Report:F/Boats",
        "<reportType>CustomEntityCustomEntity$Boat__c$Trip__c@Trip__c.Boat__c</reportType>
         <columns><field>CUST_NAME</field></columns><columns><field>Boat__c.Price__c</field></columns><columns><field>Trip__c$Day__c</field></columns>
         <filter><criteriaItems><column>Boat__c.Harbour__c.City__c</column></criteriaItems></filter>
         <crossFilters><relatedTable>Crew__c</relatedTable><relatedTableJoinColumn>Boat__c</relatedTableJoinColumn></crossFilters>
         <aggregates><calculatedFormula>Boat__c2.Cost__c:SUM / RowCount</calculatedFormula></aggregates>",
        "CustomObject:Boat__c CustomObject:Trip__c CustomField:Trip__c.Boat__c CustomField:Boat__c.Price__c CustomField:Trip__c.Day__c CustomField:Boat__c.Harbour__c
         CustomObject:Crew__c CustomField:Crew__c.Boat__c CustomField:Boat__c.Cost__c",
    );
    check(
        "Report:F/Custom",
        "<reportType>Boats_and_Trips__c</reportType>",
        "ReportType:Boats_and_Trips",
    );
}

#[test]
fn workflow_and_approval() {
    check(
        "Workflow:Boat__c",
        "<alerts><fullName>Hired</fullName><template>Boats/Hired</template><recipients><field>Captain_Mail__c</field><type>email</type></recipients></alerts>
         <fieldUpdates><fullName>Sell</fullName><field>Sold__c</field><formula>Price__c &gt; 1</formula></fieldUpdates>
         <rules><fullName>R</fullName><formula>ISCHANGED(Kind__c)</formula><actions><name>Hired</name><type>Alert</type></actions>
           <criteriaItems><field>Boat__c.Age__c</field></criteriaItems>
           <workflowTimeTriggers><actions><name>Sell</name><type>FieldUpdate</type></actions></workflowTimeTriggers></rules>",
        "EmailTemplate:Boats/Hired CustomField:Boat__c.Captain_Mail__c CustomField:Boat__c.Sold__c CustomField:Boat__c.Price__c CustomField:Boat__c.Kind__c
         WorkflowAlert:Boat__c.Hired CustomField:Boat__c.Age__c WorkflowFieldUpdate:Boat__c.Sell",
    );
    check(
        "ApprovalProcess:Boat__c.Sale",
        "<entryCriteria><criteriaItems><field>Boat__c.Price__c</field></criteriaItems></entryCriteria>
         <approvalStep><entryCriteria><formula>Kind__c = 'x'</formula></entryCriteria><assignedApprover><approver><name>Dock</name><type>queue</type></approver></assignedApprover></approvalStep>
         <finalApprovalActions><action><name>Sell</name><type>FieldUpdate</type></action></finalApprovalActions>
         <emailTemplate>Boats/Ask</emailTemplate><nextAutomatedApprover><userHierarchyField>Boss__c</userHierarchyField></nextAutomatedApprover>",
        "CustomObject:Boat__c CustomField:Boat__c.Price__c CustomField:Boat__c.Kind__c Queue:Dock WorkflowFieldUpdate:Boat__c.Sell EmailTemplate:Boats/Ask CustomField:User.Boss__c",
    );
}

#[test]
fn actions_and_applications() {
    check(
        "QuickAction:Boat__c.Hire",
        "<targetObject>Trip__c</targetObject><targetParentField>Boat__c</targetParentField><targetRecordType>Trip__c.Day</targetRecordType>
         <fieldOverrides><field>Day__c</field><formula>TODAY()</formula></fieldOverrides>
         <quickActionLayout><quickActionLayoutColumns><quickActionLayoutItems><field>Price__c</field></quickActionLayoutItems></quickActionLayoutColumns></quickActionLayout>",
        "CustomObject:Trip__c CustomField:Trip__c.Boat__c RecordType:Trip__c.Day CustomField:Trip__c.Day__c CustomField:Trip__c.Price__c",
    );
    check(
        "QuickAction:Boat__c.Set",
        "<fieldOverrides><field>Day__c</field></fieldOverrides>",
        "CustomField:Boat__c.Day__c",
    );
    check(
        "CustomApplication:Harbour",
        "<actionOverrides><content>Boat_Page</content><pageOrSobjectType>Boat__c</pageOrSobjectType><type>Flexipage</type></actionOverrides>
         <tabs>standard-home</tabs><tabs>Boat__c</tabs><utilityBar>Bar</utilityBar><brand><logo>anchor</logo></brand>
         <profileActionOverrides><profile>Admin</profile><recordType>Boat__c.Small</recordType></profileActionOverrides>",
        "FlexiPage:Boat_Page CustomObject:Boat__c CustomTab:Boat__c FlexiPage:Bar ContentAsset:anchor Profile:Admin RecordType:Boat__c.Small",
    );
    check(
        "CustomTab:Map",
        "<lwcComponent>boatMap</lwcComponent>",
        "LightningComponentBundle:boatMap",
    );
}

#[test]
fn rules_of_sharing_and_duplicates() {
    check(
        "SharingRules:Boat__c",
        "<sharingCriteriaRules><criteriaItems><field>Kind__c</field></criteriaItems><sharedTo><role>Captain</role></sharedTo></sharingCriteriaRules>
         <sharingOwnerRules><sharedFrom><queue>Dock</queue></sharedFrom><sharedTo><group>Crew</group></sharedTo></sharingOwnerRules>",
        "CustomField:Boat__c.Kind__c Role:Captain Queue:Dock Group:Crew",
    );
    check(
        "DuplicateRule:Boat__c.Same",
        "<duplicateRuleFilter><duplicateRuleFilterItems><field>Kind__c</field><table>Boat__c</table></duplicateRuleFilterItems></duplicateRuleFilter>
         <duplicateRuleMatchRules><matchRuleSObjectType>Boat__c</matchRuleSObjectType><matchingRule>Name</matchingRule></duplicateRuleMatchRules>
         <duplicateRuleMatchRules><matchRuleSObjectType>Lead</matchRuleSObjectType><matchingRule>Standard_Lead_Match_Rule_v1_0</matchingRule>
           <objectMapping><inputObject>Boat__c</inputObject><mappingFields><inputField>Owner_Mail__c</inputField><outputField>Mail__c</outputField></mappingFields><outputObject>Lead</outputObject></objectMapping></duplicateRuleMatchRules>",
        "CustomField:Boat__c.Kind__c CustomObject:Boat__c MatchingRule:Boat__c.Name CustomObject:Lead~ CustomField:Boat__c.Owner_Mail__c CustomField:Lead.Mail__c",
    );
    check(
        "MatchingRules:Boat__c",
        "<matchingRules><matchingRuleItems><fieldName>Hull__c</fieldName></matchingRuleItems></matchingRules>",
        "CustomField:Boat__c.Hull__c",
    );
}

#[test]
fn translations_and_records() {
    check(
        "CustomObjectTranslation:Boat__c-de",
        "<fields><name>Price__c</name></fields><recordTypes><name>Small</name></recordTypes><validationRules><name>Old</name></validationRules><layouts><layout>L</layout></layouts>",
        "CustomObject:Boat__c CustomField:Boat__c.Price__c RecordType:Boat__c.Small ValidationRule:Boat__c.Old Layout:Boat__c-L",
    );
    check_in(
        "CustomObjectTranslation:Boat__c-de",
        "Price__c.fieldTranslation-meta.xml",
        "<CustomFieldTranslation><name>Price__c</name></CustomFieldTranslation>",
        &Context::default(),
        "CustomField:Boat__c.Price__c",
    );
    check(
        "CustomMetadata:Rate.Std",
        "<values><field>Value__c</field></values>",
        "CustomObject:Rate__mdt CustomField:Rate__mdt.Value__c",
    );
    check(
        "PermissionSet:Crew",
        "<fieldPermissions><field>%%%NS%%%Boat__c.%%%NS%%%Price__c</field></fieldPermissions><fieldPermissions><field>Trip__c.Name</field></fieldPermissions>",
        "CustomField:Boat__c.Price__c CustomObject:Trip__c",
    );
    check("Package:package", "<types><members>Boat__c</members></types>", "");
}

struct Map(&'static [(&'static str, &'static str, &'static str)]);

impl Schema for Map {
    fn lookup_target(&self, object: &str, relationship: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(o, r, _)| *o == object && *r == relationship)
            .map(|(_, _, target)| (*target).to_owned())
    }

    fn child_object(&self, object: &str, relationship: &str) -> Option<String> {
        self.lookup_target(object, relationship)
    }
}

const SCHEMA: Map = Map(&[
    ("Trip__c", "Boat__r", "Boat__c"),
    ("Boat__c", "Harbour__r", "Harbour__c"),
    ("Boat__c", "Trips__r", "Trip__c"),
]);

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

#[test]
fn hostile_files() {
    let refused = |xml: &str| {
        references(&ComponentId::new("Profile", "P"), "p/P.profile", xml)
            .unwrap_err()
            .to_string()
    };
    let text = refused("<Profile>\n<a>\n</Profile>");
    assert!(text.starts_with("p/P.profile line 3: not well-formed XML"), "{text}");
    for root in ["Profile", "Unknown"] {
        let deep = format!("<{root}>{}{}</{root}>", "<a>".repeat(5_000), "</a>".repeat(5_000));
        let text = refused(&deep);
        assert!(text.contains("nested deeper than 200"), "{text}");
    }
    assert!(refused("").contains("not well-formed"));
    let bomb = "<!DOCTYPE a [<!ENTITY b 'bb'>]><Profile>&b;</Profile>";
    assert!(refused(bomb).contains("not well-formed"));
    check(
        "Layout:no dash",
        "<layoutSections><layoutColumns><layoutItems><field>A__c</field></layoutItems></layoutColumns></layoutSections>",
        "",
    );
    check("CustomField:nodot", "<formula>A__c</formula>", "");
}

const FILES: [(&str, &str); 12] = [
    ("Profile", "P.profile"),
    ("Flow", "F.flow-meta.xml"),
    ("ValidationRule", "R.xml"),
    ("Report", "R.report"),
    ("ApexClass", "A.cls"),
    ("ApexTrigger", "A.trigger"),
    ("ApexPage", "A.page"),
    ("AuraDefinitionBundle", "a.cmp"),
    ("AuraDefinitionBundle", "a.js"),
    ("LightningComponentBundle", "a.js"),
    ("LightningComponentBundle", "a.html"),
    ("EmailTemplate", "a.email"),
];

/// Text made of the pieces that the readers look for, and of anything.
fn code() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,4}",
        prop::sample::select(vec![
            "[",
            "]",
            "(",
            ")",
            "{!",
            "}",
            "'",
            "\"",
            "\\",
            "/*",
            "*/",
            "//",
            "\n",
            "SELECT ",
            " FROM ",
            "FIND ",
            " RETURNING ",
            "A__c",
            ".",
            "$Label.",
            "x__r.",
            "<c:",
            "<c-",
            "<!--",
            "-->",
            "=",
            "new ",
            "trigger T on ",
            "@salesforce/schema/",
            "from ",
            "`",
            "$",
            ":",
            "c:",
            "__s",
            "é",
            "class ",
            "<",
            ">",
            "%",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn never_panics(text in code(), name in "\\PC{0,8}", which in 0..FILES.len()) {
        let (type_name, path) = FILES[which];
        let component = ComponentId::new(type_name, name);
        let known = KnownNames::build([&component, &ComponentId::new("CustomField", "A__c.A__c")]);
        let context = Context { schema: Some(&SCHEMA), known: Some(&known) };
        if let Ok(found) = references_in(&component, path, &text, &context) {
            for one in found {
                prop_assert!(text.get(one.range).is_some());
            }
        }
        code_names(&text);
    }

    #[test]
    fn never_panics_in_elements(text in code(), element in 0..6usize, which in 0..6usize) {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace(|c: char| c.is_control(), " ");
        let element = ["formula", "field", "url", "errorConditionFormula", "elementReference", "calculatedFormula"][element];
        let root = ["CustomField", "WebLink", "ValidationRule", "Flow", "Report", "QuickAction"][which];
        let xml = format!("<{root}><aggregates><{element}>{escaped}</{element}></aggregates><{element}>{escaped}</{element}></{root}>");
        let component = ComponentId::new(root, "Boat__c.X");
        let context = Context { schema: Some(&SCHEMA), known: None };
        if let Ok(found) = references_in(&component, "x-meta.xml", &xml, &context) {
            for one in found {
                prop_assert!(xml.get(one.range).is_some());
            }
        }
    }
}
