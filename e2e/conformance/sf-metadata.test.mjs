// sf: types, list, deploy, validate, quick, destructive, retrieve, tracking, manifest, Apex.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { write, xml } from "./project.mjs";
import { Sf } from "./sf.mjs";
import { startWorld } from "./world.mjs";

let world, sf, uat, dev1, project;
before(async () => {
  world = await startWorld(`
[[apex.tests]]
class = "StormTest"
method = "breaks"
outcome = "fail"
message = "Assertion Failed: Expected: 1, Actual: 2"
`);
  sf = new Sf();
  uat = world.org("uat");
  dev1 = world.org("dev1");
  await sf.login(uat);
  await sf.login(dev1);
  project = write(sf.folder("project"));
});
after(async () => {
  sf.remove();
  await world.stop();
});

const BUOY = "force-app/main/default/objects/Buoy__c";
const names = async (org, type) => [...(await org.components(type)).keys()].sort();

test("metadata types and lists", async () => {
  const types = await sf.json(["org", "list", "metadata-types", "-o", "uat"]);
  assert.ok(types.result.metadataObjects.some((t) => t.xmlName === "ApexClass" && t.suffix === "cls"));
  const none = await sf.json(["org", "list", "metadata", "-o", "uat", "-m", "ApexTrigger"]);
  assert.deepEqual(none.result, []);
});

test("a check-only deployment changes nothing, quick deploys it", async () => {
  const validated = await sf.json(["project", "deploy", "validate", "-o", "uat", "-d", "force-app", "-l", "RunLocalTests", "-w", "5"], { cwd: project });
  assert.equal(validated.result.checkOnly, true);
  assert.equal(validated.result.numberTestsCompleted, 1);
  assert.deepEqual(await names(uat, "ApexClass"), []);

  const quick = await sf.json(["project", "deploy", "quick", "-o", "uat", "-i", validated.result.id, "-w", "5"], { cwd: project });
  assert.notEqual(quick.result.id, validated.result.id);
  assert.deepEqual(await names(uat, "ApexClass"), ["Tide", "TideTest"]);
  assert.deepEqual(await names(uat, "CustomField"), ["Buoy__c.Depth__c", "Buoy__c.Owner_Account__c"]);
});

test("a deployed field is queryable and writable at once", async () => {
  const created = await sf.json(["data", "create", "record", "-o", "uat", "-s", "Buoy__c", "-v", "Name=B1 Depth__c=12.5"]);
  const [buoy] = await uat.records("Buoy__c");
  assert.equal(buoy.Id, created.result.id);
  assert.equal(buoy.Depth__c, 12.5);
});

test("a failing component leaves the org as it was", async () => {
  const broken = write(sf.folder("broken"), {
    "sfdx-project.json": readFileSync(join(project, "sfdx-project.json"), "utf8"),
    [`${BUOY}/fields/Keel__c.field-meta.xml`]: xml("CustomField", "    <fullName>Keel__c</fullName>\n    <label>Keel</label>\n    <length>10</length>\n    <type>Text</type>"),
    "force-app/main/default/permissionsets/Wreck.permissionset-meta.xml": xml(
      "PermissionSet",
      "    <fieldPermissions>\n        <editable>true</editable>\n        <field>Buoy__c.Missing__c</field>\n        <readable>true</readable>\n    </fieldPermissions>\n    <label>Wreck</label>",
    ),
  });
  const failed = await sf.json(["project", "deploy", "start", "-o", "uat", "-d", "force-app", "-w", "5"], { cwd: broken, exit: 1 });
  const problems = failed.result.details.componentFailures.map((f) => `${f.componentType} ${f.fullName}: ${f.problem}`);
  assert.equal(problems.length, 1);
  assert.match(problems[0], /^PermissionSet Wreck: .*Buoy__c\.Missing__c/);
  assert.deepEqual(await names(uat, "PermissionSet"), ["Harbour"]);
  assert.ok(!(await names(uat, "CustomField")).includes("Buoy__c.Keel__c"));
});

test("options arrive over REST as over SOAP", async () => {
  await sf.json(["project", "deploy", "start", "-o", "uat", "-d", "force-app/main/default/classes", "--dry-run", "-l", "RunSpecifiedTests", "-t", "TideTest", "-w", "5"], {
    cwd: project,
    env: { SF_ORG_METADATA_REST_DEPLOY: "true" },
  });
  const [last] = (await uat.records("DeployRequest")).sort((a, b) => (a.Id < b.Id ? 1 : -1));
  assert.equal(last.CheckOnly, 1);
  assert.equal(last.TestLevel, "RunSpecifiedTests");
});

test("failing tests fail the deployment", async () => {
  const storm = write(sf.folder("storm"), {
    "sfdx-project.json": readFileSync(join(project, "sfdx-project.json"), "utf8"),
    "force-app/main/default/classes/StormTest.cls": "@IsTest\nprivate class StormTest {\n    @IsTest static void breaks() { System.assertEquals(1, 2); }\n}\n",
    "force-app/main/default/classes/StormTest.cls-meta.xml": xml("ApexClass", "    <apiVersion>67.0</apiVersion>\n    <status>Active</status>"),
  });
  const failed = await sf.json(["project", "deploy", "start", "-o", "uat", "-d", "force-app", "-l", "RunLocalTests", "-w", "5"], { cwd: storm, exit: 1 });
  assert.match(JSON.stringify(failed.result.details.runTestResult.failures), /Expected: 1, Actual: 2/);
  assert.ok(!(await names(uat, "ApexClass")).includes("StormTest"));
});

