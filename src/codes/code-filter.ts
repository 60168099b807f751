import type { RewardFilter } from '../campaigns/campaign-rewards.service.js';
import { filterBound } from '../platform/database/sql-values.js';
import { firstIdAt, isId, type Id } from '../platform/ids.js';
import type { Clause } from './code-clauses.js';
import { CODE_STATUSES, type Code } from './code.entity.js';
import type { EffectiveStatus } from './effective-status.js';

/** The status shown to people: that a code is used up follows from its counters. */
export const SHOWN_CODE_STATUSES = [...CODE_STATUSES, 'REDEEMED'] as const;
export type ShownCodeStatus = (typeof SHOWN_CODE_STATUSES)[number];

/** An active code without a use left is redeemed; one that was switched off stays so to the eye. */
export function shownStatus(code: Pick<Code, 'status' | 'useLimit' | 'used'>): ShownCodeStatus {
  return code.status === 'ACTIVE' && code.useLimit > 0 && code.used >= code.useLimit
    ? 'REDEEMED'
    : code.status;
}

/** What a list of codes is narrowed by. Missing and null fields narrow nothing. */
export interface CodeFilter extends RewardFilter {
  readonly campaignId?: Id | null;
  readonly batchId?: Id | null;
  readonly status?: ShownCodeStatus | null;
  /** Any of these, at this instant. */
  readonly effectiveStatus?: readonly EffectiveStatus[] | null;
  /** What a customer typed of the code, in any spelling. */
  readonly part?: string | null;
  /** Only this user may redeem it. */
  readonly assignedUserId?: Id | null;
  /** Half-open. */
  readonly issuedFrom?: Date | null;
  readonly issuedBefore?: Date | null;
}

/** Ids are made after the instant of issue, by clocks that are no further apart. */
const SKEW_MS = 60_000;

const STORED_STATUS_SQL: Readonly<Record<ShownCodeStatus, string>> = {
  INACTIVE: "status = 'INACTIVE'",
  ACTIVE: "status = 'ACTIVE' and :use_left",
  REDEEMED: "status = 'ACTIVE' and :used_up",
  DISABLED: "status = 'DISABLED'",
};

/** What conditions on codes name, in the columns of codes, and in those of their totals. */
const IN_CODES = {
  ':use_left': '(use_limit = 0 or used < use_limit)',
  ':used_up': '(use_limit > 0 and used >= use_limit)',
  ':assigned': 'assigned_user_id is not null',
  ':unassigned': 'assigned_user_id is null',
};
const IN_TOTALS: typeof IN_CODES = {
  ':use_left': 'is_used_up = 0',
  ':used_up': 'is_used_up = 1',
  ':assigned': 'is_assigned = 1',
  ':unassigned': 'is_assigned = 0',
};
export const ofCodes = (sql: string): string => named(sql, IN_CODES);
export const ofTotals = (sql: string): string => named(sql, IN_TOTALS);

function named(sql: string, columns: typeof IN_CODES): string {
  return Object.entries(columns).reduce((text, [name, column]) => text.replaceAll(name, column), sql);
}

/** Whether the ids that it names can be ids: what cannot must not reach the database as a number. */
export function hasIds({ campaignId, batchId, assignedUserId }: CodeFilter): boolean {
  return [campaignId, batchId, assignedUserId].every((id) => !id || isId(id));
}

/** Whether the filter asks for something that only a code's own row tells, and no total. */
export function asksForRows({ part, assignedUserId }: CodeFilter): boolean {
  return Boolean(part) || Boolean(assignedUserId);
}

type Condition = readonly [sql: string, ...params: unknown[]] | false;

/**
 * The conditions that each way to find codes has to meet, and those that totals have to meet as well.
 * @param campaignIds of the reward filter; null where it asks for nothing
 */
export function ownConditions(tenantId: string, filter: CodeFilter, campaignIds: readonly Id[] | null) {
  const { campaignId, batchId, assignedUserId, status } = filter;
  const [issuedFrom, issuedBefore] = [filterBound(filter.issuedFrom), filterBound(filter.issuedBefore)];
  const shared: Condition[] = [
    ['tenant_id = ?', tenantId],
    Boolean(campaignId) && ['campaign_id = ?', campaignId],
    campaignIds !== null && ['campaign_id in (?)', campaignIds],
    Boolean(batchId) && ['batch_id = ?', batchId],
    issuedFrom !== null && ['issued_at >= ?', issuedFrom],
    issuedBefore !== null && ['issued_at < ?', issuedBefore],
    !!status && [STORED_STATUS_SQL[status]],
  ];
  const ofRows: Condition[] = [
    ['deleted_at is null'],
    Boolean(assignedUserId) && ['assigned_user_id = ?', assignedUserId],
    issuedFrom !== null && ['id >= ?', firstIdAt(issuedFrom.getTime() - SKEW_MS)],
  ];
  return { codes: joined([...shared, ...ofRows]), totals: joined(shared) };
}

function joined(conditions: readonly Condition[]): Pick<Clause, 'where' | 'params'> {
  const given = conditions.filter((condition) => condition !== false);
  return {
    where: given.map(([sql]) => sql).join(' and '),
    params: given.flatMap(([, ...params]) => params),
  };
}
