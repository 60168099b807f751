import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/app/server.js';
import { UserTokenIssuer } from '../../src/identity/issuers/user-token-issuer.entity.js';
import { UserTag } from '../../src/identity/users/user-tag.entity.js';
import { tagsGivenAt } from '../../src/identity/users/user-tags.js';
import { User } from '../../src/identity/users/user.entity.js';
import { Random } from '../faults/load/random.js';
import { startApi } from '../support/api-server.js';
import { graphqlRequest, type GraphqlAnswer } from '../support/graphql-client.js';
import { ProductApi, refusalIn, staffOf } from '../support/product-api.js';
import { RawSocket } from '../support/raw-socket.js';
import { refusedBy } from '../support/staff-world.js';
import {
  emOf,
  openWorld,
  seedCampaign,
  seedTenant,
  type SeededTenant,
  type World,
} from '../support/world.js';

const SEED = 20_261_129;
const VIEWER = '{ viewer { kind tenantId user { externalId tags } } }';
const AUDIENCE = 'redeem';

let world: World;
let server: RunningServer;
let keyServer: Server;
let keysUrl: string;
let tenant: SeededTenant;
let tenantId: string;
let issuer: string;

/** What the tenant's key server answers. */
const published: JWK[] = [];
let fetches = 0;
let hangs = false;

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
}

async function newKey(kid: string, alg = 'ES256', isPublished = true): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  if (isPublished) published.push({ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' });
  return { kid, alg, privateKey };
}

let key: SigningKey;
let others: SigningKey[];

beforeAll(async () => {
  keyServer = createServer((_request, reply) => {
    fetches += 1;
    if (hangs) return;
    reply.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: published }));
  });
  await new Promise<void>((resolve) => {
    keyServer.listen(0, '127.0.0.1', resolve);
  });
  const { port } = keyServer.address() as AddressInfo;
  keysUrl = `http://127.0.0.1:${port}/jwks`;
  const environment = { JWKS_HOSTS: `127.0.0.1:${port}`, OUTGOING_ALLOWED_NETWORKS: '127.0.0.1/32' };
  world = await openWorld(environment);
  server = await startApi(environment);
  tenant = await seedTenant(world);
  ({ tenantId } = tenant);
  issuer = `https://login.example/${tenantId}`;
  key = await newKey('k1');
  others = await Promise.all(['RS256', 'PS256', 'ES384', 'EdDSA'].map(async (alg) => newKey(alg, alg)));
  await world.services.issuers.set(tenantId, {
    issuer,
    audience: AUDIENCE,
    jwksUrl: keysUrl,
    tagsClaim: 'groups',
  });
});
afterAll(async () => {
  await server?.stop();
  await world?.close();
  keyServer?.closeAllConnections();
  keyServer?.close();
});

type Claims = Record<string, unknown>;

async function signed(
  claims: Claims = {},
  by: SigningKey = key,
  header: Record<string, unknown> = {},
): Promise<string> {
  const nowS = Math.floor(Date.now() / 1000);
  const all = { iss: issuer, aud: AUDIENCE, sub: 'alice', iat: nowS, exp: nowS + 600, ...claims };
  const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(kept).setProtectedHeader({ alg: by.alg, kid: by.kid, ...header }).sign(by.privateKey);
}

const ask = async (token: string) => graphqlRequest(server.address, { query: VIEWER, token });
const codesOf = ({ errors }: GraphqlAnswer): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions.code);
const userOf = ({ data }: GraphqlAnswer): unknown =>
  (data?.['viewer'] as { user: unknown } | undefined)?.user;

