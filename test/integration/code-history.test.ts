import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../src/codes/code.entity.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { present } from '../../src/platform/assert.js';
import { forget, openClaim, reopen } from '../support/open-claim.js';
import { ProductApi, staffOf } from '../support/product-api.js';
import { RedisServer } from '../support/redis-server.js';
import {
  emOf,
  openWorld,
  redeem,
  seedCampaign,
  seedTenant,
  type SeededTenant,
  type World,
} from '../support/world.js';

let world: World;
let api: ProductApi;
beforeAll(async () => {
  world = await openWorld();
  api = new ProductApi(world);
});
afterAll(async () => world?.close());

const HISTORY = `query ($codeId: ID!) { codeHistory(codeId: $codeId) { codeId isCut
  entries { at event userId externalUserId redemptionId useNo productCode refusal isPreview further channel by reason operation auditEntryId }
  openClaims { redemptionId userId claimedAt deadline } copy { status used useLimit version } } }`;

interface Shown {
  readonly entries: Record<string, unknown>[];
  readonly isCut: boolean;
  readonly openClaims: Record<string, unknown>[] | null;
  readonly copy: Record<string, unknown> | null;
}

async function historyOf(tenantId: string, codeId: string, of = api): Promise<Shown | null> {
  const { data, errors } = await of.ask(staffOf(tenantId, 'AUDITOR'), HISTORY, { codeId });
  expect(errors).toEqual([]);
  return (data['codeHistory'] ?? null) as Shown | null;
}

const eventsIn = (history: Shown | null): unknown[] =>
  present(history, 'The history').entries.map(({ event }) => event);

async function change(tenantId: string, mutation: string): Promise<void> {
  const { errors } = await api.ask(staffOf(tenantId), `mutation { ${mutation} { errors { code } } }`);
  expect(errors).toEqual([]);
}

async function codeOf({ tenantId }: SeededTenant, codeText: string): Promise<Code> {
  return emOf(world, tenantId).findOneOrFail(Code, { codeText });
}

async function user(tenantId: string, externalId: string): Promise<string> {
  return (await world.services.users.ensureUser(tenantId, externalId)).id;
}

