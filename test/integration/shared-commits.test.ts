import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { ALL_FOUR, holdingsOf, NOTHING } from '../support/four-rewards.js';
import { openBeforeAll } from '../support/open-before-all.js';
import { reopen } from '../support/open-claim.js';
import { driftsAtRest } from '../support/reversals.js';
import { holdRows } from '../support/row-lock.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { execute, oddOf, openShops, settle, transactionsOf, type Shop } from '../support/shared-commits.js';
import { expectExactly } from '../support/truth.js';
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

const TENANTS = 6;
const CLAIMS_EACH = 2;

let world: World;
/** Plays a second process. */
let other: World;
openBeforeAll(async (closing) => {
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
  other = await closing(openWorld({}, database));
});

const open = async (campaign = {}): Promise<Shop[]> => openShops(world, TENANTS, { campaign });

const committed = (shops: readonly Shop[]): string[] =>
  shops.flatMap(({ claims }) => claims.map(() => 'COMMITTED'));

/** How many redemptions each tenant has, and the instants of the commits that they came by. */
async function committedOf(shops: readonly Shop[]) {
  const ofShops = await Promise.all(
    shops.map(async ({ tenantId }) =>
      emOf(other, tenantId).find(Redemption, { status: 'COMMITTED' }, { disableIdentityMap: true }),
    ),
  );
  const instants = new Set(ofShops.flat().map((row) => row.settledAt.getTime()));
  return { counts: ofShops.map((rows) => rows.length), commits: instants.size };
}

/** Every claim of these tenants but those of `without` has its four rewards once, and nothing drifts. */
async function expectRedeemed(shops: readonly Shop[], without: readonly string[] = []): Promise<void> {
  for (const shop of shops) {
    const users = shop.users.filter((userId) => !without.includes(userId));
    for (const userId of shop.users)
      expect(await holdingsOf(shop, userId)).toEqual(users.includes(userId) ? ALL_FOUR : NOTHING);
    const events = await emOf(other, shop.tenantId).find(OutboxEvent, { type: 'redemption_settled' });
    expect(new Set(events.map(({ userId }) => userId))).toEqual(new Set(users));
    expect(events).toHaveLength(users.length);
    expect(await driftsAtRest(other, shop.tenantId)).toEqual({});
  }
}

