import { requireNode } from './node-version.js';

requireNode();
await import('./cli/run.js');
