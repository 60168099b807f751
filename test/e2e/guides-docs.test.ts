import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { isAsShown, runSamples, samplesOf, startSettingsOf } from '../support/page-samples.js';
import { COMPILED, startProcess, type RunningProcess } from '../support/processes.js';
import { RedisServer } from '../support/redis-server.js';
import { createEmptyDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import { placeDatabase } from '../support/test-servers.js';
import { PATIENT } from '../support/world.js';

const PAGES = ['docs/start.md', ...readdirSync('docs/guides').map((name) => `docs/guides/${name}`)];
/** What a checkout has for them: the commands of the program, its packages, the examples. */
const CHECKOUT = ['package.json', 'scripts', 'src', 'dist', 'docs', 'node_modules'];

let folder = '';
/** Runs the commands of the pages. */
let commandServer: ChildProcess;
let server: RunningProcess;
let database: ScratchDatabase;
let redis: RedisServer;
beforeAll(async () => {
  database = await createEmptyDatabase(inject('databaseUrl'));
  redis = await RedisServer.start();
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-guides-'));
  for (const name of CHECKOUT) symlinkSync(path.resolve(name), path.join(folder, name));
  commandServer = fork(path.resolve('test/support/command-server.mjs'), [folder], { env: COMPILED });
  const [port] = (await once(commandServer, 'message')) as [number];
  writeCommands(path.join(folder, 'bin'), port);
  const settings = Object.assign({}, ...PAGES.map(startSettingsOf)) as Record<string, string>;
  // Its secrets are those of its own data folder, so that the commands find them there.
  const own = { DATA_DIR: path.join(folder, '.data'), NODE_ENV: '', JWT_SECRET: '', CODE_PEPPER: '' };
  placeDatabase(inject('databaseTemplate'), own.DATA_DIR);
  server = await startProcess({ environment: { ...PATIENT, ...own, ...settings } });
});
afterAll(async () => {
  commandServer?.kill();
  await server?.stop();
  await redis?.stop();
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** The Node of this run, and an `npx redeemkit` that hands the command to {@link commandServer}. bin.test.ts proves the real one. */
function writeCommands(bin: string, port: number): void {
  mkdirSync(bin);
  symlinkSync(process.execPath, path.join(bin, 'node'));
  const npx = `#!/bin/sh
shift
input=/dev/null
for argument; do [ "$argument" != - ] || input=/dev/stdin; done
answer=$({ printf '%s\\0' "$PWD" "$#" "$@"; env -0; printf '\\0'; cat $input; } |
  curl -sS --data-binary @- http://127.0.0.1:${port})
folder=\${answer#* }
cat "$folder/stdout"
cat "$folder/stderr" >&2
rm -r "$folder"
exit "\${answer%% *}"
`;
  writeFileSync(path.join(bin, 'npx'), npx, { mode: 0o755 });
}

/** What a reader has set before the commands of a page. */
async function environmentOf(page: string): Promise<NodeJS.ProcessEnv> {
  const PATH = `${path.join(folder, 'bin')}:${process.env['PATH']}`;
  const env = { ...COMPILED, ...PATIENT, PATH, HOME: folder, DATA_DIR: path.join(folder, '.data') };
  if (!page.endsWith('go-to-production.md')) return env;
  const PORT = String(await findFreePort());
  return { ...env, DATABASE_URL: database.databaseUrl, REDIS_URL: redis.url, PORT };
}

it.each(PAGES)('the commands of %s do what the page shows', async (page) => {
  // The stream of events is proved by readme.test.ts, with a restart of the server in between.
  const samples = samplesOf(page).filter(({ commands }) => !commands.includes('client.iterate'));
  const runs = await runSamples(samples, { cwd: folder, env: await environmentOf(page) });
  const unlike = samples.flatMap((sample, at) => {
    const made = runs[at];
    if (made !== undefined && isAsShown(sample, made)) return [];
    return [`${page}:${sample.line}\n${made?.said}\n${made?.complained}`];
  });
  expect(unlike).toEqual([]);
});
