import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import { countNumber, keyText, nameText, parseInput } from '../platform/input.js';
import {
  changeRow,
  expectedVersion,
  givenFields,
  VERSION_REFUSALS,
} from '../platform/database/change-row.js';
import { insertNew } from '../platform/database/insert-new.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import { ReadCache } from '../platform/read-cache.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { PRODUCT_LINE_STATUSES, ProductLine } from './product-line.entity.js';

export const CREATE_PRODUCT_LINE_REFUSALS = [
  'PRODUCT_CODE_NOT_ALLOWED',
  'NAME_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'PRODUCT_LINE_EXISTS',
] as const;
type CreateProductLineRefusal = (typeof CREATE_PRODUCT_LINE_REFUSALS)[number];

export const UPDATE_PRODUCT_LINE_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  'PRODUCT_LINE_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
type UpdateProductLineRefusal = (typeof UPDATE_PRODUCT_LINE_REFUSALS)[number];

/** Attempts that a window admits; 0 means no limit. */
const limitNumber = countNumber(0, 2_147_483_647);
const presetLimit = limitNumber.nullable().default(null);
const createProductLineInput = z.object({
  code: keyText(16),
  name: nameText(64),
  hourLimit: presetLimit,
  dayLimit: presetLimit,
});

/** A field that is missing stays; a limit of null takes the default of the installation. */
const updateProductLineInput = z.strictObject({
  name: nameText(64).nullish(),
  hourLimit: limitNumber.nullable().optional(),
  dayLimit: limitNumber.nullable().optional(),
  status: z.enum(PRODUCT_LINE_STATUSES).nullish(),
  expectedVersion,
});

type Collaborators = Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'transactions'>;

/** The apps and sites of a tenant. */
export class ProductLineService {
  private readonly cache: ReadCache<ReadonlyMap<string, ProductLine>>;

  constructor(private readonly its: Collaborators) {
    this.cache = new ReadCache(async (tenantId) => this.byCode(tenantId));
  }

  /** @throws DomainError one of {@link CREATE_PRODUCT_LINE_REFUSALS} */
  async create(tenantId: string, input: unknown): Promise<ProductLine> {
    const wanted = parseInput<typeof createProductLineInput, CreateProductLineRefusal>(
      createProductLineInput,
      input,
      {
        input: 'PRODUCT_CODE_NOT_ALLOWED',
        name: 'NAME_NOT_ALLOWED',
        hourLimit: 'LIMIT_OUT_OF_RANGE',
        dayLimit: 'LIMIT_OUT_OF_RANGE',
      },
    );
    const createdAt = new Date(this.its.clock.nowMs());
    const row = { ...wanted, tenantId, status: 'ACTIVE', version: 1, createdAt } as const;
    const taken = (): DomainError => {
      const code: CreateProductLineRefusal = 'PRODUCT_LINE_EXISTS';
      const message = 'The tenant has a product line with this code already.';
      return new DomainError(code, message, { field: ['input', 'code'] });
    };
    const line = await this.its.transactions.run(tenantId, async (em) =>
      insertNew(em, ProductLine, row, taken),
    );
    this.invalidate(tenantId);
    return line;
  }

  /**
   * Changes name, limits, status: at once in this process, within a second in every other.
   * @throws DomainError one of {@link UPDATE_PRODUCT_LINE_REFUSALS}
   */
  async update(tenantId: string, code: string, input: unknown): Promise<ProductLine> {
    const wanted = parseInput<typeof updateProductLineInput, UpdateProductLineRefusal>(
      updateProductLineInput,
      input,
      {
        input: 'INPUT_NOT_ALLOWED',
        name: 'NAME_NOT_ALLOWED',
        hourLimit: 'LIMIT_OUT_OF_RANGE',
        dayLimit: 'LIMIT_OUT_OF_RANGE',
      },
    );
    const { hourLimit, dayLimit, expectedVersion: expected, ...rest } = wanted;
    const values = {
      ...givenFields(rest),
      ...(hourLimit !== undefined && { hourLimit }),
      ...(dayLimit !== undefined && { dayLimit }),
    };
    const changed = await this.its.transactions.run(tenantId, async (em) =>
      changeRow(em, ProductLine, { code }, expected, () => values),
    );
    if (changed === null) {
      const refusal: UpdateProductLineRefusal = 'PRODUCT_LINE_NOT_FOUND';
      const message = `The tenant has no product line ${JSON.stringify(code)}.`;
      throw new DomainError(refusal, message, { field: ['input', 'code'] });
    }
    this.invalidate(tenantId);
    return changed.after;
  }

  async list(tenantId: string): Promise<ProductLine[]> {
    return allOf(tenantEm(this.its.readOrm, tenantId));
  }

  /** For the hot path: at most a second old. All of a tenant's are read at once, so unknown codes cost no read. */
  async find(tenantId: string, code: string): Promise<ProductLine | null> {
    const lines = await this.cache.find(tenantId, '');
    return lines?.get(code) ?? null;
  }

  /** Those of the codes that name no product line of the tenant. */
  async missing(tenantId: string, codes: readonly string[]): Promise<string[]> {
    if (codes.length === 0) return [];
    const found = await tenantEm(this.its.orm, tenantId).find(
      ProductLine,
      { code: { $in: [...codes] } },
      { disableIdentityMap: true },
    );
    const known = new Set(found.map((line) => line.code));
    return codes.filter((code) => !known.has(code));
  }

  /** After a change in this process, so that the next request goes by it. */
  invalidate(tenantId: string): void {
    this.cache.invalidate(tenantId, '');
  }

  private async byCode(tenantId: string): Promise<ReadonlyMap<string, ProductLine>> {
    const lines = await allOf(tenantEm(this.its.orm, tenantId));
    return new Map(lines.map((line) => [line.code, line]));
  }
}

async function allOf(em: Em): Promise<ProductLine[]> {
  return em.find(ProductLine, {}, { orderBy: { code: 'asc' }, disableIdentityMap: true });
}
