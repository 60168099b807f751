import { present } from '../platform/assert.js';
import { Money } from '../platform/decimal.js';
import { compareIds, type Id } from '../platform/ids.js';
import { queryTogether, writeTogether } from '../platform/database/execute-together.js';
import type { Em } from '../platform/database/orm.js';
import { sqlInstant } from '../platform/database/sql-values.js';
import { dayOf, startOfDay, UTC } from '../platform/zoned-time.js';
import type { Campaign } from './campaign.entity.js';

/** Which limit of a campaign is reached. */
export type ReachedLimit = 'USER' | 'USER_DAY' | 'BUDGET';

/** One redemption that wants to count. */
export interface UsageWanted {
  readonly campaign: LimitedCampaign;
  readonly userId: Id;
  /** When it was claimed. */
  readonly atMs: number;
  /** Sum of the values of its rewards. */
  readonly value: Money;
}

export type LimitedCampaign = Pick<
  Campaign,
  'id' | 'timeZone' | 'userLimitTotal' | 'userLimitDay' | 'budgetUses' | 'budgetValue'
>;

interface Counter {
  readonly campaignId: Id;
  readonly userId: Id;
  /** The number of its date: days since 1970-01-01. */
  readonly day: number;
  uses: number;
  value: Money;
  changed: boolean;
}

/** Of campaigns. */
type Zones = ReadonlyMap<Id, string>;
type CounterKey = Pick<Counter, 'campaignId' | 'userId' | 'day'>;

const ALL_USERS = '0';
const ALL_DAYS = 0;

/** Whether redemptions of a campaign are counted at all; most campaigns have no such limit. */
export function isLimited(campaign: LimitedCampaign): boolean {
  return countersOf({ campaign, userId: ALL_USERS, atMs: 0, value: new Money(0) }).length > 0;
}

/**
 * Locks the counters that these redemptions move, in primary-key order, and makes those that are missing.
 * The caller holds the campaigns' rows, so limits cannot change meanwhile.
 */
export async function lockUsage(
  em: Em,
  tenantId: string,
  wanted: readonly UsageWanted[],
): Promise<UsageLedger> {
  await makeCounters(em, tenantId, wanted, 'ALL');
  return lockCounters(em, tenantId, wanted);
}

/**
 * The first step of {@link lockUsage}.
 * @param kinds those of a budget count all redemptions of their campaign, which can take seconds
 */
export async function makeCounters(
  em: Em,
  tenantId: string,
  wanted: readonly UsageWanted[],
  kinds: 'ALL' | 'OF_USERS',
): Promise<void> {
  const keys = sortedKeys(wanted).filter(({ userId }) => kinds === 'ALL' || userId !== ALL_USERS);
  if (keys.length === 0) return;
  const existing = await readCounters(em, tenantId, keys, '');
  const missing = keys.filter((key) => !existing.has(counterKey(key)));
  const zones = zonesOf(wanted);
  const seeds = await Promise.all(missing.map(async (key) => seedOf(em, tenantId, key, zones)));
  await writeCounters(em, tenantId, seeds, 'uses = uses');
}

/** The second step of {@link lockUsage}; the ledger has the counters that are there. */
export async function lockCounters(
  em: Em,
  tenantId: string,
  wanted: readonly UsageWanted[],
): Promise<UsageLedger> {
  const keys = sortedKeys(wanted);
  const counters = keys.length === 0 ? new Map() : await readCounters(em, tenantId, keys, 'for update');
  return new UsageLedger(em, tenantId, counters);
}

/** The counters as read without locks: for answers that decide nothing. */
export async function peekUsage(
  em: Em,
  tenantId: string,
  wanted: readonly UsageWanted[],
): Promise<UsageLedger> {
  const keys = sortedKeys(wanted);
  if (keys.length === 0) return new UsageLedger(em, tenantId, new Map());
  const zones = zonesOf(wanted);
  const counters = await readCounters(em, tenantId, keys, '');
  const missing = keys.filter((key) => !counters.has(counterKey(key)));
  const seeds = await Promise.all(missing.map(async (key) => seedOf(em, tenantId, key, zones)));
  for (const seed of seeds) counters.set(counterKey(seed), seed);
  return new UsageLedger(em, tenantId, counters);
}

