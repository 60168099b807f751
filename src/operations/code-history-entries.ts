import type { CodeAllocation } from '../codes/code-allocation.entity.js';
import type { CodeBatch } from '../codes/code-batch.entity.js';
import type { Code } from '../codes/code.entity.js';
import { isSet } from '../platform/assert.js';
import type { Page, PageRange } from '../platform/database/find-page.js';
import type { Id } from '../platform/ids.js';

export const HISTORY_EVENTS = [
  'ISSUED',
  'ALLOCATED',
  'CHANGED',
  'BATCH_ACTIVATED',
  'BATCH_FROZEN',
  'BATCH_VOIDED',
  'DELETED',
  'REDEEMED',
  'REVERSED',
  'REFUSED',
] as const;
export type HistoryEvent = (typeof HISTORY_EVENTS)[number];

/** Something that happened to a code. What does not belong to its event is null. */
export interface HistoryEntry {
  readonly at: Date;
  readonly event: HistoryEvent;
  readonly userId: Id | null;
  readonly redemptionId: Id | null;
  readonly useNo: number | null;
  readonly productCode: string | null;
  readonly refusal: string | null;
  /** Whether it was a preview that was refused. */
  readonly isPreview: boolean | null;
  /** Further refusals of the same user within ten seconds. */
  readonly further: number | null;
  /** The channel that a code was handed to. */
  readonly channel: string | null;
  /** The member of staff, the partner or the person at the command line. */
  readonly by: string | null;
  readonly reason: string | null;
  readonly operation: string | null;
  readonly auditEntryId: Id | null;
}

export interface ShownClaim {
  readonly redemptionId: Id;
  readonly userId: Id;
  readonly claimedAt: Date;
  readonly deadline: Date;
}

interface Redeemed {
  readonly id: Id;
  readonly userId: Id;
  readonly useNo?: number | null | undefined;
  readonly productCode: string;
  readonly claimedAt: Date;
  readonly reversedAt?: Date | null | undefined;
  readonly reversedBy?: string | null | undefined;
  readonly reversalReason?: string | null | undefined;
}

interface Refused {
  readonly refusedAt: Date;
  readonly userId: Id;
  readonly productCode?: string | null | undefined;
  readonly refusal: string;
  readonly isPreview: boolean;
  readonly further: number;
}

interface Audited {
  readonly id: Id;
  readonly createdAt: Date;
  readonly operation: string;
  readonly actorId: string;
}

interface AuditTarget {
  readonly targetType: string;
  readonly targetId: string;
}

/** Where the entries come from, beside the rows of the code. */
export interface HistorySources {
  readonly redemptionReader: {
    page(tenantId: string, filter: { readonly codeId: Id }, range: PageRange): Promise<Page<Redeemed>>;
  };
  readonly refusedAttempts: {
    ofCode(tenantId: string, digests: readonly string[], size: number): Promise<Page<Refused>>;
  };
  readonly auditLog: {
    page(tenantId: string, target: AuditTarget, range: PageRange): Promise<Page<Audited>>;
  };
}

const NOTHING = {
  userId: null,
  redemptionId: null,
  useNo: null,
  productCode: null,
  refusal: null,
  isPreview: null,
  further: null,
  channel: null,
  by: null,
  reason: null,
  operation: null,
  auditEntryId: null,
} as const;

/** A transaction commits within this time of the instant that it notes. */
const SAME_CHANGE_MS = 10_000;

/** Changes from before the audit log are known by their instants alone. */
function unlessAudited(
  event: HistoryEvent,
  at: Date | null | undefined,
  audited: readonly Audited[],
): HistoryEntry[] {
  if (!isSet(at)) return [];
  const isAudited = audited.some(
    ({ createdAt }) => Math.abs(createdAt.getTime() - at.getTime()) < SAME_CHANGE_MS,
  );
  return isAudited ? [] : [{ ...NOTHING, at, event }];
}

export function byCode({ issuedAt, deletedAt }: Code, audited: readonly Audited[]): HistoryEntry[] {
  return [{ ...NOTHING, at: issuedAt, event: 'ISSUED' }, ...unlessAudited('DELETED', deletedAt, audited)];
}

export function byBatch(
  { activatedAt, frozenAt, voidedAt }: CodeBatch,
  audited: readonly Audited[],
): HistoryEntry[] {
  return [
    ...unlessAudited('BATCH_ACTIVATED', activatedAt, audited),
    ...unlessAudited('BATCH_FROZEN', frozenAt, audited),
    ...unlessAudited('BATCH_VOIDED', voidedAt, audited),
  ];
}

export function byAllocation({ createdAt, receiverType, receiver }: CodeAllocation): HistoryEntry {
  const to = receiverType === 'USER' ? { userId: receiver } : { channel: receiver };
  return { ...NOTHING, at: createdAt, event: 'ALLOCATED', ...to };
}

export function byAudit({ id, createdAt, operation, actorId }: Audited): HistoryEntry {
  return { ...NOTHING, at: createdAt, event: 'CHANGED', by: actorId, operation, auditEntryId: id };
}

export function byRedemption(redeemed: Redeemed): HistoryEntry[] {
  const { id: redemptionId, userId, useNo = null, productCode, claimedAt, reversedAt } = redeemed;
  const of = { ...NOTHING, userId, redemptionId, useNo, productCode };
  const redemption: HistoryEntry = { ...of, at: claimedAt, event: 'REDEEMED' };
  if (!isSet(reversedAt)) return [redemption];
  const { reversedBy: by = null, reversalReason: reason = null } = redeemed;
  return [redemption, { ...of, at: reversedAt, event: 'REVERSED', by, reason }];
}

export function byRefusal(refused: Refused): HistoryEntry {
  const { refusedAt: at, userId, productCode = null, refusal, isPreview, further } = refused;
  return { ...NOTHING, at, event: 'REFUSED', userId, productCode, refusal, isPreview, further };
}
