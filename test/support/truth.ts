import { expect, vi } from 'vitest';
import { CampaignUsage } from '../../src/campaigns/campaign-usage.entity.js';
import { Code } from '../../src/codes/code.entity.js';
import { Order } from '../../src/orders/orders/order.entity.js';
import { ConsumerCursor, OutboxCounter, OutboxEvent } from '../../src/platform/outbox/outbox.entity.js';
import { Redemption } from '../../src/redemption/history/redemption.entity.js';
import { RewardGrant } from '../../src/redemption/history/reward-grant.entity.js';
import { Subscription } from '../../src/subscriptions/subscription.entity.js';
import { emOf, type World } from './world.js';

/** Everything that redemptions of a tenant have left behind, as the primary has it. */
export async function truthOf(world: World, tenantId: string) {
  const em = emOf(world, tenantId);
  const codes = await em.find(Code, {});
  const redemptions = await em.find(Redemption, {});
  const orders = await em.find(Order, {});
  const grants = await em.find(RewardGrant, {});
  const subscriptions = await em.find(Subscription, {});
  const events = await em.find(OutboxEvent, {});
  const usage = await em.find(CampaignUsage, {});
  const committed = redemptions.filter((row) => row.status === 'COMMITTED');
  return { codes, redemptions, committed, orders, grants, subscriptions, events, usage };
}

/** An answer to a redemption, however it was asked for. */
export interface Answered {
  /** COMMITTED, or the code of the refusal. */
  readonly outcome: string;
  readonly redemption: { readonly id: string } | null;
}

export type Truth = Awaited<ReturnType<typeof truthOf>>;

/**
 * Proves that a race has left exactly `count` redemptions, that those are the ones that the answers name, and that
 * everything that goes with a redemption is there once: I2, I3 and I5 of the design. For campaigns with one reward.
 */
export async function expectExactly(
  world: World,
  tenantId: string,
  count: number,
  answers: readonly Answered[],
): Promise<Truth> {
  const truth = await truthOf(world, tenantId);
  const ids = inOrder(truth.committed.map(({ id }) => id));
  expect(ids).toHaveLength(count);

  const answered = answers
    .filter(({ outcome }) => outcome === 'COMMITTED')
    .map(({ redemption }) => redemption?.id);
  expect(inOrder(new Set(answered)), 'answers and rows name the same redemptions').toEqual(ids);

  expectUses(truth);
  expectOrders(truth, ids);
  expect(inOrder(truth.grants.map(({ redemptionId }) => redemptionId))).toEqual(ids);
  expect(rewardsTold(truth), 'each reward is in one event, that of its redemption').toEqual(ids);
  const winners = new Set(truth.committed.map(({ userId }) => userId));
  expect(inOrder(truth.subscriptions.map(({ userId }) => userId))).toEqual(inOrder(winners));
  await expectAtRest(world, tenantId);
  return truth;
}

/**
 * An order for each redemption, and none left over. On a slow server a redemption can be deferred before it loses the
 * race; its order is FAILED then, and its user has the event.
 */
function expectOrders(truth: Truth, ids: readonly string[]): void {
  const failed = truth.orders.filter(({ status }) => status === 'FAILED').map(({ id }) => id);
  const others = truth.orders.filter(({ status }) => status !== 'FAILED');
  expect(inOrder(others.map(({ id }) => id)), 'an order for each redemption').toEqual(ids);
  for (const { status } of others) expect(status, 'no order is left over').toBe('FINISHED');
  const aborted = new Set(truth.redemptions.filter(({ status }) => status === 'ABORTED').map(({ id }) => id));
  for (const id of failed) expect(aborted.has(id), 'a failed order is of a redemption given up').toBe(true);
  expect(redemptionsTold(truth, 'redemption_settled'), 'each outcome has one event').toEqual(
    inOrder([...ids, ...failed]),
  );
}

