import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { systemEm } from '../../src/platform/database/orm.js';
import { apiKeyDigest, isApiKey, newApiKey } from '../../src/identity/partners/api-key-text.js';
import { ApiKey } from '../../src/identity/partners/api-key.entity.js';
import { User } from '../../src/identity/users/user.entity.js';
import type { RunningServer } from '../../src/app/server.js';
import { Random } from '../faults/load/random.js';
import { startApi } from '../support/api-server.js';
import { graphqlRequest, graphqlSubscribe, type GraphqlAnswer } from '../support/graphql-client.js';
import { expectWithin } from '../support/lag.js';
import { openBeforeAll } from '../support/open-before-all.js';
import {
  damaged,
  CREATE_TOKEN,
  register,
  seedKey,
  VIEWER,
  type KeyOptions,
  type SeededKey,
} from '../support/partners.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { RawSocket } from '../support/raw-socket.js';
import { RedisServer } from '../support/redis-server.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  type SeededTenant,
  type World,
} from '../support/world.js';

/** What a change may take to count on another process. */
const EFFECTIVE_MS = 1000;
const SEED = 20_261_129;
const REDEEM = `mutation Redeem($input: RedeemCodeInput!) {
  redeemCode(input: $input) { status errors { code } }
}`;
const SETTLED = 'subscription Settled { redemptionSettled { userId } }';
const REDEMPTIONS = 'query Redemptions { redemptions { total items { productCode userId externalUserId } } }';

let world: World;
let server: RunningServer;
let tenant: SeededTenant;
let tenantId: string;

openBeforeAll(async (closing) => {
  world = await closing(openWorld());
  server = await closing(startApi());
  tenant = await seedTenant(world);
  ({ tenantId } = tenant);
});

/** A key whose partner may run these operations. */
async function keyFor(texts: readonly string[], options: KeyOptions = {}): Promise<SeededKey> {
  const made = await seedKey(world, tenantId, options);
  await register(world, tenantId, made.partnerId, texts);
  return made;
}

const ask = async (token: string, query: string, variables = {}, headers = {}) =>
  graphqlRequest(server.address, { query, variables, token, headers });
const codesOf = ({ errors }: GraphqlAnswer): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions.code);

async function tokenBy(key: string, input: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { data, errors } = await ask(key, CREATE_TOKEN, { input });
  expect(errors).toBeUndefined();
  return data?.['createUserToken'] as Record<string, unknown>;
}

