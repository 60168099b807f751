import type { Em } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import type { IdGenerator } from '../platform/ids.js';
import type { Fence } from '../platform/leases/fence.js';
import type { PublishedEvent } from '../platform/outbox/published-event.js';
import { nameFor } from './offered-events.js';
import { Webhook } from './webhook.entity.js';

const ROWS_AT_ONCE = 500;

type QueuedEvent = Pick<PublishedEvent, 'seq' | 'type' | 'payload'>;
type Receiver = Pick<Webhook, 'tenantId' | 'id' | 'eventTypes'>;

/** A second delivery of the same event to the consumer changes nothing. */
const KEEP = 'on duplicate key update tenant_id = webhook_delivery.tenant_id';
/** A replay begins again, whatever came of the event before. */
const BEGIN_AGAIN = `on duplicate key update status = values(status), attempts = 0, failure = null,
  queued_at = values(queued_at), next_attempt_at = values(next_attempt_at)`;

/** Turns events into deliveries: one row for each webhook that wants the event. */
export class DeliveryQueue {
  constructor(
    private readonly transactions: Transactions,
    private readonly ids: IdGenerator,
    /** There is something to send. */
    private readonly wake: () => void,
  ) {}

  /**
   * The consumer of events. Webhooks are read after the events, so none that was there before an event is missed. A
   * process that has lost the tenant queues nothing: deliveries that were deleted by age would be made again.
   */
  async take(tenantId: string, events: readonly PublishedEvent[], fence?: Fence): Promise<void> {
    const receivers = await this.transactions.run(tenantId, async (em) => {
      await fence?.check(em);
      const webhooks = await em.find(Webhook, { status: 'ENABLED' }, { disableIdentityMap: true });
      for (const webhook of webhooks) {
        const later = events.filter(({ seq }) => seq > webhook.afterSeq);
        await this.insert(em, webhook, later, KEEP);
      }
      return webhooks.length;
    });
    if (receivers > 0) this.wake();
  }

  /** Queues events once more, inside the caller's transaction. */
  async again(em: Em, webhook: Receiver, events: readonly QueuedEvent[]): Promise<void> {
    await this.insert(em, webhook, events, BEGIN_AGAIN);
  }

  private async insert(
    em: Em,
    webhook: Receiver,
    events: readonly QueuedEvent[],
    onDuplicate: string,
  ): Promise<void> {
    const rows = events.flatMap((event) => {
      const name = nameFor(webhook, event);
      return name === null ? [] : [[webhook.tenantId, this.ids.next(), webhook.id, event.seq, name]];
    });
    for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
      const some = rows.slice(at, at + ROWS_AT_ONCE);
      await em.execute(
        `insert into webhook_delivery
            (tenant_id, id, webhook_id, seq, event_type, status, attempts, queued_at, next_attempt_at)
          values ${some.map(() => ROW).join(', ')} ${onDuplicate}`,
        some.flat(),
      );
    }
  }
}

const ROW = `(?, ?, ?, ?, ?, 'PENDING', 0, utc_timestamp(3), utc_timestamp(3))`;
