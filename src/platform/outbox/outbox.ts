import { invariant } from '../assert.js';
import type { Clock } from '../clock.js';
import type { Id } from '../ids.js';
import { writeLast } from '../database/execute-together.js';
import type { Em } from '../database/orm.js';
import { atEndOf } from '../database/transaction.js';

/** An event that is yet to be written. The payload is JSON, and holds neither secrets nor whole codes. */
export interface OutboxDraft {
  readonly type: string;
  /** Whom it is for; null for events of the tenant. */
  readonly userId: Id | null;
  /** The row that it tells of, where events are looked for by it. */
  readonly subjectId?: Id;
  readonly payload: Readonly<Record<string, unknown>>;
}

interface Noted {
  readonly tenantId: string;
  readonly drafts: OutboxDraft[];
  lastSeq: number;
}

/** Makes the tenant's row with its first event. The answer's insert id is the new last number. */
const TAKE_NUMBERS = `insert into outbox_counter (tenant_id, last_seq) values (?, last_insert_id(?))
  on duplicate key update last_seq = last_insert_id(last_seq + ?)`;
const ROW = '(?, last_insert_id() - ?, ?, ?, ?, ?, ?)';

/**
 * Writes events into the transaction that they tell of, with the tenant's next numbers. The counter's row stays locked
 * from then until the commit, so numbers follow the order of the commits and have no gaps. It is the last lock of every
 * transaction, because the events are only noted when they are appended, and written when the work has ended.
 */
export class Outbox {
  private readonly noted = new WeakMap<Em, Noted>();

  /** @param ring Tells after the commit that a tenant has events up to a number. */
  constructor(
    private readonly clock: Clock,
    private readonly ring: (tenantId: string, seq: number) => void,
  ) {}

  append(em: Em, tenantId: string, drafts: readonly OutboxDraft[]): void {
    if (drafts.length === 0) return;
    const noted = this.noted.get(em) ?? this.note(em, tenantId);
    invariant(noted.tenantId === tenantId, 'A transaction writes events of one tenant.');
    noted.drafts.push(...drafts);
  }

  /** Writes what was appended so far, behind all other statements of the same message. For the hot path, at its end. */
  async flush(em: Em): Promise<void> {
    const noted = this.noted.get(em);
    if (noted !== undefined) await this.write(em, noted);
  }

  private async write(em: Em, noted: Noted): Promise<void> {
    const { tenantId } = noted;
    const drafts = noted.drafts.splice(0);
    if (drafts.length === 0) return;
    const createdAt = new Date(this.clock.nowMs());
    const rows = drafts.flatMap(({ type, userId, subjectId = null, payload }, at) => {
      const fromLast = drafts.length - 1 - at;
      return [tenantId, fromLast, type, userId, subjectId, JSON.stringify(payload), createdAt];
    });
    const [taken] = await Promise.all([
      writeLast(em, TAKE_NUMBERS, [tenantId, drafts.length, drafts.length]),
      writeLast(
        em,
        `insert into outbox_event (tenant_id, seq, type, user_id, subject_id, payload, created_at)
          values ${drafts.map(() => ROW).join(', ')}`,
        rows,
      ),
    ]);
    noted.lastSeq = taken.insertId;
  }

  private note(em: Em, tenantId: string): Noted {
    const noted: Noted = { tenantId, drafts: [], lastSeq: 0 };
    this.noted.set(em, noted);
    atEndOf(em, {
      // Of a nested part: by the entity manager of the whole.
      beforeCommit: async (committing) => this.write(committing, noted),
      afterCommit: () => this.ring(tenantId, noted.lastSeq),
    });
    return noted;
  }
}
