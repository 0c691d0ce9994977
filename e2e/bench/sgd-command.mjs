// Runs the command of sfdx-git-delta without the sf CLI around it, so a user's `sf sgd source delta` takes longer than this.
// Usage: node sgd-command.mjs sgd source delta --from A --to B --output-dir OUT
import { execute } from '@oclif/core';

await execute({ dir: import.meta.resolve('sfdx-git-delta') });