describe('the history of a code', () => {
  it('tells of issue, changes, redemptions, reversals and refusals, the newest first', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 2, { rule: { useLimit: 1 } });
    const [text = '', other = ''] = codes;
    const { id: codeId, batchId } = await codeOf(tenant, text);
    const [ann, bob] = [await user(tenantId, 'ann'), await user(tenantId, 'bob')];
    await redeem(world, tenantId, ann, other);
    await change(tenantId, `setCodeEnabled(input: { codeId: "${codeId}", enabled: false })`);
    await redeem(world, tenantId, bob, text);
    await change(tenantId, `setCodeEnabled(input: { codeId: "${codeId}", enabled: true })`);
    await change(tenantId, `freezeBatch(input: { batchId: "${batchId}" })`);
    await change(tenantId, `unfreezeBatch(input: { batchId: "${batchId}" })`);
    const { redemption } = await redeem(world, tenantId, ann, text, { productCode: 'APP_A' });
    const redemptionId = present(redemption, 'The redemption').id;
    await world.services.reversals.reverse(tenantId, 'eve', { redemptionId, reason: 'A mistake' });
    await redeem(world, tenantId, bob, text);
    await world.services.attemptLog.flush();
    const history = await historyOf(tenantId, codeId);
    expect(history).toMatchObject({ codeId, isCut: false, openClaims: [] });
    const told = present(history, 'The history').entries.map((entry) =>
      Object.fromEntries(
        Object.entries(entry).filter(
          ([name, value]) => value !== null && !['at', 'auditEntryId'].includes(name),
        ),
      ),
    );
    expect(told).toEqual([
      {
        event: 'REFUSED',
        userId: bob,
        externalUserId: 'bob',
        productCode: 'DEMO',
        refusal: 'CODE_EXHAUSTED',
        isPreview: false,
        further: 0,
      },
      {
        event: 'REVERSED',
        userId: ann,
        externalUserId: 'ann',
        redemptionId,
        useNo: 1,
        productCode: 'APP_A',
        by: 'eve',
        reason: 'A mistake',
      },
      { event: 'REDEEMED', userId: ann, externalUserId: 'ann', redemptionId, useNo: 1, productCode: 'APP_A' },
      { event: 'CHANGED', by: 'eve', operation: 'unfreezeBatch' },
      { event: 'CHANGED', by: 'eve', operation: 'freezeBatch' },
      { event: 'CHANGED', by: 'eve', operation: 'setCodeEnabled' },
      {
        event: 'REFUSED',
        userId: bob,
        externalUserId: 'bob',
        productCode: 'DEMO',
        refusal: 'CODE_INACTIVE',
        isPreview: false,
        further: 0,
      },
      { event: 'CHANGED', by: 'eve', operation: 'setCodeEnabled' },
      { event: 'ISSUED' },
    ]);
    const entry = history?.entries.find(({ operation }) => operation === 'freezeBatch');
    const { data } = await api.ask(
      staffOf(tenantId),
      `{ auditEntry(id: "${String(entry?.['auditEntryId'])}") { targetId } }`,
    );
    expect(data['auditEntry']).toEqual({ targetId: batchId });
  });

  it('tells who got a code, and that it was deleted', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { campaignId } = await seedCampaign(world, tenant, 1);
    await world.services.pools.set(tenantId, { campaignId, size: 2 });
    await world.services.pools.refill(tenantId, campaignId);
    const ann = await user(tenantId, 'ann');
    const { codes: toUser } = await world.services.allocations.allocate(tenantId, {
      campaignId,
      count: 1,
      userId: ann,
    });
    const { codes: toShop } = await world.services.allocations.allocate(tenantId, {
      campaignId,
      count: 1,
      channel: 'shop',
    });
    const [first, second] = [await codeOf(tenant, toUser[0] ?? ''), await codeOf(tenant, toShop[0] ?? '')];
    const allocated = async ({ id }: Code) =>
      present(await historyOf(tenantId, id), 'The history').entries.filter(
        ({ event }) => event === 'ALLOCATED',
      );
    expect(await allocated(first)).toMatchObject([{ userId: ann, externalUserId: 'ann', channel: null }]);
    expect(await allocated(second)).toMatchObject([{ userId: null, channel: 'shop' }]);
    await change(tenantId, `deleteCodes(input: { codeIds: ["${first.id}"] })`);
    const { entries } = present(await historyOf(tenantId, first.id), 'The history of a deleted code');
    expect(entries[0]).toMatchObject({ event: 'CHANGED', operation: 'deleteCodes', by: 'eve' });
    await world.services.codeChanges.delete(tenantId, [second.id]);
    expect(eventsIn(await historyOf(tenantId, second.id))).toEqual(['DELETED', 'ALLOCATED', 'ISSUED']);
  });

  it('tells of batches from before the audit log by their instants', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1);
    const { id, batchId } = await codeOf(tenant, codes[0] ?? '');
    const instants = { activatedAt: new Date(1000), frozenAt: new Date(2000), voidedAt: new Date(3000) };
    await emOf(world, tenantId).nativeUpdate(CodeBatch, { id: batchId }, instants);
    expect(eventsIn(await historyOf(tenantId, id))).toEqual([
      'ISSUED',
      'BATCH_VOIDED',
      'BATCH_FROZEN',
      'BATCH_ACTIVATED',
    ]);
  });

  it('shows open claims and the copy that Redis has, and nothing of other tenants', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
    const code = await codeOf(tenant, codes[0] ?? '');
    const ann = await user(tenantId, 'ann');
    await forget(world, tenantId);
    expect((await historyOf(tenantId, code.id))?.copy).toBeNull();
    const claim = await openClaim(world, tenant, codes[0] ?? '', ann);
    await reopen(world, claim, 86_400_000);
    expect(await historyOf(tenantId, code.id)).toMatchObject({
      openClaims: [
        { redemptionId: claim.redemptionId, userId: ann, deadline: new Date(86_400_000).toISOString() },
      ],
      copy: { status: 'ACTIVE', used: 0, useLimit: 2, version: code.version },
    });
    const { tenantId: stranger } = await seedTenant(world);
    expect(await historyOf(stranger, code.id)).toBeNull();
    expect(await historyOf(tenantId, 'none')).toBeNull();
  });

  it('says that it is cut where a code has more redemptions than it shows', async () => {
    const tenant = await seedTenant(world);
    const { tenantId } = tenant;
    const { codes } = await seedCampaign(world, tenant, 1, { rule: { useLimit: 0 } });
    const code = await codeOf(tenant, codes[0] ?? '');
    const users = await Promise.all(Array.from({ length: 101 }, async (_, at) => user(tenantId, `u-${at}`)));
    await Promise.all(users.map(async (userId) => redeem(world, tenantId, userId, codes[0] ?? '')));
    const history = present(await historyOf(tenantId, code.id), 'The history');
    expect([history.isCut, history.entries.filter(({ event }) => event === 'REDEEMED').length]).toEqual([
      true,
      100,
    ]);
  });

  it('shows what the database knows while Redis is away', async () => {
    const redis = await RedisServer.start();
    const cut = await openWorld({ STORE_TIMEOUT_MS: '1000' }, { redisUrl: redis.url });
    try {
      const tenant = await seedTenant(world);
      const { codes } = await seedCampaign(world, tenant, 1);
      const { id } = await codeOf(tenant, codes[0] ?? '');
      await redis.kill();
      expect(await historyOf(tenant.tenantId, id, new ProductApi(cut))).toMatchObject({
        entries: [{ event: 'ISSUED' }],
        openClaims: null,
        copy: null,
      });
    } finally {
      await cut.close();
      await redis.close();
    }
  });
});
