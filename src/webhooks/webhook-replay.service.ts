import { LockMode } from '@mikro-orm/core';
import { systemEm, type Em } from '../platform/database/orm.js';
import { ACROSS_TENANTS } from '../platform/database/tenant-filter.js';
import { isSet, present } from '../platform/assert.js';
import { DomainError } from '../platform/errors.js';
import { TenantFailures } from '../platform/failures.js';
import { isId, type Id } from '../platform/ids.js';
import { OutboxEvent } from '../platform/outbox/outbox.entity.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { expiredCursor, parseCursor, requireKnown } from '../platform/push/feed-cursor.js';
import type { DeliveryQueue } from './delivery-queue.js';
import { lastSeqOf } from './last-seq.js';
import { Webhook } from './webhook.entity.js';
import { webhookNotFound, type WebhookRefusal } from './webhook.errors.js';

/** Numbers of events that one transaction queues again. */
const PAGE_SPAN = 500;
const REPLAYS_AT_ONCE = 100;
/** Pages of a replay in one run; the next run goes on. */
const PAGES_MAX = 20;

interface ReplayParts extends Pick<PlatformServices, 'orm' | 'transactions'> {
  readonly queue: DeliveryQueue;
}

/**
 * Sends events once more. The request is noted in the webhook's row; a worker queues the events page by page, and a
 * page is one transaction with the note of how far it is, so that a replay outlives its worker.
 */
export class WebhookReplayService {
  constructor(private readonly its: ReplayParts) {}

  /**
   * Sends all events behind the cursor again, those included that were delivered. With a replay under way, both become
   * one that begins with the older event.
   * @throws DomainError one of {@link REPLAY_WEBHOOK_REFUSALS}
   */
  async replay(tenantId: string, webhookId: Id, after: string): Promise<Webhook> {
    const { afterSeq } = parseCursor(after);
    if (!isId(webhookId)) throw webhookNotFound();
    return this.its.transactions.run(tenantId, async (em) => {
      const webhook = await locked(em, webhookId);
      if (webhook === null) throw webhookNotFound();
      if (webhook.status !== 'ENABLED') throw disabled();
      const lastSeq = await lastSeqOf(em, tenantId);
      requireKnown(afterSeq, lastSeq);
      await requireKept(em, afterSeq, lastSeq);
      const replay = {
        replayAfterSeq: Math.min(afterSeq, webhook.replayAfterSeq ?? afterSeq),
        replayUpToSeq: lastSeq,
      };
      if (afterSeq < lastSeq) await em.nativeUpdate(Webhook, { id: webhookId }, replay);
      return Object.assign(webhook, afterSeq < lastSeq ? replay : {});
    });
  }

  /** Queues events of replays under way, some of each. Any number of workers may do it at once. @returns whether there were any */
  async work(signal?: AbortSignal): Promise<boolean> {
    const waiting = await systemEm(this.its.orm).find(
      Webhook,
      { replayAfterSeq: { $ne: null } },
      { fields: ['tenantId', 'id'], limit: REPLAYS_AT_ONCE, disableIdentityMap: true, ...ACROSS_TENANTS },
    );
    const failures = new TenantFailures();
    for (const { tenantId, id } of waiting) await this.pages(tenantId, id, signal).catch(failures.note);
    failures.throwFirst();
    return waiting.length > 0;
  }

  private async pages(tenantId: string, webhookId: Id, signal?: AbortSignal): Promise<void> {
    for (let page = 0; page < PAGES_MAX; page += 1) {
      if (signal?.aborted === true) break;
      if (await this.its.transactions.run(tenantId, async (em) => this.page(em, webhookId))) break;
    }
  }

  /** Under the row's lock, so that of two workers each takes another page. @returns whether it was the last one */
  private async page(em: Em, webhookId: Id): Promise<boolean> {
    const webhook = await locked(em, webhookId);
    if (!isSet(webhook?.replayAfterSeq)) return true;
    const upToSeq = present(webhook.replayUpToSeq, 'The end of a replay');
    const pageEnd = Math.min(webhook.replayAfterSeq + PAGE_SPAN, upToSeq);
    const events = await em.find(
      OutboxEvent,
      { seq: { $gt: webhook.replayAfterSeq, $lte: pageEnd } },
      { fields: ['seq', 'type', 'payload'], orderBy: { seq: 'asc' }, disableIdentityMap: true },
    );
    await this.its.queue.again(em, webhook, events);
    const isLast = pageEnd === upToSeq;
    const next = isLast ? { replayAfterSeq: null, replayUpToSeq: null } : { replayAfterSeq: pageEnd };
    await em.nativeUpdate(Webhook, { id: webhookId }, next);
    return isLast;
  }
}

async function locked(em: Em, id: Id): Promise<Webhook | null> {
  return em.findOne(Webhook, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true });
}

/** Events are deleted from the low end, so the first one tells of all. @throws CursorError CURSOR_EXPIRED */
async function requireKept(em: Em, afterSeq: number, lastSeq: number): Promise<void> {
  if (afterSeq === lastSeq) return;
  if ((await em.count(OutboxEvent, { seq: afterSeq + 1 })) === 0) throw expiredCursor();
}

function disabled(): DomainError<WebhookRefusal> {
  return new DomainError('WEBHOOK_DISABLED', 'The webhook is disabled. Enable it, then replay.', {
    field: ['input', 'webhookId'],
  });
}
