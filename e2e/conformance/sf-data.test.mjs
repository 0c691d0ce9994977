// sf: query, records, bulk import, update, upsert, delete and export, tree import and export, search, limits.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Sf } from "./sf.mjs";
import { startWorld } from "./world.mjs";

let world, sf, org;
before(async () => {
  world = await startWorld();
  sf = new Sf();
  org = world.org("uat");
  await sf.login(org);
});
after(async () => {
  sf.remove();
  await world.stop();
});

const named = async (object, name) => (await org.records(object)).filter((record) => record.Name === name);

test("create, get, update, delete a record", async () => {
  const { result } = await sf.json(["data", "create", "record", "-o", "uat", "-s", "Account", "-v", "Name='Gull Ltd' Industry=Energy"]);
  assert.deepEqual((await named("Account", "Gull Ltd")).map((r) => [r.Id, r.Industry]), [[result.id, "Energy"]]);

  const got = await sf.json(["data", "get", "record", "-o", "uat", "-s", "Account", "-w", "Name='Gull Ltd'"]);
  assert.equal(got.result.Id, result.id);

  await sf.json(["data", "update", "record", "-o", "uat", "-s", "Account", "-i", result.id, "-v", "Industry=Banking"]);
  assert.equal((await named("Account", "Gull Ltd"))[0].Industry, "Banking");

  await sf.json(["data", "delete", "record", "-o", "uat", "-s", "Account", "-i", result.id]);
  assert.deepEqual(await named("Account", "Gull Ltd"), []);
});

test("a record without its required field is refused and not kept", async () => {
  const answer = await sf.json(["data", "create", "record", "-o", "uat", "-s", "Contact", "-v", "FirstName=Ada"], { exit: 1 });
  assert.match(answer.message, /LastName/);
  assert.deepEqual((await org.records("Contact")).filter((r) => r.FirstName === "Ada"), []);
});

test("bulk import, query over pages, update, upsert, export, delete", async () => {
  const rows = Array.from({ length: 5001 }, (_, i) => `Reef ${i},${i % 2 ? "Energy" : "Banking"}`);
  const csv = join(sf.home, "in.csv");
  writeFileSync(csv, `Name,Industry\n${rows.join("\n")}\n`);
  await sf.json(["data", "import", "bulk", "-o", "uat", "-s", "Account", "-f", csv, "-w", "5"]);
  const reefs = async () => (await org.records("Account")).filter((r) => r.Name.startsWith("Reef "));
  assert.equal((await reefs()).length, 5001);

  const { result } = await sf.json(["data", "query", "-o", "uat", "-q", "SELECT Id, Name, Owner.Name FROM Account WHERE Name LIKE 'Reef %' ORDER BY Name"]);
  assert.equal(result.totalSize, 5001);
  assert.equal(new Set(result.records.map((r) => r.Id)).size, 5001);
  assert.equal(typeof result.records[0].Owner.Name, "string");

  const changed = join(sf.home, "update.csv");
  writeFileSync(changed, `Id,Industry\n${result.records.slice(0, 10).map((r) => `${r.Id},Education`).join("\n")}\n`);
  await sf.json(["data", "update", "bulk", "-o", "uat", "-s", "Account", "-f", changed, "-w", "5"]);
  assert.equal((await reefs()).filter((r) => r.Industry === "Education").length, 10);

  const upserted = join(sf.home, "upsert.csv");
  writeFileSync(upserted, `Id,Name\n${result.records.slice(0, 3).map((r, i) => `${r.Id},Atoll ${i}`).join("\n")}\n`);
  await sf.json(["data", "upsert", "bulk", "-o", "uat", "-s", "Account", "-i", "Id", "-f", upserted, "-w", "5"]);
  assert.equal((await org.records("Account")).filter((r) => r.Name.startsWith("Atoll ")).length, 3);

  const out = join(sf.home, "out.csv");
  await sf.json(["data", "export", "bulk", "-o", "uat", "-q", "SELECT Id, Name FROM Account WHERE Name LIKE 'Reef %'", "--output-file", out, "-w", "5"]);
  assert.equal(readFileSync(out, "utf8").trim().split("\n").length, 1 + 4998);

  const gone = join(sf.home, "delete.csv");
  writeFileSync(gone, `Id\n${(await reefs()).slice(0, 4000).map((r) => r.Id).join("\n")}\n`);
  await sf.json(["data", "delete", "bulk", "-o", "uat", "-s", "Account", "-f", gone, "-w", "5"]);
  assert.equal((await reefs()).length, 998);
});

