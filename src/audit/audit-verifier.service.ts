import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { MikroORM } from '@mikro-orm/core';
import { tenantEm } from '../platform/database/orm.js';
import { isId, type Id } from '../platform/ids.js';
import { AUDIT_ANCHORED, type Anchor } from './audit-anchors.js';
import { digestOf, NO_PREVIOUS } from './audit-chain.js';
import { AuditEntry, AuditHead } from './audit-entry.entity.js';

export const AUDIT_FINDING_KINDS = [
  'AUDIT_ROW_CHANGED',
  'AUDIT_ROW_MISSING',
  'AUDIT_ROW_INSERTED',
  'AUDIT_HEAD_DIFFERS',
  'AUDIT_ANCHOR_DIFFERS',
] as const;
export type AuditFindingKind = (typeof AUDIT_FINDING_KINDS)[number];

/** An entry, or several in a row, that are not as they were written. */
export interface AuditFinding {
  readonly kind: AuditFindingKind;
  readonly tenantId: string;
  readonly entryId: Id;
  /** The last one where several in a row are missing. */
  readonly toEntryId: Id;
  readonly says: string;
}

/** Entries in memory at once. */
const PAGE = 200;
const ANCHORS_PAGE = 500;

/** What has been read of a chain. */
interface Walk {
  readonly tenantId: string;
  /** The number of the next entry. */
  next: number;
  /** Of the entry before; null where that one is missing. */
  digest: string | null;
  /** Whether the entry before was found to be changed. */
  isNamed: boolean;
}

/** Compares chains with themselves, with their heads and with their anchors; in bounded memory, beside new entries. */
export class AuditVerifier {
  /** @param orm where rows are read */
  constructor(private readonly orm: MikroORM) {}

  /** The chain of a tenant, from its beginning. */
  async *verify(tenantId: string): AsyncGenerator<AuditFinding> {
    const em = tenantEm(this.orm, tenantId);
    const head = await em.findOne(AuditHead, { tenantId }, { disableIdentityMap: true });
    const lastSeq = head?.lastSeq ?? 0;
    const walk: Walk = { tenantId, next: 1, digest: NO_PREVIOUS, isNamed: false };
    for (;;) {
      const page = await em.find(
        AuditEntry,
        { id: { $gte: String(walk.next), $lte: String(lastSeq) } },
        { orderBy: { id: 'asc' }, limit: PAGE, disableIdentityMap: true },
      );
      for (const entry of page) yield* judged(walk, entry);
      if (page.length < PAGE) break;
    }
    yield* this.endOf(walk, lastSeq, head?.digest ?? NO_PREVIOUS);
    yield* this.inserted(tenantId);
    for await (const anchors of this.eventAnchors(tenantId)) yield* this.compared(tenantId, anchors);
  }

  /** Anchors of all tenants, or of one, as `appendAnchors` has written them. Lines that were cut short are passed over. */
  async *verifyFile(file: string, tenantId: string | null): AsyncGenerator<AuditFinding> {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
    let held: Anchor[] = [];
    for await (const line of lines) {
      const anchor = anchorIn(line);
      if (anchor === null || (tenantId !== null && anchor.tenantId !== tenantId)) continue;
      held.push(anchor);
      if (held.length < ANCHORS_PAGE) continue;
      yield* this.ofTenants(held);
      held = [];
    }
    yield* this.ofTenants(held);
  }

  private async *ofTenants(anchors: readonly Anchor[]): AsyncGenerator<AuditFinding> {
    for (const [tenantId, own] of Map.groupBy(anchors, (anchor) => anchor.tenantId))
      yield* this.compared(tenantId, own);
  }

  private *endOf({ tenantId, next, digest }: Walk, lastSeq: number, headDigest: string) {
    if (next <= lastSeq) yield missing(tenantId, next, lastSeq);
    else if (digest !== null && digest !== headDigest)
      yield found(
        'AUDIT_HEAD_DIFFERS',
        tenantId,
        lastSeq,
        'The head of the chain does not name its digest: one of both was changed.',
      );
  }