describe('a transaction of several tenants', () => {
  it('X.14 gives all rewards of all, and numbers the events of each', async () => {
    const shops = await open();
    const count = await transactionsOf(world, async () =>
      expect(await settle(world, shops)).toEqual(committed(shops)),
    );
    expect(count).toBe(1);
    await expectRedeemed(shops);
    for (const { tenantId } of shops) {
      const events = await emOf(other, tenantId).find(OutboxEvent, {}, { orderBy: { seq: 'asc' } });
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, at) => at + 1));
    }
  });

  it('X.14 counts limits of users and budgets', async () => {
    const limits = { userLimitTotal: 1, userLimitDay: 1, budgetUses: CLAIMS_EACH + 1 };
    const shops = await open(limits);
    // The counters of the budgets are made by claims that go alone.
    const first = shops.map((shop) => ({ ...shop, claims: shop.claims.slice(0, 1) }));
    const rest = shops.map((shop) => ({ ...shop, claims: shop.claims.slice(1) }));
    const made = await transactionsOf(world, async () =>
      expect(await settle(world, first)).toEqual(committed(first)),
    );
    expect(made).toBe(1 + TENANTS);
    const count = await transactionsOf(world, async () =>
      expect(await settle(world, rest)).toEqual(committed(rest)),
    );
    expect(count).toBe(1);
    await expectRedeemed(shops);
    // One use of each budget is left, and none of any user.
    for (const shop of shops) {
      const { codes } = await world.services.generation.generate(shop.tenantId, {
        campaignId: shop.campaignId,
        count: 3,
      });
      const [user = ''] = shop.users;
      const [u = '', v = ''] = await seedUsers(world, shop.tenantId, 2);
      const answers = [];
      for (const [at, userId] of [user, u, v].entries())
        answers.push(outcomeOf(await redeem(world, shop.tenantId, userId, codes?.[at] ?? '')));
      expect(answers).toEqual(['USER_LIMIT_REACHED', 'COMMITTED', 'BUDGET_EXHAUSTED']);
    }
  });

  it.each(['user', 'code', 'campaign', 'code_batch'])(
    'S4.10 waits for no row of %s, and what it belongs to is committed later',
    async (table) => {
      const shops = await open();
      const [odd, others, { userId, codeId, campaignId, batchId }] = oddOf(shops);
      const id = { user: userId, code: codeId, campaign: campaignId, code_batch: batchId }[table] ?? '';
      const sql = `select id from ${table} where tenant_id = ? and id = ? for update`;
      const release = await holdRows(other, odd.tenantId, sql, id);
      const settled = settle(world, shops);
      // All of the others are there by one transaction, and the lock is still held.
      await expect
        .poll(async () => committedOf(others))
        .toEqual({
          counts: others.map(() => CLAIMS_EACH),
          commits: 1,
        });
      await release();
      expect(await settled).toEqual(committed(shops));
      await expectRedeemed(shops);
    },
  );

  it('ends where it has waited in vain for a counter of one tenant, and the others are committed without it', async () => {
    const shops = await open();
    const [odd, others] = oddOf(shops);
    const sql = 'select last_seq from outbox_counter where tenant_id = ? for update';
    const release = await holdRows(other, odd.tenantId, sql);
    const settled = settle(world, shops);
    const { counts } = await expect
      .poll(async () => committedOf(others), { timeout: 8000 })
      .toMatchObject({ counts: others.map(() => CLAIMS_EACH) })
      .then(async () => committedOf([odd]));
    expect(counts).toEqual([0]);
    await release();
    expect(await settled).toEqual(committed(shops));
    await expectRedeemed(shops);
  });

  it('S4.10 is not split because of a claim that cannot be written, nor is the batch of another tenant', async () => {
    const shops = await open();
    const [, others, { userId }] = oddOf(shops);
    await execute(
      other,
      `create trigger broken before insert on redemption for each row
        if new.user_id = ${userId} and new.status = 'COMMITTED' then
          signal sqlstate '45000' set message_text = 'broken on purpose'; end if`,
    );
    let outcomes: string[] = [];
    let count = 0;
    try {
      count = await transactionsOf(world, async () => {
        outcomes = await settle(world, shops);
      });
    } finally {
      await execute(other, 'drop trigger broken');
    }
    expect(outcomes).toEqual([
      expect.stringContaining('broken on purpose'),
      'COMMITTED',
      ...committed(others),
    ]);
    // That of all, one for each of the others, and the batch of this one with its two halves.
    expect(count).toBe(1 + others.length + 3);
    await expectRedeemed(shops, [userId]);
  });

  it('leaves out a claim that is to be refused, and that is refused alone', async () => {
    const shops = await open();
    const [odd, others, { userId }] = oddOf(shops);
    const disable = "update user set status = 'DISABLED' where tenant_id = ? and id = ?";
    await execute(other, disable, [odd.tenantId, userId]);
    let outcomes: string[] = [];
    const count = await transactionsOf(world, async () => {
      outcomes = await settle(world, shops);
    });
    expect(outcomes).toEqual(['USER_DISABLED', 'COMMITTED', ...committed(others)]);
    // That of all; and for the one claim another, which reads back and runs again.
    expect(count).toBe(3);
    await expectRedeemed(shops, [userId]);
  });

  it('S4.10 takes the locks of its tenants in one order, whatever came first', async () => {
    const shops = await open();
    const of = (at: number) => shops.map((shop) => ({ ...shop, claims: shop.claims.slice(at, at + 1) }));
    // Both wait for the plan of the first tenant. Out of order, one of them would hold those of the others by then.
    const sql = 'select id from plan where tenant_id = ? for update';
    const release = await holdRows(other, oddOf(shops)[0].tenantId, sql);
    let ofOther = 0;
    const ofWorld = await transactionsOf(world, async () => {
      ofOther = await transactionsOf(other, async () => {
        const settled = Promise.all([settle(world, of(0)), settle(other, of(1).toReversed())]);
        await pause(500);
        await release();
        expect((await settled).flat()).toEqual(committed(shops));
      });
    });
    expect([ofWorld, ofOther]).toEqual([1, 1]);
    await expectRedeemed(shops);
  });

  it('S0.9 finds what another process has committed meanwhile', async () => {
    const shops = await open();
    const [, others, first] = oddOf(shops);
    expect(await settle(other, [{ claims: [first] }])).toEqual(['COMMITTED']);
    await reopen(other, first);
    expect(await settle(world, shops)).toEqual(['SETTLED', 'COMMITTED', ...committed(others)]);
    await expectRedeemed(shops);
  });

  it('S0.9 redeems each code once where two processes commit the same claims at the same time', async () => {
    const shops = await open();
    const outcomes = (await Promise.all([settle(world, shops), settle(other, shops)])).flat();
    for (const outcome of outcomes) expect(['COMMITTED', 'SETTLED']).toContain(outcome);
    expect(outcomes.filter((outcome) => outcome === 'COMMITTED')).toHaveLength(TENANTS * CLAIMS_EACH);
    await expectRedeemed(shops);
  });
});

it('X.14 many tenants with few claims each need few transactions, and count exactly over two processes', async () => {
  const users = 4;
  const tenants = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const tenant = await seedTenant(world);
      const own = await seedCampaign(world, tenant, users);
      const shared = await seedCampaign(world, tenant, 1, { rule: { useLimit: 2 } });
      return { ...tenant, own, shared, users: await seedUsers(world, tenant.tenantId, users) };
    }),
  );
  const answersOf = new Map<string, Promise<Awaited<ReturnType<typeof redeem>>[]>>();
  const run = async (): Promise<unknown> => {
    for (const { tenantId, own, shared, users: ids } of tenants) {
      const wishes = ids.flatMap((userId, at) => [
        redeem(world, tenantId, userId, own.codes[at] ?? '', { idempotencyKey: 'own' }),
        // A second try by another process, and a race of all for two uses.
        redeem(other, tenantId, userId, own.codes[at] ?? '', { idempotencyKey: 'own' }),
        redeem(at % 2 === 0 ? world : other, tenantId, userId, shared.codes[0] ?? ''),
      ]);
      answersOf.set(tenantId, Promise.all(wishes));
    }
    return Promise.all(answersOf.values());
  };
  let ofOther = 0;
  const ofWorld = await transactionsOf(world, async () => {
    ofOther = await transactionsOf(other, run);
  });
  for (const { tenantId } of tenants) {
    const answers = (await answersOf.get(tenantId)) ?? [];
    const named = answers.map((answer) => ({ ...answer, outcome: outcomeOf(answer) }));
    await expectExactly(other, tenantId, users + 2, named);
    expect(await driftsAtRest(other, tenantId)).toEqual({});
  }
  expect(ofWorld + ofOther).toBeLessThan(tenants.length * users);
});
