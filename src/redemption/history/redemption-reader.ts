import type { MikroORM } from '@mikro-orm/core';
import { Code } from '../../codes/code.entity.js';
import { Money } from '../../platform/decimal.js';
import type { Id } from '../../platform/ids.js';
import { gatheredByTenant } from '../../platform/scheduling/gathered.js';
import type { Page, PageRange } from '../../platform/database/find-page.js';
import { tenantEm, type Em } from '../../platform/database/orm.js';
import { within } from '../../platform/scheduling/timeout.js';
import { findRedemptionIds, findRedemptions } from './redemption-list.js';
import { sumOfTotals } from './redemption-totals.js';
import type { RedemptionListFilter } from './redemption-ways.js';
import { Redemption } from './redemption.entity.js';
import type { GrantRow, RedemptionRecord } from './redemption-record.js';
import { RewardGrant } from './reward-grant.entity.js';

interface KeyLookup {
  readonly tenantId: string;
  readonly userId: Id;
  readonly idempotencyKey: string;
}

interface CodeUserLookup {
  readonly tenantId: string;
  readonly codeId: Id;
  readonly userId: Id;
}

export type RedemptionPage = Page<RedemptionRecord>;

/** Redemptions that stand, and those that were reversed. */
export interface RedemptionCounts {
  readonly committed: number;
  readonly reversed: number;
}

interface IdLookup {
  readonly tenantId: string;
  readonly id: Id;
}

interface Lookups<Lookup> {
  readonly load: (lookup: Lookup) => Promise<RedemptionRecord | null>;
}

const BATCH_MAX = 256;

/** Redemptions as the primary has them. Look-ups of the same moment go in one query. */
export class RedemptionReader {
  private readonly keys: Lookups<KeyLookup>;
  private readonly codeUsers: Lookups<CodeUserLookup>;
  private readonly byIds: Lookups<IdLookup>;

  /** @param listOrm where lists are read, which may take long */
  constructor(
    private readonly orm: MikroORM,
    private readonly timeoutMs: number,
    private readonly listOrm: MikroORM = orm,
  ) {
    this.keys = this.loader(
      (lookups) => ({
        userId: { $in: lookups.map((l) => l.userId) },
        idempotencyKey: { $in: lookups.map((l) => l.idempotencyKey) },
      }),
      (lookup, row) => row.userId === lookup.userId && row.idempotencyKey === lookup.idempotencyKey,
    );
    this.codeUsers = this.loader(
      (lookups) => ({
        codeId: { $in: lookups.map((l) => l.codeId) },
        userId: { $in: lookups.map((l) => l.userId) },
        userUseNo: { $ne: null },
      }),
      (lookup, row) => row.userId === lookup.userId && row.codeId === lookup.codeId && row.userUseNo !== null,
    );
    this.byIds = this.loader(
      (lookups) => ({ id: { $in: lookups.map((l) => l.id) } }),
      (lookup, row) => row.id === lookup.id,
    );
  }

  /** The redemption that was committed under a key; for ever. */
  async byKey(lookup: KeyLookup): Promise<RedemptionRecord | null> {
    return within(this.timeoutMs, 'database', this.keys.load(lookup));
  }

  /** The redemption by which this user spent a use of this code. */
  async byCodeAndUser(lookup: CodeUserLookup): Promise<RedemptionRecord | null> {
    return within(this.timeoutMs, 'database', this.codeUsers.load(lookup));
  }

  /** By its id, also reversed ones and tombstones. */
  async byId(tenantId: string, id: Id): Promise<RedemptionRecord | null> {
    return within(this.timeoutMs, 'database', this.byIds.load({ tenantId, id }));
  }

  /** The digest that a code is looked up by; what a key's arguments are compared with. */
  async digestOfCode(tenantId: string, codeId: Id): Promise<string | null> {
    const em = tenantEm(this.orm, tenantId);
    const read = em.findOne(Code, { id: codeId }, { fields: ['codeDigest'], disableIdentityMap: true });
    return (await within(this.timeoutMs, 'database', read))?.codeDigest ?? null;
  }

  /** A page of redemptions; tombstones are not shown. */
  async page(tenantId: string, filter: RedemptionListFilter, range: PageRange): Promise<RedemptionPage> {
    const em = tenantEm(this.listOrm, tenantId);
    const page = await findRedemptions(em, tenantId, filter, range);
    return { ...page, items: await withRewards(em, page.items) };
  }

  /** How many redemptions there are, by the totals. */
  async counts(tenantId: string, campaignId?: Id): Promise<RedemptionCounts> {
    const em = tenantEm(this.listOrm, tenantId);
    const sum = async (status: 'COMMITTED' | 'REVERSED'): Promise<number> =>
      sumOfTotals(em, tenantId, { status, ...(campaignId !== undefined && { campaignId }) }, {});
    return { committed: await sum('COMMITTED'), reversed: await sum('REVERSED') };
  }

  /** The ids of the same page, for lists of what bears the ids of redemptions. */
  async ids(
    tenantId: string,
    filter: RedemptionListFilter,
    range: PageRange,
  ): Promise<Page<{ readonly id: Id }>> {
    const em = tenantEm(this.listOrm, tenantId);
    return findRedemptionIds(em, tenantId, filter, range);
  }

  private loader<Lookup extends { readonly tenantId: string }>(
    where: (lookups: readonly Lookup[]) => Readonly<Record<string, unknown>>,
    matches: (lookup: Lookup, row: Redemption) => boolean,
  ): Lookups<Lookup> {
    const load = async (
      tenantId: string,
      lookups: readonly Lookup[],
    ): Promise<(RedemptionRecord | null)[]> => {
      const em = tenantEm(this.orm, tenantId);
      const rows = await em.find(Redemption, where(lookups), { disableIdentityMap: true });
      const found = await withRewards(em, rows);
      return lookups.map((lookup) => found.find((row) => matches(lookup, row as Redemption)) ?? null);
    };
    return gatheredByTenant(load, BATCH_MAX);
  }
}

/** Adds what each redemption gave, in one query. */
export async function withRewards(em: Em, rows: readonly Redemption[]): Promise<RedemptionRecord[]> {
  if (rows.length === 0) return [];
  const grants = await em.find(
    RewardGrant,
    { redemptionId: { $in: rows.map((row) => row.id) } },
    { disableIdentityMap: true, orderBy: { redemptionId: 'asc', rewardNo: 'asc' } },
  );
  const byRedemption = Map.groupBy(grants, (grant) => grant.redemptionId);
  return rows.map((row) => Object.assign(row, { rewards: (byRedemption.get(row.id) ?? []).map(asGiven) }));
}

/** The database pads decimals to their scale; a replay answers to the letter what the first answer was. */
function asGiven(grant: RewardGrant): GrantRow {
  return { ...grant, value: new Money(grant.value).toFixed() };
}
