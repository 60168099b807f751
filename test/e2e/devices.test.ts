import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthMethod, Device, TrialGrant } from '../../src/identity/devices/device.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import { staffToken, standingCluster, type Cluster } from '../support/cluster.js';
import {
  accessOf,
  deviceLogin,
  linkCodeOf,
  newIdentifier,
  newSecret,
  outcomeOf,
  refreshDevice,
  seedDeviceTenant,
  unbindDevice,
  type DevicePayload,
} from '../support/devices.js';
import { graphqlSubscribe, type GraphqlStream } from '../support/graphql-client.js';
import { cursorNow, emOf } from '../support/world.js';

const REVOKED = 'subscription ($after: String) { sessionRevoked(after: $after) { deviceId userId reason } }';

let cluster: Cluster;
let streams: GraphqlStream<Record<string, unknown>>[] = [];
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => {
  await Promise.all(streams.map(async (stream) => stream.close()));
  await cluster?.close();
});

/** A device with an open socket that hears of the end of its session. */
async function online(url: string, tenantId: string, { accessToken: token }: DevicePayload) {
  const after = await cursorNow(cluster.world, tenantId);
  const stream = await graphqlSubscribe(url, { token, query: REVOKED, variables: { after } });
  streams = [...streams, stream];
  const read = async () =>
    stream.next().then(
      (event) => event?.data?.['sessionRevoked'] ?? [],
      (error: unknown) => String(error),
    );
  // Read ahead: the client does not report a close that came while no read was waiting.
  let coming = read();
  /** The next event, or how the socket was closed. */
  return async () => {
    const next = await coming;
    coming = read();
    return next;
  };
}

/** How the socket was closed. Before that the device may be told of its own end, and of no other one's. */
async function endOf(next: () => Promise<unknown>, { deviceId }: DevicePayload): Promise<string> {
  for (;;) {
    const heard = await next();
    if (typeof heard === 'string') return heard;
    expect([undefined, deviceId]).toContain((heard as { deviceId?: string }).deviceId);
  }
}

/** A user with some devices, which have signed in one after the other. */
async function withDevices(url: string, tenantId: string, count: number): Promise<DevicePayload[]> {
  const first = await deviceLogin(url, tenantId, { identifier: newIdentifier(), secret: newSecret() });
  const others = [];
  for (let n = 1; n < count; n += 1) {
    const linkCode = await linkCodeOf(url, first.accessToken);
    others.push(await deviceLogin(url, tenantId, { identifier: newIdentifier(), linkCode }));
  }
  return [first, ...others];
}

/** Until so many devices of the user are online: a socket opens without waiting for that. */
async function areOnline(tenantId: string, userId: string, count: number): Promise<void> {
  const key = `{${tenantId}}:presence:online:${userId}`;
  await expect.poll(async () => cluster.world.stores.redis.hlen(key)).toBe(count);
}

describe('S1.2: ten parallel first logins at two processes', () => {
  it('make one user, one device and one trial, and all of them sign in with the secret that the client chose', async () => {
    const { world, urls } = cluster;
    const { tenantId } = await seedDeviceTenant(world, ({ planId }) => ({
      register: { trialPlanId: planId },
    }));
    const input = { identifier: newIdentifier(), secret: newSecret() };
    const answers = await Promise.all(
      Array.from({ length: 10 }, async (_none, index) => deviceLogin(urls[index % 2] ?? '', tenantId, input)),
    );
    expect(answers.map(outcomeOf)).toEqual(Array.from({ length: 10 }, () => 'OK'));
    expect(new Set(answers.map(({ userId, deviceId }) => `${userId} ${deviceId}`)).size).toBe(1);
    const em = emOf(world, tenantId);
    const rows = [await em.count(User, {}), await em.count(AuthMethod, {}), await em.count(Device, {})];
    expect([...rows, await em.count(TrialGrant, {})]).toEqual([1, 1, 1, 1]);
  });
});

