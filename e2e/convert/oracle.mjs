// Converts a project with the Salesforce command line, and back.
//
//   node oracle.mjs ../conformance FOLDER
//
// FOLDER/project becomes FOLDER/mdapi, and that FOLDER/source, a project with the same sfdx-project.json.
import { cpSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [clients, folder] = process.argv.slice(2).map((path) => resolve(path));
const { Sf } = await import(pathToFileURL(join(clients, 'sf.mjs')));
const [project, mdapi, source] = ['project', 'mdapi', 'source'].map((name) => join(folder, name));
const sf = new Sf();
try {
  const root = join(project, 'force-app');
  await sf.json(['project', 'convert', 'source', '--root-dir', root, '--output-dir', mdapi], { cwd: project });
  mkdirSync(source);
  cpSync(join(project, 'sfdx-project.json'), join(source, 'sfdx-project.json'));
  const out = join(source, 'force-app');
  mkdirSync(out);
  await sf.json(['project', 'convert', 'mdapi', '--root-dir', mdapi, '--output-dir', out], { cwd: source });
} finally {
  sf.remove();
}
