import { requireNode } from './app/node-version.js';

requireNode();
const { runCommand } = await import('./cli/run.js');
await runCommand(process.argv.slice(2));
// All output has been waited for; a connection that is slow to close is no reason to keep anybody waiting.
process.exit();
