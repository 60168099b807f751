import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisScript } from '../../src/platform/redis/script.js';
import {
  codeOf,
  committedOf,
  encryptingTenant,
  openEnvelopeWorld,
  readyClient,
  redeemBody,
  sendSealed,
  VIEWER,
  type EnvelopeWorld,
} from '../support/envelope-world.js';

let its: EnvelopeWorld;
let url: string;
beforeAll(async () => {
  its = await openEnvelopeWorld();
  url = its.server.address;
});
afterAll(async () => its?.close());

describe('S1.10', () => {
  it('S1.10: an envelope that is sent again is ENVELOPE_REPLAYED, and nothing is executed', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const client = await readyClient(tenant, url);
    const sealed = client.seal('/graphql', redeemBody(tenant.codes[0]));
    expect((await sendSealed(url, sealed)).status).toBe(200);
    for (let time = 0; time < 3; time += 1)
      expect(await sendSealed(url, sealed)).toMatchObject({
        status: 409,
        code: 'ENVELOPE_REPLAYED',
        isSealed: false,
      });
    expect(await committedOf(its.world, tenant)).toBe(1);
  });

  it('S1.10: an envelope of a clock more than 300 s away is ENVELOPE_EXPIRED, within them it is executed', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const client = await readyClient(tenant, url);
    const offsetMs = client.clockOffsetMs;
    for (const [seconds, code] of [
      [-301, 'ENVELOPE_EXPIRED'],
      [330, 'ENVELOPE_EXPIRED'],
      [-270, undefined],
      [299, undefined],
    ] as const) {
      client.clockOffsetMs = offsetMs + seconds * 1000;
      const reply = await client.send('/graphql', VIEWER);
      expect([seconds, codeOf(reply)]).toEqual([seconds, code]);
    }
    // A client learns the time from the refusal.
    client.clockOffsetMs = -86_400_000;
    expect((await client.post('/graphql', VIEWER)).isSealed).toBe(true);
  });

  it('S1.10: an envelope opens for no other path, tenant, token, product line, device or key', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const foreign = await encryptingTenant(its.world, 0);
    const client = await readyClient(tenant, url);
    const { headers, envelope } = client.seal('/graphql', redeemBody(tenant.codes[0]));
    const second = its.world.services.tokens.sign(
      { kind: 'USER', tenantId: tenant.tenantId, userId: tenant.user.userId },
      800,
    );
    const elsewhere: [Record<string, string>, string?][] = [
      [headers, '/graphql?x=1'],
      [{ ...headers, authorization: `Bearer ${foreign.user.token}` }],
      [{ ...headers, authorization: `Bearer ${second}` }],
      [{ ...headers, 'x-product-code': 'APP_A' }],
      [{ ...headers, 'x-device-id': 'other' }],
      [{ ...headers, 'idempotency-key': 'other' }],
    ];
    for (const [changed, path] of elsewhere)
      expect((await sendSealed(url, { headers: changed, envelope }, path)).code).toBe('INVALID_CIPHERTEXT');
    expect(await committedOf(its.world, tenant)).toBe(0);
  });

  it('lets one command be judged twice after a lost reply', async () => {
    const { redis } = its.world.stores;
    const script = new RedisScript(redis, 'admit-envelope');
    const keys = ['{T_TWICE}:envelope-epoch', '{T_TWICE}:envelope:n'];
    const [, nowMs, epoch] = (await script.run(keys, ['first', 0, '', 300_000, 60_000])) as [
      string,
      number,
      string,
    ];
    const judge = async (attempt: string) =>
      ((await script.run(keys, [attempt, nowMs, epoch, 300_000, 60_000])) as unknown[])[0];
    expect([await judge('a'), await judge('a'), await judge('b')]).toEqual([
      'ADMITTED',
      'ADMITTED',
      'ENVELOPE_REPLAYED',
    ]);
    const leftMs = await redis.pttl(keys[1] ?? '');
    expect([leftMs > 300_000, leftMs <= 361_000]).toEqual([true, true]);
  });
});

async function redisIsBack(): Promise<void> {
  await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
}

describe('what Redis has lost', () => {
  /** One envelope that was executed, and a client of it. */
  async function executed() {
    const tenant = await encryptingTenant(its.world, 2);
    const client = await readyClient(tenant, url);
    const sealed = client.seal('/graphql', redeemBody(tenant.codes[0]));
    expect((await sendSealed(url, sealed)).status).toBe(200);
    return { tenant, client, sealed };
  }

  async function expectOnlyNewOnes({ tenant, client, sealed }: Awaited<ReturnType<typeof executed>>) {
    const replayed = await sendSealed(url, sealed);
    expect(replayed).toMatchObject({ status: 400, code: 'ENVELOPE_EXPIRED', isSealed: false });
    expect(await committedOf(its.world, tenant)).toBe(1);
    const next = await client.post('/graphql', redeemBody(tenant.codes[1]));
    expect([next.isSealed, next.status]).toEqual([true, 200]);
    expect((await sendSealed(url, sealed)).code).toBe('ENVELOPE_EXPIRED');
    expect(await committedOf(its.world, tenant)).toBe(2);
  }

  it('S1.10: refuses a replay within the window after Redis was emptied, and takes new envelopes at once', async () => {
    const scene = await executed();
    expect(await its.world.stores.redis.flushall()).toBe('OK');
    await expectOnlyNewOnes(scene);
  });

  it('S1.10: refuses a replay within the window after Redis has come back without its last writes', async () => {
    const tenant = await encryptingTenant(its.world, 2);
    const client = await readyClient(tenant, url);
    // The epoch is on disk, and the nonce of what follows is not.
    await expect.poll(() => its.redis.holds(client.epoch)).toBe(true);
    const putBack = its.redis.snapshot();
    const sealed = client.seal('/graphql', redeemBody(tenant.codes[0]));
    expect((await sendSealed(url, sealed)).status).toBe(200);
    await its.redis.kill();
    putBack();
    await its.redis.start();
    await redisIsBack();
    await expectOnlyNewOnes({ tenant, client, sealed });
  });

  it('answers SERVICE_UNAVAILABLE while Redis is away, and executes nothing', async () => {
    const tenant = await encryptingTenant(its.world, 1);
    const client = await readyClient(tenant, url);
    await its.redis.stop();
    const refused = await client.send('/graphql', redeemBody(tenant.codes[0]));
    expect([refused.status, refused.isSealed, codeOf(refused)]).toEqual([503, false, 'SERVICE_UNAVAILABLE']);
    await its.redis.start();
    await redisIsBack();
    expect((await client.post('/graphql', VIEWER)).isSealed).toBe(true);
    expect(await committedOf(its.world, tenant)).toBe(0);
  });
});
