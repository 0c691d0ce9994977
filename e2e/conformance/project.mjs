// A small source-format project for the tests: an object with fields, a class with its test, a profile, labels.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const xml = (root, body) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://soap.sforce.com/2006/04/metadata">\n${body}\n</${root}>\n`;

export const FILES = {
  "sfdx-project.json": JSON.stringify({ packageDirectories: [{ path: "force-app", default: true }], sourceApiVersion: "67.0" }),
  "force-app/main/default/objects/Buoy__c/Buoy__c.object-meta.xml": xml(
    "CustomObject",
    `    <deploymentStatus>Deployed</deploymentStatus>
    <label>Buoy</label>
    <nameField>
        <label>Buoy Name</label>
        <type>Text</type>
    </nameField>
    <pluralLabel>Buoys</pluralLabel>
    <sharingModel>ReadWrite</sharingModel>`,
  ),
  "force-app/main/default/objects/Buoy__c/fields/Depth__c.field-meta.xml": xml(
    "CustomField",
    `    <fullName>Depth__c</fullName>
    <label>Depth</label>
    <precision>6</precision>
    <required>false</required>
    <scale>1</scale>
    <type>Number</type>`,
  ),
  "force-app/main/default/objects/Buoy__c/fields/Owner_Account__c.field-meta.xml": xml(
    "CustomField",
    `    <fullName>Owner_Account__c</fullName>
    <label>Owner Account</label>
    <referenceTo>Account</referenceTo>
    <relationshipLabel>Buoys</relationshipLabel>
    <relationshipName>Buoys</relationshipName>
    <type>Lookup</type>`,
  ),
  "force-app/main/default/classes/Tide.cls": "public class Tide {\n    public static Integer level() {\n        return 3;\n    }\n}\n",
  "force-app/main/default/classes/Tide.cls-meta.xml": xml("ApexClass", "    <apiVersion>67.0</apiVersion>\n    <status>Active</status>"),
  "force-app/main/default/classes/TideTest.cls":
    "@IsTest\nprivate class TideTest {\n    @IsTest\n    static void rises() {\n        System.assertEquals(3, Tide.level());\n    }\n}\n",
  "force-app/main/default/classes/TideTest.cls-meta.xml": xml("ApexClass", "    <apiVersion>67.0</apiVersion>\n    <status>Active</status>"),
  "force-app/main/default/labels/CustomLabels.labels-meta.xml": xml(
    "CustomLabels",
    `    <labels>
        <fullName>Tide_High</fullName>
        <language>en_US</language>
        <protected>false</protected>
        <shortDescription>Tide High</shortDescription>
        <value>High tide</value>
    </labels>`,
  ),
  "force-app/main/default/permissionsets/Harbour.permissionset-meta.xml": xml(
    "PermissionSet",
    `    <fieldPermissions>
        <editable>true</editable>
        <field>Buoy__c.Depth__c</field>
        <readable>true</readable>
    </fieldPermissions>
    <hasActivationRequired>false</hasActivationRequired>
    <label>Harbour</label>
    <objectPermissions>
        <allowCreate>true</allowCreate>
        <allowDelete>false</allowDelete>
        <allowEdit>true</allowEdit>
        <allowRead>true</allowRead>
        <modifyAllRecords>false</modifyAllRecords>
        <object>Buoy__c</object>
        <viewAllRecords>false</viewAllRecords>
    </objectPermissions>`,
  ),
};

/** Writes the project, or other files, under a folder. */
export function write(folder, files = FILES) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

export { xml };