/** The locked counters of a batch; redemptions are counted one after another, and written at once. */
export class UsageLedger {
  constructor(
    private readonly em: Em,
    private readonly tenantId: string,
    private readonly counters: ReadonlyMap<string, Counter>,
  ) {}

  /** Whether all counters are there that this redemption moves. */
  has(wanted: UsageWanted): boolean {
    return countersOf(wanted).every((key) => this.find(key) !== undefined);
  }

  /** The first limit that one more redemption would break, users' limits before the budget. */
  reached(wanted: UsageWanted, kinds: readonly ReachedLimit[]): ReachedLimit | null {
    const { campaign, userId } = wanted;
    const total = this.find({ campaignId: campaign.id, userId, day: ALL_DAYS });
    const today = this.find({ campaignId: campaign.id, userId, day: usageDay(wanted) });
    const all = this.find({ campaignId: campaign.id, userId: ALL_USERS, day: ALL_DAYS });
    const reached: Record<ReachedLimit, boolean> = {
      USER: campaign.userLimitTotal > 0 && (total?.uses ?? 0) + 1 > campaign.userLimitTotal,
      USER_DAY: campaign.userLimitDay > 0 && (today?.uses ?? 0) + 1 > campaign.userLimitDay,
      BUDGET:
        (campaign.budgetUses > 0 && (all?.uses ?? 0) + 1 > campaign.budgetUses) ||
        (new Money(campaign.budgetValue).gt(0) &&
          (all?.value ?? new Money(0)).add(wanted.value).gt(campaign.budgetValue)),
    };
    return kinds.find((kind) => reached[kind]) ?? null;
  }

  /** Whether every further redemption would break the limit, too; a sum may still have room for a smaller value. */
  isSpentForAll(wanted: UsageWanted, limit: ReachedLimit): boolean {
    const { campaign } = wanted;
    const all = this.find({ campaignId: campaign.id, userId: ALL_USERS, day: ALL_DAYS });
    return limit !== 'BUDGET' || (campaign.budgetUses > 0 && (all?.uses ?? 0) >= campaign.budgetUses);
  }

  count(wanted: UsageWanted): void {
    for (const key of countersOf(wanted)) {
      const counter = present(this.find(key), 'A usage counter');
      counter.uses += 1;
      counter.value = counter.value.add(wanted.value);
      counter.changed = true;
    }
  }

  /** Takes a redemption out again whose use was given back. A counter that has drifted must not stand in the way. */
  uncount(wanted: UsageWanted): void {
    for (const key of countersOf(wanted)) {
      const counter = present(this.find(key), 'A usage counter');
      counter.uses = Math.max(0, counter.uses - 1);
      counter.value = Money.max(0, counter.value.sub(wanted.value));
      counter.changed = true;
    }
  }

  /** What of the budget of a campaign is used; nothing where it has none. */
  spent({ id: campaignId }: Pick<LimitedCampaign, 'id'>): { readonly uses: number; readonly value: Money } {
    const all = this.find({ campaignId, userId: ALL_USERS, day: ALL_DAYS });
    return { uses: all?.uses ?? 0, value: all?.value ?? new Money(0) };
  }

  async flush(): Promise<void> {
    const changed = [...this.counters.values()].filter((counter) => counter.changed);
    await writeCounters(this.em, this.tenantId, changed, 'uses = values(uses), value = values(value)');
  }

  private find(key: CounterKey): Counter | undefined {
    return this.counters.get(counterKey(key));
  }
}

/** The day that a redemption counts for, by the tenant's clock; 0 where days do not count. */
export function usageDay({ campaign, atMs }: Pick<UsageWanted, 'campaign' | 'atMs'>): number {
  return campaign.userLimitDay > 0 ? dayOf(atMs, campaign.timeZone) : ALL_DAYS;
}

function countersOf(wanted: UsageWanted): CounterKey[] {
  const { campaign, userId } = wanted;
  const keys: CounterKey[] = [];
  if (campaign.budgetUses > 0 || new Money(campaign.budgetValue).gt(0)) {
    keys.push({ campaignId: campaign.id, userId: ALL_USERS, day: ALL_DAYS });
  }
  if (campaign.userLimitTotal > 0) keys.push({ campaignId: campaign.id, userId, day: ALL_DAYS });
  if (campaign.userLimitDay > 0) keys.push({ campaignId: campaign.id, userId, day: usageDay(wanted) });
  return keys;
}