describe("a token of the tenant's own server", () => {
  it('signs its user in over HTTP and WebSocket: the row and the tags are there before the first redemption', async () => {
    const token = await signed({ sub: 'bob', groups: ['vip', 'beta'] });
    const { codes } = await seedCampaign(world, tenant, 1, {
      rule: { rewardRules: [{ type: 'SUBSCRIPTION', id: tenant.planId, condition: { userTag: 'vip' } }] },
    });
    const { data } = await graphqlRequest(server.address, {
      query: 'mutation ($code: String!) { redeemCode(input: { code: $code }) { status errors { code } } }',
      variables: { code: codes[0] },
      token,
      headers: { 'x-product-code': 'DEMO' },
    });
    expect(data).toEqual({ redeemCode: { status: 'COMMITTED', errors: [] } });
    const seen = { externalId: 'bob', tags: ['beta', 'vip'] };
    expect(userOf(await ask(token))).toEqual(seen);
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${token}` });
    for (const id of ['1', '2']) {
      socket.subscribe(id, VIEWER);
      expect(userOf((await socket.next()).payload as GraphqlAnswer)).toEqual(seen);
      await socket.next();
    }
    await socket.close();
  });

  it('is taken with the algorithms of the list, and tags of a later token replace the former ones', async () => {
    for (const other of others)
      expect([other.alg, codesOf(await ask(await signed({}, other)))]).toEqual([other.alg, []]);
    await ask(await signed({ sub: 'carol', groups: ['a'] }));
    expect(userOf(await ask(await signed({ sub: 'carol', groups: ['b'] })))).toEqual({
      externalId: 'carol',
      tags: ['b'],
    });
    expect(userOf(await ask(await signed({ sub: 'carol' })))).toEqual({ externalId: 'carol', tags: ['b'] });
  });

  it('is refused in any of 400 bad forms with 401, and leaves no user', async () => {
    const stranger = await newKey('k1', 'ES256', false);
    const good = await signed({ sub: 'nobody' });
    const nowS = Math.floor(Date.now() / 1000);
    const random = new Random(SEED);
    const bad: (() => Promise<string>)[] = [
      async () => signed({ sub: 'nobody' }, stranger),
      async () => signed({ sub: 'nobody', iss: 'https://login.example/other' }),
      async () =>
        signed({ sub: 'nobody', ...random.pick([{ aud: 'other' }, { aud: '' }, { aud: undefined }]) }),
      async () =>
        signed({
          ...random.pick([undefined, '', 'a b', 'é', 'device:1', 'x'.repeat(65)].map((sub) => ({ sub }))),
        }),
      async () => signed({ sub: 'nobody', exp: nowS - 100, iat: nowS - 600 }),
      async () => signed({ sub: 'nobody', exp: nowS + 1000 }),
      async () => signed({ sub: 'nobody', iat: nowS + 500, exp: nowS + 900 }),
      async () => signed({ sub: 'nobody', exp: undefined }),
      async () => signed({ sub: 'nobody', iat: undefined }),
      async () => signed({ sub: 'nobody', groups: random.pick([[''], 'vip', [7], ['x'.repeat(65)], {}]) }),
      async () => signed({ sub: 'nobody' }, key, { kid: undefined }),
      async () => `${forged({ alg: 'none', kid: 'k1' })}.`,
      async () => `${forged({ alg: 'HS256', kid: 'k1' })}.${'A'.repeat(43)}`,
      async () => `${forged({ alg: 'ES256', kid: 'k1' })}.${'A'.repeat(86)}`,
      async () => damaged(good, random),
    ];
    const forged = (header: object): string =>
      [header, { iss: issuer, aud: AUDIENCE, sub: 'nobody', iat: nowS, exp: nowS + 60 }]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
    for (let number = 0; number < 400; number += 1) {
      const token = await random.pick(bad)();
      const { status, errors } = await ask(token);
      expect([token, status, codesOf({ ...(errors && { errors }) })]).toEqual([
        token,
        401,
        ['UNAUTHENTICATED'],
      ]);
    }
    expect(await emOf(world, tenantId).count(User, { externalId: 'nobody' })).toBe(0);
  });
});

/** One character of the signature or of the claims is another. */
function damaged(token: string, random: Random): string {
  const at = random.between(token.indexOf('.') + 1, token.length - 5);
  const bad = token.slice(0, at) + random.pick([...'ABCxyz012_-']) + token.slice(at + 1);
  return bad === token || bad.split('.').length !== 3 ? damaged(token, random) : bad;
}

describe('tags of tokens that processes see in another order than they were issued in', () => {
  const nowS = (): number => Math.floor(Date.now() / 1000);
  const row = async (sub: string): Promise<User> =>
    emOf(world, tenantId).findOneOrFail(User, { externalId: sub }, { disableIdentityMap: true });
  /** In the user's row, and those that lead to the user. */
  const tagsOf = async (sub: string): Promise<string[]> => {
    const { id, tags } = await row(sub);
    const leads = await emOf(world, tenantId).find(UserTag, { userId: id });
    expect(leads.map(({ tag }) => tag).toSorted()).toEqual(tags);
    return tags;
  };
  let other: World;
  beforeAll(async () => {
    other = await openWorld({ JWKS_HOSTS: new URL(keysUrl).host, OUTGOING_ALLOWED_NETWORKS: '127.0.0.1/32' });
  });
  afterAll(async () => other?.close());
  const seenBy = async (process: World, token: string): Promise<void> =>
    expect(await process.services.issuerTokens.prove(token)).not.toBeNull();

  it('stay those of the later token, also where that one changed nothing and where the issuer is ahead', async () => {
    for (const [sub, aheadS] of [
      ['hugo', 0],
      ['ida', 50],
    ] as const) {
      const at = async (ageS: number, groups: string[]): Promise<string> =>
        signed({ sub, groups, iat: nowS() + aheadS - ageS });
      const [first, vip, demoted] = [await at(20, []), await at(10, ['vip']), await at(5, [])];
      await seenBy(world, first);
      const { version } = await row(sub);
      await seenBy(world, demoted);
      expect((await row(sub)).version).toBe(version);
      await seenBy(other, vip);
      expect(await tagsOf(sub)).toEqual([]);
      await seenBy(other, await at(4, ['vip', 'beta']));
      await seenBy(other, demoted);
      expect(await tagsOf(sub)).toEqual(['beta', 'vip']);
    }
  });

  it('stay those that staff or the backend have set since, also in the same second, until a later token', async () => {
    const { userChanges, users } = world.services;
    const changes = {
      updateUser: async (sub: string) => userChanges.update(tenantId, { externalUserId: sub, tags: ['own'] }),
      createUserToken: async (sub: string) =>
        users.createUserToken(tenantId, { externalUserId: sub, tags: ['own'] }),
    };
    expect(tagsGivenAt(5000)).toEqual(new Date(5001));
    for (const [name, set] of Object.entries(changes))
      for (const aheadS of [0, 30]) {
        const sub = `${name}-${aheadS}`;
        const iat = nowS() + aheadS;
        const vip = await signed({ sub, groups: ['vip'], iat });
        await seenBy(world, await signed({ sub, groups: ['own'], iat }));
        const change = async (): Promise<number> => {
          await set(sub);
          return Number((await row(sub)).tagsAt);
        };
        // Changes nothing but the instant.
        const at = await change();
        await seenBy(other, vip);
        await seenBy(other, await signed({ sub, groups: ['vip', 'beta'], iat: Math.floor((at - 1) / 1000) }));
        expect([sub, await tagsOf(sub)]).toEqual([sub, ['own']]);
        const later = await signed({ sub, groups: ['vip'], iat: Math.floor(at / 1000) + 1 });
        await seenBy(other, later);
        expect([sub, await tagsOf(sub)]).toEqual([sub, ['vip']]);
        await change();
        await seenBy(world, later);
        expect([sub, await tagsOf(sub)]).toEqual([sub, ['own']]);
      }
  });

  it('are those of the later of two that two processes see at once, in each of 60 rounds', async () => {
    const random = new Random(SEED);
    const iat = nowS();
    const ended: string[][] = [];
    for (let round = 0; round < 60; round += 1) {
      const sub = `race-${round}`;
      if (round % 2 === 0) await seenBy(world, await signed({ sub, groups: ['first'], iat: iat - 20 }));
      const older = await signed({ sub, groups: ['old'], iat: iat - 10 });
      const newer = await signed({ sub, groups: ['new'], iat });
      const [one, two] = random.pick([true, false]) ? [world, other] : [other, world];
      await Promise.all([seenBy(one, newer), seenBy(two, older)]);
      ended.push(await tagsOf(sub));
    }
    expect(ended).toEqual(Array.from({ length: 60 }, () => ['new']));
  });
});

describe('the keys', () => {
  it('rotate by their ids: an unknown id causes one fetch, and a flood of them no more', async () => {
    const own = await openWorld({
      JWKS_HOSTS: new URL(keysUrl).host,
      OUTGOING_ALLOWED_NETWORKS: '127.0.0.1/32',
    });
    const prove = async (token: string) => own.services.issuerTokens.prove(token);
    const before = fetches;
    expect(await prove(await signed({ sub: 'dora' }))).not.toBeNull();
    expect(fetches).toBe(before + 1);
    const flood = await Promise.all(
      Array.from({ length: 200 }, async (_, at) => signed({}, key, { kid: `unknown-${at}` })),
    );
    expect(new Set(await Promise.all(flood.map(prove)))).toEqual(new Set([null]));
    expect(fetches).toBe(before + 1);
    const next = await newKey('k2');
    const late = await openWorld({
      JWKS_HOSTS: new URL(keysUrl).host,
      OUTGOING_ALLOWED_NETWORKS: '127.0.0.1/32',
    });
    expect(await late.services.issuerTokens.prove(await signed({ sub: 'dora' }, next))).not.toBeNull();
    await own.close();
    await late.close();
  });

  it('that do not come in time refuse the token, and no other caller', async () => {
    hangs = true;
    const own = await openWorld({
      JWKS_HOSTS: new URL(keysUrl).host,
      OUTGOING_ALLOWED_NETWORKS: '127.0.0.1/32',
    });
    const before = fetches;
    const tokens = await Promise.all(Array.from({ length: 20 }, async () => signed({ jti: Math.random() })));
    expect(
      new Set(await Promise.all(tokens.map(async (token) => own.services.issuerTokens.prove(token)))),
    ).toEqual(new Set([null]));
    expect(fetches).toBe(before + 1);
    hangs = false;
    keyServer.closeAllConnections();
    // Those who have the keys already go on.
    expect(codesOf(await ask(await signed({ sub: 'erin' })))).toEqual([]);
    await own.close();
  });
});

describe('staff', () => {
  it('set the issuer, at allowed hosts alone, and an issuer is of one tenant', async () => {
    const api = new ProductApi(world);
    const set = async (of: string, fields: string) => {
      const { data } = await api.ask(
        staffOf(of),
        `mutation { setUserTokenIssuer(input: { ${fields} }) { issuer { version } errors { code } } }`,
      );
      return refusalIn(data['setUserTokenIssuer']);
    };
    const other = await seedTenant(world);
    const fine = `audience: "a", jwksUrl: "${keysUrl}"`;
    expect(await set(other.tenantId, `issuer: "${issuer}", ${fine}`)).toBe('ISSUER_TAKEN');
    expect(
      await set(other.tenantId, `issuer: "x", audience: "a", jwksUrl: "https://elsewhere.example/jwks"`),
    ).toBe('JWKS_HOST_NOT_ALLOWED');
    expect(await set(other.tenantId, `issuer: "", ${fine}`)).toBe('ISSUER_NOT_ALLOWED');
    expect(await set(other.tenantId, `issuer: "x", audience: "a", jwksUrl: "no url"`)).toBe(
      'JWKS_URL_NOT_ALLOWED',
    );
    expect(await emOf(world, other.tenantId).count(UserTokenIssuer, {})).toBe(0);
    const mine = `issuer: "https://login.example/${other.tenantId}", ${fine}`;
    expect(await set(other.tenantId, mine)).toBeUndefined();
    expect(await set(other.tenantId, `${mine}, expectedVersion: 5`)).toBe('VERSION_CONFLICT');
  });

  it('give an issuer up to another tenant, and no token of it proves a user of the former one again', async () => {
    const [former, next] = [await seedTenant(world), await seedTenant(world)];
    const shared = `https://login.example/shared-${former.tenantId}`;
    const values = { issuer: shared, audience: AUDIENCE, jwksUrl: keysUrl };
    const token = await signed({ iss: shared, sub: 'gina' });
    const tenantOf = async (): Promise<unknown> =>
      (await world.services.issuerTokens.prove(token))?.actor.tenantId;
    await world.services.issuers.set(former.tenantId, values);
    expect(await tenantOf()).toBe(former.tenantId);
    await world.services.issuers.set(former.tenantId, { ...values, issuer: `${shared}-2` });
    await world.services.issuers.set(next.tenantId, values);
    expect(await tenantOf()).toBe(next.tenantId);
  });

  it('switch it off, and its tokens are refused and its sockets ended within a second on another process', async () => {
    const token = await signed({ sub: 'frank' });
    expect(codesOf(await ask(token))).toEqual([]);
    const socket = await RawSocket.ready(server.address, { authorization: `Bearer ${token}` });
    const values = { issuer, audience: AUDIENCE, jwksUrl: keysUrl, tagsClaim: 'groups' };
    await world.services.issuers.set(tenantId, { ...values, enabled: false });
    await expect.poll(async () => codesOf(await ask(token)), { interval: 20 }).toEqual(['UNAUTHENTICATED']);
    expect(await socket.closed).toMatchObject({ code: 4403 });
    await world.services.issuers.set(tenantId, values);
    await expect.poll(async () => codesOf(await ask(token)), { interval: 20 }).toEqual([]);
  });

  it('remove it, and what it has signed is refused, also where the name is set again for another audience', async () => {
    const own = await seedTenant(world);
    const name = `https://login.example/${own.tenantId}`;
    const values = { issuer: name, audience: AUDIENCE, jwksUrl: keysUrl };
    const { issuers } = world.services;
    expect(await issuers.set(own.tenantId, values)).toMatchObject({ version: 1 });
    const token = await signed({ iss: name });
    const outcome = async (): Promise<unknown> => codesOf(await ask(token));
    await expect.poll(outcome, { interval: 20 }).toEqual([]);
    await issuers.remove(own.tenantId);
    await expect.poll(outcome, { interval: 20 }).toEqual(['UNAUTHENTICATED']);
    expect(await refusedBy(issuers.remove(own.tenantId))).toBe('ISSUER_NOT_FOUND');
    expect(await issuers.set(own.tenantId, { ...values, audience: 'another' })).toMatchObject({ version: 1 });
    const other = await signed({ iss: name, aud: 'another' });
    await expect.poll(async () => codesOf(await ask(other)), { interval: 20 }).toEqual([]);
    expect(await outcome()).toEqual(['UNAUTHENTICATED']);
  });
});
