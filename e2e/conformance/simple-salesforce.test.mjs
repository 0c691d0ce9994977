// simple-salesforce: TLS with the simulator's own certificate authority.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startWorld } from "./world.mjs";

const here = import.meta.dirname;
let world, org;
before(async () => {
  world = await startWorld("", ["--tls"]);
  org = world.org("uat");
});
after(() => world.stop());

test("calls have their effect", async () => {
  const python = process.env.SYNCLINE_CONFORMANCE_PYTHON ?? join(here, ".venv/bin/python");
  const { stdout } = await promisify(execFile)(python, [join(here, "simple_salesforce_calls.py"), org.httpsUrl, org.username], {
    env: { ...process.env, REQUESTS_CA_BUNDLE: world.start.caFile },
  });
  const said = Object.fromEntries(stdout.trim().split("\n").map((line) => JSON.parse(line)).map(({ call, value }) => [call, value]));
  assert.equal(said["bulk2"], 250);
  assert.equal(said["bulk2 query"], 250);
  assert.equal(said["get"], "Energy");
  assert.equal(said["wrong query"], "INVALID_FIELD");
  assert.equal(said["update"], 204);
  assert.equal(said["delete"], 204);
  const names = (await org.records("Account")).map((r) => r.Name);
  assert.equal(names.filter((name) => name.startsWith("Mussel ")).length, 250);
  assert.ok(!names.includes("Barnacle"));
});