describe('X.22, S1.12: unbinding a device', () => {
  it('ends its sockets, tokens and sessions at every process within seconds, and leaves other devices alone', async () => {
    const [a, b] = cluster.urls;
    const { tenantId } = await seedDeviceTenant(cluster.world);
    const [gone, kept] = (await withDevices(a, tenantId, 2)) as [DevicePayload, DevicePayload];
    const sockets = [await online(a, tenantId, gone), await online(b, tenantId, gone)];
    const other = await online(b, tenantId, kept);
    expect([await accessOf(a, gone.accessToken), await accessOf(b, gone.accessToken)]).toEqual(['OK', 'OK']);
    const unbound = await unbindDevice(a, kept.accessToken, gone.deviceId);
    expect(unbound.errors).toEqual([]);
    // At the process that has done it at once, at the other one within a second or so.
    expect(await accessOf(a, gone.accessToken)).toBe('SESSION_ENDED');
    await expect.poll(async () => accessOf(b, gone.accessToken)).toBe('SESSION_ENDED');
    for (const next of sockets) expect(await endOf(next, gone)).toContain('4403');
    expect(outcomeOf(await refreshDevice(b, gone.refreshToken))).toBe('SESSION_ENDED');
    expect(await accessOf(b, kept.accessToken)).toBe('OK');
    const last = await unbindDevice(b, staffToken(cluster.world, tenantId), kept.deviceId);
    expect(last.errors).toEqual([]);
    // The other device heard nothing of the first end, and now of its own.
    expect(await endOf(other, kept)).toContain('4403');
  });
});

describe('S1.13: too many devices online', () => {
  it('tell the one that has been online longest, and sign it off, across processes', async () => {
    const [a, b] = cluster.urls;
    const { tenantId } = await seedDeviceTenant(cluster.world, { device: { onlinePerUser: 2 } });
    const [first, second, third] = (await withDevices(a, tenantId, 3)) as [
      DevicePayload,
      DevicePayload,
      DevicePayload,
    ];
    const oldest = await online(a, tenantId, first);
    await areOnline(tenantId, first.userId, 1);
    await online(b, tenantId, second);
    await areOnline(tenantId, first.userId, 2);
    // A second socket of a device is no second device.
    await online(a, tenantId, second);
    expect(await accessOf(b, first.accessToken)).toBe('OK');
    await online(b, tenantId, third);
    const { deviceId, userId } = first;
    expect(await oldest()).toEqual({ deviceId, userId, reason: 'TOO_MANY_ONLINE' });
    expect(await endOf(oldest, first)).toContain('4403');
    await expect.poll(async () => accessOf(a, first.accessToken)).toBe('SESSION_ENDED');
    await expect.poll(async () => accessOf(b, first.accessToken)).toBe('SESSION_ENDED');
    expect([await accessOf(a, second.accessToken), await accessOf(b, third.accessToken)]).toEqual([
      'OK',
      'OK',
    ]);
    const { services } = cluster.world;
    expect(await services.access.refusalOf({ tenantId, userId, sessionId: second.sessionId })).toBeNull();
  });

  it('are counted as long as their sockets are open: one that has left makes room', async () => {
    const [a, b] = cluster.urls;
    const { tenantId } = await seedDeviceTenant(cluster.world, { device: { onlinePerUser: 1 } });
    const [first, second] = (await withDevices(a, tenantId, 2)) as [DevicePayload, DevicePayload];
    await online(a, tenantId, first);
    await areOnline(tenantId, first.userId, 1);
    await streams.at(-1)?.close();
    await areOnline(tenantId, first.userId, 0);
    await online(b, tenantId, second);
    await areOnline(tenantId, first.userId, 1);
    expect([await accessOf(a, first.accessToken), await accessOf(b, second.accessToken)]).toEqual([
      'OK',
      'OK',
    ]);
  });
});
