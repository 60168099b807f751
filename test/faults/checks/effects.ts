import { committedOf, type Evidence } from './evidence.js';
import type { EventFact, Facts, RedemptionFact } from './facts.js';
import { violation, type Violation } from './violation.js';

const HOUR_MS = 3_600_000;

/** I5: each redemption has one reward, one order and one event; nothing else has any. */
export function checkEffects(evidence: Evidence): Violation[] {
  const { facts } = evidence;
  const committed = committedOf(facts);
  const ids = new Set(committed.map(({ id }) => id));
  return [
    ...committed.flatMap((row) => checkRedemption(row, facts)),
    ...withoutRedemption(facts, ids),
    ...checkSubscriptions(evidence, committed),
  ].map((what) => violation('I5', what));
}

function checkRedemption({ id, userId }: RedemptionFact, facts: Facts): string[] {
  const grants = facts.grants.filter(({ redemptionId }) => redemptionId === id);
  const orders = facts.orders.filter((order) => order.id === id);
  const told = facts.events.filter(({ redemptionId }) => redemptionId === id);
  const settled = told.filter(({ type }) => type === 'redemption_settled');
  const subscription = facts.subscriptions.find((each) => each.id === grants[0]?.targetId);
  const found: string[] = [];
  const expect = (isRight: boolean, what: string): void => {
    if (!isRight) found.push(`redemption ${id}: ${what}`);
  };
  expect(grants.length === 1 && grants[0]?.rewardNo === 0, `${grants.length} grants`);
  expect(subscription?.userId === userId, 'its grant names no subscription of the user');
  expect(
    orders.length === 1 && orders[0]?.status === 'FINISHED',
    `its order is ${orders[0]?.status ?? 'not there'}`,
  );
  expect(
    orders[0]?.userId === userId && orders[0].subscriptionId === grants[0]?.targetId,
    'its order is not its own',
  );
  return [...found, ...checkWord(settled).map((what) => `redemption ${id}: ${what}`)];
}

function checkWord([first, ...others]: readonly EventFact[]): string[] {
  if (first?.status !== 'COMMITTED' || others.length > 0)
    return [`told [${[first, ...others].flatMap((event) => event?.status ?? []).join(', ')}]`];
  return first.rewards === 1 ? [] : [`told of ${first.rewards} rewards`];
}

/** Orders and events of a redemption that does not exist. A FAILED order and its event may exist without one. */
function withoutRedemption(facts: Facts, ids: ReadonlySet<string>): string[] {
  return [
    ...facts.grants
      .filter(({ redemptionId }) => !ids.has(redemptionId))
      .map(({ redemptionId }) => `a grant of redemption ${redemptionId}, which is not committed`),
    ...facts.orders
      .filter(({ id, status }) => status !== 'FAILED' && !ids.has(id))
      .map(({ id, status }) => `order ${id} is ${status} without a redemption`),
    ...facts.events
      .filter(
        ({ redemptionId, status }) => redemptionId !== null && status !== 'REFUSED' && !ids.has(redemptionId),
      )
      .map(({ id, type }) => `event ${id}, ${type}, tells of a redemption that is not committed`),
  ];
}

/** The time that a user's subscription runs is the sum of what the user redeemed, to the millisecond. */
function checkSubscriptions({ campaigns, facts }: Evidence, committed: readonly RedemptionFact[]): string[] {
  const hours = new Map(campaigns.map((campaign) => [campaign.campaignId, campaign.hours]));
  const redeemed = Map.groupBy(committed, ({ userId }) => userId);
  const held = Map.groupBy(facts.subscriptions, ({ userId }) => userId);
  return [...new Set([...redeemed.keys(), ...held.keys()])].flatMap((userId) => {
    const own = held.get(userId) ?? [];
    const [first] = own;
    if (first === undefined || own.length > 1) return [`user ${userId} has ${own.length} subscriptions`];
    const rows = redeemed.get(userId) ?? [];
    const wanted = rows.reduce((sum, { campaignId }) => sum + (hours.get(campaignId) ?? 0), 0);
    const runs = ((first.expiresMs ?? Infinity) - first.startedMs) / HOUR_MS;
    return runs === wanted ? [] : [`user ${userId} redeemed ${wanted} hours, the subscription runs ${runs}`];
  });
}
