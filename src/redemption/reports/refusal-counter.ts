import type { Clock } from '../../platform/clock.js';
import { addUp } from '../../platform/database/insert-rows.js';
import { CommitUnknownError } from '../../platform/database/sql-errors.js';
import type { Transactions } from '../../platform/database/transaction.js';
import type { Id } from '../../platform/ids.js';
import type { Logger } from '../../platform/observability/log.js';
import { RareWarning } from '../../platform/observability/rare-warning.js';
import { REDEEM_REFUSAL_CODES, type RedeemRefusal } from '../redemption.errors.js';
import { CONDITION_FAILED, pointsOf, STEP_MS, type SeriesCount } from './series-points.js';

/** How often what was counted is written. */
const EVERY_MS = 5000;
/** Different counts in one interval; further ones are counted without their campaign and product line. */
const COUNTS_MAX = 5000;

export interface CountedRefusal {
  readonly tenantId: string;
  /** Null where the code was not found. */
  readonly campaignId: Id | null;
  /** As the caller named it. */
  readonly productCode: string | null;
  readonly outcome: RedeemRefusal | typeof CONDITION_FAILED;
}

interface CounterParts {
  readonly clock: Clock;
  readonly transactions: Transactions;
  readonly log: Logger;
  readonly lines: { find(tenantId: string, code: string): Promise<unknown> };
}

/** Refusals by which the product line was found already; whatever a caller names before that is not counted by. */
const KNOWS_LINE: ReadonlySet<CountedRefusal['outcome']> = new Set([
  ...REDEEM_REFUSAL_CODES.slice(REDEEM_REFUSAL_CODES.indexOf('PRODUCT_UNKNOWN') + 1),
  CONDITION_FAILED,
]);

/**
 * Counts refused attempts into the series: in memory, written behind the answers, so that a flood of refusals costs no
 * statements. A process that is killed loses the last seconds of its counts; nothing is counted twice.
 */
export class RefusalCounter {
  private counts = new Map<string, SeriesCount>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private readonly unwritten: RareWarning;

  constructor(private readonly parts: CounterParts) {
    this.unwritten = new RareWarning(parts.log, 'Refused attempts were not counted.');
  }

  /** One refused attempt to redeem, or a condition that failed in one. Never waits. */
  note({ tenantId, campaignId, productCode, outcome }: CountedRefusal): void {
    const known = KNOWS_LINE.has(outcome) ? productCode : null;
    const atMs = Math.floor(this.parts.clock.nowMs() / STEP_MS.MINUTE) * STEP_MS.MINUTE;
    this.add({ tenantId, campaignId, productCode: known, atMs, outcome, total: 1 });
    this.timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref();
  }

  /** Writes what was counted. Never throws: what the database does not take is written with the next counts. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const counts = this.counts;
    this.counts = new Map();
    const byTenant = Map.groupBy(counts.values(), ({ tenantId }) => tenantId);
    this.writing = this.writeAll(this.writing, byTenant);
    await this.writing;
  }

  private async writeAll(before: Promise<void>, byTenant: Map<string, SeriesCount[]>): Promise<void> {
    await before;
    for (const [tenantId, own] of byTenant) await this.write(tenantId, own);
  }

  private async write(tenantId: string, counts: readonly SeriesCount[]): Promise<void> {
    const { lines, transactions } = this.parts;
    try {
      const known = new Map<string, boolean>();
      for (const { productCode } of counts)
        if (productCode !== null && !known.has(productCode))
          known.set(productCode, (await lines.find(tenantId, productCode)) !== null);
      const points = counts.flatMap((count) =>
        pointsOf(known.get(count.productCode ?? '') === true ? count : { ...count, productCode: null }),
      );
      await transactions.run(tenantId, async (em) => addUp(em, 'redemption_series', points));
    } catch (error) {
      this.unwritten.warn({ err: error, tenantId });
      // Where the COMMIT may stand, they are counted already or lost.
      if (error instanceof CommitUnknownError) return;
      for (const count of counts) this.add(count);
      this.timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref();
    }
  }

  private add(count: SeriesCount): void {
    const { tenantId, campaignId, productCode, atMs, outcome } = count;
    const key = `${tenantId} ${campaignId ?? ''} ${productCode ?? ''} ${atMs} ${outcome}`;
    const known = this.counts.get(key);
    if (known !== undefined) this.counts.set(key, { ...known, total: known.total + count.total });
    else if (this.counts.size < COUNTS_MAX || (campaignId === null && productCode === null))
      this.counts.set(key, count);
    else this.add({ ...count, campaignId: null, productCode: null });
  }
}
