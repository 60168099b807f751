import 'reflect-metadata';
import { isDeepStrictEqual } from 'node:util';
import { InMemoryCache } from '@apollo/client';
import { graphql, parse, type DocumentNode, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RequestScope } from '../../src/transport/request-scope.js';
import type { Actor } from '../../src/graphql/actor.js';
import { createLog } from '../../src/platform/observability/log.js';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import type { PublishedEvent } from '../../src/platform/outbox/published-event.js';
import { ReconciliationRun } from '../../src/reconciliation/reconciliation-run.entity.js';
import { buildRedeemkitSchema } from '../../src/app/schema.js';
import { identifiedTypes, wholeOperations, type Arguments } from '../support/whole-answers.js';
import { seedKey } from '../support/partners.js';
import { tell } from '../support/webhook-world.js';
import { emOf, openWorld, redeem, seedCampaign, seedTenant, seedUser, type World } from '../support/world.js';

let world: World;
let schema: GraphQLSchema;
let answers: readonly Answer[];

interface Answer {
  readonly document: DocumentNode;
  readonly data: Record<string, unknown>;
}

/** Two of each thing, so that one taken for the other would show. */
beforeAll(async () => {
  world = await openWorld();
  schema = buildRedeemkitSchema(world.app.resolvers);
  const tenant = await seedTenant(world);
  const { tenantId, planId } = tenant;
  const yearly = await world.services.plans.create(tenantId, {
    name: 'Yearly',
    unitPrice: '99',
    unitTime: 'YEAR',
  });
  for (const name of ['A', 'B'])
    await world.services.nodes.create(tenantId, { name, address: `${name}.example`, tags: ['eu'] });
  for (const title of ['A', 'B']) await world.services.announcements.create(tenantId, { title });
  const targets = [planId, planId, yearly.id, planId];
  const rewardRules = targets.map((id, at) => ({
    type: 'SUBSCRIPTION',
    id,
    quantity: at + 1,
    value: `${at}`,
  }));
  const big = await seedCampaign(world, tenant, 4, { rule: { rewardRules } });
  const small = await seedCampaign(world, tenant, 4);
  const users = [await seedUser(world, tenantId), await seedUser(world, tenantId)];
  await moveMoney(tenantId, users);
  await giveCouponsAndPoints(tenantId, users);
  await addDevices(tenantId);
  await addPartners(tenantId);
  await addSessionsAndRuns(tenantId, users);
  const found: Answer[] = [];
  for (const [at, userId] of users.entries()) {
    const codes = [big, small].map((campaign) => `"${campaign.codes[at]}"`);
    const others = [big, small].map((campaign) => `"${campaign.codes[at + 2]}"`);
    const asked = {
      redeemCode: codes.map((code) => `(input: { code: ${code} })`),
      previewRedemption: others.map((code) => `(code: ${code})`),
    };
    found.push(...(await answersTo({ kind: 'USER', tenantId, userId }, asked)));
  }
  for (const userId of users) await redeem(world, tenantId, userId, 'no code');
  for (const name of ['a', 'b'])
    await world.services.staff.invite(tenantId, { email: `${name}@example.com`, name, role: 'AUDITOR' });
  await world.services.attemptLog.flush();
  const staff: Actor = { kind: 'STAFF', tenantId, staffId: 'staff-1', role: 'OWNER' };
  const { campaignId } = big;
  await world.services.pools.set(tenantId, { campaignId, size: 2 });
  await world.services.pools.refill(tenantId, campaignId);
  const lists = await answersTo(staff, {
    allocateCodes: ['A', 'B'].map(
      (channel) => `(input: { campaignId: "${campaignId}", count: 1, channel: "${channel}" })`,
    ),
    importCodes: ['a', 'b'].map(
      (key) => `(input: { campaignId: "${campaignId}", idempotencyKey: "${key}" })`,
    ),
  });
  const byId = await answersTo(staff, singles([...found, ...lists].map(({ data }) => data)));
  answers = [...found, ...lists, ...byId];
});
afterAll(async () => world?.close());

/** Two facilities, and an account, an entry and a transfer of each user. */
async function moveMoney(tenantId: string, users: readonly string[]): Promise<void> {
  const { currencies, facilities, accounts, transfers } = world.services;
  await currencies.create(tenantId, { code: 'USD', name: 'Dollar', scale: 2 });
  await facilities.create(tenantId, { name: 'Branch' });
  const { id: facilityId } = await facilities.create(tenantId, { name: 'Main shop' });
  const here = { facilityId, currency: 'USD' };
  for (const userId of users)
    await accounts.adjust(tenantId, 'eve', { ...here, userId, amount: '9', orderId: 'a', remark: 'A test' });
  for (const [at, from] of users.entries()) {
    const input = { ...here, toUserId: users[1 - at], amount: '1', orderId: 'b' };
    await transfers.transfer(null, tenantId, from, input);
  }
}

/** A coupon of an own template, and points, for each user. */
async function giveCouponsAndPoints(tenantId: string, users: readonly string[]): Promise<void> {
  const { couponTemplates, couponIssues, pointsGrants } = world.services;
  for (const userId of users) {
    const wanted = { name: `For ${userId}`, kind: 'AMOUNT', currency: 'USD', amount: '5' };
    const { id: templateId } = await couponTemplates.create(tenantId, wanted);
    await couponIssues.issue(tenantId, { templateId, userId });
    await pointsGrants.grant(tenantId, { userId, amount: 10 });
  }
}