test("retrieve writes what is in the org", async () => {
  const into = write(sf.folder("into"), { "sfdx-project.json": readFileSync(join(project, "sfdx-project.json"), "utf8") });
  sf.folder("into/force-app");
  const got = await sf.json(["project", "retrieve", "start", "-o", "uat", "-m", "CustomObject:Buoy__c", "-m", "ApexClass", "-m", "CustomLabels", "-w", "5"], { cwd: into });
  assert.equal(got.result.status, "Succeeded");
  assert.match(readFileSync(join(into, BUOY, "fields/Depth__c.field-meta.xml"), "utf8"), /<precision>6<\/precision>/);
  assert.equal(
    readFileSync(join(into, "force-app/main/default/classes/Tide.cls"), "utf8"),
    readFileSync(join(project, "force-app/main/default/classes/Tide.cls"), "utf8"),
  );
  assert.match(readFileSync(join(into, "force-app/main/default/labels/CustomLabels.labels-meta.xml"), "utf8"), /High tide/);
});

test("destructive changes delete, a missing component is a warning", async () => {
  const folder = sf.folder("project");
  writeFileSync(join(folder, "empty.xml"), '<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="http://soap.sforce.com/2006/04/metadata"><version>67.0</version></Package>\n');
  writeFileSync(
    join(folder, "gone.xml"),
    '<?xml version="1.0" encoding="UTF-8"?>\n<Package xmlns="http://soap.sforce.com/2006/04/metadata"><types><members>TideTest</members><members>Nowhere</members><name>ApexClass</name></types><version>67.0</version></Package>\n',
  );
  await sf.json(["project", "deploy", "start", "-o", "uat", "-x", "empty.xml", "--post-destructive-changes", "gone.xml", "--ignore-warnings", "-w", "5"], { cwd: folder });
  assert.deepEqual(await names(uat, "ApexClass"), ["Tide"]);
});

test("tracking: a preview knows what changed in a Developer sandbox", async () => {
  const tracked = write(sf.folder("tracked"));
  await sf.json(["project", "deploy", "start", "-o", "dev1", "-w", "5"], { cwd: tracked });
  assert.deepEqual(await names(dev1, "ApexClass"), ["Tide", "TideTest"]);
  const calm = await sf.json(["project", "deploy", "preview", "-o", "dev1"], { cwd: tracked });
  assert.deepEqual(calm.result.toDeploy, []);
  writeFileSync(join(tracked, "force-app/main/default/classes/Tide.cls"), "public class Tide { public static Integer level() { return 4; } }\n");
  const changed = await sf.json(["project", "deploy", "preview", "-o", "dev1"], { cwd: tracked });
  assert.deepEqual(changed.result.toDeploy.map((c) => c.fullName), ["Tide"]);
});

test("tracking: a retrieve preview knows what others changed, and a retrieve gets just that", async () => {
  const own = sf.folder("tracked");
  const calm = await sf.json(["project", "retrieve", "preview", "-o", "dev1"], { cwd: own });
  assert.deepEqual(calm.result.toRetrieve, []);
  const other = write(sf.folder("other"), {
    "sfdx-project.json": readFileSync(join(project, "sfdx-project.json"), "utf8"),
    "force-app/main/default/classes/Ebb.cls": "public class Ebb {}\n",
    "force-app/main/default/classes/Ebb.cls-meta.xml": xml("ApexClass", "    <apiVersion>67.0</apiVersion>\n    <status>Active</status>"),
  });
  await sf.json(["project", "deploy", "start", "-o", "dev1", "-d", "force-app", "-w", "5"], { cwd: other });
  const seen = await sf.json(["project", "retrieve", "preview", "-o", "dev1"], { cwd: own });
  assert.deepEqual(seen.result.toRetrieve.map((c) => `${c.type}:${c.fullName}`), ["ApexClass:Ebb"]);
  assert.equal(existsSync(join(own, "force-app/main/default/classes/Ebb.cls")), false);
});

test("apex run understands declared snippets only", async () => {
  const script = join(sf.home, "run.apex");
  writeFileSync(script, "System.debug('ahoy');");
  const fine = await sf.json(["apex", "run", "-o", "uat", "-f", script]);
  assert.equal(fine.result.success, true);
  writeFileSync(script, "delete [SELECT Id FROM Account];");
  await sf.json(["apex", "run", "-o", "uat", "-f", script], { exit: 1 });
});

test("apex run test", async () => {
  const passed = await sf.json(["apex", "run", "test", "-o", "dev1", "-n", "TideTest", "-w", "5", "-c"]);
  assert.equal(passed.result.summary.outcome, "Passed");
  assert.equal(passed.result.summary.testsRan, 1);
});

test("apex run test with coverage, at once and later", async () => {
  const run = (how) => sf.json(["apex", "run", "test", "-o", "dev1", "--tests", "TideTest.rises", "--code-coverage", ...how]);
  for (const how of [["--synchronous"], ["--wait", "5"]]) {
    const { result } = await run(how);
    assert.equal(result.summary.outcome, "Passed", how.join(" "));
    const tide = result.coverage.coverage.find((one) => one.name === "Tide");
    assert.equal(tide.coveredPercent, 100, how.join(" "));
    assert.deepEqual(result.tests.map((t) => [t.FullName, t.Outcome]), [["TideTest.rises", "Pass"]]);
  }
});

test("generate manifest from the org lists what it has", async () => {
  await sf.json(["project", "generate", "manifest", "--from-org", "uat", "--name", "all"], { cwd: project });
  const manifest = readFileSync(join(project, "all.xml"), "utf8");
  for (const member of ["Tide", "Buoy__c", "Harbour", "Buoy__c.Depth__c"]) assert.match(manifest, new RegExp(`<members>${member}</members>`));
  assert.ok(existsSync(join(project, "all.xml")) && readdirSync(project).length > 0);
});
