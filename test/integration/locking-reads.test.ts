import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { lockUsage } from '../../src/campaigns/campaign-usage.service.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { takeItems } from '../../src/codes/code-pool-items.js';
import { CodePoolItem } from '../../src/codes/code-pool.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { Money } from '../../src/platform/decimal.js';
import { deleteByPrefix, deleteRows, lockUnheld } from '../../src/platform/database/delete-rows.js';
import type { Em } from '../../src/platform/database/orm.js';
import { Transactions } from '../../src/platform/database/transaction.js';
import type { Claim } from '../../src/redemption/claim/claim.js';
import { lockRows } from '../../src/redemption/commit/commit-locks.js';
import { loadStates, lockPlans, writeExtended } from '../../src/subscriptions/subscription-rows.js';
import { createScratchDatabase, type ScratchDatabase } from '../support/scratch-database.js';
import {
  emOf,
  openWorld,
  outcomeOf,
  redeem,
  seedCampaign,
  seedTenant,
  seedUsers,
  type World,
} from '../support/world.js';

/** What one redemption of the scene is about; the rows of the first one are held, and the others are worked at. */
interface Thing {
  readonly userId: string;
  readonly planId: string;
  readonly campaignId: string;
  /** Its first code is redeemed. */
  readonly codes: readonly Code[];
}

const THINGS = 3;
const CODES = 3;
const TABLES = [
  'user',
  'code',
  'code_batch',
  'campaign',
  'plan',
  'subscription',
  'campaign_usage',
  'code_pool_item',
  'code_batch_format',
] as const;

let scratch: ScratchDatabase;
let world: World;
let tenantId: string;
let held: Thing;
let others: readonly Thing[];

// A private database, because the optimizer scans tables that are small.
beforeAll(async () => {
  scratch = await createScratchDatabase(inject('databaseUrl'));
  world = await openWorld({}, { databaseUrl: scratch.databaseUrl });
  const tenant = await seedTenant(world);
  ({ tenantId } = tenant);
  const things: Thing[] = [];
  for (const userId of await seedUsers(world, tenantId, THINGS)) {
    const plan = { name: `Plan ${userId}`, unitPrice: '1', unitTime: 'MONTH' as const, trafficBytes: 1 };
    const { id: planId } = await world.services.plans.create(tenantId, plan);
    const campaign = { userLimitTotal: 5 };
    const { campaignId, codes } = await seedCampaign(world, { tenantId, planId }, CODES, { campaign });
    expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
    const em = emOf(world, tenantId);
    const rows = await em.find(Code, { campaignId }, { orderBy: { used: 'desc' }, disableIdentityMap: true });
    const unused = rows.slice(1).map(({ id: codeId }) => ({ tenantId, campaignId, codeId }));
    await em.insertMany(CodePoolItem, unused);
    things.push({ userId, planId, campaignId, codes: rows });
  }
  const [first, ...rest] = things;
  if (first === undefined) throw new Error('There is nothing to hold.');
  [held, others] = [first, rest];
  for (const table of TABLES) await emOf(world, tenantId).execute(`analyze table ${table}`);
});
afterAll(async () => {
  await world.close();
  await scratch.drop();
});

/** Holds all rows of the first thing, in all tables, while the work is done, whose locks are undone. */
async function besideHeld(work: (em: Em) => Promise<unknown>): Promise<void> {
  await whileHeld(async () => {
    const em = emOf(world, tenantId);
    await em.begin();
    // A wait ends with an error of the server, after two seconds.
    await work(em).finally(async () => em.rollback());
  });
}

async function whileHeld(work: () => Promise<unknown>): Promise<void> {
  const holder = emOf(world, tenantId);
  const { userId, planId, campaignId, codes } = held;
  const hold = async (table: string, column: string, ids: readonly string[]): Promise<void> => {
    const rows = await holder.execute<unknown[]>(
      `select 1 from ${table} force index (primary) where tenant_id = ? and ${column} in (?) for update`,
      [tenantId, ids],
    );
    if (rows.length === 0) throw new Error(`No row of ${table} is held.`);
  };
  const codeIds = codes.map(({ id }) => id);
  const batchIds = codes.map(({ batchId }) => batchId);
  await holder.begin();
  try {
    await hold('user', 'id', [userId]);
    await hold('code', 'id', codeIds);
    await hold('code_batch', 'id', batchIds);
    await hold('campaign', 'id', [campaignId]);
    await hold('plan', 'id', [planId]);
    await hold('subscription', 'user_id', [userId]);
    await hold('campaign_usage', 'campaign_id', [campaignId]);
    await hold('code_pool_item', 'campaign_id', [campaignId]);
    await hold('code_batch_format', 'batch_id', batchIds);
    await work();
  } finally {
    await holder.rollback();
  }
}

