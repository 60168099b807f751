import { DomainError } from '../platform/errors.js';
import { parseInput } from '../platform/input.js';
import { changeRow, givenFields } from '../platform/database/change-row.js';
import { insertNew } from '../platform/database/insert-new.js';
import { tenantEm } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { Currency } from './currency.entity.js';
import type { CREATE_CURRENCY_ERROR_CODES, UPDATE_CURRENCY_ERROR_CODES } from './money.errors.js';
import { createCurrencyInput, updateCurrencyInput } from './money-input.js';

const TERM_REFUSALS = {
  name: 'CURRENCY_NAME_MALFORMED',
  feeRate: 'FEE_RATE_OUT_OF_RANGE',
  transferMax: 'TRANSFER_MAX_MALFORMED',
  dailyCountMax: 'DAILY_COUNT_OUT_OF_RANGE',
  dailySumMax: 'DAILY_SUM_MALFORMED',
  input: 'INPUT_NOT_ALLOWED',
} as const;
const CREATE_REFUSALS = {
  ...TERM_REFUSALS,
  code: 'CURRENCY_CODE_MALFORMED',
  scale: 'CURRENCY_SCALE_OUT_OF_RANGE',
} as const;

/** The currencies of a tenant. */
export class CurrencyService {
  constructor(private readonly its: Pick<PlatformServices, 'orm' | 'readOrm' | 'clock' | 'transactions'>) {}

  /** @throws DomainError with a code of {@link CREATE_CURRENCY_ERROR_CODES} */
  async create(tenantId: string, input: unknown): Promise<Currency> {
    const wanted = parseInput(createCurrencyInput, input, CREATE_REFUSALS);
    const row = {
      ...wanted,
      tenantId,
      enabled: true,
      version: 1,
      createdAt: new Date(this.its.clock.nowMs()),
    };
    return this.its.transactions.run(tenantId, async (em) => insertNew(em, Currency, row, codeTaken));
  }

  /**
   * With effect on transfers that begin afterwards. A currency that is disabled stays where it is, and is not transferred.
   * @throws DomainError with a code of {@link UPDATE_CURRENCY_ERROR_CODES}
   */
  async update(tenantId: string, code: string, input: unknown): Promise<Currency> {
    const {
      expectedVersion: expected,
      transferMax,
      dailyCountMax,
      dailySumMax,
      ...rest
    } = parseInput(updateCurrencyInput, input, TERM_REFUSALS);
    const values = {
      ...givenFields(rest),
      ...(transferMax !== undefined && { transferMax }),
      ...(dailyCountMax !== undefined && { dailyCountMax }),
      ...(dailySumMax !== undefined && { dailySumMax }),
    };
    const changed = await this.its.transactions.run(tenantId, async (em) =>
      changeRow(em, Currency, { code }, expected, () => values),
    );
    if (changed !== null) return changed.after;
    const refusal: (typeof UPDATE_CURRENCY_ERROR_CODES)[number] = 'CURRENCY_NOT_FOUND';
    throw new DomainError(refusal, `The tenant has no currency ${JSON.stringify(code)}.`, {
      field: ['input', 'code'],
    });
  }

  /** By their codes; users see those that are enabled. */
  async list(tenantId: string, enabledOnly: boolean): Promise<Currency[]> {
    const where = enabledOnly ? { enabled: true } : {};
    const options = { orderBy: { code: 'asc' }, disableIdentityMap: true } as const;
    return tenantEm(this.its.readOrm, tenantId).find(Currency, where, options);
  }
}

function codeTaken(): DomainError {
  const code: (typeof CREATE_CURRENCY_ERROR_CODES)[number] = 'CURRENCY_EXISTS';
  const message = 'The tenant has a currency with this code already.';
  return new DomainError(code, message, { field: ['input', 'code'] });
}
