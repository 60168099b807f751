import { sqlInstant } from '../platform/database/sql-values.js';
import type { Id } from '../platform/ids.js';
import { CANONICAL_LENGTH_MIN, canonicalPart } from './canonical-code.js';
import { CODE_STATUSES, type CodeStatus } from './code.entity.js';
import {
  batchState,
  campaignState,
  CODE_STATE_SQL,
  CODE_STATES,
  type BatchFacts,
  type CampaignFacts,
  type CodeState,
  type EffectiveStatus,
} from './effective-status.js';

/** One way to find codes of a tenant: a condition, and the index that leads to its rows. */
export interface Clause {
  readonly index: CodeIndex | null;
  readonly where: string;
  readonly params: readonly unknown[];
}
export type CodeIndex =
  | 'ix_code__batch'
  | 'ix_code__campaign'
  | 'ix_code__state'
  | 'uq_code__tenant_digest'
  | 'ix_code__tenant_text'
  | 'ix_code__canonical_tail';

/** What of a tenant's campaigns and batches decides the state of its codes. */
export interface StateScope {
  readonly nowMs: number;
  readonly campaigns: readonly CampaignFacts[];
  /** Those that are not ready, frozen, void or not activated. */
  readonly blockedBatches: readonly BatchFacts[];
  /** Batches extended beyond this instant: their codes have not expired. */
  readonly extendedIds: readonly Id[];
}

/** Where one of the effective statuses holds. No code fits two of the clauses. */
export function effectiveClauses(wanted: readonly EffectiveStatus[], scope: StateScope): Clause[] {
  const { nowMs, campaigns, blockedBatches } = scope;
  const isWanted = new Set<EffectiveStatus | null>(wanted);
  const closedIds = idsOf(campaigns.filter((campaign) => isWanted.has(campaignState(campaign, nowMs))));
  const openIds = idsOf(campaigns.filter((campaign) => campaignState(campaign, nowMs) === null));
  const open = new Set(openIds);
  const batchIds = idsOf(
    blockedBatches.filter((batch) => open.has(batch.campaignId) && isWanted.has(batchState(batch))),
  );
  const states = CODE_STATES.filter((state) => isWanted.has(state));
  const unblocked = blockedBatches.length === 0 ? '' : ' and batch_id not in (?)';
  const clauses: (Clause | false)[] = [
    closedIds.length > 0 && { index: 'ix_code__state', where: 'campaign_id in (?)', params: [closedIds] },
    batchIds.length > 0 && { index: 'ix_code__batch', where: 'batch_id in (?)', params: [batchIds] },
    openIds.length > 0 &&
      states.length > 0 && {
        // Uses are in no index, so where they decide between most codes, the optimizer may go by the rows.
        index: isWanted.has('ACTIVE') || isWanted.has('USED_UP') ? null : 'ix_code__state',
        where: `campaign_id in (?)${unblocked} and (${statesSql(states, scope)})`,
        params: [openIds, ...(blockedBatches.length === 0 ? [] : [idsOf(blockedBatches)])],
      },
  ];
  return clauses.filter((clause) => clause !== false);
}

/** One of these states, at this instant. */
export function statesSql(
  states: readonly CodeState[],
  { nowMs, extendedIds }: Pick<StateScope, 'nowMs' | 'extendedIds'>,
): string {
  // Ids of rows, and so digits alone; none has the id 0.
  const extended = ['0', ...extendedIds].join(', ');
  const sql = states.map((state) => `(${CODE_STATE_SQL[state]})`).join(' or ');
  return sql.replaceAll(':now', `'${sqlInstant(nowMs)}'`).replaceAll(':extended', extended);
}

/**
 * Where a part of the code that a customer typed fits: a whole code is found by its digest, also when its text is not
 * kept. Among few codes a part may stand anywhere; among many it is the beginning or the end, which have an index.
 * The canonical form holds no wildcard.
 */
export function partClauses(
  tenantId: string,
  part: string,
  digests: (canonical: string) => readonly string[],
  areFew: boolean,
): Clause[] {
  const canonical = canonicalPart(part);
  if (canonical === null) return [];
  const isWhole = canonical.length >= CANONICAL_LENGTH_MIN;
  const whole: Clause[] = isWhole
    ? [{ index: 'uq_code__tenant_digest', where: 'code_digest in (?)', params: [digests(canonical)] }]
    : [];
  if (areFew) {
    const where = '(canonical_text like ? or (code_text is null and canonical_tail like ?))';
    return [...whole, { index: null, where, params: [`%${canonical}%`, `%${canonical}%`] }];
  }
  const tail = canonical.slice(-CANONICAL_LENGTH_MIN);
  // An underscore in the tenant's id would stand for any character, and end the part that the index is searched by.
  const tenantPattern = `${tenantId.replaceAll('_', String.raw`\_`)} `;
  const isLonger = canonical.length > tail.length;
  const where = `canonical_tail = ?${isLonger ? ' and canonical_text like ?' : ''}`;
  return [
    ...whole,
    { index: 'ix_code__tenant_text', where: 'tenant_text like ?', params: [`${tenantPattern}${canonical}%`] },
    { index: 'ix_code__canonical_tail', where, params: [tail, ...(isLonger ? [`%${canonical}`] : [])] },
  ];
}

/** Several conditions at once, by the index of the first. */
export function both(first: Clause, others: readonly Clause[]): Clause {
  if (others.length === 0) return first;
  const { where, params } = oneOf(others);
  return { ...first, where: `${first.where} and ${where}`, params: [...first.params, ...params] };
}

/** One of several conditions. */
export function oneOf(clauses: readonly Clause[]): Pick<Clause, 'where' | 'params'> {
  const where = `(${clauses.map((clause) => `(${clause.where})`).join(' or ')})`;
  return { where, params: clauses.flatMap((clause) => clause.params) };
}

/** Codes of one user, by the few campaigns of a tenant: an index on users would cost each of millions of codes. */
export function assignedClause(campaignIds: readonly Id[], userId: Id): Clause {
  const where = `campaign_id in (?) and status in (${CODE_STATUSES.map((status) => `'${status}'`).join(', ')})
    and assigned_user_id = ?`;
  return { index: 'ix_code__state', where, params: [campaignIds, userId] };
}

/** Codes of a status that few have: newest first, all codes of the tenant would be read to find the last of them. */
export function statusClause(campaignIds: readonly Id[], status: CodeStatus): Clause {
  return {
    index: 'ix_code__state',
    where: 'campaign_id in (?) and status = ?',
    params: [campaignIds, status],
  };
}

function idsOf(rows: readonly { readonly id: Id }[]): Id[] {
  return rows.map((row) => row.id);
}
