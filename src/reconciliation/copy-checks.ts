import { instantOf, type SqlInstant } from '../platform/database/sql-values.js';
import type { Check, Finding, RedisChecks, TenantKey } from './drift.js';
import type { HeldCopy, ReconciliationRedis } from './reconciliation.redis.js';
import type { Rows } from './rows.js';

const REPAIR = 'Repair drops the copy; the next attempt loads it from the database.';
const CHECKS = [
  {
    kind: 'COPY_AHEAD',
    invariant: 'I3',
    means:
      'Redis has a newer version of a code than the database: the database has lost commits, or was restored.',
    remedy: `${REPAIR} Look for redemptions that were answered COMMITTED and are missing.`,
  },
  {
    kind: 'COPY_BEHIND',
    invariant: 'I3',
    means: 'Redis holds an older version of a code than the database, and is not being updated.',
    remedy: REPAIR,
  },
  {
    kind: 'COPY_DIFFERS',
    invariant: 'I3',
    means: "Redis' copy of a code differs from the row of the same version.",
    remedy: `${REPAIR} If the row was changed by hand, raise its version whenever you do so.`,
  },
  {
    kind: 'COPY_WITHOUT_CODE',
    invariant: 'I3',
    means: 'Redis holds a copy of a code that does not exist, or was deleted.',
    remedy: 'Repair drops the copy.',
  },
] as const satisfies readonly Check[];

interface CodeRow {
  readonly digest: string;
  readonly id: string;
  readonly campaignId: string;
  readonly batchId: string;
  readonly status: string;
  readonly useLimit: number;
  readonly used: number;
  readonly startsAt: SqlInstant;
  readonly expiresAt: SqlInstant;
  readonly assignedUserId: string | null;
  readonly version: number;
  readonly isDeleted: number;
  readonly soleUserId: string | null;
}

const SELECT_CODES = `
  select c.code_digest as digest, cast(c.id as char) as id, cast(c.campaign_id as char) as campaignId,
      cast(c.batch_id as char) as batchId, c.status, c.use_limit as useLimit, c.used, c.starts_at as startsAt,
      c.expires_at as expiresAt, cast(c.assigned_user_id as char) as assignedUserId, c.version,
      c.deleted_at is not null as isDeleted, cast(r.user_id as char) as soleUserId
    from code c
    left join redemption r on r.tenant_id = c.tenant_id and r.code_id = c.id and r.user_use_no is not null
      and c.use_limit = 1 and c.used = 1
   where c.tenant_id = ? and c.code_digest in (?)`;

/** Copies of codes. The version tells states apart, so a copy of the row's version has to say what the row says. */
export class CopyChecks implements RedisChecks {
  readonly name = 'copies';
  readonly checks = CHECKS;
  readonly keyKinds = ['code'];

  constructor(
    private readonly redis: ReconciliationRedis,
    private readonly rows: Rows,
  ) {}

  async *pages(_tenantId: string, keys: readonly TenantKey[]): AsyncGenerator<readonly string[]> {
    yield keys.map(({ rest }) => rest);
  }

  /** Redis is read first: it takes over only what was committed, so it can never be ahead of what is read later. */
  async judge(tenantId: string, digests: readonly string[]): Promise<Finding[]> {
    const found = await this.compared(tenantId, digests);
    return found.map(({ finding }) => finding);
  }

  async repair(tenantId: string, findings: readonly Finding[]): Promise<void> {
    const kinds = new Map(findings.map(({ item, kind, evidence }) => [item, `${kind} ${evidence}`]));
    for (const { finding, held, row } of await this.compared(tenantId, [...kinds.keys()])) {
      if (kinds.get(finding.item) !== `${finding.kind} ${finding.evidence}`) continue;
      await this.redis.dropCopy(tenantId, finding.item, held, row?.version ?? null);
    }
  }

  private async compared(tenantId: string, digests: readonly string[]) {
    const copies = await this.redis.copies(tenantId, digests);
    const rows = await this.rows.read<CodeRow>(tenantId, SELECT_CODES, [digests]);
    const byDigest = new Map(rows.map((row) => [row.digest, row]));
    return digests.flatMap((digest, at) => {
      const [held, row] = [copies[at], byDigest.get(digest)];
      // It has expired meanwhile.
      if (held === undefined || held.version === '') return [];
      const kind = kindOf(held, row);
      if (kind === null) return [];
      const details = { copy: held.version, row: row?.version ?? null, used: held.used };
      const subject = row?.id ?? held.id;
      return [{ held, row, finding: { kind, item: digest, subject, evidence: held.version, details } }];
    });
  }
}

function kindOf(held: HeldCopy, row: CodeRow | undefined): (typeof CHECKS)[number]['kind'] | null {
  // Without a copy its version is remembered for a minute, so that no older state is loaded.
  const isCopy = held.id !== '';
  if (row === undefined) return isCopy ? 'COPY_WITHOUT_CODE' : null;
  if (Number(held.version) > row.version) return 'COPY_AHEAD';
  if (!isCopy) return null;
  if (row.isDeleted === 1) return 'COPY_WITHOUT_CODE';
  if (Number(held.version) < row.version) return 'COPY_BEHIND';
  return saysTheSame(held, row) ? null : 'COPY_DIFFERS';
}

function saysTheSame(held: HeldCopy, row: CodeRow): boolean {
  return (
    held.id === row.id &&
    held.campaign_id === row.campaignId &&
    held.batch_id === row.batchId &&
    held.status === row.status &&
    held.use_limit === String(row.useLimit) &&
    held.used === String(row.used) &&
    held.starts_ms === textOf(row.startsAt) &&
    held.expires_ms === textOf(row.expiresAt) &&
    held.assigned_user_id === (row.assignedUserId ?? '') &&
    // Who used it up need not be known.
    (held.sole_user_id === '' || held.sole_user_id === row.soleUserId)
  );
}

function textOf(instant: SqlInstant): string {
  return String(instantOf(instant)?.getTime() ?? '');
}
