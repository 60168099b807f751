import { systemEm, tenantEm } from '../../platform/database/orm.js';
import { isServerAway } from '../../platform/database/sql-errors.js';
import { StoreUnavailableError } from '../../platform/errors.js';
import type { Id } from '../../platform/ids.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import type { JobQueue } from '../../platform/queue/job-queue.js';
import { eachOf } from '../../platform/scheduling/each-of.js';
import type { OrderClosing } from './order-closing.service.js';
import { OrderPlacement } from './order-placement.entity.js';
import type { Order } from './order.entity.js';

/** Orders of one tenant that are closed in one transaction. */
const BATCH = 50;
/** Orders that the sweep looks at, of all tenants. */
const PAGE = 200;
const TENANTS_AT_ONCE = 4;

export interface TimeoutJob {
  readonly tenantId: string;
  readonly orderId: Id;
}

interface Due extends TimeoutJob {
  /** As the database writes it. */
  readonly dueAt: string;
}

const FIRST: Due = { dueAt: '1000-01-01', tenantId: '', orderId: '0' };

export interface TimeoutParts extends Pick<PlatformServices, 'orm' | 'clock' | 'transactions' | 'log'> {
  readonly closing: OrderClosing;
  readonly queue: JobQueue<TimeoutJob>;
}

/** Closes orders that were not paid in time: each by a job of its own, and by a sweep those whose job was lost. */
export class OrderTimeouts {
  readonly name = 'order timeouts';

  constructor(private readonly its: TimeoutParts) {}

  start(): void {
    this.its.queue.start(async (job) => this.work(job));
  }

  async stop(): Promise<void> {
    await this.its.queue.close();
  }

  /** After the commit. An order whose job is not added is closed by the sweep. */
  async placed({ tenantId, id: orderId }: Pick<Order, 'tenantId' | 'id'>, delayMs: number): Promise<void> {
    try {
      await this.its.queue.add(`o${orderId}_${tenantId}`, { tenantId, orderId }, { delayMs });
    } catch (error) {
      this.its.log.warn({ err: error, tenantId, orderId }, 'an order waits for the sweep to be closed');
    }
  }

  /** One delivery. @returns after how many milliseconds to deliver it again; null when nothing is left to do */
  async work({ tenantId, orderId }: TimeoutJob): Promise<number | null> {
    const em = tenantEm(this.its.orm, tenantId);
    const placement = await em.findOne(OrderPlacement, { orderId }, { disableIdentityMap: true });
    const dueAt = placement?.dueAt ?? null;
    if (dueAt === null) return null;
    // By this process' clock it may be early.
    const earlyMs = dueAt.getTime() - this.its.clock.nowMs();
    if (earlyMs > 0) return earlyMs;
    await this.closeAll(tenantId, [orderId], true);
    return null;
  }

  /**
   * Closes all orders whose time is over, the oldest first. Any number of workers may do it at once: what one has
   * locked, the others leave out.
   * @returns how many were closed
   * @throws StoreUnavailableError when the database does not answer
   */
  async sweep(signal?: AbortSignal): Promise<number> {
    let closed = 0;
    let last = FIRST;
    for (;;) {
      const due = await this.due(last);
      await eachOf(
        Map.groupBy(due, ({ tenantId }) => tenantId),
        TENANTS_AT_ONCE,
        async ([tenantId, rows]) => {
          for (let from = 0; from < rows.length; from += BATCH) {
            const batch = rows.slice(from, from + BATCH).map(({ orderId }) => orderId);
            const count = await this.closeOrEach(tenantId, batch);
            closed += count;
          }
        },
      );
      if (due.length < PAGE || signal?.aborted === true) return closed;
      last = due.at(-1) ?? FIRST;
    }
  }

  /** The next ones behind an order. One that another worker has at hand is passed over, so each page is another one. */
  private async due(last: Due): Promise<Due[]> {
    const now = new Date(this.its.clock.nowMs());
    return systemEm(this.its.orm).execute(
      `select tenant_id as tenantId, cast(order_id as char) as orderId, cast(due_at as char) as dueAt
         from order_placement force index (ix_order_placement__due)
        where due_at >= ? and due_at <= ? and (due_at, tenant_id, order_id) > (?, ?, cast(? as unsigned))
        order by due_at, tenant_id, order_id limit ${PAGE}`,
      [last.dueAt, now, last.dueAt, last.tenantId, last.orderId],
    );
  }

  /** One that cannot be closed must not keep the others. */
  private async closeOrEach(tenantId: string, ids: readonly Id[]): Promise<number> {
    try {
      return await this.closeAll(tenantId, ids, false);
    } catch (error) {
      if (isServerAway(error)) throw new StoreUnavailableError('database', { cause: error });
      if (ids.length === 1) {
        this.its.log.error({ err: error, tenantId, orderId: ids[0] }, 'an order was not closed in time');
        return 0;
      }
    }
    let closed = 0;
    for (const id of ids) closed += await this.closeOrEach(tenantId, [id]);
    return closed;
  }

  private async closeAll(tenantId: string, ids: readonly Id[], waits: boolean): Promise<number> {
    const closed = await this.its.transactions.run(tenantId, async (em) =>
      this.its.closing.close(em, tenantId, ids, { cause: 'TIMEOUT', waits }),
    );
    return closed.length;
  }
}
