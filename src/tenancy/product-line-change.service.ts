import { z } from 'zod';
import { DomainError } from '../platform/errors.js';
import { nameText, parseInput } from '../platform/input.js';
import {
  changeRow,
  expectedVersion,
  givenFields,
  VERSION_REFUSALS,
} from '../platform/database/change-row.js';
import type { Transactions } from '../platform/database/transaction.js';
import { PRODUCT_LINE_STATUSES, ProductLine } from './product-line.entity.js';
import { limitNumber, type ProductLineService } from './product-line.service.js';

export const UPDATE_PRODUCT_LINE_REFUSALS = [
  'NAME_NOT_ALLOWED',
  'LIMIT_OUT_OF_RANGE',
  'INPUT_NOT_ALLOWED',
  'PRODUCT_LINE_NOT_FOUND',
  ...VERSION_REFUSALS,
] as const;
type UpdateProductLineRefusal = (typeof UPDATE_PRODUCT_LINE_REFUSALS)[number];

/** A field that is missing stays; a limit of null takes the default of the installation. */
const updateProductLineInput = z.strictObject({
  name: nameText(64).nullish(),
  hourLimit: limitNumber.nullable().optional(),
  dayLimit: limitNumber.nullable().optional(),
  status: z.enum(PRODUCT_LINE_STATUSES).nullish(),
  expectedVersion,
});

/** Changes of product lines by staff. */
export class ProductLineChangeService {
  constructor(
    private readonly transactions: Transactions,
    private readonly lines: ProductLineService,
  ) {}

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
    const changed = await this.transactions.run(tenantId, async (em) =>
      changeRow(em, ProductLine, { code }, expected, () => values),
    );
    if (changed === null) {
      const refusal: UpdateProductLineRefusal = 'PRODUCT_LINE_NOT_FOUND';
      const message = `The tenant has no product line ${JSON.stringify(code)}.`;
      throw new DomainError(refusal, message, { field: ['input', 'code'] });
    }
    this.lines.invalidate(tenantId);
    return changed.after;
  }
}
