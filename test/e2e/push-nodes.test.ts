import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { standingCluster, signedUser, staffToken, type Cluster } from '../support/cluster.js';
import { graphqlRequest, graphqlSubscribe, type GraphqlStream } from '../support/graphql-client.js';
import { pushOf, redeemOnce } from '../support/redeemers.js';
import { cursorNow, seedCampaign, seedTenant } from '../support/world.js';

const INVALIDATED =
  'subscription ($after: String) { subscriptionInvalidated(after: $after) { subscriptionId planId userId } }';
const CHANGED = 'subscription ($after: String) { nodesChanged(after: $after) { nodeId planId } }';
const USERS = '{ nodeUsers { users { subscriptionId planId userId uuid expiresAt } next } }';
const ONE = 'query ($id: ID!) { nodeUser(subscriptionId: $id) { subscriptionId } }';

let cluster: Cluster;
let streams: GraphqlStream<Answer>[] = [];
beforeAll(async () => {
  cluster = await standingCluster();
});
afterAll(async () => {
  await Promise.all(streams.map(async (stream) => stream.close()));
  await cluster?.close();
});

type Answer = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Every event of the node's from now on. */
async function listen(
  url: string,
  { tenantId, token }: { readonly tenantId: string; readonly token: string },
  query: string,
) {
  const after = await cursorNow(cluster.world, tenantId);
  const stream = await graphqlSubscribe<Answer>(url, { token, query, variables: { after } });
  streams = [...streams, stream];
  return async () => {
    const event = await stream.next();
    if (!event?.data) throw new Error(`No event: ${JSON.stringify(event?.errors)}`);
    return event.data;
  };
}

async function seeded() {
  const tenant = await seedTenant(cluster.world);
  const { tenantId, planId } = tenant;
  const { services } = cluster.world;
  const node = await services.nodes.create(tenantId, { name: 'N', address: 'n.example', tags: ['a'] });
  await services.plans.update(tenantId, planId, { nodeTags: ['a'] });
  const { codes } = await seedCampaign(cluster.world, tenant, 3);
  const { token } = await services.nodes.createToken(tenantId, node.id);
  return { tenantId, planId, nodeId: node.id, token, codes };
}

const ask = async (url: string, token: string, query: string, variables: Record<string, unknown> = {}) =>
  (await graphqlRequest<Answer>(url, { token, query, variables })).data;

describe('S0.16 the node side', () => {
  it('is pushed each activation after the commit, and then reads the new state at another process', async () => {
    const { tenantId, planId, token, codes } = await seeded();
    const user = await signedUser(cluster.world, tenantId);
    const [a, b] = cluster.urls;
    const next = await listen(b, { tenantId, token }, INVALIDATED);
    let before: unknown = null;
    for (const code of codes) {
      // Cached before each activation, at the process that is asked afterwards.
      await ask(b, token, USERS);
      const asked = redeemOnce(a, { user, code });
      const { subscriptionInvalidated: event } = await pushOf(asked, next);
      expect(event).toMatchObject({ planId, userId: user.userId });
      const read = await ask(b, token, USERS);
      const users = read?.['nodeUsers']?.['users'] as Record<string, unknown>[];
      expect(users).toHaveLength(1);
      expect(users[0]).toMatchObject({
        subscriptionId: event?.['subscriptionId'],
        planId,
        userId: user.userId,
      });
      expect(users[0]?.['expiresAt']).not.toBe(before);
      before = users[0]?.['expiresAt'];
      const one = await ask(b, token, ONE, { id: event?.['subscriptionId'] });
      expect(one?.['nodeUser']).toEqual({ subscriptionId: event?.['subscriptionId'] });
      await asked;
    }
  });

  it('is pushed the subscriptions of a user who is disabled or enabled, and then reads who is let in at another process', async () => {
    const { tenantId, token, codes } = await seeded();
    const user = await signedUser(cluster.world, tenantId);
    const [a, b] = cluster.urls;
    await redeemOnce(a, { user, code: codes[0] ?? '' });
    const next = await listen(b, { tenantId, token }, INVALIDATED);
    const { userId } = user;
    const usersAtNode = async () => (await ask(b, token, USERS))?.['nodeUsers']?.['users'];
    expect(await usersAtNode()).toMatchObject([{ userId }]);
    const staff = staffToken(cluster.world, tenantId);
    const UPDATE = 'mutation ($input: UpdateUserInput!) { updateUser(input: $input) { errors { code } } }';
    for (const [status, letIn] of [
      ['DISABLED', []],
      ['ACTIVE', [{ userId }]],
    ] as const) {
      await ask(a, staff, UPDATE, { input: { userId, status } });
      expect(await next()).toMatchObject({ subscriptionInvalidated: { userId } });
      expect(await usersAtNode()).toMatchObject(letIn);
    }
  });

  it('is pushed changes of nodes and of what plans open, and reads them at another process', async () => {
    const { tenantId, planId, nodeId, token } = await seeded();
    const [a, b] = cluster.urls;
    const staff = staffToken(cluster.world, tenantId);
    const next = await listen(b, { tenantId, token }, CHANGED);
    const input = { nodeId, tags: ['b'] };
    const UPDATE = 'mutation ($input: UpdateNodeInput!) { updateNode(input: $input) { errors { code } } }';
    expect(await ask(a, staff, UPDATE, { input })).toEqual({ updateNode: { errors: [] } });
    expect(await next()).toEqual({ nodesChanged: { nodeId, planId: null } });
    const PLAN = 'mutation ($input: UpdatePlanInput!) { updatePlan(input: $input) { errors { code } } }';
    await ask(a, staff, PLAN, { input: { planId, nodeTags: ['b'] } });
    expect(await next()).toEqual({ nodesChanged: { nodeId: null, planId } });
  });

  it('reads nothing else, and nothing of another node or tenant', async () => {
    const { tenantId, token } = await seeded();
    const [a] = cluster.urls;
    const foreign = await seeded();
    const other = `{ nodeUsers(nodeId: "${foreign.nodeId}") { next } }`;
    expect(await ask(a, token, other)).toEqual({ nodeUsers: null });
    const user = await signedUser(cluster.world, tenantId);
    const { tokens } = cluster.world.services;
    const auditor = tokens.sign({ kind: 'STAFF', tenantId, staffId: 's', role: 'AUDITOR' }, 900);
    for (const [caller, query] of [
      [token, '{ codes { total } }'],
      [token, '{ redemptions { total } }'],
      [token, '{ plans { total } }'],
      [token, '{ orders { total } }'],
      [token, '{ mySubscriptions { id } }'],
      [user.token, USERS],
      [auditor, USERS],
    ] as const) {
      const { errors } = await graphqlRequest(a, { token: caller, query });
      expect([query, errors?.map(({ extensions }) => extensions?.['code'])]).toEqual([query, ['FORBIDDEN']]);
    }
    expect(await ask(a, token, '{ viewer { kind permissions } }')).toEqual({
      viewer: { kind: 'NODE', permissions: ['READ_NODE_USERS'] },
    });
  });
});
