/**
 * Runs commands of the built command line one after the other, each as if in a process of its own: a guide has dozens,
 * and the start of a process takes longer than what it does. Sends its port to its parent.
 *
 * A request holds, each ended by a zero byte: the folder, the number of arguments, the arguments, the environment, an
 * empty text; and then the standard input. The answer is the exit status and a folder with what the command has said.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommand } from '../../dist/cli/run.js';

const results = process.argv[2];

function parsed(body) {
  const [cwd, count, ...rest] = body.split('\0');
  const args = rest.splice(0, Number(count));
  const settings = rest.splice(0, rest.indexOf('') + 1).slice(0, -1);
  const env = Object.fromEntries(
    settings.map((each) => [each.slice(0, each.indexOf('=')), each.slice(each.indexOf('=') + 1)]),
  );
  return { cwd, args, env, input: rest.join('\0') };
}

/** Takes what is written to a stream meanwhile. */
function captured(stream) {
  const { write } = stream;
  let said = '';
  stream.write = (chunk, ...others) => {
    said += String(chunk);
    for (const written of others) if (typeof written === 'function') written();
    return true;
  };
  return () => {
    stream.write = write;
    return said;
  };
}

async function run({ cwd, args, env, input }) {
  process.chdir(cwd);
  process.env = env;
  Object.defineProperty(process, 'stdin', { value: Readable.from([input]), configurable: true });
  const [stdout, stderr] = [captured(process.stdout), captured(process.stderr)];
  await runCommand(args);
  const folder = mkdtempSync(path.join(results, 'command-'));
  writeFileSync(path.join(folder, 'stdout'), stdout());
  writeFileSync(path.join(folder, 'stderr'), stderr());
  const status = process.exitCode ?? 0;
  process.exitCode = undefined;
  return `${status} ${folder}\n`;
}

let turn = Promise.resolve();
const server = createServer((request, response) => {
  turn = turn.then(async () => response.end(await run(parsed(await text(request)))));
});
server.listen(0, '127.0.0.1', () => process.send(server.address().port));
