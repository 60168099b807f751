import { addUp } from '../../platform/database/insert-rows.js';
import type { Em } from '../../platform/database/orm.js';
import { instantOf, type SqlInstant } from '../../platform/database/sql-values.js';
import type { Id } from '../../platform/ids.js';
import type { PublishedEvent } from '../../platform/outbox/published-event.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { REDEMPTION_REVERSED } from '../../rewards/rewards-given.js';
import { isRedeemRefusal } from '../redemption.errors.js';
import { pointsOf, withinMinutes, type SeriesCount } from './series-points.js';
import type { SeriesRecount } from './series-recount.js';

interface Row {
  readonly id: Id;
  readonly campaignId: Id;
  readonly productCode: string;
  readonly claimedAt: string;
  readonly reversedAt: SqlInstant;
}

/**
 * Counts redemptions and reversals into the series, behind the commit and at no cost to it. The events say which rows
 * to count; the cursor of the series moves in the same transaction, so an event that comes twice, or to two processes
 * at once, counts once.
 */
export class SeriesCounter {
  constructor(
    private readonly its: Pick<PlatformServices, 'transactions'>,
    private readonly recounts: Pick<SeriesRecount, 'begin'>,
  ) {}

  /** Handles events of the types `redemption_settled` and `redemption_reversed`. */
  async handle(tenantId: string, events: readonly PublishedEvent[]): Promise<void> {
    if (await this.count(tenantId, events)) return;
    // What was redeemed before there were series is counted first, with all events that there are by then.
    await this.recounts.begin(tenantId);
    await this.count(tenantId, events);
  }

  /** @returns whether the series of the tenant has begun */
  private async count(tenantId: string, events: readonly PublishedEvent[]): Promise<boolean> {
    return this.its.transactions.run(tenantId, async (em) => {
      const seq = await lockedSeq(em, tenantId);
      if (seq === null) return false;
      const fresh = events.filter((event) => event.seq > seq);
      const last = fresh.at(-1);
      if (last === undefined) return true;
      const counts = await countsOf(em, tenantId, fresh);
      await addUp(
        em,
        'redemption_series',
        withinMinutes(counts).flatMap((count) => pointsOf(count)),
      );
      await em.execute('update redemption_series_cursor set seq = ? where tenant_id = ?', [
        last.seq,
        tenantId,
      ]);
      return true;
    });
  }
}

async function lockedSeq(em: Em, tenantId: string): Promise<number | null> {
  const [row] = await em.execute<{ seq: number }[]>(
    'select seq from redemption_series_cursor where tenant_id = ? for update',
    [tenantId],
  );
  return row?.seq ?? null;
}

async function countsOf(em: Em, tenantId: string, events: readonly PublishedEvent[]): Promise<SeriesCount[]> {
  const ids = events.map(({ payload }) => String(payload['redemptionId']));
  const rows = await em.execute<Row[]>(
    `select cast(id as char) as id, cast(campaign_id as char) as campaignId, product_code as productCode,
        claimed_at as claimedAt, reversed_at as reversedAt from redemption where tenant_id = ? and id in (?)`,
    [tenantId, ids],
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return events.map((event) => countOf(event, byId.get(String(event.payload['redemptionId']))));
}

/** A refusal whose caller was told PROCESSING before: its tombstone may be gone by now. */
function refusalOf({ payload }: PublishedEvent): string {
  const refusal = String(payload['refusal']);
  return isRedeemRefusal(refusal) ? refusal : 'SERVICE_UNAVAILABLE';
}

function countOf(event: PublishedEvent, row: Row | undefined): SeriesCount {
  const { tenantId, type, payload, createdAt } = event;
  const { productCode = null, claimedAt = null, reversedAt = null } = row ?? {};
  const of = { tenantId, campaignId: String(payload['campaignId']), productCode, total: 1 };
  const at = (instant: Date | null): number => (instant ?? createdAt).getTime();
  if (type === REDEMPTION_REVERSED) return { ...of, outcome: 'REVERSED', atMs: at(instantOf(reversedAt)) };
  if (payload['status'] === 'COMMITTED')
    return { ...of, outcome: 'COMMITTED', atMs: at(instantOf(claimedAt)) };
  return { ...of, outcome: refusalOf(event), atMs: createdAt.getTime() };
}
