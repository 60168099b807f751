import type { MikroORM } from '@mikro-orm/core';
import {
  copyOf,
  type CodeCopy,
  type CodeCopyService,
  type CopiedCode,
} from '../../codes/code-copy.service.js';
import type { Id } from '../../platform/ids.js';
import { gatheredByTenant } from '../../platform/scheduling/gathered.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { instantOf, type SqlInstant } from '../../platform/database/sql-values.js';
import { within } from '../../platform/scheduling/timeout.js';
import { Redemption } from '../history/redemption.entity.js';

interface Lookup {
  readonly tenantId: string;
  /** All that the code may be stored under, at least one. */
  readonly digests: readonly string[];
  /** The tenant's epoch before the look-up began; "" when Redis has none. */
  readonly epoch: string;
}

/** Which code it is, and its state where Redis holds no copy of it. */
export interface LoadedCode {
  readonly codeId: Id;
  readonly campaignId: Id;
  readonly batchId: Id;
  /** The one that the code is stored under. */
  readonly digest: string;
  /** As just read from the primary; null where Redis holds it. */
  readonly unstored: CodeCopy | null;
  /** Before it was read. */
  readonly epoch: string;
}

const BATCH_MAX = 256;

/**
 * Brings codes that Redis does not hold from the primary, many in one query. "Not in Redis" means "load", never
 * "unused".
 */
export class CodeLoader {
  private readonly loader: { readonly load: (lookup: Lookup) => Promise<LoadedCode | null> };

  constructor(
    private readonly orm: MikroORM,
    private readonly copies: CodeCopyService,
    private readonly timeoutMs: number,
  ) {
    this.loader = gatheredByTenant(async (tenantId, lookups) => this.loadAll(tenantId, lookups), BATCH_MAX);
  }

  /**
   * Loads a code; null when the tenant has no such code. A copy is stored for those to come, unless this attempt is
   * about to use the code up: then the copy is of no use, and what was read goes straight to the claim.
   */
  async load(lookup: Lookup): Promise<LoadedCode | null> {
    return within(this.timeoutMs, 'database', this.loader.load(lookup));
  }

  private async loadAll(tenantId: string, lookups: readonly Lookup[]): Promise<(LoadedCode | null)[]> {
    const found = await this.loadOfTenant(tenantId, lookups);
    return lookups.map(({ digests }) => {
      const digest = digests.find((each) => found.has(each));
      return digest === undefined ? null : (found.get(digest) ?? null);
    });
  }

  private async loadOfTenant(tenantId: string, group: readonly Lookup[]): Promise<Map<string, LoadedCode>> {
    const em = tenantEm(this.orm, tenantId);
    const codes = await readCodes(em, tenantId, [...new Set(group.flatMap(({ digests }) => digests))]);
    const usedUp = codes.filter((code) => code.useLimit === 1 && code.used === 1).map((code) => code.id);
    const uses =
      usedUp.length === 0
        ? []
        : await em.find(
            Redemption,
            { codeId: { $in: usedUp }, userUseNo: { $ne: null } },
            { disableIdentityMap: true, fields: ['codeId', 'userId'] },
          );
    const soleUsers = new Map(uses.map((use) => [use.codeId, use.userId]));
    const known = new Set(codes.map(({ codeDigest }) => codeDigest));
    const unknown = group.filter(({ digests }) => !digests.some((digest) => known.has(digest)));
    const copies = codes.map((code) => copyOf(code, soleUsers.get(code.id)));
    // Each of them was read before the codes were.
    const epochs = new Map(group.flatMap(({ digests, epoch }) => digests.map((digest) => [digest, epoch])));
    const epochOf = ({ digest }: CodeCopy): string => epochs.get(digest) ?? '';
    const touched = Map.groupBy(
      copies.filter((copy) => !isUntouched(copy)),
      epochOf,
    );
    await Promise.all([
      ...[...touched].map(async ([epoch, those]) => this.copies.store(tenantId, those, epoch)),
      ...unknown.map(async ({ digests: [digest = ''], epoch }) =>
        this.copies.noteUnknown(tenantId, digest, epoch),
      ),
    ]);
    return new Map(copies.map((copy) => [copy.digest, loadedCode(copy, epochOf(copy))]));
  }
}

function isUntouched({ useLimit, used, status }: CodeCopy): boolean {
  return useLimit === 1 && used === 0 && status === 'ACTIVE';
}

function loadedCode(copy: CodeCopy, epoch: string): LoadedCode {
  const { id: codeId, campaignId, batchId, digest } = copy;
  return { codeId, campaignId, batchId, digest, unstored: isUntouched(copy) ? copy : null, epoch };
}

type StoredCode = Omit<CopiedCode, 'startsAt' | 'expiresAt'> & {
  readonly startsAt: SqlInstant;
  readonly expiresAt: SqlInstant;
};

/** Raw, because every code that is redeemed for the first time comes this way. */
async function readCodes(em: Em, tenantId: string, digests: readonly string[]): Promise<CopiedCode[]> {
  const rows: StoredCode[] = await em.execute(
    `select cast(id as char) as id, code_digest as codeDigest, cast(campaign_id as char) as campaignId,
        cast(batch_id as char) as batchId, status, use_limit as useLimit, used, starts_at as startsAt,
        expires_at as expiresAt, cast(assigned_user_id as char) as assignedUserId, version
      from code where tenant_id = ? and code_digest in (?) and deleted_at is null`,
    [tenantId, digests],
  );
  return rows.map((row) => ({
    ...row,
    startsAt: instantOf(row.startsAt),
    expiresAt: instantOf(row.expiresAt),
  }));
}
