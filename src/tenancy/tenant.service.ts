import { LockMode, raw, type FilterQuery, type MikroORM, type RawQueryFragment } from '@mikro-orm/core';
import { z } from 'zod';
import { invariant } from '../platform/assert.js';
import type { Clock } from '../platform/clock.js';
import type { Transactions } from '../platform/database/transaction.js';
import { DomainError } from '../platform/errors.js';
import { countNumber, keyText, nameText, orElse, parseInput } from '../platform/input.js';
import { isTimeZone, UTC } from '../platform/zoned-time.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { insertNew } from '../platform/database/insert-new.js';
import { systemEm, tenantEm, type Em } from '../platform/database/orm.js';
import { likePart } from '../platform/database/sql-values.js';
import { ACROSS_TENANTS } from '../platform/database/tenant-filter.js';
import { Tenant, TENANT_TYPES, type TenantStatus, type TenantType } from './tenant.entity.js';

const TENANTS_PAGE = 500;

export const CREATE_TENANT_REFUSALS = [
  'PLATFORM_TENANT_REQUIRED',
  'TENANT_ID_NOT_ALLOWED',
  'NAME_NOT_ALLOWED',
  'TENANT_TYPE_UNKNOWN',
  'QUOTA_OUT_OF_RANGE',
  'TIME_ZONE_UNKNOWN',
  'TENANT_EXISTS',
] as const;
export const TENANT_REFUSALS = ['TENANT_NOT_FOUND', 'TENANT_NOT_ACTIVE', 'TENANT_QUOTA_EXCEEDED'] as const;
type CreateTenantRefusal = (typeof CREATE_TENANT_REFUSALS)[number];
type TenantRefusal = (typeof TENANT_REFUSALS)[number];

/** GraphQL's Int ends here. */
export const QUOTA_MAX = 2_147_483_647;

/** An offset such as +01:00 would be wrong for half of the year. */
export const timeZoneName = z
  .string()
  .refine(isTimeZone, 'must be a name of the IANA database such as UTC or Europe/Berlin');

const createTenantInput = z.object({
  id: keyText(24),
  name: nameText(64),
  type: z.enum(TENANT_TYPES),
  codeQuota: countNumber(0, QUOTA_MAX).default(0),
  timeZone: orElse(timeZoneName, UTC),
});

export interface TenantFilter {
  readonly status?: TenantStatus | null;
  readonly type?: TenantType | null;
  /** Part of the id or of the name, in capitals or not. */
  readonly part?: string | null;
}

