import { randomBytes, randomUUID } from 'node:crypto';
import { addUnits, dayOfMonth, isCalendarUnit, LAST_INSTANT_MS } from '../rewards/calendar.js';
import type { GrantedPeriod, RewardRefusal } from '../rewards/reward-handler.js';
import type { RewardRule } from '../rewards/reward-rule.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import { compareIds, type Id } from '../platform/ids.js';
import type { SubscriptionStatus } from './subscription.entity.js';

/** What a grant has to know of a plan. */
export interface PlanTerms {
  readonly id: Id;
  readonly unitTime: TimeUnit;
  readonly trafficBytes: number;
  readonly quotaPerUser: number;
  readonly inventory: number;
  /** Whether a subscription of it has had no end. */
  readonly heldForEver: boolean;
  /** Whether extensions by months return to the day on which the subscription began. */
  readonly keepsAnchorDay: boolean;
}

/** What a grant has to know of a subscription. */
export interface SubscriptionState {
  readonly id: Id;
  readonly userId: Id;
  readonly planId: Id;
  readonly status: SubscriptionStatus;
  readonly expiresAtMs: number | null;
  /** The day of the month that extensions return to; null where its plan does not keep one. */
  readonly anchorDay: number | null;
  readonly trafficBytes: number;
  readonly trafficUsedBytes: number;
}

/**
 * FINISHED is among them because a used-up subscription is ACTIVE until the sweep has seen it: what a code gives
 * must not hang on when a sweep runs. What staff stopped or deducted stays as it is, and PENDING has not begun.
 */
const EXTENDABLE: ReadonlySet<SubscriptionStatus> = new Set(['ACTIVE', 'EXPIRED', 'FINISHED']);

const CHANGED_BY_A_GRANT = ['status', 'expiresAtMs', 'trafficBytes', 'trafficUsedBytes'] as const;

const running = (state: SubscriptionState, nowMs: number) =>
  state.expiresAtMs === null || state.expiresAtMs > nowMs;

/**
 * The subscription that a redeemed plan extends: the newest that runs, else the newest that has ended. A running one
 * goes first, so that an ended one is not brought back beside it and past the quota.
 *
 * @param held the user's subscriptions of this plan
 */
export function extendable(held: readonly SubscriptionState[], nowMs: number): SubscriptionState | undefined {
  const runs = (state: SubscriptionState) => state.status === 'ACTIVE' && running(state, nowMs);
  return held
    .filter((state) => EXTENDABLE.has(state.status))
    .toSorted((a, b) => Number(runs(b)) - Number(runs(a)) || compareIds(b.id, a.id))[0];
}

/**
 * Step 10 of the order of refusals. An extension needs neither inventory nor quota. Whether a plan is sold does not
 * matter here: a code may give what is not for sale.
 */
export function grantRefusal(
  plan: PlanTerms | undefined,
  held: readonly SubscriptionState[],
  nowMs: number,
): RewardRefusal | null {
  // A plan is never taken away, and campaigns check at creation that theirs exist; one that is not there gives nothing.
  if (plan === undefined) return 'PLAN_SOLD_OUT';
  if (extendable(held, nowMs) !== undefined) return null;
  if (plan.inventory === 0) return 'PLAN_SOLD_OUT';
  const live = held.filter(
    (state) => (state.status === 'ACTIVE' || state.status === 'PENDING') && running(state, nowMs),
  );
  return plan.quotaPerUser > 0 && live.length >= plan.quotaPerUser ? 'PLAN_QUOTA_REACHED' : null;
}

/** The same subscription with its end moved; an ended one comes back to life and counts from now. */
export function extended(
  state: SubscriptionState,
  plan: PlanTerms,
  rule: RewardRule,
  nowMs: number,
): SubscriptionState {
  const endMs = state.expiresAtMs;
  const fromMs = Math.max(nowMs, endMs ?? nowMs);
  // One that has ended counts from now, and so begins on another day.
  const anchorDay = fromMs === endMs ? state.anchorDay : null;
  return {
    ...state,
    status: 'ACTIVE',
    ...(endMs === null ? { expiresAtMs: null, anchorDay: null } : endAfter(fromMs, plan, rule, anchorDay)),
    trafficBytes: plan.trafficBytes,
    // A plan without a limit has nothing to renew; the used traffic is then a statistic and keeps growing.
    trafficUsedBytes: plan.trafficBytes > 0 ? 0 : state.trafficUsedBytes,
  };
}

/** Where the period ends, and the day that the next one returns to. Days and hours move that day along. */
function endAfter(
  fromMs: number,
  plan: PlanTerms,
  rule: RewardRule,
  anchorDay: number | null,
): Pick<SubscriptionState, 'expiresAtMs' | 'anchorDay'> {
  const unit = rule.unit ?? plan.unitTime;
  const day = plan.keepsAnchorDay ? (anchorDay ?? dayOfMonth(fromMs)) : null;
  const expiresAtMs = addUnits(fromMs, unit, rule.quantity, day);
  if (day === null || expiresAtMs === null) return { expiresAtMs, anchorDay: null };
  return { expiresAtMs, anchorDay: isCalendarUnit(unit) ? day : dayOfMonth(expiresAtMs) };
}

/** Whether a further grant would not move its end. */
export function isEndless({ expiresAtMs }: SubscriptionState): boolean {
  return expiresAtMs === null || expiresAtMs >= LAST_INSTANT_MS;
}

/** Whether a grant changes anything: it does not extend what never ends, or what ends with the calendar. */
export function hasEffect(
  plan: PlanTerms,
  held: readonly SubscriptionState[],
  rule: RewardRule,
  nowMs: number,
): boolean {
  const current = extendable(held, nowMs);
  if (current === undefined) return true;
  const next = extended(current, plan, rule, nowMs);
  return CHANGED_BY_A_GRANT.some((field) => next[field] !== current[field]);
}

/** A new subscription, from now, with the traffic of its plan. */
export function started(
  id: Id,
  userId: Id,
  plan: PlanTerms,
  rule: RewardRule,
  nowMs: number,
): SubscriptionState {
  return {
    id,
    userId,
    planId: plan.id,
    status: 'ACTIVE',
    ...endAfter(nowMs, plan, rule, null),
    trafficBytes: plan.trafficBytes,
    trafficUsedBytes: 0,
  };
}

/**
 * The time that a grant added, from one state to the next; none where the subscription never ended before.
 * @param current before the grant; undefined where it starts one
 */
export function addedPeriod(
  current: SubscriptionState | undefined,
  next: SubscriptionState,
  nowMs: number,
): GrantedPeriod {
  const from = new Date(Math.max(nowMs, current?.expiresAtMs ?? nowMs));
  if (current?.expiresAtMs === null) return { from, until: from };
  return { from, until: next.expiresAtMs === null ? null : new Date(next.expiresAtMs) };
}

/** The secrets of a new subscription: 192 random bits in 32 characters that need no escaping, and a version 4 UUID. */
export function newCredentials(): { readonly token: string; readonly uuid: string } {
  return { token: randomBytes(24).toString('base64url'), uuid: randomUUID() };
}
