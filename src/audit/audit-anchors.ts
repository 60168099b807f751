import type { MikroORM } from '@mikro-orm/core';
import type { Clock } from '../platform/clock.js';
import { systemEm, type Em } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import { TenantFailures } from '../platform/failures.js';
import type { Outbox, OutboxDraft } from '../platform/outbox/outbox.js';
import { ownsAll } from '../platform/scheduling/job.js';

export const AUDIT_ANCHORED = 'audit_anchored';
/** Between two anchors of a tenant with changes. */
const EVERY_MS = 60_000;
/** Without changes: events are deleted after some days, and the last anchor with them. */
const AGAIN_MS = 86_400_000;
const TENANTS_PAGE = 500;

interface Head {
  readonly lastSeq: number;
  readonly digest: string;
}

const DUE = `last_seq > 0 and (anchored_at is null or anchored_at < ? or (last_seq > anchored_seq and anchored_at < ?))`;
const FIND_DUE = `select tenant_id as tenantId from audit_head where tenant_id > ? and ${DUE}
  order by tenant_id limit ${TENANTS_PAGE}`;
const LOCK_DUE = `select last_seq as lastSeq, digest from audit_head where tenant_id = ? and ${DUE} for update`;
const NOTE = 'update audit_head set anchored_seq = ?, anchored_at = ? where tenant_id = ?';

interface AnchorParts {
  readonly orm: MikroORM;
  readonly transactions: Transactions;
  readonly outbox: Outbox;
  readonly clock: Clock;
}

/**
 * Writes the ends of chains into the event log, and so to all that read it: subscribers, webhooks, a file. An end that
 * stands elsewhere shows that entries were cut off, or that a whole chain was written again.
 */
export class AuditAnchors {
  constructor(private readonly its: AnchorParts) {}

  /** Any number of workers may run it at once. @returns how many chains were anchored */
  async run(signal?: AbortSignal, isOwn = ownsAll): Promise<number> {
    const em = systemEm(this.its.orm);
    const failures = new TenantFailures();
    let anchored = 0;
    for (let after = ''; ;) {
      const due = await em.execute<{ tenantId: string }[]>(FIND_DUE, [after, ...this.limits()]);
      for (const { tenantId } of due) {
        if (signal?.aborted === true) return anchored;
        if (!isOwn(tenantId)) continue;
        anchored += await this.anchor(tenantId).catch(failures.note);
      }
      if (due.length < TENANTS_PAGE) break;
      after = due.at(-1)?.tenantId ?? '';
    }
    failures.throwFirst();
    return anchored;
  }

  /** @returns 1, or 0 where another worker has anchored it meanwhile */
  private async anchor(tenantId: string): Promise<number> {
    return this.its.transactions.run(tenantId, async (em: Em) => {
      const [head] = await em.execute<Head[]>(LOCK_DUE, [tenantId, ...this.limits()]);
      if (head === undefined) return 0;
      await em.execute(NOTE, [head.lastSeq, new Date(this.its.clock.nowMs()), tenantId]);
      this.its.outbox.append(em, tenantId, [anchoredEvent(head)]);
      return 1;
    });
  }

  private limits(): [again: Date, changed: Date] {
    const nowMs = this.its.clock.nowMs();
    return [new Date(nowMs - AGAIN_MS), new Date(nowMs - EVERY_MS)];
  }
}

/** The entry is its subject: anchors are found by it, because no other event has a subject of so small a number. */
function anchoredEvent({ lastSeq, digest }: Head): OutboxDraft {
  const entryId = String(lastSeq);
  return { type: AUDIT_ANCHORED, userId: null, subjectId: entryId, payload: { entryId, digest } };
}

/** An end of a chain, as it was written somewhere else. */
export interface Anchor {
  readonly tenantId: string;
  readonly entryId: string;
  readonly digest: string;
}
