import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  signedUser,
  staffToken,
  standingCluster,
  type Cluster,
  type SignedUser,
} from '../support/cluster.js';
import { graphqlRequest } from '../support/graphql-client.js';
import { expectAtRest, truthOf } from '../support/truth.js';
import { seedCampaign, seedTenant, type World } from '../support/world.js';

let cluster: Cluster;
let world: World;
let url: string;
let tenantId: string;
let user: SignedUser;
let codes: readonly string[];
beforeAll(async () => {
  cluster = await standingCluster();
  ({
    world,
    urls: [url],
  } = cluster);
  const tenant = await seedTenant(world);
  ({ tenantId } = tenant);
  ({ codes } = await seedCampaign(world, tenant, 20));
  user = await signedUser(world, tenantId);
});
afterAll(async () => cluster?.close());

interface Asked {
  readonly input?: unknown;
  readonly headers?: Record<string, string>;
  readonly token?: string | null;
}

const QUERY = `mutation ($input: RedeemCodeInput!) {
  redeemCode(input: $input) { status orderNo redemption { id } errors { code message field retryAfterMs } }
}`;

async function ask({
  input = { code: codes[0] },
  headers = { 'x-product-code': 'DEMO' },
  token = user.token,
}: Asked) {
  const call = { query: QUERY, variables: { input }, headers };
  const { status, data, errors } = await graphqlRequest<{ redeemCode: { errors: { code: string }[] } }>(
    url,
    token === null ? call : { ...call, token },
  );
  return {
    status,
    data,
    errors,
    refusal: data?.redeemCode.errors[0]?.code,
    fault: errors?.[0]?.extensions.code,
  };
}

/** Nothing of the tenant has been redeemed, tried or told. */
async function expectNothingWritten(): Promise<void> {
  const { redemptions, orders, grants, subscriptions, codes: rows } = await truthOf(world, tenantId);
  expect({ redemptions, orders, grants, subscriptions }).toEqual({
    redemptions: [],
    orders: [],
    grants: [],
    subscriptions: [],
  });
  expect(rows.filter(({ used, version }) => used !== 0 || version !== 1)).toEqual([]);
  await expectAtRest(world, tenantId);
}

const anyCode = (): string => codes[0] ?? '';

describe('S0.3 what cannot be a code is refused as malformed, and nothing is written', () => {
  const CYRILLIC: Record<string, string> = {
    A: 'А',
    B: 'В',
    C: 'С',
    E: 'Е',
    H: 'Н',
    K: 'К',
    M: 'М',
    P: 'Р',
    T: 'Т',
    X: 'Х',
  };
  const rows: { name: string; code: () => string }[] = [
    { name: 'nothing', code: () => '' },
    { name: 'a blank', code: () => ' ' },
    { name: 'separators alone', code: () => '----\u200b----' },
    { name: '10 kB', code: () => 'A'.repeat(10_240) },
    { name: 'a code 1,000 times', code: () => anyCode().repeat(1000) },
    { name: 'a code with one character too many', code: () => `${anyCode()}A` },
    { name: 'a code with one character too few', code: () => anyCode().slice(1) },
    { name: 'an emoji', code: () => `🎁${anyCode().slice(1)}` },
    { name: 'a null byte', code: () => `${anyCode()}\u0000` },
    { name: 'half a surrogate pair', code: () => `\ud83c${anyCode().slice(1)}` },
    { name: 'a letter with an accent', code: () => `É${anyCode().slice(1)}` },
    {
      name: 'letters of another alphabet',
      code: () => `А${anyCode().slice(1)}`.replace(/[ABCEHKMPTX]/g, (letter) => CYRILLIC[letter] ?? letter),
    },
    { name: 'SQL', code: () => "' or 1=1 -- " },
    { name: 'a key of Redis', code: () => `{${tenantId}}:open` },
    { name: 'a template', code: () => '${7*7}{{7*7}}' },
  ];
  it.each(rows)('S0.3 $name', async ({ code }) => {
    const answer = await ask({ input: { code: code() } });
    expect(answer).toMatchObject({ status: 200, refusal: 'CODE_MALFORMED' });
    expect(answer.data).toMatchObject({ redeemCode: { status: 'REFUSED', redemption: null, orderNo: null } });
    await expectNothingWritten();
  });
});

