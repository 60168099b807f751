import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { staffToken, standingCluster, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe, type GraphqlAnswer } from '../support/graphql-client.js';
import { CREATE_TOKEN, register, seedKey, VIEWER } from '../support/partners.js';
import { withLag } from '../support/outage.js';
import { pick } from '../support/redeemers.js';
import { expectAtRest } from '../support/truth.js';
import { emOf, seedCampaign, seedTenant } from '../support/world.js';

/** What a revocation may take to count on every process. */
const EFFECTIVE_MS = 1000;
const USERS = 6;
const CODES = 1500;
const REDEEM = `mutation Redeem($code: String!) {
  redeemCode(input: { code: $code }) { status orderNo redemption { id } errors { code } }
}`;
const SETTLED = 'subscription Settled { redemptionSettled { redemptionId } }';

let cluster: Cluster;
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => cluster?.close());

const codesOf = ({ errors }: GraphqlAnswer): unknown[] =>
  (errors ?? []).map(({ extensions }) => extensions.code);

interface Attempt {
  readonly sentMs: number;
  readonly answer: GraphqlAnswer<{ redeemCode: { status: string; redemption: { id: string } | null } }>;
}

async function setUp() {
  const { world } = cluster;
  const tenant = await seedTenant(world);
  const { tenantId } = tenant;
  const { codes } = await seedCampaign(world, tenant, CODES);
  const made = await seedKey(world, tenantId, { scopes: ['redeem', 'redemptions:read'] });
  await register(world, tenantId, made.partnerId, [CREATE_TOKEN, SETTLED, VIEWER]);
  const tokenOf = async (externalUserId: string, at: number): Promise<string> => {
    const variables = { input: { externalUserId } };
    const call = { query: CREATE_TOKEN, variables, token: made.key };
    const { data } = await graphqlRequest<{ createUserToken: { token: string } }>(
      pick(cluster.urls, at),
      call,
    );
    return data?.createUserToken.token ?? '';
  };
  const tokens = await Promise.all(Array.from({ length: USERS }, async (_, at) => tokenOf(`user-${at}`, at)));
  return { tenantId, codes, tokens, ...made };
}

it('X.22 a key that is revoked while its users redeem: what is under way is answered, none starts a second later, counts are exact', async () => {
  const { world, urls } = cluster;
  const { tenantId, codes, tokens, key, keyId } = await setUp();
  const sockets = await Promise.all(
    [...urls, ...urls].map(async (url, at) =>
      graphqlSubscribe(url, { query: SETTLED, token: at < urls.length ? key : (tokens[0] ?? '') }),
    ),
  );
  const ends = sockets.map(endOf);
  const attempts: Attempt[] = [];
  const supply = codes.values();
  let stopsMs = Infinity;
  const redeem = async (token: string, at: number): Promise<void> => {
    for (let turn = at; performance.now() < stopsMs; turn += 1) {
      const { value: code } = supply.next();
      if (code === undefined) return;
      const sentMs = performance.now();
      const call = { query: REDEEM, variables: { code }, token, headers: { 'x-product-code': 'DEMO' } };
      attempts.push({ sentMs, answer: await graphqlRequest(pick(urls, turn), call) });
      await pause(10);
    }
  };
  const all = Promise.all(tokens.flatMap((token, at) => [redeem(token, at), redeem(token, at + 1)]));
  await expect.poll(() => attempts.length).toBeGreaterThan(40);
  const call = {
    query: 'mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { errors { code } } }',
    variables: { input: { keyId } },
    token: staffToken(world, tenantId),
  };
  expect(await graphqlRequest(urls[0], call)).toMatchObject({ data: { revokeApiKey: { errors: [] } } });
  const revokedMs = performance.now();
  stopsMs = revokedMs + 2 * EFFECTIVE_MS;
  const { result: closed, lagMs } = await withLag(urls, async () => {
    const how = await Promise.all(ends);
    await all;
    return how;
  });
  expect(closed).toEqual(ends.map(() => expect.stringContaining('closed: 4403') as unknown));
  const committed = attempts.filter(({ answer }) => answer.data?.redeemCode.status === 'COMMITTED');
  const refused = attempts.filter(({ answer }) => codesOf(answer).includes('API_KEY_REVOKED'));
  expect(committed.length + refused.length, 'each attempt is answered').toBe(attempts.length);
  const effectiveMs = revokedMs + EFFECTIVE_MS + 2 * lagMs;
  expect(committed.every(({ sentMs }) => sentMs < effectiveMs)).toBe(true);
  expect(refused.some(({ sentMs }) => sentMs > revokedMs + EFFECTIVE_MS)).toBe(true);
  const rows = await emOf(world, tenantId).find(Redemption, { status: 'COMMITTED' }, { fields: ['id'] });
  const named = committed.map(({ answer }) => answer.data?.redeemCode.redemption?.id);
  expect(named).toHaveLength(rows.length);
  expect(new Set(named)).toEqual(new Set(rows.map(({ id }) => id)));
  await expectAtRest(world, tenantId);
  for (const url of urls)
    expect(codesOf(await graphqlRequest(url, { query: VIEWER, token: key }))).toEqual(['API_KEY_REVOKED']);
});

/** What ends a subscription, after the events before it. */
async function endOf({ next }: { next(): Promise<unknown> }): Promise<string> {
  try {
    for (;;) if ((await next()) === null) return 'completed';
  } catch (error) {
    return String(error);
  }
}
