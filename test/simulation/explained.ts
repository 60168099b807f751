import { Money } from '../../src/platform/decimal.js';
import { emOf, type World } from '../support/world.js';
import type { KnownOrder, Model } from './model.js';
import type { Scene } from './scene.js';

interface Told {
  readonly world: World;
  readonly scene: Scene;
  readonly model: Model;
}

/** Compares what the answers say that there is with the rows. @returns what they do not explain, in words */
export async function unexplained(told: Told): Promise<string[]> {
  const { model } = told;
  const balances = await sumsOf(
    told,
    `select concat_ws(' ', user_id, facility_id, currency) as name, balance as value from money_account
      where tenant_id = ?`,
  );
  const coupons = await sumsOf(
    told,
    `select concat_ws(' ', user_id, template_id) as name, count(*) as value from user_coupon
      where tenant_id = ? group by user_id, template_id`,
  );
  const granted = await sumsOf(
    told,
    'select user_id as name, sum(granted) as value from points_lot where tenant_id = ? group by user_id',
  );
  const uses = await sumsOf(
    told,
    'select id as name, used as value from code where tenant_id = ? and used > 0',
  );
  return [
    ...differences('balance', model.balances(), balances),
    ...differences('coupons', model.coupons, coupons),
    ...differences('granted points', model.points, granted),
    ...differences('uses of code', usesOf(model), uses),
    ...(await wrongPoints(told)),
    ...(await wrongOrders(told)),
    ...(await wrongInventories(told)),
    ...(await wrongRedemptions(told)),
  ];
}

/** What is missing is 0. */
function differences(
  what: string,
  wanted: ReadonlyMap<string, Money | number>,
  found: ReadonlyMap<string, string>,
): string[] {
  const names = new Set([...wanted.keys(), ...found.keys()]);
  return [...names].flatMap((name) => {
    const [answered, stored] = [wanted.get(name) ?? 0, found.get(name) ?? 0];
    const isSame = new Money(stored).equals(answered);
    return isSame ? [] : [`${what} ${name} is ${stored}, and ${answered.toString()} by the answers`];
  });
}

async function rowsOf<Row>({ world, scene: { tenantId } }: Told, sql: string): Promise<Row[]> {
  const count = sql.split('?').length - 1;
  return emOf(world, tenantId).execute<Row[]>(
    sql,
    Array.from({ length: count }, () => tenantId),
  );
}

async function sumsOf(told: Told, sql: string): Promise<Map<string, string>> {
  const rows = await rowsOf<{ name: string | number; value: string | number }>(told, sql);
  return new Map(rows.map(({ name, value }) => [`${name}`, `${value}`]));
}

function usesOf({ redemptions }: Model): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { codeId, isReturned } of redemptions.values())
    if (!isReturned) uses.set(codeId, (uses.get(codeId) ?? 0) + 1);
  return uses;
}

/** Points are what was granted, without what orders hold, what has expired and what was taken back. */
async function wrongPoints(told: Told): Promise<string[]> {
  const stored = await sumsOf(
    told,
    'select user_id as name, balance as value from points_account where tenant_id = ?',
  );
  const lost = await sumsOf(
    told,
    `select user_id as name, sum(points) as value from points_ledger
      where tenant_id = ? and action in ('EXPIRE', 'REWARD_REVERSAL') group by user_id`,
  );
  const live = await rowsOf<{ id: string }>(
    told,
    `select cast(id as char) as id from \`order\`
      where tenant_id = ? and type <> 'REDEMPTION' and status in ('PENDING', 'FINISHED')`,
  );
  const left = new Map(told.model.points);
  for (const [userId, points] of lost) left.set(userId, (left.get(userId) ?? 0) + Number(points));
  for (const { id } of live) {
    const { userId, points } = told.model.order(id);
    left.set(userId, (left.get(userId) ?? 0) - points);
  }
  return differences('points of user', left, stored);
}