describe('S4.8 each wrong header or argument has a specific error, and nothing is written', () => {
  const product = { 'x-product-code': 'DEMO' };
  const rows: { name: string; asked: () => Asked; refusal: string }[] = [
    { name: 'no product line', asked: () => ({ headers: {} }), refusal: 'PRODUCT_REQUIRED' },
    {
      name: 'an empty product line',
      asked: () => ({ headers: { 'x-product-code': '' } }),
      refusal: 'PRODUCT_REQUIRED',
    },
    {
      name: 'an unknown product line',
      asked: () => ({ headers: { 'x-product-code': 'NONE' } }),
      refusal: 'PRODUCT_UNKNOWN',
    },
    {
      name: 'a product line in small letters',
      asked: () => ({ headers: { 'x-product-code': 'demo' } }),
      refusal: 'PRODUCT_UNKNOWN',
    },
    {
      name: 'a device id of 65 characters',
      asked: () => ({ headers: { ...product, 'x-device-id': 'd'.repeat(65) } }),
      refusal: 'DEVICE_ID_MALFORMED',
    },
    {
      name: 'a key of 65 characters',
      asked: () => ({ input: { code: anyCode(), idempotencyKey: 'k'.repeat(65) } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
    {
      name: 'an empty key',
      asked: () => ({ input: { code: anyCode(), idempotencyKey: '' } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
    {
      name: 'a key with a blank',
      asked: () => ({ input: { code: anyCode(), idempotencyKey: 'a b' } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
    {
      name: 'a key with a null byte',
      asked: () => ({ input: { code: anyCode(), idempotencyKey: 'a\u0000' } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
    {
      name: 'a key with an emoji',
      asked: () => ({ input: { code: anyCode(), idempotencyKey: '🎁' } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
    {
      name: 'a header key of 65 characters',
      asked: () => ({ headers: { ...product, 'idempotency-key': 'k'.repeat(65) } }),
      refusal: 'IDEMPOTENCY_KEY_MALFORMED',
    },
  ];
  it.each(rows)('S4.8 $name answers $refusal', async ({ asked, refusal }) => {
    expect(await ask(asked())).toMatchObject({ status: 200, refusal });
    await expectNothingWritten();
  });
});

describe('S4.18 what is not the operation is answered before anything runs', () => {
  it.each([
    { name: 'a number', input: { code: 5 } },
    { name: 'a list', input: { code: ['A', 'B'] } },
    { name: 'an object', input: { code: { $ne: '' } } },
    { name: 'null', input: { code: null } },
    { name: 'no code', input: {} },
    { name: 'no input', input: null },
    { name: 'a field that names another user', input: { code: 'A', userId: '1' } },
    { name: 'a key that is a number', input: { code: 'A', idempotencyKey: 7 } },
  ])('S4.18 $name is bad input', async ({ input }) => {
    const { status, fault, data } = await ask({ input });
    expect({ status, fault, data: data ?? null }).toEqual({
      status: 400,
      fault: 'BAD_USER_INPUT',
      data: null,
    });
    await expectNothingWritten();
  });

  it.each([
    { name: 'no token', token: () => null, fault: 'UNAUTHENTICATED' },
    { name: 'a token that is none', token: () => 'abc', fault: 'UNAUTHENTICATED' },
    {
      name: 'a token that was changed',
      token: () => `${user.token.slice(0, -4)}AAAA`,
      fault: 'UNAUTHENTICATED',
    },
    { name: 'a member of staff', token: () => staffToken(world, tenantId), fault: 'FORBIDDEN' },
  ])('S4.18 $name is answered $fault', async ({ token, fault }) => {
    const answer = await ask({ token: token() });
    expect(answer.fault).toBe(fault);
    expect(answer.status).toBeLessThan(500);
    await expectNothingWritten();
  });

  it('S4.18 a genuine token for a missing user redeems nothing', async () => {
    const ghost = world.services.tokens.sign(
      { kind: 'USER', tenantId, userId: world.services.ids.next() },
      900,
    );
    const answer = await ask({ token: ghost });
    expect(answer.status).toBe(200);
    expect(answer.refusal).toBe('USER_DISABLED');
    const { committed, orders } = await truthOf(world, tenantId);
    expect([committed, orders]).toEqual([[], []]);
    await expectAtRest(world, tenantId);
  });
});

it("S4.1 another tenant's code is answered exactly as one that was never issued, and as a deleted one", async () => {
  const foreign = await seedTenant(world);
  const { codes: foreignCodes } = await seedCampaign(world, foreign, 3);
  const own = await seedTenant(world);
  const { codes: ownCodes } = await seedCampaign(world, own, 2);
  const visitor = await signedUser(world, own.tenantId);
  const deleted = (await truthOf(world, own.tenantId)).codes.find(({ codeText }) => codeText === ownCodes[0]);
  await world.services.codeChanges.delete(own.tenantId, [deleted?.id ?? '']);
  const [first = ''] = foreignCodes;
  const neverIssued = `${first.slice(0, 8)}${first.slice(8).split('').toReversed().join('')}`;
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  for (const code of [foreignCodes[1], neverIssued, ownCodes[0], foreignCodes[1]]) {
    answers.push(await ask({ input: { code }, token: visitor.token }));
  }
  expect(answers[0]).toMatchObject({ status: 200, refusal: 'CODE_NOT_FOUND' });
  expect(answers).toEqual(answers.map(() => answers[0]));
  expect((await truthOf(world, own.tenantId)).redemptions).toEqual([]);
  expect((await truthOf(world, foreign.tenantId)).codes.map(({ used }) => used)).toEqual([0, 0, 0]);
});

describe('a key that could mean two redemptions is refused, and nothing is written:', () => {
  const headers = { 'x-product-code': 'DEMO', 'idempotency-key': 'of-the-header' };

  it('one in the header and another in the input', async () => {
    const answer = await ask({ headers, input: { code: codes[0], idempotencyKey: 'of-the-input' } });
    expect(answer).toMatchObject({ status: 200, refusal: 'IDEMPOTENCY_KEYS_DIFFER' });
    await expectNothingWritten();
  });

  it('one in the header for two mutations, also through a fragment', async () => {
    const redeem = (alias: string, code: string | undefined) =>
      `${alias}: redeemCode(input: { code: "${code}" }) { status errors { code } }`;
    for (const query of [
      `mutation { ${redeem('a', codes[0])} ${redeem('b', codes[1])} }`,
      `mutation { ${redeem('a', codes[0])} ...more } fragment more on Mutation { ${redeem('b', codes[1])} }`,
    ]) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { ...headers, authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        errors: [
          {
            message: expect.stringContaining('a key of its own') as string,
            extensions: { code: 'BAD_USER_INPUT' },
          },
        ],
      });
    }
    await expectNothingWritten();
  });
});