/** Of the counters that these redemptions move, each once. */
function sortedKeys(wanted: readonly UsageWanted[]): CounterKey[] {
  const keys = new Map(wanted.flatMap(countersOf).map((key) => [counterKey(key), key]));
  return [...keys.values()].toSorted(byPrimaryKey);
}

function zonesOf(wanted: readonly UsageWanted[]): Zones {
  return new Map(wanted.map(({ campaign }) => [campaign.id, campaign.timeZone]));
}

function counterKey(key: CounterKey): string {
  return `${key.campaignId}|${key.userId}|${key.day}`;
}

function byPrimaryKey(a: CounterKey, b: CounterKey): number {
  return compareIds(a.campaignId, b.campaignId) || compareIds(a.userId, b.userId) || a.day - b.day;
}

async function readCounters(
  em: Em,
  tenantId: string,
  keys: readonly CounterKey[],
  lock: '' | 'for update',
): Promise<Map<string, Counter>> {
  // Ids are sent as text, and MariaDB compares text with numbers as doubles inside rows: without the casts it overlooks
  // counters of ids that lie close together. The index is forced because a scan would wait for counters of others.
  const places = keys.map(() => '(cast(? as unsigned), cast(? as unsigned), ?)').join(', ');
  const rows: { campaignId: unknown; userId: unknown; day: number; uses: unknown; value: string }[] =
    await queryTogether(
      em,
      `select campaign_id as campaignId, user_id as userId, day, uses, value from campaign_usage force index (primary)
      where tenant_id = ? and (campaign_id, user_id, day) in (${places})
      order by campaign_id, user_id, day ${lock}`,
      [tenantId, ...keys.flatMap((key) => [key.campaignId, key.userId, key.day])],
    );
  return new Map(
    rows.map((row) => {
      const key = { campaignId: String(row.campaignId), userId: String(row.userId), day: row.day };
      return [
        counterKey(key),
        { ...key, uses: Number(row.uses), value: new Money(row.value), changed: false },
      ];
    }),
  );
}

async function writeCounters(
  em: Em,
  tenantId: string,
  counters: readonly Counter[],
  onDuplicate: string,
): Promise<void> {
  if (counters.length === 0) return;
  await writeTogether(
    em,
    `insert into campaign_usage (tenant_id, campaign_id, user_id, day, uses, value)
      values ${counters.map(() => '(?, ?, ?, ?, ?, ?)').join(', ')} on duplicate key update ${onDuplicate}`,
    counters.flatMap((c) => [tenantId, c.campaignId, c.userId, c.day, c.uses, c.value.toFixed()]),
  );
}

/**
 * What a counter starts with: a limit may be set on a campaign that was redeemed before, and what was redeemed
 * counts, also what was reversed without giving its use back. A transaction that committed meanwhile made the counter itself, and then this seed is not used.
 */
async function seedOf(em: Em, tenantId: string, key: CounterKey, zones: Zones): Promise<Counter> {
  const ofUser = key.userId === ALL_USERS ? '' : 'and r.user_id = ?';
  const ofDay = key.day === ALL_DAYS ? '' : 'and r.claimed_at >= ? and r.claimed_at < ?';
  const params: unknown[] = [tenantId, key.campaignId];
  if (ofUser !== '') params.push(key.userId);
  if (ofDay !== '') {
    const zone = zones.get(key.campaignId) ?? UTC;
    params.push(sqlInstant(startOfDay(key.day, zone)), sqlInstant(startOfDay(key.day + 1, zone)));
  }
  const [row]: { uses: unknown; value: string | null }[] = await queryTogether(
    em,
    `select count(distinct r.id) as uses, sum(g.value) as value from redemption r
      left join reward_grant g on g.tenant_id = r.tenant_id and g.redemption_id = r.id
      where r.tenant_id = ? and r.campaign_id = ? and r.user_use_no is not null ${ofUser} ${ofDay}`,
    params,
  );
  return { ...key, uses: Number(row?.uses ?? 0), value: new Money(row?.value ?? 0), changed: false };
}
