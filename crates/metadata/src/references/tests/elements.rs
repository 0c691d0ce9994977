//! Every type that the table names.

use super::*;

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
         <actionOverrides><type>Default</type></actionOverrides>
         <compactLayoutAssignment>SYSTEM</compactLayoutAssignment>",
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
