import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockUsage } from '../../src/campaigns/campaign-usage.service.js';
import { Campaign } from '../../src/campaigns/campaign.entity.js';
import { CodeBatch } from '../../src/codes/code-batch.entity.js';
import { takeItems } from '../../src/codes/code-pool-items.js';
import { CodePoolItem } from '../../src/codes/code-pool.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { Money } from '../../src/platform/decimal.js';
import { deleteRows, lockUnheld, updateRows } from '../../src/platform/database/delete-rows.js';
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

/** Of few rows the optimizer scans all for one, and of some more it scans them where nearly all are asked for. */
const SIZES = [3, 30];
const CODES = 3;
const FRESH = { disableIdentityMap: true } as const;
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

/** A private database, so that tables are as small as they are meant to be. */
async function open(size: number): Promise<void> {
  scratch = await createScratchDatabase();
  world = await openWorld({}, { databaseUrl: scratch.databaseUrl });
  ({ tenantId } = await seedTenant(world));
  const users = await seedUsers(world, tenantId, size);
  const [first, ...rest] = await Promise.all(users.map(seedThing));
  if (first === undefined) throw new Error('There is nothing to hold.');
  [held, others] = [first, rest];
  for (const table of TABLES) await emOf(world, tenantId).execute(`analyze table ${table}`);
}

async function seedThing(userId: string): Promise<Thing> {
  const plan = { name: `Plan ${userId}`, unitPrice: '1', unitTime: 'MONTH' as const, trafficBytes: 1 };
  const { id: planId } = await world.services.plans.create(tenantId, plan);
  const campaign = { userLimitTotal: 5 };
  const { campaignId, codes } = await seedCampaign(world, { tenantId, planId }, CODES, { campaign });
  expect(outcomeOf(await redeem(world, tenantId, userId, codes[0] ?? ''))).toBe('COMMITTED');
  const em = emOf(world, tenantId);
  const rows = await em.find(Code, { campaignId }, { orderBy: { used: 'desc' }, ...FRESH });
  const unused = rows.slice(1).map(({ id: codeId }) => ({ tenantId, campaignId, codeId }));
  await em.insertMany(CodePoolItem, unused);
  return { userId, planId, campaignId, codes: rows };
}

/** Does work whose locks are undone, beside held rows. */
async function besideHeld(work: (em: Em) => Promise<unknown>): Promise<void> {
  await whileHeld(async () => {
    const em = emOf(world, tenantId);
    await em.begin();
    try {
      // A wait ends with an error of the server, after two seconds.
      await work(em);
    } finally {
      await em.rollback();
    }
  });
}

/** Holds all rows of the first thing, in all tables. */
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

describe.each(SIZES)(
  'in tables of %i rows, of which a transaction holds some, others wait for none that',
  (size) => {
    beforeAll(async () => open(size));
    afterAll(async () => {
      await world?.close();
      await scratch?.drop();
    });

    it('lock the rows of redemptions', async () => {
      const claims = others.map((thing) => ({
        ...thing,
        codeId: firstCode(thing).id,
        batchId: firstCode(thing).batchId,
      }));
      await besideHeld(async (em) => {
        const rows = await lockRows(em, tenantId, claims as unknown as Claim[]);
        for (const locked of [rows.users, rows.codes, rows.campaigns, rows.batches])
          expect(locked.size).toBe(others.length);
      });
    });

    it('lock and write subscriptions', async () => {
      const [userIds, planIds] = [others.map(({ userId }) => userId), others.map(({ planId }) => planId)];
      await besideHeld(async (em) => {
        const states = await loadStates(em, tenantId, userIds, planIds, 'for update');
        expect(states).toHaveLength(others.length);
        await writeExtended(em, tenantId, states, new Date());
      });
    });

    it.each([true, false])('lock plans, exclusively: %s', async (isExclusive) => {
      const planIds = others.map(({ planId }) => planId);
      await besideHeld(async (em) => {
        expect(await lockPlans(em, tenantId, planIds, isExclusive)).toHaveLength(others.length);
      });
    });

    it('lock counters of usage', async () => {
      const ids = others.map(({ campaignId }) => campaignId);
      const campaigns = await emOf(world, tenantId).find(Campaign, { id: { $in: ids } }, FRESH);
      const wanted = campaigns.map((campaign) => {
        const userId = others.find(({ campaignId }) => campaignId === campaign.id)?.userId ?? '';
        return { campaign, userId, atMs: 0, value: new Money(0) };
      });
      expect(wanted).toHaveLength(others.length);
      await besideHeld(async (em) => lockUsage(em, tenantId, wanted));
    });

    it.each(['AWAITED', 'SKIPPED'] as const)(
      'take codes of a pool, where held ones are %s',
      async (heldRows) => {
        await besideHeld(async (em) => {
          for (const { campaignId } of others) {
            const pool = { tenantId, campaignId, now: new Date() };
            expect(await takeItems(em, pool, CODES, heldRows)).toHaveLength(CODES - 1);
          }
        });
      },
    );

    it('change rows by their keys', async () => {
      const ids = others.flatMap(({ codes }) => codes.map(({ id }) => id));
      const keys = { table: 'code', prefix: { tenant_id: tenantId }, column: 'id', ids };
      await besideHeld(async (em) => {
        await updateRows(em, keys, 'version = version + ?', [100]);
        expect(await em.execute<unknown[]>('select 1 from code where version > 100')).toHaveLength(
          ids.length,
        );
      });
    });

    it('lock and delete rows by their keys', async () => {
      await besideHeld(async (em) => {
        for (const thing of others) {
          expect(await lockUnheld(em, poolKeys(thing))).toHaveLength(CODES - 1);
          expect(await deleteRows(em, poolKeys(thing))).toBe(CODES - 1);
        }
      });
    });

    it('delete the counters of campaigns and of batches', async () => {
      const campaignIds = others.map(({ campaignId }) => campaignId);
      const batchIds = others.map((thing) => firstCode(thing).batchId);
      const prefix = { tenant_id: tenantId };
      await besideHeld(async (em) => {
        await deleteRows(em, { table: 'campaign_usage', prefix, column: 'campaign_id', ids: campaignIds });
        await deleteRows(em, { table: 'code_batch_format', prefix, column: 'batch_id', ids: batchIds });
        for (const table of ['campaign_usage', 'code_batch_format'])
          expect(await em.execute<unknown[]>(`select 1 from ${table}`)).toHaveLength(1);
      });
    });

    it('redeem', async () => {
      await whileHeld(async () => {
        for (const { userId, codes } of others)
          expect(outcomeOf(await redeem(world, tenantId, userId, codes[1]?.codeText ?? ''))).toBe(
            'COMMITTED',
          );
      });
    });

    it('delete codes', async () => {
      const ids = others.flatMap(({ codes }) => codes.slice(2).map(({ id }) => id));
      await whileHeld(async () =>
        expect(await world.services.codeChanges.delete(tenantId, ids)).toBe(others.length),
      );
    });

    it('void the batches of a campaign', async () => {
      const transactions = new Transactions(world.stores.orm, { attempts: 1 });
      await whileHeld(async () => {
        for (const { campaignId } of others)
          await transactions.run(tenantId, async (em) =>
            world.services.batchChanges.voidAll(em, tenantId, campaignId),
          );
      });
      const voided = await emOf(world, tenantId).count(CodeBatch, { voidedAt: { $ne: null } });
      expect(voided).toBe(others.length);
    });
  },
);
