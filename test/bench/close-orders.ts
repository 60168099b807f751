import { randomBytes } from 'node:crypto';
import { User } from '../../src/identity/users/user.entity.js';
import { tenantEm } from '../../src/platform/database/orm.js';
import { eachOf } from '../../src/platform/scheduling/each-of.js';
import { rounded } from './statistics.js';
import type { BenchWorld } from './world.js';

const TENANT = 'ORDERS';
const CURRENCY = 'USD';
const AT_ONCE = 4;
const POINTS = 100;

export interface ClosedFigure {
  readonly perSecond: number;
  readonly unexpected: readonly string[];
}

/**
 * The sweep of one process closes orders whose time is over. Each holds one of the plan's inventory, a coupon that is
 * reserved, and points; all of it has to come back.
 */
export async function measureClosing(
  { world, say }: { readonly world: BenchWorld; readonly say: (line: string) => void },
  count: number,
): Promise<ClosedFigure> {
  const planId = await openShop(world, count);
  const userIds = await addUsers(world, count);
  const fromMs = performance.now();
  await placeAll(world, planId, userIds);
  say(`  ${count} orders placed, ${rounded((count / (performance.now() - fromMs)) * 1000, 0)}/s.`);
  const em = tenantEm(world.stores.orm, TENANT);
  await em.execute('update order_placement set due_at = utc_timestamp(3) where tenant_id = ?', [TENANT]);
  const startMs = performance.now();
  const closed = await world.services.orderTimeouts.sweep();
  const seconds = (performance.now() - startMs) / 1000;
  const left = await notBack(world, count);
  return {
    perSecond: count / seconds,
    unexpected: [...(closed === count ? [] : [`${closed} of ${count} orders were closed`]), ...left],
  };
}

async function openShop({ services }: BenchWorld, inventory: number): Promise<string> {
  await services.tenants.create({ id: TENANT, name: 'Orders', type: 'CHANNEL', codeQuota: 0 });
  await services.currencies.create(TENANT, { code: CURRENCY, name: 'Dollar', scale: 2 });
  await services.facilities.create(TENANT, { name: 'Shop' });
  const plan = { name: 'Monthly', unitPrice: '100', unitTime: 'MONTH', inventory };
  return (await services.plans.create(TENANT, plan)).id;
}

async function addUsers({ services, stores }: BenchWorld, count: number): Promise<string[]> {
  const createdAt = new Date(services.clock.nowMs());
  const rows = Array.from({ length: count }, () => ({
    tenantId: TENANT,
    id: services.ids.next(),
    externalId: randomBytes(8).toString('hex'),
    status: 'ACTIVE' as const,
    tags: [],
    createdAt,
  }));
  await tenantEm(stores.orm, TENANT).insertMany(User, rows);
  return rows.map(({ id }) => id);
}

async function placeAll({ services }: BenchWorld, planId: string, userIds: readonly string[]): Promise<void> {
  const terms = { name: 'Tenth', kind: 'RATE', currency: CURRENCY, rateMille: 100 };
  const template = await services.couponTemplates.create(TENANT, terms);
  await eachOf(userIds, AT_ONCE, async (userId) => {
    const { coupons } = await services.couponIssues.issue(TENANT, { templateId: template.id, userId });
    await services.pointsGrants.grant(TENANT, { userId, amount: POINTS });
    const couponIds = coupons.map(({ id }) => id);
    const order = { type: 'PURCHASE', planId, couponIds, points: POINTS };
    await services.placements.place(TENANT, userId, order);
  });
}

/** What has not come back, or too much. */
async function notBack({ stores }: BenchWorld, count: number): Promise<readonly string[]> {
  const wanted = {
    'closed orders': `select count(*) as n from \`order\` where tenant_id = ? and status = 'CLOSED'`,
    'coupons that are back': `select count(*) as n from user_coupon where tenant_id = ? and status = 'AVAILABLE'`,
    'accounts that are back': `select count(*) as n from points_account where tenant_id = ? and balance = ${POINTS}`,
    'inventory that is back': 'select sum(inventory) as n from plan where tenant_id = ?',
  };
  const wrong: string[] = [];
  for (const [what, sql] of Object.entries(wanted)) {
    const [row] = await tenantEm(stores.orm, TENANT).execute<{ n: number | string }[]>(sql, [TENANT]);
    if (Number(row?.n) !== count) wrong.push(`${row?.n} ${what} instead of ${count}`);
  }
  return wrong;
}
