import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { signedUser, startBundled, type SignedUser } from '../support/cluster.js';
import type { RunningProcess } from '../support/processes.js';
import { frame, RawConnection } from '../support/raw-connection.js';
import { redeemOnce } from '../support/redeemers.js';
import { cursorNow, openWorld, PATIENT, seedCampaign, seedTenant, type World } from '../support/world.js';

const HEAP_MIB = 128;
/** Less than what the floods of large messages send; the collector alone may let the heap grow to its limit. */
const GROWTH_MIB_MAX = 192;
const FLOODERS = 8;
const MIB = 1024 * 1024;
/** Longer than a client may read nothing, and may take to close. */
const ENDED_MS = 60_000;
/** Long enough to fill the memory of a process that buffers everything. */
const FILLED_MS = 2000;
const EVENTS = 40;

let world: World;
let api: RunningProcess;
let user: SignedUser;
let codes: readonly string[];
beforeAll(async () => {
  world = await openWorld();
  const tenant = await seedTenant(world);
  ({ codes } = await seedCampaign(world, tenant, EVENTS + 10));
  user = await signedUser(world, tenant.tenantId);
  api = await startBundled({
    role: 'api',
    databaseUrl: inject('databaseUrl'),
    redisUrl: inject('redisUrl'),
    environment: {
      NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}`,
      ...PATIENT,
      // The allowance would end the floods long before they could fill anything.
      WS_MESSAGES_PER_S: '100000',
      WS_SLOW_READER_MS: '2000',
    },
  });
});
afterAll(async () => {
  await api?.stop();
  await world?.close();
});

function residentMib(): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8')) ?? [];
  return Number(kib) / 1024;
}

/** Opens a socket, and from then on reads nothing. */
async function deafSocket(token?: string): Promise<RawConnection> {
  const connection = await RawConnection.upgraded(api.url);
  const payload = token === undefined ? {} : { authorization: `Bearer ${token}`, 'x-product-code': 'DEMO' };
  connection.say({ type: 'connection_init', payload });
  await connection.answers(/connection_ack/);
  connection.socket.pause();
  return connection;
}

/** Sends until all is sent or the server takes no more. */
async function flood(connection: RawConnection, part: Buffer, bytes: number): Promise<void> {
  const { socket } = connection;
  for (let sent = 0; sent < bytes && !socket.destroyed; sent += part.length) {
    if (socket.write(part)) continue;
    const drained = new Promise<void>((resolve) => {
      socket.once('drain', () => resolve());
    });
    await Promise.race([drained, connection.closed]);
  }
}

/** How high the memory of the process goes during the work. */
async function peakMib(work: Promise<unknown>): Promise<number> {
  let peak = residentMib();
  const sampling = setInterval(() => (peak = Math.max(peak, residentMib())), 50);
  await work.finally(() => clearInterval(sampling));
  return peak;
}

let next = 0;
async function redeem(): Promise<string> {
  const wish = { user, code: codes[next++] ?? '' };
  return (await redeemOnce(api.url, wish)).outcome;
}

describe('clients that send and never read', () => {
  it.each<[string, number, boolean, Buffer]>([
    [
      'pings of the protocol',
      32,
      true,
      frame(JSON.stringify({ type: 'ping', payload: { pad: 'x'.repeat(900) } })),
    ],
    ['small pings', 1, false, Buffer.concat(Array.from({ length: 1000 }, () => frame('{"type":"ping"}')))],
    ['ping frames', 32, true, frame('x'.repeat(100), 9)],
    [
      'operations that cannot run',
      1,
      false,
      frame(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ nothing }'.repeat(20) } })),
    ],
  ])('with %s leave the memory small and do not harm others', async (_name, mib, areEnded, part) => {
    const before = residentMib();
    const sockets = await Promise.all(Array.from({ length: FLOODERS }, async () => deafSocket()));
    const flooding = Promise.all(sockets.map(async (socket) => flood(socket, part, mib * MIB)));
    // What fits into the buffers of the system is taken from the process, and worth no end.
    const ended = Promise.all(sockets.map(async (socket) => socket.closed));
    const peak = await peakMib(
      flooding.then(async () => Promise.race([ended, pause(areEnded ? ENDED_MS : FILLED_MS)])),
    );
    const open = sockets.filter(({ socket }) => !socket.closed).length;
    expect(areEnded ? open : 0).toBe(0);
    for (const socket of sockets) socket.reset();
    expect(peak - before).toBeLessThan(GROWTH_MIB_MAX);
    expect(await redeem()).toBe('COMMITTED');
  });

  it('and subscribe fifty times from the beginning leave the memory small and do not stop live events of others', async () => {
    for (let made = 0; made < EVENTS; made += 1) expect(await redeem()).toBe('COMMITTED');
    const fields = Array.from({ length: 12 }, (_, at) => `f${at}: cursor g${at}: redemptionId`).join(' ');
    const before = residentMib();
    const deaf = await Promise.all(Array.from({ length: 4 }, async () => deafSocket(user.token)));
    for (const socket of deaf) {
      for (let id = 0; id < 50; id += 1) {
        const query = `subscription { redemptionSettled(after: "0") { ${fields} } }`;
        socket.say({ id: String(id), type: 'subscribe', payload: { query } });
      }
    }
    const listening = await RawConnection.upgraded(api.url);
    listening.say({ type: 'connection_init', payload: { authorization: `Bearer ${user.token}` } });
    await listening.answers(/connection_ack/);
    const after = await cursorNow(world, user.tenantId);
    const query = `subscription { redemptionSettled(after: "${after}") { eventId status } }`;
    listening.say({ id: 'live', type: 'subscribe', payload: { query } });
    await pause(500);
    const peak = await peakMib(redeem());
    await listening.answers(/redemptionSettled[^}]*COMMITTED/);
    expect(peak - before).toBeLessThan(GROWTH_MIB_MAX);
    for (const socket of [...deaf, listening]) socket.reset();
    expect(await redeem()).toBe('COMMITTED');
  });
});