/** Tenants and their quota of codes. */
export class TenantService {
  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly clock: Clock,
    private readonly transactions: Transactions,
    private readonly listOrm: MikroORM = orm,
  ) {}

  /** On behalf of a tenant's staff: only the platform's own may make tenants. */
  async createBy(askingTenantId: string, input: unknown): Promise<Tenant> {
    await this.assertPlatform(askingTenantId);
    return this.create(input);
  }

  async isPlatform(tenantId: string): Promise<boolean> {
    return runsInstallation(await this.find(tenantId));
  }

  /** @throws DomainError PLATFORM_TENANT_REQUIRED */
  async assertPlatform(tenantId: string): Promise<void> {
    if (!(await this.isPlatform(tenantId))) throw platformRequired();
  }

  /** @throws DomainError one of {@link CREATE_TENANT_REFUSALS} */
  async create(input: unknown): Promise<Tenant> {
    const wanted = parseInput<typeof createTenantInput, CreateTenantRefusal>(createTenantInput, input, {
      input: 'TENANT_ID_NOT_ALLOWED',
      name: 'NAME_NOT_ALLOWED',
      type: 'TENANT_TYPE_UNKNOWN',
      codeQuota: 'QUOTA_OUT_OF_RANGE',
      timeZone: 'TIME_ZONE_UNKNOWN',
    });
    const createdAt = new Date(this.clock.nowMs());
    const directory = { directoryVersion: 0, directoryCheckedAt: null };
    const row = { ...wanted, ...directory, status: 'ACTIVE', codesIssued: 0, version: 1, createdAt } as const;
    const taken = (): DomainError => {
      const code: CreateTenantRefusal = 'TENANT_EXISTS';
      return new DomainError(code, 'A tenant with this id exists already.', { field: ['input', 'id'] });
    };
    return this.transactions.run(wanted.id, async (em) => insertNew(em, Tenant, row, taken));
  }

  async find(tenantId: string): Promise<Tenant | null> {
    return tenantEm(this.orm, tenantId).findOne(Tenant, { id: tenantId }, { disableIdentityMap: true });
  }

  /** As it stands until the transaction ends: it is not changed before. Comes last, as {@link reserveCodes}. */
  async held(em: Em, tenantId: string): Promise<Tenant | null> {
    const options = { disableIdentityMap: true, lockMode: LockMode.PESSIMISTIC_READ } as const;
    return em.findOne(Tenant, { id: tenantId }, options);
  }

  /** All tenants, newest first, with the exact total. */
  async page({ status, type, part }: TenantFilter, page: PageRange): Promise<Page<Tenant>> {
    const conditions: FilterQuery<Tenant>[] = [{}];
    if (status) conditions.push({ status });
    if (type) conditions.push({ type });
    if (part)
      conditions.push({
        $or: [{ [raw('lower(id)')]: likePart(part) }, { [raw('lower(name)')]: likePart(part) }],
      });
    const orderBy = { createdAt: 'desc', id: 'desc' } as const;
    return findPage(systemEm(this.listOrm), Tenant, { $and: conditions }, page, {
      orderBy,
      ...ACROSS_TENANTS,
    });
  }

  /** All tenants' ids, in order and in pages, also of those that are switched off. */
  async *idPages(): AsyncGenerator<readonly string[]> {
    const sql = 'select id from tenant where id > ? order by id limit ?';
    for (let after = ''; ;) {
      const rows = await systemEm(this.orm).execute<{ id: string }[]>(sql, [after, TENANTS_PAGE]);
      if (rows.length > 0) yield rows.map((row) => row.id);
      if (rows.length < TENANTS_PAGE) return;
      after = rows.at(-1)?.id ?? after;
    }
  }

  /**
   * Refuses what cannot succeed, before work is done for it. Decides nothing: {@link reserveCodes} does, in the
   * transaction that issues the codes.
   */
  async assertCanIssue(tenantId: string, count: number): Promise<Tenant> {
    const tenant = await this.find(tenantId);
    const refusal = issueRefusal(tenant, count);
    if (tenant === null || refusal !== null) throw refusal ?? notFound();
    return tenant;
  }

  /**
   * Takes n codes from the quota, in the transaction that issues them. The tenant's row is the one that all
   * generations of a tenant meet at, so this comes last in a transaction and the lock is short.
   */
  async reserveCodes(em: Em, tenantId: string, count: number): Promise<void> {
    const moved = await em.nativeUpdate(
      Tenant,
      {
        id: tenantId,
        status: 'ACTIVE',
        $or: [{ codeQuota: 0 }, { [raw('codes_issued + ?', [count])]: { $lte: raw('code_quota') } }],
      },
      { codesIssued: raw<RawQueryFragment>('codes_issued + ?', [count]) },
    );
    if (moved === 1 || count === 0) return;
    throw (
      issueRefusal(await em.findOne(Tenant, { id: tenantId }, { disableIdentityMap: true }), count) ??
      overQuota()
    );
  }

  /** Gives n codes back to the quota, in the transaction that takes them out of use. */
  async giveBackCodes(em: Em, tenantId: string, count: number): Promise<void> {
    if (count === 0) return;
    const moved = await em.nativeUpdate(
      Tenant,
      { id: tenantId, codesIssued: { $gte: count } },
      { codesIssued: raw<RawQueryFragment>('codes_issued - ?', [count]) },
    );
    invariant(moved === 1, `Tenant ${tenantId} gives back more codes than it has issued.`);
  }
}

/** Whether the tenant's staff look after all tenants. */
export function runsInstallation(tenant: Pick<Tenant, 'type' | 'status'> | null): boolean {
  return tenant?.type === 'PLATFORM' && tenant.status === 'ACTIVE';
}

export function platformRequired(): DomainError<'PLATFORM_TENANT_REQUIRED'> {
  const message = 'Only the staff of an active platform tenant may make or change tenants.';
  return new DomainError('PLATFORM_TENANT_REQUIRED', message);
}

function issueRefusal(tenant: Tenant | null, count: number): DomainError<TenantRefusal> | null {
  if (tenant === null) return notFound();
  if (tenant.status !== 'ACTIVE') return new DomainError('TENANT_NOT_ACTIVE', 'The tenant is DISABLED.');
  if (count > 0 && tenant.codeQuota > 0 && tenant.codesIssued + count > tenant.codeQuota)
    return overQuota(tenant);
  return null;
}

function notFound(): DomainError<TenantRefusal> {
  return new DomainError('TENANT_NOT_FOUND', 'There is no such tenant.');
}

function overQuota(tenant?: Tenant): DomainError<TenantRefusal> {
  const left = tenant === undefined ? '' : ` ${tenant.codeQuota - tenant.codesIssued} codes are left.`;
  return new DomainError(
    'TENANT_QUOTA_EXCEEDED',
    `The tenant's quota does not allow this number of codes.${left}`,
  );
}
