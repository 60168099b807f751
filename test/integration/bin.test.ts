import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { COMPILED } from '../support/processes.js';
import { TEST_SECRETS } from '../support/world.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'redeemkit-bin-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | string | null;
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const settings = { cwd: ROOT, env: { ...process.env, ...COMPILED, ...env }, timeout: 60_000 };
  return new Promise((resolve) => {
    execFile(command, args, settings, (error, stdout, stderr) => {
      resolve({ stdout, stderr, status: error === null ? 0 : (error.code ?? null) });
    });
  });
}

/** With a private cache and without a network, so that this checkout's program runs and no package of that name. */
const npx = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  run('npx', ['--offline', 'redeemkit', ...args], { npm_config_cache: path.join(folder, 'npm'), ...env });

it('npx redeemkit runs the built program of the checkout, and standard output is the program’s alone', async () => {
  const { stdout, status } = await npx(['schema']);
  expect(status).toBe(0);
  expect(stdout).toBe(readFileSync(path.join(ROOT, 'schema.graphql'), 'utf8'));
});

it('npx redeemkit reconcile --json prints JSON only, and ends with the status of the program', async () => {
  const env = {
    DATABASE_URL: inject('databaseUrl'),
    REDIS_URL: inject('redisUrl'),
    JWT_SECRET: TEST_SECRETS.jwtSecret,
    CODE_PEPPER: TEST_SECRETS.codePepper,
  };
  const looked = await npx(['reconcile', '--tenant', 'T_NOBODY', '--json'], env);
  expect({ ...looked, stderr: '' }).toEqual({ stdout: '', stderr: '', status: 2 });
  expect(looked.stderr).toMatch(/^TENANT_NOT_FOUND: /m);
  const { stdout } = await npx(['tenant', 'list', '--json'], env);
  expect(JSON.parse(stdout)).toMatchObject({ items: expect.any(Array) as unknown });
});

it('says in one line what to do when nothing is built, and writes nothing to standard output', async () => {
  const checkout = path.join(folder, 'checkout');
  cpSync(path.join(ROOT, 'scripts'), path.join(checkout, 'scripts'), { recursive: true });
  const { stdout, stderr, status } = await run(process.execPath, [
    path.join(checkout, 'scripts/redeemkit.mjs'),
    'schema',
  ]);
  expect({ stdout, status }).toEqual({ stdout: '', status: 1 });
  expect(stderr).toMatch(
    /^Redeemkit is not built yet: run `npm start` or `npm run build` in [^\n]+ first\.\n$/,
  );
});
