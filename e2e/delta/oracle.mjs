// Asks sfdx-git-delta for the packages between the two states of each scenario.
//
//   npm ci && node oracle.mjs > answers.tsv
//
// One line for each member: scenario, `+` (package.xml) or `-` (destructiveChanges.xml), `Type:Member`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import delta from 'sfdx-git-delta';

const here = dirname(fileURLToPath(import.meta.url));

/** `[{name, before: Map, after: Map}]`; the form is explained at the top of the file. */
function scenarios() {
  const found = [];
  let file;
  for (const line of readFileSync(join(here, 'scenarios.txt'), 'utf8').split('\n')) {
    const title = /^== (.+)$/.exec(line);
    const start = /^-- (before|after|both) (.+)$/.exec(line);
    if (title) {
      found.push({ name: title[1], before: new Map(), after: new Map() });
      file = undefined;
    } else if (start) {
      file = { states: start[1] === 'both' ? ['before', 'after'] : [start[1]], path: start[2] };
      for (const state of file.states) found.at(-1)[state].set(file.path, '');
    } else if (file) {
      for (const state of file.states) {
        const files = found.at(-1)[state];
        files.set(file.path, `${files.get(file.path)}${line}\n`);
      }
    }
  }
  return found;
}

function commit(folder, files) {
  const git = (...args) => execFileSync('git', ['-C', folder, '-c', 'user.name=x', '-c', 'user.email=x@example.com', ...args], { stdio: 'pipe' });
  git('rm', '-rfq', '--ignore-unmatch', '.');
  for (const [path, content] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  git('add', '-A');
  git('commit', '-qm', 'state', '--allow-empty');
}

const version = JSON.parse(readFileSync(join(here, 'node_modules/sfdx-git-delta/package.json'), 'utf8')).version;
console.log(`# sfdx-git-delta ${version}; written by oracle.mjs`);
for (const { name, before, after } of scenarios()) {
  const folder = mkdtempSync(join(tmpdir(), 'delta-'));
  execFileSync('git', ['init', '-q', folder]);
  commit(folder, before);
  commit(folder, after);
  const back = process.cwd();
  process.chdir(folder);
  const output = join(folder, 'out');
  mkdirSync(output);
  const work = await delta({
    from: 'HEAD~1', to: 'HEAD', output, source: ['.'], repo: folder,
    apiVersion: 65, generateDelta: false, ignoreWhitespace: false,
  });
  process.chdir(back);
  rmSync(folder, { recursive: true });
  for (const [sign, store] of [['+', work.diffs.package], ['-', work.diffs.destructiveChanges]]) {
    const members = [...store].flatMap(([type, names]) => [...names].map((member) => `${type}:${member}`));
    for (const member of members.sort()) console.log([name, sign, member].join('\t'));
  }
}