describe('an API key', () => {
  it('is shown once, is stored as a digest alone, and proves its partner over HTTP and WebSocket', async () => {
    const api = new ProductApi(world);
    const { partnerId, key, keyId } = await keyFor([VIEWER]);
    const row = await emOf(world, tenantId).findOneOrFail(ApiKey, { id: keyId }, { populate: ['digest'] });
    expect(row).toMatchObject({ digest: apiKeyDigest(key), lastFour: key.slice(-4), createdBy: 'eve' });
    const [stored] = await systemEm(world.stores.orm).execute('select * from api_key where id = ?', [keyId]);
    expect(JSON.stringify(stored)).not.toContain(key.slice(8, 38));
    const list = await api.ask(
      staffOf(tenantId),
      `{ partner(id: "${partnerId}") { name apiKeys { id lastFour scopes lastUsedAt } operations { version operationCount } } }`,
    );
    expect(list.data['partner']).toMatchObject({
      apiKeys: [{ id: keyId, lastFour: key.slice(-4), scopes: ['redeem'] }],
      operations: { version: 1, operationCount: 1 },
    });
    expect(JSON.stringify(list)).not.toContain(key.slice(8, 38));
    const seen = { data: { viewer: { kind: 'PARTNER', partnerId, scopes: ['redeem'] } } };
    expect(await ask(key, VIEWER)).toMatchObject(seen);
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${key}` });
    socket.subscribe('1', VIEWER);
    expect((await socket.next()).payload).toMatchObject(seen);
    await socket.close();
  });

  it('with a wrong check sum is refused without a read of the database', async () => {
    const reads = vi.spyOn(world.stores.orm.em.getConnection(), 'execute');
    const random = new Random(SEED);
    for (let tries = 0; tries < 200; tries += 1)
      expect(await world.services.partnerAccess.prove(misspelt(newApiKey(), random))).toBeNull();
    expect(reads).not.toHaveBeenCalled();
    reads.mockRestore();
  });

  it('that is unknown is asked for once, many in one query, and leaves nothing in Redis', async () => {
    // What other tests store in a shared Redis meanwhile would be counted.
    const redis = await RedisServer.start();
    const own = await openWorld({}, { redisUrl: redis.url });
    const { partnerAccess } = own.services;
    const before = await own.stores.redis.dbsize();
    const reads = vi.spyOn(own.stores.orm.em.getConnection(), 'execute');
    const unknown = Array.from({ length: 400 }, newApiKey);
    expect(new Set(await Promise.all(unknown.map(async (key) => partnerAccess.prove(key))))).toEqual(
      new Set([null]),
    );
    expect(reads.mock.calls.length).toBeLessThanOrEqual(5);
    reads.mockClear();
    for (const key of unknown) expect(await partnerAccess.prove(key)).toBeNull();
    expect(reads).not.toHaveBeenCalled();
    reads.mockRestore();
    expect(await own.stores.redis.dbsize()).toBeLessThanOrEqual(before + 5);
    await own.close();
    await redis.close();
  });

  it('is refused in any of 600 damaged forms with 401, or with 4403 for a socket, and without a fault', async () => {
    const { key } = await keyFor([VIEWER]);
    const random = new Random(SEED + 1);
    for (let tries = 0; tries < 600; tries += 1) {
      const bad = damaged(key, random);
      const { status, errors } = await ask(bad, VIEWER);
      expect([bad, status, errors?.map(({ extensions }) => extensions.code)]).toEqual([
        bad,
        401,
        ['UNAUTHENTICATED'],
      ]);
      if (tries % 50 > 0) continue;
      const socket = await RawSocket.open(server.address);
      socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${bad}` } });
      expect((await socket.closed).code).toBe(4403);
    }
    expect(await ask(key, VIEWER)).toMatchObject({ status: 200 });
  });

  it('does nothing outside its scopes, and nothing of staff', async () => {
    const operations = {
      redeem: [CREATE_TOKEN, { input: { externalUserId: 'alice' } }],
      'codes:read': ['query Codes { codes { total } batches { total } }', {}],
      'codes:sell': [
        'mutation Sell { allocateCodes(input: {campaignId: "1", count: 1, channel: "shop"}) { errors { code } } }',
        {},
      ],
      'codes:generate': [
        'mutation Make { generateCodes(input: {campaignId: "1", count: 1}) { errors { code } } }',
        {},
      ],
      'redemptions:read': [REDEMPTIONS, {}],
    } as const;
    const forStaff = [
      'query Users { users { total } }',
      'query Partners { partners { total } }',
      'query Plans { plans { total } }',
    ];
    const texts = [...Object.values(operations).map(([text]) => text), ...forStaff];
    for (const scope of Object.keys(operations) as (keyof typeof operations)[]) {
      const { key } = await keyFor(texts, { scopes: [scope] });
      for (const [name, [text, variables]] of Object.entries(operations))
        expect([scope, name, new Set(codesOf(await ask(key, text, variables)))]).toEqual([
          scope,
          name,
          new Set(name === scope ? [] : ['FORBIDDEN']),
        ]);
      for (const text of forStaff)
        expect([scope, text, codesOf(await ask(key, text))]).toEqual([scope, text, ['FORBIDDEN']]);
    }
  });

  it('notes when it was used, once a minute at most, and never while its request waits', async () => {
    const { key, keyId } = await keyFor([VIEWER]);
    const noted = async () =>
      (await emOf(world, tenantId).findOneOrFail(ApiKey, { id: keyId })).lastUsedAt ?? null;
    expect(await noted()).toBeNull();
    await ask(key, VIEWER);
    await expect.poll(noted).not.toBeNull();
    const first = await noted();
    for (let times = 0; times < 20; times += 1) await ask(key, VIEWER);
    // Another process has noted nothing yet, and goes by the row.
    await world.services.partnerAccess.prove(key);
    await pause(300);
    expect(await noted()).toEqual(first);
  });
});

