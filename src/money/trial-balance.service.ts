import { LRUCache } from 'lru-cache';
import { isSet } from '../platform/assert.js';
import type { Clock } from '../platform/clock.js';
import { Money } from '../platform/decimal.js';
import { tenantEm } from '../platform/database/orm.js';
import type { PlatformServices } from '../platform/platform-services.js';
import { isId, sortedIds, type Id } from '../platform/ids.js';
import { sharedAnswer } from '../platform/scheduling/shared-answer.js';
import { SYSTEM_PURPOSES, type SystemPurpose } from './system-entry.entity.js';

/** Whose accounts they are: those of users, or those of the tenant by their purpose. */
export const ACCOUNT_KINDS = ['USERS', ...SYSTEM_PURPOSES] as const;
export type AccountKind = 'USERS' | SystemPurpose;

export interface TrialBalanceRow {
  readonly kind: AccountKind;
  readonly debit: string;
  readonly credit: string;
}

export interface CurrencyBalance {
  readonly currency: string;
  readonly debit: string;
  readonly credit: string;
  readonly rows: readonly TrialBalanceRow[];
  /** Facilities at which this currency does not sum to zero; one hundred at most. */
  readonly unbalancedFacilityIds: readonly Id[];
}

export interface TrialBalance {
  readonly asOf: Date;
  readonly currencies: readonly CurrencyBalance[];
}

export interface TrialBalanceFilter {
  readonly facilityId?: Id | null | undefined;
  readonly currency?: string | null | undefined;
}

interface Sum {
  readonly facilityId: Id;
  readonly currency: string;
  readonly kind: AccountKind;
  readonly net: string;
}

type Wanted = [tenantId: string, facilityId: Id | null, currency: string | null];

interface Sums {
  readonly asOf: Date;
  readonly sums: readonly Sum[];
}

/** A sum reads every account, and every entry of the tenant's own that the filter leaves: once for all who ask for it. */
const KEPT_MS = 5000;
const SUMS_MAX = 1000;
const CURRENCY_LENGTH_MAX = 8;
const UNBALANCED_MAX = 100;

/** Debits and credits of the whole ledger, in one snapshot: both are equal, or an account was changed past the ledger. */
export class TrialBalanceService {
  private readonly sums: LRUCache<string, () => Promise<Sums>>;

  constructor(private readonly its: Pick<PlatformServices, 'readOrm'> & { readonly clock: Clock }) {
    this.sums = new LRUCache<string, () => Promise<Sums>>({
      max: SUMS_MAX,
      memoMethod: (key) => sharedAnswer(async () => this.read(...(JSON.parse(key) as Wanted)), KEPT_MS),
    });
  }

  /** A ledger that is too large to be summed within the time of a read is read by facility. */
  async of(tenantId: string, { facilityId, currency }: TrialBalanceFilter): Promise<TrialBalance> {
    const isNowhere =
      (isSet(facilityId) && !isId(facilityId)) || (currency ?? '').length > CURRENCY_LENGTH_MAX;
    if (isNowhere) return { asOf: new Date(this.its.clock.nowMs()), currencies: [] };
    const wanted: Wanted = [tenantId, facilityId ?? null, currency ?? null];
    const { asOf, sums } = await this.sums.memo(JSON.stringify(wanted))();
    const byCurrency = Map.groupBy(sums, (sum) => sum.currency);
    const sorted = [...byCurrency].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return { asOf, currencies: sorted.map((group) => balanceOf(...group)) };
  }

  private async read(...[tenantId, facilityId, currency]: Wanted): Promise<Sums> {
    const asOf = new Date(this.its.clock.nowMs());
    const ofFacility = facilityId === null ? '' : ' and facility_id = ?';
    const where = `tenant_id = ?${ofFacility}${currency === null ? '' : ' and currency = ?'}`;
    const params = [tenantId, facilityId, currency].filter((value) => value !== null);
    const sums = await tenantEm(this.its.readOrm, tenantId).execute<Sum[]>(
      `select cast(facility_id as char) as facilityId, currency, 'USERS' as kind, cast(sum(balance) as char) as net
          from money_account where ${where} group by facility_id, currency
        union all
        select cast(facility_id as char), currency, purpose, cast(sum(amount) as char)
          from system_entry force index (ix_system_entry__account) where ${where}
         group by facility_id, currency, purpose`,
      [...params, ...params],
    );
    return { asOf, sums };
  }
}

/** What the tenant owes to users is on the credit side; accounts of the tenant that gave it are on the debit side. */
function balanceOf(currency: string, sums: readonly Sum[]): CurrencyBalance {
  const rows = ACCOUNT_KINDS.map((kind) => ({
    kind,
    net: total(sums.filter((sum) => sum.kind === kind)),
  })).filter(({ kind }) => sums.some((sum) => sum.kind === kind));
  const sides = rows.map(({ kind, net }) => ({ kind, ...sidesOf(net) }));
  const facilities = Map.groupBy(sums, ({ facilityId }) => facilityId);
  const unbalanced = [...facilities].filter(([, of]) => !total(of).isZero()).map(([id]) => id);
  return {
    currency,
    debit: sides.reduce((sum, { debit }) => sum.plus(debit), new Money(0)).toFixed(),
    credit: sides.reduce((sum, { credit }) => sum.plus(credit), new Money(0)).toFixed(),
    rows: sides,
    unbalancedFacilityIds: sortedIds(unbalanced).slice(0, UNBALANCED_MAX),
  };
}

function total(sums: readonly Sum[]): Money {
  return sums.reduce((sum, { net }) => sum.plus(net), new Money(0));
}

function sidesOf(net: Money): Pick<TrialBalanceRow, 'debit' | 'credit'> {
  const amount = net.abs().toFixed();
  return net.isNegative() ? { debit: amount, credit: '0' } : { debit: '0', credit: amount };
}
