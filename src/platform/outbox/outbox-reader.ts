import type { MikroORM } from '@mikro-orm/core';
import DataLoader from 'dataloader';
import { LRUCache } from 'lru-cache';
import { StoreUnavailableError } from '../errors.js';
import type { Id } from '../ids.js';
import { LoadGate } from '../scheduling/load-gate.js';
import { systemEm, tenantEm } from '../database/orm.js';
import { isServerAway, isStatementTimeout } from '../database/sql-errors.js';
import { within } from '../scheduling/timeout.js';
import { EVENT_COLUMNS, toPublished, type EventRow } from './event-row.js';
import { expiredCursor } from './feed-cursor.js';
import type { PublishedEvent } from './published-event.js';

/** Which events somebody wants. */
export interface FeedFilter {
  readonly tenantId: string;
  readonly type: string;
  /** Only this user's; null for those of the whole tenant. */
  readonly userId: Id | null;
}

/** How far a tenant's relay has come. */
export interface FeedPosition {
  /** The last number given. */
  readonly lastSeq: number;
  /** All up to this one have been handed to the subscribers; of those after it, some may have been. */
  readonly publishedSeq: number;
}

/** A part of a tenant's events, in order. */
export interface FeedPage {
  readonly events: readonly PublishedEvent[];
  /** Nothing up to here is left out. */
  readonly upToSeq: number;
}

/** Numbers that one page spans at most. Pages begin at multiples of it, so that many who catch up share them. */
const PAGE_SPAN = 100;
const PAGES_KEPT = 64;
const PAGE_TTL_MS = 10_000;
const TENANTS_AT_ONCE = 256;

interface PageBounds {
  readonly tenantId: string;
  readonly type: string;
  readonly afterSeq: number;
  readonly upToSeq: number;
}

interface LoadedPage {
  readonly events: readonly PublishedEvent[];
  readonly isComplete: boolean;
}

/**
 * Reads again what has been published. After an outage of Redis everybody who listens does so at the same moment, so
 * a page is read once for all of them, and each picks out what is theirs.
 */
export class OutboxReader {
  private readonly gate = new LoadGate();
  private readonly positions = new DataLoader<string, FeedPosition>(
    async (tenantIds) => this.gate.run(async () => this.loadPositions(tenantIds)),
    { cache: false, maxBatchSize: TENANTS_AT_ONCE, batchScheduleFn: this.gate.schedule },
  );
  /** What is published never changes, so a page is right for as long as its events are kept. */
  private readonly pages = new LRUCache<string, LoadedPage, PageBounds>({
    max: PAGES_KEPT,
    ttl: PAGE_TTL_MS,
    fetchMethod: async (_key, _stale, { context }) => this.load(context),
  });

  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
  ) {}

  /** As it is now, or later. @throws StoreUnavailableError */
  async position(tenantId: string): Promise<FeedPosition> {
    return this.positions.load(tenantId);
  }

  /**
   * The next events behind `afterSeq`, and none behind `upToSeq`, which must be published.
   * @throws CursorError CURSOR_EXPIRED when one of them is no longer kept
   * @throws StoreUnavailableError
   */
  async read({ tenantId, type, userId }: FeedFilter, afterSeq: number, upToSeq: number): Promise<FeedPage> {
    const startSeq = afterSeq - (afterSeq % PAGE_SPAN);
    const endSeq = Math.min(startSeq + PAGE_SPAN, upToSeq);
    const bounds = { tenantId, type, afterSeq: startSeq, upToSeq: endSeq };
    const shared = await this.pages.forceFetch([tenantId, type, startSeq, endSeq].join(':'), {
      context: bounds,
    });
    // What is gone of a shared page may lie before the cursor.
    const page = shared.isComplete ? shared : await this.load({ ...bounds, afterSeq });
    if (!page.isComplete) throw expiredCursor();
    const events = page.events.filter(
      (event) => event.seq > afterSeq && (userId === null || event.userId === userId),
    );
    return { events, upToSeq: endSeq };
  }

  /** Rows first, then how many there are: what is deleted between the two is missed in the count. */
  private async load(bounds: PageBounds): Promise<LoadedPage> {
    const { tenantId, type, afterSeq, upToSeq } = bounds;
    const em = tenantEm(this.orm, tenantId);
    const reading = async (): Promise<LoadedPage> => {
      const rows = await em.execute<(EventRow & { seq: number })[]>(
        `select ${EVENT_COLUMNS}, seq from outbox_event force index (uq_outbox_event__tenant_seq)
         where tenant_id = ? and seq > ? and seq <= ? and type = ? order by seq`,
        [tenantId, afterSeq, upToSeq, type],
      );
      const [{ kept }] = await em.execute<[{ kept: number }]>(
        'select count(*) as kept from outbox_event where tenant_id = ? and seq > ? and seq <= ?',
        [tenantId, afterSeq, upToSeq],
      );
      const events = rows.map((row) => toPublished(tenantId, row, row.seq));
      return { events, isComplete: kept === upToSeq - afterSeq };
    };
    return this.answered(reading());
  }

  private async answered<T>(reading: Promise<T>): Promise<T> {
    try {
      return await within(this.timeoutMs, 'database', reading);
    } catch (error) {
      const isUnanswered = isServerAway(error) || isStatementTimeout(error);
      throw isUnanswered ? new StoreUnavailableError('database', { cause: error }) : error;
    }
  }

  private async loadPositions(tenantIds: readonly string[]): Promise<FeedPosition[]> {
    const sql = 'select tenant_id, last_seq, published_seq from outbox_counter where tenant_id in (?)';
    const reading = systemEm(this.orm).execute<CounterRow[]>(sql, [tenantIds]);
    const rows = await this.answered(reading);
    const byTenant = new Map(rows.map((row) => [row.tenant_id, row]));
    return tenantIds.map((tenantId) => {
      const row = byTenant.get(tenantId);
      return { lastSeq: row?.last_seq ?? 0, publishedSeq: row?.published_seq ?? 0 };
    });
  }
}

interface CounterRow {
  readonly tenant_id: string;
  readonly last_seq: number;
  readonly published_seq: number;
}
