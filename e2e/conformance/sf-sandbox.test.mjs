// sf: create, refresh, resume and delete a sandbox.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Sf } from "./sf.mjs";
import { startWorld } from "./world.mjs";

let world, sf, prod;
before(async () => {
  world = await startWorld();
  sf = new Sf();
  prod = world.org("prod");
  await sf.json([
    "org", "login", "jwt", "--client-id", world.start.clientId, "--jwt-key-file", world.start.jwtKeyFile,
    "--username", prod.username, "--instance-url", prod.url, "--alias", "prod",
  ]);
});
after(async () => {
  sf.remove();
  await world.stop();
});

/** The orgs of the world, after what was due has happened. */
const sandboxes = async () => {
  await fetch(`${prod.url}/services/data`);
  return (await prod.control("GET", "world")).orgs;
};

test("create logs in to the new org", async () => {
  const { result } = await sf.json([
    "org", "create", "sandbox", "-o", "prod", "-n", "qa1", "-l", "Developer", "-a", "qa1", "-w", "3", "-i", "15", "--no-prompt", "--no-track-source",
  ]);
  const made = (await sandboxes()).find((org) => org.name === "qa1");
  assert.ok(made, "the world has the sandbox");
  assert.equal(result.SandboxOrganization, made.id.slice(0, 15));
  const display = await sf.json(["org", "display", "-o", "qa1"]);
  assert.equal(display.result.id, made.id);
});

test("refresh gives the sandbox another org id", async () => {
  await prod.control("POST", "clock", { step: 3 * 24 * 3600 * 1000 });
  const before = (await sandboxes()).find((org) => org.name === "qa1").id;
  await sf.json(["org", "refresh", "sandbox", "-o", "prod", "-n", "qa1", "--async", "--no-prompt"], { exit: 68 });
  await sf.json(["org", "resume", "sandbox", "-o", "prod", "-n", "qa1", "-w", "3"]);
  const after = (await sandboxes()).find((org) => org.name === "qa1").id;
  assert.notEqual(after, before);
});

test("delete ends the sandbox", async () => {
  await sf.json(["org", "delete", "sandbox", "-o", "qa1", "--no-prompt"]);
  assert.ok(!(await sandboxes()).some((org) => org.name === "qa1"));
});
