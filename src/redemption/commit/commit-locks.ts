import type { Campaign } from '../../campaigns/campaign.entity.js';
import type { CodeBatch } from '../../codes/code-batch.entity.js';
import type { Code } from '../../codes/code.entity.js';
import type { User } from '../../identity/users/user.entity.js';
import { sortedIds, type Id } from '../../platform/ids.js';
import { instantOf, type SqlInstant } from '../../platform/database/sql-values.js';
import { queryTogether } from '../../platform/database/execute-together.js';
import type { Em } from '../../platform/database/orm.js';
import type { TenantStatus } from '../../tenancy/tenant.entity.js';
import type { Claim } from '../claim/claim.js';

export type LockedUser = Pick<User, 'id' | 'status'>;
export type LockedCode = Pick<
  Code,
  | 'id'
  | 'status'
  | 'useLimit'
  | 'used'
  | 'lastUseNo'
  | 'startsAt'
  | 'expiresAt'
  | 'assignedUserId'
  | 'issuedAt'
  | 'version'
  | 'deletedAt'
> & {
  /** `version` moves on when this transaction spends uses; this one does not. */
  readonly versionBefore: number;
};
export type LockedCampaign = Pick<
  Campaign,
  | 'id'
  | 'status'
  | 'startsAt'
  | 'endsAt'
  | 'timeZone'
  | 'userLimitTotal'
  | 'userLimitDay'
  | 'budgetUses'
  | 'budgetValue'
  | 'version'
>;
export type LockedBatch = Pick<
  CodeBatch,
  'id' | 'status' | 'frozenAt' | 'voidedAt' | 'awaitsActivation' | 'extendedTo'
>;

/** The rows that decide a batch of claims, as they stand until this transaction ends. */
export interface LockedRows {
  /** Read and not locked: every batch of new codes writes the tenant's row. Null when there is no such tenant. */
  readonly tenantStatus: TenantStatus | null;
  readonly users: ReadonlyMap<Id, LockedUser>;
  readonly codes: ReadonlyMap<Id, LockedCode>;
  readonly campaigns: ReadonlyMap<Id, LockedCampaign>;
  readonly batches: ReadonlyMap<Id, LockedBatch>;
}

/*
 * Raw SQL: these five statements are on the way of every redemption, and entities would cost several times as
 * much. LOCK IN SHARE MODE because MariaDB has no FOR SHARE. The index is forced because a scan, which the optimizer
 * likes on small tables, would wait for rows that are none of this batch. The order names
 * the column, because `id` alone is the selected text, which would be sorted once more.
 */
const READ_TENANT = 'select status from tenant where id = ?';
const LOCK_USERS = `select cast(id as char) as id, status from user force index (primary)
  where tenant_id = ? and id in (?) order by user.id`;
const LOCK_CODES = `select cast(id as char) as id, status, use_limit as useLimit, used, last_use_no as lastUseNo,
    starts_at as startsAt, expires_at as expiresAt, cast(assigned_user_id as char) as assignedUserId,
    issued_at as issuedAt, version, deleted_at as deletedAt
  from code force index (primary) where tenant_id = ? and id in (?) order by code.id`;
const SHARE_CAMPAIGNS = `select cast(id as char) as id, status, starts_at as startsAt, ends_at as endsAt,
    time_zone as timeZone, user_limit_total as userLimitTotal, user_limit_day as userLimitDay, budget_uses as budgetUses,
    budget_value as budgetValue, version
  from campaign force index (primary) where tenant_id = ? and id in (?) order by campaign.id`;
const SHARE_BATCHES = `select cast(id as char) as id, status, frozen_at as frozenAt, voided_at as voidedAt,
    awaits_activation as awaitsActivation, extended_to as extendedTo
  from code_batch force index (primary)
  where tenant_id = ? and id in (?) order by code_batch.id`;

/** By what becomes of rows that other transactions hold. */
const LOCKS = {
  WAITED_FOR: { exclusive: 'for update', shared: 'lock in share mode' },
  SKIPPED: {
    exclusive: 'for update skip locked',
    // MySQL knows this only by FOR SHARE, MariaDB only without it: each reads its own comment.
    shared: '/*!80001 for share skip locked */ /*M! lock in share mode skip locked */',
  },
};

type Raw<Row, Instants extends keyof Row> = Omit<Row, Instants> & Record<Instants, SqlInstant>;

/**
 * Takes the locks of a batch in the one order that every transaction keeps: users, then codes, each in primary-key
 * order and in one statement; one message carries all of them, in this order. Campaigns and batches are only shared:
 * staff who change them hold nothing else. The tenant's status comes in the same message.
 *
 * @param held what becomes of rows that other transactions hold
 */
export async function lockRows(
  em: Em,
  tenantId: string,
  claims: readonly Claim[],
  held: keyof typeof LOCKS = 'WAITED_FOR',
): Promise<LockedRows> {
  const { exclusive, shared } = LOCKS[held];
  const read = async <Row>(sql: string, ids: readonly Id[]): Promise<Row[]> =>
    queryTogether(em, sql, [tenantId, sortedIds(ids)]);
  const [users, codes, campaigns, batches, tenants] = await Promise.all([
    read<LockedUser>(
      `${LOCK_USERS} ${exclusive}`,
      claims.map((claim) => claim.userId),
    ),
    read<StoredCode>(
      `${LOCK_CODES} ${exclusive}`,
      claims.map((claim) => claim.codeId),
    ),
    read<Raw<LockedCampaign, 'startsAt' | 'endsAt'>>(
      `${SHARE_CAMPAIGNS} ${shared}`,
      claims.map((claim) => claim.campaignId),
    ),
    read<StoredBatch>(
      `${SHARE_BATCHES} ${shared}`,
      claims.map((claim) => claim.batchId),
    ),
    queryTogether<{ status: TenantStatus }>(em, READ_TENANT, [tenantId]),
  ]);
  return {
    tenantStatus: tenants[0]?.status ?? null,
    users: new Map(users.map((row) => [row.id, row])),
    codes: new Map(codes.map((row) => [row.id, codeOf(row)])),
    campaigns: new Map(campaigns.map((row) => [row.id, campaignOf(row)])),
    batches: new Map(batches.map((row) => [row.id, batchOf(row)])),
  };
}

type StoredBatch = Raw<Omit<LockedBatch, 'awaitsActivation'>, 'frozenAt' | 'voidedAt' | 'extendedTo'> & {
  readonly awaitsActivation: number;
};
type StoredCode = Raw<
  Omit<LockedCode, 'versionBefore' | 'issuedAt'>,
  'startsAt' | 'expiresAt' | 'deletedAt'
> & {
  readonly issuedAt: string;
};

function codeOf(row: StoredCode): LockedCode {
  return {
    ...row,
    versionBefore: row.version,
    startsAt: instantOf(row.startsAt),
    expiresAt: instantOf(row.expiresAt),
    issuedAt: instantOf(row.issuedAt),
    deletedAt: instantOf(row.deletedAt),
  };
}

function campaignOf(row: Raw<LockedCampaign, 'startsAt' | 'endsAt'>): LockedCampaign {
  return { ...row, startsAt: instantOf(row.startsAt), endsAt: instantOf(row.endsAt) };
}

function batchOf(row: StoredBatch): LockedBatch {
  return {
    id: row.id,
    status: row.status,
    frozenAt: instantOf(row.frozenAt),
    voidedAt: instantOf(row.voidedAt),
    awaitsActivation: row.awaitsActivation === 1,
    extendedTo: instantOf(row.extendedTo),
  };
}
