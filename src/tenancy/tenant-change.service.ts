import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import { countNumber, nameText, parseInput } from '../platform/input.js';
import {
  changeRow,
  expectedVersion,
  givenFields,
  VERSION_REFUSALS,
} from '../platform/database/change-row.js';
import type { Em } from '../platform/database/orm.js';
import type { Transactions } from '../platform/database/transaction.js';
import { lockActivePlatforms } from './active-platforms.js';
import type { TenantDirectory } from './directory/tenant-directory.js';
import { Tenant, TENANT_STATUSES, type TenantStatus } from './tenant.entity.js';
import { platformRequired, QUOTA_MAX, timeZoneName, type TenantService } from './tenant.service.js';

export const UPDATE_TENANT_REFUSALS = [
  'PLATFORM_TENANT_REQUIRED',
  'NAME_NOT_ALLOWED',
  'QUOTA_OUT_OF_RANGE',
  'TIME_ZONE_UNKNOWN',
  'INPUT_NOT_ALLOWED',
  'OWN_TENANT_NOT_DISABLED',
  'TENANT_OWNED_BY_DIRECTORY',
  'TENANT_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
type UpdateTenantRefusal = (typeof UPDATE_TENANT_REFUSALS)[number];

const updateTenantInput = z.strictObject({
  name: nameText(64).nullish(),
  codeQuota: countNumber(0, QUOTA_MAX).nullish(),
  status: z.enum(TENANT_STATUSES).nullish(),
  timeZone: timeZoneName.nullish(),
  expectedVersion,
});

/** What others keep of a tenant as well. */
export type TenantDescription = Pick<Tenant, 'name' | 'type' | 'timeZone'>;

/** Where names, statuses and time zones of tenants are kept as well. */
export interface TenantCopies {
  /** Inside the transaction: before the tenant's row is locked, and after it, for rows that were made in between. */
  described(em: Em, tenantId: string, now: TenantDescription): Promise<void>;
  /** After the commit. */
  changed(tenantId: string): void | Promise<void>;
}

/** Changes of tenants by the platform's staff, or by the operator on the server. */
export class TenantChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly tenants: TenantService,
    private readonly copies: readonly Partial<TenantCopies>[],
    private readonly directory: Pick<TenantDirectory, 'isRemote'>,
  ) {}

  /** On behalf of a tenant's staff: only the platform's own may change tenants. @throws DomainError one of {@link UPDATE_TENANT_REFUSALS} */
  async updateBy(askingTenantId: string, tenantId: string, input: unknown): Promise<Tenant> {
    await this.tenants.assertPlatform(askingTenantId);
    const { status } = parsed(input);
    if (status === 'DISABLED' && tenantId === askingTenantId) {
      const message =
        'You would lock yourself out. Another platform tenant, or the command line, may disable yours.';
      refuse('OWN_TENANT_NOT_DISABLED', message, ['input', 'status']);
    }
    return this.change(tenantId, input, askingTenantId);
  }

  /**
   * On behalf of the operator, who may also disable the last platform tenant.
   * @throws DomainError one of {@link UPDATE_TENANT_REFUSALS}
   */
  async update(tenantId: string, input: unknown): Promise<Tenant> {
    return this.change(tenantId, input, null);
  }

  /**
   * Changes name, quota, status, time zone. A quota below what is issued takes nothing back: it stops further issue.
   * @param askingTenantId null for the operator
   */
  private async change(tenantId: string, input: unknown, askingTenantId: string | null): Promise<Tenant> {
    const { expectedVersion: expected, ...rest } = parsed(input);
    const given = givenFields(rest);
    this.assertOwn(given);
    const changed = await this.transactions.run(tenantId, async (em) => {
      const isDescribed = given.name !== undefined || given.timeZone !== undefined;
      const known = await em.findOne(Tenant, { id: tenantId }, { disableIdentityMap: true });
      if (known === null) return null;
      if (isDescribed) await this.describe(em, { ...known, ...given });
      if (askingTenantId !== null && known.type === 'PLATFORM' && given.status === 'DISABLED')
        await assertStillActive(em, askingTenantId);
      const row = await changeRow(em, Tenant, { id: tenantId }, expected, () => given);
      if (row !== null && isDescribed) await this.describe(em, row.after);
      return row;
    });
    if (changed === null)
      return refuse('TENANT_NOT_FOUND', 'There is no such tenant.', ['input', 'tenantId']);
    for (const copies of this.copies) await copies.changed?.(tenantId);
    return changed.after;
  }

  private async describe(em: Em, tenant: Tenant): Promise<void> {
    for (const copies of this.copies) await copies.described?.(em, tenant.id, tenant);
  }

  private assertOwn({ name, status }: { readonly name?: string; readonly status?: TenantStatus }): void {
    if (!this.directory.isRemote || (name === undefined && status === undefined)) return;
    const message = 'Names and statuses of tenants belong to the tenant directory: change them there.';
    refuse('TENANT_OWNED_BY_DIRECTORY', message, ['input', name === undefined ? 'status' : 'name']);
  }
}

/**
 * The platform tenant that disables another one remains itself: without it no staff could enable either of them.
 * @throws DomainError PLATFORM_TENANT_REQUIRED
 */
async function assertStillActive(em: Em, askingTenantId: string): Promise<void> {
  if (!(await lockActivePlatforms(em)).includes(askingTenantId)) throw platformRequired();
}

function parsed(input: unknown) {
  return parseInput<typeof updateTenantInput, UpdateTenantRefusal>(updateTenantInput, input, {
    input: 'INPUT_NOT_ALLOWED',
    name: 'NAME_NOT_ALLOWED',
    codeQuota: 'QUOTA_OUT_OF_RANGE',
    timeZone: 'TIME_ZONE_UNKNOWN',
  });
}

function refuse(code: UpdateTenantRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field });
}
