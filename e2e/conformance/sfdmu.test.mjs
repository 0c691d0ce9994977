// SFDMU: copies accounts with their contacts from one org to another, and exports them to CSV.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Sf } from "./sf.mjs";
import { startWorld } from "./world.mjs";

let world, sf, uat, dev1;
before(async () => {
  world = await startWorld();
  sf = new Sf();
  uat = world.org("uat");
  dev1 = world.org("dev1");
  await sf.run(["plugins", "link", join(import.meta.dirname, "node_modules/sfdmu"), "--no-install"]);
  await sf.login(uat);
});
after(async () => {
  sf.remove();
  await world.stop();
});

const orgs = () => [uat, dev1].map((org) => ({ name: org.name, orgUserName: org.username, instanceUrl: org.url, accessToken: org.accessToken }));

async function sfdmu(folder, source, target) {
  const done = await sf.run(["sfdmu", "run", "-s", source, "-u", target, "-p", folder, "--noprompt"]);
  assert.equal(done.code, 0, done.stdout + done.stderr);
}

test("org to org", async () => {
  const made = await sf.json(["data", "create", "record", "-o", "uat", "-s", "Account", "-v", "Name=Marina"]);
  await sf.json(["data", "create", "record", "-o", "uat", "-s", "Contact", "-v", `LastName=Jetty AccountId=${made.result.id}`]);
  const folder = sf.folder("copy");
  writeFileSync(
    join(folder, "export.json"),
    JSON.stringify({
      orgs: orgs(),
      objects: [
        { query: "SELECT Id, Name FROM Account WHERE Name = 'Marina'", operation: "Upsert", externalId: "Name" },
        { query: "SELECT Id, LastName, AccountId FROM Contact WHERE LastName = 'Jetty'", operation: "Upsert", externalId: "LastName" },
      ],
    }),
  );
  await sfdmu(folder, "uat", "dev1");
  const [marina] = (await dev1.records("Account")).filter((r) => r.Name === "Marina");
  const [jetty] = (await dev1.records("Contact")).filter((r) => r.LastName === "Jetty");
  assert.ok(marina && jetty);
  assert.equal(jetty.AccountId, marina.Id);
});

test("org to CSV", async () => {
  const folder = sf.folder("csv");
  writeFileSync(
    join(folder, "export.json"),
    JSON.stringify({ orgs: orgs(), objects: [{ query: "SELECT Id, Name FROM Account", operation: "Readonly", externalId: "Name" }] }),
  );
  await sfdmu(folder, "uat", "csvfile");
  assert.match(readFileSync(join(folder, "Account.csv"), "utf8"), /Marina/);
});
