import type { Clock } from '../clock.js';
import type { Id, IdGenerator } from '../ids.js';
import { insertRows } from '../database/insert-rows.js';
import type { Em } from '../database/orm.js';

/** An event that is yet to be written. The payload is JSON, and holds neither secrets nor whole codes. */
export interface OutboxDraft {
  readonly type: string;
  /** Whom it is for; null for events of the tenant. */
  readonly userId: Id | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Writes events into the transaction that they tell of. The relay publishes them after the commit. */
export class Outbox {
  constructor(
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
  ) {}

  async append(em: Em, tenantId: string, drafts: readonly OutboxDraft[]): Promise<void> {
    const createdAt = new Date(this.clock.nowMs());
    const rows = drafts.map((draft) => ({
      tenant_id: tenantId,
      id: this.ids.next(),
      type: draft.type,
      user_id: draft.userId,
      payload: JSON.stringify(draft.payload),
      seq: null,
      created_at: createdAt,
    }));
    await insertRows(em, 'outbox_event', rows);
  }
}
