// Calls sfdx-git-delta as a library and prints its own time without the start of node and of its modules.
// Usage: node sgd-library.mjs REPOSITORY FROM TO OUT
import sgd from 'sfdx-git-delta';

const [repo, from, to, output] = process.argv.slice(2);
const started = performance.now();
const result = await sgd({ from, to, output, source: ['force-app'], repo, generateDelta: false });
const milliseconds = performance.now() - started;
console.log(JSON.stringify({ milliseconds, warnings: (result.warnings ?? []).map((warning) => warning.message) }));
if (result.error) {
  console.error(result.error.message);
  process.exit(1);
}
