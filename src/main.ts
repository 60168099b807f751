import { requireNode } from './app/node-version.js';

requireNode();
await import('./app/serve.js');
