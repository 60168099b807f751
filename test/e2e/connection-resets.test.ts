import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { findFreePort } from '../../src/platform/local-servers/loopback.js';
import { signedUser, startBundled } from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { spawnProcess, type RunningProcess } from '../support/processes.js';
import { RawConnection } from '../support/raw-connection.js';
import { HTTP_STAGES, SOCKET_STAGES, UPGRADE_STAGES } from '../support/reset-stages.js';
import { openWorld, seedTenant, type World } from '../support/world.js';

/** How long the process is left alone between a stage and the reset: nothing, or enough for its answer to begin. */
const DELAYS_MS = [0, 0, 1, 5, 30];

let world: World;
let api: RunningProcess;
let token: string;
let logged: () => string[];
beforeAll(async () => {
  world = await openWorld();
  const { tenantId } = await seedTenant(world);
  ({ token } = await signedUser(world, tenantId));
  api = await start();
  logged = logOf(api);
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

async function start(environment: Record<string, string> = {}): Promise<RunningProcess> {
  const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
  return startBundled({ role: 'api', ...urls, environment: { STORE_TIMEOUT_MS: '10000', ...environment } });
}

/** What a process has logged since it was up, from the level `warn` on. */
function logOf({ said }: RunningProcess): () => string[] {
  const { length } = said();
  return () =>
    said()
      .slice(length)
      .split('\n')
      .filter((line) => line.startsWith('{'));
}

type Stages = typeof HTTP_STAGES;

async function resetAt(url: string, stages: Stages, name: string): Promise<void> {
  await Promise.all(
    DELAYS_MS.map(async (delayMs) => {
      const connection = await stages[name]?.(url, token);
      await pause(delayMs);
      connection?.reset();
      await connection?.closed;
    }),
  );
}

/** Whether it answers on every way, and what it has logged. */
async function health() {
  const { status: ready } = await fetch(`${api.url}/readyz`);
  const { status: graphql } = await graphqlRequest(api.url, { query: '{ __typename }' });
  const socket = await RawConnection.upgraded(api.url);
  socket.say({ type: 'connection_init' });
  await socket.answers(/connection_ack/);
  socket.reset();
  return { ready, graphql, logged: logged() };
}

const UNHARMED = { ready: 200, graphql: 200, logged: [] };

describe('a connection that is reset', () => {
  it.each(Object.keys(HTTP_STAGES))('%s harms nothing and is worth no warning', async (name) => {
    await resetAt(api.url, HTTP_STAGES, name);
    expect(await health()).toEqual(UNHARMED);
  });

  it.each(Object.keys(UPGRADE_STAGES))(
    'after an upgrade %s harms nothing and is worth no warning',
    async (name) => {
      await resetAt(api.url, UPGRADE_STAGES, name);
      expect(await health()).toEqual(UNHARMED);
    },
  );

  it.each(Object.keys(SOCKET_STAGES))(
    'as a socket %s harms nothing and is worth no warning',
    async (name) => {
      await resetAt(api.url, SOCKET_STAGES, name);
      expect(await health()).toEqual(UNHARMED);
    },
  );

  it('while the process drains does not keep it from ending with code 0', async () => {
    const leaving = await start({ DRAIN_GRACE_MS: '4000' });
    const loggedThere = logOf(leaving);
    const held = await RawConnection.upgraded(leaving.url);
    held.say({ type: 'connection_init' });
    await held.answers(/connection_ack/);
    const stopped = leaving.stop();
    while ((await fetch(`${leaving.url}/readyz`)).status === 200) await pause(5);
    for (const stages of [HTTP_STAGES, UPGRADE_STAGES]) {
      await Promise.all(
        Object.keys(stages).map(async (name) => resetAt(leaving.url, stages, name).catch(() => undefined)),
      );
    }
    held.reset();
    await stopped;
    expect(loggedThere()).toEqual([]);
  });
});

describe('a reader of the output of the process', () => {
  it('may go without harm to it', async () => {
    const urls = { databaseUrl: inject('databaseUrl'), redisUrl: inject('redisUrl') };
    const port = String(await findFreePort());
    const { child, exited } = spawnProcess({
      role: 'api',
      ...urls,
      environment: { LOG_LEVEL: 'debug', PORT: port },
    });
    const url = `http://127.0.0.1:${port}`;
    child.stdout?.destroy();
    child.stderr?.destroy();
    const isUp = async (): Promise<number> => (await fetch(`${url}/healthz`)).status;
    await expect.poll(isUp).toBe(200);
    const socket = await RawConnection.upgraded(url);
    socket.send(Buffer.from([0xf1, 0x05, 1, 2, 3]));
    await socket.closed;
    expect(await isUp()).toBe(200);
    child.kill('SIGTERM');
    expect(await exited).toEqual({ code: 0, signal: null });
  });
});
