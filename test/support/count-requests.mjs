/** Loaded before the program: counts the requests that its process takes, and says so when it ends. */
import { subscribe } from 'node:diagnostics_channel';

let taken = 0;
subscribe('http.server.request.start', () => (taken += 1));
process.on('exit', () => process.stderr.write(`requests taken: ${taken}\n`));
