// jsforce: login, arrays of records, Bulk 2.0, metadata, composite, a session that has died.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import jsforce from "jsforce";
import { startWorld } from "./world.mjs";

let world, org, connection;
before(async () => {
  world = await startWorld();
  org = world.org("uat");
  connection = new jsforce.Connection({ instanceUrl: org.url, accessToken: org.accessToken, version: "67.0" });
});
after(() => world.stop());

test("identity", async () => {
  const identity = await connection.identity();
  assert.equal(identity.organization_id, org.orgId);
  assert.equal(identity.username, org.username);
});

test("arrays: create, update, upsert, retrieve, destroy", async () => {
  const made = await connection.sobject("Account").create([{ Name: "Kelp" }, { Name: "Krill" }, { Industry: "Energy" }], { allOrNone: false });
  assert.deepEqual(made.map((r) => r.success), [true, true, false]);
  assert.equal(made[2].errors[0].statusCode, "REQUIRED_FIELD_MISSING");
  const ids = made.slice(0, 2).map((r) => r.id);
  await connection.sobject("Account").update(ids.map((Id) => ({ Id, Industry: "Energy" })));
  const kept = (await org.records("Account")).filter((r) => ids.includes(r.Id));
  assert.deepEqual(kept.map((r) => r.Industry), ["Energy", "Energy"]);
  const read = await connection.sobject("Account").retrieve(ids);
  assert.deepEqual(read.map((r) => r.Name), ["Kelp", "Krill"]);
  await connection.sobject("Account").destroy(ids);
  assert.equal((await org.records("Account")).filter((r) => ids.includes(r.Id)).length, 0);
});

test("composite with references", async () => {
  const answer = await connection.request({
    method: "POST",
    url: "/services/data/v67.0/composite",
    body: JSON.stringify({
      allOrNone: true,
      compositeRequest: [
        { method: "POST", url: "/services/data/v67.0/sobjects/Account", referenceId: "a", body: { Name: "Reef Co" } },
        { method: "POST", url: "/services/data/v67.0/sobjects/Contact", referenceId: "c", body: { LastName: "Coral", AccountId: "@{a.id}" } },
      ],
    }),
    headers: { "content-type": "application/json" },
  });
  assert.deepEqual(answer.compositeResponse.map((r) => r.httpStatusCode), [201, 201]);
  const [coral] = (await org.records("Contact")).filter((r) => r.LastName === "Coral");
  assert.equal(coral.AccountId, answer.compositeResponse[0].body.id);
});

test("Bulk 2.0 in and out", async () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({ Name: `Wave ${i}` }));
  const done = await connection.bulk2.loadAndWaitForResults({ object: "Account", operation: "insert", input: rows, pollInterval: 100, pollTimeout: 30000 });
  assert.equal(done.successfulResults.length, 300);
  assert.equal((await org.records("Account")).filter((r) => r.Name.startsWith("Wave ")).length, 300);
  const out = await (await connection.bulk2.query("SELECT Id, Name FROM Account WHERE Name LIKE 'Wave %'", { pollInterval: 100 })).toArray();
  assert.equal(out.length, 300);
});

test("metadata describe, list, CRUD", async () => {
  const described = await connection.metadata.describe("67.0");
  assert.ok(described.metadataObjects.length > 100);
  const saved = await connection.metadata.create("CustomLabel", { fullName: "Foam", language: "en_US", protected: false, shortDescription: "Foam", value: "Foam" });
  assert.equal(saved.success, true);
  assert.deepEqual([...(await org.components("CustomLabel")).keys()], ["Foam"]);
  const read = await connection.metadata.read("CustomLabel", "Foam");
  assert.equal(read.value, "Foam");
});

test("a session that has died is refreshed once, and the request is repeated", async () => {
  const asked = await fetch(`${org.url}/services/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "password", client_id: "PlatformCLI", scope: "refresh_token api", username: org.username, password: "simulator1" }),
  });
  const { refresh_token: refreshToken } = await asked.json();
  assert.ok(refreshToken);
  const renewing = new jsforce.Connection({
    oauth2: { clientId: "PlatformCLI", loginUrl: org.url },
    instanceUrl: org.url,
    accessToken: `${org.orgId.slice(0, 15)}!AQdead`,
    refreshToken,
    version: "67.0",
  });
  const given = [];
  renewing.on("refresh", (token) => given.push(token));
  const before = (await org.log()).length;
  const { totalSize } = await renewing.query("SELECT Id FROM User");
  assert.equal(totalSize, (await org.records("User")).length);
  assert.equal(given.length, 1);
  assert.notEqual(given[0], org.accessToken);
  const steps = (await org.log()).slice(before).map((request) => `${request.path.split("?")[0]} ${request.status}`);
  assert.deepEqual(steps, [
    "/services/data/v67.0/query 401",
    "/services/oauth2/token 200",
    "/services/data/v67.0/query 200",
  ]);
  await renewing.query("SELECT Id FROM User");
  assert.equal(given.length, 1);
});

test("password login, then a revoked session", async () => {
  const other = new jsforce.Connection({ loginUrl: org.url, version: "62.0" });
  await other.login(org.username, "simulator1");
  assert.equal(other.userInfo.organizationId, org.orgId);
  await other.logout();
  const dead = new jsforce.Connection({ instanceUrl: org.url, accessToken: `${org.orgId.slice(0, 15)}!AQdead`, version: "67.0" });
  await assert.rejects(dead.query("SELECT Id FROM Account"), (error) => error.errorCode === "INVALID_SESSION_ID");
});