  /** Entries beside the chain. One statement, so that the head is the one of the same instant. */
  private async *inserted(tenantId: string): AsyncGenerator<AuditFinding> {
    for (let after = -1; ;) {
      const rows = await tenantEm(this.orm, tenantId).execute<{ seq: number }[]>(
        `select e.seq from audit_entry e left join audit_head h on h.tenant_id = e.tenant_id
          where e.tenant_id = ? and (e.seq = 0 or e.seq > coalesce(h.last_seq, 0)) and e.seq > ?
          order by e.seq limit ${PAGE}`,
        [tenantId, after],
      );
      for (const { seq } of rows)
        yield found('AUDIT_ROW_INSERTED', tenantId, seq, 'It lies outside of the chain that the head ends.');
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE) return;
      after = last.seq;
    }
  }

  private async *eventAnchors(tenantId: string): AsyncGenerator<Anchor[]> {
    for (let after = '0'; ;) {
      const rows = await tenantEm(this.orm, tenantId).execute<{ entryId: string; payload: string }[]>(
        `select cast(subject_id as char) as entryId, cast(payload as char) as payload
           from outbox_event force index (ix_outbox_event__tenant_subject)
          where tenant_id = ? and subject_id > ? and subject_id < ${SUBJECTS_END} and type = ?
          order by subject_id limit ${ANCHORS_PAGE}`,
        [tenantId, after, AUDIT_ANCHORED],
      );
      if (rows.length === 0) return;
      yield rows.map(({ entryId, payload }) => {
        const { digest } = JSON.parse(payload) as { digest: string };
        return { tenantId, entryId, digest };
      });
      after = rows.at(-1)?.entryId ?? after;
      if (rows.length < ANCHORS_PAGE) return;
    }
  }

  private async *compared(tenantId: string, anchors: readonly Anchor[]): AsyncGenerator<AuditFinding> {
    const rows = await tenantEm(this.orm, tenantId).execute<{ id: Id; digest: string }[]>(
      'select cast(seq as char) as id, digest from audit_entry where tenant_id = ? and seq in (?)',
      [tenantId, anchors.map(({ entryId }) => entryId)],
    );
    const digests = new Map(rows.map(({ id, digest }) => [id, digest]));
    for (const { entryId, digest } of anchors) {
      const own = digests.get(entryId);
      if (own === undefined)
        yield found('AUDIT_ROW_MISSING', tenantId, entryId, 'It was anchored, and is not there.');
      else if (own !== digest)
        yield found('AUDIT_ANCHOR_DIFFERS', tenantId, entryId, 'It was anchored with another digest.');
    }
  }
}

/** Ids of rows begin far above the number of any entry. */
const SUBJECTS_END = '1000000000000';

function* judged(walk: Walk, entry: AuditEntry): Generator<AuditFinding> {
  const { tenantId } = walk;
  const seq = Number(entry.id);
  if (seq > walk.next) {
    yield missing(tenantId, walk.next, seq - 1);
    walk.digest = null;
  }
  const isChained = walk.digest === null || walk.digest === entry.previous;
  if (!isChained && !walk.isNamed) yield changed(tenantId, Math.max(seq - 1, 1), CHAINED_TO_ANOTHER);
  const isWhole = digestOf(entry) === entry.digest;
  if (!isWhole) yield changed(tenantId, seq, 'Its digest is not that of its content.');
  walk.next = seq + 1;
  walk.digest = entry.digest;
  walk.isNamed = !isWhole;
}

const CHAINED_TO_ANOTHER = 'The entry behind it was chained to another digest.';

const changed = (tenantId: string, seq: number, says: string): AuditFinding =>
  found('AUDIT_ROW_CHANGED', tenantId, seq, says);

function missing(tenantId: string, from: number, to: number): AuditFinding {
  const says = from === to ? 'It is not there.' : `The entries ${from} to ${to} are not there.`;
  return { kind: 'AUDIT_ROW_MISSING', tenantId, entryId: String(from), toEntryId: String(to), says };
}

function found(kind: AuditFindingKind, tenantId: string, seq: number | Id, says: string): AuditFinding {
  return { kind, tenantId, entryId: String(seq), toEntryId: String(seq), says };
}

function anchorIn(line: string): Anchor | null {
  try {
    const { tenantId, entryId, digest } = JSON.parse(line) as Record<string, unknown>;
    const isAnchor = typeof tenantId === 'string' && typeof entryId === 'string' && isId(entryId);
    return isAnchor && typeof digest === 'string' ? { tenantId, entryId, digest } : null;
  } catch {
    return null;
  }
}
