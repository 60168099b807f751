/** Loaded before the program: says each time that its process takes a request how many there were. */
import { subscribe } from 'node:diagnostics_channel';

let taken = 0;
subscribe('http.server.request.start', () => {
  taken += 1;
  process.stderr.write(`requests taken: ${taken}\n`);
});