const poolKeys = ({ campaignId, codes }: Thing) => ({
  table: 'code_pool_item',
  prefix: { tenant_id: tenantId, campaign_id: campaignId },
  column: 'code_id',
  ids: codes.slice(1).map(({ id }) => id),
});
const firstCode = ({ codes }: Thing): Code => {
  const [code] = codes;
  if (code === undefined) throw new Error('There is no code.');
  return code;
};

describe('beside rows of others that a transaction holds, a transaction waits for none of them that', () => {
  it('locks the rows of a redemption', async () => {
    const claims = others.map((thing) => ({ ...thing, codeId: firstCode(thing).id, batchId: firstCode(thing).batchId }));
    await besideHeld(async (em) => {
      const rows = await lockRows(em, tenantId, claims as unknown as Claim[]);
      expect([rows.users.size, rows.codes.size, rows.campaigns.size, rows.batches.size]).toEqual([2, 2, 2, 2]);
    });
  });

  it('locks and writes subscriptions', async () => {
    const [userIds, planIds] = [others.map(({ userId }) => userId), others.map(({ planId }) => planId)];
    await besideHeld(async (em) => {
      const states = await loadStates(em, tenantId, userIds, planIds, 'for update');
      expect(states).toHaveLength(2);
      await writeExtended(em, tenantId, states, new Date());
    });
  });

  it.each([true, false])('locks plans, exclusively: %s', async (isExclusive) => {
    const planIds = others.map(({ planId }) => planId);
    await besideHeld(async (em) => {
      expect(await lockPlans(em, tenantId, planIds, isExclusive)).toHaveLength(2);
    });
  });

  it('locks counters of usage', async () => {
    const ids = others.map(({ campaignId }) => campaignId);
    const campaigns = await emOf(world, tenantId).find(Campaign, { id: { $in: ids } }, { disableIdentityMap: true });
    const wanted = campaigns.map((campaign) => {
      const userId = others.find(({ campaignId }) => campaignId === campaign.id)?.userId ?? '';
      return { campaign, userId, day: 20_000, value: new Money(0) };
    });
    expect(wanted).toHaveLength(2);
    await besideHeld(async (em) => lockUsage(em, tenantId, wanted));
  });

  it.each(['AWAITED', 'SKIPPED'] as const)('takes codes from a pool, where held ones are %s', async (heldRows) => {
    await besideHeld(async (em) => {
      for (const { campaignId } of others) {
        const taken = await takeItems(em, { tenantId, campaignId, now: new Date() }, CODES, heldRows);
        expect(taken).toHaveLength(CODES - 1);
      }
    });
  });

  it('locks and deletes rows by their keys', async () => {
    await besideHeld(async (em) => {
      for (const thing of others) {
        expect(await lockUnheld(em, poolKeys(thing))).toHaveLength(CODES - 1);
        expect(await deleteRows(em, poolKeys(thing))).toBe(CODES - 1);
      }
    });
  });

  it('deletes counters of a campaign, and of batches', async () => {
    await besideHeld(async (em) => {
      for (const { campaignId } of others)
        await deleteByPrefix(em, 'campaign_usage', { tenant_id: tenantId, campaign_id: campaignId });
      const batchIds = others.map((thing) => firstCode(thing).batchId);
      await deleteByPrefix(em, 'code_batch_format', { tenant_id: tenantId, batch_id: batchIds });
      const left = await em.execute<{ count: number }[]>('select count(*) as count from campaign_usage');
      expect(left.map(({ count }) => Number(count))).toEqual([1]);
    });
  });

  it('redeems', async () => {
    await whileHeld(async () => {
      for (const { userId, codes } of others)
        expect(outcomeOf(await redeem(world, tenantId, userId, codes[1]?.codeText ?? ''))).toBe('COMMITTED');
    });
  });

  it('deletes codes', async () => {
    const ids = others.flatMap(({ codes }) => codes.slice(2).map(({ id }) => id));
    await whileHeld(async () => expect(await world.services.codeChanges.delete(tenantId, ids)).toBe(2));
  });

  it('voids the batches of a campaign', async () => {
    const transactions = new Transactions(world.stores.orm, { attempts: 1 });
    await whileHeld(async () => {
      for (const { campaignId } of others)
        await transactions.run(tenantId, async (em) =>
          world.services.batchChanges.voidAll(em, tenantId, campaignId),
        );
    });
  });
});
