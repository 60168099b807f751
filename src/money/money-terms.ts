import type { UserStatus } from '../identity/users/user.entity.js';
import { isId, sortedIds, type Id } from '../platform/ids.js';
import { queryTogether } from '../platform/database/execute-together.js';
import type { Em } from '../platform/database/orm.js';
import type { AccountKey } from './account-rows.js';

/** What movements depend on of a currency. */
export interface CurrencyTerms {
  readonly code: string;
  /** It never changes. */
  readonly scale: number;
  readonly feeRate: string;
  readonly transferMax: string | null;
  readonly dailyCountMax: number | null;
  readonly dailySumMax: string | null;
  readonly enabled: boolean;
}

/** What the keys of accounts name; what is not there is missing. */
export interface MoneyTerms {
  readonly currencies: ReadonlyMap<string, CurrencyTerms>;
  readonly facilities: ReadonlyMap<Id, { readonly enabled: boolean }>;
  readonly users: ReadonlyMap<Id, { readonly status: UserStatus }>;
}

/** An account, or all accounts of a currency at a facility. */
type Place = Omit<AccountKey, 'userId'> & Partial<Pick<AccountKey, 'userId'>>;

type StoredCurrency = Omit<CurrencyTerms, 'enabled'> & { readonly enabled: number };

const CURRENCIES = `
  select code, scale, fee_rate as feeRate, transfer_max as transferMax, daily_count_max as dailyCountMax,
      daily_sum_max as dailySumMax, enabled from currency where tenant_id = ? and code in (?)`;

/**
 * Plain reads, as they are committed now: what they name is never deleted.
 * @param users `SHARED` locks them, where a user who is disabled in the same moment must not be given anything
 */
export async function readTerms(
  em: Em,
  tenantId: string,
  keys: readonly Place[],
  users: 'PLAIN' | 'SHARED' = 'PLAIN',
): Promise<MoneyTerms> {
  const codes = [...new Set(keys.map(({ currency }) => currency))];
  const [currencies, facilities, found] = await Promise.all([
    codes.length === 0 ? [] : queryTogether<StoredCurrency>(em, CURRENCIES, [tenantId, codes]),
    rowsOf<{ id: Id; enabled: number }>(
      em,
      tenantId,
      'facility',
      'enabled',
      keys.map((key) => key.facilityId),
    ),
    rowsOf<{ id: Id; status: UserStatus }>(
      em,
      tenantId,
      'user',
      'status',
      keys.flatMap((key) => key.userId ?? []),
      users === 'SHARED',
    ),
  ]);
  return {
    currencies: new Map(currencies.map((row) => [row.code, { ...row, enabled: row.enabled === 1 }])),
    facilities: new Map(facilities.map(({ id, enabled }) => [id, { enabled: enabled === 1 }])),
    users: new Map(found.map((row) => [row.id, row])),
  };
}

/** What cannot be an id names no row, and would be compared as the number 0. */
async function rowsOf<Row>(
  em: Em,
  tenantId: string,
  table: 'facility' | 'user',
  column: string,
  ids: readonly string[],
  isShared = false,
): Promise<Row[]> {
  const asked = sortedIds(ids.filter(isId));
  if (asked.length === 0) return [];
  const [index, lock] = isShared
    ? ['force index (primary)', `order by ${table}.id lock in share mode`]
    : ['', ''];
  const sql = `select cast(id as char) as id, ${column} from ${table} ${index} where tenant_id = ? and id in (?) ${lock}`;
  return queryTogether<Row>(em, sql, [tenantId, asked]);
}
