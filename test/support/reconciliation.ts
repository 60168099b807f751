import 'reflect-metadata';
import { Code } from '../../src/codes/code.entity.js';
import { createLog } from '../../src/platform/observability/log.js';
import { Compensation } from '../../src/reconciliation/compensation.js';
import { composeReconciler } from '../../src/reconciliation/reconciliation.module.js';
import { ReconciliationRedis } from '../../src/reconciliation/reconciliation.redis.js';
import type { ReconciliationReport } from '../../src/reconciliation/report.js';
import type { RedemptionRecord } from '../../src/redemption/history/redemption-record.js';
import { emOf, redeem, seedCampaign, seedTenant, seedUsers, type SeededTenant, type World } from './world.js';

/** What the tests do is not under way for long. */
const SECOND_LOOK_MS = 30;

/** The reconciler of the product, with a second look that comes soon. */
export function reconcilerOf({ services, stores }: World, secondLookMs: number = SECOND_LOOK_MS) {
  const reconciler = composeReconciler(services, stores.orm, secondLookMs);
  return {
    reconciler,
    compensation: new Compensation(reconciler, services.sweeper, createLog({ level: 'silent' })),
    redis: new ReconciliationRedis(stores.redis),
  };
}

/** Kinds that were found, with their counts. */
export function driftsOf({ checks }: ReconciliationReport): Record<string, number> {
  return Object.fromEntries(checks.filter(({ count }) => count > 0).map(({ kind, count }) => [kind, count]));
}

/** A tenant at rest after a handful of redemptions, and everything that a drift can be planted in. */
export interface Scene extends SeededTenant {
  readonly world: World;
  /** Of a campaign without limits; two uses each. Both redeemed once, by the first user and with a key. */
  readonly codes: readonly [Code, Code];
  /** Never redeemed. */
  readonly idleCode: Code;
  readonly idleText: string;
  readonly redemptions: readonly [RedemptionRecord, RedemptionRecord];
  /** Of a campaign with a user limit of 5, 4 a day, and a budget of 10 and 100, of which each redemption takes 2.5. */
  readonly limited: RedemptionRecord;
  readonly texts: readonly [string, string];
  readonly users: readonly [string, string];
  sql(text: string, params?: readonly unknown[]): Promise<void>;
  /** A key of the tenant in Redis. */
  key(name: string): string;
}

export async function makeScene(world: World): Promise<Scene> {
  const tenant = await seedTenant(world);
  const { tenantId, planId } = tenant;
  const [first = '', second = ''] = await seedUsers(world, tenantId, 2);
  const open = await seedCampaign(world, tenant, 3, { rule: { useLimit: 2 } });
  const limits = { userLimitTotal: 5, userLimitDay: 4, budgetUses: 10, budgetValue: '100' };
  const rule = { rewardRules: [{ type: 'SUBSCRIPTION', id: planId, value: '2.5' }] };
  const narrow = await seedCampaign(world, tenant, 2, { rule, campaign: limits });
  const [a = '', b = '', idleText = ''] = open.codes;
  const done = async (code: string, idempotencyKey: string): Promise<RedemptionRecord> => {
    const options = { productCode: 'APP_A', idempotencyKey };
    const { redemption } = await redeem(world, tenantId, first, code, options);
    if (redemption === null) throw new Error('A redemption of the scene was refused.');
    return redemption;
  };
  const redemptions = [await done(a, 'key:a'), await done(b, 'key:b')] as const;
  await done(narrow.codes[0] ?? '', 'key:c');
  const limited = await done(narrow.codes[1] ?? '', 'key:d');
  const em = emOf(world, tenantId);
  for (const { name } of world.services.consumers)
    await em.execute(
      'insert into event_consumer select tenant_id, ?, last_seq from outbox_counter where tenant_id = ?',
      [name, tenantId],
    );
  const codeOf = async (codeText: string): Promise<Code> => em.findOneOrFail(Code, { codeText });
  const codes = [await codeOf(a), await codeOf(b)] as const;
  const idleCode = await codeOf(idleText);
  const sql = async (text: string, params: readonly unknown[] = []): Promise<void> => {
    await em.execute(text, [...params]);
  };
  const key = (name: string): string => `{${tenantId}}:${name}`;
  const people = [first, second] as const;
  const texts = [a, b] as const;
  return {
    ...tenant,
    world,
    codes,
    texts,
    idleCode,
    idleText,
    redemptions,
    limited,
    users: people,
    sql,
    key,
  };
}
