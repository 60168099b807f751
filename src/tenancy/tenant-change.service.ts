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
import { Tenant, TENANT_STATUSES } from './tenant.entity.js';
import { QUOTA_MAX, type TenantService } from './tenant.service.js';

export const UPDATE_TENANT_REFUSALS = [
  'PLATFORM_TENANT_REQUIRED',
  'NAME_NOT_ALLOWED',
  'QUOTA_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  'OWN_TENANT_NOT_DISABLED',
  'TENANT_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
type UpdateTenantRefusal = (typeof UPDATE_TENANT_REFUSALS)[number];

const updateTenantInput = z.strictObject({
  name: nameText(64).nullish(),
  codeQuota: countNumber(0, QUOTA_MAX).nullish(),
  status: z.enum(TENANT_STATUSES).nullish(),
  expectedVersion,
});

/** Where names and statuses of tenants are kept as well. */
export interface TenantCopies {
  /** Inside the transaction, before the tenant's row is locked. */
  renamed(em: Em, tenantId: string, name: string): Promise<void>;
  /** After the commit. */
  changed(tenantId: string): void;
}

/** Changes of tenants by the platform's staff, or by the operator on the server. */
export class TenantChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly tenants: TenantService,
    private readonly copies: readonly Partial<TenantCopies>[],
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
    return this.update(tenantId, input);
  }

  /**
   * Changes name, quota, status. A quota below what is issued takes nothing back: it stops further issue.
   * @throws DomainError one of {@link UPDATE_TENANT_REFUSALS}
   */
  async update(tenantId: string, input: unknown): Promise<Tenant> {
    const { expectedVersion: expected, ...rest } = parsed(input);
    const given = givenFields(rest);
    const changed = await this.transactions.run(tenantId, async (em) => {
      if (given.name !== undefined)
        for (const copies of this.copies) await copies.renamed?.(em, tenantId, given.name);
      return changeRow(em, Tenant, { id: tenantId }, expected, () => given);
    });
    if (changed === null)
      return refuse('TENANT_NOT_FOUND', 'There is no such tenant.', ['input', 'tenantId']);
    for (const copies of this.copies) copies.changed?.(tenantId);
    return changed.after;
  }
}

function parsed(input: unknown) {
  return parseInput<typeof updateTenantInput, UpdateTenantRefusal>(updateTenantInput, input, {
    input: 'INPUT_NOT_ALLOWED',
    name: 'NAME_NOT_ALLOWED',
    codeQuota: 'QUOTA_OUT_OF_RANGE',
  });
}

function refuse(code: UpdateTenantRefusal, message: string, field: readonly string[]): never {
  throw new DomainError(code, message, { field });
}
