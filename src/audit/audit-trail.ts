import { invariant, present } from '../platform/assert.js';
import type { Clock } from '../platform/clock.js';
import type { Em } from '../platform/database/orm.js';
import type { ChangeTrail } from '../platform/database/transaction.js';
import type { ChangeRecord, RecordedChanges, Target } from '../platform/recording/change-record.js';
import type { CurrentOperation, OperationBy } from '../platform/recording/current-operation.js';
import { digestOf, NO_PREVIOUS, type UnsignedEntry } from './audit-chain.js';
import { detailsText } from './audit-details.js';
import { hiderOf, PERSONAL, userOf } from './personal-seals.js';

/** Makes the head of a new chain; of two at once the second waits for the first. */
const MAKE_HEAD = `insert into audit_head (tenant_id, last_seq, digest, anchored_seq) values (?, 0, ?, 0)
  on duplicate key update tenant_id = tenant_id`;
const LOCK_HEAD = 'select last_seq as lastSeq, digest from audit_head where tenant_id = ? for update';
const WRITE_HEAD = 'update audit_head set last_seq = ?, digest = ? where tenant_id = ?';
const WRITE_ENTRY = `insert into audit_entry (tenant_id, seq, created_at, operation, actor_kind, actor_id, actor_role,
    credential_id, ip, request_id, target_type, target_id, details, previous, digest) values (?)`;

interface Head {
  readonly lastSeq: number;
  readonly digest: string;
}

/** Rows that follow from a change elsewhere: no operation is about them while there are others. */
const SIDE_TABLES = new Set(['session', 'auth_method', 'tenant', 'code_batch_format', 'code_format']);

/**
 * Writes the entry of a transaction into it, as its last rows but the events. The head of the chain is locked from then
 * until the COMMIT, so that the entries of a tenant follow the order of the commits and have no gaps.
 */
export class AuditTrail implements ChangeTrail {
  constructor(private readonly clock: Clock) {}

  async write(
    em: Em,
    tenantId: string | null,
    { by, facts }: CurrentOperation,
    record: ChangeRecord,
  ): Promise<void> {
    // Staff of a platform change other tenants, and answer for it in their own.
    const chain = by?.tenantId ?? tenantId;
    invariant(by !== null && chain !== null, 'A recorded operation belongs to a tenant.');
    const changes = await record.settled(em);
    const target = targetOf(changes, facts.input) ?? ownTarget(by);
    await this.append(em, {
      tenantId: chain,
      operation: facts.name.slice(0, 80),
      actorKind: by.kind,
      actorId: by.id.slice(0, 128),
      actorRole: by.role,
      credentialId: by.credentialId,
      ip: facts.ip?.slice(0, 45) ?? null,
      requestId: facts.requestId?.slice(0, 64) ?? null,
      targetType: target.type.slice(0, 40),
      targetId: target.id.slice(0, 128),
      details: await detailsIn(em, chain === tenantId ? tenantId : null, facts.input, changes),
    });
  }

  private async append(em: Em, entry: Omit<UnsignedEntry, 'id' | 'createdAt' | 'previous'>): Promise<void> {
    const { tenantId } = entry;
    const head = (await lockHead(em, tenantId)) ?? (await makeHead(em, tenantId));
    const id = String(head.lastSeq + 1);
    const unsigned = { ...entry, id, createdAt: new Date(this.clock.nowMs()), previous: head.digest };
    const digest = digestOf(unsigned);
    await em.execute(WRITE_ENTRY, [columnsOf({ ...unsigned, digest })]);
    await em.execute(WRITE_HEAD, [id, digest, tenantId]);
  }
}

/** A key is only read, or made, for an entry that has something to hide. */
async function detailsIn(
  em: Em,
  tenantId: string | null,
  input: unknown,
  changes: RecordedChanges,
): Promise<string> {
  const userId = userOf(changes);
  let isPersonal = false;
  const plain = detailsText(
    input,
    changes,
    () => {
      isPersonal = true;
      return PERSONAL;
    },
    userId !== null,
  );
  if (!isPersonal || userId === null || tenantId === null) return plain;
  return detailsText(input, changes, await hiderOf(em, tenantId, userId), true);
}

async function lockHead(em: Em, tenantId: string): Promise<Head | undefined> {
  const [head] = await em.execute<Head[]>(LOCK_HEAD, [tenantId]);
  return head;
}

async function makeHead(em: Em, tenantId: string): Promise<Head> {
  await em.execute(MAKE_HEAD, [tenantId, NO_PREVIOUS]);
  return present(await lockHead(em, tenantId), 'The head of a chain');
}

function columnsOf(entry: UnsignedEntry & { readonly digest: string }): unknown[] {
  return [
    entry.tenantId,
    entry.id,
    entry.createdAt,
    entry.operation,
    entry.actorKind,
    entry.actorId,
    entry.actorRole ?? null,
    entry.credentialId ?? null,
    entry.ip ?? null,
    entry.requestId ?? null,
    entry.targetType,
    entry.targetId,
    entry.details,
    entry.previous,
    entry.digest,
  ];
}

function targetOf({ target, rows }: RecordedChanges, input: unknown): Target | null {
  if (target !== null) return target;
  const row = rows.find(({ table }) => !SIDE_TABLES.has(table));
  if (row !== undefined) return { type: row.table, id: row.id };
  const [side] = rows;
  return namedIn(input) ?? (side === undefined ? null : { type: side.table, id: side.id });
}

/** The first id among the arguments, such as `batchId`. */
function namedIn(input: unknown): Target | null {
  const entries = typeof input === 'object' && input !== null ? Object.entries(input) : [];
  const [name, id] =
    entries.find(([key, value]) => /^(?!externalUser)\w+(?:Id|No)$/.test(key) && typeof value === 'string') ??
    [];
  if (name === undefined) return null;
  const type = name.slice(0, -2).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return { type, id: String(id) };
}

/** An operation on one's own account. */
function ownTarget({ kind, id }: OperationBy): Target {
  return { type: kind.toLowerCase(), id };
}