async function addDevices(tenantId: string): Promise<void> {
  const { settingChanges, deviceLogins } = world.services;
  await settingChanges.update(tenantId, { auth: { deviceSignInEnabled: true } });
  for (const identifier of ['device-1', 'device-2'])
    await deviceLogins.login({ tenantId, ip: '127.0.0.1' }, { identifier, userAgent: 'A test' });
}

/** Partners with a key each, and webhooks with a delivery each. */
async function addPartners(tenantId: string): Promise<void> {
  const { webhooks, consumers } = world.services;
  for (const name of ['a', 'b']) {
    await seedKey(world, tenantId);
    await webhooks.create(tenantId, { url: `https://${name}.example/`, eventTypes: ['campaign.changed'] });
  }
  await tell(world, tenantId);
  const events = await emOf(world, tenantId).find(OutboxEvent, { type: 'campaign_changed' });
  const consumer = consumers.find(({ name }) => name === 'webhooks');
  await consumer?.handle(tenantId, events as unknown as PublishedEvent[]);
}

/** A session of each user, and two reconciliations that have failed. */
async function addSessionsAndRuns(tenantId: string, users: readonly string[]): Promise<void> {
  const { sessions, transactions, reconciliationRuns } = world.services;
  for (const subjectId of users)
    await transactions.run(tenantId, async (em) =>
      sessions.open(em, { tenantId, kind: 'DEVICE', subjectId, ip: '192.0.2.7' }),
    );
  for (const repair of [true, false]) {
    const { id } = await reconciliationRuns.start(tenantId, 'eve', repair);
    const failed = { status: 'FAILED', openSlot: null } as const;
    await emOf(world, tenantId).nativeUpdate(ReconciliationRun, { id }, failed);
  }
}

/** What the actor may read and do, with everything in it. */
async function answersTo(actor: Actor, args: Arguments): Promise<Answer[]> {
  const facts = {
    requestId: 'r',
    tenantId: null,
    productCode: 'DEMO',
    deviceId: null,
    idempotencyKey: null,
    ip: '',
  };
  const log = createLog({ level: 'silent' });
  const found: Answer[] = [];
  for (const source of wholeOperations(schema, args)) {
    const contextValue = new RequestScope(
      { ...facts, actor },
      log,
      world.services.feed,
      world.services.access,
    );
    const { data, errors } = await graphql({ schema, source, contextValue });
    const codes = errors?.map(({ extensions }) => extensions['code']) ?? [];
    expect(codes.filter((code) => code !== 'FORBIDDEN')).toEqual([]);
    // A client keeps the answer of a mutation as that of a query, and only queries can be read back.
    const document = parse(source.replace(/^mutation /, 'query '));
    if (codes.length === 0)
      found.push({ document, data: JSON.parse(JSON.stringify(data)) as Answer['data'] });
  }
  return found;
}

/** The same objects again, each by the query for one of its kind. */
function singles(known: unknown): Arguments {
  const objects = [...identifiedIn(known)];
  const idsOf = (type: string): string[] =>
    objects.filter(({ __typename }) => __typename === type).map(({ id }) => `(id: "${String(id)}")`);
  const batches = new Set(objects.map(({ batchId }) => batchId).filter((id) => typeof id === 'string'));
  return {
    batch: [...batches].map((id) => `(id: "${id}")`),
    campaign: idsOf('Campaign'),
    code: idsOf('Code'),
    codeImport: idsOf('CodeImport'),
    node: idsOf('SubscriptionNode'),
    order: idsOf('Order').map((args) => args.replace('id', 'orderNo')),
    plan: idsOf('Plan'),
    redemption: idsOf('Redemption'),
  };
}

/** All objects within an answer that a client would keep by type and id. */
function* identifiedIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if ('id' in value) yield value;
  for (const inner of Object.values(value)) yield* identifiedIn(inner);
}

describe('a client that keeps objects by type and id', () => {
  it('meets two different objects at least of every type that has an id', () => {
    const met = Map.groupBy(
      answers.flatMap(({ data }) => [...identifiedIn(data)]),
      ({ __typename }) => String(__typename),
    );
    const counts = identifiedTypes(schema).map((name) => [
      name,
      new Set(met.get(name)?.map(({ id }) => id)).size,
    ]);
    // A tenant's people see that one tenant; its id is the key of its row.
    // Events of a directory are shown to the staff of a platform alone.
    const single = new Set(['Tenant', 'TenantEventLetter']);
    expect(counts.filter(([name, count]) => !single.has(String(name)) && Number(count) < 2)).toEqual([]);
  });

  it('finds the same fields wherever type and id are the same', () => {
    const known = new Map<string, Record<string, unknown>>();
    const clashes: unknown[] = [];
    for (const object of answers.flatMap(({ data }) => [...identifiedIn(data)])) {
      const key = `${String(object['__typename'])}:${String(object['id'])}`;
      const before = known.get(key) ?? {};
      for (const [name, value] of Object.entries(object))
        if (name in before && !isDeepStrictEqual(value, before[name]))
          clashes.push([key, name, value, before[name]]);
      known.set(key, { ...before, ...object });
    }
    expect(clashes).toEqual([]);
    expect(known.size).toBeGreaterThan(20);
  });

  it("reads every answer out of Apollo Client's cache as it was written, after all were written", () => {
    const cache = new InMemoryCache();
    for (const [at, { document, data }] of answers.entries())
      cache.writeQuery({ id: `ROOT_${at}`, query: document, data });
    for (const [at, { document, data }] of answers.entries()) {
      const read = cache.readQuery({ id: `ROOT_${at}`, query: document });
      expect(JSON.parse(JSON.stringify(read))).toEqual(data);
    }
  });
});
