import { DateTime } from 'luxon';
import { Money } from '../platform/decimal.js';
import type { Em } from '../platform/database/orm.js';
import type { Id } from '../platform/ids.js';
import type { CurrencyTerms } from './money-terms.js';

/** What a user has transferred on a day, this transfer not counted. */
export interface DayUse {
  readonly day: string;
  readonly count: number;
  readonly sum: Money;
}

/** The day of an instant, from midnight to midnight in the zone: 23 or 25 hours where clocks are changed. */
export function dayOf(instantMs: number, zone: string): string {
  return DateTime.fromMillis(instantMs, { zone }).toFormat('yyyy-MM-dd');
}

interface DayRow {
  readonly day: string;
  readonly count: number;
  readonly sum: string;
}

const LOCK =
  'select day, `count`, `sum` from transfer_day where tenant_id = ? and user_id = ? and currency = ? for update';

/**
 * Locks what a user has transferred of a currency, until the transaction ends: of two transfers the second counts the
 * first. The day never goes back, though clocks may: what was counted today stays counted.
 */
export async function lockDay(
  em: Em,
  tenantId: string,
  userId: Id,
  currency: string,
  today: string,
): Promise<DayUse> {
  const key = [tenantId, userId, currency];
  const [found] = await em.execute<DayRow[]>(LOCK, key);
  const row = found ?? (await makeDay(em, key, today));
  return row.day >= today
    ? { day: row.day, count: row.count, sum: new Money(row.sum) }
    : { day: today, count: 0, sum: new Money(0) };
}

/** The first of several makes the row, and the others wait for it. */
async function makeDay(em: Em, key: readonly string[], today: string): Promise<DayRow> {
  await em.execute(
    `insert into transfer_day (tenant_id, user_id, currency, day, \`count\`, \`sum\`) values (?, ?, ?, ?, 0, 0)
      on duplicate key update currency = currency`,
    [...key, today],
  );
  const [made] = await em.execute<[DayRow]>(LOCK, [...key]);
  return made;
}

/** Which daily limit a further transfer would break; each only as far as it is set. */
export function limitReached(
  { dailyCountMax, dailySumMax }: CurrencyTerms,
  { count, sum }: DayUse,
  amount: Money,
): 'DAILY_COUNT_EXCEEDED' | 'DAILY_SUM_EXCEEDED' | null {
  if (dailyCountMax !== null && count + 1 > dailyCountMax) return 'DAILY_COUNT_EXCEEDED';
  return dailySumMax !== null && sum.plus(amount).greaterThan(dailySumMax) ? 'DAILY_SUM_EXCEEDED' : null;
}
