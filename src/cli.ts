import { requireNode } from './app/node-version.js';

requireNode();
await import('./cli/run.js');
