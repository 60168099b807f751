import { LockMode } from '@mikro-orm/core';
import { z } from 'zod';
import { changeRow, expectedVersion, givenFields } from '../../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../../platform/database/find-page.js';
import { insertNew } from '../../platform/database/insert-new.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { isDuplicateKey } from '../../platform/database/sql-errors.js';
import { DomainError } from '../../platform/errors.js';
import { isId, type Id } from '../../platform/ids.js';
import { nameText, parseInput } from '../../platform/input.js';
import type { PlatformServices } from '../../platform/platform-services.js';
import { gatheredByTenant } from '../../platform/scheduling/gathered.js';
import { Tenant } from '../../tenancy/tenant.entity.js';
import { ApiKey } from './api-key.entity.js';
import { Partner, PARTNER_STATUSES, type PartnerStatus } from './partner.entity.js';
import { PartnerOperations } from './partner-operations.entity.js';
import type { CreatePartnerRefusal, UpdatePartnerRefusal } from './partner.errors.js';

const PARTNERS_MAX = 1000;

const createPartnerInput = z.strictObject({ name: nameText(64) });
const updatePartnerInput = z.strictObject({
  name: nameText(64).nullish(),
  status: z.enum(PARTNER_STATUSES).nullish(),
  expectedVersion,
});

export interface PartnerFilter {
  readonly status?: PartnerStatus | null;
}

interface OfPartner {
  readonly tenantId: string;
  readonly partnerId: Id;
}

interface Collaborators extends Pick<PlatformServices, 'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions'> {
  /** After the commit of a change of the partner or of its keys. */
  readonly changed: (tenantId: string, keyIds: readonly Id[]) => void;
}

/** Companies whose servers call on behalf of a tenant. */
export class PartnerService {
  private readonly keyReads;
  private readonly operationReads;

  constructor(private readonly its: Collaborators) {
    // The partners of a page are resolved in one round of the event loop, so each kind is one query.
    this.keyReads = gatheredByTenant(
      async (tenantId, of: readonly OfPartner[]) => this.readKeys(tenantId, of),
      500,
    );
    this.operationReads = gatheredByTenant(
      async (tenantId, of: readonly OfPartner[]) => this.readOperations(tenantId, of),
      500,
    );
  }

  /** @throws DomainError with a code of `CREATE_PARTNER_REFUSALS` */
  async create(tenantId: string, input: unknown): Promise<Partner> {
    const { name } = parseInput<typeof createPartnerInput, CreatePartnerRefusal>(createPartnerInput, input, {
      input: 'PARTNER_NAME_NOT_ALLOWED',
    });
    const id = this.its.ids.next();
    const createdAt = new Date(this.its.clock.nowMs());
    return this.its.transactions.run(tenantId, async (em) => {
      await requirePlace(em, tenantId);
      const row = { tenantId, id, name, status: 'ACTIVE', version: 1, createdAt } as const;
      return insertNew(em, Partner, row, nameTaken);
    });
  }

  /**
   * Changes name and status. A DISABLED partner's keys are refused within a second on every process, and so are the
   * user tokens that they have made.
   * @throws DomainError with a code of `UPDATE_PARTNER_REFUSALS`
   */
  async update(tenantId: string, partnerId: Id, input: unknown): Promise<Partner> {
    const wanted = parseInput<typeof updatePartnerInput, UpdatePartnerRefusal>(updatePartnerInput, input, {
      input: 'INPUT_NOT_ALLOWED',
      name: 'PARTNER_NAME_NOT_ALLOWED',
    });
    const { expectedVersion: expected, ...values } = wanted;
    if (!isId(partnerId)) throw partnerNotFound();
    const changed = await this.changedRow(tenantId, partnerId, expected, givenFields(values));
    if (changed === null) throw partnerNotFound();
    await this.noteChange(tenantId, partnerId);
    return changed.after;
  }

  /** After the commit: this process reads the state of the partner's keys again at once, others within a second. */
  async noteChange(tenantId: string, partnerId: Id): Promise<void> {
    const keys = await this.keysOf(tenantId, partnerId);
    this.its.changed(
      tenantId,
      keys.map(({ id }) => id),
    );
  }

  async find(tenantId: string, partnerId: Id): Promise<Partner | null> {
    if (!isId(partnerId)) return null;
    return tenantEm(this.its.orm, tenantId).findOne(Partner, { id: partnerId }, { disableIdentityMap: true });
  }

  /** Newest first, with the exact total. */
  async page(tenantId: string, { status }: PartnerFilter, page: PageRange): Promise<Page<Partner>> {
    return findPage(tenantEm(this.its.readOrm, tenantId), Partner, { ...(status && { status }) }, page);
  }

  /** The keys of a partner, newest first, revoked ones too. */
  async keysOf(tenantId: string, partnerId: Id): Promise<ApiKey[]> {
    return this.keyReads.load({ tenantId, partnerId });
  }

  /** What is registered for a partner, without the texts. */
  async operationsOf(tenantId: string, partnerId: Id): Promise<PartnerOperations | null> {
    return this.operationReads.load({ tenantId, partnerId });
  }

  private async readKeys(tenantId: string, of: readonly OfPartner[]): Promise<ApiKey[][]> {
    const where = { partnerId: { $in: of.map(({ partnerId }) => partnerId) } };
    const order = { orderBy: { id: 'desc' }, disableIdentityMap: true } as const;
    const rows = await tenantEm(this.its.readOrm, tenantId).find(ApiKey, where, order);
    const byPartner = Map.groupBy(rows, ({ partnerId }) => partnerId);
    return of.map(({ partnerId }) => byPartner.get(partnerId) ?? []);
  }

  private async readOperations(
    tenantId: string,
    of: readonly OfPartner[],
  ): Promise<(PartnerOperations | null)[]> {
    const where = { partnerId: { $in: of.map(({ partnerId }) => partnerId) } };
    const em = tenantEm(this.its.readOrm, tenantId);
    const rows = await em.find(PartnerOperations, where, { disableIdentityMap: true });
    const byPartner = new Map(rows.map((row) => [row.partnerId, row]));
    return of.map(({ partnerId }) => byPartner.get(partnerId) ?? null);
  }

  private async changedRow(
    tenantId: string,
    id: Id,
    expected: number | null | undefined,
    values: { name?: string; status?: PartnerStatus },
  ) {
    try {
      return await this.its.transactions.run(tenantId, async (em) =>
        changeRow(em, Partner, { id }, expected, () => values),
      );
    } catch (error) {
      throw isDuplicateKey(error) ? nameTaken() : error;
    }
  }
}

/** Under the lock of the tenant's row: of two that are made at once, the second counts the first. */
async function requirePlace(em: Em, tenantId: string): Promise<void> {
  const options = { lockMode: LockMode.PESSIMISTIC_WRITE, disableIdentityMap: true } as const;
  await em.findOne(Tenant, { id: tenantId }, options);
  if ((await em.count(Partner, {})) < PARTNERS_MAX) return;
  const code: CreatePartnerRefusal = 'PARTNER_LIMIT_REACHED';
  throw new DomainError(code, `The tenant has ${PARTNERS_MAX} partners, the most that there can be.`);
}

function nameTaken(): DomainError {
  const code: CreatePartnerRefusal = 'PARTNER_EXISTS';
  return new DomainError(code, 'The tenant has a partner with this name already.', {
    field: ['input', 'name'],
  });
}

export function partnerNotFound(): DomainError {
  const code: UpdatePartnerRefusal = 'PARTNER_NOT_FOUND';
  return new DomainError(code, 'The tenant has no partner with this id.', { field: ['input', 'partnerId'] });
}
