import { isSet } from '../platform/assert.js';
import { Money } from '../platform/decimal.js';
import { DomainError } from '../platform/errors.js';
import { isId, type Id } from '../platform/ids.js';
import { parseInput } from '../platform/input.js';
import { givenFields } from '../platform/database/change-row.js';
import { EMPTY_PAGE, findPage, type Page, type PageRange } from '../platform/database/find-page.js';
import { tenantEm, type Em } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { Account } from './account.entity.js';
import type { Entry } from './entry.entity.js';
import { findEntries, type EntryFilter } from './entry-list.js';
import type { LedgerService } from './ledger.service.js';
import type { RELEASE_ACCOUNT_ERROR_CODES } from './money.errors.js';
import { adjustBalanceInput } from './money-input.js';

/** What is missing or null matches everything. */
export interface AccountFilter {
  readonly userId?: string | null;
  readonly facilityId?: string | null;
  readonly currency?: string | null;
  readonly isHalted?: boolean | null;
}

const ADJUST_REFUSALS = {
  orderId: 'ORDER_ID_MALFORMED',
  amount: 'AMOUNT_MALFORMED',
  remark: 'REMARK_MALFORMED',
  input: 'INPUT_NOT_ALLOWED',
} as const;

interface Collaborators extends Pick<PlatformServices, 'orm' | 'readOrm' | 'transactions'> {
  readonly ledger: LedgerService;
}

/** Accounts as users and staff see them, and what staff do to them. */
export class AccountService {
  constructor(private readonly its: Collaborators) {}

  /**
   * Adds to a balance, or takes from it, once for each account and order id. A user who is disabled gets nothing, and
   * may be taken from.
   * @param staffId who does it; kept with the entry
   * @throws DomainError with a code of `ADJUST_BALANCE_ERROR_CODES`
   */
  async adjust(tenantId: string, staffId: string, input: unknown): Promise<Entry> {
    const wanted = parseInput(adjustBalanceInput, input, ADJUST_REFUSALS);
    const isForActive = new Money(wanted.amount).isPositive();
    const change = { ...wanted, type: 'ADJUSTMENT', extra: { staffId }, isForActive } as const;
    return this.its.ledger.changeBalance(null, tenantId, change);
  }

  /**
   * Lets a halted account move again, when its last entry matches its balance.
   * @throws DomainError with a code of {@link RELEASE_ACCOUNT_ERROR_CODES}
   */
  async release(tenantId: string, accountId: Id): Promise<Account> {
    const key = isId(accountId) ? await this.find(tenantEm(this.its.orm, tenantId), accountId) : null;
    if (key === null) throw refusal('ACCOUNT_NOT_FOUND', 'The tenant has no account with this id.');
    return this.its.transactions.run(tenantId, async (em) => {
      const session = await this.its.ledger.open(em, tenantId, [key]);
      const { isHalted, isMismatched } = session.account(key);
      if (!isHalted) throw refusal('ACCOUNT_NOT_HALTED', 'The account is not halted.');
      if (isMismatched)
        throw refusal(
          'ACCOUNT_MISMATCHED',
          'The last entry still does not match the balance. Correct the row of the account first, see reconciliation.',
        );
      await em.nativeUpdate(Account, { id: accountId }, { haltedAt: null });
      return { ...key, haltedAt: null };
    });
  }

  /** How many accounts are halted. */
  async haltedCount(tenantId: string): Promise<number> {
    return tenantEm(this.its.readOrm, tenantId).count(Account, { haltedAt: { $ne: null } });
  }

  /** Newest first. */
  async list(tenantId: string, filter: AccountFilter, range: PageRange): Promise<Page<Account>> {
    if (!hasIds(filter)) return EMPTY_PAGE;
    const { isHalted, ...place } = filter;
    const halted = isHalted === true ? { haltedAt: { $ne: null } } : { haltedAt: null };
    const where = { ...givenFields(place), ...(typeof isHalted === 'boolean' && halted) };
    return findPage(tenantEm(this.its.readOrm, tenantId), Account, where, range);
  }

  async entries(tenantId: string, filter: EntryFilter, range: PageRange): Promise<Page<Entry>> {
    if (!hasIds(filter)) return EMPTY_PAGE;
    return findEntries(tenantEm(this.its.readOrm, tenantId), tenantId, filter, range);
  }

  private async find(em: Em, id: Id): Promise<Account | null> {
    return em.findOne(Account, { id }, { disableIdentityMap: true });
  }
}

/** What cannot be an id names no row. */
function hasIds({ accountId, userId, facilityId }: Pick<EntryFilter, 'accountId' | 'userId' | 'facilityId'>) {
  return [accountId, userId, facilityId].every((id) => !isSet(id) || isId(id));
}

function refusal(code: (typeof RELEASE_ACCOUNT_ERROR_CODES)[number], message: string): DomainError {
  return new DomainError(code, message, { field: ['input', 'accountId'] });
}