describe('createUserToken by a key', () => {
  it('makes the row of the user with its tags before the first redemption, and the token redeems', async () => {
    const { key } = await keyFor([CREATE_TOKEN]);
    const { codes } = await seedCampaign(world, tenant, 1);
    const { token, userId } = await tokenBy(key, { externalUserId: 'first', tags: ['vip', 'new'], ttlS: 60 });
    const row = await emOf(world, tenantId).findOneOrFail(User, { externalId: 'first' });
    expect(row).toMatchObject({ id: userId, tags: ['new', 'vip'], status: 'ACTIVE' });
    const input = { code: codes[0] };
    const { data } = await ask(token as string, REDEEM, { input }, { 'x-product-code': 'DEMO' });
    expect(data).toEqual({ redeemCode: { status: 'COMMITTED', errors: [] } });
  });

  it('is for 15 minutes at most, and ten at once make one user', async () => {
    const { key } = await keyFor([CREATE_TOKEN]);
    expect(refusalIn(await tokenBy(key, { externalUserId: 'many', ttlS: 901 }))).toBe('TTL_OUT_OF_RANGE');
    const made = await Promise.all(
      Array.from({ length: 10 }, async () => tokenBy(key, { externalUserId: 'many', tags: ['a'] })),
    );
    expect(new Set(made.map(({ userId }) => userId)).size).toBe(1);
    expect(await emOf(world, tenantId).count(User, { externalId: 'many' })).toBe(1);
  });

  it('of some product lines signs users in at those alone', async () => {
    const { codes } = await seedCampaign(world, tenant, 2);
    const limited = await keyFor([CREATE_TOKEN, REDEMPTIONS], {
      scopes: ['redeem', 'redemptions:read'],
      productCodes: ['APP_A', 'WEB_9'].slice(0, 1),
    });
    const refused = await tokenBy(limited.key, { externalUserId: 'walled', productCode: 'DEMO' });
    expect(refusalIn(refused)).toBe('PRODUCT_CODE_NOT_ALLOWED');
    const token = (await tokenBy(limited.key, { externalUserId: 'walled' }))['token'] as string;
    const elsewhere = await ask(token, REDEEM, { input: { code: codes[0] } }, { 'x-product-code': 'DEMO' });
    expect(codesOf(elsewhere)).toEqual(['FORBIDDEN']);
    const socket = RawSocket.ready(server.address, {
      authorization: `Bearer ${token}`,
      'x-product-code': 'DEMO',
    });
    await expect(socket).rejects.toThrow('4403');
    expect((await ask(token, REDEEM, { input: { code: codes[0] } })).data).toEqual({
      redeemCode: { status: 'COMMITTED', errors: [] },
    });
    const other = (await tokenBy((await keyFor([CREATE_TOKEN])).key, { externalUserId: 'free' }))[
      'userId'
    ] as string;
    expect(outcomeOf(await redeem(world, tenantId, other, codes[1] ?? ''))).toBe('COMMITTED');
    const { data } = await ask(limited.key, REDEMPTIONS);
    expect(data?.['redemptions']).toEqual({
      total: 1,
      items: [expect.objectContaining({ productCode: 'APP_A', externalUserId: 'walled' })],
    });
  });
});

