import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import { changeRow, givenFields } from '../platform/database/change-row.js';
import { findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { insertNew } from '../platform/database/insert-new.js';
import { tenantEm } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { Facility } from './facility.entity.js';
import type { UPDATE_FACILITY_ERROR_CODES } from './money.errors.js';
import { createFacilityInput, updateFacilityInput } from './money-input.js';

const FIELD_REFUSALS = { name: 'FACILITY_NAME_MALFORMED', input: 'INPUT_NOT_ALLOWED' } as const;

/** Where a tenant keeps money for its users. */
export class FacilityService {
  constructor(
    private readonly its: Pick<PlatformServices, 'orm' | 'readOrm' | 'ids' | 'clock' | 'transactions'>,
  ) {}

  /** @throws DomainError with a code of `CREATE_FACILITY_ERROR_CODES` */
  async create(tenantId: string, input: unknown): Promise<Facility> {
    const { name } = parseInput(createFacilityInput, input, FIELD_REFUSALS);
    const createdAt = new Date(this.its.clock.nowMs());
    const row = { tenantId, id: this.its.ids.next(), name, enabled: true, version: 1, createdAt };
    return this.its.transactions.run(tenantId, async (em) => insertNew(em, Facility, row));
  }

  /**
   * Within a facility that is disabled nothing is transferred.
   * @throws DomainError with a code of {@link UPDATE_FACILITY_ERROR_CODES}
   */
  async update(tenantId: string, facilityId: Id, input: unknown): Promise<Facility> {
    const { expectedVersion: expected, ...values } = parseInput(updateFacilityInput, input, FIELD_REFUSALS);
    const changed = isId(facilityId)
      ? await this.its.transactions.run(tenantId, async (em) =>
          changeRow(em, Facility, { id: facilityId }, expected, () => givenFields(values)),
        )
      : null;
    if (changed !== null) return changed.after;
    const code: (typeof UPDATE_FACILITY_ERROR_CODES)[number] = 'FACILITY_NOT_FOUND';
    throw new DomainError(code, 'The tenant has no facility with this id.', {
      field: ['input', 'facilityId'],
    });
  }

  /** Newest first; users see those that are enabled. */
  async list(tenantId: string, page: PageRange, enabledOnly: boolean): Promise<Page<Facility>> {
    const where = enabledOnly ? { enabled: true } : {};
    return findPage(tenantEm(this.its.readOrm, tenantId), Facility, where, page);
  }
}
