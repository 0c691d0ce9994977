// Starts `syncline simulator` for a test file and reads its state past the APIs under test.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const program = process.env.SYNCLINE_BIN ?? resolve(import.meta.dirname, "../../target/debug/syncline");

/** A running simulator. `config` is TOML put before the defaults; stop it with `await world.stop()`. */
export async function startWorld(config = "", flags = []) {
  const folder = mkdtempSync(join(tmpdir(), "syncline-conformance-"));
  const file = join(folder, "world.toml");
  writeFileSync(file, config);
  const child = spawn(program, ["simulator", "start", "--json", "--config", file, "--port", "0", ...flags], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let talk = "";
  child.stderr.on("data", (bytes) => (talk += bytes));
  const start = await new Promise((done, failed) => {
    let text = "";
    child.on("error", failed);
    child.on("exit", (code) => failed(new Error(`the simulator ended with ${code}: ${talk}`)));
    child.stdout.on("data", (bytes) => {
      text += bytes;
      const end = text.indexOf("\n");
      if (end >= 0) done(JSON.parse(text.slice(0, end)));
    });
  });
  return new World(child, folder, start);
}

class World {
  constructor(child, folder, start) {
    this.child = child;
    this.folder = folder;
    this.start = start;
  }

  /** An org by its short name: `url`, `httpsUrl`, `orgId`, `username`, `accessToken`. */
  org(name) {
    const org = this.start.orgs.find((org) => org.name === name);
    if (!org) throw new Error(`no org ${name} in this world`);
    return new Org(org);
  }

  async stop() {
    this.child.removeAllListeners("exit");
    this.child.kill("SIGTERM");
    await new Promise((done) => (this.child.exitCode === null ? this.child.on("exit", done) : done()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** An org as the simulator itself sees it. */
class Org {
  constructor(start) {
    Object.assign(this, start);
  }

  /** Records of an object that are not deleted, straight from the org's database. */
  async records(object) {
    return (await this.control("GET", `records/${object}?limit=1000000`)).records.filter((record) => !record.IsDeleted);
  }

  /** Components of a metadata type: full name to entry. */
  async components(type) {
    const { components } = await this.control("GET", `components?type=${encodeURIComponent(type)}`);
    return new Map(components.map((component) => [component.name, component]));
  }

  /** Requests the org has answered, oldest first. */
  async log() {
    return (await this.control("GET", "log")).requests;
  }

  async control(method, path, body) {
    const reply = await fetch(`${this.url}/_simulator/${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} /_simulator/${path}: ${reply.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
}
