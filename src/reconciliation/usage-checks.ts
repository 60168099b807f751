import { Money } from '../platform/decimal.js';
import { finding, type Check, type DatabaseChecks, type Finding } from './drift.js';
import { PAGE, type Rows } from './rows.js';

const CHECKS = [
  {
    kind: 'CAMPAIGN_USAGE_DIFFERS',
    invariant: 'I1',
    holder: 'DATABASE',
    means: "A counter of a campaign's limits counts other redemptions, or another value, than there are.",
    remedy:
      'Pause the campaign and delete the row of campaign_usage: it is made anew from what was redeemed.',
  },
] as const satisfies readonly Check[];

interface UsageRow {
  readonly campaignId: string;
  readonly userId: string;
  readonly day: number;
  readonly uses: number;
  readonly redemptions: number;
}

interface BudgetRow extends UsageRow {
  readonly value: string;
  readonly given: string;
  readonly countsValue: number;
}

const COUNTER = `cast(u.campaign_id as char) as campaignId, cast(u.user_id as char) as userId, u.day, u.uses`;

const SELECT_NEXT = `select concat_ws('|', u.campaign_id, u.user_id, u.day) as item
    from campaign_usage u force index (primary)
   where u.tenant_id = ? and (u.campaign_id > cast(? as unsigned) or (u.campaign_id = cast(? as unsigned)
      and (u.user_id > cast(? as unsigned) or (u.user_id = cast(? as unsigned) and u.day > ?))))
   order by u.campaign_id, u.user_id, u.day limit ${PAGE}`;

/** Counters whose limit was taken away stand still; they are made anew before they count again. */
const SELECT_BUDGET = `
  select ${COUNTER}, u.value, c.budget_value > 0 as countsValue,
      (select count(*) from redemption r where r.tenant_id = u.tenant_id and r.campaign_id = u.campaign_id
          and r.status = 'COMMITTED') as redemptions,
      (select coalesce(sum(g.value), 0) from redemption r
          join reward_grant g on g.tenant_id = r.tenant_id and g.redemption_id = r.id
        where r.tenant_id = u.tenant_id and r.campaign_id = u.campaign_id and r.status = 'COMMITTED') as given
    from campaign_usage u join campaign c on c.tenant_id = u.tenant_id and c.id = u.campaign_id
   where u.tenant_id = ? and u.campaign_id = cast(? as unsigned) and u.user_id = 0 and u.day = 0
     and (c.budget_uses > 0 or c.budget_value > 0)`;

/** 719528 is the number of days from the year 0 to 1970. */
const selectUsers = (places: string) => `
  select ${COUNTER}, count(r.id) as redemptions
    from campaign_usage u force index (primary)
    join campaign c on c.tenant_id = u.tenant_id and c.id = u.campaign_id
    left join redemption r force index (uq_redemption__user_key)
      on r.tenant_id = u.tenant_id and r.user_id = u.user_id and r.campaign_id = u.campaign_id
      and r.status = 'COMMITTED' and (u.day = 0 or to_days(r.claimed_at) = 719528 + u.day)
   where u.tenant_id = ? and (u.campaign_id, u.user_id, u.day) in (${places})
     and ((u.day = 0 and c.user_limit_total > 0) or (u.day > 0 and c.user_limit_day > 0))
   group by u.tenant_id, u.campaign_id, u.user_id, u.day, u.uses
  having redemptions <> u.uses`;

type Counter = readonly [campaignId: string, userId: string, day: string];

/** The counters behind budgets and user limits. One that is missing is no drift: it is made when it is needed. */
export class UsageChecks implements DatabaseChecks {
  readonly name = 'usageCounters';
  readonly checks = CHECKS;

  constructor(private readonly rows: Rows) {}

  async *pages(tenantId: string): AsyncGenerator<readonly string[]> {
    for (let last = '0|0|0'; ;) {
      const [campaignId, userId, day] = counterOf(last);
      const params = [campaignId, campaignId, userId, userId, day];
      const rows = await this.rows.read<{ item: string }>(tenantId, SELECT_NEXT, params);
      const end = rows.at(-1);
      if (end === undefined) return;
      yield rows.map((row) => row.item);
      last = end.item;
    }
  }

  async judge(tenantId: string, items: readonly string[]): Promise<Finding[]> {
    const counters = items.map(counterOf);
    const budgets = counters.filter(([, userId]) => userId === '0');
    const found = await this.users(
      tenantId,
      counters.filter(([, userId]) => userId !== '0'),
    );
    for (const [campaignId] of budgets) {
      const rows = await this.rows.read<BudgetRow>(tenantId, SELECT_BUDGET, [campaignId]);
      found.push(...rows.filter(isBudgetAstray).map(differs));
    }
    return found;
  }

  /** Ids are sent as text: without the casts MariaDB would compare them as doubles inside rows. */
  private async users(tenantId: string, counters: readonly Counter[]): Promise<Finding[]> {
    if (counters.length === 0) return [];
    const places = counters.map(() => '(cast(? as unsigned), cast(? as unsigned), ?)').join(', ');
    const params = counters.flatMap(([campaignId, userId, day]) => [campaignId, userId, Number(day)]);
    const rows = await this.rows.read<UsageRow>(tenantId, selectUsers(places), params);
    return rows.map(differs);
  }
}

function isBudgetAstray({ uses, redemptions, value, given, countsValue }: BudgetRow): boolean {
  return uses !== redemptions || (countsValue === 1 && !new Money(value).eq(given));
}

function differs(row: UsageRow & Partial<BudgetRow>): Finding {
  const item = `${row.campaignId}|${row.userId}|${row.day}`;
  const { uses, redemptions, value = null, given = null } = row;
  const subject = `${row.campaignId}/${row.userId}/${row.day}`;
  return finding('CAMPAIGN_USAGE_DIFFERS', item, { uses, redemptions, value, given }, subject);
}

function counterOf(item: string): Counter {
  const [campaignId = '0', userId = '0', day = '0'] = item.split('|');
  return [campaignId, userId, day];
}