describe('staff', () => {
  it('make partners, keys and lists, and are refused by name what cannot be', async () => {
    const api = new ProductApi(world);
    const owner = staffOf(tenantId);
    const run = async (call: string, fields: string) => {
      const { data, errors } = await api.ask(owner, `mutation { ${call} { ${fields} errors { code } } }`);
      expect(errors).toEqual([]);
      return Object.values(data)[0] as Record<string, unknown>;
    };
    const made = await run('createPartner(input: { name: "Shop GmbH" })', 'partner { id status version }');
    const { id } = made['partner'] as { id: string };
    const refusals = {
      'createPartner(input: { name: "Shop GmbH" })': 'PARTNER_EXISTS',
      'createPartner(input: { name: " " })': 'PARTNER_NAME_NOT_ALLOWED',
      'updatePartner(input: { partnerId: "7", name: "x" })': 'PARTNER_NOT_FOUND',
      [`updatePartner(input: { partnerId: "${id}", name: "x", expectedVersion: 5 })`]: 'VERSION_CONFLICT',
      [`createApiKey(input: { partnerId: "${id}", name: "k", scopes: [] })`]: 'SCOPES_NOT_ALLOWED',
      [`createApiKey(input: { partnerId: "${id}", name: "k", scopes: ["admin"] })`]: 'SCOPES_NOT_ALLOWED',
      [`createApiKey(input: { partnerId: "${id}", name: "", scopes: ["redeem"] })`]: 'KEY_NAME_NOT_ALLOWED',
      [`createApiKey(input: { partnerId: "7", name: "k", scopes: ["redeem"] })`]: 'PARTNER_NOT_FOUND',
      [`createApiKey(input: { partnerId: "${id}", name: "k", scopes: ["redeem"], productCodes: ["NO_SUCH"] })`]:
        'PRODUCT_LINE_NOT_FOUND',
      [`createApiKey(input: { partnerId: "${id}", name: "k", scopes: ["codes:read"], productCodes: ["DEMO"] })`]:
        'SCOPES_NOT_ALLOWED',
      [`createApiKey(input: { partnerId: "${id}", name: "k", scopes: ["redeem"], expiresAt: "2020-01-01T00:00:00Z" })`]:
        'EXPIRY_NOT_ALLOWED',
      'revokeApiKey(input: { keyId: "7" })': 'API_KEY_NOT_FOUND',
      [`registerOperations(input: { partnerId: "${id}", manifest: "no JSON" })`]: 'MANIFEST_MALFORMED',
      [`registerOperations(input: { partnerId: "7", manifest: "{\\"a\\": \\"{ viewer { kind } }\\"}" })`]:
        'PARTNER_NOT_FOUND',
    };
    for (const [call, code] of Object.entries(refusals))
      expect([call, refusalIn(await run(call, ''))]).toEqual([call, code]);
    const { key } = await run(
      `createApiKey(input: { partnerId: "${id}", name: "k", scopes: ["redeem"] })`,
      'key apiKey { id }',
    );
    expect(isApiKey(key as string)).toBe(true);
    const other = await seedTenant(world);
    const foreign = await api.ask(
      staffOf(other.tenantId),
      `{ partner(id: "${id}") { id } partners { total } }`,
    );
    expect(foreign.data).toMatchObject({ partner: null, partners: { total: 0 } });
    const auditor = await api.ask(
      staffOf(tenantId, 'AUDITOR'),
      'mutation { createPartner(input: { name: "A" }) { errors { code } } }',
    );
    expect(auditor.errors).toEqual(['FORBIDDEN']);
  });

  it('make no more than 20 usable keys of a partner, also when 30 are asked for at once', async () => {
    const { partnerId } = await seedKey(world, tenantId);
    const made = await Promise.allSettled(
      Array.from({ length: 30 }, async () => seedKey(world, tenantId, { partnerId })),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(19);
    expect(await emOf(world, tenantId).count(ApiKey, { partnerId })).toBe(20);
  });
});

describe('revocation', () => {
  /** By hand, not through a service of this process: every process has to find out from the database. */
  const sql = async (statement: string, id: string) =>
    systemEm(world.stores.orm).execute(`${statement} where tenant_id = ? and id = ?`, [tenantId, id]);
  const changes = {
    API_KEY_REVOKED: async ({ keyId }: SeededKey) =>
      sql('update api_key set revoked_at = utc_timestamp(3)', keyId),
    PARTNER_DISABLED: async ({ partnerId }: SeededKey) =>
      sql("update partner set status = 'DISABLED'", partnerId),
    API_KEY_EXPIRED: async ({ keyId }: SeededKey) =>
      sql('update api_key set expires_at = utc_timestamp(3)', keyId),
  };

  it.each(Object.keys(changes) as (keyof typeof changes)[])(
    'X.22 %s ends requests and sockets of the key within a second on another process',
    async (code) => {
      const made = await keyFor([VIEWER, CREATE_TOKEN, SETTLED], { scopes: ['redeem', 'redemptions:read'] });
      const { token } = await tokenBy(made.key, { externalUserId: `of ${code}`.replaceAll(' ', '_') });
      const listen = async (by: string) => {
        const { next, close } = await graphqlSubscribe(server.address, { query: SETTLED, token: by });
        return { end: next().then(JSON.stringify, String), close };
      };
      const [own, ofUser] = [await listen(made.key), await listen(token as string)];
      await changes[code](made);
      await expectWithin(world, EFFECTIVE_MS, async () => {
        await expect.poll(async () => codesOf(await ask(made.key, VIEWER)), { interval: 20 }).toEqual([code]);
        expect(await own.end).toContain('closed: 4403');
      });
      // The end of a key is planned: the last tokens that it has made outlive it.
      const isPlanned = code === 'API_KEY_EXPIRED';
      const ofToken = isPlanned ? [] : [code];
      const ending = isPlanned ? pause(EFFECTIVE_MS, 'open') : pause(5 * EFFECTIVE_MS, 'late');
      expect(await Promise.race([ofUser.end, ending])).toContain(isPlanned ? 'open' : 'closed: 4403');
      expect(codesOf(await ask(token as string, VIEWER))).toEqual(ofToken);
      expect(codesOf(await ask(token as string, REDEEM, { input: { code: 'NO' } }))).toEqual(ofToken);
      await ofUser.close();
      await expect(RawSocket.ready(server.address, { authorization: `Bearer ${made.key}` })).rejects.toThrow(
        '4403',
      );
    },
  );

  it('X.21 keys rotate without a refused request: both are good at once, and user tokens of the old one hold', async () => {
    const old = await keyFor([CREATE_TOKEN]);
    const { token } = await tokenBy(old.key, { externalUserId: 'rotated' });
    const next = await seedKey(world, tenantId, { partnerId: old.partnerId });
    const load = new AbortController();
    const answers: unknown[] = [];
    const asking = [next.key, token as string].map(async (by, at) => {
      while (!load.signal.aborted) {
        const input = { externalUserId: `rotated-${at}` };
        const answer = at === 0 ? await ask(by, CREATE_TOKEN, { input }) : await ask(by, VIEWER);
        answers.push(...codesOf(answer));
      }
    });
    for (let times = 0; times < 10; times += 1) await tokenBy(old.key, { externalUserId: 'rotated-2' });
    const api = new ProductApi(world);
    const revoke = `mutation { revokeApiKey(input: { keyId: "${old.keyId}", keepsUserTokens: true }) { errors { code } apiKey { revokedAt } } }`;
    expect((await api.ask(staffOf(tenantId), revoke)).data).toMatchObject({ revokeApiKey: { errors: [] } });
    await expect
      .poll(async () => codesOf(await ask(old.key, CREATE_TOKEN)), { interval: 20 })
      .toEqual(['API_KEY_REVOKED']);
    for (let times = 0; times < 20; times += 1) await tokenBy(next.key, { externalUserId: 'rotated-3' });
    load.abort();
    await Promise.all(asking);
    expect(answers).toEqual([]);
    // A second revocation may end what the first has kept, and never the other way round.
    await world.services.apiKeys.revoke(tenantId, old.keyId);
    await expect.poll(async () => codesOf(await ask(token as string, VIEWER))).toEqual(['API_KEY_REVOKED']);
    expect(await world.services.apiKeys.revoke(tenantId, old.keyId, true)).toMatchObject({
      keepsUserTokens: false,
    });
  });
});

/** One of the characters by chance is another one, so only the check sum tells. */
function misspelt(key: string, random: Random): string {
  const at = random.between(8, 37);
  return key.slice(0, at) + (key[at] === 'a' ? 'b' : 'a') + key.slice(at + 1);
}
