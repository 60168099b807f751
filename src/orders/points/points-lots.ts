import { addUnits } from '../../rewards/calendar.js';
import { compareIds, type Id } from '../../platform/ids.js';

/** What orders change of a lot. */
export interface LotState {
  readonly id: Id;
  readonly remaining: number;
  readonly spent: number;
  readonly expiresAt?: Date | null | undefined;
}

/** What an order takes from one lot. */
export interface LotPoints {
  readonly lotId: Id;
  readonly points: number;
}

/** When points that are granted now expire; null means never. */
export function pointsExpiry(validDays: number | null, nowMs: number): Date | null {
  const endMs = validDays === null ? null : addUnits(nowMs, 'DAY', validDays);
  return endMs === null ? null : new Date(endMs);
}

export function isLotExpired({ expiresAt }: Pick<LotState, 'expiresAt'>, nowMs: number): boolean {
  return expiresAt !== null && expiresAt !== undefined && expiresAt.getTime() <= nowMs;
}

/** The lots that can be spent, in the order in which they are: what expires first goes first. */
export function spendable<Lot extends LotState>(lots: readonly Lot[], nowMs: number): Lot[] {
  const endOf = ({ expiresAt }: Lot): number => expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
  return lots
    .filter((lot) => lot.remaining > 0 && !isLotExpired(lot, nowMs))
    .toSorted((a, b) => endOf(a) - endOf(b) || compareIds(a.id, b.id));
}

/** What each lot gives to an order; null where all together have too few. */
export function spendFrom(lots: readonly LotState[], points: number, nowMs: number): LotPoints[] | null {
  let wanted = points;
  const taken: LotPoints[] = [];
  for (const { id, remaining } of spendable(lots, nowMs)) {
    if (wanted === 0) break;
    const part = Math.min(remaining, wanted);
    taken.push({ lotId: id, points: part });
    wanted -= part;
  }
  return wanted === 0 ? taken : null;
}

/**
 * A lot gets back what an order took from it. What has expired meanwhile is not usable again: the part that comes back
 * expires at once, whether or not the sweep has been at the lot.
 */
export function givenBack(
  lot: LotState,
  points: number,
  nowMs: number,
): { readonly remaining: number; readonly spent: number; readonly expired: number } {
  const expired = isLotExpired(lot, nowMs) ? points : 0;
  return { remaining: lot.remaining + points - expired, spent: lot.spent - points, expired };
}
