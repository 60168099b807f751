import { isSet } from '../platform/assert.js';
import { addUp } from '../platform/database/insert-rows.js';
import type { Em } from '../platform/database/orm.js';
import type { TotalsTable } from '../platform/database/totals.js';
import type { Code } from './code.entity.js';

/** What of a code decides in which totals it counts. */
export type CountedCode = Pick<
  Code,
  | 'tenantId'
  | 'campaignId'
  | 'batchId'
  | 'status'
  | 'issuedAt'
  | 'startsAt'
  | 'expiresAt'
  | 'assignedUserId'
  | 'useLimit'
  | 'used'
>;

/** The change in the number of codes like this one. */
export interface CodeMove {
  readonly like: CountedCode;
  readonly by: number;
}

/** A part of a primary key is never null: these stand for no begin and no end, and say the same of every instant. */
const NO_START = new Date(0);
const NO_END = new Date('9999-12-31T23:59:59.999Z');

/**
 * Moves the totals of codes. Every transaction that stores or deletes codes, or changes what {@link CountedCode} names,
 * calls it at its end; only its events come later. Reconciliation compares totals and codes.
 */
export async function moveCodeTotals(em: Em, moves: readonly CodeMove[]): Promise<void> {
  await addUp(
    em,
    'code_total',
    moves.map(({ like, by }) => ({
      tenant_id: like.tenantId,
      campaign_id: like.campaignId,
      batch_id: like.batchId,
      status: like.status,
      issued_at: like.issuedAt,
      starts_at: like.startsAt ?? NO_START,
      expires_at: like.expiresAt ?? NO_END,
      is_assigned: isSet(like.assignedUserId),
      is_used_up: like.useLimit > 0 && like.used >= like.useLimit,
      total: by,
    })),
  );
}

export const CODE_TOTALS: TotalsTable = {
  table: 'code_total',
  key: 'tenant_id, campaign_id, batch_id, status, issued_at, starts_at, expires_at, is_assigned, is_used_up',
  countOf: (condition) => `select tenant_id, campaign_id, batch_id, status, issued_at,
        coalesce(starts_at, timestamp'1970-01-01 00:00:00.000') as starts_at,
        coalesce(expires_at, timestamp'9999-12-31 23:59:59.999') as expires_at,
        assigned_user_id is not null as is_assigned,
        use_limit > 0 and used >= use_limit as is_used_up, count(*) as n
      from code where deleted_at is null and ${condition} group by 1, 2, 3, 4, 5, 6, 7, 8, 9`,
};
