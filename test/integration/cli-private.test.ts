import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockOwnerOf } from '../../src/platform/local-servers/data-dir-lock.js';
import { spawnTethered } from '../../src/platform/local-servers/tethered-process.js';
import { CLI, lineOf, runCli } from '../support/cli.js';
import { COMPILED } from '../support/processes.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let dataDir = '';
const cli = async (...args: string[]) => runCli({ DATA_DIR: dataDir }, args);

beforeAll(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'redeemkit-cli-private-'));
});

afterAll(() => {
  rmSync(dataDir, { recursive: true, force: true });
});

describe('without addresses of stores', () => {
  it('starts private servers for the time of the command, and keeps what was made', async () => {
    expect(await lineOf(cli('tenant', 'create', '--id', 'CH_1', '--name', 'Channel'))).toBe('CH_1');
    expect(lockOwnerOf(dataDir, 'local-servers')).toBeUndefined();
    expect(await lineOf(cli('token', '--tenant', 'CH_1', '--user', 'u'))).toMatch(/^ey[\w.-]+$/);
    expect(await cli('migrate')).toEqual({
      stdout: 'Nothing to do: the schema is up to date.\n',
      stderr: '',
      status: 0,
    });
  });

  it('waits for its turn while another command has the servers', async () => {
    const both = ['u1', 'u2'].map(async (user) => lineOf(cli('token', '--tenant', 'CH_1', '--user', user)));
    expect(await Promise.all(both)).toHaveLength(2);
  });

  it('stops them when it is interrupted', async () => {
    const args = [CLI, 'token', '--tenant', 'CH_1', '--user', 'u'];
    const command = spawn(process.execPath, args, {
      env: { ...COMPILED, DATA_DIR: dataDir },
      stdio: 'ignore',
    });
    const status = new Promise((resolve) => {
      command.once('exit', resolve);
    });
    while (lockOwnerOf(dataDir, 'local-servers') === undefined) await pause(10);
    command.kill('SIGINT');
    expect(await status).toBe(130);
    expect(lockOwnerOf(dataDir, 'local-servers')).toBeUndefined();
    const left = ['mariadb.json', 'redis.json'].filter((file) => existsSync(path.join(dataDir, 'run', file)));
    expect(left).toEqual([]);
  });

  it('uses the servers of a Redeemkit that runs with the data, and leaves them running', async () => {
    const redeemkit = spawnTethered(process.execPath, [MAIN], {
      env: { ...COMPILED, DATA_DIR: dataDir, PORT: '0' },
      output: 'ignore',
    });
    try {
      const demo = await demoFile(redeemkit);
      const token = await lineOf(cli('token', '--tenant', 'DEMO', '--user', 'demo-owner', '--role', 'OWNER'));
      const answer = await fetch(`${demo.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: '{ campaigns { total } }' }),
      });
      expect(await answer.json()).toEqual({ data: { campaigns: { total: 1 } } });
    } finally {
      await ended(redeemkit);
    }
  }, 90_000);
});

async function demoFile(redeemkit: ChildProcess): Promise<{ url: string }> {
  const file = path.join(dataDir, 'demo.json');
  while (!existsSync(file)) {
    if (redeemkit.exitCode !== null) throw new Error(`The Redeemkit ended with ${redeemkit.exitCode}.`);
    await pause(100);
  }
  return JSON.parse(readFileSync(file, 'utf8')) as { url: string };
}

async function ended(redeemkit: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => {
    redeemkit.once('exit', resolve);
  });
  if (redeemkit.exitCode !== null) return;
  redeemkit.kill('SIGTERM');
  await exit;
}