function expectUses({ codes, committed }: Truth): void {
  const byCode = Map.groupBy(committed, ({ codeId }) => codeId);
  for (const code of codes) {
    const uses = byCode.get(code.id) ?? [];
    expect(code.used, 'used counts the rows').toBe(uses.length);
    if (code.useLimit > 0) expect(code.used).toBeLessThanOrEqual(code.useLimit);
    expect(new Set(uses.map(({ userId }) => userId)).size, 'no user redeems a code twice').toBe(uses.length);
    const numbers = uses.map(({ useNo }) => useNo ?? 0).toSorted((a, b) => a - b);
    expect(numbers, 'uses are numbered without gaps').toEqual(uses.map((_, index) => index + 1));
  }
}

function redemptionsTold({ events }: Truth, type: string): string[] {
  const told = events.filter((event) => event.type === type);
  return inOrder(told.map(({ payload }) => String(payload['redemptionId'])));
}

function rewardsTold({ events }: Truth): string[] {
  const told = events.filter((event) => event.type === 'redemption_settled');
  return inOrder(
    told.flatMap(({ payload }) =>
      ((payload['rewards'] ?? []) as unknown[]).map(() => String(payload['redemptionId'])),
    ),
  );
}

function inOrder(ids: Iterable<string | undefined>): string[] {
  return [...ids].map((id) => id ?? 'none').toSorted((a, b) => a.localeCompare(b));
}

/** The series of a tenant, added up: redemptions, and reversals. */
export async function seriesSums(
  world: World,
  tenantId: string,
  step = 'DAY',
): Promise<Record<'COMMITTED' | 'REVERSED', number>> {
  const rows = await emOf(world, tenantId).execute<{ outcome: 'COMMITTED' | 'REVERSED'; total: number }[]>(
    `select outcome, cast(sum(total) as double) as total from redemption_series
      where tenant_id = ? and step = ? and campaign_id = 0 and product_code = '' group by outcome`,
    [tenantId, step],
  );
  return { COMMITTED: 0, REVERSED: 0, ...Object.fromEntries(rows.map((row) => [row.outcome, row.total])) };
}

/**
 * The events of the tenant are numbered without a gap, and all consumers of the worker have handled them: the series
 * counts each redemption once.
 */
export async function expectPublished(world: World, tenantId: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const em = emOf(world, tenantId);
      const events = await em.find(OutboxEvent, {});
      const numbers = events.map(({ seq }) => seq).toSorted((a, b) => a - b);
      expect(numbers).toEqual(events.map((_, index) => index + 1));
      const counter = await em.findOne(OutboxCounter, {});
      expect(counter?.lastSeq).toBe(events.length);
      const cursors = await em.find(ConsumerCursor, {});
      expect(cursors.map(({ seq }) => seq)).toEqual(world.services.consumers.map(() => events.length));
    },
    { timeout: 60_000, interval: 100 },
  );
  const redemptions = await emOf(world, tenantId).find(Redemption, { status: { $ne: 'ABORTED' } });
  const reversed = redemptions.filter(({ status }) => status === 'REVERSED');
  expect(await seriesSums(world, tenantId), 'the series counts the rows').toMatchObject({
    COMMITTED: redemptions.length,
    REVERSED: reversed.length,
  });
}

/** No claim is open, and Redis' copy of each code says what the database says, or is not there. */
export async function expectAtRest(world: World, tenantId: string): Promise<void> {
  const { redis } = world.stores;
  const codes = await emOf(world, tenantId).find(Code, {});
  // An answer may come a moment before the other process, which commits the same claim, has closed it.
  await vi.waitFor(
    async () => {
      expect(await redis.zcard(`{${tenantId}}:open`), 'open claims').toBe(0);
      for (const { codeDigest, used } of codes) {
        expect(await redis.hlen(`{${tenantId}}:claims:${codeDigest}`), 'claims of a code').toBe(0);
        const copied = await redis.hget(`{${tenantId}}:code:${codeDigest}`, 'used');
        expect(Number(copied ?? used), 'uses in the copy').toBe(used);
      }
    },
    { timeout: 60_000, interval: 50 },
  );
}
