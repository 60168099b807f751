import { describe, expect, it } from 'vitest';
import { openBeforeAll } from '../support/open-before-all.js';
import { AUDIT_DRIFTS } from '../support/planted-audit-drifts.js';
import { HOLDING_DRIFTS } from '../support/planted-coupon-drifts.js';
import { DATABASE_DRIFTS, type PlantedDrift } from '../support/planted-database-drifts.js';
import { MONEY_DRIFTS } from '../support/planted-money-drifts.js';
import { ORDER_DRIFTS } from '../support/planted-order-drifts.js';
import { REVERSAL_DRIFTS } from '../support/planted-reversal-drifts.js';
import { REDIS_DRIFTS } from '../support/planted-redis-drifts.js';
import { driftsOf, makeScene, reconcilerOf, type Scene } from '../support/reconciliation.js';
import { createScratchDatabase } from '../support/scratch-database.js';
import { emOf, openWorld, type World } from '../support/world.js';

const STORED_DRIFTS = [
  ...DATABASE_DRIFTS,
  ...MONEY_DRIFTS,
  ...HOLDING_DRIFTS,
  ...ORDER_DRIFTS,
  ...REVERSAL_DRIFTS,
  ...AUDIT_DRIFTS,
];

let world: World;
let bystander: Scene;
openBeforeAll(async (closing) => {
  // No worker of another test counts in it what is planted here.
  const database = await closing(createScratchDatabase());
  world = await closing(openWorld({}, database));
  bystander = await makeScene(world);
});

const run = async ({ tenantId }: Scene, repair = false) =>
  reconcilerOf(world).reconciler.run({ tenantId, repair });

const TOTALS = new Set(['CODE_TOTAL_DIFFERS', 'REDEMPTION_TOTAL_DIFFERS']);

async function planted({ kind, plant }: PlantedDrift): Promise<Scene> {
  // All scenes are made alike; the bystander's has no drift.
  const scene = await makeScene(world);
  await plant(scene);
  // Rows that were changed by hand are counted wrong as well, which is a drift of its own.
  if (!TOTALS.has(kind)) await recount(scene);
  return scene;
}

async function recount({ tenantId }: Scene): Promise<void> {
  await world.services.codeTotals.recount(tenantId);
  await world.services.redemptionTotals.recount(tenantId);
}

const TABLES = [
  'tenant',
  'code',
  'code_total',
  'code_batch',
  'campaign',
  'campaign_usage',
  'redemption',
  'redemption_total',
  'redemption_series',
  'redemption_series_cursor',
  'order',
  'reward_grant',
  'subscription',
  'outbox_event',
  'outbox_counter',
  'event_consumer',
  'money_account',
  'money_entry',
  'system_entry',
  'money_transfer',
  'transfer_day',
  'coupon_template',
  'user_coupon',
  'order_coupon',
  'coupon_ledger',
  'points_account',
  'points_lot',
  'order_points',
  'points_ledger',
  'order_placement',
  'order_payment',
  'order_refund',
  'audit_entry',
  'audit_head',
];

/** Everything that the database holds of a tenant, to the letter. */
async function contentsOf({ tenantId }: Scene): Promise<unknown> {
  const em = emOf(world, tenantId);
  return Promise.all(
    TABLES.map(async (table) => {
      const own = table === 'tenant' ? 'id' : 'tenant_id';
      return em.execute(`select * from \`${table}\` where ${own} = ? order by 1, 2`, [tenantId]);
    }),
  );
}

describe('X.2 a drift that the database holds', () => {
  it.concurrent.each(STORED_DRIFTS)('is found as $kind and as nothing else: $what', async (drift) => {
    const scene = await planted(drift);
    const before = await contentsOf(scene);
    const report = await run(scene, true);
    expect(driftsOf(report)).toEqual({ [drift.kind]: drift.count ?? 1 });
    expect(report.verdict).toBe('DRIFT');
    const check = report.checks.find(({ kind }) => kind === drift.kind);
    expect(check).toMatchObject({ holder: 'DATABASE', repaired: 0 });
    expect(check?.samples[0]?.tenantId).toBe(scene.tenantId);
    expect(check?.samples[0]?.subject).toMatch(/^[\w/]+$/);
    const broken = report.invariants.filter(({ verdict }) => verdict === 'BROKEN');
    expect(broken.map(({ invariant }) => invariant)).toEqual([check?.invariant]);
    expect(await contentsOf(scene), 'a repair mends nothing of it').toEqual(before);
  });
});

describe('X.2 a drift that Redis holds', () => {
  it.concurrent.each(REDIS_DRIFTS)(
    'is found as $kind and as nothing else, and mended: $what',
    async (drift) => {
      const scene = await planted(drift);
      const report = await run(scene);
      expect(driftsOf(report)).toEqual({ [drift.kind]: drift.count ?? 1 });
      expect(report.checks.find(({ kind }) => kind === drift.kind)?.holder).toBe('REDIS');
      expect(driftsOf(await run(scene)), 'to look changes nothing').toEqual(driftsOf(report));
      const repair = await run(scene, true);
      expect(repair.checks.find(({ kind }) => kind === drift.kind)?.repaired).toBe(drift.isMended ? 1 : 0);
      expect(repair.verdict).toBe(drift.isMended ? 'CLEAN' : 'DRIFT');
      expect(driftsOf(await run(scene, true))).toEqual(drift.isMended ? {} : driftsOf(report));
    },
  );
});

describe('X.2 the drifts planted here', () => {
  it('are of every kind that there is', async () => {
    const { checks } = await run(bystander);
    const kinds = new Set([...STORED_DRIFTS, ...REDIS_DRIFTS].map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(checks.map(({ kind }) => kind).toSorted());
  });

  it('are none where only a consumer is behind that this version does not have', async () => {
    const scene = await planted({
      kind: 'EVENT_UNHANDLED',
      what: 'an old event that only a removed consumer has not handled',
      plant: async ({ sql, tenantId }) => {
        await sql(
          `update outbox_event set created_at = utc_timestamp(3) - interval 1 hour where tenant_id = ?
          and type = 'campaign_changed' order by seq limit 1`,
          [tenantId],
        );
        await sql(`insert into event_consumer (tenant_id, consumer, seq) values (?, 'removed', 0)`, [
          tenantId,
        ]);
      },
    });
    expect(driftsOf(await run(scene))).toEqual({});
  });

  it('are none of another tenant', async () => {
    expect(driftsOf(await run(bystander))).toEqual({});
  });
});
