import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startBundled } from '../support/cluster.js';
import {
  consumerOf,
  countRows,
  eventOf,
  openDirectoryWorld,
  tenantRow,
  type DirectoryWorld,
} from '../support/directory-world.js';
import { RedisServer } from '../support/redis-server.js';
import { holdRows } from '../support/row-lock.js';
import { TcpForwarder } from '../support/tcp-forwarder.js';

let its: DirectoryWorld;
let forwarder: TcpForwarder;
/** A worker of its own takes the jobs of a Redis of its own. */
let redis: RedisServer;
beforeAll(async () => {
  [its, redis] = await Promise.all([openDirectoryWorld(), RedisServer.start()]);
  forwarder = await TcpForwarder.start(Number(new URL(inject('redisUrl')).port));
});
afterAll(async () => {
  await consumerOf(its.worlds[0]).stop();
  await forwarder?.close();
  await redis?.close();
  await its?.close();
});

it('S4.16 an event whose worker is killed between its commit and its acknowledgement is applied once', async () => {
  const [world] = its.worlds;
  const { tenantId } = await its.addTenant();
  const known = its.directory.set(tenantId);
  const events = new URL(inject('redisUrl'));
  events.port = String(forwarder.port);
  const victim = await startBundled({
    role: 'worker',
    databaseUrl: its.databaseUrl,
    redisUrl: redis.url,
    environment: { ...its.environment, DIRECTORY_EVENTS_URL: events.href, DIRECTORY_REDELIVER_MS: '60000' },
  });
  await expect.poll(async () => (await tenantRow(world, tenantId)).directoryVersion).toBe(known.version);
  const before = await tenantRow(world, tenantId);
  // It reads the event, and waits for the row of the tenant.
  const letGo = await holdRows(world, tenantId, 'select id from tenant where id = ? for update');
  // The event alone says so: the worker asks for states when it starts, at any moment of this test.
  await its.publish(eventOf({ ...known, name: 'Renamed', version: known.version + 1 }));
  await expect.poll(its.waitingForLocks).toBeGreaterThan(0);
  // The row is free, and Redis gone: the commit stands, and the acknowledgement is lost.
  forwarder.mute(true);
  forwarder.deaden();
  await letGo();
  await expect.poll(async () => (await tenantRow(world, tenantId)).name).toBe('Renamed');
  await victim.kill();
  expect(await its.unacknowledged()).toBe(1);
  consumerOf(world).start();
  await expect.poll(its.unacknowledged).toBe(0);
  expect(await tenantRow(world, tenantId)).toMatchObject({
    directoryVersion: known.version + 1,
    version: before.version + 1,
  });
  expect(await countRows(world, 'tenant_event')).toBe(1);
  // It is counted behind the acknowledgement.
  const counts = async () => {
    const { values } = await world.services.metrics.directoryEvents.get();
    return values.map(({ labels, value }) => [labels.outcome, value]);
  };
  await expect.poll(counts).toEqual([['DUPLICATE', 1]]);
});