interface OrderRow {
  readonly id: string;
  readonly status: string;
  readonly closeReason: string | null;
  readonly refunded: string | null;
}

async function wrongOrders(told: Told): Promise<string[]> {
  const rows = await rowsOf<OrderRow>(
    told,
    `select cast(id as char) as id, status, close_reason as closeReason, refunded from \`order\`
      where tenant_id = ? and type <> 'REDEMPTION'`,
  );
  const { orders } = told.model;
  const wrong =
    rows.length === orders.size ? [] : [`${rows.length} orders, and ${orders.size} by the answers`];
  for (const row of rows) {
    const known = orders.get(row.id);
    const fault = known === undefined ? 'no answer named it' : faultOf(row, known);
    if (fault !== null) wrong.push(`order ${row.id}, ${row.status}: ${fault}`);
  }
  return wrong;
}

function faultOf(row: OrderRow, known: KnownOrder): string | null {
  return faultOfStatus(row, known) ?? faultOfRefunds(row, known);
}

function faultOfStatus({ status, closeReason }: OrderRow, known: KnownOrder): string | null {
  const { isPaid, isClosed, accepted, returned } = known;
  if (isPaid && isClosed) return 'answered as paid and as closed';
  if (accepted.size > 1) return `${accepted.size} payments were accepted`;
  if (isPaid !== ['FINISHED', 'REFUNDED'].includes(status)) return `answered as ${isPaid ? '' : 'not '}paid`;
  if (isClosed && status !== 'CLOSED') return 'answered as closed';
  if (!isClosed && status === 'CLOSED' && closeReason !== 'TIMEOUT')
    return `closed by ${closeReason}, unknown`;
  return status === 'FAILED' && returned.size === 0 ? 'no payment for it came back' : null;
}

function faultOfRefunds({ status, refunded }: OrderRow, { refunds, amount }: KnownOrder): string | null {
  const sum = [...refunds.values()].reduce((all, refund) => all.plus(refund.amount), new Money(0));
  if (!sum.equals(refunded ?? 0)) return `${refunded} are refunded, and ${sum.toFixed()} by the answers`;
  const isWhole = refunds.size > 0 && sum.equals(amount);
  return isWhole === (status === 'REFUNDED') ? null : `${sum.toFixed()} of ${amount} are refunded`;
}

/**
 * A plan has what it began with, without the places of subscriptions that were not taken back for good, and of PENDING
 * orders.
 */
async function wrongInventories(told: Told): Promise<string[]> {
  const places = await rowsOf<{ planId: string }>(
    told,
    `select cast(plan_id as char) as planId from subscription where tenant_id = ? and status <> 'DEDUCTED'
      union all select cast(plan_id as char) from \`order\`
       where tenant_id = ? and status = 'PENDING' and takes_inventory`,
  );
  const stored = await sumsOf(told, 'select id as name, inventory as value from plan where tenant_id = ?');
  const left = new Map(told.scene.plans.map(({ id, inventory }) => [id, inventory]));
  for (const { planId } of places) {
    const before = left.get(planId);
    if (before !== undefined) left.set(planId, before - 1);
  }
  const counted = new Map([...stored].filter(([planId]) => left.has(planId)));
  return differences('inventory of plan', left, counted);
}

async function wrongRedemptions(told: Told): Promise<string[]> {
  const rows = await rowsOf<{ id: string; status: string }>(
    told,
    `select cast(id as char) as id, status from redemption where tenant_id = ? and status <> 'ABORTED'`,
  );
  const { redemptions } = told.model;
  const wrong = rows.filter(({ id, status }) => (status === 'REVERSED') !== redemptions.get(id)?.isReversed);
  const odd =
    rows.length === redemptions.size
      ? []
      : [`${rows.length} redemptions, ${redemptions.size} by the answers`];
  return [...odd, ...wrong.map(({ id, status }) => `redemption ${id} is ${status}, and else by the answers`)];
}
