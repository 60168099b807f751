import { dayOfMonth, isOnDay } from '../rewards/calendar.js';
import type { GrantedPeriod } from '../rewards/reward-handler.js';
import type { TimeUnit } from '../rewards/time-unit.js';
import type { SubscriptionState } from './subscription-grant.js';

/** A subscription without the time that a grant gave it. */
export interface TakenBack {
  readonly state: SubscriptionState;
  /** The time of the grant that was not there any more. */
  readonly spentMs: number;
}

/**
 * Takes the time of a grant from the end of a subscription: time is alike, so it does not matter which grant gave it.
 * What has run already is not there to be taken, and is spent. A subscription that never ends has no time to take but
 * that of the grant which made it endless: it ends again where it ended before.
 *
 * @param isStarter whether the reversed redemption had started the subscription
 * @returns null where a grant cannot be taken back at all, because it is not known or not there what it changed
 */
export function takenBack(
  state: SubscriptionState,
  { from, until }: GrantedPeriod,
  isStarter: boolean,
  nowMs: number,
): TakenBack | null {
  const { expiresAtMs } = state;
  if (until === null) {
    if (expiresAtMs !== null) return null;
    const endMs = Math.max(nowMs, from.getTime());
    return { state: endedAt(state, endMs, isStarter, nowMs), spentMs: endMs - from.getTime() };
  }
  const givenMs = until.getTime() - from.getTime();
  if (givenMs === 0) return { state, spentMs: 0 };
  if (expiresAtMs === null) return null;
  const leftMs = isUsedUp(state) ? 0 : Math.max(0, expiresAtMs - nowMs);
  const takenMs = Math.min(givenMs, leftMs);
  if (takenMs === 0) return { state, spentMs: givenMs };
  return {
    state: endedAt(state, expiresAtMs - takenMs, isStarter, nowMs),
    spentMs: givenMs - takenMs,
  };
}

/** By its traffic: then nothing is left of it, whatever time it has. */
function isUsedUp({ status, trafficBytes, trafficUsedBytes }: SubscriptionState): boolean {
  return status === 'FINISHED' || (trafficBytes > 0 && trafficUsedBytes >= trafficBytes);
}

/** DEDUCTED is not extended any more; what an earlier grant had started may come back to life. */
function endedAt(
  state: SubscriptionState,
  endMs: number,
  isStarter: boolean,
  nowMs: number,
): SubscriptionState {
  const { anchorDay } = state;
  const isOver = state.status === 'ACTIVE' && endMs <= nowMs;
  return {
    ...state,
    ...(isOver && { status: isStarter ? 'DEDUCTED' : 'EXPIRED' }),
    expiresAtMs: endMs,
    anchorDay: anchorDay === null || isOnDay(endMs, anchorDay) ? anchorDay : dayOfMonth(endMs),
  };
}

const UNITS_MS = { MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 } as const;

/**
 * Spent time in words; null where there is none. Counted in whole days, or in the hours or minutes that the reward was
 * given in: what is reversed soon enough has not been spent.
 */
export function spentTime(spentMs: number, unit: TimeUnit): string | null {
  const counted = unit === 'MINUTE' || unit === 'HOUR' ? unit : 'DAY';
  const whole = Math.floor(spentMs / UNITS_MS[counted]);
  return whole === 0 ? null : `${whole} ${counted}`;
}