test("a bulk import with bad rows keeps the good ones and says so", async () => {
  const csv = join(sf.home, "bad.csv");
  writeFileSync(csv, "FirstName,LastName\nGrace,Sand\nNobody,\n");
  await sf.json(["data", "import", "bulk", "-o", "uat", "-s", "Contact", "-f", csv, "-w", "5"], { exit: 1 });
  assert.deepEqual((await org.records("Contact")).filter((r) => r.FirstName === "Grace").length, 1);
  assert.deepEqual((await org.records("Contact")).filter((r) => r.FirstName === "Nobody"), []);
});

test("tree import and export keep parents and children together", async () => {
  const folder = sf.folder("tree");
  writeFileSync(
    join(folder, "Account.json"),
    JSON.stringify({
      records: [
        {
          attributes: { type: "Account", referenceId: "a1" },
          Name: "Lagoon",
          Contacts: { records: [{ attributes: { type: "Contact", referenceId: "c1" }, LastName: "Pearl" }] },
        },
      ],
    }),
  );
  await sf.json(["data", "import", "tree", "-o", "uat", "--files", join(folder, "Account.json")]);
  const [lagoon] = await named("Account", "Lagoon");
  const [pearl] = (await org.records("Contact")).filter((r) => r.LastName === "Pearl");
  assert.equal(pearl.AccountId, lagoon.Id);

  await sf.json(["data", "export", "tree", "-o", "uat", "-q", "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Lagoon'", "-d", folder]);
});

test("bulk import without waiting, then its results", async () => {
  const csv = join(sf.home, "later.csv");
  writeFileSync(csv, "Name,Industry\nSandbank,Energy\n,Banking\nShoal,Energy\n");
  const begun = await sf.json(["data", "import", "bulk", "-o", "uat", "-s", "Account", "-f", csv]);
  const folder = sf.folder("results");
  const { result } = await sf.json(["data", "bulk", "results", "-o", "uat", "-i", begun.result.jobId], { cwd: folder });
  assert.deepEqual([result.processedRecords, result.successfulRecords, result.failedRecords], [3, 2, 1]);
  const lines = (file) => readFileSync(join(folder, file), "utf8").trim().split("\n");
  const [sandbank] = await named("Account", "Sandbank");
  assert.ok(lines(result.successFilePath).some((line) => line.includes(sandbank.Id)));
  assert.match(lines(result.failedFilePath)[1], /REQUIRED_FIELD_MISSING/);
  assert.equal((await named("Account", "Shoal")).length, 1);
});

test("aggregates, tooling queries and wrong queries", async () => {
  const sum = await sf.json(["data", "query", "-o", "uat", "-q", "SELECT Industry, COUNT(Id) n FROM Account GROUP BY Industry"]);
  assert.ok(sum.result.records.every((r) => typeof r.n === "number"));
  await sf.json(["data", "query", "-o", "uat", "-t", "-q", "SELECT Id, Name FROM ApexClass"]);
  const wrong = await sf.json(["data", "query", "-o", "uat", "-q", "SELECT Nothing__c FROM Account"], { exit: 1 });
  assert.match(wrong.message, /No such column 'Nothing__c' on entity 'Account'/);
});

test("limits, search, objects", async () => {
  const limits = await sf.json(["org", "list", "limits", "-o", "uat"]);
  assert.ok(limits.result.some((limit) => limit.name === "DailyApiRequests" && limit.max > 0));
  await sf.json(["data", "search", "-o", "uat", "-q", "FIND {Lagoon} IN ALL FIELDS RETURNING Account(Id)"]);
  const objects = await sf.json(["sobject", "list", "-o", "uat"]);
  assert.ok(objects.result.includes("Account"));
  const described = await sf.json(["sobject", "describe", "-o", "uat", "-s", "Account"]);
  assert.equal(described.result.name, "Account");
});
