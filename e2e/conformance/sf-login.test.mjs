// sf: login by access token and by JWT, org display, org list, logout.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Sf } from "./sf.mjs";
import { program as syncline, startWorld } from "./world.mjs";

let world, sf;
before(async () => {
  world = await startWorld("", ["--tls"]);
  sf = new Sf({ NODE_EXTRA_CA_CERTS: world.start.caFile });
});
after(async () => {
  sf.remove();
  await world.stop();
});

test("login access-token stores the org of the token", async () => {
  const prod = world.org("prod");
  const { result } = await sf.login(prod);
  assert.equal(result.orgId, prod.orgId);
  assert.equal(result.username, prod.username);
});

test("login jwt is granted a session of that user", async () => {
  const uat = world.org("uat");
  const { result } = await sf.json([
    "org", "login", "jwt", "--client-id", world.start.clientId, "--jwt-key-file", world.start.jwtKeyFile,
    "--username", uat.username, "--instance-url", uat.url, "--alias", "uat",
  ]);
  assert.equal(result.orgId, uat.orgId);
  const asked = (await uat.log()).filter((request) => request.path === "/services/oauth2/token");
  assert.deepEqual(asked.map((request) => request.status), [200]);
});

test("display says connected and sandbox or not", async () => {
  const { result } = await sf.json(["org", "display", "-o", "prod"]);
  assert.equal(result.connectedStatus, "Connected");
  assert.equal(result.id, world.org("prod").orgId);
});

test("list shows both orgs, the sandbox as one", async () => {
  const { result } = await sf.json(["org", "list"]);
  const names = (orgs) => orgs.map((org) => org.alias).sort();
  assert.deepEqual(names(result.sandboxes), ["uat"]);
  assert.ok(names(result.nonScratchOrgs).includes("prod"));
});

test("login sfdx-url signs in with the refresh token", async () => {
  const dev1 = world.org("dev1");
  const asked = await fetch(`${dev1.url}/services/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "password", client_id: "PlatformCLI", scope: "refresh_token api", username: dev1.username, password: "simulator1" }),
  });
  const { refresh_token: token } = await asked.json();
  const file = join(sf.home, "auth.txt");
  writeFileSync(file, `force://PlatformCLI::${token}@${new URL(dev1.httpsUrl).host}`);
  const { result } = await sf.json(["org", "login", "sfdx-url", "--sfdx-url-file", file, "--alias", "dev1"]);
  assert.equal(result.orgId, dev1.orgId);
});

test("syncline uses the logins as sf has stored them", async () => {
  const program = (...args) => execFileSync(syncline, [...args, "--json"], { encoding: "utf8", env: { PATH: process.env.PATH, HOME: sf.home, SYNCLINE_CA: world.start.caFile } });
  for (const name of ["prod", "uat", "dev1"]) {
    const kept = JSON.parse(program("org", "login", name, "--from-sf", name));
    assert.equal(kept.orgId, world.org(name).orgId);
    assert.equal(kept.grant, "sf CLI");
    const { records } = JSON.parse(program("org", "query", name, "SELECT Username FROM User"));
    assert.ok(records.some((user) => user.Username === world.org(name).username));
  }
});

test("a dead token is told as such", async () => {
  const dev1 = world.org("dev1");
  const answer = await sf.json(
    ["org", "login", "access-token", "--instance-url", dev1.url, "--no-prompt"],
    { exit: 1, env: { SF_ACCESS_TOKEN: `${dev1.orgId.slice(0, 15)}!AQdead` } },
  );
  assert.match(answer.message, /Bad_OAuth_Token|Session expired|INVALID_SESSION_ID|INVALID_AUTH/i);
});

test("logout forgets the org", async () => {
  await sf.json(["org", "logout", "-o", "uat", "--no-prompt"]);
  const { result } = await sf.json(["org", "list"]);
  assert.deepEqual(result.sandboxes.map((org) => org.alias), ["dev1"]);
});
